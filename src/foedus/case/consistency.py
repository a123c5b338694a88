"""Checks across fields: references, cycles, order in time, and questions that make sense.

They work on the plain data, so that problems are also found in a file with other errors. Data of
the wrong shape are skipped here and reported by the models.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from foedus.case.problems import Path, Positions, listed, nearest, show
from foedus.case.question_kinds import KINDS
from foedus.case.times import (
    SPAN_OF_DAYS,
    earliest,
    latest,
    local_day,
    parse_date,
    parse_when,
    show_when,
    split_span,
)
from foedus.case.values import Value
from foedus.case.vocabulary import MECHANISMS, PRIOR_GROUPS, PUBLIC_EVENTS, QUANTITIES
from foedus.errors import Problem

Row = tuple[Path, dict[str, Any]]

_EVENT_STATISTICS = ("happens", "first_day")


def crosscheck(data: dict[str, Any], positions: Positions) -> list[Problem]:
    """Return all problems between the fields of a case, in the order of the checks."""
    checker = _Checker(data, positions)
    for check in _CHECKS:
        check(checker)
    return checker.problems


@dataclass
class _Checker:
    data: dict[str, Any]
    positions: Positions
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        offset = self.data.get("timezone_offset", 0.0)
        good = isinstance(offset, int | float) and not isinstance(offset, bool)
        self.offset = float(offset) if good and -12 <= offset <= 14 else 0.0
        self.start = _date(self.data.get("start"))
        horizon = self.data.get("horizon")
        self.end: dt.date | None = None
        if self.start and isinstance(horizon, int) and 0 < horizon <= 366:
            try:
                self.end = self.start + dt.timedelta(days=horizon - 1)
            except OverflowError:
                self.start = None
        self.as_of = _when(self.data.get("as_of"))
        members = self.part("alliance").get("members")
        rows = members if isinstance(members, list) else []
        self.members = [
            m["actor"] for m in rows if isinstance(m, dict) and isinstance(m.get("actor"), str)
        ]

    def add(self, path: Path, found: str, expected: str, *, key: bool = False) -> None:
        self.problems.append(self.positions.problem(path, found, expected, key=key))

    def part(self, name: str) -> dict[str, Any]:
        value = self.data.get(name)
        return value if isinstance(value, dict) else {}

    def rows(self, *path: str) -> Iterator[Row]:
        """Go through a list of mappings, or through the values of a mapping of mappings."""
        value: Any = self.data
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        items: Iterable[tuple[str | int, Any]] = ()
        if isinstance(value, list):
            items = enumerate(value)
        elif isinstance(value, dict):
            items = value.items()
        for key, item in items:
            if isinstance(item, dict):
                yield (*path, key), item

    def updates(self) -> Iterator[Row]:
        """Go through all updates of members, alliance and ties."""
        yield from self.rows("alliance", "updates")
        yield from self.rows("ties", "updates")
        for path, member in self.rows("alliance", "members"):
            updates = member.get("updates")
            for i, row in enumerate(updates if isinstance(updates, list) else ()):
                if isinstance(row, dict):
                    yield (*path, "updates", i), row

    def refers(self, path: Path, row: dict[str, Any], name: str, legal: Iterable[str]) -> None:
        """Check that ``row[name]``, where there is one, is a known identifier."""
        word = row.get(name)
        legal = list(legal)
        if not isinstance(word, str) or word in legal:
            return
        what = _KINDS.get(name, name)
        self.add((*path, name), show(word), f"{what}: {listed(legal)}{nearest(word, legal)}")


_KINDS = {
    "source": "one of the sources",
    "border_source": "one of the sources",
    "place": "one of the places",
    "member": "a member of the alliance",
    "lead": "a member of the alliance",
    "requester": "a member of the alliance",
    "actor": "one of the actors",
    "speaker": "one of the actors",
    "part_of": "one of the actors",
    "question": "one of the questions",
}


def _date(raw: Any) -> dt.date | None:
    try:
        return parse_date(raw)
    except ValueError:
        return None


def _when(raw: Any) -> dt.datetime | dt.date | None:
    try:
        when = parse_when(raw)
        latest(when, 0.0).astimezone(dt.timezone(dt.timedelta(hours=14)))
        earliest(when, 0.0).astimezone(dt.timezone(dt.timedelta(hours=-12)))
    except (ValueError, OverflowError):
        return None
    return when


def _references(c: _Checker) -> None:
    sources, places, actors = (list(c.part(n)) for n in ("sources", "places", "actors"))
    questions = [r["id"] for _, r in c.rows("questions") if isinstance(r.get("id"), str)]
    for section in (
        ("places",),
        ("alliance", "members"),
        ("alliance", "patrons"),
        ("alliance", "treaty"),
        ("triggers",),
        ("calendar",),
        ("facts",),
        ("outcomes",),
    ):
        for path, row in c.rows(*section):
            c.refers(path, row, "source", sources)
    for path, row in c.updates():
        c.refers(path, row, "source", sources)
    c.refers(("ties",), c.part("ties"), "border_source", sources)
    for path, row in c.rows("triggers"):
        c.refers(path, row, "place", places)
    for section in (("alliance", "members"), ("alliance", "patrons")):
        for path, row in c.rows(*section):
            c.refers(path, row, "actor", actors)
    for path, row in c.rows("actors"):
        c.refers(path, row, "part_of", actors)
    for path, row in c.rows("facts"):
        c.refers(path, row, "place", places)
        c.refers(path, row, "member", c.members)
        c.refers(path, row, "speaker", actors)
    for path, row in c.rows("questions"):
        ask = row.get("ask")
        if isinstance(ask, dict):
            c.refers((*path, "ask"), ask, "place", places)
            c.refers((*path, "ask"), ask, "member", c.members)
    for path, row in c.rows("outcomes"):
        c.refers(path, row, "question", questions)
    c.refers(("alliance",), c.part("alliance"), "lead", c.members)
    c.refers(("alliance",), c.part("alliance"), "requester", c.members)


def _lead_is_not_requester(c: _Checker) -> None:
    ally = c.part("alliance")
    lead = ally.get("lead")
    if isinstance(lead, str) and lead == ally.get("requester"):
        c.add(("alliance", "requester"), show(lead), "a member other than the lead")


def _cycles(c: _Checker) -> None:
    actors = c.part("actors")
    parent = {
        name: a["part_of"]
        for name, a in actors.items()
        if isinstance(a, dict) and isinstance(a.get("part_of"), str)
    }
    seen: set[str] = set()
    for name in parent:
        walk: list[str] = []
        at: str | None = name
        while at is not None and at not in seen and at not in walk:
            walk.append(at)
            at = parent.get(at)
        if at is not None and at in walk:
            cycle = [*walk[walk.index(at) :], at]
            c.add(
                ("actors", cycle[0], "part_of"),
                " → ".join(cycle),
                "an actor that is not part of itself, directly or through others",
            )
        seen.update(walk)


def _unique(c: _Checker) -> None:
    for section, name in (
        (("facts",), "id"),
        (("hypotheses",), "id"),
        (("questions",), "id"),
        (("outcomes",), "question"),
        (("alliance", "members"), "actor"),
        (("alliance", "patrons"), "actor"),
    ):
        first: dict[str, Path] = {}
        for path, row in c.rows(*section):
            word = row.get(name)
            if not isinstance(word, str):
                continue
            if word in first:
                mark = c.positions.find((*first[word], name))
                where = f" (line {mark[0]})" if mark else ""
                c.add(
                    (*path, name), show(word), f"each {name} once; this one already exists{where}"
                )
            else:
                first[word] = path


def _words(c: _Checker) -> None:
    """Quantities, mechanisms and the shape of prior names."""
    for path, row in c.rows("facts"):
        _quantity(c, path, row)
    for path, row in c.rows("questions"):
        if isinstance(row.get("ask"), dict):
            _quantity(c, (*path, "ask"), row["ask"])
    silence = c.data.get("silence")
    for name in silence if isinstance(silence, dict) else ():
        if name not in PUBLIC_EVENTS:
            expected = f"a public event: {listed(PUBLIC_EVENTS)}{nearest(name, PUBLIC_EVENTS)}"
            c.add(("silence", name), show(name), expected, key=True)
    holders: list[Row] = [((), c.data), *c.rows("hypotheses")]
    for path, row in holders:
        switches, priors = row.get("mechanisms"), row.get("priors")
        for name in switches if isinstance(switches, dict) else ():
            if name not in MECHANISMS:
                c.add(
                    (*path, "mechanisms", name),
                    show(name),
                    f"a mechanism: {listed(MECHANISMS)}{nearest(name, MECHANISMS)}",
                    key=True,
                )
        for name in priors if isinstance(priors, dict) else ():
            group, dot, rest = name.partition(".")
            if group in PRIOR_GROUPS and dot and rest:
                continue
            near = nearest(group, PRIOR_GROUPS)
            c.add(
                (*path, "priors", name),
                show(name),
                f"mechanism.parameter, such as streets.vision{near}",
                key=True,
            )


def _quantity(c: _Checker, path: Path, row: dict[str, Any]) -> None:
    word = row.get("quantity")
    if not isinstance(word, str):
        return
    quantity = QUANTITIES.get(word)
    if quantity is None:
        expected = f"a quantity{nearest(word, QUANTITIES) or ': ' + listed(QUANTITIES, 40)}"
        c.add((*path, "quantity"), show(word), expected)
        return
    for name, dims in (("place", "city"), ("member", "member")):
        if row.get(name) is not None and quantity.dims != dims:
            legal = [q.name for q in QUANTITIES.values() if q.dims == dims]
            c.add(
                (*path, name),
                show(row[name]),
                f"no {name}: {word} exists only for the {_dims(quantity.dims)}; "
                f"a {name} goes with {listed(legal, 40)}",
            )


def _dims(dims: str) -> str:
    return {"nation": "country as a whole", "city": "country and its cities"}.get(
        dims, "alliance and its members"
    )


def _fact_values(c: _Checker) -> None:
    for path, row in c.rows("facts"):
        word = row.get("quantity")
        quantity = QUANTITIES.get(word) if isinstance(word, str) else None
        if quantity is None:
            continue
        if row.get("value") is None:
            form = "true or false" if quantity.kind == "event" else "a value"
            c.add((*path, "value"), "nothing", f"{form}, because there is a quantity ({word})")
            continue
        try:
            value = Value.parse(row["value"])
        except ValueError:
            continue
        if quantity.kind == "event" and value.kind not in ("yes", "no"):
            expected = f"true or false: {word} happens on the day of 'about', or not by its end"
            c.add((*path, "value"), show(row["value"]), expected)
        elif quantity.kind != "event" and value.kind in ("yes", "no"):
            c.add((*path, "value"), show(row["value"]), f"a number of {quantity.unit}")
        elif quantity.kind != "event" and value.high < 0 and quantity.unit != "index":
            c.add((*path, "value"), show(row["value"]), "zero or more")
        elif word == "mandate" and value.high <= 0:
            c.add((*path, "value"), show(row["value"]), "more than 0 days: a mandate ends later")
        elif quantity.kind == "level" and quantity.unit == "share" and value.low > 1:
            c.add((*path, "value"), show(row["value"]), "a share from 0 to 1")


def _inside(c: _Checker, path: Path, row: dict[str, Any], name: str) -> None:
    when = _when(row.get(name))
    if when is None or c.start is None or c.end is None:
        return
    if not c.start <= local_day(when, c.offset) <= c.end:
        c.add((*path, name), show(row[name]), _within(c))


def _within(c: _Checker) -> str:
    return f"a date of the case, {c.start} to {c.end}"


def _times(c: _Checker) -> None:
    if c.start is not None and c.end is not None and c.as_of is not None:
        _inside(c, (), c.data, "as_of")
    for section in ("triggers", "calendar"):
        for path, row in c.rows(section):
            _inside(c, path, row, "date")
    for path, row in c.rows("facts"):
        known = _when(row.get("known_from"))
        about = _about(c, path, row)
        if about is not None and c.start is not None and c.end is not None:
            day = local_day(about, c.offset)
            if day > c.end or (row.get("quantity") is not None and day < c.start):
                wide = "; a fact without a quantity may be older" if day < c.start else ""
                c.add((*path, "about"), show(row["about"]), _within(c) + wide)
        if about is None or known is None:
            continue
        if latest(known, c.offset) < earliest(about, c.offset):
            c.add(
                (*path, "known_from"),
                show(row["known_from"]),
                f"not before the fact itself ({row['about']}); "
                "what is announced in advance belongs in the calendar",
            )
    for path, row in c.updates():
        _inside(c, path, row, "known_from")
    for path, row in c.rows("calendar"):
        date, known = _date(row.get("date")), _date(row.get("known_from"))
        if date and known and known > date:
            expected = f"on or before the day itself ({date}); later reports are facts"
            c.add((*path, "known_from"), show(row["known_from"]), expected)


def _about(c: _Checker, path: Path, row: dict[str, Any]) -> dt.datetime | dt.date | None:
    """Check the days on which an event may have happened, and return the last of them."""
    raw, since = row.get("about"), _date(row.get("since"))
    try:
        span = split_span(raw)
    except ValueError:
        return None  # refused as a date
    about = span[1] if span is not None else _when(raw)
    first = span[0] if span is not None else since
    if about is None or first is None:
        return about
    quantity = QUANTITIES.get(str(row.get("quantity")))
    name = "about" if span is not None else "since"
    if span is not None and since is not None:
        c.add(
            (*path, "since"), show(row["since"]), "not given, because 'about' names the first day"
        )
    if isinstance(about, dt.datetime) or first > about:
        c.add((*path, name), show(row[name]), SPAN_OF_DAYS)
    elif quantity is None or quantity.kind != "event" or row.get("value") is False:
        c.add((*path, name), show(row[name]), "one day; only an event that happened has several")
    elif c.start is not None and first < c.start:
        c.add((*path, name), show(row[name]), _within(c))
    known = _when(row.get("known_from"))
    if known is not None and latest(known, c.offset) < earliest(about, c.offset):
        c.add((*path, name), show(row[name]), f"days up to known_from ({row['known_from']})")
        return None
    return about


def _stages(c: _Checker) -> None:
    for path, row in c.rows("facts"):
        if row.get("stage") is None:
            continue
        if row.get("quantity") != "first_arrival":
            c.add((*path, "stage"), show(row["stage"]), "only with the quantity first_arrival")
        elif row.get("value") is not True:
            c.add((*path, "value"), show(row.get("value")), "true, because there is a stage")
        elif row.get("since") is not None or ".." in str(row.get("about")):
            c.add((*path, "about"), show(row["about"]), "one day, because there is a stage")


def _questions(c: _Checker) -> None:
    for path, row in c.rows("questions"):
        _inside(c, path, row, "asked_on")
        ask = row.get("ask")
        if not isinstance(ask, dict):
            continue
        at: Path = (*path, "ask")
        for name in ("from_date", "by_date"):
            _inside(c, at, ask, name)
        first, last = _date(ask.get("from_date")), _date(ask.get("by_date"))
        if first and last and first > last:
            c.add((*at, "by_date"), show(ask["by_date"]), f"not before from_date ({first})")
        _sense(c, path, row, ask)


def _sense(c: _Checker, path: Path, row: dict[str, Any], ask: dict[str, Any]) -> None:
    """Check that a question's kind, statistic and threshold go together."""
    kind, statistic, word = row.get("kind"), ask.get("statistic"), ask.get("quantity")
    if not isinstance(word, str):
        return
    quantity = QUANTITIES.get(word)
    if quantity is None or not isinstance(statistic, str) or not isinstance(kind, str):
        return
    at = (*path, "ask")
    low, high = ask.get("at_least"), ask.get("at_most")
    threshold = low is not None or high is not None
    numbers = [x for x in (low, high) if isinstance(x, int | float)]
    if len(numbers) == 2 and numbers[0] > numbers[1]:
        c.add((*at, "at_most"), show(high), f"not below at_least ({show(low)})")
    is_event = quantity.kind == "event"
    if is_event and statistic not in _EVENT_STATISTICS:
        c.add((*at, "statistic"), show(statistic), f"happens or first_day: {word} is an event")
    elif is_event and threshold:
        name = "at_least" if low is not None else "at_most"
        c.add((*at, name), show(ask[name]), f"no threshold: {word} is an event")
    elif kind in KINDS:
        wrong = KINDS[kind].misfit(statistic, is_event=is_event, threshold=threshold, quantity=word)
        if wrong is None:
            return
        field, expected = wrong
        if field == "threshold":
            name = "at_least" if low is not None else "at_most"
            c.add((*at, name), show(ask[name]), expected)
        elif field == "ask":
            c.add(at, "no threshold", expected)
        else:
            where, what = (path, kind) if field == "kind" else (at, statistic)
            c.add((*where, field), show(what), expected)


def _outcomes(c: _Checker) -> None:
    kinds = {row.get("id"): row.get("kind") for _, row in c.rows("questions") if _hashable(row)}
    for path, row in c.rows("outcomes"):
        known = _date(row.get("known_from"))
        if known and c.as_of and latest(known, c.offset) <= latest(c.as_of, c.offset):
            c.add(
                (*path, "known_from"),
                show(row["known_from"]),
                f"later than the case's as_of ({show_when(c.as_of)}); what was known by then is "
                "a fact",
            )
        question = row.get("question")
        kind = kinds.get(question) if isinstance(question, str) else None
        if "value" not in row or not isinstance(kind, str):
            continue
        value = row["value"]
        if kind in KINDS and not KINDS[kind].takes(_date(value) or value):
            form = KINDS[kind].outcome_form
            c.add((*path, "value"), show(value), f"{form}, because the question is {kind}")


def _hashable(row: dict[str, Any]) -> bool:
    return isinstance(row.get("id"), str)


_CHECKS: tuple[Callable[[_Checker], None], ...] = (
    _references,
    _lead_is_not_requester,
    _cycles,
    _unique,
    _words,
    _fact_values,
    _times,
    _stages,
    _questions,
    _outcomes,
)
