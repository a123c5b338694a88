"""The extended rule against known results: Model I at zero, closed forms, independent cities.

The order of turns is compared with the mean field of Clements and Fadai in ``test_scheduler.py``.
The equation of Lang and De Sterck (2014) is not tested, because the streets do not solve it.
"""

import math
from typing import Any

import numpy as np
import pytest

from foedus.streets import READINGS, StreetOptions, advance, create, reading
from foedus.world.mechanisms.lethal import expected_participation

RUNS = np.arange(6)


def lattice(name: str, **changes: Any) -> StreetOptions:
    size = {"width": 21, "height": 18, "citizen_vision": 4, "cop_vision": 4}
    return reading(name, **{**size, "legitimacy": 0.6, "max_jail_term": 5, **changes})


@pytest.mark.parametrize("name", READINGS)
def test_zero_coefficients_are_model_1(name: str) -> None:
    """With backlash, fear and aversion to jail at zero: the same bits as without them."""
    options = lattice(name)
    plain, extended = (create(options, seed=1, runs=RUNS) for _ in range(2))
    address: dict[str, Any] = {"options": options, "seed": 1, "runs": RUNS, "ticks": 12}
    zero = np.zeros(RUNS.size)
    for day in range(3):
        a = advance(plain, day=day, **address)
        b = advance(
            extended, day=day, grievance_shift=zero, lethal_risk=zero, jail_aversion=zero, **address
        )
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(plain.records, extended.records)
    assert int(a.actives.sum()) > 0


@pytest.mark.parametrize("name", READINGS)
@pytest.mark.parametrize(
    ("coefficient", "value", "sign"),
    [("grievance_shift", 0.08, 1), ("lethal_risk", 0.5, -1), ("jail_aversion", 0.7, -1)],
)
def test_sign_of_each_coefficient(name: str, coefficient: str, value: float, sign: int) -> None:
    """On the first tick outrage brings people out and fear keeps them in, in every reading.

    Without movement, and with all citizens deciding first: later, cops and crowds respond.
    """
    options = lattice(name, movement="none", activation="citizens_first", citizen_density=0.5)
    runs = np.arange(60)
    start = create(options, seed=2, runs=runs)
    counts = []
    given: list[dict[str, Any]] = [{}, {coefficient: value}]
    for more in given:
        state = start.copy()
        # Those arrested in this tick were active just before.
        got = advance(state, options=options, seed=2, runs=runs, day=0, ticks=1, **more)
        counts.append(int(got.actives.sum()) + int(got.arrests.sum()))
    assert sign * (counts[1] - counts[0]) > 4 * math.sqrt(max(counts))


@pytest.mark.parametrize("name", READINGS)
def test_cities_without_coupling_are_independent(name: str) -> None:
    """A city does not depend on whether the others are simulated, or on what happens there."""
    options = lattice(name)
    address: dict[str, Any] = {"options": options, "seed": 3, "runs": RUNS, "ticks": 8}
    alone = create(options, seed=3, runs=RUNS, city=1)
    a = [advance(alone, city=1, day=day, **address) for day in range(3)]
    cities = [create(options, seed=3, runs=RUNS, city=c) for c in range(3)]
    b = []
    for day in range(3):
        for c in (2, 0, 1):
            shift = 0.0 if c == 1 else 0.3
            got = advance(cities[c], city=c, day=day, grievance_shift=shift, **address)
            b += [got] if c == 1 else []
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x.actives, y.actives)
    np.testing.assert_array_equal(alone.records, cities[1].records)
    assert not np.array_equal(cities[0].records, cities[2].records)


def test_cities_without_coupling_are_uncorrelated() -> None:
    options = lattice("paper")
    runs = np.arange(400)
    means = []
    for city in range(2):
        state = create(options, seed=4, runs=runs, city=city)
        got = advance(state, options=options, seed=4, runs=runs, city=city, day=0, ticks=15)
        means.append(got.actives.mean(axis=1))
    assert abs(np.corrcoef(means)[0, 1]) < 3.5 / math.sqrt(runs.size)


