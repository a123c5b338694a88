"""An invented brief, for tests of the page alone; its numbers have no meaning."""

import dataclasses
import datetime as dt
import math
from collections.abc import Callable
from typing import Any

import pytest

from foedus.report.document import (
    Bar,
    Brief,
    Cell,
    Charts,
    FanChart,
    Items,
    Mark,
    Pairs,
    Part,
    Section,
    Table,
    paragraphs,
)

START = dt.date(2022, 1, 2)
DATES = tuple(START + dt.timedelta(days=d) for d in range(30))
INF = math.inf


def fan(key: str, title: str, unit: str, scale: float, marks: tuple[Mark, ...] = ()) -> FanChart:
    shape = [math.exp(-(((d - 4) / 5) ** 2)) for d in range(len(DATES))]
    q = {p: tuple(scale * f * s for s in shape) for p, f in
         {"q05": 0.1, "q25": 0.5, "q50": 0.8, "q75": 1.3, "q95": 2.6}.items()}  # fmt: skip
    return FanChart(key=key, title=title, unit=unit, dates=DATES, **q, marks=marks)


def rising(key: str, title: str, unit: str, scale: float, marks: tuple[Mark, ...] = ()) -> FanChart:
    shape = [1 - math.exp(-d / 4) for d in range(len(DATES))]
    q = {p: tuple(scale * f * s for s in shape) for p, f in
         {"q05": 0.3, "q25": 0.6, "q50": 0.9, "q75": 1.4, "q95": 20.0}.items()}  # fmt: skip
    return FanChart(key=key, title=title, unit=unit, dates=DATES, **q, marks=marks)


def answers(text: str) -> tuple[Table, ...]:
    return (
        Table(
            "Will it happen?",
            ("Question", "Probability", "Before evidence", "Base rate"),
            (
                (text, chance(0.93, 0.012, 0.18), "21%", "18% (8% to 33%)"),
                ("Will the leader lose office?", chance(0.034, 0.006), "16%", "–"),
                (
                    Cell("Will internet access be back by 11 January?", below=("Settled.",)),
                    chance(0.48, 0.05, 0.5),
                    "52%",
                    "50%",
                ),
            ),
            bars=("probability", "sampling error", "base rate"),
        ),
        Table(
            "How many?",
            ("Question", "Low", "Median", "High", "Before evidence", "Base rate"),
            (
                (
                    Cell("How many allied troops on 14 January?", beside="(people)"),
                    "1,400",
                    Cell("2,300", strong=True),
                    "3,600",
                    "0 (0 to 1,900)",
                    "2,500",
                ),
            ),
        ),
        Table(
            "When?",
            ("Question", "Early", "Median", "Late", "Happens", "Before evidence", "Base rate"),
            (
                (
                    "When do the first allied troops leave?",
                    "12 Jan 2022",
                    Cell("19 Jan 2022", strong=True),
                    "30 Jan 2022",
                    Cell("81%", beside="± 2"),
                    "40% ever",
                    "–",
                ),
            ),
        ),
    )


def chance(p: float, error: float, base: float | None = None) -> Cell:
    bar = Bar(share=p, error=error, compared=base)
    return Cell(f"{100 * p:.0f}%", beside=f"± {100 * error:.0f}", strong=True, bar=bar)


def explanations() -> Table:
    said = "Positive for it (Bayes factor 3.2, 2.1 to 4.8)."
    says = "Backing shows wavering commanders that the government will stand."
    return Table(
        "Which explanation?",
        ("Explanation", "Before", "After the evidence", "Casebook", "Both"),
        (
            (
                Cell("A club for the commanders", below=(says, said)),
                "33%",
                chance(0.52, 0.03, 1 / 3),
                "40% ± 4",
                "57% ± 5",
            ),
            ("A message before talks", "33%", chance(0.31, 0.03, 1 / 3), "–", "–"),
            ("The treaty, simply", "33%", chance(0.17, 0.02, 1 / 3), "–", "–"),
        ),
        bars=("after", "sampling error", "before"),
    )


def evidence(address: str) -> tuple[Table, ...]:
    columns = ("About", "Fact", "Reported", "Runs say", "Source", "Use")
    return (
        Table(
            "Facts that affect the runs",
            columns,
            (
                (
                    "6 Jan 2022",
                    "Police say that at least 13 officers are dead.",
                    "at least 13",
                    "17 (4 to 61)",
                    Cell("A news agency", rating="B2", address=address),
                    "weighed",
                ),
                (
                    Cell("5 Jan 2022", below=("known 6 Jan 2022",)),
                    "The government asks the alliance for help.",
                    "yes",
                    "happens on that day",
                    Cell("The presidency", rating="A1"),
                    "replayed",
                ),
            ),
            named_by=1,
        ),
        Table(
            "Facts for context",
            columns,
            (
                (
                    "1 Jan 2022",
                    "The price of fuel doubles.",
                    "–",
                    "–",
                    Cell("A ministry", rating="A1"),
                    "context",
                ),
            ),
            named_by=1,
        ),
    )


