"""Admiralty ratings as observation models: how a report scatters about the truth.

Every number on this page is ``elicited`` (a judgement by the authors) unless a source is named;
`docs/explanation/evidence.md` shows the tables, says what each is for, and how blind it was set.
Nothing here was fitted to the outcome of a case.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from foedus.case.models import Fact
from foedus.case.times import earliest, latest
from foedus.case.vocabulary import QUANTITIES

FloatArray = NDArray[np.float64]
Scale = Literal["count", "share", "index", "day"]

#: Tails of an honest report: Student-t with this many degrees of freedom.
DEGREES_OF_FREEDOM = 4.0

#: By source reliability: spread of an honest report, and share of reports that are outright wrong.
RELIABILITY: dict[str, tuple[float, float]] = {
    "A": (0.05, 0.02),
    "B": (0.10, 0.05),
    "C": (0.20, 0.15),
    "D": (0.35, 0.30),
    "E": (0.60, 0.60),
    "F": (0.40, 0.25),
}

#: By information credibility: spread of an honest report, and share of outright error.
CREDIBILITY: dict[str, tuple[float, float]] = {
    "1": (0.05, 0.01),
    "2": (0.10, 0.04),
    "3": (0.25, 0.10),
    "4": (0.50, 0.25),
    "5": (1.00, 0.50),
    "6": (0.60, 0.25),
}

#: Spread of an honest report of a share, per unit of the spread of a count.
SHARE_PER_COUNT = 0.5
#: Error in days of an honest report of an event, per unit of the spread of a count.
DAYS_PER_COUNT = 1.0


@dataclass(frozen=True)
class Habit:
    """How a quantity is counted in the first days, and how well the model can resemble it.

    Attributes
    ----------
    reported : float
        Share of the true number that an honest same-day report gives (1 no bias, below 1
        undercount, above 1 overstatement).
    catch_up : float
        Days over which the count closes in on the truth: a report ``lag`` days late gives the
        share ``1 - (1 - reported) exp(-lag / catch_up)``.
    spread : float
        Counting error beside the rating's.
    discrepancy : float
        The model's own: how far the best run of this model would still be from the real world.
    """

    reported: float = 1.0
    catch_up: float = 10.0
    spread: float = 0.0
    discrepancy: float = 0.5


_DEFAULT: dict[str, Habit] = {
    "count": Habit(discrepancy=0.5),
    "share": Habit(discrepancy=0.15),
    "index": Habit(discrepancy=0.5),
    "day": Habit(discrepancy=0.75),
}
HABITS: dict[str, Habit] = {
    "crowd": Habit(spread=0.5, discrepancy=0.9),
    "arrests": Habit(reported=0.8, spread=0.25, discrepancy=0.9),
    "jailed": Habit(spread=0.25, discrepancy=0.9),
    "deaths_protesters": Habit(reported=0.4, spread=0.5, discrepancy=0.8),
    "deaths_security": Habit(reported=0.8, spread=0.2, discrepancy=0.8),
    "deaths_allied": Habit(spread=0.1, discrepancy=0.3),
    "deaths_total": Habit(reported=0.5, spread=0.4, discrepancy=0.8),
    "cities_in_unrest": Habit(spread=0.2, discrepancy=0.3),
    "troops_announced": Habit(spread=0.05, discrepancy=0.3),
    "troops_present": Habit(reported=1.15, spread=0.1, discrepancy=0.3),
}

#: Where an outright wrong number lies: normal on the working scale, (mean, sd).
OUTRIGHT: dict[str, tuple[float, float]] = {
    "people": (float(np.log1p(100.0)), 3.0),
    "cities": (float(np.log1p(3.0)), 1.5),
    "index": (0.0, 3.0),
}

#: Two reports of one thing on one day share this much of their reporting error.
COMMON_REPORTING = 0.8
#: The model's error is shared wholly between reports of one thing on one day, this much between
#: days and places of one quantity, and this much between quantities of one family.
COMMON_MODEL = 0.7
COMMON_FAMILY = 0.35
#: Days over which the errors about one thing come apart.
COMMON_DAYS = 2.0
#: Quantities that one part of the model makes, and whose errors therefore go together.
FAMILIES: tuple[frozenset[str], ...] = (
    frozenset(
        (
            "crowd",
            "arrests",
            "jailed",
            "deaths_protesters",
            "deaths_security",
            "deaths_total",
            "cities_in_unrest",
        )
    ),
    frozenset(("troops_announced", "troops_present")),
)


def scale_of(quantity: str) -> Scale:
    """Return the scale on which reports of a quantity are compared."""
    known = QUANTITIES[quantity]
    if known.kind == "event":
        return "day"
    if known.kind == "level":
        return "index" if known.unit == "index" else "share"
    return "count"


@dataclass(frozen=True)
class Observation:
    """The observation model of one fact.

    A report y of a true value x: with chance ``1 - error`` it is honest, ``h(y) = h(x) + bias +
    scale * t`` with Student's t; otherwise it has nothing to do with x. ``h`` is ``log1p`` for
    counts and the identity for shares, indices and days.

    Attributes
    ----------
    quantity, scale_name : str
    low, high : float
        The report as an interval on the working scale.
    positive : bool
        For events: it happened on the day ``low`` to ``high``, or (False) had not by then.
    bias, scale, error : float
    parts : tuple of (name, float)
        What the scale is made of.
    outright : float
        Probability of this report if it is outright wrong.
    """

    quantity: str
    scale_name: Scale
    low: float
    high: float
    positive: bool
    bias: float
    scale: float
    error: float
    parts: tuple[tuple[str, float], ...]
    outright: float

    @property
    def discrepancy(self) -> float:
        """The part of the scale that is the model's own."""
        return dict(self.parts)["model discrepancy"]

    @property
    def precision(self) -> float:
        """How good the report is: the chance that it is honest over its squared scale."""
        return (1.0 - self.error) / self.scale**2

    def honest(self, truth: FloatArray) -> FloatArray:
        """Return the probability of the report from an honest source, shape of ``truth``."""
        h = np.log1p(np.maximum(truth, 0.0)) if self.scale_name == "count" else truth
        if not self.positive:
            return _upper((self.high - h) / self.scale)
        centre = h + self.bias
        return _between((self.low - centre) / self.scale, (self.high - centre) / self.scale)

    def log_likelihood(self, truth: FloatArray) -> FloatArray:
        """Return the log-probability of the report, shape of ``truth``; always finite."""
        return np.log((1.0 - self.error) * self.honest(truth) + self.error * self.outright)

    def disbelief(self, truth: FloatArray) -> FloatArray:
        """Return the probability that the report is outright wrong if this is the truth."""
        wrong = self.error * self.outright
        return wrong / ((1.0 - self.error) * self.honest(truth) + wrong)

    def below(self, edge: FloatArray | float, truth: FloatArray) -> FloatArray:
        """Return the probability that such a report lies below an edge on the working scale.

        Parameters
        ----------
        edge : float or ndarray
            Infinite edges give 0 and 1. Broadcasts with ``truth``.
        truth : ndarray
        """
        h = np.log1p(np.maximum(truth, 0.0)) if self.scale_name == "count" else truth
        within = np.where(np.isinf(edge), 0.0, edge)
        honest = _upper((h + self.bias - within) / self.scale)
        found = (1.0 - self.error) * honest + self.error * self._outright_below(edge)
        return np.where(np.isneginf(edge), 0.0, np.where(np.isposinf(edge), 1.0, found))

    def _outright_below(self, edge: FloatArray | float) -> FloatArray:
        if self.scale_name == "share":
            return np.clip(np.asarray(edge, dtype=np.float64), 0.0, 1.0)
        if self.scale_name != "day":
            mean, sd = _outright_law(self.quantity, self.scale_name)
            return np.asarray(special.ndtr((edge - mean) / sd))
        if not self.positive:
            return np.full(np.shape(edge), 0.5)
        return np.clip((np.asarray(edge, dtype=np.float64) + 0.5) * self.outright, 0.0, 1.0)

    def best(self) -> float:
        """Return the log-likelihood of the truth that agrees best with the report."""
        if self.scale_name == "day":
            truth = (self.low + self.high) / 2 if self.positive else np.inf
        elif not np.isfinite(self.high):
            truth = 1e12 if self.scale_name == "count" else self.low + 1e3 * self.scale
        elif not np.isfinite(self.low):
            truth = 0.0 if self.scale_name == "count" else self.high - 1e3 * self.scale
        else:
            middle = (self.low + self.high) / 2 - self.bias
            truth = float(np.expm1(max(middle, 0.0))) if self.scale_name == "count" else middle
        return float(self.log_likelihood(np.array([truth]))[0])


