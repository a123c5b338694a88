"""Forecasts: from the weighed runs of a case, and from history, to the answers to questions."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Unpack, get_args

import numpy as np
from numpy.typing import NDArray

from foedus.answers.discrepancy import discrepancy
from foedus.answers.history import Histories, histories
from foedus.answers.outside_view import Outside, outside_view
from foedus.answers.pooling import Said, pooled, said, widened
from foedus.answers.questions import named, settled_by
from foedus.case.asof import AsOf
from foedus.case.models import Case, Question
from foedus.case.question_kinds import Estimate, kind_of
from foedus.case.vocabulary import QUANTITIES
from foedus.casebook.similarity import Likeness, nearest_to_case
from foedus.defaults import BLOCK
from foedus.errors import InputError
from foedus.plain_values import Plain, Worded, to_plain
from foedus.weighing.evidence import Evidence
from foedus.weighing.known_totals import KnownTotals
from foedus.weighing.quantities import Frame, blocks, series, variables
from foedus.weighing.verdict import Caution, Failure, NoOutsideView, Refusal, Verdict
from foedus.weighing.weighed import Making, Weighed, prior_weights, weigh
from foedus.weighing.weights import Weights, carrying, normalise
from foedus.weighted_statistics import KEYS, LEVELS, mean_and_error, quantile

if TYPE_CHECKING:
    import xarray as xr

    from foedus.casebook import Casebook
    from foedus.ensemble.ensemble import Ensemble
    from foedus.report.charts import ForecastPlots

FloatArray = NDArray[np.float64]

#: Version of the keys of :meth:`Forecast.to_dict`.
FORMAT = 1
#: Where an answer comes from; the headline is the first that there is.
Source = Literal["pooled", "simulation", "history"]
SOURCES: tuple[Source, ...] = get_args(Source)
#: What the fan charts show, and their titles.
FANS: dict[str, str] = {
    "crowd": "People in the streets",
    "deaths_protesters": "Civilians killed so far",
    "deaths_security": "Members of the forces killed so far",
    "deaths_total": "All killed so far",
    "arrests": "People arrested so far",
    "troops_announced": "Allied troops announced",
    "troops_present": "Allied troops in the country",
    "cities_in_unrest": "Cities in unrest",
    "loyal_share": "Share of commanders who hold",
    "internet": "Connectivity",
}

#: Most runs in a fan, and most values of one quantity that are held at once.
MOST_FAN_RUNS = 50_000
_MOST_FAN_VALUES = 4_000_000


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A question with its answer.

    Attributes
    ----------
    id, text, kind, unit : str
    quantity : str
    estimate : Estimate or None
        Of the simulation. None if it has no answer; ``reason`` says why.
    history : Estimate or None
        Of the casebook's models, given what is known (:mod:`foedus.answers.history`).
    pooled : Estimate or None
        Of both together, widened by their usual discrepancy (:mod:`foedus.answers.pooling`).
    headline : Estimate or None
        The answer to read: ``pooled``, or that of simulation or history where only one of them
        speaks, widened likewise.
    source : {"pooled", "simulation", "history"} or None
        Of the headline.
    before : Estimate or None
        From the same runs, before the evidence.
    outside : Outside or None
        The casebook's view.
    settled_by : str or None
        The known fact that already settles the question.
    reason : Refusal, Failure or None
        Why the simulation has no answer.
    """

    id: str
    text: str
    kind: str
    unit: str
    quantity: str
    estimate: Estimate | None
    history: Estimate | None = None
    pooled: Estimate | None = None
    headline: Estimate | None = None
    source: Source | None = None
    before: Estimate | None = None
    outside: Outside | None = None
    settled_by: str | None = None
    reason: Refusal | Failure | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON.

        The keys of the simulation's estimate stand among those of the answer; ``answered`` tells
        whether there is a headline.
        """
        return {
            "id": self.id,
            "text": self.text,
            "kind": self.kind,
            "unit": self.unit,
            "quantity": self.quantity,
            **(self.estimate or Estimate()).to_dict(),
            "headline": None
            if self.headline is None
            else {"source": self.source, **self.headline.to_dict()},
            "pooled": self.pooled.to_dict() if self.pooled else None,
            "history": self.history.to_dict() if self.history else None,
            "answered": self.headline is not None,
            "reason": to_plain(self.reason),
            "settled_by": self.settled_by,
            "before_evidence": self.before.to_dict() if self.before else None,
            "outside": self.outside.to_dict() if self.outside else None,
        }


@dataclass(frozen=True, kw_only=True)
class Explanation(Plain):
    """A hypothesis before and after the evidence.

    Attributes
    ----------
    id, title, says, put_forward_by : str
    prior, posterior, error : float
        The posterior has a Monte-Carlo standard error. NaN posterior where refused.
    bayes_factor : float
        Of this hypothesis against the others together; NaN if there is no other.
    runs : int
    """

    id: str
    title: str
    says: str
    put_forward_by: str
    prior: float
    posterior: float
    error: float
    bayes_factor: float
    runs: int


@dataclass(frozen=True, kw_only=True)
class Fan(Plain):
    """Weighted quantiles by day of one quantity.

    Attributes
    ----------
    key, title, unit : str
        The key is a word of the vocabulary.
    dates : (day,)
    quantiles : (level, day)
        At :data:`LEVELS`; NaN where refused.
    """

    key: str
    title: str
    unit: str
    dates: tuple[dt.date, ...]
    quantiles: FloatArray = field(metadata={"json": None})

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: a key for each quantile."""
        rows = dict(zip(KEYS, to_plain(self.quantiles), strict=True))
        return {**super().to_dict(), **rows}


