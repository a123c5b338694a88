"""The back-test over the casebook: skeletons without hindsight, outcomes, scores."""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from foedus.case.times import PartialDate, local_day
from foedus.casebook.coded_case import Coded, CodedCase
from foedus.casebook.design import Features
from foedus.casebook.load import load_casebook
from foedus.casebook.outlook import predict
from foedus.errors import InputError
from foedus.scoring import casebook_backtest
from foedus.scoring.casebook_backtest import (
    FORECASTERS,
    QUESTIONS,
    BackTest,
    Steps,
    backtest,
    open_questions,
    steps_of_history,
    table,
)
from foedus.scoring.skeleton_cases import STAGES, as_of_date, skeleton

BOOK = load_casebook()
ROWS = [row for row in BOOK if row.usable]
#: What a row codes from how the crisis ended.
ENDINGS: dict[str, Any] = {
    "date_first_arrival": PartialDate.parse("2030-01-01"),
    "date_withdrawal_end": PartialDate.parse("2031-01-01"),
    "troops_peak_30d": 123_456,
    "intervener_deaths_90d": 77,
    "requester_in_power_90d": False,
    "n_members_refused_or_abstained": 9,
    "official_framing": "changed",
}


def changed(row: CodedCase, **values: Any) -> CodedCase:
    coded = {
        name: Coded[Any].model_construct(value=value, confidence="L", sources=())
        for name, value in values.items()
    }
    return row.model_copy(update={"fields": row.fields.model_copy(update=coded)})


def outcome(row: str, question: str) -> bool | None:
    return next(q for q in QUESTIONS if q.id == question).outcome(BOOK[row])


@pytest.mark.parametrize("stage", ["trigger", "request"])
def test_a_skeleton_knows_nothing_of_how_its_crisis_ended(stage: Any) -> None:
    for row in ROWS:
        case = skeleton(row, stage)
        other = changed(row, **ENDINGS, outcome_class="refused")
        changed_case = skeleton(other, stage)
        if case is None or changed_case is None:
            assert case is changed_case
        else:
            assert case.model_dump() == changed_case.model_dump()
            assert all(fact.known_from <= case.as_of for fact in case.facts)
            assert not case.outcomes


def test_every_usable_row_has_a_skeleton_as_of_its_trigger() -> None:
    assert len(ROWS) >= 70
    assert all(skeleton(row, "trigger") is not None for row in ROWS)


def test_a_request_is_a_fact_from_its_day_on() -> None:
    row = BOOK["NER2023"]
    before, after = skeleton(row, "trigger"), skeleton(row, "request")
    assert before is not None
    assert after is not None
    assert [f.quantity for f in before.facts] == []
    assert [f.quantity for f in after.facts] == ["request"]
    assert local_day(after.as_of, 0.0) == as_of_date(row, "request")


def test_outcomes_of_kazakhstan() -> None:
    """Asked on 5 January 2022, landed on the 6th, gone on the 19th."""
    assert outcome("KAZ2022", "asked") is True
    assert outcome("KAZ2022", "troops") is True
    assert outcome("KAZ2022", "refused") is False
    assert outcome("KAZ2022", "landed-3") is True
    assert outcome("KAZ2022", "soldiers-1000") is True
    assert outcome("KAZ2022", "soldiers-5000") is False
    assert outcome("KAZ2022", "gone-30") is True
    assert outcome("KAZ2022", "in-power") is True


def test_a_date_known_to_the_month_settles_only_what_it_settles() -> None:
    row = changed(
        BOOK["KAZ2022"],
        date_request=PartialDate.parse("2022-01-20"),
        date_first_arrival=PartialDate.parse("2022-02"),
    )
    landed = {q.id: q.outcome(row) for q in QUESTIONS if q.id.startswith("landed")}
    assert landed == {"landed-3": False, "landed-7": False, "landed-30": None, "landed-60": True}


def test_what_was_refused_never_lands_and_has_no_stay() -> None:
    refused = next(row for row in ROWS if row.answer == "refused")
    by_id = {q.id: q.outcome(refused) for q in QUESTIONS}
    assert by_id["landed-60"] is False
    assert by_id["soldiers-500"] is False
    assert by_id["gone-30"] is None


def test_a_mission_that_was_still_there_had_not_left() -> None:
    """Gambia 2017: no end is coded, but the force was there in 2025."""
    assert outcome("GMB2017", "gone-180") is False
    row = changed(BOOK["GMB2017"], still_there_on=PartialDate.parse("2017-03-31"))
    gone = {q.id: q.outcome(row) for q in QUESTIONS if q.id.startswith("gone")}
    assert gone == {"gone-30": False, "gone-90": None, "gone-180": None}


