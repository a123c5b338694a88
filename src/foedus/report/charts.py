"""Charts as objects, for notebooks and scripts: ``forecast.plot()``, ``ensemble.plot.fan(…)``.

Nothing here uses pyplot or any global state of matplotlib. With ``ax``, a chart is drawn on it;
otherwise it gets its own figure.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from foedus.case.question_kinds import Shape, kind_of
from foedus.errors import InputError
from foedus.report.answer_words import WORDS, answer_span, spread
from foedus.report.brief import fan_chart
from foedus.report.document import FanChart
from foedus.report.number_format import MONTHS, number, percent, plus_minus, visible
from foedus.report.plots import (
    BASE,
    FAINT,
    INK,
    LINE,
    SIZE,
    STYLE,
    describe,
    draw_fan,
    frame,
    inline,
    svg_of,
)
from foedus.report.verdict_words import advice, reason

if TYPE_CHECKING:
    import datetime as dt

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from foedus.answers.forecasts import Answer, Explanation, Forecast
    from foedus.case.question_kinds import Estimate
    from foedus.ensemble import Ensemble

#: Inches: width of the figure and of the questions' column, height of a row, and of head and foot.
_WIDTH, _LEFT, _ROW, _HEAD, _FOOT = 8.6, 3.7, 0.4, 0.34, 0.34
#: Letters of a question that fit into a line of its column; two lines at most.
_LETTERS = 46


@dataclass(frozen=True)
class Chart:
    """A matplotlib figure with its text alternative.

    Notebooks show it as an SVG with title and description.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
    axes : matplotlib.axes.Axes
        The first, if there are several.
    title, text : str
        Title of the chart, and its content in words.
    """

    figure: Figure
    axes: Axes
    title: str
    text: str

    def svg(self) -> str:
        """Return the chart as an ``<svg>`` element; equal charts give equal texts."""
        with _style():
            made = svg_of(self.figure)
        key = f"chart-{hashlib.sha256((self.text + made).encode()).hexdigest()[:10]}"
        return inline(made, key, self.title, self.text)

    def save(self, path: str | Path) -> Path:
        """Write the chart in the format given by the suffix: .svg, .png or .pdf.

        Raises
        ------
        InputError
            If matplotlib cannot write such a file.
        """
        path = Path(path)
        if path.suffix == ".svg":
            path.write_text(self.svg(), encoding="utf-8")
            return path
        if path.suffix.lstrip(".") not in self.figure.canvas.get_supported_filetypes():
            raise InputError(f"{path}: a name that ends in .svg, .png or .pdf")
        with _style():
            self.figure.savefig(path, dpi=150)
        return path

    def __repr__(self) -> str:
        return f"<chart: {self.title}. {self.text}>"

    def _repr_html_(self) -> str:
        width = 96.0 * float(self.figure.get_size_inches()[0])
        return f'<div style="max-width: {width:.0f}px; background: #fff">{self.svg()}</div>'


class ForecastPlots:
    """The charts of a forecast: ``forecast.plot()`` draws the answers.

    Parameters
    ----------
    forecast : Forecast
    """

    def __init__(self, forecast: Forecast) -> None:
        self._forecast = forecast

    def __call__(self) -> Chart:
        """Draw the answers to all questions.

        A chance is a bar with its sampling error, a diamond for the base rate and a ring for the
        value before the evidence. A number or date is a dot for the median, a thick line for half
        of the runs and a thin one for nine in ten.
        """
        found = self._forecast
        return _chart(
            f"{found.title}: answers as of {found.as_of}",
            _answers_text(found),
            _answers_size(found.answers),
            lambda figure: _draw_answers(figure, found),
        )

    def fan(self, key: str, *, ax: Axes | None = None) -> Chart:
        """Draw quantiles by day of one quantity, with the reported facts on them.

        Parameters
        ----------
        key : str
            Such as ``deaths_total``; a word of the case file's vocabulary.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a figure of its own if absent.

        Raises
        ------
        InputError
            If there is no such fan, or the forecast refuses to answer.
        """
        found = self._forecast
        fan = next((f for f in found.fans if f.key == key), None)
        if fan is None:
            keys = ", ".join(f.key for f in found.fans) or "none"
            raise InputError(f"fan: one of {keys} (found {key!r})")
        _refuse(found)
        return _fan_chart(fan_chart(fan, found.evidence), found.as_of, ax)

    def fans(self) -> Chart:
        """Draw all fans on one sheet.

        Raises
        ------
        InputError
            If the forecast refuses to answer.
        """
        found = self._forecast
        _refuse(found)
        return _sheet([fan_chart(f, found.evidence) for f in found.fans], found.as_of, found.title)

    def explanations(self, *, ax: Axes | None = None) -> Chart:
        """Draw the weight of each explanation before (ring) and after the evidence (bar).

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional

        Raises
        ------
        InputError
            If the case names no hypotheses, or the forecast refuses to answer.
        """
        found = self._forecast
        _refuse(found)
        told = sorted(
            (h for h in found.hypotheses if h.posterior == h.posterior), key=lambda h: h.posterior
        )
        if not told:
            raise InputError(f"case {found.case_id} names no hypotheses")
        text = "; ".join(_weight(h) for h in reversed(told))
        size = (7.0, 0.9 + 0.42 * len(told))
        return _chart(
            f"{found.title}: explanations as of {found.as_of}",
            text,
            size,
            lambda figure: [_draw_explanations(_single(figure, size, ax, 2.9), told)],
            ax,
        )


class EnsemblePlots:
    """The charts of runs before any evidence: ``ensemble.plot()`` draws all fans.

    Each run has its importance weight. Decisions that were imposed on the runs are included.

    Parameters
    ----------
    ensemble : Ensemble
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self._ensemble = ensemble

    def __call__(self) -> Chart:
        """Draw all fans on one sheet."""
        from foedus.answers.forecasts import fans_before

        made = [fan_chart(f) for f in fans_before(self._ensemble)]
        return _sheet(made, None, f"{self._ensemble.attributes['title']}, before the evidence")

    def fan(self, key: str, *, ax: Axes | None = None) -> Chart:
        """Draw quantiles by day of one quantity.

        Parameters
        ----------
        key : str
            Such as ``deaths_total``; a word of the case file's vocabulary.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a figure of its own if absent.

        Raises
        ------
        InputError
            If there is no such fan, or no run is done.
        """
        from foedus.answers.forecasts import fans_before

        (fan,) = fans_before(self._ensemble, key)
        return _fan_chart(fan_chart(fan), None, ax)


