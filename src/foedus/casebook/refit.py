"""Refit the casebook's models: ``python -m foedus.casebook.refit`` (extra ``bayes``).

The equations are those of `models`, stated for PyMC with partial pooling in non-centred form and
sampled with nutpie. Nothing else in foedus imports PyMC: predictions use the stored draws.
Converged fits of a model whose cases and priors are the same (by content hash) are kept, unless
``--force`` is given. The same seed gives the same draws.
"""

from __future__ import annotations

import argparse
import datetime as dt
import functools
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor
from numpy.typing import NDArray

from foedus.casebook import fits
from foedus.casebook.coded_case import MISSION_KINDS, TRIGGERS, CodedCase
from foedus.casebook.design import (
    COMBINATIONS,
    MODELS,
    Features,
    Floats,
    Inputs,
    Responses,
    inputs,
    responses,
    usable,
)
from foedus.casebook.load import load_casebook
from foedus.casebook.models import PRIORS
from foedus.casebook.organisations import organisations
from foedus.errors import InputError

pt: Any = pytensor.tensor
_G, _T, _K = len(organisations().groups), len(TRIGGERS), len(MISSION_KINDS)

#: Parameters that a prediction needs, with their lengths.
PARAMETERS: dict[str, dict[str, int]] = {
    "call": {
        "req_a": 1,
        "req_u": _G,
        "req_v": _T,
        "ans_a": 1,
        "ans_u": _G,
        "ans_v": _T,
        "ans_b": 3,
        "ans_year": 1,
        "ans_rest": 3,
        "ans_limited": _G,
        "psi": 4,
    },
    "arrival": {"a": 1, "collective": 1, "u": _G, "v": _T, "sd": 2},
    "size": {"a": 1, "u": _G, "v": _T, "sd": 1},
    "duration": {"a": 1, "u": _G, "v": _T, "w": _K, "kind": _T * _K, "mean": 2, "sd": 2},
    "survival": {"a": 1, "b": 3, "u": _G, "v": _T},
}


@dataclass(frozen=True)
class Diagnostics:
    """Convergence of one fit.

    Attributes
    ----------
    rhat : float
        Largest rank-normalised split R-hat over all parameters.
    ess : float
        Smallest of bulk and tail effective sample size.
    divergences : int
    """

    rhat: float
    ess: float
    divergences: int

    @property
    def good(self) -> bool:
        """Whether R-hat is at most 1.015, ESS at least 400 and divergences at most 8 of 4000."""
        return self.rhat <= 1.015 and self.ess >= 400 and self.divergences <= 8


@dataclass(frozen=True)
class Fit:
    """Posterior draws of one model.

    Attributes
    ----------
    draws : dict
        Parameter → ndarray, shape (D, k).
    diagnostics : Diagnostics
    """

    draws: dict[str, Floats]
    diagnostics: Diagnostics


def _normal(name: str, key: str, shape: int | None = 1) -> Any:
    prior = PRIORS[key]
    if prior.half:
        return pm.HalfNormal(name, prior.sd, shape=shape)
    if prior.log:
        return pm.LogNormal(name, prior.mean, prior.sd, shape=shape)
    return pm.Normal(name, prior.mean, prior.sd, shape=shape)


def _pooled(name: str, key: str, size: int) -> Any:
    """Return effects with a common scale, non-centred."""
    scale = pm.HalfNormal(f"{name}_sd", PRIORS[key].sd)
    z = pm.Normal(f"{name}_z", 0, 1, shape=size)
    return pm.Deterministic(name, scale * z)


def build(model: str, x: Inputs, y: Responses) -> pm.Model:
    """Return the PyMC model of one of `MODELS`, with all arrays as data that can be replaced."""
    if model not in MODELS:
        raise InputError(f"model: one of {', '.join(MODELS)} (found {model!r})")
    with pm.Model() as built:
        data = {name: pm.Data(name, value) for name, value in _data(model, x, y).items()}
        value = _BUILD[model](data)
        pm.Potential("likelihood", pt.sum(data["mask"] * value))
    return built


