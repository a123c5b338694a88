"""Replicate Epstein 2002 figure by figure; write the table and the pictures of the streets page.

Run it with the environment's Python; it takes a few minutes on one core. Everything is seeded.
"""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt

from foedus.streets import (
    TwoGroupOptions,
    advance,
    create,
    find_outbursts,
    paper_run,
    reading,
    simulate,
    simulate_two,
    tail_fit,
)
from foedus.world.lethal import expected_participation

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "explanation" / "streets.md"
IMAGES = ROOT / "docs" / "images" / "streets"
BEGIN, END = "<!-- table: benchmarks/streets_replication.py -->", "<!-- end of table -->"

SEED = 2002
COLOURS = {"netlogo": "#1b6ca8", "paper": "#d1495b", "citizens_first": "#2e8b57", "mesa": "#8d6a9f",
           "raw": "#777777"}  # fmt: skip
NAMES = tuple(COLOURS)

Row = tuple[str, str, str, str, str]
ROWS: list[Row] = []


def add(figure: str, claim: str, name: str, ours: str, verdict: str) -> None:
    """Keep and print a row of the table."""
    ROWS.append((figure, claim, name, ours, verdict))
    print(" | ".join(ROWS[-1]), flush=True)


def save(figure: plt.Figure, name: str) -> None:
    figure.tight_layout()
    figure.savefig(IMAGES / f"{name}.png", dpi=110, metadata={"Software": None})
    plt.close(figure)


def run_1() -> None:
    for name in ("raw", "paper"):
        run = paper_run(1, name=name, citizen_density=0.7)
        late = simulate(run.options, seed=SEED, runs=100, ticks=100).actives[:, 50:].values
        still = int((late == late[:, :1]).all(axis=1).sum())
        add("2 (Run 1)", "without movement nothing changes", name,
            f"constant after 50 ticks in {still} of 100 runs, at {late.mean():.0f} ± "
            f"{late.mean(axis=1).std():.0f} active", "holds")  # fmt: skip


def run_2() -> None:
    series, tails = {}, {}
    for name in NAMES:
        options = reading(name, placement="count", citizen_density=0.7, cop_density=0.04)
        runs, ticks = 60, 2000
        result = simulate(options, seed=SEED, runs=runs, ticks=ticks)
        actives = result.actives.values
        series[name] = actives[0, :600]
        found = find_outbursts(actives)
        if not len(found):
            add("3, 4 (Run 2)", "outbursts of 140 to 235, about 11 in 1,000 cycles", name,
                f"none in {runs * ticks:,} cycles, at most {actives.max()} active",
                "fails")  # fmt: skip
            continue
        add("3, 4 (Run 2)", "outbursts of 140 to 235, about 11 in 1,000 cycles", name,
            f"{1000 * len(found) / actives.size:.0f} in 1,000 cycles, mean peak "
            f"{found.peak.mean():.0f}", "holds in kind, more often")  # fmt: skip
        waits = found.waits
        tails[name] = waits
        add("5 (Run 2)", "waits: mean 60, SD 55, skewed to the right", name,
            f"mean {waits.mean():.1f}, SD {waits.std():.1f}",
            "near" if abs(waits.mean() - 60) < 12 else "differs")  # fmt: skip
        decay, r_squared = tail_fit(waits)
        add("6 (Run 2)", "waits over 30 exponential, .0171 a cycle, R² .985", name,
            f"{decay:.3f} a cycle, R² {r_squared:.3f}",
            "form holds" + (", rate near" if decay < 0.03 else ", rate does not"))  # fmt: skip
        near = abs(found.size.mean() / 708 - 1) < 0.15
        add("7 (Run 2)", "total activation: mean 708, SD 230", name,
            f"mean {found.size.mean():.0f}, SD {found.size.std():.0f}",
            "mean near, SD wider" if near else "differs")  # fmt: skip
        if name == "netlogo":
            eligible_figure(options, result, found)
    figure, axes = plt.subplots(len(series), 1, figsize=(8, 7), sharex=True)
    for axis, (name, values) in zip(axes, series.items(), strict=True):
        axis.plot(np.arange(1, values.size + 1), values, color=COLOURS[name], lw=0.8)
        axis.set_title(name, loc="left", fontsize=10)
        axis.set_ylim(0, 400)
        axis.set_ylabel("active")
    axes[-1].set_xlabel("tick")
    save(figure, "run2")
    figure, axis = plt.subplots(figsize=(8, 4))
    edges = np.arange(0, 260, 10)
    for name, waits in tails.items():
        counts = np.histogram(waits, edges)[0] / waits.size
        axis.semilogy(edges[:-1] + 5, np.where(counts > 0, counts, np.nan), "o-", ms=3, lw=1,
                      color=COLOURS[name], label=name)  # fmt: skip
    line = np.arange(35, 260, 10)
    axis.semilogy(line, 0.12 * np.exp(-0.0171 * (line - 35)), "k--", lw=1,
                  label="slope of the paper's figure 6")  # fmt: skip
    axis.set_xlabel("wait between outbursts (ticks)")
    axis.set_ylabel("share of waits, bins of 10")
    axis.set_ylim(1e-5, 1)
    axis.legend(frameon=False)
    save(figure, "waits")


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


