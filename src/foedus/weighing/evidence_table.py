"""What is known, how it was used, and what the weighed runs say of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case
from foedus.weighing.evidence import Likelihood, Report
from foedus.weighing.quantities import Frame
from foedus.weighing.results import Evidence
from foedus.weighing.weights import Weights, effective_size, normalise, without
from foedus.weighted_statistics import quantile

FloatArray = NDArray[np.float64]

_BANDS = np.array([0.05, 0.5, 0.95])


def evidence_table(
    case: Case,
    used: tuple[Report, ...],
    weighed: Sequence[Report],
    likelihood: Likelihood,
    weights: Weights,
    frame: Frame,
) -> tuple[Evidence, ...]:
    """Return what is known, how it was used, and what the runs say of it, in the case's order."""
    row = {r.fact.id: i for i, r in enumerate(weighed)}
    out = []
    for report in used:
        i = row.get(report.fact.id)
        more: dict[str, Any] = {}
        if i is not None and report.model is not None:
            # One report at a time: all of them for all runs may be more than memory holds.
            left_out = without(weights.log_weight, likelihood.contribution[i])
            more = _weighed(report, likelihood, i, weights, left_out, frame)
            more["ess_without"] = float(effective_size(left_out))
        fact = report.fact
        source = case.sources[fact.source]
        out.append(
            Evidence(
                id=fact.id,
                about=fact.about.isoformat(),
                known_from=fact.known_from.isoformat(),
                text=fact.text,
                rating=fact.rating,
                quantity=fact.quantity,
                place=fact.place,
                member=fact.member,
                reported=None if fact.value is None else str(fact.value),
                speaker=fact.speaker,
                source=fact.source,
                source_name=source.name,
                address=source.address,
                use=report.use,
                share=report.share,
                **more,
            )
        )
    return tuple(out)


def _weighed(
    report: Report,
    likelihood: Likelihood,
    i: int,
    weights: Weights,
    left_out: FloatArray,
    frame: Frame,
) -> dict[str, Any]:
    model = report.model
    assert model is not None
    values = likelihood.truth[i]
    expected = normalise(left_out)
    log_likelihood = likelihood.contribution[i] / report.share
    usable = np.isfinite(log_likelihood)
    best = model.best()
    mean = float(np.dot(expected[usable], np.exp(log_likelihood[usable] - best)))
    event = model.scale_name == "day"

    def told(value: float) -> float | dt.date | None:
        return frame.date_or_never(value) if event else float(value)

    def band(weight: FloatArray) -> tuple[float | dt.date | None, ...]:
        return tuple(told(v) for v in quantile(values, weight, _BANDS))

    best_run = int(np.argmax(np.where(usable, log_likelihood, -np.inf)))
    return {
        "error": model.error,
        "runs": band(weights.weight),
        "expected": band(expected),
        "surprise": max(float(-np.log2(mean)), 0.0) if mean > 0 else None,
        "disbelief": float(np.dot(weights.weight, likelihood.disbelief[i])),
        "closest": min(float(log_likelihood[best_run] - best), 0.0) if usable.any() else None,
        "nearest": told(values[best_run]) if usable.any() else None,
    }
