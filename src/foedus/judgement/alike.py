"""Whom is it like? The nearest historical calls for help, and what came of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from foedus.case.models import Case

if TYPE_CHECKING:
    from foedus.casebook import Casebook


@dataclass(frozen=True)
class Alike:
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

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


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
    ally = case.alliance
    lead = next(m for m in ally.members if m.actor == ally.lead)
    asked = any(f.quantity == "request" and f.value and f.value.kind == "yes" for f in case.facts)
    features: dict[str, Any] = {
        "trigger": case.trigger_type,
        "year": case.start.year,
        "base": ally.lead_has_base,
        "contiguous": lead.contiguous,
    }
    if case.organisation is not None:
        features["organisation"] = case.organisation
    if asked:
        features["formal_request"] = True
    own = None if case.requester_iso3 is None else (case.requester_iso3, case.start.year)
    return tuple(
        Alike(
            like.case.id,
            like.case.title,
            round(like.distance, 4),
            like.same,
            like.different,
            like.happened,
        )
        for like in nearest(casebook, features, n=n, before=case.as_of, exclude=own)
    )