def _data(model: str, x: Inputs, y: Responses) -> dict[str, NDArray[Any]]:
    common: dict[str, NDArray[Any]] = {
        "group": x.group,
        "trigger": x.trigger,
        "mask": y.mask[model],
    }
    extra: dict[str, dict[str, NDArray[Any]]] = {
        "call": {
            "year": x.year,
            "weights": x.weights,
            "asked": y.asked,
            "answer": y.answer,
            "free": y.answer_free,
        },
        "arrival": {"council": x.collective, "arrival": y.arrival},
        "size": {"size": y.size},
        "duration": {"months": y.months, "kinds": y.kind},
        "survival": {"survived": y.survived, "survival_answer": y.survival_answer},
    }
    return common | extra[model]


def _call(d: Mapping[str, Any]) -> Any:
    a = _normal("req_a", "request.intercept")
    u = _pooled("req_u", "request.organisation_sd", _G)
    v = _pooled("req_v", "request.trigger_sd", _T)
    p = pm.math.sigmoid(a + u[d["group"]] + v[d["trigger"]])
    a = _normal("ans_a", "answer.intercept")
    u = _pooled("ans_u", "answer.organisation_sd", _G)
    triggers = [PRIORS[f"answer.{t}"] for t in TRIGGERS]
    v = pm.Normal("ans_v", [t.mean for t in triggers], [t.sd for t in triggers], shape=_T)
    effects = [PRIORS[f"answer.{b}"] for b in ("base", "rival", "contiguous")]
    b = pm.Normal("ans_b", [e.mean for e in effects], [e.sd for e in effects], shape=3)
    year = _normal("ans_year", "answer.year")
    others = [PRIORS[f"answer.{a}"] for a in ("none", "refused", "limited")]
    rest = pm.Normal("ans_rest", [o.mean for o in others], [o.sd for o in others], shape=3)
    limited = _pooled("ans_limited", "answer.limited_organisation_sd", _G)
    fixed = a + u[d["group"]] + v[d["trigger"]] + year * d["year"]
    eta = fixed[:, None] + pt.dot(b, COMBINATIONS.T)[None, :]
    troops = pt.sum(d["weights"] * pm.math.sigmoid(eta), axis=1)
    level = pt.zeros_like(fixed)
    weights = pt.stack([rest[0] + level, rest[1] + level, rest[2] + limited[d["group"]]], axis=1)
    share = pm.math.softmax(weights, axis=1) * (1 - troops)[:, None]
    given = pt.concatenate([share, troops[:, None]], axis=1)
    psi = pm.Dirichlet("psi", np.ones(4))
    yes = pt.sum(given * d["answer"], axis=1) + d["free"]
    no = pt.dot(d["answer"], psi) + d["free"]
    return pt.log(p * d["asked"][:, 1] * yes + (1 - p) * d["asked"][:, 0] * no)


def _arrival(d: Mapping[str, Any]) -> Any:
    a = _normal("a", "arrival.intercept")
    c = _normal("collective", "arrival.collective")
    u = _pooled("u", "arrival.organisation_sd", _G)
    v = _pooled("v", "arrival.trigger_sd", _T)
    sd = _normal("sd", "arrival.sd", 2)
    mean = a + c * d["council"] + u[d["group"]] + v[d["trigger"]]
    scale = pt.switch(pt.eq(d["council"], 1), sd[1], sd[0])
    low, high = d["arrival"][:, 0], d["arrival"][:, 1]
    below = pt.switch(pt.gt(low, 0), _phi((pt.log(pt.maximum(low, 0.5)) - mean) / scale), 0.0)
    return pt.log(_phi((pt.log(high) - mean) / scale) - below + 1e-9)


def _size(d: Mapping[str, Any]) -> Any:
    a = _normal("a", "size.intercept")
    u = _pooled("u", "size.organisation_sd", _G)
    v = _pooled("v", "size.trigger_sd", _T)
    sd = _normal("sd", "size.sd")
    scale = pt.sqrt(sd**2 + d["size"][:, 1] ** 2)
    return _log_normal(d["size"][:, 0], a + u[d["group"]] + v[d["trigger"]], scale)


