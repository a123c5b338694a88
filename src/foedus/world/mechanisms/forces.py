"""Mechanism 5, forces: whether local commanders hold or defect, and whether the government falls.

Regime strength ``theta ~ N(z, 1/alpha)`` is drawn once. Commanders observe it with precision beta_a
and hold iff the regime survives with probability at least k; protesters observe it with precision
beta_o and bear the cost c. The threshold theta* of the two-layer game
(:mod:`foedus.world.global_games`; Morris and Shin 2003, Tyson and Smith 2018) gives the cutoff
signal x*_a. The share that would hold is ``s_t = Phi(sqrt(beta_a) (theta - x*_a))``, and unrest
puts it to the test: ``loyal_share = 1 - u_t (1 - s_t)``.

Backing from abroad enters in three ways. When the decision is announced, the *pledge* raises the
public mean, ``z_t = z + pledge``, and *guarantees* lower the probability that commanders require,
``k_t = k - guarantee``. As troops land, *boots* add strength, ``F_t = boots present/1000``. A
pledge works before anyone arrives, and the game amplifies it: commanders who hold expect each other
to hold.

An attack must last: its weight is a running mean of unrest, ``m_t = m_{t-1} + (u_t -
m_{t-1})/siege``, from 0 in calm. The government falls on a day with chance ``u_t Phi((attack m_t -
theta - F_t - lam s_t) / noise)``. This smooths the deterministic rule, so that a known survival
gives a finite weight, and applies it only as far as unrest puts the government to the test. A fall
is the event ``leader_leaves``. Where the leader is known to have stayed, the fall is not allowed
and the run is charged (:meth:`foedus.world.guidance.Guidance.decide`).

The game has one equilibrium only while ``alpha (1/sqrt(beta_o) + lam/sqrt(beta_a)) <= sqrt(2 pi)``;
alpha is lowered to 0.98 of that bound where a draw exceeds it.

A leader who chooses to go belongs to mechanism 6. On the day on which the leader is known to have
left, the two ways of leaving are one fact; mechanism 6 replays it if it is on.

Off: all commanders hold and no government falls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from foedus.case.priors import Beta, LogNormal, Normal
from foedus.randomness import Random
from foedus.world.global_games import force_cutoff, threshold, unique_alpha
from foedus.world.guidance import Guidance
from foedus.world.mechanism import Luck, Mechanism, Parameter, Parameters, Variable
from foedus.world.setting import Setting
from foedus.world.state import State

FloatArray = NDArray[np.float64]

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "forces.mean",
        Normal(dist="normal", mean=0.9, sd=0.4),
        "attack mass",
        "Public mean z of the regime's strength.",
        -3.0,
        5.0,
    ),
    Parameter(
        "forces.public_precision",
        LogNormal(dist="lognormal", median=2.0, sd_log=0.4),
        "1",
        "Precision alpha of public information about strength.",
        0.01,
        100.0,
    ),
    Parameter(
        "forces.street_precision",
        LogNormal(dist="lognormal", median=4.0, sd_log=0.5),
        "1",
        "Precision beta_o of protesters' signals about strength.",
        0.1,
        1000.0,
    ),
    Parameter(
        "forces.command_precision",
        LogNormal(dist="lognormal", median=9.0, sd_log=0.5),
        "1",
        "Precision beta_a of commanders' signals about strength.",
        0.1,
        1000.0,
    ),
    Parameter(
        "forces.protest_cost",
        Beta(dist="beta", mean=0.4, n=8.0),
        "1",
        "Cost c of protesting, as a share of the value of success.",
        0.01,
        0.99,
    ),
    Parameter(
        "forces.hold_threshold",
        Beta(dist="beta", mean=0.4, n=8.0),
        "1",
        "Least probability k of survival at which a commander holds.",
        0.01,
        0.99,
    ),
    Parameter(
        "forces.weight",
        LogNormal(dist="lognormal", median=0.5, sd_log=0.5),
        "attack mass",
        "Strength lam added if all commanders hold.",
        0.0,
        3.0,
    ),
    Parameter(
        "forces.pledge",
        LogNormal(dist="lognormal", median=0.2, sd_log=0.8),
        "attack mass",
        "Rise of the public mean z when allied help is announced.",
        0.0,
        3.0,
    ),
    Parameter(
        "forces.guarantee",
        LogNormal(dist="lognormal", median=0.05, sd_log=0.8),
        "1",
        "Fall of k when allied help is announced.",
        0.0,
        0.9,
    ),
    Parameter(
        "forces.boots",
        LogNormal(dist="lognormal", median=0.05, sd_log=0.9),
        "attack mass per 1,000",
        "Strength added by 1,000 allied soldiers in the country.",
        0.0,
        2.0,
    ),
    Parameter(
        "forces.attack",
        LogNormal(dist="lognormal", median=0.6, sd_log=0.4),
        "attack mass",
        "Attack on the regime at full unrest.",
        0.0,
        5.0,
    ),
    Parameter(
        "forces.siege",
        LogNormal(dist="lognormal", median=3.0, sd_log=0.5),
        "day",
        "Time constant of the running mean of unrest that weighs an attack.",
        1.0,
        60.0,
    ),
    Parameter(
        "forces.noise",
        LogNormal(dist="lognormal", median=0.05, sd_log=0.5),
        "attack mass",
        "Width of the smoothed rule by which an attack brings the government down.",
        0.001,
        1.0,
    ),
)


@dataclass(kw_only=True)
class Command:
    """The commanders' state, each of shape (run,).

    Attributes
    ----------
    alpha : ndarray
        Precision of public information about strength, lowered where needed to keep one
        equilibrium.
    q_cost : ndarray
        Normal quantile of the cost of protesting.
    holding : ndarray
        Share that would hold if put to the test today.
    lasting : ndarray
        Running mean of unrest.
    """

    alpha: FloatArray
    q_cost: FloatArray
    holding: FloatArray
    lasting: FloatArray


def start(setting: Setting, p: Parameters, state: State, random: Random) -> None:
    """Draw the regime's strength."""
    alpha = unique_alpha(
        p["forces.public_precision"],
        p["forces.street_precision"],
        p["forces.command_precision"],
        p["forces.weight"],
    )
    state.strength[:] = p["forces.mean"] + random.normal("forces.strength") / np.sqrt(alpha)
    state.remember(
        Command(
            alpha=alpha,
            q_cost=ndtri(p["forces.protest_cost"]),
            holding=np.ones(random.runs.size),
            lasting=np.zeros(random.runs.size),
        )
    )


