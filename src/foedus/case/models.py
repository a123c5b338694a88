"""The case file as typed objects. A case is what is known; nothing here simulates."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from foedus.case.priors import Prior
from foedus.case.quantity import Value

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=64)]
Text = Annotated[str, Field(min_length=1, max_length=4000)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Reliability = Literal["A", "B", "C", "D", "E", "F"]
Rating = Annotated[
    str,
    Field(
        pattern=r"^[A-F][1-6]$",
        description="Admiralty rating: source reliability A-F, information credibility 1-6.",
    ),
]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Source(_Model):
    """Where facts come from."""

    name: Text
    address: str | None = Field(None, description="Web address, shown but never fetched.")
    published: dt.date | None = None


class Place(_Model):
    """A city with its own streets."""

    name: Text
    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    population: Annotated[int, Field(gt=0, le=100_000_000)]
    lattice: Annotated[int, Field(ge=12, le=400)] = Field(
        20, description="Side of the city's square lattice of sites."
    )
    source: Identifier | None = None


class Actor(_Model):
    """Someone who acts, decides or speaks in the case."""

    name: Text
    roles: tuple[
        Literal[
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
        ],
        ...,
    ] = Field(min_length=1)
    part_of: Identifier | None = Field(None, description="Another actor that this one belongs to.")
    note: str | None = None


class Member(_Model):
    """A member of the alliance, as the mechanisms see it. All shares are in [0, 1]."""

    actor: Identifier
    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    pool: Annotated[int, Field(ge=0)] = Field(description="Troops it could send, at most.")
    contiguous: bool = False
    public_pledge_not_to_send: bool = Field(
        False, description="A public pledge never to send troops: an audience cost."
    )
    changed_ruling_coalition: bool = False
    power_shift: bool = False
    ratification_days: Annotated[float, Field(ge=0)] = Field(
        0.0, description="Days that its own law adds before troops leave."
    )
    capability: Annotated[float, Field(ge=0)] = 1.0
    position: Share = Field(0.5, description="Stated position: 0 stay out, 1 send. For baselines.")
    salience: Share = 0.5
    source: Identifier | None = None


class Article(_Model):
    """A treaty article that matters here."""

    number: str
    says: Text
    source: Identifier | None = None


class Patron(_Model):
    """A power that the leader could call."""

    actor: Identifier
    through_alliance: bool = False
    dependence: Share = Field(0.5, description="How much the requester depends on it.")
    source: Identifier | None = None


class Alliance(_Model):
    """Who may come, and by what rule."""

    name: Text
    rule: Literal[
        "consensus_with_abstention",
        "unanimity",
        "two_thirds",
        "simple_majority",
        "lead_only",
        "lead_and_requester_plus_one",
        "lead_veto_four_of_six",
    ]
    lead: Identifier = Field(description="The actor that leads; one of the members.")
    requester: Identifier = Field(description="The actor that may ask; one of the members.")
    members: tuple[Member, ...] = Field(min_length=2, max_length=64)
    patrons: tuple[Patron, ...] = ()
    announced_pool: Annotated[int, Field(ge=0)] = Field(
        0, description="Size of a standing pool that would be announced, known before the as-of."
    )
    aggression_test: bool = Field(
        True, description="The treaty helps against external aggression only."
    )
    distance_km: Annotated[float, Field(ge=0)] = Field(
        1000.0, description="From the lead's bases to the first place of arrival."
    )
    lead_in_other_war: bool = False
    lead_has_base: bool = False
    treaty: tuple[Article, ...] = ()


class Ties(_Model):
    """Standing relations that mechanisms 6 and 7 use as covariates."""

    border_km: Annotated[float, Field(ge=0)] = 0.0
    border_source: Identifier | None = None
    foreign_firms: Share = 0.0
    sanctions: Share = 0.0
    dependence_on_lead: Share = 0.5


class Trigger(_Model):
    """A known shock to grievance: a sudden loss of legitimacy in a place (Epstein 2002, Run 4)."""

    place: Identifier
    date: dt.date
    loss: Prior = Field(description="Loss of legitimacy, in [0, 1].")
    text: Text
    source: Identifier | None = None


class Entry(_Model):
    """A calendar entry that was public beforehand; it causes nothing by default."""

    date: dt.date
    known_from: dt.date
    text: Text
    source: Identifier | None = None


class Fact(_Model):
    """A bitemporal fact: the time that it is about, and the time from which it was public."""

    id: Identifier
    about: dt.datetime | dt.date
    known_from: dt.datetime | dt.date
    quantity: str | None = Field(None, description="What is reported; none for context only.")
    place: Identifier | None = None
    member: Identifier | None = None
    value: Value | None = None
    unit: str | None = None
    source: Identifier
    rating: Rating
    speaker: Identifier | None = Field(None, description="The actor who says it.")
    text: Text


class Hypothesis(_Model):
    """A competing explanation: named switches and priors, and who put it forward."""

    id: Identifier
    title: Text
    says: Text
    put_forward_by: Text
    weight: Annotated[float, Field(gt=0)] = 1.0
    mechanisms: dict[str, bool] = Field(default_factory=dict)
    priors: dict[str, Prior] = Field(default_factory=dict)


class Statistic(_Model):
    """What a question asks of a run.

    ``statistic`` is applied to ``quantity`` between ``from_date`` and ``by_date`` (inclusive; the
    case's start and end where absent): its value ``at`` by_date, ``max``, ``mean``, whether it
    ``happens``, the ``first_day`` on which it is ``at_least`` the threshold.
    """

    quantity: str
    statistic: Literal["at", "max", "mean", "happens", "first_day"]
    place: Identifier | None = None
    member: Identifier | None = None
    from_date: dt.date | None = None
    by_date: dt.date | None = None
    at_least: float | None = None
    at_most: float | None = None


class Baseline(_Model):
    """Which outside view the question is compared with."""

    casebook: Literal["granted", "arrival_days", "troops", "duration_months", "survival"] | None = (
        None
    )
    trigger: str | None = None
    organisation: str | None = None


class Question(_Model):
    """Something that can be scored: a probability, a number or a date."""

    id: Identifier
    text: Text
    kind: Literal["binary", "number", "date"]
    ask: Statistic
    unit: str | None = None
    baseline: Baseline | None = None
    asked_on: dt.date | None = None


class Outcome(_Model):
    """What came of a question. Only scoring reads this."""

    question: Identifier
    value: bool | float | dt.date | None = Field(
        description="True or false, a number, a date, or null for 'did not happen'."
    )
    known_from: dt.date
    source: Identifier
    note: str | None = None


class Case(_Model):
    """A crisis as it was known.

    Outcomes are kept apart: :func:`foedus.case.asof.as_of` removes them, and every stage but
    scoring works on its result.
    """

    foedus: Literal[1] = Field(description="Version of the case format.")
    id: Identifier
    title: Text
    summary: Text
    timezone_offset: Annotated[float, Field(ge=-12, le=14)] = Field(
        0.0, description="Hours from UTC; a bare as-of date ends at midnight of this zone."
    )
    start: dt.date
    horizon: Annotated[int, Field(ge=2, le=366, description="Days simulated.")]
    ticks_per_day: Annotated[int, Field(ge=1, le=24)] = 4
    as_of: dt.date
    casebook_id: str | None = Field(None, description="This case's own row, left out of priors.")
    requester_iso3: str | None = None
    trigger_type: str | None = None
    organisation: str | None = None
    sources: dict[Identifier, Source]
    places: dict[Identifier, Place] = Field(min_length=1)
    actors: dict[Identifier, Actor] = Field(min_length=1)
    alliance: Alliance
    ties: Ties = Ties()  # type: ignore[call-arg]
    triggers: tuple[Trigger, ...] = Field(min_length=1)
    calendar: tuple[Entry, ...] = ()
    facts: tuple[Fact, ...] = ()
    priors: dict[str, Prior] = Field(default_factory=dict)
    mechanisms: dict[str, bool] = Field(default_factory=dict)
    hypotheses: tuple[Hypothesis, ...] = ()
    questions: tuple[Question, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    @property
    def end(self) -> dt.date:
        """Last simulated day."""
        return self.start + dt.timedelta(days=self.horizon - 1)

    def day(self, date: dt.date) -> int:
        """Return the day number of a date; the start is day 0."""
        if isinstance(date, dt.datetime):
            date = date.date()
        return (date - self.start).days

    def date(self, day: int) -> dt.date:
        """Return the date of a day number."""
        return self.start + dt.timedelta(days=day)
