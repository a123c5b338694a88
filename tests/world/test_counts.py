"""Poisson counts by inversion agree with scipy and with the keyed draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from foedus.world.counts import LARGE, poisson, small_poisson

from .mechanisms.street_settings import keyed


@pytest.mark.parametrize("mean", [0.0, 1e-9, 0.3, 1.0, 7.7, 40.0, LARGE, 64.1, 500.0, 1e5])
def test_same_as_the_keyed_draw(mean):
    random = keyed(3000)
    means = np.full(3000, mean)
    ours = poisson(random, means, "lethal.protesters", place=2, tick=5)
    theirs = random.poisson(means, "lethal.protesters", place=2, tick=5)
    assert np.array_equal(ours, theirs)


def test_inverts_the_distribution_function():
    u = (np.arange(2000) + 0.5) / 2000
    for mean in (0.2, 3.0, 30.0):
        out = np.empty(2000)
        small_poisson(u, np.full(2000, mean), LARGE, out)
        assert np.array_equal(out, stats.poisson.ppf(u, mean))


def test_monotone_in_the_mean_and_bounded_in_the_tail():
    random = keyed(500)
    previous = np.zeros(500)
    for mean in (0.1, 0.5, 2.0, 20.0, 63.0, 65.0, 200.0):
        now = poisson(random, np.full(500, mean), "x")
        assert np.all(now >= previous)
        previous = now
    out = np.empty(1)
    small_poisson(np.array([1.0]), np.array([5.0]), LARGE, out)
    assert 20.0 < out[0] < 60.0
