"""Rules, power indices, consensus and baselines against reference values."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from foedus.case.vocabulary import RULES as NAMES
from foedus.world.voting import (
    RULES,
    conditional_support,
    passes,
    tail,
    weighted_mean,
    weighted_median,
)

from ..oracles.voting import (
    banzhaf_swings,
    coalitions,
    consensus_probability,
    power_to_act,
    rule_game,
    shapley_shubik,
    three_valued_consensus,
    weighted_game,
)

UNSC = [7] * 5 + [1] * 10


def test_every_rule_of_the_vocabulary_is_implemented():
    assert set(RULES) == set(NAMES)


def exactly(text):
    return [Fraction(word) for word in text.split()]


def test_eec_1958():
    game = weighted_game([4, 4, 4, 2, 2, 1], 12)
    assert game.sum() == 14
    assert shapley_shubik(game) == exactly("7/30 7/30 7/30 3/20 3/20 0")
    assert banzhaf_swings(game) == [10, 10, 10, 6, 6, 0]


def test_un_security_council():
    game = weighted_game(UNSC, 39)
    assert game.sum() == 848
    assert shapley_shubik(game) == exactly("421/2145 " * 5 + "4/2145 " * 10)
    assert banzhaf_swings(game) == [848] * 5 + [84] * 10


def test_three_members_of_unequal_weight():
    game = weighted_game([50, 49, 1], 51)
    assert shapley_shubik(game) == exactly("2/3 1/6 1/6")
    assert banzhaf_swings(game) == [3, 1, 1]


@pytest.mark.parametrize(
    ("rule", "act", "index"),
    [
        ("unanimity", "1/64", "1/6 1/6 1/6 1/6 1/6 1/6"),
        ("consensus_with_abstention", "1/64", "1/6 1/6 1/6 1/6 1/6 1/6"),
        ("lead_veto_four_of_six", "16/64", "1/2 1/10 1/10 1/10 1/10 1/10"),
        ("lead_and_requester_plus_one", "15/64", "7/15 1/60 7/15 1/60 1/60 1/60"),
        ("lead_only", "32/64", "1 0 0 0 0 0"),
        ("two_thirds", "22/64", "1/6 1/6 1/6 1/6 1/6 1/6"),
        ("simple_majority", "22/64", "1/6 1/6 1/6 1/6 1/6 1/6"),
    ],
)
def test_six_members(rule, act, index):
    game = rule_game(rule, 6, lead=0, requester=2)
    assert power_to_act(game) == Fraction(act)
    assert shapley_shubik(game) == exactly(index)


def test_six_members_when_the_asker_counts_as_a_yes_or_has_a_veto():
    held = coalitions(6)
    all_but_asker = np.asarray(held[:, [0, 1, 3, 4, 5]].all(axis=1))
    assert power_to_act(all_but_asker) == Fraction(2, 64)
    assert shapley_shubik(all_but_asker) == exactly("1/5 1/5 0 1/5 1/5 1/5")
    two_vetoes = held[:, 0] & held[:, 2] & (held.sum(axis=1) >= 4)
    assert power_to_act(two_vetoes) == Fraction(11, 64)
    assert shapley_shubik(two_vetoes) == exactly("2/5 1/20 2/5 1/20 1/20 1/20")


def test_abstention_helps_consensus_only():
    votes = np.array([[1, 0, 1, 0, 0, 1]], dtype=np.int8)
    carried = {rule: bool(passes(votes, rule, 0, 2)[0]) for rule in RULES}
    assert carried == {
        "consensus_with_abstention": True,
        "unanimity": False,
        "two_thirds": False,
        "simple_majority": False,
        "lead_only": True,
        "lead_and_requester_plus_one": True,
        "lead_veto_four_of_six": False,
    }


@pytest.mark.parametrize("rule", RULES)
def test_a_vote_for_never_hurts(rule):
    rng = np.random.default_rng(2)
    votes = rng.integers(-1, 2, size=(300, 6)).astype(np.int8)
    raised = votes.copy()
    raised[np.arange(300), rng.integers(0, 6, size=300)] = 1
    assert (passes(votes, rule, 0, 2) <= passes(raised, rule, 0, 2)).all()


@pytest.mark.parametrize("n", [0, 21])
def test_too_many_players(n):
    with pytest.raises(ValueError, match=r"from 1 to 20"):
        coalitions(n)


@pytest.mark.parametrize(
    ("p", "rho", "expected"),
    [
        (0.8, 0.0, 0.32768),
        (0.8, 0.3, 0.4401),
        (0.8, 0.6, 0.5500),
        (0.8, 0.9, 0.6872),
        (0.9, 0.3, 0.6595),
        (0.9, 0.6, 0.7333),
        (0.9, 0.9, 0.8264),
    ],
)
def test_consensus_of_five(p, rho, expected):
    assert consensus_probability(p, 5, rho) == pytest.approx(expected, abs=1e-4)


def test_correlation_out_of_range():
    with pytest.raises(ValueError, match="rho"):
        consensus_probability(0.5, 5, 1.0)


@pytest.mark.parametrize(
    ("against", "yes", "carried", "contributors"),
    [(0.05, 0.7, 0.77378, 3.6842), (0.1, 0.6, 0.59049, 3.3333)],
)
def test_three_valued_consensus(against, yes, carried, contributors):
    found = three_valued_consensus(against, yes, 5)
    assert found.passes == pytest.approx(carried, abs=1e-5)
    assert found.contributors == pytest.approx(contributors, abs=1e-4)
    near = three_valued_consensus(against, yes, 5, 1e-9)
    assert near.passes == pytest.approx(carried, abs=1e-4)
    assert near.contributors == pytest.approx(contributors, abs=1e-3)


def test_three_valued_consensus_under_a_factor_by_simulation():
    rng = np.random.default_rng(5)
    y = np.sqrt(0.6) * rng.normal(size=(200_000, 1)) + np.sqrt(0.4) * rng.normal(size=(200_000, 5))
    carried = (y < 1.6448536).all(axis=1)
    found = three_valued_consensus(0.05, 0.7, 5, 0.6)
    assert found.passes == pytest.approx(carried.mean(), abs=0.003)
    assert found.contributors == pytest.approx(
        (y[carried] < 0.5244005).sum(axis=1).mean(), abs=0.02
    )


@pytest.mark.parametrize("need", [0, 2, 3, 4])
def test_tail_and_conditional_draws_against_enumeration(need):
    s = np.array([0.2, 0.9, 0.5, 0.7])
    law = {bits: np.prod(np.where(bits, s, 1 - s)) for bits in product((False, True), repeat=4)}
    carried = sum(w for bits, w in law.items() if sum(bits) >= need)
    runs = 40_000
    chances = tail(np.tile(s, (runs, 1)), need)
    assert chances.chance[0] == pytest.approx(carried)
    u = np.random.default_rng(3).uniform(size=(runs, 4))
    for outcome in (True, False):
        if not outcome and need == 0:
            continue
        rows = conditional_support(chances, u, np.full(runs, outcome))
        assert ((rows.sum(axis=1) >= need) == outcome).all()
        kept = {b: w for b, w in law.items() if (sum(b) >= need) == outcome}
        for j in range(4):
            exact = sum(w for b, w in kept.items() if b[j]) / sum(kept.values())
            assert rows[:, j].mean() == pytest.approx(exact, abs=0.015)


def test_an_impossible_condition_falls_back_to_the_plain_draw():
    chances = tail(np.zeros((3, 2)), 2)
    u = np.full((3, 2), 0.5)
    assert not conditional_support(chances, u, np.ones(3, dtype=bool)).any()


EMISSIONS: dict[str, Any] = {
    "capability": [0.08, 0.08, 0.03, 0.16, 0.16, 0.16, 0.16, 0.05, 0.05, 0.08],
    "position": [4, 7, 4, 4, 10, 10, 10, 7, 4, 7],
    "salience": [0.8, 0.4, 0.2, 0.8, 0.6, 0.6, 0.9, 0.1, 1.0, 0.7],
}


def test_emission_standards_table():
    assert weighted_mean(**EMISSIONS) == pytest.approx(7.389956, abs=1e-6)
    assert weighted_median(**EMISSIONS) == 7.0
