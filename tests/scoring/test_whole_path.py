"""From a case through simulated runs to a scored forecast, on a small case."""

from __future__ import annotations

import json

import pytest

from foedus.answers.forecasts import forecast
from foedus.case.asof import as_of
from foedus.ensemble.runner import run
from foedus.errors import InputError
from foedus.scoring.scores import score

from ..narrowing import present


@pytest.fixture
def case(toy):
    return toy.case(
        horizon=6,
        ticks_per_day=2,
        requester_iso3="KAZ",
        facts=[
            toy.fact("asked", "request", "2001-03-04", rating="B1"),
            toy.fact("crowds", "crowd", "2001-03-03", "thousands", rating="C3"),
            toy.fact("later", "deaths_total", "2001-03-04", 300, known_from="2001-03-06"),
        ],
        questions=[
            toy.question("comes", "binary", quantity="decision", statistic="happens")
            | {"baseline": {"casebook": "granted"}},
            toy.question("lands", "date", quantity="first_arrival", statistic="first_day")
            | {"baseline": {"casebook": "arrival_days"}},
            toy.question("troops", "number", quantity="troops_present", statistic="max")
            | {"baseline": {"casebook": "troops"}},
            toy.question("ends", "date", quantity="withdrawal_end", statistic="first_day")
            | {"baseline": {"casebook": "duration_months"}},
            toy.question("falls", "binary", quantity="leader_leaves", statistic="happens")
            | {"baseline": {"casebook": "survival"}},
        ],
        outcomes=[
            {"question": q, "value": v, "known_from": "2001-03-07", "source": "desk"}
            for q, v in (
                ("comes", True), ("lands", None), ("troops", 900), ("ends", None), ("falls", False)
            )
        ],
    )  # fmt: skip


@pytest.fixture
def ensemble(case, tmp_path):
    return run(case, runs=80, seed=7, workers=1, batch=40, as_of="2001-03-05", out=tmp_path / "a")


def test_the_same_forecast_from_a_run_and_from_a_store(case, ensemble, tmp_path):
    again = forecast(
        case, as_of="2001-03-05", runs=80, seed=7, workers=1, batch=40, out=tmp_path / "b"
    )
    reused = forecast(case, as_of="2001-03-05", ensemble=ensemble)
    a, b = again.to_dict(), reused.to_dict()
    assert json.dumps(a["answers"]) == json.dumps(b["answers"])
    assert json.dumps(a["fans"]) == json.dumps(b["fans"])
    assert a["provenance"]["seed"] == 7
    assert "--seed 7" in a["provenance"]["command"]
    assert {e["id"]: e["use"] for e in a["evidence"]} == {"asked": "replayed", "crowds": "weighed"}


def test_the_outside_view_knows_no_later_case(case, ensemble):
    early = forecast(case, as_of="2001-03-05", ensemble=ensemble)
    outside = present(early.answer("comes").outside)
    assert 0 < present(outside.probability) < 1
    assert "known before 2001-03-05" in outside.text
    assert "KAZ2022" not in outside.cases
    lands = present(early.answer("lands").outside)
    assert lands.values[0] >= case.day(case.facts[0].about.replace(day=4))
    assert len(lands.dates) == len(lands.values)
    falls = present(early.answer("falls").outside)
    assert present(falls.probability) < 0.5
    assert json.dumps(early.to_dict(), allow_nan=False)


def test_the_outcomes_change_nothing(case, ensemble):
    other = case.model_copy(update={"outcomes": ()})
    a, b = (forecast(c, as_of="2001-03-05", ensemble=ensemble).to_dict() for c in (case, other))
    assert json.dumps(a) == json.dumps(b)


def test_an_ensemble_that_replayed_other_decisions(case, ensemble):
    with pytest.raises(InputError, match="replayed other decisions"):
        forecast(case, as_of="2001-03-02", ensemble=ensemble)


def test_an_ensemble_that_replayed_nothing_weighs_every_fact(case, tmp_path):
    free = run(case, runs=80, seed=7, workers=1, out=tmp_path / "free")
    result = forecast(case, as_of="2001-03-05", ensemble=free)
    assert {e.use for e in result.evidence} == {"weighed"}
    assert result.replayed["facts"] == []
    scores = score(case, as_of="2001-03-05", ensemble=free, prior=free)
    comes = scores.questions[0]
    assert {"casebook", "always_refuse", "weighted_mean", "prior_ensemble"} <= set(comes.baselines)
    ends = next(q for q in scores.questions if q.id == "ends")
    assert ends.baselines["always_refuse"].crps == 0.0
    assert scores.as_of == as_of(case, "2001-03-05").as_of
