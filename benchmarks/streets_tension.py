"""The tension of a crowd that is still quiet, after Epstein 2002 (figure 8), and when it rises.

His index is ``G B / R``: the mean grievance G, the number B and the mean risk aversion R of the
quiet citizens ("blue" ones). He does not say whether G and R are means over the quiet alone; here
they are, without jailed and active citizens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foedus.streets import StreetOptions, StreetState, advance, create
from foedus_streets import Outbursts

FloatArray = NDArray[np.float64]
#: Bits of a record that give an agent's kind, and the kind of a quiet citizen.
SHIFT, KIND, QUIET = np.uint64(32), np.uint64(3), np.uint64(0)


def tension(state: StreetState, legitimacy: float) -> FloatArray:
    """Return the index of each run, shape (run,); NaN where nobody is quiet."""
    people = state.hardship.shape[1]
    quiet = (state.records[:, :people] >> SHIFT) & KIND == QUIET
    quiet &= np.arange(people) < state.citizens[:, None]
    number = quiet.sum(axis=1)
    hardship = (state.hardship * quiet).sum(axis=1, dtype=np.float64)
    risk = (state.risk_aversion * quiet).sum(axis=1, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.where(number > 0, (1.0 - legitimacy) * hardship * number / risk, np.nan)


def series(
    options: StreetOptions, *, seed: int, runs: int, ticks: int
) -> tuple[NDArray[np.int64], FloatArray]:
    """Return actives and tension after each tick, shape (run, tick); a tick is a day of draws."""
    numbers = np.arange(runs)
    state = create(options, seed=seed, runs=numbers)
    actives = np.zeros((runs, ticks), dtype=np.int64)
    index = np.zeros((runs, ticks))
    for tick in range(ticks):
        got = advance(state, options=options, seed=seed, runs=numbers, day=tick, ticks=1)
        actives[:, tick] = got.actives[:, 0]
        index[:, tick] = tension(state, options.legitimacy)
    return actives, index


def around(values: FloatArray, found: Outbursts, lags: NDArray[np.int64]) -> FloatArray:
    """Return a series at lags from the start of each outburst, shape (outburst, lag).

    NaN before the first tick and after the last.
    """
    at = found.start[:, None] + lags
    inside = (at >= 0) & (at < values.shape[1])
    return np.where(inside, values[found.run[:, None], np.clip(at, 0, values.shape[1] - 1)], np.nan)


@dataclass(frozen=True)
class Rises:
    """Tension just before outbursts, each compared with the outburst before it.

    Attributes
    ----------
    risen, above : float
        Share of them at which, one tick before the start, the index is above its value at the end
        of the previous outburst, and above its mean over the run's ticks in calm.
    peak, trough : float
        Highest of the mean over outbursts before the start, and lowest after it, as shares of the
        mean in calm.
    """

    risen: float
    above: float
    peak: float
    trough: float


def calm_means(actives: NDArray[np.int64], index: FloatArray, found: Outbursts) -> FloatArray:
    """Return each run's mean index over the ticks outside of outbursts, shape (run,)."""
    calm = np.ones(actives.shape, dtype=bool)
    for run, start, end in zip(found.run, found.start, found.end, strict=True):
        calm[run, start:end] = False
    return np.nanmean(np.where(calm, index, np.nan), axis=1)


def mean_around(
    actives: NDArray[np.int64], index: FloatArray, found: Outbursts, lags: NDArray[np.int64]
) -> FloatArray:
    """Return the mean index at lags from the start, relative to its mean in calm, shape (lag,).

    NaN at a lag that is outside the series for every outburst.
    """
    rows = around(index / calm_means(actives, index, found)[:, None], found, lags)
    known = (~np.isnan(rows)).sum(axis=0)
    return np.where(known > 0, np.nansum(rows, axis=0) / np.maximum(known, 1), np.nan)


def rises(actives: NDArray[np.int64], index: FloatArray, found: Outbursts) -> Rises:
    """Measure the index before outbursts (see :class:`Rises`)."""
    later = np.flatnonzero(~np.isnan(found.wait))
    run, start = found.run[later], found.start[later]
    ended = start - found.wait[later].astype(np.int64)
    before = index[run, start - 1]
    shape = mean_around(actives, index, found, np.arange(-25, 16))
    return Rises(
        float((before > index[run, ended]).mean()),
        float((before > calm_means(actives, index, found)[run]).mean()),
        float(np.nanmax(shape[:25])),
        float(np.nanmin(shape[25:])),
    )
