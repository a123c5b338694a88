"""Machine operations that numba does not offer, each with its meaning in plain Python.

Arrays are passed as the address of their first item. Numba counts references to an array whenever
it is passed on or taken out of a tuple, which in the loop over agents costs twenty times the work
itself; an address is just a number. The caller must keep the array alive.

All operations but one are generic LLVM, so they compile on any machine on which numba runs.
Selecting a set bit uses one x86 instruction where it exists and a loop elsewhere, with the same
result.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from llvmlite import binding, ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic

_I64 = ir.IntType(64)
_u = np.uint64


def _address(builder: Any, base: Any, index: Any, item: Any, size: int) -> Any:
    """Return a pointer to the item ``size * index`` bytes after an address."""
    offset = builder.mul(index, ir.Constant(_I64, size))
    return builder.inttoptr(builder.add(base, offset), item.as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def peek(typingctx: Any, address: Any, i: Any, like: Any) -> Any:
    """Return item ``i`` of the array at an address, of the integer type of ``like``, as uint64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        size = signature.args[2].bitwidth // 8
        item = ir.IntType(8 * size)
        value = builder.load(_address(builder, args[0], args[1], item, size), align=size, typ=item)
        return builder.zext(value, _I64) if size < 8 else value

    return types.uint64(types.uint64, types.uint64, like), codegen


@intrinsic  # type: ignore[untyped-decorator]
def poke(typingctx: Any, address: Any, i: Any, value: Any, like: Any) -> Any:
    """Write item ``i`` of the array at an address, of the integer type of ``like``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        size = signature.args[3].bitwidth // 8
        item = ir.IntType(8 * size)
        low = builder.trunc(args[2], item) if size < 8 else args[2]
        builder.store(low, _address(builder, args[0], args[1], item, size), align=size)
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint64, types.uint64, like), codegen


@intrinsic  # type: ignore[untyped-decorator]
def peek_float(typingctx: Any, address: Any, i: Any) -> Any:
    """Return item ``i`` of the float32 array at an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        item = ir.FloatType()
        return builder.load(_address(builder, args[0], args[1], item, 4), align=4, typ=item)

    return types.float32(types.uint64, types.uint64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(typingctx: Any, address: Any) -> Any:
    """Bring the data at an address into the cache: a hint that never changes a result."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        i32, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer, i32, i32, i32])
        hint = builder.module.declare_intrinsic("llvm.prefetch.p0i8", (), kind)
        # To read, to keep in all caches, data.
        flags = [ir.Constant(i32, n) for n in (0, 3, 1)]
        builder.call(hint, [builder.inttoptr(args[0], pointer), *flags])
        return context.get_dummy_value()

    return types.void(types.uint64), codegen


def _spread(builder: Any, value: Any, vector: Any) -> Any:
    """Return a vector with the same value in every lane."""
    empty = ir.Constant(vector, ir.Undefined)
    i32 = ir.IntType(32)
    one = builder.insert_element(empty, value, ir.Constant(i32, 0))
    lanes = ir.Constant(ir.VectorType(i32, vector.count), [0] * vector.count)
    return builder.shuffle_vector(one, empty, lanes)


@intrinsic  # type: ignore[untyped-decorator]
def multiply_high(typingctx: Any, a: Any, b: Any) -> Any:
    """Return ``(a * b) >> 64`` of two uint64: a draw from 0..b-1 for a random word ``a``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), _I64)

    return types.uint64(types.uint64, types.uint64), codegen


@njit(forceinline=True)
def count_ones(a):  # type: ignore[no-untyped-def]
    """Return the number of set bits of a uint64: sums within bytes, a pattern that LLVM knows."""
    a = a - ((a >> _u(1)) & _u(0x5555555555555555))
    a = (a & _u(0x3333333333333333)) + ((a >> _u(2)) & _u(0x3333333333333333))
    return (((a + (a >> _u(4))) & _u(0x0F0F0F0F0F0F0F0F)) * _u(0x0101010101010101)) >> _u(56)


@njit(forceinline=True)
def trailing_zeros(a):  # type: ignore[no-untyped-def]
    """Return the position of the lowest set bit of a uint64 that is not 0."""
    return count_ones((a & (~a + _u(1))) - _u(1))


@intrinsic  # type: ignore[untyped-decorator]
def _deposit(typingctx: Any, a: Any, mask: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_I64, [_I64, _I64])
        name = "llvm.x86.bmi.pdep.64"
        return builder.call(builder.module.declare_intrinsic(name, (), kind), args)

    return types.uint64(types.uint64, types.uint64), codegen


def _nth_one_by_instruction(word, n):  # type: ignore[no-untyped-def]
    return trailing_zeros(_deposit(types.uint64(1) << n, word))


def _nth_one_by_loop(word, n):  # type: ignore[no-untyped-def]
    while n > types.uint64(0):
        word &= word - types.uint64(1)
        n -= types.uint64(1)
    return trailing_zeros(word)


def _nth_one() -> Callable[..., Any]:
    """Return a function of (word, n): the position of set bit number n, the lowest being 0."""
    fast = binding.get_host_cpu_features().get("bmi2", False)
    return _nth_one_by_instruction if fast else _nth_one_by_loop


nth_one = njit(_nth_one(), forceinline=True)


