"""The day loop as a whole: determinism, switches, forks, live parameters."""

from __future__ import annotations

import numpy as np
import pytest

from foedus.case.vocabulary import MECHANISMS
from foedus.randomness import Random
from foedus.world import engine
from foedus.world.order import VARIABLES
from foedus.world.setting import Setting

from .small_case import SMALL, small_case, values_of

SEED = 11


def _simulate(case, runs, values, **kwargs):
    hypothesis = np.full(runs.size, -1, dtype=np.int16)
    return engine.simulate(
        case, seed=SEED, runs=runs, values=values, hypothesis=hypothesis, **kwargs
    )


def _rows(values, rows):
    return {name: value[rows] for name, value in values.items()}


def assert_same(a, b):
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def test_a_run_does_not_depend_on_its_batch():
    case = small_case()
    runs = np.arange(23, dtype=np.int64)
    values = values_of(case, 23)
    whole = _simulate(case, runs, values)
    order = np.random.default_rng(1).permutation(23)
    for rows in (order[:1], order[1:9], order[9:]):
        part = _simulate(case, runs[rows], _rows(values, rows))
        assert_same(part, {name: array[rows] for name, array in whole.items()})


def test_outputs_are_complete_and_finite():
    case = small_case()
    runs = np.arange(40, dtype=np.int64)
    out = _simulate(case, runs, values_of(case, 40))
    assert set(out) == set(VARIABLES)
    for name, array in out.items():
        assert array.dtype == np.dtype(VARIABLES[name].dtype)
        if name != "arrival_day":
            assert np.isfinite(array.astype(float)).all(), name
    for name in ("loyal_share", "internet", "legitimacy", "belief_home", "belief_abroad"):
        assert (out[name] >= 0).all(), name
        assert (out[name] <= 1).all(), name
    for name in ("crowd", "arrests", "jailed", "deaths_protesters", "troops_present"):
        assert (out[name] >= 0).all(), name
    assert out["crowd"].max() > 0


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_mechanism_that_is_off_leaves_its_fields_calm(name):
    case = small_case(mechanisms={name: False})
    runs = np.arange(30, dtype=np.int64)
    out = _simulate(case, runs, values_of(case, 30))
    calm = {
        "streets": ("crowd", "arrests", "jailed"),
        "lethal": ("deaths_protesters", "deaths_security", "deaths_allied"),
        "forces": (),
        "leader": (),
        "alliance": ("troops_announced", "troops_present"),
        "airlift": ("troops_present",),
        "outside": ("outside_belief",),
        "information": (),
        "contagion": (),
        "ties": (),
    }[name]
    for field in calm:
        assert (out[field] == 0).all(), field
    never = {
        "leader": ("request", "concession", "shutdown", "fire_order", "decision"),
        "alliance": ("decision", "refusal", "first_arrival"),
        "airlift": ("first_arrival", "withdrawal_start", "withdrawal_end"),
    }.get(name, ())
    for event in never:
        assert (out[f"event_{event}"] == -1).all(), event
    if name == "forces":
        assert (out["loyal_share"] == 1).all()
    if name == "information":
        assert (out["belief_home"] == 0.5).all()


def test_an_isolated_city_is_quiet_without_contagion():
    losses = [{**t, "loss": {"dist": "fixed", "value": 0.5}} for t in SMALL["triggers"]]
    case = small_case(mechanisms={"contagion": False}, triggers=losses)
    runs = np.arange(30, dtype=np.int64)
    values = values_of(case, 30)
    values["streets.shock_spread"][:] = 0.0
    values["streets.legitimacy"][:] = 0.95
    values["streets.legitimacy_spread"][:] = 0.0
    values["lethal.backlash"][:] = 0.0
    values["lethal.legitimacy_loss"][:] = 0.0
    out = _simulate(case, runs, values)
    assert out["crowd"][:, :, 0].max() > 0
    assert out["crowd"][:, :, 1].max() == 0


#: Settings under which lethal force and contagion act on the streets.
EFFECTS = (
    "lethal.backlash",
    "lethal.fear_weight",
    "lethal.legitimacy_loss",
    "lethal.legitimacy_recovery",
    "contagion.strength",
)


