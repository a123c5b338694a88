"""The models' equations in numpy: probabilities and pointwise likelihoods from posterior draws.

`fit` states the same equations for PyMC; a test compares the two. Shapes: D draws, n rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import special

from foedus.casebook.design import COMBINATIONS, Floats, Inputs, Responses

Draws = Mapping[str, Floats]
_TINY = 1e-9


def request_probability(draws: Draws, x: Inputs) -> Floats:
    """Return P(the government asks), shape (D, n)."""
    logit = draws["req_a"] + draws["req_u"][:, x.group] + draws["req_v"][:, x.trigger]
    out: Floats = special.expit(logit)
    return out


def answer_given_request(draws: Draws, x: Inputs) -> Floats:
    """Return P(none, refused, limited, troops | asked), shape (D, n, 4).

    A nested logit: troops or not, with the covariates, averaged over unknown binary features;
    and if not, a softmax of the three other answers with a pooled organisation effect on limited.
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
    """Return P(answer), shape (D, n, 4); ``asked`` is the belief in a request, else modelled."""
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


def short_share(draws: Draws, x: Inputs) -> Floats:
    """Return P(the mission is of the short kind), shape (D, n)."""
    out: Floats = special.expit(draws["a"] + draws["u"][:, x.group] + draws["v"][:, x.trigger])
    return out


def survival_by_answer(draws: Draws, x: Inputs) -> Floats:
    """Return P(in power after 90 days | answer), shape (D, n, 4)."""
    fixed = draws["a"] + draws["u"][:, x.group] + draws["v"][:, x.trigger]
    effect = np.concatenate([np.zeros_like(draws["a"]), draws["b"]], axis=1)
    out: Floats = special.expit(fixed[..., None] + effect[:, None, :])
    return out


def log_likelihood(model: str, draws: Draws, x: Inputs, y: Responses) -> Floats:
    """Return the pointwise log-likelihood of a model, shape (D, n); zero where masked."""
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
    share = short_share(draws, x)
    t = np.log(y.months[:, 0])
    short, long = draws["mean"][:, :1], draws["mean"][:, 1:]
    sd1, sd2 = draws["sd"][:, :1], draws["sd"][:, 1:]
    ended = np.logaddexp(
        np.log(share) + _log_normal(t, short, sd1), np.log1p(-share) + _log_normal(t, long, sd2)
    )
    still = np.logaddexp(
        np.log(share) + special.log_ndtr((short - t) / sd1),
        np.log1p(-share) + special.log_ndtr((long - t) / sd2),
    )
    return np.where(y.months[:, 1] == 1, still, ended)


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
