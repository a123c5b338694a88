"""Run an ensemble: write the plan to disk, then run batches in one or several processes."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import numpy as np

from foedus.case.asof import seen_by_world
from foedus.case.times import parse_when, show_when
from foedus.defaults import RUNS
from foedus.ensemble import pool, store
from foedus.ensemble.ensemble import Ensemble, open_ensemble
from foedus.ensemble.plan import Plan, make_plan
from foedus.ensemble.progress import Progress, Silent
from foedus.ensemble.proposal import FIRST_STAGE, Stage, boundaries
from foedus.ensemble.store import locked
from foedus.ensemble.work import ENGINE, Done, Failure, Task, simulate
from foedus.errors import FoedusError, InputError, Interrupted, StoreError
from foedus.world.guidance import Guidance

if TYPE_CHECKING:
    from foedus.case.asof import AsOf
    from foedus.case.models import Case

#: Proposes a stage: ``adapt(ensemble, first_run)``.
Adapt = Callable[[Ensemble, int], Stage]

#: Module with ``registry`` and ``simulate``.

#: Default number of runs in a batch: a compromise between speed and memory.
LARGEST_BATCH = 500
SMALLEST_BATCH = 100

#: Least number of runs for which an additional worker is worth starting.
RUNS_PER_WORKER = 200

#: Number of workers assumed for the batch size on a cluster, since the plan is made before they
#: join.
CLUSTER_WORKERS = 100

#: Runs that are simulated and discarded, to compile the kernels before workers start.
COMPILING_RUNS = 16

#: Default folder of ensembles.
RESULTS = Path("results")


class RunError(FoedusError):
    """Some batches raised an exception; the others are safe, and the first that failed is named."""

    def __init__(self, message: str, failures: tuple[Failure, ...] = ()) -> None:
        super().__init__(message)
        self.failures = failures


def run(
    case: Case,
    *,
    runs: int = RUNS,
    seed: int = 1,
    workers: int | None = None,
    batch: int | None = None,
    out: str | os.PathLike[str] | None = None,
    as_of: AsOf | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    adapt: Adapt | None = None,
    cluster: str | None = None,
    folder: str | os.PathLike[str] | None = None,
    continues: Ensemble | None = None,
) -> Ensemble:
    """Simulate a case many times; the result is on disk and can be continued at any time.

    A run is the same, bit for bit, whatever the batch size, the number of workers, or the number of
    interruptions.

    Parameters
    ----------
    case : Case
    runs : int
        Total number of runs. If the store has fewer, the missing ones are added and the others
        stay.
    seed : int
        0 to 2**64 - 1.
    workers : int, optional
        Processes; by default one per processor, or fewer for few runs. 1 computes in this process.
    batch : int, optional
        Runs per batch. A store keeps the batch size with which it was made.
    out : path, optional
        The store; by default in ``results/``, named from case, as-of date, seed and plan.
    as_of : date, datetime or str, optional
        Replay the decisions known by this time. By default nothing is replayed and no fact is used;
        members, alliance and ties are as known by the case's own as-of date.
    resume : bool
        The store must exist, and its data are checked first: damaged batches are made again.
    progress : Progress, optional
        Receives progress reports.
    adapt : callable, optional
        Makes the ensemble adaptive. Before each later stage, ``adapt(ensemble, first_run)`` returns
        its :class:`~foedus.ensemble.proposal.Stage` from the runs so far. The stages are kept in
        the plan. It must depend only on the runs and on the facts of the case.
    cluster : str, optional
        Compute on a Dask cluster: the address of its scheduler such as ``tcp://10.0.0.5:8786``, its
        scheduler file, or ``local`` for one on this machine. All machines must see the store under
        the same path.
    folder : path, optional
        Folder of the store if ``out`` is not given; by default ``results/``.
    continues : Ensemble, optional
        Copy the first runs from this ensemble instead of making them; ``adapt`` is then called
        once, for the stage of all runs that follow. It must be complete and have replayed the same
        decisions; its seed and batch size are used.

    Returns
    -------
    Ensemble
        With exactly the first ``runs`` runs.

    Raises
    ------
    InputError
        If an argument or the case is invalid.
    StoreError
        If the store belongs to another plan, is in use, or cannot be written.
    Interrupted
        After Ctrl-C or SIGTERM; says how to resume.
    RunError
        If a run raised an exception; the other batches are finished first.
    """
    if continues is not None:
        seed, batch = continues.plan.seed, continues.plan.batch
    _check(runs=runs, seed=seed, workers=workers, batch=batch)
    if cluster is not None:
        _check_cluster(cluster, workers)
    if workers is None:
        workers = min(os.cpu_count() or 1, max(1, runs // RUNS_PER_WORKER))
    progress = progress or Silent()
    filtered, guidance = _as_known(case, as_of)
    registry = importlib.import_module(ENGINE).registry(filtered)
    plan = make_plan(
        filtered,
        registry,
        guidance,
        seed=seed,
        runs=runs,
        batch=_batch(batch or _default_batch(runs, workers, cluster), adapt is not None),
        as_of=_text(as_of),
        evidence_hash=None if adapt is None else _evidence_hash(filtered),
    )
    if continues is not None:
        plan = _continuing(plan, continues)
    path = Path(out) if out is not None else default_path(plan, folder)
    if resume and not path.exists():
        raise StoreError(f"{path}: nothing to resume here. Leave out --resume to make it")
    if not resume and path.exists():
        _matching(path, plan)
        ready = open_ensemble(path)
        if ready.plan.runs >= runs:
            ready = open_ensemble(path, runs=runs)
            if ready.complete.all():
                return ready
    world = seen_by_world(filtered)
    try:
        with _interruptible(), locked(path):
            if not path.exists():
                begun = plan if continues is None else plan.grown(continues.plan.runs)
                store.create(path, begun, title=case.title, case=world)
            stored = _matching(path, plan)
            store.sweep(path)
            if resume:
                _drop_damaged(path, stored, progress)
            if stored.runs < runs:
                stored = stored.grown(runs)
                store.extend(path, stored)
            task = Task(str(path), stored, world, guidance, ENGINE)
            if adapt is not None and continues is not None:
                task = _next(task, continues, adapt)
            elif adapt is not None:
                task = _stages(task, runs, workers, progress, adapt, cluster)
            _finish(task, runs, workers, progress, cluster)
    except KeyboardInterrupt:
        raise _interrupted(path, plan) from None
    return open_ensemble(path, runs=runs)


def _stages(
    task: Task, runs: int, workers: int, progress: Progress, adapt: Adapt, cluster: str | None
) -> Task:
    """Make the runs before each later stage, then ask for its proposal."""
    path = Path(task.path)
    for number, first in enumerate(boundaries(runs)):
        if number < len(task.plan.stages):
            continue
        _finish(task, first, workers, progress, cluster)
        stage = adapt(open_ensemble(path, runs=first), first)
        task = replace(task, plan=task.plan.staged(stage))
        store.write_attributes(path, {"plan": task.plan.to_json()})
    return task


def _continuing(plan: Plan, first: Ensemble) -> Plan:
    """Return the plan of an ensemble whose first runs come from another.

    The evidence that it uses is its own and that of all ensembles before it.
    """
    if plan.evidence_hash is None or not first.complete.all() or first.plan.runs >= plan.runs:
        raise InputError(
            f"continues: a complete ensemble of fewer than {plan.runs} runs, and adapt (found "
            f"{first.complete_runs} of {first.plan.runs} runs)"
        )
    stages = [s.to_json() for s in first.plan.stages if s.first_run < first.plan.runs]
    begun = {"as_of": first.plan.as_of, "runs": first.plan.runs}
    seen = [first.plan.digest, str(first.plan.runs), plan.evidence_hash]
    after = replace(
        plan,
        evidence_hash=hashlib.sha256("\n".join(seen).encode()).hexdigest(),
        proposals={"begun": begun, **first.plan.proposals, "stages": stages},
    )
    same = replace(
        after,
        as_of=first.plan.as_of,
        evidence_hash=first.plan.evidence_hash,
        guidance=first.plan.guidance,
    )
    wrong = first.plan.differences(same)
    wrong += [k for k in ("days", "not_by") if first.plan.guidance[k] != plan.guidance[k]]
    if wrong:
        raise InputError(f"continues: an ensemble of the same decisions ({'; '.join(wrong)})")
    return after


def _next(task: Task, first: Ensemble, adapt: Adapt) -> Task:
    """Copy the runs of the continued ensemble, and ask for the proposal of the others."""
    path, begun = Path(task.path), task.plan.grown(first.plan.runs)
    marks = store.read_marks(path, begun)
    source = store.Stored(first.path)
    for batch in np.flatnonzero(marks == 0).tolist():
        start, end = begun.bounds(batch)
        arrays = store.read_batch(first.path, source, begun, batch, end - start)
        store.write_batch(path, begun, batch, arrays)
    if not any(s.first_run == first.plan.runs for s in task.plan.stages):
        task = replace(task, plan=task.plan.staged(adapt(first, first.plan.runs)))
        store.write_attributes(path, {"plan": task.plan.to_json()})
    return task


def _evidence_hash(case: Case) -> str:
    facts = [fact.model_dump_json() for fact in case.facts]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def default_path(plan: Plan, folder: str | os.PathLike[str] | None = None) -> Path:
    """Return the default path of a plan's store; different plans have different paths."""
    known = (plan.as_of or "all-open").replace(":", "")
    return (
        RESULTS if folder is None else Path(folder)
    ) / f"{plan.case_id}_{known}_seed{plan.seed}_{plan.digest}.zarr"


