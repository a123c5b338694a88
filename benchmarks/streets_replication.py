"""Replicate Epstein 2002 figure by figure; write the table and the pictures of the docs.

Run it with the environment's Python; it takes a few minutes on one core. Everything is seeded.
Verdicts are computed from all quantities of a claim (:mod:`claims`).
"""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt
import xarray as xr
from scipy import stats

import streets_tension
from claims import Quantity, always, near, never, verdict
from foedus.streets import StreetOptions, advance, create, reading, simulate
from foedus.world.mechanisms.lethal import expected_participation
from foedus_streets import (
    Outbursts,
    TwoGroupOptions,
    find_outbursts,
    paper_run,
    simulate_two,
    tail_fit,
)

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks" / "street-claims.md"
IMAGES = ROOT / "docs" / "images" / "streets"
BEGIN, END = "<!-- table: benchmarks/streets_replication.py -->", "<!-- end of table -->"

SEED = 2002
COLOURS = {"netlogo": "#1b6ca8", "paper": "#d1495b", "citizens_first": "#2e8b57", "mesa": "#8d6a9f",
           "raw": "#777777"}  # fmt: skip
NAMES = tuple(COLOURS)

Row = tuple[str, str, str, str, str]
ROWS: list[Row] = []


def add(figure: str, claim: str, name: str, ours: str, *quantities: Quantity) -> None:
    """Keep and print a row of the table; its verdict comes from the quantities."""
    ROWS.append((figure, claim, name, ours, verdict(*quantities) if quantities else ""))
    print(" | ".join(ROWS[-1]), flush=True)


def save(figure: plt.Figure, name: str) -> None:
    figure.tight_layout()
    figure.savefig(IMAGES / f"{name}.png", dpi=110, metadata={"Software": None})
    plt.close(figure)


def paper_line(axis: plt.Axes, *values: float, label: str = "", upright: bool = False) -> None:
    """Draw the paper's values as a dotted line."""
    for value in values:
        draw = axis.axvline if upright else axis.axhline
        draw(value, color="k", lw=0.9, ls=":", label=label)
        label = ""


def run_1() -> None:
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
    for axis, name in zip(axes, ("raw", "paper"), strict=True):
        run = paper_run(1, name=name, citizen_density=0.7)
        actives = simulate(run.options, seed=SEED, runs=100, ticks=100).actives.values
        late = actives[:, 50:]
        still = (late == late[:, :1]).all(axis=1)
        add("2 (Run 1)", "without movement nothing changes", name,
            f"constant after 50 ticks in {still.sum()} of 100 runs, at {late.mean():.0f} ± "
            f"{late.mean(axis=1).std():.0f} active",
            always("constant", float(still.mean())))  # fmt: skip
        axis.plot(np.arange(1, 101), actives[:12].T, color=COLOURS[name], lw=0.7)
        axis.set_title(f"{name}: 12 runs without movement", loc="left", fontsize=10)
        axis.set_xlabel("tick")
    axes[0].set_ylabel("active")
    axes[0].set_ylim(0)
    save(figure, "run1")


#: The paper's figures 3 to 8 on Run 2.
SPIKES = "outbursts of 140 to 235, about 11 in 1,000 cycles, near 0 between them"
WAITS = "waits: mean 60, SD 55, most in 21 to 30, skewed to the right"
TAIL = "waits over 30 exponential, .0171 a cycle, R² .985"
SIZES = "total activation: mean 708, SD 230, most about 825"
TENSION = "tension, G B / R of the quiet, rises before each outburst"
#: Bins of the histogram of sizes.
SIZE_BINS = np.arange(0, 3001, 50)


def run_2() -> None:
    found_in: dict[str, Outbursts] = {}
    series = {}
    for name in NAMES:
        options = reading(name, placement="count", citizen_density=0.7, cop_density=0.04)
        runs, ticks = 60, 2000
        result = simulate(options, seed=SEED, runs=runs, ticks=ticks)
        actives = result.actives.values
        series[name] = actives[0, :600]
        found = find_outbursts(actives)
        if not len(found):
            none = f"none in {runs * ticks:,} cycles, at most {actives.max()} active"
            add("3, 4 (Run 2)", SPIKES, name, none, near("how many", 0.0, 11))
            continue
        found_in[name] = found
        run_2_rows(name, actives, found)
        tension_row(name, options)
        if name == "netlogo":
            eligible_figure(options, result, found)
    series_figure(series)
    waits_figure(found_in)
    sizes_figure(found_in)


