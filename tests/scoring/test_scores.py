from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import foedus
from foedus.answers.forecasts import judge
from foedus.answers.outside_view import positions
from foedus.case.asof import as_of
from foedus.casebook import load_casebook
from foedus.errors import InputError
from foedus.scoring.scores import score
from foedus.scoring_rules import brier, crps, log_score, shrunk
from foedus.weighing.weighed import weigh_runs

from ..narrowing import present

pytestmark = pytest.mark.usefixtures("unwidened")


def test_brier_is_the_half_scale():
    assert brier(0.7, True) == pytest.approx(0.09)
    assert brier(0.7, True, two_sided=True) == pytest.approx(0.18)
    assert brier(0.7, False) == pytest.approx(0.49)


def test_log_score_is_in_nats_and_finite_for_runs():
    assert log_score(0.5, True) == pytest.approx(np.log(2))
    assert log_score(0.0, True) == np.inf
    assert 0 < shrunk(0.0, 99.0) == pytest.approx(0.005)


@pytest.mark.parametrize(("y", "expected"), [(0, 0.23369), (1, 0.60244), (2, 1.45279)])
def test_crps_of_the_standard_normal(y, expected):
    x = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    assert crps(x, y) == pytest.approx(expected, abs=1e-4)


def test_crps_of_four_members():
    import scoringrules

    members = np.array([0.0, 1.0, 2.0, 3.0])
    assert crps(members, 1.0) == pytest.approx(0.375)
    fair = float(scoringrules.crps_ensemble(1.0, members, estimator="fair"))
    assert fair == pytest.approx(0.16667, abs=1e-4)


def test_weighted_crps():
    rng = np.random.default_rng(2)
    x, w = rng.normal(size=50), rng.random(50)
    assert crps(x, 0.3, np.full(50, 0.02)) == pytest.approx(crps(x, 0.3))
    # Energy form, written out.
    w /= w.sum()
    spread = (w[:, None] * w * np.abs(x[:, None] - x)).sum() / 2
    assert crps(x, 0.3, w) == pytest.approx((w * np.abs(x - 0.3)).sum() - spread)
    # A weight of two is two members.
    twice = crps(np.array([1.0, 1.0, 4.0]), 2.0)
    assert crps(np.array([1.0, 4.0, 9.0]), 2.0, np.array([2.0, 1.0, 0.0])) == pytest.approx(twice)
    with pytest.raises(InputError, match="finite"):
        crps(np.array([np.inf]), 1.0)


@pytest.fixture
def case(toy):
    ask = toy.question
    return toy.case(
        questions=[
            ask("comes", "binary", quantity="decision", statistic="happens"),
            ask("when", "date", quantity="decision", statistic="first_day"),
            ask("troops", "number", quantity="troops_present", statistic="max"),
            ask("killed", "number", quantity="deaths_total", statistic="at"),
            ask("asks", "binary", quantity="request", statistic="happens"),
        ],
        facts=[toy.fact("asked", "request", "2001-03-03")],
        outcomes=[
            {"question": q, "value": v, "known_from": day, "source": "desk"}
            for q, v, day in (
                ("comes", True, "2001-03-08"),
                ("when", "2001-03-07", "2001-03-08"),
                ("troops", 1500, "2001-03-09"),
                ("killed", 30, "2001-03-20"),
                ("asks", True, "2001-03-03"),
            )
        ],
    )


@pytest.fixture
def result(toy, case):
    runs = 1000
    rng = np.random.default_rng(5)
    decision = np.where(np.arange(runs) < 700, rng.integers(4, 9, runs), -1)
    troops = np.zeros((runs, 10, 3))
    troops[:, 8, 1] = np.where(decision >= 0, rng.normal(1500, 100, runs), 0)
    block = toy.block(case, runs, event_decision=decision, troops_present=troops, event_request=2)
    block["deaths_security"][:, 3, 0] = rng.poisson(30, runs)
    known = as_of(case, "2001-03-05")
    return judge(weigh_runs(known, toy.dataset(known, block)))


def test_scores_against_the_baselines(case, result):
    found = {q.id: q for q in score(case, forecast=result).questions}
    assert present(found["comes"].score).brier == pytest.approx(0.09)
    refuse = found["comes"].baselines["always_refuse"]
    assert refuse.brier == 1.0
    assert refuse.log == pytest.approx(-np.log(0.01))
    assert found["comes"].skill["always_refuse"] == pytest.approx(0.91)
    # Big: 3 x .5 at .9; other: 1 x .5 at .1.
    assert found["comes"].baselines["weighted_mean"].forecast == pytest.approx(0.7)
    assert found["comes"].baselines["weighted_median"].forecast == pytest.approx(0.9)
    assert found["troops"].baselines["weighted_mean"].crps == pytest.approx(100.0)
    assert found["troops"].baselines["always_refuse"].crps == 1500.0
    # Never is the day after the last simulated one: 10, and the outcome is day 6.
    assert found["when"].baselines["always_refuse"].crps == 4.0
    assert 0 < present(present(found["when"].score).crps) < 4.0
    assert found["killed"].baselines == {}
    assert found["asks"].open is False
    assert found["asks"].known_already is True


