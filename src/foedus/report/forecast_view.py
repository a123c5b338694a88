"""A forecast, its case, its runs and its scores as documents."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from foedus.case.times import show_when
from foedus.report.answer_words import (
    WORDS,
    answer_span,
    known_by_words,
    outside_short,
    short,
    voices,
    when,
    words_of,
)
from foedus.report.document import (
    Bar,
    Cell,
    Column,
    Document,
    Paragraph,
    Part,
    Table,
    cautions,
    paragraphs,
    section,
)
from foedus.report.explanation_view import explanations_table
from foedus.report.number_format import day, number, percent, plus_minus, worth
from foedus.report.verdict_words import verdict_parts, words

if TYPE_CHECKING:
    from foedus.answers.forecasts import Answer, Forecast
    from foedus.case import Case
    from foedus.ensemble import Ensemble
    from foedus.scoring.scores import Scores


def forecast_document(forecast: Forecast) -> Document:
    """Return the answers, the explanations, and the reliability of both."""
    w = forecast.weights
    parts: list[Part] = [
        Paragraph(worth(w.ess, w.runs)),
        *setback(forecast),
        *answer_tables(forecast),
        *explanations_table(forecast),
    ]
    doubted = [(e.disbelief or 0.0, e) for e in forecast.evidence if (e.disbelief or 0.0) > 0.5]
    parts += section(
        f"Probably wrong: {e.source_name}, fact {e.id} ({e.rating}): {percent(chance)}."
        for chance, e in sorted(doubted, key=lambda found: -found[0])
    )
    parts += cautions(forecast.warnings)
    return Document(f"{forecast.title}: as of {known_by_words(forecast)}", tuple(parts))


def setback(forecast: Forecast) -> tuple[Part, ...]:
    """Return a verdict that is not ok, and its reasons."""
    some = any(a.headline is not None for a in forecast.answers)
    refused = "The simulation has no answer" if some else "No answer"
    return verdict_parts(forecast.verdict, refused=refused)


def answer_tables(forecast: Forecast, *, intervals: bool = False) -> tuple[Table, ...]:
    """Return a table of answers for each kind of question.

    Parameters
    ----------
    forecast : Forecast
    intervals : bool
        Give base rates with their intervals; a terminal has no space for them.
    """
    tables = []
    for answer in WORDS.values():
        asked = [a for a in forecast.answers if words_of(a.kind) is answer]
        if not asked:
            continue
        columns = (Column("Question"), *answer.columns(), _BEFORE, _BASE_RATE)
        rows = tuple(_row(a, forecast, intervals) for a in asked)
        if not answer.low:
            bars = ("probability", "sampling error", "base rate")
            tables.append(Table(answer.title, columns, rows, bars=bars))
        else:
            low, high = answer.low.lower(), answer.high.lower()
            note = f"nine runs in ten fall between {low} and {high}, by weight"
            tables.append(Table(answer.title, columns, rows, note=note))
    return tuple(tables)


_BEFORE, _BASE_RATE = Column("Before evidence", 27), Column("Base rate", 25)


def _row(a: Answer, forecast: Forecast, intervals: bool) -> tuple[Cell | str, ...]:
    end, view = forecast.end, a.outside
    base = outside_short(view, a.kind, end)
    if view is not None and view.probability is not None and not intervals:
        base = percent(view.probability)
    unit = a.unit if words_of(a.kind).in_units else ""
    told = [part for part in (unit, voices(a)) if part]
    asked = Cell(
        a.text,
        beside=f"({'; '.join(told)})" if told else "",
        below=_remarks(a, forecast),
    )
    before = short(a.before, a.kind, end)
    return (asked, *_estimate(a, end), before or "–", base or "–")


def _remarks(a: Answer, forecast: Forecast) -> tuple[str, ...]:
    """Return the fact that settles a question, or the reason why it has no answer."""
    remarks = []
    if a.settled_by:
        told = next((e.text for e in forecast.evidence if e.id == a.settled_by), a.settled_by)
        remarks.append(f"Settled already by the fact “{told.rstrip('.')}”.")
    if a.reason is not None and not forecast.verdict.refused:
        remarks.append(words(a.reason))
    return tuple(remarks)


def _estimate(a: Answer, end: dt.date) -> tuple[Cell | str, ...]:
    answer = words_of(a.kind)
    if not answer.low:
        return (_chance(a, bar=True),)
    low, middle, high = answer_span(a.headline, a.kind, end)
    happens = () if answer.chance_of is None else (_chance(a),)
    return (low or "–", Cell(middle or "–", strong=True), high or "–", *happens)


def _chance(a: Answer, *, bar: bool = False) -> Cell | str:
    """Return a probability with its error; a bar compares it with the base rate."""
    if a.headline is None or a.headline.probability is None:
        return "–"
    chance, error = a.headline.probability, a.headline.probability_error
    compared = None if a.outside is None else a.outside.probability
    return Cell(
        percent(chance),
        beside="" if error is None else plus_minus(error),
        strong=bar,
        bar=Bar(share=chance, error=error, compared=compared) if bar else None,
    )


def scores_document(scores: Scores) -> Document:
    """Return the score of each question beside those of the baselines, and the means."""
    columns, *rows = scores.rows()
    mean = scores.summary()
    means = []
    if mean["forecast"]["n"]:
        mine = mean["forecast"]
        means.append(
            f"Open binary questions: {mine['n']}, mean Brier score {mine['brier']:.3f}, "
            f"mean log score {mine['log']:.3f} (0 is best)"
        )
    means += [
        f"{name.capitalize()} alone, of {voice['n']} of them: mean Brier score {voice['brier']:.3f}"
        for name, voice in mean["voices"].items()
        if voice["n"] and name != "pooled" and mean["voices"]["history"]["n"]
    ]
    means += [
        f"Better than {name} on {against['better']} of {against['n']}"
        for name, against in mean["baselines"].items()
        if against["n"]
    ]
    return Document(
        f"{scores.case_id}: scores as of {day(scores.as_of)}",
        (
            Paragraph(f"{number(scores.effective)} effective runs; the lower a score, the better."),
            Table("", columns, tuple(rows)),
            *paragraphs(means),
        ),
    )


def case_document(case: Case) -> Document:
    """Return the contents of a case."""
    counts = f"{len(case.facts)} facts, {len(case.sources)} sources, {len(case.places)} places"
    known = (
        f"{day(case.start)} to {day(case.end)}, known by {when(show_when(case.as_of))}: {counts}."
    )
    questions = tuple((q.text, q.kind, q.id) for q in case.questions)
    hypotheses = tuple((h.title, h.says, h.put_forward_by) for h in case.hypotheses)
    tables = (
        Table("Questions", ("", "Kind", "Id"), questions),
        Table("Hypotheses", ("", "Says", "Put forward by"), hypotheses),
    )
    return Document(
        case.title, (*paragraphs((case.summary, known)), *(t for t in tables if t.rows))
    )


def ensemble_document(ensemble: Ensemble) -> Document:
    """Return the description of an ensemble."""
    plan = ensemble.plan
    rows = (
        ("Runs", f"{ensemble.complete_runs:,} of {plan.runs:,}"),
        ("Seed", str(plan.seed)),
        ("Store", str(ensemble.path)),
        ("Command", plan.command()),
    )
    title = str(ensemble.attributes.get("title", plan.case_name))
    return Document(title, (Table("Runs", ("", ""), rows),))
