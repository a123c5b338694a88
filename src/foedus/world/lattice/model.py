"""The street lattices of a batch of runs: create them, advance them, fork them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foedus.randomness import STREAM_VERSION, purpose_id
from foedus.world.lattice import kernel
from foedus.world.lattice.bitplanes import BLOCK, COPIES, GROUP_COLUMNS, GROUP_ROWS
from foedus.world.lattice.checks import (
    MAX_RUNS,
    MAX_TICKS,
    array,
    fits,
    instance,
    run_numbers,
    schedule,
    share,
    whole,
)
from foedus.world.lattice.options import (
    MAX_TERM,
    READINGS,
    Activation,
    JailClock,
    JailedCell,
    JailTerm,
    Movement,
    Neighbourhood,
    Order,
    Placement,
    Rounding,
    SelfCount,
    StreetOptions,
    reading,
)

if TYPE_CHECKING:
    import xarray as xr

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Purposes of the streams of the streets (see :mod:`foedus.randomness`).
PURPOSES = ("streets.act", "streets.order", "streets.cops", "streets.move")
_PURPOSE_WORDS = np.array([purpose_id(name) for name in PURPOSES], dtype=np.uint64)
_CREATE_WORD = np.uint64(purpose_id("streets.create"))

_ROUNDING = {
    Rounding.NONE: kernel.ROUND_NONE,
    Rounding.FLOOR: kernel.ROUND_FLOOR,
    Rounding.HALF_EVEN: kernel.ROUND_EVEN,
    Rounding.HALF_UP: kernel.ROUND_UP,
    Rounding.SMOOTH: kernel.ROUND_SMOOTH,
}


@dataclass
class StreetState:
    """The lattices of a batch of runs, for one city.

    Attributes
    ----------
    records : ndarray of uint64, shape (run, agent)
        Packed agents, citizens first, then cops (see :mod:`foedus.world.lattice.kernel`).
    hardship, risk_aversion : ndarray of float32, shape (run, citizen)
        H and R, fixed for life.
    citizens, cops : ndarray of int64, shape (run,)
        Numbers of citizens and cops.
    width, height : int
        Cells.
    """

    records: NDArray[np.uint64]
    hardship: NDArray[np.float32]
    risk_aversion: NDArray[np.float32]
    citizens: IntArray
    cops: IntArray
    width: int
    height: int

    def __len__(self) -> int:
        """Return the number of runs."""
        return int(self.records.shape[0])

    def copy(self) -> StreetState:
        """Return an independent copy."""
        return self.take(np.arange(len(self)))

    def take(self, runs: ArrayLike) -> StreetState:
        """Return a copy of some of the runs, by position; a position may be repeated."""
        i = np.asarray(runs)
        return StreetState(
            self.records[i],
            self.hardship[i],
            self.risk_aversion[i],
            self.citizens[i],
            self.cops[i],
            self.width,
            self.height,
        )

    @property
    def nbytes(self) -> int:
        """Total size of the arrays in bytes."""
        arrays = (self.records, self.hardship, self.risk_aversion, self.citizens, self.cops)
        return sum(a.nbytes for a in arrays)

    def agents(self, run: int) -> dict[str, IntArray]:
        """Return the agents of a run: ``x``, ``y``, ``kind`` and ``term``, each of shape (agent,).

        Kind is 0 quiet, 1 active, 2 cop, 3 jailed; term is the remaining term, -1 for ever.
        """
        record = self.records[run, : self.citizens[run] + self.cops[run]]
        term = (record >> kernel.TERM).astype(np.int64)
        term[term == int(kernel.FOREVER)] = -1
        return {
            "x": (record & kernel.LOW16).astype(np.int64),
            "y": ((record >> kernel.U16) & kernel.LOW16).astype(np.int64),
            "kind": ((record >> kernel.U32) & kernel.KIND).astype(np.int64),
            "term": term,
        }

    def frame(self, run: int) -> NDArray[np.uint8]:
        """Return a picture of one run's lattice, shape (height, width).

        0 empty, 1 quiet, 2 active, 3 cop, 4 jailed. Of several agents on a cell it shows the first
        in the order active, cop, quiet, jailed.
        """
        agents = self.agents(run)
        picture = np.zeros((self.height, self.width), dtype=np.uint8)
        for kind, colour in ((3, 4), (0, 1), (2, 3), (1, 2)):
            here = agents["kind"] == kind
            picture[agents["y"][here], agents["x"][here]] = colour
        return picture


class StreetTicks(NamedTuple):
    """The counts of one call of :func:`advance`.

    Attributes
    ----------
    actives : ndarray of int64, shape (run, tick)
        Actives after each tick.
    jailed : ndarray of int64, shape (run,)
        Jailed at the end.
    arrests, released : ndarray of int64, shape (run,)
        Totals over the call.
    cops : ndarray of int64, shape (run,)
        Cops at the end; fewer than asked for only where the lattice was full.
    """

    actives: IntArray
    jailed: IntArray
    arrests: IntArray
    released: IntArray
    cops: IntArray


def create(
    options: StreetOptions, *, seed: int, runs: ArrayLike, city: int = 0, threads: int = 1
) -> StreetState:
    """Create the lattices of a batch of runs.

    Parameters
    ----------
    options : StreetOptions
    seed : int
        Ensemble seed, 0 to 2**64 - 1.
    runs : array_like of int, shape (run,)
        Global run numbers, 0 to 2**32 - 1; a run does not depend on the others.
    city : int
        City number, part of the address of the draws.
    threads : int
        Number of threads that share the runs; the result does not depend on it.

    Returns
    -------
    StreetState

    Raises
    ------
    ValueError
        Naming the argument, the value and what is allowed.
    """
    instance("options", options, StreetOptions)
    numbers = _runs(runs)
    seed, city, _ = _address(seed, city, 0)
    n = numbers.size
    fits("options and runs", _state_size(options, n))
    by_site = options.placement is Placement.SITE
    people = options.sites if by_site else options.citizens
    capacity = options.sites if by_site else options.citizens + options.cops
    state = StreetState(
        np.zeros((n, capacity), dtype=np.uint64),
        np.zeros((n, people), dtype=np.float32),
        np.zeros((n, people), dtype=np.float32),
        np.full(n, options.citizens, dtype=np.int64),
        np.full(n, options.cops, dtype=np.int64),
        options.width,
        options.height,
    )

    def work(part: slice) -> None:
        kernel.create(
            state.records[part],
            state.citizens[part],
            state.cops[part],
            state.hardship[part],
            state.risk_aversion[part],
            np.uint64(options.width),
            np.uint64(options.height),
            np.uint64(seed),
            numbers[part],
            city,
            _CREATE_WORD,
            by_site,
            float(options.citizen_density),
            float(options.cop_density),
        )

    share(work, n, threads)
    if by_site and n > 0:
        people = int(state.citizens.max())
        capacity = int((state.citizens + state.cops).max())
        state.records = state.records[:, :capacity].copy()
        state.hardship = state.hardship[:, :people].copy()
        state.risk_aversion = state.risk_aversion[:, :people].copy()
    return state


def advance(
    state: StreetState,
    *,
    options: StreetOptions,
    seed: int,
    runs: ArrayLike,
    city: int = 0,
    day: int,
    ticks: int,
    legitimacy: ArrayLike | None = None,
    grievance_shift: ArrayLike | None = None,
    lethal_risk: ArrayLike | None = None,
    jail_aversion: ArrayLike | None = None,
    cops: ArrayLike | None = None,
    k: ArrayLike | None = None,
    threshold: ArrayLike | None = None,
    threads: int = 1,
) -> StreetTicks:
    """Advance all runs of a state by some ticks, in place.

    A citizen is active if and only if ``G - N > T`` with grievance ``G = H (1 - L) + shift`` and
    net risk ``N = R (P J**alpha + lethal)``. With shift, lethal and alpha zero this is Epstein's
    Model I bit for bit.

    Parameters
    ----------
    state : StreetState
    options : StreetOptions
        The same lattice as at creation. Other choices may differ, as long as a state with two
        agents on one cell continues under options that let agents share cells.
    seed : int
    runs : array_like of int, shape (run,)
        Global run numbers, in the order of the state.
    city, day : int
        With seed and run, the address of the draws: one address, one future. Day is 0 to 2**24 - 1.
    ticks : int
    legitimacy : array_like of float, scalar, shape (run,) or (run, tick), optional
        L, 0 to 1. Default: that of the options.
    grievance_shift : array_like of float, scalar or shape (run,), optional
        Added to G: outrage and contagion. Default 0.
    lethal_risk : array_like of float, scalar or shape (run,), optional
        Added to P in the net risk, at least 0. Default 0.
    jail_aversion : array_like of float, scalar or shape (run,), optional
        alpha, at least 0. Default 0.
    cops : array_like of int, scalar, shape (run,) or (run, tick), optional
        Target number. Random cops leave, or new ones arrive on random free cells. Default:
        unchanged.
    k, threshold : array_like of float, scalar or shape (run,), optional
        Default: those of the options.
    threads : int
        Number of threads that share the runs; the result does not depend on it.

    Returns
    -------
    StreetTicks

    Raises
    ------
    ValueError
        Naming the argument, the value and what is allowed.
    """
    full = advance_full(
        state,
        options=options,
        seed=seed,
        runs=runs,
        city=city,
        day=day,
        ticks=ticks,
        legitimacy=legitimacy,
        grievance_shift=grievance_shift,
        lethal_risk=lethal_risk,
        jail_aversion=jail_aversion,
        cops=cops,
        k=k,
        threshold=threshold,
        threads=threads,
    )
    return StreetTicks(
        full["actives"],
        full["jailed"][:, -1].copy(),
        full["arrests"].sum(axis=1),
        full["released"].sum(axis=1),
        state.cops.copy(),
    )


def advance_full(
    state: StreetState,
    *,
    options: StreetOptions,
    seed: int,
    runs: ArrayLike,
    city: int = 0,
    day: int,
    ticks: int,
    legitimacy: ArrayLike | None = None,
    grievance_shift: ArrayLike | None = None,
    lethal_risk: ArrayLike | None = None,
    jail_aversion: ArrayLike | None = None,
    cops: ArrayLike | None = None,
    k: ArrayLike | None = None,
    threshold: ArrayLike | None = None,
    threads: int = 1,
) -> dict[str, IntArray]:
    """Advance like :func:`advance`; return every count after every tick, shape (run, tick)."""
    instance("state", state, StreetState)
    instance("options", options, StreetOptions)
    numbers = _runs(runs)
    n = len(state)
    if numbers.size != n:
        raise ValueError(
            f"runs must have one number per run of the state ({n}), not {numbers.size}"
        )
    if (state.width, state.height) != (options.width, options.height):
        raise ValueError(
            f"options must have the size of the state's lattice, {state.width} x {state.height}, "
            f"not {options.width} x {options.height}"
        )
    ticks = whole("ticks", ticks, 1, MAX_TICKS)
    seed, city, day = _address(seed, city, day)
    fits("runs and ticks", _counts_size(n, ticks))
    L = _per_tick("legitimacy", legitimacy, options.legitimacy, n, ticks, 0.0, 1.0)
    rates = {
        "k": _per_run("k", k, options.k, n, 0.0, 1e6),
        "threshold": _per_run("threshold", threshold, options.threshold, n, -1e6, 1e6),
        "shift": _per_run("grievance_shift", grievance_shift, 0.0, n, -1e6, 1e6),
        "lethal": _per_run("lethal_risk", lethal_risk, 0.0, n, 0.0, 1e6),
        "weight": _jail_weight(jail_aversion, options.max_jail_term, n),
    }
    targets = _cop_targets(cops, n, ticks, options.sites)
    _check_places(state, options)
    most = int(max(targets.max(initial=0), state.cops.max(initial=0)))
    needed = int(state.citizens.max(initial=0)) + most
    if needed > state.records.shape[1]:
        wider = np.zeros((n, needed), dtype=np.uint64)
        wider[:, : state.records.shape[1]] = state.records
        state.records = wider
    lattice = _lattice(options)
    table, density = _smooth_table()
    out = {name: np.zeros((n, ticks), dtype=np.int64) for name in OUTPUTS}

    def work(part: slice) -> None:
        kernel.advance(
            state.records[part],
            state.citizens[part],
            state.cops[part],
            state.hardship[part],
            state.risk_aversion[part],
            lattice.plan,
            np.uint64(seed),
            numbers[part],
            city,
            day,
            _PURPOSE_WORDS,
            L[part],
            targets[part],
            rates["k"][part],
            rates["threshold"][part],
            rates["shift"][part],
            rates["lethal"][part],
            rates["weight"][part],
            table,
            density,
            *(out[name][part] for name in OUTPUTS),
            kernel.scratch(lattice.plan, state.records.shape[1]),
        )

    share(work, n, threads)
    return out


#: The counts recorded after every tick.
OUTPUTS = ("actives", "jailed", "arrests", "released", "cops")


def simulate(
    options: StreetOptions,
    *,
    seed: int,
    runs: int = 1,
    ticks: int = 100,
    first_run: int = 0,
    legitimacy: Callable[[int], float] | ArrayLike | None = None,
    cops: Callable[[int], int] | ArrayLike | None = None,
    threads: int = 1,
) -> xr.Dataset:
    """Simulate replicates of a street lattice.

    Parameters
    ----------
    options : StreetOptions
    seed : int
        0 to 2**64 - 1.
    runs, ticks : int
        Number of replicates, and length of each in ticks.
    first_run : int
        Number of the first run; run i is the same however many runs are asked for.
    legitimacy : callable or array_like, optional
        L over time: a function of the tick (counted from 0), or an array of shape (tick,) or (run,
        tick). Default: that of the options.
    cops : callable or array_like, optional
        Number of cops over time, as for legitimacy. Default: constant.
    threads : int
        Number of threads that share the runs; the result does not depend on it.

    Returns
    -------
    xarray.Dataset
        ``actives``, ``jailed``, ``arrests``, ``released``, ``cops`` with dimensions (run, tick),
        after each tick, and ``citizens`` (run). The attributes hold all that is needed to rerun.

    Raises
    ------
    ValueError
        Naming the argument, the value and what is allowed.

    References
    ----------
    Epstein 2002, doi 10.1073/pnas.092080199.

    Examples
    --------
    >>> from foedus.streets import reading, simulate
    >>> result = simulate(reading("paper"), seed=1, runs=2, ticks=50)
    >>> dict(result.sizes)
    {'run': 2, 'tick': 50}
    """
    import xarray as xr

    from foedus import __version__

    instance("options", options, StreetOptions)
    runs, ticks, first_run = run_numbers(runs, ticks, first_run)
    fits("runs and ticks", _state_size(options, runs) + _counts_size(runs, ticks))
    numbers = np.arange(first_run, first_run + runs, dtype=np.int64)
    L = schedule("legitimacy", legitimacy, runs, ticks, 1.0)
    targets = schedule("cops", cops, runs, ticks, options.sites, whole=True)
    state = create(options, seed=seed, runs=numbers, threads=threads)
    counts = advance_full(
        state,
        options=options,
        seed=seed,
        runs=numbers,
        day=0,
        ticks=ticks,
        legitimacy=L,
        cops=targets,
        threads=threads,
    )
    plain = {name: str(v) if isinstance(v, str) else v for name, v in asdict(options).items()}
    return xr.Dataset(
        {
            **{n: (("run", "tick"), a) for n, a in counts.items()},
            "citizens": ("run", state.citizens),
        },
        coords={"run": numbers, "tick": np.arange(1, ticks + 1)},
        attrs={
            "options": plain,
            "seed": seed,
            "foedus_version": __version__,
            "stream_version": STREAM_VERSION,
            "source": "Epstein 2002, doi 10.1073/pnas.092080199",
        },
    )


# -- the fixed tables of a lattice ---------------------------------------------------------------


def cells_in_vision(
    options: StreetOptions, vision: float, *, own_cell: bool
) -> list[tuple[int, int]]:
    """Return the (dx, dy) of all cells in vision, row by row."""
    reach = math.floor(vision)
    inside: dict[Neighbourhood, Callable[[int, int], bool]] = {
        Neighbourhood.DISC: lambda dx, dy: dx * dx + dy * dy <= vision * vision,
        Neighbourhood.MOORE: lambda dx, dy: True,
        Neighbourhood.DIAMOND: lambda dx, dy: abs(dx) + abs(dy) <= reach,
    }
    test = inside[options.neighbourhood]
    return [
        (dx, dy)
        for dy in range(-reach, reach + 1)
        for dx in range(-reach, reach + 1)
        if test(dx, dy) and (own_cell or (dx, dy) != (0, 0))
    ]


def cells_in_sight(
    options: StreetOptions, vision: float, *, own_cell: bool
) -> list[tuple[int, int]]:
    """Return the (dx, dy) of all cells in vision, in the order in which they are numbered.

    The order is by groups of 15 columns and 16 rows, and row by row within a group (see
    `bitplanes`).
    """
    reach = math.floor(vision)

    def rank(cell: tuple[int, int]) -> tuple[int, int, int, int]:
        dx, dy = cell
        return (dx + reach) // GROUP_COLUMNS, (dy + reach) // GROUP_ROWS, dy, dx

    return sorted(cells_in_vision(options, vision, own_cell=own_cell), key=rank)


class _Groups:
    """Groups of cells in sight of a citizen, then of a cop, with a mask for each of their rows."""

    def __init__(self, halo: int) -> None:
        self.halo = halo
        self.dx: list[int] = []
        self.dy: list[int] = []
        self.masks: list[list[int]] = []
        self.ends: list[int] = []

    def add(self, cells: list[tuple[int, int]], reach: int) -> None:
        """Add the groups of one kind of agent, empty ones included, at the same positions."""
        found: dict[tuple[int, int], list[int]] = {}
        width = 2 * reach + 1
        for column in range(-(-width // GROUP_COLUMNS)):
            for row in range(-(-width // GROUP_ROWS)):
                found[column, row] = [0] * GROUP_ROWS
                self.dx.append(column * GROUP_COLUMNS - reach + self.halo)
                self.dy.append(row * GROUP_ROWS - reach + self.halo)
        for dx, dy in cells:
            masks = found[(dx + reach) // GROUP_COLUMNS, (dy + reach) // GROUP_ROWS]
            masks[(dy + reach) % GROUP_ROWS] |= 1 << (dx + reach) % GROUP_COLUMNS
        self.masks += found.values()
        self.ends.append(len(self.dx))


@dataclass(frozen=True)
class Lattice:
    """The fixed tables of a lattice: the kernel's plan, and the arrays to which it points."""

    plan: kernel.Plan
    arrays: tuple[NDArray[Any], ...]


