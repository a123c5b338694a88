"""What stands behind ``foedus casebook``: plain functions, small typed results.

Every result has ``text()`` for people and ``data()`` for ``--json``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foedus.casebook.design import Features
from foedus.casebook.load import Casebook, load_casebook, organisation_group
from foedus.casebook.nearest import Likeness, features, nearest
from foedus.casebook.organisations import organisations, read_data
from foedus.casebook.predict import Outlook, predict
from foedus.casebook.rates import (
    BaseRate,
    Key,
    Quantiles,
    base_rate,
    duration,
    request_rate,
    size,
    survival_rate,
    tempo,
)
from foedus.casebook.schema import ANSWERS, Case
from foedus.casebook.scores import Scored, Total, score_case, totals
from foedus.casebook.table import read_table
from foedus.errors import InputError, Problem


@dataclass(frozen=True)
class CaseList:
    """Cases of a slice."""

    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]

    def data(self) -> dict[str, Any]:
        """Return the list as plain values."""
        return {
            "cases": [
                {
                    "id": c.id,
                    "year": c.year,
                    "title": c.title,
                    "organisation": c.organisation,
                    "trigger": c.trigger,
                    "formal_request": c.value("formal_request"),
                    "outcome": c.outcome,
                    "used": c.usable,
                    "why_not": _why_not(c),
                }
                for c in self.cases
            ],
            "problems": [str(p) for p in self.problems],
        }

    def text(self) -> str:
        """Return one line a case."""
        rows = [
            (c.id, str(c.year), c.organisation, c.trigger, c.outcome, _why_not(c) or "", c.title)
            for c in self.cases
        ]
        head = ("id", "year", "organisation", "trigger", "outcome", "left out", "title")
        used = sum(c.usable for c in self.cases)
        tail = f"\n{len(rows)} cases, {used} of them in rates and fits"
        return _table(head, rows) + tail + _problem_text(self.problems)


def _why_not(case: Case) -> str | None:
    if case.set_aside is not None:
        return "set aside"
    return None if case.sourced else "unsourced"


def list_cases(
    *,
    organisation: str | None = None,
    trigger: str | None = None,
    first_year: int | None = None,
    last_year: int | None = None,
    folder: str | Path | None = None,
) -> CaseList:
    """List the cases of a slice; a folder of one's own cases is added to the shipped ones."""
    book = load_casebook(folder)
    chosen = book.filter(organisation=organisation, trigger=trigger, years=(first_year, last_year))
    return CaseList(chosen.cases, chosen.problems)


@dataclass(frozen=True)
class CaseSheet:
    """A case in full, with what its codings rest on."""

    case: Case
    book: Casebook

    def data(self) -> dict[str, Any]:
        """Return every field with confidence, sources and addresses."""
        c = self.case
        return {
            "id": c.id,
            "title": c.title,
            "year": c.year,
            "requester": c.requester.model_dump(),
            "helper": c.helper,
            "organisation": c.organisation,
            "lead": None if c.lead is None else c.lead.model_dump(),
            "confidence": c.confidence,
            "sourced": c.sourced,
            "set_aside": c.set_aside,
            "answer": c.answer,
            "days_request_to_arrival": c.days_to_arrival,
            "months_to_withdrawal": c.months_to_withdrawal,
            "fields": {
                name: {
                    "value": coded.value
                    if isinstance(coded.value, (int, float))
                    else str(coded.value),
                    "confidence": coded.confidence,
                    "sources": list(coded.sources),
                    "addresses": [
                        self.book.sources[s].address
                        for s in coded.sources
                        if s in self.book.sources
                    ],
                }
                for name, coded in c.fields.items()
            },
            "contested": [d.model_dump() for d in c.contested],
            "sources": {
                s: {"what": e.what, "date": e.date, "address": e.address}
                for s in c.sources
                if (e := self.book.sources.get(s)) is not None
            },
            "notes": c.notes,
        }

    def text(self) -> str:
        """Return the case as a sheet."""
        c = self.case
        meaning = read_data("codebook.yaml")["variables"]
        lead = f", lead {c.lead.name}" if c.lead else ""
        lines = [
            f"{c.id}: {c.title} ({c.year}), {c.requester.name} asks {c.helper}{lead}",
            f"group {organisations().titles[c.organisation]}; confidence {c.confidence}"
            + (f"; left out: {_why_not(c)}" if _why_not(c) else ""),
            "",
        ]
        rows = []
        for name, coded in c.fields.items():
            value = ("y" if coded.value else "n") if isinstance(coded.value, bool) else coded.value
            sources = " ".join(coded.sources) or "no source yet"
            rows.append((name, str(value), coded.confidence, sources, meaning[name]["definition"]))
        lines.append(_table(("field", "value", "conf", "sources", "meaning"), rows))
        for d in c.contested:
            others = ", ".join(f"{k} ({v:g})" for k, v in d.alternatives.items())
            lines.append(f"contested {d.field}: {d.why}" + (f" Other: {others}" if others else ""))
        for s in c.sources:
            if s in self.book.sources:
                e = self.book.sources[s]
                lines.append(f"{s}: {e.what} ({e.date}) {e.address}")
        if c.notes:
            lines.append(f"Notes: {c.notes}")
        return "\n".join(lines)


