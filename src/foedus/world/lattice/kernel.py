"""The compiled street lattice: Epstein's Model I for a batch of runs, without allocation.

``tests/oracles/street_lattice.py`` is the same model in plain Python, with the same draws.

An agent is one 64-bit record: x in bits 0-15, y in 16-31, kind in 32-33 (0 quiet, 1 active, 2 cop,
3 jailed), remaining term in 34-63 (all ones: for ever). Citizens come first, then cops. Inside the
kernel the records have another layout: x, y and kind in the lower half, and in the upper half what
a turn needs, which is the remaining term of a jailed citizen or the limit (below) of any other
agent. One turn then reads one cache line of an agent.

Scratch is rebuilt from the records at each call, so it is in cache while it is used:

- ``bits``: planes of bits, one each for blocked cells, cops and actives. Agents in sight and cells
  to move to are counted with vector instructions (:mod:`.bitplanes`).
- ``limits``: per citizen, the ratio C/A at which it stops being active, so the loop contains no
  exponential. Where C/A is rounded to whole numbers the decision is exactly that of the rule. With
  roundings ``none`` and ``smooth`` a limit is a float32 (for ``smooth`` also interpolated in a
  table), and a citizen whose limit equals C/A to seven digits may decide differently from the rule
  in float64. With ``none`` this happened in 1 of 528 million trials at ratios of small numbers.

Where agents can share a cell, a bit does not say how many are there. ``cells`` does, and two counts
per run say how many cops and actives stand on a cell that already had one. Agents are counted cell
by cell only if such a count is above 0.

One activation is a chain of some eighty cycles with little parallelism. The next activation of the
same run must wait for it, because its vector load of rows must come after the bits that were just
written. The kernel therefore interleaves several runs (:data:`INTERLEAVE`), each with its own
scratch, and cuts a turn in two: all runs look around, then all move. The processor works on several
chains at once. Runs are independent, so no result depends on the number interleaved.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from foedus.world.lattice.bitplanes import (
    CLEAR,
    FIELD,
    GROUP_ROWS,
    SET,
    any_free,
    count_near,
    find_near,
    flip,
    place,
    take,
    walk_near,
)
from foedus.world.lattice.machine import (
    is_wide,
    multiply_high,
    peek,
    peek_float,
    poke,
    prefetch,
    source_digest,
    sum_windows,
)
from foedus.world.lattice.streams import (
    EIGHT,
    STATE,
    begin,
    draw,
    fill,
    get,
    next_word,
    put_word,
    start,
    start_eight,
)

#: Names the compiled text in numba's cache (see :func:`machine.source_digest`).
SOURCES = source_digest(__name__)

U = np.uint64
U0, U1, U16, U32 = U(0), U(1), U(16), U(32)
#: Number of runs to interleave, with the largest total scratch in bytes. Larger lattices interleave
#: fewer, because the scratch of more runs would no longer fit in the caches.
INTERLEAVE = {4: 700_000, 2: 8_000_000}
#: Number of turns for which the words of moves are drawn together.
SOME = U(64)
#: Number of turns ahead at which an agent's record is prefetched.
AHEAD = U(6)
LOW16 = U(0xFFFF)
#: Layout of the kernel's own records: the fields of the lower half, and the halves.
ROW, KIND_AT = U(15), U(30)
SHORT, PLACE = U(0x7FFF), U(0x3FFFFFFF)
LOWER, UPPER = U(0xFFFFFFFF), U(0xFFFFFFFF00000000)
ONE_DAY = U(1 << 32)
KIND = U(3)
#: Selects items of 32 bits in peek and poke.
HALF = np.uint32(0)
QUIET, ACTIVE, COP, JAILED = U(0), U(1), U(2), U(3)
TERM = U(34)
FOREVER = U((1 << 30) - 1)
#: Positions in an item of ``cells`` of the counts of blocking agents, cops and actives, 21 bits
#: each. Two million agents fit on one cell; they arrive one by one, by a cop's jump or from jail.
BLOCKERS, COPS_HERE, ACTIVES_HERE = U(0), U(21), U(42)
#: Factor that raises a limit so that a tie meets it (see ``set_limits``).
TIE = 1.0 + 2.0**-20

ROUND_NONE, ROUND_FLOOR, ROUND_EVEN, ROUND_UP, ROUND_SMOOTH = 0, 1, 2, 3, 4
#: Shape and scale (at k = 2.3) of the smooth risk.
SMOOTH_SHAPE = 16
SMOOTH_SCALE = 62.6716
SMOOTH_STEP = 0.0625
SMOOTH_SIZE = 1024


class Plan(NamedTuple):
    """Everything about a lattice that is the same for all runs; built by ``model._lattice``.

    Tables are addresses, of uint64 unless said otherwise. A haloed column or row is x or y plus
    ``halo``.
    """

    width: Any
    height: Any
    halo: Any
    sites: Any
    # Per haloed column: x (16 bits), its bit in its block (16 bits), and the start of the block.
    # Per haloed row: y (16 bits), and the row of its image, or the dead row (16 bits).
    columns: Any  # (width + 2 halo,)
    rows: Any  # (height + 2 halo,)
    # Cells as bits. Groups of cells in sight: a citizen's, then a cop's.
    plane: Any  # words of a plane
    flips: Any  # (width, COPIES): blocks that hold a cell or its image, and the bit in each
    groups: Any  # (group,): dx + halo (16 bits) and dy + halo of a group's first cell
    windows: Any  # (group, width): its bit in its block (32 bits), and its word for y = 0
    goes: Any  # uint16 (16 group,): cells that an agent can move to, by row
    sees: Any  # uint16 (16 group,): cells that an agent sees
    cop_groups: Any  # where the cops' groups start, and where they end
    all_groups: Any
    # Choices fixed at compile time by the type: 8 bits if false, 16 bits if true (see `is_wide`).
    shares: Any  # whether agents can share a cell
    spread: Any  # whether there are several blocks, or groups that do not start at the halo
    grouped: Any  # whether a kind has several groups
    act_first: Any  # act then move, else move then act
    add_quiet: Any
    add_active: Any
    rounding: Any
    citizens_first: Any
    moves: Any  # bit k: whether agents of kind k move
    jailed_block: Any
    jailed_removed: Any
    own_turn: Any
    cop_jumps: Any
    term_base: Any
    term_span: Any
    forever: Any
    most: Any  # the largest C that can be seen


# An interleaved run has a page of LANE words. The functions below are given only the address of its
# page, ``at``. The page holds the addresses of its arrays,
RECORDS, ORDER, LIMITS, WORDS, MOVES = U(0), U(1), U(2), U(3), U(4)
BLOCKED, POLICE, CROWD, WHO, CELLS = U(5), U(6), U(7), U(8), U(9)
# its counts,
CITIZENS, COPS, ACTIVES, JAILS, ARRESTS, RELEASED = (U(16 + i) for i in range(6))
# (the last two and MORE_BLOCKERS: agents on a cell that had one of the kind before)
MORE_COPS, MORE_ACTIVES, MORE_BLOCKERS = U(22), U(23), U(27)
# what the first half of a turn keeps for the second,
ME, LOW, HIGH = U(24), U(25), U(26)
# the position of its last turn,
LAST = U(28)
# and the states of its streams: for acting and for changes of police (numbers of streams of four
# words), for the order and for the moves (word positions).
ACT_STREAM, COP_STREAM, ORDER_STREAM, MOVE_STREAM = U(8), U(9), U(64), U(64 + STATE)
LANE = 128
#: Marks a turn without an agent.
NOBODY = U(0xFFFFFFFFFFFFFFFF)


def choice(yes: bool) -> np.uint8 | np.uint16:
    """Return a number whose type selects one case of a choice at compile time."""
    return np.uint16(1) if yes else np.uint8(0)


@njit(forceinline=True)
def where(record):
    """Return the position of an agent from the kernel's own record."""
    return record & SHORT, (record >> ROW) & SHORT


