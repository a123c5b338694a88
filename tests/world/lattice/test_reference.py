"""The compiled lattice against the plain one: the same draws, the same run, agent by agent."""

import math
import random
from typing import Any

import numpy as np
import pytest

from foedus.world.lattice import READINGS, StreetOptions, StreetState, create, reading
from foedus.world.lattice import options as choices
from foedus.world.lattice.model import OUTPUTS, advance_full

from ...oracles.street_lattice import Agent, ReferenceStreet, populate

KINDS = ("quiet", "active", "cop", "jailed")


def compare(options: StreetOptions, seed: int, run: int, ticks: int, **rates: Any) -> int:
    """Advance both by some ticks, compare everything, and return the sum of actives."""
    legitimacy = rates.pop("legitimacy", [options.legitimacy] * ticks)
    cops = rates.pop("cops", None)
    shift, lethal = rates.pop("shift", 0.0), rates.pop("lethal", 0.0)
    aversion = rates.pop("aversion", 0.0)
    state = create(options, seed=seed, runs=[run], city=2)
    check_start(options, state, populate(options, seed=seed, run=run, city=2))
    plain = ReferenceStreet(options, state, 0)
    expected = plain.advance(
        seed=seed,
        run=run,
        city=2,
        day=5,
        legitimacy=legitimacy,
        cops=cops or [-1] * ticks,
        shift=shift,
        lethal=lethal,
        aversion=aversion,
        k=options.k,
        threshold=options.threshold,
    )
    got = advance_full(
        state,
        options=options,
        seed=seed,
        runs=[run],
        city=2,
        day=5,
        ticks=ticks,
        legitimacy=np.array([legitimacy]),
        cops=None if cops is None else np.array([cops]),
        grievance_shift=shift,
        lethal_risk=lethal,
        jail_aversion=aversion,
    )
    rows = list(zip(*[got[name][0].tolist() for name in OUTPUTS], strict=True))
    assert rows == expected, options
    agents = state.agents(0)
    columns = [agents[name].tolist() for name in ("kind", "x", "y", "term")]
    compiled = [
        (KINDS[kind], x, y, math.inf if term < 0 else term)
        for kind, x, y, term in zip(*columns, strict=True)
    ]
    assert compiled == [(a.kind, a.x, a.y, a.term) for a in plain.citizens + plain.cops], options
    return sum(row[0] for row in expected)


def check_start(
    options: StreetOptions, state: StreetState, plain: tuple[list[Agent], list[Agent]]
) -> None:
    """Check that everyone is where the plain version puts them, with the same traits."""
    citizens, cops = plain
    n = len(citizens)
    assert (state.citizens[0], state.cops[0]) == (n, len(cops))
    agents = state.agents(0)
    assert agents["x"].tolist() == [a.x for a in citizens + cops]
    assert agents["y"].tolist() == [a.y for a in citizens + cops]
    assert [KINDS[kind] for kind in agents["kind"]] == [a.kind for a in citizens + cops]
    assert not agents["term"].any()
    assert state.hardship[0, :n].tolist() == [a.hardship for a in citizens]
    assert state.risk_aversion[0, :n].tolist() == [a.risk_aversion for a in citizens]


@pytest.mark.parametrize("name", READINGS)
@pytest.mark.parametrize("legitimacy", [0.8, 0.3])
def test_readings(name: str, legitimacy: float) -> None:
    options = reading(
        name, width=21, height=18, legitimacy=legitimacy, citizen_density=0.7, cop_density=0.06
    )
    actives = compare(options, seed=7, run=3, ticks=6)
    assert actives > 0 or legitimacy == 0.8


#: Lattices of one to three blocks of 48 columns, with and without a short block, and tall ones;
#: vision of a citizen and of a cop, with one group of 15 columns and with two.
SHAPES = [
    (49, 15, 7, 7), (64, 15, 7, 7), (97, 15, 7, 7), (130, 5, 2, 2), (97, 9, 4, 3), (64, 17, 8, 3),
    (42, 17, 3, 8), (48, 15, 5, 6), (15, 60, 7, 7),
]  # fmt: skip


@pytest.mark.parametrize("name", ["paper", "netlogo", "mesa", "citizens_first"])
@pytest.mark.parametrize(("width", "height", "vision", "cop_vision"), SHAPES)
def test_shapes(name: str, width: int, height: int, vision: float, cop_vision: float) -> None:
    options = reading(
        name, width=width, height=height, citizen_vision=vision, cop_vision=cop_vision,
        legitimacy=0.4, citizen_density=0.7, cop_density=0.06, max_jail_term=3,
    )  # fmt: skip
    assert compare(options, seed=7 * width + height, run=3, ticks=1) > 0


@pytest.mark.parametrize("case", range(120))
def test_any_options(case: int) -> None:
    rng = random.Random(case)

    def one(kind: Any) -> Any:
        return rng.choice(list(kind))

    width, height = rng.choice([(9, 9), (11, 7), (8, 15), (17, 12)])
    vision = rng.choice([1, 1.7, 2, 3, 3.3])
    density = rng.choice([0.3, 0.6, 0.8, 0.95])
    options = StreetOptions(
        width=width,
        height=height,
        citizen_vision=vision,
        cop_vision=rng.choice([vision, vision, 1.5, 3]),
        citizen_density=density,
        cop_density=min(rng.choice([0, 0.05, 0.1]), 1 - density),
        k=rng.choice([2.3, 1.0, 0.2]),
        threshold=rng.choice([0.1, 0.05]),
        max_jail_term=rng.choice([1, 3, 10, math.inf]),
        neighbourhood=one(choices.Neighbourhood),
        own_cell=one([True, False]),
        self_count=one(choices.SelfCount),
        rounding=one(choices.Rounding),
        order=one(choices.Order),
        activation=one(choices.Activation),
        movement=one([*choices.Movement, "all"]),
        jailed_cell=one(choices.JailedCell),
        jail_term=one(choices.JailTerm),
        jail_clock=one(choices.JailClock),
        cop_jumps=one([True, False]),
        placement=one(choices.Placement),
    )
    start = options.cops if options.placement is choices.Placement.COUNT else 4
    ticks = 6
    compare(
        options,
        seed=rng.randrange(2**64),
        run=rng.randrange(2**32),
        ticks=ticks,
        legitimacy=[rng.choice([0.2, 0.5, 0.7])] * 3 + [rng.choice([0.1, 0.5, 0.8])] * 3,
        cops=one([None, [start] * 2 + [max(0, start + rng.randrange(-3, 4))] * 4]),
        shift=one([0.0, 0.0, 0.1]),
        lethal=one([0.0, 0.0, 0.1]),
        aversion=0.0 if options.max_jail_term == math.inf else one([0.0, 0.0, 0.3]),
    )


def test_wide_vision_and_full_lattice() -> None:
    """More than 16 lanes, more than 255 cells in vision, and no free cell."""
    wide = reading("mesa", width=41, height=39, citizen_vision=19, cop_vision=18, legitimacy=0.4)
    assert compare(wide, seed=1, run=1, ticks=2) > 0
    moore = reading(
        "paper", width=31, height=33, citizen_vision=14, neighbourhood="moore", legitimacy=0.4
    )
    assert compare(moore, seed=1, run=1, ticks=2) > 0
    full = reading("mesa", width=9, height=9, citizen_vision=2, cop_vision=2, legitimacy=0.4,
                   citizen_density=0.9, cop_density=0.1, placement="count")  # fmt: skip
    compare(full, seed=1, run=1, ticks=4)
    nearly = full.with_(cop_density=0.09)
    compare(nearly, seed=1, run=1, ticks=4)
