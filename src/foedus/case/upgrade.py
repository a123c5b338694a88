"""Bring a case file of an older format to the present one; its comments and layout stay.

:data:`MIGRATIONS` has one entry for each format that was left: from format n to n + 1. A migration
reads the plain data of a file and returns the changes to its text (:mod:`foedus.case.yamledit`),
without that of the field ``foedus``. A new format needs one here, a new :data:`FORMAT`, and a test
with a file of the old one.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from foedus.case.models import Case
from foedus.case.problems import show
from foedus.case.yamledit import Edit, apply
from foedus.case.yamlfile import parse, read_text
from foedus.errors import InputError, Problem

Migration = Callable[[dict[str, Any]], Sequence[Edit]]

#: The present format of case files.
FORMAT: int = max(get_args(Case.model_fields["foedus"].annotation))

#: By the format that is left.
MIGRATIONS: Mapping[int, Migration] = {}


@dataclass(frozen=True)
class Upgrade:
    """A case file before and after.

    Attributes
    ----------
    file : str
    old, new : int
        Formats.
    before, after : str
        Texts; equal if the file is up to date.
    """

    file: str
    old: int
    new: int
    before: str
    after: str

    @property
    def diff(self) -> str:
        """The changes as a unified diff; empty if there are none."""
        before, after = (t.splitlines(keepends=True) for t in (self.before, self.after))
        return "".join(difflib.unified_diff(before, after, self.file, f"{self.file}, upgraded"))

    def write(self) -> None:
        """Write the new text in place of the old, whole or not at all.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        path = Path(self.file).resolve()
        try:
            mode = path.stat().st_mode
            handle, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
                    stream.write(self.after)
                os.chmod(made, mode)
                os.replace(made, path)
            except BaseException:
                os.unlink(made)
                raise
        except OSError as error:
            found = error.strerror or str(error)
            problem = Problem(self.file, None, None, "", found, "a file that can be written")
            raise InputError([problem]) from None


def upgrade(file: str | Path) -> Upgrade:
    """Bring a case file to the present format, without writing it.

    Raises
    ------
    InputError
        If the file cannot be read, or has no format that is known here.
    """
    return upgrade_text(read_text(Path(file), str(file)), str(file))


def upgrade_text(
    text: str,
    name: str = "case.yaml",
    *,
    migrations: Mapping[int, Migration] = MIGRATIONS,
    newest: int = FORMAT,
) -> Upgrade:
    """Bring the text of a case file to the newest format; ``name`` is for error messages.

    Raises
    ------
    InputError
        If the text cannot be read, or has no format that is known here.
    """
    after, old = text, _format(text, name, newest)
    for version in range(old, newest):
        data = parse(after, name)[0]
        after = apply(after, [*migrations[version](data), Edit("set", ("foedus",), version + 1)])
    return Upgrade(name, old, newest, text, after)


def _format(text: str, name: str, newest: int) -> int:
    """Return the format that a text declares."""
    data, positions, problems = parse(text, name)
    if problems:
        raise InputError(problems)
    if not isinstance(data, dict) or "foedus" not in data:
        found = "no field 'foedus'" if isinstance(data, dict) else show(data)
        expected = f"a case file, which begins with 'foedus: {newest}'"
        raise InputError([Problem(name, 1, 1, "foedus", found, expected)])
    found = data["foedus"]
    if isinstance(found, bool) or not isinstance(found, int) or not 1 <= found <= newest:
        newer = isinstance(found, int) and not isinstance(found, bool) and found > newest
        expected = f"a format from 1 to {newest}" + "; a newer foedus reads this file" * newer
        raise InputError([positions.problem(("foedus",), show(found), expected)])
    return found
