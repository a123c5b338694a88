"""The body's answer: exact chances, signs, rules, contributions, replay."""

from __future__ import annotations

import numpy as np
import pytest

from foedus.randomness import Random
from foedus.world.choice import logistic
from foedus.world.guidance import Guidance
from foedus.world.mechanisms import alliance
from foedus.world.mechanisms.alliance import chances, commitment_hazard, lead_log_odds
from foedus.world.voting import RULES, passes

from ...oracles.voting import consensus_probability
from .decision_settings import (
    MEMBERS,
    SETTING,
    arrays,
    drawn,
    fresh,
    median,
    play,
    requested,
    same,
    setting,
)

WILLING = {"alliance__lead_intercept": 8.0, "alliance__decision_rate": 1.0}


def share(state, event):
    return state.happened(event).mean()


def answer(frame=SETTING, runs=6000, **changes):
    return requested(frame, median(runs, **{**WILLING, **changes}), runs=runs, days=1)


def test_nobody_answers_unless_asked():
    state = play(SETTING, median(100), runs=100, on=("ties", "alliance", "outside"))
    assert not state.happened("decision").any()
    assert not state.happened("refusal").any()
    assert (state.votes == 9).all()
    assert (state.announced == 0).all()


def test_off_nothing_moves():
    p = median(200, leader__request_base=0.0, leader__fire_decision=3.0)
    state = play(SETTING, p, runs=200, on=("ties", "leader", "outside"))
    assert state.happened("request").any()
    for event in ("decision", "refusal"):
        assert not state.happened(event).any()
    assert not state.commits.any()
    assert (state.votes == 9).all()
    assert alliance.Challenge not in state.memories


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6, 0.9])
def test_consensus_passes_as_often_as_the_closed_form_says(rho):
    """Four members besides lead and requester, each against with chance .2."""
    state = answer(runs=20_000, alliance__against=0.2, alliance__rho=rho)
    assert share(state, "decision") == pytest.approx(consensus_probability(0.8, 4, rho), abs=0.015)


def test_the_lead_accepts_with_its_log_odds_whatever_the_correlation():
    for rho in (0.0, 0.7):
        state = answer(
            runs=20_000, alliance__lead_intercept=-0.5, alliance__against=0.0, alliance__rho=rho
        )
        p = median(1, alliance__lead_intercept=-0.5)
        one = fresh(SETTING, p, Random(1, np.arange(1)))
        one.of(alliance.Challenge).highest[:] = 0.6
        expected = float(logistic(lead_log_odds(SETTING, p, one))[0])
        assert share(state, "decision") == pytest.approx(expected, abs=0.015)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_every_rule_agrees_with_plain_simulation_of_the_votes(rule, rho):
    """Conditional draws and enumeration give the law of directly simulated three-valued votes."""
    runs = 20_000
    against, yes = 0.15, 0.6
    frame = setting(rule=rule)
    state = answer(
        frame,
        runs,
        alliance__against=against,
        alliance__yes=yes,
        alliance__rho=rho,
        alliance__lead_intercept=0.3,
    )
    p = median(runs, alliance__lead_intercept=0.3)
    one = fresh(frame, p, Random(1, np.arange(runs)))
    one.of(alliance.Challenge).highest[:] = 0.6
    from scipy.special import ndtri

    rng = np.random.default_rng(8)
    z = rng.normal(size=(runs, 1))
    y = np.sqrt(rho) * z + np.sqrt(1 - rho) * rng.normal(size=(runs, 6))
    votes = np.where(y > ndtri(1 - against), -1, np.where(y < ndtri((1 - against) * yes), 1, 0))
    votes[:, [0, 2]] = 1
    accepts = y[:, 0] < ndtri(logistic(lead_log_odds(frame, p, one)))
    carried = accepts & passes(votes.astype(np.int8), rule, 0, 2)
    decided = state.happened("decision")
    assert decided.mean() == pytest.approx(carried.mean(), abs=0.015)
    assert passes(state.votes[decided], rule, 0, 2).all()
    failed = state.happened("refusal") & state.lead_accepts
    assert not passes(state.votes[failed], rule, 0, 2).any()
    assert failed.mean() == pytest.approx((accepts & ~carried).mean(), abs=0.015)
    for member in (1, 3, 4, 5):
        for vote in (-1, 0, 1):
            here = (state.votes[decided, member] == vote).mean()
            assert here == pytest.approx((votes[carried, member] == vote).mean(), abs=0.02)
            if failed.sum() > 1000:
                here = (state.votes[failed, member] == vote).mean()
                naive = (votes[accepts & ~carried, member] == vote).mean()
                assert here == pytest.approx(naive, abs=0.04)


