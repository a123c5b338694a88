"""Mechanism 4, information: what people at home and abroad believe of an external attack.

Two audiences (home and abroad) hold log-odds of "external attack". The government begins to claim
an attack on a day with chance ``claim_rate u_t`` (``claim_rate_fire u_t`` once lethal force is
ordered) and then repeats the claim daily. Each audience updates by Bayes' rule, adding the log
likelihood ratio of what it hears:

- the n-th claim (n = 0, 1, ...) adds ``log(h/l) repeat^n``, since repetition carries little news;
- contrary reports add ``-counter openness internet u_t`` a day at home and ``-counter
  openness_abroad u_t`` abroad, where openness is that of the media.

:func:`posterior` is the closed form: log posterior odds = log prior odds + sum of log likelihood
ratios. Belief at home moves legitimacy by ``home_effect (belief - prior belief)``, an *offset* on
its level. It is added at once and kept in ``story``, and the level to which legitimacy recovers
(mechanism 2) moves with it, so the effect neither fades nor counts twice. Belief abroad feeds the
treaty's aggression test (mechanism 7).

Edmond (2013, doi 10.1093/restud/rdt020) asks how far a government can move beliefs by biasing all
signals at a cost. That game sets the sign of ``home_effect``: manipulation lowers the threshold at
which regimes fall.

``u_t`` is yesterday's unrest intensity. Off: no claims are made, log-odds stay at 0 and legitimacy
is unaffected.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foedus.case.priors import Beta, LogNormal, Normal
from foedus.randomness import Random
from foedus.world.guidance import Guidance
from foedus.world.mechanism import Mechanism, Parameter, Parameters, Variable
from foedus.world.setting import Setting
from foedus.world.state import State

FloatArray = NDArray[np.float64]

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "information.prior_home",
        Normal(dist="normal", mean=-2.5, sd=1.0),
        "nat",
        "The public's log-odds of an external attack before the crisis.",
        -12.0,
        12.0,
    ),
    Parameter(
        "information.prior_abroad",
        Normal(dist="normal", mean=-2.0, sd=1.0),
        "nat",
        "The allies' log-odds of an external attack before the crisis.",
        -12.0,
        12.0,
    ),
    Parameter(
        "information.claim_rate",
        Beta(dist="beta", mean=0.2, n=4.0),
        "1/day",
        "Daily chance, at full unrest, that the government begins to claim an attack.",
        0.0,
        1.0,
    ),
    Parameter(
        "information.claim_rate_fire",
        Beta(dist="beta", mean=0.6, n=4.0),
        "1/day",
        "The same, once lethal force is ordered.",
        0.0,
        1.0,
    ),
    Parameter(
        "information.weight_home",
        LogNormal(dist="lognormal", median=0.6, sd_log=0.7),
        "nat",
        "Log likelihood ratio of the government's first claim to the public.",
        0.0,
        8.0,
    ),
    Parameter(
        "information.weight_abroad",
        LogNormal(dist="lognormal", median=0.8, sd_log=0.7),
        "nat",
        "Log likelihood ratio of the government's first claim to the allies.",
        0.0,
        8.0,
    ),
    Parameter(
        "information.repeat",
        Beta(dist="beta", mean=0.6, n=6.0),
        "1",
        "Weight of a repeated claim relative to the one before it.",
        0.0,
        0.99,
    ),
    Parameter(
        "information.counter",
        LogNormal(dist="lognormal", median=0.2, sd_log=0.8),
        "nat/day",
        "Log likelihood ratio of a day of contrary reports at full openness and unrest.",
        0.0,
        5.0,
    ),
    Parameter(
        "information.openness",
        Beta(dist="beta", mean=0.4, n=4.0),
        "share",
        "Openness of the media at home.",
        0.0,
        1.0,
    ),
    Parameter(
        "information.openness_abroad",
        Beta(dist="beta", mean=0.6, n=5.0),
        "share",
        "Openness of the media in the allies' countries.",
        0.0,
        1.0,
    ),
    Parameter(
        "information.home_effect",
        LogNormal(dist="lognormal", median=0.08, sd_log=0.8),
        "legitimacy",
        "Gain in legitimacy if belief at home rose from 0 to 1.",
        0.0,
        1.0,
    ),
)


@dataclass
class Claims:
    """Weight of the next claim relative to the first, shape (run,)."""

    news: FloatArray


def belief(log_odds: FloatArray) -> FloatArray:
    """Return the probability at log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def posterior(
    prior: ArrayLike,
    weight: ArrayLike,
    repeat: ArrayLike,
    claims: ArrayLike,
    counter: ArrayLike,
    reports: ArrayLike,
) -> FloatArray:
    """Return the closed-form belief after a number of claims and of days of contrary reports.

    Parameters
    ----------
    prior : array_like
        Prior belief, in (0, 1).
    weight, repeat : array_like
        Log likelihood ratio of the first claim, and the discount of each repetition, in [0, 1).
    claims : array_like
        Number of daily claims.
    counter, reports : array_like
        Log likelihood ratio of a full day of contrary reports, and the number of full days.
    """
    prior, weight, repeat, claims, counter, reports = (
        np.asarray(x, dtype=np.float64) for x in (prior, weight, repeat, claims, counter, reports)
    )
    told = weight * (1.0 - repeat**claims) / (1.0 - repeat)
    return belief(np.log(prior / (1.0 - prior)) + told - counter * reports)


