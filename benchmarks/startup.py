"""How long ``import foedus`` and ``foedus --help`` take, each in a fresh process.

``python benchmarks/startup.py`` prints a table, and its figures as JSON on the last line. ``--src``
times the sources in another folder in turn with those installed, so that a busy machine slows both
alike.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import foedus

#: The commands, and the seconds that the best time should stay below; None for the interpreter.
COMMANDS: dict[str, tuple[list[str], float | None]] = {
    "python -c pass": (["-c", "pass"], None),
    "import foedus": (["-c", "import foedus"], 0.1),
    "foedus --help": (["-m", "foedus", "--help"], 0.3),
}


def seconds(arguments: list[str], source: Path) -> float:
    """Return the wall time of Python with these arguments on the sources in a folder."""
    environment = os.environ | {"PYTHONPATH": str(source)}
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], env=environment, check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - begin


def measure(sources: list[Path], repeats: int) -> list[dict[str, object]]:
    """Return best and median time of each command on each folder of sources."""
    rows: list[dict[str, object]] = []
    for name, (arguments, goal) in COMMANDS.items():
        for source in sources:
            seconds(arguments, source)  # compiles the modules
        turns = [[seconds(arguments, source) for source in sources] for _ in range(repeats)]
        for source, times in zip(sources, zip(*turns, strict=True), strict=True):
            rows.append(
                {
                    "command": name,
                    "source": str(source),
                    "best_s": round(min(times), 4),
                    "median_s": round(statistics.median(times), 4),
                    "goal_s": goal,
                }
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--src", type=Path, action="append", default=[], metavar="FOLDER")
    options = parser.parse_args()
    installed = Path(foedus.__file__).resolve().parents[1]
    rows = measure([installed, *(path.resolve() for path in options.src)], options.repeats)
    print(f"{'command':<16}{'best':>8}{'median':>9}{'goal':>7}  sources")
    for row in rows:
        goal = "" if row["goal_s"] is None else f"{row['goal_s']} s"
        print(
            f"{row['command']:<16}{row['best_s']:>6.3f} s{row['median_s']:>7.3f} s{goal:>7}"
            f"  {row['source']}"
        )
    print(json.dumps({"python": sys.version.split()[0], "repeats": options.repeats, "rows": rows}))


if __name__ == "__main__":
    main()
