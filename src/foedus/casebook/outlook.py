"""The outside view: base rates, predictions from the stored fits, and the nearest cases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.casebook import models
from foedus.casebook.coded_case import ANSWERS, MISSION_KINDS, Answer, Exclude, MissionKind
from foedus.casebook.design import Features, Floats, inputs, unknown_yes
from foedus.casebook.fits import Fits, load_fits, posterior
from foedus.casebook.load import Casebook, load_casebook
from foedus.casebook.organisations import organisation_group
from foedus.casebook.rates import (
    BaseRate,
    Quantiles,
    base_rate,
    duration,
    request_rate,
    size,
    survival_rate,
    tempo,
)
from foedus.casebook.similarity import Likeness, features_of, nearest

_SEED = 20220105
#: Samples of a quantity for each posterior draw.
_PER_DRAW = 10


@dataclass(frozen=True)
class Chance:
    """A probability and how uncertain it is.

    Attributes
    ----------
    mean : float
        Posterior mean, the probability to use.
    low, high : float
        Central 90% interval of the posterior.
    draws : ndarray, shape (D,)
    """

    mean: float
    low: float
    high: float
    draws: Floats

    @classmethod
    def of(cls, draws: Floats) -> Chance:
        """Return the mean and interval of some draws."""
        low, high = np.quantile(draws, [0.05, 0.95])
        return cls(float(draws.mean()), float(low), float(high), draws)

    def __str__(self) -> str:
        """Return the mean and interval as text."""
        return f"{self.mean:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What the fitted models say of a crisis.

    Attributes
    ----------
    features : Features
    request : Chance
        That the government asks.
    answer : dict
        Answer → Chance: given the request if ``features.formal_request`` is known, else averaged
        over whether the government asks.
    answer_if_asked : dict
        Answer → Chance, given a request.
    arrival_days : ndarray, shape (S,)
        Days from request to first arrival where help is granted; rounded down for whole days.
    soldiers : ndarray, shape (S,)
        Peak of the first 30 days where troops come.
    months : ndarray, shape (S,)
        Months from first arrival to last departure where help is granted.
    short_mission : Chance
        That the mission is short: about two months, not years.
    mission_kind : dict
        Mission kind → Chance, by the trigger; certain where ``features.mission_kind`` is known.
    short_by_kind : dict
        Mission kind → Chance that a mission of that kind is short.
    in_power : Chance
        That the requester is in power after 90 days, averaged over the answer.
    in_power_by_answer : dict
        Answer → Chance. Not the effect of help: help goes to governments that can be saved.
    provenance : dict
        Model → (tag of the fit, method, Pareto shape); see `foedus.casebook.fits.Posterior`.
    """

    features: Features
    request: Chance
    answer: dict[Answer, Chance]
    answer_if_asked: dict[Answer, Chance]
    arrival_days: Floats
    soldiers: Floats
    months: Floats
    short_mission: Chance
    mission_kind: dict[MissionKind, Chance]
    short_by_kind: dict[MissionKind, Chance]
    in_power: Chance
    in_power_by_answer: dict[Answer, Chance]
    provenance: dict[str, tuple[str, str, float]]

    def summary(self) -> dict[str, Any]:
        """Return the outlook as plain values for JSON."""

        def chance(c: Chance) -> dict[str, float]:
            return {k: round(getattr(c, k), 4) for k in ("mean", "low", "high")}

        def quantiles(x: Floats) -> dict[str, float]:
            levels = (0.05, 0.25, 0.5, 0.75, 0.95)
            return {
                f"p{100 * p:g}": float(f"{v:.4g}")
                for p, v in zip(levels, np.quantile(x, levels), strict=True)
            }

        return {
            "request": chance(self.request),
            "answer": {k: chance(c) for k, c in self.answer.items()},
            "answer_if_asked": {k: chance(c) for k, c in self.answer_if_asked.items()},
            "arrival_days": quantiles(self.arrival_days),
            "soldiers": quantiles(self.soldiers),
            "months": quantiles(self.months),
            "short_mission": chance(self.short_mission),
            "mission_kind": {k: chance(c) for k, c in self.mission_kind.items()},
            "short_by_kind": {k: chance(c) for k, c in self.short_by_kind.items()},
            "in_power": chance(self.in_power),
            "in_power_by_answer": {k: chance(c) for k, c in self.in_power_by_answer.items()},
            "fits": {m: {"tag": t, "method": how} for m, (t, how, _) in self.provenance.items()},
        }


