"""Rank statistics on known cases: uniform samples pass, and non-uniform ones are detected."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats


def test_uniform_ranks_give_uniform_p_values(uniformity):
    random = np.random.default_rng(1)
    p = [uniformity.p_value(random.uniform(size=200)) for _ in range(400)]
    assert stats.kstest(p, "uniform").pvalue > 0.001
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.035)


@pytest.mark.parametrize(
    "pits",
    [
        lambda r: np.clip(r.uniform(size=500) + 0.08, 0, 1),  # biased
        lambda r: r.beta(0.6, 0.6, size=500),  # too narrow: truths too often in the tails
        lambda r: r.beta(1.7, 1.7, size=500),  # too wide
        lambda r: np.where(r.uniform(size=500) < 0.05, 1.0, r.uniform(size=500)),  # one bad tail
    ],
    ids=["biased", "narrow", "wide", "tail"],
)
def test_ranks_that_are_not_uniform_are_found(uniformity, pits):
    assert uniformity.p_value(pits(np.random.default_rng(2))) < 1e-3


def test_the_band_is_simultaneous(uniformity):
    """95 of 100 uniform samples lie entirely inside it; each single point does far more often."""
    z, low, high = uniformity.band(100)
    random = np.random.default_rng(3)
    pits = np.sort(random.uniform(size=(2000, 100)), axis=1)
    found = np.array([np.searchsorted(row, z, side="right") / 100 - z for row in pits])
    inside = (found >= low - 1e-12) & (found <= high + 1e-12)
    assert inside.all(axis=1).mean() == pytest.approx(0.95, abs=0.015)
    assert inside.mean(axis=0).min() > 0.98


@pytest.mark.slow
def test_the_band_is_that_of_arviz(uniformity):
    """ArviZ's own implementation of Säilynoja et al. gives the same band."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # it announces its next version
        theirs = pytest.importorskip("arviz.stats.ecdf_utils", exc_type=ImportError)
    z, low, high = uniformity.band(250)
    found = theirs.ecdf_confidence_band(250, z, z, prob=0.95, method="optimized")
    np.testing.assert_allclose(low, found[0] - z, atol=0.006)
    np.testing.assert_allclose(high, found[1] - z, atol=0.006)


def test_a_rank_among_equal_runs_is_the_usual_one(uniformity):
    values, weight = np.array([1.0, 2.0, 3.0]), np.full(3, 1 / 3)
    rank = uniformity.pit(values, weight, 2.5, own=1 / 3, u=0.5)
    assert rank == pytest.approx((2 + 0.5) / 4)


def test_ties_are_broken_and_never_is_the_largest(uniformity):
    values, weight = np.array([1.0, np.inf, np.inf, 4.0]), np.full(4, 0.25)
    assert uniformity.pit(values, weight, np.inf, own=0.0, u=0.0) == pytest.approx(0.5)
    assert uniformity.pit(values, weight, np.inf, own=0.0, u=1.0) == pytest.approx(1.0)
    assert uniformity.pit(values, weight, 4.0 + 1e-12, own=0.0, u=1.0) == pytest.approx(0.5)


@pytest.mark.parametrize("runs", [3, 40])
def test_with_its_own_weight_the_truth_ranks_uniformly_however_few_the_runs(uniformity, runs):
    """Normal prior and data; a handful of prior draws, weighted by the likelihood."""
    random = np.random.default_rng(4)
    own, without = [], []
    for _ in range(800):
        truth, draws = random.normal(), random.normal(size=runs)
        y = truth + 0.5 * random.normal()
        density = stats.norm.pdf(y, draws, 0.5)
        weight, u = density / density.sum(), random.uniform()
        share = stats.norm.pdf(y, truth, 0.5) / density.sum()
        own.append(uniformity.pit(draws, weight, truth, own=share, u=u))
        without.append(uniformity.pit(draws, weight, truth, own=0.0, u=u))
    assert uniformity.p_value(np.array(own)) > 0.01
    if runs == 3:
        assert uniformity.p_value(np.array(without)) < 1e-3


def test_coverage_and_its_error(uniformity):
    pits = np.random.default_rng(5).uniform(size=4000)
    found = uniformity.coverage(pits, 0.8)
    assert found.error == pytest.approx(np.sqrt(0.8 * 0.2 / 4000))
    assert abs(found.sigmas) < 3
    same = uniformity.coverage(np.stack([pits] * 5, axis=1), 0.8)  # each five times
    assert same.error == pytest.approx(found.error, rel=0.05)
    narrow = uniformity.coverage(np.random.default_rng(5).beta(0.5, 0.5, size=500), 0.8)
    assert narrow.sigmas < -4


def test_probabilities(uniformity):
    random = np.random.default_rng(6)
    p = random.uniform(size=2000)
    outcome = (random.uniform(size=2000) < p).astype(float)
    right = uniformity.probabilities(p, outcome)
    assert min(right["p_bias"], right["p_spread"]) > 0.01
    assert uniformity.probabilities(np.clip(p - 0.06, 0, 1), outcome)["p_bias"] < 1e-3
    sure = p**2 / (p**2 + (1 - p) ** 2)
    assert uniformity.probabilities(sure, outcome)["p_spread"] < 1e-3
    assert np.isnan(uniformity.probabilities(np.zeros(3), np.zeros(3))["p_bias"])


def test_bonferroni(uniformity):
    assert uniformity.bonferroni([0.01, 0.5, float("nan")]) == pytest.approx(0.02)
    assert uniformity.bonferroni([0.9, 0.8]) == 1.0
