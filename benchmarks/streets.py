"""The street kernel against Mesa's bundled Epstein example: table, plot, page, history.

Run as ``python benchmarks/streets.py``; with ``--parity 240`` also run the two-sample tests against
Mesa (minutes), and keep their table for the page. The last line printed is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import parity  # noqa: E402
from foedus.streets import advance, create, reading, warm  # noqa: E402
from foedus.world.lattice import kernel  # noqa: E402
from foedus.world.lattice.model import _lattice  # noqa: E402

HISTORY = ROOT / "benchmarks" / "history"
PAGES = ROOT / "docs" / "benchmarks"
#: The defaults of Mesa's example.
PARAMETERS: dict[str, Any] = {
    "citizen_density": 0.7,
    "cop_density": 0.074,
    "citizen_vision": 7,
    "cop_vision": 7,
    "legitimacy": 0.8,
    "max_jail_term": 1000,
}


@dataclass(frozen=True)
class Side:
    """The amount of work at one lattice size: ours in runs and ticks, Mesa's in steps."""

    side: int
    runs: int
    ticks: int
    steps: int


@dataclass(frozen=True)
class Plan:
    """What the benchmark measures; the tests have a smaller one."""

    compared: tuple[Side, ...] = (Side(40, 20, 100, 4), Side(200, 2, 20, 1))
    sizes: tuple[int, ...] = (20, 40, 80, 160, 320, 640, 1000)
    updates: int = 4_000_000
    batches: tuple[int, ...] = (1, 4, 16, 64, 256, 1024)
    readings: tuple[str, ...] = ("raw", "paper", "netlogo", "mesa", "citizens_first")
    repeats: int = 5
    starts: int = 5


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process for one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def clock() -> float:
    """Return the core's clock in GHz, from a chain of multiply (3 cycles) and xor (1)."""
    from numba import njit

    def _chain(n, x):  # type: ignore[no-untyped-def]
        for _ in range(n):
            x = (x * np.uint64(6364136223846793005)) ^ np.uint64(7)
        return x

    chain = njit(_chain)
    chain(10, np.uint64(3))
    n = 20_000_000
    return 4 * n / min(cpu(lambda: chain(n, np.uint64(3))) for _ in range(5)) / 1e9


def ours(side: int, *, runs: int, ticks: int, repeats: int, name: str = "mesa") -> dict[str, float]:
    """Return updates per second (best of some repeats), bytes of a run, and bytes of scratch.

    Scratch is made once per call, for ``abreast`` interleaved runs, whatever the number of runs.
    """
    options = reading(name, width=side, height=side, **PARAMETERS)
    numbers = np.arange(runs)
    start = create(options, seed=1, runs=numbers)
    updates = int((start.citizens + start.cops).sum()) * ticks

    def work() -> None:
        advance(state, options=options, seed=1, runs=numbers, day=0, ticks=ticks)

    best = np.inf
    for _ in range(repeats + 1):
        state = start.copy()
        best = min(best, cpu(work))
    made = kernel.scratch(_lattice(options).plan, start.records.shape[1])
    return {
        "rate": updates / best,
        "state": start.nbytes / runs,
        "scratch": float(sum(array.nbytes for array in made)),
        "abreast": float(made.pages.shape[0]),
    }


def mesa(side: int, *, steps: int, repeats: int, collect: bool) -> float:
    """Return agent updates per second of Mesa's example: the best step, after three to warm up."""
    model_class = parity.mesa_model()
    best = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        model = model_class(width=side, height=side, **PARAMETERS, seed=1)
        if not collect:
            model.datacollector.collect = lambda model: None
        agents = len(model.agents)
        for _ in range(2):
            model.step()
        for _ in range(repeats):
            best = max(best, agents * steps / cpu(lambda: [model.step() for _ in range(steps)]))
    return best


