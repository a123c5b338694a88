"""The public street model: schedules, forks, threads, exact shares of Epstein's rule."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from foedus.streets import READINGS, StreetOptions, advance, create, reading, simulate
from foedus.world.lattice import kernel

from ...oracles.street_lattice import ReferenceStreet
from ...oracles.street_words import words

SMALL = reading("paper", width=20, height=16, citizen_vision=4, cop_vision=4, legitimacy=0.6)


def test_dataset() -> None:
    result = simulate(SMALL, seed=3, runs=4, ticks=12)
    assert dict(result.sizes) == {"run": 4, "tick": 12}
    assert set(result.data_vars) == {
        "actives", "jailed", "arrests", "released", "cops", "citizens"
    }  # fmt: skip
    assert result.tick.values[0] == 1
    assert result.attrs["seed"] == 3
    rebuilt = StreetOptions(**result.attrs["options"])
    assert simulate(rebuilt, seed=3, runs=4, ticks=12).identical(result)
    flow = result.arrests.cumsum("tick") - result.released.cumsum("tick")
    assert (flow >= result.jailed).all()  # a term of 0 is an arrest without jail


@pytest.mark.parametrize("name", READINGS)
def test_threads_and_batches(name: str) -> None:
    options = reading(name, width=20, height=16, citizen_vision=4, cop_vision=4, legitimacy=0.6)
    whole = simulate(options, seed=3, runs=9, ticks=10)
    assert simulate(options, seed=3, runs=9, ticks=10, threads=2).identical(whole)
    part = simulate(options, seed=3, runs=3, first_run=4, ticks=10)
    assert part.identical(whole.isel(run=slice(4, 7)))
    assert not np.array_equal(whole.actives[0], whole.actives[1])


def test_schedules() -> None:
    drop = simulate(SMALL, seed=3, runs=2, ticks=6, legitimacy=lambda t: 1.0 if t < 3 else 0.0)
    assert (drop.actives[:, :3] == 0).all()
    assert (drop.actives[:, 3] > 0).all()
    same = simulate(SMALL, seed=3, runs=2, ticks=6, legitimacy=[1.0] * 3 + [0.0] * 3)
    assert same.identical(drop)
    assert simulate(
        SMALL, seed=3, runs=2, ticks=6, legitimacy=np.tile([1.0] * 3 + [0.0] * 3, (2, 1))
    ).identical(drop)
    fewer = simulate(SMALL, seed=3, runs=2, ticks=4, cops=[13, 5, 0, 40])
    np.testing.assert_array_equal(fewer.cops, [[13, 5, 0, 40]] * 2)


def test_fork() -> None:
    runs = [5, 9, 2]
    state = create(SMALL, seed=1, runs=runs)
    advance(state, options=SMALL, seed=1, runs=runs, day=0, ticks=3)
    fork = state.copy()
    one = advance(state, options=SMALL, seed=1, runs=runs, day=1, ticks=5)
    two = advance(fork, options=SMALL, seed=1, runs=runs, day=1, ticks=5)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(state.records, fork.records)
    other = advance(fork, options=SMALL, seed=1, runs=runs, day=2, ticks=5, cops=[0, 5, 99])
    np.testing.assert_array_equal(other.cops, [0, 5, 99])
    taken = state.take([2, 2])
    np.testing.assert_array_equal(taken.records[0], state.records[2])
    assert len(taken) == 2
    assert taken.nbytes > 0


def test_place_and_day_and_seed_change_the_draws() -> None:
    start = create(SMALL, seed=1, runs=[0])

    def moved(**address: int) -> bytes:
        state = start.copy()
        place: dict[str, Any] = {"seed": 1, "city": 0, "day": 0, **address}
        advance(state, options=SMALL, runs=[0], ticks=1, **place)
        return state.records.tobytes()

    seen = {moved(), moved(seed=2), moved(city=1), moved(day=1), moved(seed=1 + 2**32)}
    assert len(seen) == 5
    assert moved() == moved()


def test_parameters_of_each_run() -> None:
    """A batch with different parameters by run equals those runs one by one."""
    runs = np.array([4, 7, 8])
    state = create(SMALL, seed=1, runs=runs)
    L, k = np.array([0.2, 0.9, 0.6]), np.array([2.3, 1.0, 0.5])
    more: dict[str, Any] = {
        "grievance_shift": np.array([0.0, 0.3, 0.0]),
        "lethal_risk": np.array([0.0, 0.0, 0.2]),
        "jail_aversion": np.array([0.0, 0.1, 0.0]),
        "threshold": np.array([0.1, 0.05, 0.2]),
        "cops": np.array([3, 13, 20]),
    }
    alone = [state.take([i]) for i in range(3)]
    batch = advance(
        state, options=SMALL, seed=1, runs=runs, day=0, ticks=4, legitimacy=L, k=k, **more
    )
    for i, single in enumerate(alone):
        result = advance(
            single, options=SMALL, seed=1, runs=runs[i : i + 1], day=0, ticks=4,
            legitimacy=L[i], k=k[i], **{name: v[i] for name, v in more.items()},
        )  # fmt: skip
        for a, b in zip(result, batch, strict=True):
            np.testing.assert_array_equal(a[0], b[i])


def test_every_option_changes_something() -> None:
    """An option that changes nothing is misleading (Mesa's citizen_vision was one)."""
    base = reading(
        "netlogo", width=23, height=19, citizen_vision=4, cop_vision=4, legitimacy=0.6,
        citizen_density=0.7, cop_density=0.06, max_jail_term=5,
    )  # fmt: skip
    changes = {
        "width": 25, "height": 21, "citizen_density": 0.65, "cop_density": 0.07,
        "citizen_vision": 3, "cop_vision": 3, "k": 1.5, "threshold": 0.2, "legitimacy": 0.35,
        "max_jail_term": 6, "neighbourhood": "moore", "own_cell": False, "self_count": "once",
        "rounding": "half_up", "order": "act_then_move", "activation": "citizens_first",
        "movement": "cops", "jailed_cell": "block", "jail_term": "up_to",
        "jail_clock": "own_turn", "cop_jumps": False, "placement": "site",
    }  # fmt: skip
    assert set(changes) == set(base.__dataclass_fields__)
    result = simulate(base, seed=1, runs=6, ticks=20)
    for name, value in changes.items():
        other = simulate(base.with_(**{name: value}), seed=1, runs=6, ticks=20)
        assert not np.array_equal(other.actives, result.actives), name


@pytest.mark.parametrize(("legitimacy", "share"), [(0.89, 0.0909), (0.82, 0.4444), (0.8, 0.5)])
def test_eligible_share(legitimacy: float, share: float) -> None:
    """Without cops exactly those with H (1 - L) > T are active: 1 - T / (1 - L)."""
    options = reading("paper", legitimacy=legitimacy, cop_density=0.0, citizen_density=0.9)
    result = simulate(options, seed=2, runs=100, ticks=1)
    n = int(result.citizens.sum())
    error = math.sqrt(share * (1 - share) / n)
    assert abs(float(result.actives.sum()) / n - share) < 3.5 * error


@pytest.mark.parametrize(("legitimacy", "share"), [(0.82, 0.01778), (0.80, 0.0250), (0.65, 0.0893)])
def test_sparks(legitimacy: float, share: float) -> None:
    """Active even where arrest is certain (P = 1): ((1 - L) - T)**2 / (2 (1 - L))."""
    options = reading("paper", legitimacy=legitimacy, cop_density=0.34, k=200.0, max_jail_term=0)
    options = options.with_(jail_clock="own_turn", jailed_cell="open", cop_vision=1.0)
    state = create(options, seed=2, runs=range(100))
    H, R = state.hardship.astype(float), state.risk_aversion.astype(float)
    exact = float((H * (1 - legitimacy) - R > 0.1).mean())
    assert abs(exact - share) < 3.5 * math.sqrt(share / H.size)
    ticks = advance(
        state, options=options.with_(movement="none"), seed=2, runs=range(100), day=0, ticks=1
    )
    assert abs((ticks.actives[:, 0] + ticks.jailed).mean() / H.shape[1] - exact) < 0.002


def test_arrest_probability() -> None:
    """P at (C, A) of the notes, from who is active beside a number of cops."""

    def risk(rounding: str, c: int, a: int) -> float:
        from fractions import Fraction

        options = SMALL.with_(rounding=rounding)
        street = ReferenceStreet(options, create(options, seed=0, runs=[0]), 0)
        street.k = 2.3
        return street.risk(Fraction(c, a))

    assert risk("none", 1, 1) == pytest.approx(0.8997, abs=1e-4)
    assert risk("none", 1, 2) == pytest.approx(0.6834, abs=1e-4)
    assert risk("floor", 1, 2) == 0.0
    assert risk("half_even", 1, 2) == 0.0
    assert risk("half_up", 1, 2) == pytest.approx(0.8997, abs=1e-4)
    assert risk("none", 3, 2) == pytest.approx(0.9683, abs=1e-4)
    assert risk("floor", 3, 2) == pytest.approx(0.8997, abs=1e-4)
    assert risk("half_even", 3, 2) == pytest.approx(0.9899, abs=1e-4)
    for ratio, p in ((1, 0.00080), (2, 0.19676), (3, 0.77202), (4, 0.97838)):
        assert risk("smooth", ratio, 10) == pytest.approx(p, abs=1e-5)


def test_pictures() -> None:
    state = create(SMALL, seed=1, runs=[0])
    picture = state.frame(0)
    assert picture.shape == (16, 20)
    assert (picture == 1).sum() == state.citizens[0]
    assert (picture == 3).sum() == state.cops[0]
    assert (picture == 0).sum() == 320 - state.citizens[0] - state.cops[0]


def test_words_are_uniform() -> None:
    source = words(1, 2, "streets.act", 3, 4)
    bits = np.array([next(source) for _ in range(4000)], dtype=np.uint64)
    ones = [int(((bits >> np.uint64(i)) & np.uint64(1)).sum()) for i in range(64)]
    assert max(abs(n - 2000) for n in ones) < 4.5 * math.sqrt(1000)


def test_states_whose_agents_share_cells_go_on_only_where_they_may() -> None:
    """If no two agents may share a cell, the kernel counts bits and would count two as none."""
    runs = range(4)
    shared = SMALL.with_(jailed_cell="open", cop_jumps=True, max_jail_term=2, legitimacy=0.3)
    state = create(shared, seed=1, runs=runs)
    address: dict[str, Any] = {"seed": 1, "runs": runs}
    advance(state, options=shared, day=0, ticks=10, **address)

    def stacked(run: int) -> bool:
        agents = state.agents(run)
        here = agents["kind"] != 3
        cells = (agents["y"] * state.width + agents["x"])[here]
        return bool(np.unique(cells).size < cells.size)

    assert any(stacked(run) for run in range(4))
    before = state.records.copy()
    with pytest.raises(ValueError, match=r"state has two agents on one cell.*options must"):
        advance(state, options=SMALL, day=1, ticks=1, **address)
    np.testing.assert_array_equal(state.records, before)
    advance(state, options=shared, day=1, ticks=1, **address)
    # The jailed block nobody, unless options say that they block their cells.
    held = create(SMALL, seed=1, runs=runs)
    advance(held, options=SMALL.with_(legitimacy=0.2), day=0, ticks=6, **address)
    advance(held, options=SMALL, day=1, ticks=1, **address)
    with pytest.raises(ValueError, match="jailed_cell 'block'"):
        advance(held, options=SMALL.with_(jailed_cell="block"), day=2, ticks=1, **address)


def test_states_that_are_none() -> None:
    state = create(SMALL, seed=1, runs=[0, 1])
    off, cop = state.copy(), state.copy()
    off.records[1, 3] |= np.uint64(SMALL.width)
    cop.records[0, 0] |= np.uint64(2 << 32)
    for broken, run in ((off, 1), (cop, 0)):
        with pytest.raises(ValueError, match=f"state must have citizens.*its run {run}"):
            advance(broken, options=SMALL, seed=1, runs=[0, 1], day=0, ticks=1)


def test_placement_is_uniform() -> None:
    """Every cell is equally likely for each agent; densities are right where each cell is drawn."""
    options = reading("paper", width=7, height=5, citizen_vision=2, cop_vision=2, cop_density=0.1)
    runs = 7000
    state = create(options, seed=11, runs=range(runs))
    sites = (state.records >> kernel.U16 & kernel.LOW16) * np.uint64(7) + (
        state.records & kernel.LOW16
    )
    n, cops = options.citizens, options.cops
    for agent in (0, 1, n // 2, n - 1, n, n + cops - 1):
        counts = np.bincount(sites[:, agent].astype(np.int64), minlength=35)
        assert stats.chisquare(counts).pvalue > 1e-3
    drawn = create(options.with_(placement="site"), seed=11, runs=range(runs))
    frames = np.array([drawn.frame(run) for run in range(runs)])
    for kind, density in ((1, options.citizen_density), (3, options.cop_density)):
        counts = (frames == kind).sum(axis=0)
        z = (counts - runs * density) / math.sqrt(runs * density * (1 - density))
        assert stats.chi2.sf(float((z**2).sum()), 35) > 1e-3
    numbers = np.stack([drawn.citizens, drawn.cops])
    expected = 35 * np.array([options.citizen_density, options.cop_density])
    assert np.abs(numbers.mean(axis=1) - expected).max() < 4 * math.sqrt(35 * 0.25 / runs)
