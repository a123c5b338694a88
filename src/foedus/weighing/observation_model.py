"""Observation models: how a report of a quantity scatters about the truth.

How wide it scatters follows from its Admiralty rating and from the habits of the quantity
(:data:`HABITS`). How it scatters follows from the :class:`Measure` of the quantity: a count, a
share, an index or the day of an event.

Every number on this page is ``elicited`` (a judgement by the authors) unless a source is named;
`docs/explanation/evidence.md` shows the tables, says what each is for, and how blind it was set.
Nothing here was fitted to the outcome of a case.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from foedus.case.models import Fact
from foedus.case.times import earliest, latest
from foedus.case.vocabulary import QUANTITIES

FloatArray = NDArray[np.float64]

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


#: By measure, for quantities that have no habits of their own.
DEFAULT_HABITS: dict[str, Habit] = {
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
    "mandate": Habit(spread=0.05, discrepancy=0.3),
}

#: Where an outright wrong number lies: normal on the working scale, (mean, sd).
OUTRIGHT: dict[str, tuple[float, float]] = {
    "people": (float(np.log1p(100.0)), 3.0),
    "cities": (float(np.log1p(3.0)), 1.5),
    "days": (float(np.log1p(90.0)), 1.5),
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


class Measure:
    """How a quantity is measured: the working scale h of its reports, and the law of wrong ones.

    What is written here holds for an index: h is the identity, and an outright wrong report is
    normal on the working scale.

    Attributes
    ----------
    name : str
        Key of :data:`DEFAULT_HABITS`.
    spread : float
        Spread that a rating gives an honest report, per unit of the spread of a count.
    is_event : bool
        Whether a report says that something happened, or had not by then.
    """

    name: ClassVar[str] = "index"
    spread: ClassVar[float] = 1.0
    is_event: ClassVar[bool] = False

    # ---- the working scale
    def working(self, value: FloatArray) -> FloatArray:
        """Return values on the working scale."""
        return value

    def plain(self, at: FloatArray) -> FloatArray:
        """Return the values at points of the working scale."""
        return at

    def interval(self, fact: Fact, day: int) -> tuple[float, float]:
        """Return a report as an interval on the working scale.

        Raises
        ------
        ValueError
            If the value is not one that the quantity can take.
        """
        low, high = _numbers(fact)
        if fact.unit in ("percent", "%", "per cent"):
            low, high = low / 100.0, high / 100.0
        return low - 0.005, high + 0.005

    def happened(self, fact: Fact) -> bool:
        """Return False for a report that an event had not happened by then."""
        return True

    def bias(self, fact: Fact, habit: Habit, high: float, offset: float) -> float:
        """Return how far an honest report lies from the truth on the working scale."""
        return 0.0

    def nearest(self, at: float) -> float:
        """Return the truth nearest to a point of the working scale."""
        return at

    def far(self, known: float, step: float) -> float:
        """Return a truth far beyond one end of a report that is open at the other."""
        return known + step

    # ---- an outright wrong report
    def outright_law(self, quantity: str) -> tuple[float, float]:
        """Return mean and standard deviation of a wrong number on the working scale."""
        return OUTRIGHT["index"]

    def outright(
        self, quantity: str, low: float, high: float, *, positive: bool, horizon: int
    ) -> float:
        """Return the probability of a report if it is outright wrong."""
        mean, sd = self.outright_law(quantity)
        mass = special.ndtr((high - mean) / sd) - special.ndtr((low - mean) / sd)
        return float(max(mass, 1e-12))

    def outright_below(self, model: Observation, edge: FloatArray | float) -> FloatArray:
        """Return the probability that an outright wrong report lies below an edge."""
        mean, sd = self.outright_law(model.quantity)
        return np.asarray(special.ndtr((edge - mean) / sd))

    # ---- readings of a report to come
    def cut(self, edge: float) -> float:
        """Return a round edge between two readings near one on the working scale."""
        return round(edge, 1)

    def ends(self, low: float, high: float) -> tuple[float | None, float | None]:
        """Return bounds on the working scale as numbers of a report, None for none."""
        return None if np.isinf(low) else low, None if np.isinf(high) else high


class _Count(Measure):
    """``h = log1p``; a whole number n stands for n - ½ to n + ½; counted short at first."""

    name = "count"

    def working(self, value: FloatArray) -> FloatArray:
        return np.log1p(np.maximum(value, 0.0))

    def plain(self, at: FloatArray) -> FloatArray:
        return np.expm1(at)

    def interval(self, fact: Fact, day: int) -> tuple[float, float]:
        low, high = _numbers(fact)
        bottom = -np.inf if low <= 0 else float(np.log1p(low - 0.5))
        return bottom, float(np.log1p(max(high, 0.0) + 0.5))

    def bias(self, fact: Fact, habit: Habit, high: float, offset: float) -> float:
        if not np.isfinite(high):
            return 0.0  # "at least 13" already says that the count is partial
        lag = _lag(fact, offset)
        return float(np.log(1.0 + (habit.reported - 1.0) * np.exp(-lag / habit.catch_up)))

    def nearest(self, at: float) -> float:
        return float(np.expm1(max(at, 0.0)))

    def far(self, known: float, step: float) -> float:
        return 1e12 if step > 0 else 0.0

    def outright_law(self, quantity: str) -> tuple[float, float]:
        return OUTRIGHT.get(QUANTITIES[quantity].unit, OUTRIGHT["people"])

    def cut(self, edge: float) -> float:
        n = max(np.floor(np.expm1(edge)), 0.0)
        unit = 10.0 ** max(np.floor(np.log10(max(n, 1.0))) - 1.0, 0.0)
        return float(np.log1p(np.floor(n / unit) * unit + 0.5))

    def ends(self, low: float, high: float) -> tuple[float | None, float | None]:
        first = None if np.isinf(low) else float(np.ceil(np.expm1(low)))
        last = None if np.isinf(high) else float(np.floor(np.expm1(high)))
        return first, last


class _Share(Measure):
    """Between 0 and 1; an outright wrong share is uniform."""

    name = "share"
    spread = 0.5

    def outright(
        self, quantity: str, low: float, high: float, *, positive: bool, horizon: int
    ) -> float:
        return float(max(min(high, 1.0) - max(low, 0.0), 0.005))

    def outright_below(self, model: Observation, edge: FloatArray | float) -> FloatArray:
        return np.clip(np.asarray(edge, dtype=np.float64), 0.0, 1.0)

    def cut(self, edge: float) -> float:
        return float(np.clip(np.round(edge, 2), 0.01, 0.99))


class _Day(Measure):
    """The day of an event, from half a day before to half a day after; a wrong one is uniform."""

    name = "day"
    is_event = True

    def interval(self, fact: Fact, day: int) -> tuple[float, float]:
        days = 0 if fact.since is None else (fact.about - fact.since).days
        return day - days - 0.5, day + 0.5

    def happened(self, fact: Fact) -> bool:
        return fact.value is None or fact.value.kind != "no"

    def outright(
        self, quantity: str, low: float, high: float, *, positive: bool, horizon: int
    ) -> float:
        return (high - low) / (horizon + 1) if positive else 0.5

    def outright_below(self, model: Observation, edge: FloatArray | float) -> FloatArray:
        if not model.positive:
            return np.full(np.shape(edge), 0.5)
        each = model.outright / (model.high - model.low)
        return np.clip((np.asarray(edge, dtype=np.float64) + 0.5) * each, 0.0, 1.0)


_COUNT, _SHARE, _INDEX, _DAY = _Count(), _Share(), Measure(), _Day()


def measure_of(quantity: str) -> Measure:
    """Return how a quantity is measured."""
    known = QUANTITIES[quantity]
    if known.kind == "event":
        return _DAY
    if known.kind == "level":
        return _INDEX if known.unit == "index" else _SHARE
    return _COUNT


@dataclass(frozen=True, kw_only=True)
class Observation:
    """The observation model of one fact.

    A report y of a true value x: with chance ``1 - error`` it is honest, ``h(y) = h(x) + bias +
    scale * t`` with Student's t and h the working scale of the measure; otherwise it has nothing to
    do with x.

    Attributes
    ----------
    quantity : str
    measure : Measure
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
    measure: Measure
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

    def at_scale(self, scale: float) -> Observation:
        """Return the model with another scale."""
        return replace(self, scale=scale)

    def honest(self, truth: FloatArray) -> FloatArray:
        """Return the probability of the report from an honest source, shape of ``truth``."""
        h = self.measure.working(truth)
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
        h = self.measure.working(truth)
        within = np.where(np.isinf(edge), 0.0, edge)
        honest = _upper((h + self.bias - within) / self.scale)
        found = (1.0 - self.error) * honest + self.error * self.measure.outright_below(self, edge)
        return np.where(np.isneginf(edge), 0.0, np.where(np.isposinf(edge), 1.0, found))

    def best(self) -> float:
        """Return the log-likelihood of the truth that agrees best with the report."""
        if not self.positive:
            truth = np.inf
        elif not np.isfinite(self.high):
            truth = self.measure.far(self.low, 1e3 * self.scale)
        elif not np.isfinite(self.low):
            truth = self.measure.far(self.high, -1e3 * self.scale)
        else:
            truth = self.measure.nearest((self.low + self.high) / 2 - self.bias)
        return float(self.log_likelihood(np.array([truth]))[0])


