"""Run batches on the workers of a Dask cluster; the numbers do not depend on the machines.

A worker gets a :class:`~foedus.ensemble.work.Task`, which is plain data, and a batch number. It
writes its chunks into the store, a folder that all machines see under one path, and returns the
mark. No large data travel over the network. Workers may join, leave and be killed: Dask gives their
batches to others, and a batch that is written twice is written with the same bytes.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from foedus.ensemble import store
from foedus.ensemble.plan import versions
from foedus.ensemble.pool import ENVIRONMENT, RESTARTS, WorkerError, clean_start
from foedus.ensemble.work import Done, Task, work
from foedus.errors import InputError, StoreError

#: The address that starts workers on this machine, for this command.
LOCAL = "local"

#: Time to look for a scheduler, in seconds.
CONNECT = 10.0

#: Time that a network disk may need to show one machine what another has written, in seconds.
LAG = 60.0

_ADDRESS = re.compile(r"[a-z]+://[^\s/:]+(:\d+)?|[a-z]+://\[[0-9a-fA-F:]+\]:\d+")
_ONE_AT_A_TIME = threading.Lock()


def check_address(address: str) -> None:
    """Check the address of a cluster before any run is made.

    Raises
    ------
    InputError
        If Dask is not installed, or there is no scheduler.
    """
    _distributed()
    if address == LOCAL:
        return
    if _ADDRESS.fullmatch(address) or Path(address).is_file():
        with _client(address, 1):
            return
    if address.endswith(".json"):
        raise InputError(f"--cluster {address}: no such scheduler file")
    raise InputError(
        f"--cluster: local, the address of a Dask scheduler such as tcp://10.0.0.5:8786, or its "
        f"scheduler file, ending in .json (found {address!r})"
    )


def execute(
    task: Task,
    batches: Sequence[int],
    address: str,
    finished: Callable[[Done], None],
    *,
    workers: int = 1,
    note: Callable[[str], None] = lambda text: None,
) -> None:
    """Run batches on a cluster, and report each as it ends.

    Only enough batches to keep the workers busy are in flight.

    Parameters
    ----------
    task : Task
    batches : sequence of int
    address : str
        As accepted by :func:`check_address`.
    finished : callable
        Called with every finished batch.
    workers : int
        Processes of a local cluster.
    note : callable
        Called with messages for the user.

    Raises
    ------
    InputError
        If there is no scheduler, or a worker has other versions than the plan.
    StoreError
        If a worker does not see the store, or cannot write.
    WorkerError
        If a batch repeatedly lost its worker.
    """
    # Looked up at the time of use, because the machines of a cluster have their own working
    # folders.
    task = replace(task, path=str(Path(task.path).resolve()))
    marks: dict[int, int] = {}

    def took(done: Done) -> None:
        if done.failure is None:
            marks[done.batch] = done.mark
        finished(done)

    with _client(address, min(workers, len(batches))) as client:
        if not _threads(client):
            note(f"waiting for workers at {address}")
        _execute(client, task, batches, took)
    _settle(Path(task.path), task, marks)


def _execute(
    client: Any, task: Task, batches: Sequence[int], finished: Callable[[Done], None]
) -> None:
    distributed = _distributed()
    queue, losses = iter(batches), dict.fromkeys(batches, 0)
    running: dict[Any, int] = {}
    ended = distributed.as_completed(loop=client.loop)

    def submit(batch: int) -> None:
        # Dask replaces a worker that is killed; an exception is ours and is not retried.
        future = client.submit(remote, task, batch, pure=False, retries=0)
        running[future] = batch
        ended.add(future)

    def fill() -> None:
        while len(running) < max(2 * _threads(client), 4):
            batch = next(queue, None)
            if batch is None:
                return
            submit(batch)

    fill()
    while running:
        future = next(ended)
        batch = running.pop(future)
        try:
            done = future.result()
        except (distributed.KilledWorker, distributed.client.FutureCancelledError) as error:
            losses[batch] += 1
            if losses[batch] > RESTARTS:
                raise WorkerError(
                    f"batch {batch} repeatedly lost its worker (out of memory?). Finished runs "
                    f"are safe. Give the same command on larger machines: {error}"
                ) from None
            submit(batch)
            continue
        finished(done)
        future.release()
        fill()


def remote(task: Task, batch: int) -> Done:
    """Run a batch on a machine of the cluster, one at a time in each process."""
    with _ONE_AT_A_TIME:
        here = versions()
        wrong = [f"{k} {v} against {here.get(k)}" for k, v in task.plan.versions.items()
                 if here.get(k) != v]  # fmt: skip
        if wrong:
            raise InputError(
                f"worker on {_host()}: its numbers would differ from those of the plan, which has "
                f"{'; '.join(wrong)}. Install the same foedus from the same lock file there"
            )
        _see(task)
        return work(task, batch)


def _see(task: Task) -> None:
    """Wait until this machine sees the store with the right plan."""
    end = time.monotonic() + LAG
    while True:
        try:
            if store.read_plan(Path(task.path))[0] == task.plan:
                return
            reason = "it has another plan"
        except StoreError as error:
            reason = str(error)
        if time.monotonic() > end or not Path(task.path).parent.exists():
            raise StoreError(
                f"worker on {_host()}: the store {task.path} is missing ({reason}). All machines "
                "must see one shared folder under the same path"
            )
        time.sleep(0.5)


def _settle(path: Path, task: Task, marks: dict[int, int]) -> None:
    """Wait until this machine sees what the others have written."""
    if not marks:
        return
    numbers = np.array(list(marks), dtype=np.int64)
    wanted = np.array(list(marks.values()), dtype=np.uint64)
    end = time.monotonic() + LAG
    while not np.array_equal(store.read_marks(path, task.plan)[numbers], wanted):
        if time.monotonic() > end:
            raise StoreError(
                f"{path}: batches that workers report as done are not visible here. Is it one "
                "shared folder? If so, give the same command again"
            )
        time.sleep(0.5)


@contextlib.contextmanager
def _client(address: str, workers: int) -> Iterator[Any]:
    distributed = _distributed()
    if address == LOCAL:
        import dask

        with (
            dask.config.set({"distributed.nanny.environ": ENVIRONMENT}),
            clean_start(),
            distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                silence_logs=50,
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client
        return
    where = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    try:
        client = distributed.Client(**where, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"--cluster {address}: no Dask scheduler answers there: {reason}. "
            "Start one with: dask scheduler"
        ) from None
    with client:
        yield client


def _threads(client: Any) -> int:
    return sum(client.nthreads().values())


def _host() -> str:
    import platform

    return platform.node() or "an unnamed machine"


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise InputError(
            "--cluster needs Dask: pip install 'foedus[cluster]', on all machines"
        ) from None
    return distributed