def _sample(found: Forecast) -> dict[str, Any]:
    """Return for JSON what the weighted runs are worth."""
    w = found.weights
    return {
        "runs": w.runs,
        "usable": w.usable,
        "effective": w.ess,
        "largest_weight": w.largest,
        "carrying": w.carrying,
        "pareto_k": w.pareto_k,
        "verdict": w.verdict,
        "advice": w.verdict.reasons,
    }


def _warnings(found: Forecast) -> tuple[Worded, ...]:
    """Return for JSON what to keep in mind; the reasons of a weak answer come first."""
    reasons = () if found.verdict.refused else found.verdict.reasons
    return (*reasons, *found.warnings)


@dataclass(frozen=True, kw_only=True)
class Forecast(Plain):
    """All answers of a case as of a date.

    Attributes
    ----------
    case_id, title : str
    as_of, start, end : datetime.date
    weights : Weights
    answers : tuple of Answer
    hypotheses : tuple of Explanation
    fans : tuple of Fan
    evidence : tuple of Evidence
    replayed : dict
        ``facts`` that were imposed, ``median`` and ``best`` of their log-probability in the runs,
        ``excluded``: share of runs in which they are a billion times less likely than in the best.
    warnings : tuple of Caution
        What to keep in mind besides the verdict.
    nearest : tuple of Likeness
        The nearest historical cases.
    provenance : dict
        What made the ensemble.
    draws : dict of str to ndarray, shape (run,)
        The answer of each run to each question, for scoring.
    voices : dict of str to dict
        For each question what each of :data:`SOURCES` says, and the ``headline``, with the draws,
        for scoring.
    """

    case_id: str = field(metadata={"json": "case"})
    title: str
    as_of: dt.date
    start: dt.date
    end: dt.date
    weights: Weights = field(metadata={"json": None, "then": {"sample": _sample}})
    answers: tuple[Answer, ...]
    hypotheses: tuple[Explanation, ...]
    fans: tuple[Fan, ...]
    evidence: tuple[Evidence, ...]
    replayed: dict[str, Any]
    warnings: tuple[Caution, ...] = field(
        default=(), metadata={"json": None, "then": {"warnings": _warnings}}
    )
    nearest: tuple[Likeness, ...] = field(default=(), metadata={"json": "alike"})
    provenance: dict[str, Any] = field(default_factory=dict)
    draws: dict[str, FloatArray] = field(default_factory=dict, repr=False, metadata={"json": None})
    voices: dict[str, dict[str, Said]] = field(
        default_factory=dict, repr=False, metadata={"json": None}
    )

    json_format = FORMAT

    @property
    def plot(self) -> ForecastPlots:
        """Charts: ``forecast.plot()``, ``forecast.plot.fan("deaths_total")``."""
        from foedus.report.charts import ForecastPlots

        return ForecastPlots(self)

    def _repr_html_(self) -> str:
        from foedus.report.forecast_view import forecast_document

        return forecast_document(self)._repr_html_()

    @property
    def verdict(self) -> Verdict:
        """Whether enough runs agree with the evidence."""
        return self.weights.verdict

    def answer(self, question: str) -> Answer:
        """Return the answer to a question by its id.

        Raises
        ------
        InputError
            If there is no such question; the message names the nearest id.
        """
        found: Answer = named(self.answers, question)
        return found

    def with_provenance(self, **more: Any) -> Forecast:
        """Return the forecast with more provenance."""
        return replace(self, provenance={**self.provenance, **more})

    def to_dataset(self) -> xr.Dataset:
        """Return the forecast as an xarray Dataset.

        Variables: ``log_weight`` and ``weight`` (run); ``draw`` (question, run), a date as days
        from the start with infinity for never; ``probability`` (question); ``quantile`` (question,
        level), both of the simulation; ``headline`` and ``headline_quantile``, the same of the
        headline; ``fan`` (quantity, level, day); ``posterior`` (hypothesis).
        """
        import pandas as pd
        import xarray as xr

        ids = [a.id for a in self.answers]
        blank = np.full(self.weights.runs, np.nan)
        draws = [self.draws.get(i, blank) for i in ids]
        estimates = [a.estimate or Estimate() for a in self.answers]
        headlines = [a.headline or Estimate() for a in self.answers]
        days = [f.quantiles for f in self.fans]
        dates = pd.DatetimeIndex(list(self.fans[0].dates)) if self.fans else pd.DatetimeIndex([])
        empty = np.empty((0, len(LEVELS), len(dates)))
        return xr.Dataset(
            {
                "log_weight": ("run", self.weights.log_weight),
                "weight": ("run", self.weights.weight),
                "draw": (("question", "run"), np.array(draws).reshape(len(ids), blank.size)),
                "probability": ("question", _chances(estimates)),
                "quantile": (("question", "level"), self._quantiles(estimates)),
                "headline": ("question", _chances(headlines)),
                "headline_quantile": (("question", "level"), self._quantiles(headlines)),
                "fan": (("quantity", "level", "day"), np.array(days) if days else empty),
                "posterior": ("hypothesis", np.array([h.posterior for h in self.hypotheses])),
            },
            coords={
                "run": np.arange(self.weights.runs),
                "question": ids,
                "level": list(LEVELS),
                "quantity": [f.key for f in self.fans],
                "day": dates,
                "hypothesis": [h.id for h in self.hypotheses],
            },
            attrs={"case": self.case_id, "as_of": self.as_of.isoformat(), "ess": self.weights.ess},
        )

    def _quantiles(self, estimates: list[Estimate]) -> FloatArray:
        out = np.full((len(estimates), len(LEVELS)), np.nan)
        for row, estimate in zip(out, estimates, strict=True):
            for k, value in enumerate(estimate.quantiles):
                if isinstance(value, dt.date):
                    row[k] = (value - self.start).days
                else:
                    row[k] = np.inf if value is None else value
        return out


