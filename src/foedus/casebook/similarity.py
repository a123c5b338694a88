"""The past cases most like the one at hand, and what happened in each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foedus.case.models import Case
from foedus.casebook.case_words import helper_group
from foedus.casebook.coded_case import (
    CAPABILITY_CLASSES,
    TRIGGERS,
    CodedCase,
    Exclude,
    known_before,
)
from foedus.casebook.load import Casebook
from foedus.casebook.organisations import organisation_group
from foedus.errors import InputError
from foedus.plain_values import Plain

#: Weights of the distance. Their order follows what separates the answers in the casebook:
#: helper and request most, contiguity and capability least. Their sizes are elicited.
WEIGHTS: dict[str, float] = {
    "trigger": 3.0,
    "organisation": 3.0,
    "formal_request": 2.0,
    "year": 1.0,
    "base": 1.0,
    "contiguous": 0.5,
    "capability_class": 0.5,
}
#: Number of years apart at which two cases differ fully in time.
YEAR_RANGE = 60.0
#: Threats from within. Two of these are half alike, and so are two threats from outside.
_DOMESTIC = {"domestic_protest", "coup_mutiny", "insurgency"}


@dataclass(frozen=True, kw_only=True)
class Likeness(Plain):
    """A past case, and how near it is.

    Attributes
    ----------
    case : CodedCase
    distance : float
        From 0 (alike in everything known of both) to 1.
    same, different : tuple of str
        Features in which the two agree fully, and those in which they do not.
    happened : str
        What the helper did, how soon, with what, for how long, and whether the requester lasted.
    """

    case: CodedCase
    distance: float
    same: tuple[str, ...]
    different: tuple[str, ...]
    happened: str

    @property
    def id(self) -> str:
        """Id of the case."""
        return self.case.id

    @property
    def title(self) -> str:
        """Title of the case."""
        return self.case.title

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "id": self.id,
            "title": self.title,
            "distance": round(self.distance, 4),
            "same": list(self.same),
            "different": list(self.different),
            "happened": self.happened,
        }


def features_of(case: CodedCase) -> dict[str, Any]:
    """Return the features of a coded case by which it is compared; None is unknown."""
    return {
        "trigger": case.trigger,
        "organisation": case.organisation,
        "formal_request": case.value("formal_request"),
        "year": case.year,
        "base": case.value("lead_base_or_forces_there"),
        "contiguous": case.contiguous,
        "capability_class": case.capability_class,
    }


def case_features(case: Case) -> dict[str, Any]:
    """Return the features of a case file in the casebook's words; unknown ones are left out.

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
        "organisation": case.organisation and helper_group(case.organisation),
        "year": case.start.year,
        "base": ally.lead_has_base,
        "contiguous": lead.contiguous,
        "formal_request": True if asked else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def nearest(
    casebook: Casebook,
    features: Mapping[str, Any],
    *,
    n: int = 5,
    before: dt.date | None = None,
    exclude: Exclude | None = None,
) -> list[Likeness]:
    """Return the cases most like the one described, nearest first.

    Parameters
    ----------
    casebook : Casebook
    features : mapping
        Any of trigger, organisation (group or name), formal_request, year, base, contiguous
        (bool), capability_class. Features left out, or unknown in a case, are not compared.
    n : int
        How many.
    before : datetime.date, optional
        Only cases whose answer was known before this day.
    exclude : str or (str, int), optional
        The row of the case at hand: its id, or the requester's ISO code and the year.

    Returns
    -------
    list of Likeness
        By Gower distance (Gower 1971, doi 10.2307/2528823) with `WEIGHTS`; of two at the same
        distance the later comes first. Cases with none of the features known are left out.

    Raises
    ------
    InputError
        If the name or the value of a feature is unknown.
    """
    if n < 1:
        raise InputError(f"n: one or more (found {n})")
    wanted = _checked(features)
    found = [
        _likeness(wanted, case)
        for case in casebook
        if case.usable and not case.excluded(exclude) and known_before(case.known(), before)
    ]
    ranked = sorted((x for x in found if x is not None), key=lambda x: (x.distance, -x.case.year))
    return ranked[:n]


def nearest_to_coded(
    casebook: Casebook, case_id: str, *, n: int = 5, before: dt.date | None = None
) -> list[Likeness]:
    """Return the cases nearest to a coded case, by default as of its start.

    The case itself and the other rows of its requester and year are left out.
    """
    case = casebook[case_id]
    before = before or case.start()
    return nearest(casebook, features_of(case), n=n, before=before, exclude=case.key)


def nearest_to_case(case: Case, casebook: Casebook, *, n: int = 5) -> tuple[Likeness, ...]:
    """Return the cases nearest to a case file, nearest first; none if it names no trigger.

    Parameters
    ----------
    case : Case
        Filtered by an as-of date: only cases known by then count, and never its own row.
    casebook : Casebook
    n : int
        How many.
    """
    if case.trigger_type is None:
        return ()
    exclude = casebook.own_row(case)
    return tuple(nearest(casebook, case_features(case), n=n, before=case.as_of, exclude=exclude))


def _checked(features: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(features) - set(WEIGHTS)
    if unknown:
        raise InputError(f"features: some of {', '.join(WEIGHTS)} (found {sorted(unknown)[0]!r})")
    wanted = {k: v for k, v in features.items() if v is not None}
    if not wanted:
        raise InputError("features: at least one that is known")
    if "organisation" in wanted:
        wanted["organisation"] = organisation_group(str(wanted["organisation"]))
    for name, choices in (("trigger", TRIGGERS), ("capability_class", CAPABILITY_CLASSES)):
        if name in wanted and wanted[name] not in choices:
            raise InputError(f"{name}: one of {', '.join(choices)} (found {wanted[name]!r})")
    return wanted


def _likeness(wanted: Mapping[str, Any], case: CodedCase) -> Likeness | None:
    other = {k: v for k, v in features_of(case).items() if v is not None and k in wanted}
    if not other:
        return None
    apart = {k: _apart(k, wanted[k], v) for k, v in other.items()}
    total = sum(WEIGHTS[k] for k in apart)
    distance = sum(WEIGHTS[k] * d for k, d in apart.items()) / total
    return Likeness(
        case=case,
        distance=distance,
        same=tuple(k for k, d in apart.items() if d == 0),
        different=tuple(k for k, d in apart.items() if d > 0),
        happened=happened(case),
    )


def _apart(name: str, a: Any, b: Any) -> float:
    if name == "year":
        return min(1.0, float(abs(a - b)) / YEAR_RANGE)
    if name == "capability_class":
        steps = abs(CAPABILITY_CLASSES.index(a) - CAPABILITY_CLASSES.index(b))
        return steps / (len(CAPABILITY_CLASSES) - 1)
    if name == "trigger" and a != b:
        return 0.5 if (a in _DOMESTIC) == (b in _DOMESTIC) else 1.0
    return 0.0 if a == b else 1.0


def happened(case: CodedCase) -> str:
    """Return one line on what happened in a case."""
    parts = [case.outcome.replace("_", " ")]
    days = case.days_to_arrival
    if days is not None and case.answer in ("troops", "limited"):
        parts.append(f"first arrival {days} days after the request")
    troops = case.value("troops_peak_30d")
    if troops:
        parts.append(f"{troops:,} soldiers in the first month")
    months = case.months_to_withdrawal
    if months is not None:
        parts.append(f"out after {months:g} months")
    survived = case.value("requester_in_power_90d")
    if survived is not None:
        parts.append("requester " + ("still in" if survived else "out of") + " power after 90 days")
    return "; ".join(parts)
