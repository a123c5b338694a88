"""Are ranks uniform? Statistics of simulation-based calibration.

In SBC (Talts et al. 2018, arXiv:1804.06788) a truth is drawn from the prior, data are simulated
from it, and the truth is ranked in the posterior. Over many truths the ranks are uniform if, and
for well chosen quantities only if, data and posterior agree. Here the posterior is a weighted
ensemble, and the rank is a randomised probability integral transform (PIT).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

FloatArray = NDArray[np.float64]

#: Levels of the central intervals whose coverage is checked.
LEVELS = (0.5, 0.8, 0.95)
#: Largest number of points at which an empirical distribution is compared with the diagonal.
POINTS = 100
#: Number of uniform samples behind the law of the statistic, and their seed.
SAMPLES = 20_000
SEED = 20180418
#: Values closer than this (relative) count as equal, because sums may differ in the last digit.
SAME = 1e-9


def pit(values: FloatArray, weight: FloatArray, truth: float, *, own: float, u: float) -> float:
    """Return the randomised PIT of a truth in a weighted ensemble.

    Parameters
    ----------
    values, weight : ndarray, shape (run,)
        The weights sum to 1; values may be infinite.
    truth : float
    own : float
        Weight of the truth itself, in units of the sum of all weights. Given the set of runs and
        truth, and the data, each member generated the data with a chance proportional to its
        weight. With ``own`` the PIT is therefore uniform for any number of runs (as a rank among L
        draws *and* the truth is); with 0 it is that of the ensemble as a user sees it.
    u : float
        Uniform draw that breaks ties.
    """
    if math.isfinite(truth):
        same = np.abs(values - truth) <= SAME * (1.0 + abs(truth))
    else:
        same = values == truth
    below = float(weight[(values < truth) & ~same].sum())
    return (below + u * (float(weight[same].sum()) + own)) / (1.0 + own)


def _points(n: int) -> FloatArray:
    k = min(n, POINTS)
    return np.arange(1, k) / k


@functools.lru_cache(maxsize=32)
def _two_sided(n: int) -> FloatArray:
    """Return the two-sided tail probability of each count at each point, shape (n + 1, point)."""
    counts, z = np.arange(n + 1)[:, None], _points(n)
    low, high = stats.binom.cdf(counts, n, z), stats.binom.sf(counts - 1, n, z)
    return np.asarray(2.0 * np.minimum(low, high))


def _tails(counts: NDArray[np.int64], n: int) -> FloatArray:
    """Return the smallest two-sided tail probability over the points, shape (...,)."""
    return np.asarray(_two_sided(n)[counts, np.arange(counts.shape[-1])].min(axis=-1))


@functools.lru_cache(maxsize=32)
def _law(n: int) -> FloatArray:
    """Return the sorted statistic of :data:`SAMPLES` uniform samples of size n."""
    z = _points(n)
    random = np.random.default_rng((SEED, n))
    cells = random.multinomial(n, np.full(z.size + 1, 1.0 / (z.size + 1)), size=SAMPLES)
    return np.sort(_tails(cells[:, :-1].cumsum(axis=1), n))


def p_value(pits: FloatArray) -> float:
    """Return the p-value of uniformity of PITs, simultaneous over the distribution.

    Säilynoja, Bürkner & Vehtari 2022 (doi 10.1007/s11222-022-10090-6): the count below each of the
    points z is binomial. The statistic is the smallest of their tail probabilities, and its law
    comes from simulation.
    """
    n = int(np.size(pits))
    if n < 2:
        return float("nan")
    z = _points(n)
    counts = np.searchsorted(np.sort(pits), z, side="right")
    law = _law(n)
    rank = np.searchsorted(law, _tails(counts, n) * (1 + 1e-9), side="right")
    return float((rank + 1) / (law.size + 1))


def band(n: int, level: float = 0.95) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return points and the simultaneous band of the empirical distribution minus the diagonal."""
    z = _points(n)
    gamma = float(np.quantile(_law(n), 1.0 - level))
    low, high = (stats.binom.ppf(q, n, z) / n - z for q in (gamma / 2, 1.0 - gamma / 2))
    return z, low, high


@dataclass(frozen=True)
class Coverage:
    """How often intervals of a level contained the truth.

    Attributes
    ----------
    level, found, error : float
        Nominal and found coverage, and the Monte-Carlo standard error of the latter.
    """

    level: float
    found: float
    error: float

    @property
    def sigmas(self) -> float:
        """Distance from nominal in standard errors."""
        if self.error == 0.0:
            return 0.0 if self.found == self.level else math.copysign(99.0, self.found - self.level)
        return (self.found - self.level) / self.error

    def to_dict(self) -> dict[str, float]:
        """Return rounded numbers for JSON."""
        return {
            "found": round(self.found, 4),
            "error": round(self.error, 4),
            "sigmas": round(self.sigmas, 2),
        }


def coverage(pits: FloatArray, level: float) -> Coverage:
    """Return the share of crises whose PIT is central, and its error.

    Parameters
    ----------
    pits : ndarray, shape (crisis,) or (crisis, quantity)
        Quantities of one crisis are dependent: then the error is that of the means of crises,
        otherwise the binomial one at the nominal level.
    level : float
    """
    inside = (np.abs(np.asarray(pits) - 0.5) <= level / 2).astype(np.float64)
    if inside.ndim == 1:
        error = math.sqrt(level * (1.0 - level) / max(inside.size, 1))
        return Coverage(level, float(inside.mean()), error)
    by_crisis = inside.mean(axis=1)
    error = float(by_crisis.std(ddof=1) / math.sqrt(by_crisis.size)) if by_crisis.size > 1 else 0.0
    return Coverage(level, float(by_crisis.mean()), error)


def probabilities(p: FloatArray, outcome: FloatArray) -> dict[str, Any]:
    """Return whether probabilities of yes-or-no outcomes are calibrated.

    ``p_bias``: do they sum to the number of outcomes? ``p_spread``: Spiegelhalter's z (1986,
    doi 10.1002/sim.4780050506), sensitive to probabilities too near to or too far from 0 and 1.
    Both two-sided; NaN where there is nothing uncertain.
    """
    variance = p * (1.0 - p)
    tilt = 1.0 - 2.0 * p
    out: dict[str, Any] = {"mean": float(p.mean()), "share": float(outcome.mean())}
    for name, factor in (("p_bias", np.ones_like(p)), ("p_spread", tilt)):
        total = float((factor**2 * variance).sum())
        z = float(((outcome - p) * factor).sum()) / math.sqrt(total) if total > 0 else math.nan
        out[name] = float(2.0 * stats.norm.sf(abs(z)))
    return out


def bonferroni(p: list[float]) -> float:
    """Return the smallest of several p-values, times their number; valid under any dependence."""
    known = [x for x in p if not math.isnan(x)]
    return min(1.0, min(known) * len(known)) if known else math.nan
