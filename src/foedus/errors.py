"""The errors that reach a user; each says what was found and what would be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class FoedusError(Exception):
    """Base of all errors that foedus raises on purpose."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input.

    Attributes
    ----------
    file : str
        File name as the user gave it.
    line, column : int or None
        Position, counted from 1; None for the file as a whole.
    field : str
        Dotted path of the field, such as ``facts.3.known_from``.
    found : str
        What the file has, shortened.
    expected : str
        What would be right.
    """

    file: str
    line: int | None
    column: int | None
    field: str
    found: str
    expected: str

    def __str__(self) -> str:
        """Return ``file:line:column: field: expected ... (found ...)``."""
        position = "".join(f":{n}" for n in (self.line, self.column) if n is not None)
        where = f"{self.file}{position}"
        field = f" {self.field}:" if self.field else ""
        found = f" (found {self.found})" if self.found else ""
        return f"{where}:{field} {self.expected}{found}"


class InputError(FoedusError):
    """Bad input, exit status 2. Carries all problems, not only the first."""

    def __init__(self, problems: Sequence[Problem] | str) -> None:
        if isinstance(problems, str):
            self.problems: tuple[Problem, ...] = ()
            super().__init__(problems)
        else:
            self.problems = tuple(problems)
            super().__init__("\n".join(str(p) for p in self.problems))


class StoreError(FoedusError):
    """A store on disk is missing, damaged, incomplete or in use."""


class Interrupted(FoedusError):  # noqa: N818 - a stop, not an error
    """A run was stopped; what is on disk is valid and can be resumed.

    Attributes
    ----------
    stopped : str
        What was stopped, and what is safe.
    again : str or None
        The command that continues.
    """

    def __init__(self, stopped: str, again: str | None = None) -> None:
        self.stopped, self.again = stopped, again
        super().__init__(stopped if again is None else f"{stopped} To continue: {again}")

    def __reduce__(self) -> tuple[type[Interrupted], tuple[str, str | None]]:
        return type(self), (self.stopped, self.again)
