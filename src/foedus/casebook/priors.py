"""The priors of the fitted models, each with where it comes from.

Log-odds unless said otherwise. ``elicited`` marks a number that the authors chose wide because
nothing published fixes it. Published effects keep their sign, with halved means.
"""

from __future__ import annotations

from dataclasses import dataclass

_DEBRE = "Debre 2021, doi 10.1007/s11558-021-09428-y"


@dataclass(frozen=True)
class Prior:
    """A normal prior.

    Attributes
    ----------
    mean, sd : float
    source : str
    half : bool
        Half-normal with scale ``sd`` instead.
    log : bool
        Normal in the logarithm instead: for scales that cannot be near zero.
    """

    mean: float
    sd: float
    source: str
    half: bool = False
    log: bool = False


#: Error rates of a coding by confidence grade: chance that a value is another one.
CODING_ERROR: dict[str, float] = {"H": 0.01, "M": 0.03, "L": 0.10}
#: Standard error of a troop count by confidence grade, in log10.
COUNT_ERROR: dict[str, float] = {"H": 0.03, "M": 0.08, "L": 0.20}

PRIORS: dict[str, Prior] = {
    # Does the government ask?
    "request.intercept": Prior(
        1.0, 1.5, "elicited; crises enter the casebook mostly because somebody asked"
    ),
    "request.organisation_sd": Prior(0, 0.75, "elicited", half=True),
    "request.trigger_sd": Prior(0, 0.75, "elicited", half=True),
    # What is the answer to a request?
    "answer.intercept": Prior(
        0.0,
        1.5,
        "elicited; a single member's contribution is Normal(-1.5, 1) after Berkemeier and Fuhrmann"
        " 2018, doi 10.1177/2053168018779697 (12 of 54 pacts honoured after 1945), but a row here"
        " asks whether anybody sent troops, so the prior is wider and centred on even odds",
    ),
    "answer.organisation_sd": Prior(0, 1.0, "elicited", half=True),
    # Street challenge against attack by a state: difference Normal(1.0, 0.75), split in halves.
    "answer.domestic_protest": Prior(0.5, 0.53, f"{_DEBRE}: solidarity against street challenge"),
    "answer.coup_mutiny": Prior(0.0, 0.53, f"{_DEBRE}: no effect against coups"),
    "answer.insurgency": Prior(0.0, 0.53, "elicited"),
    "answer.external_attack": Prior(-0.5, 0.53, f"{_DEBRE}: contrast with street challenge"),
    "answer.border_clash": Prior(-0.5, 0.53, f"{_DEBRE}: contrast with street challenge"),
    "answer.base": Prior(
        0.0, 0.75, "elicited; raw link is negative but confounded with organisation"
    ),
    "answer.rival": Prior(-0.25, 0.75, "elicited sign: opposition raises the cost"),
    "answer.contiguous": Prior(
        0.35,
        0.5,
        "proxy of the lead's own interest; contiguity odds ratio 2 to 4 (elicited), halved",
    ),
    "answer.year": Prior(0.0, 0.25, "elicited; per 20 years"),
    # Where no troops come: softmax weights of none, refused, limited.
    "answer.none": Prior(-1.5, 1.5, "elicited; a formal request seldom meets silence"),
    "answer.refused": Prior(0.0, 1.5, "elicited"),
    "answer.limited": Prior(0.0, 1.5, "elicited"),
    "answer.limited_organisation_sd": Prior(0, 1.0, "elicited", half=True),
    # Days from request to first arrival, natural log.
    "arrival.intercept": Prior(1.0, 1.5, "elicited; the median lies between hours and a month"),
    "arrival.collective": Prior(1.0, 1.0, "elicited sign: councils are slower than one capital"),
    "arrival.organisation_sd": Prior(0, 0.75, "elicited", half=True),
    "arrival.trigger_sd": Prior(0, 0.75, "elicited", half=True),
    "arrival.sd": Prior(0.4, 0.5, "elicited; median 1.5, 90% 0.7 to 3.4", log=True),
    # Soldiers in the first month, log10.
    "size.intercept": Prior(3.2, 0.5, "elicited; a reinforced battalion"),
    "size.organisation_sd": Prior(0, 0.4, "elicited", half=True),
    "size.trigger_sd": Prior(0, 0.4, "elicited", half=True),
    "size.sd": Prior(-0.7, 0.4, "elicited; median 0.5, 90% 0.26 to 0.96", log=True),
    # Months from arrival to withdrawal: two lognormals, natural log.
    "duration.short_share": Prior(0.0, 1.0, "elicited"),
    "duration.trigger_sd": Prior(0, 1.0, "elicited", half=True),
    "duration.organisation_sd": Prior(0, 0.75, "elicited", half=True),
    "duration.short": Prior(0.7, 0.5, "elicited; about two months, a mandate and its extension"),
    "duration.gap": Prior(2.5, 0.75, "elicited; the long kind lasts about twelve times as long"),
    "duration.short_sd": Prior(-0.35, 0.35, "elicited; median 0.7, 90% 0.4 to 1.25", log=True),
    "duration.long_sd": Prior(-0.1, 0.35, "elicited; median 0.9, 90% 0.5 to 1.6", log=True),
    # Is the requester in power after 90 days?
    "survival.intercept": Prior(0.75, 1.0, "elicited"),
    "survival.troops": Prior(0.5, 0.75, "elicited sign; selection: help goes to the savable"),
    "survival.limited": Prior(0.25, 0.75, "elicited"),
    "survival.refused": Prior(-0.5, 0.75, "elicited"),
    "survival.trigger_sd": Prior(0, 0.75, "elicited", half=True),
    "survival.organisation_sd": Prior(0, 0.5, "elicited", half=True),
}
