"""Cases as the arrays that the models see; unknown and doubtful codings become probabilities."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.casebook.coded_case import (
    ANSWERS,
    MISSION_KINDS,
    TRIGGERS,
    CodedCase,
    Exclude,
    MissionKind,
    known_before,
)
from foedus.casebook.organisations import organisation_group, organisations
from foedus.casebook.rates import months_there, size_known, survival_known
from foedus.errors import InputError

Floats = NDArray[np.float64]
#: Yes-or-no features of a case. The models sum over all eight combinations.
BINARIES = ("base", "rival", "contiguous")
#: Probability of yes where a coding is unknown: the share of yes among known codings.
UNKNOWN_YES: dict[str, float] = {"base": 0.40, "rival": 0.25, "contiguous": 0.25}
#: Crises that the share over all helpers counts for in that of one organisation; elicited.
SHRINK = 2.0
COMBINATIONS: Floats = np.array(
    [[(i >> j) & 1 for j in range(len(BINARIES))] for i in range(2 ** len(BINARIES))], dtype=float
)
#: Probability that a coding is wrong, by confidence grade.
CODING_ERROR: dict[str, float] = {"H": 0.01, "M": 0.03, "L": 0.10}
#: Standard error of a troop count by confidence grade, in log10.
COUNT_ERROR: dict[str, float] = {"H": 0.03, "M": 0.08, "L": 0.20}
_YEAR0, _YEAR_SCALE = 1990.0, 20.0


@dataclass(frozen=True)
class Features:
    """What is known of a crisis when help is asked for.

    Attributes
    ----------
    trigger : str
    organisation : str
        A group of helpers, or a name that leads to one.
    year : int
    base, rival, contiguous : bool or None
        Whether the lead power has a base there, a rival great power is opposed, requester and lead
        share a border; None is unknown.
    formal_request : bool or None
        Whether the government asked; unknown (None) is averaged over.
    mission_kind : {"guard", "fight", "police", "occupation"} or None
        What the force is sent to do, once it is announced; None is averaged over.
    error : dict
        Probability that a binary coding is wrong, by name; zero where left out.
    """

    trigger: str
    organisation: str
    year: int
    base: bool | None = None
    rival: bool | None = None
    contiguous: bool | None = None
    formal_request: bool | None = None
    mission_kind: MissionKind | None = None
    error: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.trigger not in TRIGGERS:
            raise InputError(f"trigger: one of {', '.join(TRIGGERS)} (found {self.trigger!r})")
        if self.mission_kind not in (None, *MISSION_KINDS):
            expected = f"one of {', '.join(MISSION_KINDS)}, or none"
            raise InputError(f"mission_kind: {expected} (found {self.mission_kind!r})")
        object.__setattr__(self, "organisation", organisation_group(self.organisation))
        for name in (*BINARIES, "formal_request"):
            if getattr(self, name) not in (None, True, False):
                raise InputError(f"{name}: true, false or none (found {getattr(self, name)!r})")

    @classmethod
    def of(cls, case: CodedCase) -> Features:
        """Return the features of a coded case. The mission kind is not known before the answer."""
        values = {
            "base": "lead_base_or_forces_there",
            "rival": "rival_great_power_opposed",
            "contiguous": "cow_contiguity_code",
        }
        error = {
            name: CODING_ERROR[coded.confidence]
            for name, column in values.items()
            if (coded := getattr(case.fields, column)) is not None
        }
        return cls(
            trigger=case.trigger,
            organisation=case.helper,
            year=case.year,
            base=case.value("lead_base_or_forces_there"),
            rival=case.value("rival_great_power_opposed"),
            contiguous=case.contiguous,
            formal_request=case.value("formal_request"),
            error=error,
        )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Features:
        """Return features from a mapping; an unknown name is an `InputError`."""
        allowed = {f.name for f in fields(cls)}
        unknown = set(values) - allowed
        if unknown:
            raise InputError(f"features: some of {', '.join(sorted(allowed))} (found {unknown})")
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Covariates of ``n`` rows.

    Attributes
    ----------
    group, trigger : ndarray, shape (n,)
        Indices into the organisation groups and trigger types.
    year : ndarray, shape (n,)
        Twenties of years since 1990.
    collective : ndarray, shape (n,)
        One where an organisation decides.
    weights : ndarray, shape (n, 8)
        Probability of each combination of the binary features.
    kind : ndarray, shape (n, 4)
        One at the announced mission kind; all zero where none is announced.
    """

    group: NDArray[np.int64]
    trigger: NDArray[np.int64]
    year: Floats
    collective: Floats
    weights: Floats
    kind: Floats


