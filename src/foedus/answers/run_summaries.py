"""Summaries of the weighted runs: by place and member, by vote, and a sample of single runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foedus.answers.counterfactuals import resample
from foedus.case.models import Case
from foedus.defaults import BLOCK
from foedus.plain_values import Plain
from foedus.weighing.quantities import UNREST_CROWD, Frame, blocks, series, variables
from foedus.weighing.verdict import Verdict
from foedus.weighing.weights import Weights, carrying
from foedus.weighted_statistics import mean_and_error, quantile

if TYPE_CHECKING:
    import xarray as xr

FloatArray = NDArray[np.float64]

#: Quantiles of the map.
LEVELS: tuple[float, ...] = (0.05, 0.5, 0.95)
_KEYS = ("q05", "q50", "q95")
_MOST_RUNS = 20_000
#: Names of the votes, by their codes in the runs.
VOTES: dict[int, str] = {1: "for", 0: "aside", -1: "against", 9: "not_asked"}
#: Combinations of votes that are listed.
MOST_WAYS = 8
_SHOWN = ("crowd", "deaths_total", "troops_present")


def by_place(case: Case, dataset: xr.Dataset, weights: Weights) -> dict[str, Any]:
    """Return unrest by place and allied troops by member, day by day.

    Parameters
    ----------
    case : Case
        The case that the runs were made of.
    dataset : xarray.Dataset
        Dims run, day, city, member.
    weights : Weights
        Of the runs, as a forecast gives them.

    Returns
    -------
    dict
        ``dates``: ISO texts. ``places``: by short name ``unrest`` (probability of more than
        50 people in the streets) and ``crowd`` (people at the day's peak: ``q05``, ``q50``,
        ``q95``). ``members``: by actor ``present`` (probability that troops are in the country)
        and ``troops`` (``q05``, ``q50``, ``q95``, ``mean``). Lists have one number a day.
        Where the forecast refuses, ``refused`` is true and there are neither places nor members.
    """
    frame = Frame.of(case)
    dates = [frame.date(d).isoformat() for d in range(frame.horizon)]
    if weights.verdict.refused:
        return {"dates": dates, "refused": True, "places": {}, "members": {}}
    rows = carrying(weights.weight, _MOST_RUNS)
    weight = weights.weight[rows] / weights.weight[rows].sum()
    shown = dataset.isel(run=rows)
    crowd = _by_run(shown, frame, "crowd")
    troops = _by_run(shown, frame, "troops_present")
    places: dict[str, dict[str, Any]] = {
        name: {
            "unrest": _shares(crowd[:, :, i] > UNREST_CROWD, weight),
            "crowd": _bands(crowd[:, :, i], weight),
        }
        for i, name in enumerate(frame.cities)
    }
    members: dict[str, dict[str, Any]] = {
        name: {
            "present": _shares(troops[:, :, i] > 0, weight),
            "troops": {
                **_bands(troops[:, :, i], weight),
                "mean": [round(float(v), 2) for v in weight @ troops[:, :, i]],
            },
        }
        for i, name in enumerate(frame.members)
    }
    return {"dates": dates, "refused": False, "places": places, "members": members}


def _by_run(dataset: xr.Dataset, frame: Frame, quantity: str) -> FloatArray:
    """Return a quantity by run, day, and place or member."""
    units = frame.cities if quantity == "crowd" else frame.members
    unit = "place" if quantity == "crowd" else "member"
    parts = [
        np.stack([series(runs, frame, quantity, **{unit: u}) for u in units], axis=2)
        for runs in blocks(dataset, (quantity,), size=BLOCK)
    ]
    return np.concatenate(parts)


def _shares(true: NDArray[np.bool_], weight: FloatArray) -> list[float]:
    return [round(min(max(float(v), 0.0), 1.0), 4) for v in weight @ true]


def _bands(values: FloatArray, weight: FloatArray) -> dict[str, list[float]]:
    found = quantile(values, weight, np.array(LEVELS))
    return {key: [round(float(v), 2) for v in row] for key, row in zip(_KEYS, found, strict=True)}


@dataclass(frozen=True)
class Share(Plain):
    """A share of weighted runs with its Monte-Carlo standard error."""

    share: float
    error: float


@dataclass(frozen=True, kw_only=True)
class MemberVotes(Plain):
    """One member.

    Attributes
    ----------
    member, name : str
    lead, requester : bool
        These two always vote for.
    votes : dict of str to Share
        By the words of :data:`VOTES`; they sum to 1.
    sends : Share
        Commits troops by the end.
    """

    member: str
    name: str
    lead: bool
    requester: bool
    votes: dict[str, Share]
    sends: Share


@dataclass(frozen=True, kw_only=True)
class VoteMatrix(Plain):
    """How the alliance voted.

    Attributes
    ----------
    rule : str
    rows : tuple of MemberVotes
        In the case's order.
    asked, decided, refused : Share
        Help was asked for; granted; refused, by the end.
    ways : tuple of (tuple of int, Share)
        Combinations of the votes of all members, the most frequent first; 9 for not asked.
    verdict : Verdict
        Of the forecast; if refused, there is nothing else.
    """

    rule: str
    verdict: Verdict
    rows: tuple[MemberVotes, ...]
    asked: Share | None
    decided: Share | None
    refused: Share | None
    ways: tuple[tuple[tuple[int, ...], Share], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: the share's keys stand beside the votes."""
        ways = [{"votes": list(way), **share.to_dict()} for way, share in self.ways]
        return {**super().to_dict(), "ways": ways}


