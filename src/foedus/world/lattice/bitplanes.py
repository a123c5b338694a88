"""Cells as bits: count agents in sight and free cells, and draw one without rejection.

A plane holds one bit per cell. The haloed lattice is cut into blocks of :data:`BLOCK` columns. A
word holds one row of a block and the first 16 columns of the next block, so that any 15
neighbouring columns lie in one word; the rows of a block are adjacent in memory. A change is
written to every word that holds the cell or its image in the halo, both in its own row and in the
row of its image (or, where there is no image, in a dead row).

The cells in sight form a few groups of 15 columns and 16 rows, each counted by one set of vector
instructions. Cells are numbered group by group and row by row. To draw one, the cell of rank
``floor(word * count / 2**64)`` is found.

In this module ``p`` is the plan of the lattice (:class:`foedus.world.lattice.kernel.Plan`),
``bits`` the address of a plane and ``masks`` the address of the masks of the cells that count.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from foedus.world.lattice.machine import (
    count_ones,
    count_windows,
    is_wide,
    multiply_high,
    nth_one,
    peek,
    sum_windows,
    trailing_zeros,
)
from foedus.world.lattice.streams import get, next_word, put_word

U = np.uint64
U0, U1, U2, U16, U32 = U(0), U(1), U(2), U(16), U(32)
LOW16 = U(0xFFFF)
#: New columns in each block, and columns and rows of a group.
BLOCK = 48
GROUP_COLUMNS = 15
GROUP_ROWS = 16
#: Words per cell in the table of flips: two blocks that hold the cell and two that hold its image,
#: each with the bit there.
COPIES = 8
#: What to count: set bits or clear bits.
SET, CLEAR = U(0), U(0xFFFFFFFFFFFFFFFF)
#: Marks a missing cell.
NOWHERE = U(0xFFFFFFFFFFFFFFFF)
#: Words tried for a free cell anywhere on the lattice before one is chosen exactly.
FAR_WORDS = 64
#: Mask of one of the three counts in an item of ``cells``.
FIELD = U(0x1FFFFF)
_EACH_BYTE = U(0x0101010101010101)
_HIGH_BITS = U(0x8080808080808080)
_BYTE = U(0xFF)
_SHORT = np.uint16(0)


@njit(forceinline=True)
def flip_copy(bits, p, i, here, there):
    """Flip the bit of a cell in one of the words that hold it, in two rows."""
    block, mask = get(p.flips, i), get(p.flips, i + U1)
    put_word(bits, here + block, get(bits, here + block) ^ mask)
    put_word(bits, there + block, get(bits, there + block) ^ mask)


@njit(forceinline=True)
def flip(bits, p, x, y):
    """Flip the bit of a cell."""
    here = y + p.halo
    there = (get(p.rows, here) >> U16) & LOW16
    if is_wide(p.spread):
        i = x * U(COPIES)
        flip_copy(bits, p, i, here, there)
        flip_copy(bits, p, i + U2, here, there)
        if get(p.flips, i + U(5)) != U0:  # its image may be in two more words
            for j in range(i + U(4), i + U(COPIES), U2):
                flip_copy(bits, p, j, here, there)
    else:  # there is one block, starting at 0
        mask = get(p.flips, x * U(COPIES) + U1)
        put_word(bits, here, get(bits, here) ^ mask)
        put_word(bits, there, get(bits, there) ^ mask)


@njit(forceinline=True)
def is_free(bits, p, x, y):
    """Return whether the bit of a cell is clear."""
    shown = get(p.columns, x + p.halo)
    word = get(bits, (shown >> U32) + y + p.halo)
    return (word >> ((shown >> U16) & LOW16)) & U1 == U0


@njit(forceinline=True)
def place(p, group, x, y):
    """Return the word of the first row of a group around (x, y), and the shift to its column."""
    if not is_wide(p.spread):  # one block, and groups that start where the halo does
        return y, x
    shown = get(p.windows, group * p.width + x)
    return (shown >> U32) + y, shown & LOW16


@njit(forceinline=True)
def count_near(bits, p, masks, first, last, x, y, turned):
    """Count the bits of a plane in a range of groups around (x, y)."""
    i, shift = place(p, first, x, y)
    total = count_windows(bits, i, shift, masks, first * U(GROUP_ROWS), turned)
    if is_wide(p.grouped):
        for group in range(first + U1, last):
            i, shift = place(p, group, x, y)
            total += count_windows(bits, i, shift, masks, group * U(GROUP_ROWS), turned)
    return total


@njit(forceinline=True)
def take(bits, i, shift, masks, group, turned, low, high, rank):
    """Return the column and the row, within its group, of cell number ``rank``.

    ``i`` and ``shift`` are from ``place``, ``low`` and ``high`` the running counts of the group.
    The row is found by comparing the rank with all eight counts of a word at once: the high bit of
    a byte stays set where rank >= count.
    """
    in_low = low >> U(56)
    upper = U(rank >= in_low)
    counts = high if upper else low
    rank -= in_low if upper else U0
    row = count_ones((((rank * _EACH_BYTE) | _HIGH_BITS) - counts) & _HIGH_BITS)
    rank -= ((counts << U(8)) >> (row << U(3))) & _BYTE
    row += upper << U(3)
    mask = peek(masks, group * U(GROUP_ROWS) + row, _SHORT)
    return nth_one(((get(bits, i + row) >> shift) ^ turned) & mask, rank), row


@njit
def find_near(bits, p, masks, first, last, x, y, turned, rank):
    """Return cell number ``rank`` of a range of groups: dx + halo, and dy + halo from bit 16."""
    for group in range(first, last):
        i, shift = place(p, group, x, y)
        low, high = sum_windows(bits, i, shift, masks, group * U(GROUP_ROWS), turned)
        here = (low >> U(56)) + (high >> U(56))
        if rank < here:
            column, row = take(bits, i, shift, masks, group, turned, low, high, rank)
            return get(p.groups, group) + column + (row << U16)
        rank -= here
    return NOWHERE


@njit
def walk_near(bits, p, masks, first, last, x, y, cells, field, rank):
    """Count agents cell by cell, where a cell can hold several.

    ``field`` is the position of their count in an item of ``cells``. Return the count, the cell of
    agent number ``rank`` (dx + halo, and dy + halo from bit 16; or NOWHERE), and its rank in that
    cell.
    """
    total, found, rest = U0, NOWHERE, U0
    for group in range(first, last):
        i, shift = place(p, group, x, y)
        for row in range(U(GROUP_ROWS)):
            mask = peek(masks, group * U(GROUP_ROWS) + row, _SHORT)
            there = (get(bits, i + row) >> shift) & mask
            while there != U0:
                column = trailing_zeros(there)
                there &= there - U1
                cell = get(p.groups, group) + column + (row << U16)
                cx = get(p.columns, x + (cell & LOW16)) & LOW16
                cy = get(p.rows, y + (cell >> U16)) & LOW16
                here = (get(cells, cy * p.width + cx) >> field) & FIELD
                if found == NOWHERE and rank < total + here:
                    found, rest = cell, rank - total
                total += here
    return total, found, rest


@njit
def any_free(bits, p, state, stream):
    """Draw a free cell of the lattice uniformly; return y * width + x, or ``sites`` if none."""
    for _ in range(FAR_WORDS):
        site = multiply_high(next_word(state, stream), p.sites)
        y = site // p.width
        if is_free(bits, p, site - y * p.width, y):
            return site
    found = U0
    for site in range(p.sites):
        y = site // p.width
        found += U(is_free(bits, p, site - y * p.width, y))
    if found == U0:
        return p.sites
    skip = multiply_high(next_word(state, stream), found)
    for site in range(p.sites):
        y = site // p.width
        if is_free(bits, p, site - y * p.width, y):
            if skip == U0:
                return site
            skip -= U1
    return p.sites
