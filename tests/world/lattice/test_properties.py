"""What must hold for every lattice, whatever the options."""

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from foedus.world.lattice import StreetOptions, StreetState, advance, create, kernel
from foedus.world.lattice import options as choices
from foedus.world.lattice.bitplanes import CLEAR, count_near
from foedus.world.lattice.model import _lattice, advance_full, cells_in_vision
from foedus.world.lattice.streams import get


@st.composite
def lattices(draw: Any) -> StreetOptions:
    people = draw(st.floats(0.05, 0.9))
    return StreetOptions(
        width=draw(st.one_of(st.integers(7, 40), st.integers(41, 130))),
        height=draw(st.integers(7, 40)),
        citizen_density=people,
        cop_density=draw(st.floats(0.0, 1.0 - people)),
        citizen_vision=draw(st.floats(1.0, 3.9)),
        cop_vision=draw(st.floats(1.0, 3.9)),
        k=draw(st.floats(0.1, 5.0)),
        legitimacy=draw(st.floats(0.0, 0.8)),
        max_jail_term=draw(st.sampled_from([1, 2, 7, math.inf])),
        neighbourhood=draw(st.sampled_from(choices.Neighbourhood)),
        own_cell=draw(st.booleans()),
        self_count=draw(st.sampled_from(choices.SelfCount)),
        rounding=draw(st.sampled_from(choices.Rounding)),
        order=draw(st.sampled_from(choices.Order)),
        activation=draw(st.sampled_from(choices.Activation)),
        movement=draw(st.sampled_from(choices.Movement)),
        placement=draw(st.sampled_from(choices.Placement)),
        jailed_cell=draw(st.sampled_from(choices.JailedCell)),
        jail_term=draw(st.sampled_from(choices.JailTerm)),
        jail_clock=draw(st.sampled_from(choices.JailClock)),
        cop_jumps=draw(st.booleans()),
    )


SEEDS = st.integers(0, 2**64 - 1)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(lattices(), SEEDS)
def test_conservation(options: StreetOptions, seed: int) -> None:
    state = create(options, seed=seed, runs=[0])
    traits = state.hardship.copy(), state.risk_aversion.copy()
    n, police = int(state.citizens[0]), int(state.cops[0])
    for day in range(3):
        result = advance_full(state, options=options, seed=seed, runs=[0], day=day, ticks=2)
        agents = state.agents(0)
        people, cops = agents["kind"][:n], agents["kind"][n:]
        assert (cops == 2).all()
        assert cops.size == police
        assert (people != 2).all()
        if options.placement is choices.Placement.COUNT:
            assert (n, police) == (options.citizens, options.cops)
        # The counts agree with the agents; a citizen has one state, so the jailed are never active.
        assert result["actives"][0, -1] == (people == 1).sum()
        assert result["jailed"][0, -1] == (people == 3).sum()
        # Only the jailed have a term.
        assert (agents["term"][agents["kind"] != 3] == 0).all()
        assert (agents["x"] < options.width).all()
        assert (agents["y"] < options.height).all()
        # No two agents share a cell, unless the reading allows it.
        standing = np.ones(agents["kind"].size, dtype=bool)
        if options.jailed_cell is not choices.JailedCell.BLOCK:
            standing = agents["kind"] != 3
        cells = (agents["y"] * options.width + agents["x"])[standing]
        if not options.shares_cells:
            assert np.unique(cells).size == cells.size
    np.testing.assert_array_equal(state.hardship, traits[0])
    np.testing.assert_array_equal(state.risk_aversion, traits[1])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(lattices(), SEEDS, st.integers(0, 39), st.integers(0, 39))
