"""Facts of different quantities that exclude each other, and steps that no fact reports."""

from __future__ import annotations

from typing import Any

import pytest

from foedus.case import load_case
from foedus.case.contradictions import contradictions, steps_without_fact
from foedus.case.models import Case, Fact


def told(*facts: tuple[Any, ...]) -> Case:
    """Return a case with these facts only: quantity, about, value, and place or member."""
    case = load_case("kazakhstan-2022")
    rows = []
    for n, (quantity, about, value, *where) in enumerate(facts):
        row = {
            "id": f"f{n}", "quantity": quantity, "about": about, "value": value, "source": "story",
            "known_from": "2022-02-01", "rating": "B2", "text": "So.",
        }  # fmt: skip
        key = "place" if where and where[0] in case.places else "member"
        rows.append(Fact.model_validate({**row, **({key: where[0]} if where else {})}))
    return case.model_copy(update={"facts": tuple(rows)})


def found(*facts):
    return [(c.kind, c.quantity, c.facts) for c in contradictions(told(*facts))]


TEN = ("troops_present", "2022-01-07", "at least 10")
NONE_YET = ("first_arrival", "2022-01-07", False)


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (TEN, NONE_YET, "implied"),
        ((*TEN, "russia"), NONE_YET, "implied"),
        ((*TEN, "russia"), (*NONE_YET, "russia"), "implied"),
        ((*TEN, "russia"), (*NONE_YET, "belarus"), None),
        (TEN, (*NONE_YET, "belarus"), None),
        (TEN, ("first_arrival", "2022-01-06", False), None),  # they came on the 7th
        (TEN, ("first_arrival", "2022-01-07T08:00", False), None),  # and later in the day
        (("troops_present", "2022-01-07T06:00", 10), NONE_YET, "implied"),
        (("troops_present", "2022-01-07", "0..10"), NONE_YET, None),
        (("first_arrival", "2022-01-06", True, "russia"), NONE_YET, "implied"),
        (("first_arrival", "2022-01-06", True), ("troops_present", "2022-01-08", 0), "implied"),
        (("withdrawal_end", "2022-01-10", True), ("troops_present", "2022-01-12", 50), "implied"),
        (("withdrawal_end", "2022-01-10", True), ("troops_present", "2022-01-10", 50), None),
        (("withdrawal_end", "2022-01-10", True), ("withdrawal_start", "2022-01-11", False),
         "implied"),
        (("withdrawal_start", "2022-01-10", True), ("first_arrival", "2022-01-11", False),
         "implied"),
        (("internet", "2022-01-05", "at most 0.5"), ("shutdown", "2022-01-05", False), "implied"),
        (("internet", "2022-01-05", 0.6), ("shutdown", "2022-01-05", False), None),
        (("internet", "2022-01-05", 0.1), ("shutdown", "2022-01-04", False), None),
        (("deaths_security", "2022-01-05", 20), ("deaths_total", "2022-01-06", 15), "part"),
        (("deaths_security", "2022-01-07", 20), ("deaths_total", "2022-01-06", 15), None),
        (("deaths_protesters", "2022-01-05", 20, "almaty"), ("deaths_total", "2022-01-05", 15),
         "part"),
        (("arrests", "2022-01-05", 20, "almaty"), ("arrests", "2022-01-06", 15), "part"),
        (("arrests", "2022-01-05", 20, "almaty"), ("arrests", "2022-01-06", 15, "aktau"), None),
        (("crowd", "2022-01-05", 2000, "almaty"), ("crowd", "2022-01-05", 900), "part"),
        (("crowd", "2022-01-05", 2000, "almaty"), ("crowd", "2022-01-06", 900), None),
        (("jailed", "2022-01-05", 2000), ("arrests", "2022-01-06", 900), "part"),
    ],
)  # fmt: skip
def test_pairs_of_quantities(first, second, kind):
    for facts, ids in (((first, second), ("f0", "f1")), ((second, first), ("f1", "f0"))):
        assert found(*facts) == ([(kind, second[0], ids)] if kind else [])


def test_a_force_that_left_explains_why_none_is_there():
    came, gone = ("first_arrival", "2022-01-06", True), ("withdrawal_end", "2022-01-19", True)
    assert found(came, gone, ("troops_present", "2022-01-20", 0)) == []
    assert found(came, gone, ("troops_present", "2022-01-12", 0)) != []


def test_the_words_name_both_facts_and_their_quantities():
    (one,) = contradictions(told((*TEN, "russia"), NONE_YET))
    assert str(one) == (
        "first_arrival, 2022-01-07: f0 (troops_present of russia at least 10) and "
        "f1 (first_arrival no) disagree"
    )


ASKED = ("request", "2022-01-05", True)
DECIDED = ("decision", "2022-01-06", True)


@pytest.mark.parametrize(
    ("facts", "steps"),
    [
        ((ASKED, DECIDED, TEN), []),
        ((DECIDED,), ["request"]),
        ((DECIDED, ("request", "2022-01-05", False)), ["request"]),
        ((("request", "2022-01-07", True), DECIDED), ["request"]),
        ((("request", "2022-01-05..2022-01-07", True), DECIDED), []),
        ((ASKED, TEN), ["decision"]),
        ((("first_arrival", "2022-01-06", True),), ["request", "decision"]),
        ((("contribution", "2022-01-06", True, "belarus"),), ["request"]),
        ((("decision", "2022-01-06", False), ("troops_present", "2022-01-06", 0)), []),
    ],
)
def test_a_step_that_no_fact_reports_is_named(facts, steps):
    notes = steps_without_fact(told(*facts))
    assert [note.split()[4] for note in notes] == steps
    for note in notes:
        assert " f" in note


def test_without_the_alliance_no_step_is_missing():
    case = told(DECIDED)
    assert steps_without_fact(case.model_copy(update={"mechanisms": {"alliance": False}})) == []
