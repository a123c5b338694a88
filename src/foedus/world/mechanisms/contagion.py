"""Mechanism 3, contagion between cities, and what a shutdown of the internet cuts.

The pressure that a city feels from unrest elsewhere decays and is renewed,

    ``C_c <- C_c exp(-omega) + (1 - exp(-omega))/omega · eta (1 - exp(-gamma Lambda_c))``,
    ``Lambda_c = sum_{j != c} W_cj a_j``,
    ``W_cj = (1 - m) (1 + d_cj/d0)^(-delta) + m (1 - chi (1 - internet))``,

where a is the active share. The streets add C to grievance. A share m of the influence goes by the
media, whatever the distance, and only this share is cut by a shutdown.

It is the pressure equation of Bonnasse-Gahot et al. 2018 (the French riots of 2005,
doi 10.1038/s41598-017-18093-4), whose field equations

    ``lambda' = -omega lambda + sigma Psi(W lambda)``, ``sigma' = -sigma Psi(W lambda)``

are here as :func:`field`, with what is known of them in closed form; the lattice is the reservoir
sigma. Their fitted values are not used: the priors are elicited. A linear self-exciting model ties
the size of contagion to a branching ratio n: local causes are multiplied by 1/(1 - n), and the
Swing riots' 2.65 (Aidt, Leon and Satchell 2022, J Politics; above 3 in Aidt and Leon-Ablan 2021,
doi 10.1017/S0007123420000873) means n = .62: :data:`BRANCHING`. It is the yardstick of
:func:`cluster`; a lattice answers pressure in no linear way, so it bounds no parameter here.

Off, or with strength 0: no city feels another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foedus.case.priors import Beta, LogNormal
from foedus.randomness import Random
from foedus.world.guidance import Guidance
from foedus.world.mechanism import Mechanism
from foedus.world.parameters import Parameter, Parameters
from foedus.world.setting import Setting
from foedus.world.state import State

FloatArray = NDArray[np.float64]

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "contagion.strength",
        LogNormal(dist="lognormal", median=0.03, sd_log=0.9),
        "grievance/day",
        "Grievance eta that unrest elsewhere adds in a day, at most.",
        0.0,
        1.0,
    ),
    Parameter(
        "contagion.slope",
        LogNormal(dist="lognormal", median=20.0, sd_log=0.8),
        "1/share",
        "How fast pressure saturates with the weighted active share elsewhere, gamma.",
        0.0,
        1000.0,
    ),
    Parameter(
        "contagion.decay",
        LogNormal(dist="lognormal", median=0.3, sd_log=0.6),
        "1/day",
        "Rate omega at which pressure fades.",
        0.01,
        5.0,
    ),
    Parameter(
        "contagion.media",
        Beta(dist="beta", mean=0.5, n=4.0),
        "share",
        "Share m of influence that goes by the media, whatever the distance.",
        0.0,
        1.0,
    ),
    Parameter(
        "contagion.distance",
        LogNormal(dist="lognormal", median=150.0, sd_log=0.8),
        "km",
        "Distance d0 at which nearness begins to matter.",
        1.0,
        5000.0,
    ),
    Parameter(
        "contagion.power",
        LogNormal(dist="lognormal", median=1.0, sd_log=0.5),
        "1",
        "Exponent delta of the fall of influence with distance.",
        0.0,
        5.0,
    ),
    Parameter(
        "contagion.shutdown",
        Beta(dist="beta", mean=0.7, n=5.0),
        "share",
        "Share chi of the media's influence that a full shutdown cuts.",
        0.0,
        1.0,
    ),
)


@dataclass
class Nearness:
    """Weight of each city's unrest in each other's, but for the media, shape (run, city, city)."""

    weight: FloatArray


def start(setting: Setting, p: Parameters, state: State, random: Random) -> None:
    """Keep the influence of nearness, which no day changes."""
    reach = 1.0 + setting.distance[None, :, :] / p["contagion.distance"][:, None, None]
    near = np.exp(-p["contagion.power"][:, None, None] * np.log(reach))
    state.remember(Nearness((1.0 - p["contagion.media"])[:, None, None] * near))


def step(
    setting: Setting, p: Parameters, state: State, day: int, random: Random, guidance: Guidance
) -> None:
    """Move the pressure by yesterday's unrest; reads ``active_share``, ``internet``."""
    near = state.of(Nearness).weight
    media = p["contagion.media"] * (1.0 - p["contagion.shutdown"] * (1.0 - state.internet))
    active = state.active_share
    count = active.shape[1]
    everywhere = np.zeros_like(state.internet)
    for j in range(count):
        everywhere += active[:, j]
    felt = media[:, None] * (everywhere[:, None] - active)
    for c in range(count):
        for j in range(count):
            if j != c:
                felt[:, c] += near[:, c, j] * active[:, j]
    omega = p["contagion.decay"]
    renewed = -np.expm1(-omega) / omega * p["contagion.strength"]
    pressure = -np.expm1(-p["contagion.slope"][:, None] * np.maximum(felt, 0.0))
    state.contagion[:] = state.contagion * np.exp(-omega)[:, None] + renewed[:, None] * pressure


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
    """Return ``(I - N)^-1``: entry (i, j) is the events in i that one in j brings, itself included.

    Parameters
    ----------
    N : ndarray, shape (city, city)
        Direct offspring in i of an event in j (Hawkes 1971, doi 10.1093/biomet/58.1.83).

    Raises
    ------
    ValueError
        If the spectral radius is not below 1: clusters would be endless.
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
        Activity, and the reservoir that is left.
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
    from scipy.integrate import solve_ivp

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
    """Return the reservoir that is left in the end, shape (city,).

    It is the largest solution of
    ``sig_k = sig_k(0) exp(-(beta/omega) sum_j W_kj (sig_j(0) - sig_j + lam_j(0)))``.
    """
    sig = np.asarray(sig0, dtype=np.float64)
    for _ in range(100_000):  # falls monotonely to the largest solution
        new = sig0 * np.exp(-(beta / omega) * (W @ (sig0 - sig + lam0)))
        if np.max(np.abs(new - sig)) < 1e-14:
            return np.asarray(new)
        sig = new
    raise RuntimeError("the final size did not converge")  # pragma: no cover


def growth_rate(sig: FloatArray, W: FloatArray, beta: float, omega: float) -> float:
    """Return the growth rate of small unrest: top eigenvalue of ``beta diag(sig) W - omega I``."""
    return float(np.max(np.linalg.eigvals(beta * np.diag(sig) @ W).real)) - omega


MECHANISM = Mechanism(
    name="contagion",
    text=__doc__,
    parameters=PARAMETERS,
    reads=("active_share", "internet"),
    writes=("contagion",),
    memory=Nearness,
    start=start,
    step=step,
)
