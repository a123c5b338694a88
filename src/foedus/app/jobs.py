"""Heavy work in separate processes, so that no request waits for another's forecast.

There are two lanes. The *quick* lane has a process for jobs that take seconds; the *long* lane does
the rest, one job at a time. A job yields to a later one of higher priority (a lower number) and
restarts after it, reusing what it has on disk. A process is kept between jobs, and killed if a job
does not stop on request. Visitors who ask for the same result share one job, which runs until the
last of them stops it. Result files are named by a hash of everything that decides them.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import importlib
import itertools
import json
import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal, Protocol

from foedus.ensemble.pool import ENVIRONMENT, clean_start
from foedus.errors import FoedusError

Lane = Literal["quick", "long"]
State = Literal["queued", "running", "done", "failed", "stopped"]

#: Seconds that a job has to stop on request before its process is killed.
PATIENCE = 5.0
#: Number of ended jobs that are remembered.
REMEMBERED = 200
#: Bytes of results kept on disk; the oldest are deleted first.
KEPT_BYTES = 500_000_000


class BusyError(FoedusError):
    """Too many jobs are waiting."""


class Tell(Protocol):
    """What a job reports while it works."""

    def progress(self, done: int, total: int, note: str = "") -> None:
        """Report progress."""

    def partial(self, result: bytes) -> None:
        """Publish a preliminary result, which a better one will replace."""


#: ``work(params, tell)`` returns the bytes of the result; it runs in another process.
Work = Callable[[dict[str, Any], Tell], bytes]


@dataclass(kw_only=True)
class Job:
    """One piece of work and its progress.

    Attributes
    ----------
    id, kind : str
    key : str
        Identifies everything that decides the result.
    lane : {"quick", "long"}
    wanted : int
        Number of visitors who wait for it.
    version : int
        Number of times its result has been written.
    order : int
        Order of arrival among jobs of the same priority.
    """

    id: str
    kind: str
    key: str
    lane: Lane
    work: str
    params: dict[str, Any]
    priority: int = 0
    state: State = "queued"
    wanted: int = 1
    done: int = 0
    total: int = 0
    note: str = ""
    error: str = ""
    version: int = 0
    order: int = 0
    began: float = field(default_factory=time.monotonic)

    def to_dict(self) -> dict[str, Any]:
        """Return the values that a visitor may see, and no others."""
        names = ("id", "kind", "key", "state", "done", "total", "note", "error", "version")
        return {name: getattr(self, name) for name in names}


class Jobs:
    """A bounded queue of jobs, and the processes that do them.

    Parameters
    ----------
    kept : pathlib.Path
        Folder of results.
    most : int
        Largest number of waiting jobs.
    lanes : dict of lane to int, optional
        Number of processes in each lane; by default one each.
    begin : str
        ``module:function`` that each process calls at its start; empty for none.
    """

    def __init__(
        self,
        kept: Path,
        most: int,
        lanes: dict[Lane, int] | None = None,
        begin: str = "foedus.app.work:warm",
    ) -> None:
        self.kept = kept
        self.most = most
        self.begin = begin
        self._lock = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._waiting: dict[Lane, list[tuple[int, int, Job]]] = {"quick": [], "long": []}
        self._numbers = itertools.count(1)
        self._closed = False
        self._workers: list[_Worker] = []
        for lane, count in (lanes or {"quick": 1, "long": 1}).items():
            self._workers += [_Worker(self, lane) for _ in range(count)]

    def start(self) -> None:
        """Start the processes."""
        for worker in self._workers:
            worker.thread.start()

    def close(self) -> None:
        """Stop everything; results on disk stay."""
        with self._lock:
            self._closed = True
            self._lock.notify_all()
        for worker in self._workers:
            worker.end()
        for worker in self._workers:
            if worker.thread.ident is not None:
                worker.thread.join(PATIENCE)

    def submit(
        self,
        kind: str,
        work: str,
        params: dict[str, Any],
        *,
        lane: Lane,
        key: str,
        priority: int = 0,
    ) -> Job:
        """Start a job, or join one for the same result that is already under way.

        Parameters
        ----------
        kind : str
        work : str
            ``module:function``, a :data:`Work`.
        params : dict
            Plain values.
        lane : {"quick", "long"}
        key : str
            From :func:`key_of`.
        priority : int
            Lower numbers go first; a running job with a higher number yields.

        Raises
        ------
        BusyError
        """
        with self._lock:
            for job in self._jobs.values():
                if job.key == key and job.state in ("queued", "running"):
                    job.wanted += 1
                    return job
            if sum(map(len, self._waiting.values())) >= self.most:
                raise BusyError(
                    f"{self.most} jobs are waiting already; stop one, or try again later"
                )
            number = next(self._numbers)
            job = Job(
                id=f"{number}",
                kind=kind,
                key=key,
                lane=lane,
                work=work,
                params=params,
                priority=priority,
                order=number,
            )
            self._jobs[job.id] = job
            self._wait(job)
            self._forget()
            way = self._in_the_way(job)
        if way is not None:
            self._interrupt(way)
        return job

    def _wait(self, job: Job) -> None:
        job.state = "queued"
        heapq.heappush(self._waiting[job.lane], (job.priority, job.order, job))
        self._lock.notify_all()

    def _in_the_way(self, job: Job) -> Job | None:
        """Return the job that must yield to a job; None if a process is free or none must yield."""
        running = [w.job for w in self._workers if w.lane == job.lane]
        if None in running:
            return None
        lower = [j for j in running if j is not None and j.priority > job.priority]
        return max(lower, key=lambda j: (j.priority, j.order), default=None)

    def _interrupt(self, job: Job) -> None:
        for worker in self._workers:
            worker.interrupt(job)

    def get(self, id_: str) -> Job | None:
        """Return a job by its number."""
        with self._lock:
            return self._jobs.get(id_)

    def stop(self, id_: str) -> Job | None:
        """Withdraw one visitor's request; the job stops with the last one."""
        with self._lock:
            job = self._jobs.get(id_)
            if job is None or job.state not in ("queued", "running"):
                return job
            job.wanted -= 1
            if job.wanted > 0:
                return job
            if job.state == "queued":
                job.state = "stopped"
                waiting = self._waiting[job.lane]
                waiting[:] = [item for item in waiting if item[2] is not job]
                heapq.heapify(waiting)
                return job
        self._interrupt(job)
        return job

    def path(self, key: str) -> Path:
        """Return the path of a result if it exists."""
        return self.kept / f"{key}.bin"

    def result(self, key: str) -> bytes | None:
        """Return a result, or a preliminary one if the job is not done; None if there is none."""
        whole = self.path(key)
        # The last look is for a job that ends between the first two.
        for path in (whole, whole.with_suffix(".part"), whole):
            with contextlib.suppress(OSError):
                return path.read_bytes()
        return None

    def _forget(self) -> None:
        ended = [j for j in self._jobs.values() if j.state not in ("queued", "running")]
        for job in ended[: max(len(ended) - REMEMBERED, 0)]:
            del self._jobs[job.id]

    def _next(self, worker: _Worker) -> Job | None:
        """Wait for a job for a worker; return None when the page closes."""
        with self._lock:
            while not self._closed:
                if self._waiting[worker.lane]:
                    job = heapq.heappop(self._waiting[worker.lane])[2]
                    job.state, worker.job, worker.told = "running", job, None
                    return job
                self._lock.wait()
            return None

    def _over(self, worker: _Worker, job: Job, state: State, error: str = "") -> None:
        """Record the end of a job; one that was stopped but is still wanted is queued again."""
        with self._lock:
            worker.job = None
            if state == "stopped" and job.wanted > 0 and not self._closed:
                job.done = job.total = 0
                self._wait(job)
            else:
                job.error, job.state = (
                    error,
                    state,
                )  # set before the state, so that whoever sees the end also sees the error


