"""Facts that cannot both be true, within a quantity and across quantities that imply each other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from foedus.case.models import Case, Fact
from foedus.case.problems import listed
from foedus.case.times import latest, show_when
from foedus.case.vocabulary import QUANTITIES

Kind = Literal["same_day", "falls", "event", "implied", "part"]

#: What must have happened by the time of an event.
FOLLOWS: dict[str, tuple[str, ...]] = {
    "withdrawal_start": ("first_arrival",),
    "withdrawal_end": ("withdrawal_start", "first_arrival"),
}
#: Connectivity from which on the internet counts as shut down nationwide.
SHUT = 0.5
#: Counts that are part of another one.
PARTS: dict[str, tuple[str, ...]] = {
    "deaths_total": ("deaths_protesters", "deaths_security", "deaths_allied"),
    "arrests": ("jailed",),
}
#: What the model has before an event, though the world may do without.
MODEL_STEPS: dict[str, tuple[str, ...]] = {
    "request": ("decision", "refusal", "contribution", "vote_for", "first_arrival"),
    "decision": ("first_arrival",),
}


@dataclass(frozen=True, kw_only=True)
class Contradiction:
    """Two facts that cannot both be true.

    Attributes
    ----------
    kind : {"same_day", "falls", "event", "implied", "part"}
        Two values for one day that do not overlap; a running count that falls; an event that one
        report says has happened and another, of the same day or later, says has not; a value that
        another excludes, as soldiers in the country exclude that none has arrived; a part that is
        larger than the whole.
    quantity, where, day : str
        ``where`` is a place, a member or empty. Of two quantities, the one that is denied, or the
        whole.
    facts : tuple of two str
        Identifiers, the one about the earlier time first.
    values : tuple of two str
        With the names of their quantities, where these differ.
    lines : tuple of two int or None
        In the file, if one was read.
    """

    kind: Kind
    quantity: str
    where: str
    day: str
    facts: tuple[str, str]
    values: tuple[str, str]
    lines: tuple[int | None, int | None] = (None, None)

    @property
    def located(self) -> str:
        """The text with the lines of both facts."""
        if None in self.lines:
            return str(self)
        return f"lines {self.lines[0]} and {self.lines[1]}: {self}"

    def __str__(self) -> str:
        """Return one line of text."""
        at = f" in {self.where}" if self.where else ""
        what = "fall" if self.kind == "falls" else "disagree"
        pair = " and ".join(f"{f} ({v})" for f, v in zip(self.facts, self.values, strict=True))
        return f"{self.quantity}{at}, {self.day}: {pair} {what}"


def contradictions(case: Case) -> tuple[Contradiction, ...]:
    """Return the pairs of facts that cannot both be true, those of one quantity first.

    Reports with different clock times on one day do not contradict each other; a running count that
    falls from one day to a later one does.
    """
    found = []
    groups: dict[tuple[str, str], list[Fact]] = {}
    for fact in case.facts:
        if fact.stage is not None:
            continue  # under way is neither there nor not there
        if fact.quantity is not None and (fact.value is not None or _is_event(fact.quantity)):
            groups.setdefault((fact.quantity, fact.place or fact.member or ""), []).append(fact)
    for (quantity, where), facts in groups.items():
        for a, b in combinations(facts, 2):
            early, late = (a, b) if case.day(a.about) <= case.day(b.about) else (b, a)
            kind = _disagreement(case, quantity, early, late)
            if kind is not None:
                day = str(case.date(case.day(late.about)))
                pair = (str(early.value or "yes"), str(late.value or "yes"))
                found.append(
                    Contradiction(
                        kind=kind,
                        quantity=quantity,
                        where=where,
                        day=day,
                        facts=(early.id, late.id),
                        values=pair,
                        lines=(case.fact_line(early.id), case.fact_line(late.id)),
                    )
                )
    return (*found, *_across(case))


def _is_event(quantity: str) -> bool:
    return QUANTITIES[quantity].kind == "event"


def _disagreement(case: Case, quantity: str, early: Fact, late: Fact) -> Kind | None:
    if _is_event(quantity):
        happened = [f.value is None or f.value.kind != "no" for f in (early, late)]
        if case.day(early.about) == case.day(late.about):
            hours = type(early.about) is type(late.about) and early.about != late.about
            return "event" if happened[0] != happened[1] and not hours else None
        return "event" if happened == [True, False] else None
    assert early.value is not None
    assert late.value is not None
    if case.day(early.about) == case.day(late.about):
        two_hours = type(early.about) is type(late.about) and early.about != late.about
        if two_hours or early.value.overlaps(late.value):
            return None
        return "same_day"
    if QUANTITIES[quantity].kind == "flow" and early.value.low > late.value.high:
        return "falls"
    return None


def _across(case: Case) -> Iterator[Contradiction]:
    """Yield the pairs of different quantities, or of a part and its whole, in the file's order."""
    told = [f for f in case.facts if f.quantity is not None and f.stage is None]
    for a, b in combinations(told, 2):
        for one, other in ((a, b), (b, a)):
            kind: Kind | None = None
            if _excluded(case, one, other):
                kind = "implied"
            elif _larger_than_whole(case, one, other):
                kind = "part"
            if kind is not None:
                yield Contradiction(
                    kind=kind,
                    quantity=str(other.quantity),
                    where=other.place or other.member or "",
                    day=str(case.date(case.day(other.about))),
                    facts=(one.id, other.id),
                    values=(_named(one), _named(other)),
                    lines=(case.fact_line(one.id), case.fact_line(other.id)),
                )


