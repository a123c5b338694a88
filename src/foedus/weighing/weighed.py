"""The runs of a case, weighed once by what is known: the start of every answer."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from foedus.case.asof import AsOf, without_baseline
from foedus.case.asof import as_of as known_by
from foedus.case.models import Case, Question
from foedus.case.times import parse_when, show_when
from foedus.defaults import BLOCK, FORECAST_RUNS
from foedus.ensemble.prior_matching import (
    Tilt,
    is_kept,
    keep,
    log_prior_weight,
    match,
    of_ensemble,
)
from foedus.errors import InputError, StoreError
from foedus.weighing.adaptive_proposal import next_stage
from foedus.weighing.evidence import (
    Evidence,
    Likelihood,
    Report,
    by_count,
    evidence_table,
    likelihood,
    reports,
)
from foedus.weighing.known_totals import KnownTotals
from foedus.weighing.quantities import Frame, blocks, evaluate, variables
from foedus.weighing.silence import Silence
from foedus.weighing.verdict import (
    Caution,
    NoRuns,
    UnlikelyDecisions,
    doubt,
    name_conflicts,
    name_impossible,
    of_weights,
)
from foedus.weighing.weights import Weights, importance_weights, normalise
from foedus.world.guidance import FLOOR, Guidance

if TYPE_CHECKING:
    import xarray as xr

    from foedus.ensemble.ensemble import Ensemble
    from foedus.ensemble.progress import Progress
    from foedus.ensemble.proposal import Stage

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Bytes of a table that is kept in memory rather than on disk.
IN_MEMORY = 64 * 2**20


class Making(TypedDict, total=False):
    """How runs are made: options of :func:`foedus.run`, with the same meaning.

    Attributes
    ----------
    runs : int
        :data:`foedus.defaults.FORECAST_RUNS` if absent.
    seed : int
    workers, batch : int or None
        They do not change the result.
    out : path or None
        The store.
    cluster : str or None
    progress : Progress or None
    """

    runs: int
    seed: int
    workers: int | None
    batch: int | None
    out: str | Path | None
    cluster: str | None
    progress: Progress | None


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """The runs of a case, weighed by what was known on a date.

    Attributes
    ----------
    case : Case
        As filtered by :func:`foedus.case.asof.as_of`.
    dataset : xarray.Dataset
        The complete runs.
    guidance : Guidance
        The known decisions that were imposed on the runs.
    frame : Frame
    reports : tuple of Report
        The reports that weigh the runs, in the order of the rows of ``likelihood``.
    likelihood : Likelihood
        Of these reports, shape (report, run); on disk if there are many runs.
    log_guidance : ndarray, shape (run,)
        Log-probability of the imposed decisions in each run.
    log_likelihood : ndarray, shape (run,)
        Of all reports together.
    log_silence : ndarray, shape (run,)
        Log of the chance that what no fact reports went unreported.
    draws : dict of str to ndarray, shape (run,)
        The answer of each run, by question; on disk if there are many runs. Counts start from the
        known totals.
    draws_before : dict of str to ndarray, shape (run,)
        The answer of each run without the known totals, of the questions on which they bear.
    totals : KnownTotals
    hypothesis : ndarray of int, shape (run,)
        Number of each run's hypothesis, -1 for none.
    log_importance : ndarray, shape (run,)
        Log importance weight of each run, prior over proposal, with the prior-predictive matching;
        0 for draws from the prior of a case without a casebook.
    log_prior : ndarray, shape (run,)
        Log-weight of each run before the evidence, up to a constant: ``log_importance``, scaled
        so that each hypothesis has exactly its prior.
    weights : Weights
        After the evidence.
    evidence : tuple of Evidence
    unreadable : dict of str to str
        Why the runs cannot answer a question, by question.
    replayed : dict
        As in a forecast.
    warnings : tuple of Caution
    ensemble : Ensemble or None
        Where the runs are stored; None for runs in memory only.
    full_case : Case or None
        Before the filter; None for runs in memory only.
    as_of : str or None
        The date as it was asked for, with its time of day.
    block : int
        Runs to hold in memory at once.
    """

    case: Case
    dataset: xr.Dataset
    guidance: Guidance
    frame: Frame
    reports: tuple[Report, ...]
    likelihood: Likelihood
    log_guidance: FloatArray
    log_likelihood: FloatArray
    log_silence: FloatArray
    draws: dict[str, FloatArray]
    draws_before: dict[str, FloatArray]
    totals: KnownTotals
    hypothesis: IntArray
    log_importance: FloatArray
    log_prior: FloatArray
    weights: Weights
    evidence: tuple[Evidence, ...]
    unreadable: dict[str, str]
    replayed: dict[str, Any]
    warnings: tuple[Caution, ...]
    ensemble: Ensemble | None = None
    full_case: Case | None = None
    as_of: str | None = None
    block: int = BLOCK

    @property
    def refused(self) -> bool:
        """Whether the verdict allows no answer."""
        return self.weights.verdict.refused

    @property
    def store(self) -> Ensemble:
        """The ensemble.

        Raises
        ------
        InputError
            If the runs are in memory only.
        """
        if self.ensemble is None:
            raise InputError("these runs are in no store, so none of them can be made again")
        return self.ensemble

    @property
    def asked(self) -> tuple[Question, ...]:
        """The questions that the runs can answer."""
        return tuple(q for q in self.case.questions if q.id not in self.unreadable)

    @property
    def prior_draws(self) -> dict[str, FloatArray]:
        """The answer of each run before the evidence, by question."""
        return self.draws | self.draws_before

    @property
    def provenance(self) -> dict[str, Any]:
        """What made the ensemble, as plain values; empty for runs in memory only."""
        if self.ensemble is None:
            return {}
        plan = self.ensemble.plan
        return {
            "case_name": plan.case_name,
            "case_hash": plan.case_hash,
            "seed": plan.seed,
            "runs": plan.runs,
            "complete_runs": self.ensemble.complete_runs,
            "digest": plan.digest,
            "command": plan.command(),
            "versions": dict(plan.versions),
        }


def weigh(
    case: Case,
    *,
    as_of: AsOf | None = None,
    ensemble: Ensemble | None = None,
    check: Callable[[Case], object] | None = None,
    tilt: Tilt | None = None,
    **making: Unpack[Making],
) -> Weighed:
    """Make the runs of a case, or take given ones, and weigh them by what was known.

    Every verb takes the result: ``foedus.forecast(case, weighed=weighed)``.

    Parameters
    ----------
    case : Case
    as_of : datetime.date, datetime.datetime or str, optional
        What was public by then is known; the case's own date if absent.
    ensemble : Ensemble, optional
        Runs made before, of the same case and with the same known decisions.
    check : callable, optional
        Called with the filtered case before any run is made, to refuse what cannot be answered.
    tilt : Tilt, optional
        Prior-predictive matching (:mod:`foedus.ensemble.prior_matching`); made for the case, unless
        the runs have it already, if absent.
    **making : Making
        ``runs``, ``seed``, ``workers``, ``batch``, ``out``, ``cluster``, ``progress``, as of
        :func:`foedus.run`; not used with ``ensemble``.

    Returns
    -------
    Weighed

    Raises
    ------
    InputError
        If the date lies outside the case, or the ensemble replayed other decisions or had other
        values of members, alliance and ties.
    """
    date = case.as_of if as_of is None else as_of
    known = known_by(case, date)
    if check is not None:
        check(known)
    if ensemble is None:
        ensemble = make_runs(case, date, known=known, tilt=tilt, **making)
    else:
        _refuse_other_frame(known, ensemble)
        keep(ensemble, _tilt_of(ensemble, known, tilt))
    return weigh_runs(
        known,
        ensemble.dataset,
        guidance=replayed_decisions(known, ensemble),
        log_importance=log_prior_weight(ensemble),
        ensemble=ensemble,
        full_case=case,
        as_of=show_when(parse_when(date)),
    )


def weigh_runs(
    case: Case,
    dataset: xr.Dataset,
    *,
    guidance: Guidance | None = None,
    log_importance: FloatArray | None = None,
    smooth: bool = False,
    block: int = BLOCK,
    ensemble: Ensemble | None = None,
    full_case: Case | None = None,
    as_of: str | None = None,
) -> Weighed:
    """Weigh runs by what a case knows.

    Parameters
    ----------
    case : Case
        As filtered by :func:`foedus.case.asof.as_of`.
    dataset : xarray.Dataset
        Dims run, day, city, member; `foedus.world.order.VARIABLES`, and ``hypothesis``.
    guidance : Guidance, optional
        What was replayed; read from the case if absent.
    log_importance : ndarray, shape (run,), optional
        Log importance weight of each run, prior over proposal; 0 if absent.
    smooth : bool
        Pareto-smooth the weights.
    block : int
        Runs held in memory at once.
    ensemble, full_case
        Kept in the result.
    as_of : str, optional
        The date with its time of day, for the silence; the end of the case's date if absent.
    """
    frame = Frame.of(case)
    guidance = Guidance.of(case) if guidance is None else guidance
    used = reports(case, guidance)
    weighed = tuple(r for r in used if r.use == "weighed")
    unreadable = unreadable_questions(case, frame)
    asked = [q for q in case.questions if q.id not in unreadable]
    size = dataset.sizes["run"]
    log_guidance, log_likelihood, log_silence = np.zeros(size), np.zeros(size), np.zeros(size)
    silence = Silence.of(case, as_of)
    counts = by_count(weighed)
    found = Likelihood(
        contribution=large_table(len(weighed), size),
        truth=large_table(len(weighed), size),
        disbelief=large_table(len(weighed), size),
        total=log_likelihood,
        shift=large_table(len(counts), size),
    )
    totals = KnownTotals(counts=tuple(counts), shift=found.shift, day=frame.day(case.as_of))
    numbers = run_numbers(dataset)
    draws_before = {
        q.id: np.zeros(size) for q in asked if totals.bear_on(q.ask.quantity, q.ask.place)
    }
    draws = large_table(len(asked), size)
    names = {"log_guidance"}.union(
        silence.variables,
        *(r.variables for r in weighed),
        *(variables(q.ask.quantity, q.ask.member) for q in asked),
    )
    end = 0
    for runs in blocks(dataset, sorted(names), size=block):
        here = slice(end, end := end + len(runs["log_guidance"]))
        log_guidance[here] = runs["log_guidance"]
        part = likelihood(weighed, runs, frame, numbers=numbers[here])
        found.contribution[:, here] = part.contribution
        found.truth[:, here] = part.truth
        found.disbelief[:, here] = part.disbelief
        found.shift[:, here] = part.shift
        log_likelihood[here] = part.total
        denial = {r.fact.id: row for r, row in zip(weighed, part.contribution, strict=True)}
        log_silence[here] = silence.log_factor(runs, frame, denial)
        for row, q in zip(draws, asked, strict=True):
            row[here] = evaluate(
                runs, frame, q.ask, kind=q.kind, read=partial(totals.series, rows=here)
            )
            if q.id in draws_before:
                draws_before[q.id][here] = evaluate(runs, frame, q.ask, kind=q.kind)
    hypothesis = hypotheses_of(dataset, case)
    if log_importance is None:
        log_importance = np.zeros(size)
    log_prior, warnings = _log_prior(case, hypothesis, log_importance)
    weights = importance_weights(
        log_prior + log_guidance + log_likelihood + log_silence, smooth=smooth
    )
    evidence = evidence_table(case, used, weighed, found, weights, frame)
    verdict = doubt(weights.verdict, evidence)
    if verdict.refused:
        verdict = name_conflicts(verdict, evidence, effective=weights.ess)
    verdict = name_impossible(verdict, evidence, _ruled_out(dataset))
    replayed = _replayed(guidance, log_guidance, warnings)
    return Weighed(
        case=case,
        dataset=dataset,
        guidance=guidance,
        frame=frame,
        reports=weighed,
        likelihood=found,
        log_guidance=log_guidance,
        log_likelihood=log_likelihood,
        log_silence=log_silence,
        draws={q.id: row for row, q in zip(draws, asked, strict=True)},
        draws_before=draws_before,
        totals=totals,
        hypothesis=hypothesis,
        log_importance=log_importance,
        log_prior=log_prior,
        weights=replace(weights, verdict=verdict),
        evidence=evidence,
        unreadable=unreadable,
        replayed=replayed,
        warnings=tuple(warnings),
        ensemble=ensemble,
        full_case=full_case,
        as_of=as_of,
        block=block,
    )


def make_runs(
    case: Case, date: Any, *, known: Case | None = None, tilt: Tilt | None = None, **options: Any
) -> Ensemble:
    """Make the adaptive ensemble of a case as of a date, with its prior-predictive matching.

    ``known`` is the case as filtered by the date, if at hand; ``tilt`` is that of :func:`weigh`;
    ``options`` are those of :func:`foedus.run`, where None is the default.
    """
    from foedus.ensemble.runner import run

    given = {"runs": FORECAST_RUNS} | {
        name: value for name, value in options.items() if value is not None
    }
    seen = known_by(case, date) if known is None else known
    pilot = {name: given[name] for name in ("workers", "progress") if name in given}

    def adapt(runs: Ensemble, first: int) -> Stage:
        matching = _tilt_of(runs, seen, tilt, **pilot)
        return next_stage(seen, runs, first, as_of=date, tilt=matching)

    made = run(case, as_of=date, adapt=adapt, **given)
    keep(made, _tilt_of(made, seen, tilt, **pilot))
    return made


def _tilt_of(ensemble: Ensemble, known: Case, given: Tilt | None, **pilot: Any) -> Tilt | None:
    """Return the tilt that is given, or that is kept with the runs, or that a pilot gives."""
    if given is not None:
        return given
    if is_kept(ensemble):
        return of_ensemble(ensemble)
    return match(known, seed=ensemble.plan.seed, **pilot)


def replayed_decisions(known: Case, ensemble: Ensemble) -> Guidance:
    """Return the decisions that an ensemble replayed: the known ones, or none.

    Raises
    ------
    InputError
        If it replayed others.
    """
    replayed = ensemble.plan.guidance
    kept = {event: tuple(shares) for event, shares in replayed.get("kept", {}).items()}
    if not (replayed["days"] or replayed["not_by"]):
        return Guidance(kept=kept)
    guidance = replace(Guidance.of(known), kept=kept)
    wanted = [
        sorted([e, m, d] for (e, m), d in table.items())
        for table in (guidance.days, guidance.not_by)
    ]
    found = [sorted(map(list, replayed[name])) for name in ("days", "not_by")]
    if wanted != found:
        raise InputError(
            f"the ensemble replayed other decisions than those known by {known.as_of}: run it "
            f"again with that as-of date (replayed {found}, known {wanted})"
        )
    return guidance


def _refuse_other_frame(known: Case, ensemble: Ensemble) -> None:
    """Raise InputError if runs were made with other members, alliance or ties than were known.

    Values that became public later would otherwise reach a forecast of an earlier date.
    """
    made, seen = ((without_baseline(c.alliance), c.ties) for c in (ensemble.case, known))
    if made != seen:
        raise InputError(
            f"members, alliance or ties of the ensemble's runs are not as known by {known.as_of}: "
            "run it again with that as-of date"
        )


def prior_weights(ensemble: Ensemble) -> Weights:
    """Return the weights of the runs of an ensemble before any evidence.

    They are the importance weights, with each hypothesis at its prior. The runs have the decisions
    that were imposed on them; their probability is not part of the weights.
    """
    case = ensemble.case
    hypothesis = hypotheses_of(ensemble.dataset, case)
    found = importance_weights(_log_prior(case, hypothesis, log_prior_weight(ensemble))[0])
    # Nothing is answered from them, so the verdict counts runs and not what matching costs.
    verdict = of_weights(effective=found.usable, k=found.pareto_k, runs=found.runs)
    return replace(found, verdict=verdict)


def unreadable_questions(case: Case, frame: Frame) -> dict[str, str]:
    """Return why the runs cannot answer a question, by question."""
    out = {}
    for question in case.questions:
        try:
            frame.window(question.ask.from_date, question.ask.by_date)
        except InputError as error:
            out[question.id] = str(error)
    return out


def hypotheses_of(dataset: xr.Dataset, case: Case) -> IntArray:
    """Return the number of each run's hypothesis, shape (run,); -1 for none.

    Raises
    ------
    InputError
        If the case has no such number.
    """
    if "hypothesis" not in dataset:
        return np.full(dataset.sizes["run"], -1, dtype=np.int64)
    numbers = dataset["hypothesis"].to_numpy().astype(np.int64)
    if numbers.size and numbers.max() >= len(case.hypotheses):
        raise InputError(
            f"the ensemble has hypothesis number {numbers.max()}, the case {len(case.hypotheses)}"
        )
    return np.asarray(numbers)


def large_table(rows: int, runs: int) -> FloatArray:
    """Return an array of zeros, shape (rows, runs), on disk if it is large.

    A large one is a temporary file without a name, mapped to memory; it is gone with the array.
    The environment variable ``TMPDIR`` names its folder.

    Raises
    ------
    StoreError
        If the disk has no room for it.
    """
    size = 8 * rows * runs
    if size <= IN_MEMORY:
        return np.zeros((rows, runs))
    try:
        with tempfile.TemporaryFile(prefix="foedus-") as file:
            if hasattr(os, "posix_fallocate"):  # else a full disk would kill the process at a write
                os.posix_fallocate(file.fileno(), 0, size)
            mapped = np.memmap(file, dtype=np.float64, mode="r+", shape=(rows, runs))
            return np.asarray(mapped)
    except OSError as error:
        raise StoreError(
            f"weighing {runs:,} runs needs {size / 1e9:.1f} GB in {tempfile.gettempdir()}: "
            f"{error.strerror or error}. Name another folder with TMPDIR"
        ) from error


def run_numbers(dataset: xr.Dataset) -> IntArray:
    """Return the number of each run, its position if the dataset has none."""
    if "run" in dataset.coords:
        return np.asarray(dataset["run"].to_numpy(), dtype=np.int64)
    return np.arange(dataset.sizes["run"], dtype=np.int64)


def _ruled_out(dataset: xr.Dataset) -> NDArray[np.int16]:
    """Return the bits of the known decisions that the rules of each run exclude, shape (run,)."""
    if "ruled_out" not in dataset:
        return np.zeros(dataset.sizes["run"], dtype=np.int16)
    return np.asarray(dataset["ruled_out"].to_numpy())


def _log_prior(
    case: Case, hypothesis: IntArray, log_importance: FloatArray
) -> tuple[FloatArray, list[Caution]]:
    """Return log-weights by which each hypothesis has its prior, whatever its share of the runs."""
    out = log_importance.copy()
    if out.shape != hypothesis.shape:
        raise InputError(f"log_importance: shape {hypothesis.shape} (found {out.shape})")
    share = normalise(out)
    warnings: list[Caution] = []
    total = sum(h.weight for h in case.hypotheses)
    if not total or (hypothesis < 0).all():
        return out, warnings
    for number, h in enumerate(case.hypotheses):
        rows = hypothesis == number
        if rows.any():
            out[rows] += np.log(h.weight / total) - np.log(share[rows].sum())
        else:
            warnings.append(NoRuns(hypothesis=h.id))
    return out, warnings


def _replayed(
    guidance: Guidance, log_guidance: FloatArray, warnings: list[Caution]
) -> dict[str, Any]:
    excluded = float((log_guidance <= log_guidance.max() + np.log(FLOOR)).mean())
    if excluded > 0.5:
        warnings.append(UnlikelyDecisions(excluded=excluded, facts=tuple(guidance.facts)))
    return {
        "facts": list(guidance.facts),
        "median": float(np.median(log_guidance)),
        "best": float(log_guidance.max()),
        "excluded": excluded,
    }
