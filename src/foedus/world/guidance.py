"""Replaying known decisions.

A decision that is reliably known by the as-of date (the request, the order to fire, ...) is
imposed on every run, and the run is charged the probability that its own rule gave the decision:
importance sampling with a forced proposal. The posterior is the one that plain weighting would
give with infinitely many runs; the effective sample is far larger.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case, Fact
from foedus.case.vocabulary import QUANTITIES, WELL_RATED
from foedus.world.state import State

FloatArray = NDArray[np.float64]

#: Decisions that mechanisms take by a probability a day, and that can be replayed.
REPLAYABLE: tuple[str, ...] = tuple(q.name for q in QUANTITIES.values() if q.decision)

#: A run whose rule rules the known decision out is charged this, and not minus infinity, so that
#: judgement can say which fact the runs cannot meet.
FLOOR = 1e-9

#: Which bit of a run's ``ruled_out`` stands for which decision.
BITS: dict[str, int] = {event: 1 << n for n, event in enumerate((*REPLAYABLE, "other_call"))}


@dataclass(frozen=True)
class Guidance:
    """Known decisions, by (event, member or ""): the day, and the fact that says so.

    Attributes
    ----------
    days : dict
        Day on which the event is known to have happened.
    not_by : dict
        Day up to which (inclusive) the event is known not to have happened.
    facts : tuple of str
        Identifiers of the facts used here; the evidence model leaves them out.
    """

    days: dict[tuple[str, str], int] = field(default_factory=dict)
    not_by: dict[tuple[str, str], int] = field(default_factory=dict)
    facts: tuple[str, ...] = ()

    @classmethod
    def of(cls, case: Case) -> Guidance:
        """Read the replayable decisions from a case that was filtered by an as-of date.

        Only facts rated A1 to B2 are replayed; weaker reports are left to the evidence model. Of
        several reports of one event the best rated, then the earliest known, counts. A report
        that contradicts a better one (it happened by then, it had not) is left to the evidence
        model too, which says how likely it is wrong.
        """
        days: dict[tuple[str, str], int] = {}
        not_by: dict[tuple[str, str], int] = {}
        used: list[str] = []

        def order(fact: Fact) -> tuple[str, str, str]:
            return (fact.rating, str(fact.known_from), fact.id)

        for fact in sorted(case.facts, key=order):
            if fact.quantity not in REPLAYABLE or fact.place is not None:
                continue
            if fact.rating not in WELL_RATED:
                continue
            key = (fact.quantity, fact.member or "")
            day = case.day(fact.about)
            if not 0 <= day < case.horizon:
                continue
            negative = fact.value is not None and fact.value.kind == "no"
            if negative:
                if isinstance(fact.about, dt.datetime):
                    day -= 1  # what is said of an hour leaves the rest of the day open
                if key in days and days[key] <= day:
                    continue
                not_by[key] = max(not_by.get(key, -1), day)
                used.append(fact.id)
            elif key not in days and day > not_by.get(key, -1):
                days[key] = day
                used.append(fact.id)
        return cls(days, not_by, tuple(used))

    def excluding(self, known: str, other: str) -> Guidance:
        """Return the guidance in which ``other`` has not happened up to the day of ``known``.

        At most one of the two events happens in a run. A run in which ``other`` comes first could
        no longer meet the known decision, so it is kept from happening and the run is charged the
        probability of that, as for any replayed decision: the weights are the same in expectation
        and far less uneven. Without knowledge of ``known``, or with knowledge of ``other``, the
        guidance is returned as it is.
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
            Its ``log_guidance`` is charged for a replayed decision; ``ruled_out`` notes where the
            run's own rule made it impossible.
        event, member : str
            What is decided, and by which member ("" where it is the case's only decider).
        chance : ndarray, shape (run,)
            Probability that the event happens today where ``eligible``.
        u : ndarray, shape (run,)
            Uniform draws; used where nothing is known.
        eligible : ndarray of bool, shape (run,)
            Where the decision is open today (not yet taken, preconditions met).
        day : int
            Today.
        """
        drawn = eligible & (u < chance)
        key = (event, member)
        known = self.days.get(key)
        if known is None and key not in self.not_by:
            return drawn
        chance = np.where(eligible, chance, 0.0)
        if known == day:
            _charge(state, event, chance)
            return np.ones_like(eligible)
        if (known is not None and day < known) or day <= self.not_by.get(key, -1):
            _charge(state, event, 1.0 - chance)
            return np.zeros_like(eligible)
        return drawn


def _charge(state: State, event: str, chance: FloatArray) -> None:
    state.log_guidance += np.log(np.maximum(chance, FLOOR))
    state.ruled_out[chance < FLOOR] |= BITS[event]
