"""Narrowing of values that may be absent or of another type."""

from datetime import date
from typing import TypeVar

T = TypeVar("T")


def present(value: T | None) -> T:
    """Return `value`, which is not None."""
    assert value is not None
    return value


def number(value: float | date | None) -> float:
    """Return `value`, which is a number: neither a date nor None."""
    assert value is not None
    assert not isinstance(value, date)
    return value
