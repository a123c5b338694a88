"""Explanations from runs: known Bayes factors through the whole of weighing, and a small case."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from foedus.answers.bayes_factors import Grade, Witness, standings
from foedus.answers.explanations import DECISIONS, agreement, distance, explain, weigh_hypotheses
from foedus.cli import main
from foedus.report.explanation_view import explanations_document
from foedus.report.terminal import print_document
from foedus.report.verdict_words import words
from foedus.weighing.weighed import weigh_runs
from foedus.world.guidance import Guidance

RUNS = 4000


def hypotheses(*weights: float):
    return [
        {"id": f"h{n}", "title": f"H{n}", "says": "So.", "put_forward_by": "Us", "weight": w}
        for n, w in enumerate(weights)
    ]


def weighed(toy, price, hypothesis, *, weights=(1.0, 1.0), facts=(), **given):
    case = toy.case(
        hypotheses=hypotheses(*weights),
        facts=list(facts),
        questions=[
            toy.question("deaths", "number", quantity="deaths_total", statistic="max"),
            toy.question("falls", "binary", quantity="leader_leaves", statistic="happens"),
        ],
    )
    block = toy.block(case, RUNS, log_guidance=price, **given)
    dataset = toy.dataset(case, block, hypothesis)
    return weigh_hypotheses(weigh_runs(case, dataset, guidance=Guidance()))


def test_a_known_factor_through_judgement(toy):
    number = np.arange(RUNS) % 2
    price = np.where(number == 1, math.log(0.6), math.log(0.2))
    found = weighed(toy, price, number, weights=(3.0, 1.0))
    first, second = found.hypotheses
    assert second.evidence.factor[0] == pytest.approx(3.0)
    assert second.evidence.posterior == pytest.approx(0.5)
    assert first.prior == 0.75
    assert words(second.evidence.strength) == "positive for it"
    assert second.moved_by[0].fact == DECISIONS
    assert second.moved_by[0].shift == pytest.approx(math.log(3.0))
    assert second.moved_by[0].told
    assert words(second.casebook.strength) == "the casebook does not tell"
    assert second.casebook.posterior == pytest.approx(0.25)
    assert second.both == second.evidence


def test_identical_hypotheses(toy):
    rng = np.random.default_rng(5)
    found = weighed(toy, rng.normal(size=RUNS), np.arange(RUNS) % 2)
    for h in found.hypotheses:
        assert h.evidence.factor[1] < 1.0 < h.evidence.factor[2]
        assert words(h.evidence.strength) == "the evidence does not tell"
        assert not any(m.told for m in h.moved_by)
    (apart,) = found.apart
    assert words(apart.strength) == "the evidence does not tell"
    assert not apart.told


def test_the_fact_that_moves_a_hypothesis(toy):
    number = np.arange(RUNS) % 2
    loyal = np.where(number == 1, 0.9, 0.5)[:, None]
    fact = toy.fact("half", "loyal_share", "2001-03-04", 0.9, rating="C3")
    found = weighed(toy, 0.0, number, facts=[fact], loyal_share=loyal)
    moved = found.hypotheses[1].moved_by[0]
    assert (moved.fact, moved.told) == ("half", True)
    assert moved.shift > 0
    assert found.hypotheses[0].moved_by[0].shift == pytest.approx(-moved.shift)


def test_how_far_apart(toy):
    number = np.arange(RUNS) % 2
    falls = np.where((number == 1) | (np.arange(RUNS) % 8 == 0), 3, -1)
    found = weighed(toy, 0.0, number, event_leader_leaves=falls)
    (apart,) = found.apart
    assert apart.question == "falls"
    assert apart.distance == pytest.approx(0.75)
    assert apart.told


def test_where_the_forecast_is_refused_the_evidence_says_nothing(toy):
    price = np.zeros(RUNS)
    price[0] = 60.0
    found = weighed(toy, price, np.arange(RUNS) % 2)
    assert found.verdict.refused
    assert {h.evidence.strength.grade for h in found.hypotheses} == {Grade.TOO_FEW}
    assert found.apart == ()
    assert json.dumps(found.to_dict(), allow_nan=False)


def test_agreement_with_the_casebook():
    half = (np.full(100, 0.5), np.full(100, 0.8))
    same = np.array([[[50, 50]] * 2, [[40, 10]] * 2])
    for s in standings(agreement(half, same), np.full(2, 0.5), witness=Witness.CASEBOOK):
        assert words(s.strength) == "the casebook does not tell"
        assert s.posterior == pytest.approx(0.5)
    far = np.array([[[50, 50], [2, 98]], [[40, 10], [40, 10]]])
    good, bad = standings(agreement(half, far), np.full(2, 0.5), witness=Witness.CASEBOOK)
    assert good.posterior > 0.6 > bad.posterior
    assert good.posterior < 0.95  # never worth more than about one case


def test_distance_of_weighted_distributions():
    values = np.array([0.0, 1.0, 1.0, np.inf])
    a, b = np.array([0.5, 0.0, 0.5, 0.0]), np.array([0.0, 0.5, 0.0, 0.5])
    assert distance(values, a, b) == pytest.approx(0.5)
    assert distance(values, a, a) == 0.0
    assert distance(np.zeros(4), a, b) == 0.0


def test_a_small_case_from_end_to_end(crisis, tmp_path, capsys):
    found, again = (
        explain(crisis, as_of="2001-03-05", runs=600, seed=7, workers=1, out=tmp_path / name,
                pairs=20)
        for name in ("a", "b")
    )  # fmt: skip
    made, once_more = (json.dumps(x.to_dict(), allow_nan=False) for x in (found, again))
    assert made == once_more
    assert not found.verdict.refused
    assert {c.name for c in found.counterfactuals} >= {"no-fire-order", "no-backing"}
    assert sum(h.evidence.posterior for h in found.hypotheses) == pytest.approx(1.0)
    assert words(found.casebook).startswith("Before it began, the casebook expected: a request")
    assert explain(crisis, as_of="2001-03-05", runs=600, seed=7, out=tmp_path / "a",
                   pairs=0).counterfactuals == ()  # fmt: skip
    print_document(explanations_document(found))
    text = capsys.readouterr().out
    assert "Which explanation?" in text
    assert "Without the order to fire (20 pairs" in text


def test_the_command(crisis, tmp_path, capsys):
    path = tmp_path / "crisis.yaml"
    path.write_text(crisis.model_dump_json(exclude_none=True), encoding="utf-8")
    words = ["explain", str(path), "--as-of", "2001-03-05", "--runs", "200", "--workers", "1",
             "--out", str(tmp_path / "a"), "--pairs", "0"]  # fmt: skip
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == documented()
    assert main(words) == 0
    assert "Which explanation?" in capsys.readouterr().out


def documented() -> set[str]:
    page = Path(__file__).parents[2] / "docs" / "reference" / "json.md"
    part = page.read_text(encoding="utf-8").split("## `foedus explain --json`")[1]
    return set(re.findall(r"^\| `(\w+)` \|", part.split("\n`hypotheses`")[0], flags=re.M))
