"""The kinds of question: yes or no, how many, when.

A kind is one class. It says what a question may ask, how the answer is read from runs, estimated,
scored, compared with history, and written to the hubverse format. Reports and the page know only
the :class:`Shape` of its answers, so a new kind that declares one of these needs no other file.

A *draw* is what one run answers, as a float: 1 or 0, a number, or a day number (infinity for
"never"). To add a kind, derive from :class:`QuestionKind` and :func:`register` it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from foedus.errors import InputError
from foedus.plain_values import Plain, finite, four_figures
from foedus.scoring_rules import Score, brier, crps, floored, log_score, shrunk
from foedus.weighted_statistics import KEYS, LEVELS, mean_and_error, median, quantile

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
#: An outcome as a case file gives it.
Outcome = bool | float | dt.date | None
#: Target, output type, its id, value.
HubRow = tuple[str, str, str | float | None, float]

#: The alliance's action, the troops that follow, and their departure.
ACTS = ("decision", "contribution", "first_arrival", "vote_for")
TROOPS = ("troops_announced", "troops_present")
ENDS = ("withdrawal_start", "withdrawal_end")


class Shape(StrEnum):
    """What an answer looks like; reports draw answers by it."""

    #: One probability.
    CHANCE = "chance"
    #: A number and its spread.
    AMOUNT = "amount"
    #: A day and its spread, and the probability that it comes at all.
    DAY = "day"
    #: A probability for each of several classes.
    CLASSES = "classes"


class Calendar(Protocol):
    """Converts dates to day numbers: a case, or the axes of its runs."""

    @property
    def horizon(self) -> int:
        """Number of days simulated."""

    def day(self, date: dt.date, /) -> int:
        """Return the day number of a date."""

    def date(self, day: int, /) -> dt.date:
        """Return the date of a day number."""


@dataclass(frozen=True)
class Estimate(Plain):
    """The answer of a set of weighted runs to a question.

    Attributes
    ----------
    probability, probability_error : float or None
        Binary: that it is true. Date: that it happens in the window. With its Monte-Carlo error.
    mean, mean_error : float or None
        Of a number.
    quantiles : tuple
        At :data:`LEVELS`: numbers, or dates with None for "not in the window"; empty for binary.
    """

    probability: float | None = None
    probability_error: float | None = None
    mean: float | None = None
    mean_error: float | None = None
    quantiles: tuple[float | dt.date | None, ...] = field(default=(), metadata={"keys": KEYS})


class QuestionKind:
    """A kind of question. What is written here holds for a number; other kinds override it.

    Attributes
    ----------
    name : str
        The word in a case file.
    shape : Shape
        Of its answers.
    outcome_form : str
        What an outcome looks like in a case file.
    options : tuple of str
        The only answers, where there are few; a draw is the index of one.
    takes_limits, takes_date : bool
        Whether an outcome to look for is given by "at least" and "at most", or by a last day.
    counts_settle : bool
        Whether a count that has passed the threshold settles the question.
    score_name : str
        Of the main score; its unit follows unless empty.
    """

    name: ClassVar[str]
    shape: ClassVar[Shape] = Shape.AMOUNT
    outcome_form: ClassVar[str] = "a number"
    options: ClassVar[tuple[str, ...]] = ()
    takes_limits: ClassVar[bool] = True
    takes_date: ClassVar[bool] = False
    counts_settle: ClassVar[bool] = False
    score_name: ClassVar[str] = "CRPS"

    # ---- what a case file may say
    def misfit(
        self, statistic: str, *, is_event: bool, threshold: bool, quantity: str
    ) -> tuple[str, str] | None:
        """Return what is wrong with what a question asks, or None.

        Returns
        -------
        tuple of str, or None
            The field (``kind``, ``statistic``, ``threshold``, or ``ask`` where one is missing) and
            what would be right.
        """
        if statistic == "first_day":
            return "kind", "date, because the statistic is first_day"
        if is_event or statistic == "happens":
            return "kind", "binary, because it asks whether something happens"
        if threshold:
            return "threshold", f"no threshold, because the question asks a {self.name}"
        return None

    def takes(self, outcome: object) -> bool:
        """Return whether a value can be the outcome of such a question."""
        return isinstance(outcome, int | float) and not isinstance(outcome, bool)

    def draw_of(self, outcome: Outcome, calendar: Calendar) -> float:
        """Return an outcome in the form of a run's answer, finite."""
        assert isinstance(outcome, int | float)
        return float(outcome)

    # ---- read from runs
    def from_day(self, day: FloatArray) -> FloatArray:
        """Return the draws, given the first day on which the condition is true, shape (run,)."""
        return day

    def from_value(self, value: FloatArray, met: BoolArray) -> FloatArray:
        """Return the draws, given a value and where it meets the thresholds, shape (run,)."""
        return value

    # ---- estimated
    def estimate(self, draws: FloatArray, weight: FloatArray, calendar: Calendar) -> Estimate:
        """Return the answer of weighted runs, with its Monte-Carlo error.

        Parameters
        ----------
        draws : ndarray, shape (run,)
        weight : ndarray, shape (run,)
            Sums to 1.
        calendar : Calendar
        """
        values = quantile(draws, weight, np.array(LEVELS))
        mean, error = mean_and_error(draws, weight)
        return Estimate(mean=mean, mean_error=error, quantiles=tuple(float(v) for v in values))

    def probability(self, draws: FloatArray, weight: FloatArray) -> float | None:
        """Return the probability of true, or of happening; None where that is not asked."""
        return None

    def median(
        self, draws: FloatArray, weight: FloatArray, calendar: Calendar
    ) -> float | dt.date | None:
        """Return the median answer; None for "never", and where there is none."""
        return median(draws, weight)

    def central(
        self, draws: FloatArray, weight: FloatArray, calendar: Calendar
    ) -> float | dt.date | None:
        """Return the answer as one value: the median, or the probability of yes."""
        return self.median(draws, weight, calendar)

    def split(self, draws: FloatArray, weight: FloatArray) -> FloatArray:
        """Return 1 or 0 by run: on which side of the weighted middle it lies."""
        return (draws > median(draws, weight)).astype(np.float64)

    def amount(self, draws: FloatArray) -> FloatArray:
        """Return the draws as amounts that can be subtracted and averaged, shape (run,)."""
        return draws

    def amount_unit(self, unit: str) -> str:
        """Return the unit of :meth:`amount`."""
        return unit

    def bounded(self, draws: FloatArray, horizon: int) -> FloatArray:
        """Return finite draws: "never" is the day after the last simulated one."""
        return draws

    def draw_text(self, draw: float, calendar: Calendar) -> str:
        """Return a finite draw as text, such as the edge of a range of answers."""
        return four_figures(draw)

    # ---- an outcome to look for
    def happens(
        self, draws: FloatArray, low: float | None, high: float | None, last_day: float
    ) -> BoolArray:
        """Return whether an outcome happens, shape (run,)."""
        bottom = -math.inf if low is None else low
        top = math.inf if high is None else high
        return np.asarray((draws >= bottom) & (draws <= top))

    # ---- scored
    def score_unit(self, unit: str) -> str:
        """Return the main score with its unit."""
        return f"{self.score_name} {unit}"

    def score(
        self,
        estimate: Estimate,
        draws: FloatArray,
        weight: FloatArray,
        *,
        effective: float,
        horizon: int,
        outcome: float,
    ) -> Score:
        """Score a forecast; ``outcome`` is from :meth:`draw_of`."""
        found = crps(self.bounded(draws, horizon), outcome, weight)
        return Score(estimate.mean, crps=found)

    def score_point(self, point: float, *, horizon: int, outcome: float) -> Score:
        """Score a forecaster that gives one value, or one probability, without spread."""
        at = float(self.bounded(np.array([point]), horizon)[0])
        return Score(finite(point), crps=abs(at - outcome))

    def score_history(
        self,
        probability: float | None,
        values: tuple[float, ...],
        *,
        horizon: int,
        outcome: float,
    ) -> Score | None:
        """Score the casebook's probability or quantiles; None where it has none."""
        found = self.bounded(np.array(values), horizon)
        middle = finite(float(np.median(found)))
        return Score(middle, crps=crps(found, outcome)) if found.size else None

    def transform(
        self, draws: FloatArray, weight: FloatArray, *, horizon: int, outcome: float
    ) -> tuple[float, float] | None:
        """Return the shares of the forecast below the outcome, and up to it; None if neither."""
        found = self.bounded(draws, horizon)
        below, at = float(weight[found < outcome].sum()), float(weight[found == outcome].sum())
        return min(below, 1.0), min(below + at, 1.0)

    # ---- compared
    def from_history(
        self, values: tuple[float, ...], anchor: int, calendar: Calendar
    ) -> tuple[tuple[float, ...], tuple[dt.date | None, ...]] | None:
        """Return the casebook's quantiles as draws and as dates; None where they do not apply."""
        return values, ()

    def if_refused(self, quantity: str, *, at_most: float | None) -> float | None:
        """Return the draw if the alliance never comes; None where that does not determine it."""
        return 0.0 if quantity in (*TROOPS, "deaths_allied") else None

    def position_scale(
        self, quantity: str, *, any_troops: bool, pool: float | None
    ) -> float | None:
        """Return the factor for a member's position from 0 to 1; None if positions do not apply."""
        return float(pool) if quantity in TROOPS and pool else None

    # ---- written
    def hub_rows(self, answer: Mapping[str, Any], origin: dt.date) -> Iterator[HubRow]:
        """Yield the rows of the hubverse format for an answer in JSON, as of a date."""
        target = answer["id"]
        if answer["mean"] is not None:
            yield target, "mean", None, answer["mean"]
        for level, key in zip(LEVELS, KEYS, strict=True):
            value = answer["quantiles"].get(key)
            if value is not None:
                yield target, "quantile", level, value


