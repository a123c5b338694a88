"""Mechanism 1, streets: protest, riot and arrest in each city.

A city is an Epstein (2002, doi 10.1073/pnas.092080199) lattice, advanced by the compiled kernel of
:mod:`foedus.world.lattice`. This file couples the lattices to the other mechanisms: legitimacy,
outrage, contagion and fear go in; crowds, arrests and people held come out.

A citizen is active iff ``G - N > T`` with ``G = H (1 - L_c) + b (1 - exp(-E_c)) + C_c`` and ``N = R
(P + s P_lethal)``. One agent represents ``mobilisable × population / agents`` people: the lattice
is the city's reservoir of possible participants, not its whole population (as in Bonnasse-Gahot et
al. 2018, doi 10.1038/s41598-017-18093-4).

An arrest on the lattice takes a citizen off the street for a while. Of the people taken off the
street in this way, a share is recorded as arrested and held (``streets.recorded``).

The reading of the paper (neighbourhood, rounding, order) changes the chance of an outburst from 0
to 1/3 at the same parameters, so the reading is itself uncertain: ``streets.reading``.

Off: nobody is ever in the streets.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from foedus.case.priors import Beta, Choice, Fixed, LogNormal, Normal, Uniform
from foedus.randomness import Random
from foedus.world.guidance import Guidance
from foedus.world.lattice import StreetOptions, StreetState, StreetTicks, advance, create, reading
from foedus.world.mechanism import Dim, Luck, Mechanism, Parameter, Parameters, Variable
from foedus.world.setting import Setting
from foedus.world.state import State

FloatArray = NDArray[np.float64]

READINGS: tuple[str, ...] = ("netlogo", "citizens_first", "mesa")
EPSTEIN = "Epstein 2002, doi 10.1073/pnas.092080199, table 2"

#: Vision, population density and jail term of Epstein's Runs 2 and 3.
VISION = 7.0
DENSITY = 0.7
JAIL_MAX = 30

#: Ticks that the lattices run at the legitimacy before the crisis, so that a case starts from an
#: Ticks run at the legitimacy before the crisis, so that a case starts from an ordinary day rather
#: than from Epstein's first tick, when nobody is in jail yet.
SPIN_UP = 24
SPIN_UP_DAY = 2**24 - 1

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "streets.reading",
        Choice(
            dist="choice",
            options=READINGS,
            origin="literature",
            source="published readings of Epstein 2002; equal weights elicited",
        ),
        "1",
        "Reading of Epstein's rules that the lattices follow.",
    ),
    Parameter(
        "streets.legitimacy",
        Normal(
            dist="normal",
            mean=0.9,
            sd=0.03,
            low=0.75,
            high=0.98,
            origin="literature",
            source=f"{EPSTEIN}: .9 before the shocks of Runs 3 and 4, .80 to .90 in all",
        ),
        "share",
        "Legitimacy before the crisis.",
        0.0,
        1.0,
    ),
    Parameter(
        "streets.legitimacy_spread",
        Uniform(dist="uniform", low=0.0, high=0.05),
        "share",
        "Standard deviation of legitimacy between cities.",
        0.0,
        0.5,
    ),
    Parameter(
        "streets.cop_density",
        Uniform(
            dist="uniform", low=0.03, high=0.08, origin="literature", source=f"{EPSTEIN}: .04, .074"
        ),
        "1/site",
        "Cops on the lattice, per site.",
        0.0,
        0.29,
    ),
    Parameter(
        "streets.k",
        Fixed(value=2.3, origin="literature", source=EPSTEIN),
        "1",
        "Arrest constant: P = .9 at one cop to one active.",
        0.0,
        50.0,
    ),
    Parameter(
        "streets.threshold",
        Fixed(value=0.1, origin="literature", source=EPSTEIN),
        "1",
        "Grievance net of risk above which a citizen is active.",
        0.0,
        1.0,
    ),
    Parameter(
        "streets.mobilisable",
        LogNormal(dist="lognormal", median=0.01, sd_log=0.7),
        "share",
        "Share of a city's population that could take part.",
        1e-4,
        0.2,
    ),
    Parameter(
        "streets.scale",
        LogNormal(dist="lognormal", median=0.03, sd_log=0.5),
        "share",
        "Active share at which unrest intensity reaches 1 - 1/e.",
        1e-4,
        1.0,
    ),
    Parameter(
        "streets.recorded",
        Beta(
            dist="beta",
            mean=0.2,
            n=4.0,
            source="elicited: some thousands of arrests among 10^4 to 10^5 rioters (France 2005, "
            "England 2011)",
        ),
        "share",
        "Of people taken off the streets by police, the share recorded as arrested.",
        0.0,
        1.0,
    ),
    Parameter(
        "streets.shock_spread",
        Beta(dist="beta", mean=0.1, n=5.0),
        "share",
        "Share of a local shock to legitimacy that is felt at once in all other cities.",
        0.0,
        1.0,
    ),
)


def _options(name: str, side: int) -> StreetOptions:
    """Return the options of a city's lattice under a reading; the cops are placed day by day."""
    vision = min(VISION, (side - 1) / 2)
    return reading(
        name,
        width=side,
        height=side,
        citizen_density=DENSITY,
        cop_density=0.0,
        citizen_vision=vision,
        cop_vision=vision,
        max_jail_term=JAIL_MAX,
        placement="count",
    )


