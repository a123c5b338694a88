"""Charts as SVG text that is the same, byte for byte, whenever it is drawn again."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from foedus.report.document import FanChart, Mark
from foedus.report.number_format import MONTHS, day, number, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: The blue of Okabe and Ito and two tints of it, which stay apart in grey; facts are black on
#: white. Nothing depends on colour alone: the median is a full line, half of the runs lie within
#: dashes, nine in ten within dots.
OUTER, INNER, LINE, INK, FAINT = "#d3e7f3", "#8cbfdf", "#0072b2", "#1b1f24", "#5c6670"
#: Okabe and Ito's vermillion, for the base rate, which is always a diamond.
BASE = "#d55e00"

STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "foedus",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
}
SIZE = (5.3, 3.2)


def fan_svg(fan: FanChart, as_of: dt.date, *, size: tuple[float, float] = SIZE) -> str:
    """Draw quantiles by day with the known facts on them.

    Parameters
    ----------
    fan : FanChart
        The quantiles and the marks; nothing known after ``as_of`` may be among them.
    as_of : date
        Drawn as a line: left of it is reconstruction, right of it is forecast.
    size : tuple of float
        Width and height in inches.

    Returns
    -------
    str
        An ``<svg>`` element with a title and a description, without prolog, styles or ids that
        could clash with another chart's.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=size)
        FigureCanvasSVG(figure)
        draw_fan(figure.add_axes(frame(size)), fan, as_of)
        text = svg_of(figure)
    return inline(text, fan.key, fan.title, describe(fan, as_of))


def frame(size: tuple[float, float], *, label: bool = False) -> tuple[float, float, float, float]:
    """Return left, bottom, width and height of the axes in a figure, as shares of its size.

    Parameters
    ----------
    size : tuple of float
        Width and height of the figure in inches.
    label : bool
        Whether to leave space for the name of the vertical axis beside its numbers.
    """
    width, height = size
    left, right, bottom, top = 0.61, 0.11, 0.3, 0.255  # inches
    left += 0.24 if label else 0.0
    return (
        left / width,
        bottom / height,
        (width - left - right) / width,
        (height - bottom - top) / height,
    )


def sheet_svg(fans: Sequence[FanChart], as_of: dt.date) -> str:
    """Draw several fan charts, two in a row and with titles, as one SVG file."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    rows = -(-len(fans) // 2)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(2 * SIZE[0], rows * (SIZE[1] + 0.35)), facecolor="white")
        FigureCanvasSVG(figure)
        for n, fan in enumerate(fans):
            row, column = divmod(n, 2)
            high = 1.0 / rows
            left, bottom = 0.06 + 0.5 * column, 1.0 - (row + 1) * high
            ax = figure.add_axes((left, bottom + 0.12 * high, 0.42, 0.68 * high))
            draw_fan(ax, fan, as_of)
            figure.text(left - 0.045, bottom + 0.92 * high, fan.title, fontsize=11, weight="bold")
        text = svg_of(figure)
    return inline(text, "sheet", "Fan charts", "; ".join(describe(f, as_of) for f in fans))


def draw_fan(ax: Axes, fan: FanChart, as_of: dt.date | None) -> None:
    """Draw a fan chart on axes; without an as-of date nothing is marked as known."""
    x = np.arange(len(fan.dates), dtype=float)
    _axis_y(ax, fan)
    ax.fill_between(x, fan.q05, fan.q95, color=OUTER, linewidth=0)
    ax.fill_between(x, fan.q25, fan.q75, color=INNER, linewidth=0)
    ax.plot(x, fan.q50, color=LINE, linewidth=1.8, solid_capstyle="round")
    for edge in (fan.q25, fan.q75):  # lines that survive a copy in black and white
        ax.plot(x, edge, color=LINE, linewidth=0.7, dashes=(5, 2))
    for edge in (fan.q05, fan.q95):
        ax.plot(x, edge, color=LINE, linewidth=0.7, dashes=(1, 1.6))
    if as_of is not None:
        _as_of_line(ax, fan, as_of)
    for mark, x0 in _apart(fan):
        _draw(ax, mark, x0)
    _axis_x(ax, fan)


def svg_of(figure: Figure) -> str:
    """Return a figure as SVG text; equal figures give equal texts."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def sample_days(fan: FanChart) -> list[tuple[str, str, str, str]]:
    """Return date, low, median and high of some days, as many as the axis labels."""
    step = max(1, math.ceil((len(fan.dates) - 1) / 6))
    return [
        (day(fan.dates[i]), number(fan.q05[i]), number(fan.q50[i]), number(fan.q95[i]))
        for i in range(0, len(fan.dates), step)
    ]


