"""Options of a street lattice: sizes, parameters, and every choice that Epstein left open.

Epstein (2002, doi 10.1073/pnas.092080199) does not say which cells are in vision, how C/A is
rounded, who is activated when, or what happens to a jailed agent's cell. Depending on these
choices, the chance of an outburst ranges from 0 to about 1/3. Each choice is therefore a named
option, and :func:`reading` returns the sets of options implied by published codes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, TypeVar

from foedus.world.lattice.checks import flag, number, shown, whole


class Neighbourhood(StrEnum):
    """Cells in vision: ``dx**2 + dy**2``, ``max(|dx|, |dy|)`` or ``|dx| + |dy|`` within reach."""

    DISC = "disc"
    MOORE = "moore"
    DIAMOND = "diamond"


class Rounding(StrEnum):
    """How C/A is rounded before it enters the arrest probability.

    ``none`` leaves it unrounded, ``floor`` is NetLogo's, ``half_even`` Python's ``round`` (Mesa),
    ``half_up`` NetLogo's ``round``. ``smooth`` replaces ``1 - exp(-k C/A)`` by the regularised
    gamma function ``P(16, 62.6716 (k / 2.3) C/A)`` of Fonoberova et al. 2013, doi
    10.1016/j.ress.2013.04.004.
    """

    NONE = "none"
    FLOOR = "floor"
    HALF_EVEN = "half_even"
    HALF_UP = "half_up"
    SMOOTH = "smooth"


class Order(StrEnum):
    """What an activated agent does first."""

    MOVE_THEN_ACT = "move_then_act"
    ACT_THEN_MOVE = "act_then_move"


class Activation(StrEnum):
    """When agents are activated: one shuffle of all agents, or all citizens and then all cops."""

    INTERLEAVED = "interleaved"
    CITIZENS_FIRST = "citizens_first"


class Movement(StrEnum):
    """Who moves. NetLogo's switch stops the citizens only: ``cops``."""

    ALL = "all"
    COPS = "cops"
    NONE = "none"


class JailedCell(StrEnum):
    """The cell of a jailed citizen: blocked, open to others, or vacated by the citizen's removal.

    ``removed`` citizens return to a random free cell of the lattice.
    """

    BLOCK = "block"
    OPEN = "open"
    REMOVED = "removed"


class JailTerm(StrEnum):
    """The law of a jail term: ``below`` 0..J-1, ``up_to`` 0..J, ``from_one`` 1..J, ``fixed`` J.

    A real term U(0, J) served in whole periods is ``from_one``.
    """

    BELOW = "below"
    UP_TO = "up_to"
    FROM_ONE = "from_one"
    FIXED = "fixed"


class JailClock(StrEnum):
    """When a term runs down: at the jailed citizen's own turn (Mesa), or at the end of the tick.

    At its own turn, a citizen with no term left is free, decides and moves at once; until that turn
    it counts as jailed. At the end of a tick, a term of 0 means release at once.
    """

    OWN_TURN = "own_turn"
    TICK_END = "tick_end"


class SelfCount(StrEnum):
    """How a citizen counts itself in A.

    ``once``: 1 + the other actives. ``twice``: 1 + all actives, so an active citizen counts double
    (NetLogo). ``if_active``: all actives, including itself if active, at least 1.
    """

    ONCE = "once"
    TWICE = "twice"
    IF_ACTIVE = "if_active"


class Placement(StrEnum):
    """The initial state: fixed numbers on random cells, or each cell drawn independently (Mesa)."""

    COUNT = "count"
    SITE = "site"


_Choice = TypeVar("_Choice", bound=StrEnum)

_CHOICES: dict[str, type[StrEnum]] = {
    "neighbourhood": Neighbourhood,
    "rounding": Rounding,
    "order": Order,
    "activation": Activation,
    "movement": Movement,
    "jailed_cell": JailedCell,
    "jail_term": JailTerm,
    "jail_clock": JailClock,
    "self_count": SelfCount,
    "placement": Placement,
}

