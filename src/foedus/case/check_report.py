"""The contents of a case, what an as-of date hides, and where its facts disagree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foedus.case.asof import AsOf, CaseHash, as_of, case_hash, hidden
from foedus.case.contradictions import Contradiction, contradictions, steps_without_fact
from foedus.case.load import load_case
from foedus.case.models import Article, Case, Patron
from foedus.case.priors import Prior
from foedus.case.problems import Path as Place
from foedus.case.times import parse_when, show_when


@dataclass(frozen=True)
class HiddenFact:
    """A fact that the as-of date hides."""

    id: str
    known_from: str
    text: str


@dataclass(frozen=True)
class HiddenPart:
    """Something about members, alliance or ties that the as-of date hides."""

    field: str
    known_from: str
    says: str


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """The result of :func:`check`; bad input raises instead.

    Attributes
    ----------
    case, title, file, as_of : str
    counts : dict of str to int
        Number of rows in each section of the whole file.
    hidden_facts : tuple of HiddenFact
    hidden_calendar : tuple of str
    hidden_frame : tuple of HiddenPart
    hidden_outcomes : int
    contradictions : tuple of Contradiction
        Among the facts known by the as-of date. They are allowed, and weighted by rating.
    warnings : tuple of str
        What is legal but may surprise.
    hashes : CaseHash
    """

    case: str
    title: str
    file: str
    as_of: str
    counts: dict[str, int]
    hidden_facts: tuple[HiddenFact, ...]
    hidden_calendar: tuple[str, ...]
    hidden_frame: tuple[HiddenPart, ...]
    hidden_outcomes: int
    contradictions: tuple[Contradiction, ...]
    warnings: tuple[str, ...]
    hashes: CaseHash

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what is hidden, and the hashes, are groups of keys."""
        return {
            "ok": True,
            "case": self.case,
            "title": self.title,
            "file": self.file,
            "as_of": self.as_of,
            "counts": dict(self.counts),
            "hidden": {
                "facts": [
                    {"id": f.id, "known_from": f.known_from, "text": f.text}
                    for f in self.hidden_facts
                ],
                "calendar": list(self.hidden_calendar),
                "frame": [
                    {"field": p.field, "known_from": p.known_from, "says": p.says}
                    for p in self.hidden_frame
                ],
                "outcomes": self.hidden_outcomes,
            },
            "contradictions": [
                {
                    "kind": c.kind,
                    "quantity": c.quantity,
                    "where": c.where or None,
                    "day": c.day,
                    "facts": list(c.facts),
                    "values": list(c.values),
                    "lines": list(c.lines),
                }
                for c in self.contradictions
            ],
            "warnings": list(self.warnings),
            "hash": {"world": self.hashes.world, "all": self.hashes.all},
        }

    def __str__(self) -> str:
        """Return the report as text."""
        counts = ", ".join(f"{number} {name}" for name, number in self.counts.items())
        lines = [
            f"{self.title} ({self.case}): no problems",
            f"  holds {counts}",
            f"As of {self.as_of} it hides {_count(len(self.hidden_facts), 'fact')}, "
            f"{_count(len(self.hidden_calendar), 'calendar entry', 'calendar entries')}, "
            f"{_count(len(self.hidden_frame), 'later value')} of members, alliance and ties, and "
            f"{_count(self.hidden_outcomes, 'outcome')}.",
            *(f"  {f.id}, known from {f.known_from}: {f.text}" for f in self.hidden_facts),
            *(f"  calendar: {text}" for text in self.hidden_calendar),
            *(f"  {p.says}, known from {p.known_from}" for p in self.hidden_frame),
        ]
        if self.contradictions:
            lines += ["Sources disagree; ratings decide how much each counts."]
            lines += [f"  {c.located}" for c in self.contradictions]
        lines += [f"Mind: {warning}" for warning in self.warnings]
        return "\n".join(lines)


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def check(case_or_path: Case | str | Path, date: AsOf | None = None) -> CheckReport:
    """Check a case and report what an as-of date hides.

    Parameters
    ----------
    case_or_path : Case, str or pathlib.Path
    date : datetime.date, datetime.datetime or str, optional
        By default the case's own ``as_of``.

    Returns
    -------
    CheckReport
        Prints as a report; ``to_dict()`` gives plain data.

    Raises
    ------
    InputError
        With all problems, if the file or the date is invalid.
    """
    case = case_or_path if isinstance(case_or_path, Case) else load_case(case_or_path)
    date = case.as_of if date is None else date
    known = as_of(case, date)
    veiled = hidden(case, date)
    return CheckReport(
        case=case.id,
        title=case.title,
        file=case.file,
        as_of=show_when(parse_when(date)),
        counts={
            "places": len(case.places),
            "actors": len(case.actors),
            "members": len(case.alliance.members),
            "sources": len(case.sources),
            "triggers": len(case.triggers),
            "facts": len(case.facts),
            "calendar entries": len(case.calendar),
            "hypotheses": len(case.hypotheses),
            "questions": len(case.questions),
            "outcomes": len(case.outcomes),
        },
        hidden_facts=tuple(HiddenFact(f.id, show_when(f.known_from), f.text) for f in veiled.facts),
        hidden_calendar=tuple(f"{e.date}: {e.text}" for e in veiled.calendar),
        hidden_frame=tuple(
            HiddenPart(x.field, show_when(x.known_from), x.says) for x in veiled.frame
        ),
        hidden_outcomes=veiled.outcomes,
        contradictions=contradictions(known),
        warnings=tuple(_warnings(case, known)),
        hashes=case_hash(case),
    )


