"""Checks of arguments. Each error names the argument, its value and the allowed values."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

MAX_RUNS = 2**32
MAX_TICKS = 2**40
MAX_THREADS = 1024


def shown(value: object) -> str:
    """Return a value, shortened for an error message."""
    return reprlib.repr(value)


def number(name: str, value: object, low: float, high: float, *, whole: bool = False) -> float:
    """Return a number as a float, or as an int if it must be whole.

    Python and numpy numbers are accepted; booleans, text and arrays are not.

    Raises
    ------
    ValueError
        If it is not a number from ``low`` to ``high``.
    """
    kinds = (int, np.integer) if whole else (int, float, np.integer, np.floating)
    if isinstance(value, kinds) and not isinstance(value, bool):
        plain: float = value.item() if isinstance(value, np.generic) else value
        if low <= plain <= high:
            return plain
    if whole:
        raise ValueError(f"{name} must be a whole number from {low} to {high}, not {shown(value)}")
    raise ValueError(f"{name} must be a number from {low:g} to {high:g}, not {shown(value)}")


def whole(name: str, value: object, low: int, high: int) -> int:
    """Return a whole number as an int; see :func:`number`."""
    return int(number(name, value, low, high, whole=True))


def array(
    name: str, value: ArrayLike, low: float, high: float, *, whole: bool = False
) -> FloatArray:
    """Return numbers as an array of any shape.

    Raises
    ------
    ValueError
        If one is not a number, outside ``low`` to ``high``, or not whole where it must be.
    """
    try:
        given = np.asarray(value)
    except ValueError:  # lists of several lengths
        given = np.empty((), dtype=object)
    if given.size and given.dtype.kind not in "iuf":
        raise ValueError(f"{name} must be numbers, not {shown(value)}")
    values = given.astype(np.float64)
    bad = ~((values >= low) & (values <= high))
    kind = f"from {low:g} to {high:g}"
    if whole and not bad.any():
        bad, kind = values != np.round(values), "whole numbers"
    if bad.any():
        place = f" at {tuple(int(i) for i in np.argwhere(bad)[0])}" if values.ndim else ""
        raise ValueError(f"{name} must be {kind}, not {values[bad][0]}{place}")
    return values


def flag(name: str, value: object) -> bool:
    """Return a boolean.

    Raises
    ------
    ValueError
        If it is not one.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be True or False, not {shown(value)}")
    return value


def instance(name: str, value: object, kind: type[Any]) -> None:
    """Check that a value is an instance of a class.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not isinstance(value, kind):
        raise ValueError(f"{name} must be a {kind.__name__}, not {shown(value)}")


def fits(names: str, size: int) -> None:
    """Check that arrays of ``size`` bytes fit in the machine's memory.

    Raises
    ------
    ValueError
        If they do not.
    """
    there = memory()
    if size > there:
        raise ValueError(
            f"{names} ask for arrays of {size:,} bytes; this machine's memory has {there:,}; "
            "ask for fewer at once"
        )


def memory() -> int:
    """Return the machine's memory in bytes, or 64 GiB if unknown."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 2**36


# -- batches of runs -------------------------------------------------------------------------------


def run_numbers(runs: int, ticks: int, first_run: int) -> tuple[int, int, int]:
    """Return the numbers of the runs, the number of runs and the number of ticks, checked."""
    runs = whole("runs", runs, 1, MAX_RUNS)
    return (
        runs,
        whole("ticks", ticks, 1, MAX_TICKS),
        whole("first_run", first_run, 0, MAX_RUNS - runs),
    )


def schedule(
    name: str,
    value: Callable[[int], float] | ArrayLike | None,
    runs: int,
    ticks: int,
    high: float,
    *,
    whole: bool = False,
) -> FloatArray | None:
    """Return a function of the tick, or an array, as values at each tick, shape (run, tick).

    Raises
    ------
    ValueError
        If a value is not a number from 0 to ``high``, or the shape is another.
    """
    if value is None:
        return None
    if callable(value):
        value = [number(name, value(tick), 0, high, whole=whole) for tick in range(ticks)]
    values = array(name, value, 0, high, whole=whole)
    if values.shape not in ((), (ticks,), (runs, ticks)):
        raise ValueError(
            f"{name} must be a function of the tick or of shape ({ticks},) or ({runs}, {ticks}), "
            f"not shape {values.shape}"
        )
    return np.array(np.broadcast_to(values, (runs, ticks)), order="C")


def share(work: Callable[[slice], None], n: int, threads: int) -> None:
    """Do ``work`` on slices of the runs in several threads; the kernels release the GIL."""
    threads = whole("threads", threads, 1, MAX_THREADS)
    if threads == 1 or n < 2:
        work(slice(0, n))
        return
    step = max(1, -(-n // (4 * threads)))
    parts = [slice(i, min(i + step, n)) for i in range(0, n, step)]
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, part) for part in parts]:
            done.result()
