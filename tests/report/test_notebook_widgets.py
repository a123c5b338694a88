"""Widgets: the answers from Python, and what the page's part does with them in a browser."""

import datetime as dt
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import foedus
from foedus.answers.forecasts import Forecast

from .made_up import forecast

pytest.importorskip("anywidget")

EVIL = "<img src=x onerror=alert(1)>"

#: A stand-in for Jupyter: a model whose messages the test reads and answers. As in JupyterLab,
#: arrow keys that reach the document move between cells.
PAGE = """<!DOCTYPE html><meta charset="utf-8"><body><div id="here"></div>
<script type="module">
import widget from "./slider.js";
const listeners = [];
window.sent = [];
window.taken = [];
const model = {
  get: (name) => (VALUES)[name],
  on: (name, listener) => listeners.push(listener),
  off: () => {},
  send: (message) => window.sent.push(message),
};
window.answer = (message, bytes) =>
  listeners.forEach((l) => l(message, bytes ? [new DataView(new Uint8Array(bytes).buffer)] : []));
document.addEventListener("keydown", (event) => {
  window.taken.push(event.key);
  if (event.key.startsWith("Arrow")) event.preventDefault();
});
widget.render({ model, el: document.getElementById("here") });
window.ready = true;
</script>"""


def dated(day: int, runs: int = 400) -> Forecast:
    import dataclasses

    return dataclasses.replace(forecast(runs), as_of=dt.date(2022, 1, day))


def asked(widget: Any, monkeypatch: pytest.MonkeyPatch, content: object) -> list[Any]:
    """Return what the widget sends when the page sends a message."""
    sent: list[Any] = []
    monkeypatch.setattr(widget, "send", lambda said, buffers=None: sent.append((said, buffers)))
    widget._handle_custom_msg(content, [])
    return sent


def test_the_fan_of_each_date_is_sent_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import foedus.notebook

    widget = foedus.notebook.fans([dated(7), dated(5), dated(6, runs=10)], "deaths_total")
    assert widget.labels == ["as of 5 Jan 2022", "as of 6 Jan 2022", "as of 7 Jan 2022"]
    ((said, buffers),) = asked(widget, monkeypatch, {"at": 2})
    assert said["svg"] == dated(7).plot.fan("deaths_total").svg()
    assert buffers is None
    ((said, _),) = asked(widget, monkeypatch, {"at": 1})
    assert (said["svg"], said["text"][:9]) == ("", "No answer")


