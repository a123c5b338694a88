"""How much an answer depends on an input, from given runs, weighted or not.

An answer is read as the yes-or-no questions "is it at most t?", one for every t; a binary
question is just one. The index of an input X is the share of their variance that it explains by
itself, averaged over the distribution F of the answers Y:

    S = ∫ Var( P(Y ≤ t | X) ) dF(t)  /  ∫ F(t) (1 - F(t)) dF(t)

the Cramér-von-Mises index (Gamboa, Klein & Lagnoux 2018, doi 10.1137/15M1025621): 0 where Y does
not depend on X, 1 where X determines Y. For a yes-or-no answer it is the first-order Sobol index.
It needs no moments, so it also works for a number with a long tail or a day that may be never.

It is estimated from given data (Plischke, Borgonovo & Smith 2013, doi 10.1016/j.ejor.2012.11.047):
the runs are cut into classes of equal weight by the input, about the cube root of the effective
number of runs and at most 20; an input with options has a class for each. With few runs the
estimate is biased upwards. A bootstrap estimates the bias, which is subtracted, as in SALib's
analyzers of given data. Those have no weights, hence this one; a test compares the two.

*Noise.* Dummy inputs on which nothing depends are treated the same way, 20 for every real one. A
real input stands out from noise if its raw index exceeds all of theirs. By chance alone, one
question in twenty has such an input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from foedus.weighted_statistics import quantile

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Levels of an answer that are distinguished; an answer with fewer values is left as it is.
LEVELS = 20
#: Fewest and most classes of a number.
CLASSES = (4, 20)
#: Dummy inputs for every real one.
DUMMIES = 20
#: Weighted resamples, and half an interval in their standard deviations: 95%.
RESAMPLES = 100
SIGMAS = 1.96


@dataclass(frozen=True)
class Answers:
    """The answers of the runs to some questions, as ranks.

    Attributes
    ----------
    level : ndarray of int, shape (question, run)
        Rank of the answer among at most :data:`LEVELS` levels.
    weight : ndarray, shape (run,)
        Sums to 1.
    """

    level: IntArray
    weight: FloatArray

    @classmethod
    def of(cls, y: FloatArray, weight: FloatArray) -> Answers:
        """Return the ranks of answers, shape (question, run), which may hold infinities."""
        weight = weight / weight.sum()
        return cls(np.array([levels(row, weight) for row in np.atleast_2d(y)]), weight)

    @property
    def effective(self) -> float:
        """Effective number of runs."""
        return float(1.0 / np.sum(self.weight**2))


@dataclass(frozen=True)
class Index:
    """The index of an input for a question.

    Attributes
    ----------
    share : float
        Share of the answer's variance that the input explains by itself, corrected for the bias
        of few runs; it may be a little below 0.
    error : float
        Half-width of its 95% interval.
    raw : float
        Before the correction; this is compared with the dummy inputs.
    """

    share: float
    error: float
    raw: float


def levels(y: FloatArray, weight: FloatArray, *, most: int = LEVELS) -> IntArray:
    """Return the rank of each value among at most ``count`` levels, shape (run,)."""
    unique, code = np.unique(y, return_inverse=True)
    if unique.size <= most:
        return code.astype(np.int64)
    edges = np.unique(quantile(y, weight, np.arange(1, most) / most))
    return np.searchsorted(edges, y, side="left").astype(np.int64)


def classes(effective: float) -> int:
    """Return into how many classes an input is cut."""
    return int(np.clip(round(effective ** (1.0 / 3.0)), *CLASSES))


def cut(score: FloatArray, weight: FloatArray, count: int) -> IntArray:
    """Return the class of each run, 0 to ``count`` - 1, of equal weight, shape (run,).

    Parameters
    ----------
    score : ndarray, shape (run,)
    weight : ndarray, shape (run,)
        Sums to 1.
    count : int
    """
    order = np.argsort(score, kind="stable")
    here = weight[order]
    middle = np.cumsum(here) - 0.5 * here
    out = np.empty(score.size, dtype=np.int64)
    out[order] = np.clip((count * middle).astype(np.int64), 0, count - 1)
    return out


def resampled(weight: FloatArray, *, seed: int, resamples: int = RESAMPLES) -> FloatArray:
    """Return the weights, then weighted resamples of them, shape (1 + resample, run).

    The resamples are those of the Bayesian bootstrap (Rubin 1981, doi 10.1214/aos/1176345338):
    each run counts an exponential number of times.
    """
    rng = np.random.default_rng(seed)
    out = np.empty((1 + resamples, weight.size))
    out[0] = weight
    out[1:] = weight * rng.standard_exponential((resamples, weight.size))
    return np.asarray(out / out.sum(axis=1, keepdims=True))


def raw_shares(part: IntArray, answers: Answers, weights: FloatArray) -> FloatArray:
    """Return the raw index of one input under each set of weights, shape (set, question).

    Parameters
    ----------
    part : ndarray of int, shape (run,)
        Class of each run.
    answers : Answers
    weights : ndarray, shape (set, run)
        The weights of the answers, then resamples, as from :func:`resampled`.
    """
    count = int(part.max()) + 1
    return np.array([_shares(part, answers.level, w, count) for w in weights])


def index(raw: FloatArray) -> Index:
    """Return the index from the raw indices of the runs and their resamples, shape (set,)."""
    return Index(
        float(2.0 * raw[0] - raw[1:].mean()),
        float(SIGMAS * raw[1:].std(ddof=1)),
        float(raw[0]),
    )


def noise(answers: Answers, *, count: int, inputs: int, seed: int) -> FloatArray:
    """Return the largest raw index that dummy inputs reach by chance, shape (question,).

    Parameters
    ----------
    answers : Answers
    count : int
        Classes that they are cut into.
    inputs : int
        Real inputs; there are :data:`DUMMIES` dummies for each.
    seed : int
    """
    rng = np.random.default_rng(seed)
    top = np.zeros(answers.level.shape[0])
    for _ in range(DUMMIES * inputs):
        part = cut(rng.random(answers.weight.size), answers.weight, count)
        top = np.maximum(top, _shares(part, answers.level, answers.weight, count))
    return top


def twins(one: FloatArray, other: FloatArray) -> tuple[FloatArray, float, float]:
    """Return the variance within pairs of runs, and the whole variance.

    Parameters
    ----------
    one, other : ndarray, shape (pair,)
        Answers of two runs with the same inputs and other chance; may hold infinities.

    Returns
    -------
    within : ndarray, shape (pair,)
        Variance within each pair. Its mean over the whole variance is the share of chance (Jansen
        1999, doi 10.1016/S0010-4655(98)00154-4).
    whole : float
        The whole variance; 0 where all answers are alike.
    largest : float
        The most that a pair can have.
    """
    both = np.concatenate([one, other])
    level = levels(both, np.full(both.size, 1.0 / both.size)).reshape(2, -1)
    mass = np.bincount(level.ravel()) / both.size
    below = np.cumsum(mass)
    # Every threshold between the two levels of a pair separates them; each counts by its mass.
    upto = np.concatenate([[0.0], below])
    within = 0.5 * np.abs(upto[level[0]] - upto[level[1]])
    return within, float(np.sum(mass * below * (1.0 - below))), 0.5 * float(upto[-2])


@nb.njit(cache=True)
def _shares(part, level, weight, count):  # type: ignore[no-untyped-def]
    """Return the raw index for each question, shape (question,); 0 where all answers are alike."""
    questions, runs = level.shape
    out = np.zeros(questions)
    for q in range(questions):
        columns = level[q].max() + 1
        mass = np.zeros((count, columns))
        for i in range(runs):
            mass[part[i], level[q, i]] += weight[i]
        within = np.zeros(count)
        for c in range(count):
            within[c] = mass[c].sum()
        total = within.sum()
        below = np.zeros(count)
        upto = 0.0
        between = 0.0
        whole = 0.0
        for v in range(columns - 1):
            at = 0.0
            for c in range(count):
                at += mass[c, v]
                below[c] += mass[c, v]
            upto += at
            f = upto / total
            explained = 0.0
            for c in range(count):
                if within[c] > 0.0:
                    gap = below[c] / within[c] - f
                    explained += within[c] / total * gap * gap
            between += at * explained
            whole += at * f * (1.0 - f)
        if whole > 0.0:
            out[q] = between / whole
    return out
