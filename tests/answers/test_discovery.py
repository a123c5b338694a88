"""Scenario discovery: a planted box in the runs, nothing in noise, and helpful errors."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import foedus
from foedus.answers.discovery import Target, discover, discovered
from foedus.answers.uncertain_inputs import Input, Inputs
from foedus.case.models import Question
from foedus.cli import main
from foedus.errors import InputError
from foedus.report.discovery_view import condition, discovery_document, discovery_svg, sentence
from foedus.report.terminal import print_document
from foedus.weighing.quantities import Frame

from ..narrowing import present

RUNS = 4000
FRAME = Frame(start=dt.date(2001, 3, 1), horizon=30, cities=(), members=(), population=np.zeros(0))
ABOUT = (
    *(Input(name=f"a.{n}", kind="parameter", unit="share", meaning="It.") for n in range(4)),
    Input(name="kind", kind="hypothesis", options=("x", "y", "z", "w")),
    Input(name="chance:luck", kind="chance", meaning="Luck."),
)


def question(kind: str = "binary", **ask) -> Question:
    ask = {"quantity": "leader_leaves", "statistic": "happens", **ask}
    return Question(id="falls", text="Does it fall?", kind=kind, ask=ask)


@pytest.fixture(scope="module")
def planted():
    """Yes in 90% inside a box of one eighth, otherwise in 10%; weights favour one side."""
    rng = np.random.default_rng(1)
    x = rng.random((6, RUNS))
    x[4] = rng.integers(0, 4, RUNS)
    inside = (x[0] > 0.5) & (x[1] < 0.5) & (x[4] < 2)
    y = (rng.random(RUNS) < np.where(inside, 0.9, 0.1)).astype(float)
    weight = np.exp(1.5 * x[0])
    return Inputs(ABOUT, x, x), y, weight / weight.sum()


@pytest.mark.parametrize("method", ["prim", "tree"])
def test_the_planted_box(planted, method):
    inputs, y, weight = planted
    found = discovered(question(), y, inputs, weight, FRAME, method=method)
    assert found.found
    assert found.outcome == "yes"
    first, second, third = sorted(found.conditions, key=lambda c: c.input.name)
    assert (first.input.name, second.input.name, third.input.name) == ("a.0", "a.1", "kind")
    assert first.low == pytest.approx(0.5, abs=0.06)
    assert first.high is None
    assert second.high == pytest.approx(0.5, abs=0.06)
    assert third.options == ("x", "y")
    assert all(c.stability > 0.9 for c in found.conditions)
    assert all(c.quasi_p < 0.01 for c in found.conditions)
    # the description of the box is true: a million fresh runs of the same law
    rng = np.random.default_rng(2)
    a = np.log1p(rng.random(10**6) * np.expm1(1.5)) / 1.5  # density e^(1.5 a), as the weights
    b, k = rng.random(10**6), rng.integers(0, 4, 10**6)
    inside = (a > 0.5) & (b < 0.5) & (k < 2)
    box = (a >= present(first.low)) & (b <= present(second.high)) & (k < 2)
    p = np.where(inside, 0.9, 0.1)
    assert found.held.density == pytest.approx(p[box].mean(), abs=3 * found.held.density_error)
    assert found.held.mass == pytest.approx(box.mean(), abs=3 * found.mass_error)
    coverage = p[box].sum() / p.sum()
    assert found.held.coverage == pytest.approx(coverage, abs=3 * found.coverage_error)
    # and it is close to the planted one
    assert (box & inside).sum() > 0.85 * (box | inside).sum()
    assert "kind is x or y" in sentence(found)
    assert "against" in sentence(found)
    table = found.to_xarray()
    assert table.sizes["step"] == len(found.trajectory)
    assert np.all(np.diff(table["mass_sought"]) <= 1e-12)
    again = discovered(question(), y, inputs, weight, FRAME, method=method)
    assert json.dumps(found.to_dict(), allow_nan=False) == json.dumps(again.to_dict())


@pytest.mark.parametrize("method", ["prim", "tree"])
def test_nothing_is_found_in_noise(planted, method):
    inputs, _, weight = planted
    found = []
    for seed in range(8):
        y = (np.random.default_rng(seed).random(RUNS) < 0.3).astype(float)
        found.append(discovered(question(), y, inputs, weight, FRAME, method=method, seed=seed))
    assert sum(f.found for f in found) <= 1  # one in a hundred is expected
    nothing = next(f for f in found if not f.found)
    assert nothing.conditions == ()
    assert nothing.to_dict()["box"] is None
    assert sentence(nothing).startswith("Nothing found")
    assert "Nothing found." in discovery_svg(nothing)


def test_the_rarer_side_is_described_and_chance_only_if_asked(planted):
    inputs, y, weight = planted
    found = discovered(question(), 1.0 - y, inputs, weight, FRAME)
    assert found.outcome == "no"
    assert found.base < 0.5
    other = discovered(question(), y, inputs, weight, FRAME, target=Target(happens=False))
    assert other.outcome == "no"
    assert other.base > 0.5
    lucky = (inputs.values[5] > 0.8).astype(float)
    assert not discovered(question(), lucky, inputs, weight, FRAME).found
    told = discovered(question(), lucky, inputs, weight, FRAME, chance=True)
    assert [c.input.name for c in told.conditions] == ["chance:luck"]


def test_numbers_and_dates_by_a_threshold(planted):
    inputs, y, weight = planted
    number = question("number", quantity="deaths_total", statistic="max")
    deaths = 1000.0 * y + inputs.values[3]
    found = discovered(number, deaths, inputs, weight, FRAME, target=Target(at_least=500.0))
    assert found.outcome == "at least 500 people"
    assert {c.input.name for c in found.conditions} == {"a.0", "a.1", "kind"}
    under = discovered(number, deaths, inputs, weight, FRAME,
                       target=Target(at_least=500.0, happens=False))  # fmt: skip
    assert under.outcome == "less than 500 people"
    with pytest.raises(InputError, match="say at least or at most how much"):
        discovered(number, deaths, inputs, weight, FRAME)
    date = question("date", statistic="first_day")
    day = np.where(y > 0.5, 4.0, np.where(inputs.values[3] > 0.5, 20.0, np.inf))
    early = discovered(date, day, inputs, weight, FRAME, target=Target(by=dt.date(2001, 3, 10)))
    assert early.outcome == "it happens by 2001-03-10"
    assert {c.input.name for c in early.conditions} == {"a.0", "a.1", "kind"}
    never = discovered(date, day, inputs, weight, FRAME, target=Target(happens=False))
    assert never.outcome == "it does not happen within the days simulated"
    assert "a.3" in {c.input.name for c in never.conditions}
    for wrong, kind in (
        (Target(at_least=1.0), question()),
        (Target(by=dt.date(2001, 3, 2)), number),
    ):
        with pytest.raises(InputError, match="for questions for a"):
            discovered(kind, y, inputs, weight, FRAME, target=wrong)
    upside_down = Target(at_least=400.0, at_most=40.0)
    with pytest.raises(InputError, match=r"first not above the second \(found 400 and 40\)"):
        discovered(number, deaths, inputs, weight, FRAME, target=upside_down)


def test_numbers_in_words_have_no_exponent_and_few_figures(planted):
    inputs, y, weight = planted
    number = question("number", quantity="deaths_total", statistic="max")
    deaths = 982.033 + 5e9 * y
    found = discovered(number, deaths, inputs, weight, FRAME, target=Target(at_most=4e9))
    assert found.outcome == "more than 4,000,000,000 people"
    with pytest.raises(InputError, match=r"the middle run has 982\)"):
        discovered(number, np.full(RUNS, 982.033), inputs, weight, FRAME)


def test_the_sentence_says_what_an_input_is_and_hedges_what_may_be_chance(planted):
    inputs, y, weight = planted
    found = discovered(question(), y, inputs, weight, FRAME)
    first = found.conditions[0]
    told = replace(first.input, name="a.b", meaning="Share of all.", unit="share")
    sure = replace(first, input=told, quasi_p=0.001, low=None, high=0.01752, options=())
    shaky = replace(sure, quasi_p=0.3, low=0.25, high=0.5)
    text = sentence(replace(found, conditions=(shaky, sure)))
    assert (
        "in which “Share of all” is at most 1.75% and perhaps “Share of all” is 25% to 50%" in text
    )
    assert "perhaps" not in sentence(replace(found, conditions=(sure,)))
    assert condition(sure) == "a.b is at most 1.75%"


def test_a_refusal_says_why_once_and_promises_nothing(crisis, tmp_path):
    for runs, hint in ((20, False), (250, True)):
        with pytest.raises(InputError) as refused:
            discover(crisis, question="falls", as_of="2001-03-05", runs=runs, workers=1,
                     out=tmp_path / str(runs))  # fmt: skip
        text = str(refused.value)
        assert text.lower().count("too few") == 1
        assert ".." not in text
        assert ".;" not in text
        assert ("--before looks at the runs before the evidence." in text) == hint


def test_what_cannot_be_divided_is_refused(planted):
    inputs, y, weight = planted
    with pytest.raises(InputError, match="in no runs the answer is “yes”"):
        discovered(question(), np.zeros(RUNS), inputs, weight, FRAME)
    with pytest.raises(InputError, match="in all runs the answer is “yes”"):
        discovered(question(), np.ones(RUNS), inputs, weight, FRAME, target=Target(happens=True))
    few = np.where(np.arange(RUNS) < 30, 1.0, 0.0)
    with pytest.raises(InputError, match=r"needs 50 effective runs \(found 30\)"):
        discovered(question(), y, inputs, few, FRAME)
    rare = (np.arange(RUNS) < 5).astype(float)
    with pytest.raises(InputError, match="only 5 effective runs tell it apart, 10 are needed"):
        discovered(question(), rare, inputs, np.full(RUNS, 1.0 / RUNS), FRAME)


def test_a_small_case_from_end_to_end(crisis, tmp_path, capsys):
    given = {"as_of": "2001-03-02", "runs": 400, "seed": 7, "question": "falls", "before": True,
             "out": tmp_path / "a"}  # fmt: skip
    found, again = (discover(crisis, **given, workers=w) for w in (1, 2))
    assert found.to_dict() == again.to_dict()
    assert not found.evidence
    assert all(i.kind != "chance" for i in found.inputs)
    print_document(discovery_document(found))
    assert "The trajectory" in capsys.readouterr().out
    assert "The trajectory" in found._repr_html_()
    assert discovery_svg(found) == discovery_svg(again)
    with pytest.raises(InputError, match="question: one of falls"):
        discover(crisis, question="rises")
    assert foedus.discover is discover


def test_the_command(crisis, tmp_path, capsys):
    path = tmp_path / "crisis.yaml"
    path.write_text(crisis.model_dump_json(exclude_none=True), encoding="utf-8")
    words = ["discover", str(path), "--as-of", "2001-03-02", "--runs", "300", "--workers", "1",
             "--out", str(tmp_path / "a"), "--question", "falls", "--before"]  # fmt: skip
    chart = tmp_path / "falls.svg"
    assert main([*words, "--chart", str(chart), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == documented()
    assert chart.read_text(encoding="utf-8").startswith("<svg")
    assert main([*words, "--by", "soon"]) == 2
    assert "a date such as" in capsys.readouterr().err
    assert main([*words, "--at-least", "3"]) == 2
    assert "for questions for a number" in capsys.readouterr().err
    assert main([*words, "--chart", str(tmp_path / "x.png")]) == 2


def documented() -> set[str]:
    page = Path(__file__).parents[2] / "docs" / "reference" / "json.md"
    part = page.read_text(encoding="utf-8").split("## `foedus discover --json`")[1]
    return set(re.findall(r"^\| `(\w+)` \|", part.split("\n`conditions`")[0], flags=re.M))
