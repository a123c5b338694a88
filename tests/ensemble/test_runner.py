import importlib
import signal
import threading
import warnings

import numpy as np
import pytest
import xarray as xr

from foedus.ensemble import runner, store
from foedus.ensemble.compare import diff
from foedus.ensemble.ensemble import open_ensemble
from foedus.ensemble.runner import RunError, run
from foedus.ensemble.store import locked
from foedus.errors import InputError, Interrupted, StoreError
from foedus.world.order import VARIABLES

pytestmark = pytest.mark.usefixtures("fake")
SLOW = [pytest.param(w, b, marks=pytest.mark.slow) for w, b in ((2, 30), (3, 1))]


class Recorder:
    def __init__(self):
        self.runs = 0
        self.notes = []
        self.begun = self.ended = None

    def start(self, total, done):
        self.begun = (total, done)

    def advance(self, runs):
        self.runs += runs

    def note(self, text):
        self.notes.append(text)

    def stop(self):
        self.ended = True


@pytest.fixture
def whole(stored):
    return stored("whole.zarr", runs=100, batch=100)


def same(a, b):
    difference = diff(a, b)
    assert difference.equal, str(difference)
    return True


@pytest.mark.parametrize(("workers", "batch"), [(1, 9), (1, 33), *SLOW])
def test_batches_and_workers_do_not_matter(case, whole, tmp_path, workers, batch):
    other = run(case, runs=100, seed=3, workers=workers, batch=batch, out=tmp_path / "b.zarr")
    assert same(whole, other)
    assert other.verify() == 100


def test_dataset(case, whole):
    data = whole.dataset
    assert dict(data.sizes) == {"run": 100, "day": 6, "city": 2, "member": 2, "parameter": 3}
    assert set(VARIABLES) | {"parameters", "hypothesis"} == set(data.data_vars)
    for variable in data.data_vars.values():
        assert variable.attrs["units"]
        assert variable.attrs["long_name"]
    assert str(data.day.values[0])[:10] == "2022-01-02"
    assert list(data.city.values) == ["north", "south"]
    assert data.hypothesis.attrs["flag_meanings"] == "one two"
    assert data.complete.all()
    crowd = data.crowd.values
    assert crowd.dtype == np.float32
    part = whole.open_dataset().crowd
    np.testing.assert_array_equal(part.isel(run=[5, 2], day=slice(None, None, -1), city=1),
                                  crowd[[5, 2], ::-1, 1])  # fmt: skip
    np.testing.assert_array_equal(part.isel(run=7, day=0), crowd[7, 0])
    np.testing.assert_array_equal(part.sel(run=slice(10, 19), city="south"), crowd[10:20, :, 1])
    assert whole.case.facts == ()
    assert whole.plan.command("x.zarr") == "foedus run small --runs 100 --seed 3 --out x.zarr"


def test_any_zarr_reader_reads_it(whole):
    with xr.open_zarr(whole.path, consolidated=False, chunks=None) as plain:
        for name, variable in whole.dataset.data_vars.items():
            assert plain[name].dims == variable.dims
            assert plain[name].values.tobytes() == variable.values.tobytes()
        for name in ("day", "city", "member", "parameter", "run"):
            assert (plain[name].values == whole.dataset[name].values).all()


def test_blocks_give_all_runs_in_pieces(whole):
    pieces = list(whole.blocks(["crowd"], runs=30))
    assert [p.sizes["run"] for p in pieces] == [30, 30, 30, 10]
    np.testing.assert_array_equal(
        np.concatenate([p.crowd.values for p in pieces]), whole.dataset.crowd.values
    )


def test_a_complete_store_is_returned_without_work(case, whole, fake):
    fake.setenv("FAKE_BAD_RUN", "0")
    again = run(case, runs=100, seed=3, out=whole.path)
    assert again.complete_runs == 100
    fewer = run(case, runs=40, seed=3, out=whole.path)
    assert fewer.dataset.sizes["run"] == 40
    assert np.array_equal(fewer.dataset.run, np.arange(40))


