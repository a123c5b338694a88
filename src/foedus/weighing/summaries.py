"""What weighted runs say: estimates, the table of evidence, explanations and fans."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case
from foedus.case.vocabulary import QUANTITIES
from foedus.weighing.evidence import Report
from foedus.weighing.figures import figures
from foedus.weighing.quantities import Frame, blocks, series, variables
from foedus.weighing.results import LEVELS, Estimate, Evidence, Explanation, Fan
from foedus.weighing.weights import (
    Weights,
    effective_size,
    mean_and_error,
    normalise,
    quantile,
    without,
)
from foedus.world.guidance import BITS

if TYPE_CHECKING:
    import xarray as xr

FloatArray = NDArray[np.float64]

#: What the fan charts show, and their titles.
FANS: dict[str, str] = {
    "crowd": "People in the streets",
    "deaths_protesters": "Civilians killed so far",
    "deaths_security": "Members of the forces killed so far",
    "deaths_total": "All killed so far",
    "arrests": "People arrested so far",
    "troops_announced": "Allied troops announced",
    "troops_present": "Allied troops in the country",
    "cities_in_unrest": "Cities in unrest",
    "loyal_share": "Share of commanders who hold",
    "internet": "Connectivity",
}

#: Most runs in a fan, and most values of one quantity that are held at once.
MOST_FAN_RUNS = 50_000
_MOST_FAN_VALUES = 4_000_000
#: A report is met by no run if even the closest leaves this much of its log-likelihood wanting.
UNMET = -3.0
#: Most facts of each kind that a refusal names.
MOST_NAMED = 3
_BANDS = np.array([0.05, 0.5, 0.95])
_WELL_RATED = ("A1", "A2", "B1", "B2")


@dataclass(frozen=True)
class Read:
    """What one pass over the runs gathers; the run is the last axis.

    Attributes
    ----------
    log_guidance, log_likelihood : (run,)
    contribution, truth, disbelief : (report, run)
        As in :class:`foedus.weighing.evidence.Likelihood`; on disk where there are many runs.
    draws : dict of str to (run,)
        By question; on disk where there are many runs.
    """

    log_guidance: FloatArray
    log_likelihood: FloatArray
    contribution: FloatArray
    truth: FloatArray
    disbelief: FloatArray
    draws: dict[str, FloatArray]


def estimate(draws: FloatArray, weight: FloatArray, kind: str, frame: Frame) -> Estimate:
    """Return what weighted runs say of a question.

    Parameters
    ----------
    draws : ndarray, shape (run,)
        As from :func:`foedus.weighing.quantities.evaluate`.
    weight : ndarray, shape (run,)
        Sums to 1.
    kind : {"binary", "number", "date"}
    frame : Frame
    """
    if kind == "binary":
        p, error = mean_and_error(draws, weight)
        return Estimate(min(max(p, 0.0), 1.0), error)
    values = quantile(draws, weight, np.array(LEVELS))
    if kind == "number":
        mean, error = mean_and_error(draws, weight)
        return Estimate(mean=mean, mean_error=error, quantiles=tuple(float(v) for v in values))
    p, error = mean_and_error(np.isfinite(draws).astype(np.float64), weight)
    chance = min(max(p, 0.0), 1.0)  # weights sum to 1 but for the last digit
    return Estimate(chance, error, quantiles=tuple(_date(v, frame) for v in values))


def _date(day: float, frame: Frame) -> dt.date | None:
    return frame.date(int(day)) if np.isfinite(day) else None


def evidence_table(
    case: Case,
    used: tuple[Report, ...],
    weighed: list[Report],
    read: Read,
    weights: Weights,
    frame: Frame,
) -> tuple[Evidence, ...]:
    """Return what is known, how it was used, and what the runs say of it, in the case's order."""
    row = {r.fact.id: i for i, r in enumerate(weighed)}
    out = []
    for report in used:
        i = row.get(report.fact.id)
        more: dict[str, Any] = {}
        if i is not None and report.model is not None:
            # One report at a time: all of them for all runs may be more than memory holds.
            left_out = without(weights.log_weight, read.contribution[i])
            more = _weighed(report, read, i, weights, left_out, frame)
            more["ess_without"] = float(effective_size(left_out))
        fact = report.fact
        source = case.sources[fact.source]
        out.append(
            Evidence(
                id=fact.id,
                about=fact.about.isoformat(),
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
    report: Report, read: Read, i: int, weights: Weights, left_out: FloatArray, frame: Frame
) -> dict[str, Any]:
    model = report.model
    assert model is not None
    values = read.truth[i]
    expected = normalise(left_out)
    log_likelihood = read.contribution[i] / report.share
    usable = np.isfinite(log_likelihood)
    best = model.best()
    mean = float(np.dot(expected[usable], np.exp(log_likelihood[usable] - best)))
    event = model.scale_name == "day"

    def told(value: float) -> float | dt.date | None:
        return _date(value, frame) if event else float(value)

    def band(weight: FloatArray) -> tuple[float | dt.date | None, ...]:
        return tuple(told(v) for v in quantile(values, weight, _BANDS))

    best_run = int(np.argmax(np.where(usable, log_likelihood, -np.inf)))
    return {
        "error": model.error,
        "runs": band(weights.weight),
        "expected": band(expected),
        "surprise": max(float(-np.log2(mean)), 0.0) if mean > 0 else None,
        "disbelief": float(np.dot(weights.weight, read.disbelief[i])),
        "closest": min(float(log_likelihood[best_run] - best), 0.0) if usable.any() else None,
        "nearest": told(values[best_run]) if usable.any() else None,
    }


def doubt(weights: Weights, evidence: tuple[Evidence, ...]) -> Weights:
    """Return the weights with a worse verdict where the runs disbelieve well rated reports.

    A report rated A or B and 1 or 2 that is more likely outright wrong than not, all evidence
    weighed, or that no run comes near, speaks against the model rather than the source. One makes
    the verdict thin; more than half of the well rated evidence (by share) makes it refused. A
    report of a decision that is replayed by a better rated one is doubted with reason.
    """
    imposed = {(e.quantity, e.member) for e in evidence if e.use == "replayed"}
    good = [
        e
        for e in evidence
        if e.use == "weighed" and e.rating in _WELL_RATED and (e.quantity, e.member) not in imposed
    ]
    doubted = [e for e in good if (e.disbelief or 0.0) > 0.5 or unmet(e)]
    if not doubted or weights.verdict == "refused":
        return weights
    named = "; ".join(f"{_named(e)}, {_doubts(e)}" for e in doubted)
    if sum(e.share for e in doubted) > 0.5 * sum(e.share for e in good):
        line = (
            f"The runs disbelieve most of the well rated evidence, so do not trust them: {named}."
        )
        return replace(weights, verdict="refused", advice=(line, *weights.advice))
    line = f"The runs disbelieve well rated reports: {named}."
    return replace(weights, verdict="thin", advice=(*weights.advice, line))


def unmet(e: Evidence) -> bool:
    """Return whether no run comes near a report."""
    return e.closest is not None and e.closest < UNMET


def _doubts(e: Evidence) -> str:
    if unmet(e):
        return f"no run comes near it (they say {_span(e)})"
    return f"{e.disbelief:.0%} likely wrong"


def _named(e: Evidence) -> str:
    where = f" in {e.place}" if e.place else ""
    said = e.reported or "yes"
    said = f"{int(said):,}" if said.isdecimal() else said
    what = f"{e.quantity}{where} {said}"
    return f"fact {e.id} ({what}, {e.about}, {e.source_name}, rated {e.rating})"


def name_conflicts(weights: Weights, evidence: tuple[Evidence, ...]) -> Weights:
    """Return the weights with the facts that cost most, or that no run meets, in the advice."""
    lines = [
        f"No run comes near {_named(e)}: the runs say {_span(e)}, the nearest {_value(e.nearest)}, "
        f"which makes it {np.exp(min(-e.closest, 300.0)):,.0f} times less likely than agreement."
        for e in sorted(evidence, key=lambda e: e.closest or 0.0)
        if e.closest is not None and unmet(e)
    ][:MOST_NAMED]
    costly = sorted(
        (e for e in evidence if (e.ess_without or 0.0) > 1.02 * weights.ess),
        key=lambda e: -(e.ess_without or 0.0),
    )[:MOST_NAMED]
    for e in costly:
        far = ""
        if e.closest is not None and e.closest < -0.7:
            times = np.exp(min(-e.closest, 300.0))
            far = f"; even the closest run makes it {times:,.0f} times less likely than agreement"
        lines.append(
            f"Without {_named(e)} the runs would be worth {e.ess_without:.1f} instead of "
            f"{weights.ess:.1f}{far}."
        )
    return replace(weights, advice=(*weights.advice, *lines))


def name_impossible(
    weights: Weights, evidence: tuple[Evidence, ...], ruled_out: NDArray[np.int16]
) -> Weights:
    """Return the weights refused, with the facts named, where no run can take all known decisions.

    Parameters
    ----------
    weights : Weights
    evidence : tuple of Evidence
        Among it what was replayed.
    ruled_out : ndarray of int16, shape (run,)
        A bit of :data:`foedus.world.guidance.BITS` for each decision that a run's rules rule out.
    """
    if not ruled_out.size or not ruled_out.all():
        return weights
    share = {event: float((ruled_out & bit != 0).mean()) for event, bit in BITS.items()}
    never = {e for e, s in share.items() if s == 1.0} or {e for e, s in share.items() if s > 0.0}
    named = [
        f"{_named(e)}, excluded in {share[e.quantity]:.0%} of the runs"
        for e in evidence
        if e.use == "replayed" and e.quantity in never
    ]
    line = (
        "No run could have taken all known decisions by its own rules, so what is known "
        f"contradicts itself or the model: {'; '.join(named)}."
    )
    return replace(weights, verdict="refused", advice=(line, *weights.advice))


def _span(e: Evidence) -> str:
    words = [_value(v) for v in (e.runs[0], e.runs[-1])]
    return words[0] if words[0] == words[1] else f"{words[0]} to {words[1]}"


def _value(v: float | dt.date | None) -> str:
    if v is None:
        return "never"
    if isinstance(v, dt.date):
        return v.isoformat()
    return figures(v)


def explanations(
    case: Case, hypothesis: NDArray[np.int64], weights: Weights, refused: bool
) -> tuple[Explanation, ...]:
    """Return the hypotheses before and after the evidence; posteriors are NaN where refused."""
    total = sum(h.weight for h in case.hypotheses)
    out = []
    for number, h in enumerate(case.hypotheses):
        rows = hypothesis == number
        prior = h.weight / total
        posterior, error = mean_and_error(rows.astype(np.float64), weights.weight)
        with np.errstate(divide="ignore", invalid="ignore"):
            odds = np.float64(posterior) / (1.0 - posterior)
            factor = float(odds / (prior / (1.0 - prior))) if prior < 1.0 else float("nan")
        if refused or not rows.any():
            posterior = error = factor = float("nan")
        out.append(
            Explanation(
                h.id,
                h.title,
                h.says,
                h.put_forward_by,
                prior,
                posterior,
                error,
                factor,
                int(rows.sum()),
            )
        )
    return tuple(out)


def fans(
    dataset: xr.Dataset,
    frame: Frame,
    weights: Weights,
    refused: bool,
    block: int,
    *,
    keys: Iterable[str] = FANS,
) -> tuple[Fan, ...]:
    """Return weighted quantiles by day of what :data:`FANS` names; NaN where refused."""
    keys = tuple(keys)
    dates = tuple(frame.date(d) for d in range(frame.horizon))
    found: dict[str, FloatArray] = {}
    if not refused:
        rows = carrying(weights.weight, min(MOST_FAN_RUNS, _MOST_FAN_VALUES // frame.horizon))
        shown = dataset.isel(run=rows)
        for key in keys:
            parts = [series(runs, frame, key) for runs in blocks(shown, variables(key), size=block)]
            values = np.concatenate(parts)
            found[key] = quantile(values, weights.weight[rows], np.array(LEVELS))
    blank = np.full((len(LEVELS), frame.horizon), np.nan)
    return tuple(
        Fan(key, FANS[key], QUANTITIES[key].unit, dates, found.get(key, blank)) for key in keys
    )


def carrying(weight: FloatArray, most: int) -> NDArray[np.int64]:
    """Return the runs that carry all but a millionth of the weight, thinned evenly if too many."""
    order = np.argsort(-weight, kind="stable")
    last = int(np.searchsorted(weight[order].cumsum(), 1.0 - 1e-6)) + 1
    rows = np.sort(order[:last])
    step = -(-rows.size // max(most, 1))
    return np.asarray(rows[::step])
