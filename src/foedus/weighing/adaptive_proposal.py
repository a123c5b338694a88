"""The next proposal of an adaptive ensemble, fitted to the likelihood of the runs so far.

Before each later stage (:mod:`foedus.ensemble.proposal`) the log-likelihood of the runs so far is
regressed on the normal scores of design and chance. If it were linear, ``a + b z``, the posterior
would be the prior shifted to mean ``b``, so the slopes say where to sample, and every run helps to
estimate them. Many runs miss a known decision altogether, and by how much does not matter. So two
slopes are added: that of the log-likelihood among the runs within :data:`REACH` of its 99%
quantile, and that of the log-probability of being among them. Each is a ridge regression whose
penalty expects slopes of size :data:`TYPICAL`; a slope within :data:`HARDLY` standard errors counts
as zero. The hypothesis is never shifted: each gets the runs of its prior weight.

This affects only where runs are drawn. Their importance weights are exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from foedus.case.asof import AsOf
from foedus.case.models import Case
from foedus.defaults import BLOCK
from foedus.ensemble.design import HYPOTHESIS, design_points
from foedus.ensemble.proposal import Stage
from foedus.weighing.evidence import likelihood, reports
from foedus.weighing.quantities import Frame, blocks
from foedus.weighing.silence import Silence
from foedus.world.guidance import Guidance

if TYPE_CHECKING:
    import xarray as xr

    from foedus.ensemble import Ensemble
    from foedus.ensemble.prior_matching import Tilt

FloatArray = NDArray[np.float64]

#: Runs this far below the 99% quantile of the log-likelihood do not matter.
REACH = 9.0
#: Size of a slope, for the penalty.
TYPICAL = 0.3
#: Standard errors within which a slope counts as zero.
HARDLY = 1.5
#: Share of the slope by which a stage shifts, and the largest shift of a score.
STEP = 1.0
FURTHEST = 1.3
#: Fewest runs for a regression.
FEWEST_FITTED = 100
#: Most runs of a regression; of more, every second, third, ... is used.
MOST = 32_000


def log_likelihood(
    case: Case,
    dataset: xr.Dataset,
    *,
    guidance: Guidance | None = None,
    as_of: AsOf | None = None,
    block: int = BLOCK,
) -> FloatArray:
    """Return the log-likelihood of what a case knows and of what it is silent about, shape (run,).

    Parameters
    ----------
    case : Case
        As filtered by :func:`foedus.case.asof.as_of`.
    dataset : xarray.Dataset
    guidance : Guidance, optional
        What was replayed; read from the case if absent.
    as_of : datetime.date, datetime.datetime or str, optional
        The time of the silence; the end of the case's as-of date if absent.
    block : int
        Runs held in memory at once.
    """
    frame = Frame.of(case)
    guidance = Guidance.of(case) if guidance is None else guidance
    weighed = [r for r in reports(case, guidance) if r.use == "weighed"]
    silence = Silence.of(case, as_of)
    names = {"log_guidance"}.union(silence.variables, *(r.variables for r in weighed))
    parts = []
    for runs in blocks(dataset, sorted(names), size=block):
        guided = runs["log_guidance"].astype(np.float64)
        found = likelihood(weighed, runs, frame)
        denial = {r.fact.id: row for r, row in zip(weighed, found.contribution, strict=True)}
        parts.append(guided + found.total + silence.log_factor(runs, frame, denial))
    return np.concatenate(parts) if parts else np.zeros(0)


def next_stage(
    case: Case,
    ensemble: Ensemble,
    first_run: int,
    *,
    as_of: AsOf | None = None,
    tilt: Tilt | None = None,
) -> Stage:
    """Return the proposal of the runs from ``first_run`` on.

    Parameters
    ----------
    case : Case
        As filtered by :func:`foedus.case.asof.as_of`.
    ensemble : Ensemble
        The runs so far.
    first_run : int
    as_of : datetime.date, datetime.datetime or str, optional
        As of :func:`log_likelihood`.
    tilt : Tilt, optional
        Prior-predictive matching, part of the target like the likelihood.
    """
    step = -(-ensemble.complete_runs // MOST) or 1
    some = slice(None, None, step)
    names, u = design_points(ensemble, some)
    dataset = ensemble.dataset.isel(run=some)
    fit = log_likelihood(case, dataset, as_of=as_of)
    if tilt is not None:
        fit = fit + tilt.log_weight(case, dataset)
    return fitted(names, ndtri(u), fit, first_run)


def fitted(names: tuple[str, ...], z: FloatArray, fit: FloatArray, first_run: int) -> Stage:
    """Return the stage fitted to some runs.

    Parameters
    ----------
    names : tuple of str
        Dimensions.
    z : ndarray, shape (dimension, run)
        Normal scores.
    fit : ndarray, shape (run,)
        Log-likelihoods.
    first_run : int

    Returns
    -------
    Stage
        Without a shift if the runs are too few, or all alike.
    """
    usable = np.isfinite(fit)
    z, fit = z[:, usable], fit[usable]
    if fit.size < FEWEST_FITTED:
        return Stage(first_run, (), (), ())
    good = fit > np.quantile(fit, 0.99) - REACH
    slope = slopes(z, good / good.mean())
    if good.sum() >= FEWEST_FITTED:
        slope = slope + slopes(z[:, good], fit[good])
    mean = np.clip(STEP * slope, -FURTHEST, FURTHEST)
    moved = [i for i, n in enumerate(names) if n != HYPOTHESIS and mean[i] != 0.0]
    return Stage(
        first_run,
        tuple(names[i] for i in moved),
        tuple(float(mean[i]) for i in moved),
        (1.0,) * len(moved),
    )


def slopes(z: FloatArray, y: FloatArray) -> FloatArray:
    """Return ridge slopes of ``y`` on scores, 0 where they are within noise.

    Parameters
    ----------
    z : ndarray, shape (dimension, run)
    y : ndarray, shape (run,)

    Returns
    -------
    ndarray, shape (dimension,)
    """
    y = y - y.mean()
    noise = float(y.var())
    if noise <= 0.0:
        return np.zeros(z.shape[0])
    centred = z - z.mean(axis=1, keepdims=True)
    penalty = noise / TYPICAL**2
    inverse = np.linalg.inv(centred @ centred.T + penalty * np.eye(z.shape[0]))
    slope = inverse @ (centred @ y)
    error = np.sqrt(noise * np.diag(inverse @ (centred @ centred.T) @ inverse))
    return np.asarray(np.where(np.abs(slope) > HARDLY * error, slope, 0.0))