def _upper(z: FloatArray) -> FloatArray:
    """Return the upper tail of Student's t."""
    return np.asarray(special.stdtr(DEGREES_OF_FREEDOM, -z), dtype=np.float64)


def _between(low: FloatArray, high: FloatArray) -> FloatArray:
    """Return the probability of an interval, without cancellation in the upper tail."""
    flip = low > 0
    a, b = np.where(flip, -high, low), np.where(flip, -low, high)
    nu = DEGREES_OF_FREEDOM
    return np.asarray(np.maximum(special.stdtr(nu, b) - special.stdtr(nu, a), 0.0))


def observation(fact: Fact, *, day: int, horizon: int, offset: float = 0.0) -> Observation:
    """Return the observation model of a fact.

    Parameters
    ----------
    fact : Fact
        With a quantity; with a value unless the quantity is an event.
    day : int
        Day number that it is about.
    horizon : int
        Days simulated; an outright wrong event report may name any of them.
    offset : float
        Hours of the case's zone from UTC, for the reporting lag.

    Raises
    ------
    ValueError
        If the fact has no quantity, or a value that its quantity cannot take.
    """
    if fact.quantity is None:
        raise ValueError("a fact without a quantity is context")
    scale_name = scale_of(fact.quantity)
    habit = HABITS.get(fact.quantity, _DEFAULT[scale_name])
    reliability, wrong_source = RELIABILITY[fact.rating[0]]
    credibility, wrong_content = CREDIBILITY[fact.rating[1]]
    error = 1.0 - (1.0 - wrong_source) * (1.0 - wrong_content)
    unit = {"count": 1.0, "share": SHARE_PER_COUNT, "index": 1.0, "day": DAYS_PER_COUNT}[scale_name]
    parts = (
        ("reliability", reliability * unit),
        ("credibility", credibility * unit),
        ("counting", habit.spread),
        ("model discrepancy", habit.discrepancy),
    )
    scale = float(np.sqrt(sum(part**2 for _, part in parts)))
    if scale_name == "day":
        positive = fact.value is None or fact.value.kind != "no"
        outright = 1.0 / (horizon + 1) if positive else 0.5
        return Observation(
            fact.quantity, scale_name, day - 0.5, day + 0.5, positive, 0.0, scale, error, parts,
            outright,
        )  # fmt: skip
    low, high = _interval(fact, scale_name)
    lower_bound = not np.isfinite(high)
    # "At least 13" already says that the count is partial: it is not counted short again.
    bias = 0.0 if lower_bound or scale_name != "count" else _bias(habit, _lag(fact, offset))
    return Observation(
        fact.quantity, scale_name, low, high, True, bias, scale, error, parts,
        _outright(fact.quantity, scale_name, low, high),
    )  # fmt: skip


