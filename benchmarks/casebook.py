"""The casebook's track record: scores against baselines, calibration, check of the fits.

Run ``python benchmarks/casebook.py`` to remake ``docs/casebook/track_record.md``, the tables in
``track_record_tables.md``, the figures as JSON, and the calibration plot. Leave-one-out and
rolling-origin scores come from the shipped fits, as a user would get them. Leaving out a whole
organisation and simulation-based calibration need refits (extra ``bayes``); they are kept in the
JSON and redone for a model when the content hash of its fits changes, or with ``--refit``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import functools
import json
import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("svg")
import matplotlib.pyplot as plt

from foedus.casebook import load_casebook
from foedus.casebook.design import MODELS, Features, inputs, responses, usable
from foedus.casebook.fits import Fits, load_fits
from foedus.casebook.organisations import organisations
from foedus.casebook.outlook import predict
from foedus.casebook.scores import Scored, calibration, score_case, score_outlook, totals

PAGE = Path(__file__).parents[1] / "docs" / "casebook"
FIRST_YEAR = 1980
SBC_RUNS = 60
SEED = 20220105
GROUPS = organisations().groups
#: What is scored, and the models that it depends on.
SCORED = {
    "request": ("call",),
    "answer": ("call",),
    "troops": ("call",),
    "in_power": ("call", "survival"),
    "arrival": ("arrival",),
    "size": ("size",),
    "duration": ("duration",),
}


@functools.cache
def compiled_model(model: str):
    """Return a compiled model on the usable cases, with its responses."""
    from foedus.casebook.refit import fitter

    return fitter(model, usable(load_casebook()))


def leave_one_out() -> list[Scored]:
    """Every usable case, predicted by the fit without its requester and year."""
    book = load_casebook()
    return [score_case(c, book.cases, exclude=c.key) for c in usable(book)]


def rolling_origin() -> list[Scored]:
    """Every usable case since 1980, predicted from what was known before its year."""
    book = load_casebook()
    return [
        score_case(c, book.cases, before=dt.date(c.year, 1, 1), exclude=c.key)
        for c in usable(book)
        if c.year >= FIRST_YEAR
    ]


def leave_organisation_out(stale: tuple[str, ...]) -> list[Scored]:
    """Every usable case, predicted by fits of the stale models that never saw its organisation."""
    from foedus.casebook.refit import PARAMETERS, without

    book = load_casebook()
    cases = usable(book)
    tables = {g: {f"{m}/full": load_fits().arrays[f"{m}/full"] for m in MODELS} for g in GROUPS}
    for model in stale:
        compiled, y = compiled_model(model)
        for group in organisations().groups:
            drop = np.array([c.organisation == group for c in cases])
            fit = compiled.fit(without(y, drop), seed=SEED, draws=500, tune=1000)
            table = np.concatenate([fit.draws[n] for n in PARAMETERS[model]], axis=1)
            tables[group][f"{model}/full"] = table
    scored = []
    for group in organisations().groups:
        rest = tuple(c for c in cases if c.organisation != group)
        fits = Fits(tables[group], {"parameters": PARAMETERS}, rest)
        for case in cases:
            if case.organisation == group:
                outlook = predict(Features.of(case), fits=fits)
                scored.append(score_outlook(case, outlook, rest))
    return scored


def simulation_based_calibration(runs: int, models: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Rank the truth in fits to synthetic data; return the fit of the ranks to uniformity."""
    from scipy import stats

    from foedus.casebook.models import ranks, simulate
    from foedus.casebook.refit import PARAMETERS

    cases = usable(load_casebook())
    x, out = inputs([Features.of(c) for c in cases]), {}
    for model in models:
        random = np.random.default_rng(SEED)
        compiled, y = compiled_model(model)
        empty = responses(cases, before=dt.date(1900, 1, 1))
        prior = compiled.fit(empty, seed=SEED, draws=500, tune=1000).draws
        found: dict[str, list[float]] = {}
        for run in range(runs):
            truth = {k: v[[run * len(v) // runs]] for k, v in prior.items()}
            made = simulate(model, truth, x, y, random)
            fit = compiled.fit(made, seed=SEED + run, draws=250, tune=500, chains=2)
            for name, rank in ranks(fit.draws, truth, tuple(PARAMETERS[model])).items():
                found.setdefault(name, []).append(rank)
        p = np.array([stats.kstest(r, "uniform").pvalue for r in found.values()])
        covered = np.mean([[0.05 <= r <= 0.95 for r in rs] for rs in found.values()])
        out[model] = {
            "runs": runs,
            "parameters": len(found),
            "smallest_p": float(p.min()),
            "expected_smallest_p": 1 / (len(found) + 1),
            "share_p_below_5_percent": float((p < 0.05).mean()),
            "coverage_of_90_percent": float(covered),
        }
    return out


def table(rows: list[dict]) -> list[str]:
    """Return totals as lines of Markdown."""
    lines = [
        "| question | score | forecast | n | mean | gain on base rate (s.e.) |",
        "|---|---|---|---|---|---|",
    ]
    for t in rows:
        gain = "" if t["better"] is None else f"{t['better']:+.3f} ({t['error']:.3f})"
        named = " | ".join(str(t[k]) for k in ("question", "score", "forecast", "n"))
        lines.append(f"| {named} | {t['mean']:.3f} | {gain} |")
    return lines


def verdict(record: dict[str, list[dict]]) -> list[str]:
    """Return where the model beats the base rate and where it does not."""
    lines = []
    for name, rows in record.items():
        kinds: dict[str, list[str]] = {"better": [], "worse": [], "no clear difference": []}
        for t in rows:
            if t["forecast"] != "model" or t["better"] is None:
                continue
            label = f"{t['question']} ({t['score']})"
            if abs(t["better"]) < 2 * t["error"]:
                kinds["no clear difference"].append(label)
            else:
                kinds["better" if t["better"] > 0 else "worse"].append(label)
        said = "; ".join(f"**{k}**: {', '.join(v)}" for k, v in kinds.items() if v)
        lines.append(f"- {name}: {said}.")
    return lines


def headline(record: dict[str, list[dict]], cases: int) -> list[str]:
    """Return the result in three sentences."""
    mean = {(t["question"], t["score"], t["forecast"]): t["mean"] for t in record["loo"]}
    gains = [
        {
            f"{t['question']} ({t['score']})": t["better"] / t["error"]
            for t in record[name]
            if t["forecast"] == "model" and t["better"] is not None
        }
        for name in ("loo", "logo", "rolling")
    ]
    always = [key for key in gains[0] if all(test[key] >= 2 for test in gains)]
    never = [key for key in gains[0] if all(abs(test[key]) < 2 for test in gains)]
    return [
        f"**Each left out in turn, {cases} calls for help are predicted with a mean Brier score of"
        f' {mean["troops", "brier", "model"]:.3f} for "troops come"; the base rate scores'
        f" {mean['troops', 'brier', 'base rate']:.3f}.**",
        f"In all three tests below the models are clearly better for {', '.join(always)}.",
        f"In none do they differ clearly for {', '.join(never)}.",
    ]


def calibration_lines(scored: list[Scored]) -> list[str]:
    """Return predicted and observed shares by bin as lines of Markdown."""
    lines = ["| question | bin | n | predicted | observed |", "|---|---|---|---|---|"]
    for question in ("troops", "in_power", "request"):
        for b in calibration(scored, question):
            lines.append(
                f"| {question} | {b['low']:.1f} to {b['high']:.1f} | {b['n']} |"
                f" {b['predicted']:.2f} | {b['observed']:.2f} |"
            )
    return lines


def plot(loo: list[Scored], rolling: list[Scored], path: Path) -> None:
    """Draw predicted against observed shares."""
    mpl.rcParams["svg.hashsalt"] = "foedus"
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.6), sharey=True)
    titles = {"troops": "troops come", "in_power": "in power after 90 days", "request": "asks"}
    for ax, (question, title) in zip(axes, titles.items(), strict=True):
        ax.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        for scored, label, marker in ((loo, "leave one out", "o"), (rolling, "rolling", "s")):
            bins = calibration(scored, question)
            ax.plot(
                [b["predicted"] for b in bins],
                [b["observed"] for b in bins],
                marker=marker,
                label=label,
                fillstyle="none" if marker == "s" else "full",
            )
            if marker == "o":
                for b in bins:
                    ax.annotate(
                        str(b["n"]),
                        (b["predicted"], b["observed"]),
                        textcoords="offset points",
                        xytext=(4, -10),
                        fontsize=8,
                    )
        ax.set(title=title, xlabel="predicted", xlim=(0, 1), ylim=(-0.02, 1.02))
    axes[0].set_ylabel("observed share")
    axes[0].legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    """Remake the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--refit", action="store_true", help="redo what needs PyMC")
    parser.add_argument("--sbc-runs", type=int, default=SBC_RUNS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    fits = load_fits()
    store = PAGE / "track_record.json"
    old = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {}
    hashes = fits.notes["hashes"]
    stale = tuple(m for m in MODELS if arguments.refit or old.get("hashes", {}).get(m) != hashes[m])
    loo, rolling = leave_one_out(), rolling_origin()
    kept = [t for t in old.get("logo", []) if not set(SCORED[t["question"]]) & set(stale)]
    made = [vars(t) for t in totals(leave_organisation_out(stale))] if stale else []
    made = [t for t in made if set(SCORED[t["question"]]) & set(stale)]
    logo = sorted(kept + made, key=lambda t: list(SCORED).index(t["question"]))
    sbc = old.get("sbc", {}) | simulation_based_calibration(arguments.sbc_runs, stale)
    record = {
        "hashes": hashes,
        "loo": [vars(t) for t in totals(loo)],
        "rolling": [vars(t) for t in totals(rolling)],
        "logo": logo,
        "sbc": sbc,
    }
    store.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    plot(loo, rolling, PAGE / "calibration.svg")
    (PAGE / "track_record.md").write_text(page(record, loo), encoding="utf-8")
    tables = details(record, loo, rolling, fits)
    (PAGE / "track_record_tables.md").write_text(tables, encoding="utf-8")
    print(f"written in {PAGE}: track_record.md, track_record_tables.md, track_record.json,")
    print("calibration.svg")


def sbc_verdict(sbc: dict[str, dict[str, float]]) -> str:
    """Name the models whose ranks are not uniform after a Bonferroni correction."""
    doubtful = [m for m, v in sbc.items() if v["smallest_p"] * v["parameters"] < 0.05]
    if not doubtful:
        return "No model departs from uniform ranks after a Bonferroni correction."
    return (
        f"Ranks depart from uniform after a Bonferroni correction for: {', '.join(doubtful)}."
        " Take its intervals as slightly too narrow."
    )


def page(record: dict, loo: list[Scored]) -> str:
    """Return the page of results as Markdown."""
    lines = [
        "# Track record of the casebook",
        "",
        "<!-- Written by benchmarks/casebook.py; do not edit. -->",
        "",
        *headline(record, len(loo)),
        "",
        "[All scores](track_record_tables.md) are on a page of their own. `make bench-casebook`"
        " (`python benchmarks/casebook.py`) makes both again.",
        "",
        "## Does it beat the base rate?",
        "",
        *verdict(
            {
                "Leave one out": record["loo"],
                "Leave the organisation out": record["logo"],
                "Rolling origin": record["rolling"],
            }
        ),
        "",
        "*Better* and *worse* mean a mean difference of at least two standard errors. With about"
        " sixty cases most differences are smaller than that: read those as ties.",
        "",
        "- **Leave one out:** the fits and the base rates never saw the case, nor any other of the"
        " same requester and year.",
        "- **Leave the organisation out:** they never saw any case of its organisation.",
        f"- **Rolling origin:** cases since {FIRST_YEAR}, each predicted from what was known before"
        " 1 January of its year.",
        "",
        "## Calibration",
        "",
        "```{image} calibration.svg",
        ":alt: Predicted against observed shares, leave one out and rolling origin",
        "```",
        "",
        "Numbers are cases in the bin (leave one out).",
        "",
        *calibration_lines(loo),
        "",
    ]
    return "\n".join(lines)


def details(record: dict, loo: list[Scored], rolling: list[Scored], fits: Fits) -> str:
    """Return the page of tables as Markdown."""
    methods: dict[str, int] = {}
    for s in loo:
        for _, how, _ in s.outlook.provenance.values():
            methods[how] = methods.get(how, 0) + 1
    diagnostics = np.array(list(fits.notes["diagnostics"].values()))
    full = {k: v for k, v in fits.notes["diagnostics"].items() if k.endswith("/full")}
    lines = [
        "# Track record of the casebook: all scores",
        "",
        "<!-- Written by benchmarks/casebook.py; do not edit. -->",
        "",
        "[The result](track_record.md) is on a page of its own.",
        "",
        "Lower is better in every score. Log scores are natural logs; CRPS is on the log scale of"
        " the quantity (ln days, log10 soldiers, ln months). *Gain* is the base rate's mean score"
        " minus the forecast's, with its standard error over cases. Base rates, the organisation's"
        " own rate and the fits all leave out the case that is predicted. If the request is known,"
        " models and baselines predict the answer given it.",
        "",
        "## Leave one out",
        "",
        f"{len(loo)} cases. Posteriors without the case:"
        f" {', '.join(f'{v} {k}' for k, v in sorted(methods.items()))} (exact refit or a fit that"
        " never saw it; full fit reweighted by Pareto-smoothed importance sampling where the Pareto"
        " shape is at most 0.7).",
        "",
        *table(record["loo"]),
        "",
        "## Leave the organisation out",
        "",
        "The organisation's own rate has nothing to count and falls to even odds.",
        "",
        *table(record["logo"]),
        "",
        "## Rolling origin",
        "",
        f"{len(rolling)} cases since {FIRST_YEAR}.",
        "",
        *table(record["rolling"]),
        "",
        "## The fits themselves",
        "",
        f"{len(diagnostics)} stored fits: largest R-hat {diagnostics[:, 0].max():.3f}, smallest"
        f" effective sample size {diagnostics[:, 1].min():.0f}, divergences"
        f" {int(diagnostics[:, 2].sum())} in {len(diagnostics) * 4000} draws.",
        "",
        "| full fit | R-hat | ESS | divergences |",
        "|---|---|---|---|",
        *(f"| {k} | {v[0]:.3f} | {v[1]:.0f} | {v[2]} |" for k, v in full.items()),
        "",
        "Simulation-based calibration (Talts et al. 2018): draw parameters from the prior, make"
        " synthetic cases with the covariates of the real ones, refit, and rank the truth. The"
        " smallest p is that of a Kolmogorov-Smirnov test of uniform ranks over all parameters;"
        " with so many parameters about the expected value is normal.",
        "",
        "| model | runs | parameters | smallest p | expected | p < .05 | coverage of 90% |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {m} | {v['runs']} | {v['parameters']} | {v['smallest_p']:.4f} |"
            f" {v['expected_smallest_p']:.4f} | {v['share_p_below_5_percent']:.2f} |"
            f" {v['coverage_of_90_percent']:.3f} |"
            for m, v in record["sbc"].items()
        ),
        "",
        sbc_verdict(record["sbc"]),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
