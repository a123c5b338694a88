import numpy as np
import pytest

from foedus.answers.history import LEAST, SAMPLES, histories
from foedus.case.asof import as_of
from foedus.case.question_kinds import kind_of
from foedus.world.priors import casebook_outlook, casebook_waits

from ..narrowing import present

CALL = {"trigger_type": "domestic_protest", "organisation": "CSTO", "horizon": 300}


def chance(toy, case, **asked):
    question = toy.case(questions=[toy.question("q", "binary", **asked)]).questions[0]
    draws = present(present(histories(case)).draws(question))
    return kind_of("binary").probability(draws, np.full(draws.size, 1 / draws.size))


@pytest.fixture
def before(toy):
    """A crisis as of its first day, before its trigger: nothing is known."""
    return toy.case(**CALL, as_of="2001-03-01")


def test_without_facts_the_samples_have_the_models_chances(toy, before):
    outlook = casebook_outlook(before)
    waits, _ = casebook_waits(before)
    assert present(histories(before)).soldiers.size == SAMPLES
    soon = float(np.mean([min(1, max(0, (31 - lo) / (hi - lo + 1))) for lo, hi in waits]))
    asked = chance(toy, before, quantity="request", statistic="happens", by_date="2001-04-01")
    assert asked == pytest.approx(outlook.request.mean * soon, abs=0.025)
    troops = outlook.request.mean * outlook.answer_if_asked["troops"].mean
    days = present(histories(before)).days
    assert np.isfinite(days["first_arrival"]).mean() == pytest.approx(troops, abs=0.025)
    assert np.isfinite(days["decision"]).mean() == np.isfinite(days["first_arrival"]).mean()
    refused = outlook.request.mean * outlook.answer_if_asked["refused"].mean
    assert np.isfinite(days["refusal"]).mean() == pytest.approx(refused, abs=0.025)
    soldiers = present(histories(before)).soldiers
    many = float((outlook.soldiers >= 1000).mean())
    assert (soldiers >= 1000).mean() == pytest.approx(troops * many, abs=0.025)
    gone = outlook.in_power.mean
    left = np.where(np.isfinite(days["request"]), days["request"], 1) + 90 <= days["leader_leaves"]
    assert left.mean() == pytest.approx(gone, abs=0.03)


def test_the_steps_follow_each_other(before):
    days = present(histories(before)).days
    here = np.isfinite(days["first_arrival"])
    for first, then in zip(
        ("request", "decision", "first_arrival", "withdrawal_start"),
        ("decision", "first_arrival", "withdrawal_start", "withdrawal_end"),
        strict=True,
    ):
        assert (days[first][here] <= days[then][here]).all()
    assert np.isinf(days["decision"][np.isfinite(days["refusal"])]).all()


def test_known_steps_are_fixed_and_silence_counts(toy):
    asked = toy.fact("call", "request", "2001-03-03", True)
    sent = toy.fact("sent", "decision", "2001-03-04", True)
    case = toy.case(**CALL, facts=[asked, sent])
    days = present(histories(as_of(case, "2001-03-05"))).days
    assert (days["request"] == 2).all()
    assert (days["decision"] == 3).all()
    assert (days["first_arrival"] > 4).all()  # nobody reports a landing by the 5th
    assert np.isfinite(days["first_arrival"]).all()
    # Within the as-of day, what happens later on that day may still be unreported.
    within = present(histories(as_of(case, "2001-03-05"), as_of="2001-03-05T06:00")).days
    assert (within["first_arrival"] >= 4).all()
    assert (within["first_arrival"] == 4).any()
    # The longer nobody asks, the less likely it becomes. (That the leader is still in office counts
    # too, so here a poor report leaves that open.)
    fall = toy.fact("fall", "leader_leaves", "2001-03-02", True, rating="E5")
    quiet = toy.case(**CALL, facts=[fall])
    ever = [
        np.isfinite(present(histories(as_of(quiet, day))).days["request"]).mean()
        for day in ("2001-03-02", "2001-03-10", "2001-04-10", "2001-08-10")
    ]
    assert ever == sorted(ever, reverse=True)
    assert ever[0] > ever[-1] + 0.1


def test_a_poor_report_neither_fixes_a_step_nor_counts_as_silence(toy):
    rumour = toy.fact("heard", "request", "2001-03-03", True, rating="E5")
    days = present(histories(as_of(toy.case(**CALL, facts=[rumour]), "2001-03-10"))).days
    assert (days["request"] < 9).any()
    assert np.isinf(days["request"]).any()


def test_a_later_fact_changes_nothing(toy):
    early = toy.case(**CALL, facts=[toy.fact("call", "request", "2001-03-03", True)])
    later = toy.fact("sent", "decision", "2001-03-08", True)
    both = toy.case(**CALL, facts=[*early.facts, later])
    one, other = (present(histories(as_of(c, "2001-03-05"))).days for c in (early, both))
    for step in one:
        np.testing.assert_array_equal(one[step], other[step])


def test_of_what_history_speaks(toy, before):
    past = present(histories(before))

    def speaks(kind="binary", case=None, **asked):
        question = toy.case(questions=[toy.question("q", kind, **asked)]).questions[0]
        return (past if case is None else present(histories(case))).draws(question) is not None

    assert speaks(quantity="request", statistic="happens")
    assert speaks("date", quantity="first_arrival", statistic="first_day")
    assert speaks("number", quantity="troops_present", statistic="max")
    assert speaks(quantity="troops_present", statistic="at", at_least=1)
    assert not speaks(quantity="troops_present", statistic="at", at_least=500)
    assert not speaks(quantity="troops_present", statistic="max", at_least=1, member="big")
    assert not speaks("number", quantity="deaths_total", statistic="at")
    assert not speaks(quantity="shutdown", statistic="happens")
    # The announced number is known: the models, which do not know it, are silent.
    told = toy.fact("told", "troops_announced", "2001-03-04", 2500)
    sized = as_of(toy.case(**CALL, facts=[told]), "2001-03-05")
    assert not speaks("number", sized, quantity="troops_present", statistic="max")
    assert speaks(case=sized, quantity="troops_present", statistic="at", at_least=1)


def test_history_says_nothing_of_an_unknown_call_or_a_path_it_never_saw(toy):
    assert histories(toy.case()) is None
    # The landing before the decision: no sample agrees.
    facts = [
        toy.fact("sent", "decision", "2001-03-04", True),
        toy.fact("seen", "first_arrival", "2001-03-03", True),
    ]
    assert histories(as_of(toy.case(**CALL, facts=facts), "2001-03-05")) is None
    assert 0 < LEAST < SAMPLES
