"""Known decisions: which reports are replayed, and the charge of a run that could not decide so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from foedus.case.contradictions import contradictions
from foedus.case.models import Case
from foedus.world import engine
from foedus.world.guidance import BITS, FLOOR, Guidance
from foedus.world.state import State

from .small_case import SMALL, small_case, values_of


def told(*facts: tuple[str, str, str, Any, str]) -> Case:
    """Return the small case with facts: id, quantity, about, value, rating."""
    return small_case(
        facts=[
            {
                "id": name, "quantity": quantity, "about": about, "value": value, "rating": rating,
                "source": "desk", "known_from": "2001-03-05", "text": "So.",
            }
            for name, quantity, about, value, rating in facts
        ]
    )  # fmt: skip


YES, NO = ("yes", "request", "2001-03-03", True), ("no", "request", "2001-03-04", False)


@pytest.mark.parametrize(
    ("facts", "used"),
    [
        (((*YES, "A1"), (*NO, "B2")), ("yes",)),
        (((*YES, "B2"), (*NO, "A1")), ("no",)),
        (((*YES, "A1"), ("no", "request", "2001-03-02", False, "B2")), ("yes", "no")),
        (((*YES, "A1"), ("no", "request", "2001-03-03T09:00", False, "B2")), ("yes", "no")),
    ],
    ids=["yes is rated better", "no is rated better", "both can be", "not yet at nine"],
)
def test_of_two_reports_that_contradict_each_other_the_better_is_replayed(facts, used):
    guidance = Guidance.of(told(*facts))
    assert guidance.facts == used
    assert (("request", "") in guidance.days) == ("yes" in used)


def test_check_names_an_event_that_one_reports_and_another_denies():
    (found,) = contradictions(told((*YES, "A1"), (*NO, "B2")))
    assert (found.kind, found.facts, found.values) == ("event", ("yes", "no"), ("yes", "no"))
    assert "disagree" in str(found)
    late = ("no", "request", "2001-03-02", False, "B2")
    assert contradictions(told((*YES, "A1"), late)) == ()


def simulated(guidance: Guidance) -> dict[str, np.ndarray]:
    case = small_case()
    runs = np.arange(40, dtype=np.int64)
    return engine.simulate(
        case, seed=3, runs=runs, values=values_of(case, runs.size),
        hypothesis=np.full(runs.size, -1, dtype=np.int16), guidance=guidance,
    )  # fmt: skip


def test_a_run_notes_which_known_decision_its_rules_rule_out():
    assert not simulated(Guidance())["ruled_out"].any()
    day = 4
    alone = simulated(Guidance({("decision", ""): day}, {("request", ""): day}))
    assert (
        alone["ruled_out"] == BITS["decision"]
    ).all()  # no request was made, so nobody could decide
    assert (alone["log_guidance"] <= np.log(FLOOR)).all()
    asked = simulated(Guidance({("request", ""): 2, ("decision", ""): day}))
    assert not (asked["ruled_out"] & BITS["decision"]).all()


def test_every_replayable_decision_has_a_bit_of_its_own():
    bits = list(BITS.values())
    assert len(set(bits)) == len(bits)
    assert max(bits) < 2**15
    assert SMALL["horizon"] > 5


def test_an_event_that_would_be_news_is_drawn_less_often_and_weighed_exactly():
    """The weighted runs have the law of the free ones, whatever share of the chance is kept."""
    runs, days = 60_000, 6
    rng = np.random.default_rng(4)
    chance = rng.uniform(0.05, 0.3, runs)
    found = {}
    for name, guidance in (
        ("free", Guidance()),
        ("thinned", Guidance(kept={"request": (0.1, 0.2, 0.4)})),
    ):
        state = State.calm(runs, 1, 2)
        draws = np.random.default_rng(5)
        for day in range(days):
            open_ = ~state.happened("request")
            u = draws.uniform(size=runs)
            state.mark("request", guidance.decide(state, "request", chance, u, open_, day), day)
        found[name] = state
    free, thinned = found["free"], found["thinned"]
    assert not free.log_thinning.any()
    weight = np.exp(thinned.log_thinning)
    assert weight.mean() == pytest.approx(1.0, abs=0.02)
    assert (thinned.events["request"] == 0).mean() < 0.2 * (free.events["request"] == 0).mean()
    for day in range(-1, days):
        want = (free.events["request"] == day).mean()
        got = (weight * (thinned.events["request"] == day)).mean()
        assert got == pytest.approx(want, abs=0.012)
    # A run at full chance is weighed as if it had been thinned.
    state = State.calm(1, 1, 2)
    one = Guidance(kept={"request": (0.1,)}, thins=False)
    now = one.decide(state, "request", np.array([0.5]), np.array([0.4]), np.array([True]), 0)
    assert now.all()
    assert state.log_thinning[0] == pytest.approx(np.log(10.0))
