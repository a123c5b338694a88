"""Replay known decisions.

A decision that is reliably known by the as-of date (the request, the order to fire, ...) is imposed
on every run, and the run is charged the probability that its own rule gives to the decision:
importance sampling with a forced proposal. With infinitely many runs the posterior is that of plain
weighting; with finitely many, the effective sample is far larger.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case, Fact
from foedus.case.news import CUT_OFF, NEWS, pace, survival, unreported
from foedus.case.vocabulary import REPLAYABLE, WELL_RATED
from foedus.world.state import State

FloatArray = NDArray[np.float64]

#: The charge for a run whose own rule excludes the known decision. It is finite so that weighing
#: can say which fact the runs cannot meet.
FLOOR = 1e-9

#: Decisions that are drawn less often while nobody reports them. Decision and refusal share a draw.
THINNED = ("request", "fire_order", "leader_leaves")
#: The least share of a chance that is kept, so that what is said before the evidence is not left to
#: a few runs.
LEAST_KEPT = 0.1

#: Bit of a run's ``ruled_out`` for each decision.
BITS: dict[str, int] = {event: 1 << n for n, event in enumerate(REPLAYABLE)}


@dataclass(frozen=True)
class Guidance:
    """Known decisions by (event, member or ""), with the day and the fact that reports it.

    Attributes
    ----------
    days : dict
        Day on which the event is known to have happened.
    not_by : dict
        Day up to which (inclusive) the event is known not to have happened.
    facts : tuple of str
        Identifiers of the facts used here; the evidence model leaves them out.
    kept : dict
        By public event that no fact reports, the share of its chance that is kept on each day up
        to the as-of day. A run that holds such an event would hardly count
        (:mod:`foedus.weighing.silence`), so it is drawn less often, and the run has the ratio of
        the chances as an importance weight (``log_thinning``). It is exact whatever the shares.
    thins : bool
        False: events are drawn at their full chance, and weighed as if they had been thinned. So
        any run can be weighed among thinned ones.
    """

    days: dict[tuple[str, str], int] = field(default_factory=dict)
    not_by: dict[tuple[str, str], int] = field(default_factory=dict)
    facts: tuple[str, ...] = ()
    kept: dict[str, tuple[float, ...]] = field(default_factory=dict)
    thins: bool = True

    @classmethod
    def of(cls, case: Case) -> Guidance:
        """Read the replayable decisions from a case that was filtered by an as-of date.

        Only facts rated A1 to B2 are replayed; weaker reports are left to the evidence model. Of
        several reports of one event, the best rated counts, then the earliest known. A report that
        contradicts a better one (one says that it happened by a day, the other that it had not) is
        also left to the evidence model, which gives the probability that it is wrong. So is an
        event of which only an interval of days is known, and one that is under way.
        """
        days: dict[tuple[str, str], int] = {}
        not_by: dict[tuple[str, str], int] = {}
        used: list[str] = []

        def order(fact: Fact) -> tuple[str, str, str]:
            return (fact.rating, str(fact.known_from), fact.id)

        for fact in sorted(case.facts, key=order):
            if fact.quantity not in REPLAYABLE or fact.place is not None:
                continue
            if fact.rating not in WELL_RATED or fact.stage is not None or fact.since is not None:
                continue
            if fact.quantity == "first_arrival" and fact.member is not None:
                continue  # only the first landing of all is replayed
            key = (fact.quantity, fact.member or "")
            day = case.day(fact.about)
            if not 0 <= day < case.horizon:
                continue
            negative = fact.value is not None and fact.value.kind == "no"
            if negative:
                if isinstance(fact.about, dt.datetime):
                    day -= 1  # a time of day leaves the rest of the day open
                if key in days and days[key] <= day:
                    continue
                not_by[key] = max(not_by.get(key, -1), day)
                used.append(fact.id)
            elif key not in days and day > not_by.get(key, -1):
                days[key] = day
                used.append(fact.id)
        return cls(days, not_by, tuple(used), _kept(case))

    def excluding(self, known: str, other: str) -> Guidance:
        """Return the guidance in which ``other`` has not happened up to the day of ``known``.

        At most one of the two events happens in a run. A run in which ``other`` comes first could
        no longer meet the known decision. It is therefore prevented, and the run is charged its
        probability, as for any replayed decision: the weights are the same in expectation and far
        less uneven. If ``known`` has no known day, or ``other`` has one, the guidance is returned
        unchanged.
        """
        day = self.days.get((known, ""))
        if day is None or (other, "") in self.days:
            return self
        until = max(day, self.not_by.get((other, ""), -1))
        return replace(self, not_by={**self.not_by, (other, ""): until})

    def decide(
        self,
        state: State,
        event: str,
        chance: FloatArray,
        u: FloatArray,
        eligible: NDArray[np.bool_],
        day: int,
        member: str = "",
    ) -> NDArray[np.bool_]:
        """Return where the event happens today, shape (run,): drawn, or replayed and charged.

        Parameters
        ----------
        state : State
            Its ``log_guidance`` is charged for a replayed decision; ``ruled_out`` records where the
            run's own rule made it impossible.
        event, member : str
            The event, and the member that decides ("" where the case has only one decider).
        chance : ndarray, shape (run,)
            Probability that the event happens today where ``eligible``.
        u : ndarray, shape (run,)
            Uniform draws; used where nothing is known.
        eligible : ndarray of bool, shape (run,)
            Where the decision is open today (not yet taken, preconditions met).
        day : int
            Today.
        """
        key = (event, member)
        known = self.days.get(key)
        if known is None and day > self.not_by.get(key, -1):
            return self._draw(state, event, chance, u, eligible, day)
        drawn = eligible & (u < chance)
        chance = np.where(eligible, chance, 0.0)
        if known == day:
            _charge(state, event, chance)
            return np.ones_like(eligible)
        if (known is not None and day < known) or day <= self.not_by.get(key, -1):
            _charge(state, event, 1.0 - chance)
            return np.zeros_like(eligible)
        return drawn

    def _draw(
        self,
        state: State,
        event: str,
        chance: FloatArray,
        u: FloatArray,
        eligible: NDArray[np.bool_],
        day: int,
    ) -> NDArray[np.bool_]:
        """Return where an event happens that is not known, thinned while it would be news."""
        shares = self.kept.get(event, ())
        if day >= len(shares):
            return eligible & (u < chance)
        share = shares[day]
        now = eligible & (u < (chance * share if self.thins else chance))
        safe = np.where(eligible, np.minimum(chance, 1.0 - 1e-12), 0.0)
        not_now = np.log1p(-safe) - np.log1p(-safe * share)
        state.log_thinning += np.where(now, -np.log(share), not_now)
        return now


def _kept(case: Case) -> dict[str, tuple[float, ...]]:
    """Return the shares of the chances of unreported events that are kept, by day."""
    today, out = case.day(case.as_of), {}
    for one in unreported(case):
        if one.kind not in THINNED:
            continue
        news = NEWS[one.kind]
        speed = pace(case.openness) * (CUT_OFF if news.inside else 1.0)
        out[one.kind] = tuple(
            max(LEAST_KEPT, float(survival(speed * (today - day + 0.5), news.median)))
            for day in range(today + 1)
        )
    return out


def _charge(state: State, event: str, chance: FloatArray) -> None:
    state.log_guidance += np.log(np.maximum(chance, FLOOR))
    state.ruled_out[chance < FLOOR] |= BITS[event]
