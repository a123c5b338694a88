from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foedus.case import as_of, case_hash, check, hidden, load_case, load_text
from foedus.case.asof import seen_by_world, with_frame
from foedus.case.times import latest
from foedus.errors import InputError


@pytest.fixture(scope="module")
def flagship():
    return load_case("kazakhstan-2022")


def ids(case) -> set[str]:
    return {fact.id for fact in case.facts}


def test_a_bare_date_is_the_end_of_the_local_day(minimal):
    case = load_text(minimal)
    assert ids(as_of(case, dt.date(2022, 1, 3))) == set()
    assert ids(as_of(case, dt.date(2022, 1, 4))) == {"crowd-3"}
    assert ids(as_of(case, "2022-01-05")) == {"crowd-3"}
    assert ids(as_of(case, "2022-01-06")) == {"crowd-3", "request"}


def test_clock_times_are_local_unless_they_say_otherwise(minimal):
    case = load_text(minimal)  # known from 08:00 at UTC+6
    assert ids(as_of(case, "2022-01-04T07:59")) == set()
    assert ids(as_of(case, dt.datetime(2022, 1, 4, 8))) == {"crowd-3"}
    assert ids(as_of(case, "2022-01-04T01:59Z")) == set()
    assert ids(as_of(case, "2022-01-04T02:00Z")) == {"crowd-3"}
    assert as_of(case, "2022-01-03T20:00Z").as_of == dt.date(2022, 1, 4)


def test_known_from_a_bare_date_means_by_its_end(minimal):
    case = load_text(minimal)
    assert "request" not in ids(as_of(case, "2022-01-06T12:00"))
    assert "request" in ids(as_of(case, "2022-01-06"))


def test_a_case_s_own_date_may_have_a_time_of_day(minimal):
    text = minimal.replace("as_of: 2022-01-07", "as_of: 2022-01-04T07:59")
    early = load_text(text)
    assert ids(as_of(early, early.as_of)) == set()
    assert check(early).as_of == "2022-01-04T07:59"
    late = load_text(text.replace("T07:59", "T02:00Z"))
    assert ids(as_of(late, late.as_of)) == {"crowd-3"}
    assert as_of(late, late.as_of).as_of == dt.date(2022, 1, 4)
    assert load_text(minimal).as_of == dt.date(2022, 1, 7)
    # Published by the end of the 10th, so not known by noon of it.
    for when, problems in (("2022-01-10T12:00", 0), ("2022-01-10", 1)):
        text = minimal.replace("as_of: 2022-01-07", f"as_of: {when}")
        if problems:
            with pytest.raises(InputError, match="what was known by then is a fact"):
                load_text(text)
        else:
            load_text(text)


def test_calendar_and_outcomes(minimal):
    case = load_text(minimal)
    early = as_of(case, "2022-01-04")
    assert [e.text for e in early.calendar] == ["Talks."]
    assert early.outcomes == ()
    assert as_of(case, case.end).outcomes == ()
    veiled = hidden(case, "2022-01-04")
    assert [e.text for e in veiled.calendar] == ["The emergency ends."]
    assert [f.id for f in veiled.facts] == ["request"]
    assert veiled.outcomes == 3


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2022-01-01", "a date of case small, 2022-01-02 to 2022-01-21"),
        ("2022-01-22", "a date of case small, 2022-01-02 to 2022-01-21"),
        ("yesterday", "a date such as 2022-01-07"),
        ("2022-01-01T17:59Z", "a date of case small"),
        ("9999-12-31T23:59-12:00", "a date"),
    ],
)
def test_a_date_outside_the_case_is_refused(minimal, date, expected):
    case = load_text(minimal)
    for function in (as_of, hidden):
        with pytest.raises(InputError, match=expected):
            function(case, date)


def test_the_filtered_case_still_points_at_its_lines(flagship):
    early = as_of(flagship, "2022-01-05")
    for index, fact in enumerate(early.facts):
        old = flagship.facts.index(fact)
        assert early.problem(("facts", index, "value"), "", "").line == (
            flagship.problem(("facts", old, "value"), "", "").line
        )


