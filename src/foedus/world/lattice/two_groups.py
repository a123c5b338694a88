"""The compiled lattice of Epstein's Model II: two groups that kill, clone, age and die.

``tests/oracles/two_groups.py`` is the same model in plain Python, with the same draws.

A run keeps its people in the columns of one table, ``people[field, agent]``, and the occupant of
each cell in ``where[site]``: 0 nobody, 1 + agent, or ``-1 - cop``. Vision is a list of offsets. The
lattice is small, so a citizen looks at each cell in turn.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from foedus.world.lattice.machine import multiply_high, source_digest
from foedus.world.lattice.streams import draw, start

#: Names the compiled text in numba's cache (see :func:`machine.source_digest`).
SOURCES = source_digest(__name__)

U = np.uint64
QUIET, ACTIVE, JAILED, DEAD = 0, 1, 2, 3
#: Fields of a person; ``LIFE`` is the number of ticks left to live.
X, Y, GROUP, KIND, TERM, LIFE = 0, 1, 2, 3, 4, 5
FIELDS = 6
#: Rows of the output: living, actives, jailed and kills of the first group; the same of the second;
#: cops.
OUTPUTS = 9
FOREVER = 2**40


class PlanTwo(NamedTuple):
    """Everything that is the same for all runs; built by ``foedus_streets.two_groups``."""

    width: Any
    height: Any
    seen: Any  # int64 (cell, 2): dx, dy of the cells in vision of a citizen, without its own
    look: Any  # int64 (cell, 2): the same of a cop
    near: Any  # int64 (8, 2): the cells onto which a citizen clones
    risk: Any  # float64 (cops + 1, actives + 1): arrest probability by what a citizen counts
    threshold: Any
    cloning: Any
    inherits_risk: Any
    max_age: Any
    term_span: Any  # number of possible jail terms, 0..J; 0 for ever
    move: Any


@njit
def free(where, plan, cells, x, y, s0, s1, s2, s3):
    """Draw a free cell from ``cells`` around (x, y); return its number in ``cells``, or -1."""
    found = 0
    for i in range(cells.shape[0]):
        nx, ny = (x + cells[i, 0]) % plan.width, (y + cells[i, 1]) % plan.height
        if where[ny * plan.width + nx] == 0:
            found += 1
    if found == 0:
        return -1, s0, s1, s2, s3
    word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
    skip = np.int64(multiply_high(word, U(found)))
    for i in range(cells.shape[0]):
        nx, ny = (x + cells[i, 0]) % plan.width, (y + cells[i, 1]) % plan.height
        if where[ny * plan.width + nx] == 0:
            if skip == 0:
                return i, s0, s1, s2, s3
            skip -= 1
    return -1, s0, s1, s2, s3


@njit
def free_anywhere(where, s0, s1, s2, s3):
    """Draw a free cell of the lattice; return its number, or -1."""
    found = 0
    for site in range(where.size):
        if where[site] == 0:
            found += 1
    if found == 0:
        return -1, s0, s1, s2, s3
    word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
    skip = np.int64(multiply_high(word, U(found)))
    for site in range(where.size):
        if where[site] == 0:
            if skip == 0:
                return site, s0, s1, s2, s3
            skip -= 1
    return -1, s0, s1, s2, s3


@njit
def seen(where, people, plan, cells, x, y, group, kind, skip):
    """Count citizens in sight not of ``group`` and, if >= 0, of ``kind``; name no. ``skip``."""
    found, chosen = 0, -1
    for i in range(cells.shape[0]):
        nx, ny = (x + cells[i, 0]) % plan.width, (y + cells[i, 1]) % plan.height
        other = where[ny * plan.width + nx] - 1
        if other < 0 or people[GROUP, other] == group:
            continue
        if kind >= 0 and people[KIND, other] != kind:
            continue
        if found == skip:
            chosen = other
        found += 1
    return found, chosen


@njit
def pick(where, people, plan, cells, x, y, group, kind, s0, s1, s2, s3):
    """Draw one of the citizens that ``seen`` counts, or -1."""
    found, chosen = seen(where, people, plan, cells, x, y, group, kind, -1)
    if found > 0:
        word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
        skip = np.int64(multiply_high(word, U(found)))
        found, chosen = seen(where, people, plan, cells, x, y, group, kind, skip)
    return chosen, s0, s1, s2, s3


@njit
def new_life(plan, word):
    """Return the ticks to live: uniform on 1..max_age."""
    return np.int64(multiply_high(word, U(plan.max_age))) + 1


@njit
def unit(word):
    """Map a word to a number in (0, 1)."""
    return (np.float64(word >> U(12)) + 0.5) * (1.0 / 4503599627370496.0)


@njit
def populate(people, hardship, aversion, police, where, citizens, cops, plan, s0, s1, s2, s3):
    """Place everybody on separate cells, half of the citizens in each group."""
    sites = np.arange(where.size)
    for i in range(citizens + cops):
        word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
        j = i + np.int64(multiply_high(word, U(where.size - i)))
        site = sites[j]
        sites[j] = sites[i]
        sites[i] = site
        x, y = site % plan.width, site // plan.width
        if i >= citizens:
            police[0, i - citizens], police[1, i - citizens] = x, y
            where[site] = -1 - (i - citizens)
            continue
        people[X, i], people[Y, i] = x, y
        people[GROUP, i] = i % 2
        people[KIND, i] = QUIET
        people[TERM, i] = 0
        where[site] = 1 + i
        word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
        hardship[i] = unit(word)
        word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
        aversion[i] = unit(word)
        word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
        people[LIFE, i] = new_life(plan, word)


@njit
def set_cops(police, where, cops, target, plan, s0, s1, s2, s3):
    """Remove random cops, or add new ones on random free cells, as far as there are free cells."""
    while cops > target:
        word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
        i = np.int64(multiply_high(word, U(cops)))
        cops -= 1
        where[police[1, i] * plan.width + police[0, i]] = 0
        if i < cops:
            police[0, i], police[1, i] = police[0, cops], police[1, cops]
            where[police[1, i] * plan.width + police[0, i]] = -1 - i
    while cops < target:
        site, s0, s1, s2, s3 = free_anywhere(where, s0, s1, s2, s3)
        if site < 0:
            break
        police[0, cops], police[1, cops] = site % plan.width, site // plan.width
        where[site] = -1 - cops
        cops += 1
    return cops, s0, s1, s2, s3


@njit
def citizen(me, people, hardship, aversion, where, n, plan, legitimacy, kills, s0, s1, s2, s3):
    """Give a citizen its turn: move, decide, kill, clone; return the number of agents."""
    x, y = people[X, me], people[Y, me]
    if plan.move:
        cell, s0, s1, s2, s3 = free(where, plan, plan.seen, x, y, s0, s1, s2, s3)
        if cell >= 0:
            where[y * plan.width + x] = 0
            x, y = (x + plan.seen[cell, 0]) % plan.width, (y + plan.seen[cell, 1]) % plan.height
            people[X, me], people[Y, me] = x, y
            where[y * plan.width + x] = 1 + me
    cops, actives = 0, 1
    for i in range(plan.seen.shape[0]):
        nx, ny = (x + plan.seen[i, 0]) % plan.width, (y + plan.seen[i, 1]) % plan.height
        other = where[ny * plan.width + nx]
        if other < 0:
            cops += 1
        elif other > 0 and people[KIND, other - 1] == ACTIVE:
            actives += 1
    grievance = hardship[me] * (1.0 - legitimacy)
    people[KIND, me] = QUIET
    if grievance - aversion[me] * plan.risk[cops, actives] > plan.threshold:
        people[KIND, me] = ACTIVE
        mine = people[GROUP, me]
        victim, s0, s1, s2, s3 = pick(
            where, people, plan, plan.seen, x, y, mine, -1, s0, s1, s2, s3
        )
        if victim >= 0:
            people[KIND, victim] = DEAD
            where[people[Y, victim] * plan.width + people[X, victim]] = 0
            kills[mine] += 1
    word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
    if unit(word) < plan.cloning and n < people.shape[1]:
        cell, s0, s1, s2, s3 = free(where, plan, plan.near, x, y, s0, s1, s2, s3)
        if cell >= 0:
            nx, ny = (x + plan.near[cell, 0]) % plan.width, (y + plan.near[cell, 1]) % plan.height
            people[X, n], people[Y, n] = nx, ny
            people[GROUP, n] = people[GROUP, me]
            people[KIND, n] = QUIET
            people[TERM, n] = 0
            hardship[n] = hardship[me]
            word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
            aversion[n] = aversion[me] if plan.inherits_risk else unit(word)
            word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
            people[LIFE, n] = new_life(plan, word)
            where[ny * plan.width + nx] = 1 + n
            n += 1
    return n, s0, s1, s2, s3


@njit
def cop(me, police, people, where, plan, s0, s1, s2, s3):
    """Give a cop its turn: move, then arrest a random active in sight, from either group."""
    x, y = police[0, me], police[1, me]
    if plan.move:
        cell, s0, s1, s2, s3 = free(where, plan, plan.look, x, y, s0, s1, s2, s3)
        if cell >= 0:
            where[y * plan.width + x] = 0
            x, y = (x + plan.look[cell, 0]) % plan.width, (y + plan.look[cell, 1]) % plan.height
            police[0, me], police[1, me] = x, y
            where[y * plan.width + x] = -1 - me
    caught, s0, s1, s2, s3 = pick(where, people, plan, plan.look, x, y, -1, ACTIVE, s0, s1, s2, s3)
    if caught >= 0:
        word, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
        term = np.int64(FOREVER)
        if plan.term_span > 0:
            term = np.int64(multiply_high(word, U(plan.term_span)))
        people[TERM, caught] = term
        people[KIND, caught] = QUIET
        if term > 0:
            people[KIND, caught] = JAILED
            where[people[Y, caught] * plan.width + people[X, caught]] = 0
    return s0, s1, s2, s3


@njit
def end_tick(people, hardship, aversion, where, n, plan, s0, s1, s2, s3):
    """End a tick: the old die, jail terms run down, and the dead leave the table in order."""
    kept = 0
    for i in range(n):
        kind = people[KIND, i]
        site = people[Y, i] * plan.width + people[X, i]
        if kind == DEAD:
            continue
        people[LIFE, i] -= 1
        if people[LIFE, i] == 0:
            if kind != JAILED:
                where[site] = 0
            continue
        if kind == JAILED:
            people[TERM, i] = max(people[TERM, i] - 1, 0)
            if people[TERM, i] == 0:
                site, s0, s1, s2, s3 = free_anywhere(where, s0, s1, s2, s3)
                if site >= 0:  # otherwise it waits for a free cell
                    people[X, i], people[Y, i] = site % plan.width, site // plan.width
                    people[KIND, i] = QUIET
        if people[KIND, i] != JAILED:
            where[site] = 1 + kept
        for field in range(FIELDS):
            people[field, kept] = people[field, i]
        hardship[kept] = hardship[i]
        aversion[kept] = aversion[i]
        kept += 1
    return kept, s0, s1, s2, s3


@njit
def run_two(
    seed, run, purposes, citizens, cops, plan, legitimacy, targets, stop,
    people, hardship, aversion, police, out,
):  # fmt: skip
    """Do one run; return the first tick, counted from 1, with a group extinct, or 0."""
    a0, a1, a2, a3 = start(seed, run, purposes[0], U(0), U(0))
    o0, o1, o2, o3 = start(seed, run, purposes[1], U(0), U(0))
    c0, c1, c2, c3 = start(seed, run, purposes[2], U(0), U(0))
    s0, s1, s2, s3 = start(seed, run, purposes[3], U(0), U(0))
    where = np.zeros(plan.width * plan.height, np.int64)
    populate(people, hardship, aversion, police, where, citizens, cops, plan, s0, s1, s2, s3)
    order = np.zeros(people.shape[1] + police.shape[1], np.int64)
    kills = np.zeros(2, np.int64)
    n = citizens
    extinct = 0
    for t in range(legitimacy.size):
        if targets[t] >= 0 and targets[t] != cops:
            cops, c0, c1, c2, c3 = set_cops(police, where, cops, targets[t], plan, c0, c1, c2, c3)
        kills[:] = 0
        total = n + cops
        for i in range(total):
            order[i] = i - cops  # cops are -cops..-1
        left = total
        while left > 1:
            word, o0, o1, o2, o3 = draw(o0, o1, o2, o3)
            j = np.int64(multiply_high(word, U(left)))
            left -= 1
            swap = order[left]
            order[left] = order[j]
            order[j] = swap
        for turn in range(total):
            me = order[turn]
            if me < 0:
                a0, a1, a2, a3 = cop(-1 - me, police, people, where, plan, a0, a1, a2, a3)
            elif people[KIND, me] == QUIET or people[KIND, me] == ACTIVE:
                n, a0, a1, a2, a3 = citizen(
                    me, people, hardship, aversion, where, n, plan, legitimacy[t], kills,
                    a0, a1, a2, a3,
                )  # fmt: skip
        n, a0, a1, a2, a3 = end_tick(people, hardship, aversion, where, n, plan, a0, a1, a2, a3)
        out[:, t] = 0
        for i in range(n):
            row = 4 * people[GROUP, i]
            out[row, t] += 1
            if people[KIND, i] == ACTIVE:
                out[row + 1, t] += 1
            elif people[KIND, i] == JAILED:
                out[row + 2, t] += 1
        out[3, t] = kills[0]
        out[7, t] = kills[1]
        out[8, t] = cops
        if extinct == 0 and (out[0, t] == 0 or out[4, t] == 0):
            extinct = t + 1
            if stop:
                for later in range(t + 1, legitimacy.size):
                    out[:, later] = out[:, t]
                    out[3, later] = 0
                    out[7, later] = 0
                return extinct
    return extinct


@njit(cache=True, nogil=True)
def advance_two(
    seed, runs, purposes, citizens, cops, most_cops, plan, legitimacy, targets, stop, out, extinct,
    sources=SOURCES,
):  # fmt: skip
    """Do a batch of runs, each from its own address; ``sources`` is for numba's cache."""
    capacity = 2 * plan.width * plan.height
    people = np.zeros((FIELDS, capacity), np.int64)
    hardship = np.zeros(capacity, np.float64)
    aversion = np.zeros(capacity, np.float64)
    police = np.zeros((2, most_cops), np.int64)
    for r in range(runs.size):
        extinct[r] = run_two(
            seed, U(runs[r]), purposes, citizens, cops, plan, legitimacy[r], targets[r], stop,
            people, hardship, aversion, police, out[r],
        )  # fmt: skip