@njit(forceinline=True)
def kind_of(record):
    """Return the kind of an agent from the kernel's own record."""
    return (record >> KIND_AT) & KIND


@njit(forceinline=True)
def packed(x, y, kind):
    """Return the lower half of the kernel's own record."""
    return x | (y << ROW) | (kind << KIND_AT)


@njit(forceinline=True)
def limit_of(at, me):
    """Return the limit of a citizen as the upper half of its record."""
    return peek(get(at, LIMITS), me, HALF) << U32


@njit(forceinline=True)
def change(at, which, by):
    """Add to a count of a run."""
    put_word(at, which, get(at, which) + by)


@njit(forceinline=True)
def who(p, at, x, y):
    """Return the active recorded as the last to come to a cell."""
    return peek(get(at, WHO), y * p.width + x, HALF)


@njit(forceinline=True)
def set_who(p, at, x, y, me):
    """Record that an active came to a cell."""
    poke(get(at, WHO), y * p.width + x, me, HALF)


@njit(forceinline=True)
def come(p, at, plane, field, more, x, y):
    """Add an agent to a cell of a plane."""
    if is_wide(p.shares):
        cells, site = get(at, CELLS), y * p.width + x
        before = get(cells, site)
        put_word(cells, site, before + (U1 << field))
        if (before >> field) & FIELD != U0:
            change(at, more, U1)
            return
    flip(get(at, plane), p, x, y)