def _finish(task: Task, runs: int, workers: int, progress: Progress, cluster: str | None) -> None:
    """Make all incomplete batches that hold one of the first ``runs`` runs."""
    path, plan = Path(task.path), task.plan
    ends = np.array([plan.bounds(b) for b in range(plan.batches)])
    whole = store.done_runs(store.read_marks(path, plan)) >= ends[:, 1] - ends[:, 0]
    todo = np.flatnonzero(~whole & (ends[:, 0] < runs)).tolist()
    if not todo:
        return
    failures: dict[int, Failure] = {}

    def finished(done: Done) -> None:
        if done.failure is None:
            progress.advance(done.runs)
            return
        failures[done.batch] = done.failure
        failure = done.failure
        progress.note(f"batch {failure.batch} failed in {failure.origin}: {failure.error}")

    progress.start(runs, runs - int((ends[todo, 1].clip(max=runs) - ends[todo, 0]).sum()))
    try:
        if workers > 1 and len(todo) > 1 and cluster in (None, "local"):
            _compile(task)
        if cluster is None:
            pool.execute(task, todo, workers, finished)
        else:
            from foedus.ensemble.cluster import execute

            execute(task, todo, cluster, finished, workers=workers, note=progress.note)
    finally:
        progress.stop()
        store.sweep(path)
        with contextlib.suppress(StoreError):  # on a full disk, the first error counts
            _record(path, todo, failures)
    if failures:
        raise RunError(_failed(path, plan, failures), tuple(failures.values()))


