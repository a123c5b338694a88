"""The page in a real browser: clicked through, by keyboard, wide and narrow, with no other host."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from foedus.answers.forecasts import FANS

from .conftest import OURS, result

#: Milliseconds allowed for something to be computed on a busy machine.
LONG = 120_000
TABS = {
    "questions": "table.questions",
    "figures": ".u-over",
    "streets": ".lattices canvas",
    "votes": "table.matrix",
    "whatif": "#wi-m-streets",
    "explanations": ".standing .bar",
    "map": "svg",
    "editor": "button",
}


def until(page: Any, expression: str) -> None:
    """Wait until an expression is true; Playwright's own method needs a page that allows eval."""
    end = time.monotonic() + LONG / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(30)


class Visit:
    """A page that records errors and requests to other hosts."""

    def __init__(self, chromium: Any, home: str, width: int = 1280, **more: Any) -> None:
        self.home = home
        self.context = chromium.new_context(viewport={"width": width, "height": 900}, **more)
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        self.foreign: list[str] = []
        self.page.on("console", lambda m: self._told(m.type, m.text))
        self.page.on("pageerror", lambda e: self.wrong.append(str(e)))
        self.page.on("request", self._asked)

    def _told(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.wrong.append(text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.home + "/", "data:")):
            self.foreign.append(request.url)

    def open(self, tab: str = "questions", more: str = "", case: str = "small.yaml") -> Any:
        self.page.goto(f"{self.home}/#case={case}&tab={tab}{more}")
        self.page.wait_for_selector(TABS[tab], timeout=LONG)
        return self.page

    def all_is_well(self) -> None:
        assert self.wrong == []
        assert self.foreign == []
        assert self.page.evaluate("window.hacked") is None
        assert self.page.evaluate("document.querySelectorAll('main script, main img').length") == 0


@pytest.fixture(scope="module")
def ready(site: Any) -> None:
    """Make the best forecasts before the first visit, so that no page changes on its own."""
    with httpx.Client(base_url=site[0], timeout=60) as client:
        for as_of in ("2022-01-05", "2022-01-06"):
            body = {"kind": "forecast", "case": "small.yaml", "as_of": as_of}
            result(client, {**body, "runs": site[1].steps[-1]})


@pytest.fixture
def visit(chromium: Any, site: Any, ready: None) -> Iterator[Visit]:
    made = Visit(chromium, site[0])
    yield made
    made.all_is_well()
    made.context.close()


def test_a_better_forecast_comes_by_itself_and_leaves_open_what_the_reader_opened(
    chromium: Any, site: Any
) -> None:
    made = Visit(chromium, site[0])
    page = made.open(more="&asof=2022-01-04")
    runs = "document.querySelector('.view details[data-keep=made] p').textContent"
    page.click("details[data-keep=made] summary")
    until(page, f"{runs}.startsWith('480 runs')")
    assert page.evaluate("document.querySelector('.view details[data-keep=made]').open")
    made.all_is_well()
    made.context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_every_tab_opens_without_error_request_or_sideways_scroll(
    chromium: Any, site: Any, ready: None, width: int
) -> None:
    made = Visit(chromium, site[0], width)
    page = made.open()
    for tab, there in TABS.items():
        page.click(f"#tab-{tab}")
        page.wait_for_selector(there, timeout=LONG)
        page.wait_for_timeout(100)
        assert page.get_attribute(f"#tab-{tab}", "aria-selected") == "true"
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, (tab, wide)
    made.all_is_well()
    made.context.close()


def forecast_changed(page: Any, change: Any) -> None:
    """Give the page a forecast that differs from the server's."""

    def answer(route: Any) -> None:
        found = route.fetch()
        if found.headers["content-type"] != "application/json":
            route.fulfill(response=found)
            return
        told = found.json()
        if "forecast" in told:
            change(told)
        route.fulfill(json=told)

    page.route("**/api/result*", answer)


