"""A user's own cases: checked like ours; a bad one does not spoil the rest."""

from __future__ import annotations

import builtins

import pytest

from foedus.casebook import load_casebook
from foedus.errors import InputError

GOOD = """\
id: XXX1999
title: "A case of one's own"
year: 1999
requester: {name: "Tonga", iso3: TON, cow: 955}
helper: "Australia"
confidence: M
fields:
  date_trigger: {value: "1999-05-01", confidence: M, sources: [X01]}
  date_request: {value: "1999-05-03", confidence: M, sources: [X01]}
  trigger_type: {value: insurgency, confidence: M, sources: [judgement]}
  formal_request: {value: y, confidence: M, sources: [judgement]}
  outcome_class: {value: refused, confidence: M, sources: [judgement]}
  troops_peak_30d: {value: 0, confidence: M, sources: [X01]}
  at_least_1000_dead_60d: {value: n, confidence: M, sources: [X01]}
sources: [X01]
"""
SOURCES = """\
X01: {what: "A newspaper", date: "1999-05-04", address: "https://example.org/x"}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "sources.yaml").write_text(SOURCES)
    return tmp_path


def test_own_case_is_added(folder):
    book = load_casebook(folder)
    assert book.problems == ()
    assert len(book) == len(load_casebook()) + 1
    assert book["XXX1999"].usable


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "expected"),
    [
        ('helper: "Australia"', 'helper: "Galactic Federation"', 5, "helper", "a known organ"),
        ('"1999-05-03"', '"1999-04-03"', 9, "date_request", "not before date_trigger"),
        ("value: 0,", "value: 0.7,", 13, "fields.troops_peak_30d.value", "a whole number"),
        (
            "at_least_1000_dead_60d: {value: n",
            "at_least_100_dead_60d: {value: n, confidence: M}\n  at_least_1000_dead_60d: {value: y",
            14,
            "at_least_100_dead_60d",
            "at least 1,000 died",
        ),
        ("at_least_1000_dead_60d: {value: n", "mission_kind: {value: gard", 14, "mission", "guard"),
        (
            "at_least_1000_dead_60d: {value: n",
            "date_first_arrival: {value: 1999-06-02, confidence: M}\n"
            "  still_there_on: {value: 1999-06-01",
            15,
            "still_there_on",
            "not before date_first_arrival",
        ),
        ("iso3: TON", "iso3: TOG", 4, "requester.iso3", "ISO 3166"),
        ("insurgency", "picnic", 10, "fields.trigger_type.value", "domestic_protest"),
        ("formal_request: {value: y", "formal_request: {value: maybe", 11, "fields", "y or n"),
        ("year: 1999\n", "", None, "year", "required"),
        ("confidence: M\nfields", "confidence: X\nfields", 6, "confidence", "one of H, M, L"),
        ("sources: [X01]}\n  date_req", "sources: [X99]}\n  date_req", 8, "sources", "a source id"),
        (
            "  troops_peak",
            "  troop_peak",
            13,
            "fields.troop_peak_30d",
            "did you mean 'troops_peak_30d'",
        ),
        ("id: XXX1999", "id: KAZ2022", 1, "id", "not in the casebook yet"),
        ("fields:", "fields: [", 9, "", "reads as YAML"),
    ],
)
def test_bad_case_is_named_and_left_out(folder, old, new, line, field, expected):
    assert old in GOOD
    (folder / "bad.yaml").write_text(
        GOOD.replace("XXX1999", "XXX1998").replace(old, new, 1)
        if "XXX" not in old
        else GOOD.replace(old, new, 1)
    )
    book = load_casebook(folder)
    assert book.problems
    problem = book.problems[0]
    assert problem.file == "bad.yaml"
    if line is not None:
        assert problem.line == line
        assert problem.column is not None
    assert field in problem.field
    assert expected in problem.expected
    assert "XXX1999" in {c.id for c in book}
    with pytest.raises(InputError, match=r"bad\.yaml"):
        load_casebook(folder, strict=True)


def test_empty_file(folder):
    (folder / "empty.yaml").write_text("")
    (problem,) = load_casebook(folder).problems
    assert problem.found == "an empty file"


def test_missing_folder(tmp_path):
    with pytest.raises(InputError, match="exists"):
        load_casebook(tmp_path / "nowhere")


def test_unknown_names():
    book = load_casebook()
    with pytest.raises(InputError, match="no case 'KAZ2023'"):
        book["KAZ2023"]
    with pytest.raises(InputError, match="organisation: one of csto"):
        book.filter(organisation="Galactic Federation")
    with pytest.raises(InputError, match="trigger: one of"):
        book.filter(trigger="picnic")
    with pytest.raises(InputError, match="years"):
        book.filter(years=(2000, 1990))
    with pytest.raises(InputError, match=r"\.csv or \.parquet"):
        book.export("cases.xlsx")


def test_parquet_without_pyarrow(monkeypatch, tmp_path):
    real = builtins.__import__

    def no_pyarrow(name, *rest, **kw):
        if name == "pyarrow":
            raise ImportError(name)
        return real(name, *rest, **kw)

    monkeypatch.setattr(builtins, "__import__", no_pyarrow)
    with pytest.raises(InputError, match="pyarrow"):
        load_casebook().export(tmp_path / "x.parquet")
