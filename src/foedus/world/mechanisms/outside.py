"""Mechanism 9, outside: what an observer makes of the alliance's answer.

The observer believes that the lead's resolve is θ ~ N(μ, s²) and that it acts iff ``θ + e > t``
with ``e ~ N(0, n²)``. With ``v = √(s² + n²)``, ``z = (μ - t)/v`` and ``λ = φ(z)/Φ(z)``,

    P(act) = Φ(z),  E[θ | act] = μ + (s²/v) λ,  Var[θ | act] = s² - (s⁴/v²) λ (λ + z),

and without the act λ is replaced by ``-φ(z)/Φ(-z)`` (the moments of a truncated normal; the
signalling reading is Fearon 1997, doi 10.1177/0022002797041001004). An expected act, or a cheap
and noisy one, carries little news: the default noise n² is large. A decision of the alliance is
an act, a refusal is none; talks are calendar entries and cause nothing.

Also here, as pure functions with known values: two-type and semi-separating signals, the
bargaining model of Fearon 1995 (doi 10.1017/S0020818300033324), and audience costs.

Off: the observer's belief stays at 0 with variance 0. Nothing else ever reads it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from foedus.case.priors import LogNormal, Normal
from foedus.randomness import Random
from foedus.world.guidance import Guidance
from foedus.world.mechanism import Mechanism, Variable
from foedus.world.parameters import Parameter, Parameters
from foedus.world.setting import Setting
from foedus.world.state import State

FloatArray = NDArray[np.float64]

_SCALE = "elicited; θ is an index in units of the observer's own uncertainty"
_CHEAP = "elicited: a short mission against a street revolt is a cheap and noisy signal"

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "outside.mean",
        Normal(dist="normal", mean=0.0, sd=0.25, source=_SCALE),
        "index",
        "Observer's mean belief in the lead's resolve before the crisis.",
    ),
    Parameter(
        "outside.variance",
        LogNormal(dist="lognormal", median=1.0, sd_log=0.25, source=_SCALE),
        "index²",
        "Observer's variance of that belief before the crisis.",
        low=1e-6,
    ),
    Parameter(
        "outside.threshold",
        Normal(dist="normal", mean=0.5, sd=0.5, source=_SCALE),
        "index",
        "Resolve above which, in the observer's eyes, the lead acts.",
    ),
    Parameter(
        "outside.noise",
        LogNormal(dist="lognormal", median=4.0, sd_log=0.75, source=_CHEAP),
        "index²",
        "Variance of the other reasons for acting: the larger, the less the act tells.",
        low=0.0,
    ),
)


class Signal(NamedTuple):
    """What an act and its absence tell, each of the shape of the inputs."""

    chance: FloatArray
    mean_act: FloatArray
    var_act: FloatArray
    mean_not: FloatArray
    var_not: FloatArray


def _hazard(z: FloatArray) -> FloatArray:
    """Return φ(z)/Φ(z), stable in the far tail."""
    log_density = -0.5 * z * z - 0.5 * np.log(2.0 * np.pi)
    return np.asarray(np.exp(log_density - special.log_ndtr(z)), dtype=np.float64)


def normal_type(mu: ArrayLike, s2: ArrayLike, t: ArrayLike, n2: ArrayLike) -> Signal:
    """Return the observer's belief after an act and after none.

    Parameters
    ----------
    mu, s2 : array_like
        Mean and variance of the belief about θ.
    t : array_like
        Threshold of acting.
    n2 : array_like
        Variance of the noise in acting.
    """
    mean, var = np.asarray(mu, dtype=np.float64), np.asarray(s2, dtype=np.float64)
    v = np.sqrt(var + np.asarray(n2, dtype=np.float64))
    z = (mean - np.asarray(t, dtype=np.float64)) / v
    act, none = _hazard(z), -_hazard(-z)
    gain, shrink = var / v, var * var / (v * v)
    return Signal(
        np.asarray(special.ndtr(z), dtype=np.float64),
        mean + gain * act,
        var - shrink * act * (act + z),
        mean + gain * none,
        var - shrink * none * (none + z),
    )


def of(p: Parameters) -> Signal:
    """Return the signal at the declared parameters, shape (run,)."""
    names = ("mean", "variance", "threshold", "noise")
    return normal_type(*(p[f"outside.{name}"] for name in names))


def news(p: Parameters) -> FloatArray:
    """Return what acting rather than not is worth as a message, shape (run,).

    The gap between the two posterior means, in prior standard deviations; the lead of the
    alliance may value it (``alliance.signal``) whether or not the observer is simulated.
    """
    signal = of(p)
    return (signal.mean_act - signal.mean_not) / np.sqrt(p["outside.variance"])


def start(setting: Setting, p: Parameters, state: State, random: Random) -> None:
    """Set the observer's belief before the crisis."""
    state.outside_mean[:] = p["outside.mean"]
    state.outside_var[:] = p["outside.variance"]