def test_no_vote_is_held_where_the_lead_declines():
    state = answer(alliance__lead_intercept=-8.0)
    assert share(state, "refusal") > 0.95
    declined = state.happened("refusal") & ~state.lead_accepts
    assert (state.votes[declined] == 9).all()
    assert not state.commits[declined].any()


def test_the_body_takes_a_geometric_time():
    p = median(5000, alliance__decision_rate=0.3)
    state = requested(SETTING, p, runs=5000, days=12)
    day = np.maximum(state.events["decision"], state.events["refusal"])
    for k in range(4):
        assert (day == k).mean() == pytest.approx(0.3 * 0.7**k, abs=0.02)
    assert not (state.happened("decision") & state.happened("refusal")).any()


@pytest.mark.parametrize(
    ("changes", "sign"),
    [
        ({"alliance__interest": 4.0}, 1),
        ({"alliance__street": 4.0}, 1),
        ({"alliance__treaty": 6.0}, 1),
        ({"alliance__signal": 3.0}, 1),
        ({"alliance__other_war": 3.0}, -1),
        ({"alliance__against": 0.4}, -1),
        ({"alliance__lead_intercept": 2.0}, 1),
    ],
)
def test_signs_of_the_bodys_answer(changes, sign):
    base = {"alliance__decision_rate": 1.0}
    low = requested(SETTING, median(1500, **base), runs=1500, days=1)
    high = requested(SETTING, median(1500, **base, **changes), runs=1500, days=1)
    assert np.sign(share(high, "decision") - share(low, "decision")) == sign
    if "alliance__against" not in changes:
        paired = high.happened("decision").astype(int) - low.happened("decision")
        assert (paired * sign >= 0).all(), "the draws are common"


def test_street_challenge_switches_solidarity_on():
    p = median(800, alliance__street=3.0)
    calm = requested(SETTING, p, runs=800, unrest=0.0)
    loud = requested(SETTING, p, runs=800, unrest=0.9)
    assert share(loud, "decision") > share(calm, "decision")
    assert loud.commits[:, 1:].sum() > calm.commits[:, 1:].sum()


def test_a_belief_in_an_attack_counts_only_under_an_aggression_test():
    random = Random(1, np.arange(2))
    p = median(2)
    odds = {}
    for tested in (True, False):
        frame = setting(aggression_test=tested)
        for belief in (-2.0, 0.0, 2.0):
            state = fresh(frame, p, random)
            state.log_odds_abroad[:] = belief
            odds[tested, belief] = lead_log_odds(frame, p, state)[0]
    assert odds[True, -2.0] < odds[True, 0.0] < odds[True, 2.0]
    assert odds[False, -2.0] == odds[False, 0.0] == odds[False, 2.0] == odds[True, 0.0]


def test_who_contributes():
    state = requested(SETTING, median(3000, **WILLING, alliance__against=0.3), runs=3000, days=12)
    decided = state.happened("decision")
    assert state.commits[decided, SETTING.lead].all()
    assert not state.commits[:, SETTING.requester].any()
    assert not (state.commits & (state.votes == -1)).any()
    assert not state.commits[~decided].any()
    late = state.contribution_day[:, MEMBERS.index("plain")]
    assert (late[late >= 0] >= 1).all(), "its own law takes a day"
    first = state.contribution_day[decided, SETTING.lead]
    assert (first == state.events["decision"][decided]).all()


