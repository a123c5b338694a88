"""A back-test as a document, and the tables of its page in the docs."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from foedus.report.document import Document, Paragraph, Part, Table
from foedus.scoring.backtest_amounts import AMOUNTS
from foedus.scoring.backtest_amounts import FORECASTERS as AMOUNT_FORECASTERS
from foedus.scoring.reliability import EDGES
from foedus.scoring.skeleton_cases import STAGES

if TYPE_CHECKING:
    from foedus.scoring.casebook_backtest import BackTest

NAMES = {
    "headline": "headline",
    "pooled": "pooled",
    "simulation": "simulation",
    "casebook": "casebook",
    "base_rate": "base rate",
    "half": "always 50%",
}


def score_rows(found: BackTest) -> list[tuple[str, ...]]:
    """Return the primary metric of each forecaster and its gain over the base rate."""
    primary, gains = found.primary(), found.differences()
    logs, order = found.log_score(), found.in_order()
    rows: list[tuple[str, ...]] = []
    for name, words in NAMES.items():
        gain = f"{gains[name][0]:+.3f} ± {gains[name][1]:.3f}" if name in gains else ""
        count, came = found.unlikely(name)
        low = f"{came:.0%} of {count}" if count else "none"
        skill = "" if name in ("base_rate", "half") else f"{order[name]:.2f}"
        curve = found.reliability(name)
        off = f"{curve.miscalibration:.3f} ({curve.miscalibration_expected:.3f})"
        rows.append((words, f"{primary[name]:.3f}", gain, f"{logs[name]:.3f}", skill, off, low))
    return rows


SCORE_COLUMNS = (
    "forecaster",
    "mean Brier",
    "better than base rate",
    "log score",
    "pairs in order",
    "miscalibration (chance)",
    "came of what was below 10%",
)


def calibration_rows(found: BackTest) -> list[tuple[str, ...]]:
    """Return how often came what each forecaster gave a probability, by bins of it."""
    curves = {name: found.reliability(name) for name in CURVES}
    rows = []
    for low, high in itertools.pairwise(EDGES):
        cells = []
        for curve in curves.values():
            bins = [b for b in curve.bins if (b.low, b.high) == (low, high)]
            cells += [f"{b.happened:.0%} of {b.forecasts}" for b in bins] or ["none"]
        rows.append((f"{low:.0%} to {high:.0%}", *cells))
    return rows


#: Forecasters whose calibration is shown; always 50% has one bin.
CURVES = tuple(name for name in NAMES if name != "half")
CALIBRATION_COLUMNS = ("probability given", *(NAMES[name] for name in CURVES))


def amount_rows(found: BackTest) -> list[tuple[str, ...]]:
    """Return the mean CRPS of each amount by date."""
    lines = found.crps().reset_index().to_dict("records")
    return [
        (
            f"{line['amount']}, as of the {line['stage']}",
            f"{line['n']:.0f}",
            *(f"{line[name]:.3f}" for name in AMOUNT_FORECASTERS),
        )
        for amount in AMOUNTS
        for line in lines
        if line["amount"] == amount.id
    ]


AMOUNT_COLUMNS = ("amount", "rows", *(NAMES[name] for name in AMOUNT_FORECASTERS))


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
        Paragraph(
            f"Headline: pooled, and widened by its discrepancy. Pool: {found.pool_weight()}."
        ),
    ]
    parts += [
        Table(
            "Came of what was given a probability",
            CALIBRATION_COLUMNS,
            tuple(calibration_rows(found)),
        ),
        Table("Amounts where help lands, mean CRPS", AMOUNT_COLUMNS, tuple(amount_rows(found))),
    ]
    for stage in STAGES:
        lines = question_rows(found, stage)
        if lines:
            parts.append(Table(f"As of the {stage}", QUESTION_COLUMNS, tuple(lines)))
    return Document(f"Back-test of {rows} crises, {forecasts:,} forecasts", tuple(parts))
