"""The summaries of the weighted runs: by place and member, by vote, and a sample of runs."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from foedus.answers.run_summaries import by_place, sample_runs, vote_matrix
from foedus.weighing.verdict import Level, Verdict
from foedus.weighing.weights import importance_weights

from ..narrowing import present


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


def test_shares_are_those_of_the_weights(toy):
    case = toy.case()
    members = len(case.alliance.members)
    runs = 400
    block = toy.block(case, runs, event_request=2, vote=9)
    block["vote"][:100] = 1
    block["vote"][:50, 1] = 0
    block["vote"][100:120, 1] = -1
    block["vote"][100:120, 0] = 1
    block["event_decision"][:100] = 3
    block["contribution_day"][:30, 0] = 4
    log_weight = np.where(np.arange(runs) < 100, np.log(2.0), 0.0)
    matrix = vote_matrix(case, toy.dataset(case, block), importance_weights(log_weight))
    total = 100 * 2 + 300
    row = matrix.rows[1]
    assert row.votes["for"].share == pytest.approx(50 * 2 / total)
    assert row.votes["aside"].share == pytest.approx(50 * 2 / total)
    assert row.votes["against"].share == pytest.approx(20 / total)
    for r in matrix.rows:
        assert sum(v.share for v in r.votes.values()) == pytest.approx(1.0)
    assert matrix.rows[0].sends.share == pytest.approx(30 * 2 / total)
    assert present(matrix.asked).share == pytest.approx(1.0)
    assert present(matrix.decided).share == pytest.approx(200 / total)
    assert present(matrix.refused).share == 0.0
    assert matrix.ways[0][0] == (9,) * members
    assert sum(share.share for _, share in matrix.ways) == pytest.approx(1.0)
    told = matrix.to_dict()
    assert told["rows"][0]["member"] == case.alliance.members[0].actor
    p = row.votes["for"].share
    # Between the error of as many equal runs and that of half of them.
    assert np.sqrt(p * (1 - p) / runs) < row.votes["for"].error < np.sqrt(2 * p * (1 - p) / runs)


def test_where_the_forecast_refuses_nothing_is_said(toy):
    case = toy.case()
    block = toy.block(case, 100, vote=1)
    matrix = vote_matrix(
        case, toy.dataset(case, block), importance_weights(np.linspace(0.0, -900.0, 100))
    )
    assert matrix.verdict.refused
    assert matrix.rows == ()
    assert matrix.to_dict()["asked"] is None


def test_picks_stand_for_the_weights(toy):
    case = toy.case()
    runs = 200
    block = toy.block(case, runs)
    block["deaths_protesters"][:, 0, 0] = np.arange(runs)
    heavy = np.where(np.arange(runs) % 2 == 0, 0.0, -900.0)
    numbers = np.arange(runs, dtype=np.int64) + 1000
    found = sample_runs(
        case, toy.dataset(case, block), importance_weights(heavy), numbers, count=10
    )
    assert 5 <= len(found) <= 10
    assert all(p.run % 2 == 0 for p in found)
    assert [p.deaths for p in found] == sorted((p.deaths for p in found), reverse=True)
    assert all(p.deaths == p.run - 1000 for p in found)


def test_where_the_forecast_refuses_all_runs_are_alike(toy):
    case = toy.case()
    log_weight = np.full(100, -900.0)
    log_weight[7] = 0.0
    numbers = np.arange(100, dtype=np.int64)
    found = sample_runs(
        case, toy.dataset(case, toy.block(case, 100)), importance_weights(log_weight), numbers
    )
    assert len({p.run for p in found} - {7}) >= 5, "not only the run that has all the weight"
