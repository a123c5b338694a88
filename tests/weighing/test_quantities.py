from __future__ import annotations

import numpy as np
import pytest

from foedus.case.models import Statistic
from foedus.errors import InputError
from foedus.weighing.quantities import Frame, blocks, evaluate, event_day, series, variables


@pytest.fixture
def setup(toy):
    case = toy.case()
    rng = np.random.default_rng(1)
    deaths = rng.integers(0, 5, (4, 10, 2))
    block = toy.block(
        case,
        4,
        deaths_protesters=deaths,
        deaths_security=1.0,
        deaths_allied=0.5,
        crowd=rng.integers(0, 100, (4, 10, 2)),
        legitimacy=np.array([0.2, 0.6]),
        troops_present=np.arange(3) * 100.0,
        event_request=np.array([-1, 0, 3, 9]),
        event_decision=np.array([-1, -1, 4, 9]),
        event_refusal=np.array([-1, 2, -1, -1]),
        mandate=np.array([30.0, 40.0, 50.0, 60.0]),
        vote=np.array([[9, 9, 9], [1, -1, 0], [1, 1, 0], [1, 1, 1]]),
        contribution_day=np.array([[-1, -1, -1], [-1, -1, -1], [-1, 5, 4], [-1, 9, -1]]),
        arrival_day=np.array([[np.inf] * 3, [np.inf] * 3, [np.inf, 5.7, 4.2], [np.inf] * 3]),
    )
    return case, Frame.of(case), block, deaths


def test_flows_are_cumulative_and_add_up(setup):
    _, frame, block, deaths = setup
    total = series(block, frame, "deaths_protesters")
    assert np.array_equal(total, deaths.sum(axis=2).cumsum(axis=1))
    north = series(block, frame, "deaths_protesters", place="north")
    south = series(block, frame, "deaths_protesters", place="south")
    assert np.array_equal(north + south, total)
    days = np.arange(1, 11)
    assert np.allclose(series(block, frame, "deaths_total"), total + 2.0 * days + 0.5 * days)


def test_stocks_levels_and_members(setup):
    _, frame, block, _ = setup
    assert np.allclose(series(block, frame, "legitimacy"), (0.2 * 9 + 0.6 * 3) / 12)
    assert np.allclose(series(block, frame, "legitimacy", place="south"), 0.6)
    assert np.allclose(series(block, frame, "troops_present"), 300.0)
    assert np.allclose(series(block, frame, "troops_present", member="other"), 200.0)
    unrest = series(block, frame, "cities_in_unrest")
    assert np.array_equal(unrest, (block["crowd"] > 50).sum(axis=2))


def test_a_mandate_counts_from_the_decision_on(setup):
    _, frame, block, _ = setup
    assert set(variables("mandate")) == {"mandate", "event_decision"}
    mandate = series(block, frame, "mandate")
    assert not mandate[:2].any()
    assert mandate[2].tolist() == [0.0] * 4 + [50.0] * 6
    assert mandate[3].tolist() == [0.0] * 9 + [60.0]


def test_events(setup):
    _, frame, block, _ = setup
    assert event_day(block, frame, "request").tolist() == [np.inf, 0, 3, 9]
    assert event_day(block, frame, "contribution").tolist() == [np.inf, np.inf, 4, 9]
    assert event_day(block, frame, "contribution", member="big").tolist()[2:] == [5, 9]
    assert event_day(block, frame, "first_arrival", member="big").tolist()[2] == 5
    assert event_day(block, frame, "vote_for", member="big").tolist() == [np.inf, np.inf, 4, 9]
    assert event_day(block, frame, "vote_for", member="home").tolist() == [np.inf, 2, 4, 9]


@pytest.mark.parametrize(
    ("ask", "kind", "expected"),
    [
        ({"quantity": "request", "statistic": "happens"}, "binary", [0, 1, 1, 1]),
        (
            {"quantity": "request", "statistic": "happens", "by_date": "2001-03-04"},
            "binary",
            [0, 1, 1, 0],
        ),
        (
            {"quantity": "request", "statistic": "happens", "from_date": "2001-03-02"},
            "binary",
            [0, 0, 1, 1],
        ),
        (
            {"quantity": "request", "statistic": "first_day", "by_date": "2001-03-04"},
            "date",
            [np.inf, 0, 3, np.inf],
        ),
        ({"quantity": "request", "statistic": "at"}, "binary", [0, 1, 1, 1]),
        (
            {"quantity": "deaths_security", "statistic": "first_day", "at_least": 6},
            "date",
            [2, 2, 2, 2],
        ),
        (
            {"quantity": "deaths_security", "statistic": "at", "by_date": "2001-03-02"},
            "number",
            [4, 4, 4, 4],
        ),
        (
            {"quantity": "deaths_security", "statistic": "max", "at_most": 19},
            "binary",
            [0, 0, 0, 0],
        ),
        ({"quantity": "deaths_security", "statistic": "mean"}, "number", [11, 11, 11, 11]),
        (
            {"quantity": "troops_present", "statistic": "happens", "member": "home"},
            "binary",
            [0, 0, 0, 0],
        ),
    ],
)
def test_evaluate(setup, ask, kind, expected):
    _, frame, block, _ = setup
    assert evaluate(block, frame, Statistic(**ask), kind=kind).tolist() == expected


def test_blocks_cover_all_runs_and_any_size_gives_the_same(setup, toy):
    case, frame, block, _ = setup
    dataset = toy.dataset(case, block)
    ask = Statistic(quantity="deaths_total", statistic="at")
    names = variables("deaths_total")
    whole = evaluate(block, frame, ask, kind="number")
    for size in (1, 3, 4, 100):
        parts = [evaluate(b, frame, ask, kind="number") for b in blocks(dataset, names, size=size)]
        assert np.array_equal(np.concatenate(parts), whole)
    with pytest.raises(InputError, match="lacks nothing_such"):
        list(blocks(dataset, ["nothing_such"], size=2))


@pytest.mark.parametrize(
    ("quantity", "where", "message"),
    [
        ("crowd", {"place": "east"}, "place: one of north, south"),
        ("crowd", {"member": "big"}, "not known by member"),
        ("deaths_total", {"place": "north"}, "not known by place"),
        ("troops_present", {"member": "none"}, "member: one of home, big, other"),
        ("request", {"member": "big"}, "not known by member"),
        ("moods", {}, "quantity: one of"),
    ],
)
def test_what_is_not_there(setup, quantity, where, message):
    _, frame, block, _ = setup
    with pytest.raises(InputError, match=message):
        series(block, frame, quantity, **where)


def test_a_window_outside_the_case(setup):
    _, frame, block, _ = setup
    ask = Statistic(quantity="crowd", statistic="max", from_date="2001-04-01")
    with pytest.raises(InputError, match="must hold a simulated day"):
        evaluate(block, frame, ask, kind="number")
