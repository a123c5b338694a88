"""Forecasts by day and scores by lead time: as a document, as charts and as a CSV file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foedus.answers.timelines import COLUMNS
from foedus.report.answer_words import words_of
from foedus.report.document import (
    Document,
    Paragraph,
    Part,
    Table,
    cautions,
    section,
)
from foedus.report.number_format import MONTHS, count, day, number, percent
from foedus.report.plots import FAINT, INK, INNER, LINE, OUTER, STYLE, inline, svg_of
from foedus.report.verdict_words import advice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from foedus.answers.forecasts import Answer
    from foedus.answers.timelines import Day, Timeline
    from foedus.scoring.lead_time import History, Lead
    from foedus.scoring.reliability import Reliability, Transform

#: Number of days side by side in one table.
_ACROSS = 8
#: Lines of advice that are printed for a day: the reason, and the fact that matters most.
_ADVICE = 2
#: Number of facts named for a day.
_NAMED = 12

#: Colours of outcomes and of what they are compared with.
CAME, BESIDE = "#b35806", "#5c6670"
_COLUMNS = 3
_PANEL = (3.5, 1.75)
_STRIP = 1.0
_GAP = 0.5

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
        Outcome of each question, for those that are scored.
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
    """Return the answers of some days side by side, with the outcomes if known."""
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
    """Return the answers by day with the outcomes, and the scores by lead time."""
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
    e = a.headline
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
        return f"{d.runs:,} new runs, since other decisions or members' values are known."
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


def timeline_svg(found: Timeline, outcomes: Mapping[str, Any] | None = None) -> str:
    """Draw the chance of each question by the day of the forecast.

    There is one small chart per question, with the Monte-Carlo error (two standard errors), the
    casebook's base rate, and the outcome if ``outcomes`` are given. Above them are the facts by the
    day on which they became known, with the decisions that were replayed from then on.

    Parameters
    ----------
    found : Timeline
    outcomes : mapping of str to bool, float, date or None, optional
        By question.
    """
    asked = _with_chance(found)
    rows = max(1, -(-len(asked) // _COLUMNS))
    high = _STRIP + _GAP + rows * _PANEL[1]
    figure = _figure(_COLUMNS * _PANEL[0], high)
    with _styled():
        strip = figure.add_axes((0.05, 1 - _STRIP / high, 0.93, (_STRIP - 0.4) / high))
        _facts(strip, found)
        for n, answer in enumerate(asked):
            row, column = divmod(n, _COLUMNS)
            bottom = 1 - (_STRIP + _GAP + (row + 1) * _PANEL[1]) / high
            box = (0.05 + column / _COLUMNS, bottom + 0.28 / high, 0.265, (_PANEL[1] - 0.62) / high)
            ax = figure.add_axes(box)
            _chance(ax, found, answer.id, outcomes)
            what = answer.text + (words_of(answer.kind).chance_of or "")
            ax.set_title(_wrapped(what), loc="left", fontsize=7.5, color=INK, pad=3)
        text = svg_of(figure)
    return inline(text, "timeline", f"{found.title}, day by day", describe_timeline(found))


def _with_chance(found: Timeline) -> list[Answer]:
    """Return the questions whose answer is, or has, a chance."""
    return [a for a in found.days[0].forecast.answers if words_of(a.kind).chance_of is not None]


def describe_timeline(found: Timeline) -> str:
    """Return the text alternative: each question's chance on the first and on the last day."""
    parts = []
    for a in _with_chance(found):
        both = [_probability(d.forecast.answer(a.id)) for d in (found.days[0], found.days[-1])]
        first, last = ("no answer" if math.isnan(p) else percent(p) for p in both)
        parts.append(f"{a.text} {first}, then {last}.")
    return f"From {day(found.first)} to {day(found.last)}. " + " ".join(parts)


