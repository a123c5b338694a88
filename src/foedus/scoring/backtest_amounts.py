"""The amounts of the back-test: days to the landing, soldiers and days of stay, scored by CRPS.

They are asked of crises in which help lands. Every forecaster gives a distribution; the base rate
gives that of the other rows. A stay is followed for :data:`FOLLOWED` days and longer ones count as
that long, for forecast and outcome alike: the runs go on no longer, and the score stays proper
(Allen, Ginsbourger and Ziegel 2023, doi 10.1137/22M1532184).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foedus.case.times import DAYS_PER_MONTH
from foedus.casebook.coded_case import CodedCase, known_before
from foedus.casebook.outlook import Outlook
from foedus.casebook.rates import size_known
from foedus.casebook.scores import crps_sample
from foedus.scoring.skeleton_cases import Stage, as_of_date

if TYPE_CHECKING:
    import pandas as pd

    from foedus.scoring.casebook_backtest import Steps

FloatArray = NDArray[np.float64]

FORECASTERS = ("pooled", "simulation", "casebook", "base_rate")
#: Levels of the quantiles that stand for a distribution.
LEVELS = (np.arange(40) + 0.5) / 40
#: Days after the landing for which a stay is followed.
FOLLOWED = 180


@dataclass(frozen=True, kw_only=True)
class Amount:
    """A generic amount, on the scale on which it is scored.

    Attributes
    ----------
    id, text : str
    simulated : callable
        The amount in each run in which help lands, from the steps.
    history : callable
        Samples of the casebook's models, from the outlook and the days since the request.
    outcome : callable
        What came, from a coded row; None where the row does not tell or no help landed.
    known : callable
        The day from which that was known.
    """

    id: str
    text: str
    simulated: Callable[[Steps], FloatArray]
    history: Callable[[Outlook, float], FloatArray]
    outcome: Callable[[CodedCase], float | None]
    known: Callable[[CodedCase], dt.date]


def _log_days(days: FloatArray | float) -> FloatArray:
    """Return the log of whole days; day 0 counts as half a day."""
    return np.asarray(np.log(np.maximum(days, 0.0) + 0.5))


def _log_stay(days: FloatArray | float) -> FloatArray:
    return np.asarray(np.log(np.clip(days, 1.0, FOLLOWED)))


def _waited(outlook: Outlook, elapsed: float) -> FloatArray:
    """Return the log of the days to the landing, given that nothing landed so far."""
    later = outlook.arrival_days[outlook.arrival_days >= elapsed]
    return np.asarray(np.log(later if later.size else outlook.arrival_days))


def _delay(row: CodedCase) -> float | None:
    if row.days_to_arrival is None or row.answer not in ("troops", "limited"):
        return None
    return float(_log_days(row.days_to_arrival))


def _strength(row: CodedCase) -> float | None:
    peak = row.value("troops_peak_30d")
    return math.log10(peak) if peak and row.answer == "troops" else None


def _stay(row: CodedCase) -> float | None:
    if row.answer not in ("troops", "limited"):
        return None
    if row.months_to_withdrawal is not None:
        return float(_log_stay(row.months_to_withdrawal * DAYS_PER_MONTH))
    arrival, still = row.date("date_first_arrival"), row.date("still_there_on")
    if arrival is None or still is None:
        return None
    seen = (still.earliest() - arrival.latest()).days
    return float(_log_stay(FOLLOWED)) if seen >= FOLLOWED else None


def _landing_known(row: CodedCase) -> dt.date:
    arrival = row.date("date_first_arrival")
    return row.known() if arrival is None else max(row.known(), arrival.latest())


def _stay_known(row: CodedCase) -> dt.date:
    return _landing_known(row) + dt.timedelta(days=FOLLOWED)


AMOUNTS: tuple[Amount, ...] = (
    Amount(
        id="arrival",
        text="Days from the request to the first arrival, natural log",
        simulated=lambda steps: _log_days(steps.landed),
        history=_waited,
        outcome=_delay,
        known=_landing_known,
    ),
    Amount(
        id="soldiers",
        text="Peak of the first 30 days, log10",
        simulated=lambda steps: np.log10(np.maximum(steps.soldiers, 1.0)),
        history=lambda outlook, _: np.log10(outlook.soldiers),
        outcome=_strength,
        known=size_known,
    ),
    Amount(
        id="stay",
        text=f"Days from the first arrival to the last departure, at most {FOLLOWED}, natural log",
        simulated=lambda steps: _log_stay(steps.stay),
        history=lambda outlook, _: _log_stay(outlook.months * DAYS_PER_MONTH),
        outcome=_stay,
        known=_stay_known,
    ),
)


def simulated_amounts(steps: Steps) -> dict[str, list[float] | None]:
    """Return weighted quantiles of each amount, or None where no run has help landing."""
    seen = np.isfinite(steps.landed) & (steps.weight > 0)
    if not seen.any():
        return {amount.id: None for amount in AMOUNTS}
    return {
        amount.id: np.quantile(
            amount.simulated(steps)[seen],
            LEVELS,
            weights=steps.weight[seen],
            method="inverted_cdf",
        ).tolist()
        for amount in AMOUNTS
    }


def amounts_table(
    found: Iterable[Mapping[str, Any]],
    rows: Sequence[CodedCase],
    outlook_of: Callable[[CodedCase, Stage], tuple[Outlook, float]],
    *,
    rolling: bool = False,
) -> pd.DataFrame:
    """Return one line an amount: the CRPS of each forecaster.

    *Pooled* is the mixture of simulation and casebook in equal parts. Where no run has help landing
    it is the casebook alone, and the simulation has no score.

    Parameters
    ----------
    found : iterable of mapping
        ``row``, ``stage`` and ``amounts``, the quantiles of :func:`simulated_amounts`.
    rows : sequence of CodedCase
    outlook_of : callable
        Returns what the models say of a row as of a stage without it, and the days since the
        request.
    rolling : bool
        Let each row see only what was known before it began.

    Returns
    -------
    DataFrame
        Columns ``row``, ``stage``, ``amount`` and one for each of :data:`FORECASTERS`.
    """
    import pandas as pd

    by_id = {row.id: row for row in rows}
    lines = []
    for one in found:
        row, stage = by_id[one["row"]], one["stage"]
        outlook, elapsed = outlook_of(row, stage)
        for amount in AMOUNTS:
            value = amount.outcome(row)
            if value is None or (amount.id == "arrival" and _there(row, stage)):
                continue
            history = _thinned(amount.history(outlook, elapsed))
            quantiles = one["amounts"][amount.id]
            runs = np.array([] if quantiles is None else quantiles)
            samples = {
                "pooled": np.concatenate([runs, history]),
                "simulation": runs,
                "casebook": history,
                "base_rate": _others(amount, row, rows, row.start() if rolling else None),
            }
            scores = {k: crps_sample(v, value) if v.size else math.nan for k, v in samples.items()}
            lines.append({"row": row.id, "stage": stage, "amount": amount.id, **scores})
    return pd.DataFrame(lines, columns=["row", "stage", "amount", *FORECASTERS])


def _there(row: CodedCase, stage: Stage) -> bool:
    arrival, date = row.date("date_first_arrival"), as_of_date(row, stage)
    return arrival is not None and date is not None and arrival.earliest() <= date


def _thinned(samples: FloatArray) -> FloatArray:
    return np.asarray(np.quantile(samples, LEVELS, method="inverted_cdf"))


def _others(
    amount: Amount, row: CodedCase, rows: Sequence[CodedCase], before: dt.date | None
) -> FloatArray:
    """Return the amounts of the other rows that were known before a day."""
    return np.array(
        [
            value
            for other in rows
            if other.key != row.key
            and known_before(amount.known(other), before)
            and (value := amount.outcome(other)) is not None
        ]
    )
