"""Statistics of weighted runs: means with their Monte-Carlo error, and quantiles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Levels of all quantiles that are shown, and their keys in JSON.
LEVELS: tuple[float, ...] = (0.05, 0.25, 0.5, 0.75, 0.95)
KEYS: tuple[str, ...] = tuple(f"q{round(100 * q):02d}" for q in LEVELS)


def quantile(values: FloatArray, weight: FloatArray, q: FloatArray) -> FloatArray:
    """Return weighted quantiles: the smallest value whose cumulative weight reaches q.

    Parameters
    ----------
    values : ndarray, shape (run, ...)
        May contain infinities ("never"), which are the largest.
    weight : ndarray, shape (run,)
        Non-negative.
    q : ndarray, shape (level,)
        In (0, 1).

    Returns
    -------
    ndarray, shape (level, ...)
        NaN where the weights are all zero.
    """
    flat = values.reshape(values.shape[0], -1)
    q = np.asarray(q, dtype=np.float64)
    out = np.full((q.size, flat.shape[1]), np.nan)
    used = weight > 0
    if used.any():
        flat, w = flat[used], weight[used]
        order = np.argsort(flat, axis=0, kind="stable")
        cumulative = np.cumsum(w[order], axis=0)
        cumulative /= cumulative[-1]
        for column in range(flat.shape[1]):
            at = np.searchsorted(cumulative[:, column], q - 1e-12)
            out[:, column] = flat[order[np.minimum(at, w.size - 1), column], column]
    return out.reshape(q.size, *values.shape[1:])


def median(values: FloatArray, weight: FloatArray) -> float:
    """Return the weighted median of values of shape (run,); infinite for "never"."""
    return float(quantile(values, weight, np.array([0.5]))[0])


def mean_and_error(values: FloatArray, weight: FloatArray) -> tuple[float, float]:
    """Return a weighted mean and its Monte-Carlo standard error (self-normalised).

    Parameters
    ----------
    values, weight : ndarray, shape (run,)
        The weights sum to 1.
    """
    used = weight > 0
    if not used.any():
        return float("nan"), float("nan")
    v, w = values[used], weight[used]
    mean = float(np.dot(w, v))
    return mean, float(np.sqrt(np.dot(w**2, (v - mean) ** 2)))
