"""The list of cases, and one case with everything that needs no forecast."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from foedus.app.web import AppState, answers
from foedus.case import Case
from foedus.case.times import latest, local_day
from foedus.errors import InputError


def routes(state: AppState) -> list[Route]:
    """Return the addresses of this feature.

    ``GET /api/cases``: ``{cases: [{key, title, summary, shipped, problem}]}``.
    ``GET /api/case?case=KEY``: see :func:`whole`.
    """

    def listed(request: Request, body: object) -> dict[str, Any]:
        return {"cases": [vars(entry) for entry in state.library.entries()]}

    def one(request: Request, body: object) -> dict[str, Any]:
        key = key_in(request)
        return whole(key, state.library.load(key))

    return [Route("/api/cases", answers(listed)), Route("/api/case", answers(one))]


def key_in(request: Request) -> str:
    """Return the case that a request names.

    Raises
    ------
    InputError
    """
    key = request.query_params.get("case", "")
    if not key:
        raise InputError("case: the key of a case, as in ?case=kazakhstan-2022")
    return key


def whole(key: str, case: Case) -> dict[str, Any]:
    """Return a case for the page, without outcomes, with the day on which each fact became known.

    Keys: key, id, title, summary, start, end, as_of, horizon, ticks_per_day, places, actors,
    alliance, requester_iso3, sources, facts, calendar, hypotheses, questions, mechanisms, outcomes
    (their number).
    """

    def day(when: Any) -> str:
        # The first as-of date that includes the fact: a bare as-of date means the end of that day.
        moment = latest(when, case.timezone_offset)
        return local_day(moment, case.timezone_offset).isoformat()

    plain = case.model_dump(mode="json")
    facts = [
        {
            **row,
            "shown_from": day(f.known_from),
            "reported": None if f.value is None else str(f.value),
        }
        for row, f in zip(plain["facts"], case.facts, strict=True)
    ]
    entries = [
        {**row, "shown_from": day(e.known_from)}
        for row, e in zip(plain["calendar"], case.calendar, strict=True)
    ]
    names = (
        "id", "title", "summary", "start", "as_of", "horizon", "ticks_per_day", "timezone_offset",
        "sources", "places", "actors", "alliance", "triggers", "hypotheses", "questions",
        "mechanisms", "requester_iso3",
    )  # fmt: skip
    return {
        "key": key,
        "end": case.end.isoformat(),
        **{name: plain[name] for name in names},
        "facts": facts,
        "calendar": entries,
        "outcomes": len(case.outcomes),
    }
