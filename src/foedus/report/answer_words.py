"""As-of dates, estimates and base rates in the words that tables, briefs and the page share.

What depends on the kind of a question is a method of :class:`AnswerWords`, one for each shape of
answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from foedus.case.question_kinds import Shape, kind_of
from foedus.report.document import Column
from foedus.report.number_format import day, number, percent

if TYPE_CHECKING:
    from foedus.answers.forecasts import Answer, Forecast
    from foedus.answers.outside_view import Outside
    from foedus.case.question_kinds import Estimate

#: A date quantile beyond the days simulated, or an event that does not happen.
NEVER = "not by the end"


def known_by(forecast: Forecast) -> str:
    """Return the as-of date, or date and time, in the form of a case file."""
    return str(forecast.provenance.get("as_of", forecast.as_of.isoformat()))


def known_by_words(forecast: Forecast) -> str:
    """Return the as-of date, with its time of day if it has one."""
    return when(known_by(forecast))


def when(text: str) -> str:
    """Return an ISO date, or date and time, in words."""
    date = day(dt.date.fromisoformat(text[:10]))
    return f"{date}, {text[11:16]}" if len(text) > 10 else date


def span(estimate: Estimate | None, kind: str, end: dt.date | None = None) -> tuple[str, str, str]:
    """Return the low, middle and high quantile in words; empty texts if there are none.

    Parameters
    ----------
    estimate : Estimate or None
    kind : str
        Kind of the question.
    end : datetime.date, optional
        The last day simulated; :func:`never` names it for a date beyond it.
    """
    return words_of(kind).span(estimate, end)


def answer_span(
    estimate: Estimate | None, kind: str, end: dt.date | None = None
) -> tuple[str, str, str]:
    """Return the same as :func:`span`, but only the median if hardly any run has a date."""
    low, middle, high = span(estimate, kind, end)
    return ("", middle, "") if low == never(end) else (low, middle, high)


def short(estimate: Estimate | None, kind: str, end: dt.date | None = None) -> str:
    """Return an estimate in a few words; parameters as of :func:`span`."""
    return "" if estimate is None else words_of(kind).short(estimate, end)


def voices(a: Answer) -> str:
    """Return what simulation and history say of a question to which history speaks, else empty."""
    if a.history is None:
        return ""
    if a.estimate is None:
        return "history alone: too few runs agree with what is known"
    words = words_of(a.kind)
    return f"simulation {words.central(a.estimate)}, history {words.central(a.history)}"


def outside(view: Outside | None, kind: str, end: dt.date | None = None) -> str:
    """Return the outside view in words, and its source; parameters as of :func:`span`."""
    if view is None:
        return ""
    if view.probability is not None:
        text = view.source or view.text  # the mean and its interval precede it
        return f"{_interval(view)} {text}".strip()
    values = _span(view, kind, end)
    return f"{values}: {view.text}" if values else view.text


def outside_short(view: Outside | None, kind: str, end: dt.date | None = None) -> str:
    """Return the outside view in a few words: a chance or a median with its interval.

    Parameters as of :func:`span`.
    """
    if view is None:
        return ""
    if view.probability is None:
        return _span(view, kind, end)
    return f"{percent(view.probability)} {_interval(view)}".strip()


def _interval(view: Outside) -> str:
    if view.low is None or view.high is None:
        return ""
    return f"({percent(view.low)} to {percent(view.high)})"


def _span(view: Outside, kind: str, end: dt.date | None) -> str:
    """Return a median with nine past cases in ten; empty for a chance."""
    values: Sequence[Any] = view.dates or view.values
    if not values:
        return ""
    words = words_of(kind)
    low, middle, high = (
        words.quantile(_at(values, view.levels, p), end) for p in (0.05, 0.5, 0.95)
    )
    return spread(low, middle, high, end)


def never(end: dt.date | None) -> str:
    """Return :data:`NEVER` with the date of the end, if that is known."""
    return NEVER if end is None else f"not by {day(end)}"


def spread(low: str, middle: str, high: str, end: dt.date | None = None) -> str:
    """Return a median with nine runs in ten; dates beyond the end are shown as open."""
    if end is None or high != never(end):
        return f"{middle} ({low} to {high})"
    if middle != high:
        return f"{middle} ({low} to after {day(end)})"
    return middle if low == high else f"{middle} (one in twenty by {low})"


def _at(values: Sequence[Any], levels: Sequence[float], level: float) -> Any:
    nearest = min(range(len(levels)), key=lambda i: abs(levels[i] - level))
    return values[nearest]


class AnswerWords:
    """Words for answers of one shape. What is written here holds for an amount.

    Attributes
    ----------
    title : str
        Over a group of such questions.
    low, high : str
        Names of the 5% and 95% quantiles; empty where there are none.
    in_units : bool
        Whether the unit of the question is that of the answer.
    chance_of : str or None
        Added to a question whose chance is drawn; None where an answer has no chance.
    """

    title = "How many?"
    low, high = "Low", "High"
    in_units = True
    chance_of: str | None = None

    def columns(self) -> tuple[Column, ...]:
        """Return the columns of an answer."""
        return (Column(self.low, 13, whole=True), Column("Median", 15), Column(self.high, 15))

    def quantile(self, value: Any, end: dt.date | None = None) -> str:
        """Return a quantile in words."""
        return number(value) if isinstance(value, int | float) else "–"

    def span(self, estimate: Estimate | None, end: dt.date | None = None) -> tuple[str, str, str]:
        """Return the low, middle and high quantile; empty texts where there are none."""
        if estimate is None or not estimate.quantiles:
            return "", "", ""
        low, _, middle, _, high = (self.quantile(q, end) for q in estimate.quantiles)
        return low, middle, high

    def short(self, estimate: Estimate, end: dt.date | None = None) -> str:
        """Return an estimate in a few words."""
        low, middle, high = self.span(estimate, end)
        return f"{middle} ({low} to {high})" if middle else ""

    def central(self, estimate: Estimate) -> str:
        """Return an estimate as one value: its chance, or its median."""
        if estimate.probability is not None:
            return percent(estimate.probability)
        return self.span(estimate)[1]

    def value(self, value: float | dt.date | None) -> str:
        """Return an answer that is one value: a median, or a probability of yes."""
        return self.quantile(value)

    def side(self, without: float | dt.date | None) -> str:
        """Return which outcome is counted where an answer moves away from a value."""
        return f" (over {self.value(without)})"


class _ChanceWords(AnswerWords):
    title = "Will it happen?"
    low = high = ""
    in_units = False
    chance_of = ""

    def columns(self) -> tuple[Column, ...]:
        return (Column("Probability", 40),)

    def short(self, estimate: Estimate, end: dt.date | None = None) -> str:
        return "" if estimate.probability is None else percent(estimate.probability)

    def value(self, value: float | dt.date | None) -> str:
        return percent(value) if isinstance(value, float) else ""

    def side(self, without: float | dt.date | None) -> str:
        return ""


class _DayWords(AnswerWords):
    title = "When?"
    low, high = "Early", "Late"
    in_units = False
    chance_of = " Here: that it happens."

    def columns(self) -> tuple[Column, ...]:
        return (
            Column(self.low, 18, whole=True),
            Column("Median", 21),
            Column(self.high, 21),
            Column("Happens", 15),
        )

    def quantile(self, value: Any, end: dt.date | None = None) -> str:
        return day(value) if isinstance(value, dt.date) else never(end)

    def short(self, estimate: Estimate, end: dt.date | None = None) -> str:
        middle = self.span(estimate, end)[1]
        chance = "" if estimate.probability is None else percent(estimate.probability)
        return f"{chance}, half by {middle}" if middle and middle != never(end) else chance

    def value(self, value: float | dt.date | None) -> str:
        return day(value) if isinstance(value, dt.date) else "not in the window"

    def side(self, without: float | dt.date | None) -> str:
        return " (that it happens)" if without is None else f" (by {self.value(without)})"


#: In the order in which tables show them.
WORDS = {Shape.CHANCE: _ChanceWords(), Shape.AMOUNT: AnswerWords(), Shape.DAY: _DayWords()}


def words_of(kind: str) -> AnswerWords:
    """Return the words for the answers of a kind of question."""
    return WORDS[kind_of(kind).shape]
