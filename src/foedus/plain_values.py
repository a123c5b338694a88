"""Results as values that JSON can hold: one serialiser for all."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass
from enum import Enum
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel


def four_figures(x: float) -> str:
    """Return a number to four figures (whole numbers unchanged), with thousands separators.

    Examples
    --------
    >>> four_figures(4e9), four_figures(982.033), four_figures(12345.67), four_figures(0.012345)
    ('4,000,000,000', '982', '12,350', '0.01235')
    """
    if not math.isfinite(x) or x == round(x):
        return f"{x:,.0f}"
    digits = 3 - math.floor(math.log10(abs(x)))
    if digits <= 0:
        return f"{round(x, digits):,.0f}"
    return f"{x:,.{digits}f}".rstrip("0").rstrip(".")


class Worded:
    """Data that :mod:`foedus.report.verdict_words` has words for: its text, and its JSON."""

    def __str__(self) -> str:
        """Return the words."""
        from foedus.report.verdict_words import words

        return words(self)


def finite(number: float | None) -> float | None:
    """Return a number that JSON can hold: None for infinities and NaN."""
    return None if number is None or not math.isfinite(number) else float(number)


def to_plain(value: Any) -> Any:
    """Return a value as JSON can hold it.

    Dates become ISO text; NaN and infinity become None; arrays, tuples and lists become lists;
    numpy scalars become numbers; an enum becomes its value; pydantic models become their JSON.
    :class:`Worded` data become their words.
    A dataclass becomes a dict of its fields in their order, and ``field(metadata=...)`` may say
    otherwise: ``{"json": "name"}`` gives the key another name, ``{"json": None}`` leaves the
    field out, ``{"keys": names}`` turns a sequence into a dict with these keys, as far as it
    goes, and ``{"then": {"name": of_record}}`` adds keys after the field, whose values are
    functions of the dataclass. An object that has ``to_dict`` (see :class:`Plain`) speaks for
    itself.

    Raises
    ------
    TypeError
        If the value is of another type.

    Examples
    --------
    >>> from dataclasses import dataclass, field
    >>> @dataclass(frozen=True)
    ... class Seen:
    ...     case_id: str = field(metadata={"json": "case"})
    ...     day: dt.date
    ...     number: float
    ...     range: tuple[float, ...] = field(metadata={"keys": ("low", "high")})
    ...     draws: Any = field(default=None, metadata={"json": None})
    >>> to_plain(Seen("a", dt.date(2022, 1, 4), math.nan, (1.0, math.inf)))
    {'case': 'a', 'day': '2022-01-04', 'number': None, 'range': {'low': 1.0, 'high': None}}
    """
    if isinstance(value, Worded):
        return str(value)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, np.ndarray | np.generic):
        return to_plain(value.tolist())
    if isinstance(value, Enum):
        return to_plain(value.value)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return finite(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value):
        return fields_to_plain(value)
    raise TypeError(f"{type(value).__name__} has no plain value for JSON")


def fields_to_plain(record: Any) -> dict[str, Any]:
    """Return the fields of a dataclass as :func:`to_plain` writes them."""
    found: dict[str, Any] = {}
    for about in fields(record):
        key = about.metadata.get("json", about.name)
        if key is not None:
            found[key] = _field_to_plain(about, getattr(record, about.name))
        for name, of_record in about.metadata.get("then", {}).items():
            found[name] = to_plain(of_record(record))
    return found


def _field_to_plain(about: Field[Any], value: Any) -> Any:
    keys = about.metadata.get("keys")
    if keys is None or value is None:
        return to_plain(value)
    return dict(zip(keys, to_plain(value), strict=False))


class Plain:
    """A dataclass that :func:`to_plain` can write, with ``to_dict``.

    Attributes
    ----------
    json_format : int or None
        Version of the keys, for the key ``format`` before all others.
    json_also : tuple of str
        Properties that follow the fields.
    """

    json_format: ClassVar[int | None] = None
    json_also: ClassVar[tuple[str, ...]] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        version = {} if self.json_format is None else {"format": self.json_format}
        also = {name: to_plain(getattr(self, name)) for name in self.json_also}
        return {**version, **fields_to_plain(self), **also}
