"""The value of a report that has not come: closed forms, readings, and a small case."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from foedus.answers.forecasts import judge
from foedus.answers.future_reports import instruments
from foedus.answers.mutual_information import entropy
from foedus.answers.watch_list import LATENT, NEVER, RATING, watch, watch_runs
from foedus.case.asof import as_of
from foedus.cli import main
from foedus.errors import InputError
from foedus.report.terminal import print_document
from foedus.report.watch_view import listed, watch_document
from foedus.weighing.weighed import weigh_runs
from foedus.world.guidance import Guidance

from ..narrowing import number, present

RUNS = 4000


def ask(toy, identifier, kind, quantity, statistic, **more):
    return toy.question(identifier, kind, quantity=quantity, statistic=statistic, **more)


@pytest.fixture
def questions(toy):
    return [
        ask(toy, "falls", "binary", "leader_leaves", "happens"),
        ask(toy, "dead", "number", "deaths_security", "max"),
        ask(toy, "when", "date", "decision", "first_day"),
        ask(toy, "flood", "binary", "crowd", "max", at_least=10**9),
    ]


@pytest.fixture
def hypotheses():
    return [
        {"id": h, "title": h, "says": "So.", "put_forward_by": "us", "weight": 1.0}
        for h in ("left", "right")
    ]


def known(toy, **given):
    return as_of(toy.case(**given), "2001-03-05")


def worth(found, quantity, day, place=None, member=None):
    date = dt.date(2001, 3, day)
    return next(w for w in found.worths if (*w.thing, w.day) == (quantity, place, member, date))


def test_an_event_that_decides_the_question_is_a_symmetric_channel(toy, questions):
    """The leader falls on day 0 or never, with equal chance; only a wrong report misleads."""
    case = known(toy, questions=questions)
    fallen = np.arange(RUNS) % 2 == 0
    block = toy.block(case, RUNS, event_leader_leaves=np.where(fallen, 0, -1))
    found = watch_runs(
        weigh_runs(case, toy.dataset(case, block)),
        question="falls",
        rating="A1",
        days=4,
        quantities=["leader_leaves"],
    )
    model = instruments(case, "leader_leaves", [8], "A1")[0].model
    # An outright wrong report says yes or no with equal chance; an honest one errs by Student's t
    # days.
    yes = model.below(8.5, np.array([0.0, np.inf]))
    joint = 0.5 * np.array([yes, 1 - yes])
    exact = entropy(joint.sum(axis=1)) + entropy(joint.sum(axis=0)) - entropy(joint.ravel())
    flip = model.error / 2
    assert exact == pytest.approx(1 - entropy(np.array([flip, 1 - flip])), abs=2e-3)
    best = worth(found, "leader_leaves", 9)
    assert best.bits == pytest.approx(exact, abs=1e-3)
    assert best.told
    assert best.asked_itself
    assert found.entropy == pytest.approx(1.0)
    assert best.bits < found.entropy
    happened, not_yet = best.readings
    assert (happened.happened, not_yet.happened) == (True, False)
    assert happened.after[1] == pytest.approx(1 - flip, abs=2e-3)
    assert not_yet.after[1] == pytest.approx(flip, abs=2e-3)
    assert happened.chance == pytest.approx(0.5, abs=1e-3)


def test_a_poor_report_is_worth_less(toy, questions):
    case = known(toy, questions=questions)
    block = toy.block(case, RUNS, event_leader_leaves=np.where(np.arange(RUNS) % 2, 0, -1))
    dataset = toy.dataset(case, block)
    bits = []
    for rating in ("A1", "B2", "C3", "D4", "E5"):
        found = watch_runs(
            weigh_runs(case, dataset),
            question="falls",
            rating=rating,
            days=4,
            quantities=["leader_leaves"],
        )
        bits.append(worth(found, "leader_leaves", 9).bits)
    assert bits == sorted(bits, reverse=True)
    assert bits[-1] < 0.3 * bits[0]


def test_what_has_nothing_to_do_with_the_question_tells_nothing(toy, questions):
    rng = np.random.default_rng(2)
    case = known(toy, questions=questions)
    crowd = np.exp(rng.normal(6.0, 1.5, (RUNS, 1, 1)))
    block = toy.block(case, RUNS, event_leader_leaves=np.where(rng.random(RUNS) < 0.5, 7, -1),
                      crowd=crowd)  # fmt: skip
    found = watch_runs(weigh_runs(case, toy.dataset(case, block)), question="falls")
    assert {w.quantity for w in found.worths if w.told} == {"leader_leaves"}
    assert {w.quantity for w in found.best()} == {"leader_leaves"}
    far = worth(found, "crowd", 6, "north")
    assert abs(far.bits) < 4 * far.error
    assert far.readings == ()
    settled = worth(found, "request", 6)  # no run ever asks, so there is nothing to learn
    assert (settled.bits, settled.told) == (0.0, False)
    # A fall on the 8th says nothing on the 6th, and much on the 10th.
    days = {w.day.day: w.bits for w in found.worths if w.quantity == "leader_leaves"}
    assert days[6] < 0.1 < 0.5 < days[10]


def test_the_later_of_two_days_is_not_looked_at_twice(toy, questions):
    case = known(toy, questions=questions)
    dataset = toy.dataset(case, toy.block(case, 300, event_leader_leaves=7))
    found = watch_runs(weigh_runs(case, dataset), question="falls", days=100)
    assert {w.day.day for w in found.worths} == set()  # all runs agree: no list at all
    assert found.entropy == 0.0
    block = toy.block(case, 300, event_leader_leaves=np.where(np.arange(300) % 2, 7, -1))
    found = watch_runs(weigh_runs(case, toy.dataset(case, block)), question="falls", days=100)
    assert {w.day.day for w in found.worths} == set(range(6, 11))
    assert not {w.quantity for w in found.worths} & LATENT
    things = [w.thing for w in found.worths if w.day.day == 6]
    assert len(things) == len(set(things))


def test_hypotheses_that_differ_in_one_thing(toy, hypotheses):
    rng = np.random.default_rng(5)
    number = np.arange(RUNS) % 2
    case = known(toy, hypotheses=hypotheses)
    loyal = np.clip(np.where(number == 1, 0.8, 0.3) + 0.02 * rng.normal(size=RUNS), 0, 1)
    block = toy.block(case, RUNS, loyal_share=loyal[:, None])
    found = watch_runs(weigh_runs(case, toy.dataset(case, block, number), guidance=Guidance()))
    assert found.about == "hypotheses"
    assert found.classes == ("left", "right")
    assert {w.quantity for w in found.best()} == {"loyal_share"}
    low, _, high = found.best()[0].readings
    assert low.after[0] > 0.8
    assert high.after[1] > 0.8
    assert low.low is None
    assert high.high is None
    assert sum(r.chance for r in found.best()[0].readings) == pytest.approx(1.0, abs=1e-6)


def test_a_reading_does_what_the_same_fact_would_do(toy, questions):
    """If the fact comes in, the forecast moves as the list predicted."""
    rng = np.random.default_rng(4)
    toll = np.exp(rng.normal(3.0, 1.0, RUNS))
    deaths = np.zeros((RUNS, 10, 2))
    deaths[:, 0, 0] = toll
    falls = np.where(rng.random(RUNS) < toll / (toll + 20.0), 8, -1)
    given = {"deaths_security": deaths, "event_leader_leaves": falls}
    case = known(toy, questions=questions)
    block = toy.block(case, RUNS, **given)
    found = watch_runs(weigh_runs(case, toy.dataset(case, block)), question="falls", days=2)
    reading = next(r for r in worth(found, "deaths_security", 7).readings if r.high is None)
    fact = toy.fact("new", "deaths_security", "2001-03-07", f"{reading.low:.0f} to 1000000000",
                    rating=RATING)  # fmt: skip
    later = as_of(toy.case(questions=questions, facts=[fact], as_of="2001-03-07"), "2001-03-07")
    judged = judge(weigh_runs(later, toy.dataset(later, toy.block(later, RUNS, **given))))
    answer = present(judged.answer("falls").estimate)
    assert answer.probability == pytest.approx(reading.after[1], abs=0.005)
    assert answer.probability_error == pytest.approx(reading.error[1], rel=0.05)
    before = number(present(judged.answer("falls").before).probability)
    assert reading.after[1] > before + 0.05


def test_readings_average_to_what_is_known_now(toy, questions):
    rng = np.random.default_rng(6)
    case = known(toy, questions=questions)
    deaths = np.exp(rng.normal(3.0, 1.0, (RUNS, 1, 1)))
    block = toy.block(case, RUNS, deaths_security=deaths)
    found = watch_runs(weigh_runs(case, toy.dataset(case, block)), question="dead")
    assert found.kind == "number"
    assert len(found.classes) == 4
    assert found.now == pytest.approx((0.25,) * 4, abs=0.002)
    assert found.entropy == pytest.approx(2.0, abs=1e-4)
    best = found.best()[0]
    mixed = sum(r.chance * np.array(r.after) for r in best.readings)
    assert mixed == pytest.approx(found.now, abs=1e-9)
    medians = [number(r.median) for r in best.readings]
    assert medians == sorted(medians)
    assert medians[0] < number(found.median) < medians[-1]
    ends = [(r.low, r.high) for r in best.readings]
    assert ends[0][0] is None or ends[0][0] <= 0
    assert all(b[0] == present(a[1]) + 1 for a, b in pairwise(ends))
    assert sum(r.in_runs for r in best.readings) == pytest.approx(1.0)


def test_reports_of_a_few_where_there_are_none_are_said_to_be_that(toy, questions, capsys):
    """No troops in nine runs of ten: an honest report of none sometimes means a few."""
    case = known(toy, questions=questions)
    falls = np.arange(RUNS) % 10 == 0
    troops = np.zeros((RUNS, case.horizon, 3))
    troops[falls, :, 1] = 2000.0
    block = toy.block(case, RUNS, troops_present=troops,
                      event_leader_leaves=np.where(falls, 8, -1))  # fmt: skip
    found = watch_runs(
        weigh_runs(case, toy.dataset(case, block)), question="falls", quantities=["troops_present"]
    )
    none, some = next(w for w in found.best() if w.member is None).readings
    assert [none.in_runs, some.in_runs] == pytest.approx([0.9, 0.1])
    assert some.chance > 0.25
    print_document(watch_document(found))
    text = " ".join(capsys.readouterr().out.split())
    assert ", so in 10%" in text
    assert "So in: the share of the runs" in text


def test_where_nothing_is_told_the_largest_are_named_as_chance(toy, questions, capsys):
    rng = np.random.default_rng(5)
    case = known(toy, questions=questions)
    crowd = np.exp(rng.normal(6.0, 1.5, (RUNS, 1, 2)))
    block = toy.block(case, RUNS, event_leader_leaves=np.where(rng.random(RUNS) < 0.5, 7, -1),
                      crowd=crowd)  # fmt: skip
    found = watch_runs(
        weigh_runs(case, toy.dataset(case, block)),
        question="falls",
        quantities=["crowd", "arrests"],
    )
    assert found.best() == ()
    largest = found.largest()
    assert largest
    assert [w.bits for w in largest] == sorted((w.bits for w in largest), reverse=True)
    assert len({w.thing for w in largest}) == len(largest)
    print_document(watch_document(found))
    text = " ".join(capsys.readouterr().out.split())
    assert re.search(r"none of \d things tells more than chance would", text)
    assert text.count("not beyond chance") == min(len(largest), 3)


def test_a_date_has_a_class_of_never(toy, questions):
    case = known(toy, questions=questions)
    decision = np.where(np.arange(RUNS) % 5 == 0, 5 + np.arange(RUNS) % 3, -1)
    block = toy.block(case, RUNS, event_decision=decision)
    found = watch_runs(weigh_runs(case, toy.dataset(case, block)), question="when")
    assert found.classes[-1] == NEVER
    assert found.now[-1] == pytest.approx(0.8)
    assert found.median is None
    assert worth(found, "decision", 10).told


def test_reports_of_the_same_thing_count_less(toy, questions):
    fact = toy.fact("crowds", "crowd", "2001-03-05", "about 500", place="north", rating="B2")
    bare, after = known(toy), known(toy, facts=[fact])
    from foedus.weighing.evidence import reports

    used = [r for r in reports(after) if r.use == "weighed"]
    alone = instruments(bare, "crowd", [5], "B2")
    beside = instruments(after, "crowd", [5], "B2", used)
    assert [i.place for i in beside] == [None, "north", "south"]
    assert [i.share for i in alone] == [1.0] * 3
    assert beside[1].share < beside[2].share < 1.0
    assert beside[1].model.scale == pytest.approx(alone[1].model.scale / beside[1].share ** 0.5)
    fare = instruments(after, "decision", [5], "B2", used)
    assert fare[0].share == 1.0
    assert [i.member for i in instruments(bare, "contribution", [5], "B2")] == [
        None,
        "big",
        "other",
    ]


def test_the_block_size_changes_nothing(toy, questions):
    rng = np.random.default_rng(1)
    case = known(toy, questions=questions)
    block = toy.block(case, 500, deaths_security=np.exp(rng.normal(3.0, 1.0, (500, 1, 1))))
    dataset = toy.dataset(case, block)
    texts = {
        json.dumps(
            watch_runs(
                weigh_runs(case, dataset, block=n),
                question="dead",
                quantities=["deaths_security"],
            )
            .to_dict()
        )
        for n in (7, 1000)
    }  # fmt: skip
    assert len(texts) == 1


def test_a_run_that_is_not_a_number_is_left_out(toy, questions):
    case = known(toy, questions=questions)
    loyal = np.where(np.arange(RUNS) % 2, 0.9, 0.2)[:, None]
    block = toy.block(case, RUNS, event_leader_leaves=np.where(np.arange(RUNS) % 2, -1, 6),
                      loyal_share=loyal)  # fmt: skip
    block["loyal_share"][:40] = np.nan
    found = watch_runs(weigh_runs(case, toy.dataset(case, block)), question="falls")
    w = worth(found, "loyal_share", 6)
    assert w.told
    assert np.isfinite(w.bits)


def test_evidence_that_no_run_can_meet_is_explained_and_nothing_is_listed(toy, questions, capsys):
    facts = [
        toy.fact(f"high{n}", quantity, "2001-03-04", 5_000_000, rating="A1")
        for n, quantity in enumerate(("crowd", "deaths_security", "arrests"))
    ]
    case = known(toy, questions=questions, facts=facts)
    block = toy.block(case, 300, event_leader_leaves=np.where(np.arange(300) % 2, 7, -1))
    block["log_guidance"][...] = np.linspace(0, -4000, 300)
    found = watch_runs(weigh_runs(case, toy.dataset(case, block)), question="falls")
    assert found.verdict.refused
    assert found.worths == ()
    assert "NaN" not in json.dumps(found.to_dict(), allow_nan=False)
    assert found.verdict.reasons
    print_document(watch_document(found))
    text = capsys.readouterr().out
    assert "No list" in text
    assert "high0" in text


def test_bad_questions_are_refused(toy, questions, hypotheses):
    case = known(toy, questions=questions)
    dataset = toy.dataset(case, toy.block(case, 10))
    for wrong, message in (
        ({"question": "fals"}, r"question: one of falls, dead, .* \(found 'fals'\)"),
        ({}, "no two hypotheses to tell apart; name a question: falls"),
        ({"question": "falls", "rating": "G9"}, r"rating: A to F and 1 to 6, .*\(found 'G9'\)"),
        ({"question": "falls", "days": 0}, "days: at least 1"),
        ({"question": "falls", "quantities": ["mood"]}, r"quantity: one of .*\(found 'mood'\)"),
    ):
        with pytest.raises(InputError, match=message):
            watch_runs(weigh_runs(case, dataset), **wrong)
    late = as_of(toy.case(questions=questions, as_of="2001-03-10"), "2001-03-10")
    with pytest.raises(InputError, match="no simulated day follows 2001-03-10"):
        watch_runs(weigh_runs(late, dataset), question="falls")


def test_the_table_shows_each_quantity_once_before_any_twice(toy, questions):
    case = known(toy, questions=questions)
    crowd = np.where(np.arange(RUNS) % 2, 5.0, 5000.0)[:, None, None]
    block = toy.block(case, RUNS, event_leader_leaves=np.where(np.arange(RUNS) % 2, -1, 6),
                      crowd=crowd, arrests=0.1 * crowd)  # fmt: skip
    found = watch_runs(weigh_runs(case, toy.dataset(case, block)), question="falls")
    three = listed(found.best(), 3)
    assert len({w.quantity for w in three}) == 3
    assert [w.bits for w in three] == sorted((w.bits for w in three), reverse=True)
    assert len(listed(found.best(), 100)) == len(found.best())


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The runs of the small case, made once."""
    return tmp_path_factory.mktemp("watch") / "runs"


