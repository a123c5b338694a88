"""The page "the house in ten minutes" names files that exist, and every folder of the program."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAMED = re.findall(
    r"`((?:src|tests)/[^`]+)`", (ROOT / "docs" / "explanation" / "house.md").read_text("utf-8")
)


def test_each_file_that_is_named_exists() -> None:
    assert [name for name in NAMED if not (ROOT / name).exists()] == []


def test_each_folder_is_named() -> None:
    folders = {file.parent for file in (ROOT / "src" / "foedus").glob("*/__init__.py")}
    assert {str(folder.relative_to(ROOT)) for folder in folders} <= set(NAMED)
