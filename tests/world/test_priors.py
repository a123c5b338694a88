"""Priors from the casebook: which ones, how they are set, and without hindsight."""

from __future__ import annotations

import re

import numpy as np
import pytest

from foedus.case import as_of, load_case
from foedus.case.load import load_text, shipped_text
from foedus.case.models import Case
from foedus.case.priors import Fixed, Normal
from foedus.casebook import load_casebook
from foedus.casebook.similarity import nearest_to_case
from foedus.errors import InputError
from foedus.world import engine, priors
from foedus.world.check import check
from foedus.world.mechanisms.alliance import answer_chance
from foedus.world.mechanisms.leader import allied_share, call_shares
from foedus.world.priors import resolve
from foedus.world.setting import Setting

from ..narrowing import present
from .small_case import small_case

CASE = load_case("kazakhstan-2022")
PATRON = "leader.patron_dependence"
SHIPPED = shipped_text("kazakhstan-2022")
NAMES = {
    "leader.request_base",
    "leader.request_fade",
    "alliance.lead_intercept",
    "alliance.scale",
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
        # The size of a mission is against the pools, which may become known.
        there, here = _priors(as_of(CASE, date)), _priors(CASE)
        assert there | {"alliance.scale": here["alliance.scale"]} == here


def test_an_earlier_case_sees_less_of_history():
    earlier = CASE.model_copy(update={"start": CASE.start.replace(year=1999)})
    assert _priors(earlier)["leader.request_base"] != _priors(CASE)["leader.request_base"]
    assert "2022" not in _priors(earlier)["leader.request_base"].source


def test_a_cases_own_row_is_left_out_of_a_fit_that_has_seen_it():
    """If the case recurred years later, its row would be in the fit; `casebook_id` takes it out."""
    told = {"start": CASE.start.replace(year=2024), "casebook_id": None, "requester_iso3": None}
    later = CASE.model_copy(update=told)
    named = later.model_copy(update={"casebook_id": "KAZ2022"})
    another = later.model_copy(update={"casebook_id": "KGZ2010A"})
    found = [_priors(case)["alliance.lead_intercept"] for case in (later, named, another)]
    assert len({prior.mean for prior in found}) == 3
    assert found[1].mean < found[0].mean  # its row, troops from this alliance, no longer counts


@pytest.mark.parametrize(
    ("field", "word", "near"),
    [
        ("casebook_id", "KAZ2021", "KAZ2022"),
        ("casebook_id", "KGZ2O10", "KGZ2010B"),
        ("requester_iso3", "kaz", "KAZ"),
        ("requester_iso3", "KYR", "KGZ"),
        ("requester_iso3", "Tajikistan", "TJK"),
        ("trigger_type", "domestic_protests", "domestic_protest"),
        ("organisation", "CSTOO", "CSTO"),
    ],
)
def test_words_that_the_casebook_does_not_know_are_refused_with_their_line(field, word, near):
    text = re.sub(rf"(?m)^{field}: \S+", f"{field}: {word}", SHIPPED)
    line = next(n for n, row in enumerate(text.splitlines(), 1) if row.startswith(f"{field}:"))
    case = load_text(text, "mine.yaml")
    with pytest.raises(InputError) as error:
        resolve(case, engine.registry(case))
    (problem,) = error.value.problems
    assert (problem.file, problem.line, problem.field) == ("mine.yaml", line, field)
    assert repr(word) in problem.found
    assert f"did you mean {near!r}?" in problem.expected


@pytest.mark.parametrize(
    ("old", "new", "field", "near"),
    [
        ("{casebook: granted, trigger: domestic_protest}",
         "{casebook: granted, trigger: domestic_protests}", "trigger", "domestic_protest"),
        ("{casebook: arrival_days, organisation: CSTO}",
         "{casebook: arrival_days, organisation: CTSO}", "organisation", "CSTO"),
    ],
)  # fmt: skip
def test_a_question_s_baseline_must_name_what_the_casebook_has(old, new, field, near):
    text = SHIPPED.replace(old, new, 1)
    line = next(n for n, row in enumerate(text.splitlines(), 1) if new in row)
    with pytest.raises(InputError) as error:
        check(load_text(text, "mine.yaml"))
    (problem,) = error.value.problems
    assert problem.line == line
    assert problem.field.startswith("questions.")
    assert problem.field.endswith(f".baseline.{field}")
    assert f"did you mean {near!r}?" in problem.expected


def test_a_new_organisation_counts_as_another_one_and_is_told_of():
    text = SHIPPED.replace("organisation: CSTO\n", "organisation: Foo League\n", 1)
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "Foo League" in row)
    case = load_text(text, "mine.yaml")
    (warning,) = check(case).warnings
    assert warning.startswith(f"line {line}, organisation: 'Foo League' is not in the casebook")
    assert warning.endswith("the nearest name there is 'Arab League'")
    other = case.model_copy(update={"organisation": "other_org"})
    registry = engine.registry(case)
    mine, theirs = (
        resolve(c, registry)["alliance.lead_intercept"].quantile(np.array([0.1, 0.9]))
        for c in (case, other)
    )
    assert mine.tolist() == theirs.tolist()
    assert check(other).warnings == ()
    assert nearest_to_case(as_of(case, case.end), load_casebook())


