from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest
from scipy import stats

from foedus.answers import discrepancy
from foedus.answers.forecasts import judge
from foedus.case.asof import as_of
from foedus.casebook import load_casebook
from foedus.errors import InputError
from foedus.report.verdict_words import advice, words
from foedus.scoring_rules import logit_pool
from foedus.weighing.weighed import weigh_runs
from foedus.weighted_statistics import KEYS
from foedus.world.guidance import Guidance

from ..narrowing import number, present

pytestmark = pytest.mark.usefixtures("unwidened")

RUNS = 3000


@pytest.fixture
def questions(toy):
    return [
        toy.question("killed", "number", quantity="deaths_total", statistic="at"),
        toy.question("many", "binary", quantity="deaths_total", statistic="at", at_least=100),
        toy.question("when", "date", quantity="decision", statistic="first_day"),
        toy.question("asks", "binary", quantity="request", statistic="happens"),
        toy.question("off", "number", quantity="crowd", statistic="max", from_date="2001-05-01"),
    ]


def two_hypotheses():
    return [
        {"id": h, "title": h, "says": "So.", "put_forward_by": "us", "weight": w}
        for h, w in (("few", 1.0), ("lots", 3.0))
    ]


def fill(toy, case, runs=RUNS, seed=3):
    rng = np.random.default_rng(seed)
    deaths = np.zeros((runs, case.horizon, 2))
    deaths[:, 2, 0] = np.exp(rng.normal(3.0, 1.0, runs))
    decision = np.where(rng.random(runs) < 0.5, rng.integers(3, 9, runs), -1)
    return toy.block(case, runs, deaths_security=deaths, event_decision=decision)


def test_the_whole_path_gives_a_conjugate_posterior(toy):
    """The runs are the prior of a log-normal number; one report gives the grid posterior."""
    fact = toy.fact("cells", "jailed", "2001-03-04", 60, rating="B2")
    questions = [
        toy.question("held", "number", quantity="jailed", statistic="at"),
        toy.question("many", "binary", quantity="jailed", statistic="at", at_least=100),
    ]
    case = toy.case(questions=questions, facts=[fact])
    runs = 40_000
    jailed = np.zeros((runs, case.horizon, 2))
    x = np.exp(stats.norm.ppf((np.arange(runs) + 0.5) / runs, 3.0, 1.0))
    jailed[:, :, 0] = x[:, None]
    result = judge(weigh_runs(case, toy.dataset(case, toy.block(case, runs, jailed=jailed))))
    # The same by quadrature, written out without the package's own code.
    scale = np.sqrt(0.1**2 + 0.1**2 + 0.25**2 + 0.9**2)
    t = stats.t(4, loc=np.log1p(x), scale=scale)
    wrong = stats.norm(np.log(101.0), 3.0)
    e = 1 - 0.95 * 0.96
    like = (1 - e) * (t.cdf(np.log(61.5)) - t.cdf(np.log(60.5)))
    like += e * (wrong.cdf(np.log(61.5)) - wrong.cdf(np.log(60.5)))
    answer = present(result.answer("held").estimate)
    assert answer.mean == pytest.approx((like * x).sum() / like.sum(), rel=1e-4)
    p = present(result.answer("many").estimate)
    assert p.probability == pytest.approx(like[x >= 100].sum() / like.sum(), abs=1e-4)
    assert present(p.probability_error) < 0.005


