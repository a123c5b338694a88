"""A back-test as a document, and the tables of its page in the docs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foedus.report.document import Document, Paragraph, Part, Table
from foedus.scoring.skeleton_cases import STAGES

if TYPE_CHECKING:
    from foedus.scoring.casebook_backtest import BackTest

NAMES = {
    "pooled": "pooled",
    "simulation": "simulation",
    "casebook": "casebook",
    "base_rate": "base rate",
    "half": "always 50%",
}


def score_rows(found: BackTest) -> list[tuple[str, ...]]:
    """Return the primary metric of each forecaster and its gain over the base rate."""
    primary, gains = found.primary(), found.differences()
    rows: list[tuple[str, ...]] = []
    for name, words in NAMES.items():
        gain = f"{gains[name][0]:+.3f} ± {gains[name][1]:.3f}" if name in gains else ""
        count, came = found.unlikely(name)
        low = f"{came:.0%} of {count}" if count else "none"
        rows.append((words, f"{primary[name]:.3f}", gain, low))
    return rows


SCORE_COLUMNS = ("forecaster", "mean Brier", "better than base rate", "came of what was below 10%")


def question_rows(found: BackTest, stage: str) -> list[tuple[str, ...]]:
    """Return the mean Brier score of each question as of a date."""
    lines = found.brier().reset_index().to_dict("records")
    return [
        (str(line["question"]), f"{line['n']:.0f}", *(f"{line[name]:.3f}" for name in NAMES))
        for line in lines
        if line["stage"] == stage
    ]


QUESTION_COLUMNS = ("question", "rows", *NAMES.values())


def backtest_document(found: BackTest) -> Document:
    """Return the scores: the primary metric first, then every question by date."""
    history = "rows known before each began" if found.rolling else "all other rows"
    rows, forecasts = found.forecasts["row"].nunique(), len(found.forecasts)
    parts: list[Part] = [
        Paragraph(f"{found.runs} runs each, priors from {history}. Lower is better."),
        Table("As of the trigger and the request", SCORE_COLUMNS, tuple(score_rows(found))),
    ]
    for stage in STAGES:
        lines = question_rows(found, stage)
        if lines:
            parts.append(Table(f"As of the {stage}", QUESTION_COLUMNS, tuple(lines)))
    return Document(f"Back-test of {rows} crises, {forecasts:,} forecasts", tuple(parts))
