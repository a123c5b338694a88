"""Calibration over all questions of many forecasts: whether things happen as often as forecast.

**Binary questions** use the CORP approach (Dimitriadis, Gneiting and Jordan 2021, doi
10.1073/pnas.2016191118). The recalibrated probability is the isotonic regression of the outcomes on
the forecast probabilities, which needs no choice of bins. The mean Brier score is decomposed as ``S
= MCB - DSC + UNC``: miscalibration, discrimination, and the uncertainty of the base rate. **Numbers
and dates** use the probability integral transform (PIT), non-randomised where a forecast has point
masses (Czado, Gneiting and Held 2009, doi 10.1111/j.1541-0420.2009.01191.x), and the coverage of
the central intervals.

A question that is forecast on many days is still one question. Its forecasts share one weight. The
bands, which show where the curve of a *calibrated* forecaster would lie, use one random draw per
question, whatever the number of its days; otherwise many days of few questions would look like much
evidence. Questions of one case are correlated too. The bands do not account for this, so they are
too narrow rather than too wide.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from foedus.errors import InputError
from foedus.plain_values import Plain
from foedus.randomness import Random
from foedus.scoring.lead_time import open_forecasts
from foedus.scoring.scores import Scores

FloatArray = NDArray[np.float64]

#: Number of simulations behind a band.
THROWS = 1000
#: Level of all bands.
LEVEL = 0.9
#: Edges of the bins of the table; the curve needs none.
EDGES: tuple[float, ...] = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
#: Central intervals whose coverage is reported.
INTERVALS: tuple[float, ...] = (0.5, 0.8, 0.9)
#: Bins of the PIT histogram.
PIT_BINS = 5


@dataclass(frozen=True)
class Bin:
    """The forecasts between two probabilities.

    Attributes
    ----------
    low, high : float
    forecasts, questions : int
    said, happened : float
        Weighted means of the forecast probability and of the outcome.
    band : tuple of float
        Where the share that happened would lie for a calibrated forecaster.
    """

    low: float
    high: float
    forecasts: int
    questions: int
    said: float
    happened: float
    band: tuple[float, float]


@dataclass(frozen=True)
class Reliability(Plain):
    """Calibration of probabilities.

    Attributes
    ----------
    said : (forecast,)
        Distinct forecast probabilities, ascending.
    recalibrated : (forecast,)
        How often the event happened, by isotonic regression.
    low, high : (forecast,)
        Band of a calibrated forecaster.
    bins : tuple of Bin
    forecasts, questions : int
    score, miscalibration, discrimination, uncertainty : float
        Weighted mean Brier score and its components.
    miscalibration_expected : float
        Mean miscalibration of a calibrated forecaster, which is not 0 with few questions.
    """

    said: FloatArray
    recalibrated: FloatArray
    low: FloatArray
    high: FloatArray
    bins: tuple[Bin, ...]
    forecasts: int
    questions: int
    score: float
    miscalibration: float
    miscalibration_expected: float
    discrimination: float
    uncertainty: float

    @property
    def outside(self) -> int:
        """Number of distinct probabilities whose recalibrated value lies outside the band."""
        off = (self.recalibrated < self.low - 1e-9) | (self.recalibrated > self.high + 1e-9)
        return int(off.sum())


@dataclass(frozen=True)
class Coverage:
    """How often the outcome lay in a central interval.

    Attributes
    ----------
    level : float
        Nominal coverage of the interval.
    covered : float
        Weighted share of the forecasts.
    band : tuple of float
        For a calibrated forecaster.
    """

    level: float
    covered: float
    band: tuple[float, float]


@dataclass(frozen=True)
class Transform(Plain):
    """Calibration of numbers and dates.

    Attributes
    ----------
    shares : (bin,)
        Weighted share of the outcomes in equally likely parts of the forecasts.
    low, high : (bin,)
        Band of a calibrated forecaster.
    coverage : tuple of Coverage
    forecasts, questions : int
    """

    shares: FloatArray
    low: FloatArray
    high: FloatArray
    coverage: tuple[Coverage, ...]
    forecasts: int
    questions: int


def calibration(scores: Iterable[Scores]) -> tuple[Reliability | None, Transform | None]:
    """Return the calibration of the open questions of some scored forecasts.

    Parameters
    ----------
    scores : iterable of Scores
        Of any cases and dates.

    Returns
    -------
    tuple of Reliability and Transform
        For the binary questions, and for the numbers and dates; None where there are none.
    """
    rows = open_forecasts(scores)
    said, came, names = [], [], []
    pits, of = [], []
    for name, _, q in rows:
        if q.score is not None and q.score.brier is not None and q.score.forecast is not None:
            said.append(q.score.forecast)
            came.append(bool(q.outcome))
            names.append(name)
        if q.pit is not None:
            pits.append(q.pit)
            of.append(name)
    return (
        reliability(np.array(said), np.array(came), names) if said else None,
        transform(np.array(pits), of) if pits else None,
    )


def reliability(
    said: FloatArray, happened: NDArray[np.bool_], questions: Sequence[str], *, seed: int = 1
) -> Reliability:
    """Compare probabilities with outcomes.

    Parameters
    ----------
    said : ndarray, shape (forecast,)
        Probabilities.
    happened : ndarray of bool, shape (forecast,)
    questions : sequence of str
        The question of each forecast.
    seed : int
        Seed of the simulations behind the bands.

    Raises
    ------
    InputError
        If shapes differ, there is no forecast, or one is not a probability.
    """
    said, came = np.asarray(said, dtype=np.float64), np.asarray(happened, dtype=np.float64)
    if not said.size or said.shape != came.shape or said.shape != (len(questions),):
        raise InputError(
            f"said, happened, questions: one of each a forecast, at least one (found {said.shape}, "
            f"{came.shape}, {len(questions)})"
        )
    if not ((said >= 0) & (said <= 1)).all():
        raise InputError("said: probabilities from 0 to 1")
    group, weight = _groups(questions)
    values, at = np.unique(said, return_inverse=True)
    mass = np.bincount(at, weight)

    def fit(y: FloatArray) -> FloatArray:
        share = np.bincount(at, weight * y) / mass
        return np.asarray(isotonic_regression(share, weights=mass).x)

    def brier(p: FloatArray | float, y: FloatArray) -> float:
        return float((weight * (p - y) ** 2).sum())

    curve = fit(came)
    mean = float((weight * came).sum())
    total, best, flat = brier(said, came), brier(curve[at], came), brier(mean, came)
    curves = np.empty((THROWS, values.size))
    excess = np.empty(THROWS)
    throws = _throws(group, seed)
    for n in range(THROWS):
        y = (throws[n][group] < said).astype(np.float64)
        curves[n] = fit(y)
        excess[n] = brier(said, y) - brier(curves[n][at], y)
    low, high = _band(curves)
    return Reliability(
        values,
        curve,
        low,
        high,
        _bins(said, came, weight, group, throws),
        said.size,
        int(group.max()) + 1,
        total,
        total - best,
        float(excess.mean()),
        flat - best,
        flat,
    )


def transform(pits: FloatArray, questions: Sequence[str], *, seed: int = 1) -> Transform:
    """Return where outcomes fell in the forecasts of numbers and dates.

    Parameters
    ----------
    pits : ndarray, shape (forecast, 2)
        Forecast probability of less than the outcome, and of at most the outcome.
    questions : sequence of str
        The question of each forecast.
    seed : int
        Seed of the simulations behind the bands.

    Raises
    ------
    InputError
        If shapes differ or there is no forecast.
    """
    pits = np.asarray(pits, dtype=np.float64)
    if not pits.size or pits.shape != (len(questions), 2):
        raise InputError(f"pits: shape (forecast, 2), at least one forecast (found {pits.shape})")
    group, weight = _groups(questions)
    throws = _throws(group, seed)

    def share(low: float, high: float) -> tuple[float, tuple[float, float]]:
        # An outcome at a point mass of the forecast is spread over it.
        a, b = pits[:, 0], pits[:, 1]
        wide = b > a
        inside = np.where(
            wide,
            (np.minimum(b, high) - np.maximum(a, low)).clip(0) / np.where(wide, b - a, 1.0),
            (a >= low) & ((a < high) | (high >= 1.0)),
        )
        # A point mass is as wide for a calibrated forecaster, so it is spread in the same way here.
        hit = (throws >= low) & (throws < high)
        by_question = np.bincount(group, weight)
        drawn = np.asarray(hit @ by_question, dtype=np.float64)
        bottom, top = _band(drawn[:, None])
        return float((weight * inside).sum()), (float(bottom[0]), float(top[0]))

    edges = np.linspace(0.0, 1.0, PIT_BINS + 1)
    parts = [share(a, b) for a, b in itertools.pairwise(edges.tolist())]
    covered = [(level, *share((1 - level) / 2, (1 + level) / 2)) for level in INTERVALS]
    return Transform(
        np.array([p for p, _ in parts]),
        np.array([band[0] for _, band in parts]),
        np.array([band[1] for _, band in parts]),
        tuple(Coverage(*c) for c in covered),
        len(questions),
        int(group.max()) + 1,
    )


def _groups(questions: Sequence[str]) -> tuple[NDArray[np.intp], FloatArray]:
    """Return the number of each forecast's question, and weights by which questions count alike."""
    _, group, count = np.unique(np.array(questions), return_inverse=True, return_counts=True)
    return group, 1.0 / (count[group] * count.size)


