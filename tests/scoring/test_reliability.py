"""Calibration: a calibrated forecaster looks calibrated, an uncalibrated one does not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from foedus.errors import InputError
from foedus.scoring.reliability import LEVEL, calibration, reliability, transform

from ..narrowing import present
from .test_lead_time import binary, day, number


def names(size):
    return [f"q{n}" for n in range(size)]


def test_a_calibrated_forecaster():
    rng = np.random.default_rng(4)
    said = rng.beta(0.7, 0.7, 2000)
    found = reliability(said, rng.random(2000) < said, names(2000))
    assert found.score == pytest.approx((said * (1 - said)).mean(), abs=0.01)
    assert found.miscalibration == pytest.approx(found.miscalibration_expected, abs=0.003)
    parts = found.miscalibration - found.discrimination + found.uncertainty
    assert found.score == pytest.approx(parts)
    assert found.outside / found.said.size < 2 * (1 - LEVEL)
    assert (np.diff(found.recalibrated) >= 0).all()
    assert sum(b.band[0] <= b.happened <= b.band[1] for b in found.bins) >= len(found.bins) - 1


def test_an_overconfident_forecaster():
    rng = np.random.default_rng(4)
    truth = rng.uniform(0.3, 0.7, 1000)
    said = np.where(truth > 0.5, 0.95, 0.05)
    found = reliability(said, rng.random(1000) < truth, names(1000))
    assert found.outside == 2
    assert found.miscalibration > 10 * found.miscalibration_expected
    assert not any(b.band[0] <= b.happened <= b.band[1] for b in found.bins)


def test_the_curve_by_hand():
    """Adjacent values in the wrong order are pooled."""
    said = np.array([0.1, 0.2, 0.3, 0.9])
    found = reliability(said, np.array([False, True, False, True]), names(4))
    assert found.recalibrated == pytest.approx([0.0, 0.5, 0.5, 1.0])
    assert found.score == pytest.approx((0.01 + 0.64 + 0.09 + 0.01) / 4)
    assert found.uncertainty == 0.25
    assert found.discrimination == pytest.approx(0.25 - 0.5 / 4)


def test_the_bands_hold_what_they_say():
    """In at least nine of ten sets of few questions, the bin's share lies in its band."""
    rng = np.random.default_rng(8)
    inside, told = 0, 0
    for _ in range(30):
        said = rng.uniform(0, 1, 40)
        found = reliability(said, rng.random(40) < said, names(40))
        inside += sum(b.band[0] <= b.happened <= b.band[1] for b in found.bins)
        told += len(found.bins)
    assert inside / told > LEVEL - 0.05


def test_many_days_of_one_question_are_one_question():
    said = np.repeat([0.3, 0.6], 50)
    came = np.repeat([False, True], 50)
    many = reliability(said, came, np.repeat(["a", "b"], 50).tolist())
    once = reliability(said[[0, 50]], came[[0, 50]], ["a", "b"])
    assert (many.questions, many.forecasts) == (2, 100)
    assert many.score == pytest.approx(once.score)
    assert many.low.tolist() == once.low.tolist()
    assert many.high.tolist() == once.high.tolist()
    # A question with more days has no more weight than one with a single day.
    uneven = reliability(said[:51], came[:51], ["a"] * 50 + ["b"])
    assert uneven.score == pytest.approx(once.score)


def test_where_outcomes_fall():
    rng = np.random.default_rng(1)
    u = rng.random(3000)
    found = transform(np.stack([u, u], axis=1), names(3000))
    assert ((found.shares >= found.low) & (found.shares <= found.high)).sum() >= 4
    for c in found.coverage:
        assert c.covered == pytest.approx(c.level, abs=0.03)
    narrow = np.where(u < 0.5, 0.01, 0.99)
    found = transform(np.stack([narrow, narrow], axis=1), names(3000))
    assert found.coverage[0].covered == 0.0
    assert found.coverage[0].band[0] > 0.4


def test_lumps_are_spread():
    """Two values of equal chance, each true half of the time: exactly calibrated."""
    pits = np.array([[0.0, 0.5], [0.5, 1.0]])
    found = transform(pits, ["a", "b"])
    assert found.shares == pytest.approx(np.full(5, 0.2))
    assert [c.covered for c in found.coverage] == pytest.approx([c.level for c in found.coverage])
    exact = transform(np.array([[1.0, 1.0], [0.0, 0.0]]), ["a", "b"])
    assert exact.shares == pytest.approx([0.5, 0, 0, 0, 0.5])


def test_over_cases_and_days():
    scores = [
        day(0, binary("a", 0.5, True, 9), number("n", 2.0, 4.0, 9)),
        day(1, binary("a", 0.7, True, 8), number("n", 3.0, 2.0, 8)),
        day(0, binary("a", 0.1, False, 8), case="other"),
    ]
    of_chances, of_numbers = calibration(scores)
    chances, numbers = present(of_chances), present(of_numbers)
    assert (chances.questions, chances.forecasts) == (2, 3)
    assert chances.score == pytest.approx(((0.25 + 0.09) / 2 + 0.01) / 2)
    assert (numbers.questions, numbers.forecasts) == (1, 2)
    assert numbers.shares == pytest.approx([0, 1, 0, 0, 0])
    for found in (chances, numbers):
        assert json.dumps(found.to_dict(), allow_nan=False)
    assert calibration([]) == (None, None)


def test_what_is_refused():
    with pytest.raises(InputError, match="probabilities from 0 to 1"):
        reliability(np.array([1.2]), np.array([True]), ["a"])
    with pytest.raises(InputError, match="one of each"):
        reliability(np.array([0.2]), np.array([True]), ["a", "b"])
    with pytest.raises(InputError, match="at least one"):
        reliability(np.empty(0), np.empty(0, dtype=bool), [])
    with pytest.raises(InputError, match="shape"):
        transform(np.empty((0, 2)), [])
