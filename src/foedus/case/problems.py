"""Problems of a file: lines and columns, plain words, the nearest legal word.

Case files, the casebook's rows and tables of coded cases all report their problems through this
module.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from foedus.case.times import DATE_FORM, WHEN_FORM
from foedus.errors import Problem

Path = tuple[str | int, ...]
Mark = tuple[int, int]

_LONGEST = 60


@dataclass
class Positions:
    """Line and column (from 1) of every value and key of one file, by path.

    Two tables always compare equal, because the origin of a case is not part of its content.
    """

    file: str = field(default="", compare=False)
    values: dict[Path, Mark] = field(default_factory=dict, compare=False, repr=False)
    keys: dict[Path, Mark] = field(default_factory=dict, compare=False, repr=False)

    def find(self, path: Path, *, key: bool = False) -> Mark | None:
        """Return the position of a path, or of its nearest parent in the file."""
        first, second = (self.keys, self.values) if key else (self.values, self.keys)
        for end in range(len(path), -1, -1):
            mark = first.get(path[:end]) or second.get(path[:end])
            if mark is not None:
                return mark
        return None

    def problem(self, path: Path, found: str, expected: str, *, key: bool = False) -> Problem:
        """Return a problem at a path; ``key`` points at the field's name, not at its value."""
        line, column = self.find(path, key=key) or (None, None)
        return Problem(self.file, line, column, dotted(path), shorten(found), expected)

    def keep(self, kept: Mapping[Path, tuple[int, ...]]) -> Positions:
        """Return the table after lists were filtered: ``kept[path]`` are the old indices kept."""
        renumber = {path: {old: new for new, old in enumerate(olds)} for path, olds in kept.items()}

        def moved(table: dict[Path, Mark]) -> dict[Path, Mark]:
            out: dict[Path, Mark] = {}
            for path, mark in table.items():
                size = next((n for n in range(1, len(path)) if path[:n] in renumber), None)
                if size is None:
                    out[path] = mark
                    continue
                new = renumber[path[:size]].get(int(path[size]))
                if new is not None:
                    out[(*path[:size], new, *path[size + 1 :])] = mark
            return out

        return Positions(self.file, moved(self.values), moved(self.keys))


def dotted(path: Path) -> str:
    """Return a path as ``facts.3.known_from``."""
    return shorten(".".join(str(part) for part in path), 120)


def shorten(text: str, longest: int = _LONGEST) -> str:
    """Return a text on one line, cut if it is too long."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def show(value: object) -> str:
    """Return a value in the form in which error messages show it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    if isinstance(value, str):
        return repr(shorten(value))
    return shorten(str(value))


def conflicts(found: Iterable[tuple[Path, str]]) -> PydanticCustomError:
    """Return the error of a model whose fields contradict each other.

    Parameters
    ----------
    found : iterable of (path, expected)
        The field at fault, relative to the model, and what would be right.
    """
    return PydanticCustomError("conflicts", "fields contradict each other", {"found": list(found)})


