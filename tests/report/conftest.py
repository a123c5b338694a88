"""An invented brief, for tests of the page alone; its numbers have no meaning."""

import dataclasses
import datetime as dt
import math
from collections.abc import Callable
from typing import Any

import pytest

from foedus.report.content import (
    AnswerRow,
    Brief,
    ContrastTable,
    DifferenceRow,
    EvidenceRow,
    ExplanationRow,
    FanChart,
    Mark,
    NearestCaseRow,
    WatchRow,
    WatchTable,
)
from foedus.weighing.verdict import Level

START = dt.date(2022, 1, 2)
DATES = tuple(START + dt.timedelta(days=d) for d in range(30))
INF = math.inf


def fan(key: str, title: str, unit: str, scale: float, marks: tuple[Mark, ...] = ()) -> FanChart:
    shape = [math.exp(-(((d - 4) / 5) ** 2)) for d in range(len(DATES))]
    q = {p: tuple(scale * f * s for s in shape) for p, f in
         {"q05": 0.1, "q25": 0.5, "q50": 0.8, "q75": 1.3, "q95": 2.6}.items()}  # fmt: skip
    return FanChart(key, title, unit, DATES, **q, marks=marks)


def rising(key: str, title: str, unit: str, scale: float, marks: tuple[Mark, ...] = ()) -> FanChart:
    shape = [1 - math.exp(-d / 4) for d in range(len(DATES))]
    q = {p: tuple(scale * f * s for s in shape) for p, f in
         {"q05": 0.3, "q25": 0.6, "q50": 0.9, "q75": 1.4, "q95": 20.0}.items()}  # fmt: skip
    return FanChart(key, title, unit, DATES, **q, marks=marks)


def sample(text: str = "Will allied troops land by 10 January?", address: str = "") -> Brief:
    d = dt.date
    return Brief(
        title="A sample crisis",
        summary="Unrest in several cities; the government has asked its allies for help. "
        "All numbers on this page are invented to test its layout.",
        as_of=d(2022, 1, 7),
        start=START,
        end=DATES[-1],
        runs=10_000,
        effective=812.4,
        verdict=Level.OK,
        headline="",
        answers=(
            AnswerRow(
                text,
                "binary",
                probability=0.93,
                error=0.012,
                base_rate=0.18,
                base_text="4 of 22 requests",
                before="21%",
            ),
            AnswerRow(
                "Will the leader lose office?",
                "binary",
                probability=0.034,
                error=0.006,
                before="16%",
            ),
            AnswerRow(
                "Will internet access be back by 11 January?",
                "binary",
                probability=0.48,
                error=0.05,
                base_rate=0.5,
                base_text="no casebook base",
                before="52%",
            ),
            AnswerRow(
                "How many allied troops on 14 January?",
                "number",
                "people",
                low="1,400",
                middle="2,300",
                high="3,600",
                base_text="median 2,500",
                before="0 (0 to 1,900)",
            ),
            AnswerRow(
                "When do the first allied troops leave?",
                "date",
                probability=0.81,
                error=0.02,
                low="12 Jan 2022",
                middle="19 Jan 2022",
                high="30 Jan 2022",
                before="40% ever",
            ),
        ),
        fans=(
            fan(
                "crowd",
                "People in the streets",
                "people, at the day's peak",
                20_000,
                (
                    Mark(d(2022, 1, 4), 800, 1250, 1000, "about 1,000"),
                    Mark(d(2022, 1, 5), 20_000, 99_999, None, "tens of thousands"),
                ),
            ),
            rising(
                "deaths",
                "Deaths so far",
                "people",
                60,
                (
                    Mark(d(2022, 1, 6), 13, INF, None, "at least 13"),
                    Mark(d(2022, 1, 6), 24, 99, None, "dozens"),
                    Mark(d(2022, 1, 7), 44, 44, 44, "44"),
                ),
            ),
            rising(
                "arrests",
                "Arrests so far",
                "people",
                4_000,
                (Mark(d(2022, 1, 7), 3811, 3811, 3811, "3,811"),),
            ),
            fan("troops", "Allied troops in the country", "people", 2_500),
        ),
        explanations=(
            ExplanationRow(
                "A club for the commanders",
                "Backing shows wavering commanders that the government will stand.",
                "two scholars",
                1 / 3,
                0.52,
                0.03,
                casebook="40% ± 4",
                both="57% ± 5",
                said="Positive for it (Bayes factor 3.2, 2.1 to 4.8).",
            ),
            ExplanationRow(
                "A message before talks",
                "The mission is meant for a third party.",
                "several columnists",
                1 / 3,
                0.31,
                0.03,
            ),
            ExplanationRow(
                "The treaty, simply",
                "An attack from outside is claimed and the treaty answers it.",
                "the government",
                1 / 3,
                0.17,
                0.02,
            ),
        ),
        evidence=(
            EvidenceRow(
                "6 Jan 2022",
                "6 Jan 2022",
                "Police say that at least 13 officers are dead.",
                "at least 13",
                "A news agency",
                address or "https://example.org/report",
                "B2",
                "17 (4 to 61)",
                "weighed",
            ),
            EvidenceRow(
                "5 Jan 2022",
                "6 Jan 2022",
                "The government asks the alliance for help.",
                "yes",
                "The presidency",
                "",
                "A1",
                "happens on that day",
                "replayed",
            ),
            EvidenceRow(
                "1 Jan 2022",
                "",
                "The price of fuel doubles.",
                "",
                "A ministry",
                "",
                "A1",
                "",
                "context",
                counts=False,
            ),
        ),
        apart=("Before it began, the casebook expected a request.",),
        contrasts=(
            ContrastTable(
                "Without the order to fire",
                400,
                130,
                110,
                (
                    DifferenceRow(
                        "People killed, all sides (people)",
                        "62",
                        "31",
                        "−31 ± 4",
                        "−40 to −12",
                        "−90 to 0",
                    ),
                ),
            ),
        ),
        watch=(
            WatchTable(
                "Will the leader lose office?",
                "now: yes 3% ± 1",
                (
                    WatchRow(
                        "People in protest or riot at the day's peak",
                        "9 Jan 2022",
                        0.15,
                        "0.145 ± 0.01 of 0.97 bits",
                        (("at most 29 (chance 33%)", "yes 1% ± 1"), ("30 or more", "yes 9%")),
                    ),
                ),
            ),
            WatchTable("Which hypothesis holds?", "now", ()),
        ),
        alike=(NearestCaseRow("Elsewhere 1999", "trigger", "year", "refused"),),
        method=("Each run draws its parameters.", "Reports are weighed."),
        caveats=(
            "The street model was built for other cities than these.",
            "Base rates come from few cases.",
        ),
        numbers=(("Effective runs", "812 of 10,000"), ("Largest weight", "0.9%")),
        provenance=(
            ("Command", "foedus forecast sample --as-of 2022-01-07 --runs 10000"),
            ("Case", "sha256 0123456789abcdef"),
            ("Seed", "1"),
        ),
    )


def poison(value: Any, text: str) -> Any:
    """Return a brief with every text replaced, except words that code chooses."""
    if isinstance(value, str):
        return value if value in ("ok", "binary", "number", "date", "B2", "A1") else text
    if isinstance(value, tuple):
        return tuple(poison(v, text) for v in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [f.name for f in dataclasses.fields(value) if f.name != "key"]
        return dataclasses.replace(value, **{n: poison(getattr(value, n), text) for n in names})
    return value


@pytest.fixture
def poisoned() -> Callable[[Brief, str], Brief]:
    return poison


@pytest.fixture
def make_brief() -> Callable[..., Brief]:
    return sample
