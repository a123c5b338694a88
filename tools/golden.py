"""Write golden stores and answers, or compare two folders of them, number by number.

    .venv/bin/python tools/golden.py write FOLDER      # about eight minutes on two cores
    .venv/bin/python tools/golden.py compare OLD NEW   # exit status 1 if a number differs

For a refactoring that must not change any number: write the answers from the old sources and from
the new, and compare. Every array of every store is compared bit for bit, and every value of every
answer exactly. Sentences are listed separately, since they may be edited.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EARLY = {
    "bahrain-2011": "2011-02-16",
    "kazakhstan-2022": "2022-01-03",
    "kyrgyzstan-2010": "2010-06-10",
    "niger-2023": "2023-07-27",
}
RANGE = {
    "bahrain-2011": "2011-02-15..2011-02-17",
    "kazakhstan-2022": "2022-01-03..2022-01-05",
    "kyrgyzstan-2010": "2010-06-10..2010-06-12",
    "niger-2023": "2023-07-26..2023-07-28",
}
QUESTION = {
    "bahrain-2011": "landed",
    "kazakhstan-2022": "hundred-deaths",
    "kyrgyzstan-2010": "hundred-deaths",
    "niger-2023": "shut",
}
SEEDS = ("1", "2")
RUNS = "200"
#: Keys of values that identify the sources, which differ.
NAMES = {"code", "digest"}
#: Values that are sentences for people, or times and versions.
PROSE = {"advice", "warnings", "reason", "made", "version", "foedus", "source", "command"}


def commands(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the words of each command."""
    for case, early in EARLY.items():
        q = QUESTION[case]
        for seed in SEEDS:
            plain = str(folder / "stores" / f"{case}-{seed}-plain.zarr")
            yield (
                f"{case}-{seed}-run",
                ["run", case, "--runs", RUNS, "--seed", seed, "--out", plain],
            )
            for when in ("main", "early"):
                store = str(folder / "stores" / f"{case}-{seed}-{when}.zarr")
                made = ["--runs", RUNS, "--seed", seed, "--out", store]
                if when == "early":
                    made += ["--as-of", early]
                verbs = {
                    "forecast": [],
                    "explain": ["--pairs", "20"],
                    "watch": [],
                    "watch-q": ["--question", q],
                    "diagnose": [],
                    "sensitivity": ["--pairs", "20"],
                    "discover": ["--question", q],
                    "discover-before": ["--question", q, "--before", "--chance"],
                    "discover-tree": ["--question", q, "--before", "--method", "tree"],
                    "score": [],
                }
                for verb, more in verbs.items():
                    words = [verb.split("-")[0], case, *made, *more, "--json"]
                    yield f"{case}-{seed}-{when}-{verb}", words
        folder_of_days = str(folder / "stores" / f"{case}-days")
        days = ["--as-of", RANGE[case], "--runs", RUNS, "--out", folder_of_days, "--json"]
        yield f"{case}-days", ["forecast", case, *days]
        yield f"{case}-days-score", ["score", case, *days]
    many = str(folder / "stores" / "many.zarr")
    made = ["--runs", "2000", "--as-of", "2022-01-04", "--out", many, "--json"]
    for verb, more in {
        "forecast": [],
        "explain": ["--pairs", "60"],
        "watch": [],
        "diagnose": [],
        "sensitivity": ["--pairs", "60"],
        "discover": ["--question", "landed"],
        "score": [],
    }.items():
        yield f"many-{verb}", [verb, "kazakhstan-2022", *made, *more]
    sobol = ["--design", "sobol", "--runs", "480", "--out", str(folder / "stores" / "sobol.zarr")]
    yield "sobol", ["sensitivity", "kazakhstan-2022", *sobol, "--json"]
    yield "casebook-list", ["casebook", "list", "--json"]
    for row in ("KAZ2022", "BHR2011"):
        yield f"casebook-show-{row}", ["casebook", "show", row, "--json"]
        yield f"casebook-compare-{row}", ["casebook", "compare", row, "--json"]
        yield f"casebook-base-rate-{row}", ["casebook", "base-rate", row, "--json"]
    rate = ["--trigger", "domestic_protest", "--organisation", "CSTO", "--year", "2022", "--json"]
    yield "casebook-base-rate", ["casebook", "base-rate", *rate]