def vote_matrix(case: Case, dataset: xr.Dataset, weights: Weights) -> VoteMatrix:
    """Return how the alliance votes in the weighted runs of an ensemble.

    Parameters
    ----------
    case : Case
    dataset : xarray.Dataset
        Dims run, member; variables ``vote``, ``contribution_day`` and the ``event_…`` of request,
        decision and refusal.
    weights : Weights
        Of the runs, as a forecast gives them.

    Returns
    -------
    VoteMatrix
        Without rows if the forecast refuses.
    """
    if weights.verdict.refused:
        return VoteMatrix(
            rule=case.alliance.rule,
            verdict=weights.verdict,
            rows=(),
            asked=None,
            decided=None,
            refused=None,
            ways=(),
        )
    w = weights.weight
    votes = dataset["vote"].to_numpy()
    sends = dataset["contribution_day"].to_numpy() >= 0
    rows = []
    for m, member in enumerate(case.alliance.members):
        rows.append(
            MemberVotes(
                member=member.actor,
                name=case.actors[member.actor].name,
                lead=member.actor == case.alliance.lead,
                requester=member.actor == case.alliance.requester,
                votes={word: _share(votes[:, m] == code, w) for code, word in VOTES.items()},
                sends=_share(sends[:, m], w),
            )
        )
    happened = {
        e: _share(dataset[f"event_{e}"].to_numpy() >= 0, w)
        for e in ("request", "decision", "refusal")
    }
    return VoteMatrix(
        rule=case.alliance.rule,
        verdict=weights.verdict,
        rows=tuple(rows),
        asked=happened["request"],
        decided=happened["decision"],
        refused=happened["refusal"],
        ways=_ways(votes, w),
    )


def _share(true: NDArray[np.bool_], weight: FloatArray) -> Share:
    share, error = mean_and_error(true.astype(np.float64), weight)
    return Share(min(max(share, 0.0), 1.0), error)


def _ways(votes: NDArray[np.int8], weight: FloatArray) -> tuple[tuple[tuple[int, ...], Share], ...]:
    ways, which = np.unique(votes, axis=0, return_inverse=True)
    which = which.reshape(-1)
    total = np.bincount(which, weights=weight, minlength=len(ways))
    order = np.argsort(-total, kind="stable")[:MOST_WAYS]
    return tuple(
        (tuple(int(v) for v in ways[k]), _share(which == k, weight)) for k in order if total[k] > 0
    )


@dataclass(frozen=True, kw_only=True)
class SampledRun(Plain):
    """A run in brief.

    Attributes
    ----------
    run : int
        Its number.
    weight : float
        Share of the whole weight.
    hypothesis : str or None
    crowd, deaths, troops : float
        Most people in the streets on a day, people killed by the end, most allied troops.
    """

    run: int
    weight: float
    hypothesis: str | None
    crowd: float
    deaths: float
    troops: float


def sample_runs(
    case: Case,
    dataset: xr.Dataset,
    weights: Weights,
    numbers: NDArray[np.int64],
    *,
    count: int = 12,
    seed: int = 1,
) -> tuple[SampledRun, ...]:
    """Return some runs drawn by weight, or from all runs alike if the forecast refuses.

    Parameters
    ----------
    case : Case
    dataset : xarray.Dataset
    weights : Weights
    numbers : ndarray, shape (run,)
        Numbers of the runs in the dataset.
    count : int
        How many are drawn; a run drawn twice is listed once.
    seed : int

    Returns
    -------
    tuple of SampledRun
        The deadliest first.
    """
    size = numbers.size
    if not size:
        return ()
    told = not weights.verdict.refused
    rows = np.flatnonzero(
        resample(weights.weight if told else np.full(size, 1.0 / size), count, seed=seed)
    )
    frame = Frame.of(case)
    names = sorted({n for key in _SHOWN for n in variables(key)} | {"hypothesis"})
    names = [n for n in names if n in dataset]
    block = next(iter(blocks(dataset.isel(run=rows), names, size=max(rows.size, 1))))
    crowd, deaths, troops = (series(block, frame, key) for key in _SHOWN)
    which = block.get("hypothesis", np.full(rows.size, -1))
    found = [
        SampledRun(
            run=int(numbers[row]),
            weight=float(weights.weight[row]),
            hypothesis=case.hypotheses[int(which[k])].id if int(which[k]) >= 0 else None,
            crowd=float(crowd[k].max()),
            deaths=float(deaths[k, -1]),
            troops=float(troops[k].max()),
        )
        for k, row in enumerate(rows.tolist())
    ]
    return tuple(sorted(found, key=lambda p: (-p.deaths, p.run)))