def backing(p: Parameters, state: State) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the public mean z_t, the required survival chance k_t and foreign strength F_t."""
    announced = state.happened("decision")
    troops = np.zeros_like(state.strength)
    for m in range(state.present.shape[1]):
        troops += state.present[:, m]
    mean = p["forces.mean"] + np.where(announced, p["forces.pledge"], 0.0)
    asked = p["forces.hold_threshold"] - np.where(announced, p["forces.guarantee"], 0.0)
    return mean, np.clip(asked, 0.001, 0.999), p["forces.boots"] * troops / 1000.0


def holding_share(p: Parameters, state: State) -> FloatArray:
    """Return the share s_t of commanders who would hold if put to the test, shape (run,)."""
    mean, asked, force = backing(p, state)
    command = state.of(Command)
    alpha = command.alpha
    precision = p["forces.command_precision"]
    q_k = ndtri(asked)
    star = threshold(
        alpha,
        p["forces.street_precision"],
        precision,
        mean,
        command.q_cost,
        q_k,
        p["forces.weight"],
        force,
    )
    cutoff = force_cutoff(star, alpha, precision, mean, q_k)
    return np.asarray(ndtr(np.sqrt(precision) * (state.strength - cutoff)))


def step(
    setting: Setting, p: Parameters, state: State, day: int, random: Random, guidance: Guidance
) -> None:
    """Update the share of commanders who hold, and draw or replay the government's fall.

    Reads ``strength``, ``present``, the decision's announcement and the day's unrest; writes
    ``loyal_share``, ``in_office`` and the event ``leader_leaves``.
    """
    unrest = state.unrest
    command = state.of(Command)
    holding = holding_share(p, state)
    command.holding[:] = holding
    state.loyal_share[:] = 1.0 - unrest * (1.0 - holding)

    force = backing(p, state)[2]
    strength = state.strength + force + p["forces.weight"] * holding
    lasting = command.lasting
    lasting += (unrest - lasting) / p["forces.siege"]
    excess = p["forces.attack"] * lasting - strength
    chance = unrest * ndtr(excess / p["forces.noise"])
    open_ = state.in_office & ~state.happened("leader_leaves")
    state.collapse_chance[:] = np.where(open_, chance, 0.0)
    u = random.uniform("forces.collapse", tick=day)
    if guidance.days.get(("leader_leaves", "")) == day and "leader" in state.on:
        return
    falls = guidance.decide(state, "leader_leaves", chance, u, open_, day)
    state.mark("leader_leaves", falls, day)
    state.in_office[falls] = False


MECHANISM = Mechanism(
    name="forces",
    text=__doc__,
    parameters=PARAMETERS,
    reads=("event.decision", "present", "unrest"),
    writes=("collapse_chance", "event.leader_leaves", "in_office", "loyal_share", "strength"),
    draws=("forces.strength", "forces.collapse"),
    luck=(Luck("forces.strength", "run", "How strong the government is."),),
    outputs=(
        Variable("loyal_share", ("day",), "float32", "share", "share of commanders who hold"),
    ),
    quantities=("loyal_share", "leader_leaves"),
    decisions=("leader_leaves",),
    memory=Command,
    start=start,
    step=step,
)
