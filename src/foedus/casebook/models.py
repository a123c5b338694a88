"""The five models: priors, equations, likelihoods and simulated responses.

Everything here is numpy and works on posterior draws. `refit` states the same equations for PyMC; a
test compares the two. Shapes: D draws, n rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from foedus.casebook.coded_case import MISSION_KINDS, TRIGGERS
from foedus.casebook.design import COMBINATIONS, Floats, Inputs, Responses

Draws = Mapping[str, Floats]
_TINY = 1e-9
#: Least chance of a mission that lasts so long, as in `refit`.
_RARE = 1e-12
_ERROR = 0.03
_COUNT_ERROR = 0.08
_CENSORED_SHARE, _CENSORED_AT = 0.2, 24.0

_DEBRE = "Debre 2021, doi 10.1007/s11558-021-09428-y"


@dataclass(frozen=True)
class NormalPrior:
    """A normal prior.

    Attributes
    ----------
    mean, sd : float
    source : str
    half : bool
        Half-normal with scale ``sd`` instead.
    log : bool
        Log-normal instead, with these parameters of the logarithm: for scales far from zero.
    """

    mean: float
    sd: float
    source: str
    half: bool = False
    log: bool = False


#: Log-odds unless stated otherwise. ``elicited`` marks a wide prior that the authors chose, because
#: no published figure fixes it. Published effects keep their sign; their means are halved.
PRIORS: dict[str, NormalPrior] = {
    # Does the government ask?
    "request.intercept": NormalPrior(
        1.0, 1.5, "elicited; crises enter the casebook mostly because somebody asked"
    ),
    "request.organisation_sd": NormalPrior(0, 0.75, "elicited", half=True),
    "request.trigger_sd": NormalPrior(0, 0.75, "elicited", half=True),
    # What is the answer to a request?
    "answer.intercept": NormalPrior(
        0.0,
        1.5,
        "elicited; a single member's contribution is Normal(-1.5, 1) after Berkemeier and Fuhrmann"
        " 2018, doi 10.1177/2053168018779697 (12 of 54 pacts honoured after 1945), but a row here"
        " asks whether anybody sent troops, so the prior is wider and centred on even odds",
    ),
    "answer.organisation_sd": NormalPrior(0, 1.0, "elicited", half=True),
    # Street challenge against attack by a state: difference Normal(1.0, 0.75), split in halves.
    "answer.domestic_protest": NormalPrior(
        0.5, 0.53, f"{_DEBRE}: solidarity against street challenge"
    ),
    "answer.coup_mutiny": NormalPrior(0.0, 0.53, f"{_DEBRE}: no effect against coups"),
    "answer.insurgency": NormalPrior(0.0, 0.53, "elicited"),
    "answer.external_attack": NormalPrior(-0.5, 0.53, f"{_DEBRE}: contrast with street challenge"),
    "answer.border_clash": NormalPrior(-0.5, 0.53, f"{_DEBRE}: contrast with street challenge"),
    "answer.base": NormalPrior(
        0.0, 0.75, "elicited; raw link is negative but confounded with organisation"
    ),
    "answer.rival": NormalPrior(-0.25, 0.75, "elicited sign: opposition raises the cost"),
    "answer.contiguous": NormalPrior(
        0.35,
        0.5,
        "proxy of the lead's own interest; contiguity odds ratio 2 to 4 (elicited), halved",
    ),
    "answer.year": NormalPrior(0.0, 0.25, "elicited; per 20 years"),
    # Where no troops come: softmax weights of none, refused, limited.
    "answer.none": NormalPrior(-1.5, 1.5, "elicited; a formal request seldom meets silence"),
    "answer.refused": NormalPrior(0.0, 1.5, "elicited"),
    "answer.limited": NormalPrior(0.0, 1.5, "elicited"),
    "answer.limited_organisation_sd": NormalPrior(0, 1.0, "elicited", half=True),
    # Days from request to first arrival, natural log.
    "arrival.intercept": NormalPrior(
        1.0, 1.5, "elicited; the median lies between hours and a month"
    ),
    "arrival.collective": NormalPrior(
        1.0, 1.0, "elicited sign: councils are slower than one capital"
    ),
    "arrival.organisation_sd": NormalPrior(0, 0.75, "elicited", half=True),
    "arrival.trigger_sd": NormalPrior(0, 0.75, "elicited", half=True),
    "arrival.sd": NormalPrior(0.4, 0.5, "elicited; median 1.5, 90% 0.7 to 3.4", log=True),
    # Soldiers in the first month, log10.
    "size.intercept": NormalPrior(3.2, 0.5, "elicited; a reinforced battalion"),
    "size.organisation_sd": NormalPrior(0, 0.4, "elicited", half=True),
    "size.trigger_sd": NormalPrior(0, 0.4, "elicited", half=True),
    "size.sd": NormalPrior(-0.7, 0.4, "elicited; median 0.5, 90% 0.26 to 0.96", log=True),
    # Months from arrival to withdrawal: two lognormals, natural log.
    "duration.short_share": NormalPrior(0.0, 1.0, "elicited"),
    "duration.trigger_sd": NormalPrior(0, 1.0, "elicited", half=True),
    "duration.organisation_sd": NormalPrior(0, 0.75, "elicited", half=True),
    "duration.kind_sd": NormalPrior(0, 1.0, "elicited", half=True),
    # Softmax weights of the mission kinds, in common and by trigger.
    "duration.kind": NormalPrior(0.0, 1.0, "elicited"),
    "duration.kind_by_trigger_sd": NormalPrior(0, 1.0, "elicited", half=True),
    "duration.short": NormalPrior(
        0.7, 0.5, "elicited; about two months, a mandate and its extension"
    ),
    "duration.gap": NormalPrior(
        2.5, 0.75, "elicited; the long kind lasts about twelve times as long"
    ),
    "duration.short_sd": NormalPrior(
        -0.35, 0.35, "elicited; median 0.7, 90% 0.4 to 1.25", log=True
    ),
    "duration.long_sd": NormalPrior(-0.1, 0.35, "elicited; median 0.9, 90% 0.5 to 1.6", log=True),
    # Is the requester in power after 90 days?
    "survival.intercept": NormalPrior(0.75, 1.0, "elicited"),
    "survival.troops": NormalPrior(0.5, 0.75, "elicited sign; selection: help goes to the savable"),
    "survival.limited": NormalPrior(0.25, 0.75, "elicited"),
    "survival.refused": NormalPrior(-0.5, 0.75, "elicited"),
    "survival.trigger_sd": NormalPrior(0, 0.75, "elicited", half=True),
    "survival.organisation_sd": NormalPrior(0, 0.5, "elicited", half=True),
}


def request_probability(draws: Draws, x: Inputs) -> Floats:
    """Return P(the government asks), shape (D, n)."""
    logit = draws["req_a"] + draws["req_u"][:, x.group] + draws["req_v"][:, x.trigger]
    out: Floats = special.expit(logit)
    return out


def answer_given_request(draws: Draws, x: Inputs) -> Floats:
    """Return P(none, refused, limited, troops | asked), shape (D, n, 4).

    A nested logit. First troops or not, with the covariates, averaged over unknown binary features.
    If not, a softmax of the other three answers, with a pooled organisation effect on limited.
    """
    fixed = (
        draws["ans_a"]
        + draws["ans_u"][:, x.group]
        + draws["ans_v"][:, x.trigger]
        + draws["ans_year"] * x.year
    )
    eta = fixed[:, :, None] + (draws["ans_b"] @ COMBINATIONS.T)[:, None, :]
    troops = np.einsum("dnc,nc->dn", special.expit(eta), x.weights)
    rest = np.repeat(draws["ans_rest"][:, None, :], x.group.size, axis=1)
    rest[:, :, 2] += draws["ans_limited"][:, x.group]
    share = special.softmax(rest, axis=2) * (1 - troops)[:, :, None]
    return np.concatenate([share, troops[:, :, None]], axis=2)


def answer_probability(draws: Draws, x: Inputs, *, asked: Floats | None = None) -> Floats:
    """Return P(answer), shape (D, n, 4); P(request) is ``asked``, or that of the model."""
    p = request_probability(draws, x) if asked is None else np.asarray(asked)[None, :]
    given = answer_given_request(draws, x)
    return p[..., None] * given + (1 - p[..., None]) * draws["psi"][:, None, :]


def arrival_location(draws: Draws, x: Inputs) -> tuple[Floats, Floats]:
    """Return mean and sd of the log of days to arrival, shapes (D, n)."""
    mean = (
        draws["a"]
        + draws["collective"] * x.collective
        + draws["u"][:, x.group]
        + draws["v"][:, x.trigger]
    )
    sd = np.where(x.collective == 1, draws["sd"][:, 1:], draws["sd"][:, :1])
    return mean, sd


def size_location(draws: Draws, x: Inputs) -> tuple[Floats, Floats]:
    """Return mean and sd of log10 soldiers, shapes (D, n) and (D, 1)."""
    return draws["a"] + draws["u"][:, x.group] + draws["v"][:, x.trigger], draws["sd"]


def kind_given_trigger(draws: Draws, x: Inputs) -> Floats:
    """Return P(mission kind | trigger), shape (D, n, 4)."""
    logits = draws["kind"].reshape(-1, len(TRIGGERS), len(MISSION_KINDS))
    out: Floats = special.softmax(logits, axis=2)[:, x.trigger]
    return out


def kind_probability(draws: Draws, x: Inputs) -> Floats:
    """Return P(mission kind), shape (D, n, 4): certain where it is announced."""
    announced = x.kind.sum(axis=1)[:, None] > 0
    return np.where(announced, x.kind, kind_given_trigger(draws, x))


def short_share_by_kind(draws: Draws, x: Inputs) -> Floats:
    """Return P(the mission is short | mission kind), shape (D, n, 4)."""
    fixed = draws["a"] + draws["u"][:, x.group] + draws["v"][:, x.trigger]
    out: Floats = special.expit(fixed[:, :, None] + draws["w"][:, None, :])
    return out


def short_share(draws: Draws, x: Inputs) -> Floats:
    """Return P(the mission is short), shape (D, n), averaged over a kind that is not announced."""
    out: Floats = (kind_probability(draws, x) * short_share_by_kind(draws, x)).sum(axis=2)
    return out


def survival_by_answer(draws: Draws, x: Inputs) -> Floats:
    """Return P(in power after 90 days | answer), shape (D, n, 4)."""
    fixed = draws["a"] + draws["u"][:, x.group] + draws["v"][:, x.trigger]
    effect = np.concatenate([np.zeros_like(draws["a"]), draws["b"]], axis=1)
    out: Floats = special.expit(fixed[..., None] + effect[:, None, :])
    return out


def log_likelihood(model: str, draws: Draws, x: Inputs, y: Responses) -> Floats:
    """Return the log-likelihood of each row, shape (D, n); zero where masked."""
    value = _LOG[model](draws, x, y)
    return np.where(y.mask[model] == 1, value, 0.0)


def _call(draws: Draws, x: Inputs, y: Responses) -> Floats:
    p = request_probability(draws, x)
    yes = np.einsum("dnk,nk->dn", answer_given_request(draws, x), y.answer) + y.answer_free
    no = draws["psi"] @ y.answer.T + y.answer_free
    out: Floats = np.log(p * y.asked[:, 1] * yes + (1 - p) * y.asked[:, 0] * no)
    return out


def _arrival(draws: Draws, x: Inputs, y: Responses) -> Floats:
    mean, sd = arrival_location(draws, x)
    low, high = y.arrival[:, 0], y.arrival[:, 1]
    below = np.where(low > 0, special.ndtr((np.log(np.maximum(low, 0.5)) - mean) / sd), 0.0)
    out: Floats = np.log(special.ndtr((np.log(high) - mean) / sd) - below + _TINY)
    return out


def _size(draws: Draws, x: Inputs, y: Responses) -> Floats:
    mean, sd = size_location(draws, x)
    return _log_normal(y.size[:, 0], mean, np.hypot(sd, y.size[:, 1]))


def _duration(draws: Draws, x: Inputs, y: Responses) -> Floats:
    # Share of short missions given the coded kind, times the likelihood of that coding.
    kind = kind_given_trigger(draws, x) * y.kind
    share = (kind * short_share_by_kind(draws, x)).sum(axis=2)
    rest = (kind * (1 - short_share_by_kind(draws, x))).sum(axis=2)
    t = np.log(np.maximum(y.months[:, 0], _TINY))
    short, long = draws["mean"][:, :1], draws["mean"][:, 1:]
    sd1, sd2 = draws["sd"][:, :1], draws["sd"][:, 1:]
    ended = np.logaddexp(
        np.log(share) + _log_normal(t, short, sd1), np.log(rest) + _log_normal(t, long, sd2)
    )
    still = np.log(
        share * special.ndtr((short - t) / sd1) + rest * special.ndtr((long - t) / sd2) + _RARE
    )
    out: Floats = np.where(y.months[:, 1] == 1, still, ended)
    return out


def _survival(draws: Draws, x: Inputs, y: Responses) -> Floats:
    p = np.einsum("dnk,nk->dn", survival_by_answer(draws, x), y.survival_answer)
    out: Floats = np.log(p * y.survived[:, 1] + (1 - p) * y.survived[:, 0])
    return out


def _log_normal(t: Floats, mean: Floats, sd: Floats) -> Floats:
    out: Floats = -0.5 * ((t - mean) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)
    return out


_LOG = {
    "call": _call,
    "arrival": _arrival,
    "size": _size,
    "duration": _duration,
    "survival": _survival,
}


def simulate(
    model: str, draw: Draws, x: Inputs, y: Responses, random: np.random.Generator
) -> Responses:
    """Return responses drawn from a model at one set of parameters.

    Parameters
    ----------
    model : str
    draw : mapping
        Parameter → ndarray, shape (1, k).
    x : Inputs
    y : Responses
        Gives the shapes and what the model conditions on; every row is seen.
    random : numpy.random.Generator

    Notes
    -----
    Codings are wrong as often as the likelihood says for grade M; a fifth of the missions are still
    on at 24 months.
    """
    n = x.group.size
    y = replace(y, mask={m: np.ones(n) for m in y.mask})
    # One true combination of the binary features for each row, of which the model knows beliefs.
    truth = np.array([random.choice(len(COMBINATIONS), p=w / w.sum()) for w in x.weights])
    certain = replace(x, weights=np.eye(len(COMBINATIONS))[truth])
    if model == "call":
        p = request_probability(draw, certain)[0]
        asked = random.random(n) < p
        given = answer_given_request(draw, certain)[0]
        chances = np.where(asked[:, None], given, draw["psi"][0])
        answer = _choose(chances, random)
        wrong = random.random(n) < _ERROR
        coded = np.where(wrong, (answer + random.integers(1, 4, n)) % 4, answer)
        table = np.where(np.arange(4) == coded[:, None], 1 - _ERROR, _ERROR / 3)
        return replace(y, asked=_coded_flag(asked, random), answer=table, answer_free=np.zeros(n))
    if model == "arrival":
        mean, sd = arrival_location(draw, x)
        log_days = mean[0] + sd[0] * random.standard_normal(n)
        days = np.floor(np.exp(np.minimum(log_days, 5)))
        # Long delays are known to about a tenth, as with dates known to the month or year.
        coarse = np.exp(np.floor(10 * log_days) / 10)
        low = np.where(log_days < 4, days, coarse)
        high = np.where(log_days < 4, days + 1, coarse * np.exp(0.1))
        return replace(y, arrival=np.stack([low, high], axis=1))
    if model == "size":
        mean, sd = size_location(draw, x)
        scale = np.hypot(sd[0], _COUNT_ERROR)
        value = mean[0] + scale * random.standard_normal(n)
        return replace(y, size=np.stack([value, np.full(n, _COUNT_ERROR)], axis=1))
    if model == "duration":
        task = _choose(kind_given_trigger(draw, x)[0], random)
        wrong = random.random(n) < _ERROR
        coded = np.where(wrong, (task + random.integers(1, 4, n)) % 4, task)
        likely = np.where(np.arange(4) == coded[:, None], 1 - _ERROR, _ERROR / 3)
        short = random.random(n) < short_share_by_kind(draw, x)[0, np.arange(n), task]
        part = np.where(short, 0, 1)
        logs = draw["mean"][0][part] + draw["sd"][0][part] * random.standard_normal(n)
        months = np.exp(np.clip(logs, -5, 12))
        still = (random.random(n) < _CENSORED_SHARE) & (months > _CENSORED_AT)
        months = np.where(still, _CENSORED_AT, months)
        return replace(y, kind=likely, months=np.stack([months, still.astype(float)], axis=1))
    answer = _choose(y.survival_answer, random)
    p = survival_by_answer(draw, x)[0][np.arange(n), answer]
    return replace(y, survived=_coded_flag(random.random(n) < p, random))


def _choose(chances: Floats, random: np.random.Generator) -> NDArray[np.int64]:
    steps = np.cumsum(chances / chances.sum(axis=1, keepdims=True), axis=1)
    above = (random.random((len(chances), 1)) > steps).sum(axis=1)
    out: NDArray[np.int64] = np.minimum(above, chances.shape[1] - 1)
    return out


def _coded_flag(truth: Floats, random: np.random.Generator) -> Floats:
    n = truth.size
    coded = truth.astype(bool) ^ (random.random(n) < _ERROR)
    return np.where(coded[:, None], [_ERROR, 1 - _ERROR], [1 - _ERROR, _ERROR])


def ranks(posterior: Draws, draw: Draws, names: tuple[str, ...]) -> dict[str, float]:
    """Return the rank of the true value among posterior draws, 0 to 1, by parameter element.

    Ranks are uniform if the fit is right (Talts et al. 2018, arXiv 1804.06788).
    """
    return {
        f"{name}[{k}]": float((posterior[name][:, k] < draw[name][0, k]).mean())
        for name in names
        for k in range(draw[name].shape[1])
    }
