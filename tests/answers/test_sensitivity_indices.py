"""Sensitivity from existing runs: closed forms, weights, noise, and SALib's own analysers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from foedus.answers.sensitivity_analysis import chance_share
from foedus.answers.sensitivity_indices import (
    LEVELS,
    Answers,
    classes,
    cut,
    index,
    levels,
    noise,
    raw_shares,
    resampled,
)

from ..narrowing import present

RUNS = 8000


def measured(u, y, weight=None, *, count=None):
    """Return the index of each input, shape (input, run), and the largest under noise."""
    weight = np.full(u.shape[1], 1.0 / u.shape[1]) if weight is None else weight / weight.sum()
    answers = Answers.of(y, weight)
    count = count or classes(answers.effective)
    weights = resampled(weight, seed=5)
    found = [index(raw_shares(cut(row, weight, count), answers, weights)[:, 0]) for row in u]
    return found, float(noise(answers, count=count, inputs=len(u), seed=6)[0])


def test_a_binary_answer_has_its_first_order_index():
    rng = np.random.default_rng(1)
    u = rng.random((3, RUNS))
    # P(yes | u0) is 0.2 below one half and 0.8 above: 0.3² / 0.25 of the variance
    y = rng.random(RUNS) < np.where(u[0] > 0.5, 0.8, 0.2)
    (first, second, third), largest = measured(u, y.astype(float))
    assert first.share == pytest.approx(0.36, abs=0.025)
    assert first.share - first.error < 0.36 < first.share + first.error
    assert first.raw > largest
    for other in (second, third):
        assert abs(other.share) < 1.5 * other.error
        assert other.raw < largest


def test_a_linear_gaussian_toy():
    """Y = ρ X + √(1 - ρ²) Z: the index has a closed form by the arcsine law."""
    rng = np.random.default_rng(2)
    x, z = rng.standard_normal((2, 20_000))
    for rho in (0.8, 0.5):
        y = rho * x + math.sqrt(1.0 - rho**2) * z
        (found,), _ = measured(x[None], y)
        # Averaged over the thresholds t, the covariance of [Y ≤ t] and [Y' ≤ t] of two answers
        # with one X is P(Y ≤ T, Y' ≤ T) - 1/3: Y - T and Y' - T correlate by (ρ² + 1) / 2.
        both = 0.25 + math.asin((rho**2 + 1.0) / 2.0) / (2.0 * math.pi)
        exact = (both - 1.0 / 3.0) / (1.0 / 6.0)
        assert found.share == pytest.approx(exact, abs=found.error + 0.01)


def test_weights_give_what_runs_of_the_other_law_give():
    """Importance weights from N(0, 1) to N(1, 1) in another input that changes the answer."""
    rng = np.random.default_rng(3)
    x, s = rng.standard_normal((2, 40_000))
    y = (x + s > 1.0).astype(float)
    tilted = (x + (s + 1.0) > 1.0).astype(float)
    (there, _), _ = measured(np.array([x, s]), tilted)
    weight = np.exp(s - 0.5)
    (here, _), _ = measured(np.array([x, s]), y, weight, count=20)
    (plain, _), _ = measured(np.array([x, s]), y)
    assert here.share == pytest.approx(there.share, abs=here.error)
    assert plain.share != pytest.approx(there.share, abs=here.error)
    assert here.error > there.error  # fewer effective runs


def test_against_salib():
    """With equal weights and a binary answer, equal to SALib's given-data first-order index."""
    from SALib.analyze.delta import sobol_first

    rng = np.random.default_rng(4)
    u = rng.random((3, RUNS))
    x = 2.0 * np.pi * u - np.pi
    y = np.sin(x[0]) + 7.0 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])  # Ishigami
    yes = (y > 4.0).astype(float)
    ours, _ = measured(u, yes)
    edges = np.linspace(0, RUNS, classes(RUNS) + 1)
    assert [i.raw for i in ours] == pytest.approx([sobol_first(yes, row, edges) for row in u])


def test_intervals_cover():
    """95% intervals of a known index, over 60 data sets of few runs."""
    inside = 0
    for seed in range(60):
        rng = np.random.default_rng(100 + seed)
        part = rng.integers(0, 2, 500)
        y = (rng.random(500) < np.where(part == 1, 0.8, 0.2)).astype(float)
        weight = np.full(500, 1.0 / 500)
        raw = raw_shares(part, Answers.of(y, weight), resampled(weight, seed=seed))
        found = index(raw[:, 0])
        inside += abs(found.share - 0.36) < found.error
    assert 52 <= inside <= 60  # 57 expected; fewer than 52 has a chance of one in fifty


def test_noise_is_hardly_ever_told():
    told = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        u, y = rng.random((10, 300)), rng.random(300)
        found, largest = measured(u, y, rng.exponential(size=300))
        told += any(i.raw > largest for i in found)
    assert told <= 4  # one in twenty is expected; more than four has a chance below one in 300


def test_no_moments_are_needed():
    rng = np.random.default_rng(8)
    u = rng.random((1, RUNS))
    day = np.where(rng.random(RUNS) < u[0], np.floor(30 * rng.random(RUNS)), np.inf)
    (never,), _ = measured(u, day)
    (late,), _ = measured(u, np.minimum(day, 30.0))
    (tail,), _ = measured(u, np.exp(np.minimum(day, 30.0)))
    assert never == late == tail


def test_classes_have_equal_weight():
    rng = np.random.default_rng(9)
    weight = rng.exponential(size=2000)
    weight /= weight.sum()
    part = cut(rng.random(2000), weight, 8)
    assert np.bincount(part, weights=weight) == pytest.approx(np.full(8, 1 / 8), abs=0.005)
    assert (classes(10.0), classes(1000.0), classes(1e9)) == (4, 10, 20)
    assert levels(np.array([3.0, 1.0, np.inf, 1.0]), np.full(4, 0.25)).tolist() == [1, 0, 2, 0]
    assert levels(rng.random(2000), weight).max() == LEVELS - 1


def test_the_share_of_chance():
    rng = np.random.default_rng(10)
    p = rng.random(4000)  # what the inputs determine of the chance of yes
    one, other = (rng.random((2, 4000)) < p).astype(float)
    found = present(chance_share(one, other))
    # E p (1 - p) / (1/4) = (1/2 - 1/3) · 4
    assert found.low < 2.0 / 3.0 < found.high
    assert found.share == pytest.approx(2.0 / 3.0, abs=0.04)
    none = present(chance_share(one, one))
    assert (none.share, none.low) == (0.0, 0.0)
    # three in 4000 pairs may differ, each with a half of p (1 - p) = 1/4
    assert none.high == pytest.approx(3.0 / 4000.0 * 0.5 / 0.25, rel=0.05)
    assert chance_share(np.ones(9), np.ones(9)) is None
    numbers = rng.standard_normal((2, 4000))
    assert present(chance_share(*numbers)).share == pytest.approx(1.0, abs=0.05)
