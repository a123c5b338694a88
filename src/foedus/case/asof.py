"""What may be seen of a case: by a forecast as of a date, and by a simulated run.

The central promise of foedus is that no outcome and no later report reaches a run. :func:`as_of`
hides what became public later. One list, :data:`BLIND`, names the fields that no run may see:
workers receive the case with these fields blank, and the hash that names an ensemble leaves them
out.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from foedus.case.models import Alliance, Case, Entry, Fact, Member
from foedus.case.times import WHEN_FORM, latest, local_day, parse_date, parse_when
from foedus.case.updates import (
    Later,
    applied,
    applied_alliance,
    dated,
    kept,
    public_alliance,
    public_part,
)
from foedus.errors import InputError, Problem

AsOf = dt.datetime | dt.date | str

SPAN_FORM = "a range of days such as 2022-01-03..2022-01-12, the first day not after the last"

_DOTS = ".."


@dataclass(frozen=True)
class Hidden:
    """The parts of a case that an as-of date hides.

    Attributes
    ----------
    facts : tuple of Fact
    calendar : tuple of Entry
    frame : tuple of Later
        Of members, alliance and ties.
    outcomes : int
        Number of outcomes; all are hidden, whatever the date.
    """

    facts: tuple[Fact, ...]
    calendar: tuple[Entry, ...]
    frame: tuple[Later, ...]
    outcomes: int


def as_of(case: Case, date: AsOf) -> Case:
    """Return the case as it was known at a time; it has no outcomes.

    A fact or calendar entry is kept if it was public by then. A bare as-of date means the end of
    that day in the case's zone; a date and time without a zone is in that zone. A fact known "from"
    a bare date is known by the end of that day, so an as-of time within the day hides it.
    Members, alliance and ties have the values that were public by then.

    Parameters
    ----------
    case : Case
    date : datetime.date, datetime.datetime or str
        Text is read as in a case file.

    Returns
    -------
    Case
        A new case; its ``as_of`` is the day of ``date``, without its time.

    Raises
    ------
    InputError
        If the date is not within the case.
    """
    when = _checked(case, date)
    moment = latest(when, case.timezone_offset)
    facts = _known(case, case.facts, moment)
    calendar = _known(case, case.calendar, moment)
    framed = with_frame(case, when)
    filtered = framed.model_copy(
        update={
            "as_of": local_day(when, case.timezone_offset),
            "facts": tuple(case.facts[i] for i in facts),
            "calendar": tuple(case.calendar[i] for i in calendar),
            "outcomes": (),
        }
    )
    filtered._positions = framed._positions.keep(
        {("facts",): facts, ("calendar",): calendar, ("outcomes",): ()}
    )
    return filtered


def with_frame(case: Case, date: AsOf) -> Case:
    """Return a case whose members, alliance and ties are as they were known at a time.

    Nothing else is hidden. :func:`as_of` does this too; runs that replay nothing need only this.

    Raises
    ------
    InputError
        If the date is not within the case.
    """
    offset = case.timezone_offset
    moment = latest(_checked(case, date), offset)
    alliance, ties = case.alliance, case.ties
    before = case._unapplied
    if before and before[0] is alliance and before[1] is ties:
        _, _, alliance, ties = before  # filtered before: an earlier date takes updates back
    public = public_alliance(alliance, moment, offset), public_part(ties, moment, offset)
    seen = applied_alliance(public[0], offset), applied(public[1], offset)
    framed = case.model_copy(update={"alliance": seen[0], "ties": seen[1]})
    framed._unapplied = None if seen == public else (*seen, *public)
    framed._positions = case._positions.keep(
        {
            ("alliance", name): kept(getattr(alliance, name), moment, offset)
            for name in ("patrons", "treaty")
        }
    )
    return framed


def hidden(case: Case, date: AsOf) -> Hidden:
    """Return what :func:`as_of` with the same date leaves out."""
    moment = latest(_checked(case, date), case.timezone_offset)
    facts, calendar = (set(_known(case, rows, moment)) for rows in (case.facts, case.calendar))
    return Hidden(
        tuple(fact for i, fact in enumerate(case.facts) if i not in facts),
        tuple(entry for i, entry in enumerate(case.calendar) if i not in calendar),
        tuple(x for x in dated(case) if latest(x.known_from, case.timezone_offset) > moment),
        len(case.outcomes),
    )


def _known(case: Case, rows: Sequence[Fact | Entry], moment: dt.datetime) -> tuple[int, ...]:
    return tuple(
        i for i, row in enumerate(rows) if latest(row.known_from, case.timezone_offset) <= moment
    )


def _checked(case: Case, date: AsOf) -> dt.datetime | dt.date:
    try:
        when = parse_when(date)
        day = local_day(when, case.timezone_offset)
    except (ValueError, OverflowError):
        raise InputError([Problem("as-of", None, None, "", repr(str(date)), WHEN_FORM)]) from None
    if not case.start <= day <= case.end:
        expected = f"a date of case {case.id}, {case.start} to {case.end}"
        raise InputError([Problem("as-of", None, None, "", str(date), expected)])
    return when


def is_span(text: str | None) -> bool:
    """Return whether an as-of text means a range of days."""
    return text is not None and _DOTS in text


def parse_span(text: str) -> tuple[dt.date, dt.date]:
    """Read a range of days.

    Parameters
    ----------
    text : str
        Two bare dates with two dots between them. Clock times are refused: a range has one forecast
        for each day, made from what was known at its end.

    Raises
    ------
    InputError
        If it is not a range.
    """
    try:
        first, last = (parse_date(part.strip()) for part in text.split(_DOTS))
    except ValueError:
        raise _wrong(text, SPAN_FORM) from None
    if first > last:
        raise _wrong(text, SPAN_FORM)
    return first, last


def days_of(case: Case, first: dt.date | str, last: dt.date | str) -> tuple[dt.date, ...]:
    """Return the days from the first to the last, both included.

    Raises
    ------
    InputError
        If one of them is not a date or lies outside the case, or the last is before the first.
    """
    first, last = parse_span(f"{first}{_DOTS}{last}")
    if not case.start <= first <= last <= case.end:
        expected = f"days of case {case.id}, {case.start}{_DOTS}{case.end}"
        raise _wrong(f"{first}{_DOTS}{last}", expected)
    return tuple(first + dt.timedelta(days=n) for n in range((last - first).days + 1))


def _wrong(found: str, expected: str) -> InputError:
    return InputError([Problem("as-of", None, None, "", repr(found), expected)])


#: What stands in for the fields of :data:`BLIND`; for ``as_of``, the case's start does.
_BLANK: dict[str, object] = {
    "title": "-",
    "summary": "-",
    "sources": {},
    "facts": (),
    "openness": 0.5,
    "silence": {},
    "questions": (),
    "outcomes": (),
}
#: Fields of a member that only baselines read, and what stands in for them.
BASELINE: dict[str, object] = {
    name: Member.model_fields[name].default for name in ("capability", "position", "salience")
}
#: Fields on which no simulated run may depend: reports, how news gets out, answers, the as-of date
#: that selects among the reports, the questions asked of finished runs, and text for people. Known
#: decisions are replayed only by :class:`foedus.world.guidance.Guidance`.
BLIND = (*_BLANK, "as_of")


@dataclass(frozen=True)
class CaseHash:
    """Two SHA-256 digests in hexadecimal.

    Attributes
    ----------
    world : str
        Of what the simulation may see: all fields except :data:`BLIND`, and :data:`BASELINE` of
        the members. Equal for a case and for
        the same case filtered by an as-of date, unless the date hides a calendar entry or there
        are updates of members, alliance or ties.
    all : str
        Of all fields.
    """

    world: str
    all: str


def case_hash(case: Case) -> CaseHash:
    """Return the fingerprints of a case; spelling and comments of its file do not matter."""
    fields = case.model_dump(mode="json")
    world = {**fields, "alliance": without_baseline(case.alliance).model_dump(mode="json")}
    seen = {name: value for name, value in world.items() if name not in BLIND}
    return CaseHash(_digest(seen), _digest(fields))


def seen_by_world(case: Case) -> str:
    """Return the case as the simulation sees it, as JSON, with the fields in :data:`BLIND` blank.

    New evidence and new questions therefore need no new runs, and no outcome can leak into a run.
    The same holds for members' stated positions and the other fields in :data:`BASELINE`.
    """
    blank = {**_BLANK, "as_of": case.start, "alliance": without_baseline(case.alliance)}
    return case.model_copy(update=blank).model_dump_json()


def without_baseline(alliance: Alliance) -> Alliance:
    """Return an alliance whose members have the default values of :data:`BASELINE`."""
    members = tuple(m.model_copy(update=BASELINE) for m in alliance.members)
    return alliance.model_copy(update={"members": members})


def _digest(fields: dict[str, object]) -> str:
    # Lists and mappings keep their order, because the order of places and members is that of the
    # axes.
    text = json.dumps(fields, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
