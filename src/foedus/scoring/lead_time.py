"""Scores over time: how good the forecasts were, by days of lead."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from foedus.answers.timelines import Day, Timeline, collect, daily, stripped
from foedus.case.models import Case
from foedus.defaults import FORECAST_RUNS
from foedus.plain_values import Plain
from foedus.scoring.scores import (
    BASELINES,
    Scored,
    Scores,
    against,
    refuse_unscored,
    score,
)

#: Version of the keys of :meth:`History.to_dict`.
FORMAT = 1

#: First lead of each class, in days; each class ends where the next begins.
CLASSES: tuple[int, ...] = (1, 2, 4, 8, 15, 31)


@dataclass(frozen=True)
class Lead(Plain):
    """All forecasts made a certain number of days before the outcome was public.

    Attributes
    ----------
    low, high : int
        Days, both included; ``high`` is 0 for "and more".
    forecasts : int
        Number of pairs of an open question and a day with a score.
    questions : int
        Number of different questions among them.
    brier, log : float or None
        Mean scores of the binary questions among them.
    binary : int
        Number of forecasts of binary questions.
    baselines : dict of str to dict
        As returned by :func:`foedus.scoring.scores.against`, each on the forecasts for which the
        baseline exists.
    """

    low: int
    high: int
    forecasts: int
    questions: int
    binary: int
    brier: float | None
    log: float | None
    baselines: dict[str, dict[str, Any]]

    @property
    def label(self) -> str:
        """The range of days in words."""
        if not self.high:
            return f"{self.low} or more"
        return str(self.low) if self.high == self.low else f"{self.low} to {self.high}"


@dataclass(frozen=True)
class History(Plain):
    """The forecasts of a range of days, and their scores.

    Attributes
    ----------
    timeline : Timeline
    scores : tuple of Scores
        One for each day.
    """

    timeline: Timeline
    scores: tuple[Scores, ...]

    json_format = FORMAT
    json_also = ("leads",)

    @property
    def leads(self) -> tuple[Lead, ...]:
        """The scores by lead time."""
        return by_lead(self.scores)


def history(
    case: Case,
    first: dt.date | str,
    last: dt.date | str,
    *,
    runs: int = FORECAST_RUNS,
    seed: int = 1,
    **options: Any,
) -> History:
    """Make the forecast of each day of a range, and score it.

    Parameters
    ----------
    case : Case
        With its outcomes.
    first, last, runs, seed, **options
        As in :func:`foedus.answers.timelines.timeline`.

    Raises
    ------
    InputError
        If the case has no outcomes, or the days are not among its days.
    """
    refuse_unscored(case)
    days: list[Day] = []
    scores: list[Scores] = []
    for day in daily(case, first, last, runs=runs, seed=seed, **options):
        scores.append(score(case, forecast=day.forecast))
        days.append(stripped(day))
    return History(collect(case, days, runs=runs, seed=seed), tuple(scores))


def open_forecasts(scores: Iterable[Scores]) -> list[tuple[str, dt.date, Scored]]:
    """Return the scored forecasts of open questions: name of the question, as-of date, scores.

    The name is unique across cases. Questions that were settled or whose outcome was already public
    are left out, and so are days on which the forecast refused to answer.
    """
    return [
        (f"{s.case_id}/{q.id}", s.as_of, q)
        for s in scores
        for q in s.questions
        if q.score is not None and q.open and not q.known_already
    ]


def by_lead(scores: Iterable[Scores], classes: Sequence[int] = CLASSES) -> tuple[Lead, ...]:
    """Sort the forecasts of open questions by the days until the outcome was public.

    Parameters
    ----------
    scores : iterable of Scores
        Of one or several cases and dates. A date that occurs twice for a case counts twice.
    classes : sequence of int
        First lead of each class.

    Returns
    -------
    tuple of Lead
        Those that are not empty, nearest first. Each forecast of each day counts once in the means.
    """
    rows = open_forecasts(scores)
    out = []
    for low, after in zip(classes, [*classes[1:], None], strict=True):
        here = [
            (name, q)
            for name, _, q in rows
            if q.lead is not None and q.lead >= low and (after is None or q.lead < after)
        ]
        if not here:
            continue
        kept = [q for _, q in here]
        binary = [q.score for q in kept if q.score is not None and q.score.brier is not None]
        out.append(
            Lead(
                low,
                0 if after is None else after - 1,
                len(kept),
                len({name for name, _ in here}),
                len(binary),
                _mean([s.brier for s in binary]),
                _mean([s.log for s in binary]),
                {name: against(kept, name) for name in BASELINES},
            )
        )
    return tuple(out)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None
