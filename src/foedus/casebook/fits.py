"""Stored posterior draws, and which of them a question may use.

Fits are stored for all usable cases (``full``), for what was known before 1 January of a year
(``before-2022``) and, where reweighting fails, without the rows of one requester and year
(``without-KAZ-2022``).
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.casebook import models
from foedus.casebook.coded_case import CodedCase, Exclude
from foedus.casebook.design import (
    MODELS,
    Features,
    Floats,
    inputs,
    responses,
)
from foedus.casebook.load import load_casebook
from foedus.casebook.models import PRIORS
from foedus.casebook.organisations import organisations
from foedus.casebook.rates import size_known, survival_known
from foedus.errors import StoreError

#: Changes whenever a model's equations do; part of its content hash.
MODEL_VERSION = {"call": 2, "arrival": 2, "size": 2, "duration": 3, "survival": 2}
#: What each model sees of a case beside organisation and trigger: fields of inputs and responses.
_SEES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "call": (("year", "weights"), ("asked", "answer", "answer_free")),
    "arrival": (("collective",), ("arrival",)),
    "size": ((), ("size",)),
    "duration": ((), ("months", "kind")),
    "survival": ((), ("survived", "survival_answer")),
}
_PRIORS = {
    "call": ("request", "answer"),
    "arrival": ("arrival",),
    "size": ("size",),
    "duration": ("duration",),
    "survival": ("survival",),
}
FILE = "fits.npz"
NOTES = "fits.json"
#: Importance weights whose tail has a Pareto shape above this are not to be trusted.
PARETO_LIMIT = 0.7


def content_hashes(cases: Sequence[CodedCase]) -> dict[str, str]:
    """Return by model a hash of all that its fits depend on: rows, priors and equations."""
    x, y = inputs([Features.of(c) for c in cases]), responses(cases)
    known = [[str(day(c)) for day in (CodedCase.known, size_known, survival_known)] for c in cases]
    out = {}
    for model in MODELS:
        of_x, of_y = _SEES[model]
        arrays = [getattr(x, n) for n in ("group", "trigger", *of_x)]
        arrays += [getattr(y, n) for n in of_y]
        priors = {
            k: [p.mean, p.sd, p.half, p.log]
            for k, p in PRIORS.items()
            if k.split(".")[0] in _PRIORS[model]
        }
        content = [
            MODEL_VERSION[model],
            organisations().groups,
            [np.round(a, 9).tolist() for a in (*arrays, y.mask[model])],
            known,
            priors,
        ]
        text = json.dumps(content, sort_keys=True)
        out[model] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return out


def pack(table: NDArray[np.floating[Any]]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return draws as one byte each, and the least and greatest value of each column.

    Parameters
    ----------
    table : ndarray, shape (D, P)

    Returns
    -------
    codes : ndarray of uint8, shape (D, P)
    ends : ndarray of float32, shape (2, P)
        Code 0 is the first, code 255 the second; a draw is off by at most a 510th of the range.
    """
    ends = np.stack([table.min(axis=0), table.max(axis=0)]).astype(np.float32)
    width = np.maximum(ends[1] - ends[0], np.finfo(np.float32).tiny)
    codes = np.clip(np.rint((table - ends[0]) / width * 255), 0, 255)
    return codes.astype(np.uint8), ends


