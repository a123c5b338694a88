"""Importance weights of runs, and whether enough runs agree with the evidence to answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from foedus.errors import InputError

FloatArray = NDArray[np.float64]
Verdict = Literal["ok", "thin", "refused"]

#: Below this effective sample size no question is answered. At 50 the standard error of a
#: probability of one half is .07 and fewer than three runs lie beyond the 5% quantile.
REFUSE_BELOW = 50.0
#: Below this one the answers carry a warning.
THIN_BELOW = 200.0
#: Above this Pareto shape the weights have no usable variance (Vehtari et al. 2024,
#: arXiv:1507.02646), and the answers carry a warning.
THIN_ABOVE_K = 0.7
#: The mass that "runs that carry the answer" carry.
_CARRIED = 0.99
#: An effective sample size short of a limit by this share of it is short by rounding only.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Weights:
    """Normalised weights of the runs.

    Attributes
    ----------
    log_weight : (run,)
        Log of the weight, up to a constant.
    weight : (run,)
        Sums to 1; zero everywhere if no run has a finite weight.
    ess : float
        Effective sample size, ``1 / sum(weight**2)`` (Kish).
    largest : float
        Largest weight.
    carrying : int
        Fewest runs that carry 99% of the weight.
    usable : int
        Runs with a finite log-weight.
    pareto_k : float
        Shape of the generalised Pareto tail of the weights; NaN where too few runs tell.
    verdict : {"ok", "thin", "refused"}
    advice : tuple of str
        What to do about it.
    """

    log_weight: FloatArray
    weight: FloatArray
    ess: float
    largest: float
    carrying: int
    usable: int
    pareto_k: float
    verdict: Verdict
    advice: tuple[str, ...]

    @property
    def runs(self) -> int:
        """Runs that were weighed."""
        return int(self.log_weight.size)

    @property
    def too_few(self) -> bool:
        """Whether it is refused because too few runs, in effect, agree with the evidence."""
        return self.verdict == "refused" and _short(self.ess, REFUSE_BELOW)

    @property
    def reason(self) -> str:
        """Why the verdict is not ok, in a few words."""
        return reason(self.verdict, self.ess, self.runs)


def reason(verdict: str, effective: float, runs: int | None = None) -> str:
    """Return why a verdict is not ok, in a few words; empty where only the advice tells.

    Parameters
    ----------
    verdict : {"ok", "thin", "refused"}
    effective : float
        Effective runs after the evidence.
    runs : int, optional
        Runs that were weighed.

    Examples
    --------
    >>> reason("refused", 12.0, 4000), reason("refused", 1.0, 1), reason("refused", 300.0, 400)
    ('too few runs agree with the evidence', 'too few runs', 'the runs do not meet the evidence')
    """
    if verdict == "ok":
        return ""
    few, limit = ("too few", REFUSE_BELOW) if verdict == "refused" else ("few", THIN_BELOW)
    if not _short(effective, limit):
        return "the runs do not meet the evidence" if verdict == "refused" else ""
    return f"{few} runs" + ("" if runs is not None and runs < limit else " agree with the evidence")


def _short(effective: float, limit: float) -> bool:
    return effective < limit * (1.0 - _ROUNDING)


def normalise(log_weight: FloatArray) -> FloatArray:
    """Return weights that sum to 1, shape (..., run); all zero where no log-weight is finite."""
    log_weight = np.asarray(log_weight, dtype=np.float64)
    top = np.max(log_weight, axis=-1, keepdims=True, initial=-np.inf)
    weight = np.exp(log_weight - np.where(np.isfinite(top), top, 0.0))
    total = weight.sum(axis=-1, keepdims=True)
    return np.asarray(weight / np.where(total > 0, total, 1.0))


def effective_size(log_weight: FloatArray) -> FloatArray:
    """Return Kish's effective sample size over the last axis; 0 where no weight is finite."""
    squares = (normalise(log_weight) ** 2).sum(axis=-1)
    return np.asarray(np.where(squares > 0, 1.0 / np.where(squares > 0, squares, 1.0), 0.0))


def importance_weights(log_weight: FloatArray, *, smooth: bool = False) -> Weights:
    """Return normalised weights with their diagnostics.

    Parameters
    ----------
    log_weight : ndarray, shape (run,)
        Up to a constant. Minus infinity and NaN mean that a run cannot be used.
    smooth : bool
        Replace the largest weights by the expected order statistics of a Pareto tail
        (Pareto-smoothed importance sampling): a little bias for much less variance.

    Raises
    ------
    InputError
        If there is no run at all.
    """
    log_weight = np.array(log_weight, dtype=np.float64)
    if log_weight.ndim != 1 or not log_weight.size:
        raise InputError(f"log_weight: shape (run,), at least 1 run (found {log_weight.shape})")
    log_weight[np.isnan(log_weight) | (log_weight == np.inf)] = -np.inf
    smoothed, k = pareto_smooth(log_weight)
    if smooth:
        log_weight = smoothed
    weight = normalise(log_weight)
    ess = float(effective_size(log_weight))
    verdict: Verdict = "ok"
    if _short(ess, REFUSE_BELOW):
        verdict = "refused"
    elif _short(ess, THIN_BELOW) or k > THIN_ABOVE_K:
        verdict = "thin"
    down = np.sort(weight)[::-1].cumsum()
    return Weights(
        log_weight=log_weight,
        weight=weight,
        ess=ess,
        largest=float(weight.max()),
        carrying=int(np.searchsorted(down, _CARRIED * down[-1])) + 1 if down[-1] > 0 else 0,
        usable=int(np.isfinite(log_weight).sum()),
        pareto_k=k,
        verdict=verdict,
        advice=_advice(verdict, ess, k, log_weight.size),
    )


