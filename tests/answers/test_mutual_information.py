"""Mutual information of weighted runs, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from foedus.answers.mutual_information import NOTHING, entropy, information


def gaussian(truth, scale, edges):
    """Probability of each bin of a reading with normal error, shape (truth, bin)."""
    below = stats.norm.cdf((edges - truth[:, None]) / scale)
    return np.diff(np.pad(below, ((0, 0), (1, 1)), constant_values=(0, 1)), axis=1)


@pytest.mark.parametrize("ratio", [0.1, 1.0, 4.0])
def test_a_linear_gaussian_channel_has_half_the_log_of_one_plus_the_ratio(ratio):
    """Truth N(0, 1), error N(0, 1/ratio): ½ log2(1 + ratio) bits."""
    runs, cells, classes = 20_000, 400, 50
    place = np.arange(runs)
    truth = stats.norm.ppf((place + 0.5) / runs).reshape(cells, -1).mean(axis=1)
    scale = ratio**-0.5
    edges = np.linspace(-4.5, 4.5, 61) * np.hypot(1.0, scale)
    found = information(
        place * classes // runs,
        place * cells // runs,
        gaussian(truth, scale, edges),
        np.full(runs, 1.0 / runs),
    )
    exact = 0.5 * np.log2(1.0 + ratio)
    assert 0.98 * exact < found.bits < exact  # classes and bins lose a little
    assert found.p_value < 1e-12


@pytest.mark.parametrize("flip", [0.01, 0.1, 0.4, 0.5])
def test_a_binary_symmetric_channel(flip):
    """A fair bit, flipped with chance f: 1 - H(f) bits."""
    runs = 20_000
    bit = np.arange(runs) % 2
    channel = np.array([[1 - flip, flip], [flip, 1 - flip]])
    found = information(bit, bit, channel, np.full(runs, 1.0 / runs))
    assert found.bits == pytest.approx(1 - entropy(np.array([flip, 1 - flip])), abs=2e-4)


def test_weights_stand_for_runs():
    """Two ways to say that three in four runs are of class 1."""
    channel = np.array([[0.8, 0.2], [0.3, 0.7]])
    bit = np.array([0, 1] * 5000)
    weight = np.where(bit == 1, 0.75, 0.25) / 5000
    joint = np.array([[0.25], [0.75]]) * channel
    exact = entropy(joint.sum(axis=0)) - float(
        np.dot([0.25, 0.75], [entropy(channel[0]), entropy(channel[1])])
    )
    assert information(bit, bit, channel, weight).bits == pytest.approx(exact, abs=1e-3)


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_chance_alone_is_taken_off_and_not_told(spread):
    """Unrelated class and truth in 400 runs: no bits on average, and few false alarms."""
    rng = np.random.default_rng(8)
    channel = gaussian(np.linspace(-2, 2, 20), 0.8, np.linspace(-4, 4, 20))
    bits, excess, alarms = [], [], 0
    for _ in range(400):
        weight = np.exp(spread * rng.normal(size=400))
        found = information(
            rng.integers(0, 4, 400), rng.integers(0, 20, 400), channel, weight / weight.sum()
        )
        bits.append(found.bits)
        excess.append(found.excess)
        alarms += found.p_value < 0.05
    assert np.mean(excess) > 0.005
    assert abs(np.mean(bits)) < 0.25 * np.mean(excess)
    assert 0.01 * 400 < alarms < 0.08 * 400


def test_the_error_is_that_of_repeated_samples():
    rng = np.random.default_rng(3)
    channel = np.array([[0.9, 0.1], [0.5, 0.5]])
    bits, errors = [], []
    for _ in range(400):
        bit = (rng.random(300) < 0.4).astype(np.int64)
        truth = np.where(rng.random(300) < 0.7, bit, 1 - bit)
        weight = np.exp(0.7 * rng.normal(size=300))
        found = information(bit, truth, channel, weight / weight.sum())
        bits.append(found.bits)
        errors.append(found.error)
    assert np.mean(errors) == pytest.approx(np.std(bits), rel=0.25)


def test_one_class_or_one_truth_tells_nothing():
    channel = np.array([[0.9, 0.1], [0.2, 0.8]])
    weight = np.full(10, 0.1)
    assert information(np.zeros(10, int), np.arange(10) % 2, channel, weight) == NOTHING
    assert information(np.arange(10) % 2, np.zeros(10, int), channel, weight) == NOTHING
    lone = np.where(np.arange(10) < 5, 0.2, 0.0)  # the other class has no weight
    assert (
        information((np.arange(10) >= 5).astype(int), np.arange(10) % 2, channel, lone) == NOTHING
    )
