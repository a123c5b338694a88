"""From a forecast to its brief, on a small forecast made by hand."""

import dataclasses
import datetime as dt
import math
from typing import Any

import numpy as np
import pytest

import foedus
from foedus.answers.bayes_factors import Grade, Standing, Strength
from foedus.answers.counterfactuals import Contrast, Difference
from foedus.answers.explanations import Explanations, Hypothesis, Moved, NoCasebookView
from foedus.answers.outside_view import Outside
from foedus.answers.watch_list import Reading, Watch, Worth
from foedus.case.question_kinds import Estimate
from foedus.report.answer_words import outside, short, span
from foedus.report.brief import brief_of, command
from foedus.report.document import (
    Brief,
    Cell,
    Charts,
    FanChart,
    Items,
    Pairs,
    Paragraph,
    Section,
    Table,
    parts_of,
)
from foedus.report.explanation_view import said
from foedus.report.html import render
from foedus.weighing.verdict import Failure, Verdict

from .made_up import AS_OF, START, forecast


@pytest.fixture(scope="module")
def case() -> foedus.Case:
    return foedus.load_case("kazakhstan-2022")


def section(brief: Brief, name: str) -> Section:
    """Return a section of a brief by its name."""
    return next(s for s in brief.sections if s.name == name)


def rows(brief: Brief, name: str) -> list[tuple[Cell, ...]]:
    """Return the rows of all tables of a section, the cells as cells."""
    found = parts_of(section(brief, name).parts, Table)
    return [row for table in found for row in table.full().rows]  # type: ignore[misc]


def fans(brief: Brief) -> tuple[FanChart, ...]:
    """Return the charts of a brief."""
    return next(parts_of(brief.sections, Charts)).fans


def cautions(brief: Brief) -> tuple[str, ...]:
    """Return what to keep in mind of a brief."""
    return next(parts_of(section(brief, "trust").parts, Items)).texts


def again(brief: Brief) -> dict[str, str]:
    """Return how to make a brief again."""
    return dict(next(parts_of(section(brief, "provenance").parts, Pairs)).rows)


def test_facts_are_drawn_on_the_chart_of_their_quantity(case: foedus.Case) -> None:
    (fan,) = fans(brief_of(forecast(), case))
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
    (fan,) = fans(brief_of(dataclasses.replace(whole, evidence=(city, plan)), case))
    assert [m.part for m in fan.marks] == [True]
    assert "in almaty" in fan.marks[0].label


def test_explanations_are_sorted_by_what_the_evidence_says(case: foedus.Case) -> None:
    assert [e.text for e, *_ in rows(brief_of(forecast(), case), "explanations")] == [
        "Second",
        "First",
    ]


def test_evidence_says_how_it_was_used_and_disbelieved(case: foedus.Case) -> None:
    found = rows(brief_of(forecast(), case), "evidence")
    says = {fact.text: runs_say.text for _, fact, _, runs_say, _, _ in found}
    use = {fact.text: use.text for _, fact, *_, use in found}
    assert "disbelieve" in use["Fact least."]
    assert says["Fact least."] == "5 (1 to 20)"
    assert says["Fact event."] == "not by 21 Jan 2022"


def test_the_summary_is_left_out_before_the_case_was_written(case: foedus.Case) -> None:
    assert brief_of(forecast(), case).summary == case.summary
    early = dataclasses.replace(forecast(), as_of=dt.date(2022, 1, 5))
    assert "without warning" not in brief_of(early, case).summary


def test_answers_in_words(case: foedus.Case) -> None:
    brief = brief_of(forecast(), case)
    binary, number, date = rows(brief, "answers")
    bar = binary[1].bar
    assert bar is not None
    assert (bar.share, bar.compared, binary[2].text) == (0.4, 0.25, "20%")
    assert binary[0].beside == "(simulation 30%, history 50%)"
    assert number[0].beside == "(people)"
    (base_rates,) = (
        p for p in parts_of(section(brief, "trust").parts, Pairs) if "Will they?" in dict(p.rows)
    )
    assert dict(base_rates.rows)["Will they?"] == "(7% to 49%) troops: protest: 2 of 9"
    assert [c.text for c in number[1:4]] == ["1", "3", "5,000"]
    assert [c.text for c in date[1:4]] == ["2 Jan 2022", "7 Jan 2022", "not by 21 Jan 2022"]
    assert "“f”" in date[0].below[0]


