"""What a run leaves behind: one declaration for each output variable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from foedus.world.setting import Setting
from foedus.world.state import EVENTS, State

Dim = Literal["day", "city", "member"]


@dataclass(frozen=True)
class Variable:
    """One output; its leading dimension is always ``run``."""

    name: str
    dims: tuple[Dim, ...]
    dtype: str
    unit: str
    meaning: str


_V = Variable
_CITY: tuple[Dim, ...] = ("day", "city")
_DAY: tuple[Dim, ...] = ("day",)
_MEMBER: tuple[Dim, ...] = ("day", "member")

VARIABLES: dict[str, Variable] = {
    v.name: v
    for v in (
        _V("crowd", _CITY, "float32", "people", "people in the streets at the day's peak"),
        _V("arrests", _CITY, "float32", "people", "people arrested on the day"),
        _V("jailed", _CITY, "float32", "people", "people held at the end of the day"),
        _V("deaths_protesters", _CITY, "float32", "people", "civilians killed on the day"),
        _V("deaths_security", _CITY, "float32", "people", "officers killed on the day"),
        _V("legitimacy", _CITY, "float32", "share", "perceived legitimacy"),
        _V("deaths_allied", _DAY, "float32", "people", "allied soldiers killed on the day"),
        _V("loyal_share", _DAY, "float32", "share", "share of commanders who hold"),
        _V("internet", _DAY, "float32", "share", "connectivity as a share of normal"),
        _V("belief_home", _DAY, "float32", "share", "public belief in an external attack"),
        _V("belief_abroad", _DAY, "float32", "share", "allies' belief in an external attack"),
        _V("outside_belief", _DAY, "float32", "index", "outside observer's mean belief in resolve"),
        _V("in_office", _DAY, "bool", "1", "the leader is in office"),
        _V("troops_announced", _MEMBER, "float32", "people", "troops announced so far"),
        _V("troops_present", _MEMBER, "float32", "people", "allied troops in the country"),
        _V("vote", ("member",), "int8", "1", "1 for, 0 aside, -1 against, 9 not asked"),
        _V("contribution_day", ("member",), "int16", "day", "day of commitment, -1 never"),
        _V("arrival_day", ("member",), "float32", "day", "day of the first landing, inf never"),
        _V("patron", (), "int8", "1", "patron that was asked, -1 none"),
        _V("log_guidance", (), "float64", "nat", "log-probability of the replayed decisions"),
        _V("ruled_out", (), "int16", "bits", "replayed decisions that the run's rules ruled out"),
        *(_V(f"event_{e}", (), "int16", "day", f"day of {e}, -1 never") for e in EVENTS),
    )
}

_RENAMED = {"troops_announced": "announced", "troops_present": "present"}


def shape(variable: Variable, setting: Setting) -> tuple[int, ...]:
    """Return the shape of a variable behind the run axis."""
    sizes = {"day": setting.horizon, "city": len(setting.cities), "member": len(setting.members)}
    return tuple(sizes[d] for d in variable.dims)


def allocate(setting: Setting, runs: int) -> dict[str, NDArray[np.generic]]:
    """Return empty arrays for all variables."""
    return {v.name: np.zeros((runs, *shape(v, setting)), dtype=v.dtype) for v in VARIABLES.values()}


def record_day(out: dict[str, NDArray[np.generic]], state: State, day: int) -> None:
    """Write a day of the state; recording draws nothing and changes nothing."""
    for variable in VARIABLES.values():
        name = variable.name
        if variable.dims[:1] != ("day",):
            continue
        if name in ("belief_home", "belief_abroad"):
            log_odds = getattr(state, name.replace("belief", "log_odds"))
            out[name][:, day] = 1.0 / (1.0 + np.exp(-log_odds))
        elif name == "outside_belief":
            out[name][:, day] = state.outside_mean
        else:
            out[name][:, day] = getattr(state, _RENAMED.get(name, name))


def record_end(out: dict[str, NDArray[np.generic]], state: State) -> None:
    """Write what is known of a run as a whole."""
    out["vote"][...] = state.votes
    out["contribution_day"][...] = state.contribution_day
    out["arrival_day"][...] = state.arrival_day
    out["patron"][...] = state.patron
    out["log_guidance"][...] = state.log_guidance
    out["ruled_out"][...] = state.ruled_out
    for event, days in state.events.items():
        out[f"event_{event}"][...] = days
