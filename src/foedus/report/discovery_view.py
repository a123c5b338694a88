"""Scenario discovery in a sentence, and as a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foedus.report.document import Document, Paragraph, Part, Section, Table, paragraphs, section
from foedus.report.number_format import day, number, percent, plus_minus, with_unit

if TYPE_CHECKING:
    from foedus.answers.discovery import Condition, Discovery, Step

#: A restriction that comes back in a smaller share of the resamples is called unsteady.
_STEADY = 0.5
#: A restriction with a quasi-p above this may be chance, and is introduced by "perhaps".
_BORNE_OUT = 0.05


_CONDITIONS = ("Condition", "Holds in", "Comes back in", "Quasi-p")
_STEPS = ("Step", "Restricted", "Mass", "Density", "Coverage")


def discovery_document(found: Discovery) -> Document:
    """Return the sentence, its conditions, and the trajectory that it comes from."""
    weighed = "after weighing the evidence" if found.evidence else "before the evidence"
    runs = "1 run counts" if found.runs == 1 else f"{found.runs:,} runs count"
    said = [sentence(found)]
    if found.found and any(c.quasi_p > _BORNE_OUT for c in found.conditions):
        said.append(
            "Perhaps: what the box would lose without this condition may be chance on the runs "
            f"that had no part in the search (quasi-p above {_BORNE_OUT:g})."
        )
    parts: list[Part] = [
        Paragraph(f"{runs}, worth {number(found.effective)} {weighed}."),
        *section(said),
    ]
    if found.found:
        rows = tuple(
            (condition(c), percent(c.holds), percent(c.stability), f"{c.quasi_p:.2g}")
            for c in found.conditions
        )
        meanings = [f"{c.input.name}: {c.input.meaning}" for c in found.conditions]
        shaky = [c.input.name for c in found.conditions if c.stability < _STEADY]
        if shaky:
            meanings.append(f"Unsteady, gone in most resamples: {', '.join(shaky)}.")
        parts += [Table("", _CONDITIONS, rows), Section(paragraphs(meanings))]
    title = "The trajectory, on the half of the runs that had no part in the search"
    parts.append(Table(title, _STEPS, tuple(_step(s, found) for s in _some(found))))
    if found.found:
        parts.append(
            Paragraph("* the box comes from here, without the restrictions that may do nothing.")
        )
    return Document(f"{found.title}: as of {day(found.as_of)}", tuple(parts))


def _step(s: Step, found: Discovery) -> tuple[str, ...]:
    return (
        f"{s.number}" + (" *" if found.found and s.number == found.chosen else ""),
        str(len(s.box.restrictions)),
        percent(s.held.mass),
        percent(s.held.density),
        percent(s.held.coverage),
    )


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
        f"{outcome}: in {percent(held.density)} {plus_minus(held.density_error)} of the runs in "
        f"which {_conditions(found.conditions)}, against {base} of all and "
        f"{percent(found.outside)} of the others; the conditions hold in {percent(held.mass)} of "
        f"the runs and cover {percent(held.coverage)} {plus_minus(found.coverage_error)} of those "
        "with this outcome."
    )


def _conditions(conditions: Sequence[Condition]) -> str:
    """Return the conditions in words, the certain ones first."""
    sure = [f"{_meaning(c)} {_limits(c)}" for c in conditions if c.quasi_p <= _BORNE_OUT]
    rest = [f"perhaps {_meaning(c)} {_limits(c)}" for c in conditions if c.quasi_p > _BORNE_OUT]
    return " and ".join((*sure, *rest))


def _meaning(c: Condition) -> str:
    """Return what an input is, in words; its name where it has none."""
    text = c.input.meaning.rstrip(".")
    return f"“{text}”" if text else c.input.name


def condition(c: Condition) -> str:
    """Return a condition, the input by its name."""
    return f"{c.input.name.replace('chance:', 'chance: ')} {_limits(c)}"


def _limits(c: Condition) -> str:
    if c.options:
        return f"is {' or '.join(c.options)}"
    low, high = c.low, c.high
    if low is not None and high is not None:
        ends = (_with_unit(low, c.input.unit), _with_unit(high, c.input.unit))
        first = ends[0] if c.input.unit == "share" else number(low)
        return f"is {first} to {ends[1]}"
    if low is not None:
        return f"is at least {_with_unit(low, c.input.unit)}"
    return f"is at most {_with_unit(high or 0.0, c.input.unit)}"


def _with_unit(x: float, unit: str) -> str:
    return f"{number(100.0 * x)}%" if unit == "share" else with_unit(x, unit)


def _some(found: Discovery) -> list[Step]:
    """Return some steps of the trajectory: its ends, the chosen one, and some between."""
    last = len(found.trajectory) - 1
    stride = max(1, round(last / 8))
    wanted = {*range(0, last + 1, stride), last, *((found.chosen,) if found.found else ())}
    return [found.trajectory[n] for n in sorted(wanted)]