def mesa_bytes(side: int) -> float:
    """Return what Python allocates for one Mesa model and its first step, and still holds."""
    model_class = parity.mesa_model()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        tracemalloc.start()
        try:
            model = model_class(width=side, height=side, **PARAMETERS, seed=1)
            model.step()
            return float(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()


def start_up(times: int) -> dict[str, float]:
    """Return the seconds from process start to a first result, kernels cached: wall and CPU."""
    code = (
        "from foedus.world.lattice import create, advance, reading\n"
        "o = reading('mesa'); s = create(o, seed=1, runs=[0])\n"
        "advance(s, options=o, seed=1, runs=[0], day=0, ticks=1)\n"
    )
    wall, busy = [], []
    for _ in range(times):
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall.append(time.perf_counter() - start)
        busy.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {"wall": min(wall), "cpu": min(busy)}


def caches() -> dict[str, float]:
    """Return the data caches of core 0 in bytes; none if the system does not report them."""
    found = {}
    for index in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        if (index / "type").read_text().strip() == "Instruction":
            continue
        level, size = (index / "level").read_text().strip(), (index / "size").read_text().strip()
        found[f"L{level}"] = float(size.rstrip("KM")) * (2**20 if size.endswith("M") else 2**10)
    return dict(sorted(found.items()))


def plot(
    sizes: list[dict[str, float]],
    batches: list[dict[str, float]],
    known: dict[str, float],
    path: Path,
) -> None:
    """Draw cost per update against lattice size, with the caches, and number of replicates."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "foedus"
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", sharey=True)
    left.plot([s["bytes"] for s in sizes], [s["ns"] for s in sizes], "o-")
    for s in sizes:
        left.annotate(f"{s['side']:g}²", (s["bytes"], s["ns"]), (0, 6), textcoords="offset points")
    for name, size in known.items():
        left.axvline(size, color="0.6", lw=0.8, ls="--")
        left.annotate(name, (size, 0.02), xycoords=("data", "axes fraction"), color="0.4")
    left.set(xscale="log", yscale="log", xlabel="bytes of one lattice, state and scratch")
    left.set(ylabel="ns per agent update, one core", title="Lattice size (cells)")
    right.plot([b["runs"] for b in batches], [b["ns"] for b in batches], "o-")
    right.set(xscale="log", xlabel="replicates in one call", title="Replicates at 40 × 40")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def page(result: dict[str, Any]) -> str:
    """Return the docs page."""
    start = result["start_up"]
    sides = [key for key in result if key.isdigit()]
    rates = " and ".join(
        f"{result[side]['rate'] / 1e6:.1f} million at {side} × {side}" for side in sides
    )
    ratios = " and ".join(f"{result[side]['ratio']:,.0f}" for side in sides)
    lines = [
        "# Street kernel",
        "",
        f"**Agent updates a second on one core: {rates}.**",
        f"That is {ratios} times the rate of Mesa's bundled example.",
        "Mesa's example is a teaching model; a tuned Mesa model would be faster.",
        "",
        "| lattice | foedus, updates/s | cycles | Mesa, collecting | Mesa, bare | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for side in sides:
        r = result[side]
        lines.append(
            f"| {side} × {side} | {r['rate'] / 1e6:.1f} M | {r['cycles']:.0f} "
            f"| {r['mesa']:,.0f} | {r['mesa_quiet']:,.0f} | {r['ratio']:,.0f} |"
        )
    lines += [
        "",
        "An update is one activation of one agent, jailed or not. Mesa runs with and without its "
        "data collector; the ratio is to the faster. Parameters and rules are the defaults of Mesa "
        "3.3.1's bundled Epstein example.",
        "",
        f"Written by `make bench-streets` (`benchmarks/streets.py`) on {result['when']}: "
        f"{result['processor']}, Python {platform.python_version()}, one core; CPU time, best of "
        f"several repeats, both sides in one process. A core cycle measured "
        f"{1 / result['ghz']:.2f} ns; load average {result['load']:.0f} on "
        f"{os.cpu_count()} cores.",
        "",
        *_spread(),
        f"Start of the process to the first result, kernels cached: {start['wall']:.2f} s on the "
        f"clock, {start['cpu']:.2f} s of CPU in all threads together.",
        "",
        "## Memory",
        "",
        "| lattice | foedus, a run | foedus, scratch of a call (runs interleaved) | Mesa, a run |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {side} × {side} | {result[side]['state']:,.0f} bytes "
        f"| {result[side]['scratch']:,.0f} bytes ({result[side]['abreast']:.0f}) "
        f"| {result[side]['mesa_bytes']:,.0f} bytes |"
        for side in sides
    ]
    lines += [
        "",
        "Each call allocates its own scratch, one for every thread, and frees it. Mesa's figure is "
        "what Python holds for one model after its first step (`tracemalloc`).",
        "",
        "## Cost against size",
        "",
        "![ns per update against lattice size and number of replicates](streets.svg)",
        "",
        "| lattice | ns per update | bytes |",
        "|---|---|---|",
    ]
    lines += [f"| {s['side']:g}² | {s['ns']:.1f} | {s['bytes']:,.0f} |" for s in result["sizes"]]
    lines += ["", "Bytes of one run: its state and its part of the scratch."]
    found = result["caches"]
    said = ", ".join(f"{name} {size / 1024:,.0f} KiB" for name, size in found.items())
    lines[-1] += f" Caches of core 0: {said or 'the system does not tell; none are drawn'}."
    lines += ["", "| replicates at 40² | ns per update |", "|---|---|"]
    lines += [f"| {b['runs']:g} | {b['ns']:.1f} |" for b in result["batches"]]
    lines += ["", "| reading at 40² | ns per update |", "|---|---|"]
    lines += [f"| {name} | {ns:.1f} |" for name, ns in result["readings"].items()]
    lines += ["", LIMIT, PEERS]
    stored = HISTORY / "streets-parity.json"
    if stored.exists():
        lines += _parity_table(json.loads(stored.read_text(encoding="utf-8")))
    return "\n".join(lines) + "\n"


#: The bounds on the kernel's speed: an estimate, with its parts.
LIMIT = """## The limit

About 110 million updates a second at 3.7 GHz is the limit for exact random sequential
activation on one core at 40 × 40. This is an estimate under Mesa's rules, with everything in
the first cache, for a core that sustains about 4.5 operations a cycle. One update of a moving
citizen needs:

| part | operations | cycles |
|---|---|---|
| shuffle: an eighth of eight draws, multiply, two loads, two stores | 12 | 2.5 |
| the word of the move: an eighth of eight draws, store, load | 4 | 1 |
| order, record, kind, place | 10 | 2 |
| cops in sight: two loads, shifts and narrowings of 64 bytes, mask, count, sum | 22 | 5 |
| limit, two conversions, product, comparison | 8 | 2 |
| free cells in sight: the same with running counts, kept for the second half | 26 | 6 |
| rank, its row, its column | 28 | 6 |
| two cells changed, in two rows each; where it is now; the record | 30 | 7 |
| mispredicted branches: 0.10 a cop moves, 0.03 jailed, at 18 cycles | | 2.5 |
| **sum** | **140** | **about 34** |

Compare this sum with the cycles in the first table. The rest is mostly loading pointers and
branching on a plan's options.

For 200 × 200 no limit is derived. A run's records, limits and cells fill about a megabyte
there, and two interleaved runs exceed the second cache, so updates wait for the third. We have
not measured those waits apart from the kernel.

[The kernel's parts](../explanation/kernel.md) and what each is worth are on another page.
"""


#: Other peers that were tried.
PEERS = """## Other peers

mesa-frames 0.1.0a0 (Mesa's models on data frames) was tried and left out, for three reasons. It
needs numpy 1.26, foedus numpy 2. It activates all agents at once, while these rules activate
them one after another. And on a torus its `get_neighborhood` gives each cell to one agent only,
so an Epstein model would count wrongly: `GridPolars(ModelDF(), [10, 10], torus=True,
capacity=1, neighborhood_type="von_neumann").get_neighborhood(radius=1, pos=[[4, 4], [4, 6]])`
has 7 rows, not 8.
"""


def _spread(last: int = 5) -> list[str]:
    """Return the last runs of the history, since one run alone does not show the spread."""
    stored = HISTORY / "streets.jsonl"
    if not stored.exists():
        return []
    runs = [json.loads(line) for line in stored.read_text(encoding="utf-8").splitlines()][-last:]
    keys = [key for key in runs[-1] if key.startswith(("updates_per_second", "ratio"))]
    heads = [key.replace("updates_per_second_", "M updates/s, ").replace("_", ", ") for key in keys]
    lines = [
        f"The last {len(runs)} runs of this benchmark, of the code as it was then:",
        "",
        f"| date | load | {' | '.join(f'{head}²' for head in heads)} |",
        "|---" * (len(keys) + 2) + "|",
    ]
    rows = [[run[key] / (1e6 if "updates" in key else 1) for key in keys] for run in runs]
    for run, row in zip(runs, rows, strict=True):
        load = f"{run['load']:.1f}" if "load" in run else "not kept"
        lines.append(f"| {run['when']} | {load} | {' | '.join(f'{x:,.1f}' for x in row)} |")
    spread = [f"{min(column):,.1f} to {max(column):,.1f}" for column in zip(*rows, strict=True)]
    return [*lines, f"| lowest to highest | | {' | '.join(spread)} |", ""]


def _parity_table(stored: dict[str, Any]) -> list[str]:
    lines = [
        "",
        "## The same law as Mesa's example",
        "",
        f"{stored['mesa_runs']} runs of Mesa, {stored['our_runs']} of the `mesa` reading, "
        f"{stored['ticks']} ticks, parameters {json.dumps(stored['parameters'])}; an outburst is a "
        f"spell with more than {stored['bound']} actives. p values of Kolmogorov-Smirnov "
        "and Welch tests, not corrected for their number.",
        "",
        "| quantity | foedus | Mesa | KS p | Welch p |",
        "|---|---|---|---|---|",
    ]
    for row in stored["rows"]:
        lines.append(
            f"| {row['quantity']} | {row['ours']:.2f} ± {row['ours_se']:.2f} "
            f"| {row['mesa']:.2f} ± {row['mesa_se']:.2f} | {row['ks']:.2f} | {row['welch']:.2f} |"
        )
    return lines


def measure(plan: Plan) -> dict[str, Any]:
    """Measure everything that the page shows."""
    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        processor = named[0].split(":", 1)[1].strip() if named else processor
    result: dict[str, Any] = {
        "when": datetime.now(UTC).date().isoformat(),
        "processor": processor,
        "ghz": clock(),
        "start_up": start_up(plan.starts),
        "load": os.getloadavg()[0],
        "caches": caches(),
    }
    for c in plan.compared:
        # The two sides take turns, so that a busy machine slows both alike.
        rounds = []
        for collect in (True, False):
            mine = ours(c.side, runs=c.runs, ticks=c.ticks, repeats=plan.repeats + 2)
            theirs = mesa(c.side, steps=c.steps, repeats=plan.repeats, collect=collect)
            rounds.append((mine, theirs))
        best = max((mine for mine, _ in rounds), key=lambda mine: mine["rate"])
        peer = max(rate for _, rate in rounds)
        result[str(c.side)] = {
            **best,
            "mesa": rounds[0][1],
            "mesa_quiet": rounds[1][1],
            "mesa_bytes": mesa_bytes(c.side),
            "ratio": best["rate"] / peer,
            "cycles": result["ghz"] * 1e9 / best["rate"],
        }
    result["sizes"] = []
    for side in plan.sizes:
        ticks = max(3, min(200, plan.updates // side**2))
        r = ours(side, runs=1, ticks=ticks, repeats=plan.repeats)
        size = r["state"] + r["scratch"] / r["abreast"]
        result["sizes"].append({"side": side, "ns": 1e9 / r["rate"], "bytes": size})
    result["batches"] = [
        {"runs": runs, "ns": 1e9 / ours(40, runs=runs, ticks=20, repeats=plan.repeats)["rate"]}
        for runs in plan.batches
    ]
    result["readings"] = {
        name: 1e9 / ours(40, runs=20, ticks=50, repeats=plan.repeats, name=name)["rate"]
        for name in plan.readings
    }
    return result


def summary(result: dict[str, Any]) -> dict[str, float]:
    """Return the last line that is printed; scripts read its keys."""
    sides = [key for key in result if key.isdigit()]
    return {
        **{f"ratio_{side}": round(result[side]["ratio"], 1) for side in sides},
        **{f"updates_per_second_{side}": round(result[side]["rate"]) for side in sides},
        **{
            f"mesa_{side}": round(max(result[side]["mesa"], result[side]["mesa_quiet"]))
            for side in sides
        },
    }


def write(result: dict[str, Any]) -> None:
    """Add to the history, then write the plot and the page."""
    HISTORY.mkdir(exist_ok=True)
    PAGES.mkdir(exist_ok=True)
    with (HISTORY / "streets.jsonl").open("a", encoding="utf-8") as history:
        history.write(json.dumps({**summary(result), **result}) + "\n")
    plot(result["sizes"], result["batches"], result["caches"], PAGES / "streets.svg")
    text = page(result)
    (PAGES / "streets.md").write_text(text, encoding="utf-8")
    print(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parity", type=int, default=0, help="runs of Mesa for the test of law")
    arguments = parser.parse_args()
    for name in warm():
        print(name, flush=True)
    if arguments.parity:
        run_parity(arguments.parity)
    result = measure(Plan())
    write(result)
    print(json.dumps(summary(result)))


def run_parity(runs: int) -> None:
    """Run the tests of equal law and keep their table."""
    theirs = parity.run_mesa(parity.PARAMETERS, runs=runs, ticks=parity.TICKS, seed=1000)
    mine = parity.run_ours(parity.PARAMETERS, runs=4000, ticks=parity.TICKS, seed=5)
    stored = {
        "mesa_runs": runs,
        "our_runs": 4000,
        "ticks": parity.TICKS,
        "bound": parity.BOUND,
        "parameters": parity.PARAMETERS,
        "rows": parity.compare(mine, theirs),
    }
    path = HISTORY / "streets-parity.json"
    path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
