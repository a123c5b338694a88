"""From the weighed runs of a case to the answers of its questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np
from numpy.typing import NDArray

from foedus.answers.fans import fans
from foedus.answers.questions import settled_by
from foedus.case.models import Case, Question
from foedus.case.question_kinds import kind_of
from foedus.case.vocabulary import QUANTITIES
from foedus.casebook.similarity import alike
from foedus.errors import InputError
from foedus.weighing.outside_view import Outside, outside_view
from foedus.weighing.results import Answer, Explanation, Forecast
from foedus.weighing.verdict import Caution, Failure, NoOutsideView, Refusal
from foedus.weighing.weighed import Making, Weighed, When, weigh
from foedus.weighing.weights import normalise
from foedus.weighted_statistics import mean_and_error

if TYPE_CHECKING:
    from foedus.casebook import Casebook
    from foedus.ensemble.ensemble import Ensemble

FloatArray = NDArray[np.float64]


def forecast(
    case: Case,
    *,
    as_of: When = None,
    ensemble: Ensemble | None = None,
    casebook: Casebook | None = None,
    weighed: Weighed | None = None,
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
    weighed : Weighed, optional
        From :func:`foedus.weigh`; then date, ensemble and making are not used.
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
    if weighed is None:
        weighed = weigh(case, as_of=as_of, ensemble=ensemble, **making)
    if casebook is None:
        from foedus.casebook import load_casebook

        casebook = load_casebook()
    result = judge(weighed, casebook=casebook)
    return result.with_provenance(as_of=weighed.as_of, **weighed.provenance)


def judge(weighed: Weighed, *, casebook: Casebook | None = None) -> Forecast:
    """Answer the questions of a case from its weighed runs.

    Parameters
    ----------
    weighed : Weighed
    casebook : Casebook, optional
        For the outside view; none without it.
    """
    case, frame, weights = weighed.case, weighed.frame, weighed.weights
    warnings, before = list(weighed.warnings), normalise(weighed.log_prior)
    refused = weighed.refused
    refusal = Refusal(verdict=weights.verdict) if refused else None
    answers = []
    for question in case.questions:
        problem = weighed.unreadable.get(question.id)
        draws, kind = weighed.draws.get(question.id), kind_of(question.kind)
        answers.append(
            Answer(
                question.id,
                question.text,
                question.kind,
                question.unit or QUANTITIES[question.ask.quantity].unit,
                question.ask.quantity,
                None if draws is None or refused else kind.estimate(draws, weights.weight, frame),
                before=None if draws is None else kind.estimate(draws, before, frame),
                outside=_outside(case, question, casebook, warnings),
                settled_by=settled_by(case, question),
                reason=refusal if problem is None else Failure(problem=problem),
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
        hypotheses=explanations(weighed),
        fans=fans(weighed.dataset, frame, weights, refused=refused, block=weighed.block),
        evidence=weighed.evidence,
        replayed=weighed.replayed,
        warnings=tuple(warnings),
        alike=() if casebook is None else alike(case, casebook),
        draws=weighed.draws,
    )


def _outside(
    case: Case, question: Question, casebook: Casebook | None, warnings: list[Caution]
) -> Outside | None:
    if casebook is None:
        return None
    try:
        return outside_view(case, question, casebook)
    except InputError as error:
        warnings.append(NoOutsideView(question=question.id, problem=str(error)))
        return None


def explanations(weighed: Weighed) -> tuple[Explanation, ...]:
    """Return the hypotheses before and after the evidence; posteriors are NaN where refused."""
    case, weight = weighed.case, weighed.weights.weight
    total = sum(h.weight for h in case.hypotheses)
    out = []
    for number, h in enumerate(case.hypotheses):
        rows = weighed.hypothesis == number
        prior = h.weight / total
        posterior, error = mean_and_error(rows.astype(np.float64), weight)
        with np.errstate(divide="ignore", invalid="ignore"):
            odds = np.float64(posterior) / (1.0 - posterior)
            factor = float(odds / (prior / (1.0 - prior))) if prior < 1.0 else float("nan")
        if weighed.refused or not rows.any():
            posterior = error = factor = float("nan")
        out.append(
            Explanation(
                h.id,
                h.title,
                h.says,
                h.put_forward_by,
                prior,
                posterior,
                error,
                factor,
                int(rows.sum()),
            )
        )
    return tuple(out)
