"""What each machine-level part of the street kernel gains: speed with it and without it.

For each part a separate process puts a plain version in its place before the kernel is compiled,
and checks that the runs are the same bit for bit. All are then timed in turn, so that a busy
machine slows all alike. Run it as ``python benchmarks/kernel_parts.py``; it writes the table
of ``docs/explanation/kernel.md``. It takes some ten minutes, most of them compiling.
"""

from __future__ import annotations

import hashlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numba
import numpy as np

PAGE = Path(__file__).resolve().parents[1] / "docs" / "explanation" / "kernel.md"
BEGIN, END = "<!-- table: benchmarks/kernel_parts.py -->", "<!-- end of table -->"
ROUNDS = 15
#: Side, runs and ticks; the first fits in the first-level cache, the second does not fit in the
#: second.
LATTICES = ((40, 20, 50), (200, 2, 8))
#: The parts, in the order of the table.
PARTS = {
    "none": "all of them",
    "memory": "`peek`, `poke`: memory by address",
    "prefetch": "`prefetch`: a record fetched before its turn",
    "multiply_high": "`multiply_high`: the high half of a product",
    "nth_one": "`nth_one`: set bit number n, by one instruction",
    "is_wide": "`is_wide`: choices made when compiling",
    "count_windows": "`count_windows`: cells in sight, as a vector",
    "sum_windows": "`sum_windows`: free cells by row, as a vector",
    "draw_eight": "`draw_eight`: eight generators at once",
    "forceinline": "`forceinline`: helpers inlined whatever their size",
    "abreast": "several runs interleaved",
}
U = np.uint64


def replace(part: str) -> None:
    """Put a plain version in the place of a part; call before the kernel is compiled."""
    from numba import njit

    if part == "forceinline":
        numba.njit = lambda *given, forceinline=False, **more: njit(*given, **more)
    from foedus.world.lattice import bitplanes, kernel, machine, streams

    plain = {**_words(machine), **_vectors(machine)}
    wanted = _memory() if part == "memory" else {part: plain[part]} if part in plain else {}
    # Each file has imported the names; they are looked up when the kernel is compiled.
    for name, function in wanted.items():
        for module in (machine, streams, bitplanes, kernel):
            if hasattr(module, name):
                setattr(module, name, function)


def _words(machine: Any) -> dict[str, Any]:
    """Return plain versions of the operations on single words."""
    from numba import njit

    @njit(forceinline=True)
    def nothing(address):  # type: ignore[no-untyped-def]
        pass

    @njit(forceinline=True)
    def multiply_high(a, b):  # type: ignore[no-untyped-def]
        low, half = U(0xFFFFFFFF), U(32)
        a0, a1, b0, b1 = U(a) & low, U(a) >> half, U(b) & low, U(b) >> half
        middle = a1 * b0 + ((a0 * b0) >> half)
        return a1 * b1 + (middle >> half) + ((a0 * b1 + (middle & low)) >> half)

    @njit(forceinline=True)
    def is_set(choice):  # type: ignore[no-untyped-def]
        return choice > 0

    return {
        "prefetch": nothing,
        "multiply_high": multiply_high,
        "is_wide": is_set,
        "nth_one": njit(machine._nth_one_by_loop, forceinline=True),
    }


def _vectors(machine: Any) -> dict[str, Any]:
    """Return loops for the operations on vectors; the compiler may vectorise them itself."""
    from numba import njit

    peek, poke, count_ones, short = machine.peek, machine.poke, machine.count_ones, np.uint16(0)

    @njit(forceinline=True)
    def count_windows(words, i, shift, masks, j, turned):  # type: ignore[no-untyped-def]
        total = U(0)
        for w in range(U(16)):
            window = (peek(words, i + w, U(0)) >> shift) ^ turned
            total += count_ones(window & peek(masks, j + w, short))
        return total

    @njit(forceinline=True)
    def sum_windows(words, i, shift, masks, j, turned):  # type: ignore[no-untyped-def]
        low, high, so_far = U(0), U(0), U(0)
        for w in range(U(8)):
            window = (peek(words, i + w, U(0)) >> shift) ^ turned
            so_far += count_ones(window & peek(masks, j + w, short))
            low |= so_far << (w << U(3))
        so_far = U(0)
        for w in range(U(8)):
            window = (peek(words, i + w + U(8), U(0)) >> shift) ^ turned
            so_far += count_ones(window & peek(masks, j + w + U(8), short))
            high |= so_far << (w << U(3))
        return low, high

    @njit(forceinline=True)
    def draw_eight(state, i, out, j):  # type: ignore[no-untyped-def]
        for g in range(U(8)):
            at = i + g
            s0, s1 = peek(state, at, U(0)), peek(state, at + U(8), U(0))
            s2, s3 = peek(state, at + U(16), U(0)), peek(state, at + U(24), U(0))
            a = s0 + s3
            poke(out, j + g, ((a << U(23)) | (a >> U(41))) + s0, U(0))
            t = s1 << U(17)
            s2 ^= s0
            s3 ^= s1
            poke(state, at + U(8), s1 ^ s2, U(0))
            poke(state, at, s0 ^ s3, U(0))
            poke(state, at + U(16), s2 ^ t, U(0))
            poke(state, at + U(24), (s3 << U(45)) | (s3 >> U(19)), U(0))

    return {"count_windows": count_windows, "sum_windows": sum_windows, "draw_eight": draw_eight}