def predict(
    features: Features,
    *,
    before: dt.date | None = None,
    exclude: Exclude | None = None,
    fits: Fits | None = None,
    seed: int = _SEED,
) -> Outlook:
    """Return the outlook for a crisis from the stored fits, without hindsight.

    Parameters
    ----------
    features : Features
    before : datetime.date, optional
        Use only what was known before the latest 1 January up to this day.
    exclude : str or (str, int), optional
        The row of the case at hand, which must not inform its own outlook: its id, or the
        requester's ISO code and the year.
    fits : Fits, optional
        Fits to use instead of the shipped ones.
    seed : int
        For the samples of days, soldiers and months.

    Returns
    -------
    Outlook
    """
    cases = (fits or load_fits()).cases
    x = inputs(
        [features], unknown_yes(features.organisation, cases, before=before, exclude=exclude)
    )
    parts = {
        m: posterior(m, before=before, exclude=exclude, fits=fits)
        for m in ("call", "arrival", "size", "duration", "survival")
    }
    draws = {m: p.draws for m, p in parts.items()}
    asked = None if features.formal_request is None else np.array([float(features.formal_request)])
    request = models.request_probability(draws["call"], x)[:, 0]
    answer = models.answer_probability(draws["call"], x, asked=asked)[:, 0]
    if_asked = models.answer_given_request(draws["call"], x)[:, 0]
    by_answer = models.survival_by_answer(draws["survival"], x)[:, 0]
    mixed = by_answer @ answer.mean(axis=0)
    random = np.random.default_rng(seed)
    mean, sd = models.arrival_location(draws["arrival"], x)
    days = np.exp(_spread(mean[:, 0], sd[:, 0], random))
    mean, sd = models.size_location(draws["size"], x)
    soldiers = 10 ** _spread(mean[:, 0], sd[:, 0], random)
    kind = models.kind_probability(draws["duration"], x)[:, 0]
    by_kind = models.short_share_by_kind(draws["duration"], x)[:, 0]
    share = models.short_share(draws["duration"], x)[:, 0]
    months = np.exp(_mixture(draws["duration"], share, random))
    return Outlook(
        features=features,
        request=Chance.of(request),
        answer=_by_answer(answer),
        answer_if_asked=_by_answer(if_asked),
        arrival_days=days,
        soldiers=soldiers,
        months=months,
        short_mission=Chance.of(share),
        mission_kind=_by_kind(kind),
        short_by_kind=_by_kind(by_kind),
        in_power=Chance.of(mixed),
        in_power_by_answer=_by_answer(by_answer),
        provenance={m: (p.tag, p.method, p.pareto_k) for m, p in parts.items()},
    )


def _by_answer(draws: Floats) -> dict[Answer, Chance]:
    return {name: Chance.of(draws[:, k]) for k, name in enumerate(ANSWERS)}


def _by_kind(draws: Floats) -> dict[MissionKind, Chance]:
    return {name: Chance.of(draws[:, k]) for k, name in enumerate(MISSION_KINDS)}


def _spread(mean: Floats, sd: Floats, random: np.random.Generator) -> Floats:
    """Return samples from normals, stratified within each draw of the parameters."""
    return (mean[:, None] + sd[:, None] * _normals(mean.size, random)).ravel()


def _normals(n: int, random: np.random.Generator) -> Floats:
    from scipy import special

    u = (random.permuted(np.tile(np.arange(_PER_DRAW), (n, 1)), axis=1) + random.random((n, 1))) / (
        _PER_DRAW
    )
    out: Floats = special.ndtri(np.clip(u, 1e-9, 1 - 1e-9))
    return out