def _bias(habit: Habit, lag: float) -> float:
    return float(np.log(1.0 + (habit.reported - 1.0) * np.exp(-lag / habit.catch_up)))


def _lag(fact: Fact, offset: float) -> float:
    """Return the days from the end of what a fact is about to its report, at least 0."""
    reported: dt.datetime = latest(fact.known_from, offset)
    about = latest(fact.about, offset)
    return max((reported - about).total_seconds() / 86400.0, 0.0)


def _interval(fact: Fact, scale_name: Scale) -> tuple[float, float]:
    """Return the report's interval on the working scale: a whole number n is n - ½ to n + ½."""
    value = fact.value
    if value is None or value.kind in ("yes", "no"):
        raise ValueError(f"{fact.quantity} needs a number (found {value})")
    low, high = float(value.low), float(value.high)
    if scale_name == "count":
        bottom = -np.inf if low <= 0 else float(np.log1p(low - 0.5))
        return bottom, float(np.log1p(max(high, 0.0) + 0.5))
    if fact.unit in ("percent", "%", "per cent"):
        low, high = low / 100.0, high / 100.0
    return low - 0.005, high + 0.005


def _outright(quantity: str, scale_name: Scale, low: float, high: float) -> float:
    if scale_name == "share":
        return float(max(min(high, 1.0) - max(low, 0.0), 0.005))
    mean, sd = _outright_law(quantity, scale_name)
    mass = special.ndtr((high - mean) / sd) - special.ndtr((low - mean) / sd)
    return float(max(mass, 1e-12))


