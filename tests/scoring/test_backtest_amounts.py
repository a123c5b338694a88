"""Amounts of the back-test: outcomes, weighted quantiles, scores without hindsight."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from foedus.case.times import PartialDate
from foedus.casebook.coded_case import Coded, CodedCase
from foedus.casebook.design import Features
from foedus.casebook.load import load_casebook
from foedus.casebook.outlook import Outlook, predict
from foedus.scoring.backtest_amounts import AMOUNTS, FOLLOWED, amounts_table, simulated_amounts
from foedus.scoring.casebook_backtest import Steps

BOOK = load_casebook()
ROWS = [row for row in BOOK if row.usable]
BY_ID = {amount.id: amount for amount in AMOUNTS}


def steps(**values: Any) -> Steps:
    base: dict[str, Any] = {
        "asked": np.zeros(4),
        "troops": np.ones(4, dtype=bool),
        "limited": np.zeros(4, dtype=bool),
        "refused": np.zeros(4, dtype=bool),
        "landed": np.array([0.0, 2.0, 9.0, np.inf]),
        "soldiers": np.array([10.0, 100.0, 1000.0, 0.0]),
        "stay": np.array([20.0, 400.0, np.inf, np.inf]),
        "dead": np.zeros(4),
        "in_power": np.ones(4, dtype=bool),
        "weight": np.array([0.5, 0.2, 0.1, 0.2]),
    }
    return Steps(**(base | values))


def outlook(row: CodedCase, stage: str) -> tuple[Outlook, float]:
    return predict(Features.of(row), exclude=row.key), 0.0


def test_outcomes() -> None:
    kazakhstan = {a.id: a.outcome(BOOK["KAZ2022"]) for a in AMOUNTS}
    assert kazakhstan["arrival"] == pytest.approx(math.log(1.5))
    assert kazakhstan["soldiers"] == pytest.approx(math.log10(2030))
    assert kazakhstan["stay"] == pytest.approx(math.log(13), abs=0.1)
    refused = next(row for row in ROWS if row.answer == "refused")
    assert all(a.outcome(refused) is None for a in AMOUNTS)
    assert BY_ID["stay"].outcome(BOOK["GMB2017"]) == pytest.approx(math.log(FOLLOWED))
    assert BY_ID["stay"].known(BOOK["KAZ2022"]) == dt.date(2022, 7, 5)


def test_quantiles_are_of_the_runs_in_which_help_lands() -> None:
    found = simulated_amounts(steps())
    arrival, stay = found["arrival"], found["stay"]
    assert arrival is not None
    assert stay is not None
    counts = {round(math.exp(v) - 0.5): arrival.count(v) for v in set(arrival)}
    assert counts == {0: 25, 2: 10, 9: 5}  # five, two and one of eight parts of forty
    assert set(stay) == {math.log(20), math.log(FOLLOWED)}
    nothing = simulated_amounts(steps(landed=np.full(4, np.inf)))
    assert nothing == {"arrival": None, "soldiers": None, "stay": None}


def test_a_certain_and_right_forecast_scores_nothing() -> None:
    row = BOOK["BHR2011"]
    right = {a.id: [a.outcome(row)] * 40 for a in AMOUNTS}
    found = [{"row": row.id, "stage": "trigger", "amounts": right}]
    scores = amounts_table(found, ROWS, outlook).set_index("amount")
    assert list(scores.index) == ["arrival", "soldiers", "stay"]
    assert scores["simulation"].to_numpy() == pytest.approx(np.zeros(3))
    assert (scores[["casebook", "base_rate"]] > 0).to_numpy().all()
    assert (scores["pooled"] < scores["casebook"]).all()


def test_runs_without_a_landing_leave_the_casebook_alone() -> None:
    silent = dict.fromkeys(BY_ID)
    found = [{"row": "BHR2011", "stage": "request", "amounts": silent}]
    scores = amounts_table(found, ROWS, outlook)
    assert scores["simulation"].isna().all()
    assert scores["pooled"].to_numpy() == pytest.approx(scores["casebook"].to_numpy())


def test_no_score_but_by_its_own_outcome_depends_on_how_a_row_ended() -> None:
    """With rolling origin a row that ends later leaves the base rates of an earlier one alone."""
    early, late = BOOK["BHR2011"], BOOK["KAZ2022"]
    found = [{"row": early.id, "stage": "trigger", "amounts": dict.fromkeys(BY_ID)}]
    coded = Coded[Any].model_construct(
        value=PartialDate.parse("2025-01-01"), confidence="L", sources=()
    )
    fields = late.fields.model_copy(update={"date_withdrawal_end": coded})
    other = [
        row if row.id != late.id else late.model_copy(update={"fields": fields}) for row in ROWS
    ]
    one = amounts_table(found, ROWS, outlook, rolling=True)
    pd.testing.assert_frame_equal(one, amounts_table(found, other, outlook, rolling=True))
