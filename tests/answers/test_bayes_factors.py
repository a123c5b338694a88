"""Bayes factors: exact where known, and words that never claim more than the runs show."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from foedus.answers.bayes_factors import (
    BANDS,
    Fit,
    Grade,
    Strength,
    factor,
    fit,
    standings,
    strength_of,
)
from foedus.report.verdict_words import words

RUNS = 20_000


def normal_toy(seed: int = 1, *, apart: float = 1.0, observed: float = 1.2, sd: float = 0.7):
    """Runs of two hypotheses theta ~ N(0, 1) and N(apart, 1), and y ~ N(theta, sd)."""
    rng = np.random.default_rng(seed)
    hypothesis = np.arange(RUNS) % 2
    theta = rng.normal(size=RUNS) + apart * hypothesis
    marginal = stats.norm(scale=math.hypot(1.0, sd))
    exact = marginal.logpdf(observed - apart) - marginal.logpdf(observed)
    return hypothesis, stats.norm.logpdf(observed, theta, sd), exact


def test_a_known_bayes_factor():
    hypothesis, logs, exact = normal_toy()
    prior = np.array([0.25, 0.75])
    found = fit(np.zeros(RUNS), logs, hypothesis, 2)
    first, second = standings(found, prior)
    assert abs(second.log_factor - exact) < 4 * second.log_factor_error < 0.1
    assert first.log_factor == pytest.approx(-second.log_factor)
    odds = 3.0 * math.exp(exact)
    assert abs(second.posterior - odds / (1.0 + odds)) < 4 * second.error
    assert first.posterior + second.posterior == pytest.approx(1.0)


def test_the_error_is_the_spread_over_ensembles():
    made = []
    for seed in range(60):
        hypothesis, logs, _ = normal_toy(seed, apart=2.0)
        made.append(factor(fit(np.zeros(RUNS), logs, hypothesis, 2), np.array([0.5, 0.5]), 1))
    spread = np.std([m.log for m in made])
    assert np.mean([m.error for m in made]) == pytest.approx(spread, rel=0.35)


def test_importance_weights_give_the_same_factor():
    hypothesis, _, exact = normal_toy()
    rng = np.random.default_rng(3)
    theta = rng.normal(0.5, 1.5, size=RUNS)
    before = stats.norm.logpdf(theta, hypothesis) - stats.norm.logpdf(theta, 0.5, 1.5)
    found = fit(before, stats.norm.logpdf(1.2, theta, 0.7), hypothesis, 2)
    it = factor(found, np.array([0.5, 0.5]), 1)
    assert abs(it.log - exact) < 4 * it.error


def test_identical_hypotheses_have_factor_one():
    hypothesis, logs, _ = normal_toy(apart=0.0)
    for s in standings(fit(np.zeros(RUNS), logs, hypothesis, 2), np.array([0.5, 0.5])):
        middle, low, high = s.factor
        assert low < 1.0 < high
        assert middle == pytest.approx(1.0, abs=0.05)
        assert words(s.strength) == "the evidence does not tell"


def test_identical_hypotheses_are_hardly_ever_told_apart():
    told = 0
    for seed in range(200):
        logs = np.random.default_rng(seed).normal(scale=1.5, size=1000)
        (first, _) = standings(fit(np.zeros(1000), logs, np.arange(1000) % 2, 2), np.full(2, 0.5))
        told += first.strength.grade is not Grade.MUTE
    assert told <= 20  # 95% intervals, a little too narrow with heavy tails


def test_against_the_mixture_of_the_others():
    found = Fit(np.log([1.0, 2.0, 6.0]), np.zeros((3, 4)), np.full(3, 99.0), np.zeros((3, 0)))
    prior = np.array([0.5, 0.25, 0.25])
    assert factor(found, prior, 0).log == pytest.approx(math.log(1.0 / 4.0))
    assert factor(found, prior, 2).log == pytest.approx(math.log(6.0 / (4.0 / 3.0)))
    assert factor(found, prior, 2, against=1).log == pytest.approx(math.log(3.0))
    posterior = [s.posterior for s in standings(found, prior)]
    assert posterior == pytest.approx(np.array([2.0, 2.0, 6.0]) / 10.0)


def test_a_hypothesis_that_no_run_bears_out():
    logs = np.where(np.arange(400) % 2, 0.0, -np.inf)
    none, all_of_it = standings(fit(np.zeros(400), logs, np.arange(400) % 2, 2), np.full(2, 0.5))
    assert none.strength == all_of_it.strength == Strength(grade=Grade.TOO_FEW)
    assert none.to_dict()["bayes_factor_high"] is None


def test_a_single_hypothesis_has_nothing_to_be_weighed_against():
    (only,) = standings(fit(np.zeros(50), np.zeros(50), np.zeros(50, int), 1), np.ones(1))
    assert (only.posterior, only.strength.grade) == (1.0, Grade.ALONE)


def test_few_effective_runs_are_not_told():
    logs = np.zeros(400)
    logs[:4] = 50.0
    told = standings(fit(np.zeros(400), logs, np.arange(400) % 2, 2), np.full(2, 0.5))
    assert {s.strength.grade for s in told} == {Grade.TOO_FEW}


@given(st.floats(-30, 30), st.floats(0, 20))
def test_words_never_overstate(log_factor: float, error: float):
    found = strength_of(log_factor, error)
    nearest_to_one = max(abs(log_factor) - 1.96 * error, 0.0)
    if found.grade is Grade.MUTE:
        assert nearest_to_one <= 1e-9
        return
    assert ("for it" in words(found)) == found.supports == (log_factor > 0)
    band = [grade for _, grade in BANDS].index(found.grade)
    below = BANDS[band - 1][0] if band else 0.0
    assert 2.0 * nearest_to_one >= below
    assert _rank(strength_of(log_factor, error + 1.0)) <= _rank(found)


def _rank(found: Strength) -> int:
    return max((i + 1 for i, (_, grade) in enumerate(BANDS) if grade is found.grade), default=0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_not_told(bad: float):
    few = Strength(grade=Grade.TOO_FEW)
    assert strength_of(bad, 0.1) == strength_of(1.0, abs(bad)) == few
