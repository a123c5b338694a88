"""Default numbers are written once in Python; pages and docs state the same ones."""

from pathlib import Path

import pytest

from foedus.app.settings import Settings
from foedus.defaults import FORECAST_RUNS, PAIRS
from foedus.weighing.verdict import REFUSE_BELOW

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("docs/reference/cli.md", f"{FORECAST_RUNS:,} by default"),
        ("docs/tutorial/page.md", "Forecasts of {:,}, {:,} and {:,} runs"),
        ("src/foedus/app/static/forecasts.js", f"const NEEDED = {REFUSE_BELOW:g};"),
        ("src/foedus/app/static/questions.js", f"an answer needs {REFUSE_BELOW:g}"),
        ("src/foedus/app/static/explanations.js", f'=== "1" ? {PAIRS} : 0'),
    ],
)
def test_a_page_states_the_default(file, text):
    said = " ".join((ROOT / file).read_text(encoding="utf-8").split())
    assert text.format(*Settings.steps[1:]) in said
