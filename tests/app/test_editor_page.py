"""The map and the editor of cases, in a real browser, by keyboard, with no other host."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from foedus.app.server import create_app
from foedus.app.settings import Settings
from foedus.case import load_case, new_case
from foedus.case.load import shipped_text

#: Where to keep pictures, as for the docs.
PICTURES = os.environ.get("FOEDUS_PICTURES")
LAND = Path(__file__).parents[2] / "src" / "foedus" / "app" / "static" / "outlines.json"


class _Jobs:
    """No forecast is made here: the page gets one that is written down, or none."""

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    root = tmp_path_factory.mktemp("page")
    (root / "cases").mkdir()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    settings = Settings(cases=root / "cases", results=root / "results", port=port)
    app = create_app(settings, _Jobs())  # type: ignore[arg-type]
    config = uvicorn.Config(app, log_level="error", lifespan="off", ws="none")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}", root / "cases"
    running.should_exit = True
    thread.join(10)
    listening.close()


@pytest.fixture(params=[1280, pytest.param(390, marks=pytest.mark.slow)])
def width(request) -> int:
    return int(request.param)


@pytest.fixture
def page(chromium, server, width):
    home, _ = server
    context = chromium.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.set_default_timeout(15_000)
    bad: list[str] = []
    # The browser itself reports every refusal of the server; the tests check those separately.
    page.on(
        "console",
        lambda m: bad.append(m.text) if m.type == "error" and "409" not in m.text else None,
    )
    page.on("pageerror", lambda e: bad.append(str(e)))
    page.on("request", lambda r: None if r.url.startswith(home) else bad.append(r.url))
    # Jobs are not tested here: a forecast that never comes.
    job = {"id": "1", "key": "x", "state": "queued", "done": 0, "total": 0, "note": "",
           "error": "", "version": 0}  # fmt: skip
    page.route("**/api/jobs*", lambda route: route.fulfill(json=job))
    none = {"runs": 0, "key": None, "steps": [500]}
    page.route("**/api/best*", lambda route: route.fulfill(json=none))
    yield page
    context.close()
    assert bad == []


def picture(page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}-{page.viewport_size['width']}.png")


def no_sideways_scrolling(page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"))


def tab_to(page, selector: str, most: int = 150) -> None:
    """Press Tab until an element has the focus, as a user without a mouse does."""
    for _ in range(most):
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {selector} by Tab")


def typed(page, selector: str, text: str) -> None:
    tab_to(page, selector)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def test_a_case_is_made_by_keyboard_and_foedus_check_accepts_it(page, server, width):
    home, folder = server
    name = f"mine-{width}.yaml"
    page.goto(f"{home}/#case=kazakhstan-2022&tab=editor")
    page.wait_for_selector("#editor-summary .good")
    page.focus("#editor-from")
    typed(page, "#editor-name", name)
    typed(page, '[data-field="title"]', "The strike in the harbour")

    tab_to(page, '[data-group="sources"] > summary')
    page.keyboard.press("Enter")
    tab_to(page, '[data-add="sources"]')
    page.keyboard.press("Enter")
    page.wait_for_selector('[data-key="sources.new-source"]:focus')
    page.wait_for_selector('[data-field="sources.new-source.name"][aria-invalid]')
    typed(page, '[data-key="sources.new-source"]', "radio")
    page.keyboard.press("Tab")
    page.wait_for_selector('[data-key="sources.radio"]')
    typed(page, '[data-field="sources.radio.name"]', "Radio: the harbour # one")
    page.wait_for_selector("#editor-summary .good")

    tab_to(page, '[data-group="facts"] > summary')
    page.keyboard.press("Enter")
    tab_to(page, '[data-add="facts"]')
    page.keyboard.press("Enter")
    page.wait_for_selector('[data-field="facts.2.id"]:focus')
    beside = page.locator('.field:has(> [data-field="facts.2.about"]) .field-error')
    beside.filter(has_text="required field 'about' is missing").wait_for()
    typed(page, '[data-field="facts.2.about"]', "2024-03-03")
    typed(page, '[data-field="facts.2.known_from"]', "2024-03-03T09:30")
    tab_to(page, '[data-field="facts.2.quantity"]')
    page.keyboard.type("crowd")
    tab_to(page, '[data-field="facts.2.place"]')
    page.keyboard.type("capital")
    typed(page, '[data-field="facts.2.value"]', "some")
    wrong = page.locator('.field:has(> [data-field="facts.2.value"]) .field-error')
    wrong.filter(has_text="a value is a number").wait_for()
    assert page.get_attribute('[data-field="facts.2.value"]', "aria-invalid") == "true"
    described = page.get_attribute('[data-field="facts.2.value"]', "aria-describedby").split()
    assert page.locator(f"#{described[0]}").inner_text().startswith("a value is a number")
    picture(page, "editor-error")
    page.keyboard.press("Control+A")
    page.keyboard.type("at least 700")
    tab_to(page, '[data-field="facts.2.source"]')
    page.keyboard.type("radio")
    typed(page, '[data-field="facts.2.rating"]', "B3")
    typed(page, '[data-field="facts.2.text"]', "Seven hundred <b>dockers</b> march.")
    page.wait_for_selector("#editor-summary .good")
    assert not wrong.inner_text()
    assert no_sideways_scrolling(page)

    page.focus("#editor-from")
    tab_to(page, "#editor-save")
    page.keyboard.press("Enter")
    page.wait_for_selector("#editor-told .good")
    saved = folder / name
    case = load_case(saved)
    assert case.title == "The strike in the harbour"
    assert case.sources["radio"].name == "Radio: the harbour # one"
    fact = case.facts[2]
    assert (fact.quantity, fact.place, str(fact.value), fact.source) == (
        "crowd", "capital", "at least 700", "radio",
    )  # fmt: skip
    assert fact.text == "Seven hundred <b>dockers</b> march."
    assert "# Who reports. A web address is shown, never fetched." in saved.read_text("utf-8")
    command = [sys.executable, "-m", "foedus", "check", str(saved)]
    check = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (check.returncode, check.stderr) == (0, "")
    assert "The strike in the harbour" in check.stdout


def test_the_text_shows_a_mistake_behind_its_line_and_both_views_are_one(page, server):
    home, _ = server
    page.goto(f"{home}/#case=kazakhstan-2022&tab=editor&editor.view=text")
    page.wait_for_selector("#editor-text")
    text = page.input_value("#editor-text")
    line = text.splitlines().index("    population: 800000") + 1
    page.fill("#editor-text", text.replace("800000", "many"))
    note = page.locator(f'.line-note[data-line="{line}"]')
    note.filter(has_text="a whole number (found 'many')").wait_for()
    page.click("#editor-summary li button")
    assert page.evaluate("getSelection().toString()") == "    population: many"
    where = note.bounding_box()
    frame = page.locator(".sheet").bounding_box()
    assert frame["y"] < where["y"] < frame["y"] + frame["height"]
    picture(page, "editor-text")
    page.click("#editor-show-form")
    page.click("#editor-summary li button")
    field = page.locator('[data-field="places.capital.population"]')
    assert field.evaluate("e => e === document.activeElement")
    field.fill("123456")
    page.wait_for_selector("#editor-summary .good")
    page.click("#editor-show-text")
    assert page.input_value("#editor-text") == text.replace("800000", "123456")
    page.fill("#editor-text", text.replace("foedus: 1", "foedus: ["))
    page.wait_for_selector("#editor-summary .bad")
    page.click("#editor-show-form")
    page.locator(".editor-view .bad").filter(has_text="cannot be shown as a form").wait_for()
    assert no_sideways_scrolling(page)


def test_a_file_with_notes_is_changed_in_one_line_and_not_replaced_unasked(page, server, width):
    home, folder = server
    path = folder / f"copy-{width}.yaml"
    before = shipped_text("kazakhstan-2022").replace("id: kazakhstan-2022", "id: copy")
    path.write_text(before, encoding="utf-8")
    page.goto(f"{home}/#case=kazakhstan-2022&tab=editor")
    page.wait_for_selector("#editor-summary .good")
    page.select_option("#editor-from", path.name)
    page.click("#editor-open")
    page.locator("#editor-told").filter(has_text=f"{path.name} is open").wait_for()
    page.fill('[data-field="horizon"]', "36")
    page.click("#editor-save")
    page.wait_for_selector("#editor-told .good")
    after = path.read_text(encoding="utf-8")
    assert after == before.replace("horizon: 35 ", "horizon: 36 ")
    path.write_text(before + "# somebody else's note\n", encoding="utf-8")
    page.fill('[data-field="horizon"]', "37")
    page.click("#editor-save")
    page.locator("#editor-told").filter(has_text="has changed since you opened it").wait_for()
    assert path.read_text(encoding="utf-8").endswith("# somebody else's note\n")
    page.click("#editor-replace")
    page.wait_for_selector("#editor-told .good")
    assert path.read_text(encoding="utf-8") == before.replace("horizon: 35 ", "horizon: 37 ")


def test_a_change_is_kept_while_one_looks_at_another_view(page, server):
    home, _ = server
    page.goto(f"{home}/#case=kazakhstan-2022&tab=editor")
    page.wait_for_selector("#editor-summary .good")
    page.fill('[data-field="title"]', "Kept")
    page.click("#tab-map")
    page.wait_for_selector(".map-frame svg")
    page.click("#tab-editor")
    page.wait_for_selector('[data-field="title"]')
    assert page.input_value('[data-field="title"]') == "Kept"
    page.click("#editor-show-text")
    assert "title: Kept\n" in page.input_value("#editor-text")


def test_an_unfinished_case_can_be_downloaded_and_is_here_again(page, server):
    home, _ = server
    address = f"{home}/#case=kazakhstan-2022&tab=editor&editor.view=text"
    page.goto(address)
    page.wait_for_selector("#editor-summary .good")
    text = page.input_value("#editor-text") + "oops: [\n"
    page.fill("#editor-text", text)
    page.fill("#editor-name", "half.yaml")
    page.wait_for_selector("#editor-summary .bad")
    with page.expect_download() as begun:
        page.click("#editor-download")
    assert begun.value.suggested_filename == "half.yaml"
    assert Path(begun.value.path()).read_text(encoding="utf-8") == text
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.locator("#editor-told").filter(has_text="to half.yaml are restored").wait_for()
    assert page.input_value("#editor-text") == text
    assert page.input_value("#editor-name") == "half.yaml"
    page.click("#editor-drop")
    page.wait_for_selector("#editor-summary .good")
    assert page.evaluate("localStorage.length") == 0
    page.reload()
    page.wait_for_selector("#editor-summary .good")
    assert "oops: [" not in page.input_value("#editor-text")


def test_text_of_a_case_is_never_run(page, server):
    home, folder = server
    evil = "<script>window.bad=1</script><img src=x onerror='window.bad=1'>"
    (folder / "evil.yaml").unlink(missing_ok=True)
    new_case(folder / "evil.yaml", title=evil)
    page.goto(f"{home}/#case=kazakhstan-2022&tab=editor")
    page.wait_for_selector("#editor-summary .good")
    page.select_option("#editor-from", "evil.yaml")
    page.click("#editor-open")
    page.locator("#editor-told").filter(has_text="evil.yaml is open").wait_for()
    assert page.input_value('[data-field="title"]') == evil
    page.click("#editor-show-text")
    page.fill("#editor-text", f"{evil}: 1\nfoedus: '{evil[:20]}'\n")
    page.wait_for_selector("#editor-summary .bad")
    page.click("#editor-show-form")
    page.wait_for_selector(".field.unknown")
    assert page.evaluate("window.bad") is None


def bundle(case: Any, refused: bool = False) -> dict[str, Any]:
    """A forecast that is written down, with everything that the map draws."""
    days = case.horizon
    ramp = [min(1.0, d / 10) for d in range(days)]
    bands = {"q05": [0.0] * days, "q50": [1000 * r for r in ramp], "q95": [5000.0] * days}
    members = [m.actor for m in case.alliance.members]
    return {
        "forecast": {"answers": [], "fans": []},
        "marks": {},
        "words": {},
        "map": {
            "dates": [case.date(d).isoformat() for d in range(days)],
            "refused": refused,
            "places": {} if refused else {p: {"unrest": ramp, "crowd": bands} for p in case.places},
            "members": {}
            if refused
            else {
                m: {
                    "present": [r * (m == "russia") for r in ramp],
                    "troops": {
                        "q05": [0.0] * days,
                        "q50": [3000 * r * (m == "russia") for r in ramp],
                        "q95": [4000.0] * days,
                        "mean": [0.0] * days,
                    },
                }
                for m in members
            },
        },
    }


def given_forecast(page, refused: bool = False) -> None:
    best = {"runs": 8000, "key": "x", "steps": [500]}
    made = bundle(load_case("kazakhstan-2022"), refused)
    page.route("**/api/best*", lambda route: route.fulfill(json=best))
    page.route("**/api/result*", lambda route: route.fulfill(json=made))


#: Of each city, whether it lies on the land that is drawn as the case's own.
CITIES_AT_HOME = """() => {
  const home = document.querySelector('svg .homeland');
  return [...document.querySelectorAll('circle.city[data-city]')].map((city) =>
    home.isPointInFill(new DOMPoint(city.cx.baseVal.value, city.cy.baseVal.value))); }"""


def test_the_map_says_in_words_what_it_draws_day_by_day(page, server):
    home, _ = server
    given_forecast(page)
    page.goto(f"{home}/#case=kazakhstan-2022&tab=map")
    page.wait_for_selector(".route.unlikely, .route.likely")
    assert page.locator("circle.city[data-city]").count() == 8
    assert page.locator("svg rect.member").count() == 5
    assert page.evaluate(CITIES_AT_HOME) == [True] * 8
    row = page.locator(".map-table tr", has_text="Russia")
    assert re.sub(r"\s+", " ", row.inner_text()) == "Russia 50% 1,500 0 to 4,000"

    page.focus("#map-day")
    radius = "circle.city[data-city=almaty]"
    small = float(page.get_attribute(radius, "r"))
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert "map.day=2022-01-10" in page.url
    assert page.get_attribute("#map-day", "aria-valuetext") == "10 Jan 2022, forecast"
    assert "2,400" in row.inner_text()
    assert float(page.get_attribute(radius, "r")) > small
    wide = page.locator(".map-frame .route.likely .shaft").get_attribute("stroke-width")
    assert float(wide) == pytest.approx(1.5 + 12 * (2400 / 4000) ** 0.5, abs=0.01)
    picture(page, "map")
    assert no_sideways_scrolling(page)

    tab_to(page, "#map-play")
    page.keyboard.press("Enter")
    page.locator(".map-when output").filter(has_text="12 Jan 2022").wait_for()
    page.keyboard.press("Enter")
    assert page.inner_text("#map-play") == "Play"
    page.select_option("#map-level", "q95")
    assert "4,000" in row.locator("td").nth(1).inner_text()
    page.select_option("#map-zoom", "country")
    assert "map.zoom=country" in page.url


def test_on_a_narrow_map_unrest_is_named_and_numbers_keep_off_their_arrows(page, server):
    home, _ = server
    page.set_viewport_size({"width": 390, "height": 900})
    given_forecast(page)
    page.goto(f"{home}/#case=kazakhstan-2022&tab=map&map.day=2022-01-10")
    page.wait_for_selector(".route.likely")
    names = page.locator("svg text.name").all_text_contents()
    assert "Almaty 80%" in names
    on_its_arrow = page.evaluate(
        """() => {
        const box = [...document.querySelectorAll('svg text.member')].find((t) => t.textContent.startsWith('Russia')).getBBox();
        const shaft = document.querySelector('.route.likely .shaft');
        const length = shaft.getTotalLength();
        return [...Array(200).keys()].map((k) => shaft.getPointAtLength(length * k / 199))
          .filter((p) => p.x > box.x && p.x < box.x + box.width && p.y > box.y && p.y < box.y + box.height).length; }"""  # noqa: E501
    )
    assert on_its_arrow == 0


def test_a_refused_forecast_draws_places_and_no_numbers(page, server):
    home, _ = server
    given_forecast(page, refused=True)
    page.goto(f"{home}/#case=kazakhstan-2022&tab=map")
    page.locator(".map-note").filter(has_text="too few runs agree with the evidence").wait_for()
    assert page.locator("circle.city[data-city]").count() == 8
    assert page.locator(".route").count() == 0
    assert page.locator(".map-legend *").count() == 0


def test_the_outlines_are_small_and_whole():
    assert LAND.stat().st_size < 400_000
    land = json.loads(LAND.read_text(encoding="utf-8"))
    assert "public domain" in land["source"]
    ends = []
    for arc in land["arcs"]:
        assert len(arc) % 2 == 0
        x, y = sum(arc[::2]), sum(arc[1::2])
        assert abs(x) <= 180 * land["scale"] + 1
        assert abs(y) <= 90 * land["scale"] + 1
        ends.append(((arc[0], arc[1]), (x, y)))
    for country in land["countries"]:
        for ring in country["rings"]:
            pairs = [ends[i] if i >= 0 else ends[~i][::-1] for i in ring]
            joined = zip(pairs, [*pairs[1:], pairs[0]], strict=True)
            assert all(a[1] == b[0] for a, b in joined), country["name"]
    assert {"Kazakhstan", "Russia", "Niger", "Bahrain"} <= {c["name"] for c in land["countries"]}
