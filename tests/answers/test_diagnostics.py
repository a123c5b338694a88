"""Predictive checks, shifts and beliefs, against known values."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from foedus.answers.diagnostics import Belief, diagnose, diagnose_runs
from foedus.answers.explanations import DECISIONS, weigh_hypotheses
from foedus.answers.forecasts import judge
from foedus.case.asof import as_of
from foedus.cli import main
from foedus.report.diagnostics_view import diagnostics_document
from foedus.report.terminal import print_document
from foedus.report.verdict_words import advice
from foedus.weighing.weighed import weigh_runs
from foedus.world.guidance import BITS, Guidance

from ..narrowing import number, present

RUNS = 4000


@pytest.fixture
def questions(toy):
    return [
        toy.question("many", "binary", quantity="deaths_security", statistic="max", at_least=30),
        toy.question("killed", "number", quantity="deaths_security", statistic="max"),
        toy.question("when", "date", quantity="decision", statistic="first_day"),
    ]


def tolls(toy, case, runs=RUNS, **given):
    """Runs with a log-normal toll about 20, independent of a decision taken in half of them."""
    deaths = np.zeros((runs, case.horizon, 2))
    deaths[:, 0, 0] = np.exp(stats.norm.ppf((np.arange(runs) + 0.5) / runs, 3.0, 1.0))
    decision = np.where(np.arange(runs) % 2, 7, -1)
    block = toy.block(case, runs, deaths_security=deaths, event_decision=decision, **given)
    return toy.dataset(case, block)


def known(toy, **given):
    return as_of(toy.case(**given), "2001-03-05")


def test_the_place_of_a_report_is_that_of_the_predictive_distribution(toy, questions):
    """One report: "before it" and "given the others" are the prior, by quadrature."""
    fact = toy.fact("toll", "deaths_security", "2001-03-04", 60, rating="B2")
    case = known(toy, questions=questions, facts=[fact])
    (check,) = diagnose_runs(weigh_runs(case, tolls(toy, case))).checks
    x = np.exp(stats.norm.ppf((np.arange(RUNS) + 0.5) / RUNS, 3.0, 1.0))
    scale = np.sqrt(0.1**2 + 0.1**2 + 0.2**2 + 0.8**2)
    honest = stats.t(4, loc=np.log1p(x) + np.log(0.8), scale=scale)
    wrong = stats.norm(np.log(101.0), 3.0)
    error = 1 - 0.95 * 0.96
    below, above = (
        (1 - error) * honest.cdf(edge).mean() + error * wrong.cdf(edge)
        for edge in (np.log(60.5), np.log(61.5))
    )
    assert check.prior.below == pytest.approx(below, abs=1e-6)
    assert check.prior.above == pytest.approx(1 - above, abs=1e-6)
    assert check.prior.pit == pytest.approx((below + above) / 2, abs=1e-6)
    assert check.prior.tail == pytest.approx(2 * min(1 - below, above), abs=1e-6)
    assert check.others == check.prior
    assert 0.5 < check.all.pit < check.prior.pit  # the runs have moved towards the report
    assert check.rated_wrong == pytest.approx(error)
    assert check.conflict is None


def test_reports_drawn_from_the_model_have_uniform_places(toy, questions):
    """The integral transform of a calibrated model is uniform: Kolmogorov's test."""
    rng = np.random.default_rng(12)
    places = []
    for _ in range(150):
        truth = np.exp(rng.normal(3.0, 1.0))
        if rng.random() < 1 - 0.95 * 0.96:
            y = rng.normal(np.log(101.0), 3.0)
        else:
            scale = np.sqrt(0.1**2 + 0.1**2 + 0.2**2 + 0.8**2)
            y = np.log1p(truth) + np.log(0.8) + scale * rng.standard_t(4)
        value = int(max(np.rint(np.expm1(min(y, 20.0))), 0))
        fact = toy.fact("toll", "deaths_security", "2001-03-04", value, rating="B2")
        case = known(toy, facts=[fact])
        (check,) = diagnose_runs(weigh_runs(case, tolls(toy, case, runs=400))).checks
        low, high = check.prior.below, 1.0 - check.prior.above
        places.append(rng.uniform(low, high))
    assert stats.kstest(places, "uniform").pvalue > 0.01


