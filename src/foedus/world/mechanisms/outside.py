"""Mechanism 9, outside: what an observer infers from the alliance's answer.

The observer believes that the lead's resolve is θ ~ N(μ, s²) and that the lead acts iff ``θ + e >
t`` with ``e ~ N(0, n²)``. With ``v = √(s² + n²)``, ``z = (μ - t)/v`` and ``λ = φ(z)/Φ(z)``,

    P(act) = Φ(z),  E[θ | act] = μ + (s²/v) λ,  Var[θ | act] = s² - (s⁴/v²) λ (λ + z).

Without the act, λ is replaced by ``-φ(z)/Φ(-z)``. These are the moments of a truncated normal; the
signalling interpretation is Fearon 1997, doi 10.1177/0022002797041001004. An act that is expected,
or cheap and noisy, carries little news: the default noise n² is large. A decision of the alliance
is an act and a refusal is its absence. Talks are calendar entries and have no effect.

Off: the observer's belief stays at 0 with variance 0. No other mechanism reads it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from foedus.case.priors import LogNormal, Normal
from foedus.randomness import Random
from foedus.world.guidance import Guidance
from foedus.world.mechanism import Mechanism, Parameter, Parameters, Variable
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
        "Variance of that belief before the crisis.",
        low=1e-6,
    ),
    Parameter(
        "outside.threshold",
        Normal(dist="normal", mean=0.5, sd=0.5, source=_SCALE),
        "index",
        "Resolve above which the observer expects the lead to act.",
    ),
    Parameter(
        "outside.noise",
        LogNormal(dist="lognormal", median=4.0, sd_log=0.75, source=_CHEAP),
        "index²",
        "Variance of other reasons for acting; the larger, the less an act reveals.",
        low=0.0,
    ),
)


class Signal(NamedTuple):
    """The belief after an act and after none, and P(act), each of the shape of the inputs."""

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
        Threshold for acting.
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
    """Return the message sent by acting rather than not, shape (run,).

    The difference between the two posterior means, in prior standard deviations. The lead may value
    it (``alliance.signal``) whether or not the observer is simulated.
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
    """Update the belief on the day of a decision (an act) or a refusal (none); draws nothing."""
    act = state.events["decision"] == day
    none = state.events["refusal"] == day
    signal = of(p)
    state.outside_mean[:] = np.where(
        act, signal.mean_act, np.where(none, signal.mean_not, state.outside_mean)
    )
    state.outside_var[:] = np.where(
        act, signal.var_act, np.where(none, signal.var_not, state.outside_var)
    )


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
