"""Saltelli's design for first and total-order indices, sampled and analysed by SALib.

Inputs are grouped by mechanism, or each is a group. *Chance* is one more input: a uniform that
chooses the run number, so that rows that share it have the same random numbers, and all that is
random given the hypothesis and the parameters has one index. The design has ``N (G + 2)`` runs for
G groups; N is a power of two.

An answer is read as the questions "is it at most t?", as in
:mod:`foedus.answers.sensitivity_indices`. SALib's Sobol indices of each are averaged by their
variance, which gives the Cramér-von-Mises indices of first and total order. The intervals are
SALib's, averaged in the same way; they are conservative.

The runs of the design, at given :class:`RunInputs`, are not kept (:func:`answers_at`).
"""

from __future__ import annotations

import functools
import os
import warnings as python_warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foedus.answers import sensitivity_indices as indices
from foedus.answers.sensitivity_results import (
    By,
    Effect,
    NoEffects,
    Sensitivities,
    Sensitivity,
    Share,
    View,
)
from foedus.answers.uncertain_inputs import Input, hypothesis_input, parameter_inputs
from foedus.case.asof import seen_by_world
from foedus.case.models import Case, Question
from foedus.case.vocabulary import QUANTITIES
from foedus.errors import InputError
from foedus.weighing.quantities import Frame, evaluate
from foedus.weighing.verdict import Failure, Verdict
from foedus.weighing.weighed import unreadable_questions
from foedus.world.guidance import Guidance

if TYPE_CHECKING:
    from foedus.ensemble.progress import Progress
    from foedus.world.mechanism import Parameter

FloatArray = NDArray[np.float64]

CHANCE = "chance"
#: Levels of an answer that are distinguished; each costs an analysis.
LEVELS = 10
#: Fewest base points.
FEWEST_BASE_POINTS = 32
#: Run numbers to choose from.
_NUMBERS = 2**30
#: Runs that are simulated at once.
AT_ONCE = 200


@dataclass(frozen=True)
class Orders:
    """Indices of some groups, each with the half-width of its 95% interval; shape (group,)."""

    first: FloatArray
    first_error: FloatArray
    total: FloatArray
    total_error: FloatArray


class Saltelli:
    """SALib's sample and analysis of the same problem.

    Parameters
    ----------
    names : tuple of str
        Inputs, each uniform in (0, 1).
    groups : tuple of str
        The group of each input, or its own name.
    points : int
        N, a power of two.
    seed : int
    """

    def __init__(
        self, names: tuple[str, ...], groups: tuple[str, ...], *, points: int, seed: int
    ) -> None:
        self.names = names
        self.groups = tuple(dict.fromkeys(groups))
        self.points = points
        self._seed = seed % 2**31  # SALib's scrambles and resamples
        self._problem: dict[str, Any] = {
            "num_vars": len(names),
            "names": list(names),
            "bounds": [[0.0, 1.0]] * len(names),
        }
        if len(self.groups) < len(names):
            self._problem["groups"] = list(groups)

    @property
    def runs(self) -> int:
        """Number of rows: N (G + 2)."""
        return self.points * (len(self.groups) + 2)

    def sample(self) -> FloatArray:
        """Return the design, shape (run, input)."""
        from SALib.sample import sobol

        rows = sobol.sample(
            self._problem, self.points, calc_second_order=False, scramble=True, seed=self._seed
        )
        return np.clip(np.asarray(rows, dtype=np.float64), 2.0**-40, 1.0 - 2.0**-40)

    def analyse(self, y: FloatArray) -> Orders | None:
        """Return the indices of answers to the rows of the sample; None if all are alike.

        Parameters
        ----------
        y : ndarray, shape (run,)
            May hold infinities ("never"), which count as the largest.

        Raises
        ------
        InputError
            If an answer is not a number.
        """
        from SALib.analyze import sobol

        if np.isnan(y).any():
            raise InputError(f"{np.isnan(y).sum()} of {y.size} runs have no answer")
        level = indices.levels(y, np.full(y.size, 1.0 / y.size), most=LEVELS)
        mass = np.bincount(level) / level.size
        below = np.cumsum(mass)[:-1]
        importance = mass[:-1] * below * (1.0 - below)
        if importance.size == 0:
            return None
        table = np.zeros((4, len(self.groups)))
        for number, weight in enumerate(importance / importance.sum()):
            with python_warnings.catch_warnings():
                # a resample of a rare answer may have none of it
                python_warnings.simplefilter("ignore", RuntimeWarning)
                found = sobol.analyze(
                    self._problem,
                    (level <= number).astype(np.float64),
                    calc_second_order=False,
                    seed=self._seed,
                )
            parts = [np.asarray(found[k]) for k in ("S1", "S1_conf", "ST", "ST_conf")]
            table += weight * np.nan_to_num(np.array(parts))
        return Orders(*table)


