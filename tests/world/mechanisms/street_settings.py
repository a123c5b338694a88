"""A setting and a synthetic street layer for tests of single mechanisms."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from foedus.randomness import Random
from foedus.world.guidance import Guidance
from foedus.world.setting import Setting
from foedus.world.state import State

SETTING = Setting(
    horizon=30,
    ticks_per_day=4,
    cities=("a", "b", "c"),
    members=("home", "lead", "other", "neighbour"),
    population=np.array([1_000_000.0, 500_000.0, 250_000.0]),
    lattice=np.array([20, 20, 20]),
    distance=np.array([[0.0, 100.0, 900.0], [100.0, 0.0, 850.0], [900.0, 850.0, 0.0]]),
    lead=1,
    requester=0,
    rule="consensus_with_abstention",
    pool=np.array([0.0, 5000.0, 500.0, 500.0]),
    pledge=np.zeros(4),
    coalition_changed=np.zeros(4),
    power_shift=np.zeros(4),
    ratification_days=np.zeros(4),
    contiguous=np.array([0.0, 0.0, 0.0, 1.0]),
    announced_pool=3000.0,
    aggression_test=True,
    lead_other_war=False,
    air_distance=2750.0,
    ties={"border_km": 0.0, "foreign_firms": 0.0, "sanctions": 0.0, "dependence_on_lead": 0.5},
    patrons=("lead",),
    patron_alliance=np.array([True]),
    patron_dependence=np.array([0.5]),
    triggers=((0, 0),),
)


def setting(**changes: Any) -> Setting:
    """Return the setting with some fields replaced."""
    return replace(SETTING, **changes)


def medians(*modules: ModuleType, runs: int = 4, **changes: float) -> dict[str, np.ndarray]:
    """Return all parameters of some mechanisms at their prior medians, some replaced.

    A replaced parameter is named with a double underscore for the dot.
    """
    half = np.full(runs, 0.5)
    p = {q.name: q.prior.quantile(half) for module in modules for q in module.PARAMETERS}
    p["streets.cop_density"] = np.full(runs, 0.05)
    for name, value in changes.items():
        key = name.replace("__", ".")
        assert key in p, key
        p[key] = np.broadcast_to(np.asarray(value, dtype=float), (runs,)).copy()
    return p


def draws(*modules: ModuleType, runs: int, seed: int = 3) -> dict[str, np.ndarray]:
    """Return plain Monte-Carlo draws of all parameters of some mechanisms."""
    rng = np.random.default_rng(seed)
    p = {
        q.name: np.clip(q.prior.quantile(rng.uniform(size=runs)), q.low, q.high)
        for module in modules
        for q in module.PARAMETERS
    }
    p["streets.cop_density"] = rng.uniform(0.03, 0.08, size=runs)
    return p


def streets(
    runs: int = 4, frame: Setting = SETTING, *, active: float = 0.1, intensity: float = 0.5
) -> State:
    """Return a state as the streets leave it on a day of unrest."""
    cities = len(frame.cities)
    state = State.calm(runs, cities, len(frame.members))
    reservoir = np.broadcast_to(0.05 * frame.population, (runs, cities)).copy()
    share = active * (1.0 + np.arange(cities)) / cities
    state.active_share[:] = share
    state.legitimacy[:] = 0.8
    state.baseline = state.legitimacy.copy()
    state.unrest[:] = np.full(runs, intensity)
    state.mobilisable[:] = reservoir
    state.active_people[:] = reservoir * share
    return state


def keyed(runs: int = 4, seed: int = 7, first: int = 0) -> Random:
    """Return keyed draws of some runs."""
    return Random(seed, np.arange(first, first + runs, dtype=np.int64))


def advance(
    module: ModuleType,
    p: dict[str, np.ndarray],
    state: State,
    days: int = 1,
    *,
    frame: Setting = SETTING,
    random: Random | None = None,
    guidance: Guidance | None = None,
    first: int = 0,
    begin: bool = True,
) -> State:
    """Start a mechanism and run it alone for some days, with the streets held constant."""
    random = keyed(state.internet.size) if random is None else random
    if begin and hasattr(module, "start"):
        module.start(frame, p, state, random)
    for day in range(first, first + days):
        module.step(frame, p, state, day, random, guidance or Guidance())
    return state


def fields(state: State) -> dict[str, np.ndarray]:
    """Return all arrays of a state by name, including its events."""
    out = {k: v for k, v in vars(state).items() if isinstance(v, np.ndarray)}
    out |= {f"event_{k}": v for k, v in state.events.items()}
    return out | {
        f"memory.{kind.__name__}.{name}": value
        for kind, memory in state.memories.items()
        for name, value in vars(memory).items()
    }


#: Fields that mechanisms exchange and that no output shows.
INNER = ("unrest", "active_people", "mobilisable", "baseline", "story", "police", "collapse_chance")


def changed(before: State, after: State) -> set[str]:
    """Return the names of the fields that differ, except memories and INNER."""
    a, b = fields(before), fields(after)
    names = (n for n in a if not n.startswith("memory.") and n not in INNER)
    return {n for n in names if not np.array_equal(a[n], b[n])}


def moving_parameters(
    module: ModuleType, play: Any, low: float = 0.2, high: float = 0.9
) -> dict[str, bool]:
    """Return, for each parameter of a mechanism, whether it changes anything that ``play`` returns.

    ``play(p)`` simulates and returns arrays; each parameter in turn is set to two prior quantiles.
    """
    moved = {}
    base = draws(module, runs=RUNS)
    for q in module.PARAMETERS:
        results = []
        for u in (low, high):
            p = dict(base)
            p[q.name] = np.clip(q.prior.quantile(np.full(RUNS, u)), q.low, q.high)
            results.append(play(p))
        a, b = results
        moved[q.name] = any(not np.array_equal(a[k], b[k]) for k in a)
    return moved


#: Runs of :func:`moving_parameters`.
RUNS = 60


def batch_free(module: ModuleType, make: Any, days: int = 6, prepare: Any = None) -> None:
    """Assert that a run is bit for bit the same alone and with others."""
    runs = 37
    p = draws(module, runs=runs)
    whole = make(runs)
    if prepare is not None:
        prepare(whole)
    advance(module, p, whole, days, random=keyed(runs))
    for rows in ([0], [5], [36], [3, 4], list(range(10, 29))):
        part = make(len(rows))
        if prepare is not None:
            prepare(part)
        random = Random(7, np.array(rows, dtype=np.int64))
        advance(module, {k: v[rows] for k, v in p.items()}, part, days, random=random)
        a, b = fields(whole), fields(part)
        assert all(np.array_equal(a[k][rows], b[k]) for k in a), rows
