"""Replay and film a stored run: every lattice after every tick.

The camera observes only: it draws nothing and changes nothing. Before a city's day it copies the
lattice and advances the copies by one tick, two ticks, and so on. They use the draws of the day
itself, so the last copy equals the lattice at the end of the day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case
from foedus.ensemble import design
from foedus.errors import InputError, StoreError
from foedus.randomness import Random
from foedus.world import engine
from foedus.world.engine import Arrays
from foedus.world.guidance import Guidance
from foedus.world.lattice import StreetState
from foedus.world.setting import Setting

if TYPE_CHECKING:
    from foedus.ensemble.ensemble import Ensemble


@dataclass
class Film:
    """The result of :func:`film`.

    Attributes
    ----------
    frames : dict of str to ndarray of uint8, shape (tick, height, width)
        By city: 0 empty, 1 quiet, 2 active, 3 cop, 4 jailed. Tick ``t`` belongs to day ``t //
        ticks_per_day``. Empty where the streets are off.
    outputs : dict of str to ndarray
        Outputs of the run as :func:`foedus.world.engine.simulate` returns them, with a leading axis
        of one.
    """

    frames: dict[str, NDArray[np.uint8]]
    outputs: Arrays


@dataclass
class _Camera:
    """Films each city's day before it happens; see ``mechanisms.streets.Lattices``."""

    cities: tuple[str, ...]
    shots: dict[str, list[NDArray[np.uint8]]] = field(default_factory=dict)

    def __call__(self, city: int, lattice: StreetState, move: Any, ticks: int) -> None:
        seen = self.shots.setdefault(self.cities[city], [])
        for so_far in range(1, ticks + 1):
            copy = lattice.copy()
            move(copy, ticks=so_far)
            seen.append(copy.frame(0))


def film(
    case: Case,
    *,
    seed: int,
    run: int,
    values: Mapping[str, NDArray[np.float64]],
    hypothesis: int,
    guidance: Guidance | None = None,
    luck: Mapping[tuple[str, int], NDArray[np.float64]] | None = None,
) -> Film:
    """Simulate one run of a case again and film its streets.

    Parameters
    ----------
    case : Case
    seed : int
        Ensemble seed.
    run : int
        Global run number.
    values : mapping of str to ndarray, shape (1,)
        A value of each parameter.
    hypothesis : int
        Index into ``case.hypotheses``, or -1.
    guidance, luck
        As in :func:`foedus.world.engine.simulate`.

    Returns
    -------
    Film
    """
    setting = Setting.of(case)
    draws = Random(seed, np.array([run], dtype=np.int64), dict(luck or {}))
    world = engine.World(
        setting, dict(values), draws, on=engine.switches(case, hypothesis), guidance=guidance
    )
    state = world.start()
    camera = _Camera(setting.cities)
    if state.lattices is not None:
        state.lattices.watch = camera
    out = engine.allocate(setting, 1)
    state = world.run(state, 0, setting.horizon, out)
    engine.record_end(out, state)
    frames = {city: np.stack(shots) for city, shots in camera.shots.items()}
    return Film(frames, out)


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
