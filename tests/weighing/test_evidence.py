from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from foedus.case.models import Fact
from foedus.weighing.evidence import likelihood, reports, truth
from foedus.weighing.observation_model import (
    CREDIBILITY,
    DEGREES_OF_FREEDOM,
    HABITS,
    RELIABILITY,
    Subject,
    correlation,
    observation,
    shares,
)
from foedus.weighing.quantities import Frame


def observe(toy, quantity, value=None, *, day=3, horizon=10, **more):
    about = f"2001-03-{day + 1:02d}"
    fact = Fact.model_validate(toy.fact("f", quantity, about, value, **more))
    return observation(fact, day=day, horizon=horizon)


def test_better_ratings_are_narrower_and_less_often_wrong():
    for table in (RELIABILITY, CREDIBILITY):
        graded = [table[k] for k in sorted(table) if k not in "F6"]
        assert graded == sorted(graded)


def test_an_exact_count_is_an_interval_of_student_t(toy):
    model = observe(toy, "troops_announced", 2500, rating="B2")
    x = np.array([2500.0, 1000.0])
    parts = dict(model.parts)
    assert model.scale == pytest.approx(np.sqrt(0.1**2 + 0.1**2 + 0.05**2 + 0.3**2))
    assert parts["model discrepancy"] == 0.3
    t = stats.t(DEGREES_OF_FREEDOM, loc=np.log1p(x), scale=model.scale)
    honest = t.cdf(np.log1p(2500.5)) - t.cdf(np.log1p(2499.5))
    assert np.allclose(model.honest(x), honest, rtol=1e-6)
    error = 1 - 0.95 * 0.96
    assert model.error == pytest.approx(error)
    wrong = stats.norm(np.log1p(100), 3)
    g = wrong.cdf(np.log1p(2500.5)) - wrong.cdf(np.log1p(2499.5))
    assert np.allclose(np.exp(model.log_likelihood(x)), (1 - error) * honest + error * g)


def test_the_values_of_a_count_have_total_probability_one(toy):
    x = np.array([30.0])
    exact = [observe(toy, "crowd", n).honest(x)[0] for n in range(400)]
    rest = observe(toy, "crowd", "at least 400").honest(x)[0]
    assert sum(exact) + rest == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("value", ["at least 13", "at most 13", "10 to 20", "dozens", "about 20"])
def test_interval_facts_are_sums_of_exact_ones(toy, value):
    model = observe(toy, "arrests", value)
    t = stats.t(DEGREES_OF_FREEDOM, loc=np.log1p(20.0) + model.bias, scale=model.scale)
    assert model.honest(np.array([20.0]))[0] == pytest.approx(
        t.cdf(model.high) - t.cdf(model.low), rel=1e-9
    )


def test_a_lower_bound_is_met_by_more_and_an_upper_bound_by_fewer(toy):
    x = np.array([1.0, 13.0, 100.0, 10_000.0])
    assert (np.diff(observe(toy, "deaths_security", "at least 13").honest(x)) > 0).all()
    assert (np.diff(observe(toy, "deaths_security", "at most 13").honest(x)) < 0).all()


def test_early_tolls_are_short_and_later_ones_less(toy):
    early = observe(toy, "deaths_protesters", 40)
    late = observe(toy, "deaths_protesters", 40, known_from="2001-03-24")
    assert early.bias == pytest.approx(np.log(HABITS["deaths_protesters"].reported))
    assert late.bias == pytest.approx(np.log(1 - 0.6 * np.exp(-2.0)))
    x = np.arange(1.0, 400.0)
    assert x[early.honest(x).argmax()] == pytest.approx(41 / 0.4 - 1, abs=3)
    assert x[late.honest(x).argmax()] < x[early.honest(x).argmax()]
    # A lower bound already says that more is possible.
    assert observe(toy, "deaths_protesters", "at least 40").bias == 0.0


def test_shares_by_percent_and_by_unit(toy):
    a = observe(toy, "internet", 0.05)
    b = observe(toy, "internet", 5, unit="percent")
    assert (a.low, a.high) == pytest.approx((b.low, b.high))
    assert a.honest(np.array([0.05]))[0] > a.honest(np.array([0.9]))[0]


def test_events_by_days_apart_and_negative_events(toy):
    model = observe(toy, "request", day=4)
    p = model.honest(np.array([4.0, 5.0, 7.0, np.inf]))
    assert (np.diff(p) < 0).all()
    assert p[3] == 0.0
    assert model.honest(np.array([3.0]))[0] == pytest.approx(p[1])
    days = sum(observe(toy, "request", day=d).honest(np.array([15.0]))[0] for d in range(31))
    assert days == pytest.approx(1.0, abs=1e-3)
    negative = observe(toy, "request", False, day=4).honest(np.array([1.0, 4.0, 5.0, 8.0, np.inf]))
    assert (np.diff(negative) > 0).all()
    assert negative[-1] == pytest.approx(1.0)
    assert negative[0] < 0.02


def test_nothing_is_impossible_and_full_agreement_is_best(toy):
    x = np.concatenate([np.arange(2000.0), np.geomspace(2000, 1e7, 300)])
    for value in (0, 7, 300, "at least 13", "at most 4", "hundreds"):
        model = observe(toy, "deaths_total", value, rating="A1")
        log = model.log_likelihood(x)
        assert np.isfinite(log).all()
        assert log.max() <= model.best() + 1e-6
        assert log.max() >= model.best() - 0.02
    model = observe(toy, "decision", day=2)
    assert model.log_likelihood(np.array([2.0]))[0] == model.best()
    assert np.isfinite(model.log_likelihood(np.array([np.inf]))).all()


