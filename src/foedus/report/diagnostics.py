"""The diagnostics of a forecast as text on a terminal."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from foedus.report.number_format import count, day, number, percent, points
from foedus.report.tables import console, table
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

#: Facts that are shown for each question, and the smallest shift that is: half a point.
_FACTS = 3
_SMALLEST = 0.005


def print_diagnostics(found: Diagnostics) -> None:
    """Print where each report lies, which conflict, what moved what, and who is believed."""
    to = console()
    to.print(f"{found.title}: diagnostics as of {day(found.as_of)}", style="bold")
    to.print(
        f"{count(found.runs, 'run')}, worth {number(found.effective_prior)} before the evidence "
        f"and {number(found.effective)} after it."
    )
    for line in advice(found.verdict):
        to.print(f"  {line}")
    if found.checks:
        to.print()
        head = ("Report", "Says", "Before", "Others", "As far out", "Wrong", "Runs without")
        to.print(table("Is it what the runs expect?", head, [_check(c) for c in found.checks]))
        to.print()
        to.print(
            "Before and Others: the place of the report in what the runs expect, before the "
            "evidence and given all other evidence (0 lower than all, 1 higher). As far out: the "
            "chance of a report at least as unusual, others given. Wrong: that it is outright "
            "wrong, and by its rating alone."
        )
    _print_conflicts(found)
    _print_shifts(found)
    if found.sources:
        to.print()
        of = ("Source", "Facts", "Wrong, each", "By rating", "")
        to.print(table("Whom do the runs believe?", of, [_source(s) for s in found.sources]))
    for warning in found.warnings:
        to.print(f"Mind: {warning}")


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
    return f"{percent(chance)} {points(error)}" if told else "–"


def _place(p: Place) -> str:
    return f"{p.pit:.2f}" if p.told else "–"


def _print_conflicts(found: Diagnostics) -> None:
    to = console()
    if found.checks:
        to.print()
    if found.checks and not found.conflicts:
        to.print("No report conflicts with the model.")
    for c in found.conflicts:
        says = f"{c.fact} ({c.reported or 'yes'}, rated {c.rating})"
        if c.conflict == "unmet":
            times = number(math.exp(min(-c.closest, 300.0)))
            to.print(
                f"Conflict: no run comes near {says}. Even the closest makes it {times} times less "
                f"likely than agreement would; it lies {_side(c.prior)} what the runs expect."
            )
        elif c.conflict == "disbelieved":
            to.print(
                f"Conflict: {says} is {percent(c.disbelief)} likely outright wrong, by its rating "
                f"{percent(c.rated_wrong)}; it lies {_side(c.others)} what the runs expect."
            )
        else:
            place = c.others if c.others.told else c.prior
            to.print(
                f"Conflict: {says} lies {_side(place)} what the runs expect; one as far out has a "
                f"chance of {percent(place.tail)}."
            )
    for pair in found.contradictions:
        to.print(f"Contradiction: {_pair(pair)}{_sided(pair)}.")


def _pair(pair: Contradiction) -> str:
    if pair.kind != "unlikely":
        return pair.text
    return (
        f"{pair.a} and {pair.b} are {number(1.0 / pair.lift)} times less likely together than apart"
    )


def _sided(pair: Contradiction) -> str:
    """Return which of two facts the runs believe rather."""
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


def _print_shifts(found: Diagnostics) -> None:
    to = console()
    rows: list[tuple[str, ...]] = []
    for question, text, _ in found.questions:
        large = [s for s in found.moved(question) if abs(s.shift) >= _SMALLEST]
        for n, shift in enumerate(large[:_FACTS]):
            rows.append((text if n == 0 else "", shift.fact, *_moved(shift)))
    if rows:
        to.print()
        head = ("Question", "Fact", "Without", "With", "Points")
        to.print(table("Which fact moved which answer?", head, rows))
        to.print()
        to.print(
            "Points: what the fact adds, in percentage points with the standard error, to the "
            "chance of yes, or of what stands in brackets."
        )
    unmoved = [q for q, _, _ in found.questions if not found.moved(q)]
    if not unmoved or found.verdict.refused:
        return
    to.print()
    settled = [f"{q} (by {found.settled[q]})" for q in unmoved if q in found.settled]
    if settled:
        to.print(f"Settled by a known fact, so nothing moves it: {', '.join(settled)}.")
    free = [q for q in unmoved if q not in found.settled]
    if free:
        to.print(f"No single fact moves beyond chance: {', '.join(free)}.")


def _moved(s: Shift) -> tuple[str, str, str]:
    sign = "+" if s.shift > 0 else "−"
    return (
        _answer(s, s.without),
        _answer(s, s.with_it),
        f"{sign}{100 * abs(s.shift):.0f} {points(s.error)}{_of(s)}",
    )


def _of(s: Shift) -> str:
    """Return what the points are added to, where it is not the chance of yes."""
    if s.kind == "binary":
        return ""
    if s.kind == "number":
        return f" (over {_answer(s, s.without)})"
    return " (that it happens)" if s.without is None else f" (by {_answer(s, s.without)})"


def _answer(s: Shift, value: float | dt.date | None) -> str:
    if s.kind == "binary" and isinstance(value, float):
        return percent(value)
    if isinstance(value, dt.date):
        return day(value)
    return "not in the window" if value is None else number(value)


def _source(s: Believed) -> tuple[str, ...]:
    return (
        f"{s.name} ({s.source})",
        str(s.facts),
        _wrong(s.wrong / s.facts, s.error / s.facts, s.told),
        percent(s.rated_wrong / s.facts),
        words(s.belief),
    )
