"""Known totals: all reports of one cumulative count see one true total.

Reports of the dead or arrested so far, of one place, are about one number that only grows. Let a
run say ``x_t`` at time t. The true total of the world that the run stands for is ``X_t``, and a
report of it ``y``:

    h(X_t) = h(x_t) + d,             d ~ m * Student's t
    h(y)   = h(X_t) + b + c + s * t  with chance 1 - error,    c ~ normal(0, rho * e**2)

with ``h = log1p``, m the model's discrepancy, c what all reports get wrong together, b the early
undercount, s the rest of a report's scale, and ``error`` its chance to be outright wrong, on its
own. The discrepancy is one for the whole run: it sits on the rate at which the run counts, and
agreeing reports hold however little the run says. Both d and c are integrated out on a grid.

A forecast starts from the total so found: up to the as-of day it is ``X_t``, and later it is the
total of that day plus what the run adds (:meth:`KnownTotals.series`). One d is drawn for each run
from its law given the reports, at an address of its own, so that it does not depend on the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foedus.case.vocabulary import QUANTITIES
from foedus.randomness import Random
from foedus.weighing.observation_model import COMMON_REPORTING, DEGREES_OF_FREEDOM, Observation
from foedus.weighing.quantities import DEATHS, Block, Frame, series

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Bounds of the grid of d + c, of log(1 + count), and the step of the latter.
FURTHEST = 10.0
HIGHEST = 24.0
FINE = 0.01
#: Steps of the grid within the smallest scale, and limits of the step.
STEPS, SMALLEST, LARGEST = 2.0, 0.05, 0.25
#: Runs whose grids are held at once.
AT_ONCE = 100

#: The quantity and place ("" for the country) of a count.
Count = tuple[str, str]


def count_of(quantity: str | None, place: str | None) -> Count | None:
    """Return the count that a report is about; None if it is not counted up from the start."""
    if quantity is None or QUANTITIES[quantity].kind != "flow":
        return None
    return quantity, place or ""


@dataclass(frozen=True)
class Agreement:
    """How some runs agree with the reports of one count.

    Attributes
    ----------
    total : ndarray, shape (run,)
        Log-likelihood of all reports.
    alone : ndarray, shape (report, run)
        What each adds to the others.
    disbelief : ndarray, shape (report, run)
        Probability that it is outright wrong if the run is true.
    shift : ndarray, shape (run,)
        A draw of d given the reports; zeros if no run numbers were given.
    """

    total: FloatArray
    alone: FloatArray
    disbelief: FloatArray
    shift: FloatArray


class Total:
    """The reports of one count, with the grid on which they are weighed.

    Parameters
    ----------
    models : sequence of Observation
        One for each report.
    """

    def __init__(self, models: Sequence[Observation]) -> None:
        spread = np.array([np.sqrt(m.scale**2 - m.discrepancy**2) for m in models])
        together = np.sqrt(COMMON_REPORTING) * spread.min()
        own = np.sqrt(spread**2 - together**2)
        discrepancy = models[0].discrepancy
        step = float(np.clip(min(discrepancy, own.min()) / STEPS, SMALLEST, LARGEST))
        self.step = step
        most = round(FURTHEST / step)
        self.node: FloatArray = step * np.arange(-most, most + 1, dtype=np.float64)
        law = _t_density(self.node / discrepancy)
        self._law = law / law.sum()
        common = np.exp(-0.5 * ((self.node[:, None] - self.node) / together) ** 2)
        #: P(d + c at this node, d at that one), shape (node, node).
        self._joint = common / common.sum(axis=0) * self._law
        self.log_prior = np.log(self._joint.sum(axis=1))
        h = np.arange(0.0, HIGHEST, FINE)
        self._log, self._doubt = [], []
        for model, scale in zip(models, own, strict=True):
            narrow = model.at_scale(float(scale))
            at = np.expm1(h)
            self._log.append(narrow.log_likelihood(at))
            self._doubt.append(narrow.disbelief(at))

    def agreement(
        self, truth: FloatArray, numbers: IntArray | None = None, place: int = 0
    ) -> Agreement:
        """Return how runs agree with the reports.

        Parameters
        ----------
        truth : ndarray, shape (report, run)
            The runs' totals at the times of the reports.
        numbers : ndarray of int64, shape (run,), optional
            Run numbers, to draw the shift.
        place : int
            Number of the count, for the draw.
        """
        runs = truth.shape[1]
        out = Agreement(
            np.zeros(runs), np.zeros(truth.shape), np.zeros(truth.shape), np.zeros(runs)
        )
        for begin in range(0, runs, AT_ONCE):
            here = slice(begin, begin + AT_ONCE)
            at = [self._at(x) for x in truth[:, here]]
            logs = [table[i] for table, i in zip(self._log, at, strict=True)]
            joint = self.log_prior + sum(logs, np.zeros_like(logs[0]))
            total = out.total[here] = _log_sum(joint)
            law = np.exp(joint - total[:, None])
            for n, log in enumerate(logs):
                out.alone[n, here] = total - (_log_sum(joint - log) if len(logs) > 1 else 0.0)
                out.disbelief[n, here] = (law * self._doubt[n][at[n]]).sum(axis=1)
            if numbers is not None:
                out.shift[here] = self._draw(law, numbers[here], place)
        return out

    def _at(self, truth: FloatArray) -> NDArray[np.int32]:
        """Return the place of each node's true total on the fine grid, shape (run, node)."""
        h = np.log1p(np.maximum(truth, 0.0))[:, None] + self.node
        last = len(self._log[0]) - 1
        return np.asarray(np.clip(np.rint(h / FINE), 0, last), dtype=np.int32)

    def _draw(self, law: FloatArray, numbers: IntArray, place: int) -> FloatArray:
        """Return d drawn from its law given d + c, which is drawn from ``law``, shape (run,)."""
        random = Random(0, numbers)
        both, _ = _inverse(law, random.uniform("weighing.total", place=place))
        conditional = self._joint / self._joint.sum(axis=1, keepdims=True)
        u = random.uniform("weighing.discrepancy", place=place)
        cell, within = _inverse(conditional[both], u)
        return np.asarray(self.node[cell] + self.step * (within - 0.5))