@pytest.mark.parametrize("content", [{"at": 3}, {"at": -1}, {"at": True}, {"at": "0"}, [], None])
def test_what_the_page_should_not_ask_is_passed_over(
    content: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    import foedus.notebook

    widget = foedus.notebook.fans([dated(5), dated(6), dated(7)])
    assert asked(widget, monkeypatch, content) == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("boom"), "ValueError: boom"),
        (foedus.InputError("no such run"), "no such run"),
        (KeyboardInterrupt(), "Interrupted."),
    ],
)
def test_what_goes_wrong_is_sent_in_words(
    error: BaseException, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foedus.notebook.slider import Shown, Slider

    def show(at: int) -> Shown:
        if at == 1:
            raise error
        return Shown(text="well")

    widget = Slider("", ["one", "two"], show)
    assert asked(widget, monkeypatch, {"at": 1}) == [({"at": 1, "error": said}, None)]
    ((answer, _),) = asked(widget, monkeypatch, {"at": 0})
    assert (answer["text"], "error" in answer) == ("well", False)


def test_lattices_have_the_words_and_colours_of_the_page() -> None:
    import foedus.app
    import foedus.notebook

    def kinds(path: Path) -> list[tuple[str, ...]]:
        entry = r'\["(\w+)", \[(\d+), (\d+), (\d+)\]\]'
        return re.findall(entry, path.read_text(encoding="utf-8"))

    mine = kinds(Path(foedus.notebook.__file__).with_name("slider.js"))
    assert tuple(name for name, *_ in mine) == foedus.notebook._SITES
    assert mine == kinds(Path(foedus.app.__file__).parent / "static" / "streets.js")


def test_what_cannot_be_shown_is_said() -> None:
    import foedus.notebook

    with pytest.raises(foedus.InputError, match="at least one forecast"):
        foedus.notebook.fans([])
    with pytest.raises(foedus.InputError, match=r"fan: one of deaths_total"):
        foedus.notebook.fans([dated(5)], "deaths")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[foedus.Case, foedus.Ensemble]:
    folder = tmp_path_factory.mktemp("widget")
    case = foedus.load_case(foedus.new_case(folder / "case.yaml", title="Small"))
    return case, foedus.run(case, runs=2, workers=1, batch=2, out=folder / "a.zarr")


def test_the_streets_are_sent_tick_by_tick(
    made: tuple[foedus.Case, foedus.Ensemble], monkeypatch: pytest.MonkeyPatch
) -> None:
    import foedus.notebook

    case, ensemble = made
    widget = foedus.notebook.streets(case, ensemble, run=1)
    assert len(widget.labels) == case.horizon * case.ticks_per_day
    ((said, (cells,)),) = asked(widget, monkeypatch, {"at": 0})
    side = next(iter(case.places.values())).lattice
    assert said["size"] == [side, side]
    assert len(cells) == side * side
    assert said["text"].split()[0] == str(cells.count(1))
    with pytest.raises(foedus.InputError, match=r"run: 0 to 1 \(found 2\)"):
        foedus.notebook.streets(case, ensemble, run=2)
    with pytest.raises(foedus.InputError, match=r"place: one of .* \(found 'atlantis'\)"):
        foedus.notebook.streets(case, ensemble, place="atlantis")


@pytest.fixture
def tab(chromium: Any, tmp_path: Path) -> Any:
    """A page with the widget in it."""
    import threading
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    import foedus.notebook.slider

    code = Path(foedus.notebook.slider.__file__).with_name("slider.js")
    shutil.copy(code, tmp_path)
    values = json.dumps({"title": EVIL, "labels": ["one", "two", "three"]}).replace("<", "\\u003c")
    (tmp_path / "index.html").write_text(PAGE.replace("VALUES", values), encoding="utf-8")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = chromium.new_page()
    page.said = []
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.clock.install()
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    page.wait_for_function("window.ready")
    yield page
    page.close()
    server.shutdown()
    server.server_close()


def test_the_slider_asks_one_thing_at_a_time_and_shows_the_answer(tab: Any) -> None:
    assert tab.evaluate("window.sent") == [{"at": 0}]
    tab.focus("input")
    for _ in range(2):
        tab.keyboard.press("ArrowRight")
    assert tab.inner_text("output") == "three"
    assert tab.evaluate("window.sent") == [{"at": 0}]  # the first is not answered yet
    svg = forecast().plot.fan("deaths_total").svg()
    tab.evaluate("(a) => window.answer(a)", {"at": 0, "text": EVIL, "svg": svg, "size": [0, 0]})
    assert tab.evaluate("window.sent") == [{"at": 0}, {"at": 2}]
    tab.wait_for_function("document.querySelector('img').naturalWidth > 0")
    assert tab.get_attribute("img", "alt") == EVIL
    assert tab.inner_text("p.says") == EVIL
    assert tab.inner_text("strong") == EVIL
    assert tab.said == []


def test_a_notebook_gets_no_key_that_moves_the_slider(tab: Any) -> None:
    tab.focus("input")
    for key, label in (("End", "three"), ("ArrowLeft", "two"), ("Home", "one"), ("ArrowUp", "two")):
        tab.keyboard.press(key)
        assert tab.inner_text("output") == label
    assert tab.evaluate("window.taken") == []
    tab.keyboard.press("Shift+Enter")
    assert tab.evaluate("window.taken") == ["Shift", "Enter"]


def test_a_picture_is_faded_until_it_is_of_the_place_that_is_named(tab: Any) -> None:
    def busy() -> bool:
        return bool(tab.get_attribute(".foedus-slider", "aria-busy") == "true")

    answer = "(at) => window.answer({at, text: `place ${at}`})"
    assert busy()
    tab.evaluate(answer, 0)
    assert not busy()
    tab.focus("input")
    tab.keyboard.press("End")
    assert busy()
    assert tab.inner_text("p.says") == "place 0"
    tab.keyboard.press("ArrowLeft")
    tab.evaluate(answer, 2)
    assert busy()
    tab.evaluate(answer, 1)
    assert not busy()
    assert tab.inner_text("p.says") == "place 1"


def test_an_error_takes_the_place_of_the_picture(tab: Any) -> None:
    cells = "(a) => window.answer(a, [0, 1, 2, 3, 4, 2])"
    tab.evaluate(cells, {"at": 0, "text": "1 quiet", "svg": "", "size": [3, 2]})
    assert tab.is_visible("canvas")
    tab.focus("input")
    tab.keyboard.press("ArrowRight")
    tab.evaluate("(a) => window.answer(a)", {"at": 1, "error": EVIL})
    assert tab.inner_text("[role=alert]") == EVIL
    assert not tab.is_visible("canvas")
    assert not tab.is_visible(".keys")
    assert tab.get_attribute(".foedus-slider", "aria-busy") is None
    tab.keyboard.press("Home")
    tab.evaluate(cells, {"at": 0, "text": "1 quiet", "svg": "", "size": [3, 2]})
    assert tab.is_visible("canvas")
    assert tab.text_content("[role=alert]") == ""


def test_a_kernel_that_does_not_answer_is_told_and_asked_again(tab: Any) -> None:
    assert tab.evaluate("window.sent") == [{"at": 0}]
    tab.clock.fast_forward(9_000)
    assert tab.text_content("[role=alert]") == ""
    tab.clock.fast_forward(2_000)
    assert tab.inner_text("[role=alert]").startswith("No answer from the kernel")
    tab.focus("input")
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate("window.sent") == [{"at": 0}, {"at": 1}]
    tab.clock.fast_forward(11_000)
    assert tab.inner_text("[role=alert]").startswith("No answer from the kernel")
    tab.evaluate("window.answer({at: 0, text: 'of another place'})")
    assert tab.text_content("p.says") == ""
    tab.evaluate("window.answer({at: 1, text: 'late'})")  # it was only busy
    assert tab.inner_text("p.says") == "late"
    assert tab.text_content("[role=alert]") == ""


def test_the_streets_are_painted(tab: Any) -> None:
    tab.evaluate(
        "(a) => window.answer(a, [0, 1, 2, 3, 4, 2])",
        {"at": 0, "text": "1 quiet", "svg": "", "size": [3, 2]},
    )
    pixels = tab.evaluate(
        "(() => { const c = document.querySelector('canvas');"
        "return [c.width, c.height, ...c.getContext('2d').getImageData(0, 0, 3, 2).data]; })()"
    )
    assert pixels[:2] == [3, 2]
    assert pixels[2 + 8 : 2 + 11] == [213, 94, 0]
    assert tab.get_attribute("canvas", "aria-label") == "1 quiet"
    names = tab.locator(".keys span").all_inner_texts()
    assert names == ["empty", "quiet", "active", "police", "jailed"]
    assert tab.said == []
