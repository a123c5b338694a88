"""Adaptive proposals: where later runs are drawn, and their importance weights.

Weighting a prior ensemble wastes most runs when much is known. An adaptive ensemble therefore comes
in stages. The runs of the first stage are drawn from the prior. Before each later stage a proposal
is fitted to the runs so far, and the stage's runs are drawn from it:

    q_k = d · prior + (1 - d) · prod_j N(z_j; mean_j, sd_j²)

in normal scores ``z_j`` of the design and of the once-a-run draws
(:func:`foedus.world.engine.luck`). A few dimensions are moved; the others follow the prior. The
defensive share ``d`` bounds every weight by ``1/d`` (Hesterberg 1995, doi
10.1080/00401706.1995.10484303). All runs are weighted by the mixture of all stages from which they
could have come, ``prior / sum_k a_k q_k`` (Veach & Guibas 1995, doi 10.1145/218380.218498; Cornuet
et al. 2012, doi 10.1111/j.1467-9469.2011.00756.x), so no stage is discarded.

Stages begin at fixed run numbers (500, 1,000, 2,000, 4,000, ...) whatever the number of runs
requested, so a longer ensemble begins with the same runs as a shorter one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from foedus.randomness import Random

if TYPE_CHECKING:
    pass

FloatArray = NDArray[np.float64]

#: First run of the second stage; each later stage begins at twice the run of the one before.
FIRST_STAGE = 500
#: Share of a stage's runs that are still drawn from the prior.
DEFENSIVE = 0.2
#: Normal scores are kept within this, so that a uniform never rounds to 0 or 1.
_FAR = 8.0


@dataclass(frozen=True)
class Stage:
    """The proposal of the runs from ``first_run`` on.

    Attributes
    ----------
    first_run : int
    names : tuple of str
        Dimensions of the design that are moved.
    mean, sd : tuple of float
        Of their normal scores; 0 and 1 is the prior.
    """

    first_run: int
    names: tuple[str, ...]
    mean: tuple[float, ...]
    sd: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return {
            "first_run": self.first_run,
            "names": list(self.names),
            "mean": list(self.mean),
            "sd": list(self.sd),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Stage:
        """Read the data returned by :meth:`to_json`."""
        return cls(
            int(data["first_run"]),
            tuple(map(str, data["names"])),
            tuple(map(float, data["mean"])),
            tuple(map(float, data["sd"])),
        )


def boundaries(runs: int) -> list[int]:
    """Return the first run of each later stage, for a given number of runs."""
    out, first = [], FIRST_STAGE
    while first < runs:
        out.append(first)
        first *= 2
    return out


def move(
    u: FloatArray,
    names: tuple[str, ...],
    stages: Sequence[Stage],
    *,
    seed: int,
    runs: NDArray[np.int64],
) -> FloatArray:
    """Return the design's points as the stages draw them.

    Parameters
    ----------
    u : ndarray, shape (dimension, run)
        Points of the prior's design.
    names : tuple of str
        The dimensions.
    stages : sequence of Stage
        By first run.
    seed : int
    runs : ndarray of int64, shape (run,)
    """
    if not stages or not runs.size or runs.max() < stages[0].first_run:
        return u
    u = u.copy()
    leans = leaning(seed, runs)
    row_of = {name: row for row, name in enumerate(names)}
    ends = [*(s.first_run for s in stages[1:]), np.iinfo(np.int64).max]
    for stage, end in zip(stages, ends, strict=True):
        here = leans & (runs >= stage.first_run) & (runs < end)
        for name, mean, sd in zip(stage.names, stage.mean, stage.sd, strict=True):
            row = row_of[name]
            moved = ndtr(np.clip(mean + sd * ndtri(u[row]), -_FAR, _FAR))
            u[row] = np.where(here, moved, u[row])
    return u


def leaning(seed: int, runs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which runs are drawn from their stage's proposal rather than from the prior."""
    return np.asarray(Random(seed, runs).uniform("design.component") >= DEFENSIVE)


def log_price(
    u: FloatArray, names: tuple[str, ...], stages: Sequence[Stage], *, runs: int
) -> FloatArray:
    """Return the log of prior over mixture for some points, shape (run,).

    Parameters
    ----------
    u : ndarray, shape (dimension, run)
        Points as returned by :func:`move`.
    names : tuple of str
    stages : sequence of Stage
    runs : int
        Number of runs of the ensemble, which decides the share of each stage.
    """
    stages = [s for s in stages if s.first_run < runs]
    if not stages:
        return np.zeros(u.shape[1])
    firsts = np.array([0, *(s.first_run for s in stages), runs], dtype=np.float64)
    share = np.diff(firsts) / runs
    row_of = {name: row for row, name in enumerate(names)}
    mixture = np.full(u.shape[1], share[0])
    for stage, part in zip(stages, share[1:], strict=True):
        log_ratio = np.zeros(u.shape[1])
        for name, mean, sd in zip(stage.names, stage.mean, stage.sd, strict=True):
            z = ndtri(u[row_of[name]])
            log_ratio += 0.5 * z * z - 0.5 * ((z - mean) / sd) ** 2 - np.log(sd)
        lean = np.exp(np.minimum(log_ratio, 700.0))
        mixture += part * (DEFENSIVE + (1.0 - DEFENSIVE) * lean)
    return np.asarray(-np.log(mixture))