@contextmanager
def _style() -> Iterator[None]:
    """Draw in our style; a reader may have the letters that matplotlib's font lacks."""
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        yield


def _refuse(forecast: Forecast) -> None:
    if forecast.verdict.refused:
        improve = " ".join(advice(forecast.verdict))
        raise InputError(f"nothing to draw: {reason(forecast.verdict)}. {improve}")


def _weight(h: Explanation) -> str:
    after = f"{percent(h.posterior)} {plus_minus(h.error)}"
    return f"{h.title}: {after} after the evidence, {percent(h.prior)} before"


def _fan_chart(fan: FanChart, as_of: dt.date | None, ax: Axes | None) -> Chart:
    def draw(figure: Figure) -> list[Axes]:
        axes = figure.add_axes(frame(SIZE, label=True)) if ax is None else ax
        draw_fan(axes, fan, as_of)
        axes.set_ylabel(fan.unit)
        return [axes]

    return _chart(fan.title, describe(fan, as_of), SIZE, draw, ax)


def _sheet(fans: Sequence[FanChart], as_of: dt.date | None, title: str) -> Chart:
    rows = -(-len(fans) // 2)
    cell = (SIZE[0], SIZE[1] + 0.35)

    def draw(figure: Figure) -> list[Axes]:
        left, bottom, width, height = frame(cell)
        made = []
        for n, fan in enumerate(fans):
            row, column = divmod(n, 2)
            y = 1.0 - (row + 1) / rows
            ax = figure.add_axes(
                ((column + left) / 2, y + bottom / rows, width / 2, (height - 0.09) / rows)
            )
            draw_fan(ax, fan, as_of)
            ax.set_title(fan.title, loc="left", fontsize=10, weight="bold", pad=16)
            made.append(ax)
        return made

    text = "; ".join(f"{f.title}: {describe(f, as_of)}" for f in fans)
    return _chart(title, text, (2 * cell[0], rows * cell[1]), draw)


def _single(figure: Figure, size: tuple[float, float], ax: Axes | None, left: float) -> Axes:
    if ax is not None:
        return ax
    low = 0.3 / size[1]
    return figure.add_axes((left / size[0], low, 1.0 - (left + 0.3) / size[0], 0.97 - low))


def _chart(
    title: str,
    text: str,
    size: tuple[float, float],
    draw: Any,
    ax: Axes | None = None,
) -> Chart:
    with mpl.rc_context(STYLE):
        figure = None if ax is None else ax.get_figure(root=True)
        if figure is None:
            figure = Figure(figsize=size, facecolor="white")
            FigureCanvasAgg(figure)
        axes = draw(figure)
    return Chart(figure, axes[0], title, text)


def _answers_size(answers: Sequence[Answer]) -> tuple[float, float]:
    """Return width and height of the chart in inches."""
    groups = _groups(answers)
    heights = [
        _height(group, 0.0 if _follows(groups, n) else _HEAD) for n, group in enumerate(groups)
    ]
    return _WIDTH, max(1.0, sum(heights))


def _answers_text(forecast: Forecast) -> str:
    """Return the answers in words."""
    said = [f"{a.text} {_said(a, forecast.end)}." for a in forecast.answers]
    return " ".join(said) or "The case asks no questions."


def _said(a: Answer, end: dt.date) -> str:
    low, middle, high = answer_span(a.headline, a.kind, end)
    range_ = spread(low, middle, high, end) if low else middle
    chance = a.headline.probability if a.headline is not None else None
    said = ("" if chance is None else percent(chance), range_)
    return ", ".join(t for t in said if t) or "No answer"


def _draw_answers(figure: Figure, forecast: Forecast) -> list[Axes]:
    """Draw all answers; return the axes."""
    groups = _groups(forecast.answers)
    height = _answers_size(forecast.answers)[1]
    made, top = [], height
    for n, group in enumerate(groups):
        head = 0.0 if _follows(groups, n) else _HEAD
        bottom = top - _height(group, head)
        ax = figure.add_axes(
            (
                _LEFT / _WIDTH,
                (bottom + _FOOT) / height,
                1.0 - (_LEFT + 0.75) / _WIDTH,
                _ROW * len(group) / height,
            )
        )
        _DRAW[_shape(group)](ax, group, forecast)
        if head:
            ax.set_title(WORDS[_shape(group)].title, loc="left", fontsize=9, weight="bold", pad=5)
        made.append(ax)
        top = bottom
    return made or [figure.add_axes((0.05, 0.05, 0.9, 0.9))]


def _draw_explanations(ax: Axes, told: Sequence[Explanation]) -> Axes:
    """Draw the weight of explanations before and after the evidence, the last at the top."""
    _lines(ax, [h.title for h in told][::-1], 40)
    for y, h in enumerate(told):
        _bar(ax, y, h.posterior, h.error)
        _ring(ax, h.prior, y)
        _value(ax, y, percent(h.posterior))
    _shares(ax)
    return ax


def _groups(answers: Sequence[Answer]) -> list[list[Answer]]:
    """Return groups that share a scale: all chances, all dates, and each number separately."""
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
    return head + _FOOT + _ROW * len(group)


def _lines(ax: Axes, names: Sequence[str], letters: int = _LETTERS) -> None:
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
        if a.headline is None or a.headline.probability is None:
            _value(ax, y, "no answer")
            continue
        _bar(ax, y, a.headline.probability, a.headline.probability_error)
        _value(ax, y, percent(a.headline.probability))
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
        if a.headline is None or not a.headline.quantiles:
            _value(ax, y, "no answer")
            continue
        _interval(ax, y, [place(q) for q in a.headline.quantiles])
        chance = a.headline.probability
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
    shown: Estimate | None = a.headline
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