def runs_3_to_5() -> None:
    cases = [("9 (Run 3)", 3, 0.7, "slow loss: no outburst; about 395 jailed"),
             ("10 (Run 4)", 4, 0.70, "one drop (text: to .70): outburst of about 520"),
             ("10 (Run 4)", 4, 0.65, "one drop (plot: to .65): outburst of about 520; 735 jailed"),
             ("11 (Run 5)", 5, 0.7, "cops withdrawn: outburst of about 355 near 25; 500 jailed"),
    ]  # fmt: skip
    figure, axes = plt.subplots(2, 4, figsize=(13, 6), sharex=True)
    shares: dict[str, list[float]] = {}
    for name in ("citizens_first", "paper", "netlogo", "mesa", "raw"):
        for column, (label, number, drop, claim) in enumerate(cases):
            run = paper_run(number, name=name, drop_to=drop, placement="count")
            result = simulate(run.options, seed=SEED, runs=200, ticks=run.ticks,
                              legitimacy=run.legitimacy, cops=run.cops)  # fmt: skip
            actives, jailed = result.actives.values, result.jailed.values
            peak = actives.max(axis=1)
            share = float((peak > 200).mean())
            shares.setdefault(name, []).append(share)
            verdict = "holds" if (share < 0.1 if number == 3 else share > 0.5) else "fails"
            if 0.1 <= share <= 0.5:
                verdict = "in some runs"
            if number == 4 and share > 0.5:
                verdict = "holds, smaller"
            late = float(np.median(actives.argmax(axis=1))) > 35
            if number == 5 and verdict == "holds" and late:
                verdict = "only when the last cop is gone"
            add(label, claim, name,
                f"P(over 200 active) {share:.2f}, mean peak {peak.mean():.0f} at median tick "
                f"{np.median(actives.argmax(axis=1) + 1):.0f}; {jailed[:, -1].mean():.0f} jailed",
                verdict)  # fmt: skip
            if name != "citizens_first":
                continue
            tick = result.tick.values
            typical = int(np.argsort(peak)[100])
            for axis, values, what in zip(axes[:, column], (actives, jailed),
                                          ("active", "jailed"), strict=True):  # fmt: skip
                low, high = np.quantile(values, [0.05, 0.95], axis=0)
                axis.fill_between(tick, low, high, color=COLOURS[name], alpha=0.25, lw=0)
                axis.plot(tick, values[typical], color=COLOURS[name], lw=1)
                axis.set_ylabel(what if column == 0 else "")
                axis.set_ylim(0, 600 if what == "active" else 850)
            title = label.split(" (")[1].rstrip(")")
            title += {0: ": slow loss", 1: ": drop to .70", 2: ": drop to .65"}.get(
                column, ": cops withdrawn"
            )
            axes[0, column].set_title(title, fontsize=10)
            axes[1, column].set_xlabel("tick")
    save(figure, "runs345")
    figure, axis = plt.subplots(figsize=(8, 4))
    width = 0.16
    for i, (name, values) in enumerate(shares.items()):
        axis.bar(np.arange(4) + (i - 2) * width, values, width, color=COLOURS[name], label=name)
    axis.set_xticks(np.arange(4), ["slow loss", "drop to .70", "drop to .65", "cops withdrawn"])
    axis.set_ylabel("share of runs with over 200 active")
    axis.legend(frameon=False)
    save(figure, "readings")


