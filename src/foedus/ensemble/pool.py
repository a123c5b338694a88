"""Worker processes: spawned, never forked, and ended as soon as the parent ends."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from typing import TypeVar

from foedus.ensemble.work import Done, Task, work
from foedus.errors import FoedusError

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")

#: Number of times a pool whose worker died is restarted before giving up.
RESTARTS = 3

#: Every worker computes in one thread, because the workers are the parallelism.
ENVIRONMENT = {
    "NUMBA_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


class WorkerError(FoedusError):
    """Workers were killed repeatedly, usually for lack of memory."""


def execute(
    task: Task, batches: Sequence[int], workers: int, finished: Callable[[Done], None]
) -> None:
    """Run batches, in this process or in several, and report each as it ends.

    Only enough batches to keep the workers busy are in flight, so memory does not grow with their
    number.

    Raises
    ------
    StoreError
        From a worker that cannot write; the others are stopped.
    WorkerError
        If a worker was killed more than :data:`RESTARTS` times.
    """
    if workers == 1 or len(batches) == 1:
        for batch in batches:
            finished(work(task, batch))
        return
    left = dict.fromkeys(batches)

    def took(done: Done) -> None:
        left.pop(done.batch, None)
        finished(done)

    for _ in range(1 + RESTARTS):
        try:
            _execute(task, list(left), min(workers, len(left)), took)
            return
        except BrokenProcessPool:
            continue
    raise WorkerError(
        f"worker processes died {1 + RESTARTS} times (out of memory?). Finished runs are safe. "
        "Give the same command with fewer --workers"
    )


def _execute(
    task: Task, batches: Sequence[int], workers: int, finished: Callable[[Done], None]
) -> None:
    queue = iter(batches)
    running: set[Future[Done]] = set()
    with _pool(workers) as pool:
        while True:
            for batch in queue:
                with clean_start():
                    running.add(pool.submit(work, task, batch))
                if len(running) > workers:
                    break
            if not running:
                return
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                finished(future.result())


def spread(
    function: Callable[[_Job], _Result],
    jobs: Sequence[_Job],
    workers: int,
    finished: Callable[[_Result], object] = lambda result: None,
) -> list[_Result]:
    """Return a function's value for each job, in order, computed here or in several processes.

    Parameters
    ----------
    function : callable
        At module level, so that a process can import it.
    jobs : sequence
        Plain data.
    workers : int
        1 computes in this process.
    finished : callable, optional
        Given each result in turn.

    Raises
    ------
    WorkerError
        If a worker was killed.
    """

    def told(results: Iterable[_Result]) -> list[_Result]:
        kept = []
        for result in results:
            finished(result)
            kept.append(result)
        return kept

    if workers == 1 or len(jobs) < 2:
        return told(function(job) for job in jobs)
    with _pool(min(workers, len(jobs))) as pool:
        with clean_start():
            futures = [pool.submit(function, job) for job in jobs]
        try:
            return told(future.result() for future in futures)
        except BrokenProcessPool:
            raise WorkerError(
                "a worker process died (out of memory?). Give the same command with --workers 1"
            ) from None


@contextlib.contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Start workers that end when the parent closes a pipe, on purpose or because it died."""
    context = multiprocessing.get_context("spawn")
    watched, held = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(watched,))
    try:
        yield pool
        pool.shutdown(wait=True)
    finally:
        held.close()  # work in flight ends now, and its batch is not marked
        pool.shutdown(wait=True, cancel_futures=True)
        watched.close()


def _begin(watched: Connection) -> None:
    """Set up each worker at its start."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    threading.Thread(target=_die_with_parent, args=(watched,), daemon=True).start()


def _die_with_parent(watched: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        watched.recv_bytes()
    os._exit(1)


@contextlib.contextmanager
def clean_start() -> Iterator[None]:
    """While workers start: one thread each, and no second run of the user's script.

    A spawned process imports the parent's main module, which would run a script without ``if
    __name__ == "__main__"`` again. Nothing that is sent is defined there, so it is hidden.
    """
    main = sys.modules["__main__"]
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    sys.modules["__main__"] = types.ModuleType("__main__")
    os.environ.update(ENVIRONMENT)
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
