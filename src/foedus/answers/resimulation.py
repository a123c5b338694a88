"""Runs at points of our own choosing: simulated, asked the case's questions, and not kept.

An ensemble's runs are drawn from the priors; a design for sensitivity needs others: the same
inputs with other chance, or one group of inputs changed at a time.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from foedus.case.hash import seen_by_world
from foedus.case.models import Case, Question
from foedus.weighing.quantities import Frame, evaluate
from foedus.world.guidance import Guidance

FloatArray = NDArray[np.float64]

#: Runs that are simulated at once.
AT_ONCE = 200


@dataclass(frozen=True)
class Points:
    """The inputs of some runs.

    Attributes
    ----------
    seed : int
    runs : ndarray of int64, shape (run,)
        Run numbers: with the seed they are the chance.
    hypothesis : ndarray of int16, shape (run,)
        -1 where the case has none.
    values : dict of str to ndarray, shape (run,)
        A value of each parameter.
    luck : dict of (purpose, place) to ndarray, shape (run,)
        Uniforms that stand in for draws of chance; empty: all chance is the runs' own.
    """

    seed: int
    runs: NDArray[np.int64]
    hypothesis: NDArray[np.int16]
    values: Mapping[str, FloatArray]
    luck: Mapping[tuple[str, int], FloatArray] = field(default_factory=dict)

    def part(self, here: slice) -> Points:
        """Return some of the runs."""
        return Points(
            self.seed,
            self.runs[here],
            self.hypothesis[here],
            {k: v[here] for k, v in self.values.items()},
            {k: v[here] for k, v in self.luck.items()},
        )


@dataclass(frozen=True)
class _Job:
    world: str
    questions: tuple[Question, ...]
    guidance: Guidance
    points: Points


def answers_at(
    case: Case,
    points: Points,
    questions: Sequence[Question],
    *,
    guidance: Guidance,
    workers: int | None = None,
) -> FloatArray:
    """Simulate runs and return what the questions ask of each, shape (question, run).

    Parameters
    ----------
    case : Case
        As filtered by :func:`foedus.case.asof.as_of`; the world is not given its facts.
    points : Points
    questions : sequence of Question
    guidance : Guidance
        Known decisions that are imposed.
    workers : int, optional
        Processes; changes no result.
    """
    from foedus.ensemble.pool import spread

    world = seen_by_world(case)
    size = points.runs.size
    jobs = [
        _Job(world, tuple(questions), guidance, points.part(slice(first, first + AT_ONCE)))
        for first in range(0, size, AT_ONCE)
    ]
    if workers is None:
        workers = min(os.cpu_count() or 1, max(1, size // AT_ONCE))
    if not questions or not size:
        return np.zeros((len(questions), size))
    return np.concatenate(spread(_work, jobs, workers), axis=1)


def _work(job: _Job) -> FloatArray:
    from foedus.world import engine

    case, p = _case(job.world), job.points
    out = engine.simulate(
        case,
        seed=p.seed,
        runs=p.runs,
        values=p.values,
        hypothesis=p.hypothesis,
        guidance=job.guidance,
        luck=p.luck,
    )
    frame = Frame.of(case)
    return np.array([evaluate(out, frame, q.ask, kind=q.kind) for q in job.questions])


@functools.lru_cache(maxsize=4)
def _case(text: str) -> Case:
    return Case.model_validate_json(text)
