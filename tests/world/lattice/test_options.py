"""Bad input to the streets: a ValueError that names the argument, the value and what is allowed."""

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from foedus.streets import (
    READINGS,
    StreetOptions,
    advance,
    create,
    reading,
    simulate,
)
from foedus.world.lattice import checks
from foedus_streets import TwoGroupOptions, simulate_two


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
        ("legitimacy", True),
        ("width", np.True_),
        ("k", np.True_),
        ("k", "0.5"),
        ("k", np.str_("0.5")),
        ("k", Decimal("0.5")),
        ("k", Fraction(1, 2)),
        ("k", np.array(0.5)),
        ("threshold", 1j),
        ("threshold", {}),
        ("max_jail_term", None),
        ("max_jail_term", -math.inf),
    ],
)
def test_option(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name) as caught:
        StreetOptions(**{name: value})
    assert any(form in str(caught.value) for form in (str(value), repr(value)))


def test_numbers_of_numpy_and_huge_ones() -> None:
    given: dict[str, Any] = {"width": np.int16(20), "k": np.float32(0.5)}
    options = StreetOptions(**given, height=20, citizen_vision=2)
    assert (options.sites, options.k) == (400, 0.5)
    for name in ("width", "k", "max_jail_term"):
        huge: dict[str, Any] = {name: 10**400}
        with pytest.raises(ValueError, match=rf"{name} must be .*, not 1000+\.\.\.0"):
            StreetOptions(**huge)


def test_lowest_term() -> None:
    below: dict[str, Any] = {"jail_term": "below", "max_jail_term": 0}
    up_to: dict[str, Any] = {"jail_term": "up_to", "max_jail_term": 0}
    with pytest.raises(ValueError, match="max_jail_term"):
        StreetOptions(**below)
    assert StreetOptions(**up_to).max_jail_term == 0


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
        ("state", None),
        ("options", "paper"),
        ("runs", 5),
        ("runs", [2**70]),
        ("runs", [True, False, True]),
        ("runs", None),
        ("seed", True),
        ("seed", np.array([1, 2])),
        ("city", True),
        ("day", np.True_),
        ("ticks", np.array([1, 2])),
        ("ticks", 2**70),
        ("legitimacy", "high"),
        ("legitimacy", True),
        ("legitimacy", [[0.5], [0.5, 0.5], [0.5]]),
        ("cops", True),
        ("cops", "many"),
        ("cops", {}),
        ("k", "x"),
        ("threshold", ["a", "b", "c"]),
        ("grievance_shift", [0, None, 0]),
        ("lethal_risk", 1j),
        ("jail_aversion", "x"),
        ("jail_aversion", [0, 1, 4.1]),
        ("jail_aversion", 100),
        ("threads", "2"),
    ],
)
def test_advance(name: str, value: Any) -> None:
    state = create(OPTIONS, seed=1, runs=range(3))
    arguments: dict[str, Any] = {
        "state": state, "options": OPTIONS, "seed": 1, "runs": range(3), "day": 0, "ticks": 2,
        name: value,
    }  # fmt: skip
    before = state.records.copy()
    with pytest.raises(ValueError, match=f"^{name} must"):
        advance(**arguments)
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
    [
        ("options", "mesa"), ("options", TwoGroupOptions()), ("runs", 0), ("runs", 2.0),
        ("ticks", True), ("ticks", "3"), ("first_run", 1.5), ("first_run", True),
        ("first_run", 2**32), ("legitimacy", [0.5]), ("legitimacy", lambda t: None),
        ("legitimacy", lambda t: [0.1, 0.2, 0.3]), ("legitimacy", "high"), ("cops", lambda t: -1),
        ("cops", lambda t: 1.5), ("cops", 10**30), ("seed", 2**64), ("seed", None),
    ],
)  # fmt: skip
def test_simulate(name: str, value: Any) -> None:
    arguments: dict[str, Any] = {
        "options": OPTIONS, "seed": 1, "runs": 2, "ticks": 3, name: value
    }  # fmt: skip
    with pytest.raises(ValueError, match=f"^{name} must"):
        simulate(**arguments)


def test_more_than_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "memory", lambda: 2**30)
    state = create(OPTIONS, seed=1, runs=range(3))
    two: dict[str, Any] = {"options": TwoGroupOptions(), "seed": 1}
    calls: list[Callable[[], Any]] = [
        lambda: simulate(OPTIONS, seed=1, runs=10**9, ticks=1),
        lambda: simulate(OPTIONS, seed=1, runs=1, ticks=10**10),
        lambda: create(StreetOptions(width=4096, height=4096), seed=1, runs=range(1000)),
        lambda: advance(state, options=OPTIONS, seed=1, runs=range(3), day=0, ticks=10**9),
        lambda: simulate_two(runs=2**32, ticks=1, **two),
        lambda: simulate_two(ticks=2**31, **two),
    ]
    for call in calls:
        with pytest.raises(
            ValueError, match=r"ask for arrays of [\d,]+ bytes.* memory has 1,073,741,824"
        ):
            call()
    assert checks.memory() > 0