def show_case(case_id: str, *, folder: str | Path | None = None) -> CaseSheet:
    """Show one case with confidence and sources of every field."""
    book = load_casebook(folder)
    return CaseSheet(book[case_id], book)


@dataclass(frozen=True)
class Comparison:
    """The cases most like one at hand, and what happened in each."""

    title: str
    alike: tuple[Likeness, ...]

    def data(self) -> dict[str, Any]:
        """Return the comparison as plain values."""
        return {
            "of": self.title,
            "nearest": [
                {
                    "id": x.case.id,
                    "title": x.case.title,
                    "year": x.case.year,
                    "distance": round(x.distance, 4),
                    "same": list(x.same),
                    "different": list(x.different),
                    "happened": x.happened,
                }
                for x in self.alike
            ],
        }

    def text(self) -> str:
        """Return one line a case."""
        rows = [
            (x.case.id, f"{x.distance:.2f}", " ".join(x.different) or "-", x.happened)
            for x in self.alike
        ]
        head = ("case", "distance", "differs in", "what happened")
        return f"Most like {self.title}:\n" + _table(head, rows)


def compare_cases(
    case: str | Mapping[str, Any],
    *,
    n: int = 5,
    before: dt.date | None = None,
    folder: str | Path | None = None,
) -> Comparison:
    """Return the cases nearest to a coded case (by id), or to features of one's own.

    A coded case is compared as of its start and never with itself, unless ``before`` says
    another day.
    """
    book = load_casebook(folder)
    if isinstance(case, str):
        coded = book[case]
        alike = nearest(
            book, features(coded), n=n, before=before or coded.start(), exclude=coded.key
        )
        return Comparison(f"{coded.id}, {coded.title}", tuple(alike))
    title = ", ".join(f"{k} {v}" for k, v in case.items())
    return Comparison(title, tuple(nearest(book, case, n=n, before=before)))


def export_cases(
    path: str | Path,
    *,
    long: bool = False,
    organisation: str | None = None,
    trigger: str | None = None,
    first_year: int | None = None,
    last_year: int | None = None,
    folder: str | Path | None = None,
) -> Path:
    """Write the table of a slice as CSV or Parquet, by the suffix of ``path``."""
    book = load_casebook(folder).filter(
        organisation=organisation, trigger=trigger, years=(first_year, last_year)
    )
    return book.export(path, long=long)


@dataclass(frozen=True)
class OutsideView:
    """Base rates, the models' outlook and the nearest cases for one crisis.

    Attributes
    ----------
    title : str
    rates : tuple of BaseRate
        From the wide slice to the narrow.
    quantiles : tuple of Quantiles
        Tempo, size, duration.
    outlook : Outlook
    alike : tuple of Likeness
    before : datetime.date or None
    exclude : (str, int) or None
    """

    title: str
    rates: tuple[BaseRate, ...]
    quantiles: tuple[Quantiles, ...]
    outlook: Outlook
    alike: tuple[Likeness, ...]
    before: dt.date | None
    exclude: Key | None

    def data(self) -> dict[str, Any]:
        """Return the outside view as plain values."""
        return {
            "of": self.title,
            "as_of": None if self.before is None else str(self.before),
            "without": None if self.exclude is None else list(self.exclude),
            "rates": [
                {
                    "slice": r.description,
                    "successes": r.successes,
                    "n": r.n,
                    "mean": round(r.mean, 4),
                    "low": round(r.low, 4),
                    "high": round(r.high, 4),
                    "level": r.level,
                    "cases": list(r.cases),
                }
                for r in self.rates
            ],
            "quantiles": [
                {
                    "slice": q.description,
                    "n": q.n,
                    "unit": q.unit,
                    "values": {
                        f"p{100 * p:g}": (v if q.n else None)
                        for p, v in zip(q.levels, q.values, strict=True)
                    },
                }
                for q in self.quantiles
            ],
            "model": self.outlook.summary(),
            "nearest": Comparison(self.title, self.alike).data()["nearest"],
        }

    def text(self) -> str:
        """Return the outside view as text."""
        o = self.outlook
        known = f"what was known before {self.before}" if self.before else "all cases"
        without = f", without {self.exclude[0]} {self.exclude[1]}" if self.exclude else ""
        lines = [f"Outside view of {self.title}, from {known}{without}", "", "Base rates"]
        lines += [f"  {r}" for r in self.rates]
        lines += ["", "Tempo, size, length"]
        lines += [f"  {q}" for q in self.quantiles]
        lines += ["", "Models (90% intervals)", f"  the government asks: {o.request}"]
        label = {True: "asked", False: "not asked", None: "asked or not"}
        state = label[o.features.formal_request]
        lines += [f"  answer ({state}) {k}: {o.answer[k]}" for k in ANSWERS]
        if o.features.formal_request is not True:
            lines.append(f"  troops if asked: {o.answer_if_asked['troops']}")
        lines.append(f"  in power after 90 days: {o.in_power}")
        tags = ", ".join(f"{m} {t} ({how})" for m, (t, how, _) in o.provenance.items())
        lines += [f"  fits: {tags}", "", Comparison(self.title, self.alike).text()]
        return "\n".join(lines)


