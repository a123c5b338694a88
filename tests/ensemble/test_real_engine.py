import numpy as np
import pytest

from foedus.ensemble.compare import diff
from foedus.ensemble.runner import run


@pytest.fixture
def whole(stored):
    return stored("whole.zarr", runs=30, batch=30)


@pytest.mark.parametrize(("workers", "batch"), [(1, 7), (2, 15)])
def test_batches_and_workers_do_not_matter(case, whole, tmp_path, workers, batch):
    other = run(case, runs=30, seed=3, workers=workers, batch=batch, out=tmp_path / "b.zarr")
    assert diff(whole, other).equal, str(diff(whole, other))


def test_as_of_replays_what_was_known(case, tmp_path):
    open_ended = run(case, runs=30, workers=1, out=tmp_path / "a.zarr")
    known = run(case, runs=30, workers=1, as_of="2022-01-04", out=tmp_path / "b.zarr")
    assert not open_ended.dataset.log_guidance.values.any()
    assert known.dataset.attrs["replayed_facts"] == ["asked"]
    np.testing.assert_array_equal(known.dataset.event_request.values, 1)
    assert np.isfinite(known.dataset.log_guidance.values).all()
