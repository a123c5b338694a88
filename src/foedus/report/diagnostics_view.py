"""What a forecast depends on, fact by fact and source by source, as a document."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from foedus.report.answer_words import words_of
from foedus.report.document import (
    Document,
    Items,
    Paragraph,
    Part,
    Section,
    Table,
    cautions,
    paragraphs,
    section,
)
from foedus.report.number_format import count, day, number, percent, plus_minus
from foedus.report.verdict_words import advice, words

if TYPE_CHECKING:
    from foedus.answers.diagnostics import (
        Believed,
        Check,
        Contradiction,
        Diagnostics,
        Place,
        Shift,
    )

#: Number of facts shown for each question, and the smallest shift shown: half a point.
_FACTS = 3
_SMALLEST = 0.005


_CHECKS = ("Report", "Says", "Before", "Others", "As far out", "Wrong", "Runs without")
_CHECKS_NOTE = (
    "Before and Others: the place of the report in what the runs expect, before the evidence and "
    "given all other evidence (0 lower than all, 1 higher). As far out: the chance of a report at "
    "least as unusual, others given. Wrong: that it is outright wrong, and by its rating alone."
)
_SHIFTS = ("Question", "Fact", "Without", "With", "Points")
_SHIFTS_NOTE = (
    "Points: what the fact adds, in percentage points with the standard error, to the chance of "
    "yes, or of what stands in brackets."
)
_SOURCES = ("Source", "Facts", "Wrong, each", "By rating", "")


def diagnostics_document(found: Diagnostics) -> Document:
    """Return how each report fits the runs, which conflict, what moved what, who is believed."""
    parts: list[Part] = [
        Paragraph(
            f"{count(found.runs, 'run')}, worth {number(found.effective_prior)} before the "
            f"evidence and {number(found.effective)} after it."
        )
    ]
    if not found.verdict.ok:
        parts.append(Items(advice(found.verdict)))
    if found.checks:
        rows = tuple(_check(c) for c in found.checks)
        parts.append(Table("Is it what the runs expect?", _CHECKS, rows))
        parts.append(Paragraph(_CHECKS_NOTE))
    parts += section(_conflicts(found))
    parts += _shifts(found)
    if found.sources:
        rows = tuple(_source(s) for s in found.sources)
        parts.append(Table("Which sources do the runs believe?", _SOURCES, rows))
    title = f"{found.title}: diagnostics as of {day(found.as_of)}"
    return Document(title, (*parts, *cautions(found.warnings)))


def _check(c: Check) -> tuple[str, ...]:
    return (
        f"{c.fact} ({c.rating})",
        c.reported or "yes",
        _place(c.prior),
        _place(c.others),
        percent(c.others.tail) if c.others.told else "–",
        f"{_wrong(c.disbelief, c.disbelief_error, c.told)} ({percent(c.rated_wrong)})",
        number(c.ess_without),
    )


def _wrong(chance: float, error: float, told: bool) -> str:
    return f"{percent(chance)} {plus_minus(error)}" if told else "–"


def _place(p: Place) -> str:
    return f"{p.pit:.2f}" if p.told else "–"


def _conflicts(found: Diagnostics) -> list[str]:
    if found.checks and not found.conflicts:
        lines = ["No report conflicts with the model."]
    else:
        lines = [f"Conflict: {_conflict(c)}" for c in found.conflicts]
    return [*lines, *(f"Contradiction: {_pair(p)}{_sided(p)}." for p in found.contradictions)]


def _conflict(c: Check) -> str:
    says = f"{c.fact} ({c.reported or 'yes'}, rated {c.rating})"
    if c.conflict == "unmet":
        times = number(math.exp(min(-c.closest, 300.0)))
        return (
            f"no run comes near {says}. Even the closest makes it {times} times less likely than "
            f"agreement would; it lies {_side(c.prior)} what the runs expect."
        )
    if c.conflict == "disbelieved":
        return (
            f"{says} is {percent(c.disbelief)} likely outright wrong, by its rating "
            f"{percent(c.rated_wrong)}; it lies {_side(c.others)} what the runs expect."
        )
    place = c.others if c.others.told else c.prior
    return (
        f"{says} lies {_side(place)} what the runs expect; one as far out has a chance of "
        f"{percent(place.tail)}."
    )


def _pair(pair: Contradiction) -> str:
    if pair.kind != "unlikely":
        return pair.text
    return (
        f"{pair.a} and {pair.b} are {number(1.0 / pair.lift)} times less likely together than apart"
    )


def _sided(pair: Contradiction) -> str:
    """Return which of two facts the runs find more credible."""
    doubts = {pair.a: pair.disbelief_a, pair.b: pair.disbelief_b}
    if math.isnan(pair.lift):
        weighed = [f"{f} is {percent(d)} likely wrong" for f, d in doubts.items() if d == d]
        return "; ".join(("; one is replayed, so all runs follow it", *weighed))
    if any(math.isnan(d) for d in doubts.values()):
        return "; too few runs to say which is wrong"
    if pair.sided_with is None:
        return f"; {percent(pair.disbelief_a)} and {percent(pair.disbelief_b)} likely wrong"
    right, wrong = sorted(doubts.values())
    side = f"; the runs side with {pair.sided_with}"
    return f"{side}: {percent(right)} against {percent(wrong)} likely wrong"


def _side(p: Place) -> str:
    return "above" if p.pit > 0.5 else "below"


def _shifts(found: Diagnostics) -> list[Part]:
    parts: list[Part] = []
    rows: list[tuple[str, ...]] = []
    for question, text, _ in found.questions:
        large = [s for s in found.moved(question) if abs(s.shift) >= _SMALLEST]
        for n, shift in enumerate(large[:_FACTS]):
            rows.append((text if n == 0 else "", shift.fact, *_moved(shift)))
    if rows:
        parts.append(Table("Which fact moved which answer?", _SHIFTS, tuple(rows)))
        parts.append(Paragraph(_SHIFTS_NOTE))
    unmoved = [q for q, _, _ in found.questions if not found.moved(q)]
    if not unmoved or found.verdict.refused:
        return parts
    lines = []
    settled = [f"{q} (by {found.settled[q]})" for q in unmoved if q in found.settled]
    if settled:
        lines.append(f"Settled by a known fact, so nothing moves it: {', '.join(settled)}.")
    free = [q for q in unmoved if q not in found.settled]
    if free:
        lines.append(f"No single fact moves beyond chance: {', '.join(free)}.")
    return [*parts, Section(paragraphs(lines))]


def _moved(s: Shift) -> tuple[str, str, str]:
    sign = "+" if s.shift > 0 else "−"
    answer = words_of(s.kind)
    return (
        answer.value(s.without),
        answer.value(s.with_it),
        f"{sign}{100 * abs(s.shift):.0f} {plus_minus(s.error)}{answer.side(s.without)}",
    )


def _source(s: Believed) -> tuple[str, ...]:
    return (
        f"{s.name} ({s.source})",
        str(s.facts),
        _wrong(s.wrong / s.facts, s.error / s.facts, s.told),
        percent(s.rated_wrong / s.facts),
        words(s.belief),
    )
