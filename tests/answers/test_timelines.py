"""The forecast of each day: shared runs, no hindsight, nothing simulated twice."""

from __future__ import annotations

import csv
import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import foedus
from foedus.answers import timelines as module
from foedus.answers.timelines import timeline
from foedus.case.asof import days_of, is_span, parse_span
from foedus.case.models import Case
from foedus.cli import main
from foedus.ensemble import work
from foedus.ensemble.design import log_importance
from foedus.ensemble.prior_matching import PILOT
from foedus.errors import InputError, Interrupted
from foedus.scoring.lead_time import history

RUNS = 40
GIVEN: dict[str, Any] = {"runs": RUNS, "seed": 5, "workers": 1, "batch": 20}


def fact(identifier, quantity, about, value, known_from, rating="B2"):
    return {
        "id": identifier, "quantity": quantity, "about": about, "value": value, "source": "desk",
        "known_from": known_from, "rating": rating, "text": "It is said.",
    }  # fmt: skip


def changed(case: Case, **more) -> Case:
    """Return a case with additional rows in some lists."""
    data = case.model_dump(mode="json")
    return Case.model_validate_json(
        json.dumps(data | {name: [*data[name], *rows] for name, rows in more.items()})
    )


@pytest.fixture(scope="module")
def case(crisis: Case) -> Case:
    """Decisions become known on days 3 and 4; on days 5 and 6 there are only reports."""
    questions = [
        {"id": i, "text": f"{i}?", "kind": kind, "ask": {"quantity": q, "statistic": s}}
        for i, kind, q, s in (
            ("killed", "number", "deaths_total", "at"),
            ("lands", "date", "first_arrival", "first_day"),
        )
    ]
    outcomes = [
        {"question": q, "value": v, "known_from": "2001-03-20", "source": "desk"}
        for q, v in (("falls", False), ("killed", 30), ("lands", "2001-03-05"))
    ]
    facts = [
        fact("crowds-4", "crowd", "2001-03-04", 4000, "2001-03-05"),
        fact("toll", "deaths_total", "2001-03-05", 25, "2001-03-06"),
    ]
    return changed(crisis, questions=questions, outcomes=outcomes, facts=facts)


