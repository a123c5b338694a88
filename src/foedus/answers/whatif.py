"""What if an assumption were different: the same runs again, with one thing changed.

As in :mod:`foedus.answers.counterfactuals`, runs are drawn from the posterior and each is
simulated again with the same run number and random numbers. What changes here is the world: a
mechanism is switched on or off, one explanation is assumed true, or a parameter has another
prior. A parameter whose prior changes keeps its quantile: the run that drew the 30% quantile of the
old prior has the 30% quantile of the new one.

The known decisions stay imposed, or are left free in both runs of a pair. If they stay, an
assumption that acts through a decision (such as how eager the lead is) changes little, because the
decision is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from foedus.answers.counterfactuals import OUTCOMES, Difference, outcomes, resample
from foedus.answers.counterfactuals import check as check_again
from foedus.case.asof import AsOf
from foedus.case.models import Case, Question
from foedus.case.priors import Prior
from foedus.case.question_kinds import kind_of
from foedus.case.vocabulary import MECHANISMS, QUANTITIES
from foedus.errors import InputError
from foedus.plain_values import Plain
from foedus.weighing.quantities import Block, Frame, blocks, evaluate, series, variables
from foedus.weighing.weighed import Making, Weighed, weigh
from foedus.weighing.weights import normalise
from foedus.weighted_statistics import LEVELS, mean_and_error, quantile
from foedus.world.guidance import Guidance

if TYPE_CHECKING:
    from foedus.ensemble.ensemble import Ensemble
    from foedus.ensemble.work import Task

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Version of the keys of :meth:`WhatIf.to_dict`.
FORMAT = 1
#: Pairs of the first result, and of the later, more precise ones.
STEPS: tuple[int, ...] = (60, 240, 960)
#: What is compared day by day.
SERIES: tuple[str, ...] = ("crowd", "deaths_total", "loyal_share", "troops_present")

_AT_ONCE = 60
_CHECKED = 4


@dataclass(frozen=True)
class Change(Plain):
    """What is changed.

    Attributes
    ----------
    mechanisms : mapping of str to bool
        Switched on or off under all explanations.
    hypothesis : str or None
        Assumed true in all runs.
    priors : mapping of str to Prior
        Of parameters, under all explanations.
    free : bool
        The known decisions are left free in both runs of a pair.
    """

    mechanisms: Mapping[str, bool] = field(default_factory=dict)
    hypothesis: str | None = None
    priors: Mapping[str, Prior] = field(default_factory=dict)
    free: bool = False

    def apply(self, case: Case) -> Case:
        """Return the case with the change.

        Raises
        ------
        InputError
            If the case has no such mechanism or explanation.
        """
        unknown = sorted(set(self.mechanisms) - set(MECHANISMS))
        if unknown:
            raise InputError(
                f"mechanisms: of {', '.join(MECHANISMS)} (found {', '.join(unknown)[:200]})"
            )
        chosen = case.hypotheses
        if self.hypothesis is not None:
            chosen = tuple(h for h in case.hypotheses if h.id == self.hypothesis)
            if not chosen:
                known = ", ".join(h.id for h in case.hypotheses) or "none"
                raise InputError(f"hypothesis: of {known} (found {self.hypothesis[:80]!r})")
        kept = tuple(
            h.model_copy(
                update={
                    "mechanisms": _without(h.mechanisms, self.mechanisms),
                    "priors": _without(h.priors, self.priors),
                }
            )
            for h in chosen
        )
        return case.model_copy(
            update={
                "hypotheses": kept,
                "mechanisms": {**case.mechanisms, **self.mechanisms},
                "priors": {**case.priors, **self.priors},
            }
        )


def _without(table: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in table.items() if k not in names}


@dataclass(frozen=True, kw_only=True)
class Course(Plain):
    """One quantity day by day, means over the pairs.

    Attributes
    ----------
    key, unit : str
    as_it_is, changed, difference, error : ndarray, shape (day,)
        The error is the Monte-Carlo standard error of the difference.
    """

    key: str
    unit: str
    as_it_is: FloatArray
    changed: FloatArray
    difference: FloatArray
    error: FloatArray


@dataclass(frozen=True, kw_only=True)
class WhatIf(Plain):
    """The effect of a change.

    Attributes
    ----------
    change : Change
    pairs, distinct : int
        Pairs, and how many different runs they are.
    moved : int
        Different runs in which anything that is compared differs.
    drawn_from : {"evidence", "prior"}
        Distribution of the pairs; ``prior`` if too few runs agree with the evidence.
    effective : float
        Effective number of runs that agree with the evidence.
    outcomes, questions : tuple of Difference
        Of a question the probability, or the mean of a number.
    courses : tuple of Course
    """

    change: Change
    pairs: int
    distinct: int
    moved: int
    drawn_from: str
    effective: float
    outcomes: tuple[Difference, ...]
    questions: tuple[Difference, ...]
    courses: tuple[Course, ...]

    json_format = FORMAT


def what_if(
    case: Case,
    change: Change,
    *,
    as_of: AsOf | None = None,
    ensemble: Ensemble | None = None,
    weighed: Weighed | None = None,
    steps: tuple[int, ...] = STEPS,
    pairs_done: Callable[[int, int], None] = lambda done, total: None,
    **making: Unpack[Making],
) -> Iterator[WhatIf]:
    """Yield the effect of a change, over more and more pairs.

    Parameters
    ----------
    case : Case
    change : Change
    as_of : datetime.date, datetime.datetime or str, optional
        What was public by then is known; the case's own date if absent.
    ensemble : Ensemble, optional
        Runs made before, of the same case and with the same known decisions.
    weighed : Weighed, optional
        From :func:`foedus.weigh`; then date, ensemble and making are not used.
    steps : tuple of int
        Pairs of each result, in ascending order. No run is simulated twice.
    pairs_done : callable
        Called with the number of different runs done, and the number needed.
    **making : Making
        ``runs``, ``seed``, ``workers``, ``batch``, ``out``, ``cluster``, ``progress``, as of
        :func:`foedus.run`; not used with ``ensemble``.

    Yields
    ------
    WhatIf

    Raises
    ------
    InputError
        If the change names something that the case does not have.
    StoreError
        If a run made again differs from the stored one: other code made the runs.
    """
    from foedus.ensemble.work import Task
    from foedus.world.engine import registry
    from foedus.world.priors import refuse_undeclared

    if weighed is None:
        weighed = weigh(case, as_of=as_of, ensemble=ensemble, **making)
    ensemble, guidance, asked = weighed.store, weighed.guidance, weighed.asked
    world = ensemble.case
    other = change.apply(world)
    refuse_undeclared(other, registry(other))
    task = Task.of(ensemble, guidance)
    numbers = np.flatnonzero(ensemble.complete).astype(np.int64)
    free = Guidance() if change.free else guidance
    changed = replace(task, case=other.model_dump_json(), guidance=free)
    told, weights = not weighed.refused, weighed.weights
    weight = weights.weight if told else normalise(weighed.log_importance)
    seen = _Seen(
        ensemble,
        same=replace(task, guidance=free),
        changed=changed,
        frame=weighed.frame,
        asked=asked,
        free=change.free,
    )
    seen.check(task, numbers)
    for pairs in steps:
        count = resample(weight, pairs, seed=ensemble.plan.seed)
        rows = np.flatnonzero(count)
        as_it_is, otherwise = seen.get(rows, numbers[rows], pairs_done)
        yield _summary(
            change,
            as_it_is,
            otherwise,
            share=count[rows] / pairs,
            pairs=pairs,
            asked=asked,
            told=told,
            effective=weights.ess,
        )


class _Seen:
    """The runs read or made so far, unchanged and changed."""

    def __init__(
        self,
        ensemble: Ensemble,
        *,
        same: Task,
        changed: Task,
        frame: Frame,
        asked: tuple[Question, ...],
        free: bool,
    ) -> None:
        self._ensemble, self._same, self._changed = ensemble, same, changed
        self._frame, self._asked, self._free = frame, asked, free
        self._rows: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {}
        self._names = sorted(
            {n for q in asked for n in variables(q.ask.quantity, q.ask.member)}
            | {n for key in (*SERIES, "leader_leaves") for n in variables(key)}
        )

    def check(self, task: Task, numbers: IntArray) -> None:
        """Make a few runs again; they must be equal to the stored ones."""
        rows = np.arange(min(_CHECKED, numbers.size))
        stored = self._ensemble.dataset[self._names].isel(run=rows)
        block = next(iter(blocks(stored, self._names, size=_CHECKED)))
        check_again(task, numbers[rows], outcomes(block, self._frame), self._frame)

    def get(
        self, rows: IntArray, runs: IntArray, progress: Callable[[int, int], None]
    ) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
        """Return what is compared for some runs, unchanged and changed."""
        missing = np.array([r not in self._rows for r in rows.tolist()], dtype=bool)
        todo, numbers = rows[missing], runs[missing]
        progress(rows.size - todo.size, rows.size)
        for first in range(0, todo.size, _AT_ONCE):
            here = slice(first, first + _AT_ONCE)
            as_it_is = self._as_it_is(todo[here], numbers[here])
            otherwise = self._made(self._changed, numbers[here])
            for k, row in enumerate(todo[here].tolist()):
                self._rows[row] = (
                    {name: v[k] for name, v in as_it_is.items()},
                    {name: v[k] for name, v in otherwise.items()},
                )
            done = rows.size - todo.size + min(first + _AT_ONCE, todo.size)
            progress(done, rows.size)
        found = [self._rows[r] for r in rows.tolist()]
        names = found[0][0]
        a, b = ({n: np.array([f[i][n] for f in found]) for n in names} for i in (0, 1))
        return a, b

    def _as_it_is(self, rows: IntArray, numbers: IntArray) -> dict[str, FloatArray]:
        if self._free:
            return self._made(self._same, numbers)
        chosen = self._ensemble.dataset[self._names].isel(run=rows)
        return self._measured(next(iter(blocks(chosen, self._names, size=rows.size))))

    def _made(self, task: Task, numbers: IntArray) -> dict[str, FloatArray]:
        from foedus.ensemble.work import simulate

        return self._measured(simulate(task, numbers))

    def _measured(self, block: Block) -> dict[str, FloatArray]:
        out = outcomes(block, self._frame)
        for q in self._asked:
            draws = evaluate(block, self._frame, q.ask, kind=q.kind)
            out[f"question:{q.id}"] = kind_of(q.kind).amount(draws)
        for key in SERIES:
            out[f"course:{key}"] = series(block, self._frame, key)
        return out


def _summary(
    change: Change,
    as_it_is: dict[str, FloatArray],
    otherwise: dict[str, FloatArray],
    *,
    share: FloatArray,
    pairs: int,
    asked: tuple[Question, ...],
    told: bool,
    effective: float,
) -> WhatIf:
    moved = np.zeros(share.size, dtype=bool)
    for name, values in as_it_is.items():
        differs = values != otherwise[name]
        moved |= differs.reshape(share.size, -1).any(axis=1)

    def difference(name: str, key: str, title: str, unit: str) -> Difference:
        a, b = as_it_is[name], otherwise[name]
        mean, error = mean_and_error(b - a, share)
        at = quantile(b - a, share, np.array(LEVELS))
        return Difference(
            key=key,
            title=title,
            unit=unit,
            factual=float(share @ a),
            counterfactual=float(share @ b),
            mean=mean,
            error=error,
            quantiles=tuple(float(v) for v in at),
        )

    courses = []
    for key in SERIES:
        a, b = as_it_is[f"course:{key}"], otherwise[f"course:{key}"]
        pair = [mean_and_error(column, share) for column in (b - a).T]
        courses.append(
            Course(
                key=key,
                unit=QUANTITIES[key].unit,
                as_it_is=share @ a,
                changed=share @ b,
                difference=np.array([m for m, _ in pair]),
                error=np.array([e for _, e in pair]),
            )
        )
    return WhatIf(
        change=change,
        pairs=pairs,
        distinct=share.size,
        moved=int(moved.sum()),
        drawn_from="evidence" if told else "prior",
        effective=effective,
        outcomes=tuple(difference(k, k, title, unit) for k, (title, unit) in OUTCOMES.items()),
        questions=tuple(
            difference(
                f"question:{q.id}",
                q.id,
                q.text,
                kind_of(q.kind).amount_unit(q.unit or QUANTITIES[q.ask.quantity].unit),
            )
            for q in asked
        ),
        courses=tuple(courses),
    )
