"""The map shows what the weighted runs give for each place and member."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from foedus.answers.run_summaries import by_place
from foedus.weighing.verdict import Level, Verdict
from foedus.weighing.weights import importance_weights


@pytest.fixture
def runs(toy):
    case = toy.case()
    return toy.dataset(case, toy.block(case, 4))


def test_weights_count_and_the_order_of_the_axes(toy, runs):
    case = toy.case()
    runs["crowd"][:, 2, 0] = np.array([0, 40, 60, 900])
    runs["crowd"][:, 2, 1] = np.array([51, 51, 51, 50])
    runs["troops_present"][:, 5, 1] = np.array([0, 100, 200, 400])
    weights = importance_weights(np.log(np.array([0.1, 0.2, 0.3, 0.4])))
    weights = replace(weights, verdict=Verdict())
    found = by_place(case, runs, weights)
    assert found["dates"][2] == "2001-03-03"
    north, south = found["places"]["north"], found["places"]["south"]
    assert north["unrest"][2] == pytest.approx(0.7)
    assert south["unrest"][2] == pytest.approx(0.6)
    assert (north["crowd"]["q05"][2], north["crowd"]["q50"][2]) == (0, 60)
    assert north["crowd"]["q95"][2] == 900
    big = found["members"]["big"]
    assert big["present"][5] == pytest.approx(0.9)
    assert big["troops"]["mean"][5] == pytest.approx(0.2 * 100 + 0.3 * 200 + 0.4 * 400)
    assert found["members"]["other"]["present"] == [0.0] * 10
    json.dumps(found, allow_nan=False)


def test_a_refused_forecast_shows_nothing(toy, runs):
    weights = replace(importance_weights(np.zeros(4)), verdict=Verdict(level=Level.REFUSED))
    found = by_place(toy.case(), runs, weights)
    assert found["refused"]
    assert found["places"] == found["members"] == {}