def designed(
    case: Case,
    *,
    runs: int,
    seed: int,
    by: By = "mechanism",
    workers: int | None = None,
    progress: Progress | None = None,
) -> Sensitivities:
    """Return sensitivities from a Saltelli design, without evidence.

    Parameters
    ----------
    case : Case
        As filtered by :func:`foedus.case.asof.as_of`; its known decisions are imposed.
    runs : int
        At most this many are made.
    seed : int
    by : {"mechanism", "input"}
    workers : int, optional
    progress : Progress, optional

    Raises
    ------
    InputError
        If the runs are too few for the design.
    """
    from foedus.world import engine

    registry = engine.registry(case)
    uncertain, fixed = _uncertain(case, registry)
    names = tuple(i.name for i in (*uncertain, _chance()))
    groups = names if by == "input" else tuple(i.mechanism for i in (*uncertain, _chance()))
    design = Saltelli(names, groups, points=_points(runs, len(set(groups))), seed=seed)
    if progress:
        progress.note(f"{design.runs} runs of a design of {len(design.groups)} groups")
    guidance = Guidance.of(case)
    reasons = unreadable_questions(case, Frame.of(case))
    asked = [q for q in case.questions if q.id not in reasons]
    points = _simulated(case, registry, design, seed)
    answers = answers_at(case, points, asked, guidance=guidance, workers=workers)
    about = {i.name: i for i in (*uncertain, _chance())}
    if by == "mechanism":
        about = {g: _group(g, groups.count(g), about) for g in design.groups}
    views = {name: View(reason=Failure(problem=problem)) for name, problem in reasons.items()}
    for question, y in zip(asked, answers, strict=True):
        found = design.analyse(y)
        if found is None:
            views[question.id] = View(reason=NoEffects.CONSTANT)
            continue
        effects = []
        share = None
        for n, name in enumerate(design.groups):
            first, first_error = float(found.first[n]), float(found.first_error[n])
            total, spread = float(found.total[n]), float(found.total_error[n])
            if name == CHANCE:
                share = Share(total, total - spread, total + spread)
            effects.append(
                Effect(
                    input=about[name],
                    share=first,
                    low=first - first_error,
                    high=first + first_error,
                    told=total - spread > 0.0,
                    ends=(),
                    total=total,
                    total_low=total - spread,
                    total_high=total + spread,
                )
            )
        ranked = tuple(sorted(effects, key=lambda e: (-(e.total or 0.0), e.input.name)))
        views[question.id] = View(effects=ranked, noise=None, alone=None, chance=share)
    after = View(reason=NoEffects.NO_EVIDENCE)
    return Sensitivities(
        case_id=case.id,
        title=case.title,
        as_of=case.as_of,
        end=case.end,
        design="sobol",
        verdict=Verdict(),
        runs=design.runs,
        effective_before=float(design.runs),
        effective_after=0.0,
        inputs=tuple(about.values()),
        fixed=fixed,
        questions=tuple(
            Sensitivity(
                id=q.id,
                text=q.text,
                kind=q.kind,
                unit=q.unit or QUANTITIES[q.ask.quantity].unit,
                before=views[q.id],
                after=after,
            )
            for q in case.questions
        ),
        warnings=(),
        provenance={"seed": seed, "runs": design.runs, "base_points": design.points, "by": by},
    )


