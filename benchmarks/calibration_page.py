"""The pages, pictures and history of ``benchmarks/calibration.py``."""

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
DETAILS = PAGE.with_name("calibration-details.md")
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
    """Write pages, pictures and a line of history."""
    names = [q.id for q in load_case(CASE).questions]
    mpl.rcParams["svg.hashsalt"] = "foedus"
    mpl.rcParams["font.size"] = 8
    _differences(by_arm, names, PAGE.with_suffix(".svg"))
    _histograms(by_arm["separate"], names, PAGE.with_name("calibration-ranks.svg"))
    PAGE.write_text(page(figures), encoding="utf-8")
    DETAILS.write_text(details(figures), encoding="utf-8")
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
    """Draw the empirical distribution of the PITs minus the diagonal, with its band, by arm."""
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


HEAD = """# Are the forecasts calibrated?

{result}

This tests the *code*: if the world were as the model says, and reports as the observation model
says, forecasts would be right as often as they claim. Whether the world is so is another
question, for which there are [scores](cases.md). [Details](calibration-details.md) by question, and
what the test does not cover, are on a page of their own.
"""

METHOD = """## What is done

*Simulation-based calibration* (Talts et al. 2018,
[arXiv:1804.06788](https://arxiv.org/abs/1804.06788)):

1. A truth is one run of the world, drawn from the prior of a small made-up case
   (`benchmarks/calibration_case.yaml`: two cities, three members, two patrons, four hypotheses,
   every mechanism on).
2. Reports of it are made by the [observation model](../explanation/evidence.md): honest or
   outright wrong, low when early, some too late for the as-of date, given as numbers, classes
   or bounds. What is reported, when, and with which rating is drawn without looking at the
   truth.
3. The case with these facts goes through `foedus.forecast`, whose runs do not contain the
   truth.
4. The truth is ranked among the weighted runs: for every question, every parameter, the
   hypothesis, a reported count, the log-likelihood, and (replayed arm) the importance weight of
   a run's proposal. If all is right, the ranks over many crises are uniform.

`benchmarks/synthetic.py` makes the reports without calling the code under test; the two share
only the tables of numbers.

Among the runs *and* the truth, each is the truth with a probability in proportion to its
weight. The truth's own weight therefore counts in its rank, and ranks are uniform for any
number of runs, also if the forecast refuses. The log-likelihood is ranked because ranks of
answers alone miss some faults: a forecast that ignored all reports would rank the truth
uniformly (Modrák et al. 2023, [doi](https://doi.org/10.1214/23-BA1404)).

| Arm | Reports | Runs |
| --- | --- | --- |
| separate | of 11 quantities that share no error, so that each counts in full | one \
prior ensemble of {runs:,}, nothing replayed |
| replayed | of 6 such quantities, and 2 or 3 known decisions, rated A1 to B2 and true | the \
whole path, as of a command: for every crisis an adaptive ensemble of {own_runs:,} of its own, \
decisions replayed and charged |
| crowded | about 20, of the same things on several days, whose errors are drawn with the \
documented correlations | as separate |
| broken | as separate, but the forecast halves the scale of every report | as separate |
"""

LIMITS = """## What the test does not cover

- **The model may be wrong about the world.** The scale of every report includes the model
  discrepancy. Here it is put into the data, so data and model agree. In use it stands for what
  no run gets right, and nobody knows its size.
- **Shared errors.** In the crowded arm a report counts {share:.2f} of a whole one on average.
  That rule keeps the centre and widens the rest; it is not the exact posterior. The rule also
  makes the log-likelihood, whose rank therefore cannot be uniform there.
- **Replayed decisions are taken as true.** A report rated B2 is outright wrong in 9 of 100 by
  the tables; when it is replayed, this is ignored. In the replayed arm they are true.
- **Reports of events** are made on the as-of date, which ends the first half of the simulated
  days (*never* counted as one). On other dates the probabilities of a false event report do not
  sum to 1 exactly. The forecast ignores a report about a day before the first; {outside} were
  made here.
- **Calls to other patrons.** {other} replayed truths came out as another run when they were
  made again with their own decisions, because a call to another patron is drawn anew if no call
  to the alliance is known. Their own weight is then that of the other run, which moves a rank
  by less than one over the effective runs.
- **Dependence.** The runs are a scrambled Sobol design, not independent draws, and one ensemble
  serves all crises of an arm. Both make ranks of single crises very slightly dependent.
- **Silence is no report.** If nothing is said of an event, the forecast learns nothing.
"""

MADE = """\
Written by `make bench-calibration N={crises}` on {today}: {minutes:.0f} minutes of processor
time on {cores} cores, Python {python}. Its last line is JSON: `arms.ARM.p` has the p-value of
each question, `arms.ARM.coverage` the coverages. If interrupted, it continues where it stopped.
"""

SMALLEST = """\
*Smallest p*: of the tests of uniform ranks of all questions and of the log-likelihood, and of
the probabilities of yes-or-no questions and hypotheses (their sum, and Spiegelhalter's z),
times their number (Bonferroni). Uniformity is tested over the whole distribution at once
(Säilynoja et al. 2022, [doi](https://doi.org/10.1007/s11222-022-10090-6)). *50%, 80%, 95%*: how
often the central interval of a number or date contained the truth, in per cent, with its
Monte-Carlo error from crisis to crisis; ties are broken at random.
"""

DIFFERENCES = """![Distribution of ranks less the diagonal, by arm](calibration.svg)

*One line per question; dashed, the log-likelihood; dotted, a reported count. Grey: the band
that contains 95 of 100 lines of a calibrated forecast entirely. A line that falls first and
then rises belongs to a forecast that is too wide; one that rises first, too narrow.*
"""

