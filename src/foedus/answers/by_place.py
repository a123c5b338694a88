"""What weighted runs say of each place and of each member, by day: what a map shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case
from foedus.weighing.quantities import UNREST_CROWD, Frame, blocks, series
from foedus.weighing.weights import Weights, carrying
from foedus.weighted_statistics import quantile

if TYPE_CHECKING:
    import xarray as xr

FloatArray = NDArray[np.float64]

LEVELS: tuple[float, ...] = (0.05, 0.5, 0.95)
_KEYS = ("q05", "q50", "q95")
_MOST_RUNS = 20_000
_BLOCK = 1000


def by_place(case: Case, dataset: xr.Dataset, weights: Weights) -> dict[str, Any]:
    """Return unrest by place and allied troops by member, day by day.

    Parameters
    ----------
    case : Case
        The case that the runs were made of.
    dataset : xarray.Dataset
        Dims run, day, city, member.
    weights : Weights
        Of the runs, as a forecast gives them.

    Returns
    -------
    dict
        ``dates``: ISO texts. ``places``: by short name ``unrest`` (probability of more than
        50 people in the streets) and ``crowd`` (people at the day's peak: ``q05``, ``q50``,
        ``q95``). ``members``: by actor ``present`` (probability that troops are in the country)
        and ``troops`` (``q05``, ``q50``, ``q95``, ``mean``). Lists have one number a day.
        Where the forecast refuses, ``refused`` is true and there are neither places nor members.
    """
    frame = Frame.of(case)
    dates = [frame.date(d).isoformat() for d in range(frame.horizon)]
    if weights.verdict.refused:
        return {"dates": dates, "refused": True, "places": {}, "members": {}}
    rows = carrying(weights.weight, _MOST_RUNS)
    weight = weights.weight[rows] / weights.weight[rows].sum()
    shown = dataset.isel(run=rows)
    crowd = _by_run(shown, frame, "crowd")
    troops = _by_run(shown, frame, "troops_present")
    places: dict[str, dict[str, Any]] = {
        name: {
            "unrest": _share(crowd[:, :, i] > UNREST_CROWD, weight),
            "crowd": _bands(crowd[:, :, i], weight),
        }
        for i, name in enumerate(frame.cities)
    }
    members: dict[str, dict[str, Any]] = {
        name: {
            "present": _share(troops[:, :, i] > 0, weight),
            "troops": {
                **_bands(troops[:, :, i], weight),
                "mean": [round(float(v), 2) for v in weight @ troops[:, :, i]],
            },
        }
        for i, name in enumerate(frame.members)
    }
    return {"dates": dates, "refused": False, "places": places, "members": members}


def _by_run(dataset: xr.Dataset, frame: Frame, quantity: str) -> FloatArray:
    """Return a quantity by run, day, and place or member."""
    units = frame.cities if quantity == "crowd" else frame.members
    unit = "place" if quantity == "crowd" else "member"
    parts = [
        np.stack([series(runs, frame, quantity, **{unit: u}) for u in units], axis=2)
        for runs in blocks(dataset, (quantity,), size=_BLOCK)
    ]
    return np.concatenate(parts)


def _share(true: NDArray[np.bool_], weight: FloatArray) -> list[float]:
    return [round(min(max(float(v), 0.0), 1.0), 4) for v in weight @ true]


def _bands(values: FloatArray, weight: FloatArray) -> dict[str, list[float]]:
    found = quantile(values, weight, np.array(LEVELS))
    return {key: [round(float(v), 2) for v in row] for key, row in zip(_KEYS, found, strict=True)}
