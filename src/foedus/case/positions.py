"""Where each field of a case file stands, so that later stages can point at the line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from foedus.errors import Problem

Path = tuple[str | int, ...]
Mark = tuple[int, int]

_LONGEST = 60


@dataclass
class Positions:
    """Line and column (from 1) of every value and key of one file, by path.

    Two tables always compare equal: where a case was read from is no part of what it says.
    """

    file: str = field(default="", compare=False)
    values: dict[Path, Mark] = field(default_factory=dict, compare=False, repr=False)
    keys: dict[Path, Mark] = field(default_factory=dict, compare=False, repr=False)

    def find(self, path: Path, *, key: bool = False) -> Mark | None:
        """Return the position of a path, or of its nearest parent that stands in the file."""
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

    def keep(self, kept: Mapping[str, tuple[int, ...]]) -> Positions:
        """Return the table after lists were filtered: ``kept[name]`` are the old numbers kept."""
        renumber = {name: {old: new for new, old in enumerate(olds)} for name, olds in kept.items()}

        def moved(table: dict[Path, Mark]) -> dict[Path, Mark]:
            out: dict[Path, Mark] = {}
            for path, mark in table.items():
                if len(path) > 1 and path[0] in renumber:
                    new = renumber[str(path[0])].get(int(path[1]))
                    if new is not None:
                        out[(path[0], new, *path[2:])] = mark
                else:
                    out[path] = mark
            return out

        return Positions(self.file, moved(self.values), moved(self.keys))


def dotted(path: Path) -> str:
    """Return a path as ``facts.3.known_from``."""
    return shorten(".".join(str(part) for part in path), 120)


def shorten(text: str, longest: int = _LONGEST) -> str:
    """Return a text on one line, cut where it is too long."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def show(value: object) -> str:
    """Return what stood in the file, as an error message shows it."""
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
