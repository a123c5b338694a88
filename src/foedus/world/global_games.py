"""Global games of regime change: closed forms behind mechanism 5, and Edmond's benchmark.

A regime of unknown strength falls if enough people act against it; everyone sees a private signal,
and a player's best reply is a cutoff. All functions are elementwise over numpy arrays, so that a
run's threshold does not depend on the runs that it is computed with.

One layer (Morris and Shin 2003, Global games: theory and applications; in the regime-change form)
    theta ~ N(z, 1/alpha), signals theta + noise of precision beta, attacking costs c and pays 1 if
    the regime falls, it falls iff the attacking mass is at least theta:
    ``Phi^-1(theta*) = [alpha (theta* - z) - sqrt(alpha + beta) Phi^-1(c)] / sqrt(beta)``.

Two layers (protesters and the force that is to stop them: the idea of Tyson and Smith 2018, J
Politics 80:44; the equations are derived and checked for this project)
    ``a* = Phi([alpha (theta* - z) - sqrt(alpha + beta_o) Phi^-1(c)] / sqrt(beta_o))``,
    ``s* = Phi([alpha (z - theta*) - sqrt(alpha + beta_a) Phi^-1(k)] / sqrt(beta_a))``,
    ``theta* = a* - F - lam s*``.

Edmond (2013, doi 10.1093/restud/rdt020) with a linear cost of bias: a regime shifts the signals of
all by a at cost c a, participation costs p, and regimes in [theta*, theta**) all look like theta**.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

FloatArray = NDArray[np.float64]

#: Both games have one equilibrium for every public mean while the pull of public news is below it.
UNIQUENESS_BOUND = float(np.sqrt(2.0 * np.pi))

#: Newton steps; the error is below 1e-14 over the whole unique region (see the tests).
_STEPS = 14


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


def unique_alpha(
    alpha: FloatArray, beta_o: FloatArray, beta_a: FloatArray, lam: FloatArray
) -> FloatArray:
    """Return ``alpha`` lowered, where needed, to 0.98 of the largest that keeps one equilibrium."""
    most = 0.98 * UNIQUENESS_BOUND / (1.0 / np.sqrt(beta_o) + lam / np.sqrt(beta_a))
    return np.minimum(alpha, most)


def _require_unique(pull: FloatArray) -> None:
    if np.any(pull > UNIQUENESS_BOUND):
        raise ValueError(
            "the equilibrium is unique only while alpha (1/sqrt(beta_o) + lam/sqrt(beta_a)) <= "
            f"{UNIQUENESS_BOUND:.4f}, got {float(np.max(pull)):.4f}: lower alpha or lam, or raise "
            "the precision of the private signals"
        )


def _pdf(x: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-0.5 * x * x) / UNIQUENESS_BOUND)


def threshold(
    alpha: FloatArray,
    beta_o: FloatArray,
    beta_a: FloatArray,
    z: FloatArray,
    q_c: FloatArray,
    q_k: FloatArray,
    lam: FloatArray,
    force: FloatArray,
    steps: int = _STEPS,
) -> FloatArray:
    """Return theta* of the two-layer game by a bracketed Newton of a fixed number of steps.

    All arrays have shape (run,). ``q_c`` and ``q_k`` are ``Phi^-1(c)`` and ``Phi^-1(k)``. No check
    is made here: see :func:`two_layer` for the checked form. In the unique region the function
    whose zero is sought rises throughout, so the bracket [-F - lam, 1 - F] holds exactly one zero.
    """
    root_o, root_a = np.sqrt(beta_o), np.sqrt(beta_a)
    slope_o, slope_a = alpha / root_o, alpha / root_a
    shift_o = slope_o * z + np.sqrt(alpha + beta_o) * q_c / root_o
    shift_a = slope_a * z - np.sqrt(alpha + beta_a) * q_k / root_a
    low, high = -force - lam, 1.0 - force
    x = 0.5 * (low + high)
    for _ in range(steps):
        u = slope_o * x - shift_o
        v = shift_a - slope_a * x
        g = x - ndtr(u) + force + lam * ndtr(v)
        slope = 1.0 - slope_o * _pdf(u) - lam * slope_a * _pdf(v)
        high = np.where(g > 0.0, x, high)
        low = np.where(g > 0.0, low, x)
        step = x - g / np.maximum(slope, 1e-12)
        x = np.where((step >= low) & (step <= high), step, 0.5 * (low + high))
    return x


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


def force_cutoff(
    theta: FloatArray, alpha: FloatArray, beta_a: FloatArray, z: FloatArray, q_k: FloatArray
) -> FloatArray:
    """Return the signal x*_a at which a commander gives survival just the chance k."""
    total = alpha + beta_a
    return (total * theta + np.sqrt(total) * q_k - alpha * z) / beta_a


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
        Cost of protesting, and the survival chance from which a commander holds, both in (0, 1).
    lam : array_like
        What the whole force adds to the regime's strength.
    force : array_like
        Strength that foreign troops add.

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
    """Solve the one-layer game: the two-layer game with no force in it.

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
        theta**, which all regimes in [theta*, theta**) pretend to be.
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
        If bias is so dear that no regime uses it: ``sqrt(alpha) <= c sqrt(2 pi)``.
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
    beta`` (doi 10.1017/S0022381613001485); with it in the place of alpha the one-layer game is
    unique while this is at most sqrt(2 pi). A shutdown lowers tau.
    """
    beta, tau = np.asarray(beta, dtype=np.float64), np.asarray(tau, dtype=np.float64)
    return np.asarray(tau * np.sqrt(beta))
