"""Mechanism 8, airlift: when allied troops land, how fast they build up, and when they leave.

Arrival. A member commits on a day (taken as noon; ratification belongs to mechanism 7). It first
lands after a log-normal lag with median ``lag_land`` over land or ``lag_air (1/2 + 1/2 d/2750 km)``
by air. Members other than the lead add ``second_lag``. A mission that must first be assembled,
drawn once, does not land before ``assembly`` days after the *request*: in the casebook most
landings follow the request within three days, the rest after a month or so. After its first
landing, the share of a contingent that could have arrived is an Erlang distribution function with
two stages and mean ``ramp``. Air contingents also share ``sorties`` flights a day. Light infantry
comes first, ``seats`` people to a flight. The rest come with ``vehicles``, ``vehicles_per_flight``
to a flight, and these vehicles limit the airlift.

``relief = guards present / police``, at most 1: troops that guard sites free local police for the
streets. Police are the people represented by the cops on the lattices.

Withdrawal. A mission is short or long, drawn once (durations in the casebook are bimodal: under
four months, or years), and its stay from first landing to last departure is ``short_stay`` or
``long_stay`` days if all is calm. The stay is spent at the speed

    exp(-hold·u_t + losses·(1 - exp(-K/10))),    K allied soldiers killed so far,

an accelerated failure time: unrest holds a mission, and losses may hasten or delay its end.
Withdrawal begins ``withdrawal`` days before the stay is spent, though not before ``min_stay``;
nobody arrives after it has begun. With chance ``cut`` the force is reduced earlier, at a uniform
time of its stay, to the share ``remnant``, which stays to the end.

A mandate is announced with the decision: a short mission's is ``stay·exp(mandate_gap +
mandate_spread·N)``, as mandates are mostly extended, and a long one's half a year with the same
spread. It changes no stay. A fact that states it says how long the stay will be.

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
from scipy import special

from foedus.case.priors import Beta, LogNormal, Normal, Uniform
from foedus.randomness import Random
from foedus.world.guidance import Guidance
from foedus.world.mechanism import Luck, Mechanism, Parameter, Parameters, Variable
from foedus.world.setting import Setting
from foedus.world.state import State

FloatArray = NDArray[np.float64]

#: Distance at which ``lag_air`` holds, km: the middle of 2,500 to 3,000.
REFERENCE_KM = 2750.0
#: Allied soldiers killed at which their effect reaches 1 - 1/e.
KILLED_SCALE = 10.0
#: Mandate of a long mission, days: renewed every half year.
LONG_MANDATE = 182.0
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
            sd_log=1.2,
            source="elicited; the casebook's models replace it where a case names its trigger",
        ),
        "day",
        "Time from the request until an assembled mission can land.",
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
            sd_log=0.7,
            source="elicited; the casebook's models replace it where a case names its trigger",
        ),
        "day",
        "Stay of a short mission in calm, from first landing to last departure.",
        1.0,
        10_000.0,
    ),
    Parameter(
        "airlift.long_stay",
        LogNormal(
            dist="lognormal",
            median=770.0,
            sd_log=1.05,
            source="elicited; the casebook's models replace it where a case names its trigger",
        ),
        "day",
        "Stay of a long mission in calm, from first landing to last departure.",
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
    Parameter(
        "airlift.hold",
        Normal(dist="normal", mean=1.0, sd=0.5, source="elicited"),
        "1",
        "How far unrest slows the end of a mission.",
        -5.0,
        5.0,
    ),
    Parameter(
        "airlift.losses",
        Normal(dist="normal", mean=0.0, sd=0.5, source="elicited; no sign assumed"),
        "1",
        "Effect of allied soldiers killed on the speed at which a mission ends.",
        -5.0,
        5.0,
    ),
    Parameter(
        "airlift.cut",
        Beta(dist="beta", mean=0.25, n=8.0, source="elicited"),
        "share",
        "Chance that the force is reduced before it leaves.",
        0.0,
        1.0,
    ),
    Parameter(
        "airlift.remnant",
        Beta(dist="beta", mean=0.3, n=5.0, source="elicited"),
        "share",
        "Share of the force that stays after a reduction.",
        0.0,
        1.0,
    ),
    Parameter(
        "airlift.mandate_gap",
        Normal(dist="normal", mean=-0.4, sd=0.3, source="elicited: mandates are mostly extended"),
        "1",
        "Mean log of announced mandate over stay, of a short mission.",
        -5.0,
        5.0,
    ),
    Parameter(
        "airlift.mandate_spread",
        LogNormal(dist="lognormal", median=0.7, sd_log=0.3, source="elicited"),
        "1",
        "Standard deviation of that log.",
        0.05,
        5.0,
    ),
)


@dataclass(kw_only=True)
class Mission:
    """The plan of a mission, drawn at the start of the run, and the people it has landed.

    Attributes
    ----------
    lag : ndarray, shape (run, member)
        Days from commitment to first landing, for a force on stand-by.
    lead : ndarray, shape (run,)
        The lead's lag as first drawn.
    ready : ndarray, shape (run,)
        Days from the request until the mission is assembled; 0 for a force on stand-by.
    stay : ndarray, shape (run,)
        Days from first landing to last departure in calm.
    spent : ndarray, shape (run,)
        Days of the stay that are spent.
    killed : ndarray, shape (run,)
        Allied soldiers killed so far.
    reduced : ndarray, shape (run,)
        Day of the stay on which the force is cut; inf if it is not.
    mandate : ndarray, shape (run,)
        Announced mandate, in days.
    arrived : ndarray, shape (run, member)
        People who have landed, including any who have left since.
    """

    lag: FloatArray
    lead: FloatArray
    ready: FloatArray
    stay: FloatArray
    spent: FloatArray
    killed: FloatArray
    reduced: FloatArray
    mandate: FloatArray
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


def first_landing(
    setting: Setting,
    p: Parameters,
    state: State,
    random: Random,
    *,
    later_than: FloatArray | None = None,
) -> FloatArray:
    """Return the days from commitment to first landing on stand-by, shape (run, member).

    ``later_than``, shape (run, member), is the share of a lag's law that is over.
    """
    lag = np.empty_like(state.sent)
    for m in range(len(setting.members)):
        base, late = _usual_lag(setting, p, m)
        z = random.normal("airlift.lag", place=m)
        if later_than is not None:
            over = later_than[:, m]
            u = over + (1.0 - over) * random.uniform("airlift.lag", place=m)
            z = special.ndtri(np.clip(u, 1e-15, 1.0 - 1e-15))
        lag[:, m] = base * np.exp(p["airlift.lag_spread"] * z) + late
    return lag


def _usual_lag(setting: Setting, p: Parameters, member: int) -> tuple[FloatArray, FloatArray]:
    """Return the median of the random part of a member's lag, and what is added to it."""
    far = 0.5 + 0.5 * setting.air_distance / REFERENCE_KM
    by_land = setting.contiguous[member] > 0.5
    base = p["airlift.lag_land"] if by_land else p["airlift.lag_air"] * far
    late = p["airlift.second_lag"]
    return base, np.zeros_like(late) if member == setting.lead else late


