"""The message where the evidence gives no answer: the true reason, and what was left out."""

from __future__ import annotations

import csv
import datetime as dt
import json

import numpy as np
import pytest

from foedus.answers.explanations import explain, weigh_hypotheses
from foedus.answers.forecasts import judge
from foedus.answers.timelines import COLUMNS, Day, Timeline
from foedus.case.asof import as_of
from foedus.report.explanation_view import explanations_document
from foedus.report.terminal import print_document
from foedus.report.timeline_view import timeline_document, timeline_svg, write_csv
from foedus.weighing.weighed import weigh_runs
from foedus.world.guidance import Guidance

RUNS = 400
HYPOTHESES = [
    {"id": h, "title": f"The {h}", "says": "So.", "put_forward_by": "us"} for h in ("few", "lots")
]


@pytest.fixture
def impossible(toy):
    """A case whose well rated reports no run meets: refused, though all runs weigh the same."""
    facts = [
        toy.fact(name, name, "2001-03-04", 5_000_000, rating="A1")
        for name in ("crowd", "deaths_security", "arrests")
    ]
    asked = [toy.question("falls", "binary", quantity="leader_leaves", statistic="happens")]
    case = as_of(toy.case(facts=facts, hypotheses=HYPOTHESES, questions=asked), "2001-03-05")
    number = (np.arange(RUNS) % 2).astype(np.int16)
    return case, toy.dataset(case, toy.block(case, RUNS), number)


def test_a_refusal_by_disbelief_is_not_put_down_to_few_runs(impossible, capsys):
    found = weigh_hypotheses(weigh_runs(*impossible, guidance=Guidance()))
    assert (found.verdict.level, round(found.effective)) == ("refused", RUNS)
    assert {str(h.evidence.strength) for h in found.hypotheses} == {
        "the runs do not meet the evidence"
    }
    print_document(explanations_document(found))
    text = capsys.readouterr().out
    assert "No answer from the evidence: the runs do not meet the evidence." in text
    assert "too few runs" not in text
    assert "no single fact" not in text


def test_counterfactuals_that_are_left_out_are_named(crisis, tmp_path, capsys):
    few = {"as_of": "2001-03-05", "runs": 30, "workers": 1, "out": tmp_path / "a"}
    refused = explain(crisis, **few)
    assert refused.verdict.refused
    assert refused.counterfactuals == ()
    assert refused.to_dict()["left_out"] == (
        "they start from runs that are believed, and too few runs"
    )
    print_document(explanations_document(refused))
    assert "No counterfactuals: they start from runs" in capsys.readouterr().out
    assert str(explain(crisis, **few, pairs=0).left_out) == "no pairs of runs were asked for"


def test_one_hypothesis_has_no_chance_and_no_error(toy, capsys):
    case = as_of(toy.case(hypotheses=HYPOTHESES[:1]), "2001-03-05")
    dataset = toy.dataset(case, toy.block(case, RUNS), 0)
    found = weigh_hypotheses(weigh_runs(case, dataset, guidance=Guidance()))
    print_document(explanations_document(found))
    text = capsys.readouterr().out
    assert "The case names one hypothesis, so there is no alternative: The few." in text
    assert "%" not in text


def days(case, dataset, count=2) -> Timeline:
    made = judge(weigh_runs(case, dataset)).with_provenance(
        command="foedus forecast", case_name=case.id
    )
    each = [
        Day(
            date=case.as_of + dt.timedelta(days=n),
            news=(),
            base=case.start,
            runs=RUNS,
            added=0,
            forecast=made,
        )
        for n in range(count)
    ]
    return Timeline(case.id, case.title, tuple(each), {"runs": RUNS})


def test_days_without_an_answer_say_why_once(impossible, capsys):
    found = days(*impossible)
    print_document(timeline_document(found))
    text = " ".join(capsys.readouterr().out.split())
    assert text.count("5 Mar, 6 Mar: no answer. The runs disbelieve most of the well rated") == 1
    assert "fact crowd" in text
    assert found.to_dict()["days"][0]["advice"][0].startswith("The runs disbelieve most")


def test_days_of_a_case_without_questions(toy, tmp_path, capsys):
    case = as_of(toy.case(), "2001-03-05")
    found = days(case, toy.dataset(case, toy.block(case, RUNS)))
    with write_csv(found, tmp_path / "days.csv").open(encoding="utf-8") as file:
        assert list(csv.reader(file)) == [list(COLUMNS)]
    print_document(timeline_document(found))
    assert "The case asks no questions." in capsys.readouterr().out
    assert timeline_svg(found).startswith("<svg")
    assert found.to_dataset().sizes["question"] == 0
    assert json.dumps(found.to_dict(), allow_nan=False)


def test_the_columns_of_the_table_are_those_of_its_rows(impossible):
    assert all(tuple(row) == COLUMNS for row in days(*impossible).rows())
