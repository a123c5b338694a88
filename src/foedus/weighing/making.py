"""The runs that a judgement is made from: those given, or those that its options ask for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from foedus.case.asof import as_of as known_by
from foedus.case.models import Case
from foedus.errors import InputError
from foedus.weighing.adaptive_proposal import log_importance, next_stage
from foedus.world.guidance import Guidance

if TYPE_CHECKING:
    from foedus.ensemble.ensemble import Ensemble
    from foedus.ensemble.progress import Progress

#: When something was known; None for the case's own date.
When = dt.date | dt.datetime | str | None

#: Runs of a judgement when nobody says.
RUNS = 16_000


class Making(TypedDict, total=False):
    """How the runs of a judgement are made: options of :func:`foedus.run`, with the same meaning.

    Attributes
    ----------
    runs : int
        16,000 if absent.
    seed : int
    workers, batch : int or None
        They change no result.
    out : path or None
        The store.
    cluster : str or None
    progress : Progress or None
    """

    runs: int
    seed: int
    workers: int | None
    batch: int | None
    out: str | Path | None
    cluster: str | None
    progress: Progress | None


@dataclass(frozen=True)
class Made:
    """The runs of a case as of a date, and what is needed to weigh them.

    Attributes
    ----------
    known : Case
        As filtered by :func:`foedus.case.asof.as_of`.
    ensemble : Ensemble
    guidance : Guidance
        What it replayed.
    log_importance : ndarray, shape (run,)
        What each run weighs for where it was drawn from.
    """

    known: Case
    ensemble: Ensemble
    guidance: Guidance
    log_importance: NDArray[np.float64]


def runs_of(case: Case, as_of: When, ensemble: Ensemble | None, making: Making) -> Made:
    """Return the runs of a case as of a date, made now if none are given.

    Raises
    ------
    InputError
        If the date lies outside the case, or the ensemble replayed other decisions.
    """
    date = case.as_of if as_of is None else as_of
    known = known_by(case, date)
    if ensemble is None:
        ensemble = make_runs(case, date, **making)
    return Made(known, ensemble, replayed_decisions(known, ensemble), log_importance(ensemble))


def make_runs(case: Case, date: Any, **options: Any) -> Ensemble:
    """Run the adaptive ensemble of a case as of a date; options as of the runner, None left out."""
    from foedus.ensemble.runner import run

    given = {"runs": RUNS} | {name: value for name, value in options.items() if value is not None}
    known = known_by(case, date)
    return run(case, as_of=date, adapt=lambda runs, first: next_stage(known, runs, first), **given)


def replayed_decisions(known: Case, ensemble: Ensemble) -> Guidance:
    """Return what an ensemble replayed: what is known, or nothing (then all facts are weighed).

    Raises
    ------
    InputError
        If it replayed other decisions than those known.
    """
    replayed = ensemble.plan.guidance
    if not (replayed["days"] or replayed["not_by"]):
        return Guidance()
    guidance = Guidance.of(known)
    wanted = [
        sorted([e, m, d] for (e, m), d in table.items())
        for table in (guidance.days, guidance.not_by)
    ]
    found = [sorted(map(list, replayed[name])) for name in ("days", "not_by")]
    if wanted != found:
        raise InputError(
            f"the ensemble replayed other decisions than those known by {known.as_of}: run it "
            f"again with that as-of date (replayed {found}, known {wanted})"
        )
    return guidance


def provenance(ensemble: Ensemble) -> dict[str, Any]:
    """Return what made an ensemble, as plain values."""
    plan = ensemble.plan
    return {
        "case_name": plan.case_name,
        "case_hash": plan.case_hash,
        "seed": plan.seed,
        "runs": plan.runs,
        "complete_runs": ensemble.complete_runs,
        "digest": plan.digest,
        "command": plan.command(),
        "versions": dict(plan.versions),
    }
