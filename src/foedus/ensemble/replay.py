"""Replay a stored run in order to show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foedus.ensemble import design
from foedus.errors import InputError, StoreError
from foedus.world.film import Film, film
from foedus.world.guidance import Guidance

if TYPE_CHECKING:
    from foedus.ensemble.ensemble import Ensemble


def film_run(ensemble: Ensemble, run: int, guidance: Guidance) -> Film:
    """Film the streets of a stored run.

    Parameters
    ----------
    ensemble : Ensemble
    run : int
        Number of a complete run.
    guidance : Guidance
        The decisions that the ensemble replayed.

    Returns
    -------
    Film

    Raises
    ------
    InputError
        If there is no such run.
    StoreError
        If the replayed run differs from the stored one, because other code made it.
    """
    from foedus.world import engine

    plan, case = ensemble.plan, ensemble.case
    if not 0 <= run < plan.runs or not ensemble.complete[run]:
        raise InputError(
            f"run: one of the {ensemble.complete_runs:,} runs in the store (found {run})"
        )
    draws = design.draw(
        case,
        engine.registry(case),
        seed=plan.seed,
        runs=np.array([run], dtype=np.int64),
        stages=plan.stages,
        luck=engine.luck(case) if plan.stages else (),
    )
    seen = film(
        case,
        seed=plan.seed,
        run=run,
        values=draws.values,
        hypothesis=int(draws.hypothesis[0]),
        guidance=guidance,
        luck=draws.luck,
    )
    row = int(np.flatnonzero(np.flatnonzero(ensemble.complete) == run)[0])
    stored = {n: ensemble.dataset[n].isel(run=row).to_numpy() for n in ("crowd", "jailed")}
    if any(not np.array_equal(seen.outputs[n][0], values) for n, values in stored.items()):
        raise StoreError(
            f"{ensemble.path}: run {run} comes out differently when replayed: made by another "
            "version of foedus. Make the runs again"
        )
    return seen