@pytest.mark.parametrize("internet", [1.0, 0.2])
@pytest.mark.parametrize("armed", [0.0, 0.6])
def test_lethal_force_and_contagion_at_zero_leave_the_streets_model_1(armed, internet):
    """Through the whole engine: people are killed and cut off, and the streets keep the same bits.

    With the effects as drawn they differ, so the test would notice a change.
    """
    runs, off = np.arange(20, dtype=np.int64), {m: False for m in MECHANISMS if m != "streets"}
    alone = small_case(mechanisms=off)
    beside = small_case(mechanisms={**off, "lethal": True, "contagion": True})

    def played(case, values):
        world = engine.World(Setting.of(case), values, Random(SEED, runs), on=engine.switches(case))
        state = world.start()
        state.internet[:] = internet
        out = engine.allocate(world.setting, runs.size)
        world.run(state, 0, world.setting.horizon, out)
        return {name: out[name] for name in ("crowd", "arrests", "jailed", "legitimacy")}, out

    values = values_of(beside, runs.size)
    values["lethal.armed_share"][:] = armed
    zero = {**values, **{name: np.zeros(runs.size) for name in EFFECTS}}
    want, _ = played(alone, zero)
    got, everything = played(beside, zero)
    assert want["crowd"].max() > 0
    assert everything["deaths_protesters"].sum() > 0
    assert (everything["deaths_security"].sum() > 0) == (armed > 0)
    assert_same(want, got)
    assert not np.array_equal(played(beside, values)[0]["crowd"], want["crowd"])


def test_outside_never_feeds_back():
    case = small_case()
    runs = np.arange(25, dtype=np.int64)
    values = values_of(case, 25)
    with_outside = _simulate(case, runs, values)
    without = _simulate(small_case(mechanisms={"outside": False}), runs, values)
    for name in with_outside:
        if name != "outside_belief":
            np.testing.assert_array_equal(with_outside[name], without[name], err_msg=name)


def test_fork_of_a_state_equals_the_unforked_run():
    case = small_case()
    setting = Setting.of(case)
    runs = np.arange(12, dtype=np.int64)
    values = values_of(case, 12)
    on = engine.switches(case)

    def world(active=on):
        return engine.World(setting, values, Random(SEED, runs), on=active)

    whole, forked = engine.allocate(setting, 12), engine.allocate(setting, 12)
    end = world().run(world().start(), 0, setting.horizon, whole)
    engine.record_end(whole, end)
    stem = world().run(world().start(), 0, 6, forked)
    branch = stem.fork()
    engine.record_end(forked, world().run(stem, 6, setting.horizon, forked))
    assert_same(whole, forked)

    other = engine.allocate(setting, 12)
    engine.record_end(other, world(on - {"alliance"}).run(branch, 6, setting.horizon, other))
    calls = (branch.events["decision"] >= 6).sum()
    assert calls == 0, "no alliance after the fork, so no decision after it"


def test_every_declared_parameter_moves_some_output():
    """A parameter that changes nothing is a bug in the model or in its documentation."""
    places = {name: {**place, "lattice": 12} for name, place in SMALL["places"].items()}
    case = small_case(horizon=30, places=places)
    registry = engine.registry(case)
    dead = list(registry)
    for size in (20, 200, 1600):  # most change something in few runs; some act in few runs only
        dead = _that_move_nothing(case, registry, dead, size)
    assert not dead


def _that_move_nothing(case, registry, names, size):
    runs = np.arange(size, dtype=np.int64)
    values = values_of(case, size)
    # a crisis in which everything happens: strong shock, and a willing leader, lead and members
    values["trigger.0"][:] = 0.45
    for name, more in {
        "leader.request_base": 4.0,
        "alliance.lead_intercept": 0.5,
        "alliance.intercept": 2.5,
        "alliance.interest": 3.0,
    }.items():
        values[name] += more
    values["airlift.min_stay"][:] = 2.0
    values["airlift.short_stay"][:] = 6.0
    values["airlift.long_stay"][:] = 20.0
    values["airlift.vehicles"][:] = 900.0
    base = _simulate(case, runs, values)
    dead = []
    for name in names:
        parameter, other = registry[name], dict(values)
        moved = values[name] * 1.7 + 0.13
        if name == "streets.reading":
            moved = (values[name] + 1) % 3
        moved = np.clip(moved, parameter.low, parameter.high)
        if np.array_equal(moved, values[name]):
            moved = np.clip(values[name] * 0.5, parameter.low, parameter.high)
        other[name] = moved
        out = _simulate(case, runs, other)
        if all(np.array_equal(base[v], out[v]) for v in base):
            dead.append(name)
    return dead
