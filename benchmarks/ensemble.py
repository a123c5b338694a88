"""Measure ensembles of the flagship: runs per second, peak memory, cold start.

    python benchmarks/ensemble.py [--quick]

Writes docs/benchmarks/ensemble.md; the last line printed is JSON. Every figure is measured in a
fresh process. Peak memory is the parent's plus the largest worker's times the number of workers.
"""

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks" / "ensemble.md"
CASE = "kazakhstan-2022"
AS_OF = "2022-01-07"

CHILD = """
import json, resource, sys, time
from foedus.case.load import load_case
from foedus.ensemble.runner import run
runs, workers, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
case = load_case(sys.argv[4])
began = time.perf_counter()
made = run(case, runs=runs, seed=1, workers=workers, batch=int(sys.argv[5]) or None, out=out)
seconds = time.perf_counter() - began
own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss if workers > 1 else 0
size = sum(f.stat().st_size for f in made.path.rglob("*") if f.is_file())
print(json.dumps({
    "runs": runs, "workers": workers, "batch": made.plan.batch, "seconds": round(seconds, 2),
    "runs_per_second": round(runs / seconds, 1),
    "peak_mib": round((own + workers * child) / 1024), "parent_mib": round(own / 1024),
    "worker_mib": round(child / 1024), "bytes_per_run": round(size / runs),
}))
"""

READ = """
import json, resource, sys, time
from foedus.ensemble.ensemble import open_ensemble
began = time.perf_counter()
ensemble = open_ensemble(sys.argv[1])
ensemble.verify()
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": round(seconds, 2), "peak_mib": round(peak / 1024)}))
"""


def child(code, *arguments):
    """Run code in a fresh Python and return the JSON that it prints last."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def cold_forecast(folder, runs):
    """Return the seconds of a first forecast with nothing compiled, and of a second one."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "numba")}
    seconds = []
    for number in (1, 2):
        command = [sys.executable, "-m", "foedus", "forecast", CASE, "--as-of", AS_OF,
                   "--runs", str(runs), "--out", str(folder / f"cold{number}.zarr")]  # fmt: skip
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder,
                              check=False)  # fmt: skip
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            return None
        seconds.append(round(time.perf_counter() - began, 1))
    return seconds


def measure(quick):
    workers = os.cpu_count() or 1
    sizes = (200, 400) if quick else (1_000, 10_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        child(CHILD, 10, 1, folder / "warm.zarr", CASE, 0)  # kernels compiled into the cache
        plan = [(runs, w, 0) for runs in sizes for w in sorted({1, workers})]
        plan = [p for p in plan if p[0] < 10_000 or p[1] == workers]
        plan += [(sizes[0], workers, b) for b in (100, 250, 1000)]
        rows = []
        for runs, w, batch in plan:
            out = folder / f"{runs}-{w}-{batch}.zarr"
            rows.append(child(CHILD, runs, w, out, CASE, batch))
            print(json.dumps(rows[-1]), flush=True)
        read = child(READ, folder / f"{sizes[-1]}-{workers}-0.zarr")
        cold = cold_forecast(folder, sizes[0])
    return {"runs": rows, "verify": read, "cold_forecast_s": cold, "forecast_runs": sizes[0]}


def page(found):
    """Return the page of the docs."""
    versions = ", ".join(f"{n} {metadata.version(n)}" for n in ("numpy", "numba", "zarr", "xarray"))
    most = max(found["runs"], key=lambda r: r["runs"])
    lines = [
        "# Ensembles: speed and memory",
        "",
        f"**{most['runs']:,} runs of `{CASE}` took {most['seconds']} s on {most['workers']} "
        f"workers, {most['runs_per_second']:,.0f} runs a second.**",
        "",
        f"Written by `python benchmarks/ensemble.py` on {dt.date.today()}: case `{CASE}`,",
        f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, "
        f"{versions}.",
        "Wall time includes starting the workers and writing every batch to disk. Peak memory is",
        "the parent's plus the largest worker's times the number of workers.",
        "",
        "| runs | workers | batch | seconds | runs/s | peak MiB | parent MiB | bytes per run |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for r in found["runs"]:
        lines.append(
            f"| {r['runs']:,} | {r['workers']} | {r['batch']} | {r['seconds']} | "
            f"{r['runs_per_second']:,.0f} | {r['peak_mib']:,} | {r['parent_mib']:,} | "
            f"{r['bytes_per_run']:,} |"
        )
    read = found["verify"]
    lines += [
        "",
        f"Checking the largest store against its checksums took {read['seconds']} s and "
        f"{read['peak_mib']} MiB.",
    ]
    if found["cold_forecast_s"]:
        first, second = found["cold_forecast_s"]
        lines += [
            "",
            f"`foedus forecast {CASE} --as-of {AS_OF} --runs {found['forecast_runs']}` took "
            f"{first} s from a cold start (nothing compiled) and {second} s the next time, on a "
            "new store.",
        ]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few runs; writes no page")
    quick = parser.parse_args().quick
    found = measure(quick)
    if not quick:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page(found), encoding="utf-8")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
