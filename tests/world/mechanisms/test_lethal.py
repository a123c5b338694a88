"""Lethal force and backlash: equations, signs, the inverted U, and the reduction to mechanism 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from foedus.world.mechanisms import lethal

from .street_settings import (
    SETTING,
    advance,
    batch_free,
    changed,
    draws,
    keyed,
    medians,
    moving_parameters,
    streets,
)

QUIET: dict[str, Any] = {
    "lethal__backlash": 0.0,
    "lethal__fear_weight": 0.0,
    "lethal__legitimacy_loss": 0.0,
    "lethal__legitimacy_recovery": 0.0,
}


def _fired(state):
    state.events["fire_order"][:] = 0
    return state


def _toll(state):
    return 1000 * state.deaths_protesters / state.mobilisable


def test_zero_coefficients_leave_what_the_streets_read():
    state = _fired(streets())
    p = medians(lethal, lethal__hazard=0.05, **QUIET)
    after = advance(lethal, p, state.fork(), days=8)
    assert after.deaths_protesters.sum() > 0
    assert np.array_equal(p["lethal.backlash"][:, None] * after.outrage, np.zeros((4, 3)))
    for name in ("lethal_risk", "legitimacy", "contagion", "loyal_share", "relief"):
        assert np.array_equal(getattr(after, name), getattr(state, name)), name


def test_nobody_active_moves_nothing():
    state = _fired(streets(active=0.0))
    assert changed(state, advance(lethal, medians(lethal), state.fork(), days=5)) == set()


def test_without_a_street_layer_nothing_moves():
    state = streets()
    state.active_people[:] = 0.0
    state.mobilisable[:] = 0.0
    state.baseline = None
    after = advance(lethal, medians(lethal), state.fork(), days=3)
    assert changed(state, after) == set()


def test_mean_deaths_follow_the_hazard():
    runs = 4000
    state = streets(runs)
    state.loyal_share[:] = 0.7
    p = medians(lethal, runs=runs, lethal__hazard=2e-3, lethal__baseline_fire=0.25)
    people = state.active_people[0]
    advance(lethal, p, state)
    assert np.allclose(
        state.deaths_protesters.mean(axis=0), 2e-3 * 0.25 * 0.7 * people, rtol=0.08, atol=0.05
    )
    rate = (p["lethal.hazard_security"] * p["lethal.armed_share"])[0]
    assert np.allclose(state.deaths_security.mean(axis=0), rate * people, rtol=0.1, atol=0.05)


def test_the_order_to_fire_kills_more_and_disloyalty_less():
    p = medians(lethal, runs=200)
    plain, ordered, wavering = streets(200), _fired(streets(200)), _fired(streets(200))
    wavering.loyal_share[:] = 0.3
    dead = [advance(lethal, p, state).deaths_protesters for state in (plain, ordered, wavering)]
    assert np.all(dead[1] >= dead[0])
    assert np.all(dead[1] >= dead[2])
    assert dead[1].sum() > dead[2].sum() > 0
    assert dead[1].sum() > 4 * dead[0].sum()


def test_a_day_of_the_equations():
    state = _fired(streets())
    state.internet[:] = 0.25
    p = medians(lethal, lethal__hazard=0.02)
    advance(lethal, p, state)
    V = _toll(state)
    heard = 1 - 0.75 * p["lethal.blackout"][:, None]
    seen = V + p["lethal.spread"][:, None] * (V.sum(axis=1, keepdims=True) - V)
    assert np.allclose(state.outrage, heard * seen)
    fear = 1 - np.exp(-p["lethal.fear_rate"][:, None] * V)
    assert np.allclose(state.lethal_risk, p["lethal.fear_weight"][:, None] * fear)
    mean = (V * SETTING.population / SETTING.population.sum()).sum(axis=1, keepdims=True)
    assert np.allclose(state.legitimacy, 0.8 - p["lethal.legitimacy_loss"][:, None] * heard * mean)


def test_outrage_and_fear_fade_and_legitimacy_returns():
    state = _fired(streets())
    p = medians(lethal, lethal__hazard=0.02)
    advance(lethal, p, state)
    before = state.fork()
    state.active_people[:] = 0.0
    advance(lethal, p, state, days=1, first=1, begin=False)
    assert np.allclose(
        state.outrage, before.outrage * np.exp(-1 / p["lethal.outrage_days"])[:, None]
    )
    assert np.all(state.lethal_risk < before.lethal_risk)
    lost = 0.8 - before.legitimacy
    assert np.allclose(
        0.8 - state.legitimacy, lost * (1 - p["lethal.legitimacy_recovery"])[:, None]
    )


@pytest.mark.parametrize(
    ("name", "field", "sign"),
    [
        ("lethal__hazard", "deaths_protesters", 1),
        ("lethal__baseline_fire", "deaths_protesters", 1),
        ("lethal__armed_share", "deaths_security", 1),
        ("lethal__hazard_security", "deaths_security", 1),
        ("lethal__outrage_days", "outrage", 1),
        ("lethal__spread", "outrage", 1),
        ("lethal__blackout", "outrage", -1),
        ("lethal__fear_weight", "lethal_risk", 1),
        ("lethal__fear_rate", "lethal_risk", 1),
        ("lethal__fear_days", "lethal_risk", 1),
        ("lethal__legitimacy_loss", "legitimacy", -1),
        ("lethal__legitimacy_recovery", "legitimacy", 1),
    ],
)
def test_signs(name, field, sign):
    key = name.replace("__", ".")
    prior = next(q.prior for q in lethal.PARAMETERS if q.name == key)
    totals = []
    for u in (0.1, 0.9):
        value = float(prior.quantile(np.array([u]))[0])
        state = streets(100)
        state.internet[:] = 0.3
        changes = {"lethal__hazard": 0.01, name: value}
        advance(lethal, medians(lethal, runs=100, **changes), state, days=4)
        totals.append(getattr(state, field).sum())
    assert sign * (totals[1] - totals[0]) > 0


def test_killings_elsewhere_outrage_but_only_witnesses_fear():
    state = _fired(streets(50))
    state.active_people[:, 1:] = 0.0
    advance(lethal, medians(lethal, runs=50, lethal__hazard=0.01), state)
    assert np.all(state.outrage[:, 0] > state.outrage[:, 1])
    assert np.all(state.outrage[:, 1] > 0)
    assert np.all(state.lethal_risk[:, 1:] == 0)
    assert np.all(state.lethal_risk[:, 0] > 0)


def test_allied_soldiers_die_only_where_they_are():
    p = medians(lethal, runs=300, lethal__exposure=0.9, lethal__hazard_security=0.1)
    none = advance(lethal, p, streets(300))
    assert np.all(none.deaths_allied == 0)
    few, many = streets(300), streets(300)
    for state, troops in ((few, 200.0), (many, 4000.0)):
        state.present[:, 1] = troops
        state.police[:] = np.full(300, 3000.0)
    dead = [advance(lethal, p, state).deaths_allied.sum() for state in (few, many)]
    assert dead[1] > dead[0] > 0


def test_the_story_moves_the_level_that_legitimacy_returns_to():
    state = streets(active=0.0)
    state.story[:] = np.full((4, 3), 0.05)
    state.legitimacy[:] = 0.85
    advance(lethal, medians(lethal), state, days=10)
    assert np.allclose(state.legitimacy, 0.85, rtol=0, atol=1e-15)


def test_legitimacy_stays_in_range_whatever_is_drawn():
    state = _fired(streets(300, active=0.9))
    p = draws(lethal, runs=300)
    p["lethal.legitimacy_loss"][:] = 10.0
    advance(lethal, p, state, days=10)
    assert np.all((state.legitimacy >= 0) & (state.legitimacy <= 1))
    assert np.all(np.isfinite(state.outrage))
    assert np.all(state.lethal_risk >= 0)


def test_every_parameter_moves_something():
    def play(p):
        state = streets(60)
        state.internet[:] = 0.4
        state.present[:, 1] = 3000.0
        state.police[:] = np.full(60, 1000.0)
        state = advance(lethal, p, state, days=10)
        return {
            "dead": state.deaths_protesters,
            "officers": state.deaths_security,
            "allied": state.deaths_allied,
            "pull": state.outrage * p["lethal.backlash"][:, None],
            "risk": state.lethal_risk,
            "legitimacy": state.legitimacy,
        }

    moved = moving_parameters(lethal, play)
    if not moved["lethal.exposure"]:  # deaths are rare, so look closer

        def harder(p):
            return play({**p, "lethal.hazard_security": np.full(60, 0.1)})

        moved["lethal.exposure"] = moving_parameters(lethal, harder)["lethal.exposure"]
    assert all(moved.values()), moved


def test_a_run_does_not_depend_on_its_batch():
    batch_free(lethal, lambda runs: _fired(streets(runs)))


def test_participation_is_single_peaked_in_lethality():
    x = np.linspace(0.0, 6.0, 121)
    share = lethal.expected_participation(
        x,
        legitimacy=0.8,
        arrest=0.3,
        threshold=0.1,
        backlash=0.08,
        fear_weight=2.0,
        fear_rate=0.15,
        saturation=2.0,
    )
    peak = int(np.argmax(share))
    assert 0 < peak < 120
    rise, fall = np.diff(share[: peak + 1]), np.diff(share[peak:])
    assert np.all(rise >= -1e-12)
    assert np.all(fall <= 1e-12)
    assert share[peak] > share[0] + 0.04
    assert share[-1] < share[0]


def test_participation_rises_with_outrage_alone_and_falls_with_fear_alone():
    x = np.linspace(0.0, 5.0, 40)
    rest = {"legitimacy": 0.8, "arrest": 0.3, "threshold": 0.1, "fear_rate": 0.3, "saturation": 1.0}
    angry = lethal.expected_participation(x, backlash=0.05, fear_weight=0.0, **rest)
    afraid = lethal.expected_participation(x, backlash=0.0, fear_weight=1.0, **rest)
    flat = lethal.expected_participation(x, backlash=0.0, fear_weight=0.0, **rest)
    assert np.all(np.diff(angry) > 0)
    assert np.all(np.diff(afraid) < 0)
    assert np.all(flat == flat[0])


def test_participation_without_risk_is_epsteins_eligible_share():
    share = lethal.expected_participation(
        np.zeros(1),
        legitimacy=0.82,
        arrest=0.0,
        threshold=0.1,
        backlash=1.0,
        fear_weight=1.0,
        fear_rate=1.0,
        saturation=1.0,
    )
    assert share == pytest.approx(1 - 0.1 / 0.18, abs=1e-12)
    sure = lethal.expected_participation(
        np.zeros(1),
        legitimacy=0.82,
        arrest=1.0,
        threshold=0.1,
        backlash=1.0,
        fear_weight=1.0,
        fear_rate=1.0,
        saturation=1.0,
    )
    assert sure == pytest.approx(0.01778, abs=1e-4)


def test_keyed_draws_are_not_shared_with_other_purposes():
    state = _fired(streets(400))
    p = medians(lethal, runs=400)
    advance(lethal, p, state)
    again = _fired(streets(400))
    advance(lethal, {**p, "lethal.hazard": p["lethal.hazard"] * 3}, again, random=keyed(400))
    assert np.array_equal(state.deaths_security, again.deaths_security)
