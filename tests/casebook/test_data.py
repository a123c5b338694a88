"""The shipped cases: schema, sources, order of dates, no duplicates."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter

import pytest

from foedus.case.times import PartialDate, days_between, months_between
from foedus.casebook import load_casebook
from foedus.casebook.coded_case import (
    JUDGEMENT,
    MISSION_KINDS,
    TRIGGERS,
    Fields,
    capability_class,
)
from foedus.casebook.organisations import organisations, read_data, state_names

#: Cases without a source for any fact of the call or the answer.
UNSOURCED = {"KWT1990", "UKR2014", "USA2001A", "USA2001N"}
SET_ASIDE = {"BDI2015", "CSK1968", "RUS2024K", "RUS2024P", "UKR2014", "USA2001A", "USA2001N"}


@pytest.fixture(scope="module")
def book():
    return load_casebook()


def test_every_file_is_a_valid_case(book):
    assert book.problems == ()
    assert len(book) == 80


def test_no_duplicates(book):
    assert max(Counter(c.id for c in book).values()) == 1
    assert max(Counter((c.key, c.helper, c.start()) for c in book).values()) == 1


def test_sources_resolve_and_have_an_address(book):
    named = {s for c in book for _, coded in c.fields.items() for s in coded.sources} - {JUDGEMENT}
    named |= {s for c in book for s in c.sources}
    assert named <= set(book.sources)
    assert set(book.sources) <= named
    assert all(s.address.startswith(("http", "github:")) for s in book.sources.values())


def test_unsourced_and_set_aside(book):
    assert {c.id for c in book if not c.sourced} == UNSOURCED
    assert {c.id for c in book if c.set_aside} == SET_ASIDE
    assert sum(c.usable for c in book) == 72


def test_dates_in_order(book):
    for case in book:
        order = [
            case.date(f)
            for f in ("date_trigger", "date_request", "date_decision")
            if case.date(f) is not None
        ]
        for a, b in itertools.pairwise(order):
            assert a.earliest() <= b.latest(), case.id


def test_codebook_defines_every_variable():
    codebook = read_data("codebook.yaml")
    assert set(codebook["variables"]) == set(Fields.model_fields)
    for name, entry in codebook["variables"].items():
        assert entry["definition"], name
        assert entry["rule"], name
    assert codebook["variables"]["trigger_type"]["choices"] == list(TRIGGERS)
    assert codebook["variables"]["mission_kind"]["choices"] == list(MISSION_KINDS)
    columns = set(load_casebook().frame().columns)
    assert set(codebook["computed"]) <= columns


def test_contested_codings_are_kept(book):
    contested = {(c.id, d.field) for c in book for d in c.contested}
    assert ("GRD1983", "formal_request") in contested
    assert ("HUN1956", "outcome_class") in contested
    assert ("POL1981", "formal_request") in contested
    assert len(contested) == 12


def test_kazakhstan_is_as_the_sources_say(book):
    case = book["KAZ2022"]
    assert case.days_to_arrival == 1
    assert case.months_to_withdrawal == 0.4
    assert case.value("troops_peak_30d") == 2030
    assert case.contiguous is True
    assert case.capability_class == "10-100"
    assert case.organisation == "csto"
    assert case.known() == dt.date(2022, 1, 6)


def test_every_force_has_a_task_and_a_length(book):
    """Omitted lengths would favour short missions: an end, or a day on which it was still there."""
    for case in book:
        if case.usable and case.answer == "troops":
            assert case.value("mission_kind") is not None, case.id
            ends = case.date("date_withdrawal_end"), case.date("still_there_on")
            assert sum(e is not None for e in ends) == 1, case.id


def test_general_knowledge_of_new_fields_is_at_most_medium(book):
    for case in book:
        for name in ("mission_kind", "mandate_announced_days", "still_there_on"):
            coded = getattr(case.fields, name)
            assert coded is None or coded.sources or coded.confidence != "H", case.id


def test_norway_stays_norway():
    assert "NOR" in state_names()
    assert organisations().find("Norway") == "other"


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("CSTO / Union State", "csto"),
        ("Russia (1997 treaty), CSTO not invoked", "csto"),
        ("UK (then Arab League)", "uk"),
        ("UK / NATO", "uk"),
        ("USSR / Warsaw Pact", "warsaw_pact"),
        ("Cuba / USSR", "other"),
        ("Senegal / Guinea", "ecowas"),
        ("OECS / USA", "us"),
        ("UNSC / Kenya", "other_org"),
        ("Australia + NZ, Malaysia, Portugal", "pacific"),
        ("Turkey", "other"),
        ("Italy / OSCE mandate", "other"),
        ("the OSCE mandate", "nato"),
        ("United States of America", "us"),
        ("Saudi-led coalition", "gcc_arab"),
        ("Arab coalition", "gcc_arab"),
        ("forces of Papua New Guinea", "pacific"),
        ("Galactic Federation", None),
    ],
)
def test_groups(name, group):
    assert organisations().find(name) == group


def test_partial_dates():
    assert str(PartialDate.parse("2022-01")) == "2022-01"
    assert PartialDate.parse("2020-02").latest() == dt.date(2020, 2, 29)
    assert PartialDate.parse(1968).earliest() == dt.date(1968, 1, 1)
    with pytest.raises(ValueError, match="exists"):
        PartialDate.parse("2022-02-30")
    with pytest.raises(ValueError, match="YYYY"):
        PartialDate.parse("5 January 2022")
    day = PartialDate.parse("2022-01-05")
    assert days_between(day, PartialDate.parse("2022-01-06")) == 1
    assert days_between(day, PartialDate.parse("2022-01-04")) is None
    assert days_between(day, PartialDate.parse("2022-01")) is None
    assert months_between(day, PartialDate.parse("2022-02")) == 1.3


def test_capability_classes():
    assert [capability_class(r) for r in (0.1, 3, 10, 100, 100.1)] == [
        "<3",
        "3-10",
        "10-100",
        "10-100",
        ">100",
    ]


def test_filter(book):
    assert {c.organisation for c in book.filter(organisation="CSTO")} == {"csto"}
    assert {c.trigger for c in book.filter(trigger="insurgency")} == {"insurgency"}
    years = {c.year for c in book.filter(years=(2001, 2005))}
    assert min(years) >= 2001
    assert max(years) <= 2005


def test_export(book, tmp_path):
    import pandas as pd

    back = pd.read_csv(book.export(tmp_path / "cases.csv"))
    assert list(back["id"]) == [c.id for c in book]
    long = pd.read_csv(book.export(tmp_path / "long.csv", long=True))
    assert {"id", "field", "value", "confidence", "sources", "addresses"} == set(long.columns)
    pytest.importorskip("pyarrow")
    wide = pd.read_parquet(book.export(tmp_path / "cases.parquet"))
    assert wide.shape == back.shape
