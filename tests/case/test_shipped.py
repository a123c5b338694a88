"""All shipped cases: what each must satisfy, whatever its subject."""

from __future__ import annotations

import datetime as dt
import json
import pickle
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from foedus.answers.outside_view import outside_view
from foedus.case import Case, as_of, case_hash, check, load_case, load_text, shipped
from foedus.case.load import shipped_text
from foedus.case.times import earliest, latest
from foedus.case.vocabulary import QUANTITIES
from foedus.casebook import base_rate, load_casebook, organisation_group
from foedus.casebook.similarity import nearest_to_case
from foedus.errors import InputError
from foedus.world.engine import registry
from foedus.world.priors import casebook_priors

from ..narrowing import present

NAMES = shipped()
BOOK = load_casebook()
#: The four that were chosen by hand, before eight more were drawn by lot from the casebook.
CHOSEN = ("bahrain-2011", "kazakhstan-2022", "kyrgyzstan-2010", "niger-2023")
DRAWN = tuple(name for name in NAMES if name not in CHOSEN)
#: What the chosen cases have in common, so that their scores can be shown on one page.
COMMON = {"asked", "decided", "landed", "landing-day", "troops-max", "allied-deaths"}
#: What every drawn case asks: the quantity, the statistic, the last day counted from the case's
#: start (None: its end), and the threshold. A yes to in-power-90 is a loss of power.
GENERIC: dict[str, tuple[str, str, int | None, float | None]] = {
    "asked-30": ("request", "happens", 30, None),
    "landed-30": ("first_arrival", "happens", 30, None),
    "landed-60": ("first_arrival", "happens", 60, None),
    "soldiers-500": ("troops_present", "max", None, 500),
    "soldiers-1000": ("troops_present", "max", None, 1000),
    "soldiers-5000": ("troops_present", "max", None, 5000),
    "in-power-90": ("leader_leaves", "happens", 90, None),
    "dead-100": ("deaths_total", "at", 60, 100),
    "dead-1000": ("deaths_total", "at", 60, 1000),
    "gone-90": ("withdrawal_end", "happens", 90, None),
}
#: Sizes that hypotheses of later cases may use besides those of the first; listed here so that a
#: new one is a decision and not a slip.
OWN_SIZES = {
    ("kyrgyzstan-2010", "bog", "alliance.interest"),
    ("kyrgyzstan-2010", "split", "alliance.against"),
    ("niger-2023", "split", "alliance.against"),
    ("niger-2023", "bluff", "alliance.realised"),
    ("niger-2023", "paper", "airlift.assembled"),
    ("niger-2023", "paper", "airlift.assembly"),
    ("niger-2023", "home", "alliance.other_war"),
}


@cache
def load(name: str) -> Case:
    return load_case(name)


def of_all(test):
    return pytest.mark.parametrize("name", NAMES)(test)


def decisive_ids(case: Case) -> set[str]:
    """Return the facts which say that something was asked, decided or refused."""
    events = ("request", "decision", "refusal")
    return {f.id for f in case.facts if f.quantity in events and present(f.value).kind == "yes"}


def flipped(case: Case) -> Case:
    """Return the case with other outcomes."""
    other = []
    for outcome in case.outcomes:
        value = outcome.value
        changed: bool | float | dt.date | None
        if isinstance(value, bool):
            changed = not value
        elif isinstance(value, dt.date):
            changed = None
        else:
            changed = case.start if value is None else value + 12345.0
        other.append(outcome.model_copy(update={"value": changed, "note": "HINDSIGHT"}))
    return case.model_copy(update={"outcomes": tuple(other)})


def test_the_chosen_four_differ_in_what_came_of_them():
    classes = {name: BOOK[present(load(name).casebook_id)].outcome for name in CHOSEN}
    assert classes == {
        "bahrain-2011": "granted_troops",
        "kazakhstan-2022": "granted_troops",
        "kyrgyzstan-2010": "refused",
        "niger-2023": "pledged_not_deployed",
    }


@of_all
def test_it_checks_without_a_warning_and_a_path_reads_the_same(name: str, tmp_path: Path):
    case = load(name)
    report = check(case)
    assert report.warnings == ()
    assert case.id == name
    path = tmp_path / "copy.yaml"
    path.write_text(shipped_text(name), encoding="utf-8")
    assert load_case(path) == case


@of_all
def test_no_fact_was_known_before_it_happened(name: str):
    case = load(name)
    for fact in case.facts:
        known = latest(fact.known_from, case.timezone_offset)
        assert known >= earliest(fact.about, case.timezone_offset), fact.id


