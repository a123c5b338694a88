from __future__ import annotations

import numpy as np
import pytest

from foedus.answers.run_summaries import vote_matrix
from foedus.weighing.weights import importance_weights

from ..narrowing import present


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
