"""How good a forecast was. The only reader of a case's outcomes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import methodcaller
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foedus.answers.forecasts import SOURCES, Forecast, Source, judge
from foedus.answers.forecasts import forecast as make_forecast
from foedus.answers.outside_view import Outside, always_refuse, positions
from foedus.answers.pooling import Said
from foedus.case.asof import as_of as known_by
from foedus.case.models import Case, Outcome, Question
from foedus.case.question_kinds import kind_of
from foedus.ensemble.prior_matching import log_prior_weight
from foedus.errors import InputError
from foedus.plain_values import Plain, finite
from foedus.scoring_rules import Score
from foedus.weighing.verdict import Failure, Refusal, Verdict
from foedus.weighing.weighed import Weighed, weigh_runs

if TYPE_CHECKING:
    from foedus.ensemble.ensemble import Ensemble

FloatArray = NDArray[np.float64]

#: Version of the keys of :meth:`Scores.to_dict`.
FORMAT = 1

BASELINES: tuple[str, ...] = (
    "casebook",
    "always_refuse",
    "weighted_mean",
    "weighted_median",
    "prior_ensemble",
)


@dataclass(frozen=True)
class Scored(Plain):
    """A question, its outcome, and the scores of all forecasters.

    Attributes
    ----------
    id, text, kind, unit : str
    outcome : bool, float, date or None
        None if it did not happen within the horizon.
    open : bool
        No fact known at the as-of date settled the question.
    known_already : bool
        The outcome itself was public by the as-of date, so this is not a forecast.
    score : Score or None
        Of the headline; None where there is none, or the question could not be read.
    baselines : dict of str to Score
    skill : dict of str to float
        ``1 - score / baseline``: above 0 is better than the baseline; None where that is perfect.
    reason : Refusal, Failure or None
        Why the simulation has no score.
    lead : int or None
        Days from the as-of date until the outcome was public.
    pit : tuple of float, or None
        For a number or date: forecast probability below the outcome, and up to it.
    source : str or None
        Of the headline: ``pooled``, ``simulation`` or ``history``.
    voices : dict of str to Score
        Of each of these, as far as it speaks.
    """

    id: str
    text: str
    kind: str
    unit: str
    outcome: bool | float | dt.date | None
    open: bool
    known_already: bool
    score: Score | None
    baselines: dict[str, Score]
    skill: dict[str, float | None]
    reason: Refusal | Failure | None = None
    lead: int | None = None
    pit: tuple[float, float] | None = None
    source: Source | None = None
    voices: dict[str, Score] = field(default_factory=dict)


@dataclass(frozen=True)
class Scores(Plain):
    """All scores of a case as of a date.

    Attributes
    ----------
    case_id : str
    as_of : datetime.date
    verdict : Verdict
        The forecast's own.
    effective : float
        Effective sample size.
    questions : tuple of Scored
    """

    case_id: str = field(metadata={"json": "case"})
    as_of: dt.date
    verdict: Verdict
    effective: float
    questions: tuple[Scored, ...] = field(
        metadata={
            "then": {
                "summary": methodcaller("summary"),
                "summary_all": methodcaller("summary", only_open=False),
            }
        }
    )

    json_format = FORMAT

    def _repr_html_(self) -> str:
        from foedus.report.forecast_view import scores_document

        return scores_document(self)._repr_html_()

    def summary(self, *, only_open: bool = True) -> dict[str, Any]:
        """Return the means over questions.

        ``forecast``: mean Brier and log score of the headline on the binary questions. ``voices``:
        the same of the pool, the simulation and history, each where it speaks. ``baselines``: for
        each baseline, over the questions for which it exists, their number, the number on which
        the forecast is better, both mean Brier scores with the skill between them, and the mean
        skill by CRPS (the units differ, so the scores themselves cannot be averaged).
        """
        kept = [
            q
            for q in self.questions
            if q.score is not None and not q.known_already and (q.open or not only_open)
        ]
        binary = [q.score for q in kept if q.score is not None and q.score.brier is not None]
        return {
            "questions": len(kept),
            "forecast": {
                "n": len(binary),
                "brier": _mean([s.brier for s in binary]),
                "log": _mean([s.log for s in binary]),
            },
            "voices": {name: _voice(kept, name) for name in SOURCES},
            "baselines": {name: against(kept, name) for name in BASELINES},
        }

    def table(self) -> str:
        """Return the scores as a table in plain text."""
        rows = self.rows()
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        return "\n".join(
            "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )

    def rows(self) -> list[tuple[str, ...]]:
        """Return the cells of the table, with the names of the columns first.

        Where history speaks, simulation and history stand beside the score of the headline. A
        column without any score is left out.
        """
        others: dict[str, list[Score | None]] = {
            "simulation": [q.voices.get("simulation") for q in self.questions],
            "history": [q.voices.get("history") for q in self.questions],
        }
        if not any(others["history"]):
            others = {}
        others |= {name: [q.baselines.get(name) for q in self.questions] for name in BASELINES}
        others = {name: column for name, column in others.items() if any(column)}
        rows: list[tuple[str, ...]] = [("question", "outcome", "score", "by", *others, "")]
        for n, q in enumerate(self.questions):
            unit = kind_of(q.kind).score_unit(q.unit)
            scores = [q.score, *(column[n] for column in others.values())]
            shown = ["-" if s is None or s.main is None else f"{s.main:.3g}" for s in scores]
            note = "" if q.open else "settled"
            note = "known already" if q.known_already else note
            outcome = "did not happen" if q.outcome is None else str(q.outcome)
            rows.append((q.id, outcome, shown[0], unit, *shown[1:], note))
        return rows


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return finite(float(np.mean(known))) if known else None


def _voice(kept: Sequence[Scored], name: str) -> dict[str, Any]:
    scores = [q.voices[name] for q in kept if name in q.voices]
    binary = [s for s in scores if s.brier is not None]
    return {
        "n": len(binary),
        "brier": _mean([s.brier for s in binary]),
        "log": _mean([s.log for s in binary]),
    }


def against(kept: Sequence[Scored], name: str) -> dict[str, Any]:
    """Compare the forecast with one baseline on the questions for which it exists.

    Returns
    -------
    dict
        ``n``, ``better`` (the number on which the forecast is), ``forecast_brier``,
        ``baseline_brier``, ``brier_skill``, ``mean_crps_skill``; None where there is nothing to
        average.
    """
    rows = [(q, q.baselines[name]) for q in kept if name in q.baselines]
    better = sum(
        1
        for q, b in rows
        if q.score is not None and (q.score.main or 0.0) < (0.0 if b.main is None else b.main)
    )
    pairs = [(q.score.brier, b.brier) for q, b in rows if q.score is not None]
    mine = _mean([a for a, b in pairs if b is not None])
    theirs = _mean([b for _, b in pairs])
    by_crps = [q.skill.get(name) for q, b in rows if b.crps is not None]
    return {
        "n": len(rows),
        "better": better,
        "forecast_brier": mine,
        "baseline_brier": theirs,
        "brier_skill": None if mine is None or not theirs else 1.0 - mine / theirs,
        "mean_crps_skill": _mean(by_crps),
    }


def score(
    case: Case,
    *,
    forecast: Forecast | None = None,
    as_of: dt.date | dt.datetime | str | None = None,
    prior: Forecast | Ensemble | None = None,
    ensemble: Ensemble | None = None,
    weighed: Weighed | None = None,
    **options: Any,
) -> Scores:
    """Score a forecast against the outcomes and against the baselines.

    Parameters
    ----------
    case : Case
        With its outcomes.
    forecast : Forecast, optional
        An existing forecast; by default it is made as of ``as_of``.
    as_of : date, datetime or str, optional
        As in :func:`foedus.answers.forecasts`.
    prior : Forecast or Ensemble, optional
        Another forecast of the same questions, or an ensemble that replayed nothing. Answered
        without evidence, it is the baseline ``prior_ensemble``.
    ensemble, weighed, **options
        As in :func:`foedus.answers.forecasts`.

    Returns
    -------
    Scores
        One row per question, with baselines and skill.

    Raises
    ------
    InputError
        If the case has no outcomes, or the forecast is of another case.
    """
    refuse_unscored(case)
    if forecast is None:
        forecast = make_forecast(case, as_of=as_of, ensemble=ensemble, weighed=weighed, **options)
    if forecast.case_id != case.id:
        raise InputError(f"the forecast is of case {forecast.case_id}, not of {case.id}")
    if prior is not None and not isinstance(prior, Forecast):
        blank = known_by(case, case.as_of).model_copy(update={"facts": ()})
        prior = judge(weigh_runs(blank, prior.dataset, log_importance=log_prior_weight(prior)))
    questions = {q.id: q for q in case.questions}
    return Scores(
        case_id=case.id,
        as_of=forecast.as_of,
        verdict=forecast.verdict,
        effective=forecast.weights.ess,
        questions=tuple(
            _scored(case, questions[o.question], o, forecast, prior) for o in case.outcomes
        ),
    )


def refuse_unscored(case: Case) -> None:
    """Raise InputError if a case has no outcomes."""
    if not case.outcomes:
        raise InputError(f"case {case.id} has no outcomes, so it cannot be scored yet")


def _scored(
    case: Case, question: Question, outcome: Outcome, forecast: Forecast, prior: Forecast | None
) -> Scored:
    answer = forecast.answer(question.id)
    value = _draw(case, question, outcome.value)
    spoken = forecast.voices.get(question.id, {})
    mine = _of_voice(question, spoken.get("headline"), case.horizon, value)
    baselines = _baselines(case, question, answer.outside, value)
    before = {} if prior is None else prior.voices.get(question.id, {})
    theirs = _of_voice(question, before.get("simulation"), case.horizon, value)
    if theirs is not None:
        baselines["prior_ensemble"] = theirs
    return Scored(
        id=question.id,
        text=question.text,
        kind=question.kind,
        unit=answer.unit,
        outcome=outcome.value,
        open=answer.settled_by is None,
        known_already=outcome.known_from <= forecast.as_of,
        score=mine,
        baselines=baselines,
        skill={} if mine is None else {k: _skill(mine, s) for k, s in baselines.items()},
        reason=answer.reason,
        lead=(outcome.known_from - forecast.as_of).days,
        pit=None
        if mine is None
        else kind_of(question.kind).transform(
            spoken["headline"].draws,
            spoken["headline"].weight,
            horizon=case.horizon,
            outcome=value,
        ),
        source=answer.source,
        voices={
            name: found
            for name in SOURCES
            if (found := _of_voice(question, spoken.get(name), case.horizon, value)) is not None
        },
    )


def _draw(case: Case, question: Question, value: bool | float | dt.date | None) -> float:
    """Return an outcome in the form in which a run answers.

    Raises
    ------
    InputError
        If the outcome is not of the question's kind.
    """
    kind = kind_of(question.kind)
    if not kind.takes(value):
        raise InputError(
            f"outcome of {question.id}: a value of kind {question.kind} (found {value!r})"
        )
    return kind.draw_of(value, case)


def _of_voice(question: Question, voice: Said | None, horizon: int, value: float) -> Score | None:
    if voice is None:
        return None
    return kind_of(question.kind).score(
        voice.estimate,
        voice.draws,
        voice.weight,
        effective=voice.effective,
        horizon=horizon,
        outcome=value,
    )


def _baselines(
    case: Case, question: Question, outside: Outside | None, value: float
) -> dict[str, Score]:
    kind, horizon = kind_of(question.kind), case.horizon
    out: dict[str, Score] = {}
    if outside is not None:
        history = kind.score_history(
            outside.probability, outside.values, horizon=horizon, outcome=value
        )
        if history is not None:
            out["casebook"] = history
    points = positions(case, question)
    refusal = always_refuse(question)
    if refusal is not None:
        points["always_refuse"] = refusal
    for name, point in points.items():
        out[name] = kind.score_point(point, horizon=horizon, outcome=value)
    return {name: out[name] for name in BASELINES if name in out}


def _skill(mine: Score, other: Score) -> float | None:
    if mine.main is None or not other.main:
        return None
    return 1.0 - mine.main / other.main
