"""Pictures and tables of forecasts by day, from given runs."""

from __future__ import annotations

import datetime as dt
import io
import re
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from foedus.answers.forecasts import judge
from foedus.answers.timelines import Day, Timeline
from foedus.case import Case, as_of, load_case, shipped
from foedus.case.load import shipped_text
from foedus.report.terminal import print_document
from foedus.report.timeline_view import (
    describe_timeline,
    history_document,
    lead_rows,
    leads_svg,
    reliability_svg,
    timeline_document,
    timeline_svg,
    transform_svg,
)
from foedus.scoring.lead_time import History, by_lead
from foedus.scoring.reliability import calibration
from foedus.scoring.scores import score
from foedus.weighing.weighed import weigh_runs
from foedus.world import engine
from foedus.world.order import VARIABLES
from foedus.world.setting import Setting

from ..scripts import script

RUNS = 600


def dataset(case: Case, seed: int):
    """Noise runs: some decide, some land, people die."""
    import pandas as pd
    import xarray as xr

    rng = np.random.default_rng(seed)
    block = engine.allocate(Setting.of(case), RUNS)
    for name, array in block.items():
        if name.startswith("event_") or name in ("contribution_day", "patron"):
            array[...] = np.where(
                rng.random(array.shape) < 0.5, rng.integers(0, 9, array.shape), -1
            )
        elif name == "arrival_day":
            array[...] = np.where(rng.random(array.shape) < 0.5, 5.5, np.inf)
        elif name.startswith(("deaths", "troops")):
            array[...] = rng.integers(0, 3, array.shape)
    block["log_guidance"][...] = 0.0
    data: dict[str, Any] = {n: (("run", *VARIABLES[n].dims), a) for n, a in block.items()}
    data["hypothesis"] = ("run", (np.arange(RUNS) % len(case.hypotheses)).astype(np.int16))
    return xr.Dataset(
        data,
        coords={
            "day": pd.date_range(case.start, periods=case.horizon),
            "city": list(case.places),
            "member": [m.actor for m in case.alliance.members],
        },
    )


@pytest.fixture(scope="module")
def history() -> History:
    case = load_case("kazakhstan-2022")
    days: list[Day] = []
    scores = []
    seen: set[str] = set()
    for n in range(10):
        date = case.start + dt.timedelta(days=n)
        known = as_of(case, date)
        runs = dataset(known, n)
        if n == 3:
            runs = runs.isel(run=slice(0, 20))
        result = judge(weigh_runs(known, runs)).with_provenance(
            command="foedus forecast", case_name=case.id
        )
        news = tuple(f for f in known.facts if f.id not in seen)
        seen |= {f.id for f in known.facts}
        days.append(
            Day(
                date=date,
                news=news,
                base=date if news else days[-1].base,
                runs=RUNS,
                added=0,
                forecast=result,
            )
        )
        scores.append(score(case, forecast=result))
    return History(Timeline(case.id, case.title, tuple(days), {"runs": RUNS}), tuple(scores))


def printed(call) -> str:
    text = io.StringIO()
    with redirect_stdout(text):
        call()
    return text.getvalue()


def test_the_pictures_are_well_formed_and_stable(history: History) -> None:
    outcomes = {q.id: q.outcome for q in history.scores[-1].questions}
    chances, numbers = calibration(history.scores)
    assert chances is not None
    assert numbers is not None
    for draw in (
        lambda: timeline_svg(history.timeline, outcomes),
        lambda: timeline_svg(history.timeline),
        lambda: leads_svg(history.leads),
        lambda: reliability_svg(chances),
        lambda: transform_svg(numbers),
    ):
        svg = draw()
        ElementTree.fromstring(svg)
        assert svg == draw()
        assert "<metadata" not in svg
        assert "<desc" in svg


def test_the_text_alternative_tells_first_and_last(history: History) -> None:
    text = describe_timeline(history.timeline)
    assert text.startswith("From 2 Jan 2022 to 11 Jan 2022.")
    first = history.timeline.days[0].forecast.answers[0]
    assert first.text in text


def test_one_day_can_be_drawn(history: History) -> None:
    one = Timeline("one", "One", history.timeline.days[:1], {"runs": RUNS})
    ElementTree.fromstring(timeline_svg(one))
    refused = Timeline("one", "One", history.timeline.days[3:4], {"runs": RUNS})
    ElementTree.fromstring(timeline_svg(refused))


