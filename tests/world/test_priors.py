"""Priors from the casebook: which, how, and without hindsight."""

from __future__ import annotations

import numpy as np
import pytest

from foedus.case import as_of, load_case
from foedus.case.models import Case
from foedus.case.priors import Fixed, Normal
from foedus.world import engine, priors
from foedus.world.priors import resolve

from ..narrowing import present
from .small_case import small_case

CASE = load_case("kazakhstan-2022")
NAMES = {
    "leader.request_base",
    "alliance.lead_intercept",
    "airlift.assembled",
    "airlift.assembly",
    "airlift.short_mission",
    "airlift.short_stay",
    "airlift.long_stay",
}


def _priors(case: Case):
    return priors.casebook_priors(case, engine.registry(case))


def test_history_gives_these_priors_and_says_where_from():
    priors = _priors(CASE)
    assert set(priors) == NAMES
    for prior in priors.values():
        assert prior.origin == "casebook"
        assert "before-2022" in prior.source


def test_a_case_that_names_no_trigger_keeps_the_defaults():
    case = small_case()
    assert _priors(case) == {}
    registry = engine.registry(case)
    assert resolve(case, registry) == {n: p.prior for n, p in registry.items()}


def test_the_case_file_goes_before_history_and_a_hypothesis_before_both():
    registry = engine.registry(CASE)
    case = CASE.model_copy(update={"priors": {"leader.request_base": Fixed(value=-9.0)}})
    base = resolve(case, registry)["leader.request_base"]
    assert isinstance(base, Fixed)
    assert base.value == -9.0
    border = next(h for h in CASE.hypotheses if h.id == "border")
    interest = resolve(CASE, registry, border)["alliance.interest"]
    assert isinstance(interest, Normal)
    assert interest.mean == 2.0
    assert resolve(CASE, registry, border)["alliance.lead_intercept"].origin == "casebook"


def test_the_as_of_date_and_the_outcomes_change_nothing():
    for date in ("2022-01-04", "2022-01-07"):
        assert _priors(as_of(CASE, date)) == _priors(CASE)


def test_an_earlier_case_sees_less_of_history():
    earlier = CASE.model_copy(update={"start": CASE.start.replace(year=1999)})
    assert _priors(earlier)["leader.request_base"] != _priors(CASE)["leader.request_base"]
    assert "2022" not in _priors(earlier)["leader.request_base"].source


@pytest.mark.parametrize("p", [0.05, 0.3, 0.9])
def test_daily_log_odds_add_up_to_the_chance(p):
    daily = 1.0 / (1.0 + np.exp(-priors._daily(np.array([p]))[0]))
    assert 1.0 - (1.0 - daily) ** priors.DAYS == pytest.approx(p, abs=1e-9)


def test_the_lead_at_average_covariates_has_the_casebooks_log_odds():
    registry = engine.registry(CASE)
    from foedus.world.setting import Setting

    prior = _priors(CASE)["alliance.lead_intercept"]
    outlook = priors._outlook(
        CASE.trigger_type, CASE.organisation, CASE.start.isoformat(), "KAZ",
        CASE.alliance.lead_has_base, True,
    )  # fmt: skip
    drawn = present(outlook)[1]
    expected = np.mean(np.log(drawn / (1 - drawn)))
    average = prior.mean + priors._expected(Setting.of(CASE), registry)
    assert average == pytest.approx(expected, abs=1e-3)
