"""A coded case of the casebook: typed fields, each with its value, confidence and sources."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from foedus.case.problems import Path, conflicts, nearest
from foedus.case.times import PartialDate, days_between, months_between
from foedus.casebook.organisations import organisations, state_names

Confidence = Literal["H", "M", "L"]
TriggerType = Literal[
    "domestic_protest", "coup_mutiny", "insurgency", "external_attack", "border_clash"
]
OutcomeClass = Literal[
    "granted_troops",
    "granted_limited",
    "pledged_not_deployed",
    "refused",
    "no_request_no_action",
    "imposed",
]
#: What a force is mainly sent to do.
MissionKind = Literal["guard", "fight", "police", "occupation"]
#: The answers to a call for help, from nothing to troops.
Answer = Literal["none", "refused", "limited", "troops"]
CapabilityClass = Literal["<3", "3-10", "10-100", ">100"]

TRIGGERS: tuple[TriggerType, ...] = (
    "domestic_protest",
    "coup_mutiny",
    "insurgency",
    "external_attack",
    "border_clash",
)
MISSION_KINDS: tuple[MissionKind, ...] = ("guard", "fight", "police", "occupation")
ANSWERS: tuple[Answer, ...] = ("none", "refused", "limited", "troops")
CAPABILITY_CLASSES: tuple[CapabilityClass, ...] = ("<3", "3-10", "10-100", ">100")
_ANSWER: dict[str, Answer | None] = {
    "granted_troops": "troops",
    "granted_limited": "limited",
    "refused": "refused",
    "pledged_not_deployed": "none",
    "no_request_no_action": "none",
    "imposed": None,
}
#: Rows that must not be used: the id of one, or the requester (ISO 3166 alpha-3) and year of some.
Exclude = str | tuple[str, int]
#: Source id of a coding that rests on the coder's reading of all sources of a case.
JUDGEMENT = "judgement"

T = TypeVar("T")


def _flag(value: object) -> bool:
    if value in ("y", "n"):
        return value == "y"
    if isinstance(value, bool):
        return value
    raise ValueError("y or n")


def _count(value: object) -> int:
    try:
        number = -1 if isinstance(value, bool | float) else int(str(value))
    except ValueError:
        number = -1
    if number < 0:
        raise ValueError("a whole number, zero or more")
    return number


def _ratio(value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError("a number, zero or more") from None
    if not 0 <= number < float("inf"):
        raise ValueError("a finite number, zero or more")
    return number


def _iso3(value: object) -> str:
    if str(value) not in state_names():
        raise ValueError("an ISO 3166 alpha-3 code of a state, such as KAZ")
    return str(value)


def _text(value: object) -> str:
    text = str(value).strip()
    if not text:
        raise ValueError("some text; leave the field out where it is unknown")
    return text


Flag = Annotated[bool, BeforeValidator(_flag)]
Count = Annotated[int, BeforeValidator(_count)]
Ratio = Annotated[float, BeforeValidator(_ratio)]
Iso3 = Annotated[str, BeforeValidator(_iso3)]
Text = Annotated[str, BeforeValidator(_text)]
Date = Annotated[PartialDate, BeforeValidator(PartialDate.parse), PlainSerializer(str)]


def known_before(day: dt.date | None, before: dt.date | None) -> bool:
    """Return whether what became known on ``day`` may be used: the one rule against hindsight.

    The outside view as of a date takes that date as ``before``. Rows are dated to the day, so what
    became known on that day itself is left out. If ``before`` is None, everything may be used;
    otherwise a ``day`` of None was never known.
    """
    return before is None or (day is not None and day < before)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a coding comes from."""

    id: str
    what: str
    date: str
    address: str


class Coded(_Strict, Generic[T]):
    """One coded field.

    Attributes
    ----------
    value
        The coding.
    confidence : {"H", "M", "L"}
        See the codebook.
    sources : tuple of str
        Source ids; empty where no source was found, ``judgement`` for the coder's own reading.
    """

    value: T
    confidence: Confidence
    sources: tuple[str, ...] = ()


class State(_Strict):
    """A state: its name at the time, ISO code and Correlates of War number."""

    name: Text
    iso3: Iso3
    cow: int | None = None


