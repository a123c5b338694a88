"""What forecasts are compared with: history, refusal, and the positions of the members."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case, Question
from foedus.case.question_kinds import TROOPS, kind_of
from foedus.world.voting import weighted_mean, weighted_median

if TYPE_CHECKING:
    from foedus.casebook import BaseRate, Casebook, Quantiles

FloatArray = NDArray[np.float64]

#: A twelfth of 365.25. The casebook rounds it to 30.44 (:mod:`foedus.case.times`), which would move
#: the scores of history on three shipped questions by up to 0.02 per cent.
DAYS_PER_MONTH = 30.4375
#: Quantile levels at which a casebook distribution is read for scoring: its 19 ventiles.
LEVELS: tuple[float, ...] = tuple(round(0.05 * i, 2) for i in range(1, 20))


@dataclass(frozen=True, kw_only=True)
class Outside:
    """The outside view of a question: what history says.

    Attributes
    ----------
    text : str
        Its source, in words.
    n : int
        Casebook rows behind it.
    probability, low, high : float or None
        Of a binary question, with its 90% Jeffreys interval.
    levels, values : tuple of float
        Quantiles in the question's unit; of a date question in days from the case's start.
    dates : tuple of date or None
        The same of a date question, None beyond the horizon.
    cases : tuple of str
        Casebook ids.
    source : str
        The slice of the casebook and what happened in it, without the mean and interval that
        ``text`` gives too; empty where ``text`` gives none.
    """

    text: str
    n: int
    probability: float | None = None
    low: float | None = None
    high: float | None = None
    levels: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    dates: tuple[dt.date | None, ...] = ()
    cases: tuple[str, ...] = ()
    source: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; quantiles are values or dates, whichever there are."""
        shown: Sequence[Any] = (
            [d.isoformat() if d else None for d in self.dates] if self.dates else self.values
        )
        return {
            "text": self.text,
            "n": self.n,
            "probability": self.probability,
            "low": self.low,
            "high": self.high,
            "quantiles": {
                f"q{round(100 * level):02d}": value
                for level, value in zip(self.levels, shown, strict=True)
            },
            "cases": list(self.cases),
        }


def outside_view(case: Case, question: Question, casebook: Casebook) -> Outside | None:
    """Return the casebook's view of a question, or None where the question names none.

    Only rows known before the as-of date count, and never the case's own row.

    Parameters
    ----------
    case : Case
        Filtered by an as-of date. Whether the government has asked is read from its facts: if a
        request is known, the slice is that of formal requests.
    question : Question
    casebook : Casebook
    """
    from foedus import casebook as history

    baseline = question.baseline
    if baseline is None or baseline.casebook is None:
        return None
    kept: dict[str, Any] = {
        "trigger": baseline.trigger,
        "organisation": baseline.organisation,
        "before": case.as_of,
        "exclude": casebook.own_row(case),
    }
    if baseline.casebook == "granted":
        asked = True if known_day(case, "request") is not None else None
        rate = history.base_rate(casebook, formal_request=asked, **kept)
        return _rate(rate, negate=question.ask.quantity == "refusal")
    if baseline.casebook == "survival":
        rate = history.survival_rate(casebook, **kept)
        return _rate(rate, negate=question.ask.quantity == "leader_leaves")
    if baseline.casebook == "troops":
        found = history.size(casebook, levels=LEVELS, **kept)
        return _numbers(case, question, found, anchor=0, factor=1.0)
    if baseline.casebook == "arrival_days":
        found = history.tempo(casebook, levels=LEVELS, **kept)
        anchor = known_day(case, "request")
    else:
        found = history.duration(casebook, levels=LEVELS, **kept)
        anchor = known_day(case, "first_arrival")
    months = baseline.casebook == "duration_months" and question.unit != "months"
    anchor = case.day(case.as_of) if anchor is None else anchor
    return _numbers(case, question, found, anchor, DAYS_PER_MONTH if months else 1.0)


def known_day(case: Case, event: str, *, ratings: Collection[str] | None = None) -> int | None:
    """Return the day of the earliest positive report of an event, or None.

    With ``ratings`` only reports with one of these count, and neither plans nor preparations.
    """
    days = [
        case.day(f.about)
        for f in case.facts
        if f.quantity == event
        and not (f.value is not None and f.value.kind == "no")
        and (
            ratings is None
            or (
                f.rating in ratings
                and f.stage is None
                and case.day(f.about) <= case.day(case.as_of)
            )
        )
    ]
    return min(days, default=None)


def _rate(rate: BaseRate, *, negate: bool) -> Outside | None:
    if not rate.n:
        return None
    p, low, high = rate.mean, rate.low, rate.high
    text, source = str(rate), rate.counts
    if negate:
        p, low, high = 1.0 - p, 1.0 - high, 1.0 - low
        text, source = f"the contrary of {text}", f"the contrary of {source}"
    return Outside(
        text=text, n=rate.n, probability=p, low=low, high=high, cases=rate.cases, source=source
    )


def _numbers(
    case: Case, question: Question, found: Quantiles, anchor: int, factor: float
) -> Outside | None:
    if not found.n:
        return None
    values = tuple(v * factor for v in found.values)
    read = kind_of(question.kind).from_history(values, anchor, case)
    if read is None:
        return None
    values, dates = read
    text = f"{found.description} (n {found.n}, {found.censored} censored)"
    return Outside(
        text=text, n=found.n, levels=found.levels, values=values, dates=dates, cases=found.cases
    )


def always_refuse(question: Question) -> float | None:
    """Return the answer if the alliance never comes, or None if that says nothing.

    Returns
    -------
    float or None
        A probability, a number, or infinity for "never", as the question's kind asks.
    """
    ask = question.ask
    return kind_of(question.kind).if_refused(ask.quantity, at_most=ask.at_most)


def positions(case: Case, question: Question) -> dict[str, float]:
    """Return the weighted mean and median of the members' stated positions.

    A position is 0 (stay out) to 1 (send); the requester is left out. For a yes-or-no question on
    the alliance acting it is read as the probability; for a question on troops it is multiplied
    by the standing pool that would be announced. Whether any troops at all come is such a
    yes-or-no question; how long they stay is not, and a threshold above one soldier is not.

    Returns
    -------
    dict
        ``weighted_mean`` and ``weighted_median``; empty where positions say nothing.
    """
    ask = question.ask
    voters = [m for m in case.alliance.members if m.actor != case.alliance.requester]
    if ask.member is not None:
        voters = [m for m in voters if m.actor == ask.member]
    capability = np.array([m.capability for m in voters])
    salience = np.array([m.salience for m in voters])
    if not voters or not (capability * salience).sum() > 0:
        return {}
    any_troops = ask.quantity in TROOPS and ask.statistic in ("max", "happens")
    any_troops = any_troops and ask.at_most is None and (ask.at_least or 0.0) <= 1.0
    pool = case.alliance.announced_pool
    factor = kind_of(question.kind).position_scale(ask.quantity, any_troops=any_troops, pool=pool)
    if factor is None:
        return {}
    stated = np.array([m.position for m in voters])
    if ask.quantity == "refusal":
        stated = 1.0 - stated
    return {
        "weighted_mean": factor * weighted_mean(stated, capability, salience),
        "weighted_median": factor * weighted_median(stated, capability, salience),
    }
