"""The diagnostics of a forecast as text on a terminal."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from foedus.report.tables import console, table
from foedus.report.words import day, number, percent, points

if TYPE_CHECKING:
    from foedus.judgement.diagnostics import Believed, Check, Diagnostics, Place, Shift

#: Facts that are shown for each question, and the smallest shift that is: half a point.
_FACTS = 3
_SMALLEST = 0.005


def print_diagnostics(found: Diagnostics) -> None:
    """Print where each report lies, which conflict, what moved what, and who is believed."""
    to = console()
    to.print(f"{found.title}: diagnostics as of {day(found.as_of)}", style="bold")
    to.print(
        f"{found.runs:,} runs, worth {number(found.effective_prior)} before the evidence and "
        f"{number(found.effective)} after it."
    )
    if found.verdict != "ok":
        for line in found.advice:
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
        f"{percent(c.disbelief)} {points(c.disbelief_error)} ({percent(c.rated_wrong)})",
        number(c.ess_without),
    )


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
        else:
            place = c.others if c.others.told else c.prior
            to.print(
                f"Conflict: {says} lies {_side(place)} what the runs expect; one as far out has a "
                f"chance of {percent(place.tail)}."
            )
    for pair in found.contradictions:
        sided = f"; the runs side with {pair.sided_with}" if pair.sided_with else ""
        to.print(
            f"Contradiction: {pair.a} and {pair.b} are {number(1.0 / pair.lift)} times less likely "
            f"together than apart{sided}."
        )


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
    unmoved = [q for q, _, _ in found.questions if not found.moved(q)]
    if unmoved and found.verdict != "refused":
        to.print()
        to.print(f"No single fact moves beyond chance: {', '.join(unmoved)}.")


def _moved(s: Shift) -> tuple[str, str, str]:
    sign = "+" if s.shift > 0 else "−"
    return (
        _answer(s, s.without),
        _answer(s, s.with_it),
        f"{sign}{100 * abs(s.shift):.0f} {points(s.error)}",
    )


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
        f"{percent(s.wrong / s.facts)} {points(s.error / s.facts)}",
        percent(s.rated_wrong / s.facts),
        s.words,
    )
