"""Names of helpers and states, and the groups of helpers whose answers are pooled."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from importlib import resources
from typing import Any

from foedus.case.yamlfile import parse
from foedus.errors import InputError

_SPLIT = re.compile(r"[/+,;()&]|\band\b|\bthen\b|\bwith\b|\bled\b|-led\b")
_SPACE = re.compile(r"[\s.]+")


def read_data(name: str) -> Any:
    """Return the content of a YAML file of this package."""
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return parse(text, name)[0]


def _fold(name: str) -> str:
    return _SPACE.sub(" ", name.replace(".", "")).strip().casefold()


@dataclass(frozen=True)
class Organisations:
    """The groups of helpers, and every name that leads to one; ``spelling`` has them as written."""

    titles: dict[str, str]
    names: dict[str, str]
    states: dict[str, str]
    collective: frozenset[str]
    spelling: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """Group codes in the order of the file."""
        return tuple(self.titles)

    def find(self, name: str) -> str | None:
        """Return the group of a helper as a case names it, or None if no part is known."""
        whole = _fold(name)
        if whole in self.titles:
            return whole
        if whole in self.names:
            return self.names[whole]
        parts = [_fold(p) for p in _SPLIT.split(name)]
        for part in parts:
            if part in self.names:
                return self.names[part]
        if any(p in self.states for p in [whole, *parts]):
            return "other"
        for part in parts:
            inside = self._longest(part)
            if inside is not None:
                return self.names.get(inside, "other")
        return None

    def _longest(self, part: str) -> str | None:
        """Return the longest known name that occurs in ``part`` as a run of whole words."""
        words = part.split()
        for length in range(len(words), 0, -1):
            for start in range(len(words) - length + 1):
                name = " ".join(words[start : start + length])
                if name in self.names or name in self.states:
                    return name
        return None


@functools.cache
def organisations() -> Organisations:
    """Return the contents of ``organisations.yaml`` and ``states.yaml``."""
    raw = read_data("organisations.yaml")
    written = {
        str(name): group
        for group, entry in raw.items()
        for name in [*entry.get("names", []), *entry.get("states", [])]
    }
    names = {_fold(name): group for name, group in written.items()}
    states = {_fold(n): iso for iso, all_names in state_names().items() for n in all_names}
    collective = frozenset(g for g, e in raw.items() if e.get("collective"))
    titles = {g: e["title"] for g, e in raw.items()}
    spelling = (*written, *(n for all_names in state_names().values() for n in all_names))
    return Organisations(titles, names, states, collective, spelling)


@functools.cache
def state_names() -> dict[str, tuple[str, ...]]:
    """Return the names of each state by ISO 3166 alpha-3 code; the first name is shown."""
    return {str(iso): tuple(map(str, names)) for iso, names in read_data("states.yaml").items()}


def organisation_group(name: str) -> str:
    """Return the group to which a helper's name leads.

    Raises
    ------
    InputError
        If neither the name nor a part of it is known.
    """
    group = organisations().find(name)
    if group is None:
        groups = ", ".join(organisations().groups)
        raise InputError(f"organisation: one of {groups}, or a name of one (found {name!r})")
    return group
