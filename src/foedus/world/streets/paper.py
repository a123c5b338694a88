"""The runs of Epstein 2002, Model I, as configurations: its Table 2 and its schedules over time.

Figures: Run 1 is the static one (figure 2), Run 2 punctuated equilibrium (3 to 7), Run 3 the slow
loss of legitimacy (9), Run 4 one drop of it (10), Run 5 the reduction of cops (11).
The paper's "initial population density 0.7" is taken to count the cops in, which fits its figures
9 and 11 (a plateau of half of all eligible citizens in jail) and not 1,120 citizens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.world.streets.options import StreetOptions, reading

#: Table 2: vision, legitimacy at the start, longest jail term, movement, cop density.
TABLE_2: dict[int, dict[str, Any]] = {
    1: {"vision": 1.7, "legitimacy": 0.89, "max_jail_term": 15, "movement": "none", "cops": 0.04},
    2: {"vision": 7.0, "legitimacy": 0.82, "max_jail_term": 30, "movement": "all", "cops": 0.04},
    3: {"vision": 7.0, "legitimacy": 0.9, "max_jail_term": math.inf, "movement": "all"},
    4: {"vision": 7.0, "legitimacy": 0.9, "max_jail_term": math.inf, "movement": "all"},
    5: {"vision": 7.0, "legitimacy": 0.8, "max_jail_term": math.inf, "movement": "all"},
}
COPS_RUNS_3_TO_5 = 0.074
POPULATION = 0.7
#: Tick at which Run 4's legitimacy drops; periods over which Run 5's cops go; length of runs.
DROP_AT = 77
WALK = 50
TICKS = {1: 100, 2: 1000, 3: 270, 4: 270, 5: 270}


@dataclass(frozen=True)
class PaperRun:
    """One run of the paper: give the fields to :func:`foedus.streets.simulate`.

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


def paper_run(
    number: int, *, name: str = "citizens_first", drop_to: float = 0.7, **changes: Any
) -> PaperRun:
    """Return the configuration of one of the paper's Model I runs under a reading.

    Parameters
    ----------
    number : int
        1 to 5.
    name : str
        A reading (see :func:`foedus.streets.reading`).
    drop_to : float
        Legitimacy after the drop of Run 4: 0.70 by the paper's text, about 0.65 by its plot.
    **changes
        Fields of :class:`StreetOptions` to set on top.

    Returns
    -------
    PaperRun

    Raises
    ------
    ValueError
        For another number, or bad options.

    References
    ----------
    Epstein 2002, doi 10.1073/pnas.092080199, Table 2 and figures 9 to 11.

    Examples
    --------
    >>> from foedus.streets import paper_run, simulate
    >>> run = paper_run(5)
    >>> run.options.cops, run.cops[[0, 25, 49]].tolist()
    (118, [116, 57, 0])
    """
    if number not in TABLE_2:
        raise ValueError(f"number must be from 1 to 5, not {number!r}")
    if not 0.0 <= drop_to <= 1.0:
        raise ValueError(f"drop_to must be from 0 to 1, not {drop_to!r}")
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
    if number == 3:  # 1 percent every third period, to 0 at the end
        legitimacy = np.maximum(row["legitimacy"] - 0.01 * (tick // 3), 0.0)
    elif number == 4:
        legitimacy = np.where(tick < DROP_AT, row["legitimacy"], drop_to)
    elif number == 5:
        left = np.clip(1.0 - tick / WALK, 0.0, 1.0)
        cops = np.round(options.cops * left).astype(np.int64)
    return PaperRun(options, ticks, legitimacy, cops)
