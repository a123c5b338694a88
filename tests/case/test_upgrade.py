"""A file of an older format is brought to the present one, and nothing else in it changes."""

from __future__ import annotations

import json
import os

import pytest

from foedus.case import load, load_text, upgrade
from foedus.case.load import shipped, shipped_text
from foedus.case.upgrade import FORMAT, MIGRATIONS, upgrade_text
from foedus.case.yamledit import Edit
from foedus.case.yamlfile import parse
from foedus.cli import main
from foedus.errors import InputError

OLD = """\
# A case of long ago.
foedus: 1      # the format
title: "Old"   # as printed

places:
  # The capital comes first.
  - {name: A, size: 100}
  - name: B      # by the sea
    size: 50
"""
NEW = """\
# A case of long ago.
foedus: 3      # the format
heading: "Old"   # as printed

places:
  # The capital comes first.
  - {name: A, size: 100000}
  - name: B      # by the sea
    size: 50000
"""


def heading(data):
    return [Edit("rename", ("title",), "heading")]


def people(data):
    """Sizes were thousands and are people; reads what the first migration left."""
    assert "heading" in data
    return [
        Edit("set", ("places", n, "size"), 1000 * place["size"])
        for n, place in enumerate(data["places"])
    ]


TWO = {1: heading, 2: people}


def test_migrations_follow_each_other_and_leave_the_rest_of_the_text():
    made = upgrade_text(OLD, "old.yaml", migrations=TWO, newest=3)
    assert (made.old, made.new, made.before, made.after) == (1, 3, OLD, NEW)
    lines = [line for line in made.diff.splitlines() if line[:1] in "+-"]
    assert lines[:2] == ["--- old.yaml", "+++ old.yaml, upgraded"]
    assert len(lines) == 10
    middle = OLD.replace("foedus: 1", "foedus: 2").replace("title", "heading")
    assert upgrade_text(middle, migrations=TWO, newest=3).after == NEW


def test_a_file_of_the_newest_format_is_left_alone():
    made = upgrade_text(NEW, migrations=TWO, newest=3)
    assert made.after is made.before
    assert made.diff == ""


@pytest.mark.parametrize("name", shipped())
def test_shipped_cases_are_up_to_date(name):
    assert upgrade_text(shipped_text(name)).diff == ""


def test_every_format_that_was_left_has_a_migration():
    assert sorted(MIGRATIONS) == list(range(1, FORMAT))
    assert parse(shipped_text("kazakhstan-2022"), "")[0]["foedus"] == FORMAT


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("title: x\n", 1, "begins with 'foedus: 1'"),
        ("- 1\n", 1, "begins with 'foedus: 1'"),
        ("title: x\nfoedus: 9\n", 2, "from 1 to 1; a newer foedus reads this file"),
        ("title: x\nfoedus: 0\n", 2, "from 1 to 1"),
        ("foedus: one\n", 1, "from 1 to 1"),
        ("foedus: true\n", 1, "from 1 to 1"),
        ("foedus: 1\nfoedus: 1\n", 2, "each key once"),
    ],
)
def test_a_file_without_a_known_format_is_refused(text, line, expected):
    with pytest.raises(InputError) as error:
        upgrade_text(text, "old.yaml")
    (problem,) = error.value.problems
    assert (problem.file, problem.line) == ("old.yaml", line)
    assert expected in problem.expected


def test_loading_an_older_file_says_how_to_upgrade_it(minimal, monkeypatch):
    monkeypatch.setattr(upgrade, "MIGRATIONS", TWO)
    monkeypatch.setattr(upgrade, "FORMAT", 3)
    with pytest.raises(InputError, match="foedus: 3; `foedus check --upgrade` brings a file to it"):
        load_text(minimal)
    assert load.load_text is load_text


def test_the_command_shows_and_writes(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        upgrade, "upgrade_text", lambda t, n: upgrade_text(t, n, migrations=TWO, newest=3)
    )
    file = tmp_path / "old.yaml"
    file.write_text(OLD)
    os.chmod(file, 0o640)
    assert main(["check", "--upgrade", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "+heading:" in shown
    assert "--write" in shown
    assert file.read_text() == OLD
    assert main(["check", "--upgrade", str(file), "--write", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["from"], found["to"], found["written"]) == (1, 3, True)
    assert found["diff"].count("\n+") == 5
    assert file.read_text() == NEW
    assert file.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["old.yaml"]
    assert main(["check", "--upgrade", str(file), "--write"]) == 0
    assert capsys.readouterr().out == f"{file}: up to date, format 3\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "kazakhstan-2022", "--write"], "--write: only with --upgrade"),
        (["check", "--upgrade", "my.yaml", "--as-of", "2022-01-05"], "--as-of: not with --upgrade"),
        (["check", "--upgrade", "kazakhstan-2022"], "a file of your own"),
        (["check", "--upgrade", "missing.yaml"], "no such file"),
    ],
)
def test_what_cannot_be_upgraded_is_said(words, message, capsys):
    assert main(words) == 2
    assert message in capsys.readouterr().err
