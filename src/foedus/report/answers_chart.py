"""The answers of a forecast as one chart: chances, dates, numbers, each on a scale that fits."""

from __future__ import annotations

import datetime as dt
import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from foedus.case.question_kinds import Shape, kind_of
from foedus.report.answer_words import WORDS, answer_span, spread
from foedus.report.number_format import MONTHS, number, percent, visible
from foedus.report.plots import BASE, FAINT, INK, LINE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from foedus.answers.forecasts import Answer, Explanation, Forecast
    from foedus.case.question_kinds import Estimate

#: Inches: width of the figure and of the questions' column, height of a row, and of head and foot.
WIDTH, LEFT, ROW, HEAD, FOOT = 8.6, 3.7, 0.4, 0.34, 0.34
#: Letters of a question that fit into a line of its column; two lines at most.
LETTERS = 46


def size(answers: Sequence[Answer]) -> tuple[float, float]:
    """Return width and height of the chart in inches."""
    groups = _groups(answers)
    heights = [
        _height(group, 0.0 if _follows(groups, n) else HEAD) for n, group in enumerate(groups)
    ]
    return WIDTH, max(1.0, sum(heights))


def text(forecast: Forecast) -> str:
    """Return the answers in words."""
    said = [f"{a.text} {_said(a, forecast.end)}." for a in forecast.answers]
    return " ".join(said) or "The case asks nothing."


def _said(a: Answer, end: dt.date) -> str:
    low, middle, high = answer_span(a.estimate, a.kind, end)
    range_ = spread(low, middle, high, end) if low else middle
    chance = a.estimate.probability if a.estimate is not None else None
    said = ("" if chance is None else percent(chance), range_)
    return ", ".join(t for t in said if t) or "No answer"


def draw(figure: Figure, forecast: Forecast) -> list[Axes]:
    """Draw all answers; return the axes."""
    groups = _groups(forecast.answers)
    height = size(forecast.answers)[1]
    made, top = [], height
    for n, group in enumerate(groups):
        head = 0.0 if _follows(groups, n) else HEAD
        bottom = top - _height(group, head)
        ax = figure.add_axes(
            (
                LEFT / WIDTH,
                (bottom + FOOT) / height,
                1.0 - (LEFT + 0.75) / WIDTH,
                ROW * len(group) / height,
            )
        )
        _DRAW[_shape(group)](ax, group, forecast)
        if head:
            ax.set_title(WORDS[_shape(group)].title, loc="left", fontsize=9, weight="bold", pad=5)
        made.append(ax)
        top = bottom
    return made or [figure.add_axes((0.05, 0.05, 0.9, 0.9))]


def explanations(ax: Axes, told: Sequence[Explanation]) -> Axes:
    """Draw the weight of explanations before and after the evidence, the last at the top."""
    _lines(ax, [h.title for h in told][::-1], 40)
    for y, h in enumerate(told):
        _bar(ax, y, h.posterior, h.error)
        _ring(ax, h.prior, y)
        _value(ax, y, percent(h.posterior))
    _shares(ax)
    return ax


def _groups(answers: Sequence[Answer]) -> list[list[Answer]]:
    """Return what shares a scale: all chances, all days, each amount by itself."""
    out: list[list[Answer]] = []
    for shape in _DRAW:
        mine = [a for a in answers if kind_of(a.kind).shape is shape]
        out += [[a] for a in mine] if shape is Shape.AMOUNT else [mine] if mine else []
    return out


def _shape(group: list[Answer]) -> Shape:
    return kind_of(group[0].kind).shape


def _follows(groups: list[list[Answer]], n: int) -> bool:
    """Return whether a group has the same shape as the one before it."""
    return n > 0 and _shape(groups[n]) is _shape(groups[n - 1])


def _height(group: list[Answer], head: float) -> float:
    return head + FOOT + ROW * len(group)


def _lines(ax: Axes, names: Sequence[str], letters: int = LETTERS) -> None:
    """Prepare axes with a row for each name, the first at the top."""
    count = len(names)
    ax.set_ylim(-0.6, count - 0.4)
    ax.set_yticks(range(count), [_short(n, letters) for n in reversed(names)])
    ax.tick_params(axis="y", length=0, labelsize=8.5)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", color="#e6e9ec", linewidth=0.6)
    ax.set_axisbelow(True)


def _short(name: str, letters: int) -> str:
    """Return a name in at most two lines."""
    lines = textwrap.wrap(visible(" ".join(name.split())), letters, max_lines=2, placeholder=" …")
    return "\n".join(lines).replace("$", r"\$")  # matplotlib reads $…$ as a formula