@lru_cache(maxsize=64)
def _lattice(options: StreetOptions) -> Lattice:
    """Build the fixed tables of a lattice (see :class:`foedus.world.lattice.kernel.Plan`)."""
    width, height = options.width, options.height
    halo = math.floor(max(options.citizen_vision, options.cop_vision))
    visions = (options.citizen_vision, options.cop_vision)
    own = options.own_cell
    seen, look = (cells_in_sight(options, vision, own_cell=own) for vision in visions)
    going, seeing = _Groups(halo), _Groups(halo)
    for vision, cells in zip(visions, (seen, look), strict=True):
        going.add(cells_in_sight(options, vision, own_cell=False), math.floor(vision))
        seeing.add(cells, math.floor(vision))

    def edges(length: int) -> tuple[IntArray, IntArray]:
        """Return the haloed position of each coordinate, and that of its image or the dead one."""
        place = np.arange(length, dtype=np.int64)
        image = np.full(length, length + 2 * halo, dtype=np.int64)
        image[:halo] = place[:halo] + length + halo
        image[length - halo :] = place[length - halo :] - length + halo
        return place + halo, image

    column, column2 = edges(width)
    _, row2 = edges(height)
    xs = (np.arange(width + 2 * halo) - halo) % width
    ys = (np.arange(height + 2 * halo) - halo) % height
    # Bits: rows of a block are adjacent; 16 more are read beyond the last, then the dead row.
    rows = height + 2 * halo + GROUP_ROWS + 1
    shown = np.arange(width + 2 * halo) // BLOCK
    # Blocks are read from the first column of a group, or from the cell itself.
    last = (width - 1 + max(*going.dx, halo)) // BLOCK
    words: list[dict[int, int]] = [{} for _ in range(width)]
    for x in range(width):
        # The cell itself first: most cells have two words at most.
        for image in (int(column[x]), int(column2[x])):
            if image == width + 2 * halo:
                continue
            for block in {image // BLOCK, max(image - 64 + BLOCK, 0) // BLOCK}:
                if block <= last and image - block * BLOCK < 64:
                    words[x][block] = words[x].get(block, 0) | 1 << (image - block * BLOCK)
    bit_row2 = np.where(row2 == height + 2 * halo, rows - 1, row2)
    flips = [[*here.items(), *[(0, 0)] * (COPIES // 2 - len(here))] for here in words]
    once = options.self_count is SelfCount.ONCE
    if_active = options.self_count is SelfCount.IF_ACTIVE
    forever = math.isinf(options.max_jail_term)
    longest = 0 if forever else int(options.max_jail_term)
    base, span = {
        JailTerm.BELOW: (0, longest),
        JailTerm.UP_TO: (0, longest + 1),
        JailTerm.FROM_ONE: (1, longest),
        JailTerm.FIXED: (longest, 1),
    }[options.jail_term]
    U = np.uint64
    tables = {
        "columns": xs | np.arange(width + 2 * halo) % BLOCK << 16 | shown * rows << 32,
        "rows": ys | bit_row2[ys] << 16,
        "flips": [[(block * rows, mask) for block, mask in one] for one in flips],
        "groups": np.array(going.dx) | np.array(going.dy) << 16,
    }
    shift = np.add.outer(going.dx, np.arange(width))  # haloed column of a group's first cell
    row = np.array(going.dy)[:, np.newaxis]
    tables["windows"] = shift % BLOCK | (shift // BLOCK * rows + row) << 32
    arrays: dict[str, NDArray[Any]] = {
        name: np.array(table, dtype=U).ravel() for name, table in tables.items()
    }
    for name, groups in (("goes", going), ("sees", seeing)):
        arrays[name] = np.array(groups.masks, dtype=np.uint16).ravel()
    plan = kernel.Plan(
        **{name: U(array.ctypes.data) for name, array in arrays.items()},
        width=U(width),
        height=U(height),
        halo=U(halo),
        sites=U(options.sites),
        plane=U((last + 1) * rows),
        cop_groups=U(going.ends[0]),
        all_groups=U(going.ends[1]),
        shares=kernel.choice(options.shares_cells),
        spread=kernel.choice(last > 0 or going.dx != [0, 0]),
        grouped=kernel.choice(len(going.dx) > 2),
        act_first=kernel.choice(options.order is Order.ACT_THEN_MOVE),
        add_quiet=U(0 if if_active else 1),
        add_active=U(0 if own and (once or if_active) else 1),
        rounding=_ROUNDING[options.rounding],
        citizens_first=options.activation is Activation.CITIZENS_FIRST,
        moves=U({Movement.ALL: 0b111, Movement.COPS: 0b100, Movement.NONE: 0}[options.movement]),
        jailed_block=options.jailed_cell is JailedCell.BLOCK,
        jailed_removed=options.jailed_cell is JailedCell.REMOVED,
        own_turn=options.jail_clock is JailClock.OWN_TURN,
        cop_jumps=options.cop_jumps,
        term_base=U(base),
        term_span=U(span),
        forever=forever,
        most=len(seen) if not options.shares_cells else min(2**16 - 1, options.sites),
    )
    return Lattice(plan, tuple(arrays.values()))


@lru_cache(maxsize=1)
def _smooth_table() -> tuple[FloatArray, FloatArray]:
    """Return P(16, z) and its density at multiples of ``SMOOTH_STEP``."""
    a, z = kernel.SMOOTH_SHAPE, np.arange(kernel.SMOOTH_SIZE) * kernel.SMOOTH_STEP
    term = np.exp(-z)
    total = term.copy()
    for i in range(1, a):
        term = term * z / i
        total += term
    return 1.0 - total, term


# -- arguments -----------------------------------------------------------------------------------

#: Largest factor by which aversion to jail may multiply the risk of arrest.
MAX_WEIGHT = 1e6


def _runs(runs: ArrayLike) -> IntArray:
    numbers = array("runs", runs, 0, MAX_RUNS - 1, whole=True)
    if numbers.ndim != 1 or (numbers.size and np.asarray(runs).dtype.kind not in "iu"):
        raise ValueError(f"runs must be whole numbers, shape (run,), not {numbers!r}")
    return numbers.astype(np.int64)


def _address(seed: int, city: int, day: int) -> tuple[int, int, int]:
    return (
        whole("seed", seed, 0, 2**64 - 1),
        whole("city", city, 0, 2**32 - 1),
        whole("day", day, 0, 2**24 - 1),
    )


def _state_size(options: StreetOptions, n: int) -> int:
    """Return the bytes of the arrays of ``n`` runs at creation."""
    if options.placement is Placement.SITE:
        return n * (16 * options.sites + 24)
    return n * (16 * options.citizens + 8 * options.cops + 24)


def _counts_size(n: int, ticks: int) -> int:
    """Return the bytes of the schedules and counts that have a value per tick."""
    return 8 * n * ticks * (len(OUTPUTS) + 2)


def _check_places(state: StreetState, options: StreetOptions) -> None:
    """Refuse a state with agents on one cell where the kernel assumes that none share."""
    run, shared = kernel.misplaced(
        state.records,
        state.citizens,
        state.cops,
        np.uint64(options.width),
        np.uint64(options.height),
        not options.shares_cells,
        options.jailed_cell is JailedCell.BLOCK,
    )
    if shared:
        raise ValueError(
            f"state has two agents on one cell in its run {run}; options must let agents share "
            f"cells, not jailed_cell {options.jailed_cell.value!r} with cop_jumps "
            f"{options.cop_jumps}"
        )
    if run >= 0:
        raise ValueError(
            f"state must have citizens, then cops, on {state.width} x {state.height} cells, "
            f"unlike its run {run}"
        )


def _shaped(name: str, values: NDArray[Any], n: int, ticks: int | None) -> NDArray[Any]:
    """Broadcast a scalar or (run,) to (run,), or, with ticks, also (run, tick) to (run, tick).

    Always returns a copy, because the kernel would be compiled once more for a read-only array.
    """
    shape = (n,) if ticks is None else (n, ticks)
    if ticks is not None and values.ndim == 1:
        values = values[:, None]
    allowed = {(), (n,)} if ticks is None else {(), (n, 1), shape}
    if values.shape not in allowed:
        wanted = f"a number or shape ({n},)" + ("" if ticks is None else f" or ({n}, {ticks})")
        raise ValueError(f"{name} must be {wanted}, not shape {values.shape}")
    return np.array(np.broadcast_to(values, shape), order="C")


def _per_run(
    name: str, value: ArrayLike | None, default: float, n: int, low: float, high: float
) -> FloatArray:
    return _shaped(name, array(name, default if value is None else value, low, high), n, None)


def _per_tick(
    name: str, value: ArrayLike | None, default: float, n: int, ticks: int, low: float, high: float
) -> FloatArray:
    return _shaped(name, array(name, default if value is None else value, low, high), n, ticks)


def _jail_weight(aversion: ArrayLike | None, max_term: float, n: int) -> FloatArray:
    alpha = _per_run("jail_aversion", aversion, 0.0, n, 0.0, 100.0)
    if (alpha == 0.0).all():
        return np.ones(n)
    if not 1 <= max_term < MAX_TERM:
        raise ValueError(
            f"jail_aversion above 0 needs a finite max_jail_term of at least 1, not {max_term!r}"
        )
    with np.errstate(over="ignore"):
        weight = np.power(float(max_term), alpha)
    most = weight.max(initial=1.0)
    if most > MAX_WEIGHT:
        raise ValueError(
            f"jail_aversion must keep max_jail_term ** jail_aversion to {MAX_WEIGHT:g}, "
            f"not {max_term:g} ** {alpha.max():g} = {most:g}"
        )
    return weight


def _cop_targets(cops: ArrayLike | None, n: int, ticks: int, sites: int) -> IntArray:
    if cops is None:
        return np.full((n, ticks), -1, dtype=np.int64)
    values = array("cops", cops, 0, sites, whole=True)
    return _shaped("cops", values, n, ticks).astype(np.int64)


# -- compiling ahead -----------------------------------------------------------------------------

#: Sides of a small and of a large lattice; the kernel is compiled for each of the two. A large
#: lattice needs several words of bits in a row: with the readings' vision of 7, above 41 cells.
SMALL, LARGE = 15, 49


def variants(names: Iterable[str], sides: Iterable[int]) -> list[tuple[str, StreetOptions]]:
    """Return lattices that together need every kernel of some readings, each with a label."""
    found: dict[tuple[str, ...], StreetOptions] = {}
    for side in sides:
        for name in names:
            options = reading(name, width=side, height=SMALL)
            plan = _lattice(options).plan
            choices = (
                "agents sharing cells" if plan.shares else "agents with their own cells",
                "acting first" if plan.act_first else "moving first",
                "large lattice" if plan.spread else "small lattice",
            )
            found.setdefault(choices, options)
    return [(", ".join(choices), options) for choices, options in found.items()]


def warm(
    names: Iterable[str] = tuple(READINGS),
    *,
    sides: Iterable[int] = (SMALL, LARGE),
) -> Iterator[str]:
    """Compile kernels of the streets, or load them; yield a name after each.

    By default this covers all readings on any lattice; each kernel takes some ten seconds to
    compile.

    Parameters
    ----------
    names : iterable of str
        Readings.
    sides : iterable of int
        Widths of lattices, at least 15; those above 41 have kernels of their own.
    """
    for i, (label, options) in enumerate(variants(names, sides)):
        state = create(options, seed=0, runs=[0])
        if i == 0:
            yield "streets: placing"
        advance(state, options=options, seed=0, runs=[0], day=0, ticks=1)
        yield f"streets: moving, {label}"
