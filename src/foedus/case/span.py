"""A range of as-of dates, ``2022-01-03..2022-01-12``: first and last day, both included."""

from __future__ import annotations

import datetime as dt

from foedus.case.models import Case
from foedus.case.times import parse_date
from foedus.errors import InputError, Problem

SPAN_FORM = "a range of days such as 2022-01-03..2022-01-12, the first day not after the last"

_DOTS = ".."


def is_span(text: str | None) -> bool:
    """Tell whether an as-of text means a range of days."""
    return text is not None and _DOTS in text


def parse_span(text: str) -> tuple[dt.date, dt.date]:
    """Read a range of days.

    Parameters
    ----------
    text : str
        Two bare dates with two dots between them. Clock times are refused: a range has one
        forecast for each day, made from what was known at the end of it.

    Raises
    ------
    InputError
        If it is none.
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
        If one of them is no date, lies outside the case, or the last is before the first.
    """
    first, last = parse_span(f"{first}{_DOTS}{last}")
    if not case.start <= first <= last <= case.end:
        expected = f"days of case {case.id}, {case.start}{_DOTS}{case.end}"
        raise _wrong(f"{first}{_DOTS}{last}", expected)
    return tuple(first + dt.timedelta(days=n) for n in range((last - first).days + 1))


def _wrong(found: str, expected: str) -> InputError:
    return InputError([Problem("as-of", None, None, "", repr(found), expected)])