def test_an_outcome_informs_rates_only_once_it_is_known() -> None:
    """Bahrain 2011: landed on 14 March, the last soldier left on 4 July."""
    row = BOOK["BHR2011"]
    known = {q.id: q.known(row) for q in QUESTIONS}
    assert known["troops"] == dt.date(2011, 3, 14)
    assert known["soldiers-500"] == dt.date(2011, 4, 13)
    assert known["gone-30"] == dt.date(2011, 4, 13)
    assert known["gone-180"] == dt.date(2011, 9, 10)
    assert known["in-power"] == dt.date(2011, 6, 11)
    assert known["dead-100"] == dt.date(2011, 4, 15)
    for question in QUESTIONS:
        later = question.known(row) + dt.timedelta(days=1)
        assert casebook_backtest._past(question, [row], before=question.known(row)) == []
        assert casebook_backtest._past(question, [row], before=later) == [question.outcome(row)]


def test_the_dead_are_asked_about_while_they_are_counted() -> None:
    assert "dead-100" in {q.id for q in open_questions(BOOK["KAZ2022"], "request")}
    assert "dead-100" not in {q.id for q in open_questions(BOOK["LBR1990"], "request")}


def test_questions_that_have_passed_are_not_asked() -> None:
    """Haiti asked in October 2022; the decision fell a year later."""
    late = next(
        row
        for row in ROWS
        if (d := as_of_date(row, "decision")) is not None
        and (r := as_of_date(row, "request")) is not None
        and (d - r).days > 60
    )
    ids = {q.id for q in open_questions(late, "decision")}
    assert not any(name.startswith("landed") for name in ids)
    assert "asked" not in ids
    assert "troops" not in ids


def _steps(**values: Any) -> Steps:
    n = 4
    base: dict[str, Any] = {
        "asked": np.array([0.0, 10.0, 40.0, np.inf]),
        "troops": np.array([True, False, False, False]),
        "limited": np.zeros(n, dtype=bool),
        "refused": np.array([False, True, False, False]),
        "landed": np.array([2.0, np.inf, np.inf, np.inf]),
        "soldiers": np.array([800.0, 0.0, 0.0, 0.0]),
        "stay": np.array([50.0, np.inf, np.inf, np.inf]),
        "dead": np.array([20.0, 120.0, 0.0, 2000.0]),
        "in_power": np.array([True, True, False, False]),
        "weight": np.array([0.1, 0.2, 0.3, 0.4]),
    }
    return Steps(**(base | values))


def test_questions_are_read_from_weighed_runs() -> None:
    said = {q.id: q.forecast(_steps()) for q in QUESTIONS}
    assert said["asked"] == pytest.approx(0.3)
    assert said["troops"] == pytest.approx(0.1)
    assert said["refused"] == pytest.approx(0.2)
    assert said["none"] == pytest.approx(0.7)
    assert said["landed-3"] == pytest.approx(0.1)
    assert said["soldiers-500"] == pytest.approx(0.1)
    assert said["soldiers-1000"] == 0.0
    assert said["gone-30"] == 0.0
    assert said["gone-90"] == pytest.approx(1.0)
    assert said["in-power"] == pytest.approx(0.3)
    assert said["dead-100"] == pytest.approx(0.6)
    assert said["dead-1000"] == pytest.approx(0.4)
    assert math.isnan(_steps().share(np.ones(4, dtype=bool), np.zeros(4, dtype=bool)))


def test_history_answers_every_question_with_a_coherent_set() -> None:
    outlook = predict(
        replace(Features.of(BOOK["NER2023"]), formal_request=None), exclude=("NER", 2023)
    )
    dead = {100: 0.4, 1000: 0.1}
    said = steps_of_history(outlook, asked_within_30=0.8, dead=dead)
    assert set(said) == {q.id for q in QUESTIONS}
    assert sum(said[name] for name in ("troops", "limited", "refused", "none")) == pytest.approx(1)
    assert said["landed-3"] < said["landed-7"] < said["landed-30"] < said["landed-60"]
    assert said["soldiers-500"] > said["soldiers-1000"] > said["soldiers-5000"]
    assert said["gone-30"] < said["gone-90"] < said["gone-180"]
    refused = steps_of_history(outlook, asked_within_30=0.8, dead=dead, granted=False)
    assert refused["landed-60"] == refused["soldiers-500"] == 0.0


def test_no_forecast_of_a_row_depends_on_how_it_ended() -> None:
    """Base rate and casebook leave out the row, and the rows of its requester and year."""
    row = BOOK["KGZ2010B"]
    found = [{"row": row.id, "stage": "trigger", "effective": 9.0, "simulation": {"troops": 0.25}}]
    twins = [c for c in ROWS if c.key == row.key]
    assert len(twins) > 1
    other = [
        changed(c, requester_in_power_90d=False, troops_peak_30d=99_999) if c.key == row.key else c
        for c in ROWS
    ]
    names = ["question", "simulation", "casebook", "base_rate"]
    one, two = table(found, ROWS)[names], table(found, other)[names]
    pd.testing.assert_frame_equal(one, two)
    assert one.set_index("question").loc["troops", "simulation"] == 0.25
    assert one.set_index("question").loc["landed-3", "simulation"] == 0.5  # the runs say nothing


def test_opposition_and_task_are_not_known_before_the_decision() -> None:
    """A rival opposes help that is discussed, and a force has a task once help is decided."""
    row = BOOK["LBY2020"]
    other = changed(row, rival_great_power_opposed=False, mission_kind="police")
    rows = [other if c.id == row.id else c for c in ROWS]
    for stage in STAGES:
        found = [{"row": row.id, "stage": stage, "effective": 9.0, "simulation": {}}]
        one, two = table(found, ROWS)["casebook"], table(found, rows)["casebook"]
        assert one.equals(two) is (stage != "decision")


