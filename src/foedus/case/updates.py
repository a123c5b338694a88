"""What was known of members, alliance and ties at a time: later updates, articles and patrons."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from foedus.case.models import Alliance, Article, Case, Member, Patron, Ties, Update
from foedus.case.times import latest

Updated = TypeVar("Updated", Member, Alliance, Ties)

#: Fields of an update that are not values of the record.
_ABOUT = ("known_from", "source")


@dataclass(frozen=True)
class Later:
    """Something about members, alliance or ties that became public on a certain day.

    Attributes
    ----------
    field : str
        Path in the case file, such as ``alliance.members.2.updates.0``.
    known_from : datetime.datetime or datetime.date
    says : str
        Such as ``russia: pool 3000``.
    """

    field: str
    known_from: dt.datetime | dt.date
    says: str


def values(update: Update) -> dict[str, object]:
    """Return the fields that an update changes."""
    given = {name: getattr(update, name) for name in type(update).model_fields}
    return {n: value for n, value in given.items() if n not in _ABOUT and value is not None}


def public_part(record: Updated, moment: dt.datetime, offset: float) -> Updated:
    """Return a record with those of its updates that were public by a moment, not yet applied."""
    public = tuple(u for u in record.updates if latest(u.known_from, offset) <= moment)
    return record.model_copy(update={"updates": public})


def public_alliance(alliance: Alliance, moment: dt.datetime, offset: float) -> Alliance:
    """Return :func:`public_part` of an alliance, its members, its patrons and its treaty."""
    rows = {
        "members": tuple(public_part(m, moment, offset) for m in alliance.members),
        "patrons": tuple(alliance.patrons[i] for i in kept(alliance.patrons, moment, offset)),
        "treaty": tuple(alliance.treaty[i] for i in kept(alliance.treaty, moment, offset)),
    }
    return public_part(alliance, moment, offset).model_copy(update=rows)


def kept(rows: Sequence[Article | Patron], moment: dt.datetime, offset: float) -> tuple[int, ...]:
    """Return the indices of the articles or patrons that were known by a moment."""
    return tuple(
        i
        for i, row in enumerate(rows)
        if row.known_from is None or latest(row.known_from, offset) <= moment
    )


def applied(record: Updated, offset: float) -> Updated:
    """Return a record with the values of its updates, and without the list of them.

    The latest to become public wins; of two at the same time, the later in the file. The record's
    own source stays that of its values at the start.
    """
    changes: dict[str, object] = {"updates": ()}
    for update in sorted(record.updates, key=lambda u: latest(u.known_from, offset)):
        changes |= values(update)
    return record.model_copy(update=changes)


def applied_alliance(alliance: Alliance, offset: float) -> Alliance:
    """Return an alliance and its members with the values of their updates."""
    members = tuple(applied(m, offset) for m in alliance.members)
    return applied(alliance, offset).model_copy(update={"members": members})


def dated(case: Case) -> Iterator[Later]:
    """Yield everything about members, alliance and ties that has a time of its own."""
    ally = case.alliance
    for i, member in enumerate(ally.members):
        yield from _updates(f"alliance.members.{i}", member.actor, member.updates)
    yield from _updates("alliance", "alliance", ally.updates)
    yield from _updates("ties", "ties", case.ties.updates)
    for i, patron in enumerate(ally.patrons):
        if patron.known_from is not None:
            yield Later(f"alliance.patrons.{i}", patron.known_from, f"patron {patron.actor}")
    for i, article in enumerate(ally.treaty):
        if article.known_from is not None:
            says = f"article {article.number}: {article.says}"
            yield Later(f"alliance.treaty.{i}", article.known_from, says)


def _updates(path: str, name: str, updates: Sequence[Update]) -> Iterator[Later]:
    for i, update in enumerate(updates):
        says = ", ".join(f"{field} {_shown(value)}" for field, value in values(update).items())
        yield Later(f"{path}.updates.{i}", update.known_from, f"{name}: {says}")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