class Contested(_Strict):
    """A coding about which good coders would differ.

    Attributes
    ----------
    field : str
        The contested field.
    alternatives : dict
        Probability of each other coding, summing to at most one; the rest stays with the coded
        value. Empty where no other value can be named.
    why : str
        The doubt in words.
    """

    field: str
    alternatives: dict[str, float] = Field(default_factory=dict)
    why: Text

    @model_validator(mode="after")
    def _sum(self) -> Contested:
        if any(not 0 < w <= 1 for w in self.alternatives.values()):
            raise ValueError("alternatives with beliefs above 0 and up to 1")
        if sum(self.alternatives.values()) > 1:
            raise ValueError("alternatives whose beliefs sum to at most 1")
        return self


class Fields(_Strict):
    """The coded variables of a case; None means unknown, never no."""

    date_trigger: Coded[Date] | None = None
    date_request: Coded[Date] | None = None
    date_decision: Coded[Date] | None = None
    date_first_arrival: Coded[Date] | None = None
    date_withdrawal_end: Coded[Date] | None = None
    still_there_on: Coded[Date] | None = None
    legal_basis: Coded[Text] | None = None
    trigger_type: Coded[TriggerType]
    trigger_detail: Coded[Text] | None = None
    formal_request: Coded[Flag] | None = None
    official_framing: Coded[Text] | None = None
    outcome_class: Coded[OutcomeClass]
    mission_kind: Coded[MissionKind] | None = None
    mandate_announced_days: Coded[Count] | None = None
    troops_peak_30d: Coded[Count] | None = None
    intervener_deaths_90d: Coded[Count] | None = None
    at_least_100_dead_60d: Coded[Flag] | None = None
    at_least_1000_dead_60d: Coded[Flag] | None = None
    requester_in_power_90d: Coded[Flag] | None = None
    cow_contiguity_code: Coded[Count] | None = None
    cinc_ratio_lead_to_requester: Coded[Ratio] | None = None
    lead_base_or_forces_there: Coded[Flag] | None = None
    lead_other_war_or_crisis: Coded[Flag] | None = None
    decision_rule: Coded[Text] | None = None
    n_members_refused_or_abstained: Coded[Count] | None = None
    rival_great_power_opposed: Coded[Flag] | None = None

    def items(self) -> Iterator[tuple[str, Coded[Any]]]:
        """Yield the name and coding of every known field."""
        for name in type(self).model_fields:
            coded = getattr(self, name)
            if coded is not None:
                yield name, coded


#: Facts of the call or the answer. A case counts only if one of these names a source.
_ANSWER_FACTS = (
    "date_request",
    "date_decision",
    "date_first_arrival",
    "date_withdrawal_end",
    "troops_peak_30d",
    "intervener_deaths_90d",
    "requester_in_power_90d",
    "lead_base_or_forces_there",
    "lead_other_war_or_crisis",
    "n_members_refused_or_abstained",
    "rival_great_power_opposed",
)


#: Pairs of dates of which the first cannot be later than the second.
_IN_ORDER = (
    ("date_trigger", "date_request"),
    ("date_trigger", "date_decision"),
    ("date_request", "date_decision"),
    ("date_request", "date_first_arrival"),
    ("date_first_arrival", "date_withdrawal_end"),
    ("date_first_arrival", "still_there_on"),
    ("still_there_on", "date_withdrawal_end"),
)
#: Most years between the case's year and a date; the end of a mission may be later.
_MOST_YEARS = 10


