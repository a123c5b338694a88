"""Outbursts in a series of actives, by Epstein's definition, and their statistics.

In Epstein (2002, doi 10.1073/pnas.092080199, figures 5 to 7) an outburst begins when more than 50
agents are active and lasts until fewer than 50 are. Its size is the sum of the actives over its
ticks ("total activation"). Its waiting time runs from the end of the previous outburst to its
start.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foedus.world.lattice.checks import array, number

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Actives above which an outburst begins and below which it ends.
THRESHOLD = 50
#: Larger numbers are rejected as mistakes.
MOST = 1e15


@dataclass(frozen=True)
class Outbursts:
    """The finished outbursts of a batch of runs, in order of run and time.

    Attributes
    ----------
    run : ndarray of int64, shape (outburst,)
        Position of the run in the batch.
    start, end : ndarray of int64, shape (outburst,)
        First tick of the outburst and first tick after it, counted from 0.
    wait : ndarray of float64, shape (outburst,)
        Ticks from the end of the run's previous outburst to the start; NaN for its first.
    size : ndarray of float64, shape (outburst,)
        Sum of the actives over the ticks of the outburst.
    peak : ndarray of float64, shape (outburst,)
        Largest number of actives at one tick.
    """

    run: IntArray
    start: IntArray
    end: IntArray
    wait: FloatArray
    size: FloatArray
    peak: FloatArray

    def __len__(self) -> int:
        """Return the number of outbursts."""
        return int(self.run.size)

    @property
    def waits(self) -> FloatArray:
        """The waiting times without NaN, shape (wait,)."""
        return self.wait[~np.isnan(self.wait)]


def find_outbursts(actives: ArrayLike, *, threshold: float = THRESHOLD) -> Outbursts:
    """Find the outbursts in series of actives.

    Parameters
    ----------
    actives : array_like, shape (tick,) or (run, tick)
        Active agents after each tick.
    threshold : float
        An outburst begins above it, ends below it, and continues while exactly on it.

    Returns
    -------
    Outbursts
        Finished outbursts; one that the end of the series cuts off is left out.

    Raises
    ------
    ValueError
        Naming the argument, the value and what is allowed.

    References
    ----------
    Epstein 2002, doi 10.1073/pnas.092080199.

    Examples
    --------
    >>> found = find_outbursts([0, 60, 70, 50, 10, 0, 0, 90, 0])
    >>> found.size.tolist(), found.waits.tolist()
    ([180.0, 90.0], [3.0])
    """
    given = array("actives", actives, -MOST, MOST)
    if given.ndim not in (1, 2) or given.shape[-1] == 0:
        raise ValueError(
            f"actives must have shape (tick,) or (run, tick) and at least 1 tick, not {given.shape}"
        )
    threshold = number("threshold", threshold, -MOST, MOST)
    series = np.atleast_2d(given)
    runs, ticks = series.shape
    # A tick exactly on the threshold keeps the state of the tick before.
    decided = np.where(series == threshold, -1, np.arange(ticks))
    decided = np.maximum.accumulate(decided, axis=1)
    above = np.take_along_axis(series > threshold, np.maximum(decided, 0), axis=1) & (decided >= 0)
    edge = np.zeros((runs, ticks + 1), dtype=np.int8)
    edge[:, 0] = above[:, 0]
    edge[:, 1:-1] = np.diff(above.astype(np.int8), axis=1)
    run, start = np.nonzero(edge == 1)
    end_run, end = np.nonzero(edge == -1)
    # The last outburst of a run may have no end, so starts are matched with ends within runs.
    starts = np.bincount(run, minlength=runs)
    finished = np.bincount(end_run, minlength=runs)
    cut = np.cumsum(starts)[finished < starts] - 1
    run, start = np.delete(run, cut), np.delete(start, cut)
    wait = np.full(run.size, np.nan)
    follows = np.flatnonzero(run[1:] == run[:-1]) + 1
    wait[follows] = start[follows] - end[follows - 1]
    total = np.concatenate([np.zeros((runs, 1)), np.cumsum(series, axis=1)], axis=1)
    spans = zip(run, start, end, strict=True)
    return Outbursts(
        run=run.astype(np.int64),
        start=start.astype(np.int64),
        end=end.astype(np.int64),
        wait=wait,
        size=total[run, end] - total[run, start],
        peak=np.array([series[r, a:b].max() for r, a, b in spans], dtype=np.float64),
    )


def tail_fit(waits: ArrayLike, *, above: float = 30.0, width: float = 10.0) -> tuple[float, float]:
    """Fit an exponential to the tail of the waiting times, as in Epstein's figure 6.

    A straight line is fitted by least squares to the log10 counts of consecutive bins, up to the
    first bin that holds fewer than 5.

    Parameters
    ----------
    waits : array_like, shape (wait,)
        In ticks, without NaN (:attr:`Outbursts.waits`).
    above, width : float
        Start of the tail and width of a bin, in ticks.

    Returns
    -------
    decay : float
        Rate per tick, natural logarithm; its inverse is the e-folding time.
    r_squared : float
        NaN where all bins hold the same number.

    Raises
    ------
    ValueError
        If fewer than 3 bins hold 5 waiting times, or for an argument out of range.
    """
    values = array("waits", waits, 0.0, MOST)
    above = number("above", above, 0.0, MOST)
    width = number("width", width, 1e-6, MOST)
    bins, counts = np.unique(np.floor((values[values > above] - above) / width), return_counts=True)
    few = np.flatnonzero((bins != np.arange(bins.size)) | (counts < 5))
    counts = counts[: few[0]] if few.size else counts
    if counts.size < 3:
        raise ValueError(f"waits must fill 3 bins above {above:g} with 5 each, not {counts.size}")
    at = np.arange(counts.size, dtype=np.float64)
    logs = np.log10(counts)
    slope, intercept = np.polyfit(at, logs, 1)
    residual = logs - (slope * at + intercept)
    spread = ((logs - logs.mean()) ** 2).sum()
    r_squared = 1.0 - float((residual**2).sum() / spread) if np.ptp(counts) else float("nan")
    return float(-slope * np.log(10.0) / width), r_squared
