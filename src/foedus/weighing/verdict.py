"""Whether the runs meet the evidence well enough to answer, and if not, why."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from foedus.case.vocabulary import WELL_RATED
from foedus.plain_values import figures
from foedus.weighing.evidence_table import unmet
from foedus.weighing.results import Evidence
from foedus.weighing.weights import Weights
from foedus.world.guidance import BITS

#: Most facts of each kind that a refusal names.
MOST_NAMED = 3


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
        if e.use == "weighed" and e.rating in WELL_RATED and (e.quantity, e.member) not in imposed
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