HISTOGRAMS = """![Rank histograms of the separate arm](calibration-ranks.svg)

*Separate arm: ranks in ten cells; grey, where 95 of 100 single cells would be.*
"""

DETAILS_HEAD = """# Are the forecasts calibrated? Details

[The result](calibration.md) explains the test and its arms.
"""

ANSWERED = """\
*p, answered only*: smallest p of the ranks of questions, times their number, without the crises
in which the forecast refused. Refusal depends on the reports and not on the truth, so it should
not bias the ranks. All other figures count all crises, refused ones included.
"""

SEEN = """## As a user sees it

These coverages leave out the truth's own weight. The closed intervals include their ends; a
whole number or a day is often an end itself, so they contain more than their level.
"""


def page(figures: dict[str, Any]) -> str:
    """Return the page of results."""
    arms = figures["arms"]
    separate, replayed, crowded = (arms[a] for a in ("separate", "replayed", "crowded"))
    parts = [
        HEAD.format(result="\n".join(_verdict(separate, replayed, crowded, arms["broken"]))),
        METHOD.format(runs=figures["runs"], own_runs=figures["own_runs"]),
        "## What came out\n",
        "\n".join(
            [
                "| Arm | crises | refused | effective runs, median | smallest p "
                "| 50% | 80% | 95% |",
                "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
                *(_row(arm, found) for arm, found in arms.items()),
                "",
            ]
        ),
        SMALLEST,
        DIFFERENCES,
        MADE.format(
            crises=figures["crises"],
            today=dt.date.today().isoformat(),
            minutes=figures["cpu_seconds"] / 60,
            cores=os.cpu_count(),
            python=platform.python_version(),
        ),
    ]
    return "\n".join(parts)


def details(figures: dict[str, Any]) -> str:
    """Return the page of details."""
    arms = figures["arms"]
    separate, replayed, crowded = (arms[a] for a in ("separate", "replayed", "crowded"))
    limits = LIMITS.format(
        share=crowded["mean_share"],
        outside=sum(a["outside"] for a in (separate, replayed, crowded)),
        other=replayed["other_run"],
    )
    ranks = [
        "## By question",
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
        _parameters(arms),
        "",
    ]
    return "\n".join([DETAILS_HEAD, HISTOGRAMS, *ranks, SEEN, *_seen(arms), "", ANSWERED, limits])


def _verdict(
    separate: dict[str, Any], replayed: dict[str, Any], crowded: dict[str, Any],
    broken: dict[str, Any],
) -> list[str]:  # fmt: skip
    lines = []
    for title, found in (("separate reports", separate), ("replayed decisions", replayed)):
        p = found["p_smallest_adjusted"]
        far = max(abs(c["sigmas"]) for c in found["coverage"].values())
        good = p > 0.05 and far < 3.0
        said = "no sign of a fault" if good else "not calibrated"
        lines.append(
            f"- **With {title}: {said}.** The smallest of the p-values, adjusted for their number,"
            f" is {_p(p)}, and the pooled coverages are at most {far:.1f} standard errors from"
            " nominal."
        )
    signed = [c["sigmas"] for c in crowded["coverage"].values()]
    way = "not clearly off"
    if max(signed) > 2.0:
        way = "too wide" if min(signed) > -2.0 else "off both ways"
    elif min(signed) < -2.0:
        way = "too narrow"
    lines.append(
        f"- **With many reports that share errors, as in use, the intervals are {way}**: coverages"
        f" {', '.join(f'{s:+.1f}' for s in signed)} standard errors from nominal."
    )
    faults = {"every scale halved": broken["p_smallest_adjusted"]}
    faults["all reports ignored"] = separate["p_faults"]["weights ignored"]
    faults["replayed decisions not charged"] = replayed["p_faults"]["charge ignored"]
    faults["weights of the stages left out"] = replayed["p_faults"]["price ignored"]
    missed = [name for name, p in faults.items() if p >= 0.05]
    said = "not found: " + ", ".join(missed) if missed else "all found"
    lines.append(
        f"- **Faults made on purpose are {said}**: p"
        f" {'; '.join(f'{name} {_p(p)}' for name, p in faults.items())}. The last three are found"
        " by the rank of the log-likelihood, or of the weights themselves."
    )
    if max(abs(c["sigmas"]) for c in broken["coverage"].values()) < 3.0 and not missed:
        lines.append(
            "- Coverage alone is a weak test here: with every scale halved it is still within three"
            " standard errors of nominal. The rank of the log-likelihood is the sharp test."
        )
    return lines


def _parameters(arms: dict[str, Any]) -> str:
    said = "; ".join(
        f"{arm} {_p(found['p_parameters_adjusted'])}"
        f" ({100 * found['parameters_below_5_percent']:.0f}% below .05)"
        for arm, found in arms.items()
    )
    return (
        "All parameters of the world, the two triggers among them: smallest p times their number,"
        f" and share of single p-values below .05: {said}. Reports say little about most"
        " parameters, so this is a weaker test than that of the questions."
    )


def _seen(arms: dict[str, Any]) -> list[str]:
    lines = [
        "| Arm | 50% | 80% | 95% | closed 50% | closed 80% | closed 95% | p, answered only |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for arm, found in arms.items():
        cells = [_cover(found["coverage_seen"][level]) for level in ("50", "80", "95")]
        cells += [f"{100 * found['coverage_closed'][level]:.1f}" for level in ("50", "80", "95")]
        lines.append(f"| {arm} | {' | '.join(cells)} | {_p(found['p_answered_adjusted'])} |")
    return lines


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
