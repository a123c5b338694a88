"""The output of ``foedus casebook``: text for people, and plain values for ``--json``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from foedus.casebook.coded_case import ANSWERS, CodedCase, MissionKind
from foedus.casebook.load import Casebook
from foedus.casebook.organisations import organisations, read_data
from foedus.casebook.outlook import OutsideView
from foedus.casebook.rates import named
from foedus.casebook.scores import Scored, ScoreReport, Total
from foedus.casebook.similarity import Likeness
from foedus.errors import Problem
from foedus.report.terminal import aligned

_TASKS: dict[MissionKind, str] = {
    "guard": "guard",
    "fight": "fight",
    "police": "police",
    "occupation": "occupy",
}


def case_list(book: Casebook) -> str:
    """Return one line per case, and the files that were left out."""
    rows = [
        (c.id, str(c.year), c.organisation, c.trigger, c.outcome, _why_not(c) or "", c.title)
        for c in book
    ]
    head = ("id", "year", "organisation", "trigger", "outcome", "left out", "title")
    used = sum(c.usable for c in book)
    tail = f"\n{len(rows)} cases, {used} of them in rates and fits"
    return aligned(head, rows) + tail + _left_out(book.problems)


def case_list_data(book: Casebook) -> dict[str, Any]:
    """Return the cases of a slice as plain values."""
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
            for c in book
        ],
        "problems": [str(p) for p in book.problems],
    }


def _why_not(case: CodedCase) -> str | None:
    if case.set_aside is not None:
        return "set aside"
    return None if case.sourced else "unsourced"


def case_sheet(c: CodedCase, book: Casebook) -> str:
    """Return a case in full, with the basis of its codings."""
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
    lines.append(aligned(("field", "value", "conf", "sources", "meaning"), rows))
    for d in c.contested:
        others = ", ".join(f"{k} ({v:g})" for k, v in d.alternatives.items())
        lines.append(f"contested {d.field}: {d.why}" + (f" Other: {others}" if others else ""))
    lines += [
        f"{s}: {e.what} ({e.date}) {e.address}"
        for s in c.sources
        if (e := book.sources.get(s)) is not None
    ]
    if c.notes:
        lines.append(f"Notes: {c.notes}")
    return "\n".join(lines)


def case_sheet_data(c: CodedCase, book: Casebook) -> dict[str, Any]:
    """Return every field with its value, confidence, sources and addresses."""
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
                "value": coded.value if isinstance(coded.value, int | float) else str(coded.value),
                "confidence": coded.confidence,
                "sources": list(coded.sources),
                "addresses": [book.sources[s].address for s in coded.sources if s in book.sources],
            }
            for name, coded in c.fields.items()
        },
        "contested": [d.model_dump() for d in c.contested],
        "sources": {
            s: {"what": e.what, "date": e.date, "address": e.address}
            for s in c.sources
            if (e := book.sources.get(s)) is not None
        },
        "notes": c.notes,
    }


def comparison(title: str, nearest: Sequence[Likeness]) -> str:
    """Return the nearest cases, one line each."""
    rows = [
        (x.case.id, f"{x.distance:.2f}", " ".join(x.different) or "-", x.happened) for x in nearest
    ]
    head = ("case", "distance", "differs in", "what happened")
    return f"Most like {title}:\n" + aligned(head, rows)


def comparison_data(title: str, nearest: Sequence[Likeness]) -> dict[str, Any]:
    """Return the nearest cases as plain values."""
    return {
        "of": title,
        "nearest": [
            {"id": x.id, "title": x.title, "year": x.case.year} | x.to_dict() for x in nearest
        ],
    }


def outside(view: OutsideView) -> str:
    """Return the outside view of a crisis as text."""
    o = view.outlook
    known = f"what was known before {view.before}" if view.before else "all cases"
    without = f", without {named(view.exclude)}" if view.exclude else ""
    lines = [f"Outside view of {view.title}, from {known}{without}", "", "Base rates"]
    lines += [f"  {r}" for r in view.rates]
    lines += ["", "Tempo, size, length"]
    lines += [f"  {q}" for q in view.quantiles]
    lines += ["", "Models (90% intervals)", f"  the government asks: {o.request}"]
    label = {True: "asked", False: "not asked", None: "asked or not"}
    state = label[o.features.formal_request]
    lines += [f"  answer ({state}) {k}: {o.answer[k]}" for k in ANSWERS]
    if o.features.formal_request is not True:
        lines.append(f"  troops if asked: {o.answer_if_asked['troops']}")
    lines.append(f"  in power after 90 days: {o.in_power}")
    lines.append(f"  gone in about two months, not years: {o.short_mission}")
    lines += [
        f"    if sent to {task} ({o.mission_kind[kind].mean:.0%}): {o.short_by_kind[kind]}"
        for kind, task in _TASKS.items()
    ]
    tags = ", ".join(f"{m} {t} ({how})" for m, (t, how, _) in o.provenance.items())
    lines += [f"  fits: {tags}", "", comparison(view.title, view.nearest_cases)]
    return "\n".join(lines)


def outside_data(view: OutsideView) -> dict[str, Any]:
    """Return the outside view as plain values."""
    without = [view.exclude] if isinstance(view.exclude, str) else view.exclude and [*view.exclude]
    return {
        "of": view.title,
        "as_of": None if view.before is None else str(view.before),
        "without": without,
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
            for r in view.rates
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
            for q in view.quantiles
        ],
        "model": view.outlook.summary(),
        "nearest": comparison_data(view.title, view.nearest_cases)["nearest"],
    }


def score_report(report: ScoreReport) -> str:
    """Return a table of the scored rows and a table of mean scores."""
    rows = []
    for s in report.scored:
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
        f"{report.file}: {len(report.scored)} cases (natural log; lower is better)",
        aligned(head, rows),
        "",
        "All rows",
        _totals(report.totals),
    ]
    if report.fresh_totals and report.fresh_totals != report.totals:
        parts += ["", "Rows that are not shipped cases", _totals(report.fresh_totals)]
    return "\n".join(parts) + _left_out(report.problems)


def score_report_data(report: ScoreReport) -> dict[str, Any]:
    """Return rows and mean scores as plain values."""
    return {
        "file": report.file,
        "rows": [_scored_data(s) for s in report.scored],
        "totals": [vars(t) for t in report.totals],
        "totals_without_shipped_cases": [vars(t) for t in report.fresh_totals],
        "problems": [str(p) for p in report.problems],
    }


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


def _totals(totals: Iterable[Total]) -> str:
    """Return mean scores as a table; a gain is the base rate's score minus this one's."""

    def gain(t: Total) -> str:
        if t.better is None:
            return "-"
        return f"{t.better:+.3f}" + ("" if t.error is None else f" ({t.error:.3f})")

    head = ("question", "score", "forecast", "n", "mean", "gain on base rate (s.e.)")
    rows = [(t.question, t.score, t.forecast, str(t.n), f"{t.mean:.3f}", gain(t)) for t in totals]
    return aligned(head, rows)


def _left_out(problems: Sequence[Problem]) -> str:
    if not problems:
        return ""
    return "\n\nLeft out:\n" + "\n".join(f"  {p}" for p in problems)
