"""Sensitivity through the whole of weighing, and a design of its own with known indices."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foedus
from foedus.answers.saltelli import Saltelli
from foedus.answers.sensitivity_analysis import sensitivities, sensitivity
from foedus.answers.sensitivity_results import NoEffects
from foedus.answers.uncertain_inputs import Input, Inputs
from foedus.cli import main
from foedus.errors import InputError
from foedus.report.sensitivity_view import sensitivities_document, tornado_svg
from foedus.report.terminal import print_document
from foedus.weighing.weighed import weigh_runs
from foedus.world.guidance import Guidance

from ..narrowing import number, present

RUNS = 3000


@pytest.fixture
def toy_answers(toy):
    """Answers that depend on known inputs, and evidence that depends on another."""
    rng = np.random.default_rng(1)
    u = rng.random((4, RUNS))
    option = rng.integers(0, 3, RUNS).astype(float)
    falls = np.where(rng.random(RUNS) < np.where(u[0] > 0.5, 0.8, 0.2), 3, -1)
    deaths = np.zeros((RUNS, 10, 2))
    deaths[:, 4, 0] = np.floor(1000.0 * u[1])
    request = np.where(option == 2, 2, np.where(u[2] < 0.5, 5, -1))
    case = toy.case(
        questions=[
            toy.question("falls", "binary", quantity="leader_leaves", statistic="happens"),
            toy.question("deaths", "number", quantity="deaths_total", statistic="max"),
            toy.question("asks", "date", quantity="request", statistic="first_day"),
            toy.question("lands", "binary", quantity="first_arrival", statistic="happens"),
            toy.question("early", "binary", quantity="request", statistic="happens",
                         by_date="2001-02-01"),
        ],
    )  # fmt: skip
    block = toy.block(
        case, RUNS, event_leader_leaves=falls, deaths_protesters=deaths, event_request=request,
        log_guidance=np.log(0.05 + 0.95 * (u[1] > 0.7)),
    )  # fmt: skip
    made = weigh_runs(case, toy.dataset(case, block), guidance=Guidance())
    about = (
        *(Input(name=f"a.{n}", kind="parameter", unit="share", meaning="It.") for n in range(4)),
        Input(name="kind", kind="parameter", options=("x", "y", "z")),
    )
    scores = np.vstack([u, option])
    return case, made, Inputs(about, scores, scores)


def test_each_kind_of_question_finds_its_inputs(toy_answers):
    case, made, inputs = toy_answers
    found = sensitivities(case, made, inputs)
    falls, deaths, asks = (found.of(name).before for name in ("falls", "deaths", "asks"))
    assert [e.input.name for e in falls.told] == ["a.0"]
    assert falls.told[0].share == pytest.approx(0.36, abs=0.05)
    low, high = falls.told[0].ends
    assert low.probability == pytest.approx(0.2, abs=0.05)
    assert high.probability == pytest.approx(0.8, abs=0.05)
    assert low.at == pytest.approx(0.1, abs=0.02)
    assert [e.input.name for e in deaths.told] == ["a.1"]
    # an input that decides the answer has 1 minus one over the 14 classes into which it is cut
    assert deaths.told[0].share == pytest.approx(1.0 - 1.0 / 14.0, abs=0.01)
    alone = present(deaths.alone)
    assert alone.low < 1.0 - 1.0 / 14.0 < alone.high
    assert deaths.told[0].ends[1].median == pytest.approx(900.0, abs=30.0)
    assert {e.input.name for e in asks.told} == {"a.2", "kind"}
    kind = next(e for e in asks.told if e.input.name == "kind")
    assert kind.ends[0].at == "z"
    assert kind.ends[0].median == dt.date(2001, 3, 3)
    assert {e.input.name for e in falls.effects} == {i.name for i in inputs.about}
    assert found.of("lands").before.reason is NoEffects.CONSTANT
    assert "window" in str(present(found.of("early").before.reason))


def test_the_evidence_changes_what_an_answer_hangs_on(toy_answers):
    case, made, inputs = toy_answers
    found = sensitivities(case, made, inputs)
    assert found.effective_after < 0.5 * found.effective_before
    deaths = found.of("deaths")
    assert deaths.after.alone is None
    # what is known leaves almost only the highest 30% of a.1
    after, before = (side.told[0].ends[0].median for side in (deaths.after, deaths.before))
    assert number(after) > number(before) + 500


def test_the_same_again_and_plain_values(toy_answers):
    case, made, inputs = toy_answers
    one, two = (json.dumps(sensitivities(case, made, inputs).to_dict(), allow_nan=False)
                for _ in range(2))  # fmt: skip
    assert one == two


def test_refused_evidence_leaves_the_view_before(toy):
    case = toy.case(
        questions=[toy.question("falls", "binary", quantity="leader_leaves", statistic="happens")]
    )
    u = np.random.default_rng(1).random((1, 200))
    price = np.zeros(200)
    price[0] = 60.0
    block = toy.block(
        case, 200, log_guidance=price, event_leader_leaves=np.where(u[0] > 0.5, 1, -1)
    )
    made = weigh_runs(case, toy.dataset(case, block), guidance=Guidance())
    inputs = Inputs((Input(name="a", kind="parameter"),), u, u)
    found = sensitivities(case, made, inputs)
    assert found.verdict.refused
    assert found.of("falls").before.told
    said = str(present(found.of("falls").after.reason))
    assert said.endswith("too few runs agree with the evidence")
    block = {name: values[:40] for name, values in block.items()}
    few = weigh_runs(case, toy.dataset(case, block), guidance=Guidance())
    with pytest.raises(InputError, match="need 50 effective runs before the evidence"):
        sensitivities(case, few, inputs.some(np.arange(40)))


def test_ishigami_through_the_design():
    """First and total-order indices of a binary reading have exact values by quadrature."""
    design = Saltelli(("a", "b", "c"), ("a", "b", "c"), points=4096, seed=3)
    u = design.sample()
    assert u.shape == (design.runs, 3) == (4096 * 5, 3)
    yes = (ishigami(u.T) > 4.0).astype(float)
    found = present(design.analyse(yes))
    grid = (np.arange(96) + 0.5) / 96
    cube = ishigami(np.array(np.meshgrid(grid, grid, grid, indexing="ij"))) > 4.0
    whole = cube.var()
    for k in range(3):
        others = tuple(j for j in range(3) if j != k)
        first = cube.mean(axis=others).var() / whole
        total = cube.var(axis=k).mean() / whole
        assert found.first[k] == pytest.approx(first, abs=found.first_error[k] + 0.01)
        assert found.total[k] == pytest.approx(total, abs=found.total_error[k] + 0.01)
    assert found.first[2] < 0.02 < 0.1 < found.total[2]  # c acts only through a


def test_groups_and_numbers_in_the_design():
    """Y = x₁ + x₂ + x₃, the first two in one group: averaged over thresholds, by quadrature."""
    design = Saltelli(("x1", "x2", "x3"), ("g", "g", "h"), points=2048, seed=4)
    assert design.groups == ("g", "h")
    y = design.sample().sum(axis=1)
    found = present(design.analyse(y))
    grid = (np.arange(80) + 0.5) / 80
    cube = grid[:, None, None] + grid[:, None] + grid
    below = [cube <= t for t in np.quantile(cube, np.arange(1, 10) / 10)]
    whole = sum(b.var() for b in below)
    first = [
        sum(b.mean(axis=2).var() for b in below),
        sum(b.mean(axis=(0, 1)).var() for b in below),
    ]
    total = [
        sum(b.var(axis=(0, 1)).mean() for b in below),
        sum(b.var(axis=2).mean() for b in below),
    ]
    assert found.first == pytest.approx(np.array(first) / whole, abs=0.03)
    assert found.total == pytest.approx(np.array(total) / whole, abs=0.03)
    assert design.analyse(np.zeros(design.runs)) is None
    never = np.where(y > 1.5, np.inf, y)
    assert np.isfinite(present(design.analyse(never)).total).all()
    with pytest.raises(InputError, match="have no answer"):
        design.analyse(np.where(y > 2.0, np.nan, y))


def ishigami(u):
    x = 2.0 * np.pi * u - np.pi
    return np.sin(x[0]) + 7.0 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])


def test_a_small_case_from_end_to_end(crisis, tmp_path, capsys):
    given: dict[str, Any] = {"as_of": "2001-03-02", "runs": 400, "seed": 7, "pairs": 40}
    found = sensitivity(crisis, **given, out=tmp_path / "a", workers=1)
    again = sensitivity(crisis, **given, out=tmp_path / "a", workers=2)
    assert found.to_dict() == again.to_dict()
    (falls,) = found.questions
    names = {e.input.name for e in falls.before.effects}
    assert {"hypothesis", "streets.cop_density", "chance:forces.strength", "trigger.0"} <= names
    assert set(found.fixed) == {"streets.k", "streets.threshold"}
    assert not names & set(found.fixed)
    assert falls.before.chance is not None
    print_document(sensitivities_document(found))
    text = capsys.readouterr().out
    assert "what the answers depend on" in text
    assert "do not stand out from noise" in text
    assert "stand out from noise" in found._repr_html_()
    svg = tornado_svg(found, "falls")
    assert svg.startswith("<svg")
    assert svg == tornado_svg(again, "falls")
    with pytest.raises(InputError, match=r"question: one of falls"):
        sensitivity(crisis, question="fals", ensemble=None)
    assert foedus.sensitivity is sensitivity


def test_a_design_of_its_own(crisis, capsys):
    found = sensitivity(crisis, as_of="2001-03-02", design="sobol", runs=500, seed=3, workers=1)
    assert found.to_dict() == sensitivity(
        crisis, as_of="2001-03-02", design="sobol", runs=500, seed=3, workers=2
    ).to_dict()  # fmt: skip
    groups = {i.name for i in found.inputs}
    assert {"hypothesis", "streets", "alliance", "trigger", "chance"} <= groups
    assert found.runs == 32 * (len(groups) + 2)
    (falls,) = found.questions
    if falls.before.reason is None:
        assert {e.input.name for e in falls.before.effects} == groups
    print_document(sensitivities_document(found))
    assert "a separate design" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"needs .* runs or more"):
        sensitivity(crisis, design="sobol", runs=100)


def test_the_command(crisis, tmp_path, capsys):
    path = tmp_path / "crisis.yaml"
    path.write_text(crisis.model_dump_json(exclude_none=True), encoding="utf-8")
    words = ["sensitivity", str(path), "--as-of", "2001-03-02", "--runs", "200", "--workers", "1",
             "--out", str(tmp_path / "a"), "--pairs", "0"]  # fmt: skip
    chart = tmp_path / "falls.svg"
    assert main([*words, "--question", "falls", "--chart", str(chart), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == documented()
    assert chart.read_text(encoding="utf-8").startswith("<svg")
    assert main([*words, "--chart", str(chart)]) == 2
    assert "give --question too" in capsys.readouterr().err
    assert main([*words, "--question", "nobody"]) == 2
    assert "one of falls" in capsys.readouterr().err


def documented() -> set[str]:
    page = Path(__file__).parents[2] / "docs" / "reference" / "json.md"
    part = page.read_text(encoding="utf-8").split("## `foedus sensitivity --json`")[1]
    return set(re.findall(r"^\| `(\w+)` \|", part.split("\n`questions`")[0], flags=re.M))
