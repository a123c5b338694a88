"""The nearest cases: without the case itself, without later ones, and with the right features."""

from __future__ import annotations

from foedus.case import as_of, load_case
from foedus.casebook import load_casebook
from foedus.casebook.similarity import nearest_to_case

CASE = load_case("kazakhstan-2022")
BOOK = load_casebook()


def test_neither_the_case_nor_later_ones():
    found = nearest_to_case(as_of(CASE, "2022-01-07"), BOOK, n=80)
    years = [BOOK[a.id].year for a in found]
    assert len(found) > 40
    assert "KAZ2022" not in [a.id for a in found]
    assert max(years) <= 2022
    assert all(BOOK[a.id].known() < CASE.as_of for a in found)
    distances = [a.distance for a in found]
    assert distances == sorted(distances)


def test_a_known_request_is_a_feature_and_an_unknown_one_is_not():
    before = nearest_to_case(as_of(CASE, "2022-01-05"), BOOK, n=1)[0]
    after = nearest_to_case(as_of(CASE, "2022-01-07"), BOOK, n=80)
    assert "formal_request" not in (*before.same, *before.different)
    assert any("formal_request" in (*a.same, *a.different) for a in after)


def test_a_case_without_a_trigger_is_like_none():
    assert nearest_to_case(CASE.model_copy(update={"trigger_type": None}), BOOK) == ()