def test_short_forms() -> None:
    assert short(None, "binary") == ""
    assert span(None, "date") == ("", "", "")
    assert short(Estimate(0.04, 0.01, quantiles=(None,) * 5), "date") == "4%"
    assert outside(None, "number") == ""
    view = Outside(text="sizes", n=3, levels=(0.05, 0.5, 0.95), values=(10.0, 200.0, 3000.0))
    assert outside(view, "number") == "200 (10 to 3,000): sizes"


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        ((START, AS_OF, AS_OF), "7 Jan 2022 (2 Jan 2022 to 7 Jan 2022)"),
        ((START, AS_OF, None), "7 Jan 2022 (2 Jan 2022 to after 21 Jan 2022)"),
        ((AS_OF, None, None), "not by 21 Jan 2022 (one in twenty by 7 Jan 2022)"),
        ((None, None, None), "not by 21 Jan 2022"),
    ],
)
def test_a_date_that_is_open_at_the_end_reads_as_such(
    dates: tuple[dt.date | None, ...], words: str
) -> None:
    end = dt.date(2022, 1, 21)
    view = Outside(text="few", n=3, levels=(0.05, 0.5, 0.95), dates=dates)
    assert outside(view, "date", end) == f"{words}: few"
    quantiles = (dates[0], dates[0], dates[1], dates[2], dates[2])
    half = f", half by {words.split(' (')[0]}" if dates[1] else ""
    assert short(Estimate(0.6, 0.1, quantiles=quantiles), "date", end) == f"60%{half}"


def test_a_refusal_is_said_once_and_charts_are_left_out(case: foedus.Case) -> None:
    whole = forecast(10)
    assert whole.verdict.refused
    blank = np.full_like(whole.fans[0].quantiles, np.nan)
    none = tuple(
        dataclasses.replace(
            a,
            estimate=None,
            history=None,
            headline=None,
            reason=Failure(problem="refused: because"),
        )
        for a in whole.answers
    )
    fans = (dataclasses.replace(whole.fans[0], quantiles=blank),)
    brief = brief_of(dataclasses.replace(whole, answers=none, fans=fans), case)
    assert not list(parts_of(brief.sections, Charts))
    page = render(brief)
    assert "No answer" in page
    assert "refused: because" not in page


def test_history_alone_says_so(case: foedus.Case) -> None:
    whole = forecast(10)
    assert whole.verdict.refused
    alone = dataclasses.replace(
        whole.answers[0],
        estimate=None,
        pooled=None,
        headline=whole.answers[0].history,
        source="history",
    )
    page = render(brief_of(dataclasses.replace(whole, answers=(alone,)), case))
    assert "The simulation has no answer: too few runs" in page
    assert "(history alone: too few runs agree with what is known)" in page


def test_the_command_makes_the_forecast_again(case: foedus.Case) -> None:
    words = "foedus forecast kazakhstan-2022 --as-of 2022-01-07 --runs 400 --seed 7"
    assert command(forecast()) == words
    assert again(brief_of(forecast(), case))["Command"] == words


@pytest.mark.parametrize(
    ("parts", "options"),
    [
        ({"explanations": 40}, "--pairs 40 --no-watch"),
        ({"explanations": 0}, "--pairs 0 --no-watch"),
        ({"watch": ("b",)}, "--no-explain --question b"),
        ({"watch": ("b", "hypotheses")}, "--no-explain"),
        ({"watch": ("hypotheses",)}, "--no-explain"),
        ({"explanations": 40, "watch": ("b", "hypotheses")}, "--pairs 40"),
    ],
)
def test_the_command_makes_all_parts_of_a_report_again(
    case: foedus.Case, parts: dict[str, Any], options: str
) -> None:
    made = forecast()
    more: dict[str, Any] = {}
    if "explanations" in parts:
        whole = explained()
        more["explanations"] = whole if parts["explanations"] else explained(counterfactuals=())
    if "watch" in parts:
        more["watch"] = [
            looked_for(about=about, kind="hypotheses" if about == "hypotheses" else "binary")
            for about in parts["watch"]
        ]
    words = f"foedus report kazakhstan-2022 --as-of 2022-01-07 --runs 400 --seed 7 {options}"
    assert command(made, **more) == words
    assert again(brief_of(made, case, **more))["Command"] == words


def test_the_public_function_writes_the_file(case: foedus.Case, tmp_path: object) -> None:
    path = foedus.brief(forecast(), case, f"{tmp_path}/brief.html")
    assert path.read_text(encoding="utf-8") == render(brief_of(forecast(), case))


def test_the_fact_that_settles_a_question_is_told(case: foedus.Case) -> None:
    whole = forecast()
    known = dataclasses.replace(whole.evidence[0], id="f", text="They have come.")
    brief = brief_of(dataclasses.replace(whole, evidence=(known,)), case)
    assert rows(brief, "answers")[2][0].below == ("Settled already by the fact “They have come”.",)


def test_the_outside_view_is_short_on_page_one(case: foedus.Case) -> None:
    first, *_ = rows(brief_of(forecast(), case), "answers")
    assert first[-1].text == "25% (7% to 49%)"


@pytest.mark.parametrize(("error", "past"), [(0.1, "; the casebook: positive for it"), (0.3, "")])
def test_the_casebook_is_quoted_only_where_it_tells(error: float, past: str) -> None:
    first, *_ = explained().hypotheses
    casebook = Standing(
        posterior=0.6,
        error=0.02,
        log_factor=0.5,
        log_factor_error=error,
        strength=Strength(grade=Grade.POSITIVE),
    )
    assert casebook.told == bool(past)
    said_of = said(dataclasses.replace(first, casebook=casebook))
    assert said_of.endswith(f"by a factor of 3.32 for it{past}.")


