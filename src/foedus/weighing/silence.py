"""Silence: a public event that nobody has reported most likely has not happened.

A run may hold a request, a landing or a hundred dead before the as-of time that no fact reports.
The chance that such an event, ``d`` days old, is still unreported is

    S(d) = (1 + d / tau) ** -SHAPE,   tau = median / (2 ** (1 / SHAPE) - 1),

an exponential delay whose rate is itself gamma distributed with shape :data:`SHAPE`. The tail is
heavy, because nobody knows how fast news is in a given crisis. The median is that of the kind of
event (:data:`NEWS`). News runs ``4 ** (2 * openness - 1)`` times as fast in a country of another
openness than one half, and where it has to get out of the country, a day without internet counts
:data:`CUT_OFF` of a day.

Each run is weighed by S for each kind of event that it holds and no fact reports. Every number is
elicited and wide; `docs/explanation/evidence.md` shows them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foedus.case.asof import AsOf
from foedus.case.models import Case, Fact
from foedus.case.times import earliest, latest, parse_when
from foedus.case.vocabulary import PUBLIC_EVENTS
from foedus.weighing.quantities import Block, Frame, event_day, series, variables

FloatArray = NDArray[np.float64]

#: Name of what silence says, beside the names of facts.
SILENCE = "silence"
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


@dataclass(frozen=True, kw_only=True)
class Silence:
    """What no fact of a case reports by a time.

    Attributes
    ----------
    kinds : tuple of Unreported
    moment : float
        The time, in days since the start of the case.
    openness : float
    """

    kinds: tuple[Unreported, ...]
    moment: float
    openness: float

    @classmethod
    def of(cls, case: Case, as_of: AsOf | None = None) -> Silence:
        """Read the silence of a case.

        Parameters
        ----------
        case : Case
            As filtered by :func:`foedus.case.asof.as_of`.
        as_of : datetime.date, datetime.datetime or str, optional
            The time; the end of the case's as-of date if absent.
        """
        kinds = [
            _heard(case, kind) for kind in PUBLIC_EVENTS if case.silence.get(kind, kind in NEWS)
        ]
        when = parse_when(case.as_of if as_of is None else as_of)
        start = earliest(case.start, case.timezone_offset)
        now = latest(when, case.timezone_offset) + dt.timedelta(microseconds=1)
        return cls(
            kinds=tuple(k for k in kinds if k is not None),
            moment=(now - start).total_seconds() / 86_400.0,
            openness=case.openness,
        )

    @property
    def variables(self) -> tuple[str, ...]:
        """Output variables that it is read from."""
        names = {"internet"} if any(NEWS[k.kind].inside for k in self.kinds) else set()
        return tuple(sorted(names.union(*(variables(k.quantity) for k in self.kinds))))

    def log_factor(
        self, block: Block, frame: Frame, denial: Mapping[str, FloatArray] | None = None
    ) -> FloatArray:
        """Return the log of the chance of the silence in each run, shape (run,).

        Parameters
        ----------
        block : mapping of str to ndarray
        frame : Frame
        denial : mapping of str to ndarray, shape (run,), optional
            Log-likelihood of the facts that deny an event, by fact. A run that holds the event
            before the denial is charged for the denial or for the silence, whichever is more.
        """
        runs = len(next(iter(block.values()))) if block else 0
        total = np.zeros(runs)
        for unreported in self.kinds:
            day = _day(unreported, block, frame)
            news = NEWS[unreported.kind]
            speed = np.full((runs, frame.horizon), 4.0 ** (2.0 * self.openness - 1.0))
            if news.inside:
                speed = speed * (CUT_OFF + (1.0 - CUT_OFF) * block["internet"])
            log = np.log(self._unreported(day, speed, news.median))
            charged = np.zeros(runs)
            for fact in unreported.denials:
                row = None if denial is None else denial.get(fact)
                charged = charged + (-np.inf if row is None else row)  # a replayed one is met
            over = np.minimum(log - np.maximum(charged, -1e6), 0.0)
            total += np.where(day <= unreported.denied_until, over, log)
        return total

    def _unreported(self, day: FloatArray, speed: FloatArray, median: float) -> FloatArray:
        """Return the chance that an event of this day is unreported, shape (run,).

        It happens in the middle of its day; on the day of an as-of time with a clock time it may
        also happen later.
        """
        runs, horizon = speed.shape
        today = int(min(np.floor(self.moment), horizon - 1))
        passed = min(self.moment - today, 1.0)
        clock = np.zeros((runs, horizon + 1))
        np.cumsum(speed, axis=1, out=clock[:, 1:])
        now = clock[:, today] + passed * speed[:, today]
        past = day <= today if passed > 0 else day < today
        at = np.where(past, day, 0.0).astype(np.int64)
        row = np.arange(runs)
        span = np.where(at == today, passed, 1.0)
        then = clock[row, at] + 0.5 * span * speed[row, at]
        chance = survival(np.maximum(now - then, 0.0), median)
        return np.where(past, span * chance + (1.0 - span), 1.0)


def survival(days: FloatArray, median: float) -> FloatArray:
    """Return the chance that an event is still unreported after some days."""
    scale = median / (2.0 ** (1.0 / SHAPE) - 1.0)
    return np.asarray((1.0 + days / scale) ** -SHAPE)


def _day(unreported: Unreported, block: Block, frame: Frame) -> FloatArray:
    """Return the day on which it happens in each run, infinity for never."""
    if unreported.kind != "hundred_dead":
        return event_day(block, frame, unreported.quantity)
    reached = series(block, frame, "deaths_total") >= MANY_DEAD
    return np.where(reached.any(axis=1), reached.argmax(axis=1), np.inf)


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
    if low >= MANY_DEAD or MANY_DEAD <= high < np.inf:
        return True
    return False if high < MANY_DEAD and fact.quantity == "deaths_total" else None


def _until(case: Case, fact: Fact) -> int:
    """Return the last whole day for which a denial holds."""
    day = case.day(fact.about)
    open_ = isinstance(fact.about, dt.datetime) or fact.stage is not None
    return day - 1 if open_ else day