def run_2_rows(name: str, actives: np.ndarray, found: Outbursts) -> None:
    """Add the rows of figures 3 to 7."""
    calm = np.ones(actives.shape, dtype=bool)
    for run, start, end in zip(found.run, found.start, found.end, strict=True):
        calm[run, start:end] = False
    often, quiet = 1000 * len(found) / actives.size, float(np.median(actives[calm]))
    peak = float(found.peak.mean())
    add("3, 4 (Run 2)", SPIKES, name,
        f"{often:.0f} in 1,000 cycles, mean peak {peak:.0f}, median {quiet:.0f} between them",
        Quantity("peak", peak, 140, 235), near("how many", often, 11),
        Quantity("calm", quiet, 0, 11))  # fmt: skip
    waits = found.waits
    counts = np.bincount(((waits - 1) // 10).astype(int))
    mode, skew = int(counts.argmax()), float(stats.skew(waits))
    add("5 (Run 2)", WAITS, name,
        f"mean {waits.mean():.1f}, SD {waits.std():.1f}, most in {10 * mode + 1} to "
        f"{10 * mode + 10}, skewness {skew:.1f}",
        near("mean", waits.mean(), 60), near("SD", waits.std(), 55),
        Quantity("mode", mode, 2, 2), Quantity("skewness", skew, 0, math.inf))  # fmt: skip
    decay, r_squared = tail_fit(waits)
    add("6 (Run 2)", TAIL, name, f"{decay:.3f} a cycle, R² {r_squared:.3f}",
        near("rate", decay, 0.0171), Quantity("R²", r_squared, 0.95, 1))  # fmt: skip
    size = found.size
    most = SIZE_BINS[np.histogram(size, SIZE_BINS)[0].argmax()] + 25
    add("7 (Run 2)", SIZES, name,
        f"mean {size.mean():.0f}, SD {size.std():.0f}, most about {most}",
        near("mean", size.mean(), 708), near("SD", size.std(), 230),
        near("mode", most, 825))  # fmt: skip


def series_figure(series: dict[str, np.ndarray]) -> None:
    figure, axes = plt.subplots(len(series), 1, figsize=(8, 7), sharex=True)
    for axis, (name, values) in zip(axes, series.items(), strict=True):
        axis.plot(np.arange(1, values.size + 1), values, color=COLOURS[name], lw=0.8)
        paper_line(axis, 140, 235, label="the paper's peaks: 140 to 235")
        axis.set_title(name, loc="left", fontsize=10)
        axis.set_ylim(0, 400)
        axis.set_ylabel("active")
    axes[0].legend(frameon=False, loc="upper right", bbox_to_anchor=(1, 1.35), fontsize=9)
    axes[-1].set_xlabel("tick")
    save(figure, "run2")


def waits_figure(found_in: dict[str, Outbursts]) -> None:
    figure, axis = plt.subplots(figsize=(8, 4))
    edges = np.arange(0, 260, 10)
    for name, found in found_in.items():
        counts = np.histogram(found.waits, edges)[0] / found.waits.size
        axis.semilogy(edges[:-1] + 5, np.where(counts > 0, counts, np.nan), "o-", ms=3, lw=1,
                      color=COLOURS[name], label=name)  # fmt: skip
    line = np.arange(35, 260, 10)
    axis.semilogy(line, 0.12 * np.exp(-0.0171 * (line - 35)), "k:", lw=1.2,
                  label="slope of the paper's figure 6")  # fmt: skip
    axis.set_xlabel("wait between outbursts (ticks)")
    axis.set_ylabel("share of waits, bins of 10")
    axis.set_ylim(1e-5, 1)
    axis.legend(frameon=False)
    save(figure, "waits")


def sizes_figure(found_in: dict[str, Outbursts]) -> None:
    figure, axes = plt.subplots(len(found_in), 1, figsize=(8, 6.5), sharex=True)
    for axis, (name, found) in zip(axes, found_in.items(), strict=True):
        weights = np.full(len(found), 1 / len(found))
        axis.hist(found.size, SIZE_BINS, weights=weights, color=COLOURS[name], alpha=0.8)
        paper_line(axis, 708 - 230, 708, 708 + 230, upright=True,
                   label="the paper's mean and one SD to each side")  # fmt: skip
        axis.set_title(name, loc="left", fontsize=10)
        axis.set_ylabel("share")
    axes[-1].legend(frameon=False, loc="upper right")
    axes[-1].set_xlim(0, 2200)
    axes[-1].set_xlabel("size of an outburst: actives added up over its ticks, bins of 50")
    save(figure, "sizes")


#: Per reading: mean tension around a start; for the first, also a stretch of one run.
TENSIONS: dict[str, np.ndarray] = {}
STRETCH: list[np.ndarray] = []
LAGS = np.arange(-25, 16)


def tension_row(name: str, options: StreetOptions) -> None:
    """Add the row of figure 8 for one reading."""
    actives, index = streets_tension.series(options, seed=SEED, runs=30, ticks=1000)
    found = find_outbursts(actives)
    got = streets_tension.rises(actives, index, found)
    add("8 (Run 2)", TENSION, name,
        f"a tick before, risen since the last outburst in {got.risen:.0%}, above its mean in calm "
        f"in {got.above:.0%}; {got.peak:.2f} of that mean at the highest, "
        f"{got.trough:.2f} at the lowest",
        always("rises", got.risen), always("above the mean", got.above))  # fmt: skip
    TENSIONS[name] = streets_tension.mean_around(actives, index, found, LAGS)
    if not STRETCH:
        STRETCH.extend((actives[0, 100:300], index[0, 100:300]))


def tension_figure() -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), width_ratios=(3, 2))
    first = next(iter(TENSIONS))
    tick = np.arange(101, 301)
    left.plot(tick, STRETCH[1], color=COLOURS[first], lw=1.2, label="tension")
    left.plot(tick, STRETCH[0], color="0.5", lw=0.8, label="active")
    left.set_xlabel("tick")
    left.set_ylabel("tension; active citizens")
    left.set_title(f"{first}: one run", loc="left", fontsize=10)
    left.legend(frameon=False, loc="upper right")
    left.set_ylim(0, 1.25 * max(STRETCH[0].max(), STRETCH[1].max()))
    for name, values in TENSIONS.items():
        right.plot(LAGS, values, color=COLOURS[name], lw=1.2, label=name)
    paper_line(right, 0, upright=True)
    right.axhline(1, color="0.8", lw=0.8)
    right.set_xlabel("ticks after the start of an outburst")
    right.set_ylabel("tension, of its mean in calm")
    right.set_title("mean over outbursts", loc="left", fontsize=10)
    right.legend(frameon=False)
    save(figure, "tension")


