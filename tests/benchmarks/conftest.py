from __future__ import annotations

from types import ModuleType

import pytest

from ..scripts import script


@pytest.fixture(scope="session")
def uniformity() -> ModuleType:
    return script("benchmarks/uniformity.py")


@pytest.fixture(scope="session")
def synthetic() -> ModuleType:
    return script("benchmarks/synthetic.py")


@pytest.fixture(scope="session")
def calibration() -> ModuleType:
    return script("benchmarks/calibration.py")


@pytest.fixture(scope="session")
def speed() -> ModuleType:
    return script("benchmarks/streets.py")


@pytest.fixture(scope="session")
def claims() -> ModuleType:
    return script("benchmarks/claims.py")


@pytest.fixture(scope="session")
def tension() -> ModuleType:
    return script("benchmarks/streets_tension.py")
