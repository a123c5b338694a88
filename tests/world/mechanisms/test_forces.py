"""Forces: who holds, the effects of backing and their timing, and when the government falls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr

from foedus.world.global_games import UNIQUENESS_BOUND
from foedus.world.guidance import FLOOR, Guidance
from foedus.world.mechanisms import forces

from ...oracles.global_games import public_pull, two_layer
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


def _begun(p, state, strength=None):
    forces.start(SETTING, p, state, keyed(state.internet.size))
    if strength is not None:
        state.strength[:] = strength
    return state


def test_strength_has_the_public_mean_and_precision():
    runs = 40_000
    p = medians(forces, runs=runs, forces__mean=0.4, forces__public_precision=2.0)
    state = _begun(p, streets(runs))
    assert state.strength.mean() == pytest.approx(0.4, abs=0.02)
    assert state.strength.var() == pytest.approx(0.5, rel=0.03)


def test_holding_share_is_that_of_the_game():
    p = medians(
        forces,
        forces__mean=0.3,
        forces__public_precision=1.0,
        forces__street_precision=4.0,
        forces__command_precision=4.0,
        forces__protest_cost=0.3,
        forces__hold_threshold=0.4,
        forces__weight=0.5,
    )
    state = _begun(p, streets())
    game = two_layer(1, 4, 4, 0.3, 0.3, 0.4, 0.5)
    assert game.theta == pytest.approx(0.456127, abs=1e-6)
    assert forces.holding_share(p, state) == pytest.approx(
        ndtr(2.0 * (state.strength - game.cutoff)), abs=1e-12
    )
    state.strength[:] = game.theta
    assert forces.holding_share(p, state) == pytest.approx(np.full(4, 0.581287), abs=1e-6)


def test_the_streets_put_loyalty_to_the_test():
    p = medians(forces)
    state = _begun(p, streets(intensity=0.7), 0.1)
    advance(forces, p, state, begin=False)
    assert state.loyal_share == pytest.approx(1 - 0.7 * (1 - state.of(forces.Command).holding))


def test_calm_moves_nothing():
    p = medians(forces)
    state = _begun(p, streets(intensity=0.0), -5.0)
    after = advance(forces, p, state.fork(), days=10, begin=False)
    assert changed(state, after) == set()


def _shares(p, strength=0.3, *, announced=False, troops=0.0, runs=4):
    state = _begun(p, streets(runs), strength)
    if announced:
        state.events["decision"][:] = 0
    state.present[:, 1] = troops
    return forces.holding_share(p, state)


def test_a_pledge_raises_loyalty_before_anyone_arrives():
    p = medians(forces, forces__guarantee=0.0)
    assert np.all(_shares(p, announced=True) > _shares(p))


def test_boots_raise_loyalty_without_an_announcement():
    p = medians(forces)
    assert np.all(_shares(p, troops=3000) > _shares(p, troops=500))
    assert np.all(_shares(p, troops=500) > _shares(p))


def test_guarantees_raise_loyalty():
    p = medians(forces, forces__pledge=0.0)
    assert np.all(_shares(p, announced=True) > _shares(p))


def test_no_backing_coefficients_no_effect_of_the_alliance():
    p = medians(forces, forces__pledge=0.0, forces__guarantee=0.0, forces__boots=0.0)
    assert np.array_equal(_shares(p, announced=True, troops=5000), _shares(p))


def test_the_weight_of_the_force_amplifies_a_pledge():
    """The same announcement lowers the cutoff more where the force has more weight."""
    falls = []
    for lam in (0.0, 0.25, 0.5, 0.75):
        p = medians(forces, forces__weight=lam, forces__guarantee=0.0, forces__mean=0.3)
        p["forces.public_precision"][:] = 1.0
        before = two_layer(1, 4, 9, 0.3, p["forces.protest_cost"], 0.4, lam)
        after = two_layer(1, 4, 9, 0.3 + p["forces.pledge"], p["forces.protest_cost"], 0.4, lam)
        falls.append(float((before.cutoff - after.cutoff)[0]))
    assert falls == sorted(falls)


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        ("mean", 1),
        ("protest_cost", 1),
        ("hold_threshold", -1),
        ("weight", 1),
        ("pledge", 1),
        ("guarantee", 1),
        ("boots", 1),
    ],
)
def test_signs_of_holding(name, sign):
    prior = next(q.prior for q in forces.PARAMETERS if q.name == f"forces.{name}")
    shares = []
    for u in (0.1, 0.9):
        value = float(prior.quantile(np.array([u]))[0])
        given: dict[str, Any] = {f"forces__{name}": value}
        p = medians(forces, **given)
        p["forces.public_precision"][:] = 1.0
        shares.append(_shares(p, announced=True, troops=2000))
    assert np.all(sign * (shares[1] - shares[0]) > 0)


def test_draws_are_kept_in_the_unique_region():
    p = draws(forces, runs=5000)
    state = _begun(p, streets(5000))
    pull = public_pull(
        state.of(forces.Command).alpha,
        p["forces.street_precision"],
        p["forces.command_precision"],
        p["forces.weight"],
    )
    assert np.all(pull < UNIQUENESS_BOUND)
    lowered = state.of(forces.Command).alpha < p["forces.public_precision"]
    assert 0 < lowered.mean() < 0.35


def _chance(p, strength, intensity):
    state = _begun(p, streets(intensity=intensity), strength)
    advance(forces, p, state, begin=False)
    return state.collapse_chance


def test_the_chance_of_a_fall_is_the_smoothed_rule():
    p = medians(forces, forces__siege=1.0)
    state = _begun(p, streets(intensity=0.8), 0.1)
    state.present[:, 1] = 1500.0
    holding = forces.holding_share(p, state)
    advance(forces, p, state, begin=False)
    strength = 0.1 + p["forces.boots"] * 1.5 + p["forces.weight"] * holding
    want = 0.8 * ndtr((p["forces.attack"] * 0.8 - strength) / p["forces.noise"])
    assert state.collapse_chance == pytest.approx(want, rel=1e-12)


def test_weak_regimes_fall_strong_ones_do_not():
    p = medians(forces)
    assert np.all(_chance(p, -1.0, 0.9) > 0.8)
    assert np.all(_chance(p, 2.0, 0.9) < 1e-6)
    assert np.all(_chance(p, 0.0, 0.9) > _chance(p, 0.0, 0.3))


def test_with_little_noise_it_is_the_threshold_rule():
    p = medians(
        forces, forces__noise=0.001, forces__weight=0.0, forces__attack=1.0, forces__siege=1.0
    )
    assert np.all(_chance(p, 0.79, 0.8) == pytest.approx(0.8))
    assert np.all(_chance(p, 0.81, 0.8) < 1e-12)


def test_an_attack_must_last():
    p = medians(forces, forces__siege=4.0, forces__weight=0.0, forces__boots=0.0)
    state = _begun(p, streets(intensity=0.8), 0.1)
    lasting, chances = 0.0, []
    for day in range(6):
        advance(forces, p, state, days=1, first=day, begin=False)
        state.in_office[:] = True
        state.events["leader_leaves"][:] = -1
        lasting += (0.8 - lasting) / 4.0
        want = 0.8 * ndtr((p["forces.attack"] * lasting - 0.1) / p["forces.noise"])
        assert state.collapse_chance == pytest.approx(want, rel=1e-9)
        chances.append(state.collapse_chance[0])
    assert np.all(np.diff(chances) > 0)


def test_a_fall_is_marked_once_and_ends_the_term():
    runs = 2000
    p = medians(forces, runs=runs)
    state = _begun(p, streets(runs, intensity=0.8), 0.1)
    advance(forces, p, state, days=12, begin=False)
    fell = state.happened("leader_leaves")
    assert 0 < fell.mean() <= 1
    assert np.array_equal(state.in_office, ~fell)
    days = state.events["leader_leaves"].copy()
    advance(forces, p, state, days=3, first=12, begin=False)
    assert np.array_equal(state.events["leader_leaves"][fell], days[fell])


def test_known_survival_is_imposed_and_charged():
    p = medians(forces, forces__siege=1.0)
    guidance = Guidance(not_by={("leader_leaves", ""): 4})
    state = _begun(p, streets(intensity=0.8), 0.0)
    chance = _chance(p, 0.0, 0.8)
    advance(forces, p, state, days=5, begin=False, guidance=guidance)
    assert state.in_office.all()
    assert state.log_guidance == pytest.approx(5 * np.log(np.maximum(1 - chance, FLOOR)))


def test_a_known_fall_is_imposed_unless_the_leader_mechanism_replays_it():
    p = medians(forces)
    guidance = Guidance(days={("leader_leaves", ""): 0})
    state = _begun(p, streets(intensity=0.5), 0.5)
    advance(forces, p, state, begin=False, guidance=guidance)
    assert not state.in_office.any()
    assert np.all(state.log_guidance < 0)

    state = _begun(p, streets(intensity=0.5), 0.5)
    state.on = frozenset({"leader"})
    advance(forces, p, state, begin=False, guidance=guidance)
    assert state.in_office.all()
    assert np.all(state.log_guidance == 0)
    assert np.all(state.collapse_chance > 0)


def test_every_parameter_moves_something():
    def play(p):
        state = _begun(p, streets(60, intensity=0.7))
        state.events["decision"][:] = 0
        state.present[:, 1] = 2000.0
        advance(forces, p, state, days=3, begin=False)
        return {
            "loyal": state.loyal_share,
            "strength": state.strength,
            "chance": state.collapse_chance,
        }

    moved = moving_parameters(forces, play)
    assert all(moved.values()), moved


def test_a_run_does_not_depend_on_its_batch():
    def announce(state):
        state.events["decision"][:] = 0
        state.present[:, 1] = 1000.0

    batch_free(forces, lambda runs: streets(runs, intensity=0.7), prepare=announce)
