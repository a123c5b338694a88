"""The second coder's ratings, and the tool that compares them with the first's."""

from __future__ import annotations

import csv
import io
import math
import re

import pytest

from foedus.case import load_case, shipped

from ..scripts import script

tool = script("tools/rating_agreement.py")


def test_the_second_coder_rates_facts_that_exist_each_once_and_in_order():
    with tool.SECOND.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    keys = [(row["case"], row["fact"]) for row in rows]
    assert len(set(keys)) == len(keys)
    assert [case for case, _ in keys] == sorted(case for case, _ in keys)
    facts = {(name, fact.id) for name in shipped() for fact in load_case(name).facts}
    assert set(keys) <= facts
    assert all(re.fullmatch("[A-F][1-6]", row["rating"]) for row in rows)
    assert tool.second_ratings() == {
        key: row["rating"] for key, row in zip(keys, rows, strict=True)
    }


def test_a_case_is_rated_by_the_second_coder_wholly_or_not_at_all():
    rated = {case for case, _ in tool.second_ratings()}
    for name in rated:
        facts = {fact.id for fact in load_case(name).facts}
        assert facts == {fact for case, fact in tool.second_ratings() if case == name}, name


def test_agreement_by_hand():
    """Four facts on two letters: observed disagreement 1/4, expected by chance 1/2."""
    found = tool.agreement([("A1", "A1"), ("A1", "A2"), ("B1", "B2"), ("B1", "A1")])
    assert (found.facts, found.letters, found.digits) == (4, 0.75, 0.5)
    assert found.kappa_letters == pytest.approx(1 - 0.25 / 0.5)
    assert found.kappa_digits == pytest.approx(0.0)


def test_a_step_farther_off_counts_more():
    near = tool.agreement([("A1", "B1"), ("C1", "C1"), ("E1", "E1")])
    far = tool.agreement([("A1", "D1"), ("C1", "C1"), ("E1", "E1")])
    assert far.kappa_letters < near.kappa_letters < 1


def test_what_cannot_be_judged_is_no_step_of_the_scale():
    judged = [("A1", "A1"), ("B2", "C2")]
    found = tool.agreement([*judged, ("F6", "A2")])
    assert found.facts == 3
    assert found.letters == pytest.approx(1 / 3)
    assert found.kappa_letters == tool.agreement(judged).kappa_letters
    assert math.isnan(tool.agreement([("F6", "A1")]).kappa_letters)


def test_one_rating_for_all_has_no_kappa():
    found = tool.agreement([("B2", "B2")] * 3)
    assert (found.letters, found.digits) == (1, 1)
    assert math.isnan(found.kappa_letters)
    assert math.isnan(found.kappa_digits)


def test_a_sheet_shows_neither_ratings_nor_outcomes(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["rating_agreement.py", "--sheet", "bahrain-2011"])
    tool.main()
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    case = load_case("bahrain-2011")
    assert [row["fact"] for row in rows] == [fact.id for fact in case.facts]
    assert set(rows[0]) == {"case", "fact", "about", "known_from", "source", "text"}


def test_the_table_names_the_cases_that_one_coder_rated(capsys, monkeypatch):
    both = {("bahrain-2011", fact.id): fact.rating for fact in load_case("bahrain-2011").facts}
    monkeypatch.setattr(tool, "second_ratings", lambda: both)
    monkeypatch.setattr("sys.argv", ["rating_agreement.py"])
    tool.main()
    out = capsys.readouterr().out
    assert re.search(r"bahrain-2011 +41 +100% +100% +1\.00 +1\.00", out)
    assert "one coder only" in out
    assert "niger-2023" in out
