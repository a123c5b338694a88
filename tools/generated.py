"""Rewrite the generated part of a page, or only check that it is up to date."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path


def rewrite(page: Path, made_again: Callable[[str], str], tool: str, description: str) -> int:
    """Do what the command line says, and return the exit status.

    Parameters
    ----------
    page : Path
    made_again : callable
        From the text of the page to what it should be.
    tool : str
        Name of the script, for the message.
    description : str
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    options = parser.parse_args()
    old = page.read_text(encoding="utf-8")
    new = made_again(old)
    if options.check:
        if new != old:
            print(f"{page} is out of date; run: python tools/{tool}", file=sys.stderr)
        return int(new != old)
    page.write_text(new, encoding="utf-8")
    return 0
