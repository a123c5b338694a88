"""Mechanism 8, airlift: when allied troops land, how fast they build up, and when they leave.

Arrival. A member commits on a day (taken as noon; ratification belongs to mechanism 7). It first
lands after a log-normal lag with median ``lag_land`` over land or ``lag_air (1/2 + 1/2 d/2750 km)``
by air. Members other than the lead add ``second_lag``. A mission that must first be assembled,
drawn once, adds ``assembly``: in the casebook most landings follow the decision within two days,
the rest after a month or so. After its first landing, the share of a contingent that could have
arrived is an Erlang distribution function with two stages and mean ``ramp``. Air contingents also
share ``sorties`` flights a day. Light infantry comes first, ``seats`` people to a flight. The rest
come with ``vehicles``, ``vehicles_per_flight`` to a flight, and these vehicles limit the airlift.

``relief = guards present / police``, at most 1: troops that guard sites free local police for the
streets. Police are the people represented by the cops on the lattices.

Withdrawal. A mission is short or long, drawn once (durations in the casebook are bimodal: under
four months, or years). From ``min_stay`` after the first landing, withdrawal begins on a day with
hazard ``(1 - u_t)/short_stay`` or ``(1 - u_t)/long_stay`` and takes ``withdrawal`` days. Nobody
arrives after it has begun.

Sources: tempo and durations come from the casebook. The lags follow Bahrain 2011, Gambia 2017,
Solomon Islands 2003 and Lesotho 1998; they are an expert's prior, not a fit. Airlift capacity is
elicited from what C-130 and Il-76 class aircraft carry. Later reports on the airlift to Kazakhstan
in January 2022 (some 15 to 25 flights a day, 2.3 vehicles a flight) are left out on purpose: they
are an outcome of the worked case.

Off: nobody arrives. Reads ``commits``, ``contribution_day`` and ``sent`` of mechanism 7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foedus.case.priors import Beta, LogNormal, Uniform
from foedus.randomness import Random
from foedus.world.guidance import Guidance
from foedus.world.mechanism import Luck, Mechanism, Parameter, Parameters, Variable
from foedus.world.setting import Setting
from foedus.world.state import State

FloatArray = NDArray[np.float64]

#: Distance at which ``lag_air`` holds, km: the middle of 2,500 to 3,000.
REFERENCE_KM = 2750.0
#: Citizens per site of the streets' lattices, which turns police per site into people.
CITIZENS_PER_SITE = 0.7

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "airlift.lag_air",
        LogNormal(
            dist="lognormal",
            median=0.75,
            sd_log=0.4,
            source="elicited; meets the casebook's median of a day from decision to arrival",
        ),
        "day",
        "Time from commitment to first landing by air over 2,750 km, for a force on stand-by.",
        0.05,
        60.0,
    ),
    Parameter(
        "airlift.lag_land",
        LogNormal(dist="lognormal", median=0.5, sd_log=0.4, source="elicited; four cases above"),
        "day",
        "Time from commitment to first crossing of a land border, for a force on stand-by.",
        0.05,
        60.0,
    ),
    Parameter(
        "airlift.lag_spread",
        Uniform(dist="uniform", low=0.2, high=0.6),
        "1",
        "Standard deviation of the logarithm of the lag between members.",
        0.0,
        2.0,
    ),
    Parameter(
        "airlift.second_lag",
        Uniform(dist="uniform", low=0.5, high=2.0, source="elicited; four cases above"),
        "day",
        "Extra lag of members other than the lead.",
        0.0,
        30.0,
    ),
    Parameter(
        "airlift.assembled",
        Beta(
            dist="beta",
            mean=0.35,
            n=12.0,
            source="elicited; the casebook's models replace it where a case names its trigger",
        ),
        "share",
        "Chance that the mission must first be assembled.",
        0.0,
        1.0,
    ),
    Parameter(
        "airlift.assembly",
        LogNormal(
            dist="lognormal",
            median=30.0,
            sd_log=1.0,
            source="elicited; the casebook's models replace it where a case names its trigger",
        ),
        "day",
        "Time needed to assemble the mission.",
        0.0,
        1000.0,
    ),
    Parameter(
        "airlift.ramp_air",
        LogNormal(dist="lognormal", median=1.8, sd_log=0.4, source="elicited: 10-90% in 3 days"),
        "day",
        "Mean time from an air contingent's first landing to a soldier's arrival.",
        0.05,
        60.0,
    ),
    Parameter(
        "airlift.ramp_land",
        LogNormal(
            dist="lognormal", median=0.45, sd_log=0.4, source="elicited: 10-90% in 0.75 days"
        ),
        "day",
        "Mean time from a land contingent's first crossing to a soldier's arrival.",
        0.05,
        60.0,
    ),
    Parameter(
        "airlift.sorties",
        LogNormal(
            dist="lognormal",
            median=15.0,
            sd_log=0.6,
            source="elicited: one airfield turns round 10 to 30 large transports a day",
        ),
        "1/day",
        "Flights a day, shared by all air contingents.",
        1.0,
        500.0,
    ),
    Parameter(
        "airlift.vehicles_per_flight",
        LogNormal(
            dist="lognormal",
            median=2.5,
            sd_log=0.3,
            source="elicited: one (C-130) to four (Il-76) light vehicles a flight",
        ),
        "1",
        "Vehicles carried by one flight.",
        0.5,
        10.0,
    ),
    Parameter(
        "airlift.vehicles",
        LogNormal(
            dist="lognormal",
            median=100.0,
            sd_log=0.5,
            source="elicited: a vehicle for ten; Bahrain 2011, about 200 for 1,700",
        ),
        "1 per 1,000 people",
        "Vehicles brought by a contingent.",
        1.0,
        1000.0,
    ),
    Parameter(
        "airlift.light",
        Beta(dist="beta", mean=0.3, n=8.0),
        "share",
        "Share of a contingent that arrives first and without vehicles.",
        0.0,
        1.0,
    ),
    Parameter(
        "airlift.seats",
        LogNormal(dist="lognormal", median=100.0, sd_log=0.2),
        "people",
        "People on a flight without vehicles.",
        10.0,
        400.0,
    ),
    Parameter(
        "airlift.guards",
        Beta(dist="beta", mean=0.6, n=6.0),
        "share",
        "Local police freed by each allied soldier.",
        0.0,
        1.0,
    ),
    Parameter(
        "airlift.short_mission",
        Beta(
            dist="beta",
            mean=0.55,
            n=8.0,
            source="elicited; the casebook's models replace it where a case names its trigger",
        ),
        "share",
        "Chance that the mission is short.",
        0.0,
        1.0,
    ),
    Parameter(
        "airlift.min_stay",
        LogNormal(dist="lognormal", median=7.0, sd_log=0.6),
        "day",
        "Time from first landing to the first day on which withdrawal can begin.",
        0.0,
        365.0,
    ),
    Parameter(
        "airlift.short_stay",
        LogNormal(
            dist="lognormal",
            median=60.0,
            sd_log=0.5,
            source="elicited; the casebook's models replace it where a case names its trigger",
        ),
        "day",
        "Mean length of a short mission beyond min_stay, in calm.",
        1.0,
        10_000.0,
    ),
    Parameter(
        "airlift.long_stay",
        LogNormal(
            dist="lognormal",
            median=1200.0,
            sd_log=0.3,
            source="elicited; the casebook's models replace it where a case names its trigger",
        ),
        "day",
        "Mean length of a long mission beyond min_stay, in calm.",
        1.0,
        10_000.0,
    ),
    Parameter(
        "airlift.withdrawal",
        LogNormal(dist="lognormal", median=6.0, sd_log=0.5),
        "day",
        "Duration of the withdrawal.",
        0.5,
        365.0,
    ),
)


@dataclass(kw_only=True)
class Mission:
    """The plan of a mission, drawn at the start of the run, and the people it has landed.

    Attributes
    ----------
    lag : ndarray, shape (run, member)
        Days from commitment to first landing.
    stay : ndarray, shape (run,)
        Mean length of the mission in calm, in days.
    arrived : ndarray, shape (run, member)
        People who have landed, including any who have left since.
    """

    lag: FloatArray
    stay: FloatArray
    arrived: FloatArray


def arrival_share(days: FloatArray, ramp: FloatArray) -> FloatArray:
    """Return the share of a contingent that could have arrived: Erlang, two stages, mean ``ramp``.

    Parameters
    ----------
    days : ndarray
        Days since the first landing; 0 or less gives 0.
    ramp : ndarray
        Mean time to arrive, in days.
    """
    x = 2.0 * np.maximum(days, 0.0) / ramp
    return np.asarray(1.0 - np.exp(-x) * (1.0 + x))


def first_landing(setting: Setting, p: Parameters, state: State, random: Random) -> FloatArray:
    """Return the days from commitment to first landing, shape (run, member)."""
    far = 0.5 + 0.5 * setting.air_distance / REFERENCE_KM
    wait = np.where(
        random.uniform("airlift.assembled") < p["airlift.assembled"], p["airlift.assembly"], 0.0
    )
    lag = np.empty_like(state.sent)
    for m in range(len(setting.members)):
        base = p["airlift.lag_land"] if setting.contiguous[m] > 0.5 else p["airlift.lag_air"] * far
        luck = np.exp(p["airlift.lag_spread"] * random.normal("airlift.lag", place=m))
        late = 0.0 if m == setting.lead else p["airlift.second_lag"]
        lag[:, m] = wait + base * luck + late
    return lag


def police_people(p: Parameters, state: State) -> FloatArray:
    """Return the people represented by the lattices' cops, shape (run,); 0 without streets."""
    total = np.zeros_like(state.relief)
    for c in range(state.mobilisable.shape[1]):
        total += state.mobilisable[:, c]
    return p["streets.cop_density"] * total / CITIZENS_PER_SITE


