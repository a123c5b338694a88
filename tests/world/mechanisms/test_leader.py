"""The leader's decisions: closed-form chances, signs, switches, replay."""

from __future__ import annotations

import numpy as np
import pytest

from foedus.randomness import Random
from foedus.world.choice import logistic
from foedus.world.guidance import Guidance
from foedus.world.mechanisms import leader
from foedus.world.state import State

from ...narrowing import present
from .decision_settings import SETTING, Connectivity, arrays, fresh, median, play, same, setting

ALONE = ("leader",)
EVENTS = ("concession", "guard_change", "shutdown", "fire_order", "request", "leader_leaves")


def share(state, event):
    return state.happened(event).mean()


def test_in_calm_without_a_trigger_nothing_happens():
    state = play(setting(triggers=()), median(300), runs=300, unrest=0.0, days=20, on=ALONE)
    assert not any(state.happened(event).any() for event in EVENTS)
    assert (state.internet == 1).all()
    assert state.in_office.all()


def test_below_the_gate_nothing_happens():
    p = median(300, leader__gate=0.5)
    assert share(play(SETTING, p, runs=300, unrest=0.49, on=ALONE), "concession") == 0
    assert share(play(SETTING, p, runs=300, unrest=0.51, on=ALONE), "concession") > 0


def test_alarm_outlives_unrest_and_fades():
    runs = 4000
    random = Random(1, np.arange(runs, dtype=np.int64))
    p = median(runs, leader__gate=0.2, leader__memory=2.0)
    state = fresh(SETTING, p, random, on=ALONE, unrest=0.9)
    taken = []
    for day in range(6):
        before = state.happened("fire_order").sum()
        leader.step(SETTING, p, state, day, random, Guidance())
        taken.append(state.happened("fire_order").sum() - before)
        assert state.of(leader.Mood).alarm == pytest.approx(0.9 * np.exp(-day / 2))
        state.unrest[:] = 0.0
    assert all(taken[:4])
    assert not any(taken[4:]), "0.9 exp(-3/2) is above the gate, 0.9 exp(-2) below"


def test_without_streets_nothing_happens():
    random = Random(1, np.arange(5, dtype=np.int64))
    p = median(5)
    state = fresh(SETTING, p, random, on=ALONE)
    state.unrest[:] = 0.0
    leader.step(SETTING, p, state, 0, random, Guidance())
    assert not any(state.happened(event).any() for event in EVENTS)


def test_a_day_has_the_logit_chance():
    runs = 20_000
    p = median(runs, leader__concession_base=-1.0, leader__concession_unrest=1.0)
    state = play(SETTING, p, runs=runs, days=1, on=ALONE)
    expected = float(logistic(p["leader.precision"][0] * (-1.0 + 0.6)))
    assert share(state, "concession") == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("decision", "word", "sign"),
    [
        ("concession", "unrest", 1),
        ("guard", "unrest", 1),
        ("guard", "weakness", 1),
        ("shutdown", "unrest", 1),
        ("fire", "unrest", 1),
        ("fire", "killed", 1),
        ("fire", "concession", 1),
        ("request", "unrest", 1),
        ("request", "weakness", 1),
        ("request", "killed", 1),
        ("request", "fire", 1),
        ("leave", "unrest", 1),
        ("leave", "weakness", 1),
    ],
)
def test_a_larger_coefficient_brings_its_decision_forward(decision, word, sign):
    event = {"guard": "guard_change", "fire": "fire_order", "leave": "leader_leaves"}.get(
        decision, decision
    )
    base = {"leader__leave_base": -50.0} if decision != "leave" else {}
    low = play(SETTING, median(400, **base), days=8, on=ALONE)
    name = f"leader__{decision}_{word}"
    high = play(SETTING, median(400, **base, **{name: 4.0}), days=8, on=ALONE)
    assert share(high, event) > share(low, event)
    if event != "leader_leaves":
        assert (high.happened(event) >= low.happened(event)).all(), "the draws are common"


def test_weak_commanders_killed_officers_and_dependence_bring_the_call():
    runs = 600
    random = Random(3, np.arange(runs, dtype=np.int64))
    p = median(runs, leader__request_killed=2.0, leader__request_base=-3.0)

    def calls(**changes):
        state = fresh(SETTING, p, random, on=("ties", "leader"))
        for name, value in changes.items():
            getattr(state, name)[:] = value
        leader.step(SETTING, p, state, 0, random, Guidance())
        return state.happened("request").sum()

    assert calls(loyal_share=0.1) > calls(loyal_share=1.0)
    assert calls(deaths_security=10.0) > calls(deaths_security=0.0)
    free = setting(ties={**SETTING.ties, "dependence_on_lead": 0.0})
    tied = setting(ties={**SETTING.ties, "dependence_on_lead": 1.0})
    p = median(runs, leader__request_dependence=2.0, leader__request_base=-3.0)
    on = ("ties", "leader")
    assert share(play(tied, p, runs=runs, on=on), "request") > share(
        play(free, p, runs=runs, on=on), "request"
    )


