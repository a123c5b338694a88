"""Prior-predictive matching: the simulated world keeps the history that it was given.

The casebook's models set the priors of a case (:mod:`foedus.world.priors`), yet what the mechanisms
make of them need not agree with the models: unrest, votes and delays interact. So the runs are
weighted, before any evidence, by the weights of minimum relative entropy (exponential tilting)

    w(x) ∝ exp(Σ_j λ_j g_j(x)),    E_w[g_j] = 0,

under which the chances that the models give to asking, to each answer, to arrival, size and stay
come out of the simulation as they went in. Each ``g_j`` is the indicator of a step, minus its
target, in the runs that are long enough to show it. λ solves a convex problem (Hainmueller 2012,
doi 10.1093/pan/mpr025; Ireland & Kullback 1968, doi 10.1093/biomet/55.1.179). As it is fitted to a
pilot of :data:`PILOT` runs from the prior, each λ has a penalty that allows the sampling error of
the pilot and no more. The price is shown as the effective share of the pilot.

The models leave the case out, so nothing of how it ended reaches λ. A family of steps whose priors
the case file sets itself is left as the file has it. Each hypothesis keeps its prior weight.
"""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from foedus.case.asof import seen_by_world
from foedus.case.models import Case
from foedus.case.times import DAYS_PER_MONTH
from foedus.ensemble import store
from foedus.errors import StoreError
from foedus.scoring_rules import smoothed_share
from foedus.world.engine import switches
from foedus.world.priors import casebook_outlook, casebook_waits

if TYPE_CHECKING:
    import xarray as xr

    from foedus.ensemble.ensemble import Ensemble
    from foedus.ensemble.progress import Progress

FloatArray = NDArray[np.float64]
Family = Literal["asked", "answer", "arrival", "size", "stay"]

#: Runs of the pilot, drawn from the prior and without any known decision.
PILOT = 512
#: Days from the trigger to the request (and all those of the case); from the request to the answer,
#: and to the arrival; from the arrival to the last departure.
ASKED, ANSWERED, ARRIVED, STAYED = (3, 30), 60, (3, 7, 30, 60), (30, 90, 180)
#: Days from the first landing in which the peak counts.
PEAK_DAYS = 30
#: Levels of the models' soldiers that are matched.
SIZES = (0.25, 0.5, 0.75)

