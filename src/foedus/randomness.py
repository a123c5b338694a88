"""Keyed, counter-based random numbers: a draw has an address and does not depend on order.

A uniform is a pure function of ``(seed, run, purpose, place, tick, slot)``. A run is therefore the
same whatever batch, worker or machine computes it, and switching one mechanism off leaves the draws
of all others unchanged (common random numbers).

The generator is Philox4x32-10 (Salmon et al. 2011, doi 10.1145/2063384.2063405), tested against the
authors' known-answer vectors.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numba as nb
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Version of the addressing scheme. It changes whenever the same seed gives different numbers.
STREAM_VERSION = 2

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_S32 = np.uint64(32)


def _philox4x32(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """Ten rounds of Philox4x32; every word is a uint64 holding 32 bits."""
    for _ in range(10):
        p0 = _M0 * c0
        p1 = _M1 * c2
        c0 = (p1 >> _S32) ^ c1 ^ k0
        c1 = p1 & _LOW
        c2 = (p0 >> _S32) ^ c3 ^ k1
        c3 = p0 & _LOW
        k0 = (k0 + _W0) & _LOW
        k1 = (k1 + _W1) & _LOW
    return c0, c1, c2, c3


philox4x32 = nb.njit(_philox4x32, cache=True, inline="always")


def _keyed_words(seed, run, purpose, place, tick, slot):  # type: ignore[no-untyped-def]
    """Two 64-bit words for one address; the key is the seed, the counter the rest.

    ``tick`` and ``slot`` share a counter word (24 and 8 bits), ``run`` takes one, and so on.
    """
    key = np.uint64(seed)
    c0 = np.uint64(run) & _LOW
    c1 = np.uint64(purpose) & _LOW
    c2 = np.uint64(place) & _LOW
    c3 = ((np.uint64(tick) << np.uint64(8)) | (np.uint64(slot) & np.uint64(0xFF))) & _LOW
    a, b, c, d = philox4x32(c0, c1, c2, c3, key & _LOW, key >> _S32)
    return (b << _S32) | a, (d << _S32) | c


keyed_words = nb.njit(_keyed_words, cache=True)


def _fill_uniform(seed, runs, purpose, place, tick, slot, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` with uniforms in the open interval (0, 1), one for each run."""
    for i in range(runs.size):
        word, _ = keyed_words(seed, runs[i], purpose, place, tick, slot)
        out[i] = (np.float64(word >> np.uint64(12)) + 0.5) * (1.0 / 4503599627370496.0)


fill_uniform = nb.njit(_fill_uniform, cache=True)


#: Above this mean scipy inverts the Poisson distribution. Below it the terms are summed here: scipy
#: takes a millisecond a call, and most days of most cities have a small mean.
LARGE_MEAN = 64.0


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


def purpose_id(name: str) -> int:
    """Return the 32-bit address word of a named purpose, such as ``"alliance.vote"``."""
    return zlib.crc32(name.encode("utf-8"))


@dataclass(frozen=True)
class Random:
    """Draws for a set of runs, by address.

    Parameters
    ----------
    seed : int
        The ensemble seed, 0 to 2**64 - 1.
    runs : ndarray of int64, shape (run,)
        Global run numbers, not positions in the batch.
    luck : mapping of (purpose, place) to ndarray, shape (run,)
        Uniforms that replace a draw at tick 0 where an adaptive ensemble moved it
        (:mod:`foedus.ensemble.proposal`).
    """

    seed: int
    runs: NDArray[np.int64]
    luck: Mapping[tuple[str, int], FloatArray] = field(default_factory=dict)

    def uniform(self, purpose: str, *, place: int = 0, tick: int = 0, slot: int = 0) -> FloatArray:
        """Return uniforms in (0, 1), shape (run,), for a purpose at a place and tick."""
        if self.luck and tick == 0 and slot == 0 and (purpose, place) in self.luck:
            return self.luck[purpose, place].copy()
        out = np.empty(self.runs.size, dtype=np.float64)
        fill_uniform(np.uint64(self.seed), self.runs, purpose_id(purpose), place, tick, slot, out)
        return out

    def normal(self, purpose: str, *, place: int = 0, tick: int = 0, slot: int = 0) -> FloatArray:
        """Return standard normals, shape (run,), by inversion of :meth:`uniform`."""
        from scipy import special  # half a second to import, which the streets alone do not need

        u = self.uniform(purpose, place=place, tick=tick, slot=slot)
        return np.asarray(special.ndtri(u), dtype=np.float64)

    def poisson(
        self, mean: FloatArray, purpose: str, *, place: int = 0, tick: int = 0, slot: int = 0
    ) -> FloatArray:
        """Return Poisson counts, shape (run,), by inversion; monotone in the mean."""
        u = self.uniform(purpose, place=place, tick=tick, slot=slot)
        mean = np.ascontiguousarray(mean, dtype=np.float64)
        out = np.empty(mean.size, dtype=np.float64)
        small_poisson(u, mean, LARGE_MEAN, out)
        big = np.flatnonzero(mean > LARGE_MEAN)
        if big.size:
            from scipy import special

            out[big] = np.ceil(special.pdtrik(u[big], mean[big]))
        return out

    def subset(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Random:
        """Return the draws of some of the runs, unchanged."""
        luck = {address: u[keep] for address, u in self.luck.items()}
        return Random(self.seed, self.runs[keep], luck)
