"""Dates and clock times of a case file, and what a bare date means."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, PlainValidator, WithJsonSchema

DATE_FORM = "a date such as 2022-01-07"
WHEN_FORM = "a date such as 2022-01-07, or a date and time such as 2022-01-07T16:30"

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?", re.ASCII)


def parse_date(raw: object) -> dt.date:
    """Read a bare date, ``YYYY-MM-DD``; raise ``ValueError`` for anything else."""
    if isinstance(raw, dt.datetime):
        raise ValueError(DATE_FORM)
    if isinstance(raw, dt.date):
        return raw
    if not isinstance(raw, str) or not _DATE.fullmatch(raw):
        raise ValueError(DATE_FORM)
    try:
        return dt.date.fromisoformat(raw)
    except ValueError as error:
        raise ValueError(f"{DATE_FORM}; {error}") from None


def parse_when(raw: object) -> dt.datetime | dt.date:
    """Read a bare date or a date and time; raise ``ValueError`` for anything else."""
    if isinstance(raw, dt.date):  # a datetime is one as well
        return raw
    if isinstance(raw, str):
        if _DATE.fullmatch(raw):
            return parse_date(raw)
        if _TIME.fullmatch(raw):
            try:
                return dt.datetime.fromisoformat(raw)
            except ValueError as error:
                raise ValueError(f"{WHEN_FORM}; {error}") from None
    raise ValueError(WHEN_FORM)


def show_when(when: dt.datetime | dt.date) -> str:
    """Return a date or clock time as a case file writes it."""
    if isinstance(when, dt.datetime):
        return when.isoformat(timespec="seconds" if when.second else "minutes")
    return when.isoformat()


#: A bare date; numbers and clock times are refused.
Day = Annotated[
    dt.date,
    BeforeValidator(parse_date),
    WithJsonSchema({"type": "string", "format": "date"}),
]

#: A bare date, or a date with a clock time (in the case's zone unless it names another).
When = Annotated[
    dt.datetime | dt.date,
    PlainValidator(parse_when),
    PlainSerializer(show_when, return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?$",
        }
    ),
]


def zone(offset: float) -> dt.timezone:
    """Return the time zone of a case, from its hours east of UTC."""
    return dt.timezone(dt.timedelta(minutes=round(offset * 60)))


def earliest(when: dt.datetime | dt.date, offset: float) -> dt.datetime:
    """Return the first instant that ``when`` may mean: a bare date's midnight."""
    if isinstance(when, dt.datetime):
        return when if when.tzinfo else when.replace(tzinfo=zone(offset))
    return dt.datetime.combine(when, dt.time.min, zone(offset))


def latest(when: dt.datetime | dt.date, offset: float) -> dt.datetime:
    """Return the last instant that ``when`` may mean: the end of a bare date's day."""
    if isinstance(when, dt.datetime):
        return earliest(when, offset)
    return dt.datetime.combine(when, dt.time.max, zone(offset))


def local_day(when: dt.datetime | dt.date, offset: float) -> dt.date:
    """Return the day of the case's zone that ``when`` falls on."""
    if isinstance(when, dt.datetime):
        return earliest(when, offset).astimezone(zone(offset)).date()
    return when


def sort_key(when: dt.datetime | dt.date, offset: float) -> tuple[Any, ...]:
    """Return a key that puts dates and clock times in order."""
    return (earliest(when, offset), isinstance(when, dt.datetime))
