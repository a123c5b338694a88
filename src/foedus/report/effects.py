"""Charts of sensitivities and of scenario discovery, as SVG."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from foedus.case.question_kinds import Shape, kind_of
from foedus.report.discovery_view import condition, sentence
from foedus.report.number_format import MONTHS, number
from foedus.report.plots import FAINT, INK, INNER, LINE, STYLE, inline, svg_of
from foedus.report.sensitivity_view import label, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from foedus.answers.discovery import Discovery
    from foedus.answers.sensitivity_results import Effect, End, Sensitivities, Sensitivity

_WIDTH = 7.2
_ROW = 0.27


def tornado_svg(found: Sensitivities, question: str, *, after: bool = False, most: int = 12) -> str:
    """Draw what an answer hangs on: the answer at both ends of each input, and its share.

    Parameters
    ----------
    found : Sensitivities
    question : str
    after : bool
        After the evidence instead of before.
    most : int
        Inputs that are drawn; those told from noise, or the largest where none is.

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
    return inline(text, f"tornado-{asked.id}", f"What the answer hangs on: {asked.text}", told)


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
        "share of variance, % (open: by itself)" if total else "share of variance, % (grey: noise)"
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


def discovery_svg(found: Discovery) -> str:
    """Draw coverage against density along the trajectory, and the conditions of the box.

    Parameters
    ----------
    found : Discovery

    Returns
    -------
    str
        An ``<svg>`` element with a title and a description.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 3.0), facecolor="white")
        FigureCanvasSVG(figure)
        ax = figure.add_axes((0.075, 0.16, 0.36, 0.68))
        for half, color, size, name in (
            ("sought", "#9aa5af", 3.0, "half that was searched"),
            ("held", LINE, 3.5, "other half"),
        ):
            steps = [getattr(s, half) for s in found.trajectory]
            ax.plot(
                [100 * q.coverage for q in steps],
                [100 * q.density for q in steps],
                "-o" if found.method == "prim" else "o",
                color=color, markersize=size, linewidth=1.0, label=name,
            )  # fmt: skip
        ax.axhline(100 * found.base, color=FAINT, linewidth=0.8, dashes=(3, 2))
        if found.found:
            ax.plot([100 * found.held.coverage], [100 * found.held.density], "s", color=INK,
                    markersize=7, markerfacecolor="none", label="the box")  # fmt: skip
        ax.set_xlim(-3, 103)
        ax.set_ylim(-3, 103)
        ax.set_xlabel("coverage, % of the outcome", fontsize=8, color=INK)
        ax.set_ylabel("density, % of the runs inside", fontsize=8, color=INK)
        ax.legend(
            frameon=False, fontsize=7.5, loc="lower left", bbox_to_anchor=(-0.02, 0.99), ncol=3,
            columnspacing=1.0, handletextpad=0.4, borderpad=0.1,
        )  # fmt: skip
        _conditions(figure.add_axes((0.49, 0.16, 0.49, 0.68)), found)
        figure.text(0.01, 0.93, f"{found.text} – {found.outcome}", fontsize=9.5, weight="bold")
        text = svg_of(figure)
    title = f"Conditions: {found.text} – {found.outcome}"
    return inline(text, f"discovery-{found.question}", title, sentence(found))


def _conditions(ax: Axes, found: Discovery) -> None:
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    if not found.found:
        ax.set_xticks([])
        ax.spines["bottom"].set_visible(False)
        ax.text(0.0, 0.5, "Nothing found.", color=INK, transform=ax.transAxes)
        return
    for row, c in enumerate(found.conditions):
        ax.plot([0, 100], [row, row], color="#eceff1", linewidth=7, solid_capstyle="butt")
        ax.plot([100 * r for r in c.ranks], [row, row], color=INNER, linewidth=7,
                solid_capstyle="butt")  # fmt: skip
        ax.text(0, row - 0.22, f"{condition(c)}  (back in {100 * c.stability:.0f}%)", fontsize=8,
                color=INK, va="bottom")  # fmt: skip
    ax.set_ylim(max(len(found.conditions), 3) - 0.5, -0.8)
    ax.set_xlim(0, 100)
    ax.set_xlabel("runs, ordered by the input, %", fontsize=8, color=INK)
