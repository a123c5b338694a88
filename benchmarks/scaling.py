"""Measure how ensembles of the flagship scale, and estimate what 10^8 runs would cost.

    python benchmarks/scaling.py [--quick]

Writes docs/benchmarks/scaling.md (with --quick it prints the page); the last line is JSON. Every
figure is measured in a fresh process with compiled kernels.
"""

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks" / "scaling.md"
CASE = "kazakhstan-2022"

RUN = """
import json, sys, time
from foedus.case.load import load_case
from foedus.ensemble.runner import run
runs, workers, batch, out, cluster = *map(int, sys.argv[1:4]), sys.argv[4], sys.argv[5] or None
case = load_case("kazakhstan-2022")
began = time.perf_counter()
made = run(case, runs=runs, seed=1, workers=workers, batch=batch, out=out, cluster=cluster)
seconds = time.perf_counter() - began
files = [f for f in made.path.rglob("*") if f.is_file()]
print(json.dumps({
    "runs": runs, "workers": workers, "batch": batch, "seconds": round(seconds, 2),
    "bytes_per_run": round(sum(f.stat().st_size for f in files) / runs),
    "files_per_batch": round(sum(f.name.startswith("c.") for f in files) / made.plan.batches, 1),
}))
"""

PARTS = """
import json, statistics, sys, time
from pathlib import Path
import numpy as np
from foedus.case.load import load_case
from foedus.ensemble import pool, runner, store, work
size, repeats = int(sys.argv[1]), int(sys.argv[2])
seen = []
honest = pool.execute
pool.execute = lambda task, *rest: (seen.append(task), honest(task, *rest))
case = load_case("kazakhstan-2022")
runner.run(case, runs=size * repeats, seed=1, workers=1, batch=size, out=sys.argv[3])
task = seen[0]
computing, writing = [], []
for batch in range(repeats):
    began = time.perf_counter()
    arrays = work.simulate(task, np.arange(*task.plan.bounds(batch)))
    middle = time.perf_counter()
    store.write_batch(Path(task.path), task.plan, batch, arrays)
    computing.append(middle - began)
    writing.append(time.perf_counter() - middle)
print(json.dumps({"batch": size, "compute_ms": round(1e3 * statistics.median(computing), 1),
                  "write_ms": round(1e3 * statistics.median(writing), 1)}))
"""

SEND = """
import json, sys, time
count = int(sys.argv[1])
from foedus.ensemble import pool
began = time.perf_counter()
with pool._pool(1) as workers:
    with pool.clean_start():
        workers.submit(abs, 1).result()
    ready = time.perf_counter()
    for _ in range(count):
        workers.submit(abs, 1).result()
    done = time.perf_counter()
found = {"pool": {"start_s": round(ready - began, 2), "task_ms": round(1e3*(done-ready)/count, 2)}}
from foedus.ensemble import cluster
began = time.perf_counter()
with cluster._client("local", 1) as client:
    client.submit(abs, 1, pure=False).result()
    ready = time.perf_counter()
    for _ in range(count):
        client.submit(abs, 1, pure=False).result()
    done = time.perf_counter()
found["dask"] = {"start_s": round(ready - began, 2), "task_ms": round(1e3*(done-ready)/count, 2)}
print(json.dumps(found))
"""

#: Assumptions of the estimate, none of them measured here.
ASSUMED = {
    "runs": 10**8,
    "machines": 100,
    "vcpus": 16,
    "per_vcpu": 0.6,
    "on_demand": 0.045,
    "spot": 0.015,
    "lost": 0.10,
    "shared": 0.30,
    "object": 0.023,
    "batch": 5000,
}


