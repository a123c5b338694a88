"""Synthetic crises follow the evidence model, and the benchmark runs and resumes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from foedus.case.models import Fact
from foedus.weighing.evidence import reports
from foedus.weighing.known_totals import Total
from foedus.weighing.observation_model import observation
from foedus.world.guidance import Guidance

from ..narrowing import present
from ..scripts import script

AS_OF = 7


@pytest.fixture(scope="module")
def case(calibration):
    return calibration.shared_case()


@pytest.fixture(scope="module")
def truths(case, synthetic):
    return [synthetic.draw_truth(case, 500 + i) for i in range(3)]


def _run(case, **constant):
    """A run in which nothing changes; all members and all cities are alike."""
    days, cities, members = case.horizon, len(case.places), len(case.alliance.members)
    run = {"crowd": np.full((1, days, cities), 900.0, dtype=np.float32)}
    run["deaths_protesters"] = np.zeros((1, days, cities), dtype=np.float32)
    run["deaths_protesters"][0, 2] = 7.0
    run["internet"] = np.full((1, days), 0.93, dtype=np.float32)
    run["outside_belief"] = np.full((1, days), 0.4, dtype=np.float32)
    run["troops_announced"] = np.full((1, days, members), 300.0, dtype=np.float32)
    run["event_request"] = np.array([4], dtype=np.int16)
    run["event_refusal"] = np.array([-1], dtype=np.int16)
    return run | constant


@pytest.mark.parametrize(
    ("quantity", "truth"),
    [
        ("crowd", 1800.0),
        ("deaths_protesters", 14.0),
        ("internet", 0.93),
        ("outside_belief", 0.4),
        ("troops_announced", 900.0),
        ("request", 4.0),
        ("refusal", np.inf),
    ],
)
def test_reports_come_as_often_as_the_likelihood_says(case, synthetic, quantity, truth):
    """The generator and the observation model were written separately; here they must agree."""
    reporter = synthetic.Reporter(case, _run(case), np.random.default_rng(8))
    reporter.rating = lambda weak=False: "C3"
    reporter.times = lambda quantity, day, lag: ("2001-03-06", "2001-03-07", 1.0, 1.0)
    n = 12_000
    for _ in range(n):
        if quantity in ("request", "refusal"):
            reporter.event(quantity, None, weak=True)
        else:
            reporter.number(quantity, day=5, place=None, member=None)
    facts = [Fact.model_validate(f) for f in reporter.facts]
    of: dict[Fact, tuple[Any, ...]]
    if quantity in ("request", "refusal"):
        of = {f: (present(f.value).kind, case.day(f.about), f.since) for f in facts}
    else:
        # Numbers, classes and bounds are separate partitions.
        of = {f: (present(f.value).kind, str(f.value), f.unit) for f in facts}
    forms: dict[Any, list[Fact]] = {}
    for fact in facts:
        kind = of[fact][0]
        form = {"at_least": "bound", "at_most": "bound", "yes": "event", "no": "event"}.get(kind)
        forms.setdefault((form or kind, fact.unit), []).append(fact)
    if quantity == "internet":  # a bound is how the end of the scale is written
        forms = {unit: [f for f in facts if f.unit == unit] for unit in {f.unit for f in facts}}
    checked = 0
    for told in forms.values():
        cells: dict[tuple[Any, ...], list[Fact]] = {}
        for fact in told:
            cells.setdefault(of[fact], []).append(fact)
        observed, expected = [], []
        for cell in cells.values():
            day = case.day(cell[0].about)
            if (
                day < 0
            ):  # before the first day: the forecast does not read it, so it counts with the rest
                continue
            model = observation(cell[0], day=day, horizon=case.horizon)
            if quantity in synthetic.FLOWS:
                told_alone = Total([model]).agreement(np.array([[truth]])).total[0]
                chance = float(np.exp(told_alone))
            else:
                chance = float(np.exp(model.log_likelihood(np.array([truth]))[0]))
            if cell[0].since is not None:
                chance *= 0.3  # the share of reports that name three days and not one
            elif present(cell[0].value).kind == "yes":
                chance *= 0.7
            if chance * len(told) >= 8:
                observed.append(len(cell))
                expected.append(chance * len(told))
        observed.append(len(told) - sum(observed))
        expected.append(len(told) - sum(expected))
        if expected[-1] < 8:  # the rest is small: merge it
            last = expected.pop(), observed.pop()
            expected[-1], observed[-1] = expected[-1] + last[0], observed[-1] + last[1]
        if len(expected) > 1:
            assert stats.chisquare(observed, expected).pvalue > 1e-3
            checked += 1
    assert checked


def test_what_is_asked_does_not_look_at_the_truth(case, synthetic, truths):
    def asked(make, truth):
        crisis = make(case, truth.outputs, np.random.default_rng(3)).case
        return [(f.quantity, f.place, f.member, f.rating, f.known_from) for f in crisis.facts]

    for make in (synthetic.separate, synthetic.crowded):
        first, *others = (asked(make, t) for t in truths)
        assert all(other == first for other in others)


def test_separate_reports_count_in_full_and_crowded_ones_do_not(case, synthetic, truths):
    for seed in range(20):
        random = np.random.default_rng(seed)
        crisis = synthetic.separate(case, truths[0].outputs, random).case
        weighed = [r for r in reports(crisis, Guidance()) if r.use == "weighed"]
        assert {r.share for r in weighed} == {1.0}
    crisis = synthetic.crowded(case, truths[0].outputs, np.random.default_rng(1)).case
    shares = [r.share for r in reports(crisis, Guidance()) if r.use == "weighed"]
    assert len(shares) > 15
    assert np.mean(shares) < 0.7


def test_replayed_decisions_are_the_truth_and_make_the_same_run(calibration, case, synthetic):
    """A run that replays its own decisions is the same run: replaying draws nothing new."""
    same = 0
    for number in range(6):
        truth = synthetic.draw_truth(case, 500 + number)
        crisis = synthetic.separate(
            case, truth.outputs, np.random.default_rng(number), replayed=True
        )
        guidance = replace(Guidance.of(crisis.case), thins=False)
        assert guidance.facts
        for (event, member), day in guidance.days.items():
            assert synthetic.event(truth.outputs, case, event, member or None) == day <= AS_OF
        again = synthetic.simulate(case, truth.draws, truth.seed, guidance)
        assert again["log_guidance"][0] > len(guidance.facts) * np.log(1e-9) * AS_OF
        same += calibration.same_run(truth.outputs, again)
    assert same >= 4  # a request to another patron may be drawn again


def test_the_scales_are_whole_again(calibration):
    from foedus.weighing import observation_model as tables

    before = dict(tables.RELIABILITY), dict(tables.HABITS)
    with calibration.halved_scales():
        assert tables.RELIABILITY["A"][0] == before[0]["A"][0] / 2
        assert tables.HABITS["crowd"].discrepancy == before[1]["crowd"].discrepancy / 2
    assert (dict(tables.RELIABILITY), dict(tables.HABITS)) == before


@pytest.mark.bench
def test_four_crises_and_again(calibration, tmp_path, monkeypatch):
    small = {"runs": 120, "own_runs": 100, "workers": 1, "out": tmp_path}
    figures, by_arm = calibration.measure(4, **small)
    assert {arm: len(found) for arm, found in by_arm.items()} == {
        "separate": 4, "replayed": 4, "crowded": 4, "broken": 2
    }  # fmt: skip
    for found in figures["arms"].values():
        assert {"50", "80", "95"} == set(found["coverage"])
        assert all(0 < p <= 1 for p in found["p"].values())
        assert found["outside"] == 0
    for result in (r for found in by_arm.values() for r in found):
        ranks = [*result["exact"].values(), *result["parameters"].values(), result["fit"]]
        assert all(0 <= rank <= 1 for rank in ranks)
    assert by_arm["replayed"][0]["replayed"] >= 2
    text = json.dumps(figures, allow_nan=False)
    assert json.loads(text)["crises"] == 4
    monkeypatch.setattr(calibration, "judged", lambda *a: pytest.fail("made again"))
    again, _ = calibration.measure(4, **small)
    assert json.dumps(again) == text
    pages = script("benchmarks/calibration_page.py")
    shown = pages.page(figures)
    assert "Are the forecasts calibrated?" in shown
    assert "| separate | 4 |" in shown
    assert "## By question" in pages.details(figures)