def _chances(ax: Axes, answers: list[Answer], forecast: Forecast) -> None:
    _lines(ax, [a.text for a in answers])
    for y, a in enumerate(reversed(answers)):
        if a.before is not None and a.before.probability is not None:
            _ring(ax, a.before.probability, y)
        if a.outside is not None and a.outside.probability is not None:
            ax.plot(
                [a.outside.probability], [y], marker="D", markersize=5.5, color=BASE,
                markeredgecolor="white", linestyle="none", zorder=5,
            )  # fmt: skip
        if a.estimate is None or a.estimate.probability is None:
            _value(ax, y, "no answer")
            continue
        _bar(ax, y, a.estimate.probability, a.estimate.probability_error)
        _value(ax, y, percent(a.estimate.probability))
    _shares(ax)
    ax.annotate(
        "bar: after the evidence; ring: before; diamond: base rate",
        (0.0, 1.0), xycoords="axes fraction", xytext=(-5, 5), textcoords="offset points",
        ha="right", fontsize=8, color=FAINT,
    )  # fmt: skip


def _dates(ax: Axes, answers: list[Answer], forecast: Forecast) -> None:
    _lines(ax, [a.text for a in answers])
    days = (forecast.end - forecast.start).days
    beyond = days * 1.06

    def place(q: Any) -> float:
        return float((q - forecast.start).days) if isinstance(q, dt.date) else beyond

    for y, a in enumerate(reversed(answers)):
        if a.estimate is None or not a.estimate.quantiles:
            _value(ax, y, "no answer")
            continue
        _interval(ax, y, [place(q) for q in a.estimate.quantiles])
        chance = a.estimate.probability
        _value(ax, y, "" if chance is None else percent(chance))
    ticks = range(0, days + 1, max(1, round(days / 4)))
    dates = [forecast.start + dt.timedelta(days=t) for t in ticks if t < 0.9 * days]
    labels = [f"{d.day} {MONTHS[d.month - 1]}" for d in dates]
    at = [float((d - forecast.start).days) for d in dates]
    ax.set_xticks(
        [*at, beyond], [*labels, f"not by {forecast.end.day} {MONTHS[forecast.end.month - 1]}"]
    )
    ax.set_xlim(0, beyond * 1.03)


def _numbers(ax: Axes, answers: list[Answer], forecast: Forecast) -> None:
    (a,) = answers
    _lines(ax, [f"{a.text} ({a.unit})" if a.unit else a.text])
    shown: Estimate | None = a.estimate
    values = [float(q) for q in (shown.quantiles if shown else ()) if isinstance(q, int | float)]
    values = [v for v in values if math.isfinite(v)]
    if shown is None or len(values) < 5:
        _value(ax, 0, "no answer")
        ax.set_xticks([])
        return
    if values[0] >= 0 and values[-1] > 25 * max(values[2], 1.0):
        ax.set_xscale("symlog", linthresh=10.0)
        ax.set_xlim(0, values[-1] * 2)
    else:
        ax.set_xlim(min(0.0, values[0]), max(1.0, values[-1] * 1.08))
        ax.locator_params(axis="x", nbins=5)
    ax.xaxis.set_major_formatter(lambda v, _: number(v))
    _interval(ax, 0, values)
    _value(ax, 0, number(values[2]))


def _bar(ax: Axes, y: int, p: float, error: float | None) -> None:
    ax.barh(y, p, height=0.42, color=LINE, zorder=3)
    if error:
        ends = [max(0.0, p - error), min(1.0, p + error)]
        ax.plot(ends, [y, y], color="white", linewidth=3.2, zorder=4, solid_capstyle="butt")
        ax.plot(ends, [y, y], color=INK, linewidth=1.2, marker="|", markersize=6, zorder=4)


def _ring(ax: Axes, x: float, y: int) -> None:
    ax.plot(
        [x], [y], marker="o", markersize=5.5, markerfacecolor="white", markeredgecolor=INK,
        markeredgewidth=1.1, linestyle="none", zorder=5, clip_on=False,
    )  # fmt: skip


def _interval(ax: Axes, y: int, q: Sequence[float]) -> None:
    ax.plot([q[0], q[4]], [y, y], color=LINE, linewidth=1.0, marker="|", markersize=6, zorder=3)
    ax.plot([q[1], q[3]], [y, y], color=LINE, linewidth=4.5, solid_capstyle="butt", zorder=3)
    ax.plot(
        [q[2]], [y], marker="o", markersize=6, color=INK, markeredgecolor="white",
        linestyle="none", zorder=4, clip_on=False,
    )  # fmt: skip


def _value(ax: Axes, y: int, said: str) -> None:
    """Write the answer at the right of its row."""
    ax.annotate(
        said, (1.0, y), xycoords=("axes fraction", "data"), xytext=(8, 0),
        textcoords="offset points", va="center", fontsize=9, weight="bold", annotation_clip=False,
    )  # fmt: skip


def _shares(ax: Axes) -> None:
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0%", "25%", "50%", "75%", "100%"])


#: In the order in which they are drawn.
_DRAW = {Shape.CHANCE: _chances, Shape.DAY: _dates, Shape.AMOUNT: _numbers}
