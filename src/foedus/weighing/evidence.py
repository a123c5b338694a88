"""The likelihood of the known facts in each run, and what the weighed runs say of these facts."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case, Fact
from foedus.case.vocabulary import QUANTITIES
from foedus.plain_values import Plain
from foedus.weighing.known_totals import Count, Total, count_of
from foedus.weighing.observation_model import (
    Observation,
    Subject,
    day_fraction,
    observation,
    shares,
)
from foedus.weighing.quantities import Block, Frame, event_day, series, variables
from foedus.weighing.weights import Weights, effective_size, normalise, without
from foedus.weighted_statistics import quantile
from foedus.world.guidance import Guidance

FloatArray = NDArray[np.float64]
#: How a fact is used. ``weighed``: it weighs the runs. ``replayed``: it is imposed on every run and
#: each is charged for how likely it was. ``context``: it has no quantity or no number. ``outside``:
#: its day is not simulated. ``plan``: its day is after the as-of date, so it is no observation.
Use = Literal["weighed", "replayed", "context", "outside", "plan"]

#: No run meets a report if even the closest falls short of full agreement by this log-likelihood.
UNMET = -3.0
#: Names of the quantiles of a fact in the runs.
RANGE = ("q05", "q50", "q95")
_BANDS = np.array([0.05, 0.5, 0.95])


@dataclass(frozen=True, kw_only=True)
class Report:
    """A fact and how it is used.

    Attributes
    ----------
    fact : Fact
    use : Use
    day : int
        The day that it is about, as a number.
    fraction : float
        Share of that day that had passed.
    model : Observation or None
        None unless weighed.
    share : float
        Share of a full report that it counts, given others on the same thing; 0 unless weighed.
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
        Filtered by an as-of date, which separates observations from plans.
    guidance : Guidance, optional
        What was replayed; read from the case if absent.
    """
    guidance = Guidance.of(case) if guidance is None else guidance
    drafts = [_draft(case, fact, guidance) for fact in case.facts]
    weighed = [r for r in drafts if r.use == "weighed"]
    share = _shares_by_fact(weighed)
    return tuple(
        Report(
            fact=r.fact,
            use=r.use,
            day=r.day,
            fraction=r.fraction,
            model=r.model,
            share=float(share.get(r.fact.id, 0.0)),
        )
        if r.use == "weighed"
        else r
        for r in drafts
    )


def by_count(weighed: Sequence[Report]) -> dict[Count, list[int]]:
    """Return the positions of the reports of each count (:mod:`foedus.weighing.known_totals`)."""
    out: dict[Count, list[int]] = {}
    for i, report in enumerate(weighed):
        count = count_of(report.fact.quantity, report.fact.place)
        if count is not None:
            out.setdefault(count, []).append(i)
    return out


def _shares_by_fact(weighed: Sequence[Report]) -> dict[str, float]:
    """Return the share of each report; the reports of one count stand together as their best."""

    def precision(i: int) -> float:
        model = weighed[i].model
        assert model is not None
        return model.precision

    groups = list(by_count(weighed).values())
    grouped = {i for group in groups for i in group}
    groups += [[i] for i in range(len(weighed)) if i not in grouped]
    groups.sort(key=lambda group: group[0])
    best = [weighed[max(group, key=precision)] for group in groups]
    models = [r.model for r in best if r.model is not None]
    found = shares([subject(r) for r in best], models)
    return {
        weighed[i].fact.id: float(share)
        for group, share in zip(groups, found, strict=True)
        for i in group
    }


def subject(report: Report) -> Subject:
    """Return the subject of a report, by which it is compared with others."""
    fact = report.fact
    day = report.day + report.fraction
    return Subject(str(fact.quantity), fact.place or "", fact.member or "", day)


def _draft(case: Case, fact: Fact, guidance: Guidance) -> Report:
    day = case.day(fact.about)
    if fact.quantity is None:
        return Report(fact=fact, use="context", day=day)
    if fact.id in guidance.facts:
        return Report(fact=fact, use="replayed", day=day)
    is_event = QUANTITIES[fact.quantity].kind == "event"
    if not is_event and (fact.value is None or fact.value.kind in ("yes", "no")):
        return Report(fact=fact, use="context", day=day)
    if day > case.day(case.as_of):
        return Report(fact=fact, use="plan", day=day)
    if not 0 <= day < case.horizon:
        return Report(fact=fact, use="outside", day=day)
    offset = case.timezone_offset
    model = observation(fact, day=day, horizon=case.horizon, offset=offset)
    return Report(
        fact=fact, use="weighed", day=day, fraction=day_fraction(fact, offset), model=model
    )


def truth(report: Report, block: Block, frame: Frame) -> FloatArray:
    """Return the value in each run that a report is compared with, shape (run,).

    A flow at a clock time is interpolated between the ends of two days.
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
    """How some runs agree with the weighed reports.

    Attributes
    ----------
    contribution : (report, run)
        Log-likelihood times the report's share; of a report of a count, given the others of it.
    truth : (report, run)
        The values in the runs.
    disbelief : (report, run)
        Probability that the report is outright wrong if the run is true.
    total : (run,)
        Log-likelihood of all reports.
    shift : (count, run)
        A draw of how far the true total lies from the run's; of each count in :func:`by_count`.
    """

    contribution: FloatArray
    truth: FloatArray
    disbelief: FloatArray
    total: FloatArray
    shift: FloatArray


