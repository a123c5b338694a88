"""What the simulation may see of a case, and fingerprints of a case.

The central promise of foedus is that no outcome and no later report reaches a run. It is kept by
one list, :data:`BLIND`: workers are sent the case with these fields blanked, and the hash that
names an ensemble leaves them out.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from foedus.case.models import Case

#: Fields that no simulated run may depend on: reports and answers, the as-of date that chooses
#: among the reports, the questions asked of finished runs, and text for people. Decisions that
#: were known are replayed by :class:`foedus.world.guidance.Guidance`, and by nothing else.
BLIND = ("title", "summary", "sources", "as_of", "facts", "questions", "outcomes")


@dataclass(frozen=True)
class CaseHash:
    """Two SHA-256 digests in hexadecimal.

    Attributes
    ----------
    world : str
        Over what the simulation may see: all fields but :data:`BLIND`. Equal for a case and
        for the same case filtered by an as-of date, unless that hides a calendar entry.
    all : str
        Over all fields.
    """

    world: str
    all: str


def case_hash(case: Case) -> CaseHash:
    """Return the fingerprints of a case; spelling and comments of its file don't matter."""
    fields = case.model_dump(mode="json")
    seen = {name: value for name, value in fields.items() if name not in BLIND}
    return CaseHash(_digest(seen), _digest(fields))


def seen_by_world(case: Case) -> str:
    """Return the case as the simulation sees it, as JSON: the fields in :data:`BLIND` are blank.

    New evidence and new questions therefore need no new runs, and no outcome can leak into one.
    """
    blank = {
        "title": "-",
        "summary": "-",
        "sources": {},
        "as_of": case.start,
        "facts": (),
        "questions": (),
        "outcomes": (),
    }
    return case.model_copy(update={name: blank[name] for name in BLIND}).model_dump_json()


def _digest(fields: dict[str, object]) -> str:
    # Lists and mappings keep their order: the order of places and members is that of the axes.
    text = json.dumps(fields, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
