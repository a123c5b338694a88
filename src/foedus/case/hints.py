"""Expected fields, and the nearest legal word to a wrong one."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from foedus.case.positions import Path


def nearest(word: object, legal: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"``, or nothing where no legal word is near."""
    close = difflib.get_close_matches(str(word), list(legal), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


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
    """Return the type of one part of a typed thing."""
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
    """Strip annotations; of a union take the model that the data's ``dist`` names."""
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
