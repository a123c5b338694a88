"""How good a forecast was. The only reader of a case's outcomes."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foedus.answers.forecasts import forecast as make_forecast
from foedus.answers.forecasts import judge
from foedus.case.asof import as_of as known_by
from foedus.case.models import Case, Outcome, Question
from foedus.ensemble.proposal import log_importance
from foedus.errors import InputError
from foedus.views import view
from foedus.weighing.outside_view import Outside, always_refuse, positions
from foedus.weighing.results import Answer, Forecast, finite, plain

if TYPE_CHECKING:
    from foedus.ensemble.ensemble import Ensemble

FloatArray = NDArray[np.float64]

#: Version of the keys of :meth:`Scores.to_dict`.
FORMAT = 1

#: A baseline that says "never" or "surely" is read as this far from it by the log score, which
#: would be infinite otherwise. The Brier score takes it at its word.
BASELINE_FLOOR = 0.01

BASELINES: tuple[str, ...] = (
    "casebook",
    "always_refuse",
    "weighted_mean",
    "weighted_median",
    "prior_ensemble",
)


def brier(p: float, outcome: bool, *, two_sided: bool = False) -> float:
    """Return the Brier score, 0 (right and sure) to 1 (wrong and sure).

    Parameters
    ----------
    p : float
        Probability given to "true".
    outcome : bool
    two_sided : bool
        Brier's own sum over both answers, twice as large: 0 to 2. foedus reports the half.
    """
    import scoringrules

    score = float(scoringrules.brier_score(float(outcome), p))
    return 2.0 * score if two_sided else score


def log_score(p: float, outcome: bool) -> float:
    """Return minus the natural log of the probability that was given to what happened."""
    given = p if outcome else 1.0 - p
    return -math.log(given) if given > 0 else math.inf


def shrunk(p: float, effective: float) -> float:
    """Return a probability estimated from a finite sample, moved off 0 and 1.

    ``(n p + ½) / (n + 1)`` with n the effective sample size: no number of runs proves that
    something cannot happen.
    """
    return (effective * p + 0.5) / (effective + 1.0)


def crps(values: FloatArray, outcome: float, weight: FloatArray | None = None) -> float:
    """Return the continuous ranked probability score of a weighted ensemble, in its unit.

    Parameters
    ----------
    values : ndarray, shape (run,)
    outcome : float
    weight : ndarray, shape (run,), optional
        Equal if absent.

    Notes
    -----
    ``E|X - y| - ½ E|X - X'|`` under the weighted empirical distribution (Gneiting and Raftery
    2007, doi 10.1198/016214506000001437), by scoringrules' quantile decomposition.
    """
    import scoringrules

    values = np.asarray(values, dtype=np.float64)
    if weight is not None:
        values, weight = values[weight > 0], weight[weight > 0]
    if values.size == 0 or not np.isfinite(values).all() or not math.isfinite(outcome):
        raise InputError("crps: finite values, at least one of them with a weight")
    return float(scoringrules.crps_ensemble(outcome, values, ens_w=weight))


@dataclass(frozen=True)
class Score:
    """The scores of one forecaster on one question; those that do not apply are None."""

    forecast: float | None = None
    brier: float | None = None
    log: float | None = None
    crps: float | None = None

    @property
    def main(self) -> float | None:
        """Brier score of a binary question, CRPS of the others."""
        return self.crps if self.brier is None else self.brier

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {k: finite(v) for k, v in vars(self).items()}


@dataclass(frozen=True)
class Scored:
    """A question, what came of it, and how all forecasters did.

    Attributes
    ----------
    id, text, kind, unit : str
    outcome : bool, float, date or None
        None: it did not happen within the horizon.
    open : bool
        No fact known at the as-of date settled it.
    known_already : bool
        The outcome itself was public by the as-of date: no forecast at all.
    score : Score or None
        None where the forecast refused or the question could not be read.
    baselines : dict of str to Score
    skill : dict of str to float
        ``1 - score / baseline``: above 0 better than the baseline; None where that is perfect.
    reason : str or None
        Why there is no score.
    lead : int or None
        Days from the as-of date until the outcome was public.
    pit : tuple of float, or None
        Of a number or date: the shares of the forecast below the outcome, and up to it.
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
    reason: str | None = None
    lead: int | None = None
    pit: tuple[float, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "id": self.id,
            "text": self.text,
            "kind": self.kind,
            "unit": self.unit,
            "outcome": plain(self.outcome),
            "open": self.open,
            "known_already": self.known_already,
            "score": self.score.to_dict() if self.score else None,
            "baselines": {k: s.to_dict() for k, s in self.baselines.items()},
            "skill": dict(self.skill),
            "reason": self.reason,
            "lead": self.lead,
            "pit": None if self.pit is None else list(self.pit),
        }


