"""Jobs: in other processes, bounded, shared, and stopped when nobody wants them any more."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from foedus.app.jobs import BusyError, Job, Jobs, _Worker, key_of, prune

WORK = """
import os, time

def echo(params, tell):
    return str(params["word"]).encode()

def slowly(params, tell):
    tell.partial(b"a first answer")
    for i in range(600):
        tell.progress(i, 600, "at it")
        time.sleep(0.05)
    return b"the end"

def stubborn(params, tell):
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            pass

def wrong(params, tell):
    raise ValueError("no")

def die(params, tell):
    os._exit(9)

def where(params, tell):
    return str(os.getpid()).encode()
"""


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "foedus_test_work.py").write_text(WORK, encoding="utf-8")
    made = Jobs(folder / "kept", 3, begin="")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))  # spawned processes have our path
        made.start()
        yield made
    made.close()


def submit(
    jobs: Jobs, name: str, key: str, lane: Any = "quick", priority: int = 0, **params: Any
) -> Job:
    work = f"foedus_test_work:{name}"
    return jobs.submit("test", work, params, lane=lane, key=key, priority=priority)


def wait(job: Job, *states: str, seconds: float = 60.0) -> Job:
    until = time.monotonic() + seconds
    while job.state not in states:
        assert time.monotonic() < until, job
        time.sleep(0.01)
    return job


def test_a_result_is_a_file_and_the_process_is_another(jobs: Jobs) -> None:
    one = wait(submit(jobs, "where", "a"), "done")
    two = wait(submit(jobs, "where", "b"), "done")
    assert jobs.result("a") == jobs.result("b") != str(os.getpid()).encode()
    assert (one.version, two.version) == (1, 1)


def test_progress_and_a_first_answer_are_told_and_a_stop_ends_it(jobs: Jobs) -> None:
    job = wait(submit(jobs, "slowly", "c"), "running")
    while not (job.version and job.done):
        time.sleep(0.01)
    assert jobs.result("c") == b"a first answer"
    assert job.total == 600
    jobs.stop(job.id)
    wait(job, "stopped", seconds=10)
    assert not jobs.path("c").exists()
    wait(submit(jobs, "echo", "d", word="again"), "done")
    assert jobs.result("d") == b"again"


def test_what_does_not_stop_is_killed_and_the_next_job_runs(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foedus.app.jobs.PATIENCE", 0.3)
    job = wait(submit(jobs, "stubborn", "e"), "running")
    time.sleep(0.3)
    jobs.stop(job.id)
    wait(job, "stopped", seconds=15)
    assert wait(submit(jobs, "echo", "f", word="on"), "done").error == ""


def test_visitors_who_want_the_same_share_a_job_until_the_last_one_stops(jobs: Jobs) -> None:
    one = wait(submit(jobs, "slowly", "g"), "running")
    two = submit(jobs, "slowly", "g")
    assert one is two
    jobs.stop(one.id)
    time.sleep(0.3)
    assert one.state == "running"
    jobs.stop(one.id)
    wait(one, "stopped", seconds=10)


def test_long_work_does_not_hold_up_quick_work(jobs: Jobs) -> None:
    long = wait(submit(jobs, "slowly", "h", lane="long"), "running")
    wait(submit(jobs, "echo", "i", word="soon"), "done")
    assert long.state == "running"
    jobs.stop(long.id)
    wait(long, "stopped", seconds=10)


def test_what_can_wait_makes_way_and_goes_on_after(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foedus.app.jobs.PATIENCE", 1.0)
    better = wait(submit(jobs, "slowly", "w1", priority=2), "running")
    wait(submit(jobs, "echo", "w2", priority=1, word="soon"), "done")
    wait(better, "running", seconds=20)
    end = time.monotonic() + 60
    while better.done < 40:  # two seconds: longer than the patience with its first start
        assert time.monotonic() < end, better
        time.sleep(0.01)
    assert (better.state, better.error, better.wanted) == ("running", "", 1)
    same = submit(jobs, "echo", "w3", priority=2, word="later")
    jobs.stop(better.id)
    wait(better, "stopped", seconds=20)
    wait(same, "done")


def test_what_does_not_make_way_is_killed_and_begins_again(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foedus.app.jobs.PATIENCE", 0.3)
    better = wait(submit(jobs, "stubborn", "w4", priority=1), "running")
    wait(submit(jobs, "echo", "w5", word="soon"), "done")
    wait(better, "running", seconds=20)
    assert better.error == ""
    jobs.stop(better.id)
    wait(better, "stopped", seconds=20)


def test_a_job_that_is_stopped_while_its_process_starts_does_not_begin(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    starting, go = threading.Event(), threading.Event()
    start = _Worker._start

    def late(worker: _Worker) -> Any:
        starting.set()
        assert go.wait(60)
        return start(worker)

    wait(submit(jobs, "die", "x1"), "failed")
    monkeypatch.setattr(_Worker, "_start", late)
    job = submit(jobs, "slowly", "x2")
    assert starting.wait(60)
    jobs.stop(job.id)
    go.set()
    wait(job, "stopped", seconds=60)
    assert job.version == 0
    wait(submit(jobs, "echo", "x3", word="on"), "done")


def test_the_queue_is_bounded_and_who_waits_can_leave(jobs: Jobs) -> None:
    first = wait(submit(jobs, "slowly", "k0"), "running")
    waiting = [submit(jobs, "slowly", f"k{n}") for n in (1, 2, 3)]
    with pytest.raises(BusyError, match="3 jobs are waiting"):
        submit(jobs, "slowly", "k4")
    jobs.stop(waiting[1].id)
    assert waiting[1].state == "stopped"
    last = submit(jobs, "slowly", "k5")
    assert last.state == "queued"
    jobs.stop(first.id)
    wait(waiting[0], "running", seconds=20)
    for job in (last, waiting[2], waiting[0]):
        jobs.stop(job.id)
    wait(waiting[0], "stopped", seconds=20)


def test_what_goes_wrong_is_told(jobs: Jobs) -> None:
    job = wait(submit(jobs, "wrong", "l"), "failed")
    assert "ValueError: no" in job.error
    job = wait(submit(jobs, "die", "m"), "failed")
    assert "died" in job.error
    assert wait(submit(jobs, "echo", "n", word="on"), "done").error == ""


def test_a_key_names_all_that_decides_a_result() -> None:
    a = key_of("forecast", {"case": "x", "runs": 500})
    assert a == key_of("forecast", {"runs": 500, "case": "x"})
    assert a != key_of("forecast", {"case": "x", "runs": 501})
    assert a != key_of("explain", {"case": "x", "runs": 500})


def test_the_oldest_results_go_first(tmp_path: Path) -> None:
    for n in range(4):
        path = tmp_path / f"{n}.bin"
        path.write_bytes(b"x" * 100)
        os.utime(path, (n, n))
    assert prune(tmp_path, 250) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["2.bin", "3.bin"]