def inputs(rows: Sequence[Features], unknown: Mapping[str, float] = UNKNOWN_YES) -> Inputs:
    """Return the covariates of rows; ``unknown`` is the probability of yes of unknown features."""
    groups = organisations().groups
    collective = organisations().collective
    yes = np.array([[_belief(r, name, unknown) for name in BINARIES] for r in rows]).reshape(
        -1, 1, 3
    )
    weights = np.prod(np.where(COMBINATIONS[None] == 1, yes, 1 - yes), axis=2)
    return Inputs(
        group=np.array([groups.index(r.organisation) for r in rows], dtype=np.int64),
        trigger=np.array([TRIGGERS.index(r.trigger) for r in rows], dtype=np.int64),
        year=np.array([(r.year - _YEAR0) / _YEAR_SCALE for r in rows]),
        collective=np.array([float(r.organisation in collective) for r in rows]),
        weights=weights,
        kind=np.array([[float(r.mission_kind == k) for k in MISSION_KINDS] for r in rows]),
    )


def _belief(row: Features, name: str, unknown: Mapping[str, float]) -> float:
    value = getattr(row, name)
    if value is None:
        return unknown[name]
    error = row.error.get(name, 0.0)
    return 1 - error if value else error


def unknown_yes(
    organisation: str,
    cases: Iterable[CodedCase],
    *,
    before: dt.date | None = None,
    exclude: Exclude | None = None,
) -> dict[str, float]:
    """Return the probability of yes of unknown features, for helpers of an organisation.

    Whether the lead has a base depends on the helper: all leads of the CSTO had one, few of
    ECOWAS. The share among the organisation's crises that had begun before a day is drawn towards
    that of all helpers as by :data:`SHRINK` crises.
    """
    coded = [
        case.value("lead_base_or_forces_there")
        for case in cases
        if case.organisation == organisation
        and not case.excluded(exclude)
        and known_before(case.start(), before)
    ]
    known = [value for value in coded if value is not None]
    share = (sum(known) + SHRINK * UNKNOWN_YES["base"]) / (len(known) + SHRINK)
    return {**UNKNOWN_YES, "base": share}


@dataclass(frozen=True, kw_only=True)
class Responses:
    """What happened, as likelihoods, one row a case; masks say which rows a model may see.

    Attributes
    ----------
    asked : ndarray, shape (n, 2)
        Likelihood of the coded request if the government did not ask, and if it did.
    answer : ndarray, shape (n, 4)
        Likelihood of the coded answer for each true answer (none, refused, limited, troops).
    answer_free : ndarray, shape (n,)
        Probability that the row is no answer at all (contested consent); adds a constant.
    arrival : ndarray, shape (n, 2)
        Bounds of the days from request to arrival, continuous: day 0 is (0, 1).
    size : ndarray, shape (n, 2)
        log10 of the number of soldiers, and its standard error.
    months : ndarray, shape (n, 2)
        Months to withdrawal, and 1 where that is only a lower bound; a bound of 0 is no news.
    kind : ndarray, shape (n, 4)
        Likelihood of the coded mission kind for each true kind; ones where none is coded.
    survived : ndarray, shape (n, 2)
        Likelihood of the coded survival if the government fell, and if it stayed in power.
    survival_answer : ndarray, shape (n, 4)
        Probability of each true answer, for the survival model.
    mask : dict
        Model → ndarray, shape (n,): 1 for rows that it may see, else 0.
    """

    asked: Floats
    answer: Floats
    answer_free: Floats
    arrival: Floats
    size: Floats
    months: Floats
    kind: Floats
    survived: Floats
    survival_answer: Floats
    mask: dict[str, Floats]


#: Fields of `Responses` that are read off a case by itself.
RESPONSES = ("asked", "answer", "answer_free", "arrival", "size", "months", "kind", "survived")
MODELS = ("call", "arrival", "size", "duration", "survival")


