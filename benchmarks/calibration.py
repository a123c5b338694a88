"""Simulation-based calibration of the whole forecast path on synthetic crises.

    python benchmarks/calibration.py --crises 500
    python benchmarks/calibration.py --crises 20 --no-page

For each crisis a truth is drawn from the prior of the case, reports of it are made by the
documented observation model, and the case with these reports goes through
``foedus.answers.forecasts``. If data and forecast agree, the truth's ranks are uniform. Three
arms: ``separate`` (reports that share no error), ``replayed`` (an adaptive ensemble of its own for
every crisis, known decisions replayed), ``crowded`` (many reports that share errors, as in use);
and ``broken``, which halves the scale of all reports on purpose, to show that the test finds it.

Writes docs/benchmarks/calibration.md, its details and its pictures, and adds a line to
benchmarks/history. The last line printed is JSON. Finished crises are kept: run it again to
continue.
"""

from __future__ import annotations

import argparse
import concurrent.futures as cf
import contextlib
import functools
import hashlib
import json
import math
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent))

import foedus
import synthetic
import uniformity
from foedus.answers.forecasts import Forecast, forecast
from foedus.case.asof import as_of as known_by
from foedus.case.load import load_case
from foedus.case.models import Case
from foedus.ensemble import Ensemble, design, open_ensemble, run
from foedus.ensemble.design import log_importance
from foedus.ensemble.proposal import log_price
from foedus.weighing import observation_model as observation
from foedus.weighing.adaptive_proposal import log_likelihood
from foedus.weighing.evidence import reports
from foedus.weighing.evidence import truth as truth_of
from foedus.weighing.quantities import Frame, blocks
from foedus.weighing.weights import normalise
from foedus.weighted_statistics import quantile
from foedus.world import engine
from foedus.world.guidance import Guidance
from foedus.world.order import VARIABLES

FloatArray = NDArray[np.float64]

HERE = Path(__file__).resolve().parent
CASE = HERE / "calibration_case.yaml"
RESULTS = HERE.parent / "results"
SEED = 20_000
#: Most truths drawn for one crisis.
MOST_ATTEMPTS = 1000
#: The arms, and the share of the crises in each; the faults of the last show with fewer.
SHARES = {"separate": 1.0, "replayed": 1.0, "crowded": 1.0, "broken": 0.3}
ARMS = tuple(SHARES)
#: The fault that shows in the rank of the price itself; the others show in the log-likelihood.
PRICE_IGNORED = "price ignored"
#: Questions whose central intervals are checked.
KINDS = ("number", "date")


def truth_answers(crisis: synthetic.Crisis, run: synthetic.Arrays) -> dict[str, float]:
    """Return the true answers, computed without the code under test."""
    case = crisis.case
    last, second_week = case.horizon - 1, range(8, case.horizon)
    read = functools.partial(synthetic.number, run, case)
    happens = functools.partial(synthetic.event, run, case)
    days = range(case.horizon)
    return {
        "asks": float(happens("request") < math.inf),
        "sends": float(read("troops_present", last) >= 1),
        "falls": float(happens("leader_leaves") < math.inf),
        "crowds-return": float(max(read("crowd", d, place="north") for d in second_week) >= 5000),
        "decided": happens("decision"),
        "lands": happens("first_arrival"),
        "fired": happens("fire_order"),
        "dead": synthetic.total(crisis, run, "deaths_total", last),
        "arrested": synthetic.total(crisis, run, "arrests", last),
        "streets": float(np.mean([read("crowd", d, place="south") for d in second_week])),
        "peak": max(read("crowd", d) for d in days),
        "held": float(np.mean([read("loyal_share", d) for d in second_week])),
        "announced": max(read("troops_announced", d) for d in days),
        "connected": float(np.mean([read("internet", d) for d in days])),
    }


def as_dataset(case: Case, truth: synthetic.Truth, run: synthetic.Arrays) -> Any:
    """Return one run as a Dataset, as a store would give it."""
    import xarray as xr

    data = {k: (("run", *VARIABLES[k].dims), v) for k, v in run.items()}
    return xr.Dataset({**data, "hypothesis": ("run", truth.draws.hypothesis)})


def same_run(a: synthetic.Arrays, b: synthetic.Arrays) -> bool:
    """Return whether two runs are the same, whatever they were charged."""
    charged = ("log_guidance", "log_thinning")
    return all(np.array_equal(a[k], b[k], equal_nan=True) for k in a if k not in charged)