def start(setting: Setting, p: Parameters, state: State, random: Random) -> None:
    """Set both audiences' prior beliefs."""
    state.log_odds_home[:] = p["information.prior_home"]
    state.log_odds_abroad[:] = p["information.prior_abroad"]
    state.remember(Claims(np.ones(random.runs.size)))


def step(
    setting: Setting, p: Parameters, state: State, day: int, random: Random, guidance: Guidance
) -> None:
    """Draw whether the government claims an attack, and update both audiences' beliefs.

    Reads ``internet``, the order to fire and yesterday's unrest; writes ``claim``,
    ``log_odds_home``, ``log_odds_abroad``, ``legitimacy`` and ``story``.
    """
    unrest = state.unrest
    fired = state.happened("fire_order")
    rate = np.where(fired, p["information.claim_rate_fire"], p["information.claim_rate"])
    state.claim |= random.uniform("information.claim", tick=day) < rate * unrest

    news = state.of(Claims).news
    told = np.where(state.claim, news, 0.0)
    news[:] = np.where(state.claim, news * p["information.repeat"], news)
    contrary = p["information.counter"] * unrest
    state.log_odds_home += told * p["information.weight_home"]
    state.log_odds_home -= contrary * p["information.openness"] * state.internet
    state.log_odds_abroad += told * p["information.weight_abroad"]
    state.log_odds_abroad -= contrary * p["information.openness_abroad"]

    gain = belief(state.log_odds_home) - belief(p["information.prior_home"])
    wanted = (p["information.home_effect"] * gain)[:, None]
    bare = state.legitimacy - state.story
    level = np.clip(bare + wanted, 0.0, 1.0)
    state.story[:] = np.where(wanted == 0.0, 0.0, level - bare)
    state.legitimacy[:] = level


MECHANISM = Mechanism(
    name="information",
    text=__doc__,
    parameters=PARAMETERS,
    reads=("event.fire_order", "internet", "unrest"),
    writes=("claim", "legitimacy", "log_odds_abroad", "log_odds_home", "story"),
    draws=("information.claim",),
    outputs=(
        Variable(
            "belief_home",
            ("day",),
            "float32",
            "share",
            "public belief in an external attack",
            lambda state: belief(state.log_odds_home),
        ),
        Variable(
            "belief_abroad",
            ("day",),
            "float32",
            "share",
            "allies' belief in an external attack",
            lambda state: belief(state.log_odds_abroad),
        ),
    ),
    quantities=("belief_home", "belief_abroad"),
    memory=Claims,
    start=start,
    step=step,
)
