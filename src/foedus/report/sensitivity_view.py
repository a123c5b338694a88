"""What the answers depend on: sensitivities as a document."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from foedus.report.document import (
    Document,
    Paragraph,
    Part,
    Section,
    Table,
    cautions,
    paragraphs,
    section,
)
from foedus.report.number_format import count, day, number, percent, with_unit
from foedus.report.verdict_words import verdict_parts, words

if TYPE_CHECKING:
    from foedus.answers.sensitivity_results import (
        Effect,
        End,
        Sensitivities,
        Sensitivity,
        Share,
        View,
    )

#: Inputs that are named where all questions are shown.
_NAMED = 3


def sensitivities_document(found: Sensitivities, *, most: int = 10) -> Document:
    """Return what each answer depends on, or one answer in full where it is the only one.

    Parameters
    ----------
    found : Sensitivities
    most : int
        Inputs that are shown of one answer.
    """
    if found.design == "sobol":
        runs = f"{count(found.runs, 'run')} of a design of their own, before the evidence."
    else:
        after = f" and {number(found.effective_after)} after" if found.effective_after else ""
        runs = (
            f"{count(found.runs, 'run')}, worth {number(found.effective_before)} before the "
            f"evidence{after}; {len(found.inputs)} uncertain inputs."
        )
    parts: list[Part] = [Paragraph(runs)]
    if found.verdict.refused:
        parts += verdict_parts(found.verdict, refused="No answer after the evidence")
    if len(found.questions) == 1:
        parts += _one(found, found.questions[0], most)
    else:
        columns = ("", "Before the evidence", "After the evidence", "Chance")
        if found.design == "sobol":
            columns = ("", "Total share", "", "Chance")
        parts.append(Table("", columns, tuple(_row(q) for q in found.questions)))
        parts.append(
            Paragraph("Shares of the answer's variance; only inputs that stand out from noise.")
        )
    title = f"{found.title}: what the answers depend on, as of {day(found.as_of)}"
    return Document(title, (*parts, *cautions(found.warnings)))


def _row(q: Sensitivity) -> tuple[str, ...]:
    chance = q.before.chance
    return (
        q.text,
        named(q.before),
        named(q.after) if q.after.effects or not q.before.effects else "–",
        "–" if chance is None else percent(min(max(chance.share, 0.0), 1.0)),
    )


def named(view: View, most: int = _NAMED) -> str:
    """Return the inputs that stand out from noise, with their shares, as a line."""
    if view.reason is not None:
        return words(view.reason)
    if not view.told:
        return "none stands out from noise"
    parts = [f"{label(e)} {percent(_size(e))}" for e in view.told[:most]]
    more = len(view.told) - most
    return ", ".join(parts) + (f", {more} more" if more > 0 else "")


def label(effect: Effect) -> str:
    """Return the name of an input as people read it."""
    return effect.input.name.replace("chance:", "chance: ").replace(":", ": ").replace(":  ", ": ")


def _size(effect: Effect) -> float:
    return max(effect.share if effect.total is None else effect.total, 0.0)


def _one(found: Sensitivities, q: Sensitivity, most: int) -> list[Part]:
    parts: list[Part] = [Section((Paragraph(q.text, strong=True),))]
    for title, view in (("Before the evidence", q.before), ("After the evidence", q.after)):
        if found.design == "sobol" and title.startswith("After"):
            continue
        if view.reason is not None:
            parts += section((f"{title}: {words(view.reason)}.",))
            continue
        shown = view.effects[:most]
        rows: tuple[tuple[str, ...], ...]
        columns: tuple[str, ...]
        if found.design == "sobol":
            rows = tuple(_orders(e) for e in shown)
            columns = (title, "Total share", "95%", "By itself", "95%")
        else:
            rows = tuple(_effect(e) for e in shown)
            columns = (title, "Share", "95%", "", "At its lowest", "At its highest")
        parts += [Table("", columns, rows), *paragraphs(_rest(view, found))]
    if found.design == "given":
        ends = (
            "Lowest and highest: the answer in the fifth of the runs in which the input is "
            "lowest and highest; of several options, those with the lowest and highest answer."
        )
        parts += section((ends,))
    return parts


def _rest(view: View, found: Sensitivities) -> list[str]:
    out = []
    if view.noise is not None:
        untold = len(view.effects) - len(view.told)
        out.append(
            f"{untold} of {len(view.effects)} inputs do not stand out from noise: made-up inputs "
            f"that do nothing reach {percent(view.noise)} by luck."
        )
    if view.alone is not None:
        out.append(f"All inputs, each by itself: {_said(view.alone)} of the variance.")
    if view.chance is not None:
        what = "given hypothesis and parameters" if found.design == "sobol" else "given all inputs"
        out.append(f"Chance, {what}: {_said(view.chance)} of the variance.")
    return out


def _said(share: Share) -> str:
    low, high = (min(max(x, 0.0), 1.0) for x in (share.low, share.high))
    middle = min(max(share.share, 0.0), 1.0)
    return f"{percent(middle)} ({percent(low)} to {percent(high)})"


def _interval(share: float | None, low: float | None, high: float | None) -> tuple[str, str]:
    if share is None or low is None or high is None:
        return "–", ""
    return percent(max(share, 0.0)), f"{percent(max(low, 0.0))} to {percent(max(high, 0.0))}"


def _orders(e: Effect) -> tuple[str, ...]:
    total = _interval(e.total, e.total_low, e.total_high)
    return (label(e), *total, *_interval(e.share, e.low, e.high))


def _effect(e: Effect) -> tuple[str, ...]:
    ends = [_end(x, e.input.unit) for x in e.ends] or ["–", "–"]
    mark = "" if e.told else "noise"
    return (label(e), *_interval(e.share, e.low, e.high), mark, *ends)


def _end(end: End, unit: str) -> str:
    if isinstance(end.median, dt.date):
        answer = day(end.median)
    elif end.median is not None:
        answer = number(end.median)
    elif end.probability is not None:
        answer = percent(end.probability)
    else:
        answer = "–"
    if end.median is not None and end.probability is not None:
        answer += f", {percent(end.probability)}"
    if end.at is None:
        return answer
    at = end.at if isinstance(end.at, str) else with_unit(end.at, unit)
    return f"{answer} (at {at})"
