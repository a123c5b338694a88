"""The part of a case that the simulation may see, and fingerprints of a case.

The central promise of foedus is that no outcome and no later report reaches a run. One list keeps
it, :data:`BLIND`: workers receive the case with these fields blanked, and the hash that names an
ensemble leaves them out.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from foedus.case.models import Case

#: Fields on which no simulated run may depend: reports and answers, the as-of date that selects
#: among the reports, the questions asked of finished runs, and text for people. Known decisions are
#: replayed only by :class:`foedus.world.guidance.Guidance`.
BLIND = ("title", "summary", "sources", "as_of", "facts", "questions", "outcomes")


@dataclass(frozen=True)
class CaseHash:
    """Two SHA-256 digests in hexadecimal.

    Attributes
    ----------
    world : str
        Of what the simulation may see: all fields except :data:`BLIND`. Equal for a case and for
        the same case filtered by an as-of date, unless the date hides a calendar entry.
    all : str
        Of all fields.
    """

    world: str
    all: str


def case_hash(case: Case) -> CaseHash:
    """Return the fingerprints of a case; spelling and comments of its file do not matter."""
    fields = case.model_dump(mode="json")
    seen = {name: value for name, value in fields.items() if name not in BLIND}
    return CaseHash(_digest(seen), _digest(fields))


def seen_by_world(case: Case) -> str:
    """Return the case as the simulation sees it, as JSON, with the fields in :data:`BLIND` blank.

    New evidence and new questions therefore need no new runs, and no outcome can leak into a run.
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
    # Lists and mappings keep their order, because the order of places and members is that of the
    # axes.
    text = json.dumps(fields, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
