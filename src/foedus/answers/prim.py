"""Boxes in which an outcome is frequent: peeling (PRIM), and the significance of a restriction.

A box restricts some inputs, each to an interval or to some of its options. With weights ``w`` that
sum to 1 and an outcome ``y`` of 0 or 1 (Bryant & Lempert 2010, doi 10.1016/j.techfore.2009.08.002):

    mass = Σ_in w,    density = Σ_in w y / Σ_in w,    coverage = Σ_in w y / Σ w y

*Peeling* (Friedman & Fisher 1999, doi 10.1023/A:1008894516817) starts with all runs. At each step
it removes a thin slice from one side of the box, the slice that raises the density most for the
mass removed; from an input with options it removes one option. It stops when no slice raises the
density or little mass is left. The successive boxes are the *trajectory*.

*Quasi-p* is the probability of a box as dense if the restriction does nothing, with the effective
number of runs in place of their number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: Share of the mass that a slice takes.
SLICE = 0.05
#: Least mass of a box.
LEAST = 0.05
#: Restrictions with a larger quasi-p are dropped; so are those beyond this number.
GOES_ABOVE = 0.05
MOST = 4

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Restriction:
    """The values of one input that a box allows.

    Attributes
    ----------
    low, high : float
        Both ends are in; infinite where that side is open.
    options : frozenset of int or None
        Options that are allowed; None for a number.
    """

    low: float = -math.inf
    high: float = math.inf
    options: frozenset[int] | None = None

    def holds(self, x: FloatArray) -> BoolArray:
        """Return where values of the input are allowed, shape (run,)."""
        if self.options is not None:
            return np.asarray(np.isin(x, list(self.options)))
        return np.asarray((x >= self.low) & (x <= self.high))

    @property
    def sides(self) -> frozenset[str]:
        """Which sides are restricted: ``low``, ``high``, ``options``."""
        if self.options is not None:
            return frozenset({"options"})
        ends = {"low": math.isfinite(self.low), "high": math.isfinite(self.high)}
        return frozenset(name for name, is_ in ends.items() if is_)


@dataclass(frozen=True)
class Box:
    """Restrictions by number of the input; none: all runs."""

    restrictions: dict[int, Restriction] = field(default_factory=dict)

    def holds(self, x: FloatArray) -> BoolArray:
        """Return which runs are in the box.

        Parameters
        ----------
        x : ndarray, shape (input, run)
        """
        inside = np.ones(x.shape[1], dtype=bool)
        for number, restriction in self.restrictions.items():
            inside &= restriction.holds(x[number])
        return inside

    def without(self, number: int) -> Box:
        """Return the box without the restriction of an input."""
        return Box({k: r for k, r in self.restrictions.items() if k != number})

    def restricted(self, number: int, restriction: Restriction) -> Box:
        """Return the box with another restriction of an input."""
        return Box({**self.restrictions, number: restriction})


@dataclass(frozen=True, kw_only=True)
class Quality:
    """How good a box is on some runs: shares, with the standard error of the density."""

    mass: float
    density: float
    coverage: float
    density_error: float
    information: float
    effective: float


def quality(inside: BoolArray, y: FloatArray, weight: FloatArray) -> Quality:
    """Return how good a box is.

    Parameters
    ----------
    inside : ndarray of bool, shape (run,)
    y : ndarray, shape (run,)
        1 where the outcome happens, else 0.
    weight : ndarray, shape (run,)

    Returns
    -------
    Quality
        ``information`` is the mutual information of box and outcome, in bits.
    """
    weight = weight / weight.sum()
    w = weight[inside]
    mass, hits, all_ = float(w.sum()), float(w @ y[inside]), float(weight @ y)
    if mass <= 0.0:
        return Quality(
            mass=0.0,
            density=math.nan,
            coverage=0.0,
            density_error=math.nan,
            information=0.0,
            effective=0.0,
        )
    density = hits / mass
    error = math.sqrt(float(w**2 @ (y[inside] - density) ** 2)) / mass
    told = _entropy(all_) - mass * _entropy(density)
    if mass < 1.0:
        told -= (1.0 - mass) * _entropy((all_ - hits) / (1.0 - mass))
    coverage = hits / all_ if all_ > 0 else math.nan
    return Quality(
        mass=mass,
        density=density,
        coverage=coverage,
        density_error=error,
        information=max(told, 0.0),
        effective=mass**2 / float(w @ w),
    )


def _entropy(p: float) -> float:
    if not 0.0 < p < 1.0:
        return 0.0
    return -p * math.log2(p) - (1.0 - p) * math.log2(1.0 - p)


def peel(
    x: FloatArray,
    options: tuple[int, ...],
    y: FloatArray,
    weight: FloatArray,
    *,
    part: float = SLICE,
    least: float = LEAST,
) -> list[Box]:
    """Return the trajectory of boxes, from all runs to the last.

    Parameters
    ----------
    x : ndarray, shape (input, run)
        Values; numbers of options.
    options : tuple of int
        How many options each input has; 0 for a number.
    y : ndarray, shape (run,)
        1 where the outcome happens, else 0.
    weight : ndarray, shape (run,)
    part : float
        Share of the box's mass that a slice takes.
    least : float
        Least mass of a box.
    """
    weight = weight / weight.sum()
    order = np.argsort(x, axis=1, kind="stable")
    inside = weight > 0
    box, boxes = Box(), [Box()]
    while True:
        mass, hits = float(weight[inside].sum()), float(weight[inside] @ y[inside])
        best: tuple[float, int, Restriction] | None = None
        for number, count in enumerate(options):
            rows = order[number][inside[order[number]]]
            before = box.restrictions.get(number, Restriction())
            slices = _options if count else _ends
            for restriction, gone in slices(x[number][rows], weight[rows], before, part):
                out = rows[gone]
                left = mass - float(weight[out].sum())
                if left < least or out.size == 0:
                    continue
                density = (hits - float(weight[out] @ y[out])) / left
                gain = (density - hits / mass) / (mass - left)
                if gain > 1e-12 and (best is None or gain > best[0] + 1e-12):
                    best = gain, number, restriction
        if best is None:
            return boxes
        box = box.restricted(best[1], best[2])
        inside = inside & best[2].holds(x[best[1]])
        boxes.append(box)


def _ends(
    x: FloatArray, weight: FloatArray, before: Restriction, part: float
) -> list[tuple[Restriction, slice]]:
    """Return the slices at both ends of sorted values: what stays allowed, and which rows go."""
    upto = np.cumsum(weight)
    if not upto.size or x[0] == x[-1]:
        return []
    out = []
    low = x[min(int(np.searchsorted(upto, (part - _ROUNDING) * upto[-1])), x.size - 1)]
    first = int(np.searchsorted(x, low, side="right"))
    if first < x.size:
        out.append((Restriction(float(x[first]), before.high), slice(0, first)))
    high = x[
        min(
            int(np.searchsorted(upto, (1.0 - part + _ROUNDING) * upto[-1], side="right")),
            x.size - 1,
        )
    ]
    last = int(np.searchsorted(x, high, side="left"))
    if last > 0:
        out.append((Restriction(before.low, float(x[last - 1])), slice(last, x.size)))
    return out


def _options(
    x: FloatArray, weight: FloatArray, before: Restriction, part: float
) -> list[tuple[Restriction, slice]]:
    """Return the slices that take one option; the values are sorted, so each is a stretch."""
    here = [int(v) for v in np.unique(x)]
    out = []
    for option in here if len(here) > 1 else []:
        first, end = np.searchsorted(x, [option, option + 1])
        left = frozenset(v for v in here if v != option)
        out.append((Restriction(options=left), slice(int(first), int(end))))
    return out


def quasi_p(box: Box, number: int, x: FloatArray, y: FloatArray, weight: FloatArray) -> float:
    """Return the probability of a box as dense if the restriction of an input did nothing."""
    fails = np.array([~r.holds(x[k]) for k, r in box.restrictions.items()])
    return float(_by_chance(fails, y, weight)[list(box.restrictions).index(number)])


def _by_chance(fails: BoolArray, y: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the quasi-p of each restriction, shape (restriction,).

    Parameters
    ----------
    fails : ndarray of bool, shape (restriction, run)
        Which runs do not meet it.
    y, weight : ndarray, shape (run,)
    """
    count = len(fails)
    failed = fails.sum(axis=0)
    inside = failed == 0
    w = weight[inside]
    mass, hits = float(w.sum()), float(w @ y[inside])
    if not hits > 0.0:
        return np.ones(count)
    # Without a restriction the box also holds the runs that fail this one only.
    only = np.flatnonzero(failed == 1)
    which = fails[:, only].argmax(axis=0)
    wide = mass + np.bincount(which, weights=weight[only], minlength=count)
    base = (hits + np.bincount(which, weights=weight[only] * y[only], minlength=count)) / wide
    effective = mass**2 / float(w @ w)
    n = effective * hits / mass
    return np.asarray(betainc(n, effective - n + 1.0, np.minimum(base, 1.0)))


