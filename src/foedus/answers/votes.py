"""The alliance's vote in weighted runs: who was for, aside or against, and who sent troops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case
from foedus.plain_values import Plain
from foedus.weighing.verdict import Verdict
from foedus.weighted_statistics import mean_and_error

if TYPE_CHECKING:
    import xarray as xr

    from foedus.weighing.weights import Weights

FloatArray = NDArray[np.float64]

#: A vote as the runs write it, and what it is called.
VOTES: dict[int, str] = {1: "for", 0: "aside", -1: "against", 9: "not_asked"}
#: Ways in which all members together voted that are listed.
MOST_WAYS = 8


@dataclass(frozen=True)
class Share(Plain):
    """A share of weighted runs with its Monte-Carlo standard error."""

    share: float
    error: float


@dataclass(frozen=True)
class Row(Plain):
    """One member.

    Attributes
    ----------
    member, name : str
    lead, requester : bool
        These two vote for whatever comes to a vote.
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


@dataclass(frozen=True)
class VoteMatrix(Plain):
    """How the alliance voted.

    Attributes
    ----------
    rule : str
    rows : tuple of Row
        In the case's order.
    asked, decided, refused : Share
        Help was asked for; granted; refused, by the end.
    ways : tuple of (tuple of int, Share)
        How all members voted, the most frequent first; 9 for not asked.
    verdict : Verdict
        Of the forecast; where refused, nothing is said.
    """

    rule: str
    verdict: Verdict
    rows: tuple[Row, ...]
    asked: Share | None
    decided: Share | None
    refused: Share | None
    ways: tuple[tuple[tuple[int, ...], Share], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
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
        Without rows where the forecast refuses.
    """
    if weights.verdict.refused:
        return VoteMatrix(case.alliance.rule, weights.verdict, (), None, None, None, ())
    w = weights.weight
    votes = dataset["vote"].to_numpy()
    sends = dataset["contribution_day"].to_numpy() >= 0
    rows = []
    for m, member in enumerate(case.alliance.members):
        rows.append(
            Row(
                member.actor,
                case.actors[member.actor].name,
                member.actor == case.alliance.lead,
                member.actor == case.alliance.requester,
                {word: _share(votes[:, m] == code, w) for code, word in VOTES.items()},
                _share(sends[:, m], w),
            )
        )
    happened = {
        e: _share(dataset[f"event_{e}"].to_numpy() >= 0, w)
        for e in ("request", "decision", "refusal")
    }
    return VoteMatrix(
        case.alliance.rule,
        weights.verdict,
        tuple(rows),
        happened["request"],
        happened["decision"],
        happened["refusal"],
        _ways(votes, w),
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
