"""Counterfactuals: pairs of runs that differ in one decision and in nothing else.

Runs are drawn from the posterior, and each is simulated again with the same run number, parameters,
hypothesis and random numbers, but with another decision imposed. In the model, the difference
within a pair is due to that decision alone.

Read with care. Parameters and chance were inferred with the decisions as they were. The other known
decisions stay, and so does the leader in office on a known day; only what the changed decision
makes impossible is dropped (no decision, no troops). So an effect that would have come through
another known decision is missing, and the leader's survival can differ only after the last day for
which it is known. The share of loyal commanders is compared from the day after the change; before
that both runs are the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case
from foedus.defaults import BLOCK, PAIRS
from foedus.errors import StoreError
from foedus.plain_values import Plain
from foedus.weighing.quantities import Block, Frame, blocks, event_day, series, variables
from foedus.weighted_statistics import KEYS, LEVELS, mean_and_error, quantile
from foedus.world.guidance import Guidance

if TYPE_CHECKING:
    from foedus.ensemble.ensemble import Ensemble
    from foedus.ensemble.work import Task

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Days = dict[tuple[str, str], int]

#: Fewest different runs in a set of pairs for a sampling error.
FEWEST_PAIRED = 5

#: What is compared: title and unit.
OUTCOMES: dict[str, tuple[str, str]] = {
    "deaths_total": ("People killed, all sides", "people"),
    "loyal_share_lowest": ("Share of commanders who hold, at its lowest", "share"),
    "leader_survives": ("Leader in office to the end", "share of runs"),
    "crowd_days": ("Crowd-days: people in the streets, summed over days", "people × days"),
}

_NAMES = tuple(
    dict.fromkeys(
        name
        for quantity in ("deaths_total", "loyal_share", "crowd", "leader_leaves")
        for name in variables(quantity)
    )
)
#: Runs that are simulated at once, and runs that are made again to check that they can be paired.
_AT_ONCE = 200
_CHECKED = 4


@dataclass(frozen=True)
class Counterfactual:
    """One decision changed.

    Attributes
    ----------
    name, text : str
    guidance : Guidance
        The decisions imposed instead of the known ones.
    """

    name: str
    text: str
    guidance: Guidance

    def since(self, known: Guidance) -> int:
        """Return the first day on which the change can show, given the known decisions.

        Commanders act before the day's decision is taken. So this is the day after the first one
        on which a known decision is withdrawn or another imposed; if there is none, the day after
        the first one on which it is not known that nothing had happened.
        """
        mine = self.guidance
        keys = {*known.days, *known.not_by, *mine.days, *mine.not_by}
        changed = [
            k
            for k in keys
            if (known.days.get(k), known.not_by.get(k)) != (mine.days.get(k), mine.not_by.get(k))
        ]
        days = [table[k] for table in (known.days, mine.days) for k in changed if k in table]
        days = days or [known.not_by.get(k, -1) + 1 for k in changed]
        return min(days, default=-1) + 1


@dataclass(frozen=True, kw_only=True)
class Difference(Plain):
    """The effect of the changed decision on one outcome.

    Attributes
    ----------
    key, title, unit : str
        The key is one of :data:`OUTCOMES`.
    factual, counterfactual : float
        Means.
    mean, error : float
        Counterfactual less factual over the pairs, with its Monte-Carlo standard error.
    quantiles : tuple of float
        Of the difference over pairs, at :data:`foedus.weighted_statistics.LEVELS`.
    """

    key: str
    title: str
    unit: str
    factual: float
    counterfactual: float
    mean: float
    error: float
    quantiles: tuple[float, ...] = field(metadata={"keys": KEYS})


@dataclass(frozen=True, kw_only=True)
class Contrast(Plain):
    """A counterfactual with its differences.

    Attributes
    ----------
    name, text : str
    pairs, distinct : int
        Pairs, and how many different runs they are.
    changed : int
        Different runs in which any compared outcome differs.
    since : datetime.date
        First day of those over which the commanders are compared.
    differences : tuple of Difference
    also : tuple of str
        Other changes with the same outcomes in every one of these runs.
    """

    name: str
    text: str
    pairs: int
    distinct: int
    changed: int
    since: dt.date
    differences: tuple[Difference, ...]
    also: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The change, and other changes with the same outcomes."""
        return "; run for run the same: ".join((self.text, *self.also))