def test_a_lower_bound_and_events_have_a_place(toy):
    facts = [
        toy.fact("bound", "deaths_security", "2001-03-04", "at least 5", rating="A1"),
        toy.fact("not_yet", "decision", "2001-03-05", False, rating="C3"),
        toy.fact("rumour", "decision", "2001-03-03", True, rating="D4"),
    ]
    case = known(toy, facts=facts)
    bound, not_yet, rumour = diagnose_runs(
        weigh_runs(case, tolls(toy, case), guidance=Guidance())
    ).checks
    assert bound.prior.above == 0.0
    assert bound.prior.tail == 1.0
    assert not_yet.prior.above == 0.0
    assert not_yet.prior.below < 0.35
    assert 0.0 < rumour.prior.pit < 0.5  # earlier than in the runs
    assert rumour.disbelief > not_yet.disbelief


def test_a_shift_is_what_leaving_the_fact_out_does(toy, questions):
    facts = [
        toy.fact("toll", "deaths_security", "2001-03-04", 200, rating="B2"),
        toy.fact("calm", "crowd", "2001-03-04", 0, rating="B2"),
    ]
    case = known(toy, questions=questions, facts=facts)
    found = diagnose_runs(weigh_runs(case, tolls(toy, case)))
    bare = known(toy, questions=questions, facts=facts[1:])
    without, with_it = (
        present(judge(weigh_runs(c, tolls(toy, c))).answer("many").estimate) for c in (bare, case)
    )
    top = found.moved("many")[0]
    assert top.fact == "toll"
    assert top.without == pytest.approx(without.probability)
    assert top.with_it == pytest.approx(with_it.probability)
    assert top.shift == pytest.approx(number(with_it.probability) - number(without.probability))
    assert top.shift > 0.2
    assert [s.fact for s in found.moved("killed")] == ["toll"]
    killed = found.moved("killed")[0]
    assert number(killed.with_it) > number(killed.without)
    assert found.moved("when") == ()  # the decision is unrelated to it
    calm = next(s for s in found.shifts if (s.fact, s.question) == ("calm", "many"))
    assert abs(calm.shift) < 1e-9  # all runs are calm, so the fact is uninformative
    assert not calm.told


def test_the_error_of_a_shift_is_that_of_repeated_runs(toy, questions):
    rng = np.random.default_rng(9)
    fact = toy.fact("toll", "deaths_security", "2001-03-04", 60, rating="B2")
    case = known(toy, questions=questions, facts=[fact])
    shifts, errors = [], []
    for _ in range(150):
        deaths = np.zeros((300, case.horizon, 2))
        deaths[:, 0, 0] = np.exp(rng.normal(3.0, 1.0, 300))
        dataset = toy.dataset(case, toy.block(case, 300, deaths_security=deaths))
        shift = next(
            s for s in diagnose_runs(weigh_runs(case, dataset)).shifts if s.question == "many"
        )
        shifts.append(shift.shift)
        errors.append(shift.error)
    assert np.mean(errors) == pytest.approx(np.std(shifts), rel=0.2)


def test_known_decisions_move_answers_together(toy, questions):
    case = known(toy, questions=questions, facts=[toy.fact("asked", "request", "2001-03-04")])
    paid = np.where(np.arange(RUNS) % 2, 0.0, -3.0)
    found = diagnose_runs(weigh_runs(case, tolls(toy, case, log_guidance=paid)))
    (shift,) = found.moved("when")
    assert shift.fact == DECISIONS
    assert shift.shift == pytest.approx(1 / (1 + math.exp(-3.0)) - 0.5, abs=0.01)
    assert shift.without is None or shift.with_it is not None


def test_a_source_that_is_far_off_is_disbelieved(toy, questions):
    facts = [
        toy.fact("toll", "deaths_security", "2001-03-04", 25, rating="A1"),
        toy.fact("wild", "deaths_security", "2001-03-04", 900_000, rating="C3", source="radio"),
    ]
    case = known(toy, questions=questions, facts=facts)
    found = diagnose_runs(weigh_runs(case, tolls(toy, case)))
    worst, best = found.sources
    assert (worst.source, worst.belief, worst.worst) == ("radio", Belief.DISBELIEVED, "wild")
    assert (best.source, best.belief) == ("desk", Belief.BELIEVED)
    assert worst.wrong > 0.8
    assert worst.rated_wrong == pytest.approx(1 - 0.85 * 0.9)
    assert worst.pit > 0.9
    assert 0.0 <= worst.error < 0.05


