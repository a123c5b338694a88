"""From a case and its ensemble to answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np
from numpy.typing import NDArray

from foedus.answers.questions import settled_by
from foedus.case.models import Case, Question
from foedus.case.times import parse_when, show_when
from foedus.case.vocabulary import QUANTITIES
from foedus.errors import InputError
from foedus.weighing.making import Making, When, provenance, runs_of
from foedus.weighing.nearest_cases import alike
from foedus.weighing.outside_view import Outside, outside_view
from foedus.weighing.results import Answer, Forecast
from foedus.weighing.summaries import estimate, explanations, fans
from foedus.weighing.weighed import BLOCK, weigh_runs
from foedus.weighing.weights import normalise
from foedus.world.guidance import Guidance

if TYPE_CHECKING:
    import xarray as xr

    from foedus.casebook import Casebook
    from foedus.ensemble.ensemble import Ensemble

FloatArray = NDArray[np.float64]


def forecast(
    case: Case,
    *,
    as_of: When = None,
    ensemble: Ensemble | None = None,
    casebook: Casebook | None = None,
    **making: Unpack[Making],
) -> Forecast:
    """Answer the questions of a case from what was known on a date.

    Parameters
    ----------
    case : Case
    as_of : datetime.date, datetime.datetime or str, optional
        What was public by then is known; the case's own date if absent.
    ensemble : Ensemble, optional
        Runs made before, of the same case and with the same known decisions.
    casebook : Casebook, optional
        The shipped one if absent.
    **making : Making
        ``runs``, ``seed``, ``workers``, ``batch``, ``out``, ``cluster``, ``progress``, as of
        :func:`foedus.run`; not used with ``ensemble``.

    Returns
    -------
    Forecast

    Raises
    ------
    InputError
        If the date lies outside the case, or the ensemble replayed other decisions.
    """
    date = case.as_of if as_of is None else as_of
    made = runs_of(case, date, ensemble, making)
    if casebook is None:
        from foedus.casebook import load_casebook

        casebook = load_casebook()
    result = judge(
        made.known,
        made.ensemble.dataset,
        casebook=casebook,
        guidance=made.guidance,
        log_importance=made.log_importance,
    )
    return result.with_provenance(as_of=show_when(parse_when(date)), **provenance(made.ensemble))


def judge(
    case: Case,
    dataset: xr.Dataset,
    *,
    casebook: Casebook | None = None,
    guidance: Guidance | None = None,
    log_importance: FloatArray | None = None,
    smooth: bool = False,
    block: int = BLOCK,
) -> Forecast:
    """Weigh the runs of an ensemble by what a case knows, and answer its questions.

    Parameters
    ----------
    case : Case
        As filtered by :func:`foedus.case.asof.as_of`.
    dataset : xarray.Dataset
        Dims run, day, city, member; the variables of `foedus.world.outputs`, and ``hypothesis``.
    casebook : Casebook, optional
        For the outside view; none without it.
    guidance : Guidance, optional
        What was replayed; read from the case if absent.
    log_importance : ndarray, shape (run,), optional
        What each run weighs for where it was drawn from
        (:func:`foedus.weighing.adaptive_proposal.log_importance`); 0 if absent: all from the prior.
    smooth : bool
        Pareto-smooth the weights.
    block : int
        Runs held in memory at once.

    Returns
    -------
    Forecast
    """
    w = weigh_runs(
        case, dataset, guidance=guidance, log_importance=log_importance, smooth=smooth, block=block
    )
    frame, read, weights, evidence = w.frame, w.read, w.weights, w.evidence
    warnings, before = list(w.warnings), normalise(w.log_prior)
    refused = weights.verdict == "refused"
    reason = f"refused: {weights.advice[0]}" if refused and weights.advice else None
    answers = []
    for question in case.questions:
        why = w.unreadable.get(question.id) or reason
        draws = None if question.id in w.unreadable else read.draws[question.id]
        answers.append(
            Answer(
                question.id,
                question.text,
                question.kind,
                question.unit or QUANTITIES[question.ask.quantity].unit,
                question.ask.quantity,
                None
                if draws is None or refused
                else estimate(draws, weights.weight, question.kind, frame),
                before=None if draws is None else estimate(draws, before, question.kind, frame),
                outside=_outside(case, question, casebook, warnings),
                settled_by=settled_by(case, question),
                reason=why,
            )
        )
    return Forecast(
        case_id=case.id,
        title=case.title,
        as_of=case.as_of,
        start=case.start,
        end=case.end,
        weights=weights,
        answers=tuple(answers),
        hypotheses=explanations(case, w.hypothesis, weights, refused),
        fans=fans(dataset, frame, weights, refused, block),
        evidence=evidence,
        replayed=w.replayed,
        warnings=(*(() if refused else weights.advice), *warnings),
        alike=() if casebook is None else alike(case, casebook),
        draws=read.draws,
    )


def _outside(
    case: Case, question: Question, casebook: Casebook | None, warnings: list[str]
) -> Outside | None:
    if casebook is None:
        return None
    try:
        return outside_view(case, question, casebook)
    except InputError as error:
        warnings.append(f"question {question.id}: no outside view: {error}")
        return None