def _interrupted(path: Path, plan: Plan) -> Interrupted:
    if not path.exists():
        return Interrupted(f"stopped before {path} was made; nothing is lost")
    ensemble = open_ensemble(path)
    seen = ensemble.complete[: plan.runs]
    return Interrupted(
        f"stopped after {int(seen.sum()):,} of {plan.runs:,} runs, which are safe in {path}.",
        again=plan.command(path, resume=True),
    )


def _record(path: Path, tried: list[int], failures: dict[int, Failure]) -> None:
    """Keep the failures in the store; a batch that was retried loses its old one."""
    before = open_ensemble(path).failures
    now = {b: f for b, f in before.items() if b not in tried}
    now |= {b: asdict(f) for b, f in failures.items()}
    if now != before:
        kept = {str(b): f for b, f in sorted(now.items())}
        store.write_attributes(path, {"failures": kept or None})


def _failed(path: Path, plan: Plan, failures: dict[int, Failure]) -> str:
    first = failures[min(failures)]
    start, end = plan.bounds(first.batch)
    which = f"runs {start} to {end - 1}" if first.run is None else f"run {first.run}"
    more = f" (the first of {len(failures)} batches that failed)" if len(failures) > 1 else ""
    return (
        f"{which} failed in {first.origin}: {first.error}{more}. The other batches are safe in "
        f"{path}; the tracebacks are in its attribute 'failures'. "
        f"To try again: {plan.command(path, resume=True)}"
    )