def base_rate_report(
    case: str | Features | Mapping[str, Any],
    *,
    title: str | None = None,
    before: dt.date | None = None,
    exclude: Key | None = None,
    n: int = 5,
    folder: str | Path | None = None,
) -> OutsideView:
    """Return the outside view of a crisis, without hindsight.

    Parameters
    ----------
    case : str, Features or mapping
        Id of a coded case, or the features of the crisis at hand.
    title : str, optional
        How to call it.
    before : datetime.date, optional
        As-of date. A coded case is seen as of its start unless this says otherwise.
    exclude : (str, int), optional
        ISO code and year of the case at hand. A coded case always excludes itself.
    n : int
        How many nearest cases.
    folder : path, optional
        Own cases for rates and nearest cases; the models are the shipped fits.
    """
    book = load_casebook(folder)
    if isinstance(case, str):
        coded = book[case]
        wanted = Features.of(coded)
        title = title or f"{coded.id}, {coded.title}"
        before, exclude = before or coded.start(), coded.key
        like = features(coded)
    else:
        wanted = case if isinstance(case, Features) else Features.from_mapping(case)
        title = title or f"{wanted.trigger} {wanted.year}, {wanted.organisation}"
        like = {
            k: getattr(wanted, k)
            for k in ("trigger", "organisation", "formal_request", "year", "base", "contiguous")
        }
    rates, quantiles = _outside(book, wanted, before, exclude)
    return OutsideView(
        title=title,
        rates=rates,
        quantiles=quantiles,
        outlook=predict(wanted, before=before, exclude=exclude),
        alike=tuple(nearest(book, like, n=n, before=before, exclude=exclude)),
        before=before,
        exclude=exclude,
    )


def _outside(
    book: Casebook, wanted: Features, before: dt.date | None, exclude: Key | None
) -> tuple[tuple[BaseRate, ...], tuple[Quantiles, ...]]:
    group, trigger = organisation_group(wanted.organisation), wanted.trigger
    known: dict[str, Any] = {"before": before, "exclude": exclude}
    rates = (
        base_rate(book, **known),
        base_rate(book, formal_request=None, **known),
        base_rate(book, trigger=trigger, **known),
        base_rate(book, trigger=trigger, formal_request=None, **known),
        base_rate(book, organisation=group, **known),
        base_rate(book, organisation=group, formal_request=None, **known),
        base_rate(book, organisation=group, trigger=trigger, **known),
        base_rate(book, organisation=group, trigger=trigger, formal_request=None, **known),
        request_rate(book, trigger=trigger, **known),
        survival_rate(book, trigger=trigger, **known),
    )
    return rates, (tempo(book, **known), size(book, **known), duration(book, **known))


