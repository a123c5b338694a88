"""Scores, baselines, calibration bins."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from scipy import integrate, stats

from foedus.casebook import load_casebook
from foedus.casebook.scores import (
    FORECASTS,
    calibration,
    crps_sample,
    outcomes,
    quantities,
    score_case,
    totals,
)

BOOK = load_casebook()
KAZ = BOOK["KAZ2022"]


@pytest.fixture(scope="module")
def scored():
    some = [c for c in BOOK if c.usable][::4]
    return [score_case(c, BOOK.cases, exclude=c.key) for c in some]


def test_crps_of_the_reference_ensemble():
    assert crps_sample(np.array([0.0, 1, 2, 3]), 1) == pytest.approx(0.375)
    assert crps_sample(np.array([2.0]), 5) == 3


def test_crps_of_the_normal():
    z = stats.norm.ppf((np.arange(20000) + 0.5) / 20000)
    for y, expected in ((0, 0.23369), (1, 0.60244), (2, 1.45279)):
        assert crps_sample(z, y) == pytest.approx(expected, abs=5e-4)


def test_crps_is_the_integral_of_squared_errors():
    x = np.array([0.3, 1.1, 2.7])
    value, _ = integrate.quad(
        lambda t: ((x <= t).mean() - (t >= 1.5)) ** 2, -1, 4, points=[0.3, 1.1, 1.5, 2.7]
    )
    assert crps_sample(x, 1.5) == pytest.approx(value)


def test_outcomes_and_quantities():
    assert outcomes(KAZ) == {
        "answer": "troops",
        "troops": "yes",
        "request": "yes",
        "in_power": "yes",
    }
    assert outcomes(BOOK["CSK1968"]) == {"request": "no"}
    assert quantities(KAZ) == {
        "arrival": pytest.approx(math.log(1.5)),
        "duration": pytest.approx(math.log(0.4)),
        "size": pytest.approx(math.log10(2030)),
    }
    assert quantities(BOOK["FJI2006"]) == {}


def test_scores_by_hand():
    s = score_case(KAZ, BOOK.cases, exclude=KAZ.key)
    p = s.probabilities["base rate"]["troops"]["yes"]
    assert p == pytest.approx((40 + 0.5) / (57 + 1))
    assert s.brier("base rate", "troops") == pytest.approx((1 - p) ** 2)
    assert s.log_score("base rate", "troops") == pytest.approx(-math.log(p))
    own = s.probabilities["organisation's rate"]["troops"]["yes"]
    assert own == pytest.approx((1 + 0.5) / (7 + 1))
    assert s.probabilities["always refuse"]["troops"]["yes"] == 0.02
    assert s.brier("model", "answer") == pytest.approx(
        sum((v - (k == "troops")) ** 2 for k, v in s.probabilities["model"]["answer"].items())
    )


def test_baselines_have_no_hindsight():
    s = score_case(KAZ, BOOK.cases, before=dt.date(1950, 1, 1), exclude=KAZ.key)
    assert s.probabilities["base rate"]["troops"]["yes"] == 0.5
    assert s.crps["size"].keys() == {"model"}


def test_probabilities_are_probabilities(scored):
    for s in scored:
        assert set(s.probabilities) == set(FORECASTS)
        for questions in s.probabilities.values():
            for p in questions.values():
                assert sum(p.values()) == pytest.approx(1)
                assert all(0 <= v <= 1 for v in p.values())


def test_totals(scored):
    table = {(t.question, t.score, t.forecast): t for t in totals(scored)}
    base = table["troops", "brier", "base rate"]
    model = table["troops", "brier", "model"]
    assert base.n == model.n == sum("troops" in s.happened for s in scored)
    assert model.better == pytest.approx(base.mean - model.mean)
    assert ("request", "log", "always refuse") not in table


def test_calibration_bins(scored):
    bins = calibration(scored, "troops")
    assert sum(b["n"] for b in bins) == sum("troops" in s.happened for s in scored)
    assert all(b["low"] <= b["predicted"] <= b["high"] for b in bins)