@of_all
def test_an_as_of_date_shows_what_was_public_and_no_more(name: str):
    case = load(name)
    seen: set[str] = set()
    for day in range(case.horizon):
        date = case.date(day)
        known = as_of(case, date)
        ids = {f.id for f in known.facts}
        limit = latest(date, case.timezone_offset)
        expected = {f.id for f in case.facts if latest(f.known_from, case.timezone_offset) <= limit}
        assert ids == expected
        assert ids >= seen
        seen = ids
        assert known.outcomes == ()
        assert check(case, date).hidden_outcomes == len(case.outcomes)
    assert seen == {f.id for f in case.facts}


@of_all
def test_the_decisive_facts_are_hidden_the_day_before_they_were_public(name: str):
    case = load(name)
    decisive = [f for f in case.facts if f.id in decisive_ids(case)]
    asked = {o.question: o.value for o in case.outcomes}
    if asked.get("asked", False) or asked.get("asked-30", False):
        assert {f.quantity for f in decisive} >= {"request"}
    for fact in decisive:
        known = as_of(case, fact.known_from)
        assert fact in known.facts
        instant = latest(fact.known_from, case.timezone_offset)
        before = as_of(case, instant - dt.timedelta(days=1))
        ids = decisive_ids(case)
        assert fact.quantity not in {f.quantity for f in before.facts if f.id in ids}


@of_all
def test_outcomes_are_seen_by_nothing_that_forecasts(name: str):
    case, other = load(name), flipped(load(name))
    assert other.outcomes != case.outcomes
    assert case_hash(other).world == case_hash(case).world
    for date in (case.start, case.as_of, case.end):
        assert as_of(other, date) == as_of(case, date)
        assert "HINDSIGHT" not in as_of(other, date).model_dump_json()
    assert all(outcome.known_from > case.as_of for outcome in case.outcomes)
    assert {o.question for o in case.outcomes} == {q.id for q in case.questions}


@of_all
def test_questions_of_every_kind_and_those_that_all_cases_have(name: str):
    case = load(name)
    kinds = Counter(q.kind for q in case.questions)
    assert len(case.questions) >= 12
    assert set(kinds) == {"binary", "number", "date"}
    assert {q.id for q in case.questions} >= (COMMON if name in CHOSEN else set(GENERIC))
    assert all(q.asked_on is not None for q in case.questions)


@pytest.mark.parametrize("name", DRAWN)
def test_drawn_cases_ask_the_same_by_the_same_rule(name: str):
    case = load(name)
    for question in case.questions:
        if question.id in GENERIC:
            ask = question.ask
            last = None if ask.by_date is None else case.day(ask.by_date)
            found = (ask.quantity, ask.statistic, last, ask.at_least)
            assert question.kind == "binary"
            assert found == GENERIC[question.id], question.id
            assert ask.from_date is None
            assert ask.member is None


@of_all
def test_hypotheses_weigh_the_same_and_each_moves_something(name: str):
    case = load(name)
    assert len(case.hypotheses) >= (5 if name in CHOSEN else 2)
    assert {h.weight for h in case.hypotheses} == {1.0}
    for hypothesis in case.hypotheses:
        assert hypothesis.put_forward_by
        assert hypothesis.priors or hypothesis.mechanisms
        assert {p.origin for p in hypothesis.priors.values()} <= {"elicited"}
    moves = [json.dumps(h.model_dump(mode="json")["priors"]) for h in case.hypotheses]
    assert len(set(moves)) == len(moves), "two hypotheses that move the same can't be told apart"


@of_all
def test_the_sizes_of_hypotheses_are_those_of_earlier_cases_or_named_as_new(name: str):
    """The later of the chosen cases keep to the first; the drawn ones to the chosen."""
    earlier = CHOSEN if name in DRAWN else ("kazakhstan-2022",)
    first = [h.priors for other in earlier for h in load(other).hypotheses]
    for hypothesis in load(name).hypotheses:
        for parameter, prior in hypothesis.priors.items():
            if (name, hypothesis.id, parameter) not in OWN_SIZES:
                assert prior in [p[parameter] for p in first if parameter in p], parameter


@of_all
def test_its_own_row_of_the_casebook(name: str):
    case = load(name)
    row = BOOK[present(case.casebook_id)]
    assert [c.id for c in BOOK if c.excluded(BOOK.own_row(case))] == [case.casebook_id]
    before = row.start() - case.start
    assert dt.timedelta(0) <= before <= dt.timedelta(days=7 if name in DRAWN else 0)
    assert case.trigger_type == row.trigger
    assert organisation_group(present(case.organisation)) == row.organisation


