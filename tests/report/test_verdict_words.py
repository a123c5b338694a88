"""Verdicts are data: every kind has words in report, and nothing before it builds them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib
import pkgutil
from collections.abc import Iterator
from enum import Enum
from functools import partial
from typing import Any

import pytest

import foedus.answers
import foedus.weighing
from foedus.plain_values import Worded, to_plain
from foedus.report.verdict_words import advice, headline, reason, words
from foedus.weighing import verdict as verdicts
from foedus.weighing.evidence import Evidence
from foedus.weighing.verdict import FewRuns, Level, Reason, Verdict
from foedus.weighing.weights import Weights

for package in (foedus.weighing, foedus.answers):
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(found.name)


def kinds(base: type[Worded] = Worded) -> Iterator[type[Worded]]:
    """Give every kind of data that has words."""
    for kind in base.__subclasses__():
        shown = kind.__module__.startswith("foedus.") and kind is not Verdict
        if shown and not kind.__subclasses__():
            yield kind
        yield from kinds(kind)


@pytest.mark.parametrize("kind", sorted(set(kinds()), key=str))
def test_every_kind_has_words_in_report(kind: type[Worded]) -> None:
    assert words.dispatch(kind) is not words.dispatch(Worded)
    if issubclass(kind, Enum):
        for member in kind:
            assert words(member) == str(member) == to_plain(member)


def evidence(**more: Any) -> Evidence:
    """Return a fact that no run meets."""
    return partial(
        Evidence,
        id="toll",
        about="2001-03-04",
        known_from="2001-03-05",
        text="Many.",
        rating="A1",
        quantity="deaths_total",
        place="north",
        member=None,
        reported="5000",
        speaker=None,
        source="desk",
        source_name="The desk",
        address=None,
        use="weighed",
        disbelief=0.9,
        closest=-4.0,
        nearest=dt.date(2001, 3, 4),
        runs=(1.0, 2.0, 3.0),
        ess_without=80.0,
    )(**more)


@pytest.mark.parametrize(
    "found",
    [
        verdicts.NothingUsable(runs=3),
        *(FewRuns(runs=r, effective=e) for r, e in ((1, 1.0), (60, 0.1), (9000, 0.5), (900, 90.0))),
        verdicts.HeavyTail(k=0.9),
        *(verdicts.Disbelieved(facts=(evidence(),), most=most) for most in (True, False)),
        verdicts.Unmet(fact=evidence()),
        verdicts.Costly(fact=evidence(), effective=4.0),
        verdicts.ImpossibleDecisions(facts=(evidence(),), shares=(0.4,)),
        verdicts.Together(facts=(evidence(),)),
    ],
)
def test_every_reason_reads_as_sentences(found: Reason) -> None:
    text = words(found)
    assert text[0].isupper() or text[0].isdigit()
    assert text.endswith(".")
    assert str(found) == to_plain(found) == text
    assert "None" not in text


def test_every_reason_is_among_those() -> None:
    assert {k.__name__ for k in kinds(Reason)} == {
        "NothingUsable",
        "FewRuns",
        "HeavyTail",
        "Disbelieved",
        "Unmet",
        "Costly",
        "ImpossibleDecisions",
        "Together",
    }


def test_weights_and_verdicts_hold_no_text() -> None:
    for record in (Weights, Verdict, *kinds(Reason)):
        assert dataclasses.is_dataclass(record)
        for field in dataclasses.fields(record):
            assert "str" not in str(field.type), (record, field.name)


@pytest.mark.parametrize(
    ("effective", "runs", "short", "head"),
    [
        (10.0, 4000, "too few runs agree with the evidence", "No answer: too few runs agree"),
        (10.0, 10, "too few runs", "No answer: too few runs."),
        (100.0, 4000, "few runs agree with the evidence", "Weak answers: few runs agree"),
        (400.0, 4000, "", ""),
    ],
)
def test_a_verdict_in_words(effective: float, runs: int, short: str, head: str) -> None:
    found = verdicts.of_weights(effective=effective, k=0.1, runs=runs)
    assert reason(found) == short
    assert headline(found).startswith(head)
    assert len(advice(found)) == (0 if found.level is Level.OK else 1)
