"""Some runs to look at one by one: drawn by their weight, so that they stand for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foedus.answers.counterfactuals import resample
from foedus.plain_values import Plain
from foedus.weighing.quantities import Frame, blocks, series, variables

if TYPE_CHECKING:
    import xarray as xr

    from foedus.case.models import Case
    from foedus.weighing.weights import Weights

_SHOWN = ("crowd", "deaths_total", "troops_present")


@dataclass(frozen=True)
class Pick(Plain):
    """A run in short.

    Attributes
    ----------
    run : int
        Its number.
    weight : float
        Share of the whole weight.
    hypothesis : str or None
    crowd, deaths, troops : float
        Most people in the streets on a day, people killed by the end, most allied troops.
    """

    run: int
    weight: float
    hypothesis: str | None
    crowd: float
    deaths: float
    troops: float


def picks(
    case: Case,
    dataset: xr.Dataset,
    weights: Weights,
    numbers: NDArray[np.int64],
    *,
    count: int = 12,
    seed: int = 1,
) -> tuple[Pick, ...]:
    """Return some runs, drawn by weight; where the forecast refuses, some of all runs.

    Parameters
    ----------
    case : Case
    dataset : xarray.Dataset
    weights : Weights
    numbers : ndarray, shape (run,)
        Numbers of the runs in the dataset.
    count : int
        How many are drawn; a run that is drawn twice is listed once.
    seed : int

    Returns
    -------
    tuple of Pick
        The most deadly first.
    """
    size = numbers.size
    if not size:
        return ()
    told = not weights.verdict.refused
    rows = np.flatnonzero(
        resample(weights.weight if told else np.full(size, 1.0 / size), count, seed=seed)
    )
    frame = Frame.of(case)
    names = sorted({n for key in _SHOWN for n in variables(key)} | {"hypothesis"})
    names = [n for n in names if n in dataset]
    block = next(iter(blocks(dataset.isel(run=rows), names, size=max(rows.size, 1))))
    crowd, deaths, troops = (series(block, frame, key) for key in _SHOWN)
    which = block.get("hypothesis", np.full(rows.size, -1))
    found = [
        Pick(
            int(numbers[row]),
            float(weights.weight[row]),
            case.hypotheses[int(which[k])].id if int(which[k]) >= 0 else None,
            float(crowd[k].max()),
            float(deaths[k, -1]),
            float(troops[k].max()),
        )
        for k, row in enumerate(rows.tolist())
    ]
    return tuple(sorted(found, key=lambda p: (-p.deaths, p.run)))