class Lattices:
    """The street lattices of all cities, grouped by reading so that each kernel call has one rule.

    Attributes
    ----------
    groups : list of (reading, rows, lattices by city)
    watch : callable or None
        Called before each city's day as ``watch(city, lattice, move, ticks)``, where ``move(copy,
        ticks)`` advances a copy as the day will advance the lattice. It must not change the
        lattice.
    """

    def __init__(self, setting: Setting, p: Parameters, random: Random) -> None:
        self.watch: Callable[[int, StreetState, Callable[..., object], int], None] | None
        self.watch = None
        chosen = p["streets.reading"].astype(np.int64)
        self.groups: list[tuple[str, NDArray[np.intp], list[StreetState]]] = []
        for number, name in enumerate(READINGS):
            rows = np.flatnonzero(chosen == number)
            if rows.size == 0:
                continue
            cities = [
                create(
                    _options(name, int(side)), seed=random.seed, runs=random.runs[rows], city=city
                )
                for city, side in enumerate(setting.lattice)
            ]
            self.groups.append((name, rows, cities))

    def spin_up(self, setting: Setting, p: Parameters, state: State, random: Random) -> None:
        """Bring every lattice to an ordinary day at the legitimacy before the crisis."""
        for name, rows, cities in self.groups:
            for city, lattice in enumerate(cities):
                _advance(setting, p, random, name, rows, city)(
                    lattice,
                    day=SPIN_UP_DAY,
                    ticks=SPIN_UP,
                    legitimacy=state.legitimacy[rows, city],
                    cops=_police(setting, p, rows, city),
                )


def _police(
    setting: Setting,
    p: Parameters,
    rows: NDArray[np.intp],
    city: int,
    share: FloatArray | float = 1.0,
) -> NDArray[np.int64]:
    """Return the number of effective cops on a city's lattice, shape (rows,)."""
    sites = float(setting.lattice[city]) ** 2
    return np.rint(p["streets.cop_density"][rows] * sites * share).astype(np.int64)


def _advance(
    setting: Setting,
    p: Parameters,
    random: Random,
    name: str,
    rows: NDArray[np.intp],
    city: int,
) -> Callable[..., StreetTicks]:
    """Return the kernel call of one city under one reading, with what is constant in time bound."""
    return partial(
        advance,
        options=_options(name, int(setting.lattice[city])),
        seed=random.seed,
        runs=random.runs[rows],
        city=city,
        k=p["streets.k"][rows],
        threshold=p["streets.threshold"][rows],
    )


def start(setting: Setting, p: Parameters, state: State, random: Random) -> None:
    """Populate the lattices and set each city's legitimacy."""
    cities = len(setting.cities)
    for city in range(cities):
        deviation = p["streets.legitimacy_spread"] * random.normal("streets.legitimacy", place=city)
        state.legitimacy[:, city] = np.clip(p["streets.legitimacy"] + deviation, 0.0, 1.0)
    state.baseline = state.legitimacy.copy()
    state.mobilisable[:] = p["streets.mobilisable"][:, None] * setting.population
    lattices = Lattices(setting, p, random)
    lattices.spin_up(setting, p, state, random)
    state.lattices = lattices