def counterfactuals(case: Case, guidance: Guidance) -> tuple[Counterfactual, ...]:
    """Return the counterfactuals that make sense for a case.

    Parameters
    ----------
    case : Case
    guidance : Guidance
        The known decisions that were replayed.
    """
    end = case.horizon - 1
    out = [
        Counterfactual(
            "no-backing",
            "Without allied backing: help is asked for as before, and nobody answers",
            _changed(guidance, drop=_HELP, never=_ANSWERS, until=end),
        ),
        Counterfactual(
            "no-fire-order",
            "Without the order to fire",
            _changed(guidance, drop=("fire_order",), never=(("fire_order", ""),), until=end),
        ),
    ]  # fmt: skip
    if (member := _first_pledge(case, guidance)) is not None:
        key = ("contribution", member)
        name = case.actors[member].name
        out.append(
            Counterfactual(
                f"{member}-stays-out",
                f"{name} sends no troops",
                _changed(guidance, drop=(key,), never=(key,), until=end),
            )
        )
    asked = guidance.days.get(("request", ""))
    if asked is not None and asked < end:
        refused = _changed(guidance, drop=_HELP)
        days: Days = {**refused.days, ("refusal", ""): asked + 1}
        day = case.start + dt.timedelta(days=asked + 1)
        out.append(
            Counterfactual(
                "refused",
                f"The request is refused on {day.isoformat()}, the day after it",
                replace(refused, days=days),
            )
        )
    return tuple(out)


#: The answer to a request, and what follows from it.
_HELP = ("decision", "refusal", "contribution", "first_arrival")
_ANSWERS = (("decision", ""), ("refusal", ""))


def _changed(
    guidance: Guidance,
    *,
    drop: tuple[str | tuple[str, str], ...],
    never: tuple[tuple[str, str], ...] = (),
    until: int = -1,
) -> Guidance:
    """Return guidance without some events (all members', or one's), and with some never."""

    def keep(table: Days) -> Days:
        return {k: d for k, d in table.items() if k not in drop and k[0] not in drop}

    not_by = {**keep(guidance.not_by), **dict.fromkeys(never, until)}
    return replace(guidance, days=keep(guidance.days), not_by=not_by, facts=())


def _first_pledge(case: Case, guidance: Guidance) -> str | None:
    """Return the first member besides the lead known to commit; ties go by the case's order."""
    order = [m.actor for m in case.alliance.members if m.actor != case.alliance.lead]
    known = {
        m: d for (e, m), d in guidance.days.items() if e == "contribution" and m in order
    }  # fmt: skip
    return min(known, key=lambda m: (known[m], order.index(m)), default=None)


def resample(weight: FloatArray, pairs: int, *, seed: int) -> IntArray:
    """Return how often each run is drawn, shape (run,): systematic resampling.

    Parameters
    ----------
    weight : ndarray, shape (run,)
        Sums to 1.
    pairs : int
    seed : int
        Of the ensemble.
    """
    u = float(np.random.default_rng(seed).uniform())
    edges = np.cumsum(weight)
    at = np.searchsorted(edges / edges[-1], (np.arange(pairs) + u) / pairs, side="right")
    return np.bincount(np.minimum(at, weight.size - 1), minlength=weight.size)


def outcomes(block: Block, frame: Frame, since: int = 0) -> dict[str, FloatArray]:
    """Return the values of :data:`OUTCOMES`, shape (run,) each.

    Parameters
    ----------
    block : mapping of str to ndarray
    frame : Frame
    since : int
        First day of the share of loyal commanders.
    """
    since = min(since, frame.horizon - 1)
    return {
        "deaths_total": series(block, frame, "deaths_total")[:, -1],
        "loyal_share_lowest": series(block, frame, "loyal_share")[:, since:].min(axis=1),
        "leader_survives": np.isinf(event_day(block, frame, "leader_leaves")).astype(np.float64),
        "crowd_days": series(block, frame, "crowd").sum(axis=1),
    }


