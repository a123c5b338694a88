"""Compiled kernels: one per kind of lattice, warmed, and never from outdated source."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

import foedus
from foedus.case import load_case, shipped
from foedus.streets import READINGS, StreetOptions, advance, create, reading, warm
from foedus.world.lattice import kernel, machine, two_groups
from foedus.world.lattice.model import LARGE, SMALL, _lattice, variants
from foedus.world.mechanisms import streets as unrest


def plan_type(options: StreetOptions) -> Any:
    return numba.typeof(_lattice(options).plan)


def test_warm_compiles_what_any_reading_needs() -> None:
    warmed = [plan_type(options) for _, options in variants(READINGS, (SMALL, LARGE))]
    assert len(set(warmed)) == len(warmed) == 6
    for name in READINGS:
        for width in (20, 40, 41, 42, 200):
            assert plan_type(reading(name, width=width, height=20)) in warmed
    assert plan_type(StreetOptions()) in warmed
    before = len(kernel.advance.overloads)
    labels = list(warm())
    assert len(labels) == len(set(labels)) == 7
    after = len(kernel.advance.overloads)
    assert after <= before + 6
    for name in READINGS:
        for width in (20, 42):
            options = reading(name, width=width, height=20, legitimacy=0.5)
            state = create(options, seed=1, runs=range(3))
            advance(state, options=options, seed=1, runs=range(3), day=0, ticks=2)
    assert len(kernel.advance.overloads) == after


def test_the_page_warms_what_shipped_cases_need() -> None:
    warmed = {plan_type(options) for _, options in variants(unrest.READINGS, [SMALL])}
    assert len(warmed) == 2
    for name in shipped():
        for place in load_case(name).places.values():
            for of in unrest.READINGS:
                assert plan_type(unrest._options(of, place.lattice)) in warmed


def test_one_kernel_however_arguments_are_given() -> None:
    """One value for all runs or one for each, one run or more, of any integer type."""
    options = reading("paper", width=20, height=20)
    kernels = (kernel.create, kernel.misplaced, kernel.advance)

    def go(runs: Any, **more: Any) -> list[int]:
        seed: Any = np.int8(1)
        state = create(options, seed=seed, runs=runs, city=more.get("city", 0))
        address = {"seed": np.int8(1), "day": np.int32(3), "ticks": np.int64(2), **more}
        advance(state, options=options, runs=runs, **address)
        return [len(k.overloads) for k in kernels]

    once = go([1, 2])
    fixed = np.array([0.5])
    fixed.flags.writeable = False
    assert go(np.array([7], dtype=np.uint16), city=np.int32(2), legitimacy=0.5) == once
    assert go([1], k=fixed, legitimacy=fixed, cops=[3], jail_aversion=0.1) == once
    assert go([1, 2], legitimacy=np.float32(0.5), cops=np.full((2, 2), 9, np.int8).T) == once
    assert len(kernel.create.overloads) == 1


# -- text that is changed ------------------------------------------------------------------------


def called(function: Any, found: set[str]) -> Iterator[str]:
    """Yield the modules of all compiled functions and intrinsics that a function calls."""
    python = getattr(function, "py_func", None) or getattr(function, "_defn", None)
    if python is None or repr(python) in found:
        return
    found.add(repr(python))
    yield python.__module__
    for name in python.__code__.co_names:
        yield from called(python.__globals__.get(name), found)


def test_all_text_that_is_compiled_counts() -> None:
    for module, names in (
        (kernel, {"advance", "create", "misplaced"}),
        (two_groups, {"advance_two"}),
    ):
        dispatchers = [d for d in vars(module).values() if isinstance(d, Dispatcher)]
        own = [d for d in dispatchers if d.py_func.__module__ == module.__name__]
        kept = {d.py_func.__name__: d for d in own if d._cache.cache_path}
        assert set(kept) == names
        counted = set(machine.compiled_sources(module.__name__))
        assert {f"foedus.world.lattice.{name}" for name in ("machine", "streams")} <= counted
        for one in kept.values():
            assert set(called(one, set())) <= counted
            assert one.py_func.__defaults__ == (machine.source_digest(module.__name__),)


SCRIPT = """
from foedus.streets import create, reading
from foedus.world.lattice import kernel
state = create(reading("paper", width=15, height=15), seed=1, runs=[0])
counts = kernel.create.stats
print(sum(counts.cache_hits.values()), sum(counts.cache_misses.values()), state.records.sum())
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    source = Path(foedus.__file__).parent
    shutil.copytree(source, tmp_path / "foedus", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def start(package: Path) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(package), "NUMBA_CACHE_DIR": str(package / "cache")}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT], env=env, cwd=package, stdout=subprocess.PIPE, text=True
    )


def result(process: subprocess.Popen[str]) -> tuple[int, int, int]:
    told, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    hits, misses, records = told.split()
    return int(hits), int(misses), int(records)


def test_a_changed_helper_is_compiled_anew(package: Path) -> None:
    """The change is not in the kernel's file, but in one whose functions are compiled into it."""
    both = [start(package), start(package)]  # at once
    first = {result(process)[2] for process in both}
    assert len(first) == 1
    assert result(start(package)) == (1, 0, *first)
    helper = package / "foedus" / "world" / "lattice" / "streams.py"
    text = helper.read_text()
    stamp = helper.stat()
    helper.write_text(text.replace("U(45)", "U(44)").replace("U(19)", "U(20)"))
    os.utime(helper, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    hits, misses, records = result(start(package))
    assert (hits, misses) == (0, 1)
    assert {records} != first
    helper.write_text(text)
    assert result(start(package)) == (1, 0, *first)