def trimmed(box: Box, x: FloatArray, y: FloatArray, weight: FloatArray) -> Box:
    """Return the box without restrictions that may do nothing, and with few enough to read.

    The one with the largest quasi-p is dropped, and the others are tested again.
    """
    kept = list(box.restrictions)
    fails = np.array([~box.restrictions[k].holds(x[k]) for k in kept])
    while kept:
        p = _by_chance(fails, y, weight)
        worst = int(p.argmax())
        if p[worst] <= GOES_ABOVE and len(kept) <= MOST:
            break
        del kept[worst]
        fails = np.delete(fails, worst, axis=0)
    return Box({k: r for k, r in box.restrictions.items() if k in kept})


def chosen(boxes: list[Box], x: FloatArray, y: FloatArray, weight: FloatArray) -> tuple[Box, int]:
    """Return the most informative trimmed box of a trajectory, and its number.

    Ties go to fewer restrictions, then to the larger box; all runs if no box is informative.
    """
    best, at, told = Box(), 0, 1e-9
    for number, box in enumerate(boxes):
        small = trimmed(box, x, y, weight)
        bits = quality(small.holds(x), y, weight).information
        if bits > told + 1e-12 or (
            bits > told - 1e-12 and len(small.restrictions) < len(best.restrictions)
        ):
            best, at, told = small, number, bits
    return best, at


