"""The ODD+D page agrees with the code."""

from types import ModuleType

import pytest

from foedus.case.vocabulary import MECHANISMS

from .scripts import script


@pytest.fixture(scope="module")
def odd() -> ModuleType:
    return script("tools/odd.py")


def test_the_committed_page_is_up_to_date(odd: ModuleType) -> None:
    text = odd.PAGE.read_text(encoding="utf-8")
    assert odd.page(text) == text, "run: python tools/odd.py"


def test_every_generated_part_is_on_the_page_once(odd: ModuleType) -> None:
    text = odd.PAGE.read_text(encoding="utf-8")
    for name in odd.PARTS:
        assert text.count(f"<!-- generated: {name} -->") == 1


def test_every_mechanism_and_parameter_is_described(odd: ModuleType) -> None:
    text = odd.submodels()
    for number, name in enumerate(MECHANISMS, start=1):
        assert f"### {number}. {name.capitalize()}" in text
        for parameter in odd.mechanism(name).parameters:
            assert f"`{parameter.name}`" in text