class Number(QuestionKind):
    """How many: a number with a unit."""

    name = "number"


class Binary(QuestionKind):
    """Yes or no: a probability. A draw is 1 for yes."""

    name = "binary"
    shape = Shape.CHANCE
    outcome_form = "true or false"
    options = ("no", "yes")
    takes_limits = False
    counts_settle = True
    score_name = "Brier"

    def misfit(
        self, statistic: str, *, is_event: bool, threshold: bool, quantity: str
    ) -> tuple[str, str] | None:
        if statistic == "first_day":
            return "kind", "date, because the statistic is first_day"
        return _needs_threshold(is_event, threshold, quantity)

    def takes(self, outcome: object) -> bool:
        return isinstance(outcome, bool)

    def from_day(self, day: FloatArray) -> FloatArray:
        return np.asarray(np.isfinite(day), dtype=np.float64)

    def from_value(self, value: FloatArray, met: BoolArray) -> FloatArray:
        return np.asarray(met, dtype=np.float64)

    def estimate(self, draws: FloatArray, weight: FloatArray, calendar: Calendar) -> Estimate:
        p, error = mean_and_error(draws, weight)
        return Estimate(min(max(p, 0.0), 1.0), error)

    def probability(self, draws: FloatArray, weight: FloatArray) -> float | None:
        return float(weight @ draws)

    def median(
        self, draws: FloatArray, weight: FloatArray, calendar: Calendar
    ) -> float | dt.date | None:
        return None

    def central(
        self, draws: FloatArray, weight: FloatArray, calendar: Calendar
    ) -> float | dt.date | None:
        return min(float(weight @ draws), 1.0)

    def split(self, draws: FloatArray, weight: FloatArray) -> FloatArray:
        return draws

    def amount_unit(self, unit: str) -> str:
        return "chance"

    def happens(
        self, draws: FloatArray, low: float | None, high: float | None, last_day: float
    ) -> BoolArray:
        return np.asarray(draws > 0.5)

    def score_unit(self, unit: str) -> str:
        return self.score_name

    def score(
        self,
        estimate: Estimate,
        draws: FloatArray,
        weight: FloatArray,
        *,
        effective: float,
        horizon: int,
        outcome: float,
    ) -> Score:
        assert estimate.probability is not None
        p = min(max(estimate.probability, 0.0), 1.0)
        return _scored_chance(p, shrunk(p, effective), outcome)

    def score_point(self, point: float, *, horizon: int, outcome: float) -> Score:
        return _scored_chance(point, floored(point), outcome)

    def score_history(
        self,
        probability: float | None,
        values: tuple[float, ...],
        *,
        horizon: int,
        outcome: float,
    ) -> Score | None:
        if probability is None:
            return None
        return self.score_point(probability, horizon=horizon, outcome=outcome)

    def transform(
        self, draws: FloatArray, weight: FloatArray, *, horizon: int, outcome: float
    ) -> tuple[float, float] | None:
        return None

    def from_history(
        self, values: tuple[float, ...], anchor: int, calendar: Calendar
    ) -> tuple[tuple[float, ...], tuple[dt.date | None, ...]] | None:
        return None

    def if_refused(self, quantity: str, *, at_most: float | None) -> float | None:
        if quantity == "refusal":
            return 1.0
        no = quantity in (*ACTS, *ENDS) or (quantity in TROOPS and at_most is None)
        return 0.0 if no else None

    def position_scale(
        self, quantity: str, *, any_troops: bool, pool: float | None
    ) -> float | None:
        return 1.0 if any_troops or quantity in (*ACTS, "refusal") else None

    def hub_rows(self, answer: Mapping[str, Any], origin: dt.date) -> Iterator[HubRow]:
        yield from _hub_chance(answer)


