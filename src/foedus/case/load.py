"""Read a case file; every problem with its line, and all of them at once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib import resources
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from foedus.case.crosscheck import crosscheck
from foedus.case.hints import fields_at, listed, nearest
from foedus.case.models import Case
from foedus.case.positions import Path, Positions, dotted, show
from foedus.case.times import DATE_FORM, WHEN_FORM
from foedus.case.yamlfile import parse, read_text
from foedus.errors import InputError, Problem

_SUFFIXES = (".yaml", ".yml")
_MOST = 200


def shipped() -> tuple[str, ...]:
    """Return the names of the cases that come with foedus."""
    folder = resources.files("foedus.case") / "shipped"
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(n.removesuffix(".yaml") for n in names if n.endswith(".yaml")))


def shipped_text(name: str) -> str:
    """Return the text of a case that comes with foedus."""
    file = resources.files("foedus.case") / "shipped" / f"{name}.yaml"
    return file.read_text(encoding="utf-8")


def load_case(name_or_path: str | FilePath) -> Case:
    """Read a case.

    Parameters
    ----------
    name_or_path : str or pathlib.Path
        A shipped name (:func:`shipped`), or the path of a YAML file. A file of that very name
        in the current folder is read only when the name has a suffix or a folder.

    Returns
    -------
    Case
        Checked; it remembers where each field stood.

    Raises
    ------
    InputError
        With one :class:`~foedus.errors.Problem` for everything wrong in the file.
    """
    name = str(name_or_path)
    if isinstance(name_or_path, str) and name in shipped():
        return load_text(shipped_text(name), f"{name}.yaml")
    if not name:
        raise InputError("the name of a case, or the path of a case file (found nothing)")
    path = FilePath(name_or_path)
    looks_like_name = path.suffix not in _SUFFIXES and path.name == name
    if looks_like_name and not _exists(path):
        expected = (
            f"a shipped case ({listed(shipped())}) or the path of a file{nearest(name, shipped())}"
        )
        raise InputError([Problem(name, None, None, "", "no such case", expected)])
    return load_text(read_text(path, name), name)


def _exists(path: FilePath) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def load_text(text: str, name: str = "case.yaml") -> Case:
    """Read a case from YAML text; ``name`` is what error messages call the file."""
    data, positions, problems = parse(text, name)
    if not isinstance(data, dict):
        found = "an empty file" if data is None else show(data)
        expected = "a mapping with the fields of a case, beginning with 'foedus: 1'"
        raise InputError([*problems, Problem(name, 1, 1, "", found, expected)])
    return _validated(data, positions, problems)


def _validated(data: dict[str, Any], positions: Positions, problems: list[Problem]) -> Case:
    case: Case | None = None
    try:
        # As JSON, because in strict mode only that lets a list be a tuple and a text a date.
        case = Case.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        problems = [*problems, *_explain(error.errors(include_url=False), data, positions)]
    known = {p.field for p in problems}
    problems += [p for p in crosscheck(data, positions) if p.field not in known]
    if problems or case is None:
        raise InputError(_in_order(problems, positions.file))
    case._positions = positions
    return case


def _in_order(problems: Iterable[Problem], file: str) -> list[Problem]:
    """Return each problem once, by line; after the first few hundred only their number."""
    listing = sorted(dict.fromkeys(problems), key=_place_in_file)
    more = len(listing) - _MOST
    if more > 0:
        rest = Problem(file, None, None, "", f"{more:,} problems more", "these put right first")
        listing = [*listing[:_MOST], rest]
    return listing


def _place_in_file(problem: Problem) -> tuple[int, int]:
    return (problem.line or 0, problem.column or 0)


def _explain(errors: list[ErrorDetails], data: Any, positions: Positions) -> list[Problem]:
    """Turn the models' complaints into problems; one for each field."""
    by_path: dict[Path, list[ErrorDetails]] = {}
    for error in errors:
        if _only_by_items(error, data):
            continue
        by_path.setdefault(_real_path(error, data), []).append(error)
    return [_problem(path, group, data, positions) for path, group in by_path.items()]


def _only_by_items(error: ErrorDetails, data: Any) -> bool:
    """Tell whether a list is called too short only because items of it are wrong, as reported."""
    value = _value_at(data, _real_path(error, data))
    enough = error.get("ctx", {}).get("min_length", 0)
    return error["type"] == "too_short" and isinstance(value, list) and len(value) >= enough


def _real_path(error: ErrorDetails, data: Any) -> Path:
    """Drop what is no part of the file: names of union branches, and the mark of a wrong key."""
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


def _problem(path: Path, group: list[ErrorDetails], data: Any, positions: Positions) -> Problem:
    error = group[0]
    kind = error["type"]
    value = _value_at(data, path)
    if kind == "missing":
        at = positions.find(path[:-1], key=len(path) > 1)
        line, column = at or (None, None)
        expected = f"required field {path[-1]!r} is missing"
        return Problem(positions.file, line, column, dotted(path), "nothing", expected)
    if kind == "extra_forbidden":
        legal = fields_at(Case, path[:-1], data)
        near = nearest(path[-1], legal)
        expected = f"no such field{near or '; the fields are ' + listed(legal, 40)}"
        return positions.problem(path, show(path[-1]), expected, key=True)
    if "[key]" in error["loc"]:
        return positions.problem(path, show(path[-1]), _expected(error), key=True)
    if len(group) > 1:  # one value, several forms that it might have had
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
    """Say in plain words what would be right."""
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
    "string_type": "a text; put it in quotes if it looks like a number or true/false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
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
    "json_invalid": "whole characters and finite numbers",
}