def test_two_facts_that_contradict_are_unlikely_together(toy):
    """Both fit the prior; together they are less likely, by quadrature."""
    facts = [
        toy.fact("few", "deaths_security", "2001-03-04", 4, rating="A1"),
        toy.fact("lots", "deaths_security", "2001-03-04", 200, rating="A1", source="radio"),
    ]
    case = known(toy, facts=facts)
    found = diagnose_runs(weigh_runs(case, tolls(toy, case)))
    (pair,) = found.contradictions
    assert (pair.a, pair.b, pair.sided_with, pair.kind) == ("few", "lots", "few", "same_day")
    x = np.exp(stats.norm.ppf((np.arange(RUNS) + 0.5) / RUNS, 3.0, 1.0))
    scale = np.sqrt(0.05**2 + 0.05**2 + 0.2**2 + 0.8**2)
    honest = stats.t(4, loc=np.log1p(x) + np.log(0.8), scale=scale)
    wrong = stats.norm(np.log(101.0), 3.0)
    error = 1 - 0.98 * 0.99
    few, lots = (
        (1 - error) * (honest.cdf(np.log(n + 1.5)) - honest.cdf(np.log(n + 0.5)))
        + error * (wrong.cdf(np.log(n + 1.5)) - wrong.cdf(np.log(n + 0.5)))
        for n in (4, 200)
    )
    assert pair.lift == pytest.approx((few * lots).mean() / (few.mean() * lots.mean()), rel=1e-6)
    assert pair.lift < 0.5


def test_numbers_that_differ_within_their_errors_are_both_believed(toy, capsys):
    facts = [
        toy.fact("eight", "deaths_security", "2001-03-04", 20, rating="B2"),
        toy.fact("nine", "deaths_security", "2001-03-04", 24, rating="B2", source="radio"),
    ]
    case = known(toy, facts=facts)
    found = diagnose_runs(weigh_runs(case, tolls(toy, case)))
    (pair,) = found.contradictions  # not both exactly true; the runs allow it
    assert (pair.kind, pair.sided_with) == ("same_day", None)
    assert pair.lift > 1.0
    print_document(diagnostics_document(found))
    assert "disagree; <1% and <1% likely wrong." in " ".join(capsys.readouterr().out.split())
    assert "disagree; &lt;1% and &lt;1% likely wrong." in found._repr_html_()
    assert found.conflicts == ()
    assert {s.belief for s in found.sources} == {Belief.BELIEVED}


def test_a_report_that_is_rather_wrong_conflicts_though_it_is_not_far_out(toy, capsys):
    """The tail of a report includes its chance of outright error, so it alone cannot show it."""
    facts = [
        toy.fact("low", "deaths_security", "2001-03-04", 20, rating="B2"),
        toy.fact("high", "deaths_security", "2001-03-04", 4000, rating="B2", source="radio"),
    ]
    case = known(toy, facts=facts)
    found = diagnose_runs(weigh_runs(case, tolls(toy, case)))
    low, high = found.checks
    assert high.others.tail > 0.02
    assert high.disbelief > 0.8
    assert (low.conflict, high.conflict) == (None, "disbelieved")
    (pair,) = found.contradictions
    assert (pair.kind, pair.sided_with) == ("same_day", "low")
    assert (pair.disbelief_a, pair.disbelief_b) == (low.disbelief, high.disbelief)
    print_document(diagnostics_document(found))
    text = " ".join(capsys.readouterr().out.split())
    assert "No report conflicts" not in text
    assert re.search(r"Conflict: high \(4000, rated B2\) is (>99|9\d)% likely outright wrong", text)
    assert re.search(r"the runs side with low: <?\d% against (>99|9\d)% likely wrong", text)


def test_a_report_that_is_rated_to_be_wrong_is_no_conflict_where_it_is(toy):
    facts = [
        toy.fact("low", "deaths_security", "2001-03-04", 20, rating="A1"),
        toy.fact("high", "deaths_security", "2001-03-04", 4000, rating="E5", source="radio"),
    ]
    case = known(toy, facts=facts)
    _, high = diagnose_runs(weigh_runs(case, tolls(toy, case))).checks
    assert high.disbelief > 0.9
    assert high.conflict is None


