"""The outputs of a run: the variables of all mechanisms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.world.mechanism import Variable
from foedus.world.order import VARIABLES as VARIABLES
from foedus.world.setting import Setting
from foedus.world.state import State

Arrays = dict[str, NDArray[np.generic]]


def shape(variable: Variable, setting: Setting) -> tuple[int, ...]:
    """Return the shape of a variable after the run axis."""
    sizes = {"day": setting.horizon, "city": len(setting.cities), "member": len(setting.members)}
    return tuple(sizes[d] for d in variable.dims)


def allocate(setting: Setting, runs: int) -> Arrays:
    """Return arrays of zeros for all variables."""
    return {v.name: np.zeros((runs, *shape(v, setting)), dtype=v.dtype) for v in VARIABLES.values()}


def record_day(out: Arrays, state: State, day: int) -> None:
    """Record a day of the state; this draws nothing and changes nothing."""
    for variable in VARIABLES.values():
        if variable.dims[:1] == ("day",):
            out[variable.name][:, day] = variable.of(state)


def record_end(out: Arrays, state: State) -> None:
    """Record the values that belong to a run as a whole."""
    for variable in VARIABLES.values():
        if variable.dims[:1] != ("day",):
            out[variable.name][...] = variable.of(state)