def start(setting: Setting, p: Parameters, state: State, random: Random) -> None:
    """Draw the lags of a mission and whether it is short."""
    short = random.uniform("airlift.mission") < p["airlift.short_mission"]
    state.remember(
        Mission(
            lag=first_landing(setting, p, state, random),
            stay=np.where(short, p["airlift.short_stay"], p["airlift.long_stay"]),
            arrived=np.zeros_like(state.sent),
        )
    )
    state.police[:] = police_people(p, state)


def step(
    setting: Setting, p: Parameters, state: State, day: int, random: Random, guidance: Guidance
) -> None:
    """Land troops, relieve the police and, in time, withdraw.

    Reads ``commits``, ``contribution_day``, ``sent`` and the day's unrest; writes ``arrival_day``,
    ``present``, ``relief`` and the events ``first_arrival``, ``withdrawal_start``,
    ``withdrawal_end``.
    """
    _land(setting, p, state, day)
    _leave(p, state, day, random)
    troops = np.zeros_like(state.relief)
    for m in range(state.present.shape[1]):
        troops += state.present[:, m]
    police = state.police
    freed = p["airlift.guards"] * troops / np.maximum(police, 1.0)
    state.relief[:] = np.where(police > 0.0, np.minimum(freed, 1.0), 0.0)


