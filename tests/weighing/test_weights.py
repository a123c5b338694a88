from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from foedus.errors import InputError
from foedus.report.verdict_words import advice, reason
from foedus.weighing.verdict import HeavyTail, Level, Verdict
from foedus.weighing.weights import (
    effective_size,
    importance_weights,
    normalise,
    pareto_smooth,
    without,
)
from foedus.weighted_statistics import mean_and_error, quantile


def test_equal_weights():
    w = importance_weights(np.full(400, -1e6))
    assert w.ess == pytest.approx(400)
    assert w.largest == pytest.approx(1 / 400)
    assert w.carrying == 396
    assert w.verdict.ok
    assert w.verdict.reasons == ()


def test_conjugate_normal_gives_its_exact_posterior():
    """Prior N(0, 1), a reading 1.2 with sd 0.5: posterior N(0.96, 0.2)."""
    theta = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    w = importance_weights(stats.norm(theta, 0.5).logpdf(1.2))
    mean, error = mean_and_error(theta, w.weight)
    second, _ = mean_and_error((theta - 0.96) ** 2, w.weight)
    assert mean == pytest.approx(0.96, abs=1e-4)
    assert second == pytest.approx(0.2, abs=1e-4)
    assert error < 0.01
    q = quantile(theta, w.weight, np.array([0.05, 0.5, 0.95]))
    assert np.allclose(q, stats.norm(0.96, np.sqrt(0.2)).ppf([0.05, 0.5, 0.95]), atol=2e-3)


def test_the_monte_carlo_error_is_honest():
    rng = np.random.default_rng(4)
    estimates, errors = [], []
    for _ in range(300):
        theta = rng.normal(size=500)
        w = importance_weights(stats.norm(theta, 1.0).logpdf(1.0))
        m, e = mean_and_error((theta > 0).astype(float), w.weight)
        estimates.append(m)
        errors.append(e)
    assert np.mean(errors) == pytest.approx(np.std(estimates), rel=0.15)


def test_impossible_evidence_is_refused_and_never_nan():
    w = importance_weights(np.array([-1e300, -np.inf, np.nan, -1e308]))
    assert w.verdict.refused
    assert w.usable == 2
    assert np.isfinite(w.weight).all()
    assert w.verdict.reasons
    w = importance_weights(np.full(5, -np.inf))
    assert (w.ess, w.carrying, w.usable, w.verdict.level) == (0.0, 0, 0, "refused")
    assert "not a number" in advice(w.verdict)[0]
    with pytest.raises(InputError, match="at least 1 run"):
        importance_weights(np.empty(0))


def test_the_advice_says_how_many_runs():
    log = np.full(1000, -np.inf)
    log[:20] = 0.0
    w = importance_weights(log)
    assert w.ess == pytest.approx(20)
    assert "About 10,000 runs" in advice(w.verdict)[0]
    log[2:20] = -np.inf
    assert "100,000 runs" in advice(importance_weights(log).verdict)[0]
    log[1:20] = -np.inf
    assert "More runs alone" in advice(importance_weights(log).verdict)[0]


def test_leaving_a_report_out():
    contribution = np.array([[0.0, -1.0, -np.inf], [-2.0, 0.0, 0.0]])
    log = contribution.sum(axis=0)
    left = without(log, contribution)
    assert left[0].tolist() == [-2.0, 0.0, -np.inf]
    assert left[1].tolist() == [0.0, -1.0, -np.inf]
    assert effective_size(left).shape == (2,)


@pytest.mark.parametrize("k", [0.3, 0.7, 1.2])
def test_the_tail_shape_is_recovered(k):
    x = stats.genpareto(k).ppf((np.arange(50_000) + 0.5) / 50_000)
    x = np.random.default_rng(1).permutation(x)
    smoothed, found = pareto_smooth(np.log1p(x))
    assert found == pytest.approx(k, abs=0.12)
    assert effective_size(smoothed) >= 0.9 * effective_size(np.log1p(x))
    assert smoothed.max() <= np.log1p(x).max()


