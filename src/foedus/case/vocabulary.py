"""The words that a case file may use: quantities, rules, roles and ratings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["flow", "stock", "level", "event"]
Dims = Literal["nation", "city", "member"]


@dataclass(frozen=True)
class Quantity:
    """A quantity that a fact can report, a question can ask about and a run produces.

    Attributes
    ----------
    name : str
        The word in a case file.
    kind : {"flow", "stock", "level", "event"}
        A flow is counted cumulatively from the start of the case; a stock is the number on a day; a
        level is a share in [0, 1]; an event happens on a day or not at all.
    dims : {"nation", "city", "member"}
        The finest unit for which it exists. Without a place or member, a fact or question means the
        total of the nation (or of the whole alliance).
    unit : str
        Unit of the number.
    meaning : str
        One sentence.
    decision : bool
        Whether it is an event that a run takes with a daily probability, so that a known one can be
        replayed (:mod:`foedus.world.guidance`).
    each_member : bool
        Whether it is an event of each member, with a day of its own, such as its vote.
    """

    name: str
    kind: Kind
    dims: Dims
    unit: str
    meaning: str
    decision: bool = False
    each_member: bool = False


_Q = Quantity
QUANTITIES: dict[str, Quantity] = {
    q.name: q
    for q in (
        _Q("crowd", "stock", "city", "people", "people in protest or riot at the day's peak"),
        _Q("arrests", "flow", "city", "people", "people arrested so far"),
        _Q("jailed", "stock", "city", "people", "people held at the end of the day"),
        _Q("deaths_protesters", "flow", "city", "people", "civilians killed so far"),
        _Q("deaths_security", "flow", "city", "people", "members of the forces killed so far"),
        _Q("deaths_allied", "flow", "nation", "people", "allied soldiers killed so far"),
        _Q("deaths_total", "flow", "nation", "people", "all killed so far"),
        _Q(
            "cities_in_unrest",
            "stock",
            "nation",
            "cities",
            "places with more than 50 people in the streets",
        ),
        _Q("legitimacy", "level", "city", "share", "perceived legitimacy of the government"),
        _Q("loyal_share", "level", "nation", "share", "share of commanders who hold"),
        _Q("internet", "level", "nation", "share", "connectivity as a share of normal"),
        _Q("belief_home", "level", "nation", "share", "public belief in an external attack"),
        _Q("belief_abroad", "level", "nation", "share", "allies' belief in an external attack"),
        _Q("outside_belief", "level", "nation", "index", "outside observer's belief in resolve"),
        _Q("troops_announced", "stock", "member", "people", "troops announced by the alliance"),
        _Q("troops_present", "stock", "member", "people", "allied troops in the country"),
        _Q(
            "mandate",
            "stock",
            "nation",
            "days",
            "announced length of the alliance's mission, 0 before its decision",
        ),
        _Q("concession", "event", "nation", "day", "the government concedes", decision=True),
        _Q(
            "guard_change",
            "event",
            "nation",
            "day",
            "the leader changes the guard at the top",
            decision=True,
        ),
        _Q(
            "shutdown",
            "event",
            "nation",
            "day",
            "the internet is shut down nationwide",
            decision=True,
        ),
        _Q("fire_order", "event", "nation", "day", "lethal force is ordered", decision=True),
        _Q(
            "request",
            "event",
            "nation",
            "day",
            "the government asks the alliance for help",
            decision=True,
        ),
        _Q(
            "decision",
            "event",
            "nation",
            "day",
            "the alliance decides to send a force",
            decision=True,
        ),
        _Q("refusal", "event", "nation", "day", "the alliance or its lead refuses", decision=True),
        _Q(
            "vote_for",
            "event",
            "member",
            "day",
            "a member votes for the mission",
            each_member=True,
        ),
        _Q(
            "contribution",
            "event",
            "member",
            "day",
            "a member commits troops",
            decision=True,
            each_member=True,
        ),
        _Q(
            "first_arrival",
            "event",
            "member",
            "day",
            "first allied troops land",
            decision=True,
        ),
        _Q("withdrawal_start", "event", "nation", "day", "the allied force begins to leave"),
        _Q("withdrawal_end", "event", "nation", "day", "the last allied troops leave"),
        _Q("leader_leaves", "event", "nation", "day", "the leader loses office", decision=True),
    )
}

#: Events that happen on one day of a run, or never.
EVENTS: tuple[str, ...] = tuple(
    q.name for q in QUANTITIES.values() if q.kind == "event" and not q.each_member
)

#: Decisions that mechanisms take with a daily probability, and that can be replayed.
REPLAYABLE: tuple[str, ...] = tuple(q.name for q in QUANTITIES.values() if q.decision)

#: Public events of which silence is evidence (:mod:`foedus.weighing.silence`); each is a switch in
#: a case file. ``hundred_dead`` is the day on which the dead reach a hundred.
PUBLIC_EVENTS: tuple[str, ...] = (
    "request",
    "decision",
    "refusal",
    "first_arrival",
    "leader_leaves",
    "fire_order",
    "hundred_dead",
)

#: Mechanisms by their numbers in the docs; each is a switch in a case file.
MECHANISMS: tuple[str, ...] = (
    "streets",
    "lethal",
    "contagion",
    "information",
    "forces",
    "leader",
    "alliance",
    "airlift",
    "outside",
    "ties",
)

#: What may precede the dot in the name of a prior: a mechanism, or a numbered trigger.
PRIOR_GROUPS: tuple[str, ...] = (*MECHANISMS, "trigger")

#: Decision rules of an alliance.
Rule = Literal[
    "consensus_with_abstention",
    "unanimity",
    "two_thirds",
    "simple_majority",
    "lead_only",
    "lead_and_requester_plus_one",
    "lead_veto_four_of_six",
]
RULES: tuple[Rule, ...] = get_args(Rule)

#: Roles of an actor.
Role = Literal[
    "government",
    "leader",
    "security_force",
    "protesters",
    "armed_group",
    "member",
    "lead",
    "patron",
    "outside_power",
    "organisation",
    "firm",
    "media",
]
ROLES: tuple[Role, ...] = get_args(Role)

#: Admiralty ratings of a good report: its source is reliable, and its content is confirmed or
#: probable. Such a report of a decision is replayed, may settle a question, and counts against the
#: model if the runs make it improbable.
WELL_RATED: tuple[str, ...] = ("A1", "A2", "B1", "B2")

#: Words for rough counts, and the inclusive interval for which each stands.
ROUGH_COUNTS: dict[str, tuple[float, float]] = {
    "a few": (2, 9),
    "several": (3, 12),
    "dozens": (24, 99),
    "scores": (40, 199),
    "hundreds": (200, 999),
    "thousands": (2_000, 9_999),
    "tens of thousands": (20_000, 99_999),
}
