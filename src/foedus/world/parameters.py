"""The parameters of the world: one declaration each, beside the mechanism that reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foedus.case.priors import Choice, Prior
from foedus.errors import InputError

if TYPE_CHECKING:
    from foedus.case.models import Case, Hypothesis

FloatArray = NDArray[np.float64]

#: Values of all parameters for a set of runs: name -> array of shape (run,).
Parameters = dict[str, FloatArray]


@dataclass(frozen=True)
class Parameter:
    """One uncertain number of one mechanism.

    Attributes
    ----------
    name : str
        ``mechanism.word``; the mechanism is the file that declares it.
    prior : Prior
        Default prior, with its origin and source.
    unit : str
        Unit, or "1" for a pure number.
    meaning : str
        What it does, in one sentence.
    low, high : float
        A prior whose median lies outside is refused; a draw outside is clipped.
    """

    name: str
    prior: Prior
    unit: str
    meaning: str
    low: float = -np.inf
    high: float = np.inf


def refuse_undeclared(case: Case, registry: dict[str, Parameter]) -> None:
    """Refuse priors of parameters that no mechanism declares or allows, and unknown triggers.

    What a case file may name beyond its own sections only the world knows.

    Raises
    ------
    InputError
        All problems at once, in the order of the file.
    """
    from foedus.case.problems import nearest
    from foedus.casebook.schema import TRIGGERS

    layers: list[tuple[tuple[str | int, ...], dict[str, Prior]]] = [(("priors",), case.priors)]
    layers += [(("hypotheses", n, "priors"), h.priors) for n, h in enumerate(case.hypotheses)]
    problems = []
    for path, priors in layers:
        for name, prior in priors.items():
            if name not in registry:
                expected = f"a declared parameter{nearest(name, registry)}"
                problems.append(case.problem((*path, name), repr(name), expected))
            elif (fault := _fault(registry[name], prior)) is not None:
                problems.append(case.problem((*path, name), *fault))
    trigger = case.trigger_type
    if trigger is not None and trigger not in TRIGGERS:
        expected = f"one of {', '.join(TRIGGERS)}{nearest(trigger, TRIGGERS)}"
        problems.append(case.problem(("trigger_type",), repr(trigger), expected))
    if problems:
        raise InputError(sorted(problems, key=lambda p: (p.line or 0, p.column or 0)))


def _fault(declared: Parameter, prior: Prior) -> tuple[str, str] | None:
    """Return what was found and what would be right, or None if the prior will do."""
    if isinstance(prior, Choice) and prior.options != getattr(declared.prior, "options", ()):
        legal = ", ".join(getattr(declared.prior, "options", ())) or "none, since it is a number"
        expected = f"the options {legal}; say by weights how likely each is"
        return ", ".join(prior.options), expected
    median = float(prior.quantile(np.array([0.5]))[0])
    if not declared.low <= median <= declared.high:
        expected = f"a prior whose median is between {declared.low:g} and {declared.high:g}"
        return f"{median:g}", expected
    return None


def resolve(
    case: Case, registry: dict[str, Parameter], hypothesis: Hypothesis | None = None
) -> dict[str, Prior]:
    """Return the prior of each parameter: default, casebook, case, hypothesis; the last counts.

    Raises
    ------
    InputError
        If the case names a parameter that no mechanism declares, or a prior that it does not allow.
    """
    from foedus.world.history import casebook_priors

    refuse_undeclared(case, registry)
    priors: dict[str, Prior] = {name: p.prior for name, p in registry.items()}
    priors |= casebook_priors(case, registry)
    priors |= case.priors
    if hypothesis is not None:
        priors |= hypothesis.priors
    return priors