def test_heavy_tails_are_called_thin():
    x = stats.genpareto(1.2).rvs(20_000, random_state=3)
    w = importance_weights(np.log1p(np.minimum(x, 500)) * 1.0 + np.where(x > 400, 0.5, 0.0))
    assert w.verdict.level in ("ok", "thin")
    assert np.isnan(pareto_smooth(np.zeros(100))[1])
    assert np.isnan(pareto_smooth(np.array([0.0, -1.0]))[1])


def test_quantiles_with_never():
    values = np.array([1.0, 2.0, np.inf, np.inf])
    q = quantile(values, np.array([0.2, 0.2, 0.3, 0.3]), np.array([0.1, 0.4, 0.5]))
    assert q.tolist() == [1.0, 2.0, np.inf]
    assert np.isnan(quantile(values, np.zeros(4), np.array([0.5]))).all()


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60),
    st.floats(0.01, 0.99),
    st.integers(0, 2**31),
)
def test_quantile_is_the_inverted_distribution_function(values, q, seed):
    x = np.array(values)
    w = np.random.default_rng(seed).random(x.size) + 1e-3
    w /= w.sum()
    found = quantile(x, w, np.array([q]))[0]
    assert w[x <= found].sum() >= q - 1e-9
    assert w[x < found].sum() < q + 1e-9


@given(st.lists(st.floats(-700, 700), min_size=1, max_size=50), st.floats(-1e5, 1e5))
def test_weights_do_not_see_a_constant(log, shift):
    a, b = normalise(np.array(log)), normalise(np.array(log) + shift)
    assert np.allclose(a, b, atol=1e-6)
    assert a.sum() == pytest.approx(1.0)
    assert 1.0 - 1e-9 <= effective_size(np.array(log)) <= len(log) + 1e-6


def test_few_runs_are_said_to_be_few_and_not_to_disagree():
    one, few, some = (importance_weights(np.zeros(n)) for n in (1, 30, 150))
    assert advice(one.verdict) == ("1 run is too few: make 200 or more.",)
    assert advice(few.verdict) == ("30 runs are too few: make 200 or more.",)
    assert advice(some.verdict) == ("150 runs are few: make 200 or more.",)
    assert [reason(w.verdict) for w in (one, few, some)] == [
        "too few runs", "too few runs", "few runs"
    ]  # fmt: skip
    log = np.full(100, -50.0)
    log[0] = 0.0
    assert (
        "Run more" in advice(importance_weights(log).verdict)[0]
    )  # a hundred runs are no reason to give up
    assert "will not do" not in advice(importance_weights(log).verdict)[0]


@pytest.mark.parametrize("runs", [50, 200, 333, 1000])
def test_runs_that_weigh_the_same_are_short_of_a_limit_by_rounding_only(runs):
    w = importance_weights(np.full(runs, -0.1))
    assert w.verdict.level == ("thin" if runs < 200 else "ok")
    assert bool(w.verdict.reasons) == (runs < 200)


def test_the_reason_of_a_verdict():
    log = np.full(1000, -np.inf)
    log[:20] = 0.0
    assert reason(importance_weights(log).verdict) == "too few runs agree with the evidence"
    log[:100] = 0.0
    assert reason(importance_weights(log).verdict) == "few runs agree with the evidence"
    assert reason(importance_weights(np.zeros(1000)).verdict) == ""
    tail = (HeavyTail(k=1.0),)
    refused = Verdict(level=Level.REFUSED, reasons=tail)
    assert reason(refused) == "the runs do not meet the evidence"
    assert reason(Verdict(level=Level.THIN, reasons=tail)) == ""  # only the advice says so


def test_a_verdict_is_not_a_text():
    refused = importance_weights(np.full(5, -np.inf)).verdict
    assert refused == importance_weights(np.full(5, -np.inf)).verdict
    assert str(refused) == refused.level == "refused"
    with pytest.raises(TypeError, match="compare the level"):
        refused != "refused"  # noqa: B015
