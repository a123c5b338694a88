"""A normal mean with normal reports, whose posterior is known, through the whole of weighing."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from foedus.answers.forecasts import judge
from foedus.weighing import observation_model as observation
from foedus.weighing.adaptive_proposal import log_likelihood
from foedus.weighing.weighed import weigh_runs
from foedus.world.guidance import Guidance

from ..narrowing import number, present

SD = 0.5  # of a report; the truth is standard normal


def _uniformity():
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "uniformity.py"
    spec = importlib.util.spec_from_file_location("foedus_uniformity", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def normal_reports(monkeypatch):
    """Reports rated A1 with normal errors of :data:`SD`, practically never outright wrong."""
    monkeypatch.setattr(observation, "DEGREES_OF_FREEDOM", 1e8)
    monkeypatch.setitem(observation.RELIABILITY, "A", (0.0, 1e-12))
    monkeypatch.setitem(observation.CREDIBILITY, "1", (0.0, 0.0))

    def scale(sd: float) -> None:
        habit = replace(observation.DEFAULT_HABITS["index"], discrepancy=sd)
        monkeypatch.setitem(observation.DEFAULT_HABITS, "index", habit)

    scale(SD)
    return scale


def _case(toy, y):
    return toy.case(
        facts=[toy.fact("said", "outside_belief", "2001-03-03", round(y, 2))],
        questions=[toy.question("belief", "number", quantity="outside_belief", statistic="at")],
    )


def _dataset(toy, case, x):
    return toy.dataset(case, toy.block(case, x.size, outside_belief=x[:, None]))


def test_the_exact_posterior(toy, normal_reports):
    from scipy import stats

    case = _case(toy, 0.8)
    x = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)
    answer = present(judge(weigh_runs(case, _dataset(toy, case, x))).answer("belief").estimate)
    mean, sd = 0.8 / (1 + SD**2), np.sqrt(SD**2 / (1 + SD**2))
    assert answer.mean == pytest.approx(mean, abs=1e-3)
    exact = stats.norm.ppf([0.05, 0.25, 0.5, 0.75, 0.95], mean, sd)
    np.testing.assert_allclose([number(q) for q in answer.quantiles], exact, atol=5e-3)


def _ranks(toy, uniformity, crises, runs=200):
    """Ranks of the truth, and of its log-likelihood with and without the weights."""
    random = np.random.default_rng(12)
    out = []
    for _ in range(crises):
        truth, draws = random.normal(), random.normal(size=runs)
        case = _case(toy, truth + SD * random.normal())
        forecast = judge(weigh_runs(case, _dataset(toy, case, draws)))
        log_weight, weight = forecast.weights.log_weight, forecast.weights.weight
        mine = _dataset(toy, case, np.array([truth]))
        fit = log_likelihood(case, mine, guidance=Guidance())[0]
        own = float(np.exp(fit) / np.exp(log_weight).sum())
        u, v = random.uniform(size=2)
        even = np.full(runs, 1.0 / runs)
        values = forecast.draws["belief"]
        out.append(
            (
                uniformity.pit(values, weight, np.float32(truth), own=own, u=u),
                uniformity.pit(log_weight, weight, fit, own=own, u=v),
                uniformity.pit(values, even, np.float32(truth), own=1.0 / runs, u=u),
                uniformity.pit(log_weight, even, fit, own=1.0 / runs, u=v),
            )
        )
    return np.array(out).T


def test_the_truth_ranks_uniformly_and_faults_are_found(toy, normal_reports):
    uniformity = _uniformity()
    answer, fit, answer_ignored, fit_ignored = _ranks(toy, uniformity, 120)
    assert uniformity.p_value(answer) > 0.05
    assert uniformity.p_value(fit) > 0.05
    # A forecast that ignores the weights: the rank of the answer cannot detect it, the likelihood's
    # can.
    assert uniformity.p_value(answer_ignored) > 0.05
    assert uniformity.p_value(fit_ignored) < 1e-3
    normal_reports(SD / 2)  # the forecast now trusts reports too much
    narrow, *_ = _ranks(toy, uniformity, 120)
    assert uniformity.p_value(narrow) < 1e-3
    assert uniformity.coverage(narrow, 0.8).sigmas < -4
