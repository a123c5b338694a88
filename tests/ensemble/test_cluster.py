"""Runs on a Dask cluster of real processes on loopback, which are killed while they work."""

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from foedus import cli
from foedus.ensemble import cluster, runner
from foedus.ensemble.compare import diff
from foedus.ensemble.ensemble import open_ensemble
from foedus.ensemble.runner import run
from foedus.ensemble.work import Task, work
from foedus.errors import InputError, StoreError

pytest.importorskip("distributed")
pytestmark = pytest.mark.usefixtures("fake")
ENGINES = Path(__file__).parent / "engines"
NO_GUIDANCE: Any = None  # no run is made


class Machines:
    """A scheduler and workers, started as a user would."""

    def __init__(self, folder, **environment):
        self.folder = folder
        self.file = folder / "scheduler.json"
        path = os.pathsep.join([str(ENGINES), os.environ.get("PYTHONPATH", "")])
        self.environment = {**os.environ, "PYTHONPATH": path, **environment}
        self.workers = []
        self.scheduler = self._start(
            "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"
        )
        end = time.monotonic() + 30
        while not self.file.exists() and time.monotonic() < end:
            time.sleep(0.05)

    @property
    def address(self):
        return str(self.file)

    def _start(self, program, *words):
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}",
             "--scheduler-file", str(self.file), *words],
            env=self.environment, cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def join(self):
        self.workers.append(
            self._start("dask_worker", "--nthreads", "1", "--no-nanny", "--no-dashboard",
                        "--preload", "cluster_preload")
        )  # fmt: skip

    def kill(self, number):
        worker = self.workers.pop(number)
        worker.kill()
        worker.wait()

    def stop(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
        for process in (*self.workers, self.scheduler):
            process.wait()


@pytest.fixture
def machines(tmp_path):
    made = []

    def start(workers, **environment):
        found = Machines(tmp_path, **environment)
        made.append(found)
        for _ in range(workers):
            found.join()
        return found

    yield start
    for found in made:
        found.stop()


@pytest.mark.slow
def test_workers_are_killed_and_the_numbers_stay(case, machines, tmp_path):
    rng = random.Random(4)
    whole = run(case, runs=150, seed=3, workers=1, batch=150, out=tmp_path / "whole.zarr")
    found = machines(2, FAKE_SLEEP="0.15")
    landed: list[Any] = []
    over = threading.Event()

    class Storm:
        """Kill a worker now and then, and let another join, once some work is done."""

        done = 0

        def start(self, total, done):
            pass

        def advance(self, runs):
            self.done += runs
            if self.done == 15:
                thread.start()

        def note(self, text):
            assert text.startswith("waiting for workers"), text

        def stop(self):
            over.set()

    def strike():
        while len(landed) < 4 and not over.wait(rng.uniform(0.1, 0.6)):
            found.kill(rng.randrange(len(found.workers)))
            landed.append(True)
            found.join()

    thread = threading.Thread(target=strike)
    made = run(
        case, runs=150, seed=3, batch=3, out=tmp_path / "c.zarr", progress=Storm(),
        cluster=found.address,
    )  # fmt: skip
    thread.join()
    assert len(landed) >= 2
    assert made.verify() == 150
    assert diff(whole, made).equal
    grown = run(case, runs=170, seed=3, out=tmp_path / "c.zarr", cluster=found.address)
    assert grown.verify() == 170
    assert diff(run(case, runs=170, seed=3, workers=1, out=whole.path), grown).equal
    assert list(made.path.rglob("*.partial")) == []


def test_a_worker_with_other_code_is_refused_by_name(case, machines, tmp_path):
    found = machines(1, FAKE_CODE="other")
    with pytest.raises(InputError, match=r"worker on .*code fixed against other"):
        run(case, runs=20, seed=3, batch=10, out=tmp_path / "c.zarr", cluster=found.address)
    assert open_ensemble(tmp_path / "c.zarr").complete_runs == 0


@pytest.mark.slow
def test_local_cluster(case, tmp_path, fake):
    fake.setattr(runner, "_compile", lambda task: None)
    fake.setenv("PYTHONPATH", str(ENGINES))
    fake.setattr(cluster, "remote", work)  # its workers do not know the fixed hash
    made = run(case, runs=60, seed=3, workers=2, batch=5, out=tmp_path / "c.zarr", cluster="local")
    whole = run(case, runs=60, seed=3, workers=1, out=tmp_path / "whole.zarr")
    assert diff(whole, made).equal


def test_a_folder_that_is_not_shared_is_named(case, tmp_path, fake):
    made = run(case, runs=20, seed=3, workers=1, batch=10, out=tmp_path / "c.zarr")
    task = Task(str(tmp_path / "elsewhere" / "c.zarr"), made.plan, "{}", NO_GUIDANCE, "fake_engine")
    with pytest.raises(StoreError, match="one shared folder under the same path"):
        cluster.remote(task, 0)
    fake.setattr(cluster, "LAG", 0.0)
    with pytest.raises(StoreError, match="are not visible here"):
        cluster._settle(made.path, Task(str(made.path), made.plan, "", NO_GUIDANCE, ""), {1: 7})


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("10.0.0.5", "tcp://10.0.0.5:8786"),
        ("", "tcp://10.0.0.5:8786"),
        ("nowhere.json", "no such scheduler file"),
        ("tcp://127.0.0.1:9", "no Dask scheduler answers there"),
        ("nonsense://127.0.0.1:9", "no Dask scheduler answers there"),
    ],
)
def test_bad_addresses_are_status_2(address, said, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cluster, "CONNECT", 0.5)
    out = tmp_path / "c.zarr"
    words = ["run", "kazakhstan-2022", "--runs", "2", "--cluster", address, "--out", str(out)]
    monkeypatch.setattr(runner, "ENGINE", "foedus.world.engine")
    assert cli.main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("foedus: --cluster")
    assert said in error
    assert not out.exists()


def test_without_dask_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert cli.main(["run", "kazakhstan-2022", "--cluster", "local"]) == 2
    assert "foedus[cluster]" in capsys.readouterr().err


def test_workers_belong_to_a_local_cluster(case, tmp_path):
    with pytest.raises(InputError, match="--workers: only with --cluster local"):
        run(case, runs=2, workers=2, out=tmp_path / "c.zarr", cluster="tcp://127.0.0.1:9")