def test_only_its_own_row_is_left_out():
    """Kyrgyzstan called twice in 2010; the first call is history for the second."""
    case = load("kyrgyzstan-2010")
    later = as_of(case, case.end)
    assert "KGZ2010A" in [a.id for a in nearest_to_case(later, BOOK, n=80)]
    assert BOOK.own_row(case) == "KGZ2010B"
    assert BOOK.own_row(load("kazakhstan-2022")) == ("KAZ", 2022)
    unnamed = case.model_copy(update={"casebook_id": None})
    assert BOOK.own_row(unnamed) == ("KGZ", 2010)
    assert BOOK.own_row(unnamed.model_copy(update={"requester_iso3": None})) is None
    with pytest.raises(InputError, match="did you mean 'KGZ2010"):
        BOOK.own_row(case.model_copy(update={"casebook_id": "KGZ2010C"}))


@of_all
def test_its_own_row_informs_neither_priors_nor_base_rates(name: str):
    late = as_of(load(name), load(name).end)
    views = [outside_view(late, question, BOOK) for question in late.questions]
    told = [view.cases for view in views if view is not None]
    assert len(told) >= (3 if name in CHOSEN else 1)
    assert late.casebook_id not in {id_ for cases in told for id_ in cases}
    assert late.casebook_id not in [a.id for a in nearest_to_case(late, BOOK, n=80)]


@of_all
def test_priors_from_history_end_before_the_year_of_the_case(name: str):
    case = load(name)
    priors = casebook_priors(case, registry(case))
    assert len(priors) == 9
    for prior in priors.values():
        assert prior.source is not None
        years = [int(year) for year in re.findall(r"before-(\d{4})", prior.source)]
        assert years
        assert max(years) <= case.start.year


@of_all
def test_without_the_exclusion_its_own_row_would_have_counted(name: str):
    case = load(name)
    after = case.end + dt.timedelta(days=200)
    like: dict[str, Any] = {"trigger": case.trigger_type, "formal_request": None, "before": after}
    kept = base_rate(BOOK, **like, exclude=BOOK.own_row(case))
    all_ = base_rate(BOOK, **like)
    assert case.casebook_id in all_.cases
    assert case.casebook_id not in kept.cases


@of_all
def test_outcomes_agree_with_the_casebook_and_with_the_facts(name: str):
    case = load(name)
    row = BOOK[present(case.casebook_id)]
    outcome = {o.question: o.value for o in case.outcomes}
    landings = [f for f in case.facts if f.quantity == "first_arrival"]
    day = landings[0].about if landings else None
    if name in CHOSEN:
        came = row.outcome == "granted_troops"
        assert outcome["landed"] is came
        assert bool(landings) is came
    if "troops-max" in outcome:
        assert outcome["troops-max"] == row.value("troops_peak_30d")
    if "landing-day" in outcome:
        assert outcome["landing-day"] == day
    if "in-power-90" in outcome:
        assert outcome["in-power-90"] is not row.value("requester_in_power_90d")
    for event in ("request", "decision", "refusal"):
        question = {"request": "asked", "decision": "decided", "refusal": "refused"}[event]
        happened = any(f.quantity == event and present(f.value).kind == "yes" for f in case.facts)
        if question in outcome:
            assert outcome[question] is happened


@of_all
def test_every_source_is_named_and_used(name: str):
    case = load(name)
    used: set[str | None] = {f.source for f in case.facts}
    used |= {o.source for o in case.outcomes}
    used |= {p.source for p in case.places.values()} | {m.source for m in case.alliance.members}
    used |= {e.source for e in case.calendar} | {a.source for a in case.alliance.treaty}
    used |= {p.source for p in case.alliance.patrons} | {case.ties.border_source}
    used |= {t.source for t in case.triggers}
    words = [f.text for f in case.facts] + [o.note or "" for o in case.outcomes]
    words += [h.put_forward_by for h in case.hypotheses]
    in_words = {s for s in case.sources if any(s in text for text in words)}
    first = {"cow"} if name == "kazakhstan-2022" else set()  # only in a comment of the file
    assert set(case.sources) - used - in_words == first
    assert all(f.quantity is None or f.quantity in QUANTITIES for f in case.facts)


@of_all
def test_what_rests_on_general_knowledge_is_not_called_a_document(name: str):
    case = load(name)
    assert case.sources["general"].address is None
    assert not [f.id for f in case.facts if f.source == "general" and f.rating[0] == "A"]


@of_all
def test_round_trips(name: str):
    case = load(name)
    text = case.model_dump_json()
    again = Case.model_validate_json(text)
    assert again == case
    assert again.model_dump_json() == text
    assert load_text(json.dumps(json.loads(text))) == case  # JSON is YAML
    assert pickle.loads(pickle.dumps(case)) == case


@of_all
def test_the_page_of_the_cases_counts_right(name: str):
    case = load(name)
    page = Path(__file__).parents[2] / "docs" / "explanation" / "cases.md"
    general = sum(f.source == "general" for f in case.facts)
    row = f"| `{name}` | {len(case.facts)} | {general} | {len(case.questions)} |"
    assert row in page.read_text(encoding="utf-8")