def test_the_alliances_decision_can_bring_the_order_to_fire():
    runs = 500
    random = Random(3, np.arange(runs, dtype=np.int64))

    def ordered(coefficient, decided):
        p = median(runs, leader__fire_decision=coefficient, leader__fire_base=-3.0)
        state = fresh(SETTING, p, random, on=ALONE)
        state.mark("decision", np.full(runs, decided), 0)
        leader.step(SETTING, p, state, 1, random, Guidance())
        return state.happened("fire_order").sum()

    assert ordered(3.0, True) > ordered(0.0, True) > ordered(-3.0, True)
    assert ordered(3.0, False) == ordered(0.0, False)


def test_a_concession_restores_legitimacy_once_and_its_resting_level_too():
    p = median(300, leader__concession_effect=0.2, leader__leave_base=-50)
    state = play(SETTING, p, runs=300, days=12, on=ALONE)
    done = state.happened("concession")
    assert done.any()
    assert not done.all()
    for level in (state.legitimacy, state.baseline):
        assert present(level)[done] == pytest.approx(0.8)
        assert (present(level)[~done] == 0.6).all()


def test_a_change_of_the_guard_moves_strength_once():
    state = play(SETTING, median(300, leader__guard_effect=0.4), runs=300, on=ALONE)
    done = state.happened("guard_change")
    assert done.any()
    assert np.array_equal(state.strength, np.where(done, 0.4, 0.0))


def test_a_shutdown_lasts_its_days_and_ends():
    p = median(500, leader__shutdown_level=0.05, leader__shutdown_days=3.0)
    state = play(SETTING, p, runs=500, days=60, on=ALONE)
    internet = state.of(Connectivity).internet
    day = state.events["shutdown"].astype(int)
    early = (day >= 0) & (day < 30)
    length = (internet == 0.05).sum(axis=1)
    assert (internet[np.arange(500), day][early] == 0.05).all()
    # ceiling of an exponential with mean 3: mean 1 / (1 - exp(-1/3))
    assert length[early].mean() == pytest.approx(1 / (1 - np.exp(-1 / 3)), rel=0.1)
    assert set(np.unique(internet)) == {0.05, 1.0}
    assert (internet[early][:, -1] == 1).mean() > 0.95


def test_a_leader_who_leaves_decides_nothing_more():
    p = median(400, leader__leave_base=0.0)
    state = play(SETTING, p, runs=400, days=15, on=ALONE)
    left = state.events["leader_leaves"]
    assert np.array_equal(state.happened("leader_leaves"), ~state.in_office)
    for event in EVENTS[:-1]:
        both = state.happened(event) & (left >= 0)
        assert (state.events[event][both] <= left[both]).all()


def test_patrons_are_asked_by_multinomial_logit():
    runs = 30_000
    p = median(runs, leader__patron_dependence=3.0, leader__request_base=0.0)
    state = play(SETTING, p, runs=runs, days=1, on=ALONE)
    call = float(logistic(p["leader.precision"][0] * _call_utility(p)))
    weight = np.exp(3.0 * SETTING.patron_dependence)
    shares = weight / weight.sum()
    assert np.array_equal(state.happened("request"), state.patron == 0)
    assert (state.patron == 0).mean() == pytest.approx(call * shares[0], abs=0.01)
    rest = 1.0 - call * shares[0]
    for number in (1, 2):
        assert (state.patron == number).mean() == pytest.approx(
            rest * call * shares[number], abs=0.01
        )


def test_a_call_to_another_patron_leaves_the_alliance_open():
    p = median(2000, leader__request_base=-1.0, leader__patron_dependence=0.0)
    state = play(SETTING, p, runs=2000, on=ALONE)
    assert (state.happened("request") & (state.patron > 0)).any()


def test_the_hazard_of_a_request_falls_with_the_time_since_the_trigger():
    """In calm: no gate, none before the trigger, and a power law after it."""
    runs, fade = 40_000, 0.8
    p = median(runs, leader__request_base=-2.0, leader__request_fade=fade)
    frame = setting(
        triggers=((2, 0),), patrons=(), patron_alliance=np.zeros(0, bool),
        patron_dependence=np.zeros(0),
    )  # fmt: skip
    state = State.calm(runs, 2, len(frame.members))
    random = Random(3, np.arange(runs, dtype=np.int64))
    leader.start(frame, p, state, random)
    open_ = np.full(runs, True)
    for day in range(8):
        leader.step(frame, p, state, day, random, Guidance())
        asked = open_ & state.happened("request")
        if day < 2:
            assert not asked.any()
            continue
        precision = p["leader.precision"][0]
        utility = -2.0 - fade * np.log1p(day - 2)
        expected = float(logistic(precision * utility))
        assert asked.sum() / open_.sum() == pytest.approx(expected, abs=0.006)
        open_ &= ~asked


