"""Bad input to the streets: a ValueError that names the argument, the value, what is allowed."""

import math
from typing import Any

import numpy as np
import pytest

from foedus.streets import READINGS, StreetOptions, advance, create, reading, simulate


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", 2),
        ("width", 40.0),
        ("height", 5000),
        ("citizen_density", 1.2),
        ("citizen_density", math.nan),
        ("citizen_density", "much"),
        ("cop_density", -0.1),
        ("cop_density", 0.5),
        ("citizen_vision", 20.0),
        ("citizen_vision", 0.5),
        ("cop_vision", math.nan),
        ("cop_vision", 25),
        ("k", -1.0),
        ("k", math.inf),
        ("threshold", math.nan),
        ("legitimacy", 1.01),
        ("max_jail_term", -1),
        ("max_jail_term", 2.5),
        ("max_jail_term", math.nan),
        ("max_jail_term", 2**29),
        ("neighbourhood", "hexagon"),
        ("rounding", "ceil"),
        ("own_cell", 1),
        ("cop_jumps", "yes"),
    ],
)
def test_option(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name) as caught:
        StreetOptions(**{name: value})
    assert str(value) in str(caught.value)


def test_lowest_term() -> None:
    with pytest.raises(ValueError, match="max_jail_term"):
        StreetOptions(jail_term="below", max_jail_term=0)
    assert StreetOptions(jail_term="up_to", max_jail_term=0).max_jail_term == 0


def test_reading() -> None:
    assert list(READINGS) == ["raw", "paper", "netlogo", "mesa", "citizens_first"]
    with pytest.raises(ValueError, match="name must be a reading, one of raw, paper"):
        reading("ascape")
    with pytest.raises(ValueError, match="'visoin'"):
        reading("mesa", visoin=3)
    assert reading("mesa", rounding="floor").rounding == "floor"


OPTIONS = StreetOptions(width=11, height=9, citizen_vision=3, cop_vision=2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ticks", 0),
        ("day", -1),
        ("seed", -1),
        ("city", 2**32),
        ("runs", [0, 1]),
        ("runs", [0.5, 1.0, 2.0]),
        ("legitimacy", 1.5),
        ("legitimacy", [0.5, math.nan, 0.5]),
        ("legitimacy", [0.5, 0.5]),
        ("grievance_shift", math.nan),
        ("lethal_risk", -0.1),
        ("jail_aversion", -1),
        ("cops", 1.5),
        ("cops", -3),
        ("cops", 100),
        ("k", -2.3),
        ("threshold", math.inf),
        ("threads", 0),
    ],
)
def test_advance(name: str, value: Any) -> None:
    state = create(OPTIONS, seed=1, runs=range(3))
    arguments: dict[str, Any] = {"seed": 1, "runs": range(3), "day": 0, "ticks": 2, name: value}
    before = state.records.copy()
    with pytest.raises(ValueError, match=name):
        advance(state, options=OPTIONS, **arguments)
    np.testing.assert_array_equal(state.records, before)


def test_advance_other_lattice_and_endless_aversion() -> None:
    state = create(OPTIONS, seed=1, runs=range(3))
    with pytest.raises(ValueError, match="11 x 9"):
        advance(state, options=StreetOptions(), seed=1, runs=range(3), day=0, ticks=1)
    endless = OPTIONS.with_(max_jail_term=math.inf)
    with pytest.raises(ValueError, match="jail_aversion"):
        advance(state, options=endless, seed=1, runs=range(3), day=0, ticks=1, jail_aversion=0.1)


@pytest.mark.parametrize(
    ("name", "value"),
    [("runs", 0), ("ticks", True), ("legitimacy", [0.5]), ("cops", lambda t: -1), ("seed", 2**64)],
)
def test_simulate(name: str, value: Any) -> None:
    arguments: dict[str, Any] = {"seed": 1, "runs": 2, "ticks": 3, name: value}
    with pytest.raises(ValueError, match=name):
        simulate(OPTIONS, **arguments)
