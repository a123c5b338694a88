"""How news of public events gets out, and what the facts of a case leave unreported.

:mod:`foedus.weighing.silence` has the equation. The numbers are elicited.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

from foedus.case.models import Case, Fact
from foedus.case.vocabulary import PUBLIC_EVENTS

#: Shape of the gamma distribution of the reporting rate; the smaller, the heavier the tail.
SHAPE = 1.5
#: How much news gets out of a country without internet, as a share of what gets out with it.
CUT_OFF = 0.25
#: Deaths that nobody could overlook for long.
MANY_DEAD = 100.0


@dataclass(frozen=True)
class News:
    """How the news of one kind of event gets out.

    Attributes
    ----------
    median : float
        Days to its first report, half of the time, at openness one half.
    inside : bool
        Whether it has to get out of the country, so that a shutdown of the internet delays it.
    told_by : tuple of str
        Quantities whose reports end the silence, beside its own: later steps, and consequences.
    """

    median: float
    inside: bool = False
    told_by: tuple[str, ...] = ()


_TROOPS = ("contribution", "first_arrival", "troops_announced", "troops_present", "deaths_allied")
_LEFT = ("withdrawal_start", "withdrawal_end")
NEWS: dict[str, News] = {
    "request": News(0.5, told_by=("decision", "refusal", "vote_for", *_TROOPS, *_LEFT)),
    "decision": News(0.25, told_by=("vote_for", *_TROOPS, *_LEFT)),
    "refusal": News(1.0),
    "first_arrival": News(0.25, told_by=("troops_present", "deaths_allied", *_LEFT)),
    "leader_leaves": News(0.1),
    "fire_order": News(1.0, inside=True, told_by=("deaths_protesters", "deaths_total")),
    "hundred_dead": News(0.5, inside=True),
}
_TOLLS = ("deaths_total", "deaths_protesters", "deaths_security")


@dataclass(frozen=True, kw_only=True)
class Unreported:
    """A kind of public event that no fact reports.

    Attributes
    ----------
    kind : str
    denied_until : int
        Last day for which a fact says that it had not happened; -1 if none.
    denials : tuple of str
        Those facts.
    """

    kind: str
    denied_until: int = -1
    denials: tuple[str, ...] = ()

    @property
    def quantity(self) -> str:
        """The quantity from which its day is read."""
        return "deaths_total" if self.kind == "hundred_dead" else self.kind


def pace(openness: float) -> float:
    """Return how fast news runs in a country of this openness, beside one of one half."""
    return float(4.0 ** (2.0 * openness - 1.0))


def survival(days: Any, median: float) -> Any:
    """Return the chance that an event is still unreported after some days (number or array)."""
    scale = median / (2.0 ** (1.0 / SHAPE) - 1.0)
    return (1.0 + days / scale) ** -SHAPE


def unreported(case: Case) -> tuple[Unreported, ...]:
    """Return the public events that no fact of a case reports.

    Parameters
    ----------
    case : Case
        As filtered by :func:`foedus.case.asof.as_of`.
    """
    found = (_heard(case, kind) for kind in PUBLIC_EVENTS if case.silence.get(kind, True))
    return tuple(kind for kind in found if kind is not None)


def _heard(case: Case, kind: str) -> Unreported | None:
    """Return what the facts leave open about a kind of event; None if one of them reports it."""
    denials = []
    for fact in case.facts:
        if case.day(fact.about) > case.day(case.as_of):
            continue  # a plan
        told = _tolls(fact) if kind == "hundred_dead" else _tells(fact, kind)
        if told:
            return None
        if told is False:
            denials.append(fact)
    until = max((_until(case, fact) for fact in denials), default=-1)
    return Unreported(kind=kind, denied_until=until, denials=tuple(fact.id for fact in denials))


def _tells(fact: Fact, kind: str) -> bool | None:
    """Return whether a fact reports an event, denies it, or neither (None)."""
    quantity, value = fact.quantity, fact.value
    if quantity == kind:
        if fact.stage is not None:
            return False  # under way, so not there yet
        if value is not None and value.kind == "no":
            return None if fact.member else False
        return True
    if quantity not in NEWS[kind].told_by or (value is not None and value.high < 1):
        return None
    return True


def _tolls(fact: Fact) -> bool | None:
    """Return whether a fact reports, or excludes, that a hundred have died."""
    if fact.quantity not in _TOLLS or fact.value is None:
        return None
    low, high = fact.value.low, fact.value.high
    if low >= MANY_DEAD or MANY_DEAD <= high < math.inf:
        return True
    return False if high < MANY_DEAD and fact.quantity == "deaths_total" else None


def _until(case: Case, fact: Fact) -> int:
    """Return the last whole day for which a denial holds."""
    day = case.day(fact.about)
    open_ = isinstance(fact.about, dt.datetime) or fact.stage is not None
    return day - 1 if open_ else day
