"""The process of the page's jobs loads what they import before it takes one."""

from __future__ import annotations

import subprocess
import sys

from .conftest import SMALL

SCRIPT = """
import sys
from foedus import streets
streets.warm = lambda *given, **more: ()
from foedus.app.work import warm
warm()
loaded = set(sys.modules)
from foedus.answers import explanations, forecasts, watch_list
from foedus.app.work import forecast
from foedus.report import brief
from scipy import optimize, stats
from unittest.mock import Mock
text = open(sys.argv[1]).read()
forecast(
    {"text": text, "name": "small.yaml", "as_of": "2022-01-05", "runs": 50, "seed": 1,
     "results": sys.argv[2]},
    Mock(),
)
roots = ("asyncio", "dask", "foedus", "pandas", "scipy", "xarray", "zarr")
print([name for name in sorted(set(sys.modules) - loaded) if name.split(".")[0] in roots])
"""


def test_no_job_loads_a_library_itself(tmp_path) -> None:
    """A stop that interrupts such an import breaks it for all later jobs of the process."""
    words = [sys.executable, "-c", SCRIPT, str(SMALL), str(tmp_path)]
    run = subprocess.run(words, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
