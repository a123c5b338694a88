from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foedus.case import as_of, case_hash, hidden, load_case, load_text
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
    assert case_hash(as_of(flagship, "2022-01-05")).world == case_hash(flagship).world


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
