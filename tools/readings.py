"""Write the table of the streets' readings from the code, so that the page matches it.

Run it after a change to ``READINGS`` or to the options::

    python tools/readings.py            # rewrites docs/how-to/streets.md
    python tools/readings.py --check    # exit status 1 if the page is out of date
"""

from __future__ import annotations

import re
import sys
from dataclasses import fields
from enum import StrEnum
from pathlib import Path

from generated import rewrite

from foedus.streets import READINGS, StreetOptions, reading

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "streets.md"
_PART = re.compile(
    r"(<!-- readings: tools/readings.py -->).*?(<!-- end of readings -->)", re.DOTALL
)


def table() -> str:
    """Return the options that each preset changes, and all options with their values."""
    plain = StreetOptions()
    names = [field.name for field in fields(StreetOptions)]
    lines = ["| preset | changes to the defaults |", "|---|---|"]
    for preset in READINGS:
        options = reading(preset)
        own = [n for n in names if getattr(options, n) != getattr(plain, n)]
        cells = [f"`{name}` {getattr(options, name)}" for name in own]
        lines.append(f"| `{preset}` | {', '.join(cells) or 'none: it is the default'} |")
    lines += ["", "| option | default | values |", "|---|---|---|"]
    for name in names:
        default = getattr(plain, name)
        values = "a number"
        if isinstance(default, StrEnum):
            values = ", ".join(type(default))
        elif isinstance(default, bool):
            values = "True, False"
        lines.append(f"| `{name}` | {default} | {values} |")
    return "\n".join(lines)


def page(text: str) -> str:
    """Return the page with its table updated."""
    return _PART.sub(lambda m: f"{m[1]}\n{table()}\n{m[2]}", text)


if __name__ == "__main__":
    sys.exit(rewrite(PAGE, page, "readings.py", "Write the table of the streets' readings."))
