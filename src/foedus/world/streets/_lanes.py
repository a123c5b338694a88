"""Three machine operations that numba does not offer, each with its meaning in plain Python.

They are generic LLVM operations, so they compile on any machine numba runs on.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

LANES = 16


@intrinsic  # type: ignore[untyped-decorator]
def multiply_high(typingctx: Any, a: Any, b: Any) -> Any:
    """Return ``(a * b) >> 64`` of two uint64: a draw from 0..b-1 for a random word ``a``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def trailing_zeros(typingctx: Any, a: Any) -> Any:
    """Return the place of the lowest set bit of a uint64 that is not 0."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def add_lanes(typingctx: Any, array: Any, i: Any, table: Any, j: Any) -> Any:
    """Do ``array[i:i+16] += table[j:j+16]`` as one vector operation, wherever ``i`` lies."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array_type, _, table_type, _ = signature.args
        lane = context.get_data_type(array_type.dtype)
        vector = ir.VectorType(lane, LANES)
        size = array_type.dtype.bitwidth // 8

        def address(kind: Any, value: Any, index: Any) -> Any:
            data = context.make_array(kind)(context, builder, value).data
            return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())

        target = address(array_type, args[0], args[1])
        source = address(table_type, args[2], args[3])
        total = builder.add(
            builder.load(target, align=size, typ=vector),
            builder.load(source, align=size, typ=vector),
        )
        builder.store(total, target, align=size)
        return context.get_dummy_value()

    return types.void(array, types.uint64, table, types.uint64), codegen
