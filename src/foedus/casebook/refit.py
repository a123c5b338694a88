"""Refit the casebook's models and write the package data: ``python -m foedus.casebook.refit``.

Needs the extra ``bayes``. Stored fits that belong to the current cases and priors (content hash)
and have converged are kept, unless ``--force`` is given. The same seed gives the same draws.
"""

from __future__ import annotations

import argparse
import datetime as dt
import functools
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from foedus.casebook import store
from foedus.casebook.design import MODELS, Responses, responses, usable
from foedus.casebook.fit import PARAMETERS, Diagnostics, Fit, Fitter, fitter, without
from foedus.casebook.load import load_casebook
from foedus.casebook.psis import PARETO_LIMIT
from foedus.casebook.schema import Case

SEED = 20220105
_FULL, _PART = 1000, 200
print_now = functools.partial(print, flush=True)


def refit(target: Path, *, folder: Path | None = None, force: bool = False) -> bool:
    """Fit all models, with all as-of variants, into ``target``; return whether anything was done.

    Parameters
    ----------
    target : Path
        Folder for ``fits.npz`` and ``fits.json``.
    folder : Path, optional
        Own cases to add to the shipped ones.
    force : bool
        Fit even if the stored fits are current.
    """
    cases = usable(load_casebook(folder))
    current = store.content_hash(cases)
    notes_path = target / store.NOTES
    stored = json.loads(notes_path.read_text(encoding="utf-8")) if notes_path.exists() else {}
    arrays: dict[str, Any] = {}
    notes: dict[str, Any] = {
        "hash": current,
        "seed": SEED,
        "folder": None if folder is None else str(folder),
        "cases": [c.id for c in cases],
        "parameters": PARAMETERS,
        "diagnostics": {},
        "pareto": {},
    }
    if not force and stored.get("hash") == current:
        with np.load(target / store.FILE) as old:
            for name, numbers in stored["diagnostics"].items():
                if Diagnostics(*numbers).good:
                    arrays[name], notes["diagnostics"][name] = old[name], numbers
        if len(arrays) == len(stored["diagnostics"]):
            return False
    for model in MODELS:
        _refit_model(model, cases, arrays, notes)
    np.savez_compressed(target / store.FILE, **arrays)
    notes_path.write_text(json.dumps(notes, indent=1) + "\n", encoding="utf-8")
    store.load_fits.cache_clear()
    return True


def _refit_model(
    model: str, cases: tuple[Case, ...], arrays: dict[str, Any], notes: dict[str, Any]
) -> None:
    y = responses(cases)

    @functools.cache
    def compiled() -> Fitter:
        return fitter(model, cases)[0]

    def keep(tag: str, part: Responses, size: int) -> None:
        name = f"{model}/{tag}"
        if name in arrays:
            return
        fit = compiled().fit(part, seed=SEED, draws=1000, tune=1000)
        if not fit.diagnostics.good:
            # Once more, slower: a longer warm-up, smaller steps, other luck.
            fit = compiled().fit(part, seed=SEED + 1, draws=1000, tune=2000, target_accept=0.99)
        arrays[name] = _thin(model, fit, size)
        d = fit.diagnostics
        notes["diagnostics"][name] = [round(d.rhat, 4), round(d.ess), d.divergences]
        print_now(f"{name}: R-hat {d.rhat:.3f}, ESS {d.ess:.0f}, divergent {d.divergences}")

    keep("full", y, _FULL)
    seen = None
    for year in range(1956, dt.date.today().year + 2):
        part = responses(cases, before=dt.date(year, 1, 1))
        mask = (part.mask[model].tobytes(), part.months.tobytes() if model == "duration" else b"")
        if mask != seen:
            keep(f"before-{year}", part, _PART)
            seen = mask
    fits = store.Fits({f"{model}/full": arrays[f"{model}/full"]}, notes, cases)
    for (iso3, year), k in store.pareto_shapes(model, fits).items():
        notes["pareto"][f"{model}/{iso3}-{year}"] = round(float(k), 3)
        if k > PARETO_LIMIT:
            drop = np.array([c.key == (iso3, year) for c in cases])
            keep(f"without-{iso3}-{year}", without(y, drop), _PART)


def _thin(model: str, fit: Fit, size: int) -> Any:
    table = np.concatenate([fit.draws[n] for n in PARAMETERS[model]], axis=1)
    step = table.shape[0] // size
    return table[::step][:size].astype(np.float16)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Refit the casebook's models.")
    parser.add_argument("--force", action="store_true", help="refit even if nothing changed")
    parser.add_argument("--folder", type=Path, help="a folder of own cases to add")
    parser.add_argument("--target", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    done = refit(arguments.target, folder=arguments.folder, force=arguments.force)
    print("fitted" if done else "the stored fits are current")
    return 0


if __name__ == "__main__":
    sys.exit(main())