def test_the_share_of_a_trigger_is_drawn_towards_that_of_all() -> None:
    row = BOOK["KAZ2022"]
    others = [c for c in ROWS if c.key != row.key]
    question = next(q for q in QUESTIONS if q.id == "dead-100")
    share = casebook_backtest._by_trigger(question, row, others, before=None)
    came = casebook_backtest._past(question, others, before=None)
    same = [c for c in others if c.trigger == row.trigger]
    own = casebook_backtest._past(question, same, before=None)
    low, high = sorted([sum(own) / len(own), sum(came) / len(came)])
    assert low < share < high
    nobody = casebook_backtest._by_trigger(question, row, others, before=dt.date(1950, 1, 1))
    assert nobody == pytest.approx(0.5)


def _frame() -> pd.DataFrame:
    lines = []
    for cluster, question, outcome, p in (
        ("A 1", "troops", True, 0.8),
        ("B 1", "troops", False, 0.4),
        ("A 1", "asked", True, 0.6),
    ):
        said: dict[str, Any] = dict.fromkeys(FORECASTERS, 0.5) | {"pooled": p}
        said |= {"row": cluster[0], "cluster": cluster, "stage": "trigger", "question": question}
        lines.append(said | {"outcome": outcome, "effective": 10.0})
    return pd.DataFrame(lines)


def _backtest() -> BackTest:
    amounts = pd.DataFrame(
        [
            {"row": "A", "stage": "trigger", "amount": "stay", "pooled": 0.2, "simulation": 0.3},
            {"row": "B", "stage": "trigger", "amount": "stay", "pooled": 0.4, "simulation": 0.5},
            {"row": "C", "stage": "trigger", "amount": "stay", "pooled": 9.0},
        ]
    )
    return BackTest(
        forecasts=_frame(),
        amounts=amounts.assign(casebook=1.0, base_rate=2.0),
        runs=10,
        seed=1,
        rolling=False,
    )


def test_other_scores_by_hand() -> None:
    found = _backtest()
    assert found.in_order()["pooled"] == 1.0
    assert found.in_order()["half"] == 0.5
    expected = (-(math.log(0.8) + math.log(0.6)) / 2 - math.log(0.6)) / 2
    assert found.log_score()["pooled"] == pytest.approx(expected)
    line = found.crps().reset_index().to_dict("records")[0]
    assert (line["n"], line["pooled"], line["base_rate"]) == (2, pytest.approx(0.3), 2.0)
    curve = found.reliability("pooled")
    assert curve.score == pytest.approx(((0.04 + 0.16) / 2 + 0.16) / 2)


def test_the_primary_metric_is_the_mean_over_questions_of_the_mean_over_rows() -> None:
    found = _backtest()
    assert found.primary()["pooled"] == pytest.approx(((0.04 + 0.16) / 2 + 0.16) / 2)
    assert found.primary()["half"] == pytest.approx(0.25)
    gains = found.differences()
    assert gains["half"] == (0.0, 0.0)
    assert gains["pooled"][0] == pytest.approx(0.25 - found.primary()["pooled"])
    assert gains["pooled"][1] > 0
    assert json.loads(json.dumps(found.to_dict()))["primary"]["pooled"] == pytest.approx(0.13)


def test_a_back_test_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {"runs": 10, "only": ("KAZ2022",), "folder": tmp_path, "workers": 1}
    first = backtest(**given)
    assert set(first.forecasts["stage"]) == set(STAGES)
    assert first.forecasts["simulation"].between(0, 1).all()
    assert set(first.amounts["amount"]) == {"arrival", "soldiers", "stay"}
    gone = sorted(tmp_path.rglob("*.json"))[0]
    kept = gone.read_bytes()
    gone.unlink()
    made: list[str] = []
    simulate = casebook_backtest._simulate

    def counted(job: Any) -> None:
        made.append(job.file)
        simulate(job)

    monkeypatch.setattr(casebook_backtest, "_simulate", counted)
    second = backtest(**given)
    assert made == [str(gone)]
    assert gone.read_bytes() == kept
    pd.testing.assert_frame_equal(first.forecasts, second.forecasts)


def test_an_unknown_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="KAZ2O22"):
        backtest(only=("KAZ2O22",), folder=tmp_path)


def test_the_pool_is_the_casebook_where_the_world_has_no_such_thing(tmp_path: Path) -> None:
    given: dict[str, Any] = {"runs": 10, "folder": tmp_path, "workers": 1}
    found = backtest(only=("BHR2011", "GMB2017"), **given).forecasts
    alone = found["pooled"] == found["casebook"]
    coup = found["row"] == "GMB2017"
    dead = found["question"].str.startswith("dead")
    assert alone[found["question"] == "limited"].all()
    assert alone[coup & dead].all()
    assert not alone[~coup & dead].all()
    assert not alone[found["question"] == "troops"].any()
