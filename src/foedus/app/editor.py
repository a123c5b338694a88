"""Edit a case in the page: open, check while typing, change one field, save.

The text of the file is the document; the form is a view of it. A change in the form is made in the
text (:mod:`foedus.case.yamledit`), and the text is checked as ``foedus check`` would check it. The
server keeps nothing of a document between two requests, and only *save* writes anything.
"""

from __future__ import annotations

import hashlib
import math
import os
import secrets
import stat
import threading
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from foedus.app.library import LARGEST, Library
from foedus.app.web import AppState, Plain, answers
from foedus.case import json_schema, load_text, shipped
from foedus.case.template import starter
from foedus.case.yamledit import Edit, apply
from foedus.case.yamlfile import parse
from foedus.errors import InputError, Problem
from foedus.world.check import check

#: Largest number of changes in one request.
_MOST_EDITS = 200
_DEEPEST = 6
_SAVING = threading.Lock()


def routes(state: AppState) -> list[Route]:
    """Return the addresses of this feature; all texts are whole case files.

    ``GET /api/editor/schema``: the JSON Schema of a case.
    ``GET /api/editor/open?case=KEY`` (or ``?template=1``): :func:`view`, with ``name`` (of the
    file; empty if it is new), ``etag`` (of its bytes) and ``folder``.
    ``POST /api/editor/check`` ``{text, name}``: :func:`view`.
    ``POST /api/editor/edit`` ``{text, name, edits: [{op, path, value}]}``: :func:`view` after the
    changes.
    ``POST /api/editor/save`` ``{text, name, etag, overwrite}``: ``{name, etag}``; 422 with
    problems, or 409 with ``reason`` ``exists`` or ``changed``.
    """
    library = state.library

    def opened(request: Request, body: object) -> dict[str, Any]:
        key = request.query_params.get("case", "")
        if not key:
            return {**view(starter("my-case.yaml"), "my-case.yaml"), "name": "", "etag": None}
        text = library.text(key)
        own = key not in shipped()
        name = key if own else ""
        etag = _etag(library.path(key)) if own else None
        return {**view(text, library.name(key)), "name": name, "etag": etag}

    def checked(request: Request, body: dict[str, Any]) -> dict[str, Any]:
        return view(_text(body), _shown_name(body))

    def edited(request: Request, body: dict[str, Any]) -> dict[str, Any]:
        return view(apply(_text(body), _edits(body)), _shown_name(body))

    def saved(request: Request, body: dict[str, Any]) -> Response:
        return save(library, _text(body), body)

    return [
        Route("/api/editor/schema", answers(lambda request, body: json_schema())),
        Route("/api/editor/open", answers(opened)),
        Route("/api/editor/check", answers(checked), methods=["POST"]),
        Route("/api/editor/edit", answers(edited), methods=["POST"]),
        Route("/api/editor/save", answers(saved), methods=["POST"]),
    ]


def view(text: str, name: str) -> dict[str, Any]:
    """Return a document with everything that its two views need.

    Returns
    -------
    dict
        ``text``; ``data``: the plain values, or None if the text is not a mapping; ``problems``:
        each with line, column, field, found and expected; ``warnings`` of a case without problems;
        ``editable``: whether the form can change it.
    """
    problems: tuple[Problem, ...] = ()
    warnings: list[str] = []
    data, editable = None, False
    try:
        found, _, own = parse(text, name)
        data = found if isinstance(found, dict) else None
        editable = data is not None and not own
    except InputError:
        pass  # load_text reports it again, with everything else
    try:
        report = check(load_text(text, name))
        warnings = [*(c.located for c in report.contradictions), *report.warnings]
    except InputError as error:
        problems = error.problems
    return {
        "text": text,
        "data": _finite(data),
        "editable": editable,
        "problems": [vars(p) for p in problems],
        "warnings": warnings,
    }


def _finite(data: Any) -> Any:
    """Return data that strict JSON can hold: a number that is not finite becomes text."""
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_finite(value) for value in data]
    if isinstance(data, float) and not math.isfinite(data):
        return str(data)
    # The browser would return a whole number beyond 2**53 as a different one.
    return str(data) if isinstance(data, int) and abs(data) > 2**53 else data