@njit(forceinline=True)
def leave(p, at, plane, field, more, x, y):
    """Remove an agent from a cell of a plane."""
    if is_wide(p.shares):
        cells, site = get(at, CELLS), y * p.width + x
        after = get(cells, site) - (U1 << field)
        put_word(cells, site, after)
        if (after >> field) & FIELD != U0:
            change(at, more, U0 - U1)
            return
    flip(get(at, plane), p, x, y)


@njit(forceinline=True)
def occupy(p, at, x, y):
    """Add an agent to those that block a cell."""
    come(p, at, BLOCKED, BLOCKERS, MORE_BLOCKERS, x, y)


@njit(forceinline=True)
def vacate(p, at, x, y):
    """Remove an agent from those that block a cell."""
    leave(p, at, BLOCKED, BLOCKERS, MORE_BLOCKERS, x, y)


@njit(forceinline=True)
def appear(p, at, kind, x, y):
    """Make a cop or an active visible on a cell."""
    if kind == COP:
        come(p, at, POLICE, COPS_HERE, MORE_COPS, x, y)
    else:
        come(p, at, CROWD, ACTIVES_HERE, MORE_ACTIVES, x, y)


@njit(forceinline=True)
def vanish(p, at, kind, x, y):
    """Make a cop or an active on a cell no longer visible."""
    if kind == COP:
        leave(p, at, POLICE, COPS_HERE, MORE_COPS, x, y)
    else:
        leave(p, at, CROWD, ACTIVES_HERE, MORE_ACTIVES, x, y)


@njit(forceinline=True)
def sight(p, at, plane, field, more, first, last, x, y):
    """Count the agents of a plane in sight."""
    if is_wide(p.shares) and get(at, more) != U0:
        bits, cells = get(at, plane), get(at, CELLS)
        return walk_near(bits, p, p.sees, first, last, x, y, cells, field, U0)[0]
    return count_near(get(at, plane), p, p.sees, first, last, x, y, SET)


@njit
def find(p, at, x, y, rank):
    """Return active number ``rank`` in sight of a cop."""
    crowd, first, last = get(at, CROWD), p.cop_groups, p.all_groups
    alone = not is_wide(p.shares) or get(at, MORE_ACTIVES) == U0
    if alone:
        place, rest = find_near(crowd, p, p.sees, first, last, x, y, SET, rank), U0
    else:
        _, place, rest = walk_near(
            crowd, p, p.sees, first, last, x, y, get(at, CELLS), ACTIVES_HERE, rank
        )
    ax = get(p.columns, x + (place & LOW16)) & LOW16
    ay = get(p.rows, y + (place >> U16)) & LOW16
    guess = who(p, at, ax, ay)
    if not is_wide(p.shares):
        return guess
    records, wanted = get(at, RECORDS), packed(ax, ay, ACTIVE)
    if alone and get(records, guess) & LOWER == wanted:
        return guess
    for j in range(get(at, CITIZENS)):
        if get(records, j) & LOWER == wanted:
            if rest == U0:
                return j
            rest -= U1
    return NOBODY