def _chances(estimates: list[Estimate]) -> FloatArray:
    return np.array([np.nan if e.probability is None else e.probability for e in estimates])


def forecast(
    case: Case,
    *,
    as_of: AsOf | None = None,
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
    past = None if casebook is None else histories(case, as_of=weighed.as_of)
    answers, voices = [], {}
    for question in case.questions:
        problem = weighed.unreadable.get(question.id)
        draws, kind = weighed.draws.get(question.id), kind_of(question.kind)
        settled = settled_by(case, question)
        spoken = _voices(weighed, question, past if settled is None else None)
        source = next((name for name in SOURCES if name in spoken), None)
        voices[question.id] = spoken
        answers.append(
            Answer(
                id=question.id,
                text=question.text,
                kind=question.kind,
                unit=question.unit or QUANTITIES[question.ask.quantity].unit,
                quantity=question.ask.quantity,
                estimate=None
                if draws is None or refused
                else kind.estimate(draws, weights.weight, frame),
                history=_of(spoken, "history"),
                pooled=_of(spoken, "pooled"),
                headline=_of(spoken, "headline"),
                source=source,
                before=None
                if draws is None
                else kind.estimate(weighed.prior_draws[question.id], before, frame),
                outside=_outside(case, question, casebook, warnings),
                settled_by=settled,
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
        fans=fans(
            weighed.dataset,
            frame,
            weights,
            refused=refused,
            block=weighed.block,
            totals=weighed.totals,
        ),
        evidence=weighed.evidence,
        replayed=weighed.replayed,
        warnings=tuple(warnings),
        nearest=() if casebook is None else nearest_to_case(case, casebook),
        draws=weighed.draws,
        voices=voices,
    )


def _of(spoken: dict[str, Said], name: str) -> Estimate | None:
    return spoken[name].estimate if name in spoken else None


def _voices(weighed: Weighed, question: Question, past: Histories | None) -> dict[str, Said]:
    """Return what each of :data:`SOURCES` says of a question, and the ``headline``."""
    frame, kind, ask = weighed.frame, kind_of(question.kind), question.ask
    if question.id in weighed.unreadable:
        return {}
    spoken: dict[str, Said] = {}
    if not weighed.refused:
        spoken["simulation"] = said(
            kind,
            weighed.draws[question.id],
            frame,
            weight=weighed.weights.weight,
            effective=weighed.weights.ess,
        )
    drawn = None if past is None else past.draws(question)
    if drawn is not None:
        spoken["history"] = said(kind, drawn, frame)
    if not spoken:
        return {}
    source = "pooled" if len(spoken) == 2 else next(iter(spoken))
    best = (
        pooled(kind, spoken["simulation"], spoken["history"], frame)
        if source == "pooled"
        else spoken[source]
    )
    first, last = frame.window(ask.from_date, ask.by_date)
    best = widened(
        kind,
        best,
        discrepancy(ask, source, frame.start.year),
        frame,
        first=min(max(first, frame.day(weighed.case.as_of) + 1), last),
        last=last,
        most=1.0 if QUANTITIES[ask.quantity].kind == "level" else math.inf,
    )
    if source == "pooled":
        spoken["pooled"] = best
    return {**spoken, "headline": best}


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
                id=h.id,
                title=h.title,
                says=h.says,
                put_forward_by=h.put_forward_by,
                prior=prior,
                posterior=posterior,
                error=error,
                bayes_factor=factor,
                runs=int(rows.sum()),
            )
        )
    return tuple(out)


