"""The street lattice in plain Python: slow, readable, and draw for draw equal to the compiled one.

It counts by looking, evaluates the rule as printed (``G - N > T``) in float64, and has no packed
records, halo, bits or limits. The tests require :mod:`foedus.world.lattice.kernel` to equal it.
With roundings ``none`` and ``smooth`` the kernel's limits are float32, so equality holds in all
cases tried rather than in all cases.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from foedus.world.lattice.bitplanes import FAR_WORDS
from foedus.world.lattice.model import PURPOSES, StreetState, cells_in_sight
from foedus.world.lattice.options import Placement, StreetOptions

from .street_words import Eights, pick, scale, words


@dataclass
class Agent:
    """A citizen or a cop. Kinds: quiet, active, jailed, cop."""

    kind: str
    x: int
    y: int
    term: float = 0
    hardship: float = 0.0
    risk_aversion: float = 0.0


def populate(
    options: StreetOptions, *, seed: int, run: int, city: int
) -> tuple[list[Agent], list[Agent]]:
    """Return the citizens and the cops of a run at its start; see :func:`model.create`."""
    source = words(seed, run, "streets.create", city, 0)
    cells = [(x, y) for y in range(options.height) for x in range(options.width)]
    people, police = [], []
    if options.placement is Placement.SITE:
        for cell in cells:
            u = (next(source) >> 11) / 2**53
            if u < options.citizen_density:
                people.append(cell)
            elif u < options.citizen_density + options.cop_density:
                police.append(cell)
    else:
        n = options.citizens
        for i in range(n + options.cops):
            j = i + pick(source, len(cells) - i)
            cells[i], cells[j] = cells[j], cells[i]
        people, police = cells[:n], cells[n : n + options.cops]
    citizens = [Agent("quiet", *cell) for cell in people]
    for citizen in citizens:
        word = next(source)
        citizen.hardship = ((word >> 41) + 0.5) / 2**23
        citizen.risk_aversion = ((word >> 18 & 0x7FFFFF) + 0.5) / 2**23
    return citizens, [Agent("cop", *cell) for cell in police]


class ReferenceStreet:
    """One run of a street lattice, started from a state; see :func:`model.advance`."""

    def __init__(self, options: StreetOptions, state: StreetState, position: int) -> None:
        self.o = options
        got = state.agents(position)
        kinds = ("quiet", "active", "cop", "jailed")
        everyone = [
            Agent(kinds[kind], int(x), int(y), math.inf if term < 0 else int(term))
            for x, y, kind, term in zip(got["x"], got["y"], got["kind"], got["term"], strict=True)
        ]
        n = int(state.citizens[position])
        self.citizens, self.cops = everyone[:n], everyone[n:]
        for i, citizen in enumerate(self.citizens):
            citizen.hardship = float(state.hardship[position, i])
            citizen.risk_aversion = float(state.risk_aversion[position, i])
        own, visions = options.own_cell, (options.citizen_vision, options.cop_vision)
        self.seen, self.look = (cells_in_sight(options, v, own_cell=own) for v in visions)
        self.moves = [cells_in_sight(options, v, own_cell=False) for v in visions]

    def advance(
        self, *, seed: int, run: int, city: int, day: int,
        legitimacy: Sequence[float], cops: Sequence[int], shift: float, lethal: float,
        aversion: float, k: float, threshold: float,
    ) -> list[tuple[int, int, int, int, int]]:  # fmt: skip
        """Advance by the ticks of ``legitimacy``; return actives to cops of each tick."""
        self.k, self.threshold, self.shift, self.lethal = k, threshold, shift, lethal
        self.weight = self.o.max_jail_term**aversion if aversion else 1.0
        self.act, police = (words(seed, run, PURPOSES[i], city, day) for i in (0, 2))
        order, move = (Eights(seed, run, PURPOSES[i], city, day) for i in (1, 3))
        turns = list(range(len(self.citizens) + len(self.cops)))
        rows = []
        for L, target in zip(legitimacy, cops, strict=True):
            self.L, self.arrests, self.released = L, 0, 0
            if target >= 0 and target != len(self.cops):
                self.set_cops(target, police)
                turns = list(range(len(self.citizens) + len(self.cops)))
            n = len(self.citizens) if self.o.activation == "citizens_first" else 0
            luck = order.take(len(turns))
            for first, last in ((0, n), (n, len(turns))):
                for i in range(last - 1, first, -1):
                    j = first + scale(luck[i], i - first + 1)
                    turns[i], turns[j] = turns[j], turns[i]
            everyone = self.citizens + self.cops
            ways = move.take(len(turns)) if self.o.movement != "none" else [0] * len(turns)
            for turn, self.way in zip(turns, ways, strict=True):
                self.activate(everyone[turn])
            if self.o.jail_clock == "tick_end":
                for citizen in self.citizens:
                    if citizen.kind != "jailed":
                        continue
                    if citizen.term > 1 or not self.release(citizen):
                        citizen.term = max(citizen.term - 1, 1)
            kinds = [citizen.kind for citizen in self.citizens]
            rows.append((kinds.count("active"), kinds.count("jailed"), self.arrests, self.released,
                         len(self.cops)))  # fmt: skip
        return rows

    def activate(self, agent: Agent) -> None:
        """Give one agent its turn."""
        o = self.o
        if agent.kind == "jailed":
            if o.jail_clock == "tick_end":
                return
            if agent.term > 0:
                agent.term -= 1
                return
            if not self.release(agent):
                return
        act = self.enforce if agent.kind == "cop" else self.decide
        steps: list[Callable[[Agent], None]] = [self.move, act]
        for step in steps if o.order == "move_then_act" else reversed(steps):
            step(agent)

    def decide(self, me: Agent) -> None:
        """Rule A: active if and only if G - N > T."""
        here = self.around(me, self.seen)
        c = sum(other.kind == "cop" for other in here)
        others = sum(other.kind == "active" and other is not me for other in here)
        mine = me.kind == "active"
        twice = mine and any(other is me for other in here)
        a = {"once": others + 1, "twice": others + 1 + twice, "if_active": max(1, others + mine)}
        net_risk = me.risk_aversion * (
            self.risk(Fraction(c, a[self.o.self_count])) * self.weight + self.lethal
        )
        grievance = me.hardship * (1.0 - self.L) + self.shift
        me.kind = "active" if grievance - net_risk > self.threshold else "quiet"

    def risk(self, ratio: Fraction) -> float:
        """Probability of arrest at a ratio C/A."""
        if self.o.rounding == "smooth":
            z = 62.6716 * self.k / 2.3 * float(ratio)
            term = total = math.exp(-z)
            for i in range(1, 16):
                term *= z / i
                total += term
            return 1.0 - total
        rounded: dict[str, float] = {
            "none": float(ratio),
            "floor": math.floor(ratio),
            "half_even": round(ratio),
            "half_up": math.floor(ratio + Fraction(1, 2)),
        }
        return 1.0 - math.exp(-self.k * rounded[self.o.rounding])

    def enforce(self, cop: Agent) -> None:
        """Rule C: arrest a random active in vision."""
        suspects = [other for other in self.around(cop, self.look) if other.kind == "active"]
        if not suspects:
            return
        suspect = suspects[pick(self.act, len(suspects))]
        longest, law = self.o.max_jail_term, self.o.jail_term
        word = next(self.act)
        if math.isinf(longest):
            suspect.term = math.inf
        else:
            J = int(longest)
            laws = {"below": (0, J), "up_to": (0, J + 1), "from_one": (1, J), "fixed": (J, 1)}
            suspect.term = laws[law][0] + (word * laws[law][1] >> 64)
        free_at_once = suspect.term == 0 and self.o.jail_clock == "tick_end"
        suspect.kind = "quiet" if free_at_once else "jailed"
        self.arrests += 1
        if self.o.cop_jumps:
            cop.x, cop.y = suspect.x, suspect.y

    def move(self, me: Agent) -> None:
        """Rule M: go to a random free cell in vision."""
        side = int(me.kind == "cop")
        if self.o.movement == "none" or (self.o.movement == "cops" and side == 0):
            return
        blocked = self.blocked()
        free = [cell for cell in self.moves[side] if self.at(me, cell) not in blocked]
        if free:
            me.x, me.y = self.at(me, free[scale(self.way, len(free))])

    def release(self, citizen: Agent) -> bool:
        """Free a jailed citizen; a removed one needs a free cell."""
        if self.o.jailed_cell == "removed":
            cell = self.free_anywhere(self.act)
            if cell is None:
                return False
            citizen.x, citizen.y = cell
        citizen.kind, citizen.term = "quiet", 0
        self.released += 1
        return True

    def set_cops(self, target: int, source: Iterator[int]) -> None:
        """Remove random cops or put new ones on random free cells."""
        while len(self.cops) > target:
            i = pick(source, len(self.cops))
            self.cops[i] = self.cops[-1]
            self.cops.pop()
        while len(self.cops) < target:
            cell = self.free_anywhere(source)
            if cell is None:
                return
            self.cops.append(Agent("cop", *cell))

    def free_anywhere(self, source: Iterator[int]) -> tuple[int, int] | None:
        """Return a random free cell of the lattice."""
        width, height, blocked = self.o.width, self.o.height, self.blocked()
        for _ in range(FAR_WORDS):
            y, x = divmod(pick(source, width * height), width)
            if (x, y) not in blocked:
                return x, y
        free = [(x, y) for y in range(height) for x in range(width) if (x, y) not in blocked]
        return free[pick(source, len(free))] if free else None

    def blocked(self) -> set[tuple[int, int]]:
        """Return the cells to which nobody can move."""
        everyone, held = self.citizens + self.cops, self.o.jailed_cell == "block"
        return {(a.x, a.y) for a in everyone if a.kind != "jailed" or held}

    def at(self, me: Agent, cell: tuple[int, int]) -> tuple[int, int]:
        """Return the coordinates of a cell relative to an agent, on the torus."""
        return (me.x + cell[0]) % self.o.width, (me.y + cell[1]) % self.o.height

    def around(self, me: Agent, cells: list[tuple[int, int]]) -> list[Agent]:
        """Return everyone on some cells around an agent, cell by cell."""
        on: dict[tuple[int, int], list[Agent]] = {}
        for other in self.citizens + self.cops:
            on.setdefault((other.x, other.y), []).append(other)
        return [other for cell in cells for other in on.get(self.at(me, cell), [])]
