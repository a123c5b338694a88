"""Dates: clock times, the meaning of a bare date, and dates known to the month or the year."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, PlainValidator, WithJsonSchema

#: Days in a mean month, used for the months to withdrawal.
DAYS_PER_MONTH = 30.44

DATE_FORM = "a date such as 2022-01-07"
WHEN_FORM = "a date such as 2022-01-07, or a date and time such as 2022-01-07T16:30"

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?", re.ASCII)
_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


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
    if isinstance(raw, dt.date):  # a datetime is also a date
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


SPAN_OF_DAYS = "days such as 2022-01-05..2022-01-07, the first not after the last"


def split_span(raw: object) -> tuple[dt.date, dt.date] | None:
    """Read days such as ``2022-01-05..2022-01-07``; None if it has another form.

    Raises
    ------
    ValueError
        If there are two dots and not a day on either side, the first not after the last.
    """
    if not isinstance(raw, str) or ".." not in raw:
        return None
    try:
        first, last = (parse_date(part.strip()) for part in raw.split(".."))
    except ValueError:
        raise ValueError(SPAN_OF_DAYS) from None
    if first > last:
        raise ValueError(SPAN_OF_DAYS)
    return first, last


def parse_about(raw: object) -> dt.datetime | dt.date:
    """Read what a fact is about, which may not be days that :func:`split_span` refuses."""
    if isinstance(raw, str) and ".." in raw:
        raise ValueError(SPAN_OF_DAYS)
    return parse_when(raw)


def show_when(when: dt.datetime | dt.date) -> str:
    """Return a date or clock time in the form of a case file."""
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
    """Return the day in the case's zone on which ``when`` falls."""
    if isinstance(when, dt.datetime):
        return earliest(when, offset).astimezone(zone(offset)).date()
    return when


@dataclass(frozen=True)
class PartialDate:
    """A date known to the day, the month or the year.

    Attributes
    ----------
    year : int
    month, day : int or None
        None where unknown.
    """

    year: int
    month: int | None = None
    day: int | None = None

    @classmethod
    def parse(cls, text: object) -> PartialDate:
        """Read ``2022``, ``2022-01`` or ``2022-01-05`` (also int and ``datetime.date``).

        Raises
        ------
        ValueError
            If the text is not such a date, or names a day that does not exist.
        """
        if isinstance(text, PartialDate):
            return text
        if isinstance(text, dt.date):
            return cls(text.year, text.month, text.day)
        match = _PARTIAL.fullmatch(str(text).strip())
        if match is None:
            raise ValueError("a date as YYYY, YYYY-MM or YYYY-MM-DD")
        year, month, day = (int(g) if g else None for g in match.groups())
        assert year is not None
        try:
            dt.date(year, month or 1, day or 1)
        except ValueError:
            raise ValueError("a date that exists, as YYYY, YYYY-MM or YYYY-MM-DD") from None
        return cls(year, month, day)

    @property
    def exact(self) -> bool:
        """Whether the day is known."""
        return self.day is not None

    def earliest(self) -> dt.date:
        """First day that this date can mean."""
        return dt.date(self.year, self.month or 1, self.day or 1)

    def latest(self) -> dt.date:
        """Last day that this date can mean."""
        month = self.month or 12
        return dt.date(self.year, month, self.day or calendar.monthrange(self.year, month)[1])

    def middle(self) -> dt.date:
        """Return the day itself, the 15th of a month, or 1 July of a year."""
        if self.month is None:
            return dt.date(self.year, 7, 1)
        return dt.date(self.year, self.month, self.day or 15)

    def __str__(self) -> str:
        """Return the date as it was written."""
        parts = [f"{self.year:04d}"]
        parts += [f"{p:02d}" for p in (self.month, self.day) if p is not None]
        return "-".join(parts)


def days_between(start: PartialDate | None, end: PartialDate | None) -> int | None:
    """Days from ``start`` to ``end``, or None unless both are exact and in order."""
    if start is None or end is None or not (start.exact and end.exact):
        return None
    days = (end.earliest() - start.earliest()).days
    return days if days >= 0 else None


def months_between(start: PartialDate | None, end: PartialDate | None) -> float | None:
    """Months from ``start`` to ``end``, or None unless both are known to the month."""
    if start is None or end is None or start.month is None or end.month is None:
        return None
    return round((end.middle() - start.middle()).days / DAYS_PER_MONTH, 1)
