"""How far answers of a kind err: the discrepancy, and the weight of the pool, from a back-test.

Each family of questions has an error on the scale of log-odds, normal with standard deviation s. A
forecast p of the back-test then stands for ``E[expit(logit p + s Z)]``, and s is what makes the
outcomes likely. The questions of one family and crisis are about one thing, so together they count
as one. The families are partially pooled: s is half-normal with a scale common to all, itself
half-normal with scale :data:`WIDEST`, and both are integrated over a grid. What the forecasts do
not need is so shrunk towards none. The expected s is used.

Nothing here is fitted to the case at hand: scores leave a crisis out, and a forecast uses the
crises of the years before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import special

from foedus.answers.discrepancy import FAMILIES, OTHER
from foedus.answers.pooling import widened_chances
from foedus.scoring_rules import FLOOR

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]

#: Standard deviations that are considered, and common scales of them.
SDS = np.linspace(0.0, 3.0, 31)
SCALES = np.geomspace(0.02, 2.0, 25)
#: Scale of the half-normal prior of the common scale; elicited.
WIDEST = 0.5
#: Weights of history that are considered.
WEIGHTS = np.linspace(0.0, 1.0, 41)
#: Column of the back-test for each source of a headline.
COLUMNS = {"pooled": "pooled", "simulation": "simulation", "history": "casebook"}

#: Family of each generic question, by the first word of its id.
_FAMILY = {
    "asked": "asked",
    "troops": "answer",
    "limited": "answer",
    "refused": "answer",
    "none": "answer",
    "landed": "arrival",
    "soldiers": "size",
    "gone": "stay",
    "in": "in_power",
    "dead": "dead",
}


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What the forecasts of a back-test say of the discrepancy, by crisis.

    Attributes
    ----------
    clusters : tuple of str
        Requester and year of each crisis.
    log_likelihood : ndarray, shape (cluster, family, sd)
        At :data:`SDS`, in the order of :data:`~foedus.answers.discrepancy.FAMILIES`.
    """

    clusters: tuple[str, ...]
    log_likelihood: FloatArray

    def without(self, cluster: str) -> dict[str, float]:
        """Return the discrepancy by family from all other crises."""
        kept = np.array([c != cluster for c in self.clusters])
        return _expected(self.log_likelihood[kept])

    def before(self, year: int) -> dict[str, float]:
        """Return the discrepancy by family from the crises before a year."""
        kept = np.array([_year(c) < year for c in self.clusters])
        return _expected(self.log_likelihood[kept])


def fit(forecasts: pd.DataFrame, forecaster: str) -> Fit:
    """Return how likely the outcomes of a back-test are at each discrepancy.

    Parameters
    ----------
    forecasts : DataFrame
        See :func:`foedus.scoring.casebook_backtest.table`.
    forecaster : str
        A column of it.
    """
    clusters = tuple(sorted(set(forecasts["cluster"])))
    families = family_of(forecasts["question"])
    out = np.zeros((len(clusters), len(FAMILIES), SDS.size))
    p = forecasts[forecaster].to_numpy(np.float64)
    said = widened_chances(p[:, None], SDS[None, :])
    came = forecasts["outcome"].to_numpy(bool)[:, None]
    logs = np.log(np.where(came, said, 1.0 - said))
    row = np.searchsorted(clusters, forecasts["cluster"].to_numpy(str))
    column = np.array([FAMILIES.index(f) for f in families], dtype=np.intp)
    count = np.zeros(out.shape[:2])
    np.add.at(out, (row, column), logs)
    np.add.at(count, (row, column), 1.0)
    return Fit(clusters=clusters, log_likelihood=out / np.maximum(count, 1.0)[:, :, None])


def family_of(questions: Iterable[str]) -> list[str]:
    """Return the family of each generic question."""
    return [_FAMILY[question.split("-")[0]] for question in questions]


def _expected(log_likelihood: FloatArray) -> dict[str, float]:
    """Return the posterior mean of each family's discrepancy; 0 where there is no crisis."""
    if not len(log_likelihood):
        return dict.fromkeys((*FAMILIES, OTHER), 0.0)
    prior = -0.5 * (SDS / SCALES[:, None]) ** 2
    prior[:, 0] -= np.log(2.0)  # the first cell of the grid is half as wide
    prior -= special.logsumexp(prior, axis=1, keepdims=True)
    # (scale, family, sd)
    joint = prior[:, None, :] + log_likelihood.sum(axis=0)
    evidence = special.logsumexp(joint, axis=2)
    scale = special.softmax(evidence.sum(axis=1) + np.log(SCALES) - 0.5 * (SCALES / WIDEST) ** 2)
    means = special.softmax(joint, axis=2) @ SDS
    found = dict(zip(FAMILIES, (scale @ means).tolist(), strict=True))
    return {**found, OTHER: float(scale @ (np.exp(prior) @ SDS))}