MAX_SIDE = 4096
MAX_VISION = 100
MAX_TERM = 2**29


@dataclass(frozen=True, kw_only=True)
class StreetOptions:
    """A street lattice after Epstein 2002, Model I (doi 10.1073/pnas.092080199).

    The defaults are the paper's Run 2 with C/A rounded down.

    Parameters
    ----------
    width, height : int
        Cells; the lattice is a torus.
    citizen_density, cop_density : float
        Shares of the cells, 0 to 1, together at most 1. The paper's "population density 0.7" seems
        to include the cops.
    citizen_vision, cop_vision : float
        Radius in cells, 1 to 100; fractions matter for a disc only.
    k : float
        Arrest constant; 2.3 makes P(C = A = 1) 0.9.
    threshold : float
        T: active if and only if G - N > T.
    legitimacy : float
        L, 0 to 1, where no schedule is given.
    max_jail_term : int or float
        J in ticks; ``inf`` for ever.
    neighbourhood, rounding, order, activation, movement, jailed_cell, jail_term, jail_clock, \
self_count, placement : str or enum
        The open choices; see the enums of this module.
    own_cell : bool
        Whether the own cell is in vision (it matters where agents share cells or count themselves).
    cop_jumps : bool
        Whether a cop that makes an arrest moves onto the suspect's cell.

    Raises
    ------
    ValueError
        Naming the argument, the value and what is allowed.
    """

    width: int = 40
    height: int = 40
    citizen_density: float = 0.66
    cop_density: float = 0.04
    citizen_vision: float = 7.0
    cop_vision: float = 7.0
    k: float = 2.3
    threshold: float = 0.1
    legitimacy: float = 0.82
    max_jail_term: float = 30
    neighbourhood: Neighbourhood = Neighbourhood.DISC
    own_cell: bool = True
    self_count: SelfCount = SelfCount.ONCE
    rounding: Rounding = Rounding.FLOOR
    order: Order = Order.MOVE_THEN_ACT
    activation: Activation = Activation.INTERLEAVED
    movement: Movement = Movement.ALL
    jailed_cell: JailedCell = JailedCell.REMOVED
    jail_term: JailTerm = JailTerm.UP_TO
    jail_clock: JailClock = JailClock.TICK_END
    cop_jumps: bool = False
    placement: Placement = Placement.COUNT

    def __post_init__(self) -> None:
        for name, kind in _CHOICES.items():
            object.__setattr__(self, name, _choice(name, getattr(self, name), kind))
        for name in ("own_cell", "cop_jumps"):
            flag(name, getattr(self, name))
        for name in ("width", "height"):
            whole(name, getattr(self, name), 3, MAX_SIDE)
        for name in ("citizen_density", "cop_density", "legitimacy"):
            number(name, getattr(self, name), 0.0, 1.0)
        if self.citizen_density + self.cop_density > 1.0 + 1e-12:
            raise ValueError(
                "citizen_density + cop_density must be at most 1, not "
                f"{self.citizen_density} + {self.cop_density}"
            )
        side = min(self.width, self.height)
        for name in ("citizen_vision", "cop_vision"):
            vision = number(name, getattr(self, name), 1.0, MAX_VISION)
            if 2 * math.floor(vision) + 1 > side:
                raise ValueError(
                    f"{name} must fit the lattice: 2 * {name} + 1 at most {side} "
                    f"(width {self.width}, height {self.height}), not {vision!r}"
                )
        number("k", self.k, 0.0, 1e6)
        number("threshold", self.threshold, -1e6, 1e6)
        term = check_term(self.max_jail_term)
        if self.jail_term in (JailTerm.BELOW, JailTerm.FROM_ONE) and term < 1:
            raise ValueError(
                f"max_jail_term must be at least 1 with jail_term {self.jail_term.value!r}, "
                f"not {term!r}"
            )

    @property
    def sites(self) -> int:
        """Number of cells."""
        return self.width * self.height

    @property
    def citizens(self) -> int:
        """Number of citizens at the start (with ``placement="site"``, the rounded expectation)."""
        return min(round(self.citizen_density * self.sites), self.sites - self.cops)

    @property
    def cops(self) -> int:
        """Number of cops at the start (with ``placement="site"``, the rounded expectation)."""
        return min(round(self.cop_density * self.sites), self.sites)

    @property
    def shares_cells(self) -> bool:
        """Whether two agents can stand on one cell under these options."""
        # Where terms end with the tick, a suspect with a term of 0 is free at once and stays.
        stays = self.jailed_cell is JailedCell.BLOCK or (
            self.jail_clock is JailClock.TICK_END
            and self.jail_term in (JailTerm.BELOW, JailTerm.UP_TO)
        )
        return self.jailed_cell is JailedCell.OPEN or (self.cop_jumps and stays)

    def with_(self, **changes: Any) -> StreetOptions:
        """Return a copy with some fields changed, validated again."""
        return replace(self, **changes)