class Date(QuestionKind):
    """When: a day in the window, or never. A draw is a day number, infinity for never."""

    name = "date"
    shape = Shape.DAY
    outcome_form = "a date such as 2022-01-13, or null for 'did not happen'"
    takes_limits = False
    takes_date = True

    def misfit(
        self, statistic: str, *, is_event: bool, threshold: bool, quantity: str
    ) -> tuple[str, str] | None:
        if statistic != "first_day":
            return "statistic", "first_day, because the question asks a date"
        return _needs_threshold(is_event, threshold, quantity)

    def takes(self, outcome: object) -> bool:
        return outcome is None or isinstance(outcome, dt.date)

    def draw_of(self, outcome: Outcome, calendar: Calendar) -> float:
        if outcome is None:
            return float(calendar.horizon)
        assert isinstance(outcome, dt.date)
        return float(min(calendar.day(outcome), calendar.horizon))

    def estimate(self, draws: FloatArray, weight: FloatArray, calendar: Calendar) -> Estimate:
        values = quantile(draws, weight, np.array(LEVELS))
        p, error = mean_and_error(np.isfinite(draws).astype(np.float64), weight)
        chance = min(max(p, 0.0), 1.0)  # weights sum to 1 except for the last digit
        return Estimate(chance, error, quantiles=tuple(date_of(v, calendar) for v in values))

    def probability(self, draws: FloatArray, weight: FloatArray) -> float | None:
        return float(weight @ np.isfinite(draws))

    def median(
        self, draws: FloatArray, weight: FloatArray, calendar: Calendar
    ) -> float | dt.date | None:
        return date_of(median(draws, weight), calendar)

    def split(self, draws: FloatArray, weight: FloatArray) -> FloatArray:
        middle = median(draws, weight)
        return (draws <= middle if np.isfinite(middle) else np.isfinite(draws)).astype(float)

    def amount(self, draws: FloatArray) -> FloatArray:
        return np.asarray(np.isfinite(draws), dtype=np.float64)

    def amount_unit(self, unit: str) -> str:
        return "chance"

    def bounded(self, draws: FloatArray, horizon: int) -> FloatArray:
        return np.minimum(draws, horizon)

    def draw_text(self, draw: float, calendar: Calendar) -> str:
        return calendar.date(int(draw)).isoformat()

    def happens(
        self, draws: FloatArray, low: float | None, high: float | None, last_day: float
    ) -> BoolArray:
        return np.asarray(np.isfinite(draws) & (draws <= last_day))

    def score_unit(self, unit: str) -> str:
        return f"{self.score_name} days"

    def from_history(
        self, values: tuple[float, ...], anchor: int, calendar: Calendar
    ) -> tuple[tuple[float, ...], tuple[dt.date | None, ...]] | None:
        values = tuple(anchor + v for v in values)
        last = calendar.horizon - 1
        return values, tuple(None if v > last else calendar.date(int(np.floor(v))) for v in values)

    def if_refused(self, quantity: str, *, at_most: float | None) -> float | None:
        return math.inf if quantity in (*ACTS, *ENDS, *TROOPS) else None

    def position_scale(
        self, quantity: str, *, any_troops: bool, pool: float | None
    ) -> float | None:
        return None

    def hub_rows(self, answer: Mapping[str, Any], origin: dt.date) -> Iterator[HubRow]:
        yield from _hub_chance(answer)
        for level, key in zip(LEVELS, KEYS, strict=True):
            value = answer["quantiles"].get(key)
            if value is not None:
                days = (dt.date.fromisoformat(value) - origin).days
                yield f"{answer['id']}/days", "quantile", level, days


