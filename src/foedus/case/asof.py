"""A case as it was known on a date: the filter that keeps hindsight out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from foedus.case.models import Case, Entry, Fact
from foedus.case.times import WHEN_FORM, latest, local_day, parse_when
from foedus.errors import InputError, Problem

AsOf = dt.datetime | dt.date | str


@dataclass(frozen=True)
class Hidden:
    """What an as-of date hides.

    Attributes
    ----------
    facts : tuple of Fact
    calendar : tuple of Entry
    outcomes : int
        Number of outcomes; all of them, whatever the date.
    """

    facts: tuple[Fact, ...]
    calendar: tuple[Entry, ...]
    outcomes: int


def as_of(case: Case, date: AsOf) -> Case:
    """Return the case as it was known at a time; it has no outcomes.

    A fact or calendar entry is kept when it was public by then. A bare as-of date means the end
    of that day in the case's zone; a date and time without a zone is in that zone. What is known
    "from" a bare date is known by the end of that day, so an as-of time within the day hides it.

    Parameters
    ----------
    case : Case
    date : datetime.date, datetime.datetime or str
        A text is read as in a case file.

    Returns
    -------
    Case
        A new one; its ``as_of`` is the day of ``date``.

    Raises
    ------
    InputError
        If the date is not within the case.
    """
    when = _checked(case, date)
    moment = latest(when, case.timezone_offset)
    facts = _known(case, case.facts, moment)
    calendar = _known(case, case.calendar, moment)
    filtered = case.model_copy(
        update={
            "as_of": local_day(when, case.timezone_offset),
            "facts": tuple(case.facts[i] for i in facts),
            "calendar": tuple(case.calendar[i] for i in calendar),
            "outcomes": (),
        }
    )
    filtered._positions = case._positions.keep(
        {"facts": facts, "calendar": calendar, "outcomes": ()}
    )
    return filtered


def hidden(case: Case, date: AsOf) -> Hidden:
    """Return what :func:`as_of` with the same date leaves out."""
    moment = latest(_checked(case, date), case.timezone_offset)
    facts, calendar = (set(_known(case, rows, moment)) for rows in (case.facts, case.calendar))
    return Hidden(
        tuple(fact for i, fact in enumerate(case.facts) if i not in facts),
        tuple(entry for i, entry in enumerate(case.calendar) if i not in calendar),
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
