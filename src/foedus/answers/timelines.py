"""A forecast for each day of a range, without simulating any run twice.

Known decisions are replayed in every run (:mod:`foedus.world.guidance`), so two days share their
runs exactly if the same decisions are known on both. A stretch of such days has one ensemble. Its
first day, the *base*, has the ensemble of a single forecast as of that day. On a later day the runs
are only weighed again. If new reports leave fewer than :data:`ENOUGH` effective runs, a stage is
added with a proposal fitted to the reports (:mod:`foedus.ensemble.proposal`); no run is discarded.

Every stretch is processed from its base, day by day, whatever days were asked for. So the forecast
of a day depends only on what was known by that day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foedus.answers.forecasts import Forecast, forecast
from foedus.case.asof import as_of as known_by
from foedus.case.asof import days_of, seen_by_world
from foedus.case.models import Case, Fact
from foedus.case.question_kinds import Estimate
from foedus.defaults import FORECAST_RUNS
from foedus.ensemble.progress import Progress, Silent
from foedus.plain_values import Plain, finite, to_plain
from foedus.weighing.evidence import reports
from foedus.weighing.weighed import make_runs, weigh
from foedus.weighted_statistics import KEYS
from foedus.world.guidance import Guidance

if TYPE_CHECKING:
    import xarray as xr

    from foedus.casebook import Casebook
    from foedus.ensemble.ensemble import Ensemble

#: Version of the keys of :meth:`Timeline.to_dict`.
FORMAT = 1

#: Effective runs below which more runs are made: twice what an answer needs at least.
ENOUGH = 100.0
#: Columns of the CSV file: one row for each day and question. The answer is the headline;
#: ``source`` tells whose it is, ``simulation`` and ``history`` are their own chances or medians.
COLUMNS = (
    "case", "as_of", "question", "kind", "unit", "probability", "probability_error", "mean", *KEYS,
    "source", "simulation", "history", "base_rate", "settled_by", "verdict", "effective", "runs",
    "facts",
)  # fmt: skip
#: Most runs of an ensemble, as a multiple of the runs asked for.
MOST = 4


@dataclass(frozen=True, kw_only=True)
class Day:
    """The forecast of one day.

    Attributes
    ----------
    date : datetime.date
        The forecast uses what was known at its end.
    news : tuple of Fact
        What became known on that day, or by the first day of the case.
    base : datetime.date
        First day with these runs; no other decision has become known since.
    runs : int
        Runs of the forecast.
    added : int
        Runs among them that were made for the news of that day.
    forecast : Forecast
        Without the draws of single runs.
    """

    date: dt.date
    news: tuple[Fact, ...]
    base: dt.date
    runs: int
    added: int
    forecast: Forecast

    @property
    def command(self) -> str:
        """The command that makes the runs again."""
        return str(self.forecast.provenance["command"])

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: a summary of the forecast, not all of it."""
        weights = self.forecast.weights
        return {
            "as_of": self.date.isoformat(),
            "news": [
                {
                    "id": f.id,
                    "quantity": f.quantity,
                    "value": None if f.value is None else str(f.value),
                    "text": f.text,
                    "replayed": f.id in self.forecast.replayed["facts"],
                }
                for f in self.news
            ],
            "base": self.base.isoformat(),
            "runs": self.runs,
            "added": self.added,
            "effective": finite(weights.ess),
            "verdict": str(weights.verdict),
            "advice": to_plain(weights.verdict.reasons),
            "warnings": to_plain(self.forecast.warnings),
            "answers": [
                {
                    "id": a.id,
                    **(a.headline or Estimate()).to_dict(),
                    "source": a.source,
                    "simulation": _central(a.estimate),
                    "history": _central(a.history),
                    "answered": a.headline is not None,
                    "reason": to_plain(a.reason),
                    "settled_by": a.settled_by,
                    "base_rate": None if a.outside is None else to_plain(a.outside.probability),
                }
                for a in self.forecast.answers
            ],
            "command": self.command,
        }


def _questions(found: Timeline) -> list[dict[str, str]]:
    """Return the questions for JSON."""
    answers = found.days[0].forecast.answers
    return [{"id": a.id, "text": a.text, "kind": a.kind, "unit": a.unit} for a in answers]