def test_a_small_case_from_end_to_end(crisis, store, capsys):
    found, again = (
        watch(crisis, as_of="2001-03-04", runs=800, workers=1, out=store, question="falls")
        for _ in range(2)
    )
    assert json.dumps(found.to_dict(), allow_nan=False) == json.dumps(again.to_dict())
    assert not found.verdict.refused
    assert all(w.bits <= found.entropy + 4 * w.error for w in found.worths)
    for shown in (found, replace(found, worths=())):
        print_document(watch_document(shown))
        assert "what to look for after 4 Mar 2001" in capsys.readouterr().out


def test_the_command(crisis, store, tmp_path, capsys):
    path = tmp_path / "crisis.yaml"
    path.write_text(crisis.model_dump_json(exclude_none=True), encoding="utf-8")
    words = ["watch", str(path), "--as-of", "2001-03-04", "--runs", "800", "--workers", "1",
             "--out", str(store), "--days", "2", "--quantity", "crowd",
             "--quantity", "leader_leaves"]  # fmt: skip
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == documented()
    assert {w["quantity"] for w in found["reports"]} <= {"crowd", "leader_leaves"}
    assert main([*words, "--question", "falls"]) == 0
    assert "falls?" in capsys.readouterr().out
    assert main([*words, "--rating", "Z9"]) == 2
    assert "rating: A to F" in capsys.readouterr().err


def documented() -> set[str]:
    page = Path(__file__).parents[2] / "docs" / "reference" / "json.md"
    part = page.read_text(encoding="utf-8").split("## `foedus watch --json`")[1]
    return set(re.findall(r"^\| `(\w+)` \|", part.split("\n`reports`")[0], flags=re.M))
