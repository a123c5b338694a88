"""Whom is it like? The nearest historical calls for help, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foedus.case.models import Case
from foedus.plain_values import Plain

if TYPE_CHECKING:
    from foedus.casebook import Casebook


@dataclass(frozen=True)
class Alike(Plain):
    """A historical case.

    Attributes
    ----------
    id, title : str
    distance : float
        From 0 (alike in all that is known of both) to 1.
    same, different : tuple of str
        Features in which the two agree, and do not.
    happened : str
        What the helper did, how soon, with what, for how long, and whether the requester lasted.
    """

    id: str
    title: str
    distance: float
    same: tuple[str, ...]
    different: tuple[str, ...]
    happened: str


def case_features(case: Case) -> dict[str, Any]:
    """Return a case's features in the casebook's words; what is not said is left out.

    Parameters
    ----------
    case : Case
        Filtered by an as-of date: whether the government has asked is read from its facts.
    """
    ally = case.alliance
    lead = next(m for m in ally.members if m.actor == ally.lead)
    asked = any(f.quantity == "request" and f.value and f.value.kind == "yes" for f in case.facts)
    given = {
        "trigger": case.trigger_type,
        "organisation": case.organisation,
        "year": case.start.year,
        "base": ally.lead_has_base,
        "contiguous": lead.contiguous,
        "formal_request": True if asked else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def alike(case: Case, casebook: Casebook, *, n: int = 5) -> tuple[Alike, ...]:
    """Return the cases nearest to one, nearest first; none where it names no trigger.

    Parameters
    ----------
    case : Case
        Filtered by an as-of date: only cases known by then count, and never the case itself.
        Whether the government has asked is read from the facts.
    casebook : Casebook
    n : int
        How many.
    """
    from foedus.casebook import nearest

    if case.trigger_type is None:
        return ()
    return tuple(
        Alike(
            like.case.id,
            like.case.title,
            round(like.distance, 4),
            like.same,
            like.different,
            like.happened,
        )
        for like in nearest(
            casebook, case_features(case), n=n, before=case.as_of, exclude=casebook.own_row(case)
        )
    )
