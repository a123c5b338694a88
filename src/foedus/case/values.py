"""Reported values: a number, a bound, a range, a rough word, or yes or no."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from foedus.case.vocabulary import ROUGH_COUNTS

ValueKind = Literal["exact", "at_least", "at_most", "range", "rough", "about", "yes", "no"]

#: Width of "about n": from n / ABOUT_FACTOR to n * ABOUT_FACTOR.
ABOUT_FACTOR = 1.25

#: The legal forms, as error messages and the reference page list them.
FORMS = (
    'a number (13), yes or no (true, false), "at least 13", "more than 13", "at most 13", '
    '"less than 13", "about 500", "10..20", "10 to 20", or a rough word ('
    + ", ".join(ROUGH_COUNTS)
    + ")"
)

_NUMBER = r"[-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?"
_BOUND = re.compile(rf"(at least|more than|at most|less than|about)\s+({_NUMBER})", re.ASCII)
_RANGE = re.compile(rf"({_NUMBER})\s*(?:\.\.|to)\s*({_NUMBER})", re.ASCII)
_BARE = re.compile(_NUMBER, re.ASCII)


@dataclass(frozen=True, slots=True)
class Value:
    """A value as a source gives it, with the interval for which it stands.

    Attributes
    ----------
    kind : str
        ``exact``, ``at_least``, ``at_most``, ``range``, ``rough``, ``about``, ``yes`` or ``no``.
    low, high : float
        The inclusive interval; minus or plus infinity where a side is open. ``yes`` is 1 and ``no``
        is 0.
    point : float or None
        The single number that was given, if any: for ``exact``, ``about``, ``yes``, ``no``.
    text : str
        The value as the case file writes it, in one fixed spelling.
    """

    kind: ValueKind
    low: float
    high: float
    point: float | None
    text: str

    def __str__(self) -> str:
        """Return the value in the form of a case file."""
        return self.text

    @property
    def plain(self) -> bool | int | float | str:
        """The value as plain data of a case file: a number, true or false, or text."""
        if self.kind in ("yes", "no"):
            return self.kind == "yes"
        if self.kind == "exact":
            return int(self.low) if self.low.is_integer() else self.low
        return self.text

    def overlaps(self, other: Value) -> bool:
        """Return whether both values can be true at once."""
        return self.low <= other.high and other.low <= self.high

    @classmethod
    def parse(cls, raw: object) -> Value:
        """Read a value.

        Parameters
        ----------
        raw : bool, int, float, str or Value
            The value in the case file.

        Raises
        ------
        ValueError
            If it has none of the legal forms; the message lists them.
        """
        if isinstance(raw, Value):
            return raw
        if isinstance(raw, bool):
            return cls._yes_no(raw)
        if isinstance(raw, int | float):
            return cls._exact(_finite(raw))
        if isinstance(raw, str):
            return cls._from_text(raw)
        raise ValueError(f"a value is {FORMS}")

    @classmethod
    def _from_text(cls, raw: str) -> Value:
        text = " ".join(raw.lower().split())
        if text in ("yes", "no"):
            return cls._yes_no(text == "yes")
        if text in ROUGH_COUNTS:
            low, high = ROUGH_COUNTS[text]
            return cls("rough", low, high, None, text)
        if match := _BOUND.fullmatch(text):
            return cls._bounded(match[1], _number(match[2]))
        if match := _RANGE.fullmatch(text):
            low, high = _number(match[1]), _number(match[2])
            if low > high:
                raise ValueError(
                    f"a range goes from the smaller to the larger number: "
                    f'"{_show(high)}..{_show(low)}"'
                )
            return cls("range", low, high, None, f"{_show(low)}..{_show(high)}")
        if _BARE.fullmatch(text):
            return cls._exact(_number(text))
        raise ValueError(f"a value is {FORMS}")

    @classmethod
    def _yes_no(cls, yes: bool) -> Value:
        number = float(yes)
        return cls("yes" if yes else "no", number, number, number, "yes" if yes else "no")

    @classmethod
    def _exact(cls, number: float) -> Value:
        return cls("exact", number, number, number, _show(number))

    @classmethod
    def _bounded(cls, word: str, number: float) -> Value:
        """Read a bound; a strict one on a whole number moves by one (more than 13: from 14)."""
        text = f"{word} {_show(number)}"
        step = 1.0 if number.is_integer() else 0.0
        if word == "at least":
            return cls("at_least", number, math.inf, None, text)
        if word == "more than":
            return cls("at_least", number + step, math.inf, None, text)
        if word == "at most":
            return cls("at_most", -math.inf, number, None, text)
        if word == "less than":
            return cls("at_most", -math.inf, number - step, None, text)
        low, high = sorted((number / ABOUT_FACTOR, number * ABOUT_FACTOR))
        return cls("about", low, high, number, text)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: value.plain, when_used="json"
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        rough = "|".join(ROUGH_COUNTS)
        pattern = (
            rf"^\s*(yes|no|{rough}|(at least|more than|at most|less than|about)\s+{_NUMBER}"
            rf"|{_NUMBER}(\s*(\.\.|to)\s*{_NUMBER})?)\s*$"
        )
        return {
            "description": f"A value: {FORMS}.",
            "anyOf": [
                {"type": "number"},
                {"type": "boolean"},
                {"type": "string", "pattern": pattern},
            ],
        }


def _number(text: str) -> float:
    return _finite(float(text.replace(",", "")))


def _finite(number: float) -> float:
    try:
        number = float(number)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("a value is a finite number")
    return number + 0.0  # minus zero becomes zero


def _show(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