def test_the_tables(history: History) -> None:
    text = printed(lambda: print_document(timeline_document(history.timeline)))
    assert "Effective runs" in history.timeline._repr_html_()
    assert "2 Jan" in text
    assert "11 Jan" in text
    assert "2 Jan 2022: 7 new facts (pledge-belarus," in text
    assert "–" in text, "the refused day"
    text = printed(lambda: print_document(history_document(history)))
    assert "Came" in text
    assert "Scores by the days until the outcome was public" in text
    nothing = History(history.timeline, history.scores[3:4])
    assert "nothing to score" in printed(lambda: print_document(history_document(nothing)))


def test_lead_rows_show_both_sides(history: History) -> None:
    leads = by_lead(history.scores)
    head, rows = lead_rows(leads)
    assert head[0] == "Days before"
    assert len(rows) == len(leads) > 2
    assert all(len(row) == len(head) for row in rows)
    beside = leads[-1].baselines["casebook"]
    assert f"{beside['better']}/{beside['n']}" in rows[-1][3] or not beside["n"]


@pytest.fixture
def scorecard():
    return script("tools/scorecard.py")


def test_the_page_of_all_cases(history, scorecard, monkeypatch, tmp_path, capsys) -> None:
    """The page names every case, command and picture; the forecasts are the noise above."""
    asked = []

    def made(case, first, last, **options):
        asked.append((case.id, first, last))
        if first < last:
            return history
        one = replace(history.timeline.days[4], date=first)
        return History(replace(history.timeline, days=(one,)), history.scores[4:5])

    monkeypatch.setattr(scorecard, "history", made)
    monkeypatch.setattr(scorecard, "score", lambda case, **options: history.scores[4])
    monkeypatch.setattr(sys, "argv", ["scorecard.py", "--folder", str(tmp_path), "--days", "5"])
    scorecard.main()
    assert {name for name, *_ in asked} == {load_case(name).id for name in shipped()}
    page = (tmp_path / "cases.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out.strip() == str(tmp_path / "cases.md")
    pictures = set(re.findall(r"\]\((cases/.*?\.svg)\)", page))
    for name in shipped():
        assert f"](cases/{name}.md)" in page
        details = (tmp_path / "cases" / f"{name}.md").read_text(encoding="utf-8")
        assert f"foedus score {name} --as-of" in details
        pictures |= {f"cases/{found}" for found in re.findall(r"\]\((.*?\.svg)\)", details)}
        assert "nan" not in details
        assert "{" not in details
    for title in ("At a glance", "Over time", "Calibration", "Numbers and dates"):
        assert f"# {title}" in page
    assert len(pictures) == 3 + len(shipped())
    for picture in pictures:
        ElementTree.fromstring((tmp_path / picture).read_text(encoding="utf-8"))
    assert "nan" not in page
    assert "{" not in page.replace("```{toctree}", "")


def test_the_days_of_the_page(scorecard) -> None:
    case = load_case("kazakhstan-2022")
    start, own = dt.date(2022, 1, 2), dt.date(2022, 1, 7)
    assert scorecard._spans(case, 10) == [(start, own)]
    assert scorecard._spans(case, 3) == [(start, dt.date(2022, 1, 4)), (own, own)]


def test_drawn_cases_are_forecast_on_the_three_dates_of_their_files(scorecard) -> None:
    for name, dates in scorecard.DATES.items():
        head = shipped_text(name).partition("\nfoedus:")[0]
        said = re.findall(r"^#   (\d{4}-\d\d-\d\d)  (early|middle|late):", head, re.MULTILINE)
        assert said == list(zip(dates, ("early", "middle", "late"), strict=True)), name
        case = load_case(name)
        days = [(d, d) for d in map(dt.date.fromisoformat, dates)]
        assert set(scorecard._spans(case, 10)) >= set(days)
        assert all(case.start <= day <= case.end for day, _ in days)


def test_every_case_is_forecast_on_days_or_on_dates(scorecard) -> None:
    chosen = {"bahrain-2011", "kazakhstan-2022", "kyrgyzstan-2010", "niger-2023"}
    assert set(scorecard.DATES) == set(shipped()) - chosen
