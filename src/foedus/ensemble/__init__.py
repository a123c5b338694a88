"""Ensembles of runs of a case: draws, plan, batches, workers and the store on disk.

Names are imported when first used, to keep the import fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foedus.ensemble.catalogue import RunInfo as RunInfo
    from foedus.ensemble.catalogue import list_runs as list_runs
    from foedus.ensemble.catalogue import show as show
    from foedus.ensemble.catalogue import verify as verify
    from foedus.ensemble.compare import Difference as Difference
    from foedus.ensemble.compare import diff as diff
    from foedus.ensemble.ensemble import Ensemble as Ensemble
    from foedus.ensemble.ensemble import open_ensemble as open_ensemble
    from foedus.ensemble.plan import Plan as Plan
    from foedus.ensemble.runner import RunError as RunError
    from foedus.ensemble.runner import run as run

_HOME = {
    "Difference": "compare",
    "Ensemble": "ensemble",
    "Plan": "plan",
    "RunError": "runner",
    "RunInfo": "catalogue",
    "diff": "compare",
    "list_runs": "catalogue",
    "open_ensemble": "ensemble",
    "run": "runner",
    "show": "catalogue",
    "verify": "catalogue",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'foedus.ensemble' has no attribute {name!r}")
    return getattr(import_module(f"foedus.ensemble.{_HOME[name]}"), name)