def _duration(d: Mapping[str, Any]) -> Any:
    a = _normal("a", "duration.short_share")
    u = _pooled("u", "duration.organisation_sd", _G)
    v = _pooled("v", "duration.trigger_sd", _T)
    w = _pooled("w", "duration.kind_sd", _K)
    common = _normal("kind_common", "duration.kind", _K)
    own_sd = pm.HalfNormal("kind_sd", PRIORS["duration.kind_by_trigger_sd"].sd)
    own = pm.Normal("kind_z", 0, 1, shape=(_T, _K))
    logits = common[None, :] + own_sd * own
    pm.Deterministic("kind", logits.flatten())
    short = _normal("short", "duration.short")
    # The long kind is longer by construction, so that the two cannot change places.
    prior = PRIORS["duration.gap"]
    gap = pm.TruncatedNormal("gap", prior.mean, prior.sd, lower=0, shape=1)
    mean = pm.Deterministic("mean", pt.concatenate([short, short + gap]))
    sd1 = _normal("short_sd", "duration.short_sd")
    sd2 = _normal("long_sd", "duration.long_sd")
    sd = pm.Deterministic("sd", pt.concatenate([sd1, sd2]))
    eta = (a + u[d["group"]] + v[d["trigger"]])[:, None] + w[None, :]
    kind = pm.math.softmax(logits, axis=1)[d["trigger"]] * d["kinds"]
    log_short = pt.log(pt.sum(kind * pm.math.sigmoid(eta), axis=1))
    log_long = pt.log(pt.sum(kind * pm.math.sigmoid(-eta), axis=1))
    t = pt.log(pt.maximum(d["months"][:, 0], 1e-9))
    ended = pt.logaddexp(
        log_short + _log_normal(t, mean[0], sd[0]), log_long + _log_normal(t, mean[1], sd[1])
    )
    still = pt.log(
        pt.exp(log_short) * _phi((mean[0] - t) / sd[0])
        + pt.exp(log_long) * _phi((mean[1] - t) / sd[1])
        + 1e-12
    )
    return pt.switch(pt.eq(d["months"][:, 1], 1), still, ended)


def _survival(d: Mapping[str, Any]) -> Any:
    a = _normal("a", "survival.intercept")
    u = _pooled("u", "survival.organisation_sd", _G)
    v = _pooled("v", "survival.trigger_sd", _T)
    effects = [PRIORS[f"survival.{e}"] for e in ("refused", "limited", "troops")]
    b = pm.Normal("b", [e.mean for e in effects], [e.sd for e in effects], shape=3)
    effect = pt.concatenate([np.zeros(1), b])
    eta = (a + u[d["group"]] + v[d["trigger"]])[:, None] + effect[None, :]
    p = pt.sum(pm.math.sigmoid(eta) * d["survival_answer"], axis=1)
    return pt.log(p * d["survived"][:, 1] + (1 - p) * d["survived"][:, 0])


_BUILD = {
    "call": _call,
    "arrival": _arrival,
    "size": _size,
    "duration": _duration,
    "survival": _survival,
}


def _phi(z: Any) -> Any:
    return 0.5 * pt.erfc(-z / np.sqrt(2.0))


def _log_normal(t: Any, mean: Any, sd: Any) -> Any:
    return -0.5 * ((t - mean) / sd) ** 2 - pt.log(sd) - 0.5 * np.log(2 * np.pi)


