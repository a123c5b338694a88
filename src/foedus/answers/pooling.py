"""The answer people read: simulation and history together, and how far such answers err.

Two chances are pooled by the mean of their log-odds (a logarithmic pool; Genest and Zidek 1986, doi
10.1214/ss/1177013825), with the weight :data:`foedus.defaults.HISTORY_WEIGHT` for history. Two
distributions of a number are mixed with the same weight; of a day the chance that it comes is
pooled and the days are mixed.

An answer is then widened by the discrepancy of its kind: the error on the scale of log-odds that
the back-test shows, with standard deviation s. A chance p becomes ``E[expit(logit p + s Z)]`` with
Z standard normal. A spread of standard deviation d on the log scale gets a further error of
``s d √3/π``, which is s in log-odds of any threshold within it if it is logistic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from foedus.case.question_kinds import Calendar, Estimate, QuestionKind, Shape
from foedus.defaults import HISTORY_WEIGHT
from foedus.scoring_rules import FLOOR, logit_pool, safe_chance

FloatArray = NDArray[np.float64]

#: Nodes and weights of the quadrature over a standard normal error.
_Z, _W = np.polynomial.hermite_e.hermegauss(21)
_W = _W / _W.sum()
#: The same for the draws of a number or a day, of which each becomes several.
_FEW_Z, _FEW_W = np.polynomial.hermite_e.hermegauss(7)
_FEW_W = _FEW_W / _FEW_W.sum()


@dataclass(frozen=True, kw_only=True)
class Said:
    """An answer, with the weighted draws behind it for scoring.

    Attributes
    ----------
    estimate : Estimate
    draws, weight : ndarray, shape (draw,)
        The weights sum to 1.
    effective : float
        Draws of equal weight that they are worth.
    """

    estimate: Estimate
    draws: FloatArray
    weight: FloatArray
    effective: float


def said(
    kind: QuestionKind,
    draws: FloatArray,
    calendar: Calendar,
    *,
    weight: FloatArray | None = None,
    effective: float | None = None,
) -> Said:
    """Return what weighted draws say; of equal weight if none is given."""
    if weight is None:
        weight = np.full(draws.size, 1.0 / draws.size)
    return Said(
        estimate=kind.estimate(draws, weight, calendar),
        draws=draws,
        weight=weight,
        effective=float(draws.size) if effective is None else effective,
    )


def pooled(kind: QuestionKind, simulation: Said, history: Said, calendar: Calendar) -> Said:
    """Return the pool of what simulation and history say.

    Its Monte-Carlo error is that of both; how far it may be wrong is another matter.
    """
    w = HISTORY_WEIGHT
    first, second = _compact(simulation), _compact(history)
    out = _remade(
        kind,
        np.concatenate([first.draws, second.draws]),
        np.concatenate([(1.0 - w) * first.weight, w * second.weight]),
        calendar,
        effective=simulation.effective,
    )
    one, other = simulation.estimate, history.estimate
    if one.probability is None or other.probability is None:
        errors = (1.0 - w) * (one.mean_error or 0.0), w * (other.mean_error or 0.0)
        return replace(out, estimate=replace(out.estimate, mean_error=math.hypot(*errors)))
    p = logit_pool(one.probability, other.probability)
    slopes = (
        share * (e.probability_error or 0.0) / _variance(e.probability or 0.0)
        for share, e in ((1.0 - w, one), (w, other))
    )
    return _with_chance(kind, out, p, _variance(p) * math.hypot(*slopes), calendar)


def widened(
    kind: QuestionKind,
    answer: Said,
    sd: float,
    calendar: Calendar,
    *,
    first: int,
    last: int,
    most: float = math.inf,
) -> Said:
    """Return an answer widened by a discrepancy.

    Parameters
    ----------
    kind : QuestionKind
    answer : Said
    sd : float
        Standard deviation of the log-odds; nothing changes at 0.
    calendar : Calendar
    first, last : int
        First day on which an event may still come, and last day of the question's window.
    most : float
        Largest possible number.
    """
    if sd <= 0.0:
        return answer
    estimate = answer.estimate
    if kind.shape is not Shape.CHANCE:
        answer = _spread(kind, answer, sd, calendar, first=first, last=last, most=most)
        answer = replace(answer, estimate=replace(answer.estimate, mean_error=estimate.mean_error))
    if estimate.probability is None:
        return answer
    p = float(widened_chances(np.array(estimate.probability), np.array(sd)))
    return _with_chance(kind, answer, p, estimate.probability_error, calendar)


def widened_chances(p: FloatArray, sd: FloatArray) -> FloatArray:
    """Return probabilities widened by a discrepancy; shapes broadcast."""
    logit = special.logit(np.clip(p, FLOOR, 1.0 - FLOOR))
    return np.asarray(special.expit(logit[..., None] + np.asarray(sd)[..., None] * _Z) @ _W)


def _spread(
    kind: QuestionKind,
    answer: Said,
    sd: float,
    calendar: Calendar,
    *,
    first: int,
    last: int,
    most: float,
) -> Said:
    """Return an answer whose numbers, or days from the as-of date on, are spread on a log scale."""
    small = _compact(answer)
    draws, weight = small.draws, small.weight
    is_day = kind.shape is Shape.DAY
    origin = first - 1.0 if is_day else 0.0
    moved = np.isfinite(draws) & (draws > origin) & (weight > 0)
    if not moved.any():
        return answer
    logs, w = np.log1p(draws[moved] - origin), weight[moved] / weight[moved].sum()
    spread = float(np.sqrt(np.maximum(w @ (logs - w @ logs) ** 2, 0.0)))
    factor = np.exp(sd * spread * math.sqrt(3.0) / math.pi * _FEW_Z)
    away = origin + (draws[moved, None] - origin) * factor
    away = np.clip(np.floor(away), first, last) if is_day else np.minimum(away, most)
    return _remade(
        kind,
        np.concatenate([draws[~moved], away.ravel()]),
        np.concatenate([weight[~moved], (weight[moved, None] * _FEW_W).ravel()]),
        calendar,
        effective=answer.effective,
    )


def _with_chance(
    kind: QuestionKind, answer: Said, p: float, error: float | None, calendar: Calendar
) -> Said:
    """Return an answer whose chance is p; its days keep their shares among each other."""
    yes = kind.happens(answer.draws, None, None, math.inf)
    share = float(answer.weight[yes].sum())
    if 0.0 < share < 1.0:
        weight = np.where(yes, answer.weight * (p / share), answer.weight * (1 - p) / (1 - share))
        answer = _remade(kind, answer.draws, weight, calendar, effective=answer.effective)
    # Where no draw has a day, the chance alone can be said.
    estimate = replace(answer.estimate, probability=p, probability_error=error)
    return replace(answer, estimate=estimate)


def _remade(
    kind: QuestionKind,
    draws: FloatArray,
    weight: FloatArray,
    calendar: Calendar,
    *,
    effective: float,
) -> Said:
    weight = weight / weight.sum()
    small = _compact(Said(estimate=Estimate(), draws=draws, weight=weight, effective=effective))
    return said(kind, small.draws, calendar, weight=small.weight, effective=effective)


def _compact(answer: Said) -> Said:
    """Return the same distribution with each value once."""
    used = answer.weight > 0
    values, where = np.unique(answer.draws[used], return_inverse=True)
    weight = np.bincount(where, weights=answer.weight[used], minlength=values.size)
    return replace(answer, draws=values, weight=np.asarray(weight, dtype=np.float64))


def _variance(p: float) -> float:
    p = float(safe_chance(p))
    return p * (1.0 - p)