def _outright_law(quantity: str, scale_name: str) -> tuple[float, float]:
    key = "index" if scale_name == "index" else QUANTITIES[quantity].unit
    return OUTRIGHT.get(key, OUTRIGHT["people"])


def day_fraction(fact: Fact, offset: float) -> float:
    """Return how much of its day has passed at a fact's clock time; 1 for a bare date."""
    if not isinstance(fact.about, dt.datetime):
        return 1.0
    clock = earliest(fact.about, offset).astimezone(dt.timezone(dt.timedelta(hours=offset)))
    return (clock.hour + clock.minute / 60.0 + clock.second / 3600.0) / 24.0


@dataclass(frozen=True)
class Subject:
    """What a report is about: quantity, place, member, and time in days."""

    quantity: str
    place: str
    member: str
    day: float


def correlation(a: Subject, b: Subject, of_a: Observation, of_b: Observation) -> float:
    """Return the correlation of the errors of two reports.

    The model's own error is common to what one part of the model makes; reporting error is common
    to reports of the same thing. With discrepancy m and all other scale e of each report
    (``s**2 = m**2 + e**2``) it is ``(rho_m m m' + rho_e e e') / (s s')``.
    """
    near = float(np.exp(-abs(a.day - b.day) / COMMON_DAYS))
    same = (a.quantity, a.place, a.member) == (b.quantity, b.place, b.member)
    if same:
        rho_model = COMMON_MODEL + (1.0 - COMMON_MODEL) * near
    elif a.quantity == b.quantity:
        rho_model = COMMON_MODEL
    else:
        together = any(a.quantity in f and b.quantity in f for f in FAMILIES)
        rho_model = COMMON_FAMILY if together else 0.0
    rho_reporting = COMMON_REPORTING * near if same else 0.0
    m, n = of_a.discrepancy, of_b.discrepancy
    e, f = np.sqrt(of_a.scale**2 - m**2), np.sqrt(of_b.scale**2 - n**2)
    return float((rho_model * m * n + rho_reporting * e * f) / (of_a.scale * of_b.scale))


def shares(subjects: Sequence[Subject], models: Sequence[Observation]) -> FloatArray:
    """Return how much of a whole report each report counts, shape (report,).

    Each counts ``1 / (1 + sum_j r_ij min(1, q_j / q_i))`` with r the correlation of errors and q
    the precision: equally good reports share one likelihood, as correlated measurements do, and a
    poor report hardly dilutes a good one.
    """
    pairs = list(zip(subjects, models, strict=True))
    return np.array(
        [share(*pairs[i], pairs[:i] + pairs[i + 1 :]) for i in range(len(pairs))], dtype=np.float64
    )


def share(
    subject: Subject, model: Observation, others: Sequence[tuple[Subject, Observation]]
) -> float:
    """Return how much of a whole report one report counts beside others; see :func:`shares`."""
    total = 1.0
    for other, its in others:
        total += correlation(subject, other, model, its) * min(1.0, its.precision / model.precision)
    return 1.0 / total
