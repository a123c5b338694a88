"""The likelihood of what is known, in each run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case, Fact
from foedus.case.vocabulary import QUANTITIES
from foedus.weighing.observation_model import (
    Observation,
    Subject,
    day_fraction,
    observation,
    shares,
)
from foedus.weighing.quantities import Block, Frame, event_day, series, variables
from foedus.world.guidance import Guidance

FloatArray = NDArray[np.float64]
Use = Literal["weighed", "replayed", "context", "outside", "plan"]

#: How a fact is used, in words.
USES: dict[str, str] = {
    "weighed": "weighs the runs",
    "replayed": "imposed on every run, which pays its own probability of it",
    "context": "context only: no quantity, or no number",
    "outside": "about a day that is not simulated",
    "plan": "about a day after the as-of date: a plan, not an observation",
}


@dataclass(frozen=True)
class Report:
    """A fact as judgement uses it.

    Attributes
    ----------
    fact : Fact
    use : str
        A key of :data:`USES`.
    day : int
        Day number that it is about.
    fraction : float
        How much of that day had passed.
    model : Observation or None
        None unless it is weighed.
    share : float
        How much of a whole report it counts, given others of the same thing; 0 unless weighed.
    """

    fact: Fact
    use: Use
    day: int
    fraction: float = 1.0
    model: Observation | None = None
    share: float = 0.0

    @property
    def variables(self) -> tuple[str, ...]:
        """Output variables that it is compared with."""
        if self.fact.quantity is None:
            return ()
        return variables(self.fact.quantity, self.fact.member)


def reports(case: Case, guidance: Guidance | None = None) -> tuple[Report, ...]:
    """Return how each fact of a case is used, in the order of the case.

    Parameters
    ----------
    case : Case
        Filtered by an as-of date; its ``as_of`` parts observations from plans.
    guidance : Guidance, optional
        What was replayed; read from the case if absent.
    """
    guidance = Guidance.of(case) if guidance is None else guidance
    drafts = [_draft(case, fact, guidance) for fact in case.facts]
    weighed = [r for r in drafts if r.use == "weighed"]
    subjects = [subject(r) for r in weighed]
    models = [r.model for r in weighed if r.model is not None]
    share = dict(zip((r.fact.id for r in weighed), shares(subjects, models), strict=True))
    return tuple(
        Report(r.fact, r.use, r.day, r.fraction, r.model, float(share.get(r.fact.id, 0.0)))
        if r.use == "weighed"
        else r
        for r in drafts
    )


def subject(report: Report) -> Subject:
    """Return what a report is about, to tell what it has in common with others."""
    fact = report.fact
    day = report.day + report.fraction
    return Subject(str(fact.quantity), fact.place or "", fact.member or "", day)


def _draft(case: Case, fact: Fact, guidance: Guidance) -> Report:
    day = case.day(fact.about)
    if fact.quantity is None:
        return Report(fact, "context", day)
    if fact.id in guidance.facts:
        return Report(fact, "replayed", day)
    is_event = QUANTITIES[fact.quantity].kind == "event"
    if not is_event and (fact.value is None or fact.value.kind in ("yes", "no")):
        return Report(fact, "context", day)
    if day > case.day(case.as_of):
        return Report(fact, "plan", day)
    if not 0 <= day < case.horizon:
        return Report(fact, "outside", day)
    offset = case.timezone_offset
    model = observation(fact, day=day, horizon=case.horizon, offset=offset)
    return Report(fact, "weighed", day, day_fraction(fact, offset), model)


def truth(report: Report, block: Block, frame: Frame) -> FloatArray:
    """Return what each run says of the thing that a report is about, shape (run,).

    A flow at a clock time lies between the ends of two days in proportion to the time passed.
    """
    fact = report.fact
    assert fact.quantity is not None
    kind = QUANTITIES[fact.quantity].kind
    if kind == "event":
        return event_day(block, frame, fact.quantity, member=fact.member)
    values = series(block, frame, fact.quantity, place=fact.place, member=fact.member)
    today = values[:, report.day]
    if kind != "flow" or report.fraction >= 1.0:
        return today
    before = values[:, report.day - 1] if report.day > 0 else np.zeros_like(today)
    return before + report.fraction * (today - before)


@dataclass(frozen=True)
class Likelihood:
    """What the weighed reports say of some runs.

    Attributes
    ----------
    contribution : (report, run)
        Log-likelihood times the report's share.
    truth : (report, run)
        What the runs say of the same thing.
    disbelief : (report, run)
        Probability that the report is outright wrong, if the run is the truth.
    """

    contribution: FloatArray
    truth: FloatArray
    disbelief: FloatArray

    @property
    def total(self) -> FloatArray:
        """Log-likelihood of all reports, shape (run,)."""
        return np.asarray(self.contribution.sum(axis=0))


def likelihood(weighed: Sequence[Report], block: Block, frame: Frame) -> Likelihood:
    """Return the likelihood of the weighed reports in each run of a block.

    A run whose value is not a number gets minus infinity: it cannot be judged, and so not used.
    """
    runs = len(next(iter(block.values())))
    shape = (len(weighed), runs)
    out = Likelihood(np.zeros(shape), np.zeros(shape), np.zeros(shape))
    for i, report in enumerate(weighed):
        assert report.model is not None
        value = truth(report, block, frame)
        broken = np.isnan(value)
        safe = np.where(broken, 0.0, value)
        log = report.model.log_likelihood(safe) * report.share
        out.contribution[i] = np.where(broken, -math.inf, log)
        out.truth[i] = value
        out.disbelief[i] = report.model.disbelief(safe)
    return out
