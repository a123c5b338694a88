"""Contagion: the published equations, their closed forms, and the coupling of the cities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from foedus.world.mechanisms import contagion

from ...oracles import contagion as textbook
from .street_settings import (
    SETTING,
    advance,
    batch_free,
    changed,
    medians,
    moving_parameters,
    setting,
    streets,
)

TWO = np.array([[1.0, 0.3], [0.3, 1.0]])
FRESH = np.ones(2)
SEED = np.array([0.01, 0.0])


def test_two_cities_final_reservoir():
    end = textbook.final_reservoir(SEED, FRESH, TWO, 0.5, 0.4)
    assert end == pytest.approx([0.336536, 0.340747], abs=1e-6)
    run = textbook.field(SEED, FRESH, TWO, 0.5, 0.4, np.array([0.0, 400.0]))
    assert run.sig[-1] == pytest.approx(end, abs=1e-7)
    assert run.lam[-1] == pytest.approx([0.0, 0.0], abs=1e-7)


def test_two_cities_peaks():
    t = np.linspace(0.0, 60.0, 6001)
    run = textbook.field(SEED, FRESH, TWO, 0.5, 0.4, t)
    assert run.lam.max(axis=0) == pytest.approx([0.08934, 0.09227], abs=1e-5)
    assert t[run.lam.argmax(axis=0)] == pytest.approx([17.35, 17.52], abs=0.011)


def test_two_cities_growth():
    assert textbook.growth_rate(FRESH, TWO, 0.5, 0.4) == pytest.approx(0.25)


def test_cut_link_leaves_the_second_city_alone():
    end = textbook.final_reservoir(SEED, FRESH, np.eye(2), 0.5, 0.4)
    assert end == pytest.approx([0.596034, 1.0], abs=1e-6)


@pytest.mark.parametrize(
    ("r0", "attack", "peak"),
    [(1.5, 0.584475, 0.064023), (2.0, 0.797495, 0.154426), (3.0, 0.940697, 0.301463)],
)
def test_one_city(r0, attack, peak):
    one, seed = np.ones(1), np.array([0.001])
    end = textbook.final_reservoir(seed, one, np.eye(1), r0, 1.0)
    assert 1 - end[0] == pytest.approx(attack, abs=1e-6)
    run = textbook.field(seed, one, np.eye(1), r0, 1.0, np.linspace(0, 40, 40001))
    assert run.lam.max() == pytest.approx(peak, abs=1e-6)


def test_hawkes_cluster_and_spectral_radius():
    N = np.array([[0.5, 0.1], [0.1, 0.4]])
    assert textbook.spectral_radius(N) == pytest.approx(0.561803, abs=1e-6)
    assert textbook.cluster(N)[:, 0] == pytest.approx([2.068966, 0.344828], abs=1e-6)
    assert textbook.cluster(np.array([[0.5]]))[0, 0] == pytest.approx(2.0)


def test_univariate_cluster_size_is_borel():
    n = 0.5
    k = np.arange(1, 400)
    from scipy.special import gammaln

    weight = np.exp(-n * k + (k - 1) * np.log(n * k) - gammaln(k + 1))
    mean = (weight * k).sum()
    assert mean == pytest.approx(2.0, abs=1e-9)
    assert (weight * (k - mean) ** 2).sum() == pytest.approx(4.0, abs=1e-6)


def test_endless_clusters_are_refused():
    with pytest.raises(ValueError, match=r"spectral radius must be below 1, got 1\.1"):
        textbook.cluster(np.array([[1.1]]))


def test_branching_ratio_and_prior():
    assert textbook.branching_ratio(2.65) == pytest.approx(0.6226, abs=1e-4)
    assert textbook.branching_ratio(3.0) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="at least 1"):
        textbook.branching_ratio(0.5)
    low, high = textbook.BRANCHING.quantile(np.array([0.05, 0.95]))
    assert low == pytest.approx(0.4, abs=0.01)
    assert high == pytest.approx(0.82, abs=0.03)
    assert textbook.BRANCHING.mean == 0.63


def test_a_day_of_the_pressure_equation():
    state = streets()
    state.contagion[:] = 0.02
    state.internet[:] = 0.4
    p = medians(contagion)
    advance(contagion, p, state)
    m, chi, omega = (p[f"contagion.{w}"][0] for w in ("media", "shutdown", "decay"))
    d0, delta = p["contagion.distance"][0], p["contagion.power"][0]
    W = (1 - m) * (1 + SETTING.distance / d0) ** -delta + m * (1 - chi * 0.6)
    np.fill_diagonal(W, 0.0)
    felt = W @ state.active_share[0]
    renewed = p["contagion.strength"][0] * (1 - np.exp(-p["contagion.slope"][0] * felt))
    want = 0.02 * np.exp(-omega) + (1 - np.exp(-omega)) / omega * renewed
    assert state.contagion[0] == pytest.approx(want, rel=1e-12)


def test_daily_steps_are_the_exact_solution_of_the_pressure_equation():
    state = streets()
    p = medians(contagion)
    advance(contagion, p, state, days=200)
    one = streets()
    advance(contagion, p, one, days=1)
    omega = p["contagion.decay"][:, None]
    assert state.contagion == pytest.approx(one.contagion / (1 - np.exp(-omega)), rel=1e-9)


def test_no_strength_no_pressure_and_nothing_else_moves():
    state = streets()
    after = advance(contagion, medians(contagion, contagion__strength=0.0), state.fork(), days=5)
    assert changed(state, after) == set()
    moved = advance(contagion, medians(contagion), state.fork(), days=5)
    assert changed(state, moved) == {"contagion"}


def test_calm_elsewhere_and_a_lone_city_feel_nothing():
    p = medians(contagion)
    assert np.all(advance(contagion, p, streets(active=0.0)).contagion == 0)
    lone = setting(
        cities=("a",),
        population=np.array([1e6]),
        lattice=np.array([20]),
        distance=np.zeros((1, 1)),
    )
    assert np.all(advance(contagion, p, streets(frame=lone), frame=lone).contagion == 0)


def test_own_unrest_is_not_felt_and_the_near_feel_more():
    state = streets()
    state.active_share[:] = [0.2, 0.0, 0.0]
    advance(contagion, medians(contagion), state)
    assert np.all(state.contagion[:, 0] == 0)
    assert np.all(state.contagion[:, 1] > state.contagion[:, 2])
    assert np.all(state.contagion[:, 2] > 0)


def test_a_shutdown_cuts_the_media_channel_only():
    full: dict[str, Any] = {"contagion__shutdown": 1.0}
    state, dark = streets(), streets()
    dark.internet[:] = 0.0
    p = medians(contagion, contagion__media=0.6, **full)
    advance(contagion, p, state)
    advance(contagion, p, dark)
    assert np.all(dark.contagion < state.contagion)
    assert np.all(dark.contagion > 0)

    by_road = medians(contagion, contagion__media=0.0, **full)
    a, b = streets(), streets()
    b.internet[:] = 0.0
    assert np.array_equal(
        advance(contagion, by_road, a).contagion, advance(contagion, by_road, b).contagion
    )
    by_air = medians(contagion, contagion__media=1.0, **full)
    c = streets()
    c.internet[:] = 0.0
    assert np.all(advance(contagion, by_air, c).contagion == 0)


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        ("strength", 1),
        ("slope", 1),
        ("decay", -1),
        ("distance", 1),
        ("power", -1),
        ("shutdown", -1),
    ],
)
def test_signs(name, sign):
    prior = next(q.prior for q in contagion.PARAMETERS if q.name == f"contagion.{name}")
    felt = []
    for u in (0.1, 0.9):
        state = streets(active=0.02)
        state.internet[:] = 0.3
        value = float(prior.quantile(np.array([u]))[0])
        given: dict[str, Any] = {f"contagion__{name}": value}
        p = medians(contagion, **given)
        felt.append(advance(contagion, p, state, days=5).contagion)
    assert np.all(sign * (felt[1] - felt[0]) > 0)


def test_every_parameter_moves_something():
    def play(p):
        state = streets(60)
        state.internet[:] = 0.4
        return {"contagion": advance(contagion, p, state, days=3).contagion}

    moved = moving_parameters(contagion, play)
    assert all(moved.values()), moved


def test_a_run_does_not_depend_on_its_batch():
    batch_free(contagion, streets)