def eligible_figure(options, result, found) -> None:  # type: ignore[no-untyped-def]
    runs = result.sizes["run"]
    state = create(options, seed=SEED, runs=range(runs))
    count = (state.hardship.astype(float) * (1 - options.legitimacy) > options.threshold).sum(1)
    size = np.array([found.size[found.run == r].mean() for r in range(runs)])
    figure, axis = plt.subplots(figsize=(6, 4))
    axis.plot(count, size, "o", ms=4, color=COLOURS["netlogo"], label="one run of 2,000 ticks")
    axis.plot(np.sort(count), np.polyval(np.polyfit(count, size, 1), np.sort(count)), "k-", lw=1)
    axis.axhline(1209, color="k", lw=0.8, ls=":", label="one long run of another code")
    axis.set_xlabel("citizens eligible, of 1,120 (drawn once for a run)")
    axis.set_ylabel("mean size of an outburst")
    axis.legend(frameon=False)
    save(figure, "eligible")


#: Figure, run, drop of legitimacy, claim; then peak, its tick, and jailed, as printed.
CASES: tuple[tuple[str, int, float, str, float, float, float], ...] = (
    ("9 (Run 3)", 3, 0.7, "slow loss: no outburst; about 395 jailed", 0, 0, 395),
    ("10 (Run 4)", 4, 0.70, "one drop (text: to .70): about 520 active within 5 cycles; 735 jailed",
     520, 78, 735),
    ("10 (Run 4)", 4, 0.65, "one drop (plot: to .65): about 520 active within 5 cycles; 735 jailed",
     520, 78, 735),
    ("11 (Run 5)", 5, 0.7, "cops withdrawn: 23 jailed at first; about 355 active near 25; "
     "500 jailed", 355, 25, 500),
)  # fmt: skip
TITLES = ("Run 3: slow loss", "Run 4: drop to .70", "Run 4: drop to .65", "Run 5: cops withdrawn")
#: Actives above which a run counts as having exploded.
MANY = 200


