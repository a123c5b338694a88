"""What a forecast says, as small typed objects with plain JSON values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foedus.case.question_kinds import Estimate
from foedus.casebook.similarity import Likeness
from foedus.errors import InputError
from foedus.plain_values import Plain, finite, to_plain
from foedus.weighing.outside_view import Outside
from foedus.weighing.verdict import Caution, Failure, Refusal, Verdict
from foedus.weighing.weights import Weights
from foedus.weighted_statistics import KEYS, LEVELS

if TYPE_CHECKING:
    import xarray as xr

    from foedus.report.charts import ForecastPlots

FloatArray = NDArray[np.float64]

#: Version of the keys of :meth:`Forecast.to_dict`.
FORMAT = 1

#: A report is met by no run if even the closest leaves this much of its log-likelihood wanting.
UNMET = -3.0
#: Names of the quantiles that say what the runs have for a fact.
RANGE = ("q05", "q50", "q95")


def named(questions: Sequence[Any], name: str) -> Any:
    """Return the question, or answer, with an id.

    Raises
    ------
    InputError
        If there is none; the message names the nearest id.
    """
    from foedus.case.problems import nearest

    for question in questions:
        if question.id == name:
            return question
    names = [q.id for q in questions]
    expected = f"one of {', '.join(names)}" if names else "the case has no questions"
    raise InputError(f"question: {expected}{nearest(name, names)} (found {name!r})")


@dataclass(frozen=True)
class Answer:
    """A question with its answer.

    Attributes
    ----------
    id, text, kind, unit : str
    quantity : str
    estimate : Estimate or None
        None where the forecast refuses; ``reason`` says why.
    before : Estimate or None
        The same runs before the evidence weighs them.
    outside : Outside or None
        The casebook's view.
    settled_by : str or None
        The known fact that settles the question already.
    reason : Refusal, Failure or None
        Why there is no answer.
    """

    id: str
    text: str
    kind: str
    unit: str
    quantity: str
    estimate: Estimate | None
    before: Estimate | None = None
    outside: Outside | None = None
    settled_by: str | None = None
    reason: Refusal | Failure | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "id": self.id,
            "text": self.text,
            "kind": self.kind,
            "unit": self.unit,
            "quantity": self.quantity,
            **(self.estimate or Estimate()).to_dict(),
            "answered": self.estimate is not None,
            "reason": to_plain(self.reason),
            "settled_by": self.settled_by,
            "before_evidence": self.before.to_dict() if self.before else None,
            "outside": self.outside.to_dict() if self.outside else None,
        }


@dataclass(frozen=True)
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


@dataclass(frozen=True)
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
        """Return plain values for JSON."""
        rows = dict(zip(KEYS, to_plain(self.quantiles), strict=True))
        return {**super().to_dict(), **rows}


@dataclass(frozen=True)
class Evidence(Plain):
    """A known fact: who says so, how it is used, and what the runs say of the same thing.

    Attributes
    ----------
    id, about, known_from, text, rating : str
    quantity, place, member, reported, speaker : str or None
    source, source_name, address : str
    use : str
        A key of :data:`foedus.weighing.evidence.USES`.
    share : float
        How much of a whole report it counts.
    error : float or None
        Share of outright error that its rating stands for.
    runs : tuple
        5, 50 and 95% quantiles of the runs, all evidence weighed.
    expected : tuple
        The same without this report: what the rest of the evidence leads one to expect.
    surprise : float or None
        Bits by which the expected probability of the report falls short of that from a run that
        agrees best with it.
    disbelief : float or None
        Probability that the report is outright wrong, all evidence weighed.
    ess_without : float or None
        Effective sample size with this report left out.
    closest : float or None
        Log-likelihood of the best run less that of full agreement; near 0 where some run agrees.
    nearest : float, datetime.date or None
        What that run says.
    """

    id: str
    about: str
    known_from: str
    text: str
    rating: str
    quantity: str | None
    place: str | None
    member: str | None
    reported: str | None
    speaker: str | None
    source: str
    source_name: str
    address: str | None
    use: str
    share: float = 0.0
    error: float | None = None
    surprise: float | None = None
    disbelief: float | None = None
    ess_without: float | None = None
    closest: float | None = None
    nearest: float | dt.date | None = None
    runs: tuple[float | dt.date | None, ...] = field(default=(), metadata={"keys": RANGE})
    expected: tuple[float | dt.date | None, ...] = field(default=(), metadata={"keys": RANGE})

    @property
    def unmet(self) -> bool:
        """Whether no run comes near the report."""
        return self.closest is not None and self.closest < UNMET


@dataclass(frozen=True)
class Forecast:
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
    alike : tuple of Likeness
        The nearest historical cases.
    provenance : dict
        What made the ensemble.
    draws : dict of str to ndarray, shape (run,)
        What each run answers to each question, for scoring.
    """

    case_id: str
    title: str
    as_of: dt.date
    start: dt.date
    end: dt.date
    weights: Weights
    answers: tuple[Answer, ...]
    hypotheses: tuple[Explanation, ...]
    fans: tuple[Fan, ...]
    evidence: tuple[Evidence, ...]
    replayed: dict[str, Any]
    warnings: tuple[Caution, ...] = ()
    alike: tuple[Likeness, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)
    draws: dict[str, FloatArray] = field(default_factory=dict, repr=False)

    @property
    def plot(self) -> ForecastPlots:
        """Charts: ``forecast.plot()``, ``forecast.plot.fan("deaths_total")``."""
        from foedus.report.charts import ForecastPlots

        return ForecastPlots(self)

    def _repr_html_(self) -> str:
        from foedus.report.notebook import forecast_html

        return forecast_html(self)

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

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; the keys are documented in ``docs/reference/json.md``."""
        w, told = self.weights, to_plain(self.verdict.reasons)
        return {
            "format": FORMAT,
            "case": self.case_id,
            "title": self.title,
            "as_of": self.as_of.isoformat(),
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "sample": {
                "runs": w.runs,
                "usable": w.usable,
                "effective": finite(w.ess),
                "largest_weight": finite(w.largest),
                "carrying": w.carrying,
                "pareto_k": finite(w.pareto_k),
                "verdict": str(w.verdict),
                "advice": told,
            },
            "answers": [a.to_dict() for a in self.answers],
            "hypotheses": [h.to_dict() for h in self.hypotheses],
            "fans": [f.to_dict() for f in self.fans],
            "evidence": [e.to_dict() for e in self.evidence],
            "replayed": {
                k: finite(v) if isinstance(v, float) else v for k, v in self.replayed.items()
            },
            "warnings": [*(() if w.verdict.refused else told), *to_plain(self.warnings)],
            "alike": [a.to_dict() for a in self.alike],
            "provenance": dict(self.provenance),
        }

    def to_dataset(self) -> xr.Dataset:
        """Return the forecast as an xarray Dataset.

        Variables: ``log_weight`` and ``weight`` (run); ``draw`` (question, run), a date as days
        from the start with infinity for never; ``probability`` (question); ``quantile`` (question,
        level); ``fan`` (quantity, level, day); ``posterior`` (hypothesis).
        """
        import pandas as pd
        import xarray as xr

        ids = [a.id for a in self.answers]
        blank = np.full(self.weights.runs, np.nan)
        draws = [self.draws.get(i, blank) for i in ids]
        estimates = [a.estimate or Estimate() for a in self.answers]
        p = [np.nan if e.probability is None else e.probability for e in estimates]
        days = [f.quantiles for f in self.fans]
        dates = pd.DatetimeIndex(list(self.fans[0].dates)) if self.fans else pd.DatetimeIndex([])
        empty = np.empty((0, len(LEVELS), len(dates)))
        return xr.Dataset(
            {
                "log_weight": ("run", self.weights.log_weight),
                "weight": ("run", self.weights.weight),
                "draw": (("question", "run"), np.array(draws).reshape(len(ids), blank.size)),
                "probability": ("question", np.array(p, dtype=np.float64)),
                "quantile": (("question", "level"), self._quantiles(estimates)),
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
