"""From a forecast to its brief, on a small forecast made by hand."""

import dataclasses
import datetime as dt
import math

import numpy as np
import pytest

import foedus
from foedus.judgement.baselines import Outside
from foedus.judgement.results import Answer, Estimate, Evidence, Explanation, Fan, Forecast
from foedus.judgement.weights import weigh
from foedus.report.brief import render
from foedus.report.forecast import NEVER, brief_of, command, outside, short, span

START = dt.date(2022, 1, 2)
AS_OF = dt.date(2022, 1, 7)


@pytest.fixture(scope="module")
def case() -> foedus.Case:
    return foedus.load_case("kazakhstan-2022")


def evidence(name: str, quantity: str | None, reported: str | None, **more: object) -> Evidence:
    return Evidence(
        id=name, about="2022-01-06", known_from="2022-01-06", text=f"Fact {name}.", rating="B2",
        quantity=quantity, place=None, member=None, reported=reported, speaker=None, source="s",
        source_name="An agency", address=None, use="weighed", **more,  # type: ignore[arg-type]
    )  # fmt: skip


def forecast(runs: int = 400) -> Forecast:
    dates = tuple(START + dt.timedelta(days=d) for d in range(20))
    rows = np.outer([0.5, 0.8, 1.0, 1.5, 3.0], np.arange(20.0))
    view = Outside(
        "troops: protest: 2 of 9, mean 0.25 (90% interval 0.07 to 0.49)", 9, 0.25, 0.07, 0.49
    )
    return Forecast(
        case_id="kazakhstan-2022",
        title="Kazakhstan, January 2022",
        as_of=AS_OF,
        start=START,
        end=dates[-1],
        weights=weigh(np.zeros(runs)),
        answers=(
            Answer("b", "Will they?", "binary", "", "decision",
                   Estimate(0.4, 0.02), Estimate(0.2, 0.01), view),
            Answer("n", "How many?", "number", "people", "arrests",
                   Estimate(mean=5.0, quantiles=(1.0, 2.0, 3.0, 4.0, 5000.0))),
            Answer("d", "When?", "date", "day", "first_arrival",
                   Estimate(0.6, 0.1, quantiles=(START, START, AS_OF, None, None)), settled_by="f"),
        ),
        hypotheses=(
            Explanation("a", "First", "says", "someone", 0.5, 0.3, 0.1, 0.4, 200),
            Explanation("b", "Second", "says", "someone", 0.5, 0.7, 0.1, 2.3, 200),
        ),
        fans=(Fan("deaths_total", "All killed so far", "people", dates, rows),),
        evidence=(
            evidence("least", "deaths_total", "at least 13", runs=(1.0, 5.0, 20.0), disbelief=0.7),
            evidence("city", "deaths_total", "dozens") ,
            evidence("other", "arrests", "100"),
            evidence("event", "decision", "yes", runs=(None, None, None)),
        ),
        replayed={"facts": [], "median": 0.0, "best": 0.0, "excluded": 0.0},
        provenance={"case_name": "kazakhstan-2022", "seed": 7, "versions": {"foedus": "0"}},
    )  # fmt: skip


def test_facts_are_drawn_on_the_chart_of_their_quantity(case: foedus.Case) -> None:
    (fan,) = brief_of(forecast(), case).fans
    assert [(m.low, m.high, m.point) for m in fan.marks] == [
        (13.0, math.inf, None),
        (24.0, 99.0, None),
    ]
    assert all(m.date == dt.date(2022, 1, 6) for m in fan.marks)
    assert not any(m.part for m in fan.marks)


def test_a_city_report_is_marked_as_a_part_and_a_plan_is_not_drawn(case: foedus.Case) -> None:
    whole = forecast()
    city = dataclasses.replace(whole.evidence[0], place="almaty")
    plan = dataclasses.replace(whole.evidence[1], use="plan")
    (fan,) = brief_of(dataclasses.replace(whole, evidence=(city, plan)), case).fans
    assert [m.part for m in fan.marks] == [True]
    assert "in almaty" in fan.marks[0].label


def test_explanations_are_sorted_by_what_the_evidence_says(case: foedus.Case) -> None:
    assert [e.title for e in brief_of(forecast(), case).explanations] == ["Second", "First"]


def test_evidence_says_how_it_was_used_and_disbelieved(case: foedus.Case) -> None:
    rows = {e.text: e for e in brief_of(forecast(), case).evidence}
    assert "disbelieve" in rows["Fact least."].use
    assert rows["Fact least."].runs_say == "5 (1 to 20)"
    assert rows["Fact event."].runs_say == NEVER


def test_the_summary_is_left_out_before_the_case_was_written(case: foedus.Case) -> None:
    assert brief_of(forecast(), case).summary == case.summary
    early = dataclasses.replace(forecast(), as_of=dt.date(2022, 1, 5))
    assert "without warning" not in brief_of(early, case).summary


def test_answers_in_words(case: foedus.Case) -> None:
    binary, number, date = brief_of(forecast(), case).answers
    assert (binary.probability, binary.base_rate, binary.before) == (0.4, 0.25, "20%")
    assert binary.base_text == "(7% to 49%) troops: protest: 2 of 9"
    assert (number.low, number.middle, number.high) == ("1", "3", "5,000")
    assert (date.low, date.middle, date.high) == ("2 Jan 2022", "7 Jan 2022", NEVER)
    assert "“f”" in date.note


def test_short_forms() -> None:
    assert short(None, "binary") == ""
    assert span(None, "date") == ("", "", "")
    assert short(Estimate(0.04, 0.01, quantiles=(None,) * 5), "date") == "4%"
    assert outside(None, "number") == (None, "")
    view = Outside("sizes", 3, levels=(0.05, 0.5, 0.95), values=(10.0, 200.0, 3000.0))
    assert outside(view, "number") == (None, "200 (10 to 3,000): sizes")


def test_a_refusal_is_said_once_and_charts_are_left_out(case: foedus.Case) -> None:
    whole = forecast(10)
    assert whole.verdict == "refused"
    blank = np.full_like(whole.fans[0].quantiles, np.nan)
    none = tuple(
        dataclasses.replace(a, estimate=None, reason="refused: because") for a in whole.answers
    )
    fans = (dataclasses.replace(whole.fans[0], quantiles=blank),)
    brief = brief_of(dataclasses.replace(whole, answers=none, fans=fans), case)
    assert brief.fans == ()
    page = render(brief)
    assert "No answer" in page
    assert "refused: because" not in page


def test_the_command_makes_the_forecast_again(case: foedus.Case) -> None:
    words = "foedus forecast kazakhstan-2022 --as-of 2022-01-07 --runs 400 --seed 7"
    assert command(forecast()) == words
    assert dict(brief_of(forecast(), case).provenance)["Command"] == words


def test_the_public_function_writes_the_file(case: foedus.Case, tmp_path: object) -> None:
    path = foedus.brief(forecast(), case, f"{tmp_path}/brief.html")
    assert path.read_text(encoding="utf-8") == render(brief_of(forecast(), case))
