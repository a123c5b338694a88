"""Mechanism 10, ties: what the lead power has at stake in the requester.

The lead's own interest is

    I = w_d · dependence + w_b · border / (border + 1000 km) + w_f · firms - w_s · sanctions,

a covariate of the lead's answer (mechanism 7). Dependence on the lead is also a covariate of the
leader's request (mechanism 6). Ties enter nowhere else. The casebook gives no size for any of them
(contiguity .65 against .62 of core cases granted), so the weights are elicited. Only the signs come
from the literature: Findley & Teo 2006 (doi 10.1111/j.1468-2508.2006.00473.x) and Bove, Gleditsch &
Sekeris 2016 (doi 10.1177/0022002714567952) both find that interests draw powers in.

Off: interest is 0 and dependence is ½, where it has no effect.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.case.priors import Normal
from foedus.randomness import Random
from foedus.world.mechanism import Mechanism, Parameter, Parameters
from foedus.world.setting import Setting
from foedus.world.state import State

FloatArray = NDArray[np.float64]

#: Border length at which the border has half of its weight, in km.
HALF_BORDER_KM = 1000.0

_ELICITED = "elicited; signs as in Findley & Teo 2006, doi 10.1111/j.1468-2508.2006.00473.x"


def _weight(name: str, mean: float, meaning: str) -> Parameter:
    prior = Normal(dist="normal", mean=mean, sd=0.25, origin="elicited", source=_ELICITED)
    return Parameter(f"ties.{name}", prior, "1", meaning, -2.0, 2.0)


PARAMETERS: tuple[Parameter, ...] = (
    _weight("dependence", 0.5, "Weight of the requester's dependence in the lead's interest."),
    _weight("border", 0.3, "Weight of a long common border in the lead's interest."),
    _weight("firms", 0.2, "Weight of foreign firms' stakes in the lead's interest."),
    _weight("sanctions", 0.2, "Weight of sanctions on the lead, which reduce its interest."),
)


def lead_interest(setting: Setting, p: Parameters) -> FloatArray:
    """Return the lead's interest in the requester, shape (run,), about 0 to 1."""
    ties = setting.ties
    border = ties["border_km"] / (ties["border_km"] + HALF_BORDER_KM)
    return (
        p["ties.dependence"] * ties["dependence_on_lead"]
        + p["ties.border"] * border
        + p["ties.firms"] * ties["foreign_firms"]
        - p["ties.sanctions"] * ties["sanctions"]
    )


def start(setting: Setting, p: Parameters, state: State, random: Random) -> None:
    """Set the two covariates for the leader and the alliance."""
    state.interest[:] = lead_interest(setting, p)
    state.dependence[:] = setting.ties["dependence_on_lead"]


MECHANISM = Mechanism(
    name="ties",
    text=__doc__,
    parameters=PARAMETERS,
    writes=("dependence", "interest"),
    start=start,
)
