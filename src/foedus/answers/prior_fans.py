"""What an ensemble says before any evidence: fans of its runs as their priors weigh them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foedus.errors import InputError
from foedus.weighing.adaptive_proposal import log_importance
from foedus.weighing.results import Fan
from foedus.weighing.summaries import FANS, fans
from foedus.weighing.weighed import BLOCK, weigh_runs
from foedus.weighing.weights import weigh
from foedus.world.guidance import Guidance

if TYPE_CHECKING:
    from foedus.ensemble.ensemble import Ensemble


def fans_before(ensemble: Ensemble, *keys: str) -> tuple[Fan, ...]:
    """Return quantiles by day of the runs of an ensemble, no evidence weighed.

    Each run weighs what its parameters weigh for where they were drawn, each hypothesis its prior.
    Decisions that were imposed on the runs are in them, and are not charged.

    Parameters
    ----------
    ensemble : Ensemble
    *keys : str
        Of :data:`foedus.weighing.summaries.FANS`; none: all of them.

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
    found = weigh_runs(
        ensemble.case,
        ensemble.dataset,
        guidance=Guidance(),
        log_importance=log_importance(ensemble),
    )
    weights = weigh(found.log_prior)
    return fans(ensemble.dataset, found.frame, weights, False, BLOCK, keys=keys or FANS)
