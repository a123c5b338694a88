"""Scoring rules: how good a probability or a distribution was, given the outcome.

The Brier score of a yes-or-no question is ``(p - y)**2``, from 0 to 1: half of Brier's original sum
over both answers. For a question with more than two answers it is that sum, from 0 to 2. All scores
are better when smaller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foedus.defaults import HISTORY_WEIGHT
from foedus.errors import InputError
from foedus.plain_values import Plain

FloatArray = NDArray[np.float64]

#: For the log score, a baseline that says "never" or "certainly" is moved this far away from 0 or
#: 1, where the score would be infinite. The Brier score takes it unchanged.
BASELINE_FLOOR = 0.01
#: Bounds of a probability of the back-test or in a pool: no set of runs and no history proves that
#: something cannot happen, and one "never" would silence the other voice.
FLOOR = 0.005


@dataclass(frozen=True)
class Score(Plain):
    """The scores of one forecaster on one question; those that do not apply are None."""

    forecast: float | None = None
    brier: float | None = None
    log: float | None = None
    crps: float | None = None

    @property
    def main(self) -> float | None:
        """Brier score of a probability, CRPS of a distribution."""
        return self.crps if self.brier is None else self.brier


def brier(p: float, outcome: bool, *, two_sided: bool = False) -> float:
    """Return the Brier score, 0 (right and certain) to 1 (wrong and certain).

    Parameters
    ----------
    p : float
        Probability of "true".
    outcome : bool
    two_sided : bool
        Brier's original sum over both answers, twice as large: 0 to 2. foedus reports the half.
    """
    score = (p - float(outcome)) ** 2
    return 2.0 * score if two_sided else score


def log_score(p: float, outcome: bool) -> float:
    """Return minus the natural log of the probability of the outcome."""
    given = p if outcome else 1.0 - p
    return -math.log(given) if given > 0 else math.inf


def shrunk(p: float, effective: float) -> float:
    """Return a probability estimated from a finite sample, moved away from 0 and 1.

    ``(n p + ½) / (n + 1)`` with n the effective sample size: no number of runs proves that
    something cannot happen.
    """
    return (effective * p + 0.5) / (effective + 1.0)


def smoothed_share(values: Sequence[bool]) -> float:
    """Return the share of yes with half a yes and half a no added (Jeffreys' prior)."""
    return (sum(values) + 0.5) / (len(values) + 1.0)


def floored(p: float) -> float:
    """Return a baseline's probability moved :data:`BASELINE_FLOOR` away from 0 and 1."""
    return min(max(p, BASELINE_FLOOR), 1.0 - BASELINE_FLOOR)


def safe_chance(p: float) -> float:
    """Return a probability within :data:`FLOOR` of 0 and 1 at the nearest."""
    return min(max(p, FLOOR), 1.0 - FLOOR)


def logit_pool(simulation: float, history: float, weight: float = HISTORY_WEIGHT) -> float:
    """Return the logarithmic pool of two probabilities, a weighted mean of their log-odds.

    Parameters
    ----------
    simulation, history : float
    weight : float
        Of history, from 0 to 1.

    Notes
    -----
    Genest and Zidek 1986, doi 10.1214/ss/1177013825; Satopää et al. 2014, doi
    10.1016/j.ijforecast.2013.09.009, on pools of log-odds.
    """
    one, other = (math.log(p) - math.log1p(-p) for p in map(safe_chance, (simulation, history)))
    return 1.0 / (1.0 + math.exp(-((1.0 - weight) * one + weight * other)))


def crps(values: FloatArray, outcome: float, weight: FloatArray | None = None) -> float:
    """Return the continuous ranked probability score of a weighted ensemble, in its unit.

    Parameters
    ----------
    values : ndarray, shape (run,)
    outcome : float
    weight : ndarray, shape (run,), optional
        Equal if absent.

    Raises
    ------
    InputError
        If no value has a weight, or one is not finite.

    Notes
    -----
    ``E|X - y| - ½ E|X - X'|`` under the weighted empirical distribution (Gneiting and Raftery
    2007, doi 10.1198/016214506000001437), by scoringrules' quantile decomposition.
    """
    import scoringrules

    values = np.asarray(values, dtype=np.float64)
    if weight is not None:
        values, weight = values[weight > 0], weight[weight > 0]
    if values.size == 0 or not np.isfinite(values).all() or not math.isfinite(outcome):
        raise InputError("crps: finite values, at least one of them with a weight")
    return float(scoringrules.crps_ensemble(outcome, values, ens_w=weight))