def date_of(day: float, calendar: Calendar) -> dt.date | None:
    """Return the date of a day number, None for "never"."""
    return calendar.date(int(day)) if np.isfinite(day) else None


def _needs_threshold(is_event: bool, threshold: bool, quantity: str) -> tuple[str, str] | None:
    if is_event or threshold:
        return None
    return "ask", f"at_least or at_most, because {quantity} is a number"


def _scored_chance(p: float, safe: float, outcome: float) -> Score:
    happened = bool(outcome)
    return Score(p, brier(p, happened), log_score(safe, happened))


def _hub_chance(answer: Mapping[str, Any]) -> Iterator[HubRow]:
    p = answer["probability"]
    if p is not None:
        yield answer["id"], "pmf", "no", 1.0 - p
        yield answer["id"], "pmf", "yes", p


#: The kinds by name, in the order in which they are listed.
KINDS: dict[str, QuestionKind] = {}


def register(kind: QuestionKind) -> None:
    """Add a kind, which case files may then use.

    Raises
    ------
    InputError
        If there is a kind of this name.
    """
    if kind.name in KINDS:
        raise InputError(f"question kind {kind.name}: already exists; give another name")
    KINDS[kind.name] = kind


def kind_of(name: str) -> QuestionKind:
    """Return a kind by its name.

    Raises
    ------
    InputError
        If there is none.
    """
    try:
        return KINDS[name]
    except KeyError:
        raise InputError(f"kind: one of {', '.join(KINDS)} (found {name!r})") from None


for _kind in (Binary(), Number(), Date()):
    register(_kind)
