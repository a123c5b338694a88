"""Reports of one count see one true total, and a forecast starts from it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, special, stats

from foedus.answers.forecasts import judge
from foedus.case.models import Fact
from foedus.weighing.known_totals import Total
from foedus.weighing.observation_model import COMMON_REPORTING, observation
from foedus.weighing.quantities import Frame
from foedus.weighing.weighed import weigh_runs
from foedus.weighted_statistics import quantile

from ..narrowing import present


def median(values, weight):
    return quantile(values, weight, np.array([0.5]))[0]


def model(toy, value, *, quantity="deaths_total", about="2001-03-03", **more):
    fact = Fact.model_validate(toy.fact("f", quantity, about, value, **more))
    return observation(fact, day=2, horizon=10)


def calm_case(toy, values, ratings, **more):
    """Seven reports of one toll in a case whose runs hold little unrest."""
    facts = [
        toy.fact(f"f{i}", "deaths_total", "2001-03-04", v, rating=r, known_from="2001-03-05")
        for i, (v, r) in enumerate(zip(values, ratings, strict=True))
    ]
    questions = [
        toy.question("dead", "number", quantity="deaths_total", statistic="at"),
        toy.question("hundred", "binary", quantity="deaths_total", statistic="at", at_least=100),
    ]
    case = toy.case(facts=facts, questions=questions, **more)
    rng = np.random.default_rng(5)
    runs = 4000
    deaths = np.zeros((runs, 10, 2))
    unrest = rng.uniform(size=runs) < 0.03
    deaths[:, :, 0] = np.where(unrest[:, None], rng.poisson(1.0, (runs, 10)), 0.0)
    deaths[:, 7, 1] = np.where(rng.uniform(size=runs) < 0.2, 30.0, 0.0)  # still to come
    block = toy.block(case, runs, deaths_protesters=deaths, internet=1.0)
    return case, toy.dataset(case, block), deaths.sum(axis=(1, 2))


REVIEW = (40, 60, "at least 20", 90, 120, 200, "dozens")
RATED = ("C3", "C3", "B3", "B2", "C3", "C4", "C2")


def test_seven_agreeing_reports_bind_though_no_run_has_seen_such_a_toll(toy):
    case, dataset, _ = calm_case(toy, REVIEW, RATED)
    weighed = weigh_runs(case, dataset)
    dead = median(weighed.draws["dead"], weighed.weights.weight)
    assert dead >= 90.0  # each report alone left it at 0
    assert weighed.draws["hundred"] @ weighed.weights.weight > 0.3
    assert weighed.weights.ess > 200
    b2 = next(e for e in weighed.evidence if e.id == "f3")
    assert present(b2.disbelief) < present(b2.error)
    # What was said before the evidence is as it was.
    before = judge(weighed).answer("hundred").before
    assert present(present(before).probability) < 0.01


def test_a_forecast_adds_to_the_known_total_what_the_run_adds_later(toy):
    case, dataset, _ = calm_case(toy, (90, 90, 90), ("A1", "A1", "A1"))
    weighed = weigh_runs(case, dataset)
    frame = Frame.of(case)
    rows = slice(0, 4000)
    block = {k: dataset[k].to_numpy() for k in dataset.data_vars}
    plain = sum(block[f"deaths_{w}"].sum(axis=2) for w in ("protesters", "security"))
    known = weighed.totals.series(block, frame, "deaths_total", rows=rows)
    day = frame.day(case.as_of)
    added = np.cumsum(plain, axis=1)[:, -1] - np.cumsum(plain, axis=1)[:, day]
    assert known[:, -1] - known[:, day] == pytest.approx(added, abs=1e-6)
    assert (np.diff(known, axis=1) >= -1e-9).all()
    later = weighed.draws["dead"][added == 30.0].mean() - weighed.draws["dead"][added == 0.0].mean()
    assert later == pytest.approx(30.0, abs=10.0)


def test_the_likelihood_is_the_integral_over_the_true_total(toy):
    one, two = model(toy, 40, rating="B2"), model(toy, 90, rating="C3")
    truth = np.array([[0.0, 10.0, 60.0], [0.0, 12.0, 60.0]])
    found = Total([one, two]).agreement(truth).total
    e = np.array([np.sqrt(m.scale**2 - m.discrepancy**2) for m in (one, two)])
    common = np.sqrt(COMMON_REPORTING) * e.min()
    own = np.sqrt(e**2 - common**2)

    def given(both, x, m, scale):
        centre = max(np.log1p(x) + both, 0.0) + m.bias
        z = ((m.low - centre) / scale, (m.high - centre) / scale)
        honest = special.stdtr(4.0, z[1]) - special.stdtr(4.0, z[0])
        return (1.0 - m.error) * honest + m.error * m.outright

    def density(both):
        law = stats.t(4.0, scale=one.discrepancy)
        grid = np.linspace(-6 * common, 6 * common, 201)
        noise = stats.norm(scale=common).pdf(grid)
        return float((law.pdf(both - grid) * noise).sum() / noise.sum())

    for i in range(3):
        want, _ = integrate.quad(
            lambda s, i=i: (
                density(s) * given(s, truth[0, i], one, own[0]) * given(s, truth[1, i], two, own[1])
            ),
            -8.0,
            10.0,
            points=[0.0, 3.0, 4.5],
            limit=400,
        )
        assert found[i] == pytest.approx(np.log(want), abs=0.05)


def test_the_drawn_totals_are_calibrated(toy):
    # Truths and reports by the documented law; the rank of the true total among draws given the
    # reports is uniform.
    rng = np.random.default_rng(7)
    ratings = ("B2", "C3", "B2")
    base = [model(toy, 10, rating=r) for r in ratings]
    e = np.array([np.sqrt(m.scale**2 - m.discrepancy**2) for m in base])
    common = np.sqrt(COMMON_REPORTING) * e.min()
    own = np.sqrt(e**2 - common**2)
    draws, ranks = 400, []
    for crisis in range(300):
        x = 50.0
        d = base[0].discrepancy * rng.standard_t(4)
        c = common * rng.normal()
        h = max(np.log1p(x) + d, 0.0)
        models = []
        for m, s, rating in zip(base, own, ratings, strict=True):
            if rng.uniform() < m.error:
                y = np.log1p(100.0) + 3.0 * rng.normal()
            else:
                y = max(np.log1p(x) + d + c, 0.0) + m.bias + s * rng.standard_t(4)
            number = round(np.expm1(np.clip(y, 0.0, 25.0)))
            models.append(model(toy, number, rating=rating))
        numbers = np.arange(draws) + draws * crisis
        shift = Total(models).agreement(np.full((3, draws), x), numbers).shift
        drawn = np.maximum(np.log1p(x) + shift, 0.0)
        ranks.append((drawn < h).mean() + 0.5 * (drawn == h).mean())
    assert stats.kstest(ranks, "uniform").pvalue > 0.01


def test_the_draws_do_not_depend_on_the_size_of_the_block(toy):
    case, dataset, _ = calm_case(toy, REVIEW, RATED)
    whole, parts = weigh_runs(case, dataset), weigh_runs(case, dataset, block=370)
    assert np.array_equal(whole.weights.log_weight, parts.weights.log_weight)
    assert np.array_equal(whole.draws["dead"], parts.draws["dead"])


def test_the_country_holds_at_least_what_its_cities_report(toy):
    facts = [
        toy.fact(f"f{i}", "deaths_protesters", "2001-03-04", 80, rating="A1", place="north")
        for i in range(2)
    ]
    case = toy.case(
        facts=facts,
        questions=[toy.question("dead", "number", quantity="deaths_total", statistic="at")],
    )
    block = toy.block(case, 500, internet=1.0)
    weighed = weigh_runs(case, toy.dataset(case, block))
    assert median(weighed.draws["dead"], weighed.weights.weight) > 60.0
