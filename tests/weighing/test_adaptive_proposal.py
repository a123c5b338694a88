"""Adaptive proposals: found in a linear toy, inactive in noise, and worth their cost."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from foedus.ensemble.proposal import Stage, log_price, move
from foedus.weighing.adaptive_proposal import FURTHEST, STEP, fitted
from foedus.weighing.weights import effective_size

NAMES = ("hypothesis", *(f"p{i}" for i in range(20)))
SLOPES = np.array([0.0, 1.5, -1.0, 0.6, *([0.0] * 17)])


def _scores(runs: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(21, runs))


def _fit(z: np.ndarray, noise: float = 1.0, seed: int = 2) -> np.ndarray:
    return np.asarray(SLOPES @ z) + noise * np.random.default_rng(seed).normal(size=z.shape[1])


def test_it_finds_the_slopes_and_little_else():
    z = _scores(1500)
    stage = fitted(NAMES, z, _fit(z), 1500)
    found = dict(zip(stage.names, stage.mean, strict=True))
    wanted = np.clip(STEP * SLOPES[1:4], -FURTHEST, FURTHEST)
    for name, mean in zip(NAMES[1:4], wanted, strict=True):
        assert abs(found.pop(name) - mean) < 0.12
    assert len(found) <= 3, "noise moves almost nothing"


def test_the_hypothesis_is_never_moved():
    z = _scores(1500)
    fit = 3.0 * z[0]
    assert "hypothesis" not in fitted(NAMES, z, fit, 1500).names


def test_too_few_runs_or_no_finite_fit_move_nothing():
    z = _scores(30)
    assert fitted(NAMES, z, _fit(z), 30) == Stage(30, (), (), ())
    z = _scores(100)
    assert fitted(NAMES, z, np.full(100, -np.inf), 100) == Stage(100, (), (), ())


def test_hopeless_runs_do_not_decide():
    z = _scores(1500)
    fit = _fit(z)
    hopeless = np.random.default_rng(9).uniform(size=1500) < 0.3
    stage = fitted(NAMES, z, np.where(hopeless, -1e4, fit), 1500)
    found = dict(zip(stage.names, stage.mean, strict=True))
    assert found["p0"] > 0.3
    assert found["p1"] < -0.2


def test_the_next_runs_are_worth_more():
    size, runs = 4000, np.arange(4000, dtype=np.int64)
    u = np.random.default_rng(4).uniform(size=(21, size))
    plain = effective_size(2 * _fit(ndtri(u)))
    stage = fitted(NAMES, ndtri(u[:, :500]), 2 * _fit(ndtri(u))[:500], 500)
    moved = move(u, NAMES, [stage], seed=1, runs=runs)
    price = log_price(moved, NAMES, [stage], runs=size)
    assert effective_size(price + 2 * _fit(ndtri(moved))) > 2 * plain
