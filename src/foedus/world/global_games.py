"""Global games of regime change: closed forms behind mechanism 5.

A regime of unknown strength falls if enough people act against it. Everyone observes a private
signal, and a player's best reply is a cutoff. All functions are elementwise over numpy arrays, so a
run's threshold does not depend on the other runs of the call.

One layer (Morris and Shin 2003, Global games: theory and applications; in the regime-change form)
    theta ~ N(z, 1/alpha); signals are theta plus noise of precision beta; attacking costs c and
    pays 1 if the regime falls; it falls iff the attacking mass is at least theta:
    ``Phi^-1(theta*) = [alpha (theta* - z) - sqrt(alpha + beta) Phi^-1(c)] / sqrt(beta)``.

Two layers (protesters and the force that is to stop them: the idea of Tyson and Smith 2018, J
Politics 80:44; the equations were derived and checked for this project)
    ``a* = Phi([alpha (theta* - z) - sqrt(alpha + beta_o) Phi^-1(c)] / sqrt(beta_o))``,
    ``s* = Phi([alpha (z - theta*) - sqrt(alpha + beta_a) Phi^-1(k)] / sqrt(beta_a))``,
    ``theta* = a* - F - lam s*``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

FloatArray = NDArray[np.float64]

#: While the pull of public news is below this, both games have one equilibrium for every public
#: mean.
UNIQUENESS_BOUND = float(np.sqrt(2.0 * np.pi))

#: Newton steps; the error is below 1e-14 over the whole unique region (see the tests).
_STEPS = 14


def unique_alpha(
    alpha: FloatArray, beta_o: FloatArray, beta_a: FloatArray, lam: FloatArray
) -> FloatArray:
    """Return ``alpha``, lowered where needed to 0.98 of the largest that keeps one equilibrium."""
    most = 0.98 * UNIQUENESS_BOUND / (1.0 / np.sqrt(beta_o) + lam / np.sqrt(beta_a))
    return np.minimum(alpha, most)


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
    """Return theta* of the two-layer game by a bracketed Newton method of a fixed number of steps.

    All arrays have shape (run,). ``q_c`` and ``q_k`` are ``Phi^-1(c)`` and ``Phi^-1(k)``. The
    inputs are not checked: :func:`unique_alpha` keeps them in the unique region, where the function
    is increasing, so the bracket [-F - lam, 1 - F] holds exactly one zero.
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


def force_cutoff(
    theta: FloatArray, alpha: FloatArray, beta_a: FloatArray, z: FloatArray, q_k: FloatArray
) -> FloatArray:
    """Return the signal x*_a at which a commander gives survival exactly the chance k."""
    total = alpha + beta_a
    return (total * theta + np.sqrt(total) * q_k - alpha * z) / beta_a