def police_people(p: Parameters, state: State) -> FloatArray:
    """Return the people represented by the lattices' cops, shape (run,); 0 without streets."""
    total = np.zeros_like(state.relief)
    for c in range(state.mobilisable.shape[1]):
        total += state.mobilisable[:, c]
    return p["streets.cop_density"] * total / CITIZENS_PER_SITE


def start(setting: Setting, p: Parameters, state: State, random: Random) -> None:
    """Draw the lags of a mission, whether it is short, its cut and its mandate."""
    short = random.uniform("airlift.mission") < p["airlift.short_mission"]
    stay = np.where(short, p["airlift.short_stay"], p["airlift.long_stay"])
    assembled = random.uniform("airlift.assembled") < p["airlift.assembled"]
    cut = random.uniform("airlift.cut") < p["airlift.cut"]
    usual = np.where(short, stay * np.exp(p["airlift.mandate_gap"]), LONG_MANDATE)
    luck = np.exp(p["airlift.mandate_spread"] * random.normal("airlift.mandate"))
    none = np.zeros_like(stay)
    lag = first_landing(setting, p, state, random)
    state.remember(
        Mission(
            lag=lag,
            lead=lag[:, setting.lead].copy(),
            ready=np.where(assembled, p["airlift.assembly"], 0.0),
            stay=stay,
            spent=none,
            killed=none.copy(),
            reduced=np.where(cut, stay * random.uniform("airlift.cut_time"), np.inf),
            mandate=usual * luck,
            arrived=np.zeros_like(state.sent),
        )
    )
    state.police[:] = police_people(p, state)