def _memory() -> dict[str, Any]:
    """Return readers and writers through numba's own arrays from an address, ``carray``."""
    from llvmlite import ir
    from numba import carray, njit, types
    from numba.extending import intrinsic, overload

    @intrinsic
    def pointer(typingctx: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], ir.IntType(8).as_pointer())

        return types.voidptr(types.uint64), codegen

    # numba compares the signatures with those of what they return: no annotations here.
    def read(address, i, like): ...  # type: ignore[no-untyped-def]
    def write(address, i, value, like): ...  # type: ignore[no-untyped-def]

    @overload(read)
    def _read(address, i, like):  # type: ignore[no-untyped-def]
        dtype = numba.np.numpy_support.as_dtype(like)
        return lambda address, i, like: U(carray(pointer(address), (1 << 40,), dtype)[i])

    @overload(write)
    def _write(address, i, value, like):  # type: ignore[no-untyped-def]
        dtype = numba.np.numpy_support.as_dtype(like)

        def run(address, i, value, like):  # type: ignore[no-untyped-def]
            carray(pointer(address), (1 << 40,), dtype)[i] = value

        return run

    @njit(forceinline=True)
    def peek(address, i, like):  # type: ignore[no-untyped-def]
        return read(address, i, like)

    @njit(forceinline=True)
    def poke(address, i, value, like):  # type: ignore[no-untyped-def]
        write(address, i, value, like)

    return {"peek": peek, "poke": poke}


def child(part: str) -> None:
    """Compile without a part; print the digest of the runs, then a time for each line read."""
    replace(part)
    from foedus.streets import advance, create, reading
    from foedus.world.lattice import kernel

    if part == "abreast":
        kernel.INTERLEAVE.clear()
    works: list[Callable[[], float]] = []
    digest = hashlib.sha256()
    for side, runs, ticks in LATTICES:
        options = reading("mesa", width=side, height=side, cop_density=0.074, legitimacy=0.8)
        numbers = np.arange(runs)
        start = create(options, seed=1, runs=numbers)

        def work(start: Any = start, numbers: Any = numbers, options: Any = options,
                 ticks: int = ticks) -> Any:  # fmt: skip
            state = start.copy()
            began = time.process_time()
            advance(state, options=options, seed=1, runs=numbers, day=0, ticks=ticks)
            return state, time.process_time() - began

        digest.update(work()[0].records.tobytes())
        works.append(lambda work=work: min(work()[1] for _ in range(6)))
    print(digest.hexdigest(), flush=True)
    for _ in sys.stdin:
        print(*(work() for work in works), flush=True)


def measure(parts: list[str]) -> dict[str, list[float]]:
    """Return, by part, the time without it over the time with all, one ratio per lattice."""
    children: dict[str, subprocess.Popen[str]] = {}

    def begin(part: str) -> str:
        """Start a process; return the digest of its runs once it has compiled."""
        env = {**os.environ, "NUMBA_CACHE_DIR": str(Path(folder) / part)}
        children[part] = subprocess.Popen(
            [sys.executable, __file__, part], env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        return _line(children[part])

    times: dict[str, list[list[float]]] = {part: [] for part in parts}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        try:
            digests = dict(zip(parts, pool.map(begin, parts), strict=True))
            assert len(set(digests.values())) == 1, f"not the same runs: {digests}"
            for _ in range(ROUNDS):
                for part in parts:
                    given = children[part].stdin
                    assert given is not None
                    given.write("\n")
                    given.flush()
                    times[part].append([float(x) for x in _line(children[part]).split()])
        finally:
            for process in children.values():
                process.kill()
    return {
        part: [
            statistics.median(
                row[i] / first[i] for row, first in zip(rows, times["none"], strict=True)
            )
            for i in range(len(LATTICES))
        ]
        for part, rows in times.items()
    }


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line, "a process ended"
    return line


def table(ratios: dict[str, list[float]]) -> str:
    """Return the table of the page."""
    heads = " | ".join(f"time without it, {side} × {side}" for side, _, _ in LATTICES)
    lines = [f"| part | {heads} |", "|---|" + "---|" * len(LATTICES)]
    for part, values in ratios.items():
        if part != "none":
            cells = " | ".join(f"{100 * (value - 1):+.0f} %" for value in values)
            lines.append(f"| {PARTS[part]} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    if len(sys.argv) > 1:
        child(sys.argv[1])
        return
    text = table(measure(list(PARTS)))
    print(text)
    if PAGE.exists():
        page = PAGE.read_text(encoding="utf-8")
        pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
        PAGE.write_text(pattern.sub(f"{BEGIN}\n{text}\n{END}", page), encoding="utf-8")


if __name__ == "__main__":
    main()
