"""Epstein's Model II in plain Python: slow, readable, draw for draw equal to the compiled one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from foedus_streets.two_groups import (
    PURPOSES_TWO,
    TwoGroupOptions,
    arrest_risk,
    cells_around,
)

from .street_words import pick, words

Cell = tuple[int, int]
A = TypeVar("A", bound="Citizen | Cop")
#: Counts after a tick: living, actives, jailed, kills of each group; then cops.
Row = tuple[int, int, int, int, int, int, int, int, int]


@dataclass(eq=False)
class Cop:
    """An agent that arrests actives of either group."""

    cell: Cell


@dataclass(eq=False)
class Citizen:
    """A member of a group, 0 or 1. Kinds: quiet, active, jailed, dead."""

    cell: Cell
    group: int
    hardship: float
    risk_aversion: float
    life: int
    kind: str = "quiet"
    term: float = 0


class ReferenceTwo:
    """One run of the two-group model; see :func:`foedus_streets.simulate_two`."""

    def __init__(self, options: TwoGroupOptions, *, seed: int, run: int) -> None:
        self.o = options
        streams = [words(seed, run, name, 0, 0) for name in PURPOSES_TWO]
        self.act, self.order, self.police, create = streams
        self.cells = [(x, y) for y in range(options.height) for x in range(options.width)]
        self.on: dict[Cell, Citizen | Cop] = {}
        self.citizens: list[Citizen] = []
        self.cops: list[Cop] = []
        deck = list(self.cells)
        for i in range(options.citizens + options.cops):
            j = i + pick(create, len(deck) - i)
            deck[i], deck[j] = deck[j], deck[i]
            if i >= options.citizens:
                self.cops.append(self.put(Cop(deck[i]), deck[i]))
                continue
            h, r, life = unit(create), unit(create), self.new_life(create)
            self.citizens.append(self.put(Citizen(deck[i], i % 2, h, r, life), deck[i]))

    def advance(self, legitimacy: Sequence[float], cops: Sequence[int]) -> list[Row]:
        """Advance by the ticks of ``legitimacy``; return the counts of each."""
        rows = []
        for L, target in zip(legitimacy, cops, strict=True):
            if target >= 0:
                self.set_cops(target)
            self.L, self.kills = L, [0, 0]
            everyone: list[Citizen | Cop] = [*reversed(self.cops), *self.citizens]
            for size in range(len(everyone), 1, -1):
                j = pick(self.order, size)
                everyone[size - 1], everyone[j] = everyone[j], everyone[size - 1]
            for agent in everyone:
                if isinstance(agent, Cop):
                    self.enforce(agent)
                elif agent.kind in ("quiet", "active"):
                    self.live(agent)
            self.end_tick()
            counts = []
            for group in (0, 1):
                kinds = [a.kind for a in self.citizens if a.group == group]
                counts += [len(kinds), kinds.count("active"), kinds.count("jailed")]
                counts += [self.kills[group]]
            a, b, c, d, e, f, g, h = counts
            rows.append((a, b, c, d, e, f, g, h, len(self.cops)))
        return rows

    def live(self, me: Citizen) -> None:
        """Move, decide, kill, clone."""
        self.move(me, self.o.citizen_vision)
        around = self.around(me, self.o.citizen_vision)
        cops = sum(isinstance(other, Cop) for other in around)
        people = [other for other in around if isinstance(other, Citizen)]
        actives = 1 + sum(other.kind == "active" for other in people)
        net_risk = me.risk_aversion * arrest_risk(self.o, cops, actives)
        active = me.hardship * (1.0 - self.L) - net_risk > self.o.threshold
        me.kind = "active" if active else "quiet"
        victims = [other for other in people if other.group != me.group]
        if active and victims:
            victim = victims[pick(self.act, len(victims))]
            victim.kind = "dead"
            del self.on[victim.cell]
            self.kills[me.group] += 1
        if unit(self.act) < self.o.cloning and len(self.citizens) < 2 * len(self.cells):
            cell = self.free_near(me, 1.5)
            if cell is not None:
                risk_aversion = unit(self.act)
                if self.o.inherits_risk:
                    risk_aversion = me.risk_aversion
                life = self.new_life(self.act)
                child = Citizen(cell, me.group, me.hardship, risk_aversion, life)
                self.citizens.append(self.put(child, cell))

    def enforce(self, cop: Cop) -> None:
        """Move, then arrest a random active in vision."""
        self.move(cop, self.o.cop_vision)
        suspects = [
            other
            for other in self.around(cop, self.o.cop_vision)
            if isinstance(other, Citizen) and other.kind == "active"
        ]
        if not suspects:
            return
        suspect = suspects[pick(self.act, len(suspects))]
        word = next(self.act)
        suspect.term = math.inf
        if math.isfinite(self.o.max_jail_term):
            suspect.term = word * (int(self.o.max_jail_term) + 1) >> 64
        suspect.kind = "quiet"
        if suspect.term > 0:
            suspect.kind = "jailed"
            del self.on[suspect.cell]

    def end_tick(self) -> None:
        """End a tick: the old die, terms run down."""
        for me in self.citizens:
            if me.kind == "dead":
                continue
            me.life -= 1
            if me.life == 0:
                if me.kind != "jailed":
                    del self.on[me.cell]
                me.kind = "dead"
            if me.kind == "jailed":
                me.term = max(me.term - 1, 0)
                cell = self.free_anywhere(self.act) if me.term == 0 else None
                if cell is not None:
                    me.kind = "quiet"
                    self.put(me, cell)
        self.citizens = [me for me in self.citizens if me.kind != "dead"]

    def move(self, me: Citizen | Cop, vision: float) -> None:
        """Go to a random free cell in vision."""
        cell = self.free_near(me, vision) if self.o.movement else None
        if cell is not None:
            del self.on[me.cell]
            self.put(me, cell)

    def set_cops(self, target: int) -> None:
        """Remove random cops or put new ones on random free cells."""
        while len(self.cops) > target:
            i = pick(self.police, len(self.cops))
            del self.on[self.cops[i].cell]
            self.cops[i] = self.cops[-1]
            self.cops.pop()
        while len(self.cops) < target:
            cell = self.free_anywhere(self.police)
            if cell is None:
                return
            self.cops.append(self.put(Cop(cell), cell))

    def free_near(self, me: Citizen | Cop, vision: float) -> Cell | None:
        """Return a random free cell within a radius."""
        cells = [self.at(me, offset) for offset in cells_around(vision)]
        free = [cell for cell in cells if cell not in self.on]
        return free[pick(self.act, len(free))] if free else None

    def free_anywhere(self, source: Iterator[int]) -> Cell | None:
        """Return a random free cell of the lattice."""
        free = [cell for cell in self.cells if cell not in self.on]
        return free[pick(source, len(free))] if free else None

    def around(self, me: Citizen | Cop, vision: float) -> list[Citizen | Cop]:
        """Return everyone else within a radius."""
        cells = [self.at(me, offset) for offset in cells_around(vision)]
        return [self.on[cell] for cell in cells if cell in self.on]

    def at(self, me: Citizen | Cop, offset: Cell) -> Cell:
        """Return a cell relative to an agent, on the torus."""
        return (me.cell[0] + offset[0]) % self.o.width, (me.cell[1] + offset[1]) % self.o.height

    def put(self, agent: A, cell: Cell) -> A:
        """Place an agent on a free cell."""
        agent.cell = cell
        self.on[cell] = agent
        return agent

    def new_life(self, source: Iterator[int]) -> int:
        """Return the ticks to live, uniform on 1 to the maximum age."""
        return pick(source, self.o.max_age) + 1


def unit(source: Iterator[int]) -> float:
    """Return a number in (0, 1)."""
    return ((next(source) >> 12) + 0.5) / 2**52
