"""Importance weights of runs, with their diagnostics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from foedus.errors import InputError
from foedus.weighing.verdict import Verdict, of_weights

FloatArray = NDArray[np.float64]

#: The mass of the runs that carry the answer.
_CARRIED = 0.99


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Normalised weights of the runs.

    Attributes
    ----------
    log_weight : (run,)
        Log of the weight, up to a constant.
    weight : (run,)
        Sums to 1; zero everywhere if no run has a finite weight.
    ess : float
        Effective sample size, ``1 / sum(weight**2)`` (Kish).
    largest : float
        Largest weight.
    carrying : int
        Fewest runs that carry 99% of the weight.
    usable : int
        Runs with a finite log-weight.
    pareto_k : float
        Shape of the generalised Pareto tail of the weights; NaN if runs are too few.
    verdict : Verdict
    """

    log_weight: FloatArray
    weight: FloatArray
    ess: float
    largest: float
    carrying: int
    usable: int
    pareto_k: float
    verdict: Verdict

    @property
    def runs(self) -> int:
        """Runs that were weighed."""
        return int(self.log_weight.size)


def normalise(log_weight: FloatArray) -> FloatArray:
    """Return weights that sum to 1, shape (..., run); all zero where no log-weight is finite."""
    log_weight = np.asarray(log_weight, dtype=np.float64)
    top = np.max(log_weight, axis=-1, keepdims=True, initial=-np.inf)
    weight = np.exp(log_weight - np.where(np.isfinite(top), top, 0.0))
    total = weight.sum(axis=-1, keepdims=True)
    return np.asarray(weight / np.where(total > 0, total, 1.0))


def effective_size(log_weight: FloatArray) -> FloatArray:
    """Return Kish's effective sample size over the last axis; 0 where no weight is finite."""
    squares = (normalise(log_weight) ** 2).sum(axis=-1)
    return np.asarray(np.where(squares > 0, 1.0 / np.where(squares > 0, squares, 1.0), 0.0))


def importance_weights(log_weight: FloatArray, *, smooth: bool = False) -> Weights:
    """Return normalised weights with their diagnostics.

    Parameters
    ----------
    log_weight : ndarray, shape (run,)
        Up to a constant. Runs with minus infinity or NaN are not used.
    smooth : bool
        Replace the largest weights by the expected order statistics of a Pareto tail
        (Pareto-smoothed importance sampling): a little bias for much less variance.

    Raises
    ------
    InputError
        If there is no run at all.
    """
    log_weight = np.array(log_weight, dtype=np.float64)
    if log_weight.ndim != 1 or not log_weight.size:
        raise InputError(f"log_weight: shape (run,), at least 1 run (found {log_weight.shape})")
    log_weight[np.isnan(log_weight) | (log_weight == np.inf)] = -np.inf
    smoothed, k = pareto_smooth(log_weight)
    if smooth:
        log_weight = smoothed
    weight = normalise(log_weight)
    ess = float(effective_size(log_weight))
    down = np.sort(weight)[::-1].cumsum()
    return Weights(
        log_weight=log_weight,
        weight=weight,
        ess=ess,
        largest=float(weight.max()),
        carrying=int(np.searchsorted(down, _CARRIED * down[-1])) + 1 if down[-1] > 0 else 0,
        usable=int(np.isfinite(log_weight).sum()),
        pareto_k=k,
        verdict=of_weights(effective=ess, k=k, runs=log_weight.size),
    )


def without(log_weight: FloatArray, contribution: FloatArray) -> FloatArray:
    """Return the log-weights with each report left out, shape (report, run).

    Parameters
    ----------
    log_weight : ndarray, shape (run,)
    contribution : ndarray, shape (report, run)
        Of each report to the log-weights.
    """
    unusable = ~np.isfinite(log_weight)
    added = np.where(np.isfinite(contribution), contribution, 0.0)
    return np.asarray(np.where(unusable, -np.inf, log_weight - added))


def pareto_smooth(log_weight: FloatArray) -> tuple[FloatArray, float]:
    """Return Pareto-smoothed log-weights and the tail's shape.

    Vehtari, Simpson, Gelman, Yao and Gabry 2024 (arXiv:1507.02646), with the tail fit of Zhang
    and Stephens 2009 (doi 10.1198/tech.2009.08017).

    Parameters
    ----------
    log_weight : ndarray, shape (run,)

    Returns
    -------
    smoothed : ndarray, shape (run,)
    k : float
        NaN, with the weights unchanged, if fewer than 5 distinct weights are in the tail.
    """
    usable = np.flatnonzero(np.isfinite(log_weight))
    n = usable.size
    tail = int(min(np.ceil(0.2 * n), np.ceil(3.0 * np.sqrt(n)))) if n else 0
    if tail < 5 or tail >= n:
        return log_weight, float("nan")
    logs = log_weight[usable] - log_weight[usable].max()
    order = np.argsort(logs, kind="stable")
    top = order[-tail:]
    cut = np.exp(logs[order[-tail - 1]])
    excess = np.exp(logs[top]) - cut
    if np.unique(excess[excess > 1e-300]).size < 5:
        return log_weight, float("nan")
    k, sigma = _pareto_fit(np.maximum(excess, 1e-300))
    p = (np.arange(tail) + 0.5) / tail
    # Beyond e^600 a fitted weight is truncated to the largest anyway.
    z = np.minimum(-k * np.log1p(-p), 600.0)
    fitted = -np.log1p(-p) if abs(k) < 1e-12 else np.expm1(z) / k
    values = np.minimum(np.log(np.maximum(cut + sigma * fitted, 1e-300)), 0.0)
    smoothed = log_weight.copy()
    smoothed[usable[top]] = values + log_weight[usable].max()
    return smoothed, float(k)


def _pareto_fit(x: FloatArray) -> tuple[float, float]:
    """Return shape and scale of a generalised Pareto distribution, ``x`` ascending."""
    n = x.size
    grid = 30 + int(np.sqrt(n))
    j = np.arange(1, grid + 1)
    quarter = x[int(n / 4 + 0.5) - 1]
    b = 1.0 / x[-1] + (1.0 - np.sqrt(grid / (j - 0.5))) / (3.0 * max(quarter, 1e-300))
    k = np.log1p(-b[:, None] * x).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        profile = n * (np.log(-b / k) - k - 1.0)
    profile = np.where(np.isfinite(profile), profile, -np.inf)
    if not np.isfinite(profile).any():
        return float("nan"), float("nan")
    best = float((b * special.softmax(profile)).sum())
    shape = float(np.log1p(-best * x).mean())
    # A weak prior towards one half, worth ten observations, stabilises short tails.
    return (n * shape + 5.0) / (n + 10.0), -shape / best


def carrying(weight: FloatArray, most: int) -> NDArray[np.int64]:
    """Return the runs that carry all but a millionth of the weight, thinned evenly if too many."""
    order = np.argsort(-weight, kind="stable")
    last = int(np.searchsorted(weight[order].cumsum(), 1.0 - 1e-6)) + 1
    rows = np.sort(order[:last])
    step = -(-rows.size // max(most, 1))
    return np.asarray(rows[::step])