def _land(setting: Setting, p: Parameters, state: State, day: int) -> None:
    """Land the day's troops, as far as the arrival curve and the flights allow."""
    coming = state.commits & (state.sent > 0.0) & ~state.happened("withdrawal_start")[:, None]
    due = state.contribution_day + 0.5 + state.of(Mission).lag
    waiting = coming & np.isinf(state.arrival_day) & (due < day + 1)
    state.arrival_day[waiting] = np.maximum(due, day)[waiting]

    arrived = state.of(Mission).arrived
    there = coming & np.isfinite(state.arrival_day)
    by_land = setting.contiguous > 0.5
    ramp = np.where(by_land, p["airlift.ramp_land"][:, None], p["airlift.ramp_air"][:, None])
    since = np.where(there, day + 1 - state.arrival_day, 0.0)
    goal = np.where(there, np.maximum(state.sent * arrival_share(since, ramp), arrived), arrived)

    light = p["airlift.light"][:, None] * state.sent
    seats = p["airlift.seats"][:, None]
    loaded = 1000.0 * p["airlift.vehicles_per_flight"] / p["airlift.vehicles"]
    packed = np.minimum(loaded, p["airlift.seats"])[:, None]

    def flights(people: FloatArray) -> FloatArray:
        return np.minimum(people, light) / seats + np.maximum(people - light, 0.0) / packed

    used = flights(arrived)
    needed = np.where(by_land, 0.0, flights(goal) - used)
    total = np.zeros_like(state.relief)
    for m in range(needed.shape[1]):
        total += needed[:, m]
    granted = np.minimum(1.0, p["airlift.sorties"] / np.maximum(total, 1e-9))[:, None]
    budget = used + needed * granted
    carried = np.minimum(budget * seats, light)
    carried = carried + np.maximum(budget - light / seats, 0.0) * packed
    limited = ~by_land & (granted < 1.0)
    arrived[:] = np.where(limited, np.clip(carried, arrived, goal), goal)
    state.mark("first_arrival", _any(there), day)