def contrasts(
    case: Case,
    ensemble: Ensemble,
    weight: FloatArray,
    guidance: Guidance,
    *,
    which: tuple[Counterfactual, ...] | None = None,
    pairs: int = PAIRS,
    note: Callable[[str], None] = lambda text: None,
) -> tuple[Contrast, ...]:
    """Return the effect of each counterfactual, over pairs of runs.

    Parameters
    ----------
    case : Case
        Filtered by the as-of date.
    ensemble : Ensemble
    weight : ndarray, shape (run,)
        Posterior weights of the complete runs; sum to 1.
    guidance : Guidance
        What the ensemble replayed.
    which : tuple of Counterfactual, optional
        Those of :func:`counterfactuals` if absent, without any that changes no drawn run.
    pairs : int
    note : callable
        Called with a line on what is being simulated.

    Returns
    -------
    tuple of Contrast
        Changes with the same outcomes in every run are one contrast.

    Raises
    ------
    StoreError
        If a run made again differs from the stored one: other code made the runs.
    """
    from foedus.ensemble.work import Task

    frame = Frame.of(case)
    count = resample(weight, pairs, seed=ensemble.plan.seed)
    rows = np.flatnonzero(count)
    share = count[rows] / pairs
    task = Task.of(ensemble, guidance)
    runs = np.flatnonzero(ensemble.complete)[rows].astype(np.int64)
    stored = _stored(ensemble, rows[:_CHECKED], frame)
    check(task, runs[:_CHECKED], stored, frame)
    wanted = counterfactuals(case, guidance) if which is None else which
    factual: dict[int, dict[str, FloatArray]] = {}  # by first day, as reading them is slow
    out: list[tuple[Contrast, dict[str, FloatArray]]] = []
    for other in wanted:
        note(f"{other.text}: {runs.size} runs are made again")
        since = other.since(guidance)
        made = simulated(replace(task, guidance=other.guidance), runs, frame, since)
        if since not in factual:
            factual[since] = _stored(ensemble, rows, frame, since)
        found = contrast(
            other, factual[since], made, share=share, pairs=pairs, since=case.date(since)
        )
        if which is None and not found.changed:
            continue
        for n, (before, values) in enumerate(out):
            if before.since == found.since and _equal(values, made):
                out[n] = (replace(before, also=(*before.also, found.text)), values)
                break
        else:
            out.append((found, made))
    return tuple(found for found, _ in out)


def _equal(a: dict[str, FloatArray], b: dict[str, FloatArray]) -> bool:
    return all(np.array_equal(a[k], b[k], equal_nan=True) for k in OUTCOMES)


def contrast(
    other: Counterfactual,
    factual: dict[str, FloatArray],
    made: dict[str, FloatArray],
    *,
    share: FloatArray,
    pairs: int,
    since: dt.date,
) -> Contrast:
    """Return the differences between two sets of the same runs.

    Parameters
    ----------
    other : Counterfactual
    factual, made : dict of str to ndarray, shape (distinct,)
        As from :func:`outcomes`.
    share : ndarray, shape (distinct,)
        Of the pairs; sums to 1.
    pairs : int
    since : datetime.date
        First day of those over which the commanders are compared.
    """
    rows = []
    for key, (title, unit) in OUTCOMES.items():
        difference = made[key] - factual[key]
        mean, error = mean_and_error(difference, share)
        if share.size < FEWEST_PAIRED:
            error = float("nan")
        if key == "loyal_share_lowest":
            title = f"{title} from {since.isoformat()} on"
        at = quantile(difference, share, np.array(LEVELS))
        rows.append(
            Difference(
                key=key,
                title=title,
                unit=unit,
                factual=float(share @ factual[key]),
                counterfactual=float(share @ made[key]),
                mean=mean,
                error=error,
                quantiles=tuple(float(v) for v in at),
            )
        )
    moved = np.any([made[k] != factual[k] for k in OUTCOMES], axis=0)
    changed = int(moved.sum())
    return Contrast(
        name=other.name,
        text=other.text,
        pairs=pairs,
        distinct=share.size,
        changed=changed,
        since=since,
        differences=tuple(rows),
    )


def simulated(task: Task, runs: IntArray, frame: Frame, since: int = 0) -> dict[str, FloatArray]:
    """Simulate some runs and return their :func:`outcomes`."""
    from foedus.ensemble.work import simulate

    parts = [
        outcomes(simulate(task, runs[first : first + _AT_ONCE]), frame, since)
        for first in range(0, runs.size, _AT_ONCE)
    ]
    return {key: np.concatenate([p[key] for p in parts]) for key in OUTCOMES}


def _stored(
    ensemble: Ensemble, rows: IntArray, frame: Frame, since: int = 0
) -> dict[str, FloatArray]:
    chosen = ensemble.dataset[list(_NAMES)].isel(run=rows)
    parts = [outcomes(block, frame, since) for block in blocks(chosen, _NAMES, size=BLOCK)]
    return {key: np.concatenate([p[key] for p in parts]) for key in OUTCOMES}


def check(task: Task, runs: IntArray, stored: dict[str, FloatArray], frame: Frame) -> None:
    """Make some runs again; they must be equal to the stored ones.

    Raises
    ------
    StoreError
    """
    again = simulated(task, runs, frame)
    if not _equal(again, stored):
        raise StoreError(
            f"{task.path}: its runs, made again, come out otherwise: they were made by another "
            "version of foedus, so nothing can be paired with them. Give another --out"
        )