@dataclass(frozen=True)
class Scores:
    """All scores of a case as of a date.

    Attributes
    ----------
    case_id : str
    as_of : datetime.date
    verdict : str
        The forecast's own.
    effective : float
        Effective sample size.
    questions : tuple of Scored
    """

    case_id: str
    as_of: dt.date
    verdict: str
    effective: float
    questions: tuple[Scored, ...]

    def _repr_html_(self) -> str:
        return str(view("Scores.html", self))

    def summary(self, *, only_open: bool = True) -> dict[str, Any]:
        """Return the means over questions.

        ``forecast``: mean Brier and log score of the binary questions. ``baselines``: for each,
        over the questions that it speaks to, how many there are, on how many the forecast is
        better, both mean Brier scores with the skill between them, and the mean of the skills by
        CRPS (whose units differ, so that scores themselves cannot be averaged).
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
            "baselines": {name: against(kept, name) for name in BASELINES},
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; the keys are documented in ``docs/reference/json.md``."""
        return {
            "format": FORMAT,
            "case": self.case_id,
            "as_of": self.as_of.isoformat(),
            "verdict": self.verdict,
            "effective": finite(self.effective),
            "questions": [q.to_dict() for q in self.questions],
            "summary": self.summary(),
            "summary_all": self.summary(only_open=False),
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
        """Return the cells of the table, the names of the columns first."""
        head = ("question", "outcome", "score", "by", *BASELINES, "")
        rows = [head]
        for q in self.questions:
            unit = (
                "Brier" if q.kind == "binary" else f"CRPS {'days' if q.kind == 'date' else q.unit}"
            )
            scores = [q.score, *(q.baselines.get(name) for name in BASELINES)]
            shown = ["-" if s is None or s.main is None else f"{s.main:.3g}" for s in scores]
            note = "" if q.open else "settled"
            note = "known already" if q.known_already else note
            outcome = "did not happen" if q.outcome is None else str(q.outcome)
            rows.append((q.id, outcome, shown[0], unit, *shown[1:], note))
        return rows


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return finite(float(np.mean(known))) if known else None


def against(kept: Sequence[Scored], name: str) -> dict[str, Any]:
    """Compare the forecast with one baseline on the questions that it speaks to.

    Returns
    -------
    dict
        ``n``, ``better`` (on how many), ``forecast_brier``, ``baseline_brier``, ``brier_skill``,
        ``mean_crps_skill``; None where there is nothing to average.
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
    **options: Any,
) -> Scores:
    """Score a forecast against what came, and against the baselines.

    Parameters
    ----------
    case : Case
        With its outcomes.
    forecast : Forecast, optional
        Made before; otherwise it is made as of ``as_of``.
    as_of : date, datetime or str, optional
        As in :func:`foedus.answers.forecasts`.
    prior : Forecast or Ensemble, optional
        Another forecast of the same questions, or an ensemble that replayed nothing: answered
        without any evidence, it is the baseline ``prior_ensemble``.
    ensemble, **options
        As in :func:`foedus.answers.forecasts`.

    Returns
    -------
    Scores
        One row a question, with baselines and skill.

    Raises
    ------
    InputError
        If the case has no outcomes, or the forecast is of another case.
    """
    refuse_unscored(case)
    if forecast is None:
        forecast = make_forecast(case, as_of=as_of, ensemble=ensemble, **options)
    if forecast.case_id != case.id:
        raise InputError(f"the forecast is of case {forecast.case_id}, not of {case.id}")
    if prior is not None and not isinstance(prior, Forecast):
        blank = known_by(case, case.as_of).model_copy(update={"facts": ()})
        prior = judge(blank, prior.dataset, log_importance=log_importance(prior))
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
    value = _number(case, question, outcome.value)
    mine = None if answer.estimate is None else _runs(case, question, answer, forecast, value)
    baselines = _baselines(case, question, answer, value)
    if prior is not None and prior.answer(question.id).estimate is not None:
        baselines["prior_ensemble"] = _runs(case, question, prior.answer(question.id), prior, value)
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
        pit=None if mine is None else _pit(case, question, forecast, value),
    )


def _pit(
    case: Case, question: Question, forecast: Forecast, value: float
) -> tuple[float, float] | None:
    if question.kind == "binary":
        return None
    draws = _cut(case, question, forecast.draws[question.id])
    weight = forecast.weights.weight
    below, at = float(weight[draws < value].sum()), float(weight[draws == value].sum())
    return min(below, 1.0), min(below + at, 1.0)


def _number(case: Case, question: Question, value: bool | float | dt.date | None) -> float:
    """Return an outcome as a number: 0 or 1, the number, or a day number cut at the horizon.

    Raises
    ------
    InputError
        If the outcome is not of the question's kind.
    """
    if question.kind == "date" and value is None:
        return float(case.horizon)
    if question.kind == "date" and isinstance(value, dt.date):
        return float(min(case.day(value), case.horizon))
    if question.kind == "binary" and isinstance(value, bool):
        return float(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if question.kind == "number" and number:
        return float(value)  # type: ignore[arg-type]
    raise InputError(f"outcome of {question.id}: a {question.kind} value (found {value!r})")


def _cut(case: Case, question: Question, values: FloatArray) -> FloatArray:
    """Return dates with "never" and all later days at the day after the last simulated one."""
    return np.minimum(values, case.horizon) if question.kind == "date" else values


def _runs(
    case: Case, question: Question, answer: Answer, forecast: Forecast, value: float
) -> Score:
    assert answer.estimate is not None
    if question.kind == "binary":
        p = answer.estimate.probability
        assert p is not None
        p = min(max(p, 0.0), 1.0)
        return _binary(p, shrunk(p, forecast.weights.ess), value)
    draws = _cut(case, question, forecast.draws[question.id])
    return Score(answer.estimate.mean, crps=crps(draws, value, forecast.weights.weight))


def _binary(p: float, safe: float, value: float) -> Score:
    happened = bool(value)
    return Score(p, brier(p, happened), log_score(safe, happened))


def _floored(p: float) -> float:
    return min(max(p, BASELINE_FLOOR), 1.0 - BASELINE_FLOOR)


def _baselines(case: Case, question: Question, answer: Answer, value: float) -> dict[str, Score]:
    out: dict[str, Score] = {}
    history = _history(case, question, answer.outside, value)
    if history is not None:
        out["casebook"] = history
    points = positions(case, question)
    refusal = always_refuse(question)
    if refusal is not None:
        points["always_refuse"] = refusal
    for name, point in points.items():
        if question.kind == "binary":
            out[name] = _binary(point, _floored(point), value)
        else:
            at = float(_cut(case, question, np.array([point]))[0])
            out[name] = Score(finite(point), crps=abs(at - value))
    return {name: out[name] for name in BASELINES if name in out}


def _history(case: Case, question: Question, outside: Outside | None, value: float) -> Score | None:
    if outside is None:
        return None
    if question.kind == "binary":
        p = outside.probability
        return None if p is None else _binary(p, _floored(p), value)
    values = _cut(case, question, np.array(outside.values))
    middle = finite(float(np.median(values)))
    return Score(middle, crps=crps(values, value)) if values.size else None


def _skill(mine: Score, other: Score) -> float | None:
    if mine.main is None or not other.main:
        return None
    return 1.0 - mine.main / other.main
