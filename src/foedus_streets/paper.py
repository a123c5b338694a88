"""The runs of Epstein 2002 as configurations: its Table 2 and its schedules over time.

Figures: Run 1 is the static one (figure 2), Run 2 punctuated equilibrium (3 to 8), Run 3 the
gradual loss of legitimacy (9), Run 4 its sudden drop (10), Run 5 the reduction of cops (11). Of
Model II, Run 6 is coexistence (12), Run 7 ethnic cleansing (13) and, with peacekeepers, safe havens
(14), Run 8 cops from the start. The paper's "initial population density 0.7" is taken to include
the cops, because this fits its figures 9 and 11 (a plateau of half of all eligible citizens in
jail) and 1,120 citizens would not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.streets import StreetOptions, reading
from foedus.world.lattice.checks import number as checked
from foedus.world.lattice.checks import whole
from foedus_streets.two_groups import TwoGroupOptions

#: Table 2: vision, legitimacy at the start, longest jail term, movement, cop density.
TABLE_2: dict[int, dict[str, Any]] = {
    1: {"vision": 1.7, "legitimacy": 0.89, "max_jail_term": 15, "movement": "none", "cops": 0.04},
    2: {"vision": 7.0, "legitimacy": 0.82, "max_jail_term": 30, "movement": "all", "cops": 0.04},
    3: {"vision": 7.0, "legitimacy": 0.9, "max_jail_term": math.inf, "movement": "all"},
    4: {"vision": 7.0, "legitimacy": 0.9, "max_jail_term": math.inf, "movement": "all"},
    5: {"vision": 7.0, "legitimacy": 0.8, "max_jail_term": math.inf, "movement": "all"},
}
#: The same for Model II: legitimacy (the other group's right to exist) and cop density.
TABLE_2_TWO: dict[int, dict[str, float]] = {
    6: {"legitimacy": 0.9, "cops": 0.0},
    7: {"legitimacy": 0.8, "cops": 0.0},
    8: {"legitimacy": 0.8, "cops": 0.04},
}
COPS_RUNS_3_TO_5 = 0.074
POPULATION = 0.7
#: Tick at which Run 4's legitimacy drops; ticks over which Run 5's cops leave; length of runs.
DROP_AT = 77
WALK = 50
TICKS = {1: 100, 2: 1000, 3: 270, 4: 270, 5: 270, 6: 1000, 7: 1000, 8: 1000}
#: Legitimacy after Run 4's drop; ticks after which Run 7's peacekeepers arrive.
DROP_TO = 0.7
ARRIVE_AFTER = 50


@dataclass(frozen=True)
class PaperRun:
    """One run of the paper; pass its fields to :func:`foedus.streets.simulate`.

    Attributes
    ----------
    options : StreetOptions
    ticks : int
    legitimacy : ndarray of float64, shape (tick,), or None
    cops : ndarray of int64, shape (tick,), or None
    """

    options: StreetOptions
    ticks: int
    legitimacy: NDArray[np.float64] | None = None
    cops: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class PaperRunTwo:
    """One run of the paper's Model II; pass its fields to :func:`foedus_streets.simulate_two`.

    Attributes
    ----------
    options : TwoGroupOptions
    ticks : int
    cops : ndarray of int64, shape (tick,), or None
    """

    options: TwoGroupOptions
    ticks: int
    cops: NDArray[np.int64] | None = None


def paper_run(
    number: int, *, name: str = "citizens_first", drop_to: float | None = None, **changes: Any
) -> PaperRun:
    """Return the configuration of one of the paper's Model I runs under a reading.

    Parameters
    ----------
    number : int
        1 to 5; for 6 to 8 see :func:`paper_run_two`.
    name : str
        A reading (see :func:`foedus.streets.reading`).
    drop_to : float, optional
        Legitimacy after the drop of Run 4: 0.70 in the paper's text (the default), about 0.65 in
        its plot.
    **changes
        Fields of :class:`StreetOptions` to set in addition.

    Returns
    -------
    PaperRun

    Raises
    ------
    ValueError
        For another number, or invalid options.

    References
    ----------
    Epstein 2002, doi 10.1073/pnas.092080199, Table 2 and figures 9 to 11.

    Examples
    --------
    >>> from foedus_streets import paper_run
    >>> run = paper_run(5)
    >>> run.options.cops, run.cops[[0, 25, 49]].tolist()
    (118, [116, 57, 0])
    """
    number = whole("number", number, 1, 5)
    drop_to = _only(number, 4, "drop_to", drop_to, 0.0, 1.0)
    row = TABLE_2[number]
    density = row.get("cops", COPS_RUNS_3_TO_5)
    options = reading(
        name,
        **{
            "citizen_density": POPULATION - density,
            "cop_density": density,
            "citizen_vision": row["vision"],
            "cop_vision": row["vision"],
            "legitimacy": row["legitimacy"],
            "max_jail_term": row["max_jail_term"],
            "movement": row["movement"],
            **changes,
        },
    )
    ticks = TICKS[number]
    tick = np.arange(1, ticks + 1)
    legitimacy, cops = None, None
    if number == 3:  # 1 percent every third tick, to 0 at the end
        legitimacy = np.maximum(row["legitimacy"] - 0.01 * (tick // 3), 0.0)
    elif number == 4:
        legitimacy = np.where(
            tick < DROP_AT, row["legitimacy"], DROP_TO if drop_to is None else drop_to
        )
    elif number == 5:
        left = np.clip(1.0 - tick / WALK, 0.0, 1.0)
        cops = np.round(options.cops * left).astype(np.int64)
    return PaperRun(options, ticks, legitimacy, cops)


def paper_run_two(
    number: int,
    *,
    peacekeepers: float | None = None,
    withdraw_at: int | None = None,
    **changes: Any,
) -> PaperRunTwo:
    """Return the configuration of one of the paper's Model II runs.

    Parameters
    ----------
    number : int
        6 to 8.
    peacekeepers : float, optional
        For Run 7: cops that arrive after 50 ticks, as a share of the cells. The paper does not give
        their number.
    withdraw_at : int, optional
        For Run 8: the tick, counted from 1, at which all cops leave. The paper does not give it.
    **changes
        Fields of :class:`TwoGroupOptions` to set in addition.

    Returns
    -------
    PaperRunTwo

    Raises
    ------
    ValueError
        For another number, an argument of another run, or invalid options.

    References
    ----------
    Epstein 2002, doi 10.1073/pnas.092080199, Table 2 and figures 12 to 14.

    Examples
    --------
    >>> from foedus_streets import paper_run_two
    >>> run = paper_run_two(7, peacekeepers=0.1)
    >>> run.options.cops, run.cops[[0, 49, 50]].tolist()
    (0, [0, 0, 160])
    """
    number = whole("number", number, 6, 8)
    density = _only(number, 7, "peacekeepers", peacekeepers, 0.0, 1.0)
    ticks = TICKS[number]
    last = _only(number, 8, "withdraw_at", withdraw_at, 1, ticks, whole=True)
    row = TABLE_2_TWO[number]
    options = TwoGroupOptions(
        **{
            "citizen_density": POPULATION - row["cops"],
            "cop_density": row["cops"],
            "legitimacy": row["legitimacy"],
            **changes,
        }
    )
    tick = np.arange(1, ticks + 1)
    cops = None
    if density is not None:
        cops = np.where(tick <= ARRIVE_AFTER, 0, round(density * options.sites))
    elif last is not None:
        cops = np.where(tick < last, options.cops, 0)
    return PaperRunTwo(options, ticks, cops)


def _only(
    number: int, of: int, name: str, value: float | None, low: float, high: float, **more: bool
) -> float | None:
    """Return an argument that belongs to one run only, checked."""
    if value is None:
        return None
    if number != of:
        raise ValueError(f"{name} must be left out: it belongs to Run {of}, not to Run {number}")
    return checked(name, value, low, high, **more)
