"""Forecasts by day and scores by lead time: as a document and as a CSV file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from foedus.answers.timelines import COLUMNS
from foedus.report.document import (
    Document,
    Paragraph,
    Part,
    Table,
    cautions,
    section,
)
from foedus.report.number_format import MONTHS, count, day, number, percent
from foedus.report.verdict_words import advice

if TYPE_CHECKING:
    from foedus.answers.forecasts import Answer
    from foedus.answers.timelines import Day, Timeline
    from foedus.scoring.lead_time import History, Lead

#: Days side by side in one table.
_ACROSS = 8
#: Lines of advice that are printed for a day: the reason, and the fact that matters most.
_ADVICE = 2
#: Names of facts that are printed for a day.
_NAMED = 12

_BASELINES = {
    "casebook": "Casebook",
    "always_refuse": "Refusal",
    "weighted_mean": "Mean position",
    "weighted_median": "Median position",
}


def timeline_document(found: Timeline, outcomes: dict[str, str] | None = None) -> Document:
    """Return the answers by day, and what became known on each.

    Parameters
    ----------
    found : Timeline
    outcomes : dict of str to str, optional
        What came of each question, for those that are scored.
    """
    made = found.provenance.get("runs", 0)
    parts: list[Part] = [
        Paragraph(
            f"{count(made, 'run')}, or more where few agree with the evidence. Chance of what is "
            "asked; of numbers the median; * settled by a known fact; – no answer."
        )
    ]
    if not found.days[0].forecast.answers:
        parts.append(Paragraph("The case asks no questions."))
    parts += [
        _days(found.days[start : start + _ACROSS], outcomes)
        for start in range(0, len(found.days), _ACROSS)
    ]
    parts += section(f"{day(d.date)}: {_arrived(d)} {_made(d)}" for d in found.days)
    parts += section(_setbacks(found))
    warnings = dict.fromkeys(str(x) for d in found.days for x in d.forecast.warnings)
    title = f"{found.title}: {day(found.first)} to {day(found.last)}, day by day"
    return Document(title, (*parts, *cautions(warnings)))


def _days(days: Sequence[Day], outcomes: dict[str, str] | None) -> Table:
    """Return the answers of some days side by side, and what came of the questions if known."""
    rows = [
        (a.text, *(cell(d.forecast.answer(a.id)) for d in days))
        + ((outcomes.get(a.id, ""),) if outcomes else ())
        for a in days[0].forecast.answers
    ]
    effective = ("Effective runs", *(number(d.forecast.weights.ess) for d in days))
    rows.append((*effective, "") if outcomes else effective)
    columns = ("", *(short_day(d.date) for d in days), *(("Came",) if outcomes else ()))
    return Table("", columns, tuple(rows))


def _setbacks(found: Timeline) -> list[str]:
    """Return why days have no answer or a weak one, each reason once."""
    dates: dict[str, list[str]] = {}
    for d in found.days:
        verdict = d.forecast.verdict
        if not verdict.ok:
            what = "no answer" if verdict.refused else "weak answers"
            told = " ".join((f"{what}.", *advice(verdict)[:_ADVICE]))
            dates.setdefault(told, []).append(short_day(d.date))
    return [f"{', '.join(some)}: {told}" for told, some in dates.items()]


def history_document(found: History) -> Document:
    """Return the answers by day with what came, and the scores by lead time."""
    last = found.scores[-1].questions
    came = {q.id: "never" if q.outcome is None else _outcome(q.outcome) for q in last}
    days = timeline_document(found.timeline, came)
    return Document(days.title, (*days.parts, *_leads(found.leads)))


def _leads(leads: Sequence[Lead]) -> tuple[Part, ...]:
    if not leads:
        nothing = "No question was open and answered on these days, so there is nothing to score."
        return section((nothing,))
    columns, rows = lead_rows(leads)
    return (
        Table(
            "Scores by the days until the outcome was public",
            tuple(columns),
            tuple(tuple(r) for r in rows),
        ),
        Paragraph(
            "Brier scores, 0 is best. Of a baseline: its score / that of the forecast on the same "
            "questions, and on how many of all that it speaks to the forecast is better. A "
            "question counts on each day on which it is open."
        ),
    )


def lead_rows(leads: Sequence[Lead]) -> tuple[list[str], list[list[str]]]:
    """Return head and cells of the scores by lead time."""
    head = ["Days before", "Questions (forecasts)", "Brier", *_BASELINES.values()]
    rows = []
    for lead in leads:
        row = [lead.label, f"{lead.questions} ({lead.forecasts})", _score(lead.brier)]
        for name in _BASELINES:
            b = lead.baselines[name]
            mine, theirs = b["forecast_brier"], b["baseline_brier"]
            pair = "" if theirs is None else f"{_score(theirs)}\u00a0/\u00a0{_score(mine)},\u00a0"
            row.append(f"{pair}{b['better']}/{b['n']}" if b["n"] else "–")
        rows.append(row)
    return head, rows


def write_csv(found: Timeline, path: Path) -> Path:
    """Write one row for each day and question."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(found.rows())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def cell(a: Answer) -> str:
    """Return an answer in a few characters."""
    e = a.estimate
    if e is None:
        return "–"
    mark = "*" if a.settled_by else ""
    if e.probability is not None:
        return percent(e.probability) + mark
    middle = e.quantiles[2] if e.quantiles else e.mean
    return (number(middle) if isinstance(middle, int | float) else "–") + mark


def short_day(date: dt.date) -> str:
    """Return a date without its year."""
    return f"{date.day} {MONTHS[date.month - 1]}"


def _arrived(d: Day) -> str:
    if not d.news:
        return "no new facts."
    names = [f.id for f in d.news]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    noun = "fact" if len(names) == 1 else "facts"
    return f"{len(names)} new {noun} ({', '.join(names[:_NAMED])}{more})."


def _made(d: Day) -> str:
    if d.base == d.date:
        return f"{d.runs:,} new runs, since other decisions are known."
    if d.added:
        return f"The runs of {short_day(d.base)} and {d.added:,} more."
    return f"The {d.runs:,} runs of {short_day(d.base)}, weighed again."


def _outcome(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.date):
        return short_day(value)
    return number(value) if isinstance(value, int | float) else str(value)


def _score(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:.3f}"
