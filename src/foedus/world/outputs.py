"""What a run leaves behind: the output variables of all mechanisms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.world.mechanism import Variable
from foedus.world.order import VARIABLES as VARIABLES
from foedus.world.setting import Setting
from foedus.world.state import State

Arrays = dict[str, NDArray[np.generic]]


def shape(variable: Variable, setting: Setting) -> tuple[int, ...]:
    """Return the shape of a variable behind the run axis."""
    sizes = {"day": setting.horizon, "city": len(setting.cities), "member": len(setting.members)}
    return tuple(sizes[d] for d in variable.dims)


def allocate(setting: Setting, runs: int) -> Arrays:
    """Return arrays of zeros for all variables."""
    return {v.name: np.zeros((runs, *shape(v, setting)), dtype=v.dtype) for v in VARIABLES.values()}


def record_day(out: Arrays, state: State, day: int) -> None:
    """Write a day of the state; recording draws nothing and changes nothing."""
    for variable in VARIABLES.values():
        if variable.dims[:1] == ("day",):
            out[variable.name][:, day] = variable.of(state)


def record_end(out: Arrays, state: State) -> None:
    """Write what is known of a run as a whole."""
    for variable in VARIABLES.values():
        if variable.dims[:1] != ("day",):
            out[variable.name][...] = variable.of(state)