def _mixture(draws: dict[str, Floats], share: Floats, random: np.random.Generator) -> Floats:
    short: NDArray[np.bool_] = random.random((share.size, _PER_DRAW)) < share[:, None]
    z = _normals(share.size, random)
    first = draws["mean"][:, :1] + draws["sd"][:, :1] * z
    second = draws["mean"][:, 1:] + draws["sd"][:, 1:] * z
    return np.where(short, first, second).ravel()


@dataclass(frozen=True, kw_only=True)
class OutsideView:
    """Base rates, the models' outlook and the nearest cases for one crisis.

    Attributes
    ----------
    title : str
    rates : tuple of BaseRate
        From the widest slice to the narrowest.
    quantiles : tuple of Quantiles
        Of tempo, size and duration.
    outlook : Outlook
    nearest_cases : tuple of Likeness
    before : datetime.date or None
    exclude : str, (str, int) or None
    """

    title: str
    rates: tuple[BaseRate, ...]
    quantiles: tuple[Quantiles, ...]
    outlook: Outlook
    nearest_cases: tuple[Likeness, ...]
    before: dt.date | None
    exclude: Exclude | None


def outside_view(
    case: str | Features | Mapping[str, Any],
    *,
    title: str | None = None,
    before: dt.date | None = None,
    exclude: Exclude | None = None,
    n: int = 5,
    folder: str | Path | None = None,
) -> OutsideView:
    """Return the outside view of a crisis, without hindsight.

    Parameters
    ----------
    case : str, Features or mapping
        Id of a coded case, or the features of the crisis at hand.
    title : str, optional
        Title of the view.
    before : datetime.date, optional
        As-of date; for a coded case, its start by default.
    exclude : str or (str, int), optional
        The row of the case at hand, by id or by the requester's ISO code and the year. A coded
        case always excludes itself and the other rows of its requester and year.
    n : int
        Number of nearest cases.
    folder : path, optional
        More cases for the rates and the nearest cases; the models are the shipped fits.
    """
    book = load_casebook(folder)
    if isinstance(case, str):
        coded = book[case]
        wanted = Features.of(coded)
        title = title or f"{coded.id}, {coded.title}"
        before, exclude = before or coded.start(), coded.key
        like = features_of(coded)
    else:
        wanted = case if isinstance(case, Features) else Features.from_mapping(case)
        title = title or f"{wanted.trigger} {wanted.year}, {wanted.organisation}"
        like = {
            k: getattr(wanted, k)
            for k in ("trigger", "organisation", "formal_request", "year", "base", "contiguous")
        }
    rates, quantiles = _outside(book, wanted, before, exclude)
    return OutsideView(
        title=title,
        rates=rates,
        quantiles=quantiles,
        outlook=predict(wanted, before=before, exclude=exclude),
        nearest_cases=tuple(nearest(book, like, n=n, before=before, exclude=exclude)),
        before=before,
        exclude=exclude,
    )


def _outside(
    book: Casebook, wanted: Features, before: dt.date | None, exclude: Exclude | None
) -> tuple[tuple[BaseRate, ...], tuple[Quantiles, ...]]:
    group, trigger = organisation_group(wanted.organisation), wanted.trigger
    known: dict[str, Any] = {"before": before, "exclude": exclude}
    rates = (
        base_rate(book, **known),
        base_rate(book, formal_request=None, **known),
        base_rate(book, trigger=trigger, **known),
        base_rate(book, trigger=trigger, formal_request=None, **known),
        base_rate(book, organisation=group, **known),
        base_rate(book, organisation=group, formal_request=None, **known),
        base_rate(book, organisation=group, trigger=trigger, **known),
        base_rate(book, organisation=group, trigger=trigger, formal_request=None, **known),
        request_rate(book, trigger=trigger, **known),
        survival_rate(book, trigger=trigger, **known),
    )
    return rates, (tempo(book, **known), size(book, **known), duration(book, **known))