def _call_utility(p):
    lost = 1 - np.exp(-0.2)
    return (
        p["leader.request_base"][0]
        + 0.6 * p["leader.request_unrest"][0]
        + 0.3 * p["leader.request_weakness"][0]
        + lost * p["leader.request_killed"][0]
    )


def test_a_case_without_patrons_calls_the_alliance_and_one_without_the_alliance_cannot():
    p = median(200, leader__request_base=0.0)
    none = setting(patrons=(), patron_alliance=np.zeros(0, bool), patron_dependence=np.zeros(0))
    state = play(none, p, runs=200, on=ALONE)
    assert state.happened("request").any()
    assert np.array_equal(state.happened("request"), state.patron == 0)
    others = setting(patron_alliance=np.zeros(3, dtype=bool))
    state = play(others, p, runs=200, on=ALONE)
    assert not state.happened("request").any()
    assert (state.patron >= 0).any()


def test_a_dependence_that_pulls_moves_the_call_to_that_patron():
    def asked(pull):
        p = median(400, leader__patron_dependence=pull, leader__request_base=-1.0)
        return share(play(SETTING, p, on=ALONE), "request")

    assert asked(8.0) > asked(0.0) > asked(-8.0)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("day", [0, 3])
def test_replaying_a_decision_charges_its_probability(event, day):
    runs = 6000
    p = median(runs, leader__request_base=-3.0, leader__leave_base=-3.5, leader__guard_base=-3)
    free = play(SETTING, p, runs=runs, days=6, on=ALONE)
    known = Guidance(days={(event, ""): day})
    told = play(SETTING, p, runs=runs, days=6, on=ALONE, guidance=known)
    assert (told.events[event] == day).all()
    weight = np.exp(told.log_guidance)
    frequency = (free.events[event] == day).mean()
    assert weight.mean() == pytest.approx(frequency, abs=4 * np.sqrt(frequency / runs))


def test_not_calling_is_charged_too_and_other_patrons_stay_open():
    runs = 6000
    p = median(runs, leader__request_base=-2.0)
    free = play(SETTING, p, runs=runs, days=4, on=ALONE)
    told = play(
        SETTING, p, runs=runs, days=4, on=ALONE, guidance=Guidance(not_by={("request", ""): 3})
    )
    weight = np.exp(told.log_guidance)
    assert weight.mean() == pytest.approx(1 - share(free, "request"), abs=0.03)
    quiet = ~free.happened("request")
    expected = (free.patron[quiet] > 0).mean()
    assert (weight * (told.patron > 0)).sum() / weight.sum() == pytest.approx(expected, abs=0.03)


def test_a_known_fall_is_replayed_together_with_leaving_by_choice():
    random = Random(1, np.arange(3, dtype=np.int64))
    p = median(3)
    state = fresh(SETTING, p, random, on=ALONE)
    state.on = frozenset({"forces"})
    state.collapse_chance[:] = np.array([0.0, 0.2, 0.9])
    leader.step(SETTING, p, state, 0, random, Guidance(days={("leader_leaves", ""): 0}))
    chance = np.exp(state.log_guidance)
    own = chance[0]
    assert chance == pytest.approx(1 - (1 - own) * (1 - np.array([0.0, 0.2, 0.9])))
    assert not state.in_office.any()


@pytest.mark.parametrize("name", [p.name for p in leader.PARAMETERS])
def test_each_parameter_moves_something(name):
    lively = {"leader__request_base": -3.0, "leader__fire_base": -3.5, "leader__guard_base": -3.0}
    if name == "leader.memory":
        pytest.skip("fades after unrest only: test_alarm_outlives_unrest_and_fades")
    on = ("ties", "leader", "alliance")
    p = median(500, alliance__lead_intercept=1.0, **lively)
    before = play(SETTING, p, runs=500, on=on)
    low, high = next((q.low, q.high) for q in leader.PARAMETERS if q.name == name)
    p[name] = np.clip(p[name] * 1.5 + 0.5, low, high)
    after = play(SETTING, p, runs=500, on=on)
    assert not same(before, after)


def test_a_run_does_not_depend_on_its_batch():
    p = median(31)
    whole = play(SETTING, p, runs=31)
    rows = np.array([30, 4, 17])
    part = play(SETTING, median(3), numbers=rows.astype(np.int64))
    left, right = arrays(whole), arrays(part)
    for name in left:
        assert np.array_equal(left[name][rows], right[name]), name