def _t_density(z: FloatArray) -> FloatArray:
    nu = DEGREES_OF_FREEDOM
    return np.asarray((1.0 + z * z / nu) ** (-0.5 * (nu + 1.0)))


def _log_sum(x: FloatArray) -> FloatArray:
    top = x.max(axis=1)
    return np.asarray(top + np.log(np.exp(x - top[:, None]).sum(axis=1)))


def _inverse(law: FloatArray, u: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the cell in which each row's distribution function passes ``u``, and where in it."""
    below = np.cumsum(law, axis=1)
    u = u * below[:, -1]
    cell = np.minimum((below < u[:, None]).sum(axis=1), law.shape[1] - 1)
    row = np.arange(u.size)
    mass = law[row, cell]
    within = (u - below[row, cell] + mass) / np.maximum(mass, 1e-300)
    return cell, np.clip(within, 0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class KnownTotals:
    """The true totals of some counts in each run, given their reports.

    Attributes
    ----------
    counts : tuple of Count
        Those that are reported.
    shift : ndarray, shape (count, run)
        How far log(1 + total) lies above that of the run.
    day : int
        The as-of day, from which a run's own additions count.
    """

    counts: tuple[Count, ...]
    shift: FloatArray
    day: int

    def bear_on(self, quantity: str, place: str | None = None) -> bool:
        """Return whether a quantity depends on a reported count."""
        count = count_of(quantity, place)
        return count is not None and (
            count in self.counts or any(self.bear_on(q, p or None) for q, p in self._parts(count))
        )

    def series(
        self,
        block: Block,
        frame: Frame,
        quantity: str,
        *,
        place: str | None = None,
        member: str | None = None,
        rows: slice | IntArray,
    ) -> FloatArray:
        """Return a quantity by day as :func:`foedus.weighing.quantities.series`, from known totals.

        ``rows`` are the positions of the block's runs. The total of several counts is at least the
        sum of the true totals of its parts.
        """
        values = series(block, frame, quantity, place=place, member=member)
        count = count_of(quantity, place)
        if count is None or not self.bear_on(quantity, place):
            return values
        known = None
        if count in self.counts:
            shift = self.shift[self.counts.index(count), rows]
            known = self._from(values, shift)
        if any(self.bear_on(q, p or None) for q, p in self._parts(count)):
            parts = self._parts(count)
            if quantity != "deaths_total":
                parts = tuple((quantity, city) for city in frame.cities)
            each = [self.series(block, frame, q, place=p or None, rows=rows) for q, p in parts]
            sum_ = np.asarray(sum(each[1:], each[0]))
            known = sum_ if known is None else np.maximum(known, sum_)
        assert known is not None
        return known

    def _parts(self, count: Count) -> tuple[Count, ...]:
        """Return the parts of a count: kinds of deaths, or those places that are reported."""
        quantity, place = count
        if quantity == "deaths_total":
            return tuple((name, "") for name in DEATHS)
        if place or QUANTITIES[quantity].dims != "city":
            return ()
        return tuple((quantity, p) for q, p in self.counts if q == quantity and p)

    def _from(self, values: FloatArray, shift: FloatArray) -> FloatArray:
        past = values[:, : self.day + 1]
        known = np.expm1(np.maximum(np.log1p(np.maximum(past, 0.0)) + shift[:, None], 0.0))
        later = known[:, -1:] + values[:, self.day + 1 :] - values[:, self.day : self.day + 1]
        return np.hstack([known, later])