def test_translation(options: StreetOptions, seed: int, dx: int, dy: int) -> None:
    """A shifted start has the shifted future, cell by cell, because all draws are relative.

    The exceptions are the places where removed citizens return, which are cells of the lattice.
    """
    if options.jailed_cell is choices.JailedCell.REMOVED:
        options = options.with_(jailed_cell="open")

    def shifted(state: StreetState) -> StreetState:
        other = state.copy()
        x = (state.records & kernel.LOW16) + np.uint64(dx)
        y = ((state.records >> kernel.U16) & kernel.LOW16) + np.uint64(dy)
        x, y = x % np.uint64(options.width), y % np.uint64(options.height)
        other.records = (state.records & ~kernel.LOWER) | x | (y << kernel.U16)
        return other

    state = create(options, seed=seed, runs=[0])
    other = shifted(state)
    same: dict[str, Any] = {"options": options, "seed": seed, "runs": [0], "day": 0, "ticks": 5}
    here, there = advance(state, **same), advance(other, **same)
    for a, b in zip(here, there, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(shifted(state).records, other.records)


@njit
def survey(plan: Any, page: Any, seen: Any, free: Any) -> None:
    """Fill in the kernel's counts around every cell, shapes (2, height, width) and so on."""
    for y in range(seen.shape[1]):
        for x in range(seen.shape[2]):
            at, here, there = page, np.uint64(x), np.uint64(y)
            police, rebels = kernel.see(plan, at, here, there, False)
            seen[0, y, x], seen[1, y, x] = police, rebels
            blocked = get(at, kernel.BLOCKED)
            for side in range(2):
                first = plan.cop_groups if side else np.uint64(0)
                last = plan.all_groups if side else plan.cop_groups
                free[side, y, x] = count_near(
                    blocked, plan, plan.goes, first, last, here, there, CLEAR
                )


@settings(max_examples=40, deadline=None, derandomize=True)
@given(lattices(), SEEDS)
def test_counts(options: StreetOptions, seed: int) -> None:
    """Cops, actives and free cells in vision of every cell, by the kernel and by looking."""
    state = create(options, seed=seed, runs=[0])
    advance(state, options=options, seed=seed, runs=[0], day=0, ticks=2)
    lattice = _lattice(options)
    # The order of actions does not affect what is seen, so nothing is compiled for it.
    plan = lattice.plan._replace(act_first=kernel.choice(False))
    room = state.records.shape[1]
    scratch = [
        np.zeros(n, dtype)
        for n, dtype in (
            (kernel.LANE, np.uint64), (room, np.uint64), (room, np.uint32), (room, np.float32),
            (room, np.uint64), (64, np.uint64), (3 * int(plan.plane), np.uint64),
            (options.sites, np.uint32), (options.sites, np.uint64),
        )
    ]  # fmt: skip
    page, *addresses = (np.uint64(array.ctypes.data) for array in scratch)
    kernel.start_page(plan, page, np.uint64(0), np.uint64(room), tuple(addresses))
    scratch[1][:] = [kernel.taken_in(record) for record in state.records[0]]
    scratch[0][[kernel.CITIZENS, kernel.COPS]] = state.citizens[0], state.cops[0]
    kernel.rebuild(plan, page)
    seen = np.zeros((2, options.height, options.width), dtype=np.int64)
    free = np.zeros_like(seen)
    survey(plan, page, seen, free)

    def around(cells: Any, who: Any) -> Any:
        on = np.zeros((options.height, options.width), dtype=np.int64)
        np.add.at(on, (agents["y"][who], agents["x"][who]), 1)
        return on, sum(np.roll(on, (-dy, -dx), axis=(0, 1)) for dx, dy in cells)

    agents = state.agents(0)
    mine = cells_in_vision(options, options.citizen_vision, own_cell=options.own_cell)
    for kind, got in ((2, seen[0]), (1, seen[1])):
        np.testing.assert_array_equal(got, around(mine, agents["kind"] == kind)[1])
    held = options.jailed_cell is choices.JailedCell.BLOCK
    blocking = (agents["kind"] != 3) | held
    for got, vision in zip(free, (options.citizen_vision, options.cop_vision), strict=True):
        cells = cells_in_vision(options, vision, own_cell=False)
        on = around(cells, blocking)[0] > 0
        expected = sum(np.roll(~on, (-dy, -dx), axis=(0, 1)).astype(int) for dx, dy in cells)
        np.testing.assert_array_equal(got, expected)