def test_a_pair_of_which_one_is_replayed_is_listed(toy, capsys):
    facts = [
        toy.fact("no", "decision", "2001-03-05", False, rating="A1"),
        toy.fact("yes", "decision", "2001-03-04", True, rating="B2", source="radio"),
    ]
    case = known(toy, facts=facts)
    guidance = Guidance.of(case)
    assert guidance.facts == ("no",)
    found = diagnose_runs(weigh_runs(case, tolls(toy, case), guidance=guidance))
    (pair,) = found.contradictions
    assert (pair.a, pair.b, pair.kind, pair.sided_with) == ("yes", "no", "event", None)
    assert json.dumps(found.to_dict(), allow_nan=False)
    print_document(diagnostics_document(found))
    text = " ".join(capsys.readouterr().out.split())
    assert "one is replayed, so all runs follow it; yes is" in text


def test_few_runs_believe_and_disbelieve_nobody(toy, questions, capsys):
    fact = toy.fact("wild", "deaths_security", "2001-03-04", 900_000, rating="C3", source="radio")
    case = known(toy, questions=questions, facts=[fact])
    found = diagnose_runs(weigh_runs(case, tolls(toy, case, runs=5)))
    assert [str(s.belief) for s in found.sources] == ["too few runs to tell"]
    made = found.to_dict()
    assert made["checks"][0]["disbelief_error"] is None
    assert made["sources"][0]["error"] is None
    print_document(diagnostics_document(found))
    assert "± " not in capsys.readouterr().out


def test_settled_questions_are_not_said_to_be_unmoved_by_chance(toy, questions, capsys):
    facts = [
        toy.fact("asked", "request", "2001-03-03", True),
        toy.fact("toll", "deaths_security", "2001-03-04", 200, rating="C2"),
    ]
    asks = toy.question("asks", "binary", quantity="request", statistic="happens")
    case = known(toy, questions=[asks, *questions], facts=facts)
    found = diagnose_runs(weigh_runs(case, tolls(toy, case)))
    assert found.settled == {"asks": "asked"}
    assert [q["settled_by"] for q in found.to_dict()["questions"]] == ["asked", None, None, None]
    print_document(diagnostics_document(found))
    text = " ".join(capsys.readouterr().out.split())
    assert "Settled by a known fact, so nothing moves it: asks (by asked)." in text
    assert "No single fact moves beyond chance: when." in text
    assert "Points: what the fact adds" in text
    # For a number: the quantity that the points measure.
    assert re.search(r"\+\d\d ± (<1|\d) \(over \d+", text)


def impossible(toy, questions):
    facts = [
        toy.fact(f"high{n}", quantity, "2001-03-04", 5_000_000, rating="A1")
        for n, quantity in enumerate(("crowd", "deaths_security", "arrests"))
    ]
    hypotheses = [
        {"id": h, "title": h, "says": "So.", "put_forward_by": "us", "weight": 1.0}
        for h in ("few", "lots")
    ]
    case = known(toy, questions=questions, facts=facts, hypotheses=hypotheses)
    dataset = tolls(toy, case, runs=300)
    dataset["hypothesis"] = ("run", (np.arange(300) % 2).astype(np.int16))
    return case, dataset


def test_evidence_that_no_run_can_meet_is_explained(toy, questions, capsys):
    case, dataset = impossible(toy, questions)
    found = diagnose_runs(weigh_runs(case, dataset))
    assert found.verdict.refused
    assert found.shifts == ()
    assert {c.fact for c in found.conflicts} == {"high0", "high1", "high2"}
    assert {c.conflict for c in found.conflicts} == {"unmet"}
    assert all(c.prior.pit > 0.95 for c in found.conflicts)
    assert "NaN" not in json.dumps(found.to_dict(), allow_nan=False)
    print_document(diagnostics_document(found))
    text = capsys.readouterr().out
    assert "Conflict: no run comes near high0 (5000000, rated A1)" in text
    assert "above what the runs expect" in text


def test_all_who_refuse_name_the_facts_that_no_run_meets(toy, questions):
    case, dataset = impossible(toy, questions)
    judged = judge(weigh_runs(case, dataset))
    assert judged.verdict.refused  # though all runs miss alike, and so have equal weight
    assert judged.weights.ess > 100
    assert "do not trust them: fact high0" in str(present(judged.answer("many").reason))
    said = advice(judged.verdict)
    assert any("No run comes near fact high1 (deaths_security 5,000,000" in s for s in said)
    assert any("times less likely than agreement" in s for s in said)
    explained = weigh_hypotheses(weigh_runs(case, dataset, guidance=Guidance()))
    assert explained.verdict.refused
    assert any("No run comes near fact high1" in s for s in advice(explained.verdict))
    assert json.dumps(explained.to_dict(), allow_nan=False)


