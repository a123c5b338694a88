"""The state of a simulated crisis: a struct of arrays whose leading axis is the run."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from foedus.case.vocabulary import EVENTS

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int16]

NEVER = np.int16(-1)

_Memory = TypeVar("_Memory")


@dataclass(kw_only=True)
class State:
    """The state of each run at the end of a day.

    Shapes: R runs, C cities, M members of the alliance. Numbers of people are people, not agents.

    Attributes
    ----------
    crowd : (R, C)
        People in the streets at the day's peak.
    active_share : (R, C)
        Share of citizens active, mean over the day's ticks.
    jailed, arrests : (R, C)
        People held at the end of the day; people arrested today.
    legitimacy : (R, C)
        Perceived legitimacy L in [0, 1].
    outrage : (R, C)
        E, raised by killings (mechanism 2); enters grievance.
    contagion : (R, C)
        Pressure from unrest elsewhere (mechanism 3); enters grievance.
    lethal_risk : (R, C)
        Perceived probability of being killed, times its weight s (mechanism 2).
    deaths_protesters, deaths_security : (R, C)
        Civilians and members of the forces killed today.
    deaths_allied : (R,)
        Allied soldiers killed today.
    internet : (R,)
        Connectivity as a share of normal.
    claim : (R,) of bool
        The government claims an external attack.
    log_odds_home, log_odds_abroad : (R,)
        The public's and the allies' log-odds of "external attack" (mechanism 4).
    strength : (R,)
        True regime strength theta (mechanism 5), drawn once.
    loyal_share : (R,)
        Share of commanders who hold.
    relief : (R,)
        Police freed by allied guards of sites, as a share of the police (mechanism 8).
    patron : (R,) of int8
        Patron that was asked, -1 if none.
    lead_accepts : (R,) of bool
        The lead has accepted a request.
    votes : (R, M) of int8
        1 for, 0 abstaining, -1 against, 9 not asked.
    commits : (R, M) of bool
        The member has committed troops.
    announced, sent, present : (R, M)
        Troops announced, troops that will be sent, and troops in the country.
    arrival_day : (R, M) of float
        Day (with fraction) of the member's first landing; inf if none.
    outside_mean, outside_var : (R,)
        Mean and variance of the outside observer's belief in the lead's resolve.
    in_office : (R,) of bool
        The leader is in office.
    events : dict of str to (R,) of int16
        Day of each event of EVENTS, -1 while it has not happened.
    contribution_day : (R, M) of int16
        Day on which the member committed, -1 while it has not.
    log_guidance : (R,)
        Log-probability of the known decisions that were replayed rather than drawn.
    log_thinning : (R,)
        Log importance weight of the public events that nobody reports, which are drawn less often.
    ruled_out : (R,) of int16
        Bits of the replayed decisions that the run's own rules made impossible.
    unrest : (R,)
        National unrest intensity in [0, 1): the mean active share on a saturating scale.
    active_people : (R, C)
        People active, mean over the day.
    mobilisable : (R, C)
        People who might ever take part.
    baseline : (R, C) or None
        Level to which legitimacy recovers; None without streets.
    story : (R, C)
        Legitimacy added by the government's story (mechanism 4).
    police : (R,)
        Police in the country.
    collapse_chance : (R,)
        Chance that the government falls today (mechanism 5).
    interest : (R,)
        The lead's interest in the requester (mechanism 10).
    dependence : (R,)
        The requester's dependence on the lead (mechanism 10).
    on : frozenset of str
        Mechanisms that are on.
    lattices : object
        The cities' street lattices (mechanism 1).
    memories : dict of type to record
        Records that only one mechanism reads.
    """

    crowd: FloatArray
    active_share: FloatArray
    jailed: FloatArray
    arrests: FloatArray
    legitimacy: FloatArray
    outrage: FloatArray
    contagion: FloatArray
    lethal_risk: FloatArray
    deaths_protesters: FloatArray
    deaths_security: FloatArray
    deaths_allied: FloatArray
    internet: FloatArray
    claim: NDArray[np.bool_]
    log_odds_home: FloatArray
    log_odds_abroad: FloatArray
    strength: FloatArray
    loyal_share: FloatArray
    relief: FloatArray
    patron: NDArray[np.int8]
    lead_accepts: NDArray[np.bool_]
    votes: NDArray[np.int8]
    commits: NDArray[np.bool_]
    announced: FloatArray
    sent: FloatArray
    present: FloatArray
    arrival_day: FloatArray
    outside_mean: FloatArray
    outside_var: FloatArray
    in_office: NDArray[np.bool_]
    events: dict[str, IntArray]
    contribution_day: IntArray
    log_guidance: FloatArray
    log_thinning: FloatArray
    ruled_out: NDArray[np.int16]
    unrest: FloatArray
    active_people: FloatArray
    mobilisable: FloatArray
    baseline: FloatArray | None
    story: FloatArray
    police: FloatArray
    collapse_chance: FloatArray
    interest: FloatArray
    dependence: FloatArray
    on: frozenset[str] = frozenset()
    lattices: Any = None
    memories: dict[type, Any] = field(default_factory=dict)

    @classmethod
    def calm(
        cls, runs: int, cities: int, members: int, *, on: frozenset[str] = frozenset()
    ) -> State:
        """Return the state of an ordinary day: no protest and no request.

        A field keeps this value where the mechanism that writes it is off.
        """

        def zeros(*shape: int) -> FloatArray:
            return np.zeros((runs, *shape), dtype=np.float64)

        return cls(
            crowd=zeros(cities),
            active_share=zeros(cities),
            jailed=zeros(cities),
            arrests=zeros(cities),
            legitimacy=zeros(cities),
            outrage=zeros(cities),
            contagion=zeros(cities),
            lethal_risk=zeros(cities),
            deaths_protesters=zeros(cities),
            deaths_security=zeros(cities),
            deaths_allied=zeros(),
            internet=np.ones(runs),
            claim=np.zeros(runs, dtype=np.bool_),
            log_odds_home=zeros(),
            log_odds_abroad=zeros(),
            strength=zeros(),
            loyal_share=np.ones(runs),
            relief=zeros(),
            patron=np.full(runs, -1, dtype=np.int8),
            lead_accepts=np.zeros(runs, dtype=np.bool_),
            votes=np.full((runs, members), 9, dtype=np.int8),
            commits=np.zeros((runs, members), dtype=np.bool_),
            announced=zeros(members),
            sent=zeros(members),
            present=zeros(members),
            arrival_day=np.full((runs, members), np.inf),
            outside_mean=zeros(),
            outside_var=zeros(),
            in_office=np.ones(runs, dtype=np.bool_),
            events={name: np.full(runs, NEVER, dtype=np.int16) for name in EVENTS},
            contribution_day=np.full((runs, members), NEVER, dtype=np.int16),
            log_guidance=zeros(),
            log_thinning=zeros(),
            ruled_out=np.zeros(runs, dtype=np.int16),
            unrest=zeros(),
            active_people=zeros(cities),
            mobilisable=zeros(cities),
            baseline=None,
            story=zeros(cities),
            police=zeros(),
            collapse_chance=zeros(),
            interest=zeros(),
            dependence=np.full(runs, 0.5),
            on=on,
        )

    def happened(self, event: str) -> NDArray[np.bool_]:
        """Return whether an event has happened, shape (run,)."""
        return np.asarray(self.events[event] != NEVER)

    def mark(self, event: str, now: NDArray[np.bool_], day: int) -> None:
        """Record that an event happens today in some runs; an earlier day is never overwritten."""
        first = now & (self.events[event] == NEVER)
        self.events[event][first] = day

    def remember(self, memory: object) -> None:
        """Keep a mechanism's own record; one of each type."""
        self.memories[type(memory)] = memory

    def of(self, kind: type[_Memory]) -> _Memory:
        """Return the record of this type that its mechanism keeps."""
        memory: _Memory = self.memories[kind]
        return memory

    def fork(self) -> State:
        """Return an independent copy, so that one history can have several futures."""
        return copy.deepcopy(self)
