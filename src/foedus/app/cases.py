"""The list of cases, and of one case everything that needs no forecast or can be changed."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.routing import Route

from foedus.app.web import AppState, answers
from foedus.case import Case
from foedus.case.asof import with_frame
from foedus.case.priors import Choice, Prior
from foedus.case.question_kinds import KINDS
from foedus.case.times import latest, local_day
from foedus.case.vocabulary import MECHANISMS
from foedus.errors import InputError
from foedus.world.engine import registry, switches
from foedus.world.mechanism import Parameter
from foedus.world.order import mechanism
from foedus.world.priors import resolve

_SHOWN = np.array([0.05, 0.5, 0.95])


def routes(state: AppState) -> list[Route]:
    """Return the addresses of this feature.

    ``GET /api/cases``: ``{cases: [{key, title, summary, shipped, problem}]}``.
    ``GET /api/case?case=KEY``: see :func:`whole`.
    ``GET /api/assumptions?case=KEY``: see :func:`assumptions`.
    """

    def listed(request: Request, body: object) -> dict[str, Any]:
        return {"cases": [vars(entry) for entry in state.library.entries()]}

    def one(request: Request, body: object) -> dict[str, Any]:
        key = key_in(request)
        return whole(key, state.library.load(key))

    def changeable(request: Request, body: object) -> dict[str, Any]:
        return assumptions(state.library.load(key_in(request)))

    return [
        Route("/api/cases", answers(listed)),
        Route("/api/case", answers(one)),
        Route("/api/assumptions", answers(changeable)),
    ]


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
    """Return a case for the page: no outcomes; the day each fact became known; answers' shapes.

    Keys: key, id, title, summary, start, end, as_of, horizon, ticks_per_day, places, actors,
    alliance, requester_iso3, sources, facts, calendar, hypotheses, questions, shapes (of
    answers, by kind of question), mechanisms, outcomes (their number).
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
        "as_of": _last_whole_day(case).isoformat(),
        "facts": facts,
        "calendar": entries,
        "shapes": {name: kind.shape for name, kind in KINDS.items()},
        "outcomes": len(case.outcomes),
    }


def _last_whole_day(case: Case) -> dt.date:
    """Return the last day that was over at the case's as-of date; the page goes by whole days."""
    day = local_day(case.as_of, case.timezone_offset)
    if latest(day, case.timezone_offset) > latest(case.as_of, case.timezone_offset):
        day -= dt.timedelta(days=1)
    return max(day, case.start)


def assumptions(case: Case) -> dict[str, Any]:
    """Return the assumptions that can be changed, as of the case's own date.

    Returns
    -------
    dict
        ``mechanisms``: name, ``says`` (the first line of its file) and whether it is ``on``.
        ``parameters``: name, meaning, unit, low, high, ``prior`` as the case has it, its 5, 50 and
        95% quantiles, and for a choice its ``options``.
    """
    case = with_frame(case, case.as_of)
    declared = registry(case)
    on = switches(case)
    return {
        "mechanisms": [
            {"name": name, "says": _first_line(name), "on": name in on} for name in MECHANISMS
        ],
        "parameters": [
            _parameter(declared[name], prior) for name, prior in resolve(case, declared).items()
        ],
    }


def _first_line(name: str) -> str:
    text = mechanism(name).text.strip().split("\n\n")[0].replace("\n", " ")
    said = re.sub(r"^Mechanism \d+,[^:]{0,20}:|^Mechanism \d+,", "", text).strip()
    return f"{said[:1].upper()}{said[1:]}"


def _parameter(declared: Parameter, prior: Prior) -> dict[str, Any]:
    low, middle, high = (
        float(v) for v in np.clip(prior.quantile(_SHOWN), declared.low, declared.high)
    )
    return {
        "name": declared.name,
        "meaning": declared.meaning,
        "unit": declared.unit,
        "low": declared.low if np.isfinite(declared.low) else None,
        "high": declared.high if np.isfinite(declared.high) else None,
        "prior": prior.model_dump(mode="json"),
        "q05": low,
        "q50": middle,
        "q95": high,
        "options": list(prior.options) if isinstance(prior, Choice) else None,
    }