@intrinsic  # type: ignore[untyped-decorator]
def is_wide(typingctx: Any, like: Any) -> Any:
    """Return whether an integer type has more than 8 bits; decided at compile time."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return ir.Constant(ir.IntType(1), int(signature.args[0].bitwidth > 8))

    return types.boolean(like), codegen


def _windows(builder: Any, args: Any) -> Any:
    """Return ``words[i+w] >> shift ^ flip & masks[j+w]`` for w from 0 to 15, 16 bits each."""
    words, i, shift, masks, j, turned = args
    wide, narrow = (ir.VectorType(ir.IntType(n), 16) for n in (64, 16))
    word = builder.load(_address(builder, words, i, wide, 8), align=8, typ=wide)
    mask = builder.load(_address(builder, masks, j, narrow, 2), align=2, typ=narrow)
    window = builder.trunc(builder.lshr(word, _spread(builder, shift, wide)), narrow)
    turned = _spread(builder, builder.trunc(turned, ir.IntType(16)), narrow)
    return builder.and_(builder.xor(window, turned), mask)


def _ones(builder: Any, vector: Any) -> Any:
    """Return the number of set bits of each lane."""
    name = f"llvm.ctpop.v{vector.type.count}i{vector.type.element.width}"
    kind = ir.FunctionType(vector.type, [vector.type])
    return builder.call(builder.module.declare_intrinsic(name, (), kind), [vector])


def _part(builder: Any, vector: Any, lane: int) -> Any:
    return builder.extract_element(vector, ir.Constant(ir.IntType(32), lane))


@intrinsic  # type: ignore[untyped-decorator]
def count_windows(
    typingctx: Any, words: Any, i: Any, shift: Any, masks: Any, j: Any, turned: Any
) -> Any:
    """Count the set bits of 16 windows, ``((words[i+w] >> shift) ^ turned) & masks[j+w]``.

    ``words`` and ``masks`` are addresses, of uint64 and uint16; ``turned`` is 0 to count ones, all
    ones to count zeros.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        quarters = builder.bitcast(_windows(builder, args), ir.VectorType(_I64, 4))
        counts = _ones(builder, quarters)
        low, high = (
            builder.add(_part(builder, counts, q), _part(builder, counts, q + 1)) for q in (0, 2)
        )
        return builder.add(low, high)

    word = types.uint64
    return word(word, word, word, word, word, word), codegen


@intrinsic  # type: ignore[untyped-decorator]
def sum_windows(
    typingctx: Any, words: Any, i: Any, shift: Any, masks: Any, j: Any, turned: Any
) -> Any:
    """Count as ``count_windows``, with running sums from window to window.

    Return two uint64: byte w of the first is the number of set bits in windows 0 to w, and byte w
    of the second in windows 8 to 8 + w. With at most 15 bits in a mask no byte exceeds 120.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        counts = builder.trunc(
            _ones(builder, _windows(builder, args)), ir.VectorType(ir.IntType(8), 16)
        )
        halves = builder.bitcast(counts, ir.VectorType(_I64, 2))
        # Multiplied by 0x01..01, each byte becomes the sum of itself and all lower bytes.
        step = ir.Constant(_I64, 0x0101010101010101)
        sums = [builder.mul(_part(builder, halves, h), step) for h in (0, 1)]
        return context.make_tuple(builder, signature.return_type, sums)

    word = types.uint64
    return types.UniTuple(word, 2)(word, word, word, word, word, word), codegen


@intrinsic  # type: ignore[untyped-decorator]
def draw_eight(typingctx: Any, state: Any, i: Any, out: Any, j: Any) -> Any:
    """Draw the next word of each of eight xoshiro256++ generators into ``out[j:j+8]``.

    Word s of generator g is ``state[i + 8 * s + g]``; both are addresses of uint64 arrays.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = ir.VectorType(_I64, 8)

        def number(n: int) -> Any:
            return ir.Constant(vector, [n] * 8)

        def rotate(value: Any, n: int) -> Any:
            return builder.or_(builder.shl(value, number(n)), builder.lshr(value, number(64 - n)))

        places = []
        for s in range(4):
            index = builder.add(args[1], ir.Constant(_I64, 8 * s))
            places.append(_address(builder, args[0], index, vector, 8))
        s0, s1, s2, s3 = (builder.load(place, align=8, typ=vector) for place in places)
        word = builder.add(rotate(builder.add(s0, s3), 23), s0)
        builder.store(word, _address(builder, args[2], args[3], vector, 8), align=8)
        t = builder.shl(s1, number(17))
        s2 = builder.xor(s2, s0)
        s3 = builder.xor(s3, s1)
        s1 = builder.xor(s1, s2)
        s0 = builder.xor(s0, s3)
        s2 = builder.xor(s2, t)
        s3 = rotate(s3, 45)
        for value, place in zip((s0, s1, s2, s3), places, strict=True):
            builder.store(value, place, align=8)
        return context.get_dummy_value()

    word = types.uint64
    return types.void(word, word, word, word), codegen


def compiled_sources(module: str) -> dict[str, str]:
    """Return the text of a foedus module and of all foedus modules that it imports, by name.

    Packages themselves are ignored: names imported from one are traced to their own file.
    """
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        spec = find_spec(name) if name not in found else None
        if spec is None or spec.submodule_search_locations is not None:
            continue
        text = spec.loader.get_source(name)  # type: ignore[union-attr]
        found[name] = text
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("foedus"):
                waiting.append(str(node.module))
    return dict(sorted(found.items()))


def source_digest(module: str) -> int:
    """Return a number for the source text of a module's kernels, for numba's cache.

    Numba caches compiled code by signature and looks for changes only in the file of the function
    itself. Functions that it calls are in other files but are compiled into it. Each cached kernel
    therefore has a last argument that callers omit, with this number as its default. Numba includes
    the default in the signature, so it never finds old code after a change in any file. The number
    is the first 63 bits of the SHA-256 of all files.
    """
    text = hashlib.sha256()
    for source in compiled_sources(module).values():
        text.update(source.encode())
    return int.from_bytes(text.digest()[:8], "big") >> 1
