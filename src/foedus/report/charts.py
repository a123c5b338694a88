"""Charts as objects, for notebooks and scripts: ``forecast.plot()``, ``ensemble.plot.fan(…)``.

Nothing here touches pyplot or any global state of matplotlib. Where ``ax`` is given the chart is
drawn on it; otherwise on a figure of its own.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from foedus.errors import InputError
from foedus.report import answers_chart
from foedus.report.brief import fan_chart
from foedus.report.document import FanChart
from foedus.report.number_format import percent, plus_minus
from foedus.report.plots import SIZE, STYLE, describe, draw_fan, frame, inline, svg_of
from foedus.report.verdict_words import advice, reason

if TYPE_CHECKING:
    import datetime as dt

    from matplotlib.axes import Axes

    from foedus.answers.forecasts import Explanation, Forecast
    from foedus.ensemble import Ensemble


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
        What it shows, and the same in words.
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
        """Write the chart; the ending of the name says how: .svg, .png, .pdf.

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

        Chances are bars with their sampling error, a diamond for the base rate and a ring for what
        the runs say before the evidence; numbers and dates are a dot for the median, a thick line
        for half of the runs and a thin one for nine in ten.
        """
        found = self._forecast
        return _chart(
            f"{found.title}: answers as of {found.as_of}",
            answers_chart.text(found),
            answers_chart.size(found.answers),
            lambda figure: answers_chart.draw(figure, found),
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
            lambda figure: [answers_chart.explanations(_single(figure, size, ax, 2.9), told)],
            ax,
        )


class EnsemblePlots:
    """The charts of runs before any evidence: ``ensemble.plot()`` draws all fans.

    Each run weighs what its parameters weigh for where they were drawn. Decisions that were imposed
    on the runs are in them.

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
    """Draw in our style; letters that matplotlib's font lacks are left to the reader's fonts."""
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
