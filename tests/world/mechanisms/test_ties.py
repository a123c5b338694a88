"""Ties are covariates of two equations and enter nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from foedus.randomness import Random
from foedus.world.mechanisms import alliance, ties
from foedus.world.mechanisms.ties import lead_interest

from .decision_settings import SETTING, fresh, median, play, requested, same, setting


def test_the_equation():
    p = median(1)
    expected = 0.5 * 0.7 + 0.3 * 7 / 8 + 0.2 * 0.4 - 0.2 * 0.3
    assert lead_interest(SETTING, p) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("word", "value", "sign"),
    [
        ("border_km", 0.0, -1),
        ("foreign_firms", 0.9, 1),
        ("sanctions", 0.9, -1),
        ("dependence_on_lead", 0.9, 1),
    ],
)
def test_signs(word, value, sign):
    other = setting(ties={**SETTING.ties, word: value})
    p = median(1)
    assert np.sign(lead_interest(other, p) - lead_interest(SETTING, p)) == sign


def test_more_interest_gets_more_decisions():
    low = requested(setting(ties=dict.fromkeys(SETTING.ties, 0.0)), median(400))
    high = requested(SETTING, median(400))
    more = high.happened("decision") & ~low.happened("decision")
    less = low.happened("decision") & ~high.happened("decision")
    assert more.any()
    assert not less.any(), "the draws are common"


def test_off_counts_as_no_interest_and_a_dependence_of_one_half():
    random = Random(1, np.arange(3, dtype=np.int64))
    p = median(3)
    state = fresh(SETTING, p, random, on=("leader", "alliance"))
    assert (state.interest == 0).all()
    assert (state.dependence == 0.5).all()
    neutral = {**dict.fromkeys(SETTING.ties, 0.0), "dependence_on_lead": 0.5}
    p = median(200, ties__dependence=0)
    off = play(SETTING, p, runs=200, on=("leader", "alliance"))
    on = play(setting(ties=neutral), p, runs=200, on=("ties", "leader", "alliance"))
    assert same(off, on)


@pytest.mark.parametrize("name", [p.name for p in ties.PARAMETERS])
def test_each_parameter_moves_the_leads_answer(name):
    random = Random(1, np.arange(2, dtype=np.int64))
    p = median(2)
    before = alliance.lead_log_odds(SETTING, p, fresh(SETTING, p, random))
    p[name] = p[name] + 0.1
    after = alliance.lead_log_odds(SETTING, p, fresh(SETTING, p, random))
    assert (before != after).all()


def test_ties_stand_still():
    assert ties.MECHANISM.step is None