class CodedCase(_Strict):
    """One call for help, or one crisis in which a call was possible."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{3,40}$")]
    title: Text
    year: Annotated[int, Field(ge=1800, le=2200)]
    requester: State
    helper: Text
    lead: State | None = None
    confidence: Confidence
    set_aside: str | None = None
    fields: Fields
    contested: tuple[Contested, ...] = ()
    sources: tuple[str, ...] = ()
    notes: str | None = None

    @model_validator(mode="after")
    def _check(self) -> CodedCase:
        found: list[tuple[Path, str]] = []
        if organisations().find(self.helper) is None:
            expected = "a known organisation or state, see organisations.yaml and states.yaml"
            found.append((("helper",), expected))
        found += self._date_conflicts()
        if self.value("at_least_1000_dead_60d") and self.value("at_least_100_dead_60d") is False:
            found.append((("fields", "at_least_100_dead_60d"), "y, as at least 1,000 died"))
        found += [
            (("contested", n, "field"), f"a coded field{nearest(doubt.field, Fields.model_fields)}")
            for n, doubt in enumerate(self.contested)
            if doubt.field not in Fields.model_fields
        ]
        if found:
            raise conflicts(found)
        return self

    def _date_conflicts(self) -> list[tuple[Path, str]]:
        """Return the path of each impossible date, and what would be right."""
        found: list[tuple[Path, str]] = []
        for first, second in _IN_ORDER:
            if self.outcome == "imposed" and second == "date_first_arrival":
                continue
            a, b = self.date(first), self.date(second)
            if a is not None and b is not None and a.earliest() > b.latest():
                found.append((("fields", second), f"a date not before {first} ({a})"))
        for name in Fields.model_fields:
            if not name.startswith("date_") or name == "date_withdrawal_end":
                continue
            date = self.date(name)
            if date is not None and abs(date.year - self.year) > _MOST_YEARS:
                expected = f"a date within ten years of the case's year, {self.year}"
                found.append((("fields", name), expected))
        return found

    def value(self, field: str) -> Any:
        """Return the coding of ``field``, or None where it is unknown."""
        coded = getattr(self.fields, field)
        return None if coded is None else coded.value

    def date(self, field: str) -> PartialDate | None:
        """Return a coded date, or None where it is unknown."""
        value: PartialDate | None = self.value(field)
        return value

    @property
    def key(self) -> tuple[str, int]:
        """Requester and year."""
        return self.requester.iso3, self.year

    def excluded(self, exclude: Exclude | None) -> bool:
        """Return whether an ``exclude`` argument names this row."""
        return exclude is not None and exclude in (self.id, self.key)

    @property
    def organisation(self) -> str:
        """Group of helpers to which this one belongs."""
        group = organisations().find(self.helper)
        assert group is not None
        return group

    @property
    def outcome(self) -> OutcomeClass:
        """What the helper did."""
        return self.fields.outcome_class.value

    @property
    def trigger(self) -> TriggerType:
        """What threatened the requester."""
        return self.fields.trigger_type.value

    @property
    def answer(self) -> Answer | None:
        """Troops, limited, refused or none; None where help was imposed."""
        return _ANSWER[self.outcome]

    @property
    def sourced(self) -> bool:
        """Whether a fact of the call or the answer names a source (see the codebook)."""
        return any(
            set(coded.sources) - {JUDGEMENT, "D01"}
            for name, coded in self.fields.items()
            if name in _ANSWER_FACTS
        )

    @property
    def usable(self) -> bool:
        """Whether the case enters rates and fits: sourced and not set aside."""
        return self.sourced and self.set_aside is None

    @property
    def contiguous(self) -> bool | None:
        """Whether requester and lead power share a border, by land or across 12 miles of water."""
        code = self.value("cow_contiguity_code")
        return None if code is None else code in (1, 2)

    @property
    def capability_class(self) -> CapabilityClass | None:
        """Class of the ratio of the capabilities of lead power and requester."""
        ratio = self.value("cinc_ratio_lead_to_requester")
        return None if ratio is None else capability_class(ratio)

    @property
    def days_to_decision(self) -> int | None:
        """Days from request to decision, if both dates are exact."""
        return days_between(self.date("date_request"), self.date("date_decision"))

    @property
    def days_to_arrival(self) -> int | None:
        """Days from request to first arrival, if both dates are exact."""
        return days_between(self.date("date_request"), self.date("date_first_arrival"))

    @property
    def months_to_withdrawal(self) -> float | None:
        """Months from first arrival to the end of the withdrawal."""
        return months_between(self.date("date_first_arrival"), self.date("date_withdrawal_end"))

    def start(self) -> dt.date:
        """First day of the crisis: the trigger, else the first dated step, else mid-year."""
        for field in ("date_trigger", "date_request", "date_decision", "date_first_arrival"):
            date = self.date(field)
            if date is not None:
                return date.earliest()
        return dt.date(self.year, 7, 1)

    def known(self) -> dt.date:
        """Day from which the answer was known, the latest that the dates allow.

        The first arrival where troops came, else the decision. Without either, 90 days after the
        request or the trigger: only time turns silence into an answer.
        """
        order = ["date_decision", "date_first_arrival"]
        if self.answer == "troops":
            order.reverse()
        for field in order:
            date = self.date(field)
            if date is not None:
                return date.latest()
        start = self.date("date_request") or self.date("date_trigger")
        base = start.latest() if start is not None else dt.date(self.year, 12, 31)
        return base + dt.timedelta(days=90)


def capability_class(ratio: float) -> CapabilityClass:
    """Return the class of a capability ratio."""
    for edge, name in zip((3, 10, 100), CAPABILITY_CLASSES, strict=False):
        if ratio < edge:
            return name
    return ">100" if ratio > 100 else "10-100"