@contextlib.contextmanager
def halved_scales() -> Iterator[None]:
    """Break the evidence model on purpose: all scales are halved."""
    tables = (observation.RELIABILITY, observation.CREDIBILITY)
    habits = (observation.HABITS, observation.DEFAULT_HABITS)
    before = [dict(t) for t in (*tables, *habits)]
    for table in tables:
        table.update({k: (spread / 2, wrong) for k, (spread, wrong) in table.items()})
    for table in habits:
        halved = {
            k: replace(h, spread=h.spread / 2, discrepancy=h.discrepancy / 2)
            for k, h in table.items()
        }
        table.update(halved)
    try:
        yield
    finally:
        for table, old in zip((*tables, *habits), before, strict=True):
            table.update(old)


@dataclass(frozen=True)
class Fit:
    """How well runs and truth fit what is known, and their weights.

    Attributes
    ----------
    own : float
        Weight of the truth, in units of the sum of the runs' weights.
    runs, truth : (run,), float
        Log-likelihoods, including replayed decisions.
    prices, price : (run,), float
        Importance weights of runs and truth for the proposal they were, or would be, drawn from.
    faulty : dict of str to (weights, own)
        Weights under faults: all equal; without the importance weights; without the charge for
        replayed decisions.
    same_run : bool
        Whether the truth, made again with its own decisions replayed, is the same run.
    """

    own: float
    runs: FloatArray
    truth: float
    prices: FloatArray
    price: float
    faulty: dict[str, tuple[FloatArray, float]]
    same_run: bool


def fit_of(known: Case, ensemble: Ensemble, result: Forecast, truth: synthetic.Truth) -> Fit:
    """Return how well the runs of a forecast, and the truth, fit what is known."""
    plan = ensemble.plan
    replays = bool(plan.guidance["days"] or plan.guidance["not_by"])
    guidance = Guidance()
    again = truth.outputs
    if replays:
        # At full chance, so that it is the same run, with the weight that it would have had.
        guidance = replace(Guidance.of(known), thins=False)
        again = synthetic.simulate(known, truth.draws, truth.seed, guidance)
    fit = float(log_likelihood(known, as_dataset(known, truth, again), guidance=guidance)[0])
    prices = log_importance(ensemble)
    share = normalise(prices)
    total = sum(h.weight for h in known.hypotheses)
    hypothesis = ensemble.dataset["hypothesis"].to_numpy()
    # What weighing adds so that every hypothesis keeps its prior weight; almost nothing.
    correction = np.array(
        [
            math.log(h.weight / total) - math.log(share[hypothesis == n].sum())
            for n, h in enumerate(known.hypotheses)
        ]
    )
    price = 0.0
    if plan.stages:
        names, u = design.coordinates(
            design.dimensions(engine.registry(known)), engine.luck(known),
            seed=truth.seed, runs=np.array([0]), stages=(),
        )  # fmt: skip
        price = float(log_price(u, names, plan.stages, runs=plan.runs)[0])
    price += float(again["log_thinning"][0]) if replays else 0.0
    log_weight = result.weights.log_weight
    mine = price + correction[int(truth.draws.hypothesis[0])] + fit
    even = np.full(log_weight.size, 1.0 / log_weight.size)
    faulty = {"weights ignored": (even, float(even[0]))}
    if replays:
        charge = ensemble.dataset["log_guidance"].to_numpy()
        own_charge = float(again["log_guidance"][0])
        faulty[PRICE_IGNORED] = _with_own(log_weight - prices, mine - price)
        faulty["charge ignored"] = _with_own(log_weight - charge, mine - own_charge)
    return Fit(
        own=_with_own(log_weight, mine)[1],
        runs=log_weight - prices - correction[hypothesis],
        truth=fit,
        prices=prices,
        price=price,
        faulty=faulty,
        same_run=same_run(truth.outputs, again),
    )


def _with_own(log_weight: FloatArray, mine: float) -> tuple[FloatArray, float]:
    """Return weights that sum to 1, and the weight of the truth beside them."""
    top = log_weight.max()
    total = top + math.log(np.exp(log_weight - top).sum())
    return np.exp(log_weight - total), math.exp(min(mine - total, 50.0))


def reported(
    known: Case, ensemble: Ensemble, run: synthetic.Arrays
) -> tuple[FloatArray, float] | None:
    """Return the values of runs and truth for the first count that a known fact reports.

    None if no count of streets or troops is known by the as-of date.
    """
    frame = Frame.of(known)
    for report in reports(known, Guidance()):
        fact = report.fact
        if fact.quantity in (*synthetic.STREETS, *synthetic.TROOPS):
            names = sorted(report.variables)
            parts = blocks(ensemble.dataset, names, size=ensemble.dataset.sizes["run"])
            x = synthetic.number(
                run, known, fact.quantity, report.day,
                place=fact.place, member=fact.member, passed=report.fraction,
            )  # fmt: skip
            return truth_of(report, next(parts), frame), x
    return None


