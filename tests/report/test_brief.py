import dataclasses
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from foedus.report.document import Brief, Charts, FanChart, Items, Paragraph, parts_of
from foedus.report.html import link, render, write

Make = Callable[..., Brief]
HOSTILE = (
    "\u202e\u05e9\u05dc\u05d5\u05dd \U0001f600 "
    + "w" * 300
    + "]]>{{ 7*7 }}{% raw %}$x$ #eval(1) javascript:alert(1) \x00"
)
EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)> & \"quoted\""


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Tags()
    parser.feed(page)
    return parser.tags


def fans(brief: Brief) -> tuple[FanChart, ...]:
    """Return the charts of a brief."""
    return next(parts_of(brief.sections, Charts)).fans


def test_two_renderings_are_byte_identical(make_brief: Make) -> None:
    assert render(make_brief()) == render(make_brief())


@pytest.mark.parametrize("text", [EVIL, HOSTILE])
def test_case_text_is_escaped_everywhere(
    make_brief: Make, poisoned: Callable[[Brief, str], Brief], text: str
) -> None:
    found = tags(render(poisoned(make_brief(), text)))
    assert not [t for t, _ in found if t in ("script", "img", "iframe", "object", "embed")]
    assert not [a for _, a in found if any(name.startswith("on") for name in a)]
    assert not [a for t, a in found if t == "a"]


def test_what_comes_after_what(make_brief: Make) -> None:
    page = render(make_brief())
    assert re.findall(r'<h2 id="(\w+)"', page) == [
        "answers", "days", "explanations", "otherwise", "watch", "nearest", "evidence", "trust",
        "provenance",
    ]  # fmt: skip


def test_explanations_counterfactuals_and_signs_are_told(make_brief: Make) -> None:
    page = render(make_brief())
    for said in (
        "Positive for it (Bayes factor 3.2", "57% ± 5", "Without the order to fire",
        "110 of 130 different runs change", "at most 29 (chance 33%): yes 1% ± 1",
        "No report of the coming days would tell more than chance.",
    ):  # fmt: skip
        assert said in page


def test_a_chart_has_its_story_in_words_and_a_table(make_brief: Make) -> None:
    brief = make_brief()
    page = render(brief)
    assert page.count("As a table") == len(fans(brief))
    assert page.count("reported fact") == page.count("<desc") * 2 - 2  # one chart has none
    assert "Where the base rates come from" in page


def test_nothing_is_fetched_and_only_sources_are_linked(make_brief: Make) -> None:
    page = render(make_brief())
    for tag, attributes in tags(page):
        for name in ("src", "href", "xlink:href", "data", "action"):
            target = attributes.get(name) or "#"
            allowed = tag == "a" or target.startswith(("#", "data:"))
            assert allowed, (tag, name, target)
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "file:///etc/passwd",
     " https://example.org/a b", "//example.org", "example.org"],
)  # fmt: skip
def test_other_addresses_are_text(make_brief: Make, address: str) -> None:
    assert link(address) == ""
    assert not [a for t, a in tags(render(make_brief(address=address))) if t == "a"]


def test_http_addresses_are_links(make_brief: Make) -> None:
    page = render(make_brief(address='https://example.org/?a=1&b="2"'))
    assert [a["href"] for t, a in tags(page) if t == "a"] == ['https://example.org/?a=1&b="2"']


def test_ids_are_unique_and_references_resolve(make_brief: Make) -> None:
    page = render(make_brief())
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    wanted = re.findall(r'(?:href="#|url\(#)([^")]+)', page)
    wanted += " ".join(re.findall(r'aria-labelledby="([^"]+)"', page)).split()
    assert set(wanted) <= set(ids)


def test_headings_tables_and_charts_have_their_semantics(make_brief: Make) -> None:
    found = tags(render(make_brief()))
    names = [t for t, _ in found]
    assert names.count("h1") == 1
    assert names.count("caption") == names.count("table")
    assert all(a.get("scope") in ("col", "row") for t, a in found if t == "th")
    charts = [a for t, a in found if t == "svg" and a.get("role") == "img"]
    assert len(charts) == len(fans(make_brief()))
    assert names.count("desc") == len(charts)
    assert ("html", {"lang": "en"}) in found


def test_a_refusal_says_what_to_do(make_brief: Make) -> None:
    brief = dataclasses.replace(
        make_brief(),
        setback=(
            Paragraph("No answer: too few runs.", strong=True),
            Items(("Make 40,000 runs.",)),
        ),
        sections=(),
    )
    page = render(brief)
    assert "No answer" in page
    assert "Make 40,000 runs." in page


def test_write_leaves_one_whole_file(make_brief: Make, tmp_path: Path) -> None:
    path = write(make_brief(), tmp_path / "deep" / "brief.html")
    assert path.read_text(encoding="utf-8").endswith("</html>\n")
    assert [p.name for p in path.parent.iterdir()] == ["brief.html"]


def test_a_long_word_may_break_in_text_but_not_in_an_address(make_brief: Make) -> None:
    address = "https://example.org/" + "a" * 60
    page = render(make_brief("w" * 60, address=address))
    assert "wwwwwwwwwwww<wbr>wwwwwwwwwwww" in page
    assert [a["href"] for t, a in tags(page) if t == "a"] == [address]
    title = dataclasses.replace(make_brief(), title="t" * 60)
    assert f"<title>{'t' * 60}: forecast" in render(title)


@pytest.fixture
def page(chromium: Any, make_brief: Make, tmp_path: Path) -> Iterator[Any]:
    path = write(make_brief(text=f"{EVIL} {'w' * 300}"), tmp_path / "brief.html")
    tab = chromium.new_page(viewport={"width": 390, "height": 844})
    tab.said = []
    tab.on("console", lambda message: tab.said.append(message.text))
    tab.on("pageerror", lambda error: tab.said.append(str(error)))
    tab.asked = []
    tab.on("request", lambda request: tab.asked.append(request.url))
    tab.goto(path.as_uri())
    yield tab
    tab.close()


def test_chromium_shows_it_without_a_word_and_without_a_request(page: Any) -> None:
    assert page.said == []
    assert [u for u in page.asked if not u.startswith(("file:", "data:"))] == []
    assert "<script>" in page.inner_text("main")


def test_a_telephone_needs_no_sideways_scrolling(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
