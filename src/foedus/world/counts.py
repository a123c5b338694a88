"""Poisson counts by inversion, fast for small means.

The values equal those of :meth:`foedus.randomness.Random.poisson` at the same address. That method
calls scipy for every run, which costs a millisecond a city; on most days most cities have a small
mean.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray
from scipy import special

from foedus.randomness import Random

FloatArray = NDArray[np.float64]

#: Above this mean, scipy's inversion replaces the summing of terms.
LARGE = 64.0


def _small_poisson(u, mean, large, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` with the smallest k whose distribution function reaches ``u``."""
    for i in range(u.size):
        m = mean[i]
        out[i] = 0.0
        if m > 0.0 and m <= large:
            term = np.exp(-m)
            below = term
            k = 0.0
            while below < u[i] and (term > 1e-20 or k < m):
                k += 1.0
                term *= m / k
                below += term
            out[i] = k


small_poisson = nb.njit(_small_poisson, cache=True)


def poisson(
    random: Random, mean: FloatArray, purpose: str, *, place: int = 0, tick: int = 0
) -> FloatArray:
    """Return Poisson counts, shape (run,), which increase with ``mean`` at fixed draws."""
    out = np.empty(mean.size, dtype=np.float64)
    u = random.uniform(purpose, place=place, tick=tick)
    small_poisson(u, np.ascontiguousarray(mean, dtype=np.float64), LARGE, out)
    big = np.flatnonzero(mean > LARGE)
    if big.size:
        out[big] = np.ceil(special.pdtrik(u[big], mean[big]))
    return out
