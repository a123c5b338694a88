import numpy as np
import pytest

from foedus.ensemble import store
from foedus.ensemble.catalogue import list_runs, show, verify
from foedus.ensemble.compare import diff
from foedus.ensemble.runner import run
from foedus.errors import StoreError

pytestmark = pytest.mark.usefixtures("fake")


@pytest.fixture
def pair(stored):
    def make(name, batch, **more):
        return stored(name, **({"runs": 30, "seed": 1, "batch": batch} | more))

    return make("a.zarr", 30), make("b.zarr", 8), make


def change(ensemble, name, at, value):
    store._writable(ensemble.path, name)[at] = value


def test_equal_whatever_the_batches(pair):
    a, b, _ = pair
    found = diff(a.path, b.path)
    assert found.equal
    assert str(found) == "equal: 30 runs, bit for bit"
    assert np.isnan(a.dataset.crowd.values).any()


def test_says_where(pair):
    a, b, _ = pair
    change(b, "legitimacy", (11, 2, 1), 0.125)
    change(b, "crowd", (20, 3, 0), -1.0)
    found = diff(a, b)
    assert not found.equal
    assert found.counts == {"crowd": 1, "legitimacy": 1}
    assert found.first is not None
    assert (found.first.variable, found.first.run) == ("legitimacy", 11)
    assert found.first.place == {"day": "2022-01-04", "city": "south"}
    assert found.first.b == "0.125"
    assert "first difference: legitimacy, run 11, day 2022-01-04, city south" in str(found)


def test_bits_count(pair):
    a, b, _ = pair
    change(a, "deaths_allied", (0, 0), 0.0)
    change(b, "deaths_allied", (0, 0), -0.0)
    assert diff(a, b).counts == {"deaths_allied": 1}


def test_other_runs_and_axes(case, pair):
    a, _, make = pair
    longer = make("c.zarr", 8, runs=31)
    found = diff(a, longer)
    assert not found.equal
    assert found.first is None
    assert found.shape == ("runs: 30 against 31 complete, 30 in both",)
    other = make("d.zarr", 8, seed=2)
    found = diff(a, other)
    assert found.plan == ("seed 1 against 2",)
    assert found.first is not None
    assert found.first.run == 0


def test_other_days(case, pair, tmp_path):
    a, _, _ = pair
    other = run(case.model_copy(update={"horizon": 7}), runs=30, workers=1, out=tmp_path / "e.zarr")
    found = diff(a, other)
    assert not found.equal
    assert "day: 2022-01-02, 6 against 2022-01-02, 7" in str(found)


def test_catalogue(pair, tmp_path):
    a, b, _ = pair
    (tmp_path / "other").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "zarr.json").write_text("{")
    listed = list_runs(tmp_path)
    assert {info.path for info in listed} == {a.path, b.path}
    info = show(a.path)
    assert (info.case, info.seed, info.runs, info.complete, info.failed) == ("small", 1, 30, 30, 0)
    assert info.size == sum(len(f.read_bytes()) for f in a.path.rglob("*") if f.is_file())
    assert info.command == f"foedus run small --runs 30 --seed 1 --out {a.path}"
    assert verify(a.path) == 30
    with pytest.raises(StoreError, match="no such store"):
        show(tmp_path / "none")
    with pytest.raises(StoreError, match="no ensemble here"):
        show(tmp_path / "other")
    assert list_runs(tmp_path / "nowhere") == []