@njit
def shuffle(order, first, n, words):
    """Shuffle ``order[first:first + n]`` with ``words[first:]``, from the last position down."""
    while n > U1:
        i = first + n - U1
        j = first + multiply_high(get(words, i), n)
        a = peek(order, i, HALF)
        poke(order, i, peek(order, j, HALF), HALF)
        poke(order, j, a, HALF)
        n -= U1


@njit
def smooth_inverse(p, table, density):
    """Return z at which the regularised gamma function P(16, z) is ``p``: cubic Hermite in a table.

    Linear near 0, where the density is too small to serve as a slope.
    """
    if p <= 0.0:
        return 0.0
    last = table.size - 1
    if p >= table[last]:
        return np.inf
    i = np.searchsorted(table, p, side="right") - 1
    low, high = i * SMOOTH_STEP, (i + 1) * SMOOTH_STEP
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


@njit
def set_limits(
    limits, hardship, risk, citizens, legitimacy, shift, lethal, weight, k, threshold,
    plan, values, table, density,
):  # fmt: skip
    """Set each citizen's limit, such that it is active if and only if ``C < limit * A``.

    With rounding, let n be the least rounded ratio with ``G - R (P(n) weight + lethal) <= T``. Then
    floor(C/A) < n is C < n A. Half up, the condition is C < (n - 1/2) A. Half to even it is the
    same, but met with equality where n is odd: there the limit is raised by less than the distance
    to the next count.
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
    # values[n] = P(n) weight + lethal, up to the n at which it stops rising.
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


@njit
def rebuild(p, at):
    """Fill the lattice arrays of one run from its records, and count its agents."""
    for i in range(get(at, CITIZENS) + get(at, COPS)):
        record = get(get(at, RECORDS), i)
        x, y = where(record)
        kind = kind_of(record)
        if kind == JAILED:
            change(at, JAILS, U1)
            if not p.jailed_block:
                continue
        occupy(p, at, x, y)
        if kind == ACTIVE:
            set_who(p, at, x, y, i)
            change(at, ACTIVES, U1)
        if kind != QUIET and kind != JAILED:
            appear(p, at, kind, x, y)


@njit
def set_cops(p, at, target):
    """Remove random cops, or add new ones on random free cells, as far as there are free cells."""
    records, cops, first = get(at, RECORDS), get(at, COPS), get(at, CITIZENS)
    while cops > target:
        i = first + multiply_high(next_word(at, COP_STREAM), cops)
        x, y = where(get(records, i))
        vacate(p, at, x, y)
        vanish(p, at, COP, x, y)
        cops -= U1
        put_word(records, i, get(records, first + cops))
        put_word(records, first + cops, U0)
    while cops < target:
        site = any_free(get(at, BLOCKED), p, at, COP_STREAM)
        if site == p.sites:
            break
        y = site // p.width
        x = site - y * p.width
        put_word(records, first + cops, packed(x, y, COP))
        occupy(p, at, x, y)
        appear(p, at, COP, x, y)
        cops += U1
    put_word(at, COPS, cops)


@njit
def release(p, at, me):
    """Free a jailed citizen; return False if it was removed and no cell is free for it."""
    place = get(get(at, RECORDS), me) & PLACE
    if p.jailed_removed:
        site = any_free(get(at, BLOCKED), p, at, ACT_STREAM)
        if site == p.sites:
            return False
        y = site // p.width
        place = packed(site - y * p.width, y, QUIET)
    if not p.jailed_block:
        x, y = where(place)
        occupy(p, at, x, y)
    put_word(get(at, RECORDS), me, place | limit_of(at, me))
    change(at, JAILS, U0 - U1)
    change(at, RELEASED, U1)
    return True


@njit
def arrest(p, at, me, x, y):
    """Let a cop arrest one of the actives in sight, if any; return the cop's new position."""
    first, last = p.cop_groups, p.all_groups
    seen = sight(p, at, CROWD, ACTIVES_HERE, MORE_ACTIVES, first, last, x, y)
    if seen == U0:
        return x, y
    caught = find(p, at, x, y, multiply_high(next_word(at, ACT_STREAM), seen))
    if caught == NOBODY:  # never, while counts and records agree
        return x, y
    term = p.term_base + multiply_high(next_word(at, ACT_STREAM), p.term_span)
    if p.forever:
        term = FOREVER
    records = get(at, RECORDS)
    place = get(records, caught) & PLACE
    ax, ay = where(place)
    change(at, ARRESTS, U1)
    change(at, ACTIVES, U0 - U1)
    vanish(p, at, ACTIVE, ax, ay)
    if term == U0 and not p.own_turn:
        put_word(records, caught, place | limit_of(at, caught))
    else:
        put_word(records, caught, place | (JAILED << KIND_AT) | (term << U32))
        change(at, JAILS, U1)
        if not p.jailed_block:
            vacate(p, at, ax, ay)
    if p.cop_jumps:
        vacate(p, at, x, y)
        vanish(p, at, COP, x, y)
        x, y = ax, ay
        occupy(p, at, x, y)
        appear(p, at, COP, x, y)
        put_word(records, me, packed(x, y, COP))
    return x, y


