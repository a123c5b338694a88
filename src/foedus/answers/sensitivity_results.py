"""Results of a sensitivity analysis: by question, the effects of inputs and the share of chance."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import Enum, auto
from operator import attrgetter
from typing import Any, Literal

from foedus.answers.questions import named
from foedus.answers.uncertain_inputs import INPUT, Input
from foedus.plain_values import Plain, Worded
from foedus.weighing.verdict import Caution, Failure, Verdict

Design = Literal["given", "sobol"]
By = Literal["mechanism", "input"]

#: Version of the keys of :meth:`Sensitivities.to_dict`.
FORMAT = 1


class NoEffects(Worded, Enum):
    """Why a question has no sensitivities."""

    #: All runs give the same answer.
    CONSTANT = auto()
    #: A design of its own has no evidence.
    NO_EVIDENCE = auto()


@dataclass(frozen=True, kw_only=True)
class TooFewEffective(Worded):
    """The evidence leaves fewer effective runs than ``fewest``."""

    fewest: float


@dataclass(frozen=True, kw_only=True)
class NoAnswer(Worded):
    """The verdict gives no answer after the evidence."""

    verdict: Verdict


@dataclass(frozen=True)
class End(Plain):
    """The answer where an input is at one end.

    Attributes
    ----------
    at : float, str or None
        Median of the input there, or the option; None for chance, which has no unit.
    probability : float or None
        Binary: that it is true. Date: that it happens in the window.
    median : float, datetime.date or None
        Number, date; None for a date that is not in the window in most runs.
    """

    at: float | str | None
    probability: float | None = None
    median: float | dt.date | None = None


@dataclass(frozen=True, kw_only=True)
class Effect(Plain):
    """What an input does to an answer.

    Attributes
    ----------
    input : Input
    share, low, high : float
        Share of the answer's variance that the input explains on its own, with its 95% interval.
    told : bool
        It stands out from noise.
    ends : tuple of End
        The answer at the lowest and the highest fifth of the input, or at the options with the
        lowest and highest answers; empty where there is none.
    total, total_low, total_high : float or None
        Share of the variance that the input is involved in, alone or with others; only from a
        design of its own.
    """

    input: Input = field(metadata=INPUT)
    share: float
    low: float
    high: float
    told: bool
    ends: tuple[End, ...] = ()
    total: float | None = None
    total_low: float | None = None
    total_high: float | None = None


@dataclass(frozen=True)
class Share(Plain):
    """A share of an answer's variance with its 95% interval."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class View(Plain):
    """The sensitivities of a question to all inputs, by one set of weights.

    Attributes
    ----------
    effects : tuple of Effect
        The largest share first.
    noise : float or None
        The largest share that dummy inputs reach by chance, with the same bias correction.
    alone : Share or None
        Sum of the shares of the single inputs; only where these are independent.
    chance : Share or None
        What all inputs together leave unexplained.
    reason : NoEffects, TooFewEffective, NoAnswer, Failure or None
        Why there is nothing else.
    """

    effects: tuple[Effect, ...] = ()
    noise: float | None = None
    alone: Share | None = None
    chance: Share | None = None
    reason: NoEffects | TooFewEffective | NoAnswer | Failure | None = None

    @property
    def told(self) -> tuple[Effect, ...]:
        """The effects that stand out from noise."""
        return tuple(e for e in self.effects if e.told)


@dataclass(frozen=True, kw_only=True)
class Sensitivity(Plain):
    """The sensitivities of one question.

    Attributes
    ----------
    id, text, kind, unit : str
    before, after : View
        Before the reports weigh the runs, and after.
    """

    id: str
    text: str
    kind: str
    unit: str
    before: View
    after: View


@dataclass(frozen=True, kw_only=True)
class Sensitivities(Plain):
    """The sensitivities of a case's questions as of a date.

    Attributes
    ----------
    case_id, title : str
    as_of, end : datetime.date
        The as-of date, and the last day simulated.
    design : {"given", "sobol"}
        From the runs of the forecast, or from a design of its own.
    verdict : Verdict
        As in a forecast; where refused there is nothing after the evidence.
    runs : int
        Runs that were used.
    effective_before, effective_after : float
    inputs : tuple of Input
    fixed : tuple of str
        Declared parameters that are the same in all runs.
    questions : tuple of Sensitivity
    warnings : tuple of Caution
    provenance : dict
    """

    case_id: str = field(metadata={"json": "case"})
    title: str
    as_of: dt.date
    end: dt.date
    design: Design
    verdict: Verdict
    runs: int
    effective_before: float
    effective_after: float = field(metadata={"then": {"advice": attrgetter("verdict.reasons")}})
    inputs: tuple[Input, ...] = field(
        metadata={"json": None, "then": {"inputs": lambda found: len(found.inputs)}}
    )
    fixed: tuple[str, ...]
    questions: tuple[Sensitivity, ...]
    warnings: tuple[Caution, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    json_format = FORMAT

    def _repr_html_(self) -> str:
        from foedus.report.sensitivity_view import sensitivities_document

        return sensitivities_document(self)._repr_html_()

    def of(self, question: str) -> Sensitivity:
        """Return the sensitivities of a question.

        Raises
        ------
        InputError
            If there is no such question.
        """
        found: Sensitivity = named(self.questions, question)
        return found
