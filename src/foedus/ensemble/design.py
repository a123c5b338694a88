"""Draws from the priors: run ``i`` is point ``i`` of one scrambled Sobol sequence.

A run is a point of the design, not a position in a batch. More runs therefore extend the design,
and neither batches nor workers matter. The dimensions are, in this order, the hypothesis, the
declared parameters by name, and the case's triggers by number. A parameter keeps its dimension when
a case fixes it, and a new trigger takes a new dimension at the end, so neither changes the draws of
the others.

The scramble of a dimension (a random linear matrix scramble with a digital shift, Matousek 1998,
doi 10.1006/jcom.1998.0487) is keyed by the seed and the dimension's name, through
:mod:`foedus.randomness`. The direction numbers are those of Joe and Kuo 2008 in
:class:`scipy.stats.qmc.Sobol`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foedus.ensemble.proposal import Stage, log_price, move
from foedus.errors import InputError
from foedus.randomness import Random, purpose_id
from foedus.world.mechanism import Parameter
from foedus.world.priors import resolve

if TYPE_CHECKING:
    from foedus.case.models import Case
    from foedus.ensemble.ensemble import Ensemble

FloatArray = NDArray[np.float64]
#: Purpose and place of a random draw made once a run.
Address = tuple[str, int]

#: Version of the design. It changes whenever the same seed gives different draws.
DESIGN_VERSION = 1

#: Number of runs whose points are held in memory at once.
_POINTS = 16_384

#: Bits of a point's coordinates; a design has at most ``2**BITS`` runs.
BITS = 32

#: The dimension of the hypothesis, which is the first.
HYPOTHESIS = "hypothesis"
_TRIGGER = "trigger."


@dataclass(frozen=True)
class Draws:
    """Draws from the priors for some runs.

    Attributes
    ----------
    values : dict of str to ndarray of float64, shape (run,)
        A value of each parameter, in its own unit.
    hypothesis : ndarray of int16, shape (run,)
        Index into the case's hypotheses; -1 everywhere when it has none.
    luck : dict of (purpose, place) to ndarray, shape (run,)
        Uniforms of the once-a-run draws that the stages may have moved; empty without stages.
    """

    values: dict[str, FloatArray]
    hypothesis: NDArray[np.int16]
    luck: dict[Address, FloatArray] = field(default_factory=dict)


def dimensions(registry: Mapping[str, Parameter]) -> tuple[str, ...]:
    """Return the names of the design's dimensions in their fixed order."""
    declared = sorted(name for name in registry if not name.startswith(_TRIGGER))
    triggers = sorted((n for n in registry if n.startswith(_TRIGGER)), key=lambda n: (len(n), n))
    return (HYPOTHESIS, *declared, *triggers)


def draw(
    case: Case,
    registry: Mapping[str, Parameter],
    *,
    seed: int,
    runs: NDArray[np.int64],
    stages: Sequence[Stage] = (),
    luck: Sequence[Address] = (),
) -> Draws:
    """Draw all priors jointly for some runs.

    Parameters
    ----------
    case : Case
        Its priors and hypotheses take precedence over the defaults of the registry.
    registry : mapping of str to Parameter
    seed : int
        Ensemble seed, 0 to 2**64 - 1.
    runs : ndarray of int64, shape (run,)
        Global run numbers, strictly increasing.
    stages : sequence of Stage
        Proposals of later runs, see :mod:`foedus.ensemble.proposal`; without them, the prior.
    luck : sequence of (purpose, place)
        Once-a-run draws that the stages may move.

    Returns
    -------
    Draws

    Raises
    ------
    InputError
        If the case names a parameter that no mechanism declares.
    """
    names = dimensions(registry)
    all_names, u = coordinates(names, luck if stages else (), seed=seed, runs=runs, stages=stages)
    values, hypothesis = priors_at(case, registry, dict(zip(names, u, strict=False)))
    moved = {where: u[all_names.index(luck_name(where))] for where in (luck if stages else ())}
    return Draws(values, hypothesis, moved)


def priors_at(
    case: Case, registry: Mapping[str, Parameter], points: Mapping[str, FloatArray]
) -> tuple[dict[str, FloatArray], NDArray[np.int16]]:
    """Return the parameters and the hypotheses at some points of the design.

    Parameters
    ----------
    case : Case
    registry : mapping of str to Parameter
    points : mapping of str to ndarray, shape (run,)
        Coordinates by dimension (:func:`dimensions`), in the open unit interval; a missing
        dimension is at 0.5.
    """
    size = next(iter(points.values())).size
    middle = np.full(size, 0.5)
    hypothesis = _hypotheses(case, points.get(HYPOTHESIS, middle))
    values = {name: np.empty(size) for name in dimensions(registry)[1:]}
    for number in np.unique(hypothesis):
        chosen = case.hypotheses[number] if number >= 0 else None
        priors = resolve(case, dict(registry), chosen)
        rows = hypothesis == number
        for name, into in values.items():
            # All rows are transformed before choosing, so that a value does not depend on the other
            # runs of the batch.
            drawn = priors[name].quantile(points.get(name, middle))
            into[rows] = np.clip(drawn, registry[name].low, registry[name].high)[rows]
    return values, hypothesis


def luck_name(where: Address) -> str:
    """Return the name of the dimension of a once-a-run draw."""
    return f"luck:{where[0]}:{where[1]}"