def test_a_run_has_its_own_coefficients() -> None:
    """Runs of a batch with other coefficients do not change the runs at zero."""
    options = lattice("netlogo")
    address: dict[str, Any] = {"options": options, "seed": 5, "runs": RUNS, "day": 0, "ticks": 10}
    plain, mixed = (create(options, seed=5, runs=RUNS) for _ in range(2))
    on = (np.arange(RUNS.size) % 2).astype(float)
    advance(plain, **address)
    advance(mixed, grievance_shift=0.2 * on, lethal_risk=0.4 * on, jail_aversion=on, **address)
    np.testing.assert_array_equal(plain.records[::2], mixed.records[::2])
    assert not np.array_equal(plain.records[1::2], mixed.records[1::2])


# -- dose and response ---------------------------------------------------------------------------

#: Outrage that saturates before fear does; b and s such that participation peaks inside.
DOSE = {"backlash": 0.15, "fear_weight": 2.0, "fear_rate": 0.15, "saturation": 2.0}
LETHALITY = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])


def response(options: StreetOptions, *, base: float, ticks: int, runs: int) -> np.ndarray:
    """Share of active citizens at each lethality, mean over ticks, shape (lethality, run).

    All lethalities use the same draws.
    """
    shift = DOSE["backlash"] * -np.expm1(-DOSE["saturation"] * LETHALITY)
    fear = base + DOSE["fear_weight"] * -np.expm1(-DOSE["fear_rate"] * LETHALITY)
    start = create(options, seed=6, runs=range(runs))
    rows = []
    for b, s in zip(shift, fear, strict=True):
        got = advance(
            start.copy(), options=options, seed=6, runs=range(runs), day=0, ticks=ticks,
            grievance_shift=b, lethal_risk=s,
        )  # fmt: skip
        rows.append(got.actives.mean(axis=1) / options.citizens)
    return np.array(rows)


def test_dose_response_is_the_closed_form() -> None:
    """Without cops, at a constant risk of arrest, participation on the lattice is the mean field's.

    It is single-peaked in lethality: more killing first brings people out, then keeps them in.
    """
    options = reading("paper", legitimacy=0.8, cop_density=0.0, citizen_density=0.9)
    runs = 60
    expected = expected_participation(LETHALITY, legitimacy=0.8, arrest=0.3, threshold=0.1, **DOSE)
    got = response(options, base=0.3, ticks=1, runs=runs)
    error = np.sqrt(expected * (1 - expected) / (runs * options.citizens))
    assert (np.abs(got.mean(axis=1) - expected) < 3.5 * error).all()
    assert_single_peaked(got)


@pytest.mark.parametrize("name", ["paper", "citizens_first"])
def test_dose_response_among_cops_is_single_peaked(name: str) -> None:
    options = reading(name, legitimacy=0.75, max_jail_term=10)
    assert_single_peaked(response(options, base=0.0, ticks=40, runs=40))


def assert_single_peaked(share: np.ndarray) -> None:
    """Check for a rise to an interior peak and a fall, beyond the noise of paired differences."""
    mean = share.mean(axis=1)
    peak = int(np.argmax(mean))
    assert 0 < peak < LETHALITY.size - 1
    steps = np.diff(share, axis=0)
    t = steps.mean(axis=1) / (steps.std(axis=1, ddof=1) / math.sqrt(share.shape[1]))
    assert (t[:peak] > -2.5).all()
    assert (t[peak:] < 2.5).all()
    assert t[0] > 3
    assert t[-1] < -3


def test_an_exponential_fear_alone_gives_no_inverted_u() -> None:
    """With outrage proportional to killing, exponential fear can only give a fall and then a rise.

    ``b x - s R (1 - exp(-k x))`` is convex in x. An inverted U needs outrage that saturates before
    fear does (above), or fear that starts flat. Sizes matter; the sign alone does not decide.
    """
    x = np.linspace(0.0, 6.0, 200)
    for b in (0.01, 0.05, 0.2):
        for s in (0.2, 1.0):
            R = np.linspace(0.05, 1.0, 20)[:, None]
            net = b * x - s * R * -np.expm1(-0.7 * x)
            assert (np.diff(net, 2, axis=1) > -1e-12).all()
