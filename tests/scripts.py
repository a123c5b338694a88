"""Tools and benchmarks are scripts beside each other, not a package."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


def script(path: str) -> ModuleType:
    """Import a script of the tree, which finds those beside it."""
    file = ROOT / path
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(file.parent)
        return importlib.import_module(file.stem)
