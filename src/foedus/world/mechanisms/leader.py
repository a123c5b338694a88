"""Mechanism 6, leader: concede, change the guard, shut the internet, order fire, seek help, leave.

Each open decision is taken on a day with the logit probability

    P = [A_t ≥ gate] · logistic(λ U),   U = base + Σ coefficient × covariate

(quantal response, McKelvey & Palfrey 1995, doi 10.1006/game.1995.1023). A_t is the *alarm*, today's
unrest or a fading memory of worse, ``A_t = max(u_t, A_{t-1} e^{-1/memory})``: orders are also given
while the streets are being cleared. Below the gate nothing is decided, so a calm country stays
calm. A request for help is the exception: a coup or an attack fills no streets. It has no gate, is
possible from the first trigger on, and its utility falls by ``request_fade × log(1 + days since the
latest trigger)``, a hazard with a power law as in the casebook's waits. The covariates are unrest
(that is, the alarm); weakness, ``1 - loyal_share``; officers killed so far, as ``1 - exp(-K/10)``;
dependence on the lead minus ½ (mechanism 10); and earlier decisions. Each decision is taken once.

=============  =================================================================================
concession     unrest; raises legitimacy, and the level it returns to, by ``concession_effect``
guard_change   unrest, weakness; moves regime strength by ``guard_effect``
shutdown       unrest; internet to ``shutdown_level`` for an exponential number of days
fire_order     unrest, officers killed, an earlier concession, the alliance's decision
request        unrest, weakness, officers killed, fire ordered, dependence
leader_leaves  unrest, weakness (by choice; collapse belongs to mechanism 5)
=============  =================================================================================

Patrons are asked in proportion to ``exp(patron_dependence × dependence)`` (a multinomial logit). A
request to those that act through the alliance is the event ``request``, with chance P times their
share; the first call to another patron is kept in ``state.patron`` and has no further effect here.
One does not prevent the other. A case without patrons can only ask the alliance.

Two coefficients carry hypotheses and are centred at or near zero. ``fire_decision`` ("kill, then
blame the helpers") has fire ordered once the alliance has decided. ``request_weakness`` ("a club
for the commanders") has help requested because commanders waver.

All sizes are elicited. Where a case names its trigger and organisation, the casebook says how
readily such a government asks for help (:mod:`foedus.world.priors`).

Off: the leader decides nothing and requests no help, so the alliance never meets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foedus.case.priors import Beta, LogNormal, Normal, Prior, Uniform
from foedus.randomness import Random
from foedus.world.choice import logistic, logit
from foedus.world.guidance import Guidance
from foedus.world.mechanism import Luck, Mechanism, Parameter, Parameters, Variable
from foedus.world.setting import Setting
from foedus.world.state import State

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: Number of officers killed at which the covariate reaches 1 - 1/e.
KILLED_SCALE = 10.0

_ELICITED = "elicited"
_RARE = "elicited; the casebook's models replace it where a case names its trigger"


def _normal(name: str, mean: float, sd: float, meaning: str, source: str = _ELICITED) -> Parameter:
    prior = Normal(dist="normal", mean=mean, sd=sd, origin="elicited", source=source)
    return Parameter(f"leader.{name}", prior, "log-odds", meaning)


def _other(
    name: str, prior: Prior, unit: str, meaning: str, low: float = -np.inf, high: float = np.inf
) -> Parameter:
    return Parameter(f"leader.{name}", prior, unit, meaning, low, high)


PARAMETERS: tuple[Parameter, ...] = (
    _other(
        "precision",
        LogNormal(
            dist="lognormal",
            median=1.0,
            sd_log=0.2,
            source="elicited; the rule is McKelvey & Palfrey 1995, doi 10.1006/game.1995.1023",
        ),
        "1",
        "Precision λ of the leader's logit choices; 0 is a coin flip.",
        0.0,
        10.0,
    ),
    _other(
        "gate",
        Uniform(dist="uniform", low=0.02, high=0.2),
        "share",
        "Alarm below which the leader decides nothing.",
        0.0,
        1.0,
    ),
    _other(
        "memory",
        LogNormal(dist="lognormal", median=2.0, sd_log=0.5),
        "day",
        "Decay time of the leader's alarm at past unrest.",
        0.1,
        30.0,
    ),
    _normal("concession_base", -3.5, 0.75, "Utility of conceding in calm."),
    _normal("concession_unrest", 2.5, 0.75, "Effect of unrest on conceding."),
    _other(
        "concession_effect",
        Beta(dist="beta", mean=0.05, n=20.0),
        "share",
        "Legitimacy that a concession restores in every city.",
        0.0,
        1.0,
    ),
    _normal("guard_base", -4.5, 0.75, "Utility of changing the guard at the top in calm."),
    _normal("guard_unrest", 2.0, 0.75, "Effect of unrest on changing the guard."),
    _normal("guard_weakness", 1.0, 0.75, "Effect of wavering commanders on changing the guard."),
    _other(
        "guard_effect",
        Normal(dist="normal", mean=0.0, sd=0.2),
        "strength",
        "Regime strength added by a change of the guard; the sign is open.",
    ),
    _normal("shutdown_base", -4.0, 0.75, "Utility of shutting the internet in calm."),
    _normal("shutdown_unrest", 3.0, 0.75, "Effect of unrest on a shutdown."),
    _other(
        "shutdown_level",
        Beta(dist="beta", mean=0.1, n=10.0),
        "share",
        "Connectivity left during a shutdown.",
        0.0,
        1.0,
    ),
    _other(
        "shutdown_days",
        LogNormal(dist="lognormal", median=4.0, sd_log=0.5),
        "day",
        "Mean length of a shutdown.",
        0.5,
        60.0,
    ),
    _normal("fire_base", -5.0, 0.75, "Utility of ordering lethal force in calm."),
    _normal("fire_unrest", 3.0, 0.75, "Effect of unrest on the order to fire."),
    _normal("fire_killed", 1.0, 0.75, "Effect of officers killed on the order to fire."),
    _normal("fire_concession", 0.5, 0.5, "Effect of an earlier concession on the order to fire."),
    _normal("fire_decision", 0.0, 0.5, "Effect of the alliance's decision on the order to fire."),
    _normal("request_base", -5.0, 1.0, "Utility of requesting help in calm.", _RARE),
    _normal("request_unrest", 2.0, 0.75, "Effect of unrest on requesting help.", _RARE),
    _normal("request_weakness", 0.5, 0.75, "Effect of wavering commanders on requesting help."),
    _normal("request_killed", 0.5, 0.5, "Effect of officers killed on requesting help."),
    _normal("request_fire", 0.0, 0.5, "Effect of an earlier order to fire on requesting help."),
    _normal(
        "request_dependence",
        1.0,
        0.75,
        "Effect of dependence on the lead (minus ½) on requesting help.",
    ),
    _other(
        "request_fade",
        Normal(
            dist="normal",
            mean=1.0,
            sd=0.25,
            source="elicited; the casebook's waits replace it where a case names its trigger",
        ),
        "log-odds",
        "Fall of the utility of requesting help per unit of log(1 + days since the trigger).",
        0.0,
        5.0,
    ),
    _normal("patron_dependence", 2.0, 1.0, "Weight of dependence in the choice of a patron."),
    _normal("leave_base", -6.5, 0.75, "Utility of leaving office by choice in calm."),
    _normal("leave_unrest", 1.5, 0.75, "Effect of unrest on leaving office."),
    _normal("leave_weakness", 2.0, 0.75, "Effect of wavering commanders on leaving office."),
)


@dataclass(kw_only=True)
class Mood:
    """The leader's state from day to day, each of shape (run,).

    Attributes
    ----------
    alarm : ndarray
        Today's unrest, or the fading alarm at past unrest where that is higher.
    killed : ndarray
        Officers killed so far.
    restored : ndarray
        Day on which the internet returns; inf while it is on.
    """

    alarm: FloatArray
    killed: FloatArray
    restored: FloatArray


def start(setting: Setting, p: Parameters, state: State, random: Random) -> None:
    """Start with no alarm, no losses and the internet on."""
    calm = np.zeros_like(state.internet)
    state.remember(
        Mood(alarm=calm, killed=calm.copy(), restored=np.full_like(state.internet, np.inf))
    )


def call_shares(setting: Setting, p: Parameters) -> FloatArray:
    """Return the probability of each patron given that one is asked, shape (run, patron)."""
    utilities = p["leader.patron_dependence"][:, None] * setting.patron_dependence
    return logit(utilities)


def allied_share(setting: Setting, shares: FloatArray) -> FloatArray:
    """Return the share of calls that goes to the alliance, shape (run,); 1 without patrons."""
    through = np.zeros(shares.shape[0])
    for number in np.flatnonzero(setting.patron_alliance):
        through = through + shares[:, number]
    return np.minimum(through, 1.0) if setting.patrons else np.ones(shares.shape[0])


def step(
    setting: Setting, p: Parameters, state: State, day: int, random: Random, guidance: Guidance
) -> None:
    """Take the day's decisions, in the order of the module's table."""
    mood = state.of(Mood)
    killed = mood.killed
    for city in range(state.deaths_security.shape[1]):
        killed = killed + state.deaths_security[:, city]
    mood.killed = killed
    unrest = np.maximum(state.unrest, mood.alarm * np.exp(-1.0 / p["leader.memory"]))
    mood.alarm = unrest
    weakness = 1.0 - state.loyal_share
    lost = -np.expm1(-killed / KILLED_SCALE)
    awake = unrest >= p["leader.gate"]

    def inclination(decision: str, /, **covariates: FloatArray) -> FloatArray:
        utility = p[f"leader.{decision}_base"]
        for word, value in covariates.items():
            utility = utility + p[f"leader.{decision}_{word}"] * value
        return logistic(p["leader.precision"] * utility)

    def chance(decision: str, /, **covariates: FloatArray) -> FloatArray:
        return np.where(awake, inclination(decision, **covariates), 0.0)

    def take(event: str, probability: FloatArray) -> BoolArray:
        open_ = state.in_office & ~state.happened(event)
        u = random.uniform(f"leader.{event}", tick=day)
        now = guidance.decide(state, event, probability, u, open_, day)
        now = now & ~state.happened(event)
        state.mark(event, now, day)
        return now

    _concede(p, state, take("concession", chance("concession", unrest=unrest)))
    now = take("guard_change", chance("guard", unrest=unrest, weakness=weakness))
    state.strength[:] = np.where(now, state.strength + p["leader.guard_effect"], state.strength)
    _shut(p, state, day, random, take("shutdown", chance("shutdown", unrest=unrest)))
    conceded = state.happened("concession").astype(np.float64)
    decided = state.happened("decision").astype(np.float64)
    fire = chance("fire", unrest=unrest, killed=lost, concession=conceded, decision=decided)
    take("fire_order", fire)
    since = [day - when for when, _ in setting.triggers if when <= day]
    if since:
        call = inclination(
            "request",
            unrest=unrest,
            weakness=weakness,
            killed=lost,
            fire=state.happened("fire_order").astype(np.float64),
            dependence=state.dependence - 0.5,
            fade=np.full_like(unrest, -np.log1p(min(since))),
        )
    else:
        call = np.zeros_like(unrest)
    _call(setting, p, state, day, random, guidance, call)
    leave = chance("leave", unrest=unrest, weakness=weakness)
    if guidance.days.get(("leader_leaves", "")) == day and "forces" in state.on:
        # Leaving by choice and falling are one fact; mechanism 5 leaves its replay to this
        # mechanism.
        leave = 1.0 - (1.0 - leave) * (1.0 - state.collapse_chance)
    now = take("leader_leaves", leave)
    state.in_office[:] = state.in_office & ~now


def _concede(p: Parameters, state: State, now: BoolArray) -> None:
    """Raise legitimacy, and the level to which it returns, in the runs that concede."""
    gain = np.where(now, p["leader.concession_effect"], 0.0)
    for level in (state.legitimacy, state.baseline):
        if level is None:
            continue
        for city in range(level.shape[1]):
            level[:, city] = np.where(now, np.minimum(level[:, city] + gain, 1.0), level[:, city])


def _shut(p: Parameters, state: State, day: int, random: Random, now: BoolArray) -> None:
    """Shut the internet in some runs, and restore it in the runs where the shutdown has ended."""
    mood = state.of(Mood)
    back = mood.restored <= day
    state.internet[:] = np.where(back, 1.0, state.internet)
    mood.restored = np.where(back, np.inf, mood.restored)
    length = -p["leader.shutdown_days"] * np.log(random.uniform("leader.shutdown_days"))
    until = day + np.maximum(np.ceil(length), 1.0)
    mood.restored = np.where(now, until, mood.restored)
    state.internet[:] = np.where(now, p["leader.shutdown_level"], state.internet)


def _call(
    setting: Setting,
    p: Parameters,
    state: State,
    day: int,
    random: Random,
    guidance: Guidance,
    chance: FloatArray,
) -> None:
    """Ask the alliance (the event ``request``) and, apart from that, another patron."""
    shares = call_shares(setting, p) if setting.patrons else np.zeros((chance.size, 0))
    through = allied_share(setting, shares)
    u = random.uniform("leader.request", tick=day)
    open_ = state.in_office & ~state.happened("request")
    asks = guidance.decide(state, "request", chance * through, u, open_, day)
    asks = asks & ~state.happened("request")
    state.mark("request", asks, day)
    which = random.uniform("leader.patron")
    first = asks & (state.patron < 0)
    allied = setting.patron_alliance
    picked = _pick(shares, allied, which) if allied.any() else np.zeros_like(state.patron)
    state.patron[:] = np.where(first, picked, state.patron)
    other = random.uniform("leader.other_call", tick=day) < chance * (1.0 - through)
    other &= state.in_office & (state.patron < 0)
    state.patron[:] = np.where(other, _pick(shares, ~allied, which), state.patron)


def _pick(shares: FloatArray, among: BoolArray, u: FloatArray) -> NDArray[np.int8]:
    """Return a patron drawn by share from those in ``among``, shape (run,); -1 if none."""
    total = np.zeros_like(u)
    for number in np.flatnonzero(among):
        total = total + shares[:, number]
    out = np.full(u.size, -1, dtype=np.int8)
    passed = np.zeros_like(u)
    for number in np.flatnonzero(among):
        here = (out == -1) | (u * total >= passed)
        out = np.where(here, number, out).astype(np.int8)
        passed = passed + shares[:, number]
    return out


MECHANISM = Mechanism(
    name="leader",
    text=__doc__,
    parameters=PARAMETERS,
    reads=(
        "collapse_chance",
        "deaths_security",
        "dependence",
        "event.decision",
        "loyal_share",
        "unrest",
    ),
    writes=(
        "baseline",
        "event.concession",
        "event.fire_order",
        "event.guard_change",
        "event.leader_leaves",
        "event.request",
        "event.shutdown",
        "in_office",
        "internet",
        "legitimacy",
        "patron",
        "strength",
    ),
    draws=(
        "leader.concession",
        "leader.guard_change",
        "leader.shutdown",
        "leader.shutdown_days",
        "leader.fire_order",
        "leader.request",
        "leader.patron",
        "leader.other_call",
        "leader.leader_leaves",
    ),
    luck=(
        Luck("leader.patron", "run", "Which patron the leader asks."),
        Luck("leader.shutdown_days", "run", "How long a shutdown lasts."),
    ),
    outputs=(
        Variable("internet", ("day",), "float32", "share", "connectivity as a share of normal"),
        Variable("in_office", ("day",), "bool", "1", "the leader is in office"),
        Variable("patron", (), "int8", "1", "patron that was asked, -1 if none"),
    ),
    quantities=(
        "internet",
        "concession",
        "guard_change",
        "shutdown",
        "fire_order",
        "request",
        "leader_leaves",
    ),
    decisions=(
        "concession",
        "guard_change",
        "shutdown",
        "fire_order",
        "request",
        "leader_leaves",
    ),
    memory=Mood,
    start=start,
    step=step,
)