@pytest.mark.parametrize(
    ("name", "member", "value"),
    [
        ("pledge", "pledged", -4.0),
        ("power_shift", "shifted", -4.0),
        ("coalition", "changed", -4.0),
    ],
)
def test_member_covariates_touch_that_member_only(name, member, value):
    base = median(2000, **WILLING, alliance__intercept=0.0)
    low = requested(SETTING, base, runs=2000, days=10)
    high = requested(
        SETTING, {**base, f"alliance.{name}": np.full(2000, value)}, runs=2000, days=10
    )
    for number, who in enumerate(MEMBERS):
        before, after = low.commits[:, number], high.commits[:, number]
        if who == member:
            assert after.sum() < before.sum()
            assert (after <= before).all()
        else:
            assert np.array_equal(before, after)


def test_relabelling_discounts_the_pledge():
    def sends(relabel):
        p = median(2000, **WILLING, alliance__pledge=-4.0, alliance__relabel=relabel)
        return requested(SETTING, p, runs=2000, days=10).commits[:, 1].mean()

    assert sends(0.0) < sends(0.5) < sends(1.0)


def test_the_lead_draws_others():
    def sends(pull):
        p = median(2000, **WILLING, alliance__lead_committed=pull)
        return requested(SETTING, p, runs=2000, days=10).commits[:, 1:].mean()

    assert sends(0.0) < sends(1.5) < sends(4.0)


def test_commitment_hazard_sums_to_the_total():
    total, readiness = np.array([0.05, 0.5, 0.99, 1.0]), np.array([0.3, 0.5, 0.7, 1.0])
    waiting = np.ones(4)
    for age in range(80):
        waiting = waiting * (1 - commitment_hazard(total, readiness, np.full(4, age)))
        if age == 0:
            assert 1 - waiting == pytest.approx(total * readiness)
    assert 1 - waiting == pytest.approx(total, abs=1e-9)


def test_a_member_contributes_as_often_as_its_log_odds_say():
    runs = 8000
    p = median(runs, **WILLING, alliance__against=0.0)
    state = requested(SETTING, p, runs=runs, days=40, unrest=0.6)
    for member in (1, 3, 4, 5):
        odds = alliance.contribution_log_odds(SETTING, p, state, member)
        assert state.commits[:, member].mean() == pytest.approx(logistic(odds)[0], abs=0.02)


def test_numbers_announced_and_sent():
    p = median(4000, **WILLING, alliance__intercept=3.0, alliance__realised=0.8)
    state = requested(SETTING, p, runs=4000, days=12)
    assert np.array_equal(state.announced > 0, state.commits & (SETTING.pool > 0))
    assert (state.announced <= SETTING.pool).all()
    assert (state.sent <= state.announced).all()
    assert (state.sent == np.rint(state.sent)).all()
    lead = state.commits[:, 0]
    expected = 3600 * p["alliance.lead_share"][0]
    assert state.announced[lead, 0].mean() == pytest.approx(expected, rel=0.02)
    ratio = state.sent[lead, 0].sum() / state.announced[lead, 0].sum()
    assert ratio == pytest.approx(0.8, abs=0.01)


def test_a_lead_without_a_standing_pool_announces_from_its_own():
    p = median(2000, **WILLING)
    state = requested(setting(announced_pool=0.0), p, runs=2000, days=1)
    lead = state.commits[:, 0]
    expected = 4000 * p["alliance.lead_share"][0]
    assert state.announced[lead, 0].mean() == pytest.approx(expected, rel=0.03)


def test_a_request_lapses_with_its_leader():
    random = Random(1, np.arange(50, dtype=np.int64))
    p = median(50, **WILLING)
    state = fresh(SETTING, p, random)
    state.mark("request", np.ones(50, dtype=bool), 0)
    state.in_office[:] = False
    alliance.step(SETTING, p, state, 0, random, Guidance())
    assert not state.happened("decision").any()
    assert not state.happened("refusal").any()


