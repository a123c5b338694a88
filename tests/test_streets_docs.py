"""What the docs say about the streets agrees with the code."""

from __future__ import annotations

import re
from dataclasses import fields
from types import ModuleType
from typing import Any

import pytest

import foedus.streets
import foedus_streets
from foedus.streets import READINGS, StreetOptions

from .scripts import ROOT, script

HOW_TO = ROOT / "docs" / "how-to" / "streets.md"


@pytest.fixture(scope="module")
def readings() -> ModuleType:
    return script("tools/readings.py")


def test_the_table_of_readings_is_up_to_date(readings: ModuleType) -> None:
    text = HOW_TO.read_text(encoding="utf-8")
    assert readings.table() in text
    assert readings.page(text) == text, "run: python tools/readings.py"
    rows = readings.table().splitlines()
    for name, sets in READINGS.items():
        row = next(row for row in rows if row.startswith(f"| `{name}` |"))
        for option, value in sets.items():
            assert f"`{option}` {value}" in row or getattr(StreetOptions(), option) == value
    assert all(
        any(row.startswith(f"| `{f.name}` |") for row in rows) for f in fields(StreetOptions)
    )


def test_every_public_name_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    for module in (foedus.streets, foedus_streets):
        name = re.escape(module.__name__)
        named = re.findall(rf"(?m)^\.\. (?:autofunction|autoclass|data):: {name}\.(\w+)$", text)
        assert sorted(named) == sorted(module.__all__)


def test_the_examples_run() -> None:
    """The blocks of the how-to page, run in order, as a reader would."""
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 6
    for block in blocks:
        exec(block, names)
    assert names["result"].sizes["group"] == 2
    assert names["rate"] > 0
    assert names["fork"].frame(0).shape == (40, 40)
