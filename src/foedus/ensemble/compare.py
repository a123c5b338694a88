"""Compare two stores bit by bit, whatever their batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.ensemble import store
from foedus.ensemble.ensemble import Ensemble, open_ensemble

#: Bytes of one store that are held at a time.
_PIECE = 64 * 2**20


@dataclass(frozen=True)
class Where:
    """One value that differs.

    Attributes
    ----------
    variable : str
    run : int
        Global run number.
    place : dict of str to str
        Position on the other dimensions: date, city, member, parameter.
    a, b : str
        The two values.
    """

    variable: str
    run: int
    place: dict[str, str]
    a: str
    b: str

    def __str__(self) -> str:
        """Return one line."""
        at = "".join(f", {dim} {name}" for dim, name in self.place.items())
        return f"{self.variable}, run {self.run}{at}: {self.a} against {self.b}"


@dataclass(frozen=True)
class Difference:
    """How two ensembles differ.

    Attributes
    ----------
    shape : tuple of str
        Differences in axes or runs; the data are compared where both have them.
    first : Where or None
        The first value that differs: by run, and within a run in the order of the variables.
    counts : dict of str to int
        Number of different values, by variable, where it is not 0.
    compared : int
        Runs that both have and that were compared.
    plan : tuple of str
        Differences of the plans that could change the numbers. They do not affect ``equal``.
    """

    shape: tuple[str, ...]
    first: Where | None
    counts: dict[str, int]
    compared: int
    plan: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether all bits of all data and axes are the same."""
        return not self.shape and self.first is None

    def __str__(self) -> str:
        """Return the comparison as text of a few lines."""
        if self.equal:
            return f"equal: {self.compared:,} runs, bit for bit"
        lines = ["different", *self.shape]
        if self.first is not None:
            lines.append(f"first difference: {self.first}")
            lines += [f"{name}: {count:,} values differ" for name, count in self.counts.items()]
        return "\n".join([*lines, *(f"plan: {text}" for text in self.plan)])


def diff(a: str | Path | Ensemble, b: str | Path | Ensemble) -> Difference:
    """Compare the complete runs of two ensembles, in bounded memory.

    Two values are the same when they have the same bits, so NaN equals itself and minus zero does
    not equal zero.

    Parameters
    ----------
    a, b : str, pathlib.Path or Ensemble

    Returns
    -------
    Difference
        Whether they are equal, and if not, where they differ; prints as text.

    Raises
    ------
    StoreError
        If one of them is missing or damaged.
    """
    left, right = (e if isinstance(e, Ensemble) else open_ensemble(e) for e in (a, b))
    plan = tuple(left.plan.differences(right.plan))
    shape = _axes(left, right)
    runs_a, runs_b = np.flatnonzero(left.complete), np.flatnonzero(right.complete)
    runs = np.intersect1d(runs_a, runs_b)
    if runs_a.size != runs_b.size or runs.size != runs_a.size:
        shape.append(
            f"runs: {runs_a.size:,} against {runs_b.size:,} complete, {runs.size:,} in both"
        )
    if any(s.startswith(("day", "city", "member", "parameter")) for s in shape):
        return Difference(tuple(shape), None, {}, 0, plan)
    counts: dict[str, int] = {}
    first: Where | None = None
    for piece in _pieces(left, runs):
        found = _piece(left, right, piece, counts)
        first = first or found
    return Difference(tuple(shape), first, counts, int(runs.size), plan)


def _axes(left: Ensemble, right: Ensemble) -> list[str]:
    names = {
        "day": ("start", "horizon"),
        "city": ("cities",),
        "member": ("members",),
        "parameter": ("parameters",),
    }
    found = []
    for dim, fields in names.items():
        mine, theirs = ([getattr(e.plan, f) for f in fields] for e in (left, right))
        if mine != theirs:
            found.append(f"{dim}: {_shown(mine)} against {_shown(theirs)}")
    if left.plan.hypotheses != right.plan.hypotheses:
        found.append(f"hypotheses: {left.plan.hypotheses} against {right.plan.hypotheses}")
    return found


def _shown(values: list[Any]) -> str:
    text = ", ".join(" ".join(v) if isinstance(v, tuple) else str(v) for v in values)
    return text if len(text) <= 120 else text[:119] + "…"


def _pieces(ensemble: Ensemble, runs: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    plan = ensemble.plan
    widest = max(
        int(np.prod(store.shape_of(c, plan))) * np.dtype(c.dtype).itemsize for c in store.columns()
    )
    size = max(_PIECE // max(widest, 1), 1)
    for start in range(0, runs.size, size):
        yield runs[start : start + size]


def _piece(
    left: Ensemble, right: Ensemble, runs: NDArray[np.int64], counts: dict[str, int]
) -> Where | None:
    """Compare all variables of some runs; add to the counts and return the first difference."""
    firsts: list[Where] = []
    # Opened again for each piece, so that nothing is kept in memory.
    one, two = (e.open_dataset(incomplete=True).isel(run=runs) for e in (left, right))
    for column in store.columns():
        a, b = one[column.name].values, two[column.name].values
        if a.tobytes() == b.tobytes():
            continue
        differs = _bits(a) != _bits(b)
        counts[column.name] = counts.get(column.name, 0) + int(differs.sum())
        at = tuple(int(i) for i in np.argwhere(differs)[0])
        coordinates = one[column.name].coords
        place = {
            d: str(coordinates[d].values[i]).removesuffix("T00:00:00.000000000")
            for d, i in zip(column.dims, at[1:], strict=True)
        }
        firsts.append(Where(column.name, int(runs[at[0]]), place, str(a[at]), str(b[at])))
    return min(firsts, key=lambda w: w.run, default=None)


def _bits(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")