@njit(forceinline=True)
def see(p, at, x, y, quiet):
    """Return how many cops and actives a citizen sees; ``quiet`` if there are no actives."""
    police = sight(p, at, POLICE, COPS_HERE, MORE_COPS, U0, p.cop_groups, x, y)
    if quiet:
        return police, U0
    return police, sight(p, at, CROWD, ACTIVES_HERE, MORE_ACTIVES, U0, p.cop_groups, x, y)


@njit(forceinline=True)
def act(p, at, me, kind, x, y):
    """Let an agent decide or arrest; return its kind and position."""
    # A cop's decision as a citizen is computed too, which is cheaper than a branch that the
    # processor cannot predict.
    quiet = get(at, ACTIVES) == U0
    police, rebels = see(p, at, x, y, quiet)
    rebels += p.add_active if kind == ACTIVE else p.add_quiet
    rebels += U(rebels == U0)
    limit = peek_float(get(at, RECORDS), me + me + U1)
    now = U(np.float32(police) < limit * np.float32(rebels)) | (kind & COP)
    if now != kind:
        if now == ACTIVE:
            appear(p, at, ACTIVE, x, y)
            set_who(p, at, x, y, me)
            change(at, ACTIVES, U1)
        else:
            vanish(p, at, ACTIVE, x, y)
            change(at, ACTIVES, U0 - U1)
        put_word(get(at, RECORDS), me, packed(x, y, now) | limit_of(at, me))
    if not quiet and kind == COP:
        x, y = arrest(p, at, me, x, y)
    return now, x, y


@njit(forceinline=True)
def look(p, at, turn):
    """Do the first half of a turn: whose it is, its decision if it acts first, its free cells."""
    if is_wide(p.spread):  # a large lattice, which does not fit in the inner caches
        later = peek(get(at, ORDER), min(turn + AHEAD, get(at, LAST)), HALF)
        prefetch(get(at, RECORDS) + U(8) * later)
    me = peek(get(at, ORDER), turn, HALF)
    record = get(get(at, RECORDS), me)
    kind = kind_of(record)
    if kind == JAILED:
        left = record >> U32
        if p.own_turn and left > U0 and left != FOREVER:
            put_word(get(at, RECORDS), me, record - ONE_DAY)
        if not p.own_turn or left > U0 or not release(p, at, me):
            put_word(at, ME, NOBODY)
            return
        record = get(get(at, RECORDS), me)
        kind = QUIET
    x, y = where(record)
    if is_wide(p.act_first):
        kind, x, y = act(p, at, me, kind, x, y)
    put_word(at, ME, me)
    if (p.moves >> kind) & U1 != U0 and (not is_wide(p.grouped)):
        group = kind >> U1
        i, shift = place(p, group, x, y)
        low, high = sum_windows(get(at, BLOCKED), i, shift, p.goes, group * U(GROUP_ROWS), CLEAR)
        put_word(at, LOW, low)
        put_word(at, HIGH, high)