@pytest.fixture(scope="module")
def stores(tmp_path_factory) -> Path:
    return Path(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def whole(case, stores):
    """All days of the case, and the number of runs simulated for them."""
    with pytest.MonkeyPatch.context() as patch:
        counted = count(patch)
        found = timeline(case, "2001-03-01", "2001-03-06", out=stores, **GIVEN)
    return found, sum(counted)


def count(patch) -> list[int]:
    """Return a list that records the number of runs of each batch simulated from now on."""
    counted = []
    honest = work.simulate

    def counting(task, runs):
        counted.append(runs.size)
        return honest(task, runs)

    patch.setattr(work, "simulate", counting)
    return counted


def plain(found) -> str:
    """Return all answers, and their basis, as text."""
    return json.dumps([d.to_dict() for d in found.days])


def said(found, date: str) -> str:
    day = next(d for d in found.days if d.date == dt.date.fromisoformat(date))
    weights: bytes = day.forecast.weights.log_weight.tobytes()
    return json.dumps(day.to_dict()) + weights.hex()


@pytest.mark.parametrize(
    "text",
    ["2001-03-01..", "..2001-03-02", "2001-03-01..2001-03-02..2001-03-03",
     "2001-03-01...2001-03-02", "2001-03-02..2001-03-01", "2001-03-01..tomorrow",
     "2001-03-01T10:00..2001-03-02", "2001-3-1..2001-3-2", "2001-02-30..2001-03-02", ".."],
)  # fmt: skip
def test_what_is_no_range(text):
    assert is_span(text)
    with pytest.raises(InputError, match="a range of days such as 2022") as error:
        parse_span(text)
    assert text in str(error.value)


def test_a_range(crisis):
    assert not is_span("2001-03-01")
    assert not is_span(None)
    assert parse_span("2001-03-01..2001-03-01") == (dt.date(2001, 3, 1), dt.date(2001, 3, 1))
    assert len(days_of(crisis, "2001-03-02", "2001-03-06")) == 5
    with pytest.raises(InputError, match=r"days of case toy, 2001-03-01..2001-03-06"):
        days_of(crisis, "2001-03-02", "2001-03-07")


def test_days_with_the_same_decisions_share_their_runs(case, whole, stores, monkeypatch):
    found, simulated = whole
    days = {d.date.day: d for d in found.days}
    assert [d.base.day for d in found.days] == [1, 1, 3, 4, 4, 4]
    assert [[f.id for f in d.news] for d in found.days[2:]] == [
        ["asked", "crowds"], ["sends", "fires", "others"], ["crowds-4"], ["toll"]
    ]  # fmt: skip
    assert days[2].added == 0
    assert days[2].runs == days[1].runs
    assert days[4].runs <= days[5].runs <= days[6].runs
    for d in found.days:
        assert d.runs <= module.MOST * RUNS
        enough = d.forecast.weights.ess >= module.ENOUGH or d.runs > (module.MOST - 1) * RUNS
        assert enough or not d.news
    made = sum(d.added for d in found.days)
    # The pilot of the prior matching is made once.
    assert simulated - PILOT == made < sum(d.runs for d in found.days)

    again_simulated = count(monkeypatch)
    again = timeline(case, "2001-03-01", "2001-03-06", out=stores, **GIVEN)
    assert not again_simulated, "all of it is on disk"
    assert plain(again) == plain(found)


@pytest.mark.parametrize("batch", [20, 50])
def test_a_day_is_the_same_whatever_other_days_are_asked_for(case, whole, batch, tmp_path):
    last = timeline(case, "2001-03-06", "2001-03-06", out=tmp_path, **(GIVEN | {"batch": batch}))
    assert said(last, "2001-03-06") == said(whole[0], "2001-03-06")


def test_it_goes_on_where_it_was_stopped(case, whole, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        honest, calls = work.simulate, []

        def stopped(task, runs):
            calls.append(runs.size)
            if len(calls) == 4:
                raise KeyboardInterrupt
            return honest(task, runs)

        patch.setattr(work, "simulate", stopped)
        with pytest.raises(Interrupted):
            timeline(case, "2001-03-05", "2001-03-06", out=tmp_path, **GIVEN)
    with pytest.MonkeyPatch.context() as patch:
        again = count(patch)
        found = timeline(case, "2001-03-05", "2001-03-06", out=tmp_path, **GIVEN)
    assert sum(again) == found.days[-1].runs - 3 * GIVEN["batch"]
    assert said(found, "2001-03-06") == said(whole[0], "2001-03-06")


def test_the_first_day_of_a_stretch_is_the_forecast_of_one_date(case, whole, tmp_path):
    day = whole[0].days[3]
    assert day.date == day.base
    one = foedus.forecast(
        case, as_of="2001-03-04", out=tmp_path / "b", **(GIVEN | {"runs": day.runs})
    )
    assert json.dumps(one.to_dict()) == json.dumps(day.forecast.to_dict())
    assert one.weights.log_weight.tobytes() == day.forecast.weights.log_weight.tobytes()


def test_a_later_fact_changes_nothing_before_it(case, whole, tmp_path):
    """Bit for bit, also in the proposal; the new facts require other runs from then on."""
    new = [
        fact("flood", "crowd", "2001-03-04", 90_000, "2001-03-06", "A1"),
        fact("shut", "shutdown", "2001-03-04", True, "2001-03-06", "A1"),
    ]
    other = changed(case, facts=new).model_copy(update={"outcomes": ()})
    b = timeline(other, "2001-03-01", "2001-03-06", out=tmp_path, **GIVEN)
    for day in range(1, 6):
        # The hash of the whole case covers its later facts too; nothing else does.
        assert said(whole[0], f"2001-03-0{day}") == said(b, f"2001-03-0{day}")
    assert said(whole[0], "2001-03-06") != said(b, "2001-03-06")


def test_more_runs_look_where_the_new_reports_lead(case, tmp_path, monkeypatch):
    """The stage is fitted to what is known on the day, and all runs are weighted exactly."""
    monkeypatch.setattr(module, "ENOUGH", 1e9)
    monkeypatch.setattr(module, "MOST", 3)
    found = timeline(case, "2001-03-04", "2001-03-06", out=tmp_path, **(GIVEN | {"runs": 100}))
    assert [d.runs for d in found.days] == [200, 300, 300]
    assert [d.added for d in found.days] == [200, 100, 0]
    stores = [foedus.open_ensemble(p) for p in tmp_path.glob("*2001-03-05*.zarr")]
    longer = next(s for s in stores if s.plan.runs == 300)
    stages = [s.first_run for s in longer.plan.stages]
    assert stages == [200, 250], "half as many as were asked for, twice"
    price = log_importance(longer)
    assert np.exp(price).mean() == pytest.approx(1.0, abs=0.1), "prior over mixture"
    assert price.std() > 0
    assert "2001-03-04..2001-03-05" in found.days[1].command


def test_as_data(whole):
    found = replace(whole[0], days=whole[0].days[3:])
    data = found.to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert [d["as_of"] for d in data["days"]] == ["2001-03-04", "2001-03-05", "2001-03-06"]
    assert {"base", "runs", "added", "news", "effective", "verdict", "answers"} <= set(
        data["days"][0]
    )
    dataset = found.to_dataset()
    assert dataset["probability"].dims == ("as_of", "question")
    assert dict(dataset.sizes) == {"as_of": 3, "question": 3, "level": 5}
    falls = found.days[1].forecast.answer("falls").headline
    told = dataset["probability"].sel(as_of="2001-03-05", question="falls").item()
    assert np.isnan(told) if falls is None else told == falls.probability
    assert dataset["news"].to_numpy().tolist() == [3, 1, 1]


def test_the_command(case, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "toy.yaml"
    path.write_text(json.dumps(case.model_dump(mode="json", exclude_none=True)), encoding="utf-8")
    words = [str(path), "--as-of", "2001-03-04..2001-03-06", "--runs", "40", "--workers", "1"]
    assert main(["forecast", *words]) == 0
    out = capsys.readouterr()
    assert "day by day" in out.out
    assert "6 Mar 2001: 1 new fact (toll)." in out.out
    assert "day 2 of 3" in out.err
    table = tmp_path / "results" / "toy_2001-03-04..2001-03-06_seed1.csv"
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 9
    assert {r["question"] for r in rows} == {"falls", "killed", "lands"}
    ElementTree.fromstring(table.with_suffix(".svg").read_text(encoding="utf-8"))

    assert main(["score", *words, "--json"]) == 0
    out = capsys.readouterr()
    data = json.loads(out.out)
    assert set(data) == {"format", "timeline", "scores", "leads"}
    assert len(data["scores"]) == 3
    assert main(["score", *words]) == 0
    out = capsys.readouterr()
    assert "Came" in out.out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--as-of", "2001-03-05..2001-03-04"], "a range of days"),
        (["--as-of", "2001-03-05..2001-04-04"], "days of case toy"),
        (["--as-of", "2001-03-04..2001-03-05", "--brief", "b.html"], "--brief, --pdf"),
        (["--as-of", "2001-03-04..2001-03-05", "--out", "store"], "several"),
    ],
)
def test_what_the_command_refuses(case, words, why, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("store").mkdir()
    Path("store/zarr.json").write_text("{}")
    path = tmp_path / "toy.yaml"
    path.write_text(json.dumps(case.model_dump(mode="json", exclude_none=True)), encoding="utf-8")
    assert main(["forecast", str(path), *words]) == 2
    assert why in capsys.readouterr().err


def test_a_case_without_outcomes_has_no_history(case):
    with pytest.raises(InputError, match="no outcomes"):
        history(case.model_copy(update={"outcomes": ()}), "2001-03-04", "2001-03-05", **GIVEN)
