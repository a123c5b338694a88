"""The reference page agrees with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from foedus.case import load_text
from foedus.case.models import Case
from foedus.case.vocabulary import MECHANISMS, QUANTITIES, ROLES, ROUGH_COUNTS, RULES
from foedus.errors import InputError

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "case-file.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def block(page: str, language: str) -> str:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    return found[0]


def test_the_example_is_a_case(page):
    assert load_text(block(page, "yaml")).id == "small-crisis"


def test_the_errors_are_those_that_come(page):
    text = block(page, "yaml")
    for old, new in (
        ("summary:", "sumary:"),
        ("population: 2", "population: -2"),
        ("quantity: crowd", "quantity: crowds"),
        ("rating: B2", "rating: G2"),
    ):
        text = text.replace(old, new)
    with pytest.raises(InputError) as caught:
        load_text(text, "my-crisis.yaml")
    assert [str(p) for p in caught.value.problems] == block(page, "text").splitlines()


def test_every_word_is_named(page):
    for word in (*QUANTITIES, *RULES, *ROUGH_COUNTS, *Case.model_fields):
        assert f"`{word}`" in page, word
    for word in (*MECHANISMS, *ROLES):
        assert word in page, word
