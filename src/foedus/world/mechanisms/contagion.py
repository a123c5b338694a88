"""Mechanism 3, contagion: unrest in one city raises grievance in the others.

The pressure C that a city feels from unrest elsewhere decays and is renewed daily,

    ``C_c <- C_c exp(-omega) + (1 - exp(-omega))/omega · eta (1 - exp(-gamma Lambda_c))``,
    ``Lambda_c = sum_{j != c} W_cj a_j``,
    ``W_cj = (1 - m) (1 + d_cj/d0)^(-delta) + m (1 - chi (1 - internet))``,

where a is the active share. The streets add C to grievance. A share m of the influence travels
through the media, at any distance; an internet shutdown cuts only this share.

This is the pressure equation of Bonnasse-Gahot et al. 2018 (the French riots of 2005, doi
10.1038/s41598-017-18093-4), with the lattice as the reservoir of participants. Their fitted values
are not used: the priors are elicited. Estimates from linear self-exciting models (Aidt, Leon and
Satchell 2022, J Politics; Aidt and Leon-Ablan 2021, doi 10.1017/S0007123420000873) do not bound a
parameter here, because a lattice does not respond linearly to pressure.

Off, or with strength 0: cities do not influence each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foedus.case.priors import Beta, LogNormal
from foedus.randomness import Random
from foedus.world.guidance import Guidance
from foedus.world.mechanism import Mechanism, Parameter, Parameters
from foedus.world.setting import Setting
from foedus.world.state import State

FloatArray = NDArray[np.float64]

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "contagion.strength",
        LogNormal(dist="lognormal", median=0.03, sd_log=0.9),
        "grievance/day",
        "Maximum grievance eta that unrest elsewhere adds in a day.",
        0.0,
        1.0,
    ),
    Parameter(
        "contagion.slope",
        LogNormal(dist="lognormal", median=20.0, sd_log=0.8),
        "1/share",
        "Rate gamma at which pressure saturates with the weighted active share elsewhere.",
        0.0,
        1000.0,
    ),
    Parameter(
        "contagion.decay",
        LogNormal(dist="lognormal", median=0.3, sd_log=0.6),
        "1/day",
        "Rate omega at which pressure decays.",
        0.01,
        5.0,
    ),
    Parameter(
        "contagion.media",
        Beta(dist="beta", mean=0.5, n=4.0),
        "share",
        "Share m of influence that travels through the media, at any distance.",
        0.0,
        1.0,
    ),
    Parameter(
        "contagion.distance",
        LogNormal(dist="lognormal", median=150.0, sd_log=0.8),
        "km",
        "Distance scale d0 beyond which influence falls as a power of distance.",
        1.0,
        5000.0,
    ),
    Parameter(
        "contagion.power",
        LogNormal(dist="lognormal", median=1.0, sd_log=0.5),
        "1",
        "Exponent delta of the decay of influence with distance.",
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
    """Influence of one city on another by distance, without the media, shape (run, city, city)."""

    weight: FloatArray


def start(setting: Setting, p: Parameters, state: State, random: Random) -> None:
    """Compute the influence by distance, which is constant in time."""
    reach = 1.0 + setting.distance[None, :, :] / p["contagion.distance"][:, None, None]
    near = np.exp(-p["contagion.power"][:, None, None] * np.log(reach))
    state.remember(Nearness((1.0 - p["contagion.media"])[:, None, None] * near))


def step(
    setting: Setting, p: Parameters, state: State, day: int, random: Random, guidance: Guidance
) -> None:
    """Update the pressure from yesterday's unrest; reads ``active_share`` and ``internet``."""
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