def standing(p: float) -> Standing:
    return Standing(
        posterior=p,
        error=0.02,
        log_factor=0.5,
        log_factor_error=0.1,
        strength=Strength(grade=Grade.MUTE),
    )


def explained(**more: object) -> Explanations:
    moved = Moved(fact="least", text="Fact least.", shift=1.2, error=0.2, told=True)
    weighed = tuple(
        Hypothesis(
            id=h.id,
            title=h.title,
            says=h.says,
            put_forward_by=h.put_forward_by,
            prior=h.prior,
            runs=200,
            effective=90.0,
            evidence=standing(h.posterior),
            casebook=standing(0.5),
            both=standing(0.6),
            moved_by=(moved,),
        )
        for h in forecast().hypotheses
    )
    lost = Difference(
        key="deaths_total",
        title="People killed",
        unit="people",
        factual=60.0,
        counterfactual=30.0,
        mean=-30.0,
        error=4.0,
        quantiles=(-90.0, -40.0, -30.0, -12.0, 0.0),
    )
    contrast = Contrast(
        name="no-fire-order",
        text="Without the order to fire",
        pairs=40,
        distinct=30,
        changed=20,
        since=AS_OF,
        differences=(lost,),
    )
    made = Explanations(
        case_id="kazakhstan-2022",
        title="Kazakhstan",
        as_of=AS_OF,
        verdict=Verdict(),
        effective=100.0,
        hypotheses=weighed,
        apart=(),
        casebook=NoCasebookView.NO_RIVALS,
        counterfactuals=(contrast,),
    )
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


def test_explanations_and_counterfactuals_reach_the_brief(case: foedus.Case) -> None:
    brief = brief_of(forecast(), case, explanations=explained())
    second, _ = rows(brief, "explanations")
    assert [c.text for c in second[3:]] == ["50% ±\u00a02", "60% ±\u00a02"]
    assert "moved most by “Fact least”" in second[0].below[1]
    casebook = next(parts_of(section(brief, "explanations").parts, Paragraph))
    assert casebook.text.startswith("The casebook does not tell")
    (lost,) = rows(brief, "otherwise")
    assert lost[3].text == "−30 ± 4"
    assert any("These differences are the model" in c for c in cautions(brief))


def looked_for(**more: object) -> Watch:
    read = (
        Reading(
            low=None, high=29.0, happened=None, chance=0.33, after=(0.99, 0.01), error=(0.01, 0.01)
        ),
        Reading(
            low=30.0, high=None, happened=None, chance=0.67, after=(0.9, 0.1), error=(0.01, 0.01)
        ),
    )
    worth = Worth(
        quantity="crowd",
        place="almaty",
        member=None,
        where="Almaty",
        day=dt.date(2022, 1, 9),
        unit="people",
        bits=0.2,
        error=0.01,
        excess=0.0,
        told=True,
        share=1.0,
        asked_itself=False,
        readings=read,
    )
    made = Watch(
        case_id="kazakhstan-2022",
        title="Kazakhstan",
        as_of=AS_OF,
        verdict=Verdict(),
        effective=100.0,
        about="b",
        text="Will they?",
        kind="binary",
        classes=("no", "yes"),
        now=(0.6, 0.4),
        error=(0.02, 0.02),
        median=None,
        entropy=0.97,
        settled_by=None,
        rating="B2",
        worths=(worth,),
        warnings=(Failure(problem="Mind the crowd."),),
    )
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


def test_the_watch_list_reaches_the_brief(case: foedus.Case) -> None:
    brief = brief_of(forecast(), case, watch=[looked_for()])
    (found,) = parts_of(section(brief, "watch").parts, Table)
    assert (found.title, found.note) == ("Will they?", "now: yes 40% ±\u00a02; ")
    ((thing, _, worth, readings),) = rows(brief, "watch")
    assert thing.text == "People in protest or riot at the day's peak, Almaty"
    assert worth.bar is not None
    assert worth.bar.share == pytest.approx(0.2 / 0.97)
    assert readings.text.split("\n")[1] == "30 or more (chance 67%): yes 10% ±\u00a01"
    assert "Mind the crowd." in cautions(brief)


@pytest.mark.parametrize("other", [{"case_id": "other"}, {"as_of": dt.date(2022, 1, 6)}])
def test_results_of_other_runs_are_refused(case: foedus.Case, other: dict[str, object]) -> None:
    with pytest.raises(foedus.InputError, match="of the same case, date and runs"):
        brief_of(forecast(), case, explanations=explained(**other))
    with pytest.raises(foedus.InputError, match="of the same case, date and runs"):
        brief_of(forecast(), case, watch=[looked_for(**other)])


def test_the_same_function_writes_a_pdf(case: foedus.Case, tmp_path: object) -> None:
    path = foedus.brief(forecast(), case, f"{tmp_path}/b.pdf", explanations=explained())
    assert path.read_bytes().startswith(b"%PDF-")
