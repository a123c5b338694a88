"""The work on one batch, from the draws to its chunks on disk."""

from __future__ import annotations

import functools
import importlib
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foedus.ensemble import design, store
from foedus.ensemble.plan import Plan

if TYPE_CHECKING:
    from foedus.case.models import Case
    from foedus.ensemble.ensemble import Ensemble
    from foedus.world.guidance import Guidance


#: Module with ``registry`` and ``simulate``.
ENGINE = "foedus.world.engine"


@dataclass(frozen=True)
class Task:
    """Everything that a worker needs for any batch of an ensemble, as plain data.

    Attributes
    ----------
    path : str
        The store.
    plan : Plan
    case : str
        The case as the world sees it, as JSON.
    guidance : Guidance
    engine : str
        Module with ``registry`` and ``simulate``.
    """

    path: str
    plan: Plan
    case: str
    guidance: Guidance
    engine: str = ENGINE

    @classmethod
    def of(cls, ensemble: Ensemble, guidance: Guidance) -> Task:
        """Return the task that makes runs of an ensemble again, with some decisions imposed."""
        return cls(str(ensemble.path), ensemble.plan, ensemble.attributes["case"], guidance)


@dataclass(frozen=True)
class Failure:
    """A batch that could not be simulated.

    Attributes
    ----------
    batch : int
    run : int or None
        First run that fails on its own; None if none does.
    error, origin, trace : str
        The exception in one line, the file and line that raised it, and the traceback.
    """

    batch: int
    run: int | None
    error: str
    origin: str
    trace: str


@dataclass(frozen=True)
class Done:
    """The outcome of one batch: its mark in the store, or the failure."""

    batch: int
    runs: int
    mark: int
    failure: Failure | None = None


def work(task: Task, batch: int) -> Done:
    """Simulate one batch and write it.

    An exception of the engine is returned as data; other batches are not affected.

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    """
    first, end = task.plan.bounds(batch)
    runs = np.arange(first, end, dtype=np.int64)
    try:
        arrays = simulate(task, runs)
    except Exception as error:
        return Done(batch, 0, 0, _failure(task, batch, error))
    mark = store.write_batch(Path(task.path), task.plan, batch, arrays)
    return Done(batch, end - first, mark)


def simulate(task: Task, runs: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Return all columns of the store for some runs, by global run number.

    Raises
    ------
    ValueError
        If the engine returns arrays that differ from those it declares.
    """
    engine = importlib.import_module(task.engine)
    case = _case(task.case)
    registry = engine.registry(case)
    plan = task.plan
    chance = engine.luck(case) if plan.stages else ()
    draws = design.draw(case, registry, seed=plan.seed, runs=runs, stages=plan.stages, luck=chance)
    out: dict[str, NDArray[Any]] = engine.simulate(
        case,
        seed=plan.seed,
        runs=runs,
        values=draws.values,
        hypothesis=draws.hypothesis,
        guidance=task.guidance,
        **({"luck": draws.luck} if draws.luck else {}),
    )
    columns = {
        **out,
        "run": runs,
        "hypothesis": draws.hypothesis,
        "parameters": np.stack([draws.values[n] for n in task.plan.parameters], axis=1),
    }
    for column in store.columns():
        expected = (runs.size, *store.shape_of(column, task.plan))
        array = columns.get(column.name)
        if array is None or array.shape != expected or array.dtype != column.dtype:
            found = "nothing" if array is None else f"{array.dtype} {array.shape}"
            raise ValueError(
                f"output {column.name}: expected {column.dtype} {expected}, found {found}"
            )
    return columns


@functools.lru_cache(maxsize=4)
def _case(text: str) -> Case:
    from foedus.case.models import Case

    return Case.model_validate_json(text)


def _failure(task: Task, batch: int, error: Exception) -> Failure:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return Failure(
        batch=batch,
        run=_culprit(task, batch),
        error=f"{type(error).__name__}: {error}"[:2000],
        origin=f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}",
        trace="".join(traceback.format_exception(error))[-20_000:],
    )


def _culprit(task: Task, batch: int) -> int | None:
    """Return the first run of the batch that fails on its own, by halving."""
    first, end = task.plan.bounds(batch)
    while end - first > 1:
        middle = (first + end) // 2
        if _fails(task, first, middle):
            end = middle
        else:
            first = middle
    return first if _fails(task, first, end) else None


def _fails(task: Task, first: int, end: int) -> bool:
    try:
        simulate(task, np.arange(first, end, dtype=np.int64))
    except Exception:
        return True
    return False
