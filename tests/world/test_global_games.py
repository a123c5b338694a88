"""Closed forms of the global games: reference values, uniqueness, comparative statics."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import norm

from foedus.world import global_games as gg

from ..oracles import global_games as textbook


@pytest.mark.parametrize(
    ("alpha", "beta", "z", "c", "theta", "cutoff", "falls"),
    [
        (1, 1, 0.5, 0.5, 0.500000, 0.500000, 0.500000),
        (1, 1, 0, 0.5, 0.783264, 1.566528, 0.783264),
        (1, 4, 0.5, 0.3, 0.763661, 1.122725, 0.603979),
        (1, 4, 0.3, 0.3, 0.798262, 1.215976, 0.690850),
        (1, 4, 0.7, 0.3, 0.725415, 1.024918, 0.510138),
        (0.5, 10, 0.4, 0.25, 0.773430, 1.010661, 0.604131),
        (0.25, 1, 0.6, 0.4, 0.612726, 0.899159, 0.502539),
    ],
)
def test_one_layer(alpha, beta, z, c, theta, cutoff, falls):
    game = textbook.one_layer(alpha, beta, z, c)
    assert game.theta == pytest.approx(theta, abs=1e-6)
    assert game.cutoff == pytest.approx(cutoff, abs=1e-6)
    assert game.falls == pytest.approx(falls, abs=1e-6)
    assert game.cutoff == pytest.approx(theta + ndtri(theta) / np.sqrt(beta), abs=1e-5)


def test_one_layer_diffuse_limits():
    assert textbook.one_layer(1e-12, 1.0, 5.0, 0.3).theta == pytest.approx(0.7, abs=1e-5)
    assert textbook.one_layer(1e-12, 1.0, 0.0, 0.3).cutoff == pytest.approx(1.224401, abs=1e-5)
    assert textbook.one_layer(1.0, 1e10, 0.0, 0.3).theta == pytest.approx(0.7, abs=1e-4)


@pytest.mark.parametrize(
    ("bo", "z", "k", "lam", "force", "theta", "attack", "hold", "falls"),
    [
        (4, 0, 0.4, 0.5, 0, 0.555004, 0.806151, 0.502293, 0.710554),
        (4, 0.3, 0.4, 0.5, 0, 0.456127, 0.746770, 0.581287, 0.562033),
        (4, -0.3, 0.4, 0.5, 0, 0.642056, 0.854818, 0.425526, 0.826918),
        (4, 0, 0.4, 0, 0, 0.843255, 0.843255, 0.444971, 0.800457),
        (4, 0, 0.4, 0.5, 0.2, 0.290283, 0.767745, 0.554923, 0.614200),
        (4, 0, 0.3, 0.5, 0, 0.477333, 0.795304, 0.635941, 0.683438),
        (9, 0, 0.4, 0.5, 0, 0.509316, 0.765018, 0.511405, 0.694734),
    ],
)
def test_two_layers(bo, z, k, lam, force, theta, attack, hold, falls):
    game = textbook.two_layer(1, bo, 4, z, 0.3, k, lam, force)
    assert game.theta == pytest.approx(theta, abs=1e-6)
    assert game.attack == pytest.approx(attack, abs=1e-6)
    assert game.hold == pytest.approx(hold, abs=1e-6)
    assert game.falls == pytest.approx(falls, abs=1e-6)
    assert game.theta == pytest.approx(game.attack - force - lam * game.hold, abs=1e-12)


def test_two_layers_diffuse_prior():
    assert textbook.diffuse_threshold(0.3, 0.4, 0.5) == pytest.approx(0.4, abs=1e-15)
    game = textbook.two_layer(1e-13, 4, 4, 0, 0.3, 0.4, 0.5)
    assert (game.theta, game.attack, game.hold) == pytest.approx((0.4, 0.7, 0.6), abs=1e-6)


def test_commander_at_the_cutoff_gives_survival_the_chance_k():
    alpha, ba, z, k = 1.3, 5.0, 0.2, 0.35
    game = textbook.two_layer(alpha, 4, ba, z, 0.3, k, 0.5)
    mean = (alpha * z + ba * game.cutoff) / (alpha + ba)
    survives = norm.sf(game.theta, loc=mean, scale=1 / np.sqrt(alpha + ba))
    assert survives == pytest.approx(k, abs=1e-12)


def test_uniqueness_condition_is_the_slope_condition():
    assert pytest.approx(2.506628, abs=1e-6) == gg.UNIQUENESS_BOUND
    textbook.one_layer(2.5, 1.0, 0.5, 0.5)
    with pytest.raises(ValueError, match=r"unique only while .* <= 2\.5066, got 2\.6000"):
        textbook.one_layer(2.6, 1.0, 0.5, 0.5)
    with pytest.raises(ValueError, match="unique"):
        textbook.two_layer(2.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5)


def test_beyond_the_bound_there_can_be_three_equilibria():
    x = np.linspace(-1.0, 2.0, 200_000)  # misses the root itself
    gap = x - ndtr(4.0 * (x - 0.5))
    assert np.sum(np.diff(np.sign(gap)) != 0) >= 3
    gap = x - ndtr(2.4 * (x - 0.5))
    assert np.sum(np.diff(np.sign(gap)) > 0) == 1


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"c": 0.0}, "c must lie strictly between"),
        ({"k": 1.0}, "k must lie strictly between"),
        ({"alpha": 0.0}, "alpha must be above 0"),
        ({"beta_a": -1.0}, "beta_a must be above 0"),
    ],
)
def test_bad_numbers_are_refused(change, match):
    fine = {"alpha": 1, "beta_o": 4, "beta_a": 4, "z": 0, "c": 0.3, "k": 0.4, "lam": 0.5}
    with pytest.raises(ValueError, match=match):
        textbook.two_layer(**{**fine, **change})


def _random_games(n, seed=0):
    rng = np.random.default_rng(seed)
    beta_o, beta_a = rng.lognormal(1.4, 0.8, n), rng.lognormal(2.0, 0.8, n)
    lam = rng.uniform(0, 2, n)
    alpha = gg.unique_alpha(rng.lognormal(0.7, 0.8, n), beta_o, beta_a, lam)
    z, c, k = rng.normal(0.5, 0.8, n), rng.uniform(0.02, 0.98, n), rng.uniform(0.02, 0.98, n)
    return alpha, beta_o, beta_a, z, c, k, lam, rng.uniform(0, 1, n)


def test_fixed_steps_suffice_over_the_whole_unique_region():
    game = _random_games(100_000)
    alpha, beta_o, beta_a, z, c, k, lam, force = game
    got = gg.threshold(alpha, beta_o, beta_a, z, ndtri(c), ndtri(k), lam, force)
    more = gg.threshold(alpha, beta_o, beta_a, z, ndtri(c), ndtri(k), lam, force, 200)
    assert np.abs(got - more).max() < 1e-13
    solved = textbook.two_layer(*game)
    assert np.abs(solved.theta - (solved.attack - force - lam * solved.hold)).max() < 1e-12


def test_alpha_is_lowered_only_where_needed():
    alpha, beta_o, beta_a, *_, lam, _ = _random_games(2000)
    raw = alpha * 3
    low = gg.unique_alpha(raw, beta_o, beta_a, lam)
    pull = textbook.public_pull(low, beta_o, beta_a, lam)
    assert np.all(pull <= 0.98 * gg.UNIQUENESS_BOUND + 1e-12)
    fine = textbook.public_pull(raw, beta_o, beta_a, lam) <= 0.98 * gg.UNIQUENESS_BOUND
    assert np.array_equal(low[fine], raw[fine])
    assert np.all(low[~fine] < raw[~fine])


@pytest.mark.parametrize(
    ("place", "step", "sign"),
    [(3, 0.1, -1), (4, 0.01, -1), (5, 0.01, 1), (6, 0.05, -1), (7, 0.1, -1)],
    ids=["pledge", "cost", "chance-asked", "weight", "boots"],
)
def test_comparative_statics_of_the_threshold(place, step, sign):
    game = list(_random_games(3000, seed=place))
    base = textbook.two_layer(*game)
    lowered = game[0] * 0.9  # keeps the stepped game unique
    game[0] = lowered
    base = textbook.two_layer(*game)
    game[place] = game[place] + step
    moved = textbook.two_layer(*game)
    assert np.all(sign * (moved.theta - base.theta) >= -1e-12)
    assert np.median(sign * (moved.theta - base.theta)) > 0
    if place in (3, 7):  # backing makes commanders hold
        assert np.all(moved.cutoff <= base.cutoff + 1e-12)


def test_an_announcement_is_amplified_by_the_force():
    def fall(lam):
        return float(
            textbook.two_layer(1, 4, 4, 0.0, 0.3, 0.4, lam).theta
            - textbook.two_layer(1, 4, 4, 0.3, 0.3, 0.4, lam).theta
        )

    assert fall(0.5) == pytest.approx(0.099, abs=5e-4)
    assert fall(0.0) == pytest.approx(0.045, abs=5e-4)
    assert fall(0.5) / fall(0.0) == pytest.approx(2.2, abs=0.05)
    falls = [fall(lam) for lam in (0.0, 0.2, 0.4, 0.6)]
    assert falls == sorted(falls)


def test_three_entries_of_foreign_backing():
    base = textbook.two_layer(1, 4, 4, 0, 0.3, 0.4, 0.5).theta
    boots = textbook.two_layer(1, 4, 4, 0, 0.3, 0.4, 0.5, 0.2).theta
    guarantee = textbook.two_layer(1, 4, 4, 0, 0.3, 0.3, 0.5).theta
    assert base - boots == pytest.approx(0.265, abs=5e-4)
    assert (base - boots) / 0.2 == pytest.approx(1.32, abs=0.01)
    assert base - guarantee == pytest.approx(0.078, abs=5e-4)


@pytest.mark.parametrize(
    ("alpha", "p", "c", "theta", "cutoff", "mimicked"),
    [
        (1, 0.5, 0.1, 0.274409, 0.873941, 2.537459),
        (4, 0.5, 0.1, 0.170320, 0.646771, 1.665788),
        (25, 0.5, 0.1, 0.083748, 0.359807, 0.849140),
        (400, 0.5, 0.1, 0.026050, 0.123165, 0.271141),
        (1, 0.75, 0.1, 0.193861, -0.012087, 1.651432),
        (4, 0.5, 0.5, 0.443835, 0.514462, 0.997864),
        (25, 0.3, 0.5, 0.323165, 0.540582, 0.873286),
    ],
)
def test_edmond(alpha, p, c, theta, cutoff, mimicked):
    game = textbook.edmond(alpha, p, c)
    assert game.theta == pytest.approx(theta, abs=1e-6)
    assert game.cutoff == pytest.approx(cutoff, abs=1e-6)
    assert game.mimicked == pytest.approx(mimicked, abs=1e-6)
    assert game.benchmark == 1 - p
    assert game.theta < game.benchmark


def test_edmond_indifference_of_the_marginal_regime():
    """At theta* the cost of mimicking theta** equals the value of survival."""
    alpha, p, c = 1.0, 0.5, 0.1
    game = textbook.edmond(alpha, p, c)
    attack = norm.cdf(np.sqrt(alpha) * (game.cutoff - game.mimicked))
    assert game.theta - attack - c * (game.mimicked - game.theta) == pytest.approx(0.0, abs=1e-12)


def test_edmond_refuses_dear_bias_and_bad_costs():
    with pytest.raises(ValueError, match="manipulation pays only while"):
        textbook.edmond(1.0, 0.5, 0.5)
    with pytest.raises(ValueError, match="p must lie strictly between"):
        textbook.edmond(1.0, 1.0, 0.1)


def test_protest_as_public_news_is_the_one_layer_game():
    beta, tau = 4.0, 0.5
    pull = textbook.protest_news_pull(beta, tau)
    assert pull == pytest.approx(textbook.public_pull(tau * beta, beta))
    assert textbook.protest_news_pull(beta, 0.1) < pull  # a shutdown weakens coordination
