"""Film one run: every lattice after every tick.

The camera observes only: it draws nothing and changes nothing. Before a city's day it copies the
lattice and advances the copies by one tick, two ticks, and so on. They use the draws of the day
itself, so the last copy equals the lattice at the end of the day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case
from foedus.randomness import Random
from foedus.world import outputs
from foedus.world.engine import World, switches
from foedus.world.guidance import Guidance
from foedus.world.lattice import StreetState
from foedus.world.outputs import Arrays
from foedus.world.setting import Setting


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
    world = World(setting, dict(values), draws, on=switches(case, hypothesis), guidance=guidance)
    state = world.start()
    camera = _Camera(setting.cities)
    if state.lattices is not None:
        state.lattices.watch = camera
    out = outputs.allocate(setting, 1)
    state = world.run(state, 0, setting.horizon, out)
    outputs.record_end(out, state)
    frames = {city: np.stack(shots) for city, shots in camera.shots.items()}
    return Film(frames, out)