def leave_one_out(forecasts: pd.DataFrame, forecaster: str) -> FloatArray:
    """Return the forecasts, each widened by what all other crises show, shape (forecast,)."""
    found = fit(forecasts, forecaster)
    by_crisis = {cluster: found.without(cluster) for cluster in found.clusters}
    families = family_of(forecasts["question"])
    sd = [by_crisis[c][f] for c, f in zip(forecasts["cluster"], families, strict=True)]
    return widened_chances(forecasts[forecaster].to_numpy(np.float64), np.array(sd))


def by_year(forecasts: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Return the discrepancy by year, source of the headline, and family.

    That of a year is from the crises before it.

    Parameters
    ----------
    forecasts : DataFrame
        With rolling origin, so that no forecast in it knows anything later either.
    """
    fits = {source: _fit_of(forecasts, column) for source, column in COLUMNS.items()}
    years = sorted({_year(c) + 1 for c in fits["pooled"].clusters})
    return {
        str(year): {
            source: {name: round(sd, 3) for name, sd in found.before(year).items()}
            for source, found in fits.items()
        }
        for year in years
    }


def _fit_of(forecasts: pd.DataFrame, column: str) -> Fit:
    """Return the fit of a forecaster, of the simulation only where it knows such a thing."""
    return fit(forecasts[~_alone(forecasts)] if column == "simulation" else forecasts, column)


def _alone(forecasts: pd.DataFrame) -> NDArray[np.bool_]:
    """Return where the pool is the casebook alone, as the world has no such thing."""
    return np.asarray(forecasts["pooled"].to_numpy() == forecasts["casebook"].to_numpy())


def _year(cluster: str) -> int:
    return int(cluster.split()[-1])


@dataclass(frozen=True, kw_only=True)
class PoolWeight:
    """The weight of history in the pool, by mean Brier score.

    Attributes
    ----------
    best : float
        Over all crises.
    lowest, highest : float
        Of the best weights when each crisis in turn is left out.
    best_score, half_score : float
        Mean Brier score at the best weight, and at one half.
    left_out_score : float
        Where each crisis is forecast with the weight that is best for the others.
    """

    best: float
    lowest: float
    highest: float
    best_score: float
    half_score: float
    left_out_score: float

    def __str__(self) -> str:
        """Return the weights and their scores as text."""
        return (
            f"best weight of history {self.best:.3g} (without one crisis {self.lowest:.3g} to "
            f"{self.highest:.3g}): mean Brier score {self.best_score:.4f}, chosen leave-one-out "
            f"{self.left_out_score:.4f}, one half {self.half_score:.4f}; one half loses "
            f"{self.half_score - self.left_out_score:+.4f} against the choice leave-one-out"
        )


def pool_weight(forecasts: pd.DataFrame) -> PoolWeight:
    """Return the best weight of history in the pool, and what one half loses against it.

    The score is the mean over questions and dates of the mean over crises.

    Parameters
    ----------
    forecasts : DataFrame
        Of the stages that are to count.
    """
    history = forecasts["casebook"].to_numpy(np.float64)
    simulated = np.where(_alone(forecasts), history, forecasts["simulation"].to_numpy(np.float64))
    logits = [special.logit(np.clip(p, FLOOR, 1.0 - FLOOR)) for p in (simulated, history)]
    said = special.expit(np.outer(1.0 - WEIGHTS, logits[0]) + np.outer(WEIGHTS, logits[1]))
    loss = (said - forecasts["outcome"].to_numpy(np.float64)) ** 2
    cells = forecasts.groupby(["stage", "question"], sort=False).ngroup().to_numpy()
    names, crisis = np.unique(forecasts["cluster"].to_numpy(str), return_inverse=True)
    sums = np.zeros((names.size, cells.max() + 1, WEIGHTS.size))
    counts = np.zeros(sums.shape[:2])
    np.add.at(sums, (crisis, cells), loss.T)
    np.add.at(counts, (crisis, cells), 1.0)

    def score(kept: NDArray[np.bool_]) -> FloatArray:
        count = counts[kept].sum(axis=0)
        asked = count > 0
        return np.asarray((sums[kept].sum(axis=0)[asked] / count[asked, None]).mean(axis=0))

    every = np.ones(names.size, dtype=np.bool_)
    total = score(every)
    chosen = np.array([int(np.argmin(score(names != name))) for name in names])
    mine = sums[np.arange(names.size), :, chosen]
    best = int(np.argmin(total))
    return PoolWeight(
        best=float(WEIGHTS[best]),
        lowest=float(WEIGHTS[chosen.min()]),
        highest=float(WEIGHTS[chosen.max()]),
        best_score=float(total[best]),
        half_score=float(total[WEIGHTS.size // 2]),
        left_out_score=float((mine.sum(axis=0) / counts.sum(axis=0)).mean()),
    )
