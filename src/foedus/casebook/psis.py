"""Pareto-smoothed importance sampling (Vehtari et al. 2024, arXiv 1507.02646)."""

from __future__ import annotations

import numpy as np

from foedus.casebook.design import Floats

#: Above this shape the weights are not to be trusted.
PARETO_LIMIT = 0.7


def smooth(log_ratios: Floats) -> tuple[Floats, float]:
    """Return normalised smoothed weights, shape (D,), and the Pareto shape k.

    Parameters
    ----------
    log_ratios : ndarray, shape (D,)
        Logs of target over proposal, up to a constant; at least 25 draws.
    """
    lw = log_ratios - np.max(log_ratios)
    if np.ptp(lw) < 1e-12:
        return np.full(lw.size, 1 / lw.size), -np.inf
    tail = int(min(np.ceil(0.2 * lw.size), np.ceil(3 * np.sqrt(lw.size))))
    order = np.argsort(lw, kind="stable")
    top = order[-tail:]
    cutoff = max(lw[order[-tail - 1]], np.log(np.finfo(float).tiny))
    k = np.inf
    excess = np.exp(lw[top]) - np.exp(cutoff)
    if tail >= 5 and excess[-1] > 0:
        k, sigma = _pareto(np.maximum(excess, 1e-300))
        if np.isfinite(k):
            p = (np.arange(tail) + 0.5) / tail
            stretched = sigma * (
                -np.log1p(-p) if abs(k) < 1e-9 else np.expm1(-k * np.log1p(-p)) / k
            )
            lw[top] = np.minimum(np.log(stretched + np.exp(cutoff)), 0.0)
    weights = np.exp(lw - np.max(lw))
    out: Floats = weights / weights.sum()
    return out, float(k)


def _pareto(x: Floats) -> tuple[float, float]:
    """Fit a generalised Pareto to sorted positive values (Zhang and Stephens 2009)."""
    n = x.size
    m = 30 + int(np.sqrt(n))
    b = 1 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))
    b = b / (3 * x[int(n / 4 + 0.5) - 1]) + 1 / x[-1]
    k = np.log1p(-b[:, None] * x).mean(axis=1)
    score = n * (np.log(-(b / k)) - k - 1)
    weights = 1 / np.exp(score - score[:, None]).sum(axis=1)
    keep = weights >= 10 * np.finfo(float).eps
    weights = weights[keep] / weights[keep].sum()
    centre = float((b[keep] * weights).sum())
    shape = float(np.log1p(-centre * x).mean())
    sigma = -shape / centre
    return (n * shape + 10 * 0.5) / (n + 10), sigma
