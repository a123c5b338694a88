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
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import parity  # noqa: E402
from foedus.streets import advance, create, reading, warm  # noqa: E402
from foedus.world.streets.model import _lattice  # noqa: E402

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
    """Return updates per second (best of some repeats) and the bytes of one run."""
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
    plan, agents = _lattice(options).plan, start.records.shape[1]
    scratch = 24.0 * float(plan.plane)
    scratch += options.sites * 4 + agents * (8 + 4 + 4 + 8)
    return {
        "rate": updates / best,
        "state": start.nbytes / runs,
        "scratch": scratch,
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


def start_up() -> dict[str, float]:
    """Return the seconds from process start to a first result, kernels cached: wall and CPU."""
    code = (
        "from foedus.world.streets import create, advance, reading\n"
        "o = reading('mesa'); s = create(o, seed=1, runs=[0])\n"
        "advance(s, options=o, seed=1, runs=[0], day=0, ticks=1)\n"
    )
    wall, busy = [], []
    for _ in range(5):
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall.append(time.perf_counter() - start)
        busy.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {"wall": min(wall), "cpu": min(busy)}


def caches() -> dict[str, float]:
    """Return the data caches of core 0 in bytes, where the system tells."""
    found = {}
    for index in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        if (index / "type").read_text().strip() == "Instruction":
            continue
        level, size = (index / "level").read_text().strip(), (index / "size").read_text().strip()
        found[f"L{level}"] = float(size.rstrip("KM")) * (2**20 if size.endswith("M") else 2**10)
    return dict(sorted(found.items()))


def plot(sizes: list[dict[str, float]], batches: list[dict[str, float]], path: Path) -> None:
    """Draw cost per update against lattice size and number of replicates."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "foedus"
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", sharey=True)
    left.plot([s["bytes"] for s in sizes], [s["ns"] for s in sizes], "o-")
    for s in sizes:
        left.annotate(f"{s['side']:g}²", (s["bytes"], s["ns"]), (0, 6), textcoords="offset points")
    for name, size in caches().items():
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
    lines = [
        "# Street kernel",
        "",
        "Written by `benchmarks/streets.py`; rerun it with `make bench-streets`.",
        "",
        f"{result['when']}, {result['processor']}, Python {platform.python_version()}, one core. "
        f"CPU time, best of several repeats, both sides in one process; a core cycle measured "
        f"{1 / result['ghz']:.2f} ns; load average {result['load']:.0f} on "
        f"{os.cpu_count()} cores. An update is one activation of one agent, jailed or not. "
        "Parameters and rules are the defaults of Mesa 3.3.1's bundled Epstein example.",
        "",
        "| lattice | foedus, updates/s | cycles | Mesa, collecting | Mesa, not | ratio "
        "| bytes per run (state + scratch) |",
        "|---|---|---|---|---|---|---|",
    ]
    for side in (40, 200):
        r = result[str(side)]
        lines.append(
            f"| {side} × {side} | {r['rate'] / 1e6:.1f} M | {r['cycles']:.0f} "
            f"| {r['mesa']:,.0f} | {r['mesa_quiet']:,.0f} | {r['ratio']:,.0f} "
            f"| {r['state']:,.0f} + {r['scratch']:,.0f} |"
        )
    lines += [
        "",
        "The ratio is to the faster of the two Mesa runs. Mesa's example is a teaching model: a "
        "tuned Mesa model would be faster.",
        "",
        "Start of the process to the first result, kernels cached: "
        f"{result['start_up']['wall']:.2f} s, of which {result['start_up']['cpu']:.2f} s CPU.",
        "",
        "## Cost against size",
        "",
        "![ns per update against lattice size and number of replicates](streets.svg)",
        "",
        "| lattice | ns per update | bytes |",
        "|---|---|---|",
    ]
    lines += [f"| {s['side']:g}² | {s['ns']:.1f} | {s['bytes']:,.0f} |" for s in result["sizes"]]
    lines += ["", "| replicates at 40² | ns per update |", "|---|---|"]
    lines += [f"| {b['runs']:g} | {b['ns']:.1f} |" for b in result["batches"]]
    lines += ["", "| reading at 40² | ns per update |", "|---|---|"]
    lines += [f"| {name} | {ns:.1f} |" for name, ns in result["readings"].items()]
    lines += ["", LIMIT]
    stored = HISTORY / "streets-parity.json"
    if stored.exists():
        lines += _parity_table(json.loads(stored.read_text(encoding="utf-8")))
    return "\n".join(lines) + "\n"


#: What bounds the kernel; an estimate, with its parts.
LIMIT = """## The limit

What one update of a moving citizen needs, under Mesa's rules at 40 × 40 with everything in the
first cache (an estimate, for a core that sustains about 4.5 operations a cycle):

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

So about 110 million updates a second at 3.7 GHz is the limit for exact random sequential activation
on one core; that is what the cycles in the table above are to be held against. The rest is mostly
addresses: what the compiled code does beyond the table is to load pointers and to keep apart what
a plan may ask for. Beyond the second cache each update waits for a record and for the cells around
it, which random order spreads over the lattice.

What paid, in turn, at 40 × 40: cells as bits and a free cell drawn by rank in place of candidates
and rejection (no second try, no candidate table); four runs abreast, each turn cut into looking
and moving (the table of replicates shows what one run alone takes: a chain of some eighty cycles,
and a load that must wait for the bits just written); addresses in place of arrays (numba counts
references to an array wherever it is handed on); counting cops in sight in place of adding their
footprints; and choices made when compiling (whether agents share cells, whether all in sight is
one group, which comes first, acting or moving).
"""


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parity", type=int, default=0, help="runs of Mesa for the test of law")
    arguments = parser.parse_args()
    for name in warm():
        print(name, flush=True)
    HISTORY.mkdir(exist_ok=True)
    PAGES.mkdir(exist_ok=True)
    if arguments.parity:
        run_parity(arguments.parity)

    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        processor = named[0].split(":", 1)[1].strip() if named else processor
    result: dict[str, Any] = {
        "when": datetime.now(UTC).date().isoformat(),
        "processor": processor,
        "ghz": clock(),
        "start_up": start_up(),
        "load": os.getloadavg()[0],
    }
    for side, runs, ticks, steps in ((40, 20, 100, 4), (200, 2, 20, 1)):
        # The two sides take turns, so that a busy machine is busy for both.
        rounds = []
        for collect in (True, False):
            mine = ours(side, runs=runs, ticks=ticks, repeats=7)
            rounds.append((mine, mesa(side, steps=steps, repeats=4, collect=collect)))
        best = max((mine for mine, _ in rounds), key=lambda mine: mine["rate"])
        peer = max(rate for _, rate in rounds)
        result[str(side)] = {
            **best,
            "mesa": rounds[0][1],
            "mesa_quiet": rounds[1][1],
            "ratio": best["rate"] / peer,
            "cycles": result["ghz"] * 1e9 / best["rate"],
        }
    result["sizes"] = []
    for side in (20, 40, 80, 160, 320, 640, 1000):
        ticks = max(3, min(200, 4_000_000 // side**2))
        r = ours(side, runs=1, ticks=ticks, repeats=5)
        size = r["state"] + r["scratch"]
        result["sizes"].append({"side": side, "ns": 1e9 / r["rate"], "bytes": size})
    result["batches"] = [
        {"runs": runs, "ns": 1e9 / ours(40, runs=runs, ticks=20, repeats=5)["rate"]}
        for runs in (1, 4, 16, 64, 256, 1024)
    ]
    result["readings"] = {
        name: 1e9 / ours(40, runs=20, ticks=50, repeats=5, name=name)["rate"]
        for name in ("raw", "paper", "netlogo", "mesa", "citizens_first")
    }
    plot(result["sizes"], result["batches"], PAGES / "streets.svg")
    text = page(result)
    (PAGES / "streets.md").write_text(text, encoding="utf-8")
    print(text)
    last = {
        "ratio_40": round(result["40"]["ratio"], 1),
        "ratio_200": round(result["200"]["ratio"], 1),
        "updates_per_second_40": round(result["40"]["rate"]),
        "updates_per_second_200": round(result["200"]["rate"]),
        "mesa_40": round(max(result["40"]["mesa"], result["40"]["mesa_quiet"])),
        "mesa_200": round(max(result["200"]["mesa"], result["200"]["mesa_quiet"])),
    }
    with (HISTORY / "streets.jsonl").open("a", encoding="utf-8") as history:
        history.write(
            json.dumps({**last, **{k: result[k] for k in result if k not in last}}) + "\n"
        )
    print(json.dumps(last))


def run_parity(runs: int) -> None:
    """Run the test of law and keep its table."""
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
