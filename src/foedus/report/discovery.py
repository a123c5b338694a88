"""Scenario discovery in a sentence, and as text on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foedus.report.tables import console, table
from foedus.report.words import day, number, percent, points, with_unit

if TYPE_CHECKING:
    from foedus.judgement.discovery import Condition, Discovery, Step

#: Restrictions that come back in fewer resamples than this are called unsteady.
_STEADY = 0.5


def print_discovery(found: Discovery) -> None:
    """Print the sentence, its conditions, and the trajectory that it comes from."""
    to = console()
    to.print(f"{found.title}: as of {day(found.as_of)}", style="bold")
    weighed = "after weighing the evidence" if found.evidence else "before the evidence"
    to.print(f"{found.runs:,} runs count, worth {number(found.effective)} {weighed}.")
    to.print()
    to.print(sentence(found))
    if found.found:
        head = ("Condition", "Holds in", "Comes back in", "Quasi-p")
        rows = [
            (condition(c), percent(c.holds), percent(c.stability), f"{c.quasi_p:.2g}")
            for c in found.conditions
        ]
        to.print()
        to.print(table("", head, rows))
        to.print()
        for c in found.conditions:
            to.print(f"{c.input.name}: {c.input.meaning}")
        shaky = [c.input.name for c in found.conditions if c.stability < _STEADY]
        if shaky:
            to.print(f"Unsteady, gone in most resamples: {', '.join(shaky)}.")
    to.print()
    steps = [
        (
            f"{s.number}" + (" *" if found.found and s.number == found.chosen else ""),
            str(len(s.box.restrictions)),
            percent(s.held.mass),
            percent(s.held.density),
            percent(s.held.coverage),
        )
        for s in _some(found)
    ]
    title = "The trajectory, on the half of the runs that it was not sought on"
    to.print(table(title, ("Step", "Restricted", "Mass", "Density", "Coverage"), steps))
    if found.found:
        to.print("* the box comes from here, without the restrictions that may do nothing.")


def sentence(found: Discovery) -> str:
    """Return what was found, in one sentence."""
    outcome = f"“{found.text}” {found.outcome}"
    base = percent(found.base)
    if not found.found:
        return (
            f"Nothing found: {outcome}, in {base} of the runs, but no conditions on the inputs "
            "set these apart on runs that had no part in the search."
        )
    held = found.held
    return (
        f"{outcome}: in {percent(held.density)} {points(held.density_error)} of the runs in which "
        f"{' and '.join(condition(c) for c in found.conditions)}, against {base} of all and "
        f"{percent(found.outside)} of the others; the conditions hold in {percent(held.mass)} of "
        f"the runs and cover {percent(held.coverage)} {points(found.coverage_error)} of those with "
        "this outcome."
    )


def condition(c: Condition) -> str:
    """Return a condition in words."""
    name = c.input.name.replace("chance:", "chance: ")
    if c.options:
        return f"{name} is {' or '.join(c.options)}"
    unit = c.input.unit
    if c.low is not None and c.high is not None:
        return f"{name} is {number(c.low)} to {with_unit(c.high, unit)}"
    if c.low is not None:
        return f"{name} is at least {with_unit(c.low, unit)}"
    return f"{name} is at most {with_unit(c.high or 0.0, unit)}"


def _some(found: Discovery) -> list[Step]:
    """Return some steps of the trajectory: its ends, the chosen one, and some between."""
    last = len(found.trajectory) - 1
    stride = max(1, round(last / 8))
    wanted = {*range(0, last + 1, stride), last, *((found.chosen,) if found.found else ())}
    return [found.trajectory[n] for n in sorted(wanted)]
