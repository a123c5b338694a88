"""Take the docs' pictures of the page from a real forecast of Kazakhstan 2022.

    python tools/screenshots.py                   # 8,000 runs; reuses those on disk
    python tools/screenshots.py --runs 2000 --only streets votes
    python tools/screenshots.py --cases FOLDER --case my-case.yaml --as-of 2024-03-05

It starts the page, opens each tab in Chromium, and writes ``docs/images/app/*.webp``. It stops with
an error if the page contacts another host or writes to the console.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import Page, sync_playwright

from foedus.app.server import create_app
from foedus.app.settings import Settings

PICTURES = Path(__file__).parents[1] / "docs" / "images" / "app"
LONG = 900_000  # ms


def questions(page: Page) -> None:
    """Show the questions, with the facts open."""
    page.wait_for_selector("table.questions", timeout=LONG)
    page.click("details.known summary")


def figures(page: Page) -> None:
    """Show the fan charts."""
    page.wait_for_selector(".u-over", timeout=LONG)


def streets(page: Page) -> None:
    """Stop the deadliest run on the third day."""
    page.wait_for_selector(".lattices canvas", timeout=LONG)
    page.select_option("select[aria-label=run]", index=0)
    page.wait_for_timeout(500)
    page.wait_for_selector(".lattices canvas", timeout=LONG)
    for _ in range(14):
        page.click("button.forth")


def votes(page: Page) -> None:
    """Show the matrix of votes."""
    page.wait_for_selector(".view-votes table, .view-votes .warning", timeout=LONG)


def whatif(page: Page) -> None:
    """Switch a mechanism off, with decisions left free, and wait for the last pairs."""
    page.wait_for_selector("#wi-m-alliance", timeout=LONG)
    page.check("#wi-free-1")
    page.uncheck("#wi-m-alliance")
    page.wait_for_selector(".pairs", timeout=LONG)
    page.wait_for_selector("button.stop", state="detached", timeout=LONG)


def explanations(page: Page) -> None:
    """Compute everything on the tab."""
    page.wait_for_selector("button.compute-sensitivity:enabled", timeout=LONG)
    # The last question: the first ones may be settled, and then depend on nothing.
    last = page.locator("#pick-ex\\.q option").count() - 1
    page.select_option("#pick-ex\\.q", index=last)
    page.click("button.compute-sensitivity")
    page.wait_for_selector(".tornado, .error", timeout=LONG)
    page.click("button.compute-watch")
    page.wait_for_selector("button.compute-watch", state="detached", timeout=LONG)
    page.wait_for_selector(".working", state="detached", timeout=LONG)


def on_the_map(page: Page) -> None:
    """Show the eighth day."""
    page.wait_for_selector(".map-tables table", timeout=LONG)
    page.focus("#map-day")
    page.keyboard.press("Home")
    for _ in range(7):
        page.keyboard.press("ArrowRight")


SHOTS = {
    "map": on_the_map,
    **{f.__name__: f for f in (questions, figures, streets, votes, whatif, explanations)},
}
NARROW = ("questions", "streets")


def main() -> None:
    """Start the page, take the pictures, end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=8_000)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--only", nargs="*", choices=SHOTS, default=list(SHOTS))
    parser.add_argument("--case", default="kazakhstan-2022")
    parser.add_argument("--cases", type=Path, default=Path("cases"))
    parser.add_argument("--as-of", default="2022-01-07")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    given = parser.parse_args()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    settings = Settings(cases=given.cases, results=given.results, port=port, steps=(given.runs,))
    server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        home, view = f"http://127.0.0.1:{port}", f"case={given.case}&asof={given.as_of}"
        wrong = take(home, view, given.only, given.chromium)
    finally:
        server.should_exit = True
        thread.join(20)
    if wrong:
        sys.exit("\n".join(wrong))
    subprocess.run([sys.executable, Path(__file__).with_name("pictures.py")], check=True)


def take(home: str, view: str, names: list[str], chromium: str) -> list[str]:
    """Take the pictures; return the errors."""
    wrong: list[str] = []

    def told(message: Any) -> None:
        if message.type in ("error", "warning"):
            wrong.append(message.text)

    def asked(request: Any) -> None:
        if not request.url.startswith((home + "/", "data:")):
            wrong.append(f"asked another host: {request.url}")

    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in names:
            for width in (1280, 390) if name in NARROW else (1280,):
                page = browser.new_page(viewport={"width": width, "height": 800})
                page.on("console", told)
                page.on("pageerror", lambda error: wrong.append(str(error)))
                page.on("request", asked)
                page.goto(f"{home}/#{view}&tab={name}")
                SHOTS[name](page)
                page.wait_for_selector("#status .working", state="detached", timeout=LONG)
                page.evaluate("scrollTo(0, 0)")
                page.wait_for_timeout(400)
                path = PICTURES / (f"{name}.png" if width == 1280 else f"{name}-{width}.png")
                page.screenshot(path=path, full_page=True)
                print(path)
                page.close()
        browser.close()
    return wrong


if __name__ == "__main__":
    main()