def test_two_hypotheses_with_a_known_bayes_factor(toy):
    fact = toy.fact("calm", "request", "2001-03-04", False, rating="A1")
    case = toy.case(hypotheses=two_hypotheses(), facts=[fact])
    runs = 1000
    hypothesis = np.arange(runs) % 2  # equal shares, though the prior is 1 to 3
    request = np.where(hypothesis == 0, -1, 2)
    block = toy.block(case, runs, event_request=request)
    result = judge(weigh_runs(case, toy.dataset(case, block, hypothesis), guidance=Guidance()))
    scale = np.sqrt(0.05**2 + 0.05**2 + 0.75**2)
    e = 1 - 0.98 * 0.99
    never, second = ((1 - e) * p + e / 2 for p in (1.0, stats.t(4).sf(1.5 / scale)))
    few, lots = result.hypotheses
    assert (few.prior, lots.prior) == (0.25, 0.75)
    assert few.bayes_factor == pytest.approx(never / second, rel=1e-9)
    assert few.posterior == pytest.approx(never / (never + 3 * second), rel=1e-9)
    assert few.posterior + lots.posterior == pytest.approx(1.0)
    # The same through the replayed decisions' own probabilities.
    paid = np.log(np.where(hypothesis == 0, 0.8, 0.2))
    free = toy.case(hypotheses=two_hypotheses())
    block = toy.block(free, runs, log_guidance=paid)
    result = judge(weigh_runs(free, toy.dataset(free, block, hypothesis)))
    assert result.hypotheses[0].bayes_factor == pytest.approx(4.0)
    assert result.hypotheses[0].posterior == pytest.approx(0.8 / (0.8 + 0.6))


def test_a_later_fact_changes_nothing_bit_for_bit(toy, questions):
    known = [toy.fact("toll", "deaths_security", "2001-03-04", "at least 30")]
    later = [
        toy.fact("final", "deaths_total", "2001-03-04", 500, known_from="2001-03-06"),
        toy.fact("sent", "decision", "2001-03-06"),
    ]
    results = []
    for facts in (known, [*later, *known]):
        case = as_of(toy.case(questions=questions, facts=facts), "2001-03-05")
        results.append(judge(weigh_runs(case, toy.dataset(case, fill(toy, case)))))
    a, b = results
    assert json.dumps(a.to_dict()) == json.dumps(b.to_dict())
    assert a.weights.log_weight.tobytes() == b.weights.log_weight.tobytes()


def test_the_block_size_changes_nothing(toy, questions):
    fact = toy.fact("toll", "deaths_security", "2001-03-04", "at least 30")
    case = toy.case(questions=questions, facts=[fact])
    dataset = toy.dataset(case, fill(toy, case))
    texts = {
        json.dumps(judge(weigh_runs(case, dataset, block=n)).to_dict()) for n in (7, 1000, 10_000)
    }
    assert len(texts) == 1


def test_answers_by_kind(toy, questions):
    case = toy.case(questions=questions)
    block = fill(toy, case)
    result = judge(weigh_runs(case, toy.dataset(case, block)))
    when = present(result.answer("when").estimate)
    assert when.probability == pytest.approx((block["event_decision"] >= 0).mean())
    assert isinstance(when.quantiles[0], dt.date)
    assert when.quantiles[-1] is None
    killed = present(result.answer("killed").estimate)
    assert list(killed.quantiles) == sorted(map(number, killed.quantiles))
    off = result.answer("off")
    assert off.estimate is None
    assert "simulated day" in words(present(off.reason))
    data = result.to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert [a["id"] for a in data["answers"]] == ["killed", "many", "when", "asks", "off"]
    assert list(data["answers"][0]["quantiles"]) == list(KEYS)
    fan = next(f for f in result.fans if f.key == "deaths_security")
    assert fan.quantiles.shape == (5, 10)
    assert (np.diff(fan.quantiles, axis=0) >= 0).all()
    assert (fan.quantiles[:, 1] == 0).all()
    dataset = result.to_dataset()
    assert dataset["draw"].shape == (5, RUNS)
    assert float(dataset["weight"].sum()) == pytest.approx(1.0)


CALL = {"trigger_type": "domestic_protest", "organisation": "CSTO"}


def with_history(toy, questions, runs=RUNS, **more):
    case = toy.case(questions=questions, **CALL, **more)
    return judge(
        weigh_runs(case, toy.dataset(case, fill(toy, case, runs=runs))), casebook=load_casebook()
    )