@pytest.mark.parametrize(
    ("quantity", "value"),
    [("crowd", "40 to 90"), ("deaths_protesters", 12), ("internet", 0.3), ("request", None)],
)
def test_what_lies_below_the_ends_of_a_report_is_its_probability(toy, quantity, value):
    model = observe(toy, quantity, value, rating="C3")
    x = np.array([0.0, 0.4, 5.0, 60.0, np.inf if quantity == "request" else 900.0])
    between = model.below(model.high, x) - model.below(model.low, x)
    assert np.allclose(between, np.exp(model.log_likelihood(x)), rtol=1e-6, atol=1e-12)
    assert (model.below(-np.inf, x) == 0.0).all()
    assert (model.below(np.inf, x) == 1.0).all()


def test_yes_and_no_of_an_event_are_all_there_is(toy):
    model = observe(toy, "request", False, day=4)
    x = np.array([0.0, 4.0, 6.0, np.inf])
    assert np.allclose(1.0 - model.below(model.high, x), np.exp(model.log_likelihood(x)))


def test_a_far_report_is_disbelieved(toy):
    model = observe(toy, "troops_present", 100_000, rating="D4")
    disbelief = model.disbelief(np.array([100_000.0, 5000.0, 50.0]))
    assert (np.diff(disbelief) > 0).all()
    assert disbelief[0] < 0.2
    assert disbelief[2] > 0.9


def test_repeated_reports_share_one_likelihood(toy):
    model = observe(toy, "deaths_security", 13)
    here = Subject("deaths_security", "", "", 3.0)
    assert shares([here], [model]).tolist() == [1.0]
    same = shares([here] * 4, [model] * 4)
    m, s = model.discrepancy, model.scale
    r = (m**2 + 0.8 * (s**2 - m**2)) / s**2
    assert correlation(here, here, model, model) == pytest.approx(r)
    assert np.allclose(same, 1 / (1 + 3 * r))
    assert 1.0 < same.sum() < 1.1


def test_errors_are_common_within_a_thing_a_quantity_and_a_family(toy):
    toll, crowd = observe(toy, "deaths_security", 13), observe(toy, "crowd", 500)
    event = observe(toy, "decision")
    here = Subject("crowd", "north", "", 3.0)
    later = Subject("crowd", "north", "", 9.0)
    there = Subject("crowd", "south", "", 3.0)
    r = [
        correlation(here, here, crowd, crowd),
        correlation(here, later, crowd, crowd),
        correlation(here, there, crowd, crowd),
        correlation(here, Subject("deaths_security", "", "", 3.0), crowd, toll),
        correlation(here, Subject("decision", "", "", 3.0), crowd, event),
    ]
    assert r == sorted(r, reverse=True)
    assert r[-1] == 0.0
    assert r[0] < 1.0


def test_a_poor_report_hardly_dilutes_a_good_one(toy):
    here = Subject("crowd", "", "", 3.0)
    models = [observe(toy, "crowd", 500, rating=r) for r in ("A1", "E5")]
    good, poor = shares([here] * 2, models)
    assert good > 0.85
    assert poor < 0.65


def test_each_fact_is_used_in_one_way(toy):
    case = toy.case(
        facts=[
            toy.fact("talk", None, "2001-03-03"),
            toy.fact("asked", "request", "2001-03-04"),
            toy.fact("rumour", "decision", "2001-03-04", rating="D4"),
            toy.fact("before", "crowd", "2001-02-20", 100),
            toy.fact("plan", "withdrawal_start", "2001-03-09", known_from="2001-03-04"),
            toy.fact("many", "crowd", "2001-03-04", "thousands"),
        ]
    )
    assert {r.fact.id: r.use for r in reports(case)} == {
        "talk": "context",
        "asked": "replayed",
        "rumour": "weighed",
        "before": "outside",
        "plan": "plan",
        "many": "weighed",
    }


def test_a_clock_time_reads_a_flow_between_two_days(toy):
    case = toy.case(
        facts=[
            toy.fact("morning", "deaths_security", "2001-03-03T06:00", 8),
            toy.fact("evening", "deaths_security", "2001-03-03", 18),
        ]
    )
    block = toy.block(case, 1)
    block["deaths_security"][0, 1, 0] = 4
    block["deaths_security"][0, 2, 1] = 12
    frame = Frame.of(case)
    morning, evening = reports(case)
    assert truth(morning, block, frame).tolist() == [4 + 12 / 4]
    assert truth(evening, block, frame).tolist() == [16]
    found = likelihood([morning, evening], block, frame)
    assert found.contribution.shape == (2, 1)
    # Both see one total: what one adds is what the other alone lacks.
    alone = likelihood([evening], block, frame).total[0]
    assert found.total[0] - found.contribution[0, 0] == pytest.approx(alone, abs=0.02)


def test_a_value_that_is_not_a_number_makes_a_run_useless(toy):
    case = toy.case(facts=[toy.fact("many", "crowd", "2001-03-04", "thousands")])
    block = toy.block(case, 2)
    block["crowd"][0, 3, 0] = np.nan
    found = likelihood(list(reports(case)), block, Frame.of(case))
    assert found.contribution[0, 0] == -np.inf
    assert np.isfinite(found.contribution[0, 1])