def _points(runs: int, groups: int) -> int:
    """Return the number of base points: the largest power of two that the runs allow."""
    allowed = runs // (groups + 2)
    if allowed < FEWEST_BASE_POINTS:
        raise InputError(
            f"a design of {groups} groups needs {FEWEST_BASE_POINTS * (groups + 2):,} runs or more "
            f"(found {runs:,})"
        )
    return 1 << (int(allowed).bit_length() - 1)


def _chance() -> Input:
    return Input(
        name=CHANCE, kind="chance", meaning="All that is random, given hypothesis and parameters."
    )


def _uncertain(
    case: Case, registry: dict[str, Parameter]
) -> tuple[tuple[Input, ...], tuple[str, ...]]:
    """Return the inputs that are uncertain, and the names of the parameters that are not."""
    from foedus.world.priors import resolve

    u = np.array([0.001, 0.25, 0.5, 0.75, 0.999])
    layers = [resolve(case, registry, h) for h in (case.hypotheses or (None,))]
    varied = {
        name
        for name, p in registry.items()
        if np.ptp([np.clip(layer[name].quantile(u), p.low, p.high) for layer in layers]) > 0
    }
    inputs = [i for i in parameter_inputs(case, tuple(registry)) if i.name in varied]
    first = [hypothesis_input(case)] if len(case.hypotheses) > 1 else []
    return (*first, *inputs), tuple(sorted(set(registry) - varied))


def _group(name: str, size: int, about: dict[str, Input]) -> Input:
    if name in about:
        return about[name]
    what = "trigger" if name == "trigger" else "parameter"
    return Input(
        name=name, kind="parameter", meaning=f"{size} {what}{'s' if size > 1 else ''} of {name}."
    )


def _simulated(
    case: Case, registry: dict[str, Parameter], design: Saltelli, seed: int
) -> RunInputs:
    """Return the runs of a design: the priors at its points, and chance by its last column."""
    from foedus.ensemble.design import priors_at

    points = dict(zip(design.names, design.sample().T, strict=True))
    runs = (points.pop(CHANCE) * _NUMBERS).astype(np.int64)
    values, hypothesis = priors_at(case, registry, points)
    return RunInputs(seed=seed, runs=runs, hypothesis=hypothesis, values=values)


@dataclass(frozen=True, kw_only=True)
class RunInputs:
    """The inputs of some runs.

    Attributes
    ----------
    seed : int
    runs : ndarray of int64, shape (run,)
        Run numbers; with the seed they determine all chance.
    hypothesis : ndarray of int16, shape (run,)
        -1 where the case has none.
    values : dict of str to ndarray, shape (run,)
        A value of each parameter.
    luck : dict of (purpose, place) to ndarray, shape (run,)
        Uniforms that replace draws of chance; empty: none is replaced.
    """

    seed: int
    runs: NDArray[np.int64]
    hypothesis: NDArray[np.int16]
    values: Mapping[str, FloatArray]
    luck: Mapping[tuple[str, int], FloatArray] = field(default_factory=dict)

    def part(self, here: slice) -> RunInputs:
        """Return some of the runs."""
        return RunInputs(
            seed=self.seed,
            runs=self.runs[here],
            hypothesis=self.hypothesis[here],
            values={k: v[here] for k, v in self.values.items()},
            luck={k: v[here] for k, v in self.luck.items()},
        )


@dataclass(frozen=True)
class _Job:
    world: str
    questions: tuple[Question, ...]
    guidance: Guidance
    points: RunInputs


def answers_at(
    case: Case,
    points: RunInputs,
    questions: Sequence[Question],
    *,
    guidance: Guidance,
    workers: int | None = None,
) -> FloatArray:
    """Simulate runs and return their answers, shape (question, run).

    Parameters
    ----------
    case : Case
        As filtered by :func:`foedus.case.asof.as_of`; the world does not see its facts.
    points : RunInputs
    questions : sequence of Question
    guidance : Guidance
        Known decisions that are imposed.
    workers : int, optional
        Processes; they do not change the result.
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
