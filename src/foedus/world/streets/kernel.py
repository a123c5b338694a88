"""The compiled street lattice: Epstein's Model I for a batch of runs, without allocation.

:mod:`foedus.world.streets.reference` says the same in plain Python, with the same draws.

An agent is one 64-bit record: x in bits 0-15, y in 16-31, kind in 32-33 (0 quiet, 1 active, 2 cop,
3 jailed), remaining term in 34-63 (all ones: for ever). Citizens come first, then cops.

Scratch for one run, rebuilt from the records at each call, hence in cache while it is used:

- ``cells``: agents that block each cell (low half) and actives on it (high half), with a halo as
  wide as the widest vision, so that a neighbour's address is an addition. A change is written
  to the cell and its images; where there is no image, to a dead row or column.
- ``counts``: cops (low half) and actives (high half) in vision of each cell. An agent that comes,
  goes or changes its mind adds its footprint there, 16 lanes at a time and without
  wrapping; a reader adds up the cell and its images.
- ``limits``: per citizen, the ratio C/A at which it stops being active. No exponential in the loop.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from foedus.randomness import keyed_words
from foedus.world.streets._lanes import LANES, add_lanes, multiply_high, trailing_zeros

U = np.uint64
U0, U1, U2, U4, U16, U32 = U(0), U(1), U(2), U(4), U(16), U(32)
#: No free cell in vision.
NOWHERE = U(0xFFFFFFFFFFFFFFFF)
LOW16 = U(0xFFFF)
PLACE = U(0xFFFFFFFF)
KIND = U(3)
QUIET, ACTIVE, COP, JAILED = U(0), U(1), U(2), U(3)
TERM = U(34)
ONE_TERM = U(1 << 34)
FOREVER = U((1 << 30) - 1)
ADD_COP, TAKE_COP, ADD_ACTIVE, TAKE_ACTIVE = U(0), U(1), U(2), U(3)
#: Words tried for a free cell in vision, 8 candidates each, and for one anywhere, 1 each.
NEAR_WORDS = 4
FAR_WORDS = 64
#: A limit lifted by this share is met at a tie (see ``_set_limits``).
TIE = 1.0 + 2.0**-20

ROUND_NONE, ROUND_FLOOR, ROUND_EVEN, ROUND_UP, ROUND_SMOOTH = 0, 1, 2, 3, 4
#: Shape and scale (at k = 2.3) of the smooth risk.
SMOOTH_SHAPE = 16
SMOOTH_SCALE = 62.6716
SMOOTH_STEP = 0.0625
SMOOTH_SIZE = 1024


class Plan(NamedTuple):
    """Everything about a lattice that is fixed for all runs; built by ``model._plan``."""

    width: Any
    height: Any
    stride: Any
    sites: Any
    column: Any  # uint32 (width,): column of x in the haloed arrays
    column2: Any  # uint32 (width,): column of its image, or the dead column
    row: Any  # uint32 (height,): stride times the row of y
    row2: Any
    # Of a haloed column or row: x or y (low 16 bits), and the place of its image as above.
    wrap_x: Any  # uint32 (width + 2 halo,)
    wrap_y: Any  # uint64 (height + 2 halo,)
    halo: Any
    size: Any  # length of the haloed arrays
    # Candidate cells for a move: bits of the field, and per field value the offset from the
    # haloed corner (low 32 bits), dx + halo (16) and dy + halo (16). Citizens first, then cops.
    bits: Any  # uint64 (2,)
    candidates: Any  # uint64 (2 part,)
    part: Any  # uint64: length of each half of `candidates`
    first_site: Any  # int64 (2,): where each kind's cells start and end in `near`
    last_site: Any
    near: Any  # uint64: the same packing, each cell in vision once, without the own cell
    look: Any  # uint64: cells that a cop inspects
    chunk: Any  # uint64: offset of each chunk of 16 lanes of a citizen's footprint
    stamps: Any  # counts' type (4 chunks * 16,): add cop, take cop, add active, take active
    cells_zero: Any  # length 0, of the type of cells
    counts_half: Any  # uint64: bits in a half of a count
    cells_half: Any
    same_vision: Any
    own_cell: Any
    add_quiet: Any
    add_active: Any
    rounding: Any
    act_phase: Any  # 0 act then move, 1 move then act
    citizens_first: Any
    citizens_move: Any
    cops_move: Any
    jailed_block: Any
    jailed_removed: Any
    own_turn: Any
    cop_jumps: Any
    term_base: Any
    term_span: Any
    forever: Any
    most: Any  # the largest C that can be counted


def _draw(s0, s1, s2, s3):  # type: ignore[no-untyped-def]
    """One word of xoshiro256++ (Blackman & Vigna 2021, doi 10.1145/3460772) and the next state."""
    a = s0 + s3
    word = ((a << U(23)) | (a >> U(41))) + s0
    t = s1 << U(17)
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = (s3 << U(45)) | (s3 >> U(19))
    return word, s0, s1, s2, s3


draw = njit(_draw, forceinline=True)


def _start(seed, run, purpose, city, day):  # type: ignore[no-untyped-def]
    """Return the 256-bit state of a stream, from its address."""
    a, b = keyed_words(seed, run, purpose, city, day, U0)
    c, d = keyed_words(seed, run, purpose, city, day, U1)
    return a, b, c, d | U1  # never all zero


start = njit(_start)


def _put(cells, column, column2, row, row2, x, y, delta):  # type: ignore[no-untyped-def]
    """Add ``delta`` to a cell and write it to its images."""
    c, c2, r, r2 = U(column[x]), U(column2[x]), U(row[y]), U(row2[y])
    value = cells[r + c] + delta
    cells[r + c] = value
    cells[r + c2] = value
    cells[r2 + c] = value
    cells[r2 + c2] = value


put = njit(_put, forceinline=True)


def _put4(cells, c, c2, r, r2, delta):  # type: ignore[no-untyped-def]
    """Do as ``put`` where the addresses are known."""
    value = cells[r + c] + delta
    cells[r + c] = value
    cells[r + c2] = value
    cells[r2 + c] = value
    cells[r2 + c2] = value


put4 = njit(_put4, forceinline=True)


def _count(counts, c, c2, r, r2):  # type: ignore[no-untyped-def]
    """Cops and actives in vision of a cell, packed."""
    return U(counts[r + c]) + U(counts[r + c2]) + U(counts[r2 + c]) + U(counts[r2 + c2])


count = njit(_count, forceinline=True)


def _stamp(counts, chunk, stamps, which, corner):  # type: ignore[no-untyped-def]
    """Add one of the four footprints around a cell."""
    lane = which * U(chunk.size * LANES)
    for i in range(chunk.size):
        add_lanes(counts, corner + chunk[i], stamps, lane)
        lane += U(LANES)


stamp = njit(_stamp, forceinline=True)


def _near_free(cells, table, base, b, near, first, last, corner, s0, s1, s2, s3):  # type: ignore[no-untyped-def]
    """Draw a free cell in vision uniformly; return it packed as in ``candidates``, or NOWHERE.

    Each field of a word is a candidate, the first free one is taken; a field that stands for
    no cell points to the own cell, which is never free. If all words fail, choose exactly.
    """
    field = (U1 << b) - U1
    for _ in range(NEAR_WORDS):
        word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
        tail = word >> (b * U4)
        if b > U(8):
            tail, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
        b2 = b + b
        b3 = b2 + b
        # Bit i of `free`: whether candidate i is free; collected from the last to the first.
        free = U0
        free += free + U(cells[corner + (table[base + ((tail >> b3) & field)] & PLACE)] < 1)
        free += free + U(cells[corner + (table[base + ((tail >> b2) & field)] & PLACE)] < 1)
        free += free + U(cells[corner + (table[base + ((tail >> b) & field)] & PLACE)] < 1)
        free += free + U(cells[corner + (table[base + (tail & field)] & PLACE)] < 1)
        free += free + U(cells[corner + (table[base + ((word >> b3) & field)] & PLACE)] < 1)
        free += free + U(cells[corner + (table[base + ((word >> b2) & field)] & PLACE)] < 1)
        free += free + U(cells[corner + (table[base + ((word >> b) & field)] & PLACE)] < 1)
        free += free + U(cells[corner + (table[base + (word & field)] & PLACE)] < 1)
        if free != U0:
            spot = trailing_zeros(free)
            source = word if spot < U4 else tail
            return table[base + ((source >> (b * (spot & U(3)))) & field)], s0, s1, s2, s3
    found = U0
    for i in range(first, last):
        if cells[corner + (near[i] & PLACE)] == 0:
            found += U1
    if found == U0:
        return NOWHERE, s0, s1, s2, s3
    word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
    skip = multiply_high(word, found)
    for i in range(first, last):
        if cells[corner + (near[i] & PLACE)] == 0:
            if skip == U0:
                return near[i], s0, s1, s2, s3
            skip -= U1
    return NOWHERE, s0, s1, s2, s3


near_free = njit(_near_free, forceinline=True)


def _any_free(cells, plan, s0, s1, s2, s3):  # type: ignore[no-untyped-def]
    """Draw a free cell of the lattice uniformly; return y * width + x, ``sites`` if none."""
    for _ in range(FAR_WORDS):
        word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
        site = multiply_high(word, plan.sites)
        y = site // plan.width
        x = site - y * plan.width
        if cells[U(plan.row[y]) + U(plan.column[x])] == 0:
            return site, s0, s1, s2, s3
    found = U0
    for y in range(plan.row.size):
        for x in range(plan.column.size):
            if cells[U(plan.row[y]) + U(plan.column[x])] == 0:
                found += U1
    if found == U0:
        return plan.sites, s0, s1, s2, s3
    word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
    skip = multiply_high(word, found)
    for y in range(plan.row.size):
        for x in range(plan.column.size):
            if cells[U(plan.row[y]) + U(plan.column[x])] == 0:
                if skip == U0:
                    return U(y) * plan.width + U(x), s0, s1, s2, s3
                skip -= U1
    return plan.sites, s0, s1, s2, s3


any_free = njit(_any_free)


def _find_active(cells, who, records, citizens, plan, x, y, skip):  # type: ignore[no-untyped-def]
    """Index of the active citizen number ``skip`` in sight of a cop, cell by cell."""
    corner = U(y) * plan.stride + U(x)
    for i in range(plan.look.size):
        place = plan.look[i]
        here = U(cells[corner + (place & PLACE)]) >> plan.cells_half
        if skip >= here:
            skip -= here
            continue
        ax = U(plan.wrap_x[x + ((place >> U32) & LOW16)]) & LOW16
        ay = plan.wrap_y[y + (place >> U(48))] & LOW16
        wanted = ax | (ay << U16) | (ACTIVE << U32)
        if here == U1:
            guess = U(who[ay * plan.width + ax])
            if records[guess] == wanted:
                return guess
        for j in range(citizens):
            if records[j] == wanted:
                if skip == U0:
                    return U(j)
                skip -= U1
    return U(citizens)


find_active = njit(_find_active)


def _see_actives(cells, plan, x, y):  # type: ignore[no-untyped-def]
    """Actives in sight of a cop, by looking at each cell."""
    corner = U(y) * plan.stride + U(x)
    total = U0
    for i in range(plan.look.size):
        total += U(cells[corner + (plan.look[i] & PLACE)]) >> plan.cells_half
    return total


see_actives = njit(_see_actives)


def _shuffle(order, first, last, s0, s1, s2, s3):  # type: ignore[no-untyped-def]
    """Shuffle ``order[first:last]``."""
    n = U(last - first)
    base = U(first)
    while n > U1:
        word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
        j = base + multiply_high(word, n)
        n -= U1
        i = base + n
        a = order[i]
        order[i] = order[j]
        order[j] = a
    return s0, s1, s2, s3


shuffle = njit(_shuffle, forceinline=True)


def _smooth_inverse(p, table, density):  # type: ignore[no-untyped-def]
    """Where the regularised gamma function P(16, z) reaches ``p``, by table and one Newton step."""
    if p <= 0.0:
        return 0.0
    last = table.size - 1
    if p >= table[last]:
        return np.inf
    i = np.searchsorted(table, p, side="right") - 1
    low, high = i * SMOOTH_STEP, (i + 1) * SMOOTH_STEP
    # Cubic Hermite in p between the two nodes, where the slopes are finite.
    if density[i] < 1e-9:
        return low + (high - low) * (p - table[i]) / (table[i + 1] - table[i])
    gap = table[i + 1] - table[i]
    t = (p - table[i]) / gap
    m0, m1 = gap / density[i], gap / density[i + 1]
    t2, t3 = t * t, t * t * t
    return (
        (2.0 * t3 - 3.0 * t2 + 1.0) * low
        + (t3 - 2.0 * t2 + t) * m0
        + (3.0 * t2 - 2.0 * t3) * high
        + (t3 - t2) * m1
    )


smooth_inverse = njit(_smooth_inverse)


def _set_limits(  # type: ignore[no-untyped-def]
    limits, hardship, risk, citizens, legitimacy, shift, lethal, weight, k, threshold,
    plan, values, table, density,
):  # fmt: skip
    """Per citizen, the limit such that it is active if and only if ``C < limit * A``.

    With rounding, let n be the least rounded ratio with ``G - R (P(n) weight + lethal) <= T``.
    Then floor(C/A) < n is C < n A; half up, C < (n - 1/2) A; half even, the same, met with
    equality where n is odd: there the limit is lifted by less than the distance to the
    next count.
    """
    share = 1.0 - legitimacy
    if plan.rounding == ROUND_NONE or plan.rounding == ROUND_SMOOTH:
        scale = SMOOTH_SCALE * k / 2.3
        for i in range(citizens):
            gain = hardship[i] * share + shift - threshold
            p = (gain / risk[i] - lethal) / weight
            if p <= 0.0:
                limits[i] = 0.0
            elif p >= 1.0 or k == 0.0:
                limits[i] = np.inf
            elif plan.rounding == ROUND_NONE:
                limits[i] = -math.log1p(-p) / k
            else:
                limits[i] = smooth_inverse(p, table, density) / scale
        return
    # values[n] = P(n) weight + lethal, up to where it no longer rises.
    used = 0
    for n in range(plan.most + 1):
        values[n] = (1.0 - math.exp(-k * n)) * weight + lethal
        used = n + 1
        if n > 0 and values[n] == values[n - 1]:
            break
    for i in range(citizens):
        grievance = hardship[i] * share + shift
        n = 0
        while n < used and grievance - risk[i] * values[n] > threshold:
            n += 1
        if n == used:
            limits[i] = np.inf
        elif n == 0:
            limits[i] = 0.0
        elif plan.rounding == ROUND_FLOOR:
            limits[i] = n
        elif plan.rounding == ROUND_EVEN and n & 1:
            limits[i] = (n - 0.5) * TIE
        else:
            limits[i] = n - 0.5


set_limits = njit(_set_limits)


def _rebuild(cells, counts, who, records, citizens, cops, plan):  # type: ignore[no-untyped-def]
    """Fill the scratch arrays from the records; return the numbers of actives and jailed."""
    column, column2, row, row2 = plan.column, plan.column2, plan.row, plan.row2
    chunk, stamps, stride = plan.chunk, plan.stamps, plan.stride
    cells[:] = 0
    counts[:] = 0
    one = U1
    both = U1 | (U1 << plan.cells_half)
    actives, jailed = 0, 0
    for i in range(citizens + cops):
        record = records[i]
        x, y = record & LOW16, (record >> U16) & LOW16
        kind = (record >> U32) & KIND
        if kind == QUIET:
            put(cells, column, column2, row, row2, x, y, one)
        elif kind == ACTIVE:
            put(cells, column, column2, row, row2, x, y, both)
            stamp(counts, chunk, stamps, ADD_ACTIVE, y * stride + x)
            who[y * plan.width + x] = i
            actives += 1
        elif kind == COP:
            put(cells, column, column2, row, row2, x, y, one)
            stamp(counts, chunk, stamps, ADD_COP, y * stride + x)
        else:
            jailed += 1
            if plan.jailed_block:
                put(cells, column, column2, row, row2, x, y, one)
    return actives, jailed


rebuild = njit(_rebuild)


def _set_cops(cells, counts, records, citizens, cops, target, plan, s0, s1, s2, s3):  # type: ignore[no-untyped-def]
    """Take random cops away, or put new ones on random free cells; return how many there are."""
    column, column2, row, row2 = plan.column, plan.column2, plan.row, plan.row2
    chunk, stamps, stride = plan.chunk, plan.stamps, plan.stride
    while cops > target:
        word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
        i = U(citizens) + multiply_high(word, U(cops))
        record = records[i]
        x, y = record & LOW16, (record >> U16) & LOW16
        put(cells, column, column2, row, row2, x, y, U0 - U1)
        stamp(counts, chunk, stamps, TAKE_COP, y * stride + x)
        cops -= 1
        records[i] = records[citizens + cops]
        records[citizens + cops] = U0
    while cops < target:
        site, s0, s1, s2, s3 = any_free(cells, plan, s0, s1, s2, s3)
        if site == plan.sites:
            break
        y = site // plan.width
        x = site - y * plan.width
        records[citizens + cops] = x | (y << U16) | (COP << U32)
        put(cells, column, column2, row, row2, x, y, U1)
        stamp(counts, chunk, stamps, ADD_COP, y * stride + x)
        cops += 1
    return cops, s0, s1, s2, s3


set_cops = njit(_set_cops)


def _advance(  # type: ignore[no-untyped-def]
    records, citizens, cops, hardship, risk, plan, seed, runs, city, day, purposes,
    legitimacy, targets, k, threshold, shift, lethal, weight, table, density,
    out_active, out_jailed, out_arrests, out_released, out_cops,
):  # fmt: skip
    """Advance every run of the batch by ``legitimacy.shape[1]`` ticks, in place."""
    cells = np.zeros(plan.size, plan.cells_zero.dtype)
    counts = np.zeros(plan.size, plan.stamps.dtype)
    who = np.zeros(plan.sites, np.uint32)
    limits = np.zeros(records.shape[1] + 1, np.float32)
    order = np.zeros(records.shape[1] + 1, np.uint32)
    values = np.zeros(plan.most + 2, np.float64)
    for r in range(records.shape[0]):
        advance_run(
            records[r], citizens[r], cops, r, hardship[r], risk[r], plan, seed, runs[r], city, day,
            purposes, legitimacy[r], targets[r], k[r], threshold[r], shift[r], lethal[r],
            weight[r], table, density, cells, counts, who, limits, order, values,
            out_active[r], out_jailed[r], out_arrests[r], out_released[r], out_cops[r],
        )  # fmt: skip


def _advance_run(  # type: ignore[no-untyped-def]
    records, citizens, all_cops, position, hardship, risk, plan, seed, run, city, day,
    purposes, legitimacy, targets, k, threshold, shift, lethal,
    weight, risks, density, cells, counts, who, limits, order, values,
    out_active, out_jailed, out_arrests, out_released, out_cops,
):  # fmt: skip
    """Advance one run; the loop over agents is the whole cost."""
    column, column2, row, row2 = plan.column, plan.column2, plan.row, plan.row2
    chunk, stamps, stride = plan.chunk, plan.stamps, plan.stride
    width, sites = plan.width, plan.sites
    wrap_x, wrap_y, halo = plan.wrap_x, plan.wrap_y, plan.halo
    table, near, part = plan.candidates, plan.near, plan.part
    first_site, last_site, bits = plan.first_site, plan.last_site, plan.bits
    counts_half, same_vision = plan.counts_half, plan.same_vision
    add_quiet, add_active, act_phase = plan.add_quiet, plan.add_active, plan.act_phase
    citizens_move, cops_move, cop_jumps = plan.citizens_move, plan.cops_move, plan.cop_jumps
    jailed_block, jailed_removed = plan.jailed_block, plan.jailed_removed
    own_turn, forever = plan.own_turn, plan.forever
    term_base, term_span = plan.term_base, plan.term_span
    s0, s1, s2, s3 = start(seed, run, purposes[0], city, day)
    o0, o1, o2, o3 = start(seed, run, purposes[1], city, day)
    p0, p1, p2, p3 = start(seed, run, purposes[2], city, day)
    cops = all_cops[position]
    actives, jailed = rebuild(cells, counts, who, records, citizens, cops, plan)
    total = citizens + cops
    for i in range(total):
        order[i] = i
    one = U1
    crowd = U1 << plan.cells_half  # an active, in `cells`
    low = (U1 << counts_half) - U1
    for t in range(legitimacy.size):
        if t == 0 or legitimacy[t] != legitimacy[t - 1]:
            set_limits(
                limits, hardship, risk, citizens, legitimacy[t], shift, lethal, weight, k,
                threshold, plan, values, risks, density,
            )  # fmt: skip
        if targets[t] >= 0 and targets[t] != cops:
            cops, p0, p1, p2, p3 = set_cops(
                cells, counts, records, citizens, cops, targets[t], plan, p0, p1, p2, p3
            )
            total = citizens + cops
            for i in range(total):
                order[i] = i
        if plan.citizens_first:
            o0, o1, o2, o3 = shuffle(order, 0, citizens, o0, o1, o2, o3)
            o0, o1, o2, o3 = shuffle(order, citizens, total, o0, o1, o2, o3)
        else:
            o0, o1, o2, o3 = shuffle(order, 0, total, o0, o1, o2, o3)
        arrests, released = 0, 0
        for turn in range(total):
            me = U(order[U(turn)])
            record = records[me]
            kind = (record >> U32) & KIND
            if kind == JAILED:
                if not own_turn:
                    continue
                left = record >> TERM
                if left > U0:
                    if left != FOREVER:
                        records[me] = record - ONE_TERM
                    continue
                record &= PLACE
                if jailed_removed:
                    site, s0, s1, s2, s3 = any_free(cells, plan, s0, s1, s2, s3)
                    if site == sites:
                        continue
                    y = site // width
                    record = (site - y * width) | (y << U16)
                if not jailed_block:
                    x, y = record & LOW16, (record >> U16) & LOW16
                    put(cells, column, column2, row, row2, x, y, one)
                records[me] = record
                kind = QUIET
                jailed -= 1
                released += 1
            x, y = record & LOW16, (record >> U16) & LOW16
            c, c2 = x + halo, U(wrap_x[x + halo]) >> U16
            r, r2 = (y + halo) * stride, wrap_y[y + halo] >> U16
            for phase in range(2):
                if phase == act_phase:
                    if kind == COP:
                        if actives == 0:
                            continue
                        if same_vision:
                            seen = count(counts, c, c2, r, r2) >> counts_half
                        else:
                            seen = see_actives(cells, plan, x, y)
                        if seen == U0:
                            continue
                        word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
                        caught = find_active(
                            cells, who, records, citizens, plan, x, y, multiply_high(word, seen)
                        )
                        word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
                        term = term_base + multiply_high(word, term_span)
                        if forever:
                            term = FOREVER
                        place = records[caught] & PLACE
                        ax, ay = place & LOW16, place >> U16
                        arrests += 1
                        actives -= 1
                        stamp(counts, chunk, stamps, TAKE_ACTIVE, ay * stride + ax)
                        if term == U0 and not own_turn:
                            records[caught] = place
                            put(cells, column, column2, row, row2, ax, ay, U0 - crowd)
                        else:
                            records[caught] = place | (JAILED << U32) | (term << TERM)
                            jailed += 1
                            if jailed_block:
                                put(cells, column, column2, row, row2, ax, ay, U0 - crowd)
                            else:
                                put(cells, column, column2, row, row2, ax, ay, U0 - crowd - one)
                        if cop_jumps:
                            put(cells, column, column2, row, row2, x, y, U0 - one)
                            stamp(counts, chunk, stamps, TAKE_COP, y * stride + x)
                            x, y = ax, ay
                            c, c2 = x + halo, U(wrap_x[x + halo]) >> U16
                            r, r2 = (y + halo) * stride, wrap_y[y + halo] >> U16
                            put(cells, column, column2, row, row2, x, y, one)
                            stamp(counts, chunk, stamps, ADD_COP, y * stride + x)
                            records[me] = x | (y << U16) | (COP << U32)
                    else:
                        seen = count(counts, c, c2, r, r2)
                        police = seen & low
                        rebels = seen >> counts_half
                        rebels += add_active if kind == ACTIVE else add_quiet
                        if rebels == U0:
                            rebels = U1
                        now = U(np.float32(police) < limits[me] * np.float32(rebels))
                        if now != kind:
                            if now == ACTIVE:
                                put(cells, column, column2, row, row2, x, y, crowd)
                                stamp(counts, chunk, stamps, ADD_ACTIVE, y * stride + x)
                                who[y * width + x] = me
                                actives += 1
                            else:
                                put(cells, column, column2, row, row2, x, y, U0 - crowd)
                                stamp(counts, chunk, stamps, TAKE_ACTIVE, y * stride + x)
                                actives -= 1
                            kind = now
                            records[me] = x | (y << U16) | (kind << U32)
                    continue
                side = 0
                if kind == COP:
                    side = 1
                    if not cops_move:
                        continue
                elif not citizens_move:
                    continue
                # Footprints are taken up before the search, so that they are written when
                # the new ones, which overlap them, are added.
                body = one
                if kind == ACTIVE:
                    body = one + crowd
                    stamp(counts, chunk, stamps, TAKE_ACTIVE, y * stride + x)
                elif kind == COP:
                    stamp(counts, chunk, stamps, TAKE_COP, y * stride + x)
                place, s0, s1, s2, s3 = near_free(
                    cells, table, U(side) * part, bits[side], near, first_site[side],
                    last_site[side], y * stride + x, s0, s1, s2, s3,
                )  # fmt: skip
                if place != NOWHERE:
                    put4(cells, c, c2, r, r2, U0 - body)
                    to_x, to_y = (
                        U(wrap_x[x + ((place >> U32) & LOW16)]),
                        wrap_y[y + (place >> U(48))],
                    )
                    x, y = to_x & LOW16, to_y & LOW16
                    c, c2 = x + halo, to_x >> U16
                    r, r2 = (y + halo) * stride, to_y >> U16
                    put4(cells, c, c2, r, r2, body)
                    if kind == ACTIVE:
                        who[y * width + x] = me
                    records[me] = x | (y << U16) | (kind << U32)
                if kind == ACTIVE:
                    stamp(counts, chunk, stamps, ADD_ACTIVE, y * stride + x)
                elif kind == COP:
                    stamp(counts, chunk, stamps, ADD_COP, y * stride + x)
        if not own_turn and jailed > 0:
            for i in range(citizens):
                record = records[i]
                left = record >> TERM
                if left == U0 or left == FOREVER:  # noqa: SIM109
                    continue
                left -= U1
                if left > U0:
                    records[i] = record - ONE_TERM
                    continue
                record &= PLACE
                if jailed_removed:
                    site, s0, s1, s2, s3 = any_free(cells, plan, s0, s1, s2, s3)
                    if site == sites:
                        continue  # nowhere to go: released at the end of the next tick
                    y = site // width
                    record = (site - y * width) | (y << U16)
                if not jailed_block:
                    x, y = record & LOW16, (record >> U16) & LOW16
                    put(cells, column, column2, row, row2, x, y, one)
                records[i] = record
                jailed -= 1
                released += 1
        out_active[t] = actives
        out_jailed[t] = jailed
        out_arrests[t] = arrests
        out_released[t] = released
        out_cops[t] = cops
    all_cops[position] = cops


advance_run = njit(_advance_run)
advance = njit(_advance, cache=True, nogil=True)


def _create(  # type: ignore[no-untyped-def]
    records, citizens, cops, hardship, risk, plan, seed, runs, city, purpose,
    by_site, citizen_density, cop_density,
):  # fmt: skip
    """Place the agents of every run and draw their traits; with ``by_site`` set their numbers."""
    sites = np.zeros(plan.sites, np.uint32)
    for r in range(records.shape[0]):
        s0, s1, s2, s3 = start(seed, runs[r], purpose, city, U0)
        n = plan.sites
        if by_site:
            people, police = 0, 0
            last = records.shape[1]
            for site in range(n):
                word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
                u = np.float64(word >> U(11)) * (1.0 / 9007199254740992.0)
                if u < citizen_density:
                    records[r, people] = U(site)
                    people += 1
                elif u < citizen_density + cop_density:
                    police += 1
                    records[r, last - police] = U(site)
            # Cops were stacked from the end; bring them behind the citizens, in order of site.
            for i in range(police):
                sites[i] = records[r, last - 1 - i]
                records[r, last - 1 - i] = U0
            for i in range(police):
                records[r, people + i] = U(sites[i])
            citizens[r] = people
            cops[r] = police
        else:
            for site in range(n):
                sites[site] = site
            for i in range(citizens[r] + cops[r]):
                word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
                j = U(i) + multiply_high(word, n - U(i))
                site = sites[j]
                sites[j] = sites[i]
                sites[i] = site
                records[r, i] = U(site)
        for i in range(citizens[r] + cops[r]):
            site = records[r, i]
            y = site // plan.width
            kind = COP if i >= citizens[r] else QUIET
            records[r, i] = (site - y * plan.width) | (y << U16) | (kind << U32)
        for i in range(citizens[r]):
            word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
            hardship[r, i] = (np.float64(word >> U(41)) + 0.5) / 8388608.0
            risk[r, i] = (np.float64((word >> U(18)) & U(0x7FFFFF)) + 0.5) / 8388608.0


create = njit(_create, cache=True, nogil=True)