def _advice(verdict: Verdict, ess: float, k: float, runs: int) -> tuple[str, ...]:
    if verdict == "ok":
        return ()
    if ess <= 0:
        return ("No run could be judged at all: every one has a value that is not a number.",)
    out = []
    if _short(ess, THIN_BELOW):
        out.append(_more(verdict, ess, runs))
    if k > THIN_ABOVE_K:
        out.append(
            f"a handful of runs dominates (Pareto shape {k:.2f}, above {THIN_ABOVE_K}): the "
            "errors given are too small."
        )
    return tuple(s[0].upper() + s[1:] for s in out)


def _more(verdict: Verdict, ess: float, runs: int) -> str:
    """Return how many runs would do, where that can be said."""
    are = "1 run is" if runs == 1 else f"{runs:,} runs are"
    if not _short(ess, runs):  # all weigh the same, so it is only their number
        return (
            f"{are} {'too few' if verdict == 'refused' else 'few'}: make {THIN_BELOW:.0f} or more."
        )
    what = reason(verdict, ess, runs)
    wanted = _round_up(runs * THIN_BELOW / ess)
    if wanted <= 100 * runs:
        return (
            f"{what}: {are} worth {ess:.0f}. About {wanted:,} runs would be "
            f"worth {THIN_BELOW:.0f}: run more, or widen the priors of what the costliest facts "
            "are about."
        )
    if runs < THIN_BELOW:
        return f"{what}: {are} worth {ess:.1f}. Run more, to see whether others agree better."
    return (
        f"{what}: {are} worth {ess:.1f}. More runs alone will not do: look at the facts that cost "
        "most, their ratings, and the priors of what they are about."
    )


def _round_up(number: float) -> int:
    unit = 10 ** max(int(np.floor(np.log10(max(number, 1.0)))) - 1, 0)
    return int(np.ceil(number / unit - 1e-6) * unit)


def without(log_weight: FloatArray, contribution: FloatArray) -> FloatArray:
    """Return the log-weights with each report left out, shape (report, run).

    Parameters
    ----------
    log_weight : ndarray, shape (run,)
    contribution : ndarray, shape (report, run)
        What each report adds to it.
    """
    unusable = ~np.isfinite(log_weight)
    added = np.where(np.isfinite(contribution), contribution, 0.0)
    return np.asarray(np.where(unusable, -np.inf, log_weight - added))


def pareto_smooth(log_weight: FloatArray) -> tuple[FloatArray, float]:
    """Return Pareto-smoothed log-weights and the tail's shape.

    Vehtari, Simpson, Gelman, Yao and Gabry 2024 (arXiv:1507.02646), with the tail fit of Zhang
    and Stephens 2009 (doi 10.1198/tech.2009.08017).

    Parameters
    ----------
    log_weight : ndarray, shape (run,)

    Returns
    -------
    smoothed : ndarray, shape (run,)
    k : float
        NaN, and the weights as they were, where fewer than 5 distinct weights are in the tail.
    """
    usable = np.flatnonzero(np.isfinite(log_weight))
    n = usable.size
    tail = int(min(np.ceil(0.2 * n), np.ceil(3.0 * np.sqrt(n)))) if n else 0
    if tail < 5 or tail >= n:
        return log_weight, float("nan")
    logs = log_weight[usable] - log_weight[usable].max()
    order = np.argsort(logs, kind="stable")
    top = order[-tail:]
    cut = np.exp(logs[order[-tail - 1]])
    excess = np.exp(logs[top]) - cut
    if np.unique(excess[excess > 1e-300]).size < 5:
        return log_weight, float("nan")
    k, sigma = _pareto_fit(np.maximum(excess, 1e-300))
    p = (np.arange(tail) + 0.5) / tail
    # Beyond e^600 a fitted weight is cut to the largest anyway.
    z = np.minimum(-k * np.log1p(-p), 600.0)
    fitted = -np.log1p(-p) if abs(k) < 1e-12 else np.expm1(z) / k
    values = np.minimum(np.log(np.maximum(cut + sigma * fitted, 1e-300)), 0.0)
    smoothed = log_weight.copy()
    smoothed[usable[top]] = values + log_weight[usable].max()
    return smoothed, float(k)


def _pareto_fit(x: FloatArray) -> tuple[float, float]:
    """Return shape and scale of a generalised Pareto distribution, ``x`` ascending."""
    n = x.size
    grid = 30 + int(np.sqrt(n))
    j = np.arange(1, grid + 1)
    quarter = x[int(n / 4 + 0.5) - 1]
    b = 1.0 / x[-1] + (1.0 - np.sqrt(grid / (j - 0.5))) / (3.0 * max(quarter, 1e-300))
    k = np.log1p(-b[:, None] * x).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        profile = n * (np.log(-b / k) - k - 1.0)
    profile = np.where(np.isfinite(profile), profile, -np.inf)
    if not np.isfinite(profile).any():
        return float("nan"), float("nan")
    best = float((b * special.softmax(profile)).sum())
    shape = float(np.log1p(-best * x).mean())
    # A weak prior towards one half, worth ten observations, steadies short tails.
    return (n * shape + 5.0) / (n + 10.0), -shape / best


def carrying(weight: FloatArray, most: int) -> NDArray[np.int64]:
    """Return the runs that carry all but a millionth of the weight, thinned evenly if too many."""
    order = np.argsort(-weight, kind="stable")
    last = int(np.searchsorted(weight[order].cumsum(), 1.0 - 1e-6)) + 1
    rows = np.sort(order[:last])
    step = -(-rows.size // max(most, 1))
    return np.asarray(rows[::step])
