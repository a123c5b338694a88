"""The case file as typed objects. A case is what is known; nothing here simulates."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    PrivateAttr,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from foedus.case.priors import Prior
from foedus.case.problems import Path, Positions, conflicts, dotted
from foedus.case.question_kinds import KINDS
from foedus.case.times import Day, When, local_day, parse_about, show_when, split_span
from foedus.case.values import Value
from foedus.case.vocabulary import (
    MECHANISMS,
    PRIOR_GROUPS,
    PUBLIC_EVENTS,
    QUANTITIES,
    Role,
    Rule,
)
from foedus.errors import Problem


class _KindSchema:
    """List the registered kinds in the JSON Schema."""

    def __get_pydantic_json_schema__(
        self, schema: object, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        return {"type": "string", "enum": list(KINDS)}


def _known_kind(value: object) -> object:
    if not isinstance(value, str) or value not in KINDS:
        expected = ", ".join(repr(name) for name in KINDS)
        raise PydanticCustomError(
            "literal_error", "Input should be one of {expected}", {"expected": expected}
        )
    return value


Identifier = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=64)]
Text = Annotated[str, Field(min_length=1, max_length=4000)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0)]
Rating = Annotated[
    str,
    Field(
        pattern=r"^[A-F][1-6]$",
        description="Admiralty rating: source reliability A-F, information credibility 1-6.",
    ),
]
QuantityName = Annotated[str, WithJsonSchema({"type": "string", "enum": list(QUANTITIES)})]
KindName = Annotated[str, PlainValidator(_known_kind), _KindSchema()]
Switches = Annotated[
    dict[str, bool],
    WithJsonSchema(
        {
            "type": "object",
            "properties": {name: {"type": "boolean"} for name in MECHANISMS},
            "additionalProperties": False,
        }
    ),
]
Listening = Annotated[
    dict[str, bool],
    WithJsonSchema(
        {
            "type": "object",
            "properties": {name: {"type": "boolean"} for name in PUBLIC_EVENTS},
            "additionalProperties": False,
        }
    ),
]
Priors = Annotated[
    dict[str, Prior],
    Field(json_schema_extra={"propertyNames": {"pattern": rf"^({'|'.join(PRIOR_GROUPS)})\."}}),
]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Source(_Model):
    """A source of facts."""

    name: Text = Field(description="Name of the source as a reader knows it.")
    address: str | None = Field(None, description="Web address, shown but never fetched.")
    published: Day | None = Field(None, description="Day of publication.")


class Place(_Model):
    """A city with its own streets."""

    name: Text = Field(description="Name shown to people.")
    lat: Latitude = Field(description="Latitude in degrees north.")
    lon: Longitude = Field(description="Longitude, degrees east.")
    population: Annotated[int, Field(gt=0, le=100_000_000)] = Field(description="Inhabitants.")
    lattice: Annotated[int, Field(ge=12, le=400)] = Field(
        20, description="Side of the city's square lattice of sites."
    )
    source: Identifier | None = Field(None, description="Source of these figures.")


class Actor(_Model):
    """Someone who acts, decides or speaks in the case."""

    name: Text = Field(description="Name shown to people.")
    roles: tuple[Role, ...] = Field(
        min_length=1, description="Roles of the actor in this case; one or more."
    )
    part_of: Identifier | None = Field(None, description="Another actor to which this one belongs.")
    note: str | None = Field(None, description="Anything a reader should know.")


class Update(_Model):
    """What became known of a record after the start; a field that is not given did not change."""

    known_from: When = Field(
        description="Time from which it was public; a bare date means by the end of that day."
    )
    source: Identifier | None = Field(None, description="Who reported it.")

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        fields = [n for n in type(self).model_fields if n not in ("known_from", "source")]
        if all(getattr(self, name) is None for name in fields):
            raise conflicts([((), f"a field that changed: {', '.join(fields)}")])
        return self


def _changed() -> Any:
    return Field(None, description="The value from then on, if it changed.")


class MemberUpdate(Update):
    """What became known of a member after the start."""

    lat: Latitude | None = _changed()
    lon: Longitude | None = _changed()
    pool: Count | None = _changed()
    contiguous: bool | None = _changed()
    public_pledge_not_to_send: bool | None = _changed()
    changed_ruling_coalition: bool | None = _changed()
    power_shift: bool | None = _changed()
    ratification_days: Amount | None = _changed()
    capability: Amount | None = _changed()
    position: Share | None = _changed()
    salience: Share | None = _changed()


class Member(_Model):
    """A member of the alliance, as the mechanisms see it. All shares are in [0, 1]."""

    actor: Identifier = Field(description="The actor that this member is.")
    lat: Latitude = Field(description="Where its troops start.")
    lon: Longitude = Field(description="Where its troops start.")
    pool: Count = Field(description="Largest number of troops it could send.")
    contiguous: bool = Field(False, description="Borders the requester.")
    public_pledge_not_to_send: bool = Field(
        False, description="A public pledge never to send troops: an audience cost."
    )
    changed_ruling_coalition: bool = Field(
        False, description="A different coalition governs than when the treaty was concluded."
    )
    power_shift: bool = Field(
        False, description="Its power has changed by more than a tenth since the treaty."
    )
    ratification_days: Amount = Field(
        0.0, description="Days that its ratification adds before troops leave."
    )
    capability: Amount = Field(
        1.0, description="Weight in the capability baselines; only ratios matter."
    )
    position: Share = Field(0.5, description="Stated position: 0 stay out, 1 send. For baselines.")
    salience: Share = Field(0.5, description="How much it cares. For baselines.")
    source: Identifier | None = Field(None, description="Source of these figures.")
    updates: tuple[MemberUpdate, ...] = Field(
        (), description="What became known of it after the start."
    )


class Article(_Model):
    """A treaty article that matters here."""

    number: str = Field(description="Number of the article, in quotes.")
    says: Text = Field(description="What it says, in your own words.")
    source: Identifier | None = Field(None, description="Where the text can be found.")
    known_from: When | None = Field(
        None, description="Time from which it was public; known at the start if absent."
    )


class Patron(_Model):
    """A power that the leader could ask for help."""

    actor: Identifier = Field(description="The actor that this patron is.")
    through_alliance: bool = Field(False, description="Acts through the alliance.")
    dependence: Share = Field(0.5, description="How much the requester depends on it.")
    source: Identifier | None = Field(None, description="Source of the figure.")
    known_from: When | None = Field(
        None, description="Time from which it was seen as one; known at the start if absent."
    )


class AllianceUpdate(Update):
    """What became known of the alliance after the start."""

    rule: Rule | None = _changed()
    announced_pool: Count | None = _changed()
    aggression_test: bool | None = _changed()
    distance_km: Amount | None = _changed()
    lead_in_other_war: bool | None = _changed()
    lead_has_base: bool | None = _changed()


class Alliance(_Model):
    """Who may come, and by what rule."""

    name: Text = Field(description="Name of the alliance.")
    rule: Rule = Field(description="How it decides.")
    lead: Identifier = Field(description="The actor that leads; one of the members.")
    requester: Identifier = Field(description="The actor that may ask; one of the members.")
    members: tuple[Member, ...] = Field(
        min_length=2, max_length=64, description="All members, including lead and requester."
    )
    patrons: tuple[Patron, ...] = Field(
        (), description="Powers that the leader could ask for help."
    )
    announced_pool: Count = Field(
        0, description="Size of a standing pool that would be announced, known at the start."
    )
    aggression_test: bool = Field(
        True, description="The treaty helps against external aggression only."
    )
    distance_km: Amount = Field(
        1000.0, description="From the lead's bases to the first place of arrival."
    )
    lead_in_other_war: bool = Field(
        False, description="The lead is fighting or massing troops elsewhere."
    )
    lead_has_base: bool | None = Field(
        None, description="The lead has a base in the country; unknown if left out."
    )
    rival_opposed: bool | None = Field(
        None, description="A rival great power opposes the help; unknown if left out."
    )
    treaty: tuple[Article, ...] = Field((), description="Treaty articles that matter here.")
    updates: tuple[AllianceUpdate, ...] = Field(
        (), description="What became known of it after the start."
    )


class TiesUpdate(Update):
    """What became known of the standing relations after the start."""

    border_km: Amount | None = _changed()
    foreign_firms: Share | None = _changed()
    sanctions: Share | None = _changed()
    dependence_on_lead: Share | None = _changed()


class Ties(_Model):
    """Standing relations that mechanisms 6 and 7 use as covariates."""

    border_km: Amount = Field(0.0, description="Length of the border between requester and lead.")
    border_source: Identifier | None = Field(None, description="Source of the length.")
    foreign_firms: Share = Field(0.0, description="Weight of foreign firms in the economy.")
    sanctions: Share = Field(0.0, description="Sanctions that the lead would risk.")
    dependence_on_lead: Share = Field(
        0.5, description="How much the requester depends on the lead."
    )
    updates: tuple[TiesUpdate, ...] = Field(
        (), description="What became known of them after the start."
    )


class Trigger(_Model):
    """A known shock to grievance: a sudden loss of legitimacy in a place (Epstein 2002, Run 4)."""

    place: Identifier = Field(description="Where.")
    date: Day = Field(description="When.")
    loss: Prior = Field(description="Loss of legitimacy, in [0, 1].")
    text: Text = Field(description="What happened.")
    source: Identifier | None = Field(None, description="Who reported it.")


class Entry(_Model):
    """A calendar entry that was public beforehand; it has no effect by default."""

    date: Day = Field(description="Day of the event.")
    known_from: Day = Field(description="Day from which the date was public.")
    text: Text = Field(description="What is due.")
    source: Identifier | None = Field(None, description="Who announced it.")


_DAY = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?"
About = Annotated[
    dt.datetime | dt.date,
    PlainValidator(parse_about),
    PlainSerializer(show_when, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": rf"^{_DAY}(\.\.{_DAY}|[T ]{_CLOCK})?$"}),
]
#: What is under way before a first arrival.
Stage = Literal["assembled", "departed"]


class Fact(_Model):
    """A bitemporal fact: the time that it is about, and the time from which it was public."""

    id: Identifier = Field(description="Short name, unique in the file.")
    about: About = Field(
        description="The day, or the day and time, that the report is about; for an event that "
        "happened on one of several days, the days: 2022-01-05..2022-01-07."
    )
    since: Day | None = Field(
        None, description="First of these days, where 'about' names only the last."
    )
    known_from: When = Field(
        description="Time from which it was public; a bare date means by the end of that day."
    )
    quantity: QuantityName | None = Field(
        None, description="The quantity reported; none for context only."
    )
    place: Identifier | None = Field(None, description="Where; none means the whole country.")
    member: Identifier | None = Field(None, description="Which member; none means the alliance.")
    value: Value | None = Field(None, description="How much, or whether.")
    stage: Stage | None = Field(
        None, description="Under way but not there yet: a first_arrival that is being prepared."
    )
    unit: str | None = Field(None, description="Unit of the number, if it is not the usual one.")
    source: Identifier = Field(description="Who reported it; one of the sources.")
    rating: Rating = Field(
        description="Admiralty rating: source reliability A-F, information credibility 1-6."
    )
    speaker: Identifier | None = Field(None, description="The actor who says it.")
    text: Text = Field(description="The fact in a sentence.")

    @model_validator(mode="before")
    @classmethod
    def _split_span(cls, data: Any) -> Any:
        """Read ``about: first..last`` as its last day and ``since``."""
        if not isinstance(data, dict) or data.get("since") is not None:
            return data
        try:
            span = split_span(data.get("about"))
        except ValueError:
            return data  # refused by parse_about
        return data if span is None else {**data, "about": span[1], "since": span[0]}

    @property
    def days(self) -> str:
        """The time that it is about, in the form of a case file."""
        about = self.about.isoformat()
        return about if self.since is None else f"{self.since.isoformat()}..{about}"


class Hypothesis(_Model):
    """A competing explanation: named switches and priors, and who put it forward."""

    id: Identifier = Field(description="Short name, unique in the file.")
    title: Text = Field(description="A title of a few words.")
    says: Text = Field(description="What it claims, such that evidence could contradict it.")
    put_forward_by: Text = Field(description="Who holds it.")
    weight: Annotated[float, Field(gt=0)] = Field(
        1.0, description="Prior weight; only ratios matter."
    )
    mechanisms: Switches = Field(
        default_factory=dict, description="Mechanisms switched on or off if it is true."
    )
    priors: Priors = Field(default_factory=dict, description="Priors that it changes.")


class Statistic(_Model):
    """What a question asks of a run.

    ``statistic`` is applied to ``quantity`` between ``from_date`` and ``by_date`` (inclusive; by
    default the case's start and end): its value ``at`` by_date, ``max``, ``mean``, whether it
    ``happens``, or the ``first_day`` on which it is ``at_least`` the threshold.
    """

    quantity: QuantityName = Field(description="The quantity in question.")
    statistic: Literal["at", "max", "mean", "happens", "first_day"] = Field(
        description="The statistic of the quantity between from_date and by_date."
    )
    place: Identifier | None = Field(None, description="Where; none means the whole country.")
    member: Identifier | None = Field(None, description="Which member; none means the alliance.")
    from_date: Day | None = Field(None, description="First day; the case's start if absent.")
    by_date: Day | None = Field(None, description="Last day; the case's end if absent.")
    at_least: float | None = Field(None, description="True where the number is at least this.")
    at_most: float | None = Field(None, description="True where the number is at most this.")


class Baseline(_Model):
    """The outside view with which the question is compared."""

    casebook: Literal["granted", "arrival_days", "troops", "duration_months", "survival"] | None = (
        Field(None, description="The casebook's figure.")
    )
    trigger: str | None = Field(None, description="Only casebook rows with this trigger type.")
    organisation: str | None = Field(None, description="Only casebook rows of this organisation.")


class Question(_Model):
    """Something that can be scored: a probability, a number or a date."""

    id: Identifier = Field(description="Short name, unique in the file.")
    text: Text = Field(description="The question as people read it.")
    kind: KindName = Field(description="Kind of answer.")
    ask: Statistic = Field(description="What is read from each run.")
    unit: str | None = Field(None, description="Unit of a number.")
    baseline: Baseline | None = Field(None, description="Outside view for comparison.")
    asked_on: Day | None = Field(None, description="Day the question was first asked.")


class Outcome(_Model):
    """The outcome of a question. Only scoring reads this."""

    question: Identifier = Field(description="The question's id.")
    value: Annotated[
        bool | float | Day | None,
        Field(description="True or false, a number, a date, or null for 'did not happen'."),
    ]
    known_from: Day = Field(description="Time from which it was public; later than the as-of date.")
    source: Identifier = Field(description="Who reported it.")
    note: str | None = Field(None, description="How the answer was read from the source.")


class Case(_Model):
    """A crisis as it was known.

    Outcomes are kept apart: :func:`foedus.case.asof.as_of` removes them, and every stage except
    scoring works on its result.
    """

    foedus: Literal[1] = Field(description="Version of the case format.")
    id: Identifier = Field(description="Short name of the case.")
    title: Text = Field(description="Title shown to people.")
    summary: Text = Field(description="The crisis in a few sentences, as known on the as-of date.")
    timezone_offset: Annotated[float, Field(ge=-12, le=14)] = Field(
        0.0, description="Hours from UTC; a bare as-of date ends at midnight of this zone."
    )
    start: Day = Field(description="First simulated day.")
    horizon: Annotated[int, Field(ge=2, le=366)] = Field(description="Days simulated.")
    ticks_per_day: Annotated[int, Field(ge=1, le=24)] = Field(
        4, description="Street ticks per day."
    )
    as_of: When = Field(
        description="Default as-of date, or date and time: what is public by its end is known."
    )
    casebook_id: str | None = Field(
        None, description="This case's own row of the casebook, left out of its outside view."
    )
    requester_iso3: str | None = Field(
        None, description="Country that may ask for help, for the casebook."
    )
    trigger_type: str | None = Field(None, description="Trigger type, in the casebook's words.")
    organisation: str | None = Field(None, description="Organisation, in the casebook's words.")
    sources: dict[Identifier, Source] = Field(description="Sources by short name.")
    places: dict[Identifier, Place] = Field(min_length=1, description="Cities by short name.")
    actors: dict[Identifier, Actor] = Field(min_length=1, description="Actors by short name.")
    alliance: Alliance = Field(description="Who may come, and by what rule.")
    ties: Ties = Field(
        default_factory=lambda: Ties.model_validate({}), description="Standing relations."
    )
    triggers: tuple[Trigger, ...] = Field(min_length=1, description="Shocks that started it.")
    calendar: tuple[Entry, ...] = Field((), description="Dates that were public beforehand.")
    facts: tuple[Fact, ...] = Field((), description="What was reported, when, and by whom.")
    priors: Priors = Field(default_factory=dict, description="Priors that this case changes.")
    mechanisms: Switches = Field(default_factory=dict, description="Mechanisms on or off.")
    openness: Share = Field(
        0.5, description="How freely news leaves the country: 0 closed, 1 open to all reporters."
    )
    silence: Listening = Field(
        default_factory=dict,
        description="Public events whose absence from the facts says nothing: false. All others "
        "would have been reported.",
    )
    hypotheses: tuple[Hypothesis, ...] = Field((), description="Competing explanations.")
    questions: tuple[Question, ...] = Field((), description="What a forecast answers.")
    outcomes: tuple[Outcome, ...] = Field((), description="Outcomes of the questions.")

    _positions: Positions = PrivateAttr(default_factory=Positions)
    #: Of a case filtered by a date: alliance and ties as filtered, and before updates were applied.
    _unapplied: tuple[Alliance, Ties, Alliance, Ties] | None = PrivateAttr(None)

    def _repr_html_(self) -> str:
        from foedus.report.forecast_view import case_document

        return case_document(self)._repr_html_()

    @property
    def end(self) -> dt.date:
        """Last simulated day."""
        return self.start + dt.timedelta(days=self.horizon - 1)

    @property
    def file(self) -> str:
        """File from which the case was read, as the user named it; empty if none."""
        return self._positions.file

    def day(self, date: dt.datetime | dt.date) -> int:
        """Return the day number of a date or instant in the case's zone; the start is day 0."""
        return (local_day(date, self.timezone_offset) - self.start).days

    def date(self, day: int) -> dt.date:
        """Return the date of a day number."""
        return self.start + dt.timedelta(days=day)

    def problem(self, path: Path, found: str, expected: str) -> Problem:
        """Return a problem that points at the line of a field.

        Parameters
        ----------
        path : tuple of str and int
            Such as ``("priors", "streets.k")`` or ``("facts", 3, "value")``.
        found, expected : str
            What the file has, and what would be right.
        """
        return self._positions.problem(path, found, expected)

    def locate(self, path: Path) -> str:
        """Return a field with its line in the file, such as ``line 12, ties.border_km``."""
        line = self.line(path)
        return dotted(path) if line is None else f"line {line}, {dotted(path)}"

    def line(self, path: Path) -> int | None:
        """Return the line of a field, or of what contains it; None if no file was read."""
        mark = self._positions.find(path)
        return mark[0] if mark else None

    def fact_line(self, fact: str) -> int | None:
        """Return the line of a fact, by its id."""
        return self.line(("facts", next(i for i, f in enumerate(self.facts) if f.id == fact)))


DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a case file.

    An editor that reads it completes fields and finds misspelt ones. It does not cover references,
    order in time and contradictions in questions, which ``foedus check`` finds.
    """
    schema = Case.model_json_schema()
    schema["title"] = "foedus case, format 1"
    return {"$schema": DIALECT, **schema}
