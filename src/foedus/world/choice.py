"""Logit (quantal response) choice.

A decider with utilities ``U_k`` takes option k with probability ``exp(λ U_k) / Σ_j exp(λ U_j)``.
The precision λ is 0 for a coin flip and large for a best response (McKelvey & Palfrey 1995, doi
10.1006/game.1995.1023).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

FloatArray = NDArray[np.float64]


def logistic(x: ArrayLike) -> FloatArray:
    """Return ``1 / (1 + exp(-x))`` elementwise."""
    return np.asarray(special.expit(np.asarray(x, dtype=np.float64)), dtype=np.float64)


def logit(utilities: FloatArray, precision: ArrayLike = 1.0) -> FloatArray:
    """Return logit choice probabilities.

    Parameters
    ----------
    utilities : ndarray, shape (..., option)
        Utilities, in units of 1/λ.
    precision : array_like, shape (...)
        λ ≥ 0, one for each choice or one for all.

    Returns
    -------
    ndarray, shape (..., option)
        Probabilities; they sum to 1 over the last axis.
    """
    scaled = np.asarray(precision, dtype=np.float64)[..., None] * utilities
    weight = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True), dtype=np.float64)
