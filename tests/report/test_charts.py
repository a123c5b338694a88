"""Charts as objects, and how objects look in notebooks."""

import dataclasses
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

import foedus
from foedus.answers.forecasts import FANS, Forecast
from foedus.report.charts import Chart

from .made_up import forecast

EVIL = "<script>alert(1)</script>$x_1$ & \x00 漢字 😀"


def test_the_answers_are_drawn_and_told(made_forecast: Forecast) -> None:
    chart = made_forecast.plot()
    assert isinstance(chart, Chart)
    assert isinstance(chart.figure, Figure)
    assert chart.text.startswith("Will they? 40%. How many? 3 (1 to 5,000). When? 60%, 7 Jan 2022")
    titles = [ax.get_title(loc="left") for ax in chart.figure.axes]
    assert titles == ["Will it happen?", "When?", "How many?"]
    assert chart.svg() == made_forecast.plot().svg()


def test_a_fan_is_drawn_on_axes_that_are_given(made_forecast: Forecast) -> None:
    ax = Figure().add_subplot()
    chart = made_forecast.plot.fan("deaths_total", ax=ax)
    assert chart.axes is ax
    assert chart.figure is ax.figure
    assert ax.lines
    assert chart.text == made_forecast.plot.fan("deaths_total").text


def test_all_that_a_fan_says_is_inside_its_figure(made_forecast: Forecast) -> None:
    (fan,) = made_forecast.fans
    for scale in (1.0, 5_000.0, 300_000.0, 1e8):  # axes that say 60, 300,000 and 1 M
        crowd = dataclasses.replace(fan, quantiles=scale * fan.quantiles)
        chart = dataclasses.replace(made_forecast, fans=(crowd,)).plot.fan("deaths_total")
        assert chart.axes.get_ylabel() == "people"
        chart.figure.canvas.draw()
        label = chart.axes.yaxis.label.get_window_extent()
        numbers = [t.get_window_extent() for t in chart.axes.get_yticklabels()]
        assert label.x0 >= 0
        assert label.y0 >= 0
        assert label.y1 <= chart.figure.bbox.height
        assert all(label.x1 < n.x0 for n in numbers)


def test_a_chart_is_an_svg_with_title_and_description(made_forecast: Forecast) -> None:
    for chart in (
        made_forecast.plot(),
        made_forecast.plot.fan("deaths_total"),
        made_forecast.plot.fans(),
        made_forecast.plot.explanations(),
    ):
        root = ElementTree.fromstring(chart.svg())
        name = "{http://www.w3.org/2000/svg}"
        assert root.findtext(f"{name}desc") == chart.text
        assert root.findtext(f"{name}title") == chart.title
        assert chart.svg() in chart._repr_html_()


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_a_chart_is_saved(made_forecast: Forecast, tmp_path: Path, ending: str) -> None:
    chart = made_forecast.plot.explanations()
    path = chart.save(tmp_path / f"chart.{ending}")
    if ending == "svg":
        assert path.read_text(encoding="utf-8") == chart.svg()
    elif ending == "png":
        pixels = imread(path)
        assert np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0).shape[0] > 2, "not blank"
    else:
        assert path.read_bytes().startswith(b"%PDF-")
        assert path.read_bytes().rstrip().endswith(b"%%EOF")


def test_what_cannot_be_drawn_is_said(made_forecast: Forecast, tmp_path: Path) -> None:
    with pytest.raises(foedus.InputError, match=r"fan: one of deaths_total \(found 'deaths'\)"):
        made_forecast.plot.fan("deaths")
    with pytest.raises(foedus.InputError, match=r"ends in \.svg"):
        made_forecast.plot().save(tmp_path / "chart.docx")
    with pytest.raises(foedus.InputError, match="names no hypotheses"):
        dataclasses.replace(made_forecast, hypotheses=()).plot.explanations()


def test_a_refusal_draws_nothing_but_shows_its_reason(refused_forecast: Forecast) -> None:
    for draw in (refused_forecast.plot.fans, refused_forecast.plot.explanations):
        with pytest.raises(foedus.InputError, match="too few runs"):
            draw()
    none = tuple(
        dataclasses.replace(a, estimate=None, headline=None) for a in refused_forecast.answers
    )
    refused = dataclasses.replace(refused_forecast, answers=none)
    assert refused.plot().text == "Will they? No answer. How many? No answer. When? No answer."
    assert "No answer: too few runs" in refused._repr_html_()


def test_case_text_in_charts_and_tables_is_text(made_forecast: Forecast) -> None:
    evil = dataclasses.replace(
        made_forecast,
        title=EVIL,
        answers=tuple(dataclasses.replace(a, text=EVIL) for a in made_forecast.answers),
        hypotheses=tuple(dataclasses.replace(h, title=EVIL) for h in made_forecast.hypotheses),
    )
    for shown in (evil.plot(), evil.plot.explanations(), evil):
        page = shown._repr_html_()
        assert "<script" not in page
        assert "&lt;script&gt;" in page.replace("<wbr>", "")
        assert "\x00" not in page


def test_a_forecast_and_a_case_show_their_tables(made_forecast: Forecast) -> None:
    page = made_forecast._repr_html_()
    assert "Will they?" in page
    assert "Second" in page
    case = foedus.load_case("kazakhstan-2022")
    assert all(q.text.replace('"', "&#34;") in case._repr_html_() for q in case.questions)


def test_an_ensemble_draws_its_runs_before_the_evidence(small_ensemble: foedus.Ensemble) -> None:
    chart = small_ensemble.plot.fan("arrests")
    runs = small_ensemble.dataset["arrests"].sum("city").cumsum("day").to_numpy()
    drawn = {len(np.asarray(line.get_xdata())): line for line in chart.axes.lines}[runs.shape[1]]
    assert np.ptp(np.asarray(drawn.get_ydata())) <= runs.max()
    assert len(small_ensemble.plot().figure.axes) == len(FANS)
    assert str(small_ensemble.plan.seed) in small_ensemble._repr_html_()
    with pytest.raises(foedus.InputError, match="fan: one of crowd, "):
        small_ensemble.plot.fan("crowds")


def test_before_the_evidence_equal_runs_give_plain_quantiles(
    small_ensemble: foedus.Ensemble,
) -> None:
    from foedus.answers.forecasts import fans_before

    (fan,) = fans_before(small_ensemble, "crowd")
    crowd = small_ensemble.dataset["crowd"].to_numpy().astype(np.float64).sum(axis=2)
    middle = np.quantile(crowd, 0.5, axis=0, method="inverted_cdf")
    assert np.array_equal(fan.quantiles[2], middle)


@pytest.fixture
def refused_forecast() -> Forecast:
    return forecast(10)


@pytest.fixture
def made_forecast() -> Forecast:
    return forecast(400)


@pytest.fixture(scope="module")
def small_ensemble(tmp_path_factory: pytest.TempPathFactory) -> foedus.Ensemble:
    folder = tmp_path_factory.mktemp("charts")
    case = foedus.load_case(foedus.new_case(folder / "case.yaml", title="Small"))
    return foedus.run(case, runs=20, workers=1, batch=20, out=folder / "a.zarr")
