from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from foedus.case import Value
from foedus.case.vocabulary import ROUGH_COUNTS

INF = math.inf

FORMS = [
    (13, "exact", 13, 13, 13, "13"),
    (0.05, "exact", 0.05, 0.05, 0.05, "0.05"),
    (-0.0, "exact", 0, 0, 0, "0"),
    ("3,600", "exact", 3600, 3600, 3600, "3600"),
    (True, "yes", 1, 1, 1, "yes"),
    (False, "no", 0, 0, 0, "no"),
    ("Yes", "yes", 1, 1, 1, "yes"),
    ("at least 13", "at_least", 13, INF, None, "at least 13"),
    ("more than 13", "at_least", 14, INF, None, "more than 13"),
    ("more than 0.05", "at_least", 0.05, INF, None, "more than 0.05"),
    ("at  most 50", "at_most", -INF, 50, None, "at most 50"),
    ("less than 50", "at_most", -INF, 49, None, "less than 50"),
    ("about 500", "about", 400, 625, 500, "about 500"),
    ("10..20", "range", 10, 20, None, "10..20"),
    ("10 to 20", "range", 10, 20, None, "10..20"),
    ("0.1 .. 0.25", "range", 0.1, 0.25, None, "0.1..0.25"),
    ("Dozens", "rough", 24, 99, None, "dozens"),
    ("tens of thousands", "rough", 20000, 99999, None, "tens of thousands"),
]


@pytest.mark.parametrize(("raw", "kind", "low", "high", "point", "text"), FORMS)
def test_legal_forms(raw, kind, low, high, point, text):
    value = Value.parse(raw)
    assert (value.kind, value.low, value.high, value.point) == (kind, low, high, point)
    assert str(value) == text
    assert Value.parse(value) is value


@pytest.mark.parametrize(
    "raw",
    ["", "heaps", "at least", "at least dozens", "13 or so", "1,2", "20..10", "nan", "1e999",
     None, [], {}, math.nan, math.inf, 10**400, "--3", "１３"],
)  # fmt: skip
def test_other_forms_are_refused_and_the_legal_ones_listed(raw):
    with pytest.raises(ValueError, match=r"a value is|a range goes"):
        Value.parse(raw)


def test_text_with_other_digits_than_ascii_is_refused():
    with pytest.raises(ValueError, match="at least 13"):
        Value.parse("at least ١٣")


numbers = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.one_of(numbers, st.integers(-(10**9), 10**9), st.booleans(), st.sampled_from(
    [*ROUGH_COUNTS, "at least 3", "more than 2.5", "less than 7", "about -4", "1 to 2"]
)))  # fmt: skip
def test_a_value_survives_its_own_text(raw):
    value = Value.parse(raw)
    assert Value.parse(str(value)) == value
    assert Value.parse(value.plain) == value
    assert value.low <= value.high
    if value.point is not None:
        assert value.low <= value.point <= value.high


def test_overlap():
    assert Value.parse("at least 13").overlaps(Value.parse(18))
    assert not Value.parse(13).overlaps(Value.parse(18))
    assert Value.parse("dozens").overlaps(Value.parse("10..30"))


def test_in_a_model_and_in_json():
    adapter = TypeAdapter(Value)
    for raw in (13, 0.5, True, False, "at least 13", "dozens"):
        value = adapter.validate_python(raw)
        assert adapter.validate_json(adapter.dump_json(value)) == value
    assert adapter.dump_json(Value.parse(13)) == b"13"
    with pytest.raises(ValidationError, match="at least 13"):
        adapter.validate_python("heaps")