def test_model_and_history_together(toy, questions):
    result = with_history(toy, questions)
    when = result.answer("when")
    model, past, both = (present(e) for e in (when.estimate, when.history, when.pooled))
    chances = [present(e.probability) for e in (model, past)]
    assert both.probability == pytest.approx(logit_pool(*chances))
    assert min(chances) < present(both.probability) < max(chances)
    assert when.headline == both
    assert when.source == "pooled"
    data = result.to_dict()["answers"][2]
    assert data["probability"] == model.probability  # the simulation keeps its keys
    assert data["history"]["probability"] == past.probability
    assert data["headline"]["source"] == "pooled"
    assert data["headline"]["probability"] == data["pooled"]["probability"] == both.probability
    killed = result.answer("killed")
    assert killed.history is None
    assert killed.pooled is None
    assert killed.source == "simulation"
    assert killed.headline == killed.estimate
    off = result.answer("off")
    assert off.headline is None
    assert not result.to_dict()["answers"][4]["answered"]
    dataset = result.to_dataset()
    assert float(dataset["headline"][2]) == both.probability


def test_a_settled_question_needs_no_history(toy, questions):
    facts = [toy.fact("asked", "request", "2001-03-04", True)]
    asks = with_history(toy, questions, facts=facts).answer("asks")
    assert asks.settled_by == "asked"
    assert asks.history is None


def test_too_few_runs_leave_history_alone(toy, questions):
    result = with_history(toy, questions, runs=20)
    assert result.verdict.refused
    asks, killed = result.answer("asks"), result.answer("killed")
    assert asks.estimate is None
    assert asks.pooled is None
    assert asks.headline == asks.history
    assert asks.source == "history"
    assert killed.headline is None
    told = result.to_dict()["answers"]
    assert [a["answered"] for a in told] == [False, False, True, True, False]


def test_a_headline_is_widened_by_the_discrepancy_of_its_family(toy, questions, monkeypatch):
    plain = with_history(toy, questions)
    table = {"1990": {"pooled": {"asked": 1.0}, "simulation": {"dead": 2.0}}}
    monkeypatch.setattr(discrepancy, "_table", lambda: table)
    wide = with_history(toy, questions)
    for name, same in (("asks", False), ("when", True), ("many", False)):
        assert (wide.answer(name).headline == plain.answer(name).headline) is same
        assert wide.answer(name).estimate == plain.answer(name).estimate
        assert wide.answer(name).history == plain.answer(name).history
    low, high = (present(f.answer("many").headline).probability for f in (plain, wide))
    assert abs(present(high) - 0.5) < abs(present(low) - 0.5)


def test_evidence_moves_the_answer_and_says_so(toy, questions):
    facts = [
        toy.fact("toll", "deaths_security", "2001-03-04", 200, rating="A1"),
        toy.fact("wild", "deaths_security", "2001-03-04", 2, rating="E5", source="radio"),
        toy.fact("talk", None, "2001-03-04"),
    ]
    case = toy.case(questions=questions, facts=facts)
    result = judge(weigh_runs(case, toy.dataset(case, fill(toy, case))))
    answer = result.answer("many")
    after, before = present(answer.estimate), present(answer.before)
    assert present(after.probability) > present(before.probability) + 0.15
    toll, wild, talk = result.evidence
    assert talk.use == "context"
    assert present(wild.disbelief) > 0.5 > present(toll.disbelief)
    assert present(wild.surprise) > 0.5
    low, middle, high = map(number, present(toll.runs))
    assert low < middle < high
    assert number(present(toll.expected)[1]) < middle
    assert present(toll.ess_without) > result.weights.ess
    assert toll.source_name == "The desk"


def test_evidence_that_no_run_can_meet_is_explained(toy, questions):
    facts = [
        toy.fact(f"high{n}", quantity, "2001-03-04", 5_000_000, rating="A1")
        for n, quantity in enumerate(("crowd", "deaths_security", "arrests"))
    ]
    case = toy.case(questions=questions, facts=facts, hypotheses=two_hypotheses())
    block = fill(toy, case, runs=300)
    block["log_guidance"][...] = np.linspace(0, -4000, 300)
    result = judge(weigh_runs(case, toy.dataset(case, block, np.arange(300) % 2)))
    assert result.verdict.refused
    assert all(a.estimate is None for a in result.answers)
    assert "refused" in words(present(result.answer("asks").reason))
    assert result.answer("asks").before is not None
    data = result.to_dict()
    assert "NaN" not in json.dumps(data)
    assert data["hypotheses"][0]["posterior"] is None
    assert all(present(e.closest) < -3 for e in result.evidence)
    assert result.replayed["excluded"] > 0.9
    assert any("a billion times less likely" in words(w) for w in result.warnings)


