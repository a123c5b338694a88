"""Epstein's Model II: violence between two groups, with cops between them as peacekeepers.

Each tick everyone is activated once, in random order. A citizen moves to a random free cell in
vision. It is active if and only if ``H (1 - L) - R P(C, A) > T``, where L is the perceived right of
the other group to exist. If active, it kills one random citizen of the other group in vision. It
clones, with probability ``cloning``, onto a random free cell of its 8 neighbours; the child has its
parent's group and hardship. Everyone dies at an age drawn from U(0, max_age). A cop moves and
arrests one random active in vision, from either group. The jailed are off the lattice, where nobody
can kill them, and return to a random free cell.

The paper leaves four things open. Here victims are within vision, and the first citizens are born
at the start. Whether a child has its parent's risk aversion and how C/A is rounded are options.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from foedus.randomness import STREAM_VERSION, purpose_id
from foedus.world.lattice import two_groups as kernel
from foedus.world.lattice.checks import (
    fits,
    flag,
    instance,
    number,
    run_numbers,
    schedule,
    share,
    whole,
)
from foedus.world.lattice.options import MAX_TERM, Rounding, check_term

if TYPE_CHECKING:
    import xarray as xr

#: Purposes of the streams of Model II (see :mod:`foedus.randomness`).
PURPOSES_TWO = ("streets.two.act", "streets.two.order", "streets.two.cops", "streets.two.create")
GROUPS = ("blue", "green")
MAX_VISION_TWO = 10.0


@dataclass(frozen=True, kw_only=True)
class TwoGroupOptions:
    """A lattice after Epstein 2002, Model II (doi 10.1073/pnas.092080199), on a torus.

    The defaults are the paper's Run 7: no cops, L = .8.

    Parameters
    ----------
    width, height : int
        Cells, 3 to 1024.
    citizen_density, cop_density : float
        Shares of the cells at the start, 0 to 1, together at most 1. Half of the citizens are in
        each group.
    citizen_vision, cop_vision : float
        Euclidean radius in cells, 1 to 10; 1.7 gives 8 neighbours.
    k : float
        Arrest constant.
    threshold : float
        T: active if and only if G - N > T.
    legitimacy : float
        L, 0 to 1, where no schedule is given.
    max_jail_term : int or float
        J in ticks, with terms of 0 to J; ``inf`` for ever. A term of 0 is an arrest without jail.
    cloning : float
        Probability per tick that a citizen clones, 0 to 1.
    max_age : int
        Ticks; a citizen's age at death is uniform on 1 to ``max_age``.
    rounding : str or enum
        How C/A is rounded (see :class:`Rounding`).
    inherits_risk : bool
        Whether a child inherits its parent's risk aversion or draws its own. Hardship is inherited.
    movement : bool
        Whether agents move.

    Raises
    ------
    ValueError
        Naming the argument, the value and what is allowed.
    """

    width: int = 40
    height: int = 40
    citizen_density: float = 0.7
    cop_density: float = 0.0
    citizen_vision: float = 1.7
    cop_vision: float = 1.7
    k: float = 2.3
    threshold: float = 0.1
    legitimacy: float = 0.8
    max_jail_term: float = 15
    cloning: float = 0.05
    max_age: int = 200
    rounding: Rounding = Rounding.FLOOR
    inherits_risk: bool = False
    movement: bool = True

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "rounding", Rounding(str(self.rounding)))
        except ValueError:
            allowed = ", ".join(member.value for member in Rounding)
            raise ValueError(f"rounding must be one of {allowed}, not {self.rounding!r}") from None
        for name in ("inherits_risk", "movement"):
            flag(name, getattr(self, name))
        for name in ("width", "height"):
            whole(name, getattr(self, name), 3, 1024)
        whole("max_age", self.max_age, 1, MAX_TERM)
        limits = {
            "citizen_density": (0.0, 1.0),
            "cop_density": (0.0, 1.0),
            "legitimacy": (0.0, 1.0),
            "cloning": (0.0, 1.0),
            "citizen_vision": (1.0, MAX_VISION_TWO),
            "cop_vision": (1.0, MAX_VISION_TWO),
            "k": (0.0, 1e6),
            "threshold": (-1e6, 1e6),
        }
        for name, (low, high) in limits.items():
            number(name, getattr(self, name), low, high)
        if self.citizen_density + self.cop_density > 1.0 + 1e-12:
            raise ValueError(
                "citizen_density + cop_density must be at most 1, not "
                f"{self.citizen_density} + {self.cop_density}"
            )
        side = min(self.width, self.height)
        for name in ("citizen_vision", "cop_vision"):
            if 2 * math.floor(getattr(self, name)) + 1 > side:
                raise ValueError(
                    f"{name} must fit the lattice: 2 * {name} + 1 at most {side}, "
                    f"not {getattr(self, name)!r}"
                )
        check_term(self.max_jail_term)

    @property
    def sites(self) -> int:
        """Number of cells."""
        return self.width * self.height

    @property
    def citizens(self) -> int:
        """Number of citizens at the start."""
        return min(round(self.citizen_density * self.sites), self.sites - self.cops)

    @property
    def cops(self) -> int:
        """Number of cops at the start."""
        return min(round(self.cop_density * self.sites), self.sites)

    def with_(self, **changes: Any) -> TwoGroupOptions:
        """Return a copy with some fields changed, validated again."""
        return replace(self, **changes)


def simulate_two(
    options: TwoGroupOptions,
    *,
    seed: int,
    runs: int = 1,
    ticks: int = 500,
    first_run: int = 0,
    legitimacy: Callable[[int], float] | ArrayLike | None = None,
    cops: Callable[[int], int] | ArrayLike | None = None,
    stop_at_extinction: bool = False,
    threads: int = 1,
) -> xr.Dataset:
    """Simulate replicates of the two-group model.

    Parameters
    ----------
    options : TwoGroupOptions
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
        Number of cops over time, as for legitimacy. New cops (peacekeepers) arrive on random free
        cells, as far as there are any; those that leave are drawn at random. Default: constant.
    stop_at_extinction : bool
        Stop a run at the tick at which one group is extinct: sizes stay constant, nobody is killed.
    threads : int
        Number of threads that share the runs; the result does not depend on it.

    Returns
    -------
    xarray.Dataset
        After each tick, with dimensions (run, tick, group): ``size`` (living, including the
        jailed), ``actives``, ``jailed``, and ``kills`` (in this tick, by the killer's group);
        ``cops`` (run, tick); ``extinction`` (run), the first tick with a group extinct, or NaN. The
        attributes hold all that is needed to rerun.

    Raises
    ------
    ValueError
        Naming the argument, the value and what is allowed.

    Notes
    -----
    No child is born while twice as many people as cells are alive. This happens only if more people
    are in jail than there are cells.

    References
    ----------
    Epstein 2002, doi 10.1073/pnas.092080199.

    Examples
    --------
    >>> from foedus_streets import TwoGroupOptions, simulate_two
    >>> result = simulate_two(TwoGroupOptions(), seed=1, runs=2, ticks=20)
    >>> dict(result.sizes)
    {'run': 2, 'tick': 20, 'group': 2}
    """
    import xarray as xr

    from foedus import __version__

    instance("options", options, TwoGroupOptions)
    runs, ticks, first_run = run_numbers(runs, ticks, first_run)
    seed = whole("seed", seed, 0, 2**64 - 1)
    flag("stop_at_extinction", stop_at_extinction)
    fits("runs and ticks", 8 * runs * ticks * (kernel.OUTPUTS + 2))
    L = schedule("legitimacy", legitimacy, runs, ticks, 1.0)
    if L is None:
        L = np.full((runs, ticks), float(options.legitimacy))
    wanted = schedule("cops", cops, runs, ticks, options.sites, whole=True)
    targets = np.full((runs, ticks), -1) if wanted is None else wanted.astype(np.int64)
    numbers = np.arange(first_run, first_run + runs, dtype=np.int64)
    purposes = np.array([purpose_id(name) for name in PURPOSES_TWO], dtype=np.uint64)
    most_cops = max(1, options.cops, int(targets.max()))
    out = np.zeros((runs, kernel.OUTPUTS, ticks), dtype=np.int64)
    extinct = np.zeros(runs, dtype=np.int64)

    def work(part: slice) -> None:
        kernel.advance_two(
            np.uint64(seed),
            numbers[part],
            purposes,
            options.citizens,
            options.cops,
            most_cops,
            _plan(options),
            L[part],
            targets[part],
            stop_at_extinction,
            out[part],
            extinct[part],
        )

    share(work, runs, threads)
    both = out[:, :8].reshape(runs, 2, 4, ticks)
    counts = {
        name: (("run", "tick", "group"), np.ascontiguousarray(np.moveaxis(both[:, :, i], 1, 2)))
        for i, name in enumerate(("size", "actives", "jailed", "kills"))
    }
    plain = {name: str(v) if isinstance(v, str) else v for name, v in asdict(options).items()}
    return xr.Dataset(
        {
            **counts,
            "cops": (("run", "tick"), np.ascontiguousarray(out[:, 8])),
            "extinction": ("run", np.where(extinct > 0, extinct, np.nan)),
        },
        coords={"run": numbers, "tick": np.arange(1, ticks + 1), "group": list(GROUPS)},
        attrs={
            "options": plain,
            "seed": seed,
            "foedus_version": __version__,
            "stream_version": STREAM_VERSION,
            "source": "Epstein 2002, doi 10.1073/pnas.092080199",
        },
    )


def cells_around(vision: float) -> list[tuple[int, int]]:
    """Return the (dx, dy) within a Euclidean radius, row by row, without (0, 0)."""
    reach = math.floor(vision)
    return [
        (dx, dy)
        for dy in range(-reach, reach + 1)
        for dx in range(-reach, reach + 1)
        if 0 < dx * dx + dy * dy <= vision * vision
    ]


def arrest_risk(options: TwoGroupOptions, cops: int, actives: int) -> float:
    """Return P(C, A) under the options' rounding; A counts the citizen itself."""
    if options.rounding is Rounding.SMOOTH:
        z = 62.6716 * options.k / 2.3 * cops / actives
        term = total = math.exp(-z)
        for i in range(1, 16):
            term *= z / i
            total += term
        return 1.0 - total
    ratio: float = cops / actives
    if options.rounding is Rounding.FLOOR:
        ratio = cops // actives
    elif options.rounding is Rounding.HALF_UP:
        ratio = (2 * cops + actives) // (2 * actives)
    elif options.rounding is Rounding.HALF_EVEN:
        ratio = round(ratio)
    return 1.0 - math.exp(-options.k * ratio)


@lru_cache(maxsize=64)
def _plan(options: TwoGroupOptions) -> kernel.PlanTwo:
    """Build the fixed tables of a lattice (see :class:`kernel.PlanTwo`)."""
    seen = cells_around(options.citizen_vision)
    size = len(seen) + 1
    risk = [[arrest_risk(options, c, max(a, 1)) for a in range(size + 1)] for c in range(size)]
    forever = math.isinf(options.max_jail_term)
    return kernel.PlanTwo(
        width=options.width,
        height=options.height,
        seen=np.array(seen, dtype=np.int64),
        look=np.array(cells_around(options.cop_vision), dtype=np.int64),
        near=np.array(cells_around(1.5), dtype=np.int64),
        risk=np.array(risk),
        threshold=float(options.threshold),
        cloning=float(options.cloning),
        inherits_risk=options.inherits_risk,
        max_age=int(options.max_age),
        term_span=0 if forever else int(options.max_jail_term) + 1,
        move=options.movement,
    )
