"""The street view holds 20 frames a second with six cities of 40 × 40."""

from __future__ import annotations

import time

import pytest

from .conftest import SMALL
from .test_page import LONG, Visit, until


@pytest.mark.slow
def test_twenty_frames_a_second(chromium, site, capsys):
    text = SMALL.read_text(encoding="utf-8")
    first, last = text.index("places:\n"), text.index("actors:\n")
    rows = [
        f"  {'north' if n == 0 else f'city-{n}'}: {{name: City {n}, lat: {45 + n}, lon: 60, "
        "population: 500000, lattice: 40}"
        for n in range(6)
    ]
    large = text[:first] + "\n".join(["places:", *rows, ""]) + text[last:]
    large = large.replace("small-crisis", "large-crisis").replace("horizon: 8", "horizon: 60")
    (site[1].cases / "large.yaml").write_text(large, encoding="utf-8")
    visit = Visit(chromium, site[0])
    page = visit.page
    try:
        page.goto(f"{visit.home}/#case=large.yaml&tab=streets&street.speed=60")
        page.wait_for_selector(".lattices canvas", timeout=3 * LONG)
        assert page.locator(".lattices canvas").count() == 6
        assert page.eval_on_selector(".lattices canvas", "c => c.width * c.height") == 1600
        page.click("button.play")
        until(page, "Number(document.querySelector('.view-streets').dataset.tick) > 2")
        drawn = "Number(document.querySelector('.view-streets').dataset.drawn)"
        before, began = page.evaluate(drawn), time.monotonic()
        page.wait_for_timeout(2500)
        rate = (page.evaluate(drawn) - before) / (time.monotonic() - began)
        assert page.inner_text("button.play") == "Pause", "the film was over too soon to tell"
        visit.all_is_well()
    finally:
        visit.context.close()
        (site[1].cases / "large.yaml").unlink()
    with capsys.disabled():
        print(f"\n{rate:.0f} frames a second, 6 cities of 40 x 40")
    assert rate >= 20
