"""Finding a question, and whether it is still open at the as-of date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from foedus.case.models import Case, Fact, Question
from foedus.case.problems import nearest
from foedus.case.question_kinds import kind_of
from foedus.case.vocabulary import QUANTITIES, WELL_RATED
from foedus.errors import InputError


def named(questions: Sequence[Any], name: str) -> Any:
    """Return the question, or answer, with an id.

    Raises
    ------
    InputError
        If there is none; the message names the nearest id.
    """
    for question in questions:
        if question.id == name:
            return question
    names = [q.id for q in questions]
    expected = f"one of {', '.join(names)}" if names else "the case has no questions"
    raise InputError(f"question: {expected}{nearest(name, names)} (found {name!r})")


def settled_by(case: Case, question: Question) -> str | None:
    """Return the fact that already settles a question, or None while it is open.

    Parameters
    ----------
    case : Case
        Filtered by an as-of date.
    question : Question

    Returns
    -------
    str or None
        Id of a fact rated A or B and 1 or 2 about the same quantity, place and member: an event
        that happened in the window, one that had not happened by the end of the window, or a count
        that has already passed the threshold.
    """
    ask = question.ask
    for fact in case.facts:
        same = (fact.quantity, fact.place, fact.member) == (ask.quantity, ask.place, ask.member)
        if same and fact.rating in WELL_RATED and _settles(case, fact, question):
            return fact.id
    return None


def _settles(case: Case, fact: Fact, question: Question) -> bool:
    ask = question.ask
    if fact.stage is not None:
        return False
    day = case.day(fact.about)
    since = day if fact.since is None else case.day(fact.since)
    first = 0 if ask.from_date is None else case.day(ask.from_date)
    last = case.horizon - 1 if ask.by_date is None else case.day(ask.by_date)
    kind = QUANTITIES[ask.quantity].kind
    if kind == "event":
        if ask.statistic not in ("happens", "first_day"):
            return False
        if fact.value is not None and fact.value.kind == "no":
            return day >= last
        return first <= since and day <= last
    if fact.value is None or not first <= day <= last:
        return False
    settles = kind_of(question.kind).counts_settle
    if ask.statistic == "at":
        return day == last and settles and kind != "flow"
    passed = ask.at_least is not None and ask.at_most is None and fact.value.low >= ask.at_least
    return passed and settles and ask.statistic in ("happens", "max")
