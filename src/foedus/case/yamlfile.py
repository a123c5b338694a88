"""A case file's text as plain data, with the position of everything in it.

YAML 1.2 is read by events: only mappings, lists, texts, numbers, true, false and null. Tags,
anchors and aliases are refused, so that nothing can be constructed and nothing can multiply.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from foedus.case.problems import Mark, Path, Positions, show
from foedus.errors import InputError, Problem

#: Largest size of a file in bytes.
MAX_BYTES = 2_000_000
#: Largest depth of nesting; a case needs about six.
MAX_DEPTH = 20
#: Largest number of values and keys; the shipped case has about two thousand.
MAX_NODES = 50_000
#: Largest number of syntax problems that are listed.
MAX_PROBLEMS = 100

_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"(true|True|TRUE)|(false|False|FALSE)")
_INT = re.compile(r"[-+]?[0-9]{1,300}")
_OTHER_INT = re.compile(r"0o[0-7]{1,100}|0x[0-9a-fA-F]{1,100}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,300}|[0-9]{1,300}(\.[0-9]{0,300})?)([eE][-+]?[0-9]{1,5})?")
#: Characters that control a terminal or change the reading direction; tab and line end are allowed.
_COMMAND = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SPECIAL = re.compile(r"[-+]?(\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN")

Data = Any


def read_text(path: FilePath, name: str) -> str:
    """Return a file's text; raise ``InputError`` if it cannot be read."""

    def fail(found: str, expected: str, line: int | None = None) -> InputError:
        return InputError([Problem(name, line, None, "", found, expected)])

    try:
        if path.is_dir():
            raise fail("a folder", "a case file is a single YAML file")
        if path.exists() and not path.is_file():
            raise fail("a special file", "a case file is a regular file")
        size = os.stat(path).st_size
        if size > MAX_BYTES:
            raise fail(f"{size:,} bytes", f"a case file has at most {MAX_BYTES:,} bytes")
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise fail("no such file", "a case is a shipped name or the path of a file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise fail(reason, "a file that can be read") from None
    if len(raw) > MAX_BYTES:
        raise fail(f"over {MAX_BYTES:,} bytes", f"a case file has at most {MAX_BYTES:,} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{raw[error.start]:02x} at byte {error.start + 1}"
        raise fail(found, "a case file is UTF-8 text; save it in that encoding", line) from None


def parse(text: str, name: str) -> tuple[Data, Positions, list[Problem]]:
    """Read YAML text into plain data.

    Returns
    -------
    data : dict, list, str, int, float, bool or None
    positions : Positions
    problems : list of Problem
        Problems that leave the rest readable (duplicate keys, keys that are not text).

    Raises
    ------
    InputError
        If the text cannot be read any further.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    builder = _Builder(positions=Positions(name))
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = (mark.line + 1, mark.column + 1) if mark else (None, None)
        reasons = (str(part) for part in (error.context, error.problem) if part)
        reason = " ".join(" ".join(reasons).split())
        expected = "text that reads as YAML"
        raise InputError(
            [
                *builder.problems,
                Problem(name, at[0], at[1], "", reason, expected),
            ]
        ) from None
    except YAMLError as error:  # a character that YAML does not allow
        line = _bad_character_line(text)
        found = str(error).splitlines()[0]
        raise InputError([Problem(name, line, None, "", found, "printable characters")]) from None
    except (ValueError, IndexError, AssertionError, AttributeError, TypeError) as error:
        # The parser is a library; whatever it stumbles over is bad input, not a failure of ours.
        raise InputError(
            [Problem(name, None, None, "", str(error), "text that reads as YAML")]
        ) from None
    return builder.root, builder.positions, builder.problems


def _bad_character_line(text: str) -> int | None:
    for number, line in enumerate(text.splitlines(), start=1):
        if not all(c.isprintable() or c == "\t" for c in line):
            return number
    return None


@dataclass
class _Open:
    """A mapping or list whose end has not been reached yet."""

    value: dict[str, Data] | list[Data]
    path: Path
    key: str | None = None
    has_key: bool = False
    drop: bool = False  # the next value belongs to a refused key


@dataclass(kw_only=True)
class _Builder:
    positions: Positions
    root: Data = None
    problems: list[Problem] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    nodes: int = 0
    documents: int = 0

    def take(self, event: Any) -> None:
        kind = type(event).__name__
        at = (event.start_mark.line + 1, event.start_mark.column + 1)
        if kind == "DocumentStartEvent":
            self.documents += 1
            if self.documents > 1:
                self._stop(at, "a second document", "one case per file; no line of three dashes")
            return
        if kind == "AliasEvent":
            self._stop(at, f"alias *{event.anchor}", "no anchors or aliases: write the value out")
        if kind in ("MappingEndEvent", "SequenceEndEvent"):
            closed = self.stack.pop()
            if closed.has_key:  # pragma: no cover - the parser always gives a value
                self._stop(at, "a key without a value", "a value after each key")
            return
        if kind not in ("ScalarEvent", "MappingStartEvent", "SequenceStartEvent"):
            return
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self._stop(at, f"over {MAX_NODES:,} values", "a smaller file")
        if event.anchor is not None:
            self._stop(at, f"anchor &{event.anchor}", "no anchors or aliases: write the value out")
        if event.tag is not None:
            self._stop(at, f"tag {event.tag}", "plain YAML without tags")
        if kind == "ScalarEvent":
            self._scalar(event, at)
            return
        value: dict[str, Data] | list[Data] = {} if kind == "MappingStartEvent" else []
        if self._awaits_key():
            self._stop(at, "a list or mapping as a key", "keys that are plain words")
        if len(self.stack) >= MAX_DEPTH:
            self._stop(at, f"over {MAX_DEPTH} levels", "less nesting")
        path = self._place(value, at)
        self.stack.append(_Open(value, path))

    def _awaits_key(self) -> bool:
        top = self.stack[-1] if self.stack else None
        return top is not None and isinstance(top.value, dict) and not top.has_key

    def _scalar(self, event: Any, at: Mark) -> None:
        text = str(event.value)
        if any("\ud800" <= c <= "\udfff" for c in text):
            self._stop(at, "half of a surrogate pair", "whole characters")
        if command := _COMMAND.search(text):
            found = f"the control character U+{ord(command[0]):04X}"
            self._stop(at, found, "text without control characters")
        value = text if event.style or not event.implicit[0] else _resolve(text)
        if not self._awaits_key():
            self._place(value, at)
            return
        top = self.stack[-1]
        assert isinstance(top.value, dict)
        top.has_key, top.key = True, text
        path = (*top.path, text)
        if not isinstance(value, str):
            self._note(at, path, show(value), "a key is a word; put it in quotes")
        if text in top.value:
            first = self.positions.keys[path]
            self._note(at, path, "the same key twice", f"each key once; first on line {first[0]}")
            top.drop = True
        else:
            self.positions.keys[path] = at

    def _place(self, value: Data, at: Mark) -> Path:
        """Put a value in its place and return its path."""
        if not self.stack:
            self.root = value
            self.positions.values[()] = at
            return ()
        top = self.stack[-1]
        if isinstance(top.value, list):
            path = (*top.path, len(top.value))
            top.value.append(value)
            self.positions.values[path] = at
            return path
        assert top.key is not None
        path = (*top.path, f"{top.key} (again)" if top.drop else top.key)
        if not top.drop:
            top.value[top.key] = value
            self.positions.values[path] = at
        top.has_key, top.drop = False, False
        return path

    def _note(self, at: Mark, path: Path, found: str, expected: str) -> None:
        name = self.positions.file
        self.problems.append(Problem(name, *at, ".".join(map(str, path)), found, expected))
        if len(self.problems) >= MAX_PROBLEMS:
            raise InputError(self.problems)

    def _stop(self, at: Mark, found: str, expected: str) -> None:
        problem = Problem(self.positions.file, *at, "", found[:80], expected)
        raise InputError([*self.problems, problem])


def _resolve(text: str) -> Data:
    """Resolve a plain scalar by the core schema of YAML 1.2; dates stay text."""
    if _NULL.fullmatch(text):
        return None
    if match := _BOOL.fullmatch(text):
        return match[1] is not None
    if _INT.fullmatch(text):
        return int(text)
    if _OTHER_INT.fullmatch(text):
        return int(text[2:], 8 if text[1] == "o" else 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", "", 1))
    return text