def child(code, *arguments):
    """Run code in a fresh Python and return the JSON that it prints last."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])


def measure(quick):
    runs, batch, repeats, tasks = (400, 50, 2, 20) if quick else (2000, 250, 3, 200)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        child(RUN, 40, 1, 20, folder / "warm.zarr", "")
        one = child(RUN, runs, 1, batch, folder / "one.zarr", "")
        strong = child(RUN, runs, 2, batch, folder / "two.zarr", "")
        weak = child(RUN, 2 * runs, 2, batch, folder / "weak.zarr", "")
        dask = child(RUN, runs, 2, batch, folder / "dask.zarr", "local")
        parts = [child(PARTS, size, repeats, folder / f"{size}.zarr") for size in (100, batch)]
        send = child(SEND, tasks)
    return {
        "one": one, "strong": strong, "weak": weak, "dask": dask, "parts": parts, "send": send
    }  # fmt: skip


def estimate(found):
    """Return the estimate on paper as a dict of figures."""
    a = ASSUMED
    rate = found["one"]["runs"] / found["one"]["seconds"]
    efficiency = min(1.0, found["weak"]["runs"] / found["weak"]["seconds"] / (2 * rate))
    vcpus = a["machines"] * a["vcpus"]
    vcpu_rate = rate * a["per_vcpu"] * efficiency
    vcpu_hours = a["runs"] / vcpu_rate / 3600 * (1 + a["lost"])
    size = found["one"]["bytes_per_run"] * a["runs"] / 1e9
    batches = a["runs"] / a["batch"]
    return {
        "rate": rate,
        "efficiency": efficiency,
        "vcpus": vcpus,
        "vcpu_rate": vcpu_rate,
        "vcpu_hours": vcpu_hours,
        "hours": vcpu_hours / vcpus,
        "spot": vcpu_hours * a["spot"],
        "on_demand": vcpu_hours * a["on_demand"],
        "gb": size,
        "shared": size * a["shared"],
        "object": size * a["object"],
        "batches": batches,
        "files": batches * found["one"]["files_per_batch"],
        "scheduler_minutes": batches * found["send"]["dask"]["task_ms"] / 6e4,
        "mb_per_s": size * 1e3 / (vcpu_hours / vcpus * 3600),
    }


def page(found, command):
    """Return the page of the docs."""
    e, a = estimate(found), ASSUMED
    one, strong, weak, dask = (found[k] for k in ("one", "strong", "weak", "dask"))

    def gain(r):
        return r["runs"] / r["seconds"] / (one["runs"] / one["seconds"])

    def row(name, r, against):
        return (
            f"| {name} | {r['runs']:,} | {r['workers']} | {r['batch']} | {r['seconds']} | "
            f"{r['runs'] / r['seconds']:,.0f} | {gain(r):.2f} of {against} |"
        )

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    lines = [
        "# Ensembles: scaling, storage, and what 10⁸ runs would cost",
        "",
        f"**On two cores the same runs go {gain(strong):.2f} times as fast as on one.** 10⁸ runs "
        f"would take {e['vcpu_hours']:,.0f} vCPU-hours, ${e['spot']:,.0f} on the spot market, and "
        f"fill {e['gb']:,.0f} GB; this second figure is an estimate on paper.",
        "",
        f"Written by `{command}` on {dt.date.today()}: case `{CASE}`, {os.cpu_count()} cores "
        f"({platform.machine()}), Python {platform.python_version()}, load average {load:.1f} at "
        "the end. Wall time includes starting the workers and writing every batch to disk.",
        "",
        "## Weak and strong scaling",
        "",
        "| | runs | workers | batch | seconds | runs/s | speed-up |",
        "|---|---:|---:|---:|---:|---:|---:|",
        row("one worker", one, 1),
        row("strong: the same runs on two", strong, 2),
        row("weak: twice the runs on two", weak, 2),
        row("the same runs on two Dask workers (`--cluster local`)", dask, 2),
        "",
        "## A batch",
        "",
        "| runs | to compute | to write and sync | overhead |",
        "|---:|---:|---:|---:|",
        *(
            f"| {p['batch']} | {p['compute_ms']:,.0f} ms | {p['write_ms']:,.0f} ms | "
            f"{p['write_ms'] / (p['compute_ms'] + p['write_ms']):.1%} |"
            for p in found["parts"]
        ),
        "",
        f"Sending a task and receiving its answer takes {found['send']['pool']['task_ms']} ms with "
        f"local processes and {found['send']['dask']['task_ms']} ms with Dask; starting one worker "
        f"takes {found['send']['pool']['start_s']} s and {found['send']['dask']['start_s']} s.",
        "",
        f"A run takes {one['bytes_per_run']:,} bytes on disk at {one['batch']} runs per batch; a "
        f"batch is {one['files_per_batch']:.0f} files.",
        "",
        "## 10⁸ runs on a public cloud: an estimate on paper",
        "",
        "This part starts from the measured figures above; the rest is assumed. The prices are of",
        "the order of large providers' list prices; use your own.",
        "",
        "| assumption | value |",
        "|---|---:|",
        f"| machines, each with {a['vcpus']} vCPUs | {a['machines']} |",
        f"| speed of a vCPU (half a core) against a core here | {a['per_vcpu']} |",
        f"| work lost when spot machines are taken away | {a['lost']:.0%} |",
        f"| a vCPU-hour on demand | ${a['on_demand']} |",
        f"| a vCPU-hour on the spot market | ${a['spot']} |",
        f"| shared file storage, a GB and month | ${a['shared']} |",
        f"| object storage, a GB and month | ${a['object']} |",
        f"| runs per batch | {a['batch']:,} |",
        "",
        "Time:",
        "",
        f"- a core here makes {one['runs']:,} / {one['seconds']} s = {e['rate']:,.1f} runs/s;",
        f"- a vCPU {e['rate']:,.1f} × {a['per_vcpu']} × {e['efficiency']:.2f} (weak scaling) = "
        f"{e['vcpu_rate']:,.1f} runs/s;",
        f"- {a['runs']:.0e} / {e['vcpu_rate']:,.1f} / 3600 × {1 + a['lost']:.2f} = "
        f"{e['vcpu_hours']:,.0f} vCPU-hours;",
        f"- on {e['vcpus']:,} vCPUs: **{e['hours']:,.1f} hours**.",
        "",
        "Storage:",
        "",
        f"- {one['bytes_per_run']:,} bytes × {a['runs']:.0e} = **{e['gb']:,.0f} GB** in "
        f"{e['batches']:,.0f} batches and {e['files']:,.0f} files, {e['mb_per_s']:,.1f} MB/s.",
        "",
        "Money:",
        "",
        f"- computing {e['vcpu_hours']:,.0f} × ${a['spot']} = **${e['spot']:,.0f}** on the spot "
        f"market, × ${a['on_demand']} = ${e['on_demand']:,.0f} on demand;",
        f"- a month of shared storage {e['gb']:,.0f} × ${a['shared']} = ${e['shared']:,.0f}, of "
        f"object storage × ${a['object']} = ${e['object']:,.0f}.",
        "",
        f"The scheduler handles {e['batches']:,.0f} tasks in {e['scheduler_minutes']:,.1f} minutes",
        "one after another, so it is not the bottleneck. The number of files on the shared disk",
        "may be: a larger `--batch` makes fewer, larger files. Weighing 10⁸ runs keeps about 200",
        "bytes per run in memory (20 GB) and the rest on disk.",
    ]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few runs; prints the page only")
    quick = parser.parse_args().quick
    found = measure(quick)
    text = page(found, "make bench-scaling" if not quick else "benchmarks/scaling.py --quick")
    if quick:
        print(text)
    else:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
