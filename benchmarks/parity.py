"""The street model against Mesa's bundled Epstein example: same parameters, two samples.

Used by ``benchmarks/streets.py`` and by the slow test of equivalence.
"""

from __future__ import annotations

import sys
import types
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

#: A small lattice with outbursts: on average 5.6 within 80 ticks over 4,000 runs, quartiles 3, 6
#: and 8; 2.7 percent of the runs have none.
PARAMETERS: dict[str, Any] = {
    "width": 20,
    "height": 20,
    "citizen_density": 0.7,
    "cop_density": 0.055,
    "citizen_vision": 4,
    "cop_vision": 4,
    "legitimacy": 0.8,
    "max_jail_term": 15,
}
BOUND = 20
TICKS = 80


def mesa_model() -> Any:
    """Return Mesa's ``EpsteinCivilViolence``.

    ``mesa.examples`` imports all examples and so needs their dependencies; an empty stand-in
    for that package lets this one be imported alone.
    """
    if "mesa.examples" not in sys.modules:
        spec = find_spec("mesa")
        assert spec is not None
        assert spec.submodule_search_locations is not None
        package = types.ModuleType("mesa.examples")
        package.__path__ = [str(Path(spec.submodule_search_locations[0]) / "examples")]
        sys.modules["mesa.examples"] = package
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        from mesa.examples.advanced.epstein_civil_violence.model import EpsteinCivilViolence
    return EpsteinCivilViolence


def run_mesa(parameters: dict[str, Any], *, runs: int, ticks: int, seed: int) -> dict[str, Any]:
    """Return actives and jailed of Mesa's example after each tick, shape (run, tick)."""
    model_class = mesa_model()
    out = {name: np.zeros((runs, ticks), dtype=np.int64) for name in ("actives", "jailed")}
    for run in range(runs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            model = model_class(**parameters, seed=seed + run)
            for tick in range(ticks):
                model.step()
                out["actives"][run, tick] = model.ACTIVE
                out["jailed"][run, tick] = model.ARRESTED
    return out


def run_ours(parameters: dict[str, Any], *, runs: int, ticks: int, seed: int) -> dict[str, Any]:
    """Return the same for foedus under the ``mesa`` reading."""
    from foedus.streets import reading, simulate

    result = simulate(reading("mesa", **parameters), seed=seed, runs=runs, ticks=ticks)
    return {name: result[name].values for name in ("actives", "jailed")}


def outbursts(actives: Any, bound: int) -> tuple[Any, Any]:
    """Return, per run, the number of outbursts and their mean size (NaN where there is none).

    An outburst is a spell with more than ``bound`` actives; its size is the sum of actives over it.
    """
    over = actives > bound
    starts = over & ~np.pad(over, ((0, 0), (1, 0)))[:, :-1]
    count = starts.sum(axis=1)
    size = np.where(over, actives, 0).sum(axis=1)
    return count, np.where(count > 0, size / np.maximum(count, 1), np.nan)


def summaries(counts: dict[str, Any], bound: int = BOUND) -> dict[str, Any]:
    """Return the quantities to compare, one value per run each."""
    actives, jailed = counts["actives"], counts["jailed"]
    number, size = outbursts(actives, bound)
    last = actives.shape[1]
    out = {f"actives at {t}": actives[:, t - 1] for t in (1, 5, last // 2, last)}
    out |= {f"jailed at {t}": jailed[:, t - 1] for t in (1, 5, last // 2, last)}
    out["mean actives"] = actives.mean(axis=1)
    out["mean jailed"] = jailed.mean(axis=1)
    out["peak of actives"] = actives.max(axis=1)
    out["outbursts"] = number
    out["outburst size"] = size[~np.isnan(size)]
    return out


def compare(ours: dict[str, Any], mesa: dict[str, Any]) -> list[dict[str, Any]]:
    """Return two-sample tests: Kolmogorov-Smirnov for the law, Welch's t for the mean."""
    from scipy import stats

    rows = []
    a, b = summaries(ours), summaries(mesa)
    for name in a:
        rows.append(
            {
                "quantity": name,
                "ours": float(a[name].mean()),
                "ours_se": float(a[name].std(ddof=1) / np.sqrt(a[name].size)),
                "mesa": float(b[name].mean()),
                "mesa_se": float(b[name].std(ddof=1) / np.sqrt(b[name].size)),
                "ks": float(stats.ks_2samp(a[name], b[name]).pvalue),
                "welch": float(stats.ttest_ind(a[name], b[name], equal_var=False).pvalue),
            }
        )
    return rows