def _throws(group: NDArray[np.intp], seed: int) -> FloatArray:
    """Return one uniform draw for each simulation and question, shape (simulation, question)."""
    random = Random(seed, np.arange(THROWS, dtype=np.int64))
    columns = [
        random.uniform("reliability.throw", place=question) for question in range(group.max() + 1)
    ]
    return np.stack(columns, axis=1)


def _band(drawn: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the central band over simulations, shape (simulation, ...)."""
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0, method="nearest")
    return np.asarray(low), np.asarray(high)


def _bins(
    said: FloatArray,
    came: FloatArray,
    weight: FloatArray,
    group: NDArray[np.intp],
    throws: FloatArray,
) -> tuple[Bin, ...]:
    out = []
    for low, high in itertools.pairwise(EDGES):
        here = (said >= low) & ((said < high) | (high == 1.0))
        if not here.any():
            continue
        w = weight[here] / weight[here].sum()
        drawn = (throws[:, group[here]] < said[here]) @ w
        bottom, top = _band(drawn[:, None])
        out.append(
            Bin(
                low,
                high,
                int(here.sum()),
                int(np.unique(group[here]).size),
                float((w * said[here]).sum()),
                float((w * came[here]).sum()),
                (float(bottom[0]), float(top[0])),
            )
        )
    return tuple(out)
