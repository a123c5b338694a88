"""Memory does not grow with the number of runs, whether they are made or weighed."""

import gc
import json
import tracemalloc

import numpy as np
import pytest

from foedus.answers import forecasts
from foedus.answers.forecasts import judge
from foedus.case.models import Case
from foedus.ensemble.runner import run
from foedus.errors import StoreError
from foedus.weighing import weighed
from foedus.weighing.adaptive_proposal import log_likelihood
from foedus.weighing.weighed import weigh_runs
from foedus.world.guidance import Guidance

pytestmark = pytest.mark.usefixtures("fake")
MIB = 2**20


@pytest.fixture
def asking(case):
    questions = [
        {"id": "deaths", "text": "How many?", "kind": "number",
         "ask": {"quantity": "deaths_total", "statistic": "max"}},
        {"id": "comes", "text": "Do they come?", "kind": "binary",
         "ask": {"quantity": "decision", "statistic": "happens", "by_date": "2022-01-06"}},
    ]  # fmt: skip
    return Case.model_validate(
        {**json.loads(case.model_dump_json()), "questions": questions, "horizon": 40}
    )


def peak(work):
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("runs", [30_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_store_larger_than_its_room_is_judged_in_bounded_memory(
    asking, tmp_path, monkeypatch, runs
):
    monkeypatch.setattr(weighed, "IN_MEMORY", MIB)
    monkeypatch.setattr(forecasts, "_MOST_FAN_VALUES", 200_000)
    made = run(asking, runs=runs, workers=1, batch=2000, out=tmp_path / "a.zarr")
    data = sum(v.nbytes for v in made.open_dataset().data_vars.values())
    results = []
    used = peak(
        lambda: results.append(
            judge(weigh_runs(asking, made.dataset, guidance=Guidance(), block=2000))
        )
    )
    assert results[0].weights.runs == runs
    assert np.isfinite(results[0].fans[0].quantiles).all()
    # The weights and a few temporaries, and at most a block of anything else.
    assert used < 200 * runs + 20 * MIB
    assert used < data / 2.5
    assert peak(lambda: log_likelihood(asking, made.open_dataset(), block=2000)) < 16 * MIB


@pytest.mark.slow
def test_making_runs_needs_no_more_memory_for_more_of_them(case, tmp_path):
    def least(runs):
        # Other work of the process (a server of other tests) can only add to it.
        outs = [tmp_path / f"{runs}-{n}.zarr" for n in range(3)]
        return min(
            peak(lambda out=out: run(case, runs=runs, workers=1, batch=200, out=out))
            for out in outs
        )

    least(200)  # imports
    assert least(10_000) < least(1000) + 4 * MIB


def test_room_on_disk_is_room():
    small, large = weighed.large_table(2, 10), weighed.large_table(2, weighed.IN_MEMORY // 8)
    for table in (small, large):
        assert type(table) is np.ndarray
        assert not table.any()
        table[1, ::3] = np.inf
        assert np.isinf(table[1]).sum() == -(-table.shape[1] // 3)


def test_no_room_on_disk_is_an_error_of_ours(monkeypatch):
    def full(handle, offset, size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(StoreError, match=r"weighing 9,000,000 runs needs 0.1 GB in .*TMPDIR"):
        weighed.large_table(1, 9_000_000)


@pytest.mark.slow
def test_a_million_runs_are_judged_in_a_quarter_of_two_gib(asking, tmp_path):
    made = run(asking, runs=1_000_000, workers=1, batch=20_000, out=tmp_path / "a.zarr")
    results = []
    used = peak(
        lambda: results.append(judge(weigh_runs(asking, made.dataset, guidance=Guidance())))
    )
    assert results[0].weights.runs == 1_000_000
    assert np.isfinite(results[0].fans[0].quantiles).all()
    assert used < 512 * MIB
