"""Read a case file; report every problem with its line, all at once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib import resources
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from foedus.case.consistency import crosscheck
from foedus.case.models import Case
from foedus.case.problems import Positions, explain, listed, nearest, show
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
        A shipped name (:func:`shipped`), or the path of a YAML file. A file with a shipped name in
        the current folder is read only if the name is given with a suffix or a folder.

    Returns
    -------
    Case
        Checked; it remembers the position of each field.

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
    """Read a case from YAML text; ``name`` is the file's name in error messages."""
    data, positions, problems = parse(text, name)
    if not isinstance(data, dict):
        found = "an empty file" if data is None else show(data)
        expected = "a mapping with the fields of a case, beginning with 'foedus: 1'"
        raise InputError([*problems, Problem(name, 1, 1, "", found, expected)])
    return _validated(data, positions, problems)


def _validated(data: dict[str, Any], positions: Positions, problems: list[Problem]) -> Case:
    from foedus.case.upgrade import FORMAT, MIGRATIONS  # here, because it imports ruamel

    if (found := data.get("foedus")) in list(MIGRATIONS) and found is not True:
        expected = f"{FORMAT}; `foedus check --upgrade` brings a file to it"
        raise InputError([positions.problem(("foedus",), show(found), expected)])
    case: Case | None = None
    try:
        # As JSON, because in strict mode only JSON lets a list become a tuple and a text a date.
        case = Case.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        problems = [*problems, *explain(error, Case, data, positions)]
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
        rest = Problem(file, None, None, "", f"{more:,} more problems", "these corrected first")
        listing = [*listing[:_MOST], rest]
    return listing


def _place_in_file(problem: Problem) -> tuple[int, int]:
    return (problem.line or 0, problem.column or 0)
