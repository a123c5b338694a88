"""Stages: where later runs are drawn, and their importance weights."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from foedus.ensemble.proposal import DEFENSIVE, Stage, boundaries, log_price, move

NAMES = ("hypothesis", "a", "b")


def _points(runs: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).uniform(size=(3, runs))


def test_stages_begin_at_fixed_runs_whatever_is_asked_for():
    assert boundaries(500) == []
    assert boundaries(501) == [500]
    assert boundaries(5000) == [500, 1000, 2000, 4000]
    assert boundaries(5000)[: len(boundaries(900))] == boundaries(900)


def test_runs_before_a_stage_and_other_dimensions_stay():
    runs = np.arange(2000, dtype=np.int64)
    u = _points(2000)
    stage = Stage(1000, ("a",), (1.0,), (1.0,))
    moved = move(u, NAMES, [stage], seed=5, runs=runs)
    np.testing.assert_array_equal(moved[:, :1000], u[:, :1000])
    np.testing.assert_array_equal(moved[[0, 2]], u[[0, 2]])
    changed = moved[1, 1000:] != u[1, 1000:]
    assert changed.mean() == pytest.approx(1 - DEFENSIVE, abs=0.04)
    np.testing.assert_allclose(
        ndtri(moved[1, 1000:][changed]), ndtri(u[1, 1000:][changed]) + 1.0, atol=1e-9
    )


def test_a_run_does_not_depend_on_its_batch():
    runs = np.arange(2000, dtype=np.int64)
    u = _points(2000)
    stages = [Stage(500, ("a", "b"), (1.0, -0.5), (1.0, 0.8)), Stage(1000, ("b",), (0.7,), (1.0,))]
    whole = move(u, NAMES, stages, seed=5, runs=runs)
    some = np.array([3, 499, 500, 777, 1000, 1999])
    np.testing.assert_array_equal(
        move(u[:, some], NAMES, stages, seed=5, runs=runs[some]), whole[:, some]
    )


def test_no_stage_costs_nothing():
    u = _points(10)
    np.testing.assert_array_equal(log_price(u, NAMES, [], runs=10), np.zeros(10))
    late = Stage(500, ("a",), (1.0,), (1.0,))
    np.testing.assert_array_equal(log_price(u, NAMES, [late], runs=10), np.zeros(10))


def test_weights_are_bounded_by_the_defensive_share():
    runs = np.arange(4000, dtype=np.int64)
    stages = [Stage(500, ("a", "b"), (1.3, -1.3), (1.0, 0.5))]
    u = move(_points(4000), NAMES, stages, seed=5, runs=runs)
    assert log_price(u, NAMES, stages, runs=4000).max() <= -np.log(DEFENSIVE) + 1e-12


def test_weighted_runs_are_the_prior_again():
    """The weights are exact: any expectation under the prior is recovered, whatever the stages."""
    size = 200_000
    runs = np.arange(size, dtype=np.int64)
    stages = [
        Stage(500, ("a",), (1.0,), (1.0,)),
        Stage(50_000, ("a", "b"), (0.8, -1.1), (1.0, 0.7)),
    ]
    u = move(_points(size), NAMES, stages, seed=5, runs=runs)
    weight = np.exp(log_price(u, NAMES, stages, runs=size))
    assert weight.mean() == pytest.approx(1.0, abs=0.01)
    weight /= weight.sum()
    for row in (1, 2):
        z = ndtri(u[row])
        assert (weight * z).sum() == pytest.approx(0.0, abs=0.02)
        assert (weight * z * z).sum() == pytest.approx(1.0, abs=0.03)
        assert (weight * (z > 1.5)).sum() == pytest.approx(1 - ndtr(1.5), abs=0.004)


def test_a_stage_survives_json():
    stage = Stage(500, ("a", "b"), (1.25, -0.1), (1.0, 0.7))
    assert Stage.from_json(stage.to_json()) == stage
