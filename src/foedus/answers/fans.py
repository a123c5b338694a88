"""Fan charts: weighted quantiles of the runs day by day, before or after the evidence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foedus.case.vocabulary import QUANTITIES
from foedus.errors import InputError
from foedus.weighing.quantities import Frame, blocks, series, variables
from foedus.weighing.results import Fan
from foedus.weighing.weighed import BLOCK, prior_weights
from foedus.weighing.weights import Weights, carrying
from foedus.weighted_statistics import LEVELS, quantile

if TYPE_CHECKING:
    import xarray as xr

    from foedus.ensemble.ensemble import Ensemble

FloatArray = NDArray[np.float64]

#: What the fan charts show, and their titles.
FANS: dict[str, str] = {
    "crowd": "People in the streets",
    "deaths_protesters": "Civilians killed so far",
    "deaths_security": "Members of the forces killed so far",
    "deaths_total": "All killed so far",
    "arrests": "People arrested so far",
    "troops_announced": "Allied troops announced",
    "troops_present": "Allied troops in the country",
    "cities_in_unrest": "Cities in unrest",
    "loyal_share": "Share of commanders who hold",
    "internet": "Connectivity",
}

#: Most runs in a fan, and most values of one quantity that are held at once.
MOST_FAN_RUNS = 50_000
_MOST_FAN_VALUES = 4_000_000


def fans(
    dataset: xr.Dataset,
    frame: Frame,
    weights: Weights,
    *,
    refused: bool = False,
    keys: Iterable[str] = FANS,
    block: int = BLOCK,
) -> tuple[Fan, ...]:
    """Return weighted quantiles by day of what :data:`FANS` names; NaN where refused."""
    keys = tuple(keys)
    dates = tuple(frame.date(d) for d in range(frame.horizon))
    found: dict[str, FloatArray] = {}
    if not refused:
        rows = carrying(weights.weight, min(MOST_FAN_RUNS, _MOST_FAN_VALUES // frame.horizon))
        shown = dataset.isel(run=rows)
        for key in keys:
            parts = [series(runs, frame, key) for runs in blocks(shown, variables(key), size=block)]
            values = np.concatenate(parts)
            found[key] = quantile(values, weights.weight[rows], np.array(LEVELS))
    blank = np.full((len(LEVELS), frame.horizon), np.nan)
    return tuple(
        Fan(key, FANS[key], QUANTITIES[key].unit, dates, found.get(key, blank)) for key in keys
    )


def fans_before(ensemble: Ensemble, *keys: str) -> tuple[Fan, ...]:
    """Return quantiles by day of the runs of an ensemble, no evidence weighed.

    The weights are those of :func:`foedus.weighing.weighed.prior_weights`.

    Parameters
    ----------
    ensemble : Ensemble
    *keys : str
        Of :data:`FANS`; none: all of them.

    Raises
    ------
    InputError
        If there is no such fan, or no run is done.
    """
    for key in keys:
        if key not in FANS:
            raise InputError(f"fan: one of {', '.join(FANS)} (found {key!r})")
    if not ensemble.complete_runs:
        raise InputError(f"{ensemble.path}: no run is done yet")
    frame = Frame.of(ensemble.case)
    return fans(ensemble.dataset, frame, prior_weights(ensemble), keys=keys or FANS)