@pytest.mark.parametrize("p", [0.05, 0.3, 0.9])
def test_daily_chances_of_asking_add_up_to_the_chance_and_its_early_share(p):
    setting, registry = Setting.of(CASE), engine.registry(CASE)
    base, fade = priors._call(np.array([p]), 0.5, setting, registry)
    mean = {n: priors._mean(registry, n) for n in ("leader.request_unrest", PATRON)}
    shares = call_shares(setting, {PATRON: np.array([mean[PATRON]])})
    left = [1.0]
    for day in range(priors.ASKS):
        usual = priors.UNREST * np.exp(-day / priors.UNREST_DAYS)
        utility = base[0] + mean["leader.request_unrest"] * usual - fade * np.log1p(day)
        daily = allied_share(setting, shares)[0] / (1.0 + np.exp(-utility))
        left.append(left[-1] * (1.0 - daily))
    assert 1.0 - left[-1] == pytest.approx(p, abs=0.01)
    assert (1.0 - left[priors.SOON + 1]) / p == pytest.approx(0.5, abs=0.03)


def test_lead_and_vote_together_have_the_casebooks_chance_of_troops():
    setting, registry = Setting.of(CASE), engine.registry(CASE)
    names = ("alliance.rho", "alliance.against", "alliance.yes")
    usual = {n: np.array([priors._mean(registry, n)]) for n in names}
    p = np.array([0.2, 0.5, 0.7])
    lead = priors._lead(p, setting, registry)
    assert (lead > p).all()
    np.testing.assert_allclose(answer_chance(setting, usual, lead), p, atol=2e-3)


def test_the_lead_at_average_covariates_has_the_casebooks_log_odds():
    setting, registry = Setting.of(CASE), engine.registry(CASE)
    prior = _priors(CASE)["alliance.lead_intercept"]
    troops = present(priors.casebook_outlook(CASE)).answer_if_asked["troops"].draws
    drawn = priors._lead(troops, setting, registry)
    average = prior.mean + priors._expected(setting, registry)
    assert average == pytest.approx(np.mean(np.log(drawn / (1 - drawn))), abs=1e-3)


def test_an_unknown_base_is_averaged_over():
    """A file that does not say whether the lead has a base does not say that it has none."""

    def granted(base):
        ally = CASE.alliance.model_copy(update={"lead_has_base": base})
        found = _priors(CASE.model_copy(update={"alliance": ally}))
        return found["alliance.lead_intercept"].mean

    low, high = sorted([granted(True), granted(False)])
    assert low < granted(None) < high
    assert type(CASE.alliance).model_fields["lead_has_base"].default is None


def test_later_rows_inform_a_prior_only_where_a_score_leaves_one_out():
    registry = engine.registry(CASE)
    as_known, with_later = (
        priors.casebook_priors(CASE, registry, later_rows=later) for later in (False, True)
    )
    assert set(as_known) == set(with_later)
    assert as_known["leader.request_base"] != with_later["leader.request_base"]
    assert "later ones" in as_known["leader.request_base"].source
    assert "later ones" not in with_later["leader.request_base"].source
