"""Textbook global games against which mechanism 5 is checked.

One layer (Morris and Shin 2003), two layers with checked inputs (after Tyson and Smith 2018), and
Edmond (2013, doi 10.1093/restud/rdt020) with a linear cost of bias: a regime shifts the signals of
all by a at cost c a, participation costs p, and regimes in [theta*, theta**) all look like theta**.
The equations of the first two are in :mod:`foedus.world.global_games`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from foedus.world.global_games import UNIQUENESS_BOUND, force_cutoff, threshold

FloatArray = NDArray[np.float64]


def public_pull(
    alpha: ArrayLike, beta_o: ArrayLike, beta_a: ArrayLike = 1.0, lam: ArrayLike = 0.0
) -> FloatArray:
    """Return ``alpha (1/sqrt(beta_o) + lam/sqrt(beta_a))``; unique while at most sqrt(2 pi).

    With ``lam`` 0 it is the one-layer condition ``alpha / sqrt(beta) <= sqrt(2 pi)``.
    """
    alpha, beta_o, beta_a, lam = (
        np.asarray(x, dtype=np.float64) for x in (alpha, beta_o, beta_a, lam)
    )
    return np.asarray(alpha * (1.0 / np.sqrt(beta_o) + lam / np.sqrt(beta_a)))


def _require_unique(pull: FloatArray) -> None:
    if np.any(pull > UNIQUENESS_BOUND):
        raise ValueError(
            "the equilibrium is unique only while alpha (1/sqrt(beta_o) + lam/sqrt(beta_a)) <= "
            f"{UNIQUENESS_BOUND:.4f}, got {float(np.max(pull)):.4f}: lower alpha or lam, or raise "
            "the precision of the private signals"
        )


@dataclass(frozen=True)
class TwoLayer:
    """Equilibrium of the two-layer game, each of the inputs' common shape.

    Attributes
    ----------
    theta : ndarray
        The regime falls iff its strength is below theta*.
    attack : ndarray
        Mass a* that protests at theta*.
    hold : ndarray
        Share s* of the force that holds at theta*.
    cutoff : ndarray
        Signal x*_a from which a commander holds.
    falls : ndarray
        Pr(theta < theta*) under the public prior N(z, 1/alpha).
    """

    theta: FloatArray
    attack: FloatArray
    hold: FloatArray
    cutoff: FloatArray
    falls: FloatArray


def two_layer(
    alpha: ArrayLike,
    beta_o: ArrayLike,
    beta_a: ArrayLike,
    z: ArrayLike,
    c: ArrayLike,
    k: ArrayLike,
    lam: ArrayLike,
    force: ArrayLike = 0.0,
) -> TwoLayer:
    """Solve the two-layer game.

    Parameters
    ----------
    alpha, z : array_like
        Precision and mean of the public prior on strength.
    beta_o, beta_a : array_like
        Precision of the protesters' and of the commanders' signals.
    c, k : array_like
        Cost of protesting, and the least survival chance at which a commander holds, both in (0,
        1).
    lam : array_like
        Strength added if all commanders hold.
    force : array_like
        Strength added by foreign troops.

    Raises
    ------
    ValueError
        If the equilibrium need not be unique, or a number is out of its range.
    """
    arrays = np.broadcast_arrays(
        *(np.asarray(x, dtype=np.float64) for x in (alpha, beta_o, beta_a, z, c, k, lam, force))
    )
    alpha_, beta_o_, beta_a_, z_, c_, k_, lam_, force_ = arrays
    for name, x in (("c", c_), ("k", k_)):
        if np.any((x <= 0.0) | (x >= 1.0)):
            raise ValueError(f"{name} must lie strictly between 0 and 1, got {x}")
    for name, x in (("alpha", alpha_), ("beta_o", beta_o_), ("beta_a", beta_a_)):
        if np.any(x <= 0.0):
            raise ValueError(f"{name} must be above 0, got {x}")
    _require_unique(public_pull(alpha_, beta_o_, beta_a_, lam_))
    q_c, q_k = ndtri(c_), ndtri(k_)
    theta = threshold(alpha_, beta_o_, beta_a_, z_, q_c, q_k, lam_, force_)
    cutoff = force_cutoff(theta, alpha_, beta_a_, z_, q_k)
    return TwoLayer(
        theta=theta,
        attack=np.asarray(
            ndtr((alpha_ * (theta - z_) - np.sqrt(alpha_ + beta_o_) * q_c) / np.sqrt(beta_o_))
        ),
        hold=np.asarray(ndtr(np.sqrt(beta_a_) * (theta - cutoff))),
        cutoff=cutoff,
        falls=np.asarray(ndtr(np.sqrt(alpha_) * (theta - z_))),
    )


def diffuse_threshold(c: float, k: float, lam: float, force: float = 0.0) -> float:
    """Return theta* when the public knows nothing: ``(1 - c) - lam (1 - k) - F``, exactly."""
    return (1.0 - c) - lam * (1.0 - k) - force


@dataclass(frozen=True)
class OneLayer:
    """Equilibrium of the one-layer game: theta*, cutoff signal x*, Pr(fall) under the prior."""

    theta: FloatArray
    cutoff: FloatArray
    falls: FloatArray


def one_layer(alpha: ArrayLike, beta: ArrayLike, z: ArrayLike, c: ArrayLike) -> OneLayer:
    """Solve the one-layer game: the two-layer game without the force.

    Raises
    ------
    ValueError
        If ``alpha / sqrt(beta) > sqrt(2 pi)``, or a number is out of its range.
    """
    game = two_layer(alpha, beta, 1.0, z, c, 0.5, 0.0)
    cutoff = game.theta + ndtri(game.attack) / np.sqrt(np.asarray(beta, dtype=np.float64))
    return OneLayer(game.theta, np.asarray(cutoff), game.falls)


@dataclass(frozen=True)
class Edmond:
    """Equilibrium with manipulated signals.

    Attributes
    ----------
    theta : float
        Regimes below theta* fall.
    cutoff : float
        Signal x* below which people protest.
    mimicked : float
        theta**, which all regimes in [theta*, theta**) imitate.
    benchmark : float
        Threshold without manipulation, ``1 - p``.
    """

    theta: float
    cutoff: float
    mimicked: float
    benchmark: float


def edmond(alpha: float, p: float, c: float) -> Edmond:
    """Solve Edmond's (2013) game with a linear cost of bias and an uninformative prior.

    Parameters
    ----------
    alpha : float
        Precision of the public's signals (the openness of the media).
    p : float
        Cost of protesting, in (0, 1).
    c : float
        Cost of a unit of bias.

    Raises
    ------
    ValueError
        If bias is so expensive that no regime uses it: ``sqrt(alpha) <= c sqrt(2 pi)``.
    """
    if not 0.0 < p < 1.0:
        raise ValueError(f"p must lie strictly between 0 and 1, got {p}")
    root = float(np.sqrt(alpha))
    if root <= c * UNIQUENESS_BOUND:
        raise ValueError(
            f"manipulation pays only while sqrt(alpha) > c sqrt(2 pi), got {root} <= "
            f"{c * UNIQUENESS_BOUND}"
        )
    gamma = float(np.sqrt(2.0 * np.log(root / (c * UNIQUENESS_BOUND))))
    fixed = float(ndtr(-gamma)) + c * gamma / root

    def gap(d: float) -> float:
        return (1.0 - p) / p * float(ndtr(-root * d)) - fixed - c * d

    low, high = -40.0 / root, 1.0 / c + 40.0 / root  # gap falls in d: one sign change
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if gap(middle) > 0.0 else (low, middle)
    d = 0.5 * (low + high)
    theta = fixed + c * d
    return Edmond(theta, theta + d, theta + d + gamma / root, 1.0 - p)


def protest_news_pull(beta: ArrayLike, tau: ArrayLike) -> FloatArray:
    """Return ``tau sqrt(beta)``, the pull of protest as public news (Casper and Tyson 2014).

    Elites who watch the size of a protest with precision tau learn strength with precision ``tau
    beta`` (doi 10.1017/S0022381613001485). With this in place of alpha, the one-layer game is
    unique while the pull is at most sqrt(2 pi). A shutdown lowers tau.
    """
    beta, tau = np.asarray(beta, dtype=np.float64), np.asarray(tau, dtype=np.float64)
    return np.asarray(tau * np.sqrt(beta))
