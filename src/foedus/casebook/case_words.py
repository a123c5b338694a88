"""The words of a case file that belong to the casebook: rows, codes of states, organisations."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from foedus.case.models import Case
from foedus.case.problems import Path, nearest
from foedus.casebook.coded_case import TRIGGERS
from foedus.casebook.load import load_casebook
from foedus.casebook.organisations import organisations, state_names
from foedus.errors import Problem

#: The group of an organisation that the casebook does not know.
NEW = "other_org"
#: From this likeness on (of 1), an unknown name counts as a misspelt one.
MISSPELT = 0.8


def helper_group(name: str) -> str:
    """Return the group of a helper as a case file names it; :data:`NEW` if none is known."""
    return organisations().find(name) or NEW


def unknown_words(case: Case) -> Iterator[Problem]:
    """Yield a problem, with its line, for each word of a case that the casebook does not know.

    Questions are left to :func:`unknown_baselines`, because the simulation may not read them.
    """
    if case.casebook_id is not None:
        ids = [c.id for c in load_casebook()]
        if case.casebook_id not in ids:
            expected = (
                f"a row of the casebook, see `foedus casebook list`{nearest(case.casebook_id, ids)}"
            )
            yield case.problem(("casebook_id",), repr(case.casebook_id), expected)
    if case.requester_iso3 is not None and case.requester_iso3 not in state_names():
        code = nearest_code(case.requester_iso3)
        expected = f"an ISO 3166 alpha-3 code of a state{code or ', such as KAZ'}"
        yield case.problem(("requester_iso3",), repr(case.requester_iso3), expected)
    yield from _trigger(case, ("trigger_type",), case.trigger_type)
    if (name := case.organisation) is not None and _misspelt(name):
        yield _organisation(case, ("organisation",), name)


def unknown_baselines(case: Case) -> Iterator[Problem]:
    """Yield a problem for each word of a question's baseline unknown to the casebook."""
    for n, question in enumerate(case.questions):
        if question.baseline is None:
            continue
        at: Path = ("questions", n, "baseline")
        yield from _trigger(case, (*at, "trigger"), question.baseline.trigger)
        name = question.baseline.organisation
        if name is not None and organisations().find(name) is None:
            yield _organisation(case, (*at, "organisation"), name)


def new_words(case: Case) -> tuple[str, ...]:
    """Return what to mind about an organisation that is new to the casebook."""
    name = case.organisation
    if name is None or organisations().find(name) is not None or _misspelt(name):
        return ()
    like, _ = _likest(name)
    title = organisations().titles[NEW]
    return (
        f"{case.locate(('organisation',))}: {name!r} is not in the casebook and counts as {NEW} "
        f"({title}); the nearest name there is {like!r}",
    )


def nearest_code(word: str) -> str:
    """Return ``"; did you mean 'KGZ'?"``: by a state's name or its beginning, else by the code."""
    folded = word.casefold()
    for matches in (str.__eq__, str.startswith):
        for code, names in state_names().items():
            if any(matches(name.casefold(), folded) for name in names):
                return f"; did you mean {code!r}?"
    return nearest(word, state_names())


def _trigger(case: Case, path: Path, word: str | None) -> Iterator[Problem]:
    if word is not None and word not in TRIGGERS:
        expected = f"one of {', '.join(TRIGGERS)}{nearest(word, TRIGGERS)}"
        yield case.problem(path, repr(word), expected)


def _organisation(case: Case, path: Path, name: str) -> Problem:
    known = organisations()
    near = nearest(name, [*known.groups, *known.spelling])
    expected = f"one of {', '.join(known.groups)} ({NEW} for a new one), or a name of one{near}"
    return case.problem(path, repr(name), expected)


def _misspelt(name: str) -> bool:
    return organisations().find(name) is None and _likest(name)[1] >= MISSPELT


def _likest(name: str) -> tuple[str, float]:
    """Return the known name most like another, and how like it is, from 0 to 1."""

    def likeness(known: str) -> float:
        return difflib.SequenceMatcher(None, name.casefold(), known.casefold()).ratio()

    known = organisations()
    return max(((w, likeness(w)) for w in (*known.groups, *known.spelling)), key=lambda x: x[1])
