"""The process of the page's jobs loads what they import before it takes one."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from foedus import streets
streets.warm = lambda *given, **more: ()
from foedus.app.work import warm
warm()
loaded = set(sys.modules)
from foedus.answers import explanations, forecasts, watch_list
from foedus.report import brief
from scipy import optimize, stats
new = set(sys.modules) - loaded
print([name for name in sorted(new) if name.startswith("scipy")])
"""


def test_no_job_loads_scipy_itself() -> None:
    """A stop that interrupts such an import breaks it for all later jobs of the process."""
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