def describe(fan: FanChart, as_of: dt.date | None) -> str:
    """Return the text alternative of a fan chart: its content in a sentence or two."""
    last = len(fan.dates) - 1
    peak = int(np.argmax(fan.q50))
    now = 0 if as_of is None else min(max((as_of - fan.dates[0]).days, 0), last)

    def at(i: int) -> str:
        spread = f"{number(fan.q05[i])} to {number(fan.q95[i])}"
        return f"{number(fan.q50[i])} (nine in ten runs {spread}) on {day(fan.dates[i])}"

    text = f"Median {fan.unit}: {at(now)}; {at(last)}"
    if peak not in (now, last):
        text += f"; highest {at(peak)}"
    count = len(fan.marks)
    drawn = "1 reported fact is drawn." if count == 1 else f"{count} reported facts are drawn."
    facts = drawn if count else "No fact reports it."
    return f"{text}. {facts}"


def _top(fan: FanChart) -> float:
    """Return the highest value that the axis must show."""
    ends = [m.point if m.point is not None else m.low for m in fan.marks]
    ends += [m.high for m in fan.marks if math.isfinite(m.high)]
    return max([1.0, *fan.q95, *(e for e in ends if math.isfinite(e))])


def _axis_y(ax: Axes, fan: FanChart) -> None:
    top = _top(fan)
    told = [m.point if m.point is not None else m.low for m in fan.marks]
    least = min([max(1.0, *fan.q75) / 2, *(t for t in told if t > 0)])
    if top > 25 * least:  # the tail would flatten the rest: a root scale keeps zero and shape
        ax.set_title("square-root scale", loc="right", fontsize=8, color=FAINT, pad=4)
        ax.set_yscale("function", functions=(_root, np.square))
        steps = [0.0] + [10.0**k * m for k in range(0, 9) for m in (1, 3)]
        wanted = [s for s in steps if s == 0 or top / 120 < s <= 1.1 * top]
        ax.set_yticks(_readable(wanted, top * 1.2, _height(ax)))
        ax.set_ylim(0, top * 1.2)
    else:
        ax.set_ylim(0, top * 1.1)
    ax.yaxis.set_major_formatter(lambda v, _: f"{v / 1e6:g} M" if v >= 1e6 else number(v))
    ax.grid(axis="y", color="#e6e9ec", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)


def _height(ax: Axes) -> float:
    """Return the height of axes in inches."""
    figure = ax.get_figure(root=True)
    whole = SIZE[1] if figure is None else float(figure.get_size_inches()[1])
    return whole * float(ax.get_position().height)


def _readable(ticks: list[float], top: float, height: float) -> list[float]:
    """Return the ticks of a root scale whose labels do not touch, zero and the largest first."""
    kept = [0.0]
    for tick in sorted(ticks, reverse=True):
        if all(
            abs(math.sqrt(tick) - math.sqrt(k)) * height > _LABEL * math.sqrt(top) for k in kept
        ):
            kept.append(tick)
    return sorted(kept)


#: Height of a label with its margin, in inches.
_LABEL = 0.15


def _root(values: Any) -> Any:
    return np.sqrt(np.maximum(values, 0.0))