def contrast() -> Table:
    return Table(
        "Without the order to fire",
        ("Outcome", "As it was", "Otherwise", "Difference", "50% of pairs", "90% of pairs"),
        (
            (
                "People killed, all sides (people)",
                "62",
                "31",
                Cell("−31 ± 4", strong=True),
                "−40 to −12",
                "−90 to 0",
            ),
        ),
        note="400 pairs, 110 of 130 different runs change",
    )


def watch() -> tuple[Part, ...]:
    return (
        Table(
            "Will the leader lose office?",
            ("Look for", "On", "Worth", "What a report would say"),
            (
                (
                    "People in protest or riot at the day's peak",
                    "9 Jan 2022",
                    Cell("0.145 ± 0.01 of 0.97 bits", bar=Bar(share=0.15)),
                    "at most 29 (chance 33%): yes 1% ± 1\n30 or more: yes 9%",
                ),
            ),
            note="now: yes 3% ± 1; ",
            bars=("share of what is open",),
        ),
        Section(
            paragraphs(("No report of the coming days would tell more than chance.",)),
            "Which hypothesis holds?",
            beside="now",
        ),
    )


def fans() -> tuple[FanChart, ...]:
    d = dt.date
    return (
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
    )


def sample(text: str = "Will allied troops land by 10 January?", address: str = "") -> Brief:
    nearest = Table(
        "The nearest calls for help in the casebook",
        ("Case", "Alike in", "Not in", "What happened"),
        (("Elsewhere 1999", "trigger", "year", "refused"),),
    )
    base_rates = Pairs(((text, "4 of 22 requests"),))
    again = (
        ("Command", "foedus forecast sample --as-of 2022-01-07 --runs 10000"),
        ("Case", "sha256 0123456789abcdef"),
        ("Seed", "1"),
    )
    return Brief(
        title="A sample crisis",
        summary="Unrest in several cities; the government has asked its allies for help. "
        "All numbers on this page are invented to test its layout.",
        known_by="7 Jan 2022",
        strip=(("Runs", "10,000"), ("Effective runs", "812"), ("Evidence", "3 facts")),
        sections=(
            Section(answers(text), "Answers", name="answers"),
            Section(
                (Charts(fans(), dt.date(2022, 1, 7)),), "Day by day", name="days", new_page=True
            ),
            Section(
                (
                    explanations(),
                    *paragraphs(("Before it began, the casebook expected a request.",)),
                ),
                "Which explanation does the record support?",
                name="explanations",
                new_page=True,
            ),
            Section((contrast(),), "What if one decision had been different?", name="otherwise"),
            Section(watch(), "What to look for next", name="watch"),
            Section((nearest,), "Which past cases is it most like?", name="nearest"),
            Section(
                evidence(address or "https://example.org/report"),
                "The evidence and its sources",
                name="evidence",
                new_page=True,
            ),
            Section(
                (
                    *paragraphs(("Each run draws its parameters.", "Reports are weighed.")),
                    Pairs((("Effective runs", "812 of 10,000"), ("Largest weight", "0.9%"))),
                    Items(
                        (
                            "The street model was built for other cities than these.",
                            "Base rates come from few cases.",
                        )
                    ),
                    Section((base_rates,), "Where the base rates come from"),
                ),
                "Method, and how far to trust it",
                name="trust",
            ),
            Section((Pairs(again, code=True),), "How to make this again", name="provenance"),
        ),
    )


def poison(value: Any, text: str) -> Any:
    """Return a brief with every text replaced, except words that code chooses."""
    if isinstance(value, str):
        return value if value in ("", "B2", "A1") else text
    if isinstance(value, tuple):
        return tuple(poison(v, text) for v in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [f.name for f in dataclasses.fields(value) if f.name not in ("key", "name")]
        return dataclasses.replace(value, **{n: poison(getattr(value, n), text) for n in names})
    return value


@pytest.fixture
def poisoned() -> Callable[[Brief, str], Brief]:
    return poison


@pytest.fixture
def make_brief() -> Callable[..., Brief]:
    return sample