#: Parameters by which a case file takes a family of steps into its own hands.
OWNED: dict[Family, tuple[str, ...]] = {
    "asked": ("leader.request_base", "leader.request_fade"),
    "answer": ("alliance.lead_intercept",),
    "arrival": ("airlift.assembled", "airlift.assembly"),
    "size": ("alliance.scale",),
    "stay": ("airlift.short_mission", "airlift.short_stay", "airlift.long_stay"),
}
#: Output variables from which the steps are read.
VARIABLES = (
    *("event_request", "event_decision", "event_refusal", "event_first_arrival"),
    *("event_withdrawal_end", "troops_present"),
)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A step of the crisis and the chance that the casebook's models give it.

    Attributes
    ----------
    family : str
    step : str
        ``asked``, ``troops``, ``refused``, ``landed``, ``soldiers`` or ``gone``.
    limit : float
        Days, or soldiers.
    chance : float
        In the runs that show the step, see :func:`steps`.
    """

    family: Family
    step: str
    limit: float
    chance: float

    @property
    def name(self) -> str:
        """Short name, such as ``landed-7``."""
        return f"{self.step}-{self.limit:g}"


@dataclass(frozen=True, kw_only=True)
class Tilt:
    """Weights of minimum relative entropy that make the prior agree with the casebook.

    Attributes
    ----------
    targets : tuple of Target
    slopes : tuple of float
        λ, one a target.
    before, after : tuple of float
        Chance of each step in the pilot, without and with the weights; NaN where no run shows it.
    effective : float
        Kish's effective share of the pilot.
    """

    targets: tuple[Target, ...]
    slopes: tuple[float, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]
    effective: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, from which :meth:`from_dict` makes the same tilt."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Tilt:
        """Read the values of :meth:`to_dict`."""
        numbers = {n: tuple(map(float, data[n])) for n in ("slopes", "before", "after")}
        return cls(
            targets=tuple(Target(**t) for t in data["targets"]),
            effective=float(data["effective"]),
            **numbers,
        )

    def log_weight(self, case: Case, dataset: xr.Dataset) -> FloatArray:
        """Return the log-weight of each run, shape (run,), up to a constant."""
        shown, happened = steps(case, dataset, self.targets)
        chance = np.array([t.chance for t in self.targets])
        return np.asarray(np.array(self.slopes) @ (shown * (happened - chance[:, None])))


def targets(case: Case, *, later_rows: bool = False) -> tuple[Target, ...]:
    """Return what the casebook says of the steps that a case can show.

    Steps are left out that need more than three quarters of the simulated days, that belong to a
    family whose priors the case file sets, or whose mechanism is off.

    Parameters
    ----------
    case : Case
        With a trigger type and an organisation.
    later_rows : bool
        Use what became known after the case began, too. Only for leave-one-out scores.
    """
    if not {"leader", "alliance", "airlift"} <= switches(case):
        return ()
    outlook = casebook_outlook(case, later_rows=later_rows)
    to_request, to_answer = casebook_waits(case, later_rows=later_rows)
    answer = {name: chance.mean for name, chance in outlook.answer_if_asked.items()}
    days, stay = outlook.arrival_days, outlook.months * DAYS_PER_MONTH
    simulated = case.horizon - 1 - _first_trigger(case)
    window, longest = min(ANSWERED, (case.horizon - 1) // 2), 3 * (case.horizon - 1) // 4
    answered = smoothed_share([*(to_answer <= window)]) / smoothed_share([*(to_answer <= ANSWERED)])
    out: list[tuple[Family, str, float, float]] = []
    for limit in sorted({*(d for d in ASKED if d < simulated), min(simulated, 365)}):
        soon = smoothed_share([*(to_request[:, 0] <= limit)])
        out.append(("asked", "asked", limit, outlook.request.mean * soon))
    for step in ("troops", "refused"):
        out.append(("answer", step, window, answer[step] * min(answered, 1.0)))
    for limit in ARRIVED:
        soon = float((days < limit + 1).mean())
        out.append(("arrival", "landed", limit, answer["troops"] * soon))
    most = sum(m.pool for m in case.alliance.members)
    for level, soldiers in zip(SIZES, np.quantile(outlook.soldiers, SIZES), strict=True):
        if soldiers < most:
            out.append(("size", "soldiers", float(np.rint(soldiers)), 1.0 - level))
    for limit in STAYED:
        out.append(("stay", "gone", limit, float((stay <= limit).mean())))
    given = {n for n, prior in case.priors.items() if prior.origin != "casebook"}
    free = {family for family, names in OWNED.items() if given.isdisjoint(names)}
    return tuple(
        Target(family=family, step=step, limit=limit, chance=chance)
        for family, step, limit, chance in out
        if family in free and (family in ("asked", "size") or limit <= longest)
    )


def _first_trigger(case: Case) -> int:
    return min(case.day(t.date) for t in case.triggers)


def steps(
    case: Case, dataset: xr.Dataset, wanted: tuple[Target, ...]
) -> tuple[FloatArray, FloatArray]:
    """Return which runs show each step, and in which it happened, each of shape (target, run).

    A run shows whether the government asks; whether it is answered and help lands, if it asks soon
    enough; and the size and length of a mission that landed soon enough.
    """
    last = case.horizon - 1
    asked, landed = event_day(dataset, "request"), event_day(dataset, "first_arrival")
    with np.errstate(invalid="ignore"):
        waits = {
            "asked": asked - _first_trigger(case),
            "troops": event_day(dataset, "decision") - asked,
            "refused": event_day(dataset, "refusal") - asked,
            "landed": landed - asked,
            "gone": event_day(dataset, "withdrawal_end") - landed,
        }
    since = {"troops": asked, "refused": asked, "landed": asked, "gone": landed}
    peak = peak_after(dataset, landed) if any(t.step == "soldiers" for t in wanted) else landed
    shown, happened = np.zeros((len(wanted), asked.size)), np.zeros((len(wanted), asked.size))
    for k, target in enumerate(wanted):
        if target.step == "soldiers":
            shown[k] = landed <= last - min(PEAK_DAYS, last // 2)
            happened[k] = peak >= target.limit
            continue
        happened[k] = np.nan_to_num(waits[target.step], nan=np.inf) < target.limit + 1
        if target.step == "asked":
            shown[k] = 1.0
        else:
            shown[k] = since[target.step] <= last - target.limit
    return shown, happened * shown


def event_day(dataset: xr.Dataset, event: str) -> FloatArray:
    """Return the day of an event in each run, infinity for never."""
    found = dataset[f"event_{event}"].to_numpy().astype(np.float64)
    return np.where(found < 0, np.inf, found)


def peak_after(dataset: xr.Dataset, landed: FloatArray) -> FloatArray:
    """Return the most troops in the country within :data:`PEAK_DAYS` of the landing."""
    present = dataset["troops_present"].sum("member").to_numpy()
    days = np.arange(present.shape[1])
    here = (days >= landed[:, None]) & (days <= landed[:, None] + PEAK_DAYS)
    return np.asarray(np.where(here, present, 0.0).max(axis=1), dtype=np.float64)


def tilted(
    wanted: tuple[Target, ...],
    shown: FloatArray,
    happened: FloatArray,
    hypothesis: NDArray[np.int64],
) -> Tilt:
    """Return the tilt by which a pilot meets its targets.

    Parameters
    ----------
    wanted : tuple of Target
    shown, happened : ndarray, shape (target, run)
    hypothesis : ndarray of int, shape (run,)
        Each keeps its share of the weights.
    """
    base = np.full(hypothesis.size, -np.log(hypothesis.size))
    weight = np.exp(base)
    chance = np.array([t.chance for t in wanted])
    g = shown * (happened - chance[:, None])
    kept = np.unique(hypothesis)[1:]
    held = (hypothesis == kept[:, None]).astype(np.float64)
    both = np.concatenate([g, held - (held @ weight)[:, None]])
    mean = both @ weight
    variance = (both - mean[:, None]) ** 2 @ weight
    # The sampling error of the pilot is allowed; a step that all runs or none take has no slope.
    penalty = variance * (weight**2).sum()
    penalty[: len(wanted)] += np.where(variance[: len(wanted)] > 1e-12, 0.0, 1e12)

    def problem(slopes: FloatArray) -> tuple[float, FloatArray]:
        logs = base + slopes @ both
        total = special.logsumexp(logs)
        tilted_mean = both @ np.exp(logs - total)
        return float(total + 0.5 * penalty @ slopes**2), tilted_mean + penalty * slopes

    def curvature(slopes: FloatArray) -> FloatArray:
        w = special.softmax(base + slopes @ both)
        centred = both - (both @ w)[:, None]
        return np.asarray((centred * w) @ centred.T + np.diag(penalty))

    found = optimize.minimize(
        problem, np.zeros(len(both)), jac=True, hess=curvature, method="trust-exact"
    )
    after = special.softmax(base + found.x @ both)
    return Tilt(
        targets=wanted,
        slopes=tuple(map(float, found.x[: len(wanted)])),
        before=_chances(shown, happened, weight),
        after=_chances(shown, happened, after),
        effective=float(1.0 / (after**2).sum() / after.size),
    )


def _chances(shown: FloatArray, happened: FloatArray, weight: FloatArray) -> tuple[float, ...]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return tuple(map(float, (happened @ weight) / (shown @ weight)))


def match(
    case: Case,
    *,
    seed: int = 1,
    workers: int | None = None,
    progress: Progress | None = None,
    later_rows: bool = False,
    pilot: Ensemble | None = None,
) -> Tilt | None:
    """Return the tilt of a case, from a pilot of runs; None where the casebook says nothing.

    Parameters
    ----------
    case : Case
        Its facts are not used.
    seed : int
        Of the pilot.
    workers, progress
        As of :func:`foedus.run`.
    later_rows : bool
        Match what became known after the case began, too. Only for leave-one-out scores.
    pilot : Ensemble, optional
        Runs of the case from its prior, in which no known decision was replayed, to be used as the
        pilot.
    """
    if case.trigger_type is None or case.organisation is None:
        return None
    wanted = targets(case, later_rows=later_rows)
    if not wanted:
        return None
    if pilot is not None:
        return _fitted(case, pilot, wanted)
    return _pilot(seen_by_world(case), wanted, seed, workers, progress)


def _pilot(
    text: str,
    wanted: tuple[Target, ...],
    seed: int,
    workers: int | None,
    progress: Progress | None,
) -> Tilt:
    key = (text, wanted, seed)
    if key not in _KNOWN:
        from foedus.ensemble.runner import run

        case = Case.model_validate_json(text)
        with tempfile.TemporaryDirectory(prefix="foedus-pilot-") as folder:
            ensemble = run(
                case,
                runs=PILOT,
                seed=seed,
                workers=workers,
                out=Path(folder) / "pilot.zarr",
                progress=progress,
            )
            _KNOWN[key] = _fitted(case, ensemble, wanted)
    return _KNOWN[key]


def _fitted(case: Case, ensemble: Ensemble, wanted: tuple[Target, ...]) -> Tilt:
    dataset = ensemble.dataset[[*VARIABLES, "hypothesis"]].load()
    hypothesis = dataset["hypothesis"].to_numpy().astype(np.int64)
    return tilted(wanted, *steps(case, dataset, wanted), hypothesis)


#: Tilts of this process, so that one case is not matched twice.
_KNOWN: dict[tuple[str, tuple[Target, ...], int], Tilt] = {}


def keep(ensemble: Ensemble, tilt: Tilt | None) -> None:
    """Keep a tilt, or that there is none, with the runs; also in their store if it can be written.

    The log-weights of :func:`log_prior_weight` then contain it.
    """
    if is_kept(ensemble) and of_ensemble(ensemble) == tilt:
        return
    kept = {"tilt": None if tilt is None else tilt.to_dict()}
    ensemble.attributes["matching"] = kept
    with contextlib.suppress(StoreError, OSError):
        store.write_attributes(ensemble.path, {"matching": kept})


def is_kept(ensemble: Ensemble) -> bool:
    """Return whether the runs know their tilt, or that they have none."""
    return "matching" in ensemble.attributes


def of_ensemble(ensemble: Ensemble) -> Tilt | None:
    """Return the tilt kept with the runs, or None."""
    kept = ensemble.attributes.get("matching", {}).get("tilt")
    return None if kept is None else Tilt.from_dict(kept)


def log_prior_weight(ensemble: Ensemble) -> FloatArray:
    """Return the log-weight of each complete run before any evidence, shape (run,).

    Prior over proposal (:func:`foedus.ensemble.design.log_importance`), and the tilt that is kept
    with the runs; up to a constant.
    """
    from foedus.ensemble.design import log_importance

    out, tilt = log_importance(ensemble), of_ensemble(ensemble)
    if tilt is None:
        return out
    end = 0
    for part in ensemble.blocks(VARIABLES):
        here = slice(end, end := end + part.sizes["run"])
        out[here] += tilt.log_weight(ensemble.case, part)
    return out