@njit(forceinline=True)
def choose(p, at, kind, x, y, word):
    """Draw a free cell in vision; return whether there is one, and dx + halo and dy + halo."""
    group, bits = kind >> U1, get(at, BLOCKED)
    if not is_wide(p.grouped):
        low, high = get(at, LOW), get(at, HIGH)
        free = (low >> U(56)) + (high >> U(56))
        if free == U0:
            return False, U0, U0
        rank = multiply_high(word, free)
        i, shift = place(p, group, x, y)
        column, row = take(bits, i, shift, p.goes, group, CLEAR, low, high, rank)
        if is_wide(p.spread):
            corner = get(p.groups, group)
            column, row = column + (corner & LOW16), row + (corner >> U16)
        return True, column, row
    first = p.cop_groups if group else U0
    last = p.all_groups if group else p.cop_groups
    free = count_near(bits, p, p.goes, first, last, x, y, CLEAR)
    cell = find_near(bits, p, p.goes, first, last, x, y, CLEAR, multiply_high(word, free))
    return free != U0, cell & LOW16, cell >> U16


@njit(forceinline=True)
def go(p, at, word):
    """Do the second half of a turn: the move, and the decision if the agent moves first."""
    me = get(at, ME)
    if me == NOBODY:
        return
    record = get(get(at, RECORDS), me)
    x, y = where(record)
    kind = kind_of(record)
    if (p.moves >> kind) & U1 != U0:
        found, dx, dy = choose(p, at, kind, x, y, word)
        from_x, from_y = x, y
        if found:
            vacate(p, at, x, y)
            x, y = get(p.columns, x + dx) & LOW16, get(p.rows, y + dy) & LOW16
            occupy(p, at, x, y)
            put_word(get(at, RECORDS), me, packed(x, y, kind) | (record & UPPER))
        if kind != QUIET:
            vanish(p, at, kind, from_x, from_y)
            appear(p, at, kind, x, y)
            set_who(p, at, x, y, me)
    if not is_wide(p.act_first):
        act(p, at, me, kind, x, y)


@njit
def serve_terms(p, at):
    """At the end of a tick, take a tick off every jail term, and release those at their last."""
    if get(at, JAILS) == U0:
        return
    records = get(at, RECORDS)
    for me in range(get(at, CITIZENS)):
        record = get(records, me)
        if kind_of(record) != JAILED:
            continue
        left = record >> U32
        if left > U1 and left != FOREVER:
            put_word(records, me, record - ONE_DAY)
        elif left == U1:
            release(p, at, me)  # if no cell is free: at the end of the next tick


@njit
def prepare(p, at):
    """Draw the order of a tick and the words of its moves; return the number of turns."""
    people = get(at, CITIZENS)
    total = people + get(at, COPS)
    order, words = get(at, ORDER), get(at, WORDS)
    fill(at, ORDER_STREAM, words, total)
    if p.citizens_first:
        shuffle(order, U0, people, words)
        shuffle(order, people, total - people, words)
    else:
        shuffle(order, U0, total, words)
    put_word(at, ARRESTS, U0)
    put_word(at, RELEASED, U0)
    return total


@njit
def tick(p, pages, lanes, turns):
    """Give every agent of the interleaved runs its turn. Nearly all of the time is spent here."""
    end, step = pages + lanes * U(8 * LANE), U(8 * LANE)
    for first in range(U0, turns, SOME):
        last = min(first + SOME, turns)
        if p.moves != U0:
            for at in range(pages, end, step):
                total = get(at, CITIZENS) + get(at, COPS)
                if first < total:
                    fill(at, MOVE_STREAM, get(at, MOVES), min(SOME, total - first))
        for turn in range(first, last):
            for at in range(pages, end, step):
                look(p, at, turn)
            for at in range(pages, end, step):
                go(p, at, get(get(at, MOVES), turn - first))


@njit
def line_up(order, total):
    """List the agents of a run in order, followed by one that is jailed for ever.

    That agent takes the surplus turns of a run that has fewer agents than those interleaved with
    it.
    """
    for j in range(order.size):
        order[j] = j if j < total else order.size - 1


@njit
def start_page(p, pages, i, room, addresses):
    """Write the addresses of interleaved run ``i`` on its page; return the page's address."""
    at = pages + i * U(8 * LANE)
    records, order, limits, words, moves, planes, found, cells = addresses
    put_word(at, RECORDS, records + U(8) * i * room)
    put_word(at, ORDER, order + U(4) * i * room)
    put_word(at, LIMITS, limits + U(4) * i * room)
    put_word(at, WORDS, words + U(8) * i * room)
    put_word(at, LAST, room - U1)
    put_word(at, MOVES, moves + U(8) * i * SOME)
    put_word(at, BLOCKED, planes + U(24) * i * p.plane)
    put_word(at, POLICE, planes + U(24) * i * p.plane + U(8) * p.plane)
    put_word(at, CROWD, planes + U(24) * i * p.plane + U(16) * p.plane)
    put_word(at, WHO, found + U(4) * i * p.sites)
    put_word(at, CELLS, cells + U(8) * i * p.sites)
    return at


