"""Dates known to the day, the month or the year."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass

#: Days in a mean month, as used for the months to withdrawal.
DAYS_PER_MONTH = 30.44

_PATTERN = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


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
            If the text is no such date, or names a day that does not exist.
        """
        if isinstance(text, PartialDate):
            return text
        if isinstance(text, dt.date):
            return cls(text.year, text.month, text.day)
        match = _PATTERN.fullmatch(str(text).strip())
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
