"""The worked case: what only it must satisfy; for what all must satisfy see test_shipped."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from foedus.case import as_of, check, load_case
from foedus.case.load import shipped_text


@pytest.fixture(scope="module")
def case():
    return load_case("kazakhstan-2022")


def test_it_remembers_the_file_as_the_user_named_it(case, tmp_path):
    path = tmp_path / "copy.yaml"
    path.write_text(shipped_text("kazakhstan-2022"), encoding="utf-8")
    assert load_case(str(path)).file == str(path)
    assert case.file == "kazakhstan-2022.yaml"


def test_frame(case):
    assert (case.start, case.horizon, case.ticks_per_day) == (dt.date(2022, 1, 2), 35, 4)
    assert case.as_of == dt.date(2022, 1, 7)
    assert case.casebook_id == "KAZ2022"
    assert len(case.places) == 8
    assert case.places["almaty"].lattice == 40
    assert case.day(dt.datetime(2022, 1, 5, 19, tzinfo=dt.UTC)) == 4
    assert case.date(case.day(case.end)) == case.end


def test_the_six_members_and_what_was_public_of_them(case):
    members = {m.actor: m for m in case.alliance.members}
    assert set(members) == {
        "russia", "belarus", "armenia", "kazakhstan", "kyrgyzstan", "tajikistan"
    }  # fmt: skip
    assert members["belarus"].public_pledge_not_to_send
    assert members["armenia"].changed_ruling_coalition
    assert members["kyrgyzstan"].ratification_days == 1
    assert {a.number for a in case.alliance.treaty} == {"2", "4"}


def test_all_facts_are_known_by_the_as_of_date_and_no_outcome_is(case):
    assert check(case).hidden_facts == ()
    assert all(outcome.known_from > case.as_of for outcome in case.outcomes)
    assert {o.question for o in case.outcomes} == {q.id for q in case.questions}


def test_questions_of_every_kind(case):
    kinds = Counter(q.kind for q in case.questions)
    assert len(case.questions) >= 14
    assert set(kinds) == {"binary", "number", "date"}
    assert {o.value for o in case.outcomes} >= {True, False, 2030, 225, dt.date(2022, 1, 19)}


def test_six_hypotheses_of_equal_weight(case):
    assert [h.id for h in case.hypotheses] == [
        "club", "message", "border", "patron", "blame", "treaty"
    ]  # fmt: skip
    assert {h.weight for h in case.hypotheses} == {1.0}


def test_the_counts_of_the_story_and_of_the_ministry_stand_side_by_side(case):
    values = [str(f.value) for f in case.facts if f.quantity == "deaths_security"]
    assert {"at least 13", "18", "at least 8", "at least 12"} <= set(values)
    announced = {str(f.value) for f in case.facts if f.quantity == "troops_announced"}
    assert {"3600", "about 2500", "3950"} <= announced
    assert {c.quantity for c in check(case).contradictions} == {"troops_announced"}


def test_decisions_that_were_public_on_the_6th_are_not_on_the_5th(case):
    events = {f.quantity for f in as_of(case, "2022-01-05").facts if f.quantity}
    assert {"shutdown", "guard_change", "concession"} <= events
    assert not events & {"request", "decision", "first_arrival", "fire_order", "contribution"}