def leads_svg(leads: Sequence[Lead]) -> str:
    """Draw the mean Brier score by lead time, beside the casebook's on the same questions."""
    figure = _figure(7.2, 3.0)
    with _styled():
        ax = figure.add_axes((0.09, 0.2, 0.88, 0.68))
        x = np.arange(len(leads), dtype=float)
        pairs = [lead.baselines["casebook"] for lead in leads]
        series = (
            ("forecast, all yes-or-no questions", [v.brier for v in leads], "o", LINE, -0.1),
            ("forecast, where the casebook speaks", _of(pairs, "forecast_brier"), "D", INNER, 0.0),
            ("casebook", _of(pairs, "baseline_brier"), "s", CAME, 0.1),
        )
        for label, values, marker, color, shift in series:
            y = np.array([np.nan if v is None else v for v in values], dtype=float)
            ax.plot(x + shift, y, marker=marker, color=color, linewidth=1.2, label=label)
        ax.axhline(0.25, color=FAINT, linewidth=0.7, dashes=(3, 2))
        ax.annotate(
            "always one half", (1.0, 0.25), (0, 3), xycoords=ax.get_yaxis_transform(), ha="right",
            textcoords="offset points", fontsize=7.5,
        )  # fmt: skip
        labels = [f"{v.label}\n({v.binary} forecasts)" for v in leads]
        ax.set_xticks(x, labels, fontsize=8)
        ax.set_xlim(len(leads) - 0.5, -0.5)  # time runs to the right
        ax.set_ylim(0, None)
        ax.set_ylabel("mean Brier score")
        ax.set_xlabel("days until the outcome was public (number of yes-or-no forecasts)")
        ax.legend(frameon=False, fontsize=8, loc="best")
        text = svg_of(figure)
    told = "; ".join(f"{v.label} days: {_three(v.brier)}" for v in leads)
    return inline(text, "leads", "Brier score by lead time", f"Mean Brier score by lead: {told}.")


def reliability_svg(found: Reliability) -> str:
    """Draw forecast against observed: the CORP curve, its band, and the forecasts."""
    figure = _figure(4.4, 4.3)
    with _styled():
        ax = figure.add_axes((0.13, 0.12, 0.83, 0.82))
        ax.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, dashes=(3, 2))
        ax.fill_between(found.said, found.low, found.high, color=OUTER, linewidth=0, step=None)
        for edge in (found.low, found.high):
            ax.plot(found.said, edge, color=INNER, linewidth=0.7)
        ax.plot(
            found.said, found.recalibrated, color=LINE, linewidth=1.6, marker="o", markersize=2.5
        )
        for b in found.bins:
            ax.plot([b.said], [b.happened], "D", color=CAME, markersize=5, markeredgecolor="white")
            ax.annotate(
                f"{b.questions} q.", (b.said, b.happened), (4, -9), textcoords="offset points",
                fontsize=7.5, color=CAME,
            )  # fmt: skip
        ax.vlines(found.said, 0, 0.025, color=INK, linewidth=0.7)
        ax.set_xlim(-0.02, 1.02)
        ax.set_ylim(-0.02, 1.02)
        ax.set_aspect("equal")
        ax.set_xlabel("probability that was given")
        ax.set_ylabel("how often it happened")
        text = svg_of(figure)
    story = (
        f"{found.forecasts} forecasts of {found.questions} questions. "
        + " ".join(f"Said {percent(b.said)}: happened {percent(b.happened)}." for b in found.bins)
        + f" {found.outside} of {found.said.size} points of the curve lie outside the band."
    )
    return inline(text, "reliability", "What was said, and how often it happened", story)


def transform_svg(found: Transform) -> str:
    """Draw the share of outcomes in equally likely parts of the forecasts, with its band."""
    figure = _figure(4.4, 2.9)
    with _styled():
        ax = figure.add_axes((0.13, 0.17, 0.83, 0.75))
        size = found.shares.size
        middle = (np.arange(size) + 0.5) / size
        ax.bar(middle, found.shares, width=0.92 / size, color=INNER, edgecolor=LINE, linewidth=0.8)
        ax.vlines(middle, found.low, found.high, color=INK, linewidth=1.2)
        for edge in (found.low, found.high):
            ax.plot(middle, edge, "_", color=INK, markersize=9)
        ax.axhline(1 / size, color=FAINT, linewidth=0.8, dashes=(3, 2))
        ax.set_xticks(np.linspace(0, 1, size + 1))
        ax.set_xlim(0, 1)
        ax.set_ylim(0, None)
        ax.set_xlabel("share of the forecast that lay below the outcome")
        ax.set_ylabel("share of outcomes")
        text = svg_of(figure)
    told = ", ".join(percent(s) for s in found.shares)
    story = f"{found.forecasts} forecasts of {found.questions} questions: {told}."
    return inline(text, "pit", "Where outcomes fell in the forecasts", story)