def test_the_request_is_not_known_before_the_6th(flagship):
    assert "request" not in ids(as_of(flagship, "2022-01-05"))
    assert "request" in ids(as_of(flagship, "2022-01-06"))


def test_the_world_s_hash_does_not_depend_on_the_facts(minimal):
    case = load_text(minimal)
    assert case_hash(as_of(case, "2022-01-05")).world == case_hash(case).world


moments = st.datetimes(dt.datetime(2022, 1, 2), dt.datetime(2022, 2, 5, 23, 59))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=moments, second=moments)
def test_knowledge_only_grows(flagship, first, second):
    first, second = sorted((first, second))
    early, late = as_of(flagship, first), as_of(flagship, second)
    assert ids(early) <= ids(late)
    assert set(early.calendar) <= set(late.calendar)
    assert as_of(early, first) == early
    assert as_of(as_of(flagship, second), first) == early


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moment=st.one_of(moments, moments.map(dt.datetime.date)))
def test_known_and_hidden_share_out_all_facts(flagship, moment):
    known, veiled = as_of(flagship, moment), hidden(flagship, moment)
    assert ids(known) | {f.id for f in veiled.facts} == ids(flagship)
    assert len(known.facts) + len(veiled.facts) == len(flagship.facts)
    assert len(known.calendar) + len(veiled.calendar) == len(flagship.calendar)
    limit = latest(moment, 6)
    assert all(latest(f.known_from, 6) <= limit for f in known.facts)
    assert all(latest(f.known_from, 6) > limit for f in veiled.facts)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moment=moments, text=st.text(min_size=1, max_size=20))
def test_a_fact_known_later_changes_nothing(flagship, moment, text):
    """Whatever a hidden fact says, the filtered case is the same, byte for byte."""
    veiled = {f.id for f in hidden(flagship, moment).facts}
    facts = tuple(
        f.model_copy(update={"text": text, "rating": "A1"}) if f.id in veiled else f
        for f in flagship.facts
    )
    other = flagship.model_copy(update={"facts": facts, "outcomes": ()})
    assert as_of(other, moment).model_dump_json() == as_of(flagship, moment).model_dump_json()


# ---- members, alliance and ties
LATER = """\
    - actor: tiny
      lat: 42
      lon: 74
      pool: 100
      position: 0.5
      updates:
        - {known_from: 2022-01-06, pool: 300, source: agency}
        - {known_from: 2022-01-04T10:00, pool: 200, position: 0.9}
"""
FRAME = """\
  announced_pool: 1000
  updates:
    - {known_from: 2022-01-05, announced_pool: 2000, lead_in_other_war: true}
  patrons:
    - {actor: tiny, known_from: 2022-01-06}
    - {actor: big, through_alliance: true}
  treaty:
    - {number: "4", says: Help., known_from: 2022-01-05}
ties:
  border_km: 100
  updates:
    - {known_from: 2022-01-05, border_km: 7600}
triggers:
"""


@pytest.fixture
def later(minimal):
    text = minimal.replace("    - {actor: tiny, lat: 42, lon: 74, pool: 100}\n", LATER)
    return load_text(text.replace("triggers:\n", FRAME, 1))


def frame(case):
    tiny, ally = case.alliance.members[1], case.alliance
    return {
        "pool": tiny.pool,
        "position": tiny.position,
        "announced": ally.announced_pool,
        "war": ally.lead_in_other_war,
        "patrons": [p.actor for p in ally.patrons],
        "articles": len(ally.treaty),
        "border": case.ties.border_km,
    }