def step(
    setting: Setting, p: Parameters, state: State, day: int, random: Random, guidance: Guidance
) -> None:
    """Move the belief on the day of a decision (an act) or of a refusal (none); draws nothing."""
    act = state.events["decision"] == day
    none = state.events["refusal"] == day
    signal = of(p)
    state.outside_mean[:] = np.where(
        act, signal.mean_act, np.where(none, signal.mean_not, state.outside_mean)
    )
    state.outside_var[:] = np.where(
        act, signal.var_act, np.where(none, signal.var_not, state.outside_var)
    )


def two_type(prior: float, resolved: float, unresolved: float) -> tuple[float, float]:
    """Return the posterior of "resolved" after an act and after none.

    Parameters
    ----------
    prior : float
        Prior probability of the resolved type.
    resolved, unresolved : float
        Probability that each type acts.
    """

    def posterior(h: float, low: float) -> float:
        return prior * h / (prior * h + (1.0 - prior) * low)

    return posterior(resolved, unresolved), posterior(1.0 - resolved, 1.0 - unresolved)


class Bluff(NamedTuple):
    """Semi-separating equilibrium."""

    bluff: float
    signal: float
    posterior: float


def semi_separating(prior: float, threshold: float) -> Bluff:
    """Return how often the unresolved type bluffs when that leaves the opponent indifferent.

    Parameters
    ----------
    prior : float
        Prior probability of the resolved type, which always signals; below ``threshold``.
    threshold : float
        Posterior at which the opponent is indifferent.
    """
    if not 0.0 < prior < threshold <= 1.0:
        raise ValueError(f"need 0 < prior < threshold <= 1, got {prior} and {threshold}")
    bluff = prior * (1.0 - threshold) / ((1.0 - prior) * threshold)
    return Bluff(bluff, prior / threshold, threshold)


class Bargain(NamedTuple):
    """Fearon's (1995) take-it-or-leave-it demand under uncertainty."""

    demand: float
    war: float
    payoff: float


def fearon_1995(p: float, cost: float, highest: float) -> Bargain:
    """Return A's optimal demand, the risk of war and A's payoff (interior solution).

    Parameters
    ----------
    p : float
        A's expected share from war, before costs.
    cost : float
        A's cost of war.
    highest : float
        B's cost is uniform on [0, ``highest``].
    """
    if not 0.0 <= cost <= highest:
        raise ValueError(f"need 0 <= cost <= highest, got {cost} and {highest}")
    demand = p + (highest - cost) / 2.0
    return Bargain(
        demand, (1.0 - cost / highest) / 2.0, p + (highest - cost) ** 2 / (4.0 * highest)
    )


def challenger_cutoff(resist: float, lose: float, cost: float) -> float:
    """Return the value of the prize above which a challenger goes on (after Fearon 1997).

    ``v ≥ q c / (1 - q p)``: the defender resists with probability q, and then the challenger
    loses with probability p at cost c.
    """
    return resist * cost / (1.0 - resist * lose)


def defender_cutoff(win: float, cost: float, audience: float = 0.0) -> float:
    """Return the value above which a defender resists: ``(c - m)/p``; m = 0 is sunk cost."""
    return max((cost - audience) / win, 0.0)


def keeps_pledge(value: float, audience: float, relabel: float = 0.0) -> bool:
    """Return whether a pledge not to send holds: value of sending ≤ audience cost.

    Re-labelling the mission ("peacekeepers", "not to fight") leaves the type as it is and
    discounts the audience cost by the share ``relabel``.
    """
    return value <= audience * (1.0 - relabel)


MECHANISM = Mechanism(
    name="outside",
    text=__doc__,
    parameters=PARAMETERS,
    reads=("event.decision", "event.refusal"),
    writes=("outside_mean", "outside_var"),
    outputs=(
        Variable(
            "outside_belief",
            ("day",),
            "float32",
            "index",
            "outside observer's mean belief in resolve",
            lambda state: state.outside_mean,
        ),
    ),
    quantities=("outside_belief",),
    start=start,
    step=step,
)