@njit(forceinline=True)
def taken_in(record):
    """Convert an agent's record to the kernel's own layout; the limit is added later."""
    kind = (record >> U32) & KIND
    place = packed(record & LOW16, (record >> U16) & LOW16, kind)
    return place | ((record >> TERM) << U32) if kind == JAILED else place


@njit(forceinline=True)
def given_out(record):
    """Convert the kernel's own record to the layout of :class:`StreetState`."""
    x, y = where(record)
    kind = kind_of(record)
    place = x | (y << U16) | (kind << U32)
    return place | ((record >> U32) << TERM) if kind == JAILED else place


@njit
def note_limits(at):
    """Write the limits of all citizens who are not in jail into their records."""
    records = get(at, RECORDS)
    for me in range(get(at, CITIZENS)):
        record = get(records, me)
        if kind_of(record) != JAILED:
            put_word(records, me, (record & LOWER) | limit_of(at, me))


class Scratch(NamedTuple):
    """Arrays for the interleaved runs; the caller makes and keeps them (:func:`scratch`).

    If the compiled code made them, it would need another level of calls, which the compiler would
    optimise again. An array of which only the address is used must outlive the loop.
    """

    pages: Any
    records: Any
    order: Any
    limits: Any
    words: Any
    moves: Any
    planes: Any
    found: Any
    cells: Any
    values: Any


def scratch(plan: Plan, capacity: int) -> Scratch:
    """Return scratch for interleaved runs of at most ``capacity`` agents each."""
    room = (
        (capacity + EIGHT) // EIGHT * EIGHT
    )  # one more than the number of agents, rounded up to eights
    shared = plan.sites if plan.shares.itemsize > 1 else 0
    sizes = {
        "pages": (LANE, np.uint64),
        "records": (room, np.uint64),
        "order": (room, np.uint32),
        "limits": (room, np.float32),
        "words": (room, np.uint64),
        "moves": (SOME, np.uint64),
        "planes": (3 * plan.plane, np.uint64),
        "found": (plan.sites, np.uint32),
        "cells": (shared, np.uint64),
    }
    each = sum(int(n) * np.dtype(kind).itemsize for n, kind in sizes.values())
    lanes = next((n for n, most in INTERLEAVE.items() if n * each <= most), 1)
    arrays = {name: np.zeros((lanes, int(n)), kind) for name, (n, kind) in sizes.items()}
    return Scratch(**arrays, values=np.zeros(plan.most + 2, np.float64))


