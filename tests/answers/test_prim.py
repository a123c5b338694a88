"""Boxes: a planted one is found, and none is found in noise."""

from __future__ import annotations

import numpy as np
import pytest

from foedus.answers import prim
from foedus.answers.prim import Box, Restriction, quality, quasi_p

RUNS = 4000


@pytest.fixture(scope="module")
def planted():
    """Uniform noise and an option; yes in 90% inside a box of one eighth, otherwise in 10%."""
    rng = np.random.default_rng(1)
    x = rng.random((5, RUNS))
    x[4] = rng.integers(0, 4, RUNS)
    inside = (x[0] > 0.5) & (x[1] < 0.5) & (x[4] < 2)
    y = (rng.random(RUNS) < np.where(inside, 0.9, 0.1)).astype(float)
    return x, (0, 0, 0, 0, 4), y, np.full(RUNS, 1.0 / RUNS)


@pytest.mark.parametrize("make", [prim.peel, prim.tree_boxes])
def test_the_planted_box_is_found(planted, make):
    x, options, y, weight = planted
    boxes = make(x, options, y, weight)
    assert boxes[0] == Box()
    box, at = prim.chosen(boxes, x, y, weight)
    assert set(box.restrictions) == {0, 1, 4}
    assert at > 0
    assert box.restrictions[0].low == pytest.approx(0.5, abs=0.06)
    assert box.restrictions[1].high == pytest.approx(0.5, abs=0.06)
    assert box.restrictions[4].options == frozenset({0, 1})
    found = quality(box.holds(x), y, weight)
    assert found.mass == pytest.approx(0.125, abs=0.03)
    assert found.density == pytest.approx(0.9, abs=0.05)
    # 0.9/8 of 0.9/8 + 0.1·7/8
    assert found.coverage == pytest.approx(0.5625, abs=0.08)


def test_weights_count(planted):
    """Runs of zero weight do not count; a run of double weight counts as two."""
    x, options, y, _ = planted
    weight = np.where(np.arange(RUNS) % 3 == 0, 2.0, np.arange(RUNS) % 3 == 1).astype(float)
    twice = np.repeat(np.arange(RUNS), weight.astype(int))
    one = prim.peel(x, options, y, weight)
    other = prim.peel(x[:, twice], options, y[twice], np.ones(twice.size))
    assert one == other


def test_peeling_raises_the_density_and_keeps_the_mass(planted):
    x, options, y, weight = planted
    found = [quality(b.holds(x), y, weight) for b in prim.peel(x, options, y, weight)]
    assert np.all(np.diff([q.density for q in found]) > 0)
    assert np.all(np.diff([q.mass for q in found]) < 0)
    assert found[-1].mass >= prim.LEAST - 1e-12


def test_quasi_p_tells_a_restriction_that_does_nothing(planted):
    x, _, y, weight = planted
    box = Box({0: Restriction(low=0.5), 2: Restriction(low=0.3)})
    assert quasi_p(box, 0, x, y, weight) < 1e-6
    assert quasi_p(box, 2, x, y, weight) > 0.01
    assert set(prim.trimmed(box, x, y, weight).restrictions) == {0}


def test_quality_by_hand():
    y, weight = np.array([1.0, 1.0, 0.0, 0.0]), np.array([1.0, 2.0, 3.0, 4.0])
    found = quality(np.array([True, False, True, False]), y, weight)
    assert found.mass == pytest.approx(0.4)
    assert found.density == pytest.approx(0.25)
    assert found.coverage == pytest.approx(1.0 / 3.0)
    assert found.effective == pytest.approx(1.6)
    whole = quality(np.ones(4, dtype=bool), y, weight)
    assert (whole.mass, whole.coverage, whole.information) == (1.0, 1.0, 0.0)
    perfect = quality(y > 0.5, y, np.full(4, 0.25))
    assert perfect.information == pytest.approx(1.0)
    assert quality(np.zeros(4, dtype=bool), y, weight).mass == 0.0


def test_ties_go_together():
    x = np.repeat([[0.0, 1.0, 2.0]], 10, axis=0).T.reshape(1, -1)
    y = (x[0] == 2.0).astype(float)
    for box in prim.peel(x, (0,), y, np.ones(30)):
        assert quality(box.holds(x), y, np.ones(30)).mass * 30 in (10.0, 20.0, pytest.approx(30.0))