#: Starting a process briefly changes state that the whole program sees, so one at a time.
_STARTING = threading.Lock()


class _Worker:
    """A thread that passes jobs to a process and listens to it."""

    def __init__(self, jobs: Jobs, lane: Lane) -> None:
        self.jobs = jobs
        self.lane: Lane = lane
        self.job: Job | None = None
        self.told: Job | None = None  # the job that was told to stop
        self.process: Any = None
        self.pipe: Connection | None = None
        self.thread = threading.Thread(target=self._serve, name=f"jobs-{lane}", daemon=True)

    def interrupt(self, job: Job) -> None:
        """Tell the process to stop a job, once; kill it if it does not."""
        process = self.process
        if process is None or self.job is not job or self.told is job:
            return
        self.told = job
        process.terminate()  # nothing if it is gone: another process may have its number

        def kill() -> None:
            # Not if the job has stopped and, because someone still wants it, begun again. `end`
            # acts on the current process, which may be a new one.
            if self.job is job and self.told is job:
                self.end()

        timer = threading.Timer(PATIENCE, kill)
        timer.daemon = True
        timer.start()

    def end(self) -> None:
        """End the process."""
        if self.process is not None and self.process.is_alive():
            self.process.kill()

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        arguments = (theirs, str(self.jobs.kept), self.lane, self.jobs.begin)
        with _STARTING, clean_start():
            process = context.Process(target=_process, args=arguments)
            process.start()
        theirs.close()
        self.process, self.pipe = process, ours
        return ours

    def _serve(self) -> None:
        pipe = self._start()  # before the first job, so that it finds the process warm
        while (job := self.jobs._next(self)) is not None:
            if self.process is None or not self.process.is_alive():
                pipe = self._start()
            if self.told is job:  # while there was no process
                self.jobs._over(self, job, "stopped")
                continue
            try:
                pipe.send((job.work, job.params, job.key))
                self.jobs._over(self, job, *self._listen(pipe, job))
            except (EOFError, OSError):
                self.process.join()
                if self.told is job or job.wanted == 0:
                    self.jobs._over(self, job, "stopped")
                else:
                    error = "its process died, perhaps for lack of memory"
                    self.jobs._over(self, job, "failed", error)
        self.end()

    def _listen(self, pipe: Connection, job: Job) -> tuple[State, str]:
        """Follow a job to its end, and return how it ended and what went wrong."""
        while True:
            kind, value = pipe.recv()
            if kind == "progress":
                job.done, job.total, job.note = value
            elif kind == "partial":
                job.version += 1
            elif kind == "done":
                job.version += 1
                return "done", ""
            elif kind == "stopped":
                return "stopped", ""
            else:
                return "failed", value