def test_a_well_rated_report_that_the_runs_disbelieve(toy, questions):
    facts = [
        toy.fact("toll", "deaths_security", "2001-03-04", 300_000, rating="A1"),
        toy.fact("quiet", "crowd", "2001-03-04", 0, rating="A1"),
        toy.fact("none", "troops_present", "2001-03-04", 0, rating="A1"),
    ]
    case = toy.case(questions=questions, facts=facts)
    result = judge(weigh_runs(case, toy.dataset(case, fill(toy, case, runs=400))))
    assert result.verdict.level == "thin"
    assert any("fact toll (deaths_security 300,000" in s for s in result.to_dict()["warnings"])
    assert not any("quiet" in line for line in result.to_dict()["warnings"])
    alone = toy.case(questions=questions, facts=facts[:1])
    result = judge(weigh_runs(alone, toy.dataset(alone, fill(toy, alone, runs=400))))
    assert result.verdict.refused
    assert "disbelieve most" in words(present(result.answer("asks").reason))


def test_a_refusal_names_the_costliest_facts(toy, questions):
    facts = [
        toy.fact("toll", "deaths_security", "2001-03-04", 300, rating="A1"),
        toy.fact("quiet", "crowd", "2001-03-04", 0, rating="A1"),
    ]
    case = toy.case(questions=questions, facts=facts)
    result = judge(weigh_runs(case, toy.dataset(case, fill(toy, case, runs=60))))
    assert result.verdict.refused
    assert any("Without fact toll (deaths_security 300" in s for s in advice(result.verdict))
    assert not any("quiet" in line for line in advice(result.verdict))
    reason = words(present(result.answer("asks").reason))
    assert reason.endswith("Facts in conflict with the runs: toll.")


def test_a_refusal_names_imposed_decisions_where_no_report_costs_anything(toy, questions):
    asked = toy.fact("asked", "request", "2001-03-03", True)
    case = toy.case(questions=questions, facts=[asked])
    block = fill(toy, case, runs=300)
    block["log_guidance"][...] = np.linspace(0, -400, 300)
    result = judge(weigh_runs(case, toy.dataset(case, block)))
    assert result.verdict.refused
    assert any("together few runs agree with: fact asked" in s for s in advice(result.verdict))
    assert "in conflict with the runs: asked." in words(present(result.answer("many").reason))


def test_a_hypothesis_without_runs_is_warned_of(toy):
    case = toy.case(hypotheses=two_hypotheses())
    result = judge(weigh_runs(case, toy.dataset(case, toy.block(case, 300), 0)))
    assert any("lots" in words(w) for w in result.warnings)
    with pytest.raises(InputError, match="hypothesis number 7"):
        judge(weigh_runs(case, toy.dataset(case, toy.block(case, 300), 7)))


def test_settled_questions(toy):
    facts = [
        toy.fact("asked", "request", "2001-03-04"),
        toy.fact("toll", "deaths_security", "2001-03-04", "at least 13"),
        toy.fact("rumour", "decision", "2001-03-04", rating="D4"),
        toy.fact("not_yet", "leader_leaves", "2001-03-05", False),
    ]
    ask = toy.question
    questions = [
        ask("asks", "binary", quantity="request", statistic="happens"),
        ask("later", "binary", quantity="request", statistic="happens", from_date="2001-03-05"),
        ask("ten", "binary", quantity="deaths_security", statistic="happens", at_least=10),
        ask("twenty", "binary", quantity="deaths_security", statistic="happens", at_least=20),
        ask("comes", "date", quantity="decision", statistic="first_day"),
        ask("goes", "binary", quantity="leader_leaves", statistic="happens"),
        ask("gone", "binary", quantity="leader_leaves", statistic="happens", by_date="2001-03-05"),
    ]
    case = as_of(toy.case(facts=facts, questions=questions), "2001-03-05")
    result = judge(weigh_runs(case, toy.dataset(case, toy.block(case, 300))))
    assert {a.id: a.settled_by for a in result.answers} == {
        "asks": "asked",
        "later": None,
        "ten": "toll",
        "twenty": None,
        "comes": None,
        "goes": None,
        "gone": "not_yet",
    }
