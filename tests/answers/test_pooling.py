import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from foedus.answers.discrepancy import FAMILIES, OTHER, discrepancy, family, of_year
from foedus.answers.pooling import pooled, said, widened
from foedus.case.question_kinds import kind_of
from foedus.scoring_rules import FLOOR, logit_pool
from foedus.weighing.quantities import Frame

from ..narrowing import present

BINARY, NUMBER, DATE = kind_of("binary"), kind_of("number"), kind_of("date")


@pytest.fixture
def frame(toy):
    return Frame.of(toy.case(horizon=100))


def yes(p, n=1000):
    return (np.arange(n) < round(p * n)).astype(float)


def test_the_pool_of_chances_is_the_mean_of_log_odds(frame):
    both = pooled(BINARY, said(BINARY, yes(0.2), frame), said(BINARY, yes(0.6), frame), frame)
    odds = math.sqrt(0.25 * 1.5)
    p = present(both.estimate.probability)
    assert p == pytest.approx(odds / (1 + odds))
    assert logit_pool(0.2, 0.6) == pytest.approx(p)
    assert logit_pool(0.2, 0.6, 0.0) == pytest.approx(0.2)
    assert logit_pool(0.2, 0.6, 1.0) == pytest.approx(0.6)
    assert 0 < logit_pool(0.0, 0.5) < 0.5  # a bound keeps one voice from a veto
    # By the delta rule, as of two estimates that do not know of each other.
    errors = [math.sqrt(q * (1 - q) / 1000) / (q * (1 - q)) for q in (0.2, 0.6)]
    error = p * (1 - p) * math.hypot(*errors) / 2
    assert both.estimate.probability_error == pytest.approx(error)


def test_numbers_are_mixed_in_equal_parts_whatever_the_number_of_draws(frame):
    one, other = np.linspace(0, 10, 1001), np.linspace(100, 110, 11)
    both = pooled(NUMBER, said(NUMBER, one, frame), said(NUMBER, other, frame), frame)
    assert both.estimate.mean == pytest.approx(55.0)
    assert both.estimate.quantiles[0] == pytest.approx(1.0, abs=0.02)
    assert both.weight[both.draws > 50].sum() == pytest.approx(0.5)


def test_a_day_has_the_pooled_chance_and_mixed_days(frame):
    one = np.where(yes(0.2) > 0, 10.0, np.inf)
    other = np.where(yes(0.6) > 0, 20.0, np.inf)
    both = pooled(DATE, said(DATE, one, frame), said(DATE, other, frame), frame)
    p = logit_pool(0.2, 0.6)
    assert both.estimate.probability == pytest.approx(p)
    assert both.weight[np.isfinite(both.draws)].sum() == pytest.approx(p)
    # Of the days three quarters are history's, as of the mixture.
    assert both.weight[both.draws == 20].sum() == pytest.approx(0.75 * p)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_two_certain_voices_stay_near_certain(frame, p):
    voice = said(BINARY, yes(p), frame)
    both = pooled(BINARY, voice, voice, frame)
    assert abs(present(both.estimate.probability) - p) == pytest.approx(FLOOR)


@pytest.mark.parametrize("p", [0.02, 0.3, 0.97])
@pytest.mark.parametrize("sd", [0.3, 1.0, 2.0])
def test_a_widened_chance_is_its_mean_over_the_error(frame, p, sd):
    wide = widened(BINARY, said(BINARY, yes(p), frame), sd, frame, first=0, last=99)
    exact = integrate.quad(
        lambda z: special.expit(special.logit(p) + sd * z) * stats.norm.pdf(z), -12, 12
    )[0]
    assert wide.estimate.probability == pytest.approx(exact, abs=2e-4)


def test_no_discrepancy_changes_nothing(frame):
    answer = said(DATE, np.where(yes(0.4) > 0, 10.0, np.inf), frame)
    assert widened(DATE, answer, 0.0, frame, first=5, last=99) is answer


def test_a_widened_number_has_a_wider_spread_on_the_log_scale(frame):
    draws = np.exp(stats.norm.ppf((np.arange(4000) + 0.5) / 4000, 6.0, 0.8))
    wide = widened(NUMBER, said(NUMBER, draws, frame), 1.2, frame, first=0, last=99)
    logs = np.log(wide.draws)
    spread = math.sqrt(wide.weight @ (logs - wide.weight @ logs) ** 2)
    assert spread == pytest.approx(0.8 * math.sqrt(1 + 3 * 1.2**2 / math.pi**2), rel=0.01)
    share = widened(
        NUMBER, said(NUMBER, yes(0.5) * 0.6 + 0.3, frame), 2.0, frame, first=0, last=9, most=1.0
    )
    assert share.draws.max() <= 1.0


def test_widened_days_stay_between_the_next_day_and_the_end_of_the_window(frame):
    draws = np.where(yes(0.5) > 0, np.tile([2.0, 12.0, 15.0, 30.0], 250), np.inf)
    answer = said(DATE, draws, frame)
    wide = widened(DATE, answer, 1.5, frame, first=11, last=40)
    days = wide.draws[np.isfinite(wide.draws)]
    assert days[days > 2].min() == 11
    assert days.max() == 40
    assert (days == np.floor(days)).all()
    spread = [
        np.sqrt(np.cov(days, aweights=weight))
        for days, weight in (
            (v.draws[later], v.weight[later])
            for v in (answer, wide)
            for later in [np.isfinite(v.draws) & (v.draws > 2)]
        )
    ]
    assert spread[1] > spread[0]
    # The chance itself is one half, which an error either way leaves alone.
    assert wide.estimate.probability == pytest.approx(0.5)


def test_families_and_years(toy):
    def of(**asked):
        kind = "number" if asked["statistic"] == "max" else "binary"
        return toy.case(questions=[toy.question("q", kind, **asked)]).questions[0].ask

    assert family(of(quantity="request", statistic="happens")) == "asked"
    assert family(of(quantity="troops_present", statistic="max")) == "size"
    assert family(of(quantity="troops_present", statistic="at", at_least=1)) == "stay"
    assert family(of(quantity="crowd", statistic="max")) == OTHER
    assert OTHER not in FAMILIES
    table = {"1990": {"pooled": {"asked": 0.5}}, "2001": {"pooled": {"asked": 0.25}}}
    assert of_year(table, 1989) == {}
    assert of_year(table, 2000)["pooled"]["asked"] == 0.5  # nothing of 2000 itself or later
    assert of_year(table, 2022)["pooled"]["asked"] == 0.25
    assert discrepancy(of(quantity="request", statistic="happens"), "pooled", 1900) == 0.0