@dataclass(frozen=True)
class ScoreReport:
    """Predictions and scores of the rows of a file.

    Attributes
    ----------
    file : str
    scored : tuple of Scored
        All good rows; rows whose outcome is no answer have predictions but no answer score.
    totals : tuple of Total
        Over all rows.
    fresh_totals : tuple of Total
        Over rows that coincide with no shipped case.
    problems : tuple of Problem
        Bad rows that were left out (only with ``skip_bad``).
    """

    file: str
    scored: tuple[Scored, ...]
    totals: tuple[Total, ...]
    fresh_totals: tuple[Total, ...]
    problems: tuple[Problem, ...]

    def data(self) -> dict[str, Any]:
        """Return rows and totals as plain values."""
        return {
            "file": self.file,
            "rows": [_scored_data(s) for s in self.scored],
            "totals": [vars(t) for t in self.totals],
            "totals_without_shipped_cases": [vars(t) for t in self.fresh_totals],
            "problems": [str(p) for p in self.problems],
        }

    def text(self) -> str:
        """Return a table of rows and a table of totals."""
        rows = []
        for s in self.scored:
            p = s.probabilities["model"]
            answered = "answer" in s.happened
            rows.append(
                (
                    s.case.id,
                    *(f"{p['answer'][k]:.2f}" for k in ANSWERS),
                    s.happened.get("answer", "-"),
                    f"{s.log_score('model', 'answer'):.2f}" if answered else "-",
                    f"{s.log_score('base rate', 'answer'):.2f}" if answered else "-",
                    f"{s.brier('model', 'troops'):.3f}" if answered else "-",
                    "; ".join(s.flags),
                )
            )
        head = ("id", *ANSWERS, "happened", "log", "base log", "Brier", "flags")
        parts = [
            f"{self.file}: {len(self.scored)} cases (natural log; lower is better)",
            _table(head, rows),
            "",
            "All rows",
            totals_table(self.totals),
        ]
        if len(self.fresh_totals) > 0 and self.fresh_totals != self.totals:
            parts += ["", "Rows that are no shipped case", totals_table(self.fresh_totals)]
        return "\n".join(parts) + _problem_text(self.problems)


def score_file(path: str | Path, *, as_of: bool = False, skip_bad: bool = False) -> ScoreReport:
    """Predict every row of a CSV from the shipped fits and score the predictions.

    Parameters
    ----------
    path : path
        A CSV with the columns of `foedus.casebook.table.REQUIRED` (see the codebook).
    as_of : bool
        Use only what was known before each case's start, instead of all shipped cases.
    skip_bad : bool
        Leave bad rows out and list them, instead of raising.

    Returns
    -------
    ScoreReport
        A row with requester and year of a shipped case is predicted without that case and
        flagged; so is a row whose outcome is no answer (imposed help), which is not scored.

    Raises
    ------
    InputError
        With line and column of everything that is wrong.
    """
    rows, problems = read_table(path)
    if problems and (not skip_bad or not rows):
        raise InputError(problems)
    book = load_casebook()
    shipped = {c.key for c in book}
    scored = []
    for row in rows:
        case = row.case
        same = case.key in shipped
        flags = []
        if same:
            flags.append("shipped case: predicted without it")
        if case.answer is None:
            flags.append("imposed: answer not scored")
        scored.append(
            score_case(
                case,
                book.cases,
                before=case.start() if as_of else None,
                exclude=case.key,
                flags=tuple(flags),
            )
        )
    fresh = [s for s in scored if s.case.key not in shipped]
    return ScoreReport(
        Path(path).name,
        tuple(scored),
        tuple(totals(scored)),
        tuple(totals(fresh)) if fresh else (),
        tuple(problems),
    )


def _scored_data(s: Scored) -> dict[str, Any]:
    o = s.outlook
    return {
        "id": s.case.id,
        "requester_iso3": s.case.requester.iso3,
        "year": s.case.year,
        "organisation": s.case.organisation,
        "flags": list(s.flags),
        "prediction": o.summary(),
        "happened": s.happened,
        "log_score": {
            f: {q: round(s.log_score(f, q), 4) for q in s.happened} for f in s.probabilities
        },
        "brier": {f: {q: round(s.brier(f, q), 4) for q in s.happened} for f in s.probabilities},
        "probabilities": {
            f: {q: {k: round(v, 4) for k, v in p.items()} for q, p in questions.items()}
            for f, questions in s.probabilities.items()
        },
        "crps": {q: {f: round(v, 4) for f, v in by.items()} for q, by in s.crps.items()},
    }


def totals_table(rows: Sequence[Total]) -> str:
    """Return mean scores as a table; a gain is the base rate's score minus this one's."""
    head = ("question", "score", "forecast", "n", "mean", "gain on base rate (s.e.)")
    return _table(
        head,
        [
            (
                t.question,
                t.score,
                t.forecast,
                str(t.n),
                f"{t.mean:.3f}",
                "-"
                if t.better is None
                else f"{t.better:+.3f}" + ("" if t.error is None else f" ({t.error:.3f})"),
            )
            for t in rows
        ],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)).rstrip()
        for r in [head, *rows]
    ]
    return "\n".join(lines)


def _problem_text(problems: Sequence[Problem]) -> str:
    if not problems:
        return ""
    return "\n\nLeft out:\n" + "\n".join(f"  {p}" for p in problems)
