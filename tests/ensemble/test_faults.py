"""Faults to survive: kill -9 at any instant, damaged bytes, two writers, a dead parent."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from foedus.ensemble import store
from foedus.ensemble.catalogue import verify
from foedus.ensemble.compare import diff
from foedus.ensemble.ensemble import open_ensemble
from foedus.ensemble.runner import run
from foedus.errors import StoreError

pytestmark = pytest.mark.usefixtures("fake")
HERE = Path(__file__).parent

CHILD = """
import sys
sys.path[:0] = [{engines!r}, {here!r}]
import conftest
from foedus.case.models import Case
from foedus.ensemble import plan, runner
plan.code_hash = lambda: "fixed"
runner.ENGINE = "fake_engine"
runner._compile = lambda task: None
case = Case.model_validate(conftest.SMALL)
print("begin", flush=True)
runner.run(case, runs={runs}, seed=3, workers={workers}, batch={batch}, out={out!r})
"""


def start(out, *, runs=60, workers=2, batch=5, sleep=0.02):
    text = CHILD.format(
        engines=str(HERE / "engines"), here=str(HERE), runs=runs, workers=workers, batch=batch,
        out=str(out),
    )  # fmt: skip
    environment = {**os.environ, "FAKE_SLEEP": str(sleep)}
    child = subprocess.Popen(
        [sys.executable, "-c", text], env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == b"begin\n"
    return child


def kill(child):
    child.kill()
    child.wait()
    child.stdout.close()


def workers_of(child):
    threads = Path(f"/proc/{child.pid}/task").glob("*/children")
    return [int(pid) for file in threads for pid in file.read_text().split()]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def storm(case, folder, kills, workers, seed):
    """Kill a run at random instants, resume it each time, and finish it; return the kills."""
    rng = random.Random(seed)
    whole = run(case, runs=60, seed=3, workers=1, batch=60, out=folder / "whole.zarr")
    out = folder / "killed.zarr"
    landed = 0
    for _ in range(kills):
        child = start(out, workers=workers)
        try:
            child.wait(timeout=rng.uniform(0.0, 1.5 if workers == 1 else 3.0))
        except subprocess.TimeoutExpired:
            landed += 1
        kill(child)
        if out.exists():
            open_ensemble(out).verify()  # every marked batch is sound
            if open_ensemble(out).complete.all():
                os.rename(out, folder / f"done{landed}.zarr")
    final = run(case, runs=60, seed=3, workers=1, batch=5, out=out, resume=out.exists())
    assert diff(whole, final).equal
    for done in folder.glob("done*.zarr"):
        assert diff(whole, done).equal
    assert list(out.rglob("*.partial")) == []
    assert not list(folder.glob(".*partial"))
    return landed


@pytest.mark.slow
def test_killed_at_random_instants(case, tmp_path):
    assert storm(case, tmp_path, kills=3, workers=1, seed=1) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_thirty_random_instants(case, tmp_path, workers):
    assert storm(case, tmp_path, kills=30, workers=workers, seed=2) >= 10


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_workers_die_with_their_parent(tmp_path):
    child = start(tmp_path / "a.zarr", sleep=30)
    end = time.monotonic() + 30
    while len(workers_of(child)) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    workers = workers_of(child)
    time.sleep(2.0)
    kill(child)
    end = time.monotonic() + 10
    while any(alive(pid) for pid in workers) and time.monotonic() < end:
        time.sleep(0.05)
    assert len(workers) >= 2
    assert not any(alive(pid) for pid in workers)


def test_a_second_process_is_told(case, tmp_path):
    out = tmp_path / "a.zarr"
    child = start(out, workers=1, sleep=30)
    try:
        while not out.exists():
            time.sleep(0.02)
        with pytest.raises(StoreError, match=f"in use by process {child.pid} on "):
            run(case, runs=60, seed=3, workers=1, out=out)
        assert child.poll() is None
    finally:
        kill(child)


def test_interrupt_from_outside(case, tmp_path):
    out = tmp_path / "a.zarr"
    child = start(out, workers=2, sleep=0.3)
    while not list(out.glob("checksum/c.[0-9]")):  # not a .partial: the mark must exist
        time.sleep(0.02)
    child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=20) == 1
    child.stdout.close()
    assert 0 < open_ensemble(out).verify() < 60


@pytest.fixture
def sound(stored):
    return stored("sound.zarr", runs=50, batch=20)


def flip(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0x10
    file.write_bytes(data)


def truncate(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def swap(file):
    """Write sound bytes of another batch, which only the checksum over the data can detect."""
    file.write_bytes(file.with_name(file.name.replace("c.1", "c.0")).read_bytes())


@pytest.mark.parametrize("harm", [flip, truncate, swap, Path.unlink, Path.write_bytes])
@pytest.mark.parametrize("variable", ["crowd", "parameters", "event_request"])
def test_damage_is_found_and_made_again(case, sound, stored, harm, variable):
    whole = stored("whole.zarr", runs=50, batch=50)
    [file] = (sound.path / variable).glob("c.1*")
    if harm is Path.write_bytes:
        file.write_bytes(b"")
    else:
        harm(file)
    with pytest.raises(StoreError, match=r"batch 1 \(runs 20 to 39\) is damaged.*--resume"):
        verify(sound.path)
    if harm is not swap:  # not even read by accident
        with pytest.raises(StoreError, match=r"batch 1 \(runs 20 to 39\) is damaged"):
            open_ensemble(sound.path).dataset[variable].load()
        assert open_ensemble(sound.path).dataset[variable][:20].load().sizes["run"] == 20
    mended = run(case, runs=50, seed=3, workers=1, out=sound.path, resume=True)
    assert mended.verify() == 50
    assert diff(whole, mended).equal


def test_a_damaged_mark_is_not_done(case, sound):
    (sound.path / store.MARKS / "c.2").write_bytes(b"\x01\x02")
    assert open_ensemble(sound.path).complete_runs == 40
    (sound.path / store.MARKS / "c.2").write_bytes(b"\xff" * 8)
    with pytest.raises(StoreError, match="its mark says"):
        verify(sound.path)
    assert run(case, runs=50, seed=3, workers=1, out=sound.path, resume=True).verify() == 50


def test_damage_in_a_part_batch_that_is_completed(case, sound, stored):
    flip(sound.path / "crowd" / "c.2.0.0")
    grown = run(case, runs=55, seed=3, workers=1, out=sound.path)
    assert grown.verify() == 55
    whole = stored("whole.zarr", runs=55)
    assert diff(whole, grown).equal


@pytest.mark.parametrize("seed", range(5))
def test_damaged_metadata_is_an_error_of_ours(case, sound, seed):
    rng = np.random.default_rng(seed)
    for name in ("zarr.json", "crowd/zarr.json"):
        file = sound.path / name
        good = file.read_bytes()
        for _ in range(20):
            data = bytearray(good)
            for at in rng.integers(0, len(data), 3):
                data[at] = rng.integers(32, 127)
            file.write_bytes(data[: rng.integers(1, len(data) + 1)] if rng.random() < 0.5 else data)
            with contextlib.suppress(StoreError):
                open_ensemble(sound.path).dataset.crowd.load()
        file.write_bytes(good)
    assert verify(sound.path) == 50