def likelihood(
    weighed: Sequence[Report],
    block: Block,
    frame: Frame,
    *,
    numbers: NDArray[np.int64] | None = None,
) -> Likelihood:
    """Return the likelihood of the weighed reports in each run of a block.

    A run whose value is not a number gets minus infinity, so it is not used. ``numbers``, the run
    numbers, are needed only for the shift.
    """
    runs = len(next(iter(block.values())))
    shape, counts = (len(weighed), runs), by_count(weighed)
    out = Likelihood(
        contribution=np.zeros(shape),
        truth=np.zeros(shape),
        disbelief=np.zeros(shape),
        total=np.zeros(runs),
        shift=np.zeros((len(counts), runs)),
    )
    grouped = {i for group in counts.values() for i in group}
    for i, report in enumerate(weighed):
        assert report.model is not None
        value = out.truth[i] = truth(report, block, frame)
        if i in grouped:
            continue
        broken = np.isnan(value)
        safe = np.where(broken, 0.0, value)
        log = report.model.log_likelihood(safe) * report.share
        out.contribution[i] = np.where(broken, -math.inf, log)
        out.disbelief[i] = report.model.disbelief(safe)
        out.total[:] += out.contribution[i]
    for n, group in enumerate(counts.values()):
        values = out.truth[group]
        broken = np.asarray(np.isnan(values).any(axis=0))
        total = Total([m for i in group if (m := weighed[i].model) is not None])
        found = total.agreement(np.where(broken, 0.0, values), numbers, n)
        share = weighed[group[0]].share
        out.contribution[group] = np.where(broken, -math.inf, share * found.alone)
        out.disbelief[group] = found.disbelief
        out.shift[n] = found.shift
        out.total[:] += np.where(broken, -math.inf, share * found.total)
    return out


@dataclass(frozen=True, kw_only=True)
class Evidence(Plain):
    """A known fact: its source, its use, and what the runs say.

    Attributes
    ----------
    id, about, known_from, text, rating : str
    quantity, place, member, reported, speaker : str or None
    source, source_name, address : str
    use : Use
    share : float
        Share of a full report that it counts.
    error : float or None
        Probability of an outright error, by its rating.
    runs : tuple
        5, 50 and 95% quantiles of the runs, given all evidence.
    expected : tuple
        The same, given all other evidence.
    surprise : float or None
        Bits by which the expected likelihood of the report falls short of full agreement.
    disbelief : float or None
        Probability that the report is outright wrong, given all evidence.
    ess_without : float or None
        Effective sample size without this report.
    closest : float or None
        Log-likelihood of the best run less that of full agreement; near 0 if some run agrees.
    nearest : float, datetime.date or None
        The value of that run.
    """

    id: str
    about: str
    known_from: str
    text: str
    rating: str
    quantity: str | None
    place: str | None
    member: str | None
    reported: str | None
    speaker: str | None
    source: str
    source_name: str
    address: str | None
    use: str
    share: float = 0.0
    error: float | None = None
    surprise: float | None = None
    disbelief: float | None = None
    ess_without: float | None = None
    closest: float | None = None
    nearest: float | dt.date | None = None
    runs: tuple[float | dt.date | None, ...] = field(default=(), metadata={"keys": RANGE})
    expected: tuple[float | dt.date | None, ...] = field(default=(), metadata={"keys": RANGE})

    @property
    def unmet(self) -> bool:
        """Whether no run comes near the report."""
        return self.closest is not None and self.closest < UNMET


def evidence_table(
    case: Case,
    used: tuple[Report, ...],
    weighed: Sequence[Report],
    likelihood: Likelihood,
    weights: Weights,
    frame: Frame,
) -> tuple[Evidence, ...]:
    """Return the known facts with their use and what the runs say, in the order of the case."""
    row = {r.fact.id: i for i, r in enumerate(weighed)}
    out = []
    for report in used:
        i = row.get(report.fact.id)
        more: dict[str, Any] = {}
        if i is not None and report.model is not None:
            # One report at a time: all reports of all runs may exceed the memory.
            left_out = without(weights.log_weight, likelihood.contribution[i])
            more = _weighed(report, likelihood, i, weights, left_out, frame)
            more["ess_without"] = float(effective_size(left_out))
        fact = report.fact
        source = case.sources[fact.source]
        out.append(
            Evidence(
                id=fact.id,
                about=fact.days,
                known_from=fact.known_from.isoformat(),
                text=fact.text,
                rating=fact.rating,
                quantity=fact.quantity,
                place=fact.place,
                member=fact.member,
                reported=None if fact.value is None else str(fact.value),
                speaker=fact.speaker,
                source=fact.source,
                source_name=source.name,
                address=source.address,
                use=report.use,
                share=report.share,
                **more,
            )
        )
    return tuple(out)


def _weighed(
    report: Report,
    likelihood: Likelihood,
    i: int,
    weights: Weights,
    left_out: FloatArray,
    frame: Frame,
) -> dict[str, Any]:
    model = report.model
    assert model is not None
    values = likelihood.truth[i]
    expected = normalise(left_out)
    log_likelihood = likelihood.contribution[i] / report.share
    usable = np.isfinite(log_likelihood)
    best = model.best()
    mean = float(np.dot(expected[usable], np.exp(log_likelihood[usable] - best)))
    event = model.measure.is_event

    def told(value: float) -> float | dt.date | None:
        return frame.date_or_never(value) if event else float(value)

    def band(weight: FloatArray) -> tuple[float | dt.date | None, ...]:
        return tuple(told(v) for v in quantile(values, weight, _BANDS))

    best_run = int(np.argmax(np.where(usable, log_likelihood, -np.inf)))
    return {
        "error": model.error,
        "runs": band(weights.weight),
        "expected": band(expected),
        "surprise": max(float(-np.log2(mean)), 0.0) if mean > 0 else None,
        "disbelief": float(np.dot(weights.weight, likelihood.disbelief[i])),
        "closest": min(float(log_likelihood[best_run] - best), 0.0) if usable.any() else None,
        "nearest": told(values[best_run]) if usable.any() else None,
    }
