"""Silence: a public event that nobody has reported most likely has not happened.

A run may hold a request, a landing or a hundred dead before the as-of time that no fact reports.
The chance that such an event, ``d`` days old, is still unreported is

    S(d) = (1 + d / tau) ** -SHAPE,   tau = median / (2 ** (1 / SHAPE) - 1),

an exponential delay whose rate is itself gamma distributed. The tail is heavy, because nobody knows
how fast news is in a given crisis. The median is that of the kind of event. News runs ``4 ** (2 *
openness - 1)`` times as fast in a country of another openness than one half, and where it has to
get out of the country, a day without internet counts a quarter of a day. The numbers are in
:mod:`foedus.case.news`.

Each run is weighed by S for each kind of event that it holds and no fact reports. Every number is
elicited and wide; `docs/explanation/totals-and-silence.md` shows them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foedus.case.asof import AsOf
from foedus.case.models import Case
from foedus.case.news import CUT_OFF, MANY_DEAD, NEWS, Unreported, pace, survival, unreported
from foedus.case.times import earliest, latest, parse_when
from foedus.weighing.quantities import Block, Frame, event_day, series, variables

FloatArray = NDArray[np.float64]

#: Name of what silence says, beside the names of facts.
SILENCE = "silence"


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
        when = parse_when(case.as_of if as_of is None else as_of)
        start = earliest(case.start, case.timezone_offset)
        now = latest(when, case.timezone_offset) + dt.timedelta(microseconds=1)
        return cls(
            kinds=unreported(case),
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
        for one in self.kinds:
            day = _day(one, block, frame)
            news = NEWS[one.kind]
            speed = np.full((runs, frame.horizon), pace(self.openness))
            if news.inside:
                speed = speed * (CUT_OFF + (1.0 - CUT_OFF) * block["internet"])
            log = np.log(self._unreported(day, speed, news.median))
            charged = np.zeros(runs)
            for fact in one.denials:
                row = None if denial is None else denial.get(fact)
                charged = charged + (-np.inf if row is None else row)  # a replayed one is met
            over = np.minimum(log - np.maximum(charged, -1e6), 0.0)
            total += np.where(day <= one.denied_until, over, log)
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


def _day(one: Unreported, block: Block, frame: Frame) -> FloatArray:
    """Return the day on which it happens in each run, infinity for never."""
    if one.kind != "hundred_dead":
        return event_day(block, frame, one.quantity)
    reached = series(block, frame, "deaths_total") >= MANY_DEAD
    return np.where(reached.any(axis=1), reached.argmax(axis=1), np.inf)