def write(folder: Path) -> None:
    """Write all answers and stores, and hashes of all arrays."""
    from foedus.cli import main

    answers = folder / "answers"
    answers.mkdir(parents=True, exist_ok=True)
    for name, words in commands(folder):
        if (answers / f"{name}.json").is_file():
            continue  # left by an earlier call that was stopped
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(words)
        lines = [line for line in err.getvalue().splitlines() if line.startswith("foedus:")]
        text = json.dumps({"status": status, "error": lines, "out": out.getvalue()}, indent=1)
        (answers / f"{name}.json").write_text(text, encoding="utf-8")
        print(name, status, flush=True)
    hashes = {}
    for store in sorted((folder / "stores").rglob("zarr.json")):
        if 'node_type": "group' in store.read_text() or '"group"' in store.read_text():
            hashes.update(_arrays(store.parent, folder / "stores"))
    (folder / "arrays.json").write_text(json.dumps(hashes, indent=1), encoding="utf-8")


def _arrays(store: Path, root: Path) -> dict[str, str]:
    import numpy as np
    import zarr

    out = {}
    group = zarr.open_group(store, mode="r")
    for name, array in group.arrays():
        data = np.asarray(array[...])
        digest = hashlib.sha256(data.tobytes() if data.dtype != object else repr(data).encode())
        # A store of a day is named by its plan, which identifies the sources.
        where = re.sub(r"_[0-9a-f]{8}\.zarr", ".zarr", str(store.relative_to(root)))
        key = f"{where}/{name} {data.dtype} {data.shape}"
        out[key] = digest.hexdigest()
    return out


def differences(old: Any, new: Any, at: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the places in which two plain values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from differences(old.get(key, "absent"), new.get(key, "absent"), f"{at}.{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from differences(a, b, f"{at}[{i}]")
    elif old != new and not (old != old and new != new):
        yield at, old, new


def _prose(at: str, old: Any, new: Any) -> bool:
    if PROSE & {part.split("[")[0] for part in at.split(".")}:
        return True
    return isinstance(old, str) and isinstance(new, str) and " " in old and " " in new


def _answer(path: Path) -> Any:
    data = json.loads(path.read_text(encoding="utf-8"))
    with contextlib.suppress(ValueError):
        data["out"] = json.loads(data["out"])
    return data


def compare(old: Path, new: Path) -> int:
    """Print what differs between two folders; return 1 if a number does."""
    a, b = (json.loads((f / "arrays.json").read_text(encoding="utf-8")) for f in (old, new))
    wrong = [(k, a.get(k), b.get(k)) for k in sorted({*a, *b}) if a.get(k) != b.get(k)]
    for key, x, y in wrong:
        print(f"ARRAY {key}: {x} {y}")
    numbers = values = sentences = 0
    for path in sorted((old / "answers").glob("*.json")):
        other = new / "answers" / path.name
        if not other.is_file():
            print(f"ANSWER {path.name}: absent")
            numbers += 1
            continue
        values += 1
        for at, x, y in differences(_answer(path), _answer(other)):
            if str(old) in str(x) or at.rsplit(".", 1)[-1] in NAMES:
                continue
            if _prose(at, x, y):
                sentences += 1
                print(f"words {path.name}{at}: {str(x)[:160]!r} -> {str(y)[:160]!r}")
            else:
                numbers += 1
                print(f"VALUE {path.name}{at}: {str(x)[:200]} -> {str(y)[:200]}")
    print(
        f"{len(a)} arrays, {len(wrong)} differ; {values} answers, {numbers} values differ, "
        f"{sentences} sentences were edited"
    )
    return int(bool(wrong or numbers))


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]))
    else:
        sys.exit(compare(Path(sys.argv[2]), Path(sys.argv[3])))
