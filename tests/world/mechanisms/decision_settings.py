"""A made-up frame, state and parameter values for the mechanisms that decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from foedus.randomness import Random
from foedus.world.guidance import Guidance
from foedus.world.mechanisms import alliance, leader, outside, ties
from foedus.world.setting import Setting
from foedus.world.state import State

MODULES = (ties, leader, alliance, outside)
REGISTRY = {p.name: p for module in MODULES for p in module.PARAMETERS}

#: Six members; the third asks, the first leads, the second has pledged not to send.
MEMBERS = ("lead", "pledged", "asker", "shifted", "changed", "plain")

SETTING = Setting(
    horizon=20,
    ticks_per_day=4,
    cities=("north", "south"),
    members=MEMBERS,
    population=np.array([1e6, 5e5]),
    lattice=np.array([20, 20]),
    distance=np.array([[0.0, 300.0], [300.0, 0.0]]),
    lead=0,
    requester=2,
    rule="consensus_with_abstention",
    pool=np.array([4000.0, 600.0, 0.0, 300.0, 300.0, 400.0]),
    pledge=np.array([0.0, 1.0, 0.0, 0.0, 0.0, 0.0]),
    coalition_changed=np.array([0.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
    power_shift=np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0]),
    ratification_days=np.array([0.0, 0.0, 0.0, 0.0, 0.0, 1.0]),
    contiguous=np.array([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]),
    announced_pool=3600.0,
    aggression_test=True,
    lead_other_war=True,
    air_distance=1500.0,
    ties={
        "border_km": 7000.0,
        "foreign_firms": 0.4,
        "sanctions": 0.3,
        "dependence_on_lead": 0.7,
    },
    patrons=("lead", "east", "south"),
    patron_alliance=np.array([True, False, False]),
    patron_dependence=np.array([0.7, 0.5, 0.3]),
    triggers=((0, 0),),
)


def setting(**changes: Any) -> Setting:
    return replace(SETTING, **changes)


def median(runs: int, **changes: float) -> dict[str, np.ndarray]:
    """Return all parameters at their prior medians; ``leader__gate=0`` changes ``leader.gate``."""
    half = np.full(runs, 0.5)
    values = {name: np.clip(p.prior.quantile(half), p.low, p.high) for name, p in REGISTRY.items()}
    for word, value in changes.items():
        name = word.replace("__", ".", 1)
        assert name in values, name
        values[name] = np.full(runs, float(value))
    return values


def drawn(runs: int, seed: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        name: np.clip(p.prior.quantile(rng.uniform(size=runs)), p.low, p.high)
        for name, p in REGISTRY.items()
    }


def fresh(
    frame: Setting,
    p: dict[str, np.ndarray],
    random: Random,
    *,
    on: tuple[str, ...] = ("ties", "leader", "alliance", "outside"),
    unrest: float = 0.6,
) -> State:
    """Return a started state in unrest, with wavering commanders and officers killed."""
    state = State.calm(random.runs.size, len(frame.cities), len(frame.members))
    state.legitimacy[:] = 0.6
    state.baseline = state.legitimacy.copy()
    state.unrest[:] = np.full(random.runs.size, unrest)
    state.loyal_share[:] = 0.7
    state.deaths_security[:] = 1.0
    state.log_odds_abroad[:] = 1.0
    for name, module in (("ties", ties), ("leader", leader), ("alliance", alliance)):
        if name in on:
            module.start(frame, p, state, random)
    if "outside" in on:
        outside.start(frame, p, state, random)
    return state


@dataclass
class Connectivity:
    """The internet on each day of :func:`play`, shape (run, day)."""

    internet: np.ndarray


def play(
    frame: Setting,
    p: dict[str, np.ndarray],
    *,
    runs: int = 400,
    seed: int = 7,
    days: int = 12,
    on: tuple[str, ...] = ("ties", "leader", "alliance", "outside"),
    unrest: float = 0.6,
    guidance: Guidance | None = None,
    numbers: np.ndarray | None = None,
) -> State:
    """Run the deciding mechanisms alone for some days of steady unrest."""
    random = Random(seed, np.arange(runs, dtype=np.int64) if numbers is None else numbers)
    guidance = guidance or Guidance()
    state = fresh(frame, p, random, on=on, unrest=unrest)
    history = Connectivity(np.empty((random.runs.size, days)))
    state.remember(history)
    for day in range(days):
        for name, module in (("leader", leader), ("alliance", alliance), ("outside", outside)):
            if name in on:
                module.step(frame, p, state, day, random, guidance)
        history.internet[:, day] = state.internet
    return state


def requested(
    frame: Setting,
    p: dict[str, np.ndarray],
    *,
    runs: int = 400,
    seed: int = 7,
    days: int = 8,
    unrest: float = 0.6,
    guidance: Guidance | None = None,
    on: tuple[str, ...] = ("ties", "alliance", "outside"),
) -> State:
    """Run the alliance for some days after a request on day 0."""
    random = Random(seed, np.arange(runs, dtype=np.int64))
    state = fresh(frame, p, random, on=on, unrest=unrest)
    state.mark("request", np.ones(runs, dtype=bool), 0)
    for day in range(days):
        alliance.step(frame, p, state, day, random, guidance or Guidance())
        if "outside" in on:
            outside.step(frame, p, state, day, random, guidance or Guidance())
    return state


def arrays(state: State) -> dict[str, np.ndarray]:
    """Return every array of a state, by name."""
    out = {name: value for name, value in vars(state).items() if isinstance(value, np.ndarray)}
    out |= {f"event_{name}": value for name, value in state.events.items()}
    return out | {
        f"memory.{kind.__name__}.{name}": value
        for kind, memory in state.memories.items()
        for name, value in vars(memory).items()
    }


def same(a: State, b: State, *, but: tuple[str, ...] = ()) -> bool:
    left, right = arrays(a), arrays(b)
    return all(
        np.array_equal(left[name], right[name])
        for name in left.keys() & right.keys()
        if name not in but
    )
