"""Logit (quantal response) choice and the reference games it is checked against.

A decider with utilities ``U_k`` takes option k with probability ``exp(λ U_k) / Σ_j exp(λ U_j)``;
λ, the precision, is 0 for a coin and large for a best response (McKelvey & Palfrey 1995,
doi 10.1006/game.1995.1023). In a game every player's probabilities are a logit response to the
others' (a fixed point).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

FloatArray = NDArray[np.float64]


def logistic(x: ArrayLike) -> FloatArray:
    """Return ``1 / (1 + exp(-x))`` elementwise."""
    return np.asarray(special.expit(np.asarray(x, dtype=np.float64)), dtype=np.float64)


def logit(utilities: FloatArray, precision: ArrayLike = 1.0) -> FloatArray:
    """Return logit choice probabilities.

    Parameters
    ----------
    utilities : ndarray, shape (..., option)
        Utilities, in units of the precision's inverse.
    precision : array_like, shape (...)
        λ ≥ 0, one for each choice or one for all.

    Returns
    -------
    ndarray, shape (..., option)
        Probabilities; they sum to 1 over the last axis.
    """
    scaled = np.asarray(precision, dtype=np.float64)[..., None] * utilities
    weight = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True), dtype=np.float64)


class Deterrence(NamedTuple):
    """Probabilities in the two-step deterrence game."""

    challenge: float
    resist: float


def deterrence(
    precision: float,
    *,
    concede: tuple[float, float] = (1.0, 0.0),
    war: tuple[float, float] = (-1.0, -0.5),
    status_quo: float = 0.0,
) -> Deterrence:
    """Return the agent logit equilibrium of challenge, then resist or concede.

    Parameters
    ----------
    precision : float
        λ of both players.
    concede, war : (challenger, defender)
        Payoffs if the defender concedes, or resists.
    status_quo : float
        The challenger's payoff without a challenge.
    """
    resist = float(logistic(precision * (war[1] - concede[1])))
    value = (1.0 - resist) * concede[0] + resist * war[0]
    return Deterrence(float(logistic(precision * (value - status_quo))), resist)


def symmetric_equilibrium(payoff: ArrayLike, precision: float) -> float:
    """Return the symmetric logit equilibrium of a symmetric 2 × 2 game.

    Parameters
    ----------
    payoff : array_like, shape (2, 2)
        Row player's payoff; ``payoff[i, j]`` when it plays i and the other plays j.
    precision : float
        λ of both players.

    Returns
    -------
    float
        Probability of the first action. Unique in games of chicken, where the better reply to
        an action is the other one; elsewhere one of the fixed points.
    """
    (aa, ab), (ba, bb) = np.asarray(payoff, dtype=np.float64)

    def excess(q: float) -> float:
        gain = q * (aa - ba) + (1.0 - q) * (ab - bb)
        return q - float(logistic(precision * gain))

    return float(optimize.brentq(excess, 0.0, 1.0, xtol=1e-13))
