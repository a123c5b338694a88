"""Mechanism 2, lethal: killings by lethal force, and the outrage and fear that follow.

The intensity of fire is ``f = (f0 + (1 - f0) [fire ordered]) loyal_share``. With ``A_c`` the mean
number of people active in a city on a day,

- civilians killed are Poisson ``h f A_c``, and members of the forces killed are Poisson ``h_s w
  A_c``, where w is the share of active people who are armed;
- allied soldiers killed are Poisson ``h_s w x (n / (n + police)) sum_c A_c``, where n are in the
  country and x is the exposure of those who guard sites to crowds.

``V_c`` is civilians killed per 1,000 mobilisable people, and B = 1 - internet is the blackout. Then

- outrage    ``E_c <- E_c exp(-1/tau) + (1 - B chi) [V_c + spread sum_{j != c} V_j]``;
- fear       ``X_c <- X_c exp(-1/tau_r) + V_c`` and ``lethal_risk_c = s (1 - exp(-k_l X_c))``;
- legitimacy ``L_c <- L_c - kappa (1 - B chi) Vbar + rho (L0_c + o - L_c)``, where Vbar is the
  population-weighted mean of V_c, L0 is the streets' baseline and o is what the government's story
  has added (mechanism 4; 0 if off).

The streets add ``backlash (1 - exp(-outrage))`` to grievance, which saturates because only so many
people can be outraged, and ``lethal_risk`` to net risk. A killing therefore deters those who saw it
for some days and outrages all who hear of it for longer. This form was designed for this project as
an extension of Epstein (2002, doi 10.1073/pnas.092080199). The literature gives signs, not sizes:
outrage after killings (Sutton, Butcher and Svensson 2014, J Peace Research 51:559); an inverted U
of protest against state violence over 24 cities (Steinert-Threlkeld, Chan and Joo 2022, J
Politics); and signs that differ between drafts of one study of Chile in 2019. Every prior here is
therefore wide and elicited.

Off, or with backlash, fear weight, legitimacy loss and recovery at 0: the streets follow mechanism
1 exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foedus.case.priors import Beta, LogNormal
from foedus.randomness import Random
from foedus.world.guidance import Guidance
from foedus.world.mechanism import Dim, Mechanism, Parameter, Parameters, Variable
from foedus.world.setting import Setting
from foedus.world.state import State

FloatArray = NDArray[np.float64]

#: Killings are counted per this number of mobilisable people.
PER = 1000.0


def _log(median: float, sd_log: float) -> LogNormal:
    return LogNormal(dist="lognormal", median=median, sd_log=sd_log)


def _share(mean: float, n: float) -> Beta:
    return Beta(dist="beta", mean=mean, n=n)


PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "lethal.baseline_fire",
        _share(0.08, 6.0),
        "share",
        "Intensity of fire f0 without an order, as a share of that under the order.",
        0.0,
        1.0,
    ),
    Parameter(
        "lethal.hazard",
        _log(1e-3, 1.2),
        "1/day",
        "Daily chance h that an active person is killed under full fire.",
        0.0,
        0.2,
    ),
    Parameter(
        "lethal.armed_share",
        _share(0.04, 15.0),
        "share",
        "Share w of active people who are armed.",
        0.0,
        1.0,
    ),
    Parameter(
        "lethal.hazard_security",
        _log(5e-3, 1.0),
        "1/day",
        "Members of the forces h_s killed per armed active person and day.",
        0.0,
        0.5,
    ),
    Parameter(
        "lethal.exposure",
        _share(0.1, 6.0),
        "share",
        "Exposure x to crowds of allied guards of sites, as a share of that of police.",
        0.0,
        1.0,
    ),
    Parameter(
        "lethal.backlash",
        _log(0.2, 1.0),
        "grievance",
        "Maximum grievance b that outrage adds; read by the streets.",
        0.0,
        10.0,
    ),
    Parameter(
        "lethal.outrage_days",
        _log(7.0, 0.6),
        "day",
        "Decay time tau of outrage.",
        0.5,
        365.0,
    ),
    Parameter(
        "lethal.spread",
        _share(0.4, 4.0),
        "share",
        "Weight of killings in other cities relative to those in one's own.",
        0.0,
        1.0,
    ),
    Parameter(
        "lethal.blackout",
        _share(0.5, 4.0),
        "share",
        "Share chi of the news of killings that a full shutdown suppresses.",
        0.0,
        1.0,
    ),
    Parameter(
        "lethal.fear_weight",
        _log(1.0, 0.8),
        "1",
        "Weight s of the risk of being killed relative to that of arrest.",
        0.0,
        20.0,
    ),
    Parameter(
        "lethal.fear_rate",
        _log(0.7, 0.8),
        "1 per death in 1,000",
        "Rate k_l at which the perceived risk of being killed rises with killings.",
        0.0,
        50.0,
    ),
    Parameter(
        "lethal.fear_days",
        _log(3.0, 0.6),
        "day",
        "Decay time tau_r of fear.",
        0.5,
        365.0,
    ),
    Parameter(
        "lethal.legitimacy_loss",
        _log(0.05, 1.0),
        "legitimacy per death in 1,000",
        "Loss of legitimacy kappa in all cities per unit of killings.",
        0.0,
        10.0,
    ),
    Parameter(
        "lethal.legitimacy_recovery",
        _log(0.02, 0.8),
        "1/day",
        "Share rho of lost legitimacy that recovers in a day.",
        0.0,
        1.0,
    ),
)


@dataclass
class Fear:
    """Decayed sum of killings per 1,000 mobilisable people, shape (run, city)."""

    recent: FloatArray


def firing_level(p: Parameters, state: State) -> FloatArray:
    """Return the intensity of fire f in [0, 1], shape (run,)."""
    base = p["lethal.baseline_fire"]
    return np.where(state.happened("fire_order"), 1.0, base) * state.loyal_share


def start(setting: Setting, p: Parameters, state: State, random: Random) -> None:
    """Start without fear."""
    state.remember(Fear(np.zeros_like(state.outrage)))


def step(
    setting: Setting, p: Parameters, state: State, day: int, random: Random, guidance: Guidance
) -> None:
    """Draw the day's deaths, then update outrage, fear and legitimacy.

    Reads ``loyal_share``, ``internet``, ``present``, the order to fire, and fields of the streets
    and the airlift; writes ``deaths_protesters``, ``deaths_security``, ``deaths_allied``,
    ``outrage``, ``lethal_risk`` and ``legitimacy``.
    """
    cities = range(len(setting.cities))
    active = state.active_people
    rate = p["lethal.hazard"] * firing_level(p, state)
    armed = p["lethal.hazard_security"] * p["lethal.armed_share"]
    total = np.zeros(random.runs.size)
    for c in cities:
        people = active[:, c]
        total += people
        state.deaths_protesters[:, c] = random.poisson(
            rate * people, "lethal.protesters", place=c, tick=day
        )
        state.deaths_security[:, c] = random.poisson(
            armed * people, "lethal.security", place=c, tick=day
        )
    state.deaths_allied[:] = _allied_deaths(p, state, armed * total, day, random)
    _remember(setting, p, state)


def _allied_deaths(
    p: Parameters, state: State, attack: FloatArray, day: int, random: Random
) -> FloatArray:
    """Return allied soldiers killed today, shape (run,)."""
    troops = np.zeros(random.runs.size)
    for m in range(state.present.shape[1]):
        troops += state.present[:, m]
    among = np.where(troops > 0.0, troops / np.maximum(troops + state.police, 1.0), 0.0)
    return random.poisson(p["lethal.exposure"] * attack * among, "lethal.allied", tick=day)


def _remember(setting: Setting, p: Parameters, state: State) -> None:
    """Update outrage, fear and legitimacy from the day's killings."""
    killed = state.deaths_protesters
    toll = PER * killed / np.maximum(state.mobilisable, 1.0)
    heard = 1.0 - (1.0 - state.internet) * p["lethal.blackout"]
    weight = setting.population / setting.population.sum()
    everywhere = np.zeros_like(state.internet)
    mean_toll = np.zeros_like(state.internet)
    for c in range(killed.shape[1]):
        everywhere += toll[:, c]
        mean_toll += weight[c] * toll[:, c]

    spread = p["lethal.spread"][:, None]
    seen = toll + spread * (everywhere[:, None] - toll)
    keep = np.exp(-1.0 / p["lethal.outrage_days"])[:, None]
    state.outrage[:] = state.outrage * keep + heard[:, None] * seen

    fear = state.of(Fear).recent
    fear[:] = fear * np.exp(-1.0 / p["lethal.fear_days"])[:, None] + toll
    danger = -np.expm1(-p["lethal.fear_rate"][:, None] * fear)
    state.lethal_risk[:] = p["lethal.fear_weight"][:, None] * danger

    level = state.legitimacy
    baseline = level if state.baseline is None else state.baseline
    target = np.clip(baseline + state.story, 0.0, 1.0)
    loss = (p["lethal.legitimacy_loss"] * heard * mean_toll)[:, None]
    back = p["lethal.legitimacy_recovery"][:, None] * (target - level)
    state.legitimacy[:] = np.clip(level - loss + back, 0.0, 1.0)