def _matching(path: Path, plan: Plan) -> Plan:
    """Return the stored plan if it gives the same numbers as the requested one."""
    stored, _ = store.read_plan(path)
    if differences := stored.differences(plan):
        raise StoreError(
            f"{path}: it was made with another plan; then and now: {'; '.join(differences)}. "
            "Give another --out, or run with the settings of that plan"
        )
    return stored


def _drop_damaged(path: Path, plan: Plan, progress: Progress) -> None:
    for batch, why in store.damage(path, plan):
        if why is not None:
            progress.note(f"batch {batch} is damaged and will be made again: {why}")
            store.clear_batch(path, batch)


def _compile(task: Task) -> None:
    """Compile the kernels into the cache that the workers read, by simulating some runs here.

    The kernels that a run needs depend on its draws; these runs together need them all.
    """
    with contextlib.suppress(Exception):  # the batch with this error records it
        simulate(task, np.arange(min(COMPILING_RUNS, task.plan.runs), dtype=np.int64))


def _as_known(case: Case, as_of: AsOf | None) -> tuple[Case, Guidance]:
    from foedus.case.asof import as_of as filtered_by
    from foedus.case.asof import with_frame

    if as_of is None:
        return with_frame(case, case.as_of), Guidance()
    filtered = filtered_by(case, as_of)
    return filtered, Guidance.of(filtered)


def _text(as_of: AsOf | None) -> str | None:
    return None if as_of is None else show_when(parse_when(as_of))


def _default_batch(runs: int, workers: int, cluster: str | None) -> int:
    if cluster not in (None, "local"):
        workers = CLUSTER_WORKERS
    return min(LARGEST_BATCH, max(SMALLEST_BATCH, -(-runs // (2 * workers))))


def _batch(wanted: int, staged: bool) -> int:
    """Return the batch size; a stage starts with a batch, so there it divides the first stage."""
    if not staged:
        return wanted
    return max(
        size for size in range(1, FIRST_STAGE + 1) if FIRST_STAGE % size == 0 and size <= wanted
    )


def _check_cluster(cluster: str, workers: int | None) -> None:
    from foedus.ensemble.cluster import LOCAL, check_address

    if cluster != LOCAL and workers is not None:
        raise InputError(
            f"--workers: only with --cluster {LOCAL}; {cluster} has its own workers "
            f"(found {workers})"
        )
    check_address(cluster)


def _check(*, runs: int, seed: int, workers: int | None, batch: int | None) -> None:
    limits = {
        "runs": (runs, 1, 2**32),
        "seed": (seed, 0, 2**64 - 1),
        "workers": (workers, 1, 4096),
        "batch": (batch, 1, 1_000_000),
    }
    for name, (value, low, high) in limits.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InputError(f"{name}: a whole number from {low} to {high} (found {value!r})")


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM act like Ctrl-C while runs are made."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