def _axis_x(ax: Axes, fan: FanChart) -> None:
    days = len(fan.dates)
    ax.set_xlim(-0.5, days - 0.5)
    step = max(1, math.ceil((days - 1) / 6))
    ticks = list(range(0, days, step))
    labels = []
    for i, t in enumerate(ticks):
        date = fan.dates[t]
        month = i == 0 or date.month != fan.dates[ticks[i - 1]].month
        labels.append(f"{date.day} {MONTHS[date.month - 1]}" if month else str(date.day))
    ax.set_xticks(ticks, labels)


def _as_of_line(ax: Axes, fan: FanChart, as_of: dt.date) -> None:
    x = (as_of - fan.dates[0]).days + 0.5  # known up to the end of that day
    if not -0.5 < x < len(fan.dates) - 0.5:
        return
    ax.axvline(x, color=INK, linewidth=0.8, dashes=(3, 2))
    right = x > 0.75 * len(fan.dates)
    ax.annotate(
        f"known until {as_of.day} {MONTHS[as_of.month - 1]}",
        (x, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(-3 if right else 3, 3),
        textcoords="offset points",
        ha="right" if right else "left",
        fontsize=8,
        color=INK,
    )


def _apart(fan: FanChart) -> list[tuple[Mark, float]]:
    """Return each mark with its position on the time axis; marks of one day are side by side."""
    places = []
    for mark in fan.marks:
        same = [m for m in fan.marks if m.date == mark.date]
        middle = (len(same) - 1) / 2
        step = min(0.013 * len(fan.dates), 0.8 / len(same))
        x = (mark.date - fan.dates[0]).days + step * (same.index(mark) - middle)
        places.append((mark, x))
    return places


def _draw(ax: Axes, mark: Mark, x: float) -> None:
    """Draw a fact: a dot, a bar for an interval, an arrow for an open side; hollow for a part."""
    low, high = mark.low, mark.high
    color, width = (FAINT, 0.8) if mark.part else (INK, 1.3)
    style: dict[str, Any] = {"color": color, "linewidth": width, "clip_on": False, "zorder": 5}
    if math.isfinite(low) and math.isfinite(high) and high > low:
        ax.plot([x, x], [low, high], solid_capstyle="butt", **style)
        ax.plot([x, x], [low, high], linestyle="none", marker="_", markersize=6, **style)
    elif math.isfinite(low) != math.isfinite(high):
        end, sign = (low, 1) if math.isfinite(low) else (high, -1)
        ax.annotate(
            "",
            (x, end),
            xytext=(0, sign * 17),
            textcoords="offset points",
            arrowprops={"arrowstyle": "<-", "color": color, "linewidth": width, "shrinkB": 0},
            zorder=5,
        )
        ax.plot([x], [end], linestyle="none", marker="_", markersize=8, **style)
    if mark.point is not None:
        ax.plot(
            [x],
            [mark.point],
            marker="o",
            markersize=4.5 if mark.part else 5.5,
            markerfacecolor="white" if mark.part else INK,
            markeredgecolor=color if mark.part else "white",
            markeredgewidth=0.9,
            clip_on=False,
            zorder=6,
        )


def inline(svg: str, key: str, title: str, description: str) -> str:
    """Prepare a chart for a page: no prolog, no metadata, its own ids, a title."""
    from markupsafe import escape

    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\sid=")', rf"\g<1>{key}-", svg)
    svg = re.sub(r'((?:xlink:)?href="#|url\(#)', rf"\g<1>{key}-", svg)
    head, rest = svg.split(">", 1)
    head = re.sub(r'\s(?:width|height)="[^"]*"', "", head)
    head += f' role="img" aria-labelledby="{key}-title {key}-desc">'
    names = (
        f'\n <title id="{key}-title">{escape(visible(title))}</title>'
        f'\n <desc id="{key}-desc">{escape(visible(description))}</desc>'
    )
    return head + names + rest.rstrip() + "\n"
