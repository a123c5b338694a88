"""The kernel's order of turns, tested under another model that has an exact mean field.

Clements and Fadai (2022, doi 10.1016/j.physa.2022.127279) have rebels and bystanders on a lattice,
with shares r and b of its sites. Under one of their rules, agents move so fast that the neighbours
are any two sites, and whoever has a turn changes sides at rate 1 if the first is a rebel and the
second a bystander: ``r' = r b**2 - r**2 b = -b'``. Epstein's model has no such equation. The rule,
and the visibility of earlier changes, are written in this file; the order of turns is from
``kernel.prepare``.

In a tick of length h an agent changes with probability h. During the tick, the agents still to come
are as they were when it began, among agents as they are now: ``r' = r b (b0 - r0)``, with r0 and b0
from its start. For small h this is the equation. At h = 1 it differs from the equation and from
other schedules: drawing turns with replacement would give the equation itself, and changing all at
once would give ``r0 b0 (b0 - r0)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numba import njit
from scipy import stats
from scipy.integrate import solve_ivp

from foedus.randomness import purpose_id
from foedus.streets import reading
from foedus.world.lattice import kernel
from foedus.world.lattice.model import PURPOSES, _lattice
from foedus.world.lattice.streams import EIGHT, start_eight

U = np.uint64
SITES = 2**18
#: Shares of sites with a rebel and with a bystander at the start.
REBELS, BYSTANDERS = 0.1, 0.5
Slope = Callable[[float, float, float, float], float]


def in_turn(r: float, b: float, r0: float, b0: float) -> float:
    """Everyone once per tick, each seeing the changes of those before."""
    return r * b * (b0 - r0)


def continuous(r: float, b: float, r0: float, b0: float) -> float:
    """The equation: as many turns as agents, with agents drawn with replacement."""
    return r * b * (b - r)


def at_once(r: float, b: float, r0: float, b0: float) -> float:
    """Everyone once per tick, seeing the state before the tick."""
    return r0 * b0 * (b0 - r0)


def expected(slope: Slope, *, h: float, until: float) -> float:
    """Return the share of rebels after some time, tick by tick."""
    r, total = REBELS, REBELS + BYSTANDERS
    for _ in range(round(until / h)):

        def change(_: float, y: Any, r0: float = r) -> list[float]:
            return [slope(y[0], total - y[0], r0, total - r0)]

        r = float(solve_ivp(change, (0, h), [r], rtol=1e-10, atol=1e-12).y[0, -1])
    return r


def orders(seed: int, agents: int, ticks: int) -> Iterator[np.ndarray]:
    """Yield the order of turns of each tick as the kernel draws it for a run without cops."""
    plan = _lattice(reading("paper", width=15, height=15)).plan
    page, words = np.zeros(kernel.LANE, np.uint64), np.zeros(agents + EIGHT, np.uint64)
    order = np.arange(agents, dtype=np.uint32)
    page[int(kernel.CITIZENS)] = agents
    page[int(kernel.ORDER)], page[int(kernel.WORDS)] = order.ctypes.data, words.ctypes.data
    at, zero = U(page.ctypes.data), U(0)
    purpose = U(purpose_id(PURPOSES[1]))
    start_eight(at, kernel.ORDER_STREAM, U(seed), zero, purpose, zero, zero)
    for _ in range(ticks):
        assert kernel.prepare(plan, at) == agents
        yield order


def _tour(order, luck, sides, h):
    """Give every agent its turn; ``sides`` is 0 for an empty site, 1 rebel, 2 bystander."""
    sites = sides.size
    for turn in range(order.size):
        if luck[turn, 0] < h:
            first, second = int(luck[turn, 1] * sites), int(luck[turn, 2] * sites)
            if sides[first] == 1 and sides[second] == 2:
                sides[order[turn]] = 3 - sides[order[turn]]


tour = njit(_tour)


def played(*, h: float, until: float, runs: int, seed: int) -> float:
    """Return the simulated share of rebels after some time, mean over runs."""
    rebels, agents = round(REBELS * SITES), round((REBELS + BYSTANDERS) * SITES)
    rng = np.random.default_rng(seed)
    shares = []
    for run in range(runs):
        sides = np.zeros(SITES, np.int8)
        sides[:rebels], sides[rebels:agents] = 1, 2
        for order in orders(seed + run, agents, round(until / h)):
            tour(order, rng.random((agents, 3)), sides, h)
        shares.append((sides == 1).mean())
    return float(np.mean(shares))


#: Standard deviation of the share in one run, at both times.
SD = 0.00064


def test_short_ticks_follow_the_mean_field() -> None:
    """The published equation, at t = 5 and 20; short ticks are within 0.0006 of it."""
    for h, until, runs, share in ((0.1, 5, 3, 0.197474), (0.25, 20, 2, 0.292670)):
        assert expected(continuous, h=1.0, until=until) == pytest.approx(share, abs=1e-6)
        assert expected(in_turn, h=h, until=until) == pytest.approx(share, abs=0.0006)
        got = played(h=h, until=until, runs=runs, seed=10)
        assert got == pytest.approx(share, abs=0.0006 + 3.5 * SD / runs**0.5)


def test_long_ticks_are_turns_and_nothing_else() -> None:
    want, runs = expected(in_turn, h=1.0, until=5), 8
    error = 3.5 * SD / runs**0.5
    for other in (continuous, at_once):
        assert abs(expected(other, h=1.0, until=5) - want) > 2 * error
    assert played(h=1.0, until=5, runs=runs, seed=20) == pytest.approx(want, abs=error)


def test_every_place_in_the_order_is_as_likely() -> None:
    agents, ticks = 12, 6000
    counts = np.zeros((agents, agents))
    for order in orders(4, agents, ticks):
        assert sorted(order) == list(range(agents))
        counts[np.arange(agents), order] += 1
    # Both rows and columns add up to the number of ticks.
    square = float(((counts - ticks / agents) ** 2 / (ticks / agents)).sum())
    freedom = (agents - 1) ** 2
    assert 0.001 < stats.chi2.sf(square * freedom / (agents * (agents - 1)), freedom) < 0.999