def runs_3_to_5() -> None:
    figure, axes = plt.subplots(2, 4, figsize=(13, 6), sharex=True)
    shares: dict[str, list[float]] = {}
    for name in ("citizens_first", "paper", "netlogo", "mesa", "raw"):
        for column, (label, number, drop, claim, *printed) in enumerate(CASES):
            changes = {"drop_to": drop} if number == 4 else {}
            run = paper_run(number, name=name, placement="count", **changes)
            result = simulate(run.options, seed=SEED, runs=200, ticks=run.ticks,
                              legitimacy=run.legitimacy, cops=run.cops)  # fmt: skip
            actives, jailed = result.actives.values, result.jailed.values
            shares.setdefault(name, []).append(float((actives.max(axis=1) > MANY).mean()))
            ours, quantities = judged(number, printed, actives, jailed)
            add(label, claim, name, ours, *quantities)
            if name == "citizens_first":
                band(axes[:, column], name, actives, jailed, printed)
                axes[0, column].set_title(TITLES[column], fontsize=10)
                axes[1, column].set_xlabel("tick")
    axes[0, 0].set_ylabel("active")
    axes[1, 0].set_ylabel("jailed")
    axes[0, 0].legend(frameon=False, fontsize=9)
    save(figure, "runs345")
    figure, axis = plt.subplots(figsize=(8, 4))
    width = 0.16
    for i, (name, values) in enumerate(shares.items()):
        axis.bar(np.arange(4) + (i - 2) * width, values, width, color=COLOURS[name], label=name)
    axis.set_xticks(np.arange(4), ["slow loss", "drop to .70", "drop to .65", "cops withdrawn"])
    axis.set_ylabel(f"share of runs with over {MANY} active")
    axis.legend(frameon=False)
    save(figure, "readings")


def judged(
    number: int, printed: list[float], actives: np.ndarray, jailed: np.ndarray
) -> tuple[str, list[Quantity]]:
    """Return our figures for one of Runs 3 to 5 in words, and as quantities of the claim."""
    peak, at = actives.max(axis=1), float(np.median(actives.argmax(axis=1) + 1))
    many, end = float((peak > MANY).mean()), float(jailed[:, -1].mean())
    ours = f"P(over {MANY} active) {many:.2f}, mean peak {peak.mean():.0f} at median tick {at:.0f}"
    ours += f"; {end:.0f} jailed"
    jail = near("jailed", end, printed[2])
    if number == 3:
        some = float((peak > 50).mean())
        return f"P(over 50 active) {some:.2f}, " + ours, [never("outburst", some), jail]
    quantities = [always("explodes", many), near("peak", float(peak.mean()), printed[0]), jail]
    if number == 4:
        return ours, [*quantities, Quantity("when", at, 77, 82)]
    early = float(jailed[:, 9].mean())
    quantities += [near("when", at, printed[1]), near("jailed at first", early, 23)]
    return f"{early:.0f} jailed at tick 10; " + ours, quantities


