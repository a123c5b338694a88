"""Base rates recomputed from the files, and the guard against hindsight.

The golden figures are those of the 72 usable cases. The research note's tables count 92 core
cases of 100, of which 80 are shipped and 72 are sourced and not set aside; where a slice has the
same cases in both, the figures agree.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foedus.casebook import (
    base_rate,
    duration,
    jeffreys,
    load_casebook,
    nearest,
    request_rate,
    size,
    survival_rate,
    tempo,
)
from foedus.casebook.organisations import organisations
from foedus.errors import InputError

from ..narrowing import present

BOOK = load_casebook()

# slice -> (all: successes, n), (formal requests: successes, n)
GOLDEN = {
    (None, None): ((45, 72), (41, 58)),
    ("domestic_protest", None): ((4, 13), (4, 7)),
    ("coup_mutiny", None): ((16, 22), (14, 17)),
    ("insurgency", None): ((18, 22), (16, 20)),
    ("external_attack", None): ((7, 12), (7, 11)),
    ("border_clash", None): ((0, 3), (0, 3)),
    (None, "csto"): ((2, 12), (2, 8)),
    (None, "warsaw_pact"): ((1, 4), (1, 2)),
    (None, "ecowas"): ((8, 10), (5, 5)),
    (None, "sadc"): ((4, 5), (4, 4)),
    (None, "gcc_arab"): ((3, 3), (3, 3)),
    (None, "nato"): ((1, 3), (1, 3)),
    (None, "france"): ((3, 6), (3, 6)),
    (None, "uk"): ((6, 7), (5, 5)),
    (None, "us"): ((2, 4), (2, 4)),
    (None, "pacific"): ((3, 5), (3, 5)),
    (None, "other_org"): ((4, 4), (4, 4)),
    (None, "other"): ((8, 9), (8, 9)),
}


@pytest.mark.parametrize(("trigger", "organisation"), GOLDEN)
def test_golden_rates(trigger, organisation):
    for formal, expected in zip((None, True), GOLDEN[trigger, organisation], strict=True):
        rate = base_rate(BOOK, trigger=trigger, organisation=organisation, formal_request=formal)
        assert (rate.successes, rate.n) == expected


def test_all_coded_cases_agree_with_the_research_note():
    """All 73 core cases, sourced or not: slices with the same cases in the note."""
    core = [c for c in BOOK if c.set_aside is None]
    assert len(core) == 73
    gcc = [c for c in core if c.organisation == "gcc_arab"]
    assert [sum(c.answer == "troops" for c in gcc), len(gcc)] == [3, 4]
    uk = [c for c in core if c.organisation == "uk"]
    assert [sum(c.answer == "troops" for c in uk), len(uk)] == [6, 7]
    nato = [c for c in core if c.organisation == "nato"]
    assert [sum(c.answer == "troops" for c in nato), len(nato)] == [1, 3]
    protest = [c for c in core if c.trigger == "domestic_protest"]
    asked = [c for c in protest if c.value("formal_request")]
    silent = [c for c in protest if c.value("formal_request") is False]
    assert [sum(c.answer == "troops" for c in asked), len(asked)] == [4, 7]
    assert [sum(c.answer == "troops" for c in silent), len(silent)] == [0, 6]


def test_golden_quantiles():
    arrival = tempo(BOOK)
    assert arrival.n == 32
    assert arrival.values == pytest.approx((0, 1, 1, 10.5, 62.8), abs=0.15)
    decision = tempo(BOOK, step="decision")
    assert (decision.n, decision.values[2]) == (30, 0)
    troops = size(BOOK)
    assert troops.n == 35
    assert troops.values == pytest.approx((510, 950, 1880, 3500, 10780))
    months = duration(BOOK)
    assert (months.n, months.censored) == (43, 8)
    assert months.values == pytest.approx((0.9, 3.5, 15.2, 88.7, 157.2), abs=0.01)


def test_missions_still_on_make_the_quantiles_longer():
    """Three of five missions ended, so that two fifths last longer than any that ended."""
    ids = ("KAZ2022", "MKD2001", "BHR2011", "GMB2017", "MOZ2021R")
    few = replace(BOOK, cases=tuple(c for c in BOOK if c.id in ids))
    lengths = duration(few, levels=(0.1, 0.3, 0.5, 0.7))
    assert (lengths.n, lengths.censored) == (3, 2)
    assert lengths.values == pytest.approx((0.4, 1.1, 3.7, 101.1), abs=0.1)
    early = duration(few, before=dt.date(2011, 5, 1), levels=(0.5, 0.9))
    assert (early.n, early.censored) == (1, 1)
    assert early.values == pytest.approx((1.1, 1.6), abs=0.1)  # Bahrain's had lasted 48 days
    with pytest.raises(InputError, match="levels"):
        duration(few, levels=(1.5,))


def test_golden_request_and_survival():
    assert (request_rate(BOOK).successes, request_rate(BOOK).n) == (58, 67)
    assert (survival_rate(BOOK, answer="troops").successes, 45) == (38, 45)
    refused = survival_rate(BOOK, answer="refused")
    assert (refused.successes, refused.n) == (6, 13)


def test_kazakhstan_outside_view_has_no_hindsight():
    rate = base_rate(
        BOOK,
        trigger="domestic_protest",
        organisation="CSTO",
        formal_request=None,
        before=dt.date(2022, 1, 5),
        exclude=("KAZ", 2022),
    )
    assert (rate.successes, rate.n) == (0, 6)
    assert set(rate.cases) == {
        "KGZ2005",
        "KGZ2010A",
        "KGZ2010B",
        "ARM2018",
        "BLR2020",
        "KGZ2020",
    }


@pytest.mark.parametrize(
    ("counts", "interval"),
    [((12, 54), (0.141, 0.325)), ((6, 43), (0.071, 0.243)), ((73, 146), (0.432, 0.568))],
)
def test_jeffreys_against_published_intervals(counts, interval):
    assert jeffreys(*counts)[1:] == pytest.approx(interval, abs=6e-4)


def test_jeffreys_edges():
    assert jeffreys(0, 4)[1] == 0
    assert jeffreys(4, 4)[2] == 1
    mean, low, high = jeffreys(0, 0)
    assert mean == 0.5
    assert 0 < low < high < 1
    with pytest.raises(InputError, match="count"):
        jeffreys(5, 4)
    with pytest.raises(InputError, match="level"):
        jeffreys(1, 4, level=1.0)


@given(
    before=st.dates(dt.date(1956, 1, 1), dt.date(2026, 1, 1)),
    case=st.sampled_from(BOOK.cases),
)
def test_nothing_known_later_and_never_the_case_itself(before, case):
    usable = {c.id: c for c in BOOK}
    seen = set()
    for f in (base_rate, request_rate, survival_rate, tempo, size, duration):
        seen |= set(f(BOOK, before=before, exclude=case.key).cases)
    nearest_cases = nearest(BOOK, {"trigger": case.trigger}, n=99, before=before, exclude=case.key)
    seen |= {x.case.id for x in nearest_cases}
    for i in seen:
        assert usable[i].known() < before
        assert usable[i].key != case.key
        assert usable[i].usable
    for i in duration(BOOK, before=before, exclude=case.key).cases:
        assert present(usable[i].date("date_withdrawal_end")).latest() < before


def test_rates_of_unknown_slices():
    text: Any = "2022-01-05"
    with pytest.raises(InputError, match="trigger"):
        base_rate(BOOK, trigger="picnic")
    with pytest.raises(InputError, match="organisation"):
        base_rate(BOOK, organisation="Galactic Federation")
    with pytest.raises(InputError, match="answer"):
        base_rate(BOOK, answer="tanks")
    with pytest.raises(InputError, match="step"):
        tempo(BOOK, step="lunch")
    with pytest.raises(InputError, match="before"):
        base_rate(BOOK, before=text)
    empty = tempo(BOOK, organisation="nato", trigger="domestic_protest")
    assert empty.n == 0
    assert "no case" in str(empty)


def test_every_group_has_a_usable_case():
    for group in organisations().groups:
        assert base_rate(BOOK, organisation=group, formal_request=None).n >= 3


def test_nearest_to_kazakhstan():
    nearest_cases = nearest(
        BOOK,
        {
            "trigger": "domestic_protest",
            "organisation": "CSTO",
            "formal_request": True,
            "year": 2022,
            "base": True,
            "contiguous": True,
            "capability_class": "10-100",
        },
        before=dt.date(2022, 1, 5),
        exclude=("KAZ", 2022),
    )
    assert [x.case.id for x in nearest_cases[:2]] == ["BLR2020", "KGZ2010B"]
    assert nearest_cases[0].distance < nearest_cases[1].distance
    assert nearest_cases[0].happened.startswith("pledged not deployed")
    assert "trigger" in nearest_cases[0].same


def test_nearest_checks_its_input():
    with pytest.raises(InputError, match="features"):
        nearest(BOOK, {"weather": "rain"})
    with pytest.raises(InputError, match="at least one"):
        nearest(BOOK, {"trigger": None})
    with pytest.raises(InputError, match="capability_class"):
        nearest(BOOK, {"capability_class": "huge"})
    with pytest.raises(InputError, match="n:"):
        nearest(BOOK, {"trigger": "insurgency"}, n=0)


def test_distance_is_zero_to_itself_and_symmetric():
    from foedus.casebook.similarity import features_of

    cases = [c for c in BOOK if c.usable][:12]
    for a in cases:
        near = {x.case.id: x.distance for x in nearest(BOOK, features_of(a), n=99)}
        assert near[a.id] == 0
        assert all(0 <= d <= 1 for d in near.values())
        for b in cases:
            back = {x.case.id: x.distance for x in nearest(BOOK, features_of(b), n=99)}
            assert near[b.id] == pytest.approx(back[a.id])