def tree_boxes(
    x: FloatArray,
    options: tuple[int, ...],
    y: FloatArray,
    weight: FloatArray,
    *,
    least: float = LEAST,
) -> list[Box]:
    """Return the nodes of a classification tree (scikit-learn's CART) as boxes, the largest first.

    Parameters
    ----------
    x, options, y, weight, least
        As in :func:`peel`.
    """
    from sklearn.tree import DecisionTreeClassifier

    columns, meaning = [], []
    for number, count in enumerate(options):
        if not count:
            columns.append(x[number])
            meaning.append((number, -1))
        for option in range(count):
            columns.append((x[number] == option).astype(np.float64))
            meaning.append((number, option))
    tree = DecisionTreeClassifier(
        criterion="entropy", max_depth=MOST, min_weight_fraction_leaf=least, random_state=0
    ).fit(np.array(columns).T, y, sample_weight=weight)
    made = tree.tree_
    boxes = [Box()]
    todo = [(0, Box())]
    while todo:
        node, box = todo.pop(0)
        if made.children_left[node] < 0:
            continue
        number, option = meaning[made.feature[node]]
        # the tree compares in single precision
        at, before = float(made.threshold[node]), box.restrictions.get(number, Restriction())
        if option < 0:
            sides = (
                Restriction(before.low, min(before.high, at)),
                Restriction(float(np.nextafter(max(before.low, at), np.inf)), before.high),
            )
        else:
            allowed = before.options or frozenset(range(options[number]))
            sides = (
                Restriction(options=allowed - {option}),
                Restriction(options=frozenset({option})),
            )
        children = made.children_left[node], made.children_right[node]
        for child, side in zip(children, sides, strict=True):
            inner = box.restricted(number, side)
            boxes.append(inner)
            todo.append((int(child), inner))
    return sorted(boxes, key=lambda b: -quality(b.holds(x), y, weight).mass)