@dataclass(frozen=True)
class Timeline(Plain):
    """The forecasts of a range of days.

    Attributes
    ----------
    case_id, title : str
    days : tuple of Day
    provenance : dict
        ``case_name``, ``seed``, ``runs`` that were asked for.
    """

    case_id: str = field(metadata={"json": "case"})
    title: str = field(
        metadata={
            "then": {
                "first": attrgetter("first"),
                "last": attrgetter("last"),
                "questions": _questions,
            }
        }
    )
    days: tuple[Day, ...]
    provenance: dict[str, Any] = field(default_factory=dict)

    json_format = FORMAT

    def _repr_html_(self) -> str:
        from foedus.report.timeline_view import timeline_document

        return timeline_document(self)._repr_html_()

    @property
    def first(self) -> dt.date:
        """The first day."""
        return self.days[0].date

    @property
    def last(self) -> dt.date:
        """The last day."""
        return self.days[-1].date

    def to_dataset(self) -> xr.Dataset:
        """Return the answers as an xarray Dataset.

        Variables: ``probability`` and ``probability_error`` of the headline (as_of, question), NaN
        for questions of a number; its ``quantile`` (as_of, question, level), dates as days from
        the start of the case with infinity for never; ``base_rate`` (as_of, question);
        ``effective``, ``runs`` and ``news``, a number of facts (as_of).
        """
        import pandas as pd
        import xarray as xr

        ids = [a.id for a in self.days[0].forecast.answers]
        quantiles = [d.forecast.to_dataset()["headline_quantile"] for d in self.days]
        answers = [[d.forecast.answer(i) for i in ids] for d in self.days]

        def table(values: list[list[float | None]]) -> tuple[tuple[str, str], Any]:
            rows = [[np.nan if v is None else v for v in row] for row in values]
            return ("as_of", "question"), np.array(rows, dtype=np.float64)

        said = [[a.headline or Estimate() for a in row] for row in answers]
        base = [[None if a.outside is None else a.outside.probability for a in r] for r in answers]
        return xr.Dataset(
            {
                "probability": table([[e.probability for e in row] for row in said]),
                "probability_error": table([[e.probability_error for e in row] for row in said]),
                "base_rate": table(base),
                "quantile": (("as_of", "question", "level"), np.stack(quantiles)),
                "effective": ("as_of", np.array([d.forecast.weights.ess for d in self.days])),
                "runs": ("as_of", np.array([d.runs for d in self.days])),
                "news": ("as_of", np.array([len(d.news) for d in self.days])),
            },
            coords={
                "as_of": pd.DatetimeIndex([d.date for d in self.days]),
                "question": ids,
                "level": quantiles[0]["level"].to_numpy(),
            },
            attrs={"case": self.case_id},
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return one flat row for each day and question, of :data:`COLUMNS`, for a CSV file."""
        out = []
        for d in self.days:
            for a in d.forecast.answers:
                e = (a.headline or Estimate()).to_dict()
                out.append(
                    {
                        "case": self.case_id,
                        "as_of": d.date.isoformat(),
                        "question": a.id,
                        "kind": a.kind,
                        "unit": a.unit,
                        "probability": e["probability"],
                        "probability_error": e["probability_error"],
                        "mean": e["mean"],
                        **{key: e["quantiles"].get(key) for key in KEYS},
                        "source": a.source,
                        "simulation": _central(a.estimate),
                        "history": _central(a.history),
                        "base_rate": None if a.outside is None else finite(a.outside.probability),
                        "settled_by": a.settled_by,
                        "verdict": str(d.forecast.verdict),
                        "effective": finite(d.forecast.weights.ess),
                        "runs": d.runs,
                        "facts": len(d.news),
                    }
                )
        return out


def _central(estimate: Estimate | None) -> Any:
    """Return a chance, or the median of a number, as a plain value."""
    if estimate is None:
        return None
    if estimate.probability is not None:
        return finite(estimate.probability)
    return to_plain(estimate.quantiles[2])


def timeline(
    case: Case,
    first: dt.date | str,
    last: dt.date | str,
    *,
    runs: int = FORECAST_RUNS,
    seed: int = 1,
    workers: int | None = None,
    batch: int | None = None,
    out: str | Path | None = None,
    casebook: Casebook | None = None,
    progress: Progress | None = None,
    cluster: str | None = None,
) -> Timeline:
    """Make the forecast of each day of a range.

    Parameters
    ----------
    case : Case
    first, last : datetime.date or str
        Both included.
    runs : int
        Of each ensemble; up to :data:`MOST` times as many if fewer than :data:`ENOUGH` are
        effective.
    out : str or Path, optional
        A folder for the stores; ``results/`` if absent.
    seed, workers, batch, casebook, progress, cluster
        As in :func:`foedus.answers.forecasts`.

    Returns
    -------
    Timeline

    Raises
    ------
    InputError
        If a day lies outside the case.

    Examples
    --------
    >>> case = foedus.load_case("kazakhstan-2022")  # doctest: +SKIP
    >>> foedus.timeline(case, "2022-01-03", "2022-01-07").to_dataset()  # doctest: +SKIP
    """
    days = daily(
        case, first, last, runs=runs, seed=seed, workers=workers, batch=batch, out=out,
        casebook=casebook, progress=progress, cluster=cluster,
    )  # fmt: skip
    return collect(case, [stripped(d) for d in days], runs=runs, seed=seed)


def collect(case: Case, days: list[Day], *, runs: int, seed: int) -> Timeline:
    """Return the timeline of some days."""
    name = days[0].forecast.provenance["case_name"]
    return Timeline(
        case.id, case.title, tuple(days), {"case_name": name, "seed": seed, "runs": runs}
    )


def stripped(day: Day) -> Day:
    """Return a day without the draws of its forecast, which need much memory."""
    return replace(day, forecast=replace(day.forecast, draws={}, voices={}))


def daily(
    case: Case,
    first: dt.date | str,
    last: dt.date | str,
    *,
    runs: int,
    out: str | Path | None = None,
    casebook: Casebook | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Iterator[Day]:
    """Yield the days of :func:`timeline` one by one, with the draws of their forecasts."""
    wanted = days_of(case, first, last)
    progress = progress or Silent()
    if casebook is None:
        from foedus.casebook import load_casebook

        casebook = load_casebook()
    base = _base(case, wanted[0])
    here: _Stretch | None = None
    for n in range((wanted[-1] - base).days + 1):
        date = base + dt.timedelta(days=n)
        known = known_by(case, date)
        if here is None or here.key != _key(known):
            here = _Stretch(
                case,
                base=date,
                key=_key(known),
                runs=runs,
                out=out,
                progress=progress,
                casebook=casebook,
                options=options,
            )
        asked = date >= wanted[0]
        if asked:
            progress.note(_announce(case, known, date, here, wanted))
        result, added = here.forecast(known, asked)
        if result is not None:
            yield Day(
                date=date,
                news=_news(case, known),
                base=here.base,
                runs=here.runs,
                added=added,
                forecast=result,
            )


def _announce(
    case: Case, known: Case, date: dt.date, here: _Stretch, wanted: tuple[dt.date, ...]
) -> str:
    news = len(_news(case, known))
    facts = f"{news} new fact{'' if news == 1 else 's'}"
    what = (
        "other decisions or members' values are known, so new runs"
        if here.base == date
        else f"the runs of {here.base}, weighed again"
    )
    return f"{date}, day {wanted.index(date) + 1} of {len(wanted)}: {facts}; {what}"


def _key(known: Case) -> tuple[Any, ...]:
    """Return the knowledge that the runs depend on: equal keys, equal runs."""
    guidance = Guidance.of(known)
    decisions = (sorted(guidance.days.items()), sorted(guidance.not_by.items()))
    return (*map(tuple, decisions), seen_by_world(known))


def _base(case: Case, date: dt.date) -> dt.date:
    """Return the first day of the stretch that a day belongs to."""
    key = _key(known_by(case, date))
    while date > case.start and _key(known_by(case, date - dt.timedelta(days=1))) == key:
        date -= dt.timedelta(days=1)
    return date


def _news(case: Case, known: Case) -> tuple[Fact, ...]:
    """Return the facts that became known on the day that a case is filtered by."""
    if known.as_of <= case.start:
        return known.facts
    before = {f.id for f in known_by(case, known.as_of - dt.timedelta(days=1)).facts}
    return tuple(f for f in known.facts if f.id not in before)


def _used(known: Case) -> tuple[Any, ...]:
    """Return the reports that the weights depend on."""
    return tuple((r.fact.id, r.share) for r in reports(known) if r.use == "weighed")


class _Stretch:
    """Days with the same known decisions, processed in order."""

    def __init__(
        self,
        case: Case,
        *,
        base: dt.date,
        key: tuple[Any, ...],
        runs: int,
        out: str | Path | None,
        progress: Progress,
        casebook: Casebook,
        options: dict[str, Any],
    ) -> None:
        self.case, self.base, self.key = case, base, key
        self.options = {**options, "folder": out, "progress": progress}
        self.asked = runs
        self.casebook = casebook
        self.ensemble: Ensemble | None = None
        self.used: tuple[Any, ...] = ()

    @property
    def runs(self) -> int:
        """Number of runs so far."""
        return 0 if self.ensemble is None else self.ensemble.plan.runs

    def forecast(self, known: Case, wanted: bool) -> tuple[Forecast | None, int]:
        """Return a day's forecast, and how many runs were made for it.

        None if the day is not wanted. A day without news is then skipped.
        """
        used = _used(known)
        before, news = self.runs, self.ensemble is None or used != self.used
        self.used = used
        if not (wanted or news):
            return None, 0
        if self.ensemble is None:
            self.ensemble = self._first(self.asked)
        weighed = weigh(self.case, as_of=known.as_of, ensemble=self.ensemble)
        while news and weighed.weights.ess < ENOUGH:
            longer = self._longer(known, before == 0)
            if longer is None:
                break
            self.ensemble = longer
            weighed = weigh(self.case, as_of=known.as_of, ensemble=self.ensemble)
        added = self.runs - before
        if not wanted:
            return None, added
        return forecast(self.case, weighed=weighed, casebook=self.casebook), added

    def _first(self, runs: int) -> Ensemble:
        return make_runs(self.case, self.base.isoformat(), runs=runs, **self.options)

    def _longer(self, known: Case, first: bool) -> Ensemble | None:
        """Return an ensemble with more runs, or None at the limit.

        On its base an ensemble grows like that of a single forecast with more runs. Later, half as
        many runs as were asked for are added, in a stage for the reports of the day.
        """
        runs = 2 * self.runs if first else self.runs + max(self.asked // 2, 1)
        if runs > MOST * self.asked:
            return None
        if first:
            return self._first(runs)
        folder = self.options["folder"]
        if folder is None and self.ensemble is not None:
            folder = self.ensemble.path.parent
        return make_runs(
            self.case,
            known.as_of.isoformat(),
            known=known,
            runs=runs,
            continues=self.ensemble,
            **{**self.options, "folder": folder},
        )