@pytest.mark.parametrize(
    ("date", "changes"),
    [
        ("2022-01-03", {}),
        ("2022-01-04T09:59", {}),
        ("2022-01-04T10:00", {"pool": 200, "position": 0.9}),
        ("2022-01-05T23:00", {"pool": 200, "position": 0.9}),
        (
            "2022-01-05",
            {"pool": 200, "position": 0.9, "announced": 2000, "war": True, "articles": 1,
             "border": 7600},
        ),
        (
            "2022-01-06",
            {"pool": 300, "position": 0.9, "announced": 2000, "war": True, "articles": 1,
             "border": 7600, "patrons": ["tiny", "big"]},
        ),
    ],
)  # fmt: skip
def test_later_values_are_seen_from_their_time_on(later, date, changes):
    start = {"pool": 100, "position": 0.5, "announced": 1000, "war": False, "patrons": ["big"],
             "articles": 0, "border": 100}  # fmt: skip
    known = as_of(later, date)
    assert frame(known) == {**start, **changes}
    assert not known.alliance.updates + known.ties.updates + known.alliance.members[1].updates


def test_an_earlier_date_takes_later_values_back(later):
    for first in ("2022-01-03", "2022-01-04T10:00", "2022-01-05"):
        early = as_of(later, first)
        assert as_of(as_of(later, "2022-01-06"), first) == early
        assert as_of(early, first) == early
        assert as_of(early, "2022-01-06").alliance == early.alliance  # what was hidden is gone


def test_a_change_to_a_filtered_case_is_not_undone(later):
    known = as_of(later, "2022-01-06")
    ally = known.alliance.model_copy(update={"announced_pool": 5})
    changed = known.model_copy(update={"alliance": ally})
    assert as_of(changed, "2022-01-06").alliance.announced_pool == 5


def test_what_is_hidden_reaches_neither_the_hash_nor_a_run(later):
    text = later.model_dump_json()
    other = type(later).model_validate_json(text.replace("300", "999").replace("7600", "8"))
    early = [as_of(case, "2022-01-04") for case in (later, other)]
    assert case_hash(early[0]) == case_hash(early[1])
    assert seen_by_world(early[0]) == seen_by_world(early[1])
    late = [case_hash(as_of(case, "2022-01-06")).world for case in (later, other)]
    assert late[0] != late[1]


def test_hidden_lists_later_values(later):
    assert [(x.field, x.says) for x in hidden(later, "2022-01-05").frame] == [
        ("alliance.members.1.updates.0", "tiny: pool 300"),
        ("alliance.patrons.0", "patron tiny"),
    ]
    assert len(hidden(later, "2022-01-03").frame) == 6
    assert hidden(later, later.end).frame == ()


def test_a_kept_article_points_at_its_line(later):
    early, late = as_of(later, "2022-01-05"), as_of(later, "2022-01-06")
    line = later.problem(("alliance", "patrons", 1, "actor"), "", "").line
    assert early.problem(("alliance", "patrons", 0, "actor"), "", "").line == line
    assert late.problem(("alliance", "patrons", 1, "actor"), "", "").line == line


def test_runs_that_replay_nothing_have_the_values_of_the_default_date(later):
    assert frame(with_frame(later, later.as_of)) == frame(as_of(later, later.as_of))
    assert with_frame(later, later.as_of).facts == later.facts


@pytest.mark.parametrize("name", ["kyrgyzstan-2010", "niger-2023", "kazakhstan-2022"])
def test_shipped_cases_date_what_was_published_after_the_start(name):
    case = load_case(name)
    start, default = as_of(case, case.start), as_of(case, case.as_of)
    assert start.alliance != default.alliance
    assert hidden(case, case.as_of).frame == ()


def test_the_shares_of_7_january_are_not_known_on_the_5th(flagship):
    early = {m.actor: m.pool for m in as_of(flagship, "2022-01-05").alliance.members}
    late = {m.actor: m.pool for m in as_of(flagship, "2022-01-07").alliance.members}
    assert late == {"russia": 3000, "belarus": 500, "armenia": 100, "kazakhstan": 0,
                    "kyrgyzstan": 150, "tajikistan": 200}  # fmt: skip
    assert all(early[name] != late[name] for name in late if name != "kazakhstan")


def test_the_senate_s_delay_is_not_known_on_26_july():
    niger = load_case("niger-2023")
    days = [
        as_of(niger, date).alliance.members[0].ratification_days
        for date in ("2023-07-26", "2023-08-04", "2023-08-05", "2023-08-10")
    ]
    assert days == [0, 0, 7, 7]