def _leave(p: Parameters, state: State, day: int, random: Random) -> None:
    """Begin, continue or end the withdrawal, and set who is present."""
    first = state.events["first_arrival"]
    settled = state.happened("first_arrival") & (day - first >= p["airlift.min_stay"])
    hazard = (1.0 - state.unrest) / state.of(Mission).stay
    drawn = random.uniform("airlift.withdrawal", tick=day) < -np.expm1(-hazard)
    begun_before = state.happened("withdrawal_start")
    state.mark("withdrawal_start", settled & drawn & ~begun_before, day)

    begun = state.happened("withdrawal_start")
    gone = np.where(begun, (day - state.events["withdrawal_start"] + 1.0), 0.0)
    share = np.clip(gone / p["airlift.withdrawal"], 0.0, 1.0)
    state.present[:] = state.of(Mission).arrived * (1.0 - share)[:, None]
    state.mark("withdrawal_end", begun & (share >= 1.0), day)


def _any(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where any member's flag is set, shape (run,)."""
    out = np.zeros(flags.shape[0], dtype=np.bool_)
    for m in range(flags.shape[1]):
        out |= flags[:, m]
    return out


MECHANISM = Mechanism(
    name="airlift",
    text=__doc__,
    parameters=PARAMETERS,
    borrows=("streets.cop_density",),
    reads=("commits", "contribution_day", "mobilisable", "sent", "unrest"),
    writes=(
        "arrival_day",
        "event.first_arrival",
        "event.withdrawal_end",
        "event.withdrawal_start",
        "police",
        "present",
        "relief",
    ),
    draws=("airlift.assembled", "airlift.lag", "airlift.mission", "airlift.withdrawal"),
    luck=(
        Luck("airlift.assembled", "run", "Whether the mission must first be assembled."),
        Luck("airlift.lag", "member", "How quickly {member} lands."),
    ),
    outputs=(
        Variable(
            "troops_present",
            ("day", "member"),
            "float32",
            "people",
            "allied troops in the country",
            lambda state: state.present,
        ),
        Variable(
            "arrival_day", ("member",), "float32", "day", "day of the first landing, inf if never"
        ),
    ),
    quantities=("troops_present", "first_arrival", "withdrawal_start", "withdrawal_end"),
    memory=Mission,
    start=start,
    step=step,
)
