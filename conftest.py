"""How the suite is run: slices, the browser, and kernels compiled before the workers start.

Shared fixtures are in ``tests/conftest.py`` and in those of the folders.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
NO_CHROMIUM = "no Chromium on this machine: make chromium installs it"
#: Widths of a small and of a large lattice; each has its own kernels.
WARM = "import sys; from foedus.streets import warm; list(warm(sides=[int(sys.argv[1])]))"
SIDES = (15, 49)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--slice I/N``."""
    parser.addoption(
        "--slice",
        metavar="I/N",
        type=_slice,
        help="only the I-th of N parts of the tests, which are dealt by the hash of their names",
    )


def _slice(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise ValueError(f"a slice is I/N with I from 1 to N, such as 3/7, not {text}")
    return int(part), int(parts)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the kernels once, in two processes; otherwise each worker would compile them all."""
    option = session.config.option
    if hasattr(session.config, "workerinput") or option.collectonly:
        return
    if getattr(option, "numprocesses", None):
        for process in [subprocess.Popen([sys.executable, "-c", WARM, str(s)]) for s in SIDES]:
            process.wait()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests that need a browser before ``-m`` selects; without one skip them, except in CI."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
            if CHROMIUM is None and "CI" not in os.environ:
                item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))


@pytest.hookimpl(trylast=True, specname="pytest_collection_modifyitems")
def pytest_collection_slice(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep one part of the selected tests, the same on every machine and in every worker."""
    if config.option.slice is None:
        return
    part, parts = config.option.slice
    dealt = sorted(items, key=lambda item: (zlib.crc32(item.nodeid.encode()), item.nodeid))
    kept = {item.nodeid for item in dealt[part - 1 :: parts]}
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in kept])
    items[:] = [item for item in items if item.nodeid in kept]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how to run tests that were skipped because there is no browser."""
    skipped = terminalreporter.stats.get("skipped", [])
    browser = [report for report in skipped if NO_CHROMIUM in str(report.longrepr)]
    if browser:
        terminalreporter.section("browser tests were skipped")
        terminalreporter.line(f"{len(browser)} tests were skipped: {NO_CHROMIUM}.")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start the machine's Chromium; a test that uses it is marked ``browser``.

    It starts once per module rather than per session, because while Playwright runs, its thread
    cannot start an event loop.
    """
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        pytest.fail(NO_CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
