"""Does the mission kind help to say how long a mission lasts? (extra ``bayes``).

``python benchmarks/mission_kind.py``. The shipped model of lengths is compared with the same model
that is told of no kind. The score is the expected log predictive density of the lengths alone
(months that ended, or that lasted at least so long), by Pareto-smoothed importance sampling with
each requester and year left out.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from scipy import special

from foedus.casebook import load_casebook, models
from foedus.casebook.coded_case import MISSION_KINDS
from foedus.casebook.design import Features, inputs, usable
from foedus.casebook.fits import load_fits, smooth

SEED = 20220105


def densities(draws, cases, y, *, announced: bool) -> np.ndarray:
    """Return the log predictive density of each case's length, left out of the fit to ``y``."""
    x = inputs([Features.of(c) for c in cases])
    seen = models.log_likelihood("duration", draws, x, y)
    kind = np.ones_like(y.kind)
    if announced:
        # The kind as a certain coding; the chance that the model gave it is taken off again.
        kind = np.array(
            [[float(c.value("mission_kind") == k) for k in MISSION_KINDS] for c in cases]
        )
        kind[kind.sum(axis=1) == 0] = 1.0
    length = models.log_likelihood("duration", draws, x, replace(y, kind=kind))
    length -= np.log((models.kind_given_trigger(draws, x) * kind).sum(axis=2))
    out = np.zeros(len(cases))
    for i, case in enumerate(cases):
        same = np.array([c.key == case.key for c in cases])
        weights, _ = smooth(-seen[:, same].sum(axis=1))
        out[i] = special.logsumexp(length[:, i], b=weights)
    return out


def main() -> None:
    """Print the scores."""
    from foedus.casebook.refit import fitter

    warnings.simplefilter("ignore")
    cases = usable(load_casebook())
    compiled, y = fitter("duration", cases)
    blind = replace(y, kind=np.ones_like(y.kind))
    alone = compiled.fit(blind, seed=SEED, draws=1000, tune=1000).draws
    shipped = load_fits().draws("duration", "full")
    known = (y.mask["duration"] == 1) & (y.months[:, 0] > 0)
    found = {
        "no kind": densities(alone, cases, blind, announced=False),
        "kind averaged": densities(shipped, cases, y, announced=False),
        "kind announced": densities(shipped, cases, y, announced=True),
    }
    base = found["no kind"][known]
    for name, values in found.items():
        gain = values[known] - base
        error = gain.std(ddof=1) * np.sqrt(gain.size)
        print(f"{name}: {values[known].sum():.1f}, {gain.sum():+.1f} (s.e. {error:.1f})")
    print(f"{known.sum()} missions")


if __name__ == "__main__":
    main()
