"""One pass over the runs: what they say of facts and questions, and what each of them weighs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case, Question
from foedus.errors import InputError
from foedus.weighing.evidence import Report, likelihood, reports
from foedus.weighing.quantities import Frame, blocks, evaluate, variables
from foedus.weighing.results import Evidence
from foedus.weighing.room import room
from foedus.weighing.summaries import (
    Read,
    doubt,
    evidence_table,
    name_conflicts,
    name_impossible,
)
from foedus.weighing.weights import Weights, normalise, weigh
from foedus.world.guidance import FLOOR, Guidance

if TYPE_CHECKING:
    import xarray as xr

FloatArray = NDArray[np.float64]

#: Runs held in memory at once.
BLOCK = 1000


@dataclass(frozen=True)
class Weighing:
    """The runs of an ensemble, weighed by what a case knows.

    Attributes
    ----------
    frame : Frame
    guidance : Guidance
        What was replayed.
    weighed : tuple of Report
        The reports that weigh the runs, in the order of the rows of ``read``.
    read : Read
    hypothesis : (run,)
        Number of each run's hypothesis, -1 for none.
    log_prior : (run,)
        Log of what each run weighs before the evidence, up to a constant.
    weights : Weights
        After the evidence. Where they refuse, the advice names the facts that cost most.
    evidence : tuple of Evidence
    unreadable : dict of str to str
        Why a question cannot be read off the runs, by question.
    replayed : dict
        As in a forecast.
    warnings : tuple of str
    """

    frame: Frame
    guidance: Guidance
    weighed: tuple[Report, ...]
    read: Read
    hypothesis: NDArray[np.int64]
    log_prior: FloatArray
    weights: Weights
    evidence: tuple[Evidence, ...]
    unreadable: dict[str, str]
    replayed: dict[str, Any]
    warnings: tuple[str, ...]

    @property
    def refused(self) -> bool:
        """Whether too few runs meet the evidence to answer anything."""
        return self.weights.verdict == "refused"


def weigh_runs(
    case: Case,
    dataset: xr.Dataset,
    *,
    guidance: Guidance | None = None,
    log_importance: FloatArray | None = None,
    smooth: bool = False,
    block: int = BLOCK,
) -> Weighing:
    """Weigh the runs of an ensemble; parameters as in :func:`foedus.answers.forecasts.judge`."""
    frame = Frame.of(case)
    guidance = Guidance.of(case) if guidance is None else guidance
    used = reports(case, guidance)
    weighed = [r for r in used if r.use == "weighed"]
    unreadable = _unreadable(case, frame)
    asked = [q for q in case.questions if q.id not in unreadable]
    read = _read(dataset, frame, weighed, asked, block)
    hypothesis = _hypothesis(dataset, case)
    log_prior, warnings = _log_prior(case, hypothesis, log_importance)
    weights = weigh(log_prior + read.log_guidance + read.log_likelihood, smooth=smooth)
    evidence = evidence_table(case, used, weighed, read, weights, frame)
    weights = doubt(weights, evidence)
    if weights.verdict == "refused":
        weights = name_conflicts(weights, evidence)
    weights = name_impossible(weights, evidence, _ruled_out(dataset))
    replayed = _replayed(guidance, read.log_guidance, warnings)
    return Weighing(
        frame, guidance, tuple(weighed), read, hypothesis, log_prior, weights, evidence,
        unreadable, replayed, tuple(warnings),
    )  # fmt: skip


def _unreadable(case: Case, frame: Frame) -> dict[str, str]:
    """Return why a question cannot be read off the runs, by question."""
    out = {}
    for question in case.questions:
        try:
            frame.window(question.ask.from_date, question.ask.by_date)
        except InputError as error:
            out[question.id] = str(error)
    return out


def _read(
    dataset: xr.Dataset,
    frame: Frame,
    weighed: list[Report],
    asked: list[Question],
    block: int,
) -> Read:
    names = {"log_guidance"}.union(
        *(r.variables for r in weighed), *(variables(q.ask.quantity, q.ask.member) for q in asked)
    )
    size = dataset.sizes["run"]
    guided, total = np.zeros(size), np.zeros(size)
    contribution, truth, disbelief = (room(len(weighed), size) for _ in range(3))
    draws = room(len(asked), size)
    end = 0
    for runs in blocks(dataset, sorted(names), size=block):
        here = slice(end, end := end + len(runs["log_guidance"]))
        guided[here] = runs["log_guidance"]
        part = likelihood(weighed, runs, frame)
        contribution[:, here] = part.contribution
        truth[:, here] = part.truth
        disbelief[:, here] = part.disbelief
        for one in part.contribution:  # in this order, whatever the size of the block
            total[here] += one
        for row, q in zip(draws, asked, strict=True):
            row[here] = evaluate(runs, frame, q.ask, kind=q.kind)
    answers = {q.id: row for row, q in zip(draws, asked, strict=True)}
    return Read(guided, total, contribution, truth, disbelief, answers)


def _ruled_out(dataset: xr.Dataset) -> NDArray[np.int16]:
    """Return the bits of the known decisions that each run's own rules ruled out, shape (run,)."""
    if "ruled_out" not in dataset:
        return np.zeros(dataset.sizes["run"], dtype=np.int16)
    return np.asarray(dataset["ruled_out"].to_numpy())


def _hypothesis(dataset: xr.Dataset, case: Case) -> NDArray[np.int64]:
    if "hypothesis" not in dataset:
        return np.full(dataset.sizes["run"], -1, dtype=np.int64)
    numbers = dataset["hypothesis"].to_numpy().astype(np.int64)
    if numbers.size and numbers.max() >= len(case.hypotheses):
        raise InputError(
            f"the ensemble has hypothesis number {numbers.max()}, the case {len(case.hypotheses)}"
        )
    return np.asarray(numbers)


def _log_prior(
    case: Case, hypothesis: NDArray[np.int64], log_importance: FloatArray | None = None
) -> tuple[FloatArray, list[str]]:
    """Return what makes each hypothesis weigh exactly its prior, whatever its share of the runs."""
    out = np.zeros(hypothesis.size) if log_importance is None else log_importance.copy()
    if out.shape != hypothesis.shape:
        raise InputError(f"log_importance: shape {hypothesis.shape} (found {out.shape})")
    share = normalise(out)
    warnings: list[str] = []
    total = sum(h.weight for h in case.hypotheses)
    if not total or (hypothesis < 0).all():
        return out, warnings
    for number, h in enumerate(case.hypotheses):
        rows = hypothesis == number
        if rows.any():
            out[rows] += np.log(h.weight / total) - np.log(share[rows].sum())
        else:
            warnings.append(f"no run was made under hypothesis {h.id}: run more")
    return out, warnings


def _replayed(guidance: Guidance, log_guidance: FloatArray, warnings: list[str]) -> dict[str, Any]:
    excluded = float((log_guidance <= log_guidance.max() + np.log(FLOOR)).mean())
    if excluded > 0.5:
        warnings.append(
            f"{excluded:.0%} of the runs would hardly have taken the known decisions: by their own "
            f"rules these are a billion times less likely than in the best run "
            f"({', '.join(guidance.facts)})"
        )
    return {
        "facts": list(guidance.facts),
        "median": float(np.median(log_guidance)),
        "best": float(log_guidance.max()),
        "excluded": excluded,
    }
