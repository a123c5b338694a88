"""The benchmark's modules are scripts in one folder, not a package."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def _module(name: str) -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        return importlib.import_module(name)


@pytest.fixture(scope="session")
def uniformity() -> ModuleType:
    return _module("uniformity")


@pytest.fixture(scope="session")
def synthetic() -> ModuleType:
    return _module("synthetic")


@pytest.fixture(scope="session")
def calibration() -> ModuleType:
    return _module("calibration")


@pytest.fixture(scope="session")
def speed() -> ModuleType:
    return _module("streets")


@pytest.fixture(scope="session")
def claims() -> ModuleType:
    return _module("claims")


@pytest.fixture(scope="session")
def tension() -> ModuleType:
    return _module("streets_tension")