def fans(
    dataset: xr.Dataset,
    frame: Frame,
    weights: Weights,
    *,
    refused: bool = False,
    keys: Iterable[str] = FANS,
    block: int = BLOCK,
    totals: KnownTotals | None = None,
) -> tuple[Fan, ...]:
    """Return weighted quantiles by day of what :data:`FANS` names; NaN where refused.

    Counts start from the known ``totals``, if any.
    """
    keys = tuple(keys)
    dates = tuple(frame.date(d) for d in range(frame.horizon))
    found: dict[str, FloatArray] = {}
    if not refused:
        rows = carrying(weights.weight, min(MOST_FAN_RUNS, _MOST_FAN_VALUES // frame.horizon))
        shown = dataset.isel(run=rows)
        for key in keys:
            parts, end = [], 0
            for runs in blocks(shown, variables(key), size=block):
                size = len(next(iter(runs.values())))
                some = rows[end : (end := end + size)]
                read = series if totals is None else partial(totals.series, rows=some)
                parts.append(read(runs, frame, key))
            values = np.concatenate(parts)
            found[key] = quantile(values, weights.weight[rows], np.array(LEVELS))
    blank = np.full((len(LEVELS), frame.horizon), np.nan)
    return tuple(
        Fan(
            key=key,
            title=FANS[key],
            unit=QUANTITIES[key].unit,
            dates=dates,
            quantiles=found.get(key, blank),
        )
        for key in keys
    )


def fans_before(ensemble: Ensemble, *keys: str) -> tuple[Fan, ...]:
    """Return quantiles by day of the runs of an ensemble, without evidence.

    The weights are those of :func:`foedus.weighing.weighed.prior_weights`.

    Parameters
    ----------
    ensemble : Ensemble
    *keys : str
        Of :data:`FANS`; none: all of them.

    Raises
    ------
    InputError
        If there is no such fan, or no run is done.
    """
    for key in keys:
        if key not in FANS:
            raise InputError(f"fan: one of {', '.join(FANS)} (found {key!r})")
    if not ensemble.complete_runs:
        raise InputError(f"{ensemble.path}: no run is done yet")
    frame = Frame.of(ensemble.case)
    return fans(ensemble.dataset, frame, prior_weights(ensemble), keys=keys or FANS)