def _named(fact: Fact) -> str:
    where = fact.place or fact.member
    at = f" in {where}" if fact.place else f" of {where}" if where else ""
    return f"{fact.quantity}{at} {fact.value or 'yes'}"


def _where(case: Case, fact: Fact) -> str:
    line = case.fact_line(fact.id)
    return "" if line is None else f"line {line}, "


def _by(case: Case, fact: Fact) -> dt.datetime:
    return latest(fact.about, case.timezone_offset)


def _excluded(case: Case, one: Fact, other: Fact) -> bool:
    """Return whether a fact excludes another of a different quantity, or of the whole alliance."""
    if other.member is not None and other.member != one.member:
        return False
    before = _by(case, one) <= _by(case, other)
    if _is_event(str(other.quantity)) and not _happened(other):
        return before and other.quantity in _implied(one)
    if other.quantity != "troops_present" or other.value is None or one.member != other.member:
        return False
    if one.quantity == "withdrawal_end" and _happened(one):  # some are left after the last has left
        return other.value.low >= 1 and case.day(one.about) < case.day(other.about)
    if one.quantity == "first_arrival" and _happened(one) and other.value.high < 1:
        left = (f for f in case.facts if f.quantity == "withdrawal_end" and _happened(f))
        return before and not any(_by(case, f) <= _by(case, other) for f in left)
    return False


def _implied(fact: Fact) -> tuple[str, ...]:
    """Return the events that must have happened if a fact is true."""
    if _is_event(str(fact.quantity)):
        # A member's event is also one of the alliance; a pair of one quantity and place is no news.
        same = (str(fact.quantity),) if fact.member is not None else ()
        return (*FOLLOWS.get(str(fact.quantity), ()), *same) if _happened(fact) else ()
    if fact.value is None:
        return ()
    if fact.quantity == "troops_present" and fact.value.low >= 1:
        return ("first_arrival",)
    return ("shutdown",) if fact.quantity == "internet" and fact.value.high <= SHUT else ()


def _happened(fact: Fact) -> bool:
    return fact.value is None or fact.value.kind != "no"


def _larger_than_whole(case: Case, part: Fact, whole: Fact) -> bool:
    """Return whether a part is larger than its whole, of the same day or, for a count, later."""
    if part.value is None or whole.value is None or _is_event(str(part.quantity)):
        return False
    inside = whole.place is None and whole.member is None
    quantity = QUANTITIES[str(whole.quantity)]
    if part.quantity == whole.quantity:
        inside = inside and (part.place or part.member) is not None and quantity.kind != "level"
    else:
        same_place = (part.place, part.member) == (whole.place, whole.member)
        inside = (inside or same_place) and part.quantity in PARTS.get(quantity.name, ())
    if not inside or part.value.low <= whole.value.high:
        return False
    if quantity.kind == "flow":
        return _by(case, part) <= _by(case, whole)
    hours = isinstance(part.about, dt.datetime) and isinstance(whole.about, dt.datetime)
    same_day = case.day(part.about) == case.day(whole.about)
    return same_day and not (hours and part.about != whole.about)


def steps_without_fact(known: Case) -> list[str]:
    """Return a note for each step that the model has before a known one and that no fact reports.

    Few runs take that step by themselves at just the right time, so few agree with the facts.

    Parameters
    ----------
    known : Case
        Filtered by an as-of date.
    """
    if not known.mechanisms.get("alliance", True):
        return []
    notes = []
    told = sorted((f for f in known.facts if f.quantity is not None), key=lambda f: _by(known, f))
    for step, after in MODEL_STEPS.items():
        taken = (f for f in told if f.quantity == step and _happened(f))
        days = [known.day(f.since or f.about) for f in taken]
        unled = [
            f"{f.id} ({_where(known, f)}{_named(f)}, {show_when(f.about)})"
            for f in told
            if ((f.quantity in after and _happened(f)) or _implied(f) == ("first_arrival",))
            and known.day(f.about) < min(days, default=known.horizon)
        ]
        if unled:
            found = f"the first known is of {known.date(min(days))}" if days else "no fact has one"
            notes.append(
                f"in the model a {step} comes before {listed(unled, 3)}, but {found}: few runs "
                f"will agree. Add a fact on the {step}, or expect few effective runs"
            )
    return notes