def test_known_decisions_that_no_run_can_take_are_named(toy, questions):
    facts = [
        toy.fact("asked-not", "request", "2001-03-04", False, rating="A1"),
        toy.fact("agreed", "decision", "2001-03-03", True, rating="A1"),
    ]
    case = known(toy, questions=questions, facts=facts)
    dataset = tolls(toy, case, runs=300)
    dataset["ruled_out"] = ("run", np.full(300, BITS["decision"], dtype=np.int16))
    judged = judge(weigh_runs(case, dataset))
    assert judged.verdict.refused  # though all runs have equal weight
    assert "fact agreed (decision yes" in advice(judged.verdict)[0]
    assert "asked-not" not in advice(judged.verdict)[0]
    dataset["ruled_out"][0] = 0
    assert not judge(weigh_runs(case, dataset)).verdict.refused


def test_a_report_against_a_better_one_of_a_known_decision_is_doubted_with_reason(toy, questions):
    facts = [
        toy.fact("asked-not", "request", "2001-03-04", False, rating="A1"),
        toy.fact("asked", "request", "2001-03-03", True, rating="B2"),
    ]
    case = known(toy, questions=questions, facts=facts)
    judged = judge(weigh_runs(case, tolls(toy, case, runs=300)))
    evidence = {e.id: e for e in judged.evidence}
    assert evidence["asked-not"].use == "replayed"
    assert evidence["asked"].use == "weighed"
    assert present(evidence["asked"].disbelief) > 0.5
    assert judged.verdict.ok


def test_one_good_report_that_no_run_meets_makes_answers_weak(toy, questions):
    facts = [
        toy.fact("calm", "crowd", "2001-03-04", 0, rating="A1"),
        toy.fact("none", "troops_present", "2001-03-04", 0, rating="A1"),
        toy.fact("host", "arrests", "2001-03-04", 5_000_000, rating="A1"),
    ]
    case = known(toy, questions=questions, facts=facts)
    judged = judge(weigh_runs(case, tolls(toy, case)))
    assert judged.verdict.level == "thin"
    assert any("fact host" in s and "no run comes near it (they say 0)" in s
               for s in judged.to_dict()["warnings"])  # fmt: skip
    (conflict,) = diagnose_runs(weigh_runs(case, tolls(toy, case))).conflicts
    assert (conflict.fact, conflict.conflict) == ("host", "unmet")


def test_runs_that_are_all_broken_are_refused_without_nan(toy, questions):
    fact = toy.fact("toll", "deaths_security", "2001-03-04", 25, rating="A1")
    case = known(toy, questions=questions, facts=[fact])
    dataset = tolls(toy, case, runs=100)
    dataset["deaths_security"][:] = np.nan
    found = diagnose_runs(weigh_runs(case, dataset))
    assert found.verdict.refused
    assert "not a number" in " ".join(advice(found.verdict))
    assert json.dumps(found.to_dict(), allow_nan=False)


def test_the_block_size_changes_nothing(toy, questions):
    fact = toy.fact("toll", "deaths_security", "2001-03-04", 60, rating="B2")
    case = known(toy, questions=questions, facts=[fact])
    dataset = tolls(toy, case, runs=500)
    texts = {
        json.dumps(diagnose_runs(weigh_runs(case, dataset, block=n)).to_dict()) for n in (7, 1000)
    }
    assert len(texts) == 1


def test_a_small_case_from_end_to_end_and_the_command(crisis, tmp_path, capsys):
    path = tmp_path / "crisis.yaml"
    path.write_text(crisis.model_dump_json(exclude_none=True), encoding="utf-8")
    words = ["diagnose", str(path), "--as-of", "2001-03-05", "--runs", "300", "--workers", "1",
             "--out", str(tmp_path / "a")]  # fmt: skip
    assert main([*words, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert set(data) == documented()
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "diagnostics as of 5 Mar 2001" in text
    assert "crowds (C3)" in text
    again = diagnose(crisis, as_of="2001-03-05", runs=300, workers=1, out=tmp_path / "a")
    assert json.loads(json.dumps(again.to_dict()))["checks"] == data["checks"]


def documented() -> set[str]:
    page = Path(__file__).parents[2] / "docs" / "reference" / "json.md"
    part = page.read_text(encoding="utf-8").split("## `foedus diagnose --json`")[1]
    return set(re.findall(r"^\| `(\w+)` \|", part.split("\n`checks`")[0], flags=re.M))
