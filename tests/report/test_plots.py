import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from foedus.report.document import Brief, Charts, FanChart, Mark, parts_of
from foedus.report.plots import describe, fan_svg

AS_OF = dt.date(2022, 1, 7)


def fans(brief: Brief) -> tuple[FanChart, ...]:
    """Return the charts of a brief."""
    return next(parts_of(brief.sections, Charts)).fans


def test_a_chart_is_well_formed_and_stable(make_brief: Callable[..., Brief]) -> None:
    for fan in fans(make_brief()):
        svg = fan_svg(fan, AS_OF)
        ElementTree.fromstring(svg)
        assert svg == fan_svg(fan, AS_OF)
        assert "<metadata" not in svg


def test_a_long_tail_is_drawn_on_a_root_scale(make_brief: Callable[..., Brief]) -> None:
    crowd, deaths, _, troops = fans(make_brief())
    assert "square-root scale" not in fan_svg(troops, AS_OF)
    assert "square-root scale" in fan_svg(deaths, AS_OF)
    assert "square-root scale" in fan_svg(
        crowd, AS_OF
    )  # otherwise its smallest report would be on the axis


def test_all_zero_and_one_day_can_be_drawn(make_brief: Callable[..., Brief]) -> None:
    fan = fans(make_brief())[0]
    quantiles = ("q05", "q25", "q50", "q75", "q95")
    zeros: Any = dict.fromkeys(quantiles, (0.0,) * len(fan.dates))
    calm = dataclasses.replace(fan, marks=(), **zeros)
    assert "<svg" in fan_svg(calm, AS_OF)
    short = dataclasses.replace(
        fan, dates=fan.dates[:1], marks=(), **{q: getattr(fan, q)[:1] for q in quantiles}
    )
    assert "<svg" in fan_svg(short, AS_OF)


def test_the_text_alternative_names_now_peak_and_end(make_brief: Callable[..., Brief]) -> None:
    text = describe(fans(make_brief())[0], AS_OF)
    assert "7 Jan 2022" in text
    assert "31 Jan 2022" in text
    assert "highest" in text
    assert "2 reported facts" in text


def shapes(svg: str) -> int:
    """Return the number of lines and symbols drawn."""
    return svg.count("<path") + svg.count("<use")


def test_every_kind_of_mark_can_be_drawn(make_brief: Callable[..., Brief]) -> None:
    inf = float("inf")
    marks = (
        Mark(AS_OF, 5, 5, 5, "5"),
        Mark(AS_OF, 13, inf, None, "at least 13"),
        Mark(AS_OF, -inf, 40, None, "at most 40"),
        Mark(AS_OF, 24, 99, None, "dozens"),
        Mark(AS_OF, 400, 625, 500, "about 500"),
        Mark(AS_OF, 300, 300, 300, "300 in one city", part=True),
    )
    fan = dataclasses.replace(fans(make_brief())[0], marks=marks)
    bare = fan_svg(dataclasses.replace(fan, marks=()), AS_OF)
    for mark in marks:
        alone = fan_svg(dataclasses.replace(fan, marks=(mark,)), AS_OF)
        ElementTree.fromstring(alone)
        assert shapes(alone) > shapes(bare), mark.label
