"""Bayes factors of competing explanations, with their Monte-Carlo error.

The evidence for a hypothesis is the mean likelihood of its runs,

    m_h = Σ a_i L_i / Σ a_i   over the runs i of h,

with prior weights ``a``. Its log has, to first order, the variance ``Σ ψ_i²`` with the influences
``ψ_i = a_i (L_i / m_h - 1)``. All results on hypotheses are smooth functions of the ``log m_h``,
and their errors are those of the same combinations of the ψ.

The factor of a hypothesis is that against the others together, each with its share of their prior:

    B_h = m_h / Σ_{j≠h} w_j m_j,    w_j = prior_j / (1 - prior_h).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from foedus.plain_values import Worded, finite
from foedus.weighing.weights import effective_size, normalise

FloatArray = NDArray[np.float64]

#: Fewest effective runs of a part of the runs, such as those of a hypothesis, to report on it.
FEWEST_EFFECTIVE = 20.0
#: Half-width of an interval in standard errors: 95%.
SIGMAS = 1.96
#: Logs of factors within this are rounding.
ROUNDING = 1e-9


class Grade(Enum):
    """The strength of a Bayes factor, or why it has none."""

    #: There is no other explanation.
    ALONE = auto()
    #: Too few effective runs to tell.
    TOO_FEW = auto()
    #: The runs do not meet the evidence.
    UNMET = auto()
    #: The 95% interval includes 1.
    MUTE = auto()
    BARE = auto()
    POSITIVE = auto()
    STRONG = auto()
    VERY_STRONG = auto()


#: Bands of ``2 ln B`` of Kass & Raftery 1995 (doi 10.1080/01621459.1995.10476572), upper ends.
BANDS: tuple[tuple[float, Grade], ...] = (
    (2.0, Grade.BARE),
    (6.0, Grade.POSITIVE),
    (10.0, Grade.STRONG),
    (math.inf, Grade.VERY_STRONG),
)


class Witness(Enum):
    """The source of a Bayes factor."""

    EVIDENCE = "evidence"
    CASEBOOK = "casebook"


@dataclass(frozen=True, kw_only=True)
class Strength(Worded):
    """The strength of a Bayes factor: that of the end of its 95% interval nearer to 1.

    Attributes
    ----------
    grade : Grade
    supports : bool
        It is for the hypothesis rather than against it.
    witness : Witness
    """

    grade: Grade
    supports: bool = True
    witness: Witness = Witness.EVIDENCE


@dataclass(frozen=True)
class Fit:
    """How well the runs of each hypothesis agree with something.

    Attributes
    ----------
    log : (hypothesis,)
        Log of the mean likelihood; minus infinity if no run agrees.
    influence : (hypothesis, run)
        Influence of each run on ``log``.
    effective : (hypothesis,)
        Effective number of runs of the hypothesis.
    spread : (hypothesis, draw)
        Deviations of ``log`` in draws of other uncertain things; no draws if there are none.
    """

    log: FloatArray
    influence: FloatArray
    effective: FloatArray
    spread: FloatArray

    def __add__(self, other: Fit) -> Fit:
        """Return the fit to both of two independent things."""
        wide = self if self.spread.shape[1] else other
        runs = self if self.influence.shape[1] else other
        return Fit(
            self.log + other.log,
            runs.influence,
            np.minimum(self.effective, other.effective),
            wide.spread,
        )


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A hypothesis against the others, by the evidence or the casebook.

    Attributes
    ----------
    posterior, error : float
        Probability and its standard error.
    log_factor, log_factor_error : float
        Natural log of the Bayes factor against the others together.
    strength : Strength
        Of the end of the factor's interval that is nearer to 1.
    """

    posterior: float
    error: float
    log_factor: float
    log_factor_error: float
    strength: Strength

    @property
    def factor(self) -> tuple[float, float, float]:
        """The Bayes factor and its 95% interval."""
        return interval(self.log_factor, self.log_factor_error)

    @property
    def told(self) -> bool:
        """Whether the whole 95% interval of the factor lies on one side of 1."""
        return _beyond_chance(self.log_factor, self.log_factor_error) > ROUNDING

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: the Bayes factor instead of its logarithm."""
        middle, low, high = self.factor
        return {
            "posterior": finite(self.posterior),
            "error": finite(self.error),
            "bayes_factor": finite(middle),
            "bayes_factor_low": finite(low),
            "bayes_factor_high": finite(high),
            "words": str(self.strength),
        }


def interval(log_factor: float, error: float) -> tuple[float, float, float]:
    """Return a factor and its 95% interval from its log; infinity beyond floating point."""
    width = SIGMAS * error
    return _exp(log_factor), _exp(log_factor - width), _exp(log_factor + width)


def _exp(x: float) -> float:
    return math.inf if x > 700.0 else math.exp(x)


def _beyond_chance(log_factor: float, error: float) -> float:
    """Return the distance of the interval from 0; negative if 0 is inside."""
    return abs(log_factor) - SIGMAS * error


def strength_of(
    log_factor: float, error: float, *, witness: Witness = Witness.EVIDENCE
) -> Strength:
    """Return the strength of a Bayes factor: that of the end of its 95% interval nearer to 1.

    Parameters
    ----------
    log_factor, error : float
        Natural log and its standard error; if one is not finite, too few runs tell.
    witness : Witness

    Examples
    --------
    >>> [strength_of(2.0, e).grade.name for e in (0.1, 1.5)]
    ['POSITIVE', 'MUTE']
    """
    if not (math.isfinite(log_factor) and math.isfinite(error)):
        return Strength(grade=Grade.TOO_FEW, witness=witness)
    sure = _beyond_chance(log_factor, error)
    if sure <= ROUNDING:
        return Strength(grade=Grade.MUTE, witness=witness)
    grade = next(grade for end, grade in BANDS if 2.0 * sure < end)
    return Strength(grade=grade, supports=log_factor > 0, witness=witness)


def fit(
    log_prior: FloatArray, log_likelihood: FloatArray, hypothesis: NDArray[np.int64], count: int
) -> Fit:
    """Return how well the runs of each hypothesis agree with the evidence.

    Parameters
    ----------
    log_prior : ndarray, shape (run,)
        Log of the prior weights, up to a constant within each hypothesis.
    log_likelihood : ndarray, shape (run,)
    hypothesis : ndarray of int, shape (run,)
    count : int
        How many hypotheses there are.
    """
    out = Fit(
        np.full(count, -np.inf), np.zeros((count, hypothesis.size)), np.zeros(count),
        np.zeros((count, 0)),
    )  # fmt: skip
    for h in range(count):
        rows = np.flatnonzero(hypothesis == h)
        logs = np.where(np.isnan(log_likelihood[rows]), -np.inf, log_likelihood[rows])
        top = logs.max(initial=-np.inf)
        before = normalise(log_prior[rows])
        ratio = np.exp(logs - top) if np.isfinite(top) else np.zeros(rows.size)
        mean = float(before @ ratio)
        if mean > 0.0:
            out.log[h] = top + math.log(mean)
            out.influence[h, rows] = before * (ratio / mean - 1.0)
            out.effective[h] = effective_size(log_prior[rows] + logs)
    return out


@dataclass(frozen=True)
class Factor:
    """A log Bayes factor against the others, with the parts of its error.

    Attributes
    ----------
    log : float
        NaN if there is no other hypothesis, or neither side has a run that agrees.
    influence : (run,)
    spread : (draw,)
    effective : float
        Effective runs of the weaker side.
    """

    log: float
    influence: FloatArray
    spread: FloatArray
    effective: float

    def __sub__(self, other: Factor) -> Factor:
        """Return the difference of two factors from the same runs."""
        return Factor(
            self.log - other.log,
            self.influence - other.influence,
            self.spread,
            min(self.effective, other.effective),
        )

    @property
    def error(self) -> float:
        """Standard error of ``log``; NaN where that is not finite."""
        if not math.isfinite(self.log):
            return math.nan
        return error_of(self.influence, self.spread)


def factor(found: Fit, prior: FloatArray, h: int, *, against: int | None = None) -> Factor:
    """Return the log Bayes factor of a hypothesis against the others together, or one of them.

    Parameters
    ----------
    found : Fit
    prior : ndarray, shape (hypothesis,)
        Sums to 1.
    h : int
    against : int, optional
        One other hypothesis.
    """
    numbers = np.arange(prior.size)
    others = numbers != h if against is None else numbers == against
    blank = np.zeros(found.influence.shape[1]), np.zeros(found.spread.shape[1])
    if not others.any():
        return Factor(math.nan, *blank, 0.0)
    parts = np.log(prior[others] / prior[others].sum()) + found.log[others]
    if not np.isfinite(parts).any():
        return Factor(math.inf if math.isfinite(found.log[h]) else math.nan, *blank, 0.0)
    together = float(logsumexp(parts))
    share = np.exp(parts - together)
    size = np.clip(found.effective[others], 1e-300, 1e300)
    return Factor(
        float(found.log[h]) - together,
        found.influence[h] - share @ found.influence[others],
        found.spread[h] - share @ found.spread[others],
        min(float(found.effective[h]), float(1.0 / np.sum(share**2 / size))),
    )


def error_of(influence: FloatArray, spread: FloatArray) -> float:
    """Return the standard error from influences and draws."""
    return math.sqrt(float(influence @ influence) + (float(spread.var()) if spread.size else 0.0))


def standings(
    found: Fit,
    prior: FloatArray,
    *,
    witness: Witness = Witness.EVIDENCE,
    fewest: float = FEWEST_EFFECTIVE,
) -> tuple[Standing, ...]:
    """Return the posterior and the Bayes factor of each hypothesis.

    Parameters
    ----------
    found : Fit
    prior : ndarray, shape (hypothesis,)
        Sums to 1.
    witness : Witness
    fewest : float
        Fewest effective runs of a hypothesis for its factor to be given.
    """
    with np.errstate(divide="ignore"):
        posterior = normalise(np.log(prior) + found.log)
    out = []
    for h, p in enumerate(posterior):
        if prior.size == 1:
            alone = Strength(grade=Grade.ALONE, witness=witness)
            out.append(
                Standing(
                    posterior=1.0,
                    error=0.0,
                    log_factor=math.nan,
                    log_factor_error=math.nan,
                    strength=alone,
                )
            )
            continue
        it = factor(found, prior, h)
        if it.effective < fewest:
            strength = Strength(grade=Grade.TOO_FEW, witness=witness)
        else:
            strength = strength_of(it.log, it.error, witness=witness)
        known = bool(np.isfinite(found.log).any())
        chance = float(p) if known else math.nan
        out.append(
            Standing(
                posterior=chance,
                error=chance * (1.0 - chance) * it.error,
                log_factor=it.log,
                log_factor_error=it.error,
                strength=strength,
            )
        )
    return tuple(out)