def test_the_summary_leaves_out_what_was_known(case, result):
    scores = score(case, forecast=result)
    assert scores.summary()["forecast"]["n"] == 1
    data = scores.to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["summary"]["baselines"]["always_refuse"]["n"] == 3
    assert data["summary"]["baselines"]["always_refuse"]["brier_skill"] == pytest.approx(0.91)
    assert data["summary"]["baselines"]["casebook"]["n"] == 0
    table = scores.table()
    assert "known already" in table
    assert table.splitlines()[0].startswith("question")


def test_the_prior_ensemble_is_a_baseline(toy, case, result):
    free = as_of(case, "2001-03-05").model_copy(update={"facts": ()})
    block = toy.block(free, 400, event_decision=np.where(np.arange(400) < 100, 5, -1))
    prior = judge(weigh_runs(free, toy.dataset(free, block)))
    found = {q.id: q for q in score(case, forecast=result, prior=prior).questions}
    assert found["comes"].baselines["prior_ensemble"].brier == pytest.approx(0.75**2)


def test_a_refused_forecast_has_no_scores_but_its_baselines_have(toy, case):
    known = as_of(case, "2001-03-05")
    result = judge(weigh_runs(known, toy.dataset(known, toy.block(known, 20))))
    found = score(case, forecast=result)
    assert found.verdict.refused
    assert all(q.score is None for q in found.questions)
    assert found.questions[0].baselines["always_refuse"].brier == 1.0
    assert "NaN" not in json.dumps(found.to_dict())


def test_simulation_history_and_pool_are_scored(toy, case):
    call = {"trigger_type": "domestic_protest", "organisation": "CSTO"}
    called = case.model_copy(update=call)
    known = as_of(called, "2001-03-05")
    block = toy.block(known, 400, event_decision=np.where(np.arange(400) < 300, 6, -1))
    made = judge(weigh_runs(known, toy.dataset(known, block)), casebook=load_casebook())
    comes = {q.id: q for q in score(called, forecast=made).questions}["comes"]
    assert comes.source == "pooled"
    assert comes.score == comes.voices["pooled"]
    assert comes.voices["simulation"].brier == pytest.approx(0.25**2)
    past = present(present(made.answer("comes").history).probability)
    assert comes.voices["history"].brier == pytest.approx((1 - past) ** 2)
    killed = {q.id: q for q in score(called, forecast=made).questions}["killed"]
    assert set(killed.voices) == {"simulation"}
    found = score(called, forecast=made)
    assert found.summary()["voices"]["history"]["n"] == 1
    assert "history" in found.rows()[0]
    # Too few runs: history is scored in their place.
    few = judge(
        weigh_runs(known, toy.dataset(known, toy.block(known, 20))), casebook=load_casebook()
    )
    alone = {q.id: q for q in score(called, forecast=few).questions}
    assert alone["comes"].score == alone["comes"].voices["history"]
    assert alone["killed"].score is None


def test_what_cannot_be_scored(toy, case, result):
    with pytest.raises(InputError, match="no outcomes"):
        score(toy.case(), forecast=result)
    with pytest.raises(InputError, match="of case toy"):
        score(case.model_copy(update={"id": "another"}), forecast=result)


def test_positions_speak_only_of_what_they_are_about(case):
    by_id = {q.id: q for q in case.questions}
    assert positions(case, by_id["killed"]) == {}
    assert positions(case, by_id["asks"]) == {}


BLIND = ("world", "ensemble", "weighing", "answers", "scoring")


def test_only_scoring_reads_outcomes():
    """No attribute named ``outcomes`` outside case loading, scoring, and the casebook's own."""
    root = Path(foedus.__file__).parent
    readers = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            own = isinstance(node, ast.Attribute) and getattr(node.value, "id", None) == "self"
            if isinstance(node, ast.Attribute) and node.attr == "outcomes" and not own:
                readers.add(path.relative_to(root).as_posix())
    folders = {r.split("/")[0] for r in readers} - {"case", "casebook"}
    offenders = {r for r in readers if r.split("/")[0] in folders} - {"scoring/scores.py"}
    assert not {
        o
        for o in offenders
        if o.split("/")[0] in ("world", "ensemble", "weighing", "answers", "scoring")
    }
    assert "scoring/scores.py" in readers
