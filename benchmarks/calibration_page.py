"""The page, pictures and history of ``benchmarks/calibration.py``."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

import uniformity

mpl.use("svg")
import matplotlib.pyplot as plt

from foedus.case.load import load_case

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks" / "calibration.md"
HISTORY = ROOT / "benchmarks" / "history" / "calibration.jsonl"
CASE = ROOT / "benchmarks" / "calibration_case.yaml"

TITLES = {
    "separate": "separate reports",
    "replayed": "known decisions replayed",
    "crowded": "many reports that share errors",
    "broken": "broken on purpose",
}
#: Cells of a rank histogram.
CELLS = 10

Results = dict[str, list[dict[str, Any]]]


def write(figures: dict[str, Any], by_arm: Results) -> None:
    """Write page, pictures and a line of history."""
    names = [q.id for q in load_case(CASE).questions]
    mpl.rcParams["svg.hashsalt"] = "foedus"
    mpl.rcParams["font.size"] = 8
    _differences(by_arm, names, PAGE.with_suffix(".svg"))
    _histograms(by_arm["separate"], names, PAGE.with_name("calibration-ranks.svg"))
    PAGE.write_text(page(figures), encoding="utf-8")
    kept = {k: v for k, v in figures.items() if k != "arms"} | {
        "when": dt.date.today().isoformat(),
        "arms": {
            arm: {
                k: v for k, v in found.items() if k not in ("coverage_by_question", "coverage_seen")
            }
            for arm, found in figures["arms"].items()
        },
    }
    HISTORY.parent.mkdir(exist_ok=True)
    with HISTORY.open("a", encoding="utf-8") as file:
        file.write(json.dumps(kept) + "\n")


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)


def _differences(by_arm: Results, names: list[str], path: Path) -> None:
    """Draw the empirical distribution of the PITs less the diagonal, with its band, by arm."""
    figure, axes = plt.subplots(2, 2, figsize=(7.5, 5.0), sharex=True, layout="constrained")
    for ax, (arm, results) in zip(axes.flat, by_arm.items(), strict=True):
        z, low, high = uniformity.band(len(results))
        ax.fill_between(z, low, high, color="0.85", lw=0)
        for name in names:
            pits = np.sort([r["exact"][name] for r in results])
            found = np.searchsorted(pits, z, side="right") / len(results)
            ax.plot(z, found - z, color="#4477aa", lw=0.7, alpha=0.8)
        pits = np.sort([r["fit"] for r in results])
        found = np.searchsorted(pits, z, side="right") / len(results)
        ax.plot(z, found - z, color="#cc3311", lw=1.4, ls="--", label="log-likelihood")
        told = np.sort([r["told"] for r in results if r["told"] is not None])
        if told.size:
            found = np.searchsorted(told, z, side="right") / told.size
            ax.plot(z, found - z, color="#117733", lw=1.4, ls=":", label="a count that is told")
        ax.axhline(0, color="0.4", lw=0.5)
        ax.set_title(f"{TITLES[arm]} (n = {len(results)})", fontsize=8)
        ax.set_xlim(0, 1)
    axes[0, 0].legend(frameon=False, loc="lower left", fontsize=7)
    figure.supxlabel("rank of the truth, as a share", fontsize=8)
    figure.supylabel("distribution of ranks less the diagonal", fontsize=8)
    _save(figure, path)


def _histograms(results: list[dict[str, Any]], names: list[str], path: Path) -> None:
    """Draw rank histograms of every question, with the 95% range of a uniform cell."""
    from scipy import stats

    n = len(results)
    shown = [*names, "a count that is told", "log-likelihood"]
    columns = 4
    rows = -(-len(shown) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(7.5, 1.35 * rows), sharex=True, sharey=True, layout="constrained"
    )
    low, high = stats.binom.ppf([0.025, 0.975], n, 1 / CELLS)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, name in zip(axes.flat, shown, strict=False):
        ax.set_axis_on()
        if name == "log-likelihood":
            pits = [r["fit"] for r in results]
        elif name == "a count that is told":
            pits = [r["told"] for r in results if r["told"] is not None]
        else:
            pits = [r["exact"][name] for r in results]
        ax.axhspan(low, high, color="0.88", lw=0)
        ax.hist(pits, bins=CELLS, range=(0, 1), color="#4477aa", rwidth=0.9)
        ax.axhline(n / CELLS, color="0.4", lw=0.5)
        ax.set_title(name, fontsize=7.5)
        ax.tick_params(labelsize=6.5)
    _save(figure, path)


def page(figures: dict[str, Any]) -> str:
    """Return the page."""
    arms = figures["arms"]
    separate, replayed, crowded = (arms[a] for a in ("separate", "replayed", "crowded"))
    lines = [
        "# Are the forecasts calibrated?",
        "",
        f"Written by `make bench-calibration N={figures['crises']}` on"
        f" {dt.date.today().isoformat()}: {figures['cpu_seconds'] / 60:.0f} minutes of processor"
        f" time on {os.cpu_count()} cores, Python {platform.python_version()}. Its last line is"
        " JSON: `arms.ARM.p` has the p-value of each question, `arms.ARM.coverage` the coverages."
        " Stopped half-way, it goes on where it was.",
        "",
        "This is a proof about the *code*: if the world were as the model says, and reports as the"
        " observation model says, forecasts would be right as often as they claim. It says nothing"
        " of whether the world is so; that is what [scores](cases.md) are for.",
        "",
        "## What is done",
        "",
        "*Simulation-based calibration* (Talts et al. 2018,"
        " [arXiv:1804.06788](https://arxiv.org/abs/1804.06788)). A truth is one run of the world,"
        " drawn from the prior of a small made-up case (`benchmarks/calibration_case.yaml`: two"
        " cities, three members, two patrons, four hypotheses, every mechanism on). Reports of it"
        " are made by the [documented observation model](../explanation/evidence.md): honest or"
        " outright wrong, short by lag, rated at random, some of them too late for the as-of date,"
        " given as numbers, classes or bounds. The case with these facts goes through"
        " `foedus.forecast`, whose runs do not hold the truth. Then we take the rank of the truth"
        " among the weighted runs: for every question, every parameter, the hypothesis, a count"
        " that was reported, the log-likelihood, and (replayed arm) what a run weighs for where it"
        " was drawn from. Over many crises the ranks are uniform if all is right.",
        "",
        "What is asked, of whom, when and rated how is drawn without looking at the truth. How a"
        " run is read, how a report scatters, is rounded and put into words is written once more"
        " in `benchmarks/synthetic.py` instead of calling the code that is on trial; only the"
        " tables of numbers are shared.",
        "",
        "Among the runs *and* the truth, the truth is each with a chance in proportion to its"
        " weight. So the truth's own weight is counted in its rank, as in the usual rank among L"
        " draws and the truth; the ranks are then uniform for any number of runs, also where the"
        " forecast refuses. The log-likelihood is there because ranks of answers alone cannot see"
        " some faults: a forecast that ignored all reports would rank the truth uniformly (Modrák"
        " et al. 2023, [doi](https://doi.org/10.1214/23-BA1404)).",
        "",
        "| Arm | Reports | Runs |",
        "| --- | --- | --- |",
        "| separate | of 11 quantities that share no error, so that each counts in full |"
        f" one prior ensemble of {figures['runs']:,}, nothing replayed |",
        "| replayed | of 6 such quantities, and 2 or 3 known decisions, rated A1 to B2 and true |"
        " the whole path, as of a command: for every crisis an adaptive ensemble of"
        f" {figures['own_runs']:,} of its own, decisions replayed and charged |",
        "| crowded | about 20, of the same things on several days, whose errors are drawn with the"
        " documented correlations | as separate |",
        "| broken | as separate, but the forecast halves the scale of every report | as separate |",
        "",
        "## What came out",
        "",
        *_verdict(separate, replayed, crowded, arms["broken"]),
        "",
        "| Arm | crises | refused | effective runs, median | smallest p | 50% | 80% | 95% |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(_row(arm, found) for arm, found in arms.items()),
        "",
        "*Smallest p*: of the tests of uniform ranks of all questions and of the log-likelihood,"
        " and of the probabilities of yes-or-no questions and hypotheses (their sum, and"
        " Spiegelhalter's z), times their number (Bonferroni). Uniformity is tested"
        " over the whole distribution at once (Säilynoja et al. 2022,"
        " [doi](https://doi.org/10.1007/s11222-022-10090-6)). *50%, 80%, 95%*: how often the"
        " central interval of a number or date held the truth, in per cent, with its Monte-Carlo"
        " error from crisis to crisis; ties are broken at random.",
        "",
        "![Distribution of ranks less the diagonal, by arm](calibration.svg)",
        "",
        "*One line a question; dashed, the log-likelihood; dotted, a count that was told. Grey:"
        " where 95 of 100 lines of a calibrated forecast lie entirely. A wave that falls first and"
        " then rises is a forecast that is too wide; one that rises first, too narrow.*",
        "",
        "![Rank histograms of the separate arm](calibration-ranks.svg)",
        "",
        "*Separate arm: ranks in ten cells; grey, where 95 of 100 single cells would be.*",
        "",
        "### By question",
        "",
        "p-value of uniform ranks:",
        "",
        "| Question | " + " | ".join(arms) + " |",
        "| --- |" + " ---: |" * len(arms),
        *(
            f"| {name} | " + " | ".join(_p(found["p"].get(name)) for found in arms.values()) + " |"
            for name in replayed["p"]
        ),
        "",
        "Probabilities (p-value of their sum, p-value of their spread):",
        "",
        "| Yes or no | " + " | ".join(arms) + " |",
        "| --- |" + " ---: |" * len(arms),
        *(
            f"| {name} | "
            + " | ".join(
                f"{_p(f['p_probabilities'][name]['p_bias'])},"
                f" {_p(f['p_probabilities'][name]['p_spread'])}"
                for f in arms.values()
            )
            + " |"
            for name in separate["p_probabilities"]
        ),
        "",
        "Coverage in the separate arm, in per cent:",
        "",
        "| Question | 50% | 80% | 95% |",
        "| --- | ---: | ---: | ---: |",
        *(
            f"| {name} | " + " | ".join(_cover(by[level]) for level in ("50", "80", "95")) + " |"
            for name, by in separate["coverage_by_question"].items()
        ),
        "",
        *_parameters(arms),
        "",
        "## As a user sees it",
        "",
        *_seen(arms),
        "",
        "## What the proof does not cover",
        "",
        "- **The model may be wrong about the world.** The scale of every report contains the"
        " model's own discrepancy; here it is put into the data, so that data and model agree. In"
        " use it stands for what no run gets right, and nobody knows its size.",
        f"- **Shared errors.** In the crowded arm a report counts {crowded['mean_share']:.2f} of a"
        " whole one on average. That rule keeps the centre and widens the rest; it is not the"
        " exact posterior, which it is not meant to be. The log-likelihood is made by this very"
        " rule, and so its rank cannot be uniform there.",
        "- **Replayed decisions are taken as true.** A report rated B2 is outright wrong in 9 of"
        " 100 by the tables; when it is replayed, this is left out. The replayed arm makes them"
        " true.",
        "- **Reports of events** are made on the as-of date, which ends the first half of the"
        " simulated days and none. Elsewhere the law of a false event report does not sum to 1"
        " exactly. A report of a day before the first is ignored by the forecast;"
        f" {sum(a['outside'] for a in (separate, replayed, crowded))} of them were made here.",
        f"- Of the replayed truths {replayed['other_run']} came out as another run when they were"
        " made again with their own decisions (a call to another patron is drawn anew where none"
        " to the alliance is known); their own weight is then that of the other run, which moves"
        " a rank by less than one over the effective runs.",
        "- The runs are a scrambled Sobol design and not independent draws, and one ensemble"
        " serves all crises of an arm. Both make ranks of single crises very slightly dependent.",
        "- Silence is no report: that nothing was said of an event tells the forecast nothing.",
        "",
    ]
    return "\n".join(lines)


def _verdict(
    separate: dict[str, Any], replayed: dict[str, Any], crowded: dict[str, Any],
    broken: dict[str, Any],
) -> list[str]:  # fmt: skip
    lines = []
    for title, found in (("separate reports", separate), ("replayed decisions", replayed)):
        p = found["p_smallest_adjusted"]
        far = max(abs(c["sigmas"]) for c in found["coverage"].values())
        good = p > 0.05 and far < 3.0
        said = "no sign of a fault" if good else "**not calibrated**"
        lines.append(
            f"- With {title}: {said}. The smallest of the p-values, adjusted for their number, is"
            f" {_p(p)}, and the pooled coverages are at most {far:.1f} standard errors from"
            " nominal."
        )
    signed = [c["sigmas"] for c in crowded["coverage"].values()]
    way = "not clearly off"
    if max(signed) > 2.0:
        way = "too wide, on the careful side" if min(signed) > -2.0 else "off both ways"
    elif min(signed) < -2.0:
        way = "**too narrow**"
    lines.append(
        f"- With many reports that share errors, as in use, the intervals are {way} (coverages"
        f" {', '.join(f'{s:+.1f}' for s in signed)} standard errors from nominal)."
    )
    faults = {"every scale halved": broken["p_smallest_adjusted"]}
    faults["all reports ignored"] = separate["p_faults"]["weights ignored"]
    faults["replayed decisions not charged"] = replayed["p_faults"]["charge ignored"]
    faults["the price of the stages left out"] = replayed["p_faults"]["price ignored"]
    missed = [name for name, p in faults.items() if p >= 0.05]
    said = "**not found: " + ", ".join(missed) + "**" if missed else "all found"
    lines.append(
        f"- Faults made on purpose are {said} (p"
        f" {'; '.join(f'{name} {_p(p)}' for name, p in faults.items())}; the last"
        " three by the rank of the log-likelihood, or of the price itself)."
    )
    if max(abs(c["sigmas"]) for c in broken["coverage"].values()) < 3.0 and not missed:
        lines.append(
            "- Coverage alone is a weak test here: with every scale halved it is still within three"
            " standard errors of nominal. The rank of the log-likelihood is the sharp one."
        )
    return lines


def _parameters(arms: dict[str, Any]) -> list[str]:
    said = "; ".join(
        f"{arm} {_p(found['p_parameters_adjusted'])}"
        f" ({100 * found['parameters_below_5_percent']:.0f}% below .05)"
        for arm, found in arms.items()
    )
    return [
        "All parameters of the world, among them the two triggers: smallest p times their number,"
        f" and share of single p-values below .05: {said}. Reports tell little of most parameters,"
        " so this is a weaker test than that of the questions."
    ]


def _seen(arms: dict[str, Any]) -> list[str]:
    lines = [
        "Without the truth's own weight, and with closed intervals, whose ends count (a whole"
        " number or a day is often an end itself, so these hold more than their level):",
        "",
        "| Arm | 50% | 80% | 95% | closed 50% | closed 80% | closed 95% | p, answered only |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for arm, found in arms.items():
        cells = [_cover(found["coverage_seen"][level]) for level in ("50", "80", "95")]
        cells += [f"{100 * found['coverage_closed'][level]:.1f}" for level in ("50", "80", "95")]
        lines.append(f"| {arm} | {' | '.join(cells)} | {_p(found['p_answered_adjusted'])} |")
    return [
        *lines,
        "",
        "*p, answered only*: smallest p of the ranks of questions, times their number, without the"
        " crises in which the forecast refused. Refusal depends on the reports and not on the"
        " truth, so it should not bias the ranks; the other figures count all crises, the ranks of"
        " refused ones taken all the same.",
    ]


def _row(arm: str, found: dict[str, Any]) -> str:
    cells = [_cover(found["coverage"][level]) for level in ("50", "80", "95")]
    return (
        f"| {arm} | {found['crises']} | {found['refused']} | {found['median_effective']:.0f} |"
        f" {_p(found['p_smallest_adjusted'])} | {' | '.join(cells)} |"
    )


def _cover(found: dict[str, float]) -> str:
    return f"{100 * found['found']:.1f} ± {100 * found['error']:.1f}"


def _p(p: float | None) -> str:
    if p is None:
        return "-"
    return "< .001" if p < 0.001 else f"{p:.3f}".lstrip("0") if p < 1 else "1"