@njit(cache=True, nogil=True)
def advance(
    records, citizens, cops, hardship, risk, plan, seed, runs, city, day, purposes,
    legitimacy, targets, k, threshold, shift, lethal, weight, table, density,
    out_active, out_jailed, out_arrests, out_released, out_cops, scratch, sources=SOURCES,
):  # fmt: skip
    """Advance every run of the batch by ``legitimacy.shape[1]`` ticks, in place, some interleaved.

    ``sources`` is for numba's cache.
    """
    pages, own, order, limits, words, moves, planes, found, cells, values = scratch
    room = U(own.shape[1])
    addresses = (
        U(own.ctypes.data), U(order.ctypes.data), U(limits.ctypes.data), U(words.ctypes.data),
        U(moves.ctypes.data), U(planes.ctypes.data), U(found.ctypes.data), U(cells.ctypes.data),
    )  # fmt: skip
    first_page = U(pages.ctypes.data)
    capacity, nobody = records.shape[1], own.shape[1] - 1
    most = pages.shape[0]
    for first in range(0, records.shape[0], most):
        lanes = min(most, records.shape[0] - first)
        pages[:] = 0
        planes[:] = 0
        cells[:] = 0
        limits[:] = 0.0  # of the cops, who never become active
        for i in range(lanes):
            r, at = first + i, start_page(plan, first_page, U(i), room, addresses)
            begin(at, ACT_STREAM, seed, runs[r], purposes[0], city, day)
            begin(at, COP_STREAM, seed, runs[r], purposes[2], city, day)
            start_eight(at, ORDER_STREAM, seed, runs[r], purposes[1], city, day)
            start_eight(at, MOVE_STREAM, seed, runs[r], purposes[3], city, day)
            for j in range(capacity):
                own[i, j] = taken_in(records[r, j])
            own[i, nobody] = (JAILED << KIND_AT) | (FOREVER << U32)
            line_up(order[i], citizens[r] + cops[r])
            put_word(at, CITIZENS, U(citizens[r]))
            put_word(at, COPS, U(cops[r]))
            rebuild(plan, at)
        for t in range(legitimacy.shape[1]):
            turns = U0
            for i in range(lanes):
                r, at = first + i, first_page + U(i) * U(8 * LANE)
                if t == 0 or legitimacy[r, t] != legitimacy[r, t - 1]:
                    set_limits(
                        limits[i], hardship[r], risk[r], citizens[r], legitimacy[r, t], shift[r],
                        lethal[r], weight[r], k[r], threshold[r], plan, values, table, density,
                    )  # fmt: skip
                    note_limits(at)
                if targets[r, t] >= 0 and U(targets[r, t]) != get(at, COPS):
                    set_cops(plan, at, U(targets[r, t]))
                    line_up(order[i], np.int64(get(at, CITIZENS) + get(at, COPS)))
                turns = max(turns, prepare(plan, at))
            tick(plan, first_page, U(lanes), turns)
            for i in range(lanes):
                r, at = first + i, first_page + U(i) * U(8 * LANE)
                if not plan.own_turn:
                    serve_terms(plan, at)
                out_active[r, t] = get(at, ACTIVES)
                out_jailed[r, t] = get(at, JAILS)
                out_arrests[r, t] = get(at, ARRESTS)
                out_released[r, t] = get(at, RELEASED)
                out_cops[r, t] = get(at, COPS)
        for i in range(lanes):
            for j in range(capacity):
                records[first + i, j] = given_out(own[i, j])
            cops[first + i] = get(first_page + U(i) * U(8 * LANE), COPS)


@njit(cache=True, nogil=True)
def create(
    records, citizens, cops, hardship, risk, width, height, seed, runs, city, purpose,
    by_site, citizen_density, cop_density, sources=SOURCES,
):  # fmt: skip
    """Place the agents of every run and draw their traits; with ``by_site`` also their numbers."""
    n = width * height
    sites = np.zeros(n, np.uint32)
    for r in range(records.shape[0]):
        s0, s1, s2, s3 = start(seed, runs[r], purpose, city, U0)
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
            # Cops were stacked from the end; move them behind the citizens, in order of site.
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
            y = site // width
            kind = COP if i >= citizens[r] else QUIET
            records[r, i] = (site - y * width) | (y << U16) | (kind << U32)
        for i in range(citizens[r]):
            word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
            hardship[r, i] = (np.float64(word >> U(41)) + 0.5) / 8388608.0
            risk[r, i] = (np.float64((word >> U(18)) & U(0x7FFFFF)) + 0.5) / 8388608.0


@njit(cache=True, nogil=True)
def misplaced(records, citizens, cops, width, height, alone, jailed_block, sources=SOURCES):
    """Find a run that these kernels cannot handle; return its index (-1 if none) and the reason.

    The reason is True if two blocking agents share a cell although ``alone`` is set. It is False if
    an agent is off the lattice, or of a kind that does not belong at its place in the table.
    """
    on = np.zeros(width * height, np.uint32)
    for r in range(records.shape[0]):
        for i in range(citizens[r] + cops[r]):
            record = records[r, i]
            x, y, kind = record & LOW16, (record >> U16) & LOW16, (record >> U32) & KIND
            if x >= width or y >= height or (kind == COP) != (i >= citizens[r]):
                return r, False
            if alone and (kind != JAILED or jailed_block):
                site = y * width + x
                if on[site] == r + 1:
                    return r, True
                on[site] = r + 1
    return -1, False