def step(
    setting: Setting, p: Parameters, state: State, day: int, random: Random, guidance: Guidance
) -> None:
    """Land troops, relieve the police and, in time, withdraw.

    Reads ``commits``, ``contribution_day``, ``sent``, the day of the request, allied deaths and the
    day's unrest; writes ``arrival_day``,
    ``present``, ``relief`` and the events ``first_arrival``, ``withdrawal_start``,
    ``withdrawal_end``.
    """
    _land(setting, p, state, day, random, guidance)
    _leave(p, state, day)
    troops = np.zeros_like(state.relief)
    for m in range(state.present.shape[1]):
        troops += state.present[:, m]
    police = state.police
    freed = p["airlift.guards"] * troops / np.maximum(police, 1.0)
    state.relief[:] = np.where(police > 0.0, np.minimum(freed, 1.0), 0.0)


def _land(
    setting: Setting, p: Parameters, state: State, day: int, random: Random, guidance: Guidance
) -> None:
    """Land the day's troops, as far as the arrival curve and the flights allow."""
    coming = state.commits & (state.sent > 0.0) & ~state.happened("withdrawal_start")[:, None]
    _replay(setting, p, state, day, random, guidance, coming)
    mission = state.of(Mission)
    standby = state.contribution_day + 0.5 + mission.lag
    late = mission.lag - mission.lead[:, None]
    late[:, setting.lead] = 0.0
    assembled = (state.events["request"] + mission.ready)[:, None] + np.maximum(late, 0.0)
    due = np.where(mission.ready[:, None] > 0.0, np.maximum(standby, assembled), standby)
    waiting = coming & np.isinf(state.arrival_day) & (due < day + 1)
    state.arrival_day[waiting] = np.maximum(due, day)[waiting]

    arrived = mission.arrived
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


def _replay(
    setting: Setting,
    p: Parameters,
    state: State,
    day: int,
    random: Random,
    guidance: Guidance,
    coming: NDArray[np.bool_],
) -> None:
    """Impose what is known of the first landing: on its day, and not before.

    The chance that a member lands today follows from the law of its lag, given that it has not yet
    landed. On the known day at least one of them does. The lags of the others are drawn again from
    what is left of their law. (Once a mission is assembled, the others come as far behind the lead
    as their lags say; for that the lead's first lag counts, although it may be drawn again.)
    """
    key = ("first_arrival", "")
    known, not_by = guidance.days.get(key), guidance.not_by.get(key, -1)
    if day > max(not_by, -1 if known is None else known):
        return
    open_ = coming & np.isinf(state.arrival_day)
    before, after = (_landed_by(setting, p, state, t) for t in (day, day + 1.0))
    chance = np.where(open_, (after - before) / np.maximum(1.0 - before, 1e-12), 0.0)
    none = np.ones_like(state.relief)
    for m in range(chance.shape[1]):
        none = none * (1.0 - chance[:, m])
    eligible = _any(open_) & ~state.happened("first_arrival")
    never = np.ones_like(none)  # nothing is drawn where the first landing is known
    now = guidance.decide(state, "first_arrival", 1.0 - none, never, eligible, day)
    state.mark("first_arrival", now, day)
    lands = np.zeros_like(open_)
    done = ~now
    left = none
    for m in range(chance.shape[1]):
        c = chance[:, m]
        at_least_one = np.where(done, 1.0, np.maximum(1.0 - left, 1e-300))
        u = random.uniform("airlift.lag", place=m, slot=1)
        lands[:, m] = now & open_[:, m] & (u < c / at_least_one)
        left = left / np.maximum(1.0 - c, 1e-300)
        done = done | lands[:, m]
    hour = random.uniform("airlift.lag", slot=2)
    state.arrival_day[:] = np.where(lands, (day + hour)[:, None], state.arrival_day)
    lag = first_landing(setting, p, state, random, later_than=after)
    mission = state.of(Mission)
    mission.lag = np.where(open_ & ~lands, lag, mission.lag)


