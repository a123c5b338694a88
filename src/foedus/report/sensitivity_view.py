"""What the answers depend on: sensitivities as a document and as a tornado chart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from foedus.case.question_kinds import Shape, kind_of
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
from foedus.report.number_format import MONTHS, count, day, number, percent, with_unit
from foedus.report.plots import FAINT, INK, INNER, LINE, STYLE, inline, svg_of
from foedus.report.verdict_words import verdict_parts, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from foedus.answers.sensitivity_results import (
        Effect,
        End,
        Sensitivities,
        Sensitivity,
        Share,
        View,
    )

#: Number of inputs named where all questions are shown.
_NAMED = 3
#: Inches: the width of a chart, and the height of a row.
_WIDTH, _ROW = 7.2, 0.27


def sensitivities_document(found: Sensitivities, *, most: int = 10) -> Document:
    """Return what each answer depends on, or one answer in full if it is the only one.

    Parameters
    ----------
    found : Sensitivities
    most : int
        Number of inputs shown for one answer.
    """
    if found.design == "sobol":
        runs = f"{count(found.runs, 'run')} of a separate design, before the evidence."
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
        out.append(f"All inputs, each on its own: {_said(view.alone)} of the variance.")
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


def tornado_svg(found: Sensitivities, question: str, *, after: bool = False, most: int = 12) -> str:
    """Draw what an answer depends on: the answer at both ends of each input, and its share.

    Parameters
    ----------
    found : Sensitivities
    question : str
    after : bool
        After the evidence instead of before.
    most : int
        Number of inputs drawn: those that stand out from noise, or the largest if none does.

    Returns
    -------
    str
        An ``<svg>`` element with a title and a description.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    asked = found.of(question)
    view = asked.after if after else asked.before
    shown = (view.told or view.effects[:5])[:most]
    height = max(len(shown), 1) * _ROW + 0.95
    when = "after the evidence" if after else "before the evidence"
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, height), facecolor="white")
        FigureCanvasSVG(figure)
        bottom, high = 0.5 / height, (height - 0.95) / height
        ends = [e for e in shown if e.ends]
        if not shown:
            figure.text(0.02, 0.5, f"{view.reason}.", color=INK)
        else:
            right = (0.68, bottom, 0.29, high) if ends else (0.33, bottom, 0.64, high)
            share = figure.add_axes(right)
            _shares(share, shown, view.noise)
            first = share
            if ends:
                first = figure.add_axes((0.33, bottom, 0.31, high))
                _ends(first, shown, asked, found.end)
                share.set_yticks([])
            first.set_yticks(range(len(shown)), [label(e) for e in shown])
            first.tick_params(axis="y", length=0)
        figure.text(0.01, 1 - 0.22 / height, f"{asked.text} ({when})", fontsize=9.5, weight="bold")
        text = svg_of(figure)
    told = f"Shares of the variance: {named(view, most)}."
    return inline(text, f"tornado-{asked.id}", f"What the answer depends on: {asked.text}", told)


def _shares(ax: Axes, shown: tuple[Effect, ...], noise: float | None) -> None:
    total = shown[0].total is not None
    for row, e in enumerate(shown):
        middle, low, high = (
            (e.total or 0.0, e.total_low or 0.0, e.total_high or 0.0)
            if total
            else (e.share, e.low, e.high)
        )
        color = LINE if e.told else FAINT
        ax.plot([100 * max(low, 0), 100 * high], [row, row], color=color, linewidth=1.4)
        ax.plot([100 * max(middle, 0)], [row], "o", color=color, markersize=4.5)
        if total:
            ax.plot([100 * max(e.share, 0)], [row], "o", markerfacecolor="white",
                    markeredgecolor=color, markersize=4.5)  # fmt: skip
    if noise is not None:
        ax.axvspan(0, 100 * noise, color="#eceff1", linewidth=0)
    _rows(ax, len(shown))
    ax.set_xlim(left=0)
    what = (
        "share of variance, % (open: on its own)" if total else "share of variance, % (grey: noise)"
    )
    ax.set_xlabel(what, fontsize=8, color=INK)


def _ends(ax: Axes, shown: tuple[Effect, ...], asked: Sensitivity, last: dt.date) -> None:
    place, scale = _SCALES[kind_of(asked.kind).shape]
    for row, e in enumerate(shown):
        if not e.ends:
            continue
        low, high = (place(x, last) for x in e.ends)
        ax.plot([low, high], [row, row], color=INNER, linewidth=6, solid_capstyle="butt", zorder=1)
        ax.plot([low], [row], "|", color=INK, markersize=8, markeredgewidth=1.5)
        ax.plot([high], [row], "o", color=LINE, markersize=5)
    _rows(ax, len(shown))
    ax.set_xlabel(scale(ax, asked, last), fontsize=8, color=INK)
    ax.set_title("| input lowest   ● highest", loc="left", fontsize=8, color=FAINT, pad=3)


def _ticks(**given: Any) -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(**given)


def _when(ordinal: int, last: dt.date) -> str:
    if ordinal > last.toordinal():
        return "later"
    date = dt.date.fromordinal(max(ordinal, 1))
    return f"{date.day} {MONTHS[date.month - 1]}"


def _percent(end: End, last: dt.date) -> float:
    return 100.0 * (end.probability or 0.0)


def _percents(ax: Axes, asked: Sensitivity, last: dt.date) -> str:
    ax.set_xlim(-3, 103)
    return "probability, %"


def _ordinal(end: End, last: dt.date) -> float:
    date = end.median
    return float(date.toordinal() if isinstance(date, dt.date) else last.toordinal() + 1)


def _days(ax: Axes, asked: Sensitivity, last: dt.date) -> str:
    ax.xaxis.set_major_locator(_ticks(nbins=4, integer=True))
    ax.xaxis.set_major_formatter(lambda v, _: _when(int(v), last))
    return "median day"


def _amount(end: End, last: dt.date) -> float:
    return float(end.median) if isinstance(end.median, float) else 0.0


def _amounts(ax: Axes, asked: Sensitivity, last: dt.date) -> str:
    ax.xaxis.set_major_locator(_ticks(nbins=4))
    ax.xaxis.set_major_formatter(lambda v, _: number(v))
    return f"median, {asked.unit}"


#: By the shape of the answer: its place on the axis, and what scales and names the axis.
_SCALES: dict[Shape, tuple[Callable[[End, dt.date], float], Callable[..., str]]] = {
    Shape.CHANCE: (_percent, _percents),
    Shape.AMOUNT: (_amount, _amounts),
    Shape.DAY: (_ordinal, _days),
}


def _rows(ax: Axes, count: int) -> None:
    ax.set_ylim(count - 0.4, -0.6)
    ax.grid(axis="x", color="#e6e9ec", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines["left"].set_visible(False)