def coordinates(
    names: tuple[str, ...],
    luck: Sequence[Address],
    *,
    seed: int,
    runs: NDArray[np.int64],
    stages: Sequence[Stage],
) -> tuple[tuple[str, ...], FloatArray]:
    """Return the points of some runs as the stages draw them: the design and the once-a-run draws.

    Returns
    -------
    names : tuple of str
        The design's dimensions, then those of the once-a-run draws.
    u : ndarray of float64, shape (dimension, run)
    """
    chance = Random(seed, runs)
    rows = [chance.uniform(purpose, place=place) for purpose, place in luck]
    u = np.vstack([uniforms(names, seed=seed, runs=runs), *rows])
    names = (*names, *(luck_name(where) for where in luck))
    return names, move(u, names, stages, seed=seed, runs=runs)


def _hypotheses(case: Case, u: FloatArray) -> NDArray[np.int16]:
    if not case.hypotheses:
        return np.full(u.size, -1, dtype=np.int16)
    edges = np.cumsum([h.weight for h in case.hypotheses])
    return np.searchsorted(edges[:-1] / edges[-1], u, side="right").astype(np.int16)


def uniforms(names: tuple[str, ...], *, seed: int, runs: NDArray[np.int64]) -> FloatArray:
    """Return the points of some runs in the open unit cube.

    Parameters
    ----------
    names : tuple of str
        Names of the dimensions; a name keys its dimension's scramble.
    seed : int
        Ensemble seed.
    runs : ndarray of int64, shape (run,)
        Global run numbers, strictly increasing.

    Returns
    -------
    ndarray of float64, shape (dimension, run)

    Raises
    ------
    InputError
        If a run number is negative or beyond ``2**BITS - 1``.
    """
    points = _sobol(len(names), runs)
    for row, name in zip(points, names, strict=True):
        row[:] = _scramble(row, seed, name)
    return np.asarray((points + 0.5) * 2.0**-BITS, dtype=np.float64)


def _sobol(dimension: int, runs: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return unscrambled Sobol points as integers of ``BITS`` bits, shape (dimension, run)."""
    from scipy.stats.qmc import Sobol

    if runs.size and (runs[0] < 0 or runs[-1] >= 2**BITS or np.any(np.diff(runs) < 1)):
        raise InputError(f"run numbers must increase, from 0 to at most {2**BITS - 1}")
    points = np.empty((dimension, runs.size), dtype=np.uint64)
    sequence = Sobol(dimension, scramble=False, bits=BITS)
    stretches = np.split(np.arange(runs.size), np.flatnonzero(np.diff(runs) != 1) + 1)
    for where in (s for s in stretches if s.size):
        _advance(sequence, int(runs[where[0]]))
        # One point first, because scipy warns when the first draw is not a power of two.
        sample = [sequence.random(1)] + (
            [sequence.random(where.size - 1)] if where.size > 1 else []
        )
        points[:, where] = (np.concatenate(sample) * 2.0**BITS).astype(np.uint64).T
    return points


def _advance(sequence, run: int) -> None:  # type: ignore[no-untyped-def]
    if run > sequence.num_generated:
        sequence.fast_forward(run - sequence.num_generated)


def _scramble(x: NDArray[np.uint64], seed: int, name: str) -> NDArray[np.uint64]:
    """Return a linear matrix scramble and digital shift of one dimension, shape (run,).

    Bit ``i`` (from the top) of the result is the parity of ``x`` under row ``i`` of a random lower
    triangular bit matrix with a unit diagonal, plus a random bit.
    """
    rows = Random(seed, np.arange(BITS + 1, dtype=np.int64))
    words = (rows.uniform("design.scramble", place=purpose_id(name)) * 2.0**BITS).astype(np.uint64)
    out = np.zeros_like(x)
    for i in range(BITS):
        diagonal = np.uint64(1 << (BITS - 1 - i))
        above = np.uint64((1 << BITS) - (1 << (BITS - i)))  # the i bits before bit i
        row = (words[i] & above) | diagonal
        parity = (np.bitwise_count(x & row) & np.uint8(1)).astype(np.uint64)
        out |= parity << np.uint64(BITS - 1 - i)
    out ^= words[BITS]
    return out


def design_points(
    ensemble: Ensemble, which: slice = slice(None), *, block: int = 4096
) -> tuple[tuple[str, ...], FloatArray]:
    """Return the dimensions' names and the points of complete runs, design and once-a-run draws.

    Parameters
    ----------
    ensemble : Ensemble
    which : slice
        Of the complete runs; all by default.
    block : int
        Number of runs that are processed at once.

    Returns
    -------
    names : tuple of str
    u : ndarray of float64, shape (dimension, run)
    """
    from foedus.world import engine

    plan, case = ensemble.plan, ensemble.case
    declared, luck = dimensions(engine.registry(case)), engine.luck(case)
    runs = np.flatnonzero(ensemble.complete)[which]
    parts = []
    for first in range(0, max(runs.size, 1), block):
        some = runs[first : first + block]
        names, u = coordinates(declared, luck, seed=plan.seed, runs=some, stages=plan.stages)
        parts.append(u)
    return names, np.concatenate(parts, axis=1)


def log_importance(ensemble: Ensemble) -> FloatArray:
    """Return each complete run's log prior over proposal density, shape (run,).

    Of the stages, and of the unreported events that were drawn less often. Memory is bounded except
    for the result.
    """
    plan = ensemble.plan
    out: FloatArray = np.zeros(ensemble.complete_runs)
    if "log_thinning" in ensemble.dataset:  # else the runs were made before there was thinning
        out += ensemble.dataset["log_thinning"].to_numpy()
    for first in range(0, out.size if plan.stages else 0, _POINTS):
        here = slice(first, first + _POINTS)
        names, u = design_points(ensemble, here)
        out[here] = log_price(u, names, plan.stages, runs=plan.runs)
    return out