@pytest.mark.parametrize("steps", [(30, 100), (7, 20, 21, 100), (40, 80, 100)])
def test_more_runs_later_leave_the_first_as_they_were(case, whole, tmp_path, steps):
    for runs in steps:
        before = [f.read_bytes() for f in sorted((tmp_path / "b.zarr").glob("crowd/c.0.0.0"))]
        grown = run(case, runs=runs, seed=3, workers=1, batch=20, out=tmp_path / "b.zarr")
        after = [f.read_bytes() for f in sorted((tmp_path / "b.zarr").glob("crowd/c.0.0.0"))]
        assert steps[0] < 20 or not before or before == after
        assert grown.complete_runs == runs
    assert same(whole, grown)


def test_another_plan_is_refused_by_name(case, whole):
    with pytest.raises(StoreError, match="seed 3 against 4"):
        run(case, runs=100, seed=4, out=whole.path)
    with pytest.raises(StoreError, match="as_of null against"):
        run(case, runs=100, seed=3, as_of="2022-01-03", out=whole.path)
    changed = case.model_copy(update={"horizon": 7})
    with pytest.raises(StoreError, match="horizon 6 against 7"):
        run(changed, runs=100, seed=3, out=whole.path)


def test_new_evidence_needs_no_new_runs(case, whole):
    fewer = case.model_copy(update={"facts": (), "title": "Another title"})
    assert run(fewer, runs=100, seed=3, out=whole.path).complete_runs == 100


def test_a_fact_known_later_changes_nothing(case, tmp_path):
    one = run(case, runs=20, as_of="2022-01-04", workers=1, out=tmp_path / "a.zarr")
    without = case.model_copy(update={"facts": case.facts[:1]})
    two = run(without, runs=20, as_of="2022-01-04", workers=1, out=tmp_path / "b.zarr")
    assert one.plan == two.plan
    known = {k: v for k, v in one.plan.guidance.items() if k != "kept"}
    assert known == {"days": [["request", "", 1]], "not_by": [], "facts": ["asked"]}
    assert "request" not in one.plan.guidance["kept"]
    assert same(one, two)


def test_default_path(case, tmp_path, fake):
    fake.chdir(tmp_path)
    made = run(case, runs=10, workers=1, as_of="2022-01-04")
    assert made.path.parent.name == "results"
    assert made.path.name == f"small_2022-01-04_seed1_{made.plan.digest}.zarr"


@pytest.mark.parametrize(
    "wrong",
    [{"runs": 0}, {"runs": 2.5}, {"seed": -1}, {"workers": 0}, {"batch": 0}, {"runs": True}],
)
def test_wrong_arguments(case, tmp_path, wrong):
    with pytest.raises(InputError, match="a whole number from"):
        run(case, out=tmp_path / "a.zarr", **wrong)
    assert list(tmp_path.iterdir()) == []


def test_resume_needs_a_store(case, tmp_path):
    with pytest.raises(StoreError, match="nothing to resume"):
        run(case, out=tmp_path / "a.zarr", resume=True)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_that_raises_is_data(case, whole, tmp_path, fake, workers):
    fake.setenv("FAKE_BAD_RUN", "37")
    heard = Recorder()
    with pytest.raises(RunError, match=r"run 37 failed in fake_engine.py:\d+ in simulate") as error:
        run(case, runs=100, seed=3, workers=workers, batch=20, out=tmp_path / "b.zarr",
            progress=heard)  # fmt: skip
    assert "To try again: foedus run small" in str(error.value)
    assert heard.ended
    broken = open_ensemble(tmp_path / "b.zarr")
    assert broken.complete_runs == 80
    assert broken.failures[1]["run"] == 37
    assert "ArithmeticError" in broken.failures[1]["trace"]
    assert list(broken.dataset.run.values) == [*range(20), *range(40, 100)]
    everything = broken.open_dataset(incomplete=True)
    assert everything.sizes["run"] == 100
    assert not everything.complete[20:40].any()
    fake.delenv("FAKE_BAD_RUN")
    mended = run(case, runs=100, seed=3, workers=1, out=tmp_path / "b.zarr", resume=True)
    assert mended.failures == {}
    assert same(whole, mended)


