from __future__ import annotations

import numpy as np

from foedus.answers.run_summaries import sample_runs
from foedus.weighing.weights import importance_weights


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