def _landed_by(setting: Setting, p: Parameters, state: State, time: float) -> FloatArray:
    """Return the chance that a committed member's lag has it landed by a time, (run, member)."""
    mission = state.of(Mission)
    longest = time - (state.contribution_day + 0.5)
    slack = time - (state.events["request"] + mission.ready)
    behind = (slack + mission.lead)[:, None]
    assembled = np.where(slack[:, None] > 0.0, np.minimum(longest, behind), 0.0)
    assembled[:, setting.lead] = np.where(slack > 0.0, longest[:, setting.lead], 0.0)
    longest = np.where(mission.ready[:, None] > 0.0, assembled, longest)
    out = np.empty_like(longest)
    for m in range(out.shape[1]):
        base, late = _usual_lag(setting, p, m)
        spread = np.maximum(p["airlift.lag_spread"], 1e-9)
        z = np.log(np.maximum(longest[:, m] - late, 1e-12) / base) / spread
        out[:, m] = special.ndtr(z)
    return out


def _leave(p: Parameters, state: State, day: int) -> None:
    """Spend the stay, cut the force, begin or end the withdrawal, and set who is present."""
    mission = state.of(Mission)
    first = state.events["first_arrival"]
    landed = state.happened("first_arrival")
    mission.killed = mission.killed + state.deaths_allied
    lost = -np.expm1(-mission.killed / KILLED_SCALE)
    speed = np.exp(p["airlift.losses"] * lost - p["airlift.hold"] * state.unrest)
    mission.spent = mission.spent + np.where(landed, speed, 0.0)
    due = landed & (mission.spent >= mission.stay - p["airlift.withdrawal"])
    due &= day - first >= p["airlift.min_stay"]
    begun_before = state.happened("withdrawal_start")
    state.mark("withdrawal_start", due & ~begun_before, day)

    begun = state.happened("withdrawal_start")
    gone = np.where(begun, (day - state.events["withdrawal_start"] + 1.0), 0.0)
    share = np.clip(gone / p["airlift.withdrawal"], 0.0, 1.0)
    left = np.where(mission.spent >= mission.reduced, p["airlift.remnant"], 1.0) * (1.0 - share)
    state.present[:] = mission.arrived * left[:, None]
    state.mark("withdrawal_end", begun & (share >= 1.0), day)


def _any(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where any member's flag is set, shape (run,)."""
    out = np.zeros(flags.shape[0], dtype=np.bool_)
    for m in range(flags.shape[1]):
        out |= flags[:, m]
    return out


def _mandate(state: State) -> FloatArray:
    return state.of(Mission).mandate if "airlift" in state.on else np.zeros_like(state.relief)


MECHANISM = Mechanism(
    name="airlift",
    text=__doc__,
    parameters=PARAMETERS,
    borrows=("streets.cop_density",),
    reads=(
        "commits",
        "contribution_day",
        "deaths_allied",
        "event.request",
        "mobilisable",
        "sent",
        "unrest",
    ),
    writes=(
        "arrival_day",
        "event.first_arrival",
        "event.withdrawal_end",
        "event.withdrawal_start",
        "police",
        "present",
        "relief",
    ),
    draws=(
        "airlift.assembled",
        "airlift.lag",
        "airlift.mission",
        "airlift.cut",
        "airlift.cut_time",
        "airlift.mandate",
    ),
    decisions=("first_arrival",),
    luck=(
        Luck("airlift.assembled", "run", "Whether the mission must first be assembled."),
        Luck("airlift.lag", "member", "How quickly {member} lands."),
        Luck("airlift.mission", "run", "Whether the mission is short."),
        Luck("airlift.mandate", "run", "The announced mandate, against the stay."),
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
        Variable(
            "mandate",
            (),
            "float32",
            "day",
            "announced length of the mission; it counts where there is a decision",
            _mandate,
        ),
    ),
    quantities=("troops_present", "mandate", "first_arrival", "withdrawal_start", "withdrawal_end"),
    memory=Mission,
    start=start,
    step=step,
)
