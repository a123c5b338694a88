"""Fingerprints of a case: what the simulation may see, and everything."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from foedus.case.models import Case

#: Fields that no simulated run may depend on: reports and answers, the as-of date that chooses
#: among them, the questions asked of finished runs, and text for people.
UNSEEN = ("title", "summary", "sources", "as_of", "facts", "questions", "outcomes")


@dataclass(frozen=True)
class CaseHash:
    """Two SHA-256 digests in hexadecimal.

    Attributes
    ----------
    world : str
        Over what the simulation may see: all fields but :data:`UNSEEN`. Equal for a case and
        for the same case filtered by an as-of date, unless that hides a calendar entry.
    all : str
        Over all fields.
    """

    world: str
    all: str


def case_hash(case: Case) -> CaseHash:
    """Return the fingerprints of a case; spelling and comments of its file don't matter."""
    fields = case.model_dump(mode="json")
    seen = {name: value for name, value in fields.items() if name not in UNSEEN}
    return CaseHash(_digest(seen), _digest(fields))


def _digest(fields: dict[str, object]) -> str:
    # Lists and mappings keep their order: the order of places and members is that of the axes.
    text = json.dumps(fields, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