def _warnings(case: Case, known: Case) -> list[str]:
    warnings = [
        f"{case.locate(('triggers', i))}: the trigger in {t.place} on {t.date} is later than the "
        "as-of date and not hidden"
        for i, t in enumerate(case.triggers)
        if t.date > known.as_of
    ]
    warnings += _undated(case, known.as_of)
    warnings += steps_without_fact(known)
    answered = {o.question for o in case.outcomes}
    if case.outcomes:
        warnings += [
            f"{case.locate(('questions', i))}: no outcome of question {q.id}"
            for i, q in enumerate(case.questions)
            if q.id not in answered
        ]
    if not case.questions:
        warnings.append("no questions, so a forecast has nothing to answer")
    if not any(f.quantity for f in known.facts):
        warnings.append("no fact with a quantity is known yet, so nothing weighs the runs")
    return warnings


def _undated(case: Case, day: dt.date) -> list[str]:
    """Return a warning for each value without a time whose source was published after a day.

    Such a value may be hindsight: a forecast as of that day sees it.
    """
    found = []
    for path, source in _undated_sources(case):
        published = case.sources[source].published
        if published is not None and published > day:
            found.append(
                f"{case.locate(path)}: from {source}, published on {published}, after the as-of "
                f"date {day}; if it was not known by then, date it with 'updates' or 'known_from'"
            )
    return found


def _undated_sources(case: Case) -> Iterator[tuple[Place, str]]:
    """Yield the place and the source of each value that has no time of its own."""
    ally = case.alliance
    named: list[tuple[Place, str | None]] = [
        (("places", name), place.source) for name, place in case.places.items()
    ]
    named += [(("alliance", "members", i), m.source) for i, m in enumerate(ally.members)]
    dated: dict[str, tuple[Patron | Article, ...]]
    dated = {"patrons": ally.patrons, "treaty": ally.treaty}
    named += [
        (("alliance", section, i), row.source)
        for section, rows in dated.items()
        for i, row in enumerate(rows)
        if row.known_from is None
    ]
    named.append((("ties", "border_km"), case.ties.border_source))
    named += [(("triggers", i, "loss"), t.loss.source) for i, t in enumerate(case.triggers)]
    layers: list[tuple[Place, dict[str, Prior]]] = [(("priors",), case.priors)]
    layers += [(("hypotheses", n, "priors"), h.priors) for n, h in enumerate(case.hypotheses)]
    named += [((*at, name), prior.source) for at, ps in layers for name, prior in ps.items()]
    for path, source in named:
        if source in case.sources:
            yield path, source