def trigger(setting: Setting, p: Parameters, state: State, day: int) -> None:
    """Apply the losses of legitimacy that today's triggers bring."""
    for number, (when, city) in enumerate(setting.triggers):
        if when != day:
            continue
        loss = p[f"trigger.{number}"]
        for c in range(len(setting.cities)):
            felt = loss if c == city else loss * p["streets.shock_spread"]
            for level in (state.baseline, state.legitimacy):
                if level is None:
                    continue
                level[:, c] = np.clip(level[:, c] - felt, 0.0, 1.0)


def step(
    setting: Setting, p: Parameters, state: State, day: int, random: Random, guidance: Guidance
) -> None:
    """Advance all lattices by one day of ticks.

    Reads ``legitimacy``, ``outrage``, ``contagion``, ``lethal_risk``, ``loyal_share``, ``relief``;
    writes ``crowd``, ``active_people``, ``active_share``, ``arrests``, ``jailed``, ``unrest``.
    """
    trigger(setting, p, state, day)
    ticks = setting.ticks_per_day
    lattices: Lattices = state.lattices
    for name, rows, cities in lattices.groups:
        for city, lattice in enumerate(cities):
            outrage = np.expm1(-state.outrage[rows, city])
            shift = state.contagion[rows, city] - p["lethal.backlash"][rows] * outrage
            effective = state.loyal_share[rows] * (1.0 + state.relief[rows])
            move = partial(
                _advance(setting, p, random, name, rows, city),
                day=day,
                legitimacy=state.legitimacy[rows, city],
                grievance_shift=shift,
                lethal_risk=state.lethal_risk[rows, city],
                cops=_police(setting, p, rows, city, effective),
            )
            if lattices.watch is not None:
                lattices.watch(city, lattice, move, ticks)
            result = move(lattice, ticks=ticks)
            agents = lattice.citizens.astype(np.float64)
            people = state.mobilisable[rows, city] / agents
            actives = result.actives.astype(np.float64)
            mean = actives.sum(axis=1) / ticks
            state.crowd[rows, city] = actives.max(axis=1) * people
            state.active_share[rows, city] = mean / agents
            state.active_people[rows, city] = mean * people
            recorded = people * p["streets.recorded"][rows]
            state.arrests[rows, city] = result.arrests * recorded
            state.jailed[rows, city] = result.jailed * recorded
    weight = setting.population / setting.population.sum()
    national = np.zeros(random.runs.size)
    for city in range(len(setting.cities)):
        national += weight[city] * state.active_share[:, city]
    state.unrest[:] = 1.0 - np.exp(-national / p["streets.scale"])


_CITY: tuple[Dim, ...] = ("day", "city")

MECHANISM = Mechanism(
    name="streets",
    text=__doc__,
    parameters=PARAMETERS,
    borrows=("lethal.backlash", "trigger"),
    reads=("contagion", "lethal_risk", "loyal_share", "outrage", "relief"),
    writes=(
        "active_people",
        "active_share",
        "arrests",
        "baseline",
        "crowd",
        "jailed",
        "legitimacy",
        "mobilisable",
        "unrest",
    ),
    draws=("streets.legitimacy",),
    luck=(
        Luck(
            "streets.legitimacy", "city", "Deviation of {city} from the country's mean legitimacy."
        ),
    ),
    outputs=(
        Variable("crowd", _CITY, "float32", "people", "people in the streets at the day's peak"),
        Variable("arrests", _CITY, "float32", "people", "people arrested on the day"),
        Variable("jailed", _CITY, "float32", "people", "people held at the end of the day"),
        Variable("legitimacy", _CITY, "float32", "share", "perceived legitimacy"),
    ),
    quantities=("crowd", "arrests", "jailed", "cities_in_unrest", "legitimacy"),
    start=start,
    step=step,
)