def explain(
    error: ValidationError, model: type[BaseModel], data: Any, positions: Positions
) -> list[Problem]:
    """Turn a model's errors into problems, one for each field.

    Parameters
    ----------
    error : pydantic.ValidationError
    model : type
        The model that refused the data; it gives the legal field names.
    data : dict
        The data as read.
    positions : Positions
    """
    problems = []
    by_path: dict[Path, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        path = _real_path(detail, data)
        if detail["type"] == "conflicts":
            for field, expected in detail["ctx"]["found"]:
                at = (*path, *field)
                problems.append(positions.problem(at, show(_value_at(data, at)), expected))
        elif not _only_by_items(detail, data):
            by_path.setdefault(path, []).append(detail)
    problems += [_problem(path, group, model, data, positions) for path, group in by_path.items()]
    return problems


def _only_by_items(error: ErrorDetails, data: Any) -> bool:
    """Return whether a list counts as too short only because items in it are wrong."""
    value = _value_at(data, _real_path(error, data))
    enough = error.get("ctx", {}).get("min_length", 0)
    return error["type"] == "too_short" and isinstance(value, list) and len(value) >= enough


def _real_path(error: ErrorDetails, data: Any) -> Path:
    """Drop parts that are not in the file: names of union branches, and the mark of a wrong key."""
    path: list[str | int] = []
    here = data
    parts = [part for part in error["loc"] if part != "[key]"]
    for part in parts:
        in_mapping = isinstance(here, dict) and part in here
        in_list = isinstance(here, list) and isinstance(part, int) and part < len(here)
        if in_mapping or in_list:
            path.append(part)
            here = here[part]
    if error["type"] == "missing" and parts:
        path.append(parts[-1])
    return tuple(path)


def _problem(
    path: Path,
    group: list[ErrorDetails],
    model: type[BaseModel],
    data: Any,
    positions: Positions,
) -> Problem:
    error = group[0]
    kind = error["type"]
    value = _value_at(data, path)
    if kind == "missing":
        at = positions.find(path[:-1], key=len(path) > 1)
        line, column = at or (None, None)
        expected = f"required field {path[-1]!r} is missing"
        return Problem(positions.file, line, column, dotted(path), "nothing", expected)
    if kind == "extra_forbidden":
        legal = fields_at(model, path[:-1], data)
        near = nearest(path[-1], legal)
        expected = f"no such field{near or '; the fields are ' + listed(legal, 40)}"
        return positions.problem(path, show(path[-1]), expected, key=True)
    if "[key]" in error["loc"]:
        return positions.problem(path, show(path[-1]), _expected(error), key=True)
    if len(group) > 1:  # one value that could have had several forms
        wanted = _several(path)
        return positions.problem(path, show(value), wanted)
    return positions.problem(path, show(value), _expected(error, value))


def _value_at(data: Any, path: Path) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _several(path: Path) -> str:
    if path[0] == "outcomes":
        return "true, false, a number, a date such as 2022-01-13, or null"
    return DATE_FORM


def _expected(error: ErrorDetails, value: Any = None) -> str:
    """Return in plain words what would be right."""
    kind = error["type"]
    ctx = error.get("ctx", {})
    if kind == "value_error":
        return str(ctx["error"])
    if kind == "literal_error":
        legal = _words(str(ctx["expected"]).replace(" or ", ", "))
        return f"one of {', '.join(legal)}{nearest(value, legal)}"
    if kind == "union_tag_not_found":
        return "a prior with 'dist' (fixed, normal, lognormal, uniform, beta, gamma or choice)"
    if kind == "union_tag_invalid":
        legal = _words(str(ctx["expected_tags"]))
        wrong = value.get("dist") if isinstance(value, dict) else None
        return f"dist {wrong!r} is unknown; one of {', '.join(legal)}{nearest(wrong, legal)}"
    if kind == "string_pattern_mismatch":
        return _pattern(str(ctx["pattern"]))
    bound = _BOUNDS.get(kind)
    if bound is not None:
        return bound.format(**{k: _number(v) for k, v in ctx.items()})
    if kind in _FORMS:
        return _FORMS[kind]
    return error["msg"]  # pragma: no cover - a kind of error that no field has yet


def _words(text: str) -> list[str]:
    return [word.strip().strip("'") for word in text.split(",")]


def _number(limit: Any) -> str:
    if isinstance(limit, float) and not limit.is_integer():
        return f"{limit:g}"
    return f"{int(limit):,}" if isinstance(limit, int | float) else str(limit)


def _pattern(pattern: str) -> str:
    if pattern.startswith("^[A-F]"):
        return "an Admiralty rating: a letter A-F (source) and a digit 1-6 (information), as in B2"
    return "a short name of letters, digits, _ and -, beginning with a letter"


_BOUNDS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "string_too_short": "at least {min_length} character",
    "string_too_long": "at most {max_length} characters",
}

_FORMS = {
    "string_type": "text; put it in quotes if it looks like a number or true/false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "finite_number": "a finite number",
    "tuple_type": "a list, each item on its own line after a dash",
    "dict_type": "a mapping: lines of 'name: value', indented",
    "model_type": "a mapping: lines of 'name: value', indented",
    "model_attributes_type": "a mapping: lines of 'name: value', indented",
    "date_type": DATE_FORM,
    "datetime_type": WHEN_FORM,
    "json_invalid": "complete characters and finite numbers",
}


def nearest(word: object, legal: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"``, or nothing if no legal word is close."""
    folded = {each.casefold(): each for each in legal}
    close = difflib.get_close_matches(str(word).casefold(), folded, n=1, cutoff=0.6)
    return f"; did you mean {folded[close[0]]!r}?" if close else ""


def listed(words: Iterable[str], most: int = 12) -> str:
    """Return a short list of words for a message."""
    words = list(words)
    shown = ", ".join(words[:most])
    return f"{shown}, … ({len(words)} in all)" if len(words) > most else shown or "(none)"


def fields_at(model: type[BaseModel], path: Path, data: Any) -> tuple[str, ...]:
    """Return the names of the fields that a mapping at ``path`` may have."""
    kind: Any = model
    for part in path:
        data = _step(data, part)
        kind = _inner(kind, part, data)
        if kind is None:
            return ()
    kind = _pick(kind, data)
    return tuple(kind.model_fields) if _is_model(kind) else ()


def _step(data: Any, part: str | int) -> Any:
    if isinstance(data, dict):
        return data.get(part)
    if isinstance(data, list) and isinstance(part, int) and part < len(data):
        return data[part]
    return None


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _inner(kind: Any, part: str | int, data: Any) -> Any:
    """Return the type of one part of a typed value."""
    kind = _pick(kind, data)
    if _is_model(kind):
        field = kind.model_fields.get(part)
        return _pick(field.annotation, data) if field is not None else None
    origin, args = get_origin(kind), get_args(kind)
    if origin is dict:
        return _pick(args[1], data)
    if origin is tuple and args:
        return _pick(args[0], data)
    return None


def _pick(kind: Any, data: Any) -> Any:
    """Strip annotations; from a union take the model named by the data's ``dist``."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, types.UnionType):
        options = [_pick(k, data) for k in get_args(kind)]
        models = [k for k in options if _is_model(k)]
        dist = data.get("dist") if isinstance(data, dict) else None
        for option in models:
            field = option.model_fields.get("dist")
            if field is not None and dist in get_args(field.annotation):
                return option
        compound = [k for k in options if get_origin(k) in (tuple, dict)]
        return (models or compound or [None])[0]
    return kind