def model_two() -> None:
    peace = simulate_two(TwoGroupOptions(legitimacy=0.9), seed=SEED, runs=30, ticks=1000)
    add("12 (Run 6)", "L .9, no cops: peaceful mixing", "floor",
        f"{int(peace.kills.sum())} killed, both groups alive in "
        f"{int(peace.extinction.isnull().sum())} of 30 runs after 1,000", "holds")  # fmt: skip
    result = simulate_two(
        TwoGroupOptions(), seed=SEED, runs=100, ticks=1500, stop_at_extinction=True
    )
    gone = result.extinction.values
    green = int((result["size"][:, -1, 1] > 0).sum())
    add("13 (Run 7)", "L .8, no cops: genocide in 30 of 30 runs, either victor", "floor",
        f"{int(np.isfinite(gone).sum())} of 100 runs; green won {green}; mean "
        f"{np.nanmean(gone):.0f} cycles, SD {np.nanstd(gone):.0f} (paper about 250)",
        "holds, sooner")  # fmt: skip
    late = simulate_two(TwoGroupOptions(), seed=SEED, runs=100, ticks=1500, stop_at_extinction=True,
                        cops=lambda t: 0 if t < 50 else 160)  # fmt: skip
    more = late.extinction.fillna(1500).values - gone
    add("14", "peacekeepers at 50: safe havens", "floor",
        f"160 of them: genocide in {int(late.extinction.notnull().sum())} of 100 runs, "
        f"later by {more.mean():.0f} ± {more.std() / 10:.0f} cycles",
        "fails: delay, no havens")  # fmt: skip
    densities = np.array([0.0, 0.02, 0.04, 0.06, 0.08, 0.10, 0.15, 0.20])
    means, spreads = [], []
    for density in densities:
        options = TwoGroupOptions(citizen_density=0.7 - density, cop_density=density)
        times = simulate_two(options, seed=SEED, runs=60, ticks=4000, stop_at_extinction=True)
        means.append(float(times.extinction.fillna(4000).mean()))
        spreads.append(float(times.extinction.fillna(4000).std()))
    add("14 (Run 8)", "cops .04 from the start: stable, violent", "floor",
        f"genocide after {means[2]:.0f} cycles on average", "fails")  # fmt: skip
    add("15 to 17", "cops .04: about 2,000 cycles; .096: 5,700", "floor",
        f".04: {means[2]:.0f}, SD {spreads[2]:.0f}; .10: {means[5]:.0f}, SD {spreads[5]:.0f}; .20: "
        f"{means[7]:.0f}, SD {spreads[7]:.0f}", "fails; sign holds from .10")  # fmt: skip
    for change, label in (({"cop_vision": 7.0}, "cops see 7 cells"),
                          ({"max_jail_term": math.inf}, "jail for ever")):  # fmt: skip
        options = TwoGroupOptions(citizen_density=0.66, cop_density=0.04, **change)
        times = simulate_two(options, seed=SEED, runs=20, ticks=1000, stop_at_extinction=True)
        mean = float(times.extinction.fillna(1000).mean())
        add("14 (Run 8), varied", "(not in the paper)", f"floor, {label}",
            f"cops .04: genocide in {int(times.extinction.notnull().sum())} of 20 runs within "
            f"1,000, mean {mean:.0f} or more", "")  # fmt: skip
    figure, axes = plt.subplots(1, 2, figsize=(10, 4))
    result = simulate_two(TwoGroupOptions(), seed=SEED, runs=12, ticks=250)
    for r in range(12):
        for g, colour in enumerate(("#1b6ca8", "#2e8b57")):
            axes[0].plot(result.tick[:250], result["size"][r, :250, g], color=colour, lw=0.7)
    axes[0].set_title("L .8, no cops: 12 runs, both groups", fontsize=10)
    axes[0].set_xlabel("tick")
    axes[0].set_ylabel("people alive")
    axes[1].errorbar(densities, means, np.array(spreads), fmt="o-", color="#1b6ca8", capsize=3,
                     label="ours, mean ± SD of 60 runs")  # fmt: skip
    axes[1].plot([0, 0.024, 0.04, 0.096], [250, 500, 2000, 5700], "ks--", ms=4, lw=1, label="paper")
    axes[1].set_yscale("log")
    axes[1].set_xlabel("cops per site")
    axes[1].set_ylabel("cycles until one group is gone")
    axes[1].legend(frameon=False)
    save(figure, "two_groups")


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
    for part in (run_1, run_2, runs_3_to_5, model_two, dose):
        part()
    write_page()
    print(f"wrote {PAGE.relative_to(ROOT)} and {IMAGES.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