def responses(cases: Sequence[CodedCase], *, before: dt.date | None = None) -> Responses:
    """Return what was known of the cases before a day, or all of it."""
    rows = [_response(case, before) for case in cases]
    stacked = {key: np.array([r[key] for r in rows], dtype=float) for key in RESPONSES}
    answer = stacked["answer"]
    return Responses(
        **stacked,
        survival_answer=answer / answer.sum(axis=1, keepdims=True),
        mask={m: np.array([float(r["mask"][m]) for r in rows]) for m in MODELS},
    )


def _response(case: CodedCase, before: dt.date | None) -> dict[str, Any]:
    arrival = _arrival_bounds(case)
    size = case.value("troops_peak_30d")
    months, censored = months_there(case, before)
    granted = case.answer in ("troops", "limited")
    return {
        "asked": _flag_likelihood(case, "formal_request"),
        "answer": _answer_likelihood(case),
        "answer_free": sum(
            d.alternatives.get("imposed", 0.0) for d in case.contested if d.field == "outcome_class"
        ),
        "arrival": arrival or (0.0, 1.0),
        "size": (
            np.log10(size) if size else 0.0,
            COUNT_ERROR[case.fields.troops_peak_30d.confidence]  # type: ignore[union-attr]
            if size
            else 1.0,
        ),
        "months": (0.0, 1.0) if months is None else (months, float(censored)),
        "kind": _kind_likelihood(case),
        "survived": _flag_likelihood(case, "requester_in_power_90d"),
        "mask": {
            "call": known_before(case.known(), before),
            "arrival": known_before(case.known(), before) and granted and arrival is not None,
            "size": known_before(size_known(case), before)
            and case.answer == "troops"
            and bool(size),
            "duration": known_before(case.known(), before)
            and ((granted and months is not None) or case.value("mission_kind") is not None),
            "survival": known_before(survival_known(case), before)
            and case.value("requester_in_power_90d") is not None,
        },
    }


def _flag_likelihood(case: CodedCase, name: str) -> tuple[float, float]:
    """Return likelihoods of the coding if the truth is no, and yes; (1, 1) where unknown."""
    coded = getattr(case.fields, name)
    if coded is None:
        return 1.0, 1.0
    error = CODING_ERROR[coded.confidence]
    for doubt in case.contested:
        if doubt.field == name:
            error = max(error, doubt.alternatives.get("n" if coded.value else "y", 0.0))
    return (error, 1 - error) if coded.value else (1 - error, error)


def _answer_likelihood(case: CodedCase) -> tuple[float, ...]:
    coded = case.fields.outcome_class
    error = CODING_ERROR[coded.confidence]
    beliefs = dict.fromkeys(ANSWERS, 0.0)
    if case.answer is not None:
        beliefs[case.answer] = 1.0
    names = {"granted_troops": "troops", "granted_limited": "limited", "refused": "refused"}
    for doubt in case.contested:
        for other, belief in doubt.alternatives.items() if doubt.field == "outcome_class" else ():
            if case.answer is not None:
                beliefs[case.answer] -= belief
            if other in names:
                beliefs[names[other]] += belief  # type: ignore[index]
    total = sum(beliefs.values())
    return tuple((1 - error) * b + error * (total - b) / 3 for b in beliefs.values())


def _kind_likelihood(case: CodedCase) -> tuple[float, ...]:
    coded = case.fields.mission_kind
    if coded is None:
        return (1.0,) * len(MISSION_KINDS)
    error = CODING_ERROR[coded.confidence]
    return tuple(1 - error if k == coded.value else error / 3 for k in MISSION_KINDS)


def _arrival_bounds(case: CodedCase) -> tuple[float, float] | None:
    """Return bounds of the continuous delay in days; an undated request follows the trigger."""
    arrival = case.date("date_first_arrival")
    if arrival is None:
        return None
    request, trigger = case.date("date_request"), case.date("date_trigger")
    early = request.earliest() if request else (trigger.earliest() if trigger else None)
    late = request.latest() if request else arrival.latest()
    if early is None:
        return None
    low = max(0, (arrival.earliest() - late).days)
    high = (arrival.latest() - early).days + 1
    return (float(low), float(high)) if high > low else None


def usable(cases: Iterable[CodedCase]) -> tuple[CodedCase, ...]:
    """Return the cases that enter the fits."""
    return tuple(c for c in cases if c.usable)