def judged(arm: str, number: int, shared: Ensemble, runs: int) -> dict[str, Any]:
    """Make one synthetic crisis, forecast it, and return the ranks of the truth."""
    case = shared_case()
    random = np.random.default_rng((SEED, number, ("separate", "replayed", "crowded").index(
        "separate" if arm == "broken" else arm)))  # fmt: skip
    for attempt in range(MOST_ATTEMPTS):
        truth = synthetic.draw_truth(case, SEED + number + attempt * 10**6)
        if arm == "crowded":
            crisis = synthetic.crowded(case, truth.outputs, random)
        else:
            crisis = synthetic.separate(case, truth.outputs, random, replayed=arm == "replayed")
        # What is known includes that the rest is silent: a truth that would have been reported
        # is not that of such a crisis.
        if random.uniform() < synthetic.unreported_chance(crisis, truth.outputs):
            break
    folder = Path(tempfile.mkdtemp(prefix="foedus-calibration-"))
    breaking = halved_scales() if arm == "broken" else contextlib.nullcontext()
    try:
        with breaking:
            if arm == "replayed":
                store = folder / "runs.zarr"
                result = forecast(
                    crisis.case,
                    as_of=case.as_of,
                    runs=runs,
                    seed=10**9 + number,
                    workers=1,
                    out=store,
                )
                ensemble = open_ensemble(store)
            else:
                result = forecast(crisis.case, as_of=case.as_of, ensemble=shared)
                ensemble = shared
            known = known_by(crisis.case, case.as_of)
            fit = fit_of(known, ensemble, result, truth)
        told = reported(known, ensemble, truth.outputs)
        return {"arm": arm, "number": number} | ranks(
            crisis, truth, ensemble, result, random, fit, told
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def ranks(
    crisis: synthetic.Crisis,
    truth: synthetic.Truth,
    ensemble: Ensemble,
    result: Forecast,
    random: synthetic.Random,
    fit: Fit,
    told: tuple[FloatArray, float] | None,
) -> dict[str, Any]:
    """Return PITs, probabilities and intervals of one crisis as plain values."""
    weight, own = result.weights.weight, fit.own
    answers, case = truth_answers(crisis, truth.outputs), crisis.case
    kinds = {q.id: q.kind for q in case.questions}
    values = {name: np.asarray(draws) for name, draws in result.draws.items()}
    exact, seen, held, chance = {}, {}, {}, {}
    for name, x in answers.items():
        u = float(random.uniform())
        exact[name] = uniformity.pit(values[name], weight, x, own=own, u=u)
        seen[name] = uniformity.pit(values[name], weight, x, own=0.0, u=u)
        if kinds[name] == "binary":
            p = float(np.dot(weight, values[name]))
            chance[name] = (p, (p + own * x) / (1.0 + own), x)
        else:
            edges = quantile(values[name], weight, _edges())
            held[name] = [bool(a <= x <= b) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    hypothesis = ensemble.dataset["hypothesis"].to_numpy()
    for n, h in enumerate(case.hypotheses):
        x = float(truth.draws.hypothesis[0] == n)
        p = float(weight[hypothesis == n].sum())
        chance[f"hypothesis {h.id}"] = (p, (p + own * x) / (1.0 + own), x)
    parameters = ensemble.dataset["parameters"].to_numpy()
    by_parameter, spread = {}, {}
    for column, name in zip(parameters.T, ensemble.plan.parameters, strict=True):
        x, u = float(truth.draws.values[name][0]), float(random.uniform())
        by_parameter[name] = uniformity.pit(column, weight, x, own=own, u=u)
        mean = np.dot(weight, column)
        spread[name] = float(np.dot(weight, (column - mean) ** 2))
    u, v = random.uniform(size=2)
    weighed = [e for e in result.evidence if e.use == "weighed"]
    return {
        "effective": result.weights.ess,
        "verdict": str(result.verdict),
        "pareto_k": result.weights.pareto_k,
        "own": own,
        "facts": len(result.evidence),
        "weighed": len(weighed),
        "replayed": len(result.replayed["facts"]),
        "outside": sum(e.use == "outside" for e in result.evidence),
        "share": float(np.mean([e.share for e in weighed])) if weighed else 1.0,
        "exact": exact,
        "seen": seen,
        "held": held,
        "chance": chance,
        "told": None if told is None else uniformity.pit(told[0], weight, told[1], own=own, u=v),
        "fit": uniformity.pit(fit.runs, weight, fit.truth, own=own, u=u),
        "price": (
            uniformity.pit(fit.prices, weight, fit.price, own=own, u=v)
            if ensemble.plan.stages
            else None
        ),
        "faulty": {
            name: uniformity.pit(
                *(
                    (fit.prices, w, fit.price)
                    if name == PRICE_IGNORED
                    else (fit.runs, w, fit.truth)
                ),
                own=mine,
                u=u,
            )
            for name, (w, mine) in fit.faulty.items()
        },
        "same_run": fit.same_run,
        "parameters": by_parameter,
        "variance": spread,
    }


def _edges() -> FloatArray:
    return np.array([e for v in uniformity.LEVELS for e in (0.5 - v / 2, 0.5 + v / 2)])


@functools.cache
def shared_case() -> Case:
    """Return the case without facts."""
    return load_case(CASE)


_SHARED: dict[str, Ensemble] = {}


def _open(path: str) -> None:
    ensemble = open_ensemble(path)
    ensemble.dataset.load()
    _SHARED["ensemble"] = ensemble


def _work(arm: str, number: int, runs: int) -> dict[str, Any]:
    began = time.process_time()
    result = judged(arm, number, _SHARED["ensemble"], runs)
    return result | {"cpu": time.process_time() - began}


def source_hash(settings: dict[str, Any]) -> str:
    """Return a hash of all code and settings that the results depend on."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    folders = (
        Path(foedus.__file__).parent / f
        for f in ("case", "ensemble", "weighing", "answers", "world")
    )
    files = [p for folder in folders for p in folder.rglob("*.py")]
    files += [CASE, HERE / "synthetic.py", HERE / "calibration.py"]
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def plan(crises: int) -> list[tuple[str, int]]:
    """Return the crises to forecast: (arm, number)."""
    sizes = {arm: max(2, round(share * crises)) for arm, share in SHARES.items()}
    return [(arm, i) for arm in ARMS for i in range(sizes[arm])]


def collect(
    crises: int, *, runs: int, own_runs: int, workers: int, folder: Path
) -> list[dict[str, Any]]:
    """Forecast all crises that are not finished, and return the results of all."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "crises.jsonl"
    done = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    have = {(d["arm"], d["number"]) for d in done}
    todo = [t for t in plan(crises) if t not in have]
    store = folder / "shared.zarr"
    if todo:
        began = time.perf_counter()
        run(shared_case(), runs=runs, seed=SEED, workers=workers, out=store)
        print(f"{runs:,} runs are there ({time.perf_counter() - began:.0f} s)", flush=True)
    with kept.open("a") as file:
        began = shown = time.perf_counter()
        for n, result in enumerate(_results(todo, own_runs, workers, store), start=1):
            file.write(json.dumps(result) + "\n")
            file.flush()
            done.append(result)
            now = time.perf_counter()
            if now - shown > 15 or n == len(todo):
                shown, left = now, (now - began) / n * (len(todo) - n)
                print(f"{n} of {len(todo)} crises, about {left:.0f} s left", flush=True)
    wanted = set(plan(crises))
    chosen = [d for d in done if (d["arm"], d["number"]) in wanted]
    return sorted(chosen, key=lambda d: (ARMS.index(d["arm"]), d["number"]))


def _results(
    todo: list[tuple[str, int]], runs: int, workers: int, store: Path
) -> Iterator[dict[str, Any]]:
    if workers == 1 or len(todo) < 2:
        if todo:
            _open(str(store))
        yield from (_work(arm, number, runs) for arm, number in todo)
        return
    context = multiprocessing.get_context("spawn")
    with cf.ProcessPoolExecutor(
        workers, mp_context=context, initializer=_open, initargs=(str(store),)
    ) as pool:
        futures = [pool.submit(_work, arm, number, runs) for arm, number in todo]
        for future in cf.as_completed(futures):
            yield future.result()


def summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return p-values and coverages of one arm."""
    kinds = {q.id: q.kind for q in shared_case().questions}
    asked = [name for name, kind in kinds.items() if kind in KINDS]
    pits = {name: np.array([r["exact"][name] for r in results]) for name in kinds}
    p = {name: uniformity.p_value(values) for name, values in pits.items()}
    p["log-likelihood"] = uniformity.p_value(np.array([r["fit"] for r in results]))
    told = [r["told"] for r in results if r["told"] is not None]
    p["a count that is told"] = uniformity.p_value(np.array(told))
    priced = [r["price"] for r in results if r["price"] is not None]
    if priced:
        p["price of the stages"] = uniformity.p_value(np.array(priced))
    spread = {}
    for name in results[0]["chance"]:
        _, exact, outcome = np.array([r["chance"][name] for r in results]).T
        spread[name] = uniformity.probabilities(exact, outcome)
    parameters = {
        name: uniformity.p_value(np.array([r["parameters"][name] for r in results]))
        for name in results[0]["parameters"]
    }
    in_all = [*p.values(), *(s[k] for s in spread.values() for k in ("p_bias", "p_spread"))]
    table = np.array([[r["exact"][name] for name in asked] for r in results])
    seen = np.array([[r["seen"][name] for name in asked] for r in results])
    answered = [r for r in results if r["verdict"] != "refused"]
    p_answered = {
        name: uniformity.p_value(np.array([r["exact"][name] for r in answered])) for name in kinds
    }
    return {
        "crises": len(results),
        "refused": len(results) - len(answered),
        "median_effective": _short(float(np.median([r["effective"] for r in results]))),
        "facts": _short(float(np.mean([r["facts"] for r in results]))),
        "mean_share": _short(float(np.mean([r["share"] for r in results]))),
        "outside": sum(r["outside"] for r in results),
        "other_run": sum(not r["same_run"] for r in results),
        "p": {name: _short(value) for name, value in p.items()},
        "p_probabilities": {
            name: {k: _short(v) for k, v in found.items()} for name, found in spread.items()
        },
        "p_smallest_adjusted": _short(uniformity.bonferroni(in_all)),
        "p_parameters_adjusted": _short(uniformity.bonferroni(list(parameters.values()))),
        "parameters_below_5_percent": _short(
            float(np.mean([v < 0.05 for v in parameters.values()]))
        ),
        "p_answered_adjusted": _short(uniformity.bonferroni(list(p_answered.values()))),
        "coverage": {
            f"{level:.0%}".rstrip("%"): uniformity.coverage(table, level).to_dict()
            for level in uniformity.LEVELS
        },
        "coverage_seen": {
            f"{level:.0%}".rstrip("%"): uniformity.coverage(seen, level).to_dict()
            for level in uniformity.LEVELS
        },
        "coverage_closed": {
            f"{level:.0%}".rstrip("%"): _short(
                float(np.mean([[r["held"][name][i] for name in asked] for r in results]))
            )
            for i, level in enumerate(uniformity.LEVELS)
        },
        "coverage_by_question": {
            name: {
                f"{level:.0%}".rstrip("%"): uniformity.coverage(pits[name], level).to_dict()
                for level in uniformity.LEVELS
            }
            for name in asked
        },
        "p_faults": {
            fault: _short(uniformity.p_value(np.array([r["faulty"][fault] for r in results])))
            for fault in results[0]["faulty"]
        },
    }


def _short(x: float) -> float | None:
    """Return a number with four digits; None, which JSON can hold, where there is none."""
    return None if math.isnan(x) else float(f"{x:.4g}")


def measure(
    crises: int, *, runs: int, own_runs: int, workers: int, out: Path = RESULTS
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Forecast all crises; return the figures, and the results by arm."""
    settings = {"runs": runs, "own_runs": own_runs, "seed": SEED}
    folder = out / f"calibration-{source_hash(settings)}"
    results = collect(crises, runs=runs, own_runs=own_runs, workers=workers, folder=folder)
    by_arm = {arm: [r for r in results if r["arm"] == arm] for arm in ARMS}
    figures = {
        "crises": crises,
        **settings,
        "cpu_seconds": round(sum(r["cpu"] for r in results), 1),
        "arms": {a: summary(r) for a, r in by_arm.items()},
    }
    return figures, by_arm


def main() -> None:
    """Read the command line, measure, write the page, print JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--crises", type=int, default=500, help="synthetic crises of an arm")
    parser.add_argument("--runs", type=int, default=10_000, help="runs of the shared ensemble")
    parser.add_argument("--own-runs", type=int, default=1500, help="runs where each has its own")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--no-page", action="store_true", help="write no page and no history")
    given = parser.parse_args()
    if given.crises < 4 or given.runs < 100 or given.own_runs < 100 or given.workers < 1:
        parser.error("at least 4 crises, 100 runs and 1 worker")
    began = time.perf_counter()
    figures, by_arm = measure(
        given.crises, runs=given.runs, own_runs=given.own_runs, workers=given.workers
    )
    figures["seconds"] = round(time.perf_counter() - began, 1)
    if not given.no_page:
        import calibration_page

        calibration_page.write(figures, by_arm)
    print(json.dumps(figures, allow_nan=False))


if __name__ == "__main__":
    main()