#: Days from a stage to the first landing, as median and standard deviation of the logarithm, and
#: the chance that a force which has come so far never lands.
STAGES: dict[str, tuple[float, float, float]] = {
    "assembled": (2.0, 1.0, 0.10),
    "departed": (0.25, 1.0, 0.02),
}


@dataclass(frozen=True, kw_only=True)
class UnderWay(Observation):
    """The observation model of a landing that is under way.

    If the force lands at a, the statement is true at the time t with the chance that the lag from
    the stage to the landing is longer than ``a - t``.

    Attributes
    ----------
    stage : str
        Key of :data:`STAGES`.
    time : float
        Of the report, in days.
    """

    stage: str
    time: float

    def honest(self, truth: FloatArray) -> FloatArray:
        """Return the probability of the report from an honest source, shape of ``truth``."""
        median, spread, never = STAGES[self.stage]
        lands = np.isfinite(truth)
        gap = np.where(lands, truth, 0.0) + 0.5 - self.time  # lands in the middle of its day
        longer = special.ndtr(-np.log(np.maximum(gap, 1e-9) / median) / spread)
        return np.where(lands, longer * _upper(-gap / self.scale), never)

    def below(self, edge: FloatArray | float, truth: FloatArray) -> FloatArray:
        """Return the probability of the opposite report, whatever the edge."""
        return np.asarray(1.0 - np.exp(self.log_likelihood(truth)) + 0.0 * np.asarray(edge))

    def best(self) -> float:
        """Return the log-likelihood of the day that agrees best with the report."""
        days = np.arange(np.floor(self.time), np.floor(self.time) + 30.0)
        return float(self.log_likelihood(days).max())


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
    measure = measure_of(fact.quantity)
    habit = HABITS.get(fact.quantity, DEFAULT_HABITS[measure.name])
    reliability, wrong_source = RELIABILITY[fact.rating[0]]
    credibility, wrong_content = CREDIBILITY[fact.rating[1]]
    error = 1.0 - (1.0 - wrong_source) * (1.0 - wrong_content)
    parts = (
        ("reliability", reliability * measure.spread),
        ("credibility", credibility * measure.spread),
        ("counting", habit.spread),
        ("model discrepancy", habit.discrepancy),
    )
    low, high = measure.interval(fact, day)
    positive = measure.happened(fact) and fact.stage is None
    model = Observation(
        quantity=fact.quantity,
        measure=measure,
        low=low,
        high=high,
        positive=positive,
        bias=measure.bias(fact, habit, high, offset),
        scale=float(np.sqrt(sum(part**2 for _, part in parts))),
        error=error,
        parts=parts,
        outright=measure.outright(fact.quantity, low, high, positive=positive, horizon=horizon),
    )
    if fact.stage is None:
        return model
    time = day + day_fraction(fact, offset) if isinstance(fact.about, dt.datetime) else day + 0.5
    return UnderWay(**vars(model), stage=fact.stage, time=time)


def _lag(fact: Fact, offset: float) -> float:
    """Return the days from the end of what a fact is about to its report, at least 0."""
    reported: dt.datetime = latest(fact.known_from, offset)
    about = latest(fact.about, offset)
    return max((reported - about).total_seconds() / 86400.0, 0.0)


def _numbers(fact: Fact) -> tuple[float, float]:
    value = fact.value
    if value is None or value.kind in ("yes", "no"):
        raise ValueError(f"{fact.quantity} needs a number (found {value})")
    return float(value.low), float(value.high)


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
