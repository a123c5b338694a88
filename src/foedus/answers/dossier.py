"""What a full brief needs, from the same runs: forecast, explanations, watch lists."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from foedus.answers.explanations import Explanations, explain
from foedus.answers.forecasts import Forecast, forecast
from foedus.answers.questions import named
from foedus.answers.watch_list import Watch, watch
from foedus.case.models import Case
from foedus.case.question_kinds import Shape, kind_of
from foedus.defaults import PAIRS
from foedus.weighing.weighed import weigh


@dataclass(frozen=True)
class Wanted:
    """What to make besides the forecast.

    Attributes
    ----------
    explain : bool
    pairs : int
        Of each counterfactual; 0 makes none.
    watch : bool
    question : str or None
        What the watch list is about; absent: the most open question, and the hypotheses.
    """

    explain: bool = False
    pairs: int = PAIRS
    watch: bool = False
    question: str | None = None


@dataclass(frozen=True)
class Dossier:
    """A forecast with its explanations and watch lists."""

    forecast: Forecast
    explanations: Explanations | None = None
    watch: tuple[Watch, ...] = ()


def dossier(
    case: Case, wanted: Wanted, *, as_of: dt.date | dt.datetime | str | None = None, **runs: Any
) -> Dossier:
    """Weigh the runs of a case once, and make what is wanted from them.

    Parameters
    ----------
    case : Case
    wanted : Wanted
    as_of : datetime.date, datetime.datetime or str, optional
        The case's own date if absent.
    **runs
        As for :func:`foedus.forecast`: ``runs``, ``seed``, ``out`` and so on; or ``ensemble``.

    Raises
    ------
    InputError
        If the case has no such question.
    """
    if wanted.question is not None:
        named(case.questions, wanted.question)
    weighed = weigh(case, as_of=as_of, **runs)
    made = forecast(case, weighed=weighed)
    if made.verdict.refused:
        return Dossier(made)
    found = None
    if wanted.explain and case.hypotheses:
        found = explain(case, weighed=weighed, pairs=wanted.pairs, progress=runs.get("progress"))
    lists: tuple[Watch, ...] = ()
    if wanted.watch and made.as_of < case.end:
        lists = tuple(
            watch(case, question=about, weighed=weighed)
            for about in _asked(case, made, wanted.question)
        )
    return Dossier(made, found, lists)


def _asked(case: Case, made: Forecast, question: str | None) -> list[str | None]:
    """Return what to watch: a question, and the hypotheses if none was named."""
    if question is not None:
        return [question]
    about: list[str | None] = [q for q in (most_open(made),) if q is not None]
    return [*about, *([None] if len(case.hypotheses) > 1 else [])]


def most_open(made: Forecast) -> str | None:
    """Return the yes-or-no question whose answer is nearest to even; None if all are settled."""
    chances = {
        a.id: a.estimate.probability
        for a in made.answers
        if kind_of(a.kind).shape is Shape.CHANCE and a.estimate is not None and a.settled_by is None
    }
    open_ones = {q: abs(p - 0.5) for q, p in chances.items() if p is not None and 0.0 < p < 1.0}
    return min(open_ones, key=lambda q: open_ones[q], default=None)