def unpack(codes: NDArray[np.uint8], ends: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the draws of `pack`, shape (D, P)."""
    out: NDArray[np.float32] = ends[0] + codes * ((ends[1] - ends[0]) / np.float32(255))
    return out


@dataclass(frozen=True)
class Fits:
    """Stored fits.

    Attributes
    ----------
    arrays : dict
        ``model/tag`` → ndarray, shape (D, P).
    notes : dict
        Hashes, parameters and the diagnostics of every fit.
    cases : tuple of CodedCase
        The fitted cases.
    """

    arrays: dict[str, NDArray[np.float32]]
    notes: dict[str, Any]
    cases: tuple[CodedCase, ...]

    def tags(self, model: str) -> tuple[str, ...]:
        """Return the tags of a model's fits."""
        return tuple(k.split("/")[1] for k in self.arrays if k.startswith(f"{model}/"))

    def draws(self, model: str, tag: str) -> dict[str, Floats]:
        """Return the draws of one fit, parameter → ndarray of shape (D, k)."""
        table = self.arrays[f"{model}/{tag}"].astype(np.float64)
        out, start = {}, 0
        for name, length in self.notes["parameters"][model].items():
            out[name] = table[:, start : start + length]
            start += length
        if "psi" in out:
            out["psi"] = out["psi"] / out["psi"].sum(axis=1, keepdims=True)
        return out


def read_arrays(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the draws in an opened ``fits.npz``, by ``model/tag``."""
    return {k: unpack(data[k], data[f"{k}/ends"]) for k in data if not k.endswith("/ends")}


@functools.cache
def load_fits(folder: Path | None = None) -> Fits:
    """Return the shipped fits, or those of a folder written by `foedus.casebook.refit`.

    Raises
    ------
    StoreError
        If the files are missing, or were fitted to cases that are not in the casebook.
    """
    place = resources.files(__package__) if folder is None else folder
    try:
        with place.joinpath(NOTES).open("r", encoding="utf-8") as notes_file:
            notes = json.load(notes_file)
        with place.joinpath(FILE).open("rb") as file, np.load(file) as data:
            arrays = read_arrays(data)
    except (OSError, ValueError) as error:
        raise StoreError(f"the casebook's fits cannot be read: {error}") from None
    by_id = {c.id: c for c in load_casebook(notes.get("folder"))}
    missing = [i for i in notes["cases"] if i not in by_id]
    if missing:
        raise StoreError(f"the casebook's fits name cases that are not there: {missing}")
    return Fits(arrays, notes, tuple(by_id[i] for i in notes["cases"]))


@dataclass(frozen=True)
class Posterior:
    """Draws of one model that hold no hindsight for a question.

    Attributes
    ----------
    draws : dict
        Parameter → ndarray, shape (D, k); equally weighted.
    tag : str
        The stored fit that they come from.
    method : {"exact", "reweighted", "earlier"}
        A fit to exactly the right cases; a fit from which importance weights remove the excluded
        rows; or, where the weights fail, an earlier fit that never saw them.
    pareto_k : float
        Pareto shape of the weights; minus infinity where none were needed.
    """

    draws: dict[str, Floats]
    tag: str
    method: str
    pareto_k: float


def posterior(
    model: str,
    *,
    before: dt.date | None = None,
    exclude: Exclude | None = None,
    fits: Fits | None = None,
) -> Posterior:
    """Return draws of a model without the excluded rows and without what was known later.

    Parameters
    ----------
    model : str
        One of `foedus.casebook.design.MODELS`.
    before : datetime.date, optional
        The fit used is that of the latest 1 January up to this day.
    exclude : str or (str, int), optional
        The row of the case at hand: its id, or the requester's ISO code and the year.
    """
    fits = fits or load_fits()
    cuts = sorted(t for t in fits.tags(model) if t.startswith("before-"))
    if before is None:
        tag, cut = "full", None
        exact = f"without-{exclude[0]}-{exclude[1]}" if isinstance(exclude, tuple) else ""
        if exact in fits.tags(model):
            return Posterior(fits.draws(model, exact), exact, "exact", -np.inf)
    else:
        tag = max((t for t in cuts if _day(t) <= before), default=cuts[0])
        cut = _day(tag)
    drop = [i for i, c in enumerate(fits.cases) if c.excluded(exclude)]
    if not drop or not _seen(model, fits, drop, cut):
        return Posterior(fits.draws(model, tag), tag, "exact", -np.inf)
    draws = fits.draws(model, tag)
    weights, k = smooth(-_group_likelihood(model, fits, drop, cut, draws))
    if k <= PARETO_LIMIT:
        chosen = _resample(weights)
        return Posterior({n: v[chosen] for n, v in draws.items()}, tag, "reweighted", k)
    earlier = max(
        t for t in cuts if (cut is None or _day(t) <= cut) and not _seen(model, fits, drop, _day(t))
    )
    return Posterior(fits.draws(model, earlier), earlier, "earlier", k)


def pareto_shapes(model: str, fits: Fits) -> dict[tuple[str, int], float]:
    """Return the Pareto shape for removing each requester and year from the full fit."""
    draws = fits.draws(model, "full")
    shapes = {}
    for key in sorted({c.key for c in fits.cases}):
        drop = [i for i, c in enumerate(fits.cases) if c.key == key]
        if _seen(model, fits, drop, None):
            shapes[key] = smooth(-_group_likelihood(model, fits, drop, None, draws))[1]
    return shapes


def _day(tag: str) -> dt.date:
    return dt.date(int(tag.removeprefix("before-")), 1, 1)


def _seen(model: str, fits: Fits, drop: list[int], cut: dt.date | None) -> bool:
    y = responses([fits.cases[i] for i in drop], before=cut)
    return bool(y.mask[model].any())


def _group_likelihood(
    model: str, fits: Fits, drop: list[int], cut: dt.date | None, draws: dict[str, Floats]
) -> Floats:
    cases = [fits.cases[i] for i in drop]
    x = inputs([Features.of(c) for c in cases])
    y = responses(cases, before=cut)
    out: Floats = models.log_likelihood(model, draws, x, y).sum(axis=1)
    return out


def _resample(weights: Floats) -> Any:
    """Return systematically resampled indices; the fixed start makes them deterministic."""
    n = weights.size
    positions = (np.arange(n) + 0.5) / n
    return np.minimum(np.searchsorted(np.cumsum(weights), positions), n - 1)


def smooth(log_ratios: Floats) -> tuple[Floats, float]:
    """Return Pareto-smoothed importance weights, shape (D,), and the Pareto shape k.

    Vehtari et al. 2024, arXiv 1507.02646. The weights sum to 1.

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