@pytest.mark.parametrize("event", ["decision", "refusal"])
@pytest.mark.parametrize("day", [0, 2])
@pytest.mark.parametrize("rule", ["consensus_with_abstention", "two_thirds"])
def test_replaying_the_answer_charges_its_probability(event, day, rule):
    runs = 8000
    frame = setting(rule=rule)
    p = median(runs, alliance__decision_rate=0.4, alliance__against=0.15, alliance__yes=0.6)
    free = requested(frame, p, runs=runs, days=5)
    known = Guidance(days={(event, ""): day})
    told = requested(frame, p, runs=runs, days=5, guidance=known)
    assert (told.events[event] == day).all()
    other = "refusal" if event == "decision" else "decision"
    assert not told.happened(other).any()
    weight = np.exp(told.log_guidance)
    here = free.events[event] == day
    assert weight.mean() == pytest.approx(here.mean(), abs=0.015)
    for vote in (-1, 0, 1):
        weighted = (weight[:, None] * (told.votes == vote)).sum(axis=0) / weight.sum()
        assert weighted == pytest.approx((free.votes[here] == vote).mean(axis=0), abs=0.05)
    if event == "decision":
        assert passes(told.votes, rule, 0, 2).all()


def test_a_known_silence_is_charged():
    runs = 6000
    p = median(runs, alliance__decision_rate=0.3)
    free = requested(SETTING, p, runs=runs, days=3)
    known = Guidance(not_by={("decision", ""): 2, ("refusal", ""): 2})
    told = requested(SETTING, p, runs=runs, days=3, guidance=known)
    silent = ~free.happened("decision") & ~free.happened("refusal")
    assert np.exp(told.log_guidance).mean() == pytest.approx(silent.mean(), abs=0.02)
    only = requested(SETTING, p, runs=runs, days=3, guidance=Guidance(not_by={("decision", ""): 2}))
    weight = np.exp(only.log_guidance)
    refused = free.happened("refusal").mean()
    assert (weight * only.happened("refusal")).mean() == pytest.approx(refused, abs=0.02)


def test_replaying_a_contribution_charges_its_probability():
    runs = 8000
    p = median(runs, **WILLING)
    free = requested(SETTING, p, runs=runs, days=4)
    known = Guidance(days={("contribution", "shifted"): 1})
    told = requested(SETTING, p, runs=runs, days=4, guidance=known)
    number = MEMBERS.index("shifted")
    assert (told.contribution_day[:, number] == 1).all()
    frequency = (free.contribution_day[:, number] == 1).mean()
    assert np.exp(told.log_guidance).mean() == pytest.approx(frequency, abs=0.015)


def test_a_replayed_answer_without_a_request_is_charged_the_floor():
    p = median(20)
    state = play(
        SETTING,
        p,
        runs=20,
        days=2,
        on=("ties", "alliance"),
        guidance=Guidance(days={("decision", ""): 1}),
    )
    assert (state.log_guidance == np.log(1e-9)).all()
    assert (state.events["decision"] == 1).all()


@pytest.mark.parametrize("name", [p.name for p in alliance.PARAMETERS])
def test_each_parameter_moves_something(name):
    p = median(1500, alliance__signal=0.2, alliance__rho=0.3)
    before = requested(SETTING, p, runs=1500, days=8)
    low, high = next((q.low, q.high) for q in alliance.PARAMETERS if q.name == name)
    p[name] = np.clip(p[name] * 1.3 + 0.1, low, high)
    after = requested(SETTING, p, runs=1500, days=8)
    assert not same(before, after)


@pytest.mark.parametrize("rule", RULES)
def test_extreme_parameters_stay_finite(rule):
    frame = setting(rule=rule)
    runs = 64
    rng = np.random.default_rng(1)
    p = {
        q.name: np.where(
            rng.uniform(size=runs) < 0.5,
            q.low if np.isfinite(q.low) else -60.0,
            q.high if np.isfinite(q.high) else 60.0,
        )
        for q in alliance.PARAMETERS
    }
    p = {**median(runs), **p}
    state = requested(frame, p, runs=runs, days=5)
    for name, value in arrays(state).items():
        if name != "arrival_day":
            assert np.isfinite(value.astype(float)).all(), name
    accepts, carries = chances(frame, p, state, np.linspace(-8, 8, runs))
    for chance in (accepts, carries):
        assert ((chance >= 0) & (chance <= 1)).all()


def test_a_run_does_not_depend_on_its_batch():
    p = drawn(23)
    whole = play(SETTING, p, runs=23)
    rows = np.array([22, 3, 11])
    part = play(SETTING, {k: v[rows] for k, v in p.items()}, numbers=rows.astype(np.int64))
    left, right = arrays(whole), arrays(part)
    for name in left:
        assert np.array_equal(left[name][rows], right[name]), name
