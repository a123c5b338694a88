"""Information: Bayes' rule in closed form, who claims and when, and the effect on legitimacy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from foedus.world.mechanisms import information, lethal

from ...oracles.global_games import edmond
from .street_settings import (
    advance,
    batch_free,
    changed,
    medians,
    moving_parameters,
    streets,
)


def test_posterior_is_bayes_rule():
    """One claim with likelihoods h and l, and one contrary report, by hand."""
    prior, h, low, contrary = 0.2, 0.8, 0.5, 0.4
    by_hand = prior * h * np.exp(-contrary)
    by_hand /= by_hand + (1 - prior) * low
    got = information.posterior(prior, np.log(h / low), 0.5, 1, contrary, 1)
    assert got == pytest.approx(by_hand, abs=1e-15)


def test_days_of_claims_and_reports_reach_the_closed_form():
    days = 9
    state = streets(intensity=0.6)
    state.internet[:] = 0.5
    p = medians(information, information__claim_rate=1.0)
    state.claim[:] = True
    advance(information, p, state, days=days)
    for audience, openness in (
        ("home", p["information.openness"] * 0.5),
        ("abroad", p["information.openness_abroad"]),
    ):
        want = information.posterior(
            information.belief(p[f"information.prior_{audience}"]),
            p[f"information.weight_{audience}"],
            p["information.repeat"],
            days,
            p["information.counter"] * openness * 0.6,
            days,
        )
        got = information.belief(getattr(state, f"log_odds_{audience}"))
        assert got == pytest.approx(want, rel=1e-12)


def test_repetition_is_bounded_by_the_geometric_sum():
    state = streets(intensity=0.0)
    state.claim[:] = True
    p = medians(information)
    advance(information, p, state, days=400)
    total = p["information.weight_abroad"] / (1 - p["information.repeat"])
    assert state.log_odds_abroad == pytest.approx(p["information.prior_abroad"] + total)


def test_nobody_claims_in_calm_and_beliefs_stay():
    state = streets(intensity=0.0)
    p = medians(information, information__claim_rate=1.0)
    after = advance(information, p, state.fork(), days=20)
    assert not after.claim.any()
    assert np.array_equal(after.log_odds_home, p["information.prior_home"])
    assert changed(state, after) == {"log_odds_home", "log_odds_abroad"}
    assert np.array_equal(after.legitimacy, state.legitimacy)


def test_claims_come_at_the_rate_and_more_after_the_order_to_fire():
    runs = 5000
    shares = []
    for fired in (False, True):
        state = streets(runs, intensity=0.5)
        if fired:
            state.events["fire_order"][:] = 0
        p = medians(
            information,
            runs=runs,
            information__claim_rate=0.2,
            information__claim_rate_fire=0.7,
        )
        advance(information, p, state)
        shares.append(state.claim.mean())
    assert shares == pytest.approx([0.1, 0.35], abs=0.02)


def test_a_claim_once_begun_goes_on():
    state = streets(2000, intensity=0.5)
    p = medians(information, runs=2000)
    advance(information, p, state, days=3)
    first = state.claim.copy()
    state.unrest[:] = 0.0
    advance(information, p, state, days=3, first=3, begin=False)
    assert np.array_equal(first, state.claim)
    assert 0 < first.mean() < 1


def test_no_home_effect_leaves_legitimacy_exactly():
    state = streets()
    state.claim[:] = True
    p = medians(information, information__home_effect=0.0)
    after = advance(information, p, state.fork(), days=10)
    assert np.array_equal(after.legitimacy, state.legitimacy)
    assert np.all(after.story == 0)


def test_belief_raises_legitimacy_and_disbelief_lowers_it():
    believed, doubted = streets(), streets()
    believed.claim[:] = True
    loud = medians(information, information__counter=0.0)
    frank = medians(information, information__claim_rate=0.0, information__counter=1.0)
    advance(information, loud, believed, days=5)
    advance(information, frank, doubted, days=5)
    assert np.all(believed.legitimacy > 0.8)
    assert np.all(doubted.legitimacy < 0.8)
    gain = information.belief(believed.log_odds_home) - information.belief(
        loud["information.prior_home"]
    )
    want = 0.8 + loud["information.home_effect"] * gain
    assert believed.legitimacy[:, 0] == pytest.approx(want, rel=1e-12)


def test_the_offset_is_taken_back_when_belief_falls_even_at_the_ceiling():
    state = streets(intensity=0.0)
    state.legitimacy[:] = 0.95
    state.claim[:] = True
    p = medians(information, information__home_effect=1.0, information__weight_home=6.0)
    advance(information, p, state, days=3)
    assert np.all(state.legitimacy == 1.0)
    state.log_odds_home[:] = p["information.prior_home"]
    state.claim[:] = False
    advance(information, p, state, first=3, begin=False)
    assert state.legitimacy == pytest.approx(np.full((4, 3), 0.95), abs=1e-14)


def test_the_story_and_the_killings_compose():
    """Mechanism 2's recovery does not remove the story's effect, nor the story the recovery."""
    state = streets(active=0.0, intensity=0.0)
    state.claim[:] = True
    state.legitimacy[:] = 0.6
    p = medians(information, lethal, lethal__legitimacy_recovery=0.3)
    unread: Any = None
    information.start(unread, p, state, _random())
    lethal.start(unread, p, state, _random())
    for day in range(120):
        advance(information, p, state, first=day, begin=False)
        advance(lethal, p, state, first=day, begin=False)
    gain = information.belief(state.log_odds_home) - information.belief(p["information.prior_home"])
    want = 0.8 + p["information.home_effect"] * gain
    assert state.legitimacy[:, 1] == pytest.approx(want, abs=1e-9)


def _random():
    from .street_settings import keyed

    return keyed(4)


def test_a_shutdown_keeps_reports_from_home_but_not_from_abroad():
    states = []
    for internet in (1.0, 0.0):
        state = streets()
        state.internet[:] = internet
        p = medians(information, information__claim_rate=0.0)
        states.append(advance(information, p, state, days=4))
    light, dark = states
    assert np.all(dark.log_odds_home > light.log_odds_home)
    assert np.array_equal(dark.log_odds_abroad, light.log_odds_abroad)


@pytest.mark.parametrize(
    ("name", "field", "sign"),
    [
        ("prior_home", "log_odds_home", 1),
        ("prior_abroad", "log_odds_abroad", 1),
        ("weight_home", "log_odds_home", 1),
        ("weight_abroad", "log_odds_abroad", 1),
        ("repeat", "log_odds_abroad", 1),
        ("counter", "log_odds_home", -1),
        ("counter", "log_odds_abroad", -1),
        ("openness", "log_odds_home", -1),
        ("openness_abroad", "log_odds_abroad", -1),
        ("claim_rate", "claim", 1),
    ],
)
def test_signs(name, field, sign):
    prior = next(q.prior for q in information.PARAMETERS if q.name == f"information.{name}")
    totals = []
    for u in (0.1, 0.9):
        state = streets(200)
        value = float(prior.quantile(np.array([u]))[0])
        p = medians(information, runs=200, **{f"information__{name}": value})
        totals.append(getattr(advance(information, p, state, days=5), field).sum())
    assert sign * (totals[1] - totals[0]) > 0


def test_manipulation_helps_regimes_more_the_more_precise_the_signals():
    """Edmond 2013: the benchmark for the sign of the home effect."""
    thresholds = [edmond(alpha, 0.5, 0.1).theta for alpha in (1, 4, 25, 400)]
    assert thresholds == sorted(thresholds, reverse=True)
    assert all(t < edmond(1, 0.5, 0.1).benchmark for t in thresholds)


def test_every_parameter_moves_something():
    def play(p):
        state = streets(60)
        state.internet[:] = 0.6
        state.events["fire_order"][30:] = 0
        state = advance(information, p, state, days=6)
        names = ("claim", "log_odds_home", "log_odds_abroad", "legitimacy")
        return {name: getattr(state, name) for name in names}

    moved = moving_parameters(information, play)
    assert all(moved.values()), moved


def test_a_run_does_not_depend_on_its_batch():
    batch_free(information, streets)