def expected_participation(
    lethality: FloatArray,
    *,
    legitimacy: float,
    arrest: float,
    threshold: float,
    backlash: float,
    fear_weight: float,
    fear_rate: float,
    saturation: float,
) -> FloatArray:
    """Return the mean-field share of active citizens at a constant rate of killing.

    With H and R uniform on (0, 1), ``G = H (1 - L) + b E`` and ``N = R (P + s P_lethal)``, this is
    the share with ``G - N > T``. Outrage saturates, ``E = 1 - exp(-saturation x)``, and fear is
    ``P_lethal = 1 - exp(-fear_rate x)``. With a saturation above the fear rate and suitable b and
    s, the share rises and then falls: the inverted U.

    Parameters
    ----------
    lethality : ndarray
        Killings x per 1,000 mobilisable people within the memory of outrage and fear.
    legitimacy, arrest, threshold, backlash, fear_weight, fear_rate : float
        L, P, T, b, s and k_l.
    saturation : float
        Rate at which outrage saturates.
    """
    shift = backlash * -np.expm1(-saturation * np.asarray(lethality, dtype=np.float64))
    risk = arrest + fear_weight * -np.expm1(-fear_rate * np.asarray(lethality, dtype=np.float64))
    r = (np.arange(2000) + 0.5) / 2000
    needed = (threshold - shift[..., None] + risk[..., None] * r) / (1.0 - legitimacy)
    return np.asarray(np.mean(1.0 - np.clip(needed, 0.0, 1.0), axis=-1))


_CITY: tuple[Dim, ...] = ("day", "city")

MECHANISM = Mechanism(
    name="lethal",
    text=__doc__,
    parameters=PARAMETERS,
    reads=(
        "active_people",
        "baseline",
        "event.fire_order",
        "internet",
        "loyal_share",
        "mobilisable",
        "police",
        "present",
        "story",
    ),
    writes=(
        "deaths_allied",
        "deaths_protesters",
        "deaths_security",
        "legitimacy",
        "lethal_risk",
        "outrage",
    ),
    draws=("lethal.protesters", "lethal.security", "lethal.allied"),
    outputs=(
        Variable("deaths_protesters", _CITY, "float32", "people", "civilians killed on the day"),
        Variable("deaths_security", _CITY, "float32", "people", "officers killed on the day"),
        Variable(
            "deaths_allied", ("day",), "float32", "people", "allied soldiers killed on the day"
        ),
    ),
    quantities=("deaths_protesters", "deaths_security", "deaths_allied", "deaths_total"),
    memory=Fear,
    start=start,
    step=step,
)