def asked(told: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the answer to a question."""
    found: dict[str, Any] = next(a for a in told["forecast"]["answers"] if a["id"] == name)
    return found


def test_while_there_are_too_few_runs_the_page_says_what_comes_and_shows_what_it_has(
    site: Any, visit: Visit
) -> None:
    body = {"kind": "forecast", "case": "small.yaml", "as_of": "2022-01-05", "runs": 50}
    with httpx.Client(base_url=site[0], timeout=60) as client:
        assert result(client, body).json()["forecast"]["sample"]["verdict"] == "refused"
        key = client.post("/api/jobs", json=body, headers=OURS).json()["key"]
    page = visit.page
    best = {"runs": 50, "key": key, "steps": [50, 60, 480]}
    page.route("**/api/best*", lambda route: route.fulfill(json=best))
    made: dict[str, Any] = {"id": "1", "key": "x", "state": "running", "done": 60, "total": 480,
            "note": "runs", "error": "", "version": 0}  # fmt: skip
    wanted = []

    def going(route: Any) -> None:
        if route.request.method == "POST":
            wanted.append(route.request.post_data_json)
        made["done"] = min(made["done"] + 5, 200)
        route.fulfill(json=made)

    page.route(re.compile("/api/jobs([?]|$)"), going)
    visit.open()
    # 60 runs would be refused too: they are not weighed.
    assert [w["runs"] for w in wanted if w["kind"] == "forecast"] == [480]
    said = page.inner_text(".warning")
    assert "no answers yet" in said
    assert "an answer needs 50. More are being made: 480 next." in said
    assert not page.is_visible(".warning li")
    page.click(".warning summary")
    assert page.is_visible(".warning li")
    table = page.inner_text("table.questions")
    assert "Before the evidence" in table
    assert "Answer" not in table
    assert "no answer" not in table
    assert page.locator("table.questions .gauge i.grey").count() >= 1
    until(page, "/ of 480 runs, about .* left/.test(document.querySelector('#status').textContent)")
    page.click("#tab-figures")
    page.wait_for_selector(".u-over")
    assert "Before the evidence" in page.inner_text(".keys")
    page.click("#tab-votes")
    page.wait_for_selector("table.matrix")
    assert "of the runs before the evidence" in page.inner_text(".view")
    page.click("#tab-map")
    page.wait_for_selector("circle.city")
    assert "Before the evidence" in page.inner_text(".map-note")
    page.click("#tab-explanations")
    page.wait_for_selector("section h2")
    assert "weighed once enough runs agree" in page.inner_text(".view")
    assert [w["kind"] for w in wanted if w["kind"] != "score"] == ["forecast"]
    page.unroute(re.compile("/api/jobs([?]|$)"))
    page.unroute("**/api/best*")
    page.click("#tab-questions")
    page.click("#status button:has-text('Stop')")
    page.wait_for_selector("#status button:has-text('Continue')")
    assert "no answers yet" not in page.inner_text(".warning")
    page.click("#status button:has-text('Continue')")
    page.wait_for_selector("table.questions th:text-is('Answer')", timeout=LONG)


def test_a_day_that_most_runs_do_not_reach_is_said_to_be_later(visit: Visit) -> None:
    def change(told: dict[str, Any]) -> None:
        late = asked(told, "answer")
        late.update(settled_by=None, answered=True)
        late["headline"] = {
            "source": "simulation",
            "probability": 0.3,
            "probability_error": 0.02,
            "quantiles": {
                "q05": "2022-01-07",
                "q25": "2022-01-09",
                "q50": None,
                "q75": None,
                "q95": None,
            },
        }
        late["before_evidence"]["probability"] = 0.6
        late["before_evidence"]["quantiles"] = {
            "q05": "2022-01-04",
            "q25": "2022-01-05",
            "q50": "2022-01-06",
            "q75": None,
            "q95": None,
        }

    forecast_changed(visit.page, change)
    row = visit.open().inner_text("table.questions tbody tr >> nth=2")
    assert "more than half of the runs: not by 9 Jan 2022" in row
    assert "one run in twenty: by 7 Jan 2022" in row
    assert "half of the runs: by 6 Jan 2022" in row
    assert "nine in ten: 4 Jan 2022 to after 9 Jan 2022" in row
    assert "not by the end" not in row


def test_both_voices_stand_below_an_answer(visit: Visit) -> None:
    def change(told: dict[str, Any]) -> None:
        voices = {"pooled": 0.2, "history": 0.1}
        for name, answered, source in (("comes", True, "pooled"), ("answer", False, "history")):
            said = asked(told, name)
            said.update(settled_by=None, answered=True, probability=0.4 if answered else None)
            said.update({v: {"probability": p, "quantiles": {}} for v, p in voices.items()})
            said["headline"] = {"source": source, "probability_error": 0.0, **said[source]}

    forecast_changed(visit.page, change)
    rows = visit.open().locator("table.questions tbody tr")
    assert "simulation 40%; history 10%" in rows.nth(0).inner_text()
    assert "20%" in rows.nth(0).inner_text()
    assert "too few runs agree with what is known; history 10%, alone" in rows.nth(2).inner_text()


def test_people_are_whole(visit: Visit) -> None:
    def change(told: dict[str, Any]) -> None:
        dead = asked(told, "dead")
        dead.update(answered=True)
        dead["headline"] = {
            "source": "simulation",
            "quantiles": {"q05": 31.5, "q50": 69.9, "q95": 1234.4},
        }
        for pick in told["picks"]:
            pick["crowd"] = 69.9

    forecast_changed(visit.page, change)
    page = visit.open()
    assert "70\n32 to 1,230 people" in page.inner_text("table.questions")
    page.click("#tab-streets")
    page.wait_for_selector(".lattices canvas", timeout=LONG)
    assert "70 in the streets" in page.inner_text("select[aria-label=run] option >> nth=0")
    assert "tick 1 of the day's 4" in page.inner_text(".clock")


def test_the_hangs_on_question_is_the_most_open_one(visit: Visit) -> None:
    def change(told: dict[str, Any]) -> None:
        asked(told, "comes").update(settled_by="asked", probability=0.5)
        asked(told, "dead").update(kind="binary", probability=0.9)
        asked(told, "answer").update(kind="binary", probability=0.4, settled_by=None)

    forecast_changed(visit.page, change)
    page = visit.open("explanations")
    assert page.input_value("select[id='pick-ex.q']") == "answer"


def test_on_a_narrow_screen_the_votes_are_cards_and_the_ways_can_be_scrolled(
    chromium: Any, site: Any, ready: None
) -> None:
    made = Visit(chromium, site[0], 390)
    page = made.open("votes")
    cells = page.locator("table.matrix td.cell")
    assert cells.count() == 15
    for k in range(15):
        box = cells.nth(k).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    named = page.eval_on_selector_all(
        "table.matrix td.cell", "all => all.map((c) => getComputedStyle(c, '::before').content)"
    )
    assert named[2] == '"Against: "'
    page.focus(".scroll[role=region]")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')")
    made.all_is_well()
    made.context.close()


def test_the_slider_says_where_nothing_more_became_known(visit: Visit) -> None:
    page = visit.open()
    assert page.inner_text(".days").split() == ["2", "Jan", "5", "Jan", "9", "Jan"]
    assert page.inner_text(".asof-note") == ""
    page.goto(f"{visit.home}/#case=small.yaml&asof=2022-01-07")
    until(page, "document.querySelector('.asof-note').textContent.includes('after 6 Jan 2022')")
    page.click("details.known summary")
    assert "A completely reliable" in page.inner_text("details.known")


def test_an_address_that_leads_nowhere_says_so(visit: Visit) -> None:
    page = visit.page
    page.goto(f"{visit.home}/#case=nope%3Cb%3E")
    page.wait_for_selector("#status .error")
    assert "There is no case “nope<b>” here" in page.inner_text("#status")
    page.click("#status a[href='#case=small.yaml']")
    page.wait_for_selector("table.questions", timeout=LONG)
    assert page.input_value("#case") == "small.yaml"
    page.goto(f"{visit.home}/#case=small.yaml&asof=2022-99-99&tab=zzz")
    until(page, "document.querySelectorAll('#address p').length === 2")
    said = page.inner_text("#address")
    assert "no day “2022-99-99” in this case (2 Jan 2022 to 9 Jan 2022)" in said
    assert "as of 5 Jan 2022" in said
    assert "no view “zzz”" in said
    page.goto(f"{visit.home}/#case=small.yaml&asof=2023-01-01")
    until(
        page, "/2023-01-01.*as of 9 Jan 2022/.test(document.querySelector('#address').textContent)"
    )
    page.click("button[aria-label='a day earlier']")
    until(page, "document.querySelector('#address').textContent === ''")


def test_an_assumption_is_found_by_a_part_of_its_name_or_meaning(visit: Visit) -> None:
    page = visit.open("whatif")
    page.fill("#wi-search", "no such thing")
    assert "No assumption" in page.inner_text("#wi-found")
    page.keyboard.press("Enter")
    page.fill("#wi-search", "alliance")
    assert page.locator("#wi-found button").count() == 8
    assert "more" in page.inner_text("#wi-found")
    page.keyboard.press("Enter")  # several: nothing is chosen for the reader
    assert "wi.p" not in page.url
    page.fill("#wi-search", "LEAD_INTERCEPT")
    assert page.locator("#wi-found button").count() == 1
    page.keyboard.press("Enter")
    page.wait_for_selector("input[id='wi-p-alliance.lead_intercept']")
    page.fill("#wi-search", "streets.rec")
    page.click("#wi-found button >> nth=0")
    page.wait_for_selector("input[id='wi-p-streets.recorded']")


def test_text_of_a_case_is_text(visit: Visit) -> None:
    page = visit.open()
    assert "<script>window.hacked = 1</script>" in page.inner_text("#title")
    assert "<script>window.hacked = 6</script>" in page.inner_text("table.questions")
    page.click("details.known summary")
    assert "<script>window.hacked = 5</script>" in page.inner_text(".facts")
    hrefs = page.eval_on_selector_all("a", "all => all.map((a) => a.href)")
    assert not [h for h in hrefs if h.startswith("javascript:")]
    assert "https://example.org/paper?a=1&b=%3C2%3E" in hrefs
    rel = page.get_attribute(".facts a", "rel")
    assert "noopener" in rel
    assert "noreferrer" in rel


def test_facts_appear_as_they_became_known_and_the_forecast_changes(visit: Visit) -> None:
    page = visit.open()
    assert "3 of 4 facts" in page.inner_text("#timeline")
    before = page.inner_text("table.questions")
    page.focus("#asof")
    page.keyboard.press("ArrowRight")
    assert "4 of 4 facts" in page.inner_text("#timeline")
    assert "asof=2022-01-06" in page.url
    page.wait_for_selector("table.questions", timeout=LONG)
    assert page.inner_text("table.questions") != before
    page.click("details.known summary")
    assert "The alliance agrees." in page.inner_text(".facts li.new")
    for _ in range(9):
        page.keyboard.press("Tab")
    page.click("button[aria-label='a day earlier']")
    assert "The alliance agrees." not in page.inner_text(".facts")


def test_what_came_is_told_only_when_asked(visit: Visit) -> None:
    page = visit.open()
    assert "Outcome" not in page.inner_text("table.questions")
    page.click("button.reveal")
    page.wait_for_selector("th:has-text('Outcome')", timeout=LONG)
    told = page.inner_text("table.questions")
    assert re.search(r"Brier (<0\.001|\d\.\d{3})\b", told)
    assert "Lower scores are better" in page.inner_text(".view")
    assert "6 Jan 2022" in told
    assert "40 people" in told
    page.click("button:has-text('Hide outcomes')")
    assert "Brier" not in page.inner_text("table.questions")


def test_figures_have_the_facts_and_a_text_alternative(visit: Visit) -> None:
    page = visit.open("figures")
    for kind in ("outer", "inner", "line", "dot", "dash"):
        assert page.locator(f".keys .swatch-{kind}").count() == 1
    labels = page.eval_on_selector_all(
        ".plot", "all => all.map((a) => a.getAttribute('aria-label'))"
    )
    assert len(labels) == len(FANS)
    assert all(label.startswith("Median") for label in labels)
    assert "1 reported facts are drawn" in labels[0]
    page.click(".chart summary >> nth=0")
    table = page.inner_text(".chart table >> nth=0")
    assert "thousands" in table
    assert "3 Jan" in table


def test_the_streets_play_pause_and_step(visit: Visit) -> None:
    page = visit.open("streets")
    tick = "Number(document.querySelector('.view-streets').dataset.tick)"
    until(page, f"{tick} === 0")
    page.click("button.forth")
    page.click("button.forth")
    page.click("button.back")
    assert page.evaluate(tick) == 1
    assert "street.tick=1" in page.url
    page.select_option("select[aria-label=speed]", "4")
    page.click("button.play")
    until(page, f"{tick} > 3")
    page.click("button.play")
    stopped = page.evaluate(tick)
    page.wait_for_timeout(300)
    assert page.evaluate(tick) == stopped
    assert "people in the streets" in page.inner_text(".view-streets p[role=status]")
    page.focus("input[aria-label='time in the run']")
    page.keyboard.press(" ")  # continues to play
    until(page, f"{tick} > {stopped}")
    page.keyboard.press(" ")
    colours = page.evaluate(
        """() => { const c = document.querySelector('.lattices canvas');
        const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);
        return new Set(new Uint32Array(data.buffer)).size; }"""
    )
    assert colours >= 2
    page.eval_on_selector(
        "input[type=range][aria-label='time in the run']",
        "e => { e.value = 0; e.dispatchEvent(new Event('input')); }",
    )
    assert page.evaluate(tick) == 0


def test_a_film_of_a_shared_address_is_the_same(chromium: Any, site: Any, visit: Visit) -> None:
    page = visit.open("streets")
    run = page.eval_on_selector("select[aria-label=run]", "e => e.options[0].value")
    page.select_option("select[aria-label=run]", run)
    page.wait_for_selector(".lattices canvas")
    for _ in range(5):
        page.click("button.forth")
    other = Visit(chromium, site[0])
    other.page.goto(page.url)
    other.page.wait_for_selector(".lattices canvas", timeout=LONG)
    pixels = "[...document.querySelectorAll('.lattices canvas')].map((c) => c.toDataURL()).join()"
    until(other.page, "document.querySelector('.view-streets').dataset.tick === '5'")
    assert other.page.evaluate(pixels) == page.evaluate(pixels)
    other.all_is_well()
    other.context.close()


def test_the_vote_is_a_matrix(visit: Visit) -> None:
    page = visit.open("votes")
    assert page.locator("table.matrix tbody tr").count() == 3
    text = page.inner_text("table.matrix")
    for word in ("For", "Abstains", "Against", "No vote held", "Sends troops", "Big (lead)"):
        assert word in text
    assert "Tiny <i>state</i>" in text
    shares = page.eval_on_selector_all(
        "table.ways thead th", "a => a.slice(1).map((e) => e.textContent)"
    )
    assert shares


def test_what_if_answers_within_seconds_and_can_be_shared(
    chromium: Any, site: Any, visit: Visit
) -> None:
    page = visit.open("whatif")
    page.uncheck("#wi-m-streets")
    page.wait_for_selector("tr[data-key=crowd_days]", timeout=LONG)
    assert "wi.off=streets" in page.url
    row = page.inner_text("tr[data-key=crowd_days]")
    assert "−" in row
    assert "pairs" in page.inner_text(".pairs")
    page.check("#wi-m-streets")
    page.fill("#wi-search", "streets.recorded")
    page.keyboard.press("Enter")
    page.wait_for_selector("input[id='wi-p-streets.recorded']")
    page.fill("input[id='wi-p-streets.recorded']", "0.9")
    page.keyboard.press("Tab")
    until(page, "location.hash.includes('streets.recorded%3A0.9')")
    page.select_option("#wi-h", "interest")
    page.check("#wi-free-1")
    page.wait_for_selector("tr[data-key=comes]", timeout=LONG)
    other = Visit(chromium, site[0])
    other.page.goto(page.url)
    other.page.wait_for_selector("tr[data-key=comes]", timeout=LONG)
    assert other.page.input_value("input[id='wi-p-streets.recorded']") == "0.9"
    assert other.page.input_value("#wi-h") == "interest"
    assert other.page.is_checked("#wi-free-1")
    last = "document.querySelector('.pairs').textContent.startsWith('960 ')"
    for p in (page, other.page):
        until(p, last)
    assert other.page.inner_text("table.differences") == page.inner_text("table.differences")
    other.all_is_well()
    other.context.close()


def test_a_what_if_can_be_stopped(visit: Visit) -> None:
    page = visit.open("whatif")
    going = {"id": "1", "state": "running", "done": 1, "total": 9, "note": "", "version": 0}
    page.route("**/api/jobs?id=*", lambda route: route.fulfill(json=going))  # it never ends
    page.uncheck("#wi-m-outside")
    page.click("button.stop", timeout=LONG)
    assert "Stopped" in page.inner_text(".split")
    page.unroute("**/api/jobs?id=*")
    page.click("button:has-text('Continue')")
    page.wait_for_selector(".pairs", timeout=LONG)


def test_explanations_tornado_and_watch_list(visit: Visit) -> None:
    page = visit.open("explanations")
    assert page.locator(".standing").count() == 2
    assert page.locator(".standing >> nth=0").locator(".bar").count() == 4
    assert re.search(r"\d+%", page.inner_text(".standing >> nth=0"))
    page.click("button.compute-sensitivity")
    page.wait_for_selector(".tornado", timeout=LONG)
    assert "%" in page.inner_text(".tornado")
    page.click("button.compute-watch")
    until(page, "/bits/.test(document.querySelector('.view').textContent)")


def test_by_keyboard_alone(visit: Visit) -> None:
    page = visit.open()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.focus("#tab-questions")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-figures"
    assert "tab=figures" in page.url
    page.wait_for_selector(".u-over")
    page.keyboard.press("End")
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement.id") == "tab-questions"
    page.focus("#top select")
    seen = []
    for _ in range(12):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate("document.activeElement.id || document.activeElement.textContent")
        )
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        body = page.evaluate("document.activeElement === document.body")  # wraps around
        assert outline != "none" or body or seen[-1] == "content", seen
    assert "asof" in seen
    assert "tab-questions" in seen
    page.go_back()


def test_the_back_button_undoes_a_tab(visit: Visit) -> None:
    page = visit.open()
    page.click("#tab-votes")
    page.wait_for_selector("table.matrix")
    page.go_back()
    page.wait_for_selector("table.questions")


def test_who_wants_no_motion_gets_a_slow_film(chromium: Any, site: Any, ready: None) -> None:
    made = Visit(chromium, site[0], reduced_motion="reduce")
    page = made.open("streets")
    assert page.input_value("select[aria-label=speed]") == "1"
    page.wait_for_timeout(400)
    assert page.evaluate("document.querySelector('.view-streets').dataset.tick") == "0"
    made.all_is_well()
    made.context.close()


def test_a_case_that_cannot_be_read_says_why(visit: Visit, site: Any) -> None:
    bad = site[1].cases / "bad.yaml"
    bad.write_text("foedus: 1\nid: <b>\n", encoding="utf-8")
    try:
        page = visit.page
        page.goto(f"{visit.home}/#case=bad.yaml")
        page.wait_for_selector(".error")
        assert "bad.yaml" in page.inner_text(".error")
    finally:
        bad.unlink()


CONTRAST = """() => {
  const lum = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const parse = (t) => { const m = t.match(/[\\d.]+/g).map(Number); return { rgb: m.slice(0, 3), a: m.length > 3 ? m[3] : 1 }; };
  const back = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.a > 0.99) return c.rgb; } return [255, 255, 255]; };
  const low = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || !e.offsetParent || e.disabled) continue;
    const a = lum(parse(getComputedStyle(e).color).rgb), b = lum(back(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push([e.tagName, e.className, e.textContent.slice(0, 30), ratio]);
  }
  return low; }"""  # noqa: E501


@pytest.mark.parametrize("tab", ["questions", "figures", "streets", "votes", "explanations"])
def test_all_text_can_be_read(visit: Visit, tab: str) -> None:
    assert visit.open(tab).evaluate(CONTRAST) == []