def reading(name: str, **changes: Any) -> StreetOptions:
    """Return a named set of the open choices, with the parameters of the paper's Run 2.

    Parameters
    ----------
    name : str
        ``raw`` (the text taken literally: C/A not rounded), ``paper`` (the text with C/A rounded
        down), ``netlogo`` (the Rebellion model of NetLogo's library), ``mesa`` (the example that
        comes with Mesa 3.3), ``citizens_first`` (rounded down; all citizens decide, then all cops
        act, and a cop jumps to its suspect: two Ascape scapes in turn).
    **changes
        Fields of :class:`StreetOptions` to set in addition.

    Returns
    -------
    StreetOptions

    Raises
    ------
    ValueError
        For an unknown name or field, or a value out of range.
    """
    if not isinstance(name, str) or name not in READINGS:
        raise ValueError(f"name must be a reading, one of {', '.join(READINGS)}, not {shown(name)}")
    known = {f.name for f in fields(StreetOptions)}
    for field in changes:
        if field not in known:
            raise ValueError(f"no street option {field!r}; they are {', '.join(sorted(known))}")
    return StreetOptions(**{**READINGS[name], **changes})


#: The named readings: the fields in which each differs from the defaults of :class:`StreetOptions`.
READINGS: dict[str, dict[str, Any]] = {
    "raw": {"rounding": "none"},
    "paper": {"rounding": "floor"},
    "netlogo": {
        "neighbourhood": "disc",
        "own_cell": True,
        "self_count": "twice",
        "rounding": "floor",
        "order": "move_then_act",
        "jailed_cell": "open",
        "jail_term": "below",
        "jail_clock": "tick_end",
        "cop_jumps": True,
    },
    "mesa": {
        "neighbourhood": "diamond",
        "own_cell": False,
        "self_count": "once",
        "rounding": "half_even",
        "order": "act_then_move",
        "jailed_cell": "block",
        "jail_term": "up_to",
        "jail_clock": "own_turn",
        "placement": "site",
    },
    "citizens_first": {
        "rounding": "floor",
        "activation": "citizens_first",
        "cop_jumps": True,
    },
}


def _choice(name: str, value: object, kind: type[_Choice]) -> _Choice:
    try:
        return kind(str(value))
    except ValueError:
        allowed = ", ".join(member.value for member in kind)
        raise ValueError(f"{name} must be one of {allowed}, not {shown(value)}") from None


def check_term(term: float) -> float:
    """Check the longest jail term.

    Raises
    ------
    ValueError
        If it is neither infinite nor a whole number below ``MAX_TERM``.
    """
    term = number("max_jail_term", term, 0.0, math.inf)
    if term != math.inf and (term >= MAX_TERM or term != int(term)):
        raise ValueError(
            f"max_jail_term must be a whole number below {MAX_TERM}, or inf, not {shown(term)}"
        )
    return term
