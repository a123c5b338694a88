"""Synthetic responses from known parameters, for simulation-based calibration of the fits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from foedus.casebook import likelihood
from foedus.casebook.design import COMBINATIONS, Floats, Inputs, Responses
from foedus.casebook.likelihood import Draws

_ERROR = 0.03
_COUNT_ERROR = 0.08
_CENSORED_SHARE, _CENSORED_AT = 0.2, 24.0


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
        Gives the shapes, and what the model takes as given; every row is seen.
    random : numpy.random.Generator

    Notes
    -----
    Codings err as the likelihood says they do, with the rate of grade M; a fifth of the
    missions are still on at 24 months.
    """
    n = x.group.size
    y = replace(y, mask={m: np.ones(n) for m in y.mask})
    # One true combination of the binary features for each row, of which the model knows beliefs.
    truth = np.array([random.choice(len(COMBINATIONS), p=w / w.sum()) for w in x.weights])
    certain = replace(x, weights=np.eye(len(COMBINATIONS))[truth])
    if model == "call":
        p = likelihood.request_probability(draw, certain)[0]
        asked = random.random(n) < p
        given = likelihood.answer_given_request(draw, certain)[0]
        chances = np.where(asked[:, None], given, draw["psi"][0])
        answer = _choose(chances, random)
        wrong = random.random(n) < _ERROR
        coded = np.where(wrong, (answer + random.integers(1, 4, n)) % 4, answer)
        table = np.where(np.arange(4) == coded[:, None], 1 - _ERROR, _ERROR / 3)
        return replace(y, asked=_coded_flag(asked, random), answer=table, answer_free=np.zeros(n))
    if model == "arrival":
        mean, sd = likelihood.arrival_location(draw, x)
        log_days = mean[0] + sd[0] * random.standard_normal(n)
        days = np.floor(np.exp(np.minimum(log_days, 5)))
        # Long delays are known to about a tenth, as with dates known to the month or year.
        coarse = np.exp(np.floor(10 * log_days) / 10)
        low = np.where(log_days < 4, days, coarse)
        high = np.where(log_days < 4, days + 1, coarse * np.exp(0.1))
        return replace(y, arrival=np.stack([low, high], axis=1))
    if model == "size":
        mean, sd = likelihood.size_location(draw, x)
        scale = np.hypot(sd[0], _COUNT_ERROR)
        value = mean[0] + scale * random.standard_normal(n)
        return replace(y, size=np.stack([value, np.full(n, _COUNT_ERROR)], axis=1))
    if model == "duration":
        short = random.random(n) < likelihood.short_share(draw, x)[0]
        kind = np.where(short, 0, 1)
        logs = draw["mean"][0][kind] + draw["sd"][0][kind] * random.standard_normal(n)
        months = np.exp(np.clip(logs, -5, 12))
        still = (random.random(n) < _CENSORED_SHARE) & (months > _CENSORED_AT)
        months = np.where(still, _CENSORED_AT, months)
        return replace(y, months=np.stack([months, still.astype(float)], axis=1))
    answer = _choose(y.survival_answer, random)
    p = likelihood.survival_by_answer(draw, x)[0][np.arange(n), answer]
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
    """Return where the true value lies among posterior draws, 0 to 1, by parameter element.

    Talts et al. 2018, arXiv 1804.06788: uniform if the fit is right.
    """
    return {
        f"{name}[{k}]": float((posterior[name][:, k] < draw[name][0, k]).mean())
        for name in names
        for k in range(draw[name].shape[1])
    }
