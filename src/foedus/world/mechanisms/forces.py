"""Mechanism 5, forces: whether local commanders hold or defect.

Strength ``theta ~ N(z, 1/alpha)`` is drawn once. Commanders see it with precision beta_a and hold
iff survival has at least the chance k; protesters see it with precision beta_o and bear the cost c.
The threshold theta* of the two-layer game (:mod:`foedus.world.global_games`; Morris and Shin 2003,
Tyson and Smith 2018) gives the cutoff signal x*_a, and the share that holds is
``s_t = Phi(sqrt(beta_a) (theta - x*_a))``; the streets test it:
``loyal_share = 1 - u_t (1 - s_t)``.

Backing from abroad enters three ways, at three times: the *pledge* raises the public mean,
``z_t = z + pledge``, and *guarantees* lower what holding must promise, ``k_t = k - guarantee``,
both when the decision is announced; *boots* add strength as they land,
``F_t = boots present/1000``. A pledge works before anyone arrives, and the game amplifies it:
adherents expect each other to hold.

An attack must last: its weight is the mean unrest of the last days, ``m_t = m_{t-1} +
(u_t - m_{t-1})/siege``, from 0 in calm. The government falls on a day with chance
``u_t Phi((attack m_t - theta - F_t - lam s_t) / noise)``: the deterministic rule smoothed, so that
a known survival can be weighed, and only as far as the streets put it to the test. A fall is the
event ``leader_leaves``; where it is known that the leader stayed, it is not allowed and the run is
charged (:meth:`foedus.world.guidance.Guidance.decide`).

The game has one equilibrium only while ``alpha (1/sqrt(beta_o) + lam/sqrt(beta_a)) <= sqrt(2 pi)``;
alpha is lowered to 0.98 of that bound where a draw exceeds it.

A leader who decides to go is mechanism 6. On the very day on which the leader is known to have
left, the two ways to leave are one fact; mechanism 6 replays it, where that is on.

Off: everyone holds and nobody falls.
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
from foedus.world.mechanism import Luck, Mechanism, Variable
from foedus.world.parameters import Parameter, Parameters
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
        "Precision alpha of what is publicly known of strength.",
        0.01,
        100.0,
    ),
    Parameter(
        "forces.street_precision",
        LogNormal(dist="lognormal", median=4.0, sd_log=0.5),
        "1",
        "Precision beta_o of what protesters see of strength.",
        0.1,
        1000.0,
    ),
    Parameter(
        "forces.command_precision",
        LogNormal(dist="lognormal", median=9.0, sd_log=0.5),
        "1",
        "Precision beta_a of what commanders see of strength.",
        0.1,
        1000.0,
    ),
    Parameter(
        "forces.protest_cost",
        Beta(dist="beta", mean=0.4, n=8.0),
        "1",
        "Cost c of protesting, as a share of what success is worth.",
        0.01,
        0.99,
    ),
    Parameter(
        "forces.hold_threshold",
        Beta(dist="beta", mean=0.4, n=8.0),
        "1",
        "Chance k of survival from which a commander holds.",
        0.01,
        0.99,
    ),
    Parameter(
        "forces.weight",
        LogNormal(dist="lognormal", median=0.5, sd_log=0.5),
        "attack mass",
        "Strength lam that the whole force adds.",
        0.0,
        3.0,
    ),
    Parameter(
        "forces.pledge",
        LogNormal(dist="lognormal", median=0.2, sd_log=0.8),
        "attack mass",
        "Rise of the public mean when allied help is announced.",
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
        "Strength that 1,000 allied soldiers in the country add.",
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
        "Days of unrest after which an attack has most of its weight.",
        1.0,
        60.0,
    ),
    Parameter(
        "forces.noise",
        LogNormal(dist="lognormal", median=0.05, sd_log=0.5),
        "attack mass",
        "Day-to-day luck in whether an attack brings the government down.",
        0.001,
        1.0,
    ),
)


@dataclass(kw_only=True)
class Command:
    """What commanders go by, each of shape (run,).

    Attributes
    ----------
    alpha : ndarray
        Precision of what is publicly known of strength, lowered to where the game has one
        equilibrium.
    q_cost : ndarray
        Normal quantile of the cost of protesting.
    holding : ndarray
        Share that would hold if put to the test today.
    lasting : ndarray
        Mean unrest of the last days.
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
    """Return the public mean z_t, the survival chance asked k_t and foreign strength F_t."""
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
    """Let commanders choose, and the government stand or fall.

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