class Fitter:
    """One model, compiled once and then fitted to any part of the data.

    Parameters
    ----------
    model : str
    rows : sequence of Features
    y : Responses
        Masks and values may change later; shapes may not.
    """

    def __init__(self, model: str, rows: Sequence[Features], y: Responses) -> None:
        import nutpie

        self.model = model
        self.x = inputs(rows)
        self.compiled = nutpie.compile_pymc_model(build(model, self.x, y))

    def fit(
        self,
        y: Responses,
        *,
        seed: int = 20220105,
        draws: int = 500,
        tune: int = 500,
        chains: int = 4,
        target_accept: float = 0.95,
    ) -> Fit:
        """Return posterior draws given the masked data."""
        import arviz
        import nutpie

        az: Any = arviz

        trace = nutpie.sample(
            self.compiled.with_data(**_data(self.model, self.x, y)),
            draws=draws,
            tune=tune,
            chains=chains,
            cores=min(2, chains),
            seed=seed,
            target_accept=target_accept,
            progress_bar=False,
            save_warmup=False,
        )
        names = list(PARAMETERS[self.model])
        posterior = trace.posterior
        summary_rhat = az.rhat(posterior[names])
        rhat = max(float(summary_rhat[n].max()) for n in names)
        ess = min(
            float(az.ess(posterior[names], method=m)[n].min())
            for m in ("bulk", "tail")
            for n in names
        )
        divergences = int(trace.sample_stats["diverging"].sum())
        values = {
            n: np.asarray(posterior[n]).reshape(chains * draws, PARAMETERS[self.model][n])
            for n in names
        }
        return Fit(values, Diagnostics(rhat, ess, divergences))


def fitter(model: str, cases: Sequence[CodedCase]) -> tuple[Fitter, Responses]:
    """Return a compiled model for all cases, and the responses that it was built with."""
    rows = [Features.of(c) for c in cases]
    y = responses(cases)
    return Fitter(model, rows, y), y


def without(y: Responses, drop: NDArray[np.bool_]) -> Responses:
    """Return the responses with some rows masked."""
    return replace(y, mask={m: np.where(drop, 0.0, v) for m, v in y.mask.items()})


SEED = 20220105
_FULL, _PART = 1000, 200
print_now = functools.partial(print, flush=True)


def refit(target: Path, *, folder: Path | None = None, force: bool = False) -> bool:
    """Fit all models and their as-of variants into ``target``; return whether any was fitted.

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
    current = fits.content_hashes(cases)
    notes_path = target / fits.NOTES
    stored = json.loads(notes_path.read_text(encoding="utf-8")) if notes_path.exists() else {}
    arrays: dict[str, Any] = {}
    notes: dict[str, Any] = {
        "hashes": current,
        "seed": SEED,
        "folder": None if folder is None else str(folder),
        "cases": [c.id for c in cases],
        "parameters": PARAMETERS,
        "diagnostics": {},
        "pareto": {},
    }
    if stored and not force:
        with np.load(target / fits.FILE) as file:
            old = fits.read_arrays(file)
        for name, numbers in stored["diagnostics"].items():
            model = name.split("/")[0]
            if stored["hashes"][model] == current[model] and Diagnostics(*numbers).good:
                arrays[name], notes["diagnostics"][name] = old[name], numbers
        if len(arrays) == len(stored["diagnostics"]):
            return False
    for model in MODELS:
        _refit_model(model, cases, arrays, notes)
    packed: dict[str, Any] = {}
    for name, table in arrays.items():
        packed[name], packed[f"{name}/ends"] = fits.pack(table)
    np.savez_compressed(target / fits.FILE, **packed)
    notes_path.write_text(json.dumps(notes, indent=1) + "\n", encoding="utf-8")
    fits.load_fits.cache_clear()
    return True


def _refit_model(
    model: str, cases: tuple[CodedCase, ...], arrays: dict[str, Any], notes: dict[str, Any]
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
            # Once more, more slowly: a longer warm-up, smaller steps, another seed.
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
    full = fits.Fits({f"{model}/full": arrays[f"{model}/full"]}, notes, cases)
    for (iso3, year), k in fits.pareto_shapes(model, full).items():
        notes["pareto"][f"{model}/{iso3}-{year}"] = round(float(k), 3)
        if k > fits.PARETO_LIMIT:
            drop = np.array([c.key == (iso3, year) for c in cases])
            keep(f"without-{iso3}-{year}", without(y, drop), _PART)


def _thin(model: str, fit: Fit, size: int) -> Any:
    table = np.concatenate([fit.draws[n] for n in PARAMETERS[model]], axis=1)
    step = table.shape[0] // size
    return fits.unpack(*fits.pack(table[::step][:size]))


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