class _Teller:
    """Report a job's progress to the page, and keep its results on disk."""

    def __init__(self, pipe: Connection, path: Path) -> None:
        self._pipe = pipe
        self._path = path
        self._told = 0.0

    def progress(self, done: int, total: int, note: str = "") -> None:
        now = time.monotonic()
        if done < total and now - self._told < 0.1 and not note:
            return
        self._told = now
        with undisturbed():
            self._pipe.send(("progress", (done, total, note)))

    def partial(self, result: bytes) -> None:
        self._write(result, self._path.with_suffix(".part"))
        with undisturbed():
            self._pipe.send(("partial", None))

    def keep(self, result: bytes) -> None:
        self._write(result, self._path)
        self._path.with_suffix(".part").unlink(missing_ok=True)

    def _write(self, result: bytes, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_bytes(result)
        draft.replace(path)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let no stop interrupt a message, or an import, which could not be repeated."""
    if not hasattr(signal, "pthread_sigmask"):  # pragma: no cover - not on this system
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _process(pipe: Connection, kept: str, lane: Lane, begin: str) -> None:
    """Do jobs until the page closes; runs in its own process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server handles Ctrl-C
    os.environ.update(ENVIRONMENT)
    if lane == "long" and hasattr(os, "nice"):
        os.nice(5)  # jobs for which a visitor waits go first

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    # A job that is told to stop may be reading a store at the time.
    warnings.filterwarnings("ignore", message="coroutine .* was never awaited")
    with contextlib.suppress(Exception, KeyboardInterrupt):
        if begin:
            with undisturbed():
                start = _named(begin)
            start()
    while True:
        try:
            work, params, key = pipe.recv()
        except KeyboardInterrupt:  # told to stop a job that had already ended
            continue
        except (EOFError, OSError):
            return
        teller = _Teller(pipe, Path(kept) / f"{key}.bin")
        try:
            answer = _do(work, params, teller)
        except KeyboardInterrupt:
            answer = ("stopped", None)
        with contextlib.suppress(KeyboardInterrupt), undisturbed():
            pipe.send(answer)


def _named(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def _do(work: str, params: dict[str, Any], teller: _Teller) -> tuple[str, Any]:
    from foedus.errors import Interrupted

    try:
        result = _named(work)(params, teller)
        teller.keep(result)
    except Interrupted:
        return ("stopped", None)
    except FoedusError as error:
        return ("failed", str(error))
    except Exception as error:
        return ("failed", f"{type(error).__name__}: {error}. This is a fault of foedus.")
    return ("done", None)


def key_of(kind: str, params: dict[str, Any]) -> str:
    """Return a name for everything that decides a result: the request and the code."""
    from foedus.ensemble.plan import package_hash, versions

    what = json.dumps([kind, params, versions(), package_hash()], sort_keys=True, default=str)
    return f"{kind}-{hashlib.sha256(what.encode()).hexdigest()[:32]}"


def prune(kept: Path, most: int = KEPT_BYTES) -> int:
    """Delete the oldest results until ``most`` bytes are left; return the number deleted."""

    def files() -> Iterator[tuple[float, int, Path]]:
        with contextlib.suppress(OSError):
            for path in (*kept.glob("*.bin"), *kept.glob("*.part")):
                with contextlib.suppress(OSError):
                    found = path.lstat()
                    yield found.st_mtime, found.st_size, path

    listed = sorted(files(), reverse=True)
    size = gone = 0
    for _, bytes_, path in listed:
        size += bytes_
        if size > most:
            with contextlib.suppress(OSError):
                path.unlink()
                gone += 1
    return gone
