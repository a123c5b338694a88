"""A new kind of question is its class and one line of the registry; no other file changes."""

import json
from pathlib import Path

import numpy as np
import pytest

from foedus.answers import hubverse
from foedus.case import question_kinds
from foedus.case.question_kinds import KINDS, QuestionKind, register
from foedus.cli import main
from foedus.errors import InputError

SMALL = Path(__file__).parents[1] / "app" / "small.yaml"


class Digits(QuestionKind):
    """How many digits a count has, 0 for none: an amount with its own reading of the runs."""

    name = "digits"
    outcome_form = "a whole number of digits"

    def takes(self, outcome):
        return super().takes(outcome) and outcome >= 0 and outcome == round(outcome)

    def from_value(self, value, met):
        return np.where(value < 1.0, 0.0, np.floor(np.log10(np.maximum(value, 1.0))) + 1.0)

    def score_unit(self, unit):
        return "CRPS digits"


@pytest.fixture
def case(monkeypatch, tmp_path):
    """Return the path of a small case that asks a question of the new kind."""
    monkeypatch.setitem(KINDS, "digits", Digits())
    text = SMALL.read_text(encoding="utf-8")
    question = """
  - id: size
    text: How many digits has the number of dead?
    kind: digits
    unit: digits
    ask: {quantity: deaths_total, statistic: at, by_date: 2022-01-09}
outcomes:"""
    outcome = "  - {question: size, value: 2, known_from: 2022-02-01, source: paper}\n"
    path = tmp_path / "case.yaml"
    path.write_text(text.replace("\noutcomes:", question) + outcome, encoding="utf-8")
    return path


def test_a_new_kind_goes_from_the_case_to_every_output(case, tmp_path, capsys):
    def said(verb, *more, as_json=True):
        words = [verb, str(case), *runs, *more, *(["--json"] if as_json else [])]
        assert main(words) == 0, capsys.readouterr().err
        out = capsys.readouterr().out
        return json.loads(out) if as_json else out

    brief = tmp_path / "brief.html"
    runs = ["--runs", "400", "--workers", "1", "--out", str(tmp_path / "runs.zarr")]

    found = said("forecast", "--brief", str(brief))
    answer = next(a for a in found["answers"] if a["id"] == "size")
    assert answer["kind"] == "digits"
    assert answer["answered"]
    assert answer["quantiles"]["q50"] in range(6)
    assert "digits has the number" in brief.read_text(encoding="utf-8")

    rows = [r for r in hubverse.rows(found) if r["target"] == "size"]
    assert {r["output_type"] for r in rows} == {"mean", "quantile"}

    table = said("forecast", as_json=False)
    assert "How many?" in table
    assert "digits has the number" in table

    scores = said("score")
    assert any(q["id"] == "size" and q["score"]["crps"] is not None for q in scores["questions"])
    assert "CRPS digits" in said("score", as_json=False)

    for verb, more in (
        ("watch", ["--question", "size"]),
        ("diagnose", []),
        ("discover", ["--question", "size", "--at-least", "2", "--before"]),
        ("sensitivity", []),
    ):
        assert "digits" in json.dumps(said(verb, *more)), verb
        assert "digits" in said(verb, *more, as_json=False), verb


def test_a_value_that_the_new_kind_cannot_take_is_named(case, capsys):
    case.write_text(case.read_text(encoding="utf-8").replace("size, value: 2", "size, value: -2"))
    assert main(["check", str(case)]) == 2
    assert "a whole number of digits" in capsys.readouterr().err


def test_two_kinds_cannot_share_a_name():
    with pytest.raises(InputError, match="question kind number: already exists"):
        register(question_kinds.Number())