def test_a_worker_that_is_killed_is_replaced(case, whole, tmp_path, fake):
    fake.setenv("FAKE_DIE_ONCE", str(tmp_path / "died"))
    fake.setattr(runner, "_compile", lambda task: None)
    other = run(case, runs=100, seed=3, workers=2, batch=10, out=tmp_path / "b.zarr")
    assert (tmp_path / "died").exists()
    assert same(whole, other)


@pytest.mark.parametrize(
    ("workers", "number"), [(1, signal.SIGINT), (1, signal.SIGTERM), (2, signal.SIGINT)]
)
def test_interrupt_leaves_a_valid_store(case, whole, tmp_path, fake, workers, number):
    fake.setenv("FAKE_SLEEP", "0.05")

    class Impatient(Recorder):
        def advance(self, runs):
            super().advance(runs)
            if self.runs == 20:
                signal.raise_signal(number)

    out = tmp_path / "b.zarr"
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted, match=r"stopped after \d+ of 100 runs") as error:
        run(case, runs=100, seed=3, workers=workers, batch=10, out=out, progress=Impatient())
    assert f"foedus run small --runs 100 --seed 3 --out {out} --resume" in str(error.value)
    assert signal.getsignal(signal.SIGTERM) is before
    left = open_ensemble(out)
    assert 20 <= left.verify() < 100
    assert left.dataset.sizes["run"] == left.complete_runs
    assert same(whole, run(case, runs=100, seed=3, workers=1, out=out, resume=True))
    assert list(out.rglob("*.partial")) == []


def test_second_writer_is_told(case, tmp_path):
    out = tmp_path / "b.zarr"
    with locked(out), pytest.raises(StoreError, match=r"in use by process \d+ on "):
        run(case, runs=10, workers=1, out=out)
    assert not out.exists()
    assert run(case, runs=10, workers=1, out=out).complete_runs == 10
    assert [p.name for p in tmp_path.iterdir()] == ["b.zarr"]


def test_full_disk_ends_with_a_clear_error_and_a_valid_store(case, whole, tmp_path, fake):
    write, count = store._sync, 0

    def full(path):
        nonlocal count
        count += path.name.startswith("c.")
        if count > 200:
            raise OSError(28, "No space left on device")
        write(path)

    out = tmp_path / "b.zarr"
    with fake.context() as patch:
        patch.setattr(store, "_sync", full)
        with pytest.raises(StoreError, match="No space left on device"):
            run(case, runs=100, seed=3, workers=1, batch=10, out=out)
    left = open_ensemble(out)
    assert 0 < left.verify() < 100
    assert same(whole, run(case, runs=100, seed=3, workers=1, out=out))


def test_disk_full_before_the_store_leaves_nothing(case, tmp_path, fake):
    def full(path):
        raise OSError(28, "No space left on device")

    fake.setattr(store, "_sync", full)
    with pytest.raises(StoreError, match="No space left"):
        run(case, runs=10, workers=1, out=tmp_path / "b.zarr")
    assert list(tmp_path.iterdir()) == []


def test_in_a_thread_without_signals(case, tmp_path):
    made = []
    thread = threading.Thread(
        target=lambda: made.append(run(case, runs=10, workers=1, out=tmp_path / "a.zarr"))
    )
    thread.start()
    thread.join()
    assert made[0].complete_runs == 10


def test_engine_that_breaks_its_contract_is_named(case, tmp_path, fake):
    fake_engine = importlib.import_module("fake_engine")

    honest = fake_engine.simulate

    def short(case, **arguments):
        out = honest(case, **arguments)
        return {**out, "crowd": out["crowd"].astype("float64")}

    fake.setattr(fake_engine, "simulate", short)
    with pytest.raises(RunError, match="output crowd: expected float32"):
        run(case, runs=10, workers=1, out=tmp_path / "a.zarr")


def test_no_warnings_and_progress(case, tmp_path):
    heard = Recorder()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(case, runs=50, workers=1, batch=20, out=tmp_path / "a.zarr", progress=heard)
    assert heard.begun == (50, 0)
    assert heard.runs == 50
    assert heard.ended
