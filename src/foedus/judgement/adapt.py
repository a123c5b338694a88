"""Where to look next: a proposal fitted to the runs that the evidence favours.

Before each later stage of an adaptive ensemble (:mod:`foedus.ensemble.proposal`) the runs so far
are weighed by ``price · likelihood**t``. The exponent ``t`` is the largest up to 1 at which the
effective sample is still :data:`WANTED` of the runs, found by bisection (tempering, as in
adaptive sequential Monte Carlo: Del Moral, Doucet & Jasra 2012, doi 10.1007/s11222-011-9271-y).
The stage takes over the weighted means of the normal scores, shrunk towards the prior's 0 by
``1 - 1/t²`` (James & Stein 1961), ``t`` being the mean in standard errors; means within
:data:`HARDLY` standard errors stay 0. Standard deviations are taken over where they differ from 1
by :data:`CLEARLY` standard errors. The hypothesis is never moved: each gets the runs that its
prior weight gives it.

Only where the runs look depends on this, not what they are worth: the price is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from foedus.case.models import Case
from foedus.ensemble.proposal import Stage, log_price, points
from foedus.judgement.evidence import likelihood, reports
from foedus.judgement.quantities import Frame, blocks
from foedus.judgement.weights import effective_size, normalise
from foedus.world.guidance import Guidance

if TYPE_CHECKING:
    import xarray as xr

    from foedus.ensemble import Ensemble

FloatArray = NDArray[np.float64]

#: Effective runs that a stage is fitted to, as a share of the runs so far.
WANTED = 0.1
#: Standard errors within which a mean is taken for the prior's.
HARDLY = 1.5
#: Standard errors by which a standard deviation must differ from the prior's to be taken over.
CLEARLY = 2.5
#: Limits of a stage's means and standard deviations, in normal scores.
FURTHEST = 2.5
NARROWEST = 0.35
WIDEST = 1.2
#: A fitted standard deviation is widened by this, since tails matter and the fit is rough.
WIDENED = 1.15

_BLOCK = 1000
_HYPOTHESIS = "hypothesis"


def log_likelihood(
    case: Case, dataset: xr.Dataset, *, guidance: Guidance | None = None, block: int = _BLOCK
) -> FloatArray:
    """Return the log-likelihood of what a case knows, shape (run,).

    Parameters
    ----------
    case : Case
        As filtered by :func:`foedus.case.asof.as_of`.
    dataset : xarray.Dataset
    guidance : Guidance, optional
        What was replayed; read from the case if absent.
    block : int
        Runs held in memory at once.
    """
    frame = Frame.of(case)
    guidance = Guidance.of(case) if guidance is None else guidance
    weighed = [r for r in reports(case, guidance) if r.use == "weighed"]
    names = {"log_guidance"}.union(*(r.variables for r in weighed))
    parts = []
    for runs in blocks(dataset, sorted(names), size=block):
        guided = runs["log_guidance"].astype(np.float64)
        parts.append(guided + likelihood(weighed, runs, frame).contribution.sum(axis=0))
    return np.concatenate(parts) if parts else np.zeros(0)


def next_stage(case: Case, ensemble: Ensemble, first_run: int) -> Stage:
    """Return where the runs from ``first_run`` on should look.

    Parameters
    ----------
    case : Case
        As filtered by :func:`foedus.case.asof.as_of`.
    ensemble : Ensemble
        The runs so far.
    first_run : int
    """
    names, u = points(ensemble)
    price = log_price(u, names, ensemble.plan.stages, runs=ensemble.plan.runs)
    fit = log_likelihood(case, ensemble.dataset)
    return fitted(names, ndtri(u), price, fit, first_run)


def fitted(
    names: tuple[str, ...], z: FloatArray, price: FloatArray, fit: FloatArray, first_run: int
) -> Stage:
    """Return the stage for some weighed points.

    Parameters
    ----------
    names : tuple of str
        Dimensions.
    z : ndarray, shape (dimension, run)
        Normal scores.
    price, fit : ndarray, shape (run,)
        Log of prior over mixture, and log-likelihood.
    first_run : int
    """
    usable = np.isfinite(fit)
    if not usable.any():
        return Stage(first_run, (), (), ())
    z, price, fit = z[:, usable], price[usable], fit[usable]
    weight = normalise(price + temper(price, fit, WANTED * fit.size) * fit)
    effective = 1.0 / float((weight**2).sum())
    mean = (z * weight).sum(axis=1)
    sd = np.sqrt(((z - mean[:, None]) ** 2 * weight).sum(axis=1))
    t = np.abs(mean) * np.sqrt(effective)
    shrunk = np.where(t > HARDLY, mean * (1.0 - 1.0 / np.maximum(t, 1.0) ** 2), 0.0)
    shrunk = np.clip(shrunk, -FURTHEST, FURTHEST)
    odd = np.abs(sd - 1.0) * np.sqrt(2.0 * effective) > CLEARLY
    width = np.where(odd, np.clip(WIDENED * sd, NARROWEST, WIDEST), 1.0)
    moved = [i for i, n in enumerate(names) if n != _HYPOTHESIS and (shrunk[i] != 0.0 or odd[i])]
    return Stage(
        first_run,
        tuple(names[i] for i in moved),
        tuple(float(shrunk[i]) for i in moved),
        tuple(float(width[i]) for i in moved),
    )


def temper(price: FloatArray, fit: FloatArray, wanted: float) -> float:
    """Return the largest exponent up to 1 that leaves an effective sample of ``wanted``."""

    def effective(t: float) -> float:
        return float(effective_size(price + t * fit))

    if effective(1.0) >= wanted:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if effective(middle) >= wanted else (low, middle)
    return low