def save(library: Library, text: str, body: dict[str, Any]) -> Response:
    """Write a case into the folder of cases, whole or not at all.

    An existing file is replaced only if ``overwrite`` is true and ``etag`` matches its bytes.

    Raises
    ------
    InputError
        If the name or the text is not that of a case.
    """
    name, etag, overwrite = body.get("name"), body.get("etag"), body.get("overwrite", False)
    if not isinstance(name, str) or not isinstance(overwrite, bool):
        raise InputError("name: a string; overwrite: true or false")
    if etag is not None and not isinstance(etag, str):
        raise InputError("etag: the one with which the file was opened, or null")
    path = library.path(name)
    if name.rsplit(".", 1)[0] in shipped():
        raise InputError(f"{name}: another name; this is the name of a shipped case")
    raw = text.encode("utf-8")
    if len(raw) > LARGEST:
        raise InputError(f"{name}: a case of at most {LARGEST:,} bytes (found {len(raw):,})")
    load_text(text, name)
    with _SAVING:
        there = _etag(path)
        if there is not None and not overwrite:
            text = f"{name}: already exists; nothing was written"
            return Plain({"error": text, "reason": "exists", "etag": there}, 409)
        if overwrite and there != etag:
            text = f"{name}: the file has changed since you opened it; nothing was written"
            return Plain({"error": text, "reason": "changed", "etag": there}, 409)
        if not _write(path, raw, replace=overwrite and there is not None):
            text = f"{name}: already exists; nothing was written"
            return Plain({"error": text, "reason": "exists", "etag": _etag(path)}, 409)
    return Plain({"name": name, "etag": hashlib.sha256(raw).hexdigest()})


def _write(path: Path, raw: bytes, *, replace: bool) -> bool:
    """Write a file atomically; return False if it exists and must not be replaced."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        with open(os.open(part, flags, 0o666), "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(part, path)
        else:
            os.link(part, path)  # unlike a rename, this fails if the file exists
    except FileExistsError:
        return False
    except OSError as error:
        raise InputError(f"{path.name}: {error.strerror or 'cannot be written'}") from None
    finally:
        part.unlink(missing_ok=True)
    return True


def _etag(path: Path) -> str | None:
    """Return the SHA-256 of a file's bytes, or None if there is no file."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with open(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InputError(f"{path.name}: not a file")
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path.name}: {error.strerror or 'cannot be read'}") from None


def _text(body: dict[str, Any]) -> str:
    text = body.get("text")
    if not isinstance(text, str):
        raise InputError("text: the text of a case file")
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise InputError("text: complete characters (found half of a surrogate pair)") from None
    if size > LARGEST:
        raise InputError(f"text: a case of at most {LARGEST:,} bytes (found {size:,})")
    return text


def _shown_name(body: dict[str, Any]) -> str:
    name = body.get("name")
    return name[:100] if isinstance(name, str) and name else "case.yaml"


def _edits(body: dict[str, Any]) -> list[Edit]:
    rows = body.get("edits")
    if not isinstance(rows, list) or len(rows) > _MOST_EDITS:
        raise InputError(f"edits: a list of at most {_MOST_EDITS}")
    out = []
    for row in rows:
        op = row.get("op") if isinstance(row, dict) else None
        path = row.get("path") if isinstance(row, dict) else None
        if op not in ("set", "remove", "rename", "append"):
            raise InputError("edits: each with op set, remove, rename or append")
        if not isinstance(path, list) or not 0 < len(path) <= 20 or not all(map(_step, path)):
            raise InputError("edits: each with a path of names and numbers")
        value = row.get("value")
        if op == "rename" and not isinstance(value, str):
            raise InputError("edits: a rename with the new name as its value")
        if _depth(value) > _DEEPEST:
            raise InputError(f"edits: each with a value of at most {_DEEPEST} levels")
        out.append(Edit(op, tuple(path), value))
    return out


def _depth(value: object) -> int:
    """Return the number of levels of a value, without recursion."""
    level, depth = [value], 0
    while level and depth <= _DEEPEST:
        groups = [v for v in level if isinstance(v, dict | list)]
        level = [item for g in groups for item in (g.values() if isinstance(g, dict) else g)]
        depth += 1
    return depth


def _step(part: object) -> bool:
    return isinstance(part, str) or (type(part) is int and part >= 0)
