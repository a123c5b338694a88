"""A report that has not come yet: what it may say, and how likely each reading is in a run.

The observation model of :mod:`foedus.weighing.observation_model` is turned around. For a number the
reading is the reported value, cut into bins a third of the model's scale wide, with open ends; for
an event it is whether the event is reported to have happened by the day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case, Fact
from foedus.case.vocabulary import QUANTITIES
from foedus.weighing.evidence import Report, subject
from foedus.weighing.observation_model import Observation, observation, share
from foedus.weighing.quantities import Block, Frame, event_day, series

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Width of a bin of readings, and of a cell of truths, in scales of the model.
BIN = 1.0 / 3.0
CELL = 1.0 / 12.0
#: Most bins and cells; beyond, they are wider.
MOST_BINS = 96
MOST_CELLS = 2000


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """A report that could be had.

    Attributes
    ----------
    quantity : str
    place, member : str or None
    day : int
        That it is about, and on which it is published.
    model : Observation
        Its scale is widened where reports of the same family are in already.
    share : float
        How much of a whole report it counts beside them.
    """

    quantity: str
    place: str | None
    member: str | None
    day: int
    model: Observation
    share: float

    @property
    def is_event(self) -> bool:
        """Whether the reading is yes or no."""
        return self.model.measure.is_event

    def truth(self, block: Block, frame: Frame) -> FloatArray:
        """Return what each run says of the same thing, shape (run,)."""
        if self.is_event:
            return event_day(block, frame, self.quantity, member=self.member)
        values = series(block, frame, self.quantity, place=self.place, member=self.member)
        return values[:, self.day]

    def cells(self, truth: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return the cell of each run, and a truth that stands for each cell.

        Returns
        -------
        ndarray of int, shape (run,)
        ndarray, shape (cell,)
        """
        levels, cell = np.unique(truth, return_inverse=True)
        if levels.size <= 1 / CELL or self.is_event:
            return cell, levels
        h = self.model.measure.working(truth)
        low, width = h.min(), float(np.ptp(h))
        step = max(CELL * self.model.scale, width / MOST_CELLS)
        cell = np.rint((h - low) / step).astype(np.int64)
        middle = low + step * np.arange(int(cell.max()) + 1)
        return cell, self.model.measure.plain(middle)

    def edges(self, levels: FloatArray, weight: FloatArray) -> FloatArray:
        """Return the inner edges of the bins of readings, on the working scale.

        Parameters
        ----------
        levels, weight : ndarray, shape (cell,)
        """
        if self.is_event:
            return np.array([self.day + 0.5])
        at = levels[weight > 1e-6 * weight.max()]
        h = self.model.measure.working(at)
        low, high = h.min() - 3 * self.model.scale, h.max() + 3 * self.model.scale
        number = int(np.clip(np.ceil((high - low) / (BIN * self.model.scale)), 8, MOST_BINS))
        return np.asarray(self.model.bias + np.linspace(low, high, number))

    def channel(self, levels: FloatArray, edges: FloatArray) -> FloatArray:
        """Return the probability of each bin, shape (truth, bin); rows sum to 1."""
        below = self.model.below(edges, levels[:, None])
        ends = np.zeros((levels.size, 1)), np.ones((levels.size, 1))
        return np.maximum(np.diff(np.hstack([ends[0], below, ends[1]]), axis=1), 0.0)

    def within(self, truth: FloatArray, low: float, high: float) -> NDArray[np.bool_]:
        """Return in which runs a reading between two bounds on the working scale is so."""
        h = self.model.measure.working(truth)
        return np.asarray((h > low) & (h <= high))

    def thirds(self, edges: FloatArray, chance: FloatArray) -> list[tuple[float, float]]:
        """Return a few readings, as bounds on the working scale: about a third of the chance each.

        Counts are cut between whole numbers, shares at whole points of a hundred; what cannot be
        cut stays together. An event is cut at the day.

        Parameters
        ----------
        edges : ndarray, shape (edge,)
        chance : ndarray, shape (edge + 1,)
            Of each bin.
        """
        if self.is_event:
            cuts = [float(edges[0])]
        else:
            below = np.cumsum(chance)[:-1]
            cuts = [
                self.model.measure.cut(float(np.interp(q, below, edges))) for q in (1 / 3, 2 / 3)
            ]
        bounds = [-np.inf, *sorted(set(cuts)), np.inf]
        return list(pairwise(bounds))

    def bounds(self, low: float, high: float) -> tuple[float | None, float | None]:
        """Return bounds on the working scale as numbers that a report would give, None for none."""
        return self.model.measure.ends(low, high)


def instruments(
    case: Case,
    quantity: str,
    days: Sequence[int],
    rating: str,
    known: Sequence[Report] = (),
) -> list[Instrument]:
    """Return the reports of a quantity that could be had, for each place or member and each day.

    Parameters
    ----------
    case : Case
    quantity : str
        A word of the vocabulary.
    days : sequence of int
        Day numbers.
    rating : str
        Admiralty rating of the report, such as ``B2``.
    known : sequence of Report
        Weighed reports, whose errors the new one may share.
    """
    others = [(subject(r), r.model) for r in known if r.model is not None]
    out = []
    for place, member in where(case, quantity):
        for day in days:
            fact = _fact(case, quantity, place, member, day, rating)
            model = observation(fact, day=day, horizon=case.horizon, offset=case.timezone_offset)
            about = subject(Report(fact=fact, use="weighed", day=day, model=model))
            part = share(about, model, others)
            model = replace(model, scale=model.scale / float(np.sqrt(part)))
            out.append(
                Instrument(
                    quantity=quantity, place=place, member=member, day=day, model=model, share=part
                )
            )
    return out


def where(case: Case, quantity: str) -> list[tuple[str | None, str | None]]:
    """Return the (place, member) that a quantity can be reported for; both None: as a whole."""
    dims = QUANTITIES[quantity].dims
    if dims == "city" and len(case.places) > 1:
        return [(None, None), *((place, None) for place in case.places)]
    if dims == "member":
        senders = [m.actor for m in case.alliance.members if m.actor != case.alliance.requester]
        return [(None, None), *((None, m) for m in senders)]
    return [(None, None)]


def _fact(
    case: Case, quantity: str, place: str | None, member: str | None, day: int, rating: str
) -> Fact:
    date = case.start + dt.timedelta(days=day)
    value = False if QUANTITIES[quantity].kind == "event" else 1
    return Fact.model_validate(
        {
            "id": "reading", "quantity": quantity, "place": place, "member": member, "about": date,
            "known_from": date, "value": value, "source": "reading", "rating": rating,
            "text": "A report that has not come yet.",
        }
    )  # fmt: skip
