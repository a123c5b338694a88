"""Contagion with known answers: the field equations, and clusters of a self-exciting process.

Bonnasse-Gahot et al. 2018 (the French riots of 2005, doi 10.1038/s41598-017-18093-4):

    ``lambda' = -omega lambda + sigma Psi(W lambda)``, ``sigma' = -sigma Psi(W lambda)``.

A linear self-exciting model with branching ratio n multiplies local causes by 1/(1 - n). The Swing
riots' multiplier of 2.65 (Aidt, Leon and Satchell 2022, J Politics; above 3 in Aidt and Leon-Ablan
2021, doi 10.1017/S0007123420000873) means n = .62.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from foedus.case.priors import Beta

FloatArray = NDArray[np.float64]

#: Prior of the branching ratio of contagion: mean .63, central 90% .40 to .83.
BRANCHING = Beta(
    dist="beta",
    mean=0.63,
    n=12.0,
    origin="literature",
    source="multiplier 2.65 in Aidt, Leon and Satchell 2022, J Politics; above 3 in "
    "doi 10.1017/S0007123420000873",
)


def branching_ratio(multiplier: float) -> float:
    """Return n of a linear self-exciting model that multiplies local causes by ``multiplier``.

    Raises
    ------
    ValueError
        If the multiplier is below 1.
    """
    if multiplier < 1.0:
        raise ValueError(f"a contagion multiplier is at least 1, got {multiplier}")
    return 1.0 - 1.0 / multiplier


def spectral_radius(N: FloatArray) -> float:
    """Return the largest modulus of the eigenvalues of a branching matrix."""
    return float(np.max(np.abs(np.linalg.eigvals(N))))


def cluster(N: FloatArray) -> FloatArray:
    """Return ``(I - N)^-1``: entry (i, j) counts the events in i caused by one in j, incl. itself.

    Parameters
    ----------
    N : ndarray, shape (city, city)
        Direct offspring in i of an event in j (Hawkes 1971, doi 10.1093/biomet/58.1.83).

    Raises
    ------
    ValueError
        If the spectral radius is not below 1, so that clusters would be endless.
    """
    radius = spectral_radius(N)
    if radius >= 1.0:
        raise ValueError(f"the spectral radius must be below 1, got {radius:.4f}")
    return np.asarray(np.linalg.inv(np.eye(len(N)) - N))


@dataclass(frozen=True)
class Field:
    """A solution of the field equations.

    Attributes
    ----------
    t : ndarray, shape (time,)
        Days.
    lam, sig : ndarray, shape (time, city)
        Activity, and the remaining reservoir.
    """

    t: FloatArray
    lam: FloatArray
    sig: FloatArray


def field(
    lam0: FloatArray, sig0: FloatArray, W: FloatArray, beta: float, omega: float, t: FloatArray
) -> Field:
    """Integrate ``lam' = -omega lam + sig Psi``, ``sig' = -sig Psi``, ``Psi = beta W lam``.

    Parameters
    ----------
    lam0, sig0 : ndarray, shape (city,)
        Activity and reservoir at time ``t[0]``.
    W : ndarray, shape (city, city)
        Weight of city j's activity in city i.
    beta, omega : float
        Contact and recovery rates, per day.
    t : ndarray, shape (time,)
        Increasing times, in days.
    """
    n = len(lam0)

    def slope(_: float, y: FloatArray) -> FloatArray:
        lam, sig = y[:n], y[n:]
        taken = sig * beta * (W @ lam)
        return np.concatenate([taken - omega * lam, -taken])

    y0 = np.concatenate([lam0, sig0]).astype(np.float64)
    done = solve_ivp(slope, (t[0], t[-1]), y0, method="DOP853", t_eval=t, rtol=1e-10, atol=1e-12)
    return Field(t=np.asarray(t), lam=done.y[:n].T, sig=done.y[n:].T)


def final_reservoir(
    lam0: FloatArray, sig0: FloatArray, W: FloatArray, beta: float, omega: float
) -> FloatArray:
    """Return the reservoir that remains in the end, shape (city,).

    It is the largest solution of
    ``sig_k = sig_k(0) exp(-(beta/omega) sum_j W_kj (sig_j(0) - sig_j + lam_j(0)))``.
    """
    sig = np.asarray(sig0, dtype=np.float64)
    for _ in range(100_000):  # falls monotonically to the largest solution
        new = sig0 * np.exp(-(beta / omega) * (W @ (sig0 - sig + lam0)))
        if np.max(np.abs(new - sig)) < 1e-14:
            return np.asarray(new)
        sig = new
    raise RuntimeError("the final size did not converge")  # pragma: no cover


def growth_rate(sig: FloatArray, W: FloatArray, beta: float, omega: float) -> float:
    """Return the growth rate of small unrest: top eigenvalue of ``beta diag(sig) W - omega I``."""
    return float(np.max(np.linalg.eigvals(beta * np.diag(sig) @ W).real)) - omega