def band(
    axes: np.ndarray, name: str, actives: np.ndarray, jailed: np.ndarray, printed: list[float]
) -> None:
    """Draw the run with the median peak and the middle 90 percent of runs."""
    tick = np.arange(1, actives.shape[1] + 1)
    typical = int(np.argsort(actives.max(axis=1))[actives.shape[0] // 2])
    for axis, values, top, value in zip(
        axes, (actives, jailed), (600, 850), (printed[0], printed[2]), strict=True
    ):
        low, high = np.quantile(values, [0.05, 0.95], axis=0)
        axis.fill_between(tick, low, high, color=COLOURS[name], alpha=0.25, lw=0)
        axis.plot(tick, values[typical], color=COLOURS[name], lw=1)
        paper_line(axis, value, label="the paper's")
        axis.set_ylim(-5, top)


BLUE, GREEN = "#1b6ca8", "#2e8b57"
#: Peacekeepers of the paper's run with safe havens: when they come. It does not say how many.
ARRIVE, PEACEKEEPERS = 50, 160
LONG = 1500


def model_two() -> None:
    figure, axes = plt.subplots(2, 2, figsize=(10, 7.5))
    options = TwoGroupOptions(legitimacy=0.9)
    peace = simulate_two(options, seed=SEED, runs=30, ticks=1000)
    both = peace.extinction.isnull().values
    add("12 (Run 6)", "L .9, no cops: peaceful mixing", "floor",
        f"{int(peace.kills.sum())} killed, both groups alive in {both.sum()} of 30 runs after "
        "1,000", Quantity("killed", float(peace.kills.sum()), 0, 0),
        always("both alive", float(both.mean())))  # fmt: skip
    groups(axes[0, 0], peace, "Figure 12: L .9, no cops, 12 runs")

    result = simulate_two(TwoGroupOptions(), seed=SEED, runs=100, ticks=LONG,
                          stop_at_extinction=True)  # fmt: skip
    gone = result.extinction.values
    ended = np.isfinite(gone)
    green = int((result["size"][:, -1, 1] > 0).values[ended].sum())
    fair = stats.binomtest(green, int(ended.sum())).pvalue
    add("13 (Run 7)", "L .8, no cops: genocide in 30 of 30 runs, either victor; about 250 cycles",
        "floor", f"{ended.sum()} of 100 runs; green won {green}; mean {np.nanmean(gone):.0f} "
        f"cycles, SD {np.nanstd(gone):.0f}", always("genocide", float(ended.mean())),
        Quantity("either victor", fair, 0.01, 1),
        near("when", float(np.nanmean(gone)), 250))  # fmt: skip
    groups(axes[0, 1], result, "Figure 13: L .8, no cops, 12 runs")
    paper_line(axes[0, 1], 250, upright=True, label="the paper's mean end")
    axes[0, 1].legend(frameon=False)

    late = simulate_two(TwoGroupOptions(), seed=SEED, runs=100, ticks=LONG, stop_at_extinction=True,
                        cops=lambda t: 0 if t < ARRIVE else PEACEKEEPERS)  # fmt: skip
    havens = late.extinction.isnull().values
    more = late.extinction.fillna(LONG).values - np.where(ended, gone, LONG)
    add("14", f"peacekeepers at {ARRIVE}: safe havens", "floor",
        f"{PEACEKEEPERS} of them: both groups alive in {havens.sum()} of 100 runs after {LONG:,}; "
        f"the end later by {more.mean():.0f} ± {more.std() / 10:.0f} cycles",
        always("both alive", float(havens.mean())))  # fmt: skip
    groups(axes[1, 0], late, f"Figure 14: {PEACEKEEPERS} cops from tick {ARRIVE}, 12 runs")
    paper_line(axes[1, 0], ARRIVE, upright=True, label="they arrive")
    axes[1, 0].legend(frameon=False)

    density_rows(axes[1, 1])
    save(figure, "two_groups")


def groups(axis: plt.Axes, result: xr.Dataset, title: str) -> None:
    """Draw both groups of twelve runs."""
    for run in range(12):
        for group, colour in enumerate((BLUE, GREEN)):
            axis.plot(result.tick[:250], result["size"][run, :250, group], color=colour, lw=0.7)
    axis.set_title(title, loc="left", fontsize=10)
    axis.set_xlabel("tick")
    axis.set_ylabel("people alive, by group")
    axis.set_ylim(-20)


#: Cops per site, and the printed mean ticks and SD (its .09 and .026).
DENSITIES = (0.0, 0.01, 0.024, 0.04, 0.06, 0.08, 0.096, 0.15, 0.20)
PRINTED = {0.0: 250, 0.024: 500, 0.04: 2000, 0.096: 5700}
PRINTED_SD = {0.0: 200, 0.024: 2400, 0.096: 4500}


def density_rows(axis: plt.Axes) -> None:
    """Add the rows of cops from the start, and draw figure 15."""
    means, spreads, middles = {}, {}, []
    cap, runs = 4000, 60
    for density in DENSITIES:
        options = TwoGroupOptions(citizen_density=0.7 - density, cop_density=density)
        times = simulate_two(options, seed=SEED, runs=runs, ticks=cap, stop_at_extinction=True)
        lasted = times.extinction.fillna(cap).values
        means[density], spreads[density] = float(lasted.mean()), float(lasted.std())
        middles.append(np.quantile(lasted, [0.05, 0.95]))
        if density == 0.04:
            alive = float(times.extinction.isnull().mean())
            add("14 (Run 8)", "cops .04 from the start: stable, violent", "floor",
                f"both groups alive after {cap:,} in {alive:.0%} of {runs} runs; genocide after "
                f"{means[density]:.0f} cycles on average",
                always("both alive", alive))  # fmt: skip
    error = math.hypot(spreads[0.0], spreads[0.096]) / math.sqrt(runs)
    rise = (means[0.096] - means[0.0]) / error
    shown = "; ".join(f"{d:g}: {means[d]:.0f}, SD {spreads[d]:.0f}" for d in (*PRINTED, 0.2))
    add("15 to 17", "mean (SD) at cops 0: 250 (200); .024: 500 (2,400); .04: 2,000; .096: 5,700 "
        "(4,500)", "floor", shown,
        *(near(f"mean at {d:g}", means[d], at) for d, at in PRINTED.items()),
        *(near(f"SD at {d:g}", spreads[d], at) for d, at in PRINTED_SD.items()),
        Quantity("rises", rise, 3, math.inf))  # fmt: skip
    for change, label in (({"cop_vision": 7.0}, "cops see 7 cells"),
                          ({"max_jail_term": math.inf}, "jail for ever")):  # fmt: skip
        options = TwoGroupOptions(citizen_density=0.66, cop_density=0.04, **change)
        times = simulate_two(options, seed=SEED, runs=20, ticks=1000, stop_at_extinction=True)
        mean = float(times.extinction.fillna(1000).mean())
        add("14 (Run 8), varied", "(not in the paper)", f"floor, {label}",
            f"cops .04: genocide in {int(times.extinction.notnull().sum())} of 20 runs within "
            f"1,000, mean {mean:.0f} or more")  # fmt: skip
    axis.plot(list(means), list(means.values()), "o-", color=BLUE, label="ours, mean")
    axis.fill_between(list(means), *np.transpose(middles), color=BLUE, alpha=0.2, lw=0,
                      label=f"middle 90 percent of {runs} runs")  # fmt: skip
    axis.plot(list(PRINTED), list(PRINTED.values()), "ks:", ms=4, lw=1, label="the paper's")
    axis.set_yscale("log")
    axis.set_ylim(5, 10_000)
    axis.set_title("Figure 15: cops from the start", loc="left", fontsize=10)
    axis.set_xlabel("cops per site")
    axis.set_ylabel("cycles until one group is gone")
    axis.legend(frameon=False, loc="lower right")


def dose() -> None:
    b, s, k, e = 0.15, 2.0, 0.15, 2.0
    x = np.linspace(0, 6, 25)
    expected = expected_participation(x, legitimacy=0.8, arrest=0.3, threshold=0.1, backlash=b,
                                      fear_weight=s, fear_rate=k, saturation=e)  # fmt: skip
    figure, axis = plt.subplots(figsize=(8, 4))
    axis.plot(x, expected, "k-", lw=1, label="closed form, P .3, no cops, L .8")
    cases = [("lattice, the same", reading("paper", legitimacy=0.8, cop_density=0.0), 0.3, 1, "o"),
             ("lattice, cops .04, L .75 (paper)", reading("paper", legitimacy=0.75), 0.0, 40, "s"),
             ("lattice, cops .04, L .82 (netlogo)", reading("netlogo"), 0.0, 40, "^")]  # fmt: skip
    for label, options, base, ticks, marker in cases:
        start = create(options, seed=SEED, runs=range(60))
        shares = []
        for at in x:
            got = advance(start.copy(), options=options, seed=SEED, runs=range(60), day=0,
                          ticks=ticks, grievance_shift=b * (1 - math.exp(-e * at)),
                          lethal_risk=base + s * (1 - math.exp(-k * at)))  # fmt: skip
            shares.append(got.actives.mean() / options.citizens)
        axis.plot(x, shares, marker, ms=4, label=label)
    axis.set_xlabel("lethality: killings per 1,000 mobilisable people in a memory's length")
    axis.set_ylabel("share of citizens active")
    axis.legend(frameon=False)
    save(figure, "dose")


def write_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    lines = ["| figure | the paper's claim | reading | ours | verdict |", "|---|---|---|---|---|"]
    lines += ["| " + " | ".join(row) + " |" for row in ROWS]
    PAGE.write_text(f"{head}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{tail}", encoding="utf-8")


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    for part in (run_1, run_2, tension_figure, runs_3_to_5, model_two, dose):
        part()
    write_page()
    print(f"wrote {PAGE.relative_to(ROOT)} and {IMAGES.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