def _figure(wide: float, high: float) -> Figure:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(wide, high), facecolor="white")
    FigureCanvasSVG(figure)
    return figure


def _styled() -> Any:
    import matplotlib as mpl

    return mpl.rc_context(STYLE)


def _facts(ax: Axes, found: Timeline) -> None:
    """Draw how many facts became known on each day, and the decisions among them."""
    x = np.arange(len(found.days), dtype=float)
    count = np.array([len(d.news) for d in found.days], dtype=float)
    ax.bar(x, count, width=0.5, color=INNER, edgecolor=LINE, linewidth=0.6)
    top = max(float(count.max()), 1.0)
    for n, d in enumerate(found.days):
        decided = sorted({f.quantity or "" for f in d.news if f.id in d.forecast.replayed["facts"]})
        words = [str(len(d.news))] if d.news else []
        words += [w.replace("_", " ") for w in decided]
        ax.annotate(
            "\n".join(words), (x[n], count[n]), (0, 2), textcoords="offset points", ha="center",
            va="bottom", fontsize=6.5, color=INK, linespacing=1.0, annotation_clip=False,
        )  # fmt: skip
    ax.set_ylim(0, top * 1.05)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    _day_axis(ax, found)
    ax.text(
        0.0, -0.62, "Facts by the day on which they became known, with the decisions replayed "
        "from then on", transform=ax.transAxes, fontsize=8, color=INK,
    )  # fmt: skip


def _chance(ax: Axes, found: Timeline, question: str, outcomes: Mapping[str, Any] | None) -> None:
    answers = [d.forecast.answer(question) for d in found.days]
    x = np.arange(len(answers), dtype=float)
    p = np.array([_probability(a) for a in answers])
    e = np.array([_error(a) for a in answers])
    ax.fill_between(x, (p - 2 * e).clip(0), (p + 2 * e).clip(None, 1), color=OUTER, linewidth=0)
    ax.plot(x, p, color=LINE, linewidth=1.5, marker="o", markersize=3)
    settled = np.array([a.settled_by is not None for a in answers]) & np.isfinite(p)
    ax.plot(x[settled], p[settled], "o", color="white", markeredgecolor=LINE, markersize=3)
    rate = np.array(
        [np.nan if a.outside is None else _or_nan(a.outside.probability) for a in answers]
    )
    ax.plot(x, rate, color=BESIDE, linewidth=0.9, dashes=(3, 2))
    if np.isnan(p).any():
        for at in x[np.isnan(p)]:
            ax.plot([at], [0.5], marker="x", color=FAINT, markersize=4)
    if outcomes is not None and question in outcomes:
        value = outcomes[question]
        happened = 0.0 if value is None or value is False else 1.0
        ax.plot(
            [len(answers) - 0.55], [happened], marker="<", color=CAME, markersize=7, clip_on=False
        )
    ax.set_ylim(-0.04, 1.04)
    ax.set_yticks([0, 0.5, 1], ["0", "½", "1"], fontsize=7)
    ax.grid(axis="y", color="#e6e9ec", linewidth=0.6)
    ax.set_axisbelow(True)
    _day_axis(ax, found)


def _day_axis(ax: Axes, found: Timeline) -> None:
    size = len(found.days)
    step = max(1, math.ceil(size / 5))
    ticks = list(range(0, size, step))
    ax.set_xticks(ticks, [short_day(found.days[t].date) for t in ticks], fontsize=7)
    ax.set_xlim(-0.5, size - 0.4)


def _probability(a: Answer) -> float:
    return math.nan if a.headline is None else _or_nan(a.headline.probability)


def _error(a: Answer) -> float:
    return math.nan if a.headline is None else _or_nan(a.headline.probability_error)


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _of(pairs: Sequence[Mapping[str, Any]], key: str) -> list[float | None]:
    return [p[key] for p in pairs]


def _three(value: float | None) -> str:
    return "none" if value is None else number(value)


def _wrapped(text: str) -> str:
    import textwrap

    lines = textwrap.wrap(text, 48)
    return "\n".join(lines if len(lines) <= 2 else [lines[0], lines[1][:46] + " …"])
