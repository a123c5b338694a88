"""Jobs of the page: start, follow and stop them, and fetch their results.

``POST /api/jobs`` with ``{kind, ...}`` starts or joins a job, or finds the result on disk: ``{id,
key, state, done, total, note, error, version}``. ``GET /api/jobs?id=`` follows it, and ``POST
/api/jobs/stop`` ``{id}`` withdraws a request. ``GET /api/result?key=`` returns the result or a
preliminary one; ``version`` counts the results so far. ``GET /api/best?case=&as_of=`` names the
best forecast on disk: ``{runs, key, steps}``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from foedus.answers.whatif import STEPS
from foedus.app import work
from foedus.app.cases import key_in
from foedus.app.jobs import Lane, key_of
from foedus.app.web import AppState, NotThereError, answers
from foedus.case import Case
from foedus.case.asof import as_of as known_by
from foedus.case.times import show_when
from foedus.errors import InputError
from foedus.world.engine import registry
from foedus.world.priors import refuse_undeclared

#: Largest number of runs that a visitor may ask for.
MOST_RUNS = 200_000

#: Up to this number of runs a job takes seconds and goes into the quick lane.
SMALL = 500

_KEY = re.compile(r"^[a-z]+-[0-9a-f]{32}$")

#: Checks a visitor's request and returns it in a canonical form, because it decides the result.
Check = Callable[[dict[str, Any], Case], dict[str, Any]]


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Attributes
    ----------
    work : str
        ``module:function``.
    lane : {"quick", "long"}
    check : callable
    binary : bool
        The result is bytes for a canvas rather than JSON.
    """

    work: str
    lane: Lane
    check: Check
    binary: bool = False


def date_in(body: dict[str, Any], case: Case) -> str:
    """Return the as-of date of a request.

    Raises
    ------
    InputError
        If it is not a date of the case.
    """
    found = body.get("as_of", show_when(case.as_of))
    if not isinstance(found, str):
        raise InputError("as_of: a date such as 2022-01-07")
    known_by(case, found)
    return found


def whole(body: dict[str, Any], name: str, default: int | None, low: int, high: int) -> int:
    """Return a whole number within limits.

    Raises
    ------
    InputError
    """
    found = body.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int) or not low <= found <= high:
        raise InputError(f"{name}: a whole number from {low:,} to {high:,} (found {found!r:.80})")
    return found


def runs_in(body: dict[str, Any], case: Case) -> dict[str, Any]:
    """Return date, number of runs and seed."""
    return {
        "as_of": date_in(body, case),
        "runs": whole(body, "runs", 500, 50, MOST_RUNS),
        "seed": whole(body, "seed", 1, 0, 2**53 - 1),
    }


def street_in(body: dict[str, Any], case: Case) -> dict[str, Any]:
    """Return what :func:`foedus.app.work.street` needs."""
    given = runs_in(body, case)
    return {**given, "run": whole(body, "run", None, 0, given["runs"] - 1)}


def score_in(body: dict[str, Any], case: Case) -> dict[str, Any]:
    """Return what :func:`foedus.app.work.score` needs; the request must ask to reveal outcomes."""
    if not case.outcomes:
        raise InputError("this case has no outcomes yet, so nothing can be revealed")
    if body.get("reveal") is not True:
        raise InputError("reveal: true, to see the outcomes")
    return runs_in(body, case)


def explain_in(body: dict[str, Any], case: Case) -> dict[str, Any]:
    """Return what :func:`foedus.app.work.explain` needs."""
    return {**runs_in(body, case), "pairs": whole(body, "pairs", 0, 0, 2000)}


def question_in(body: dict[str, Any], case: Case) -> str | None:
    """Return the question of a request, or None if it names none."""
    found = body.get("question")
    if found is not None and found not in [q.id for q in case.questions]:
        known = ", ".join(q.id for q in case.questions) or "none"
        raise InputError(f"question: one of {known} (found {found!r:.80})")
    return found


def sensitivity_in(body: dict[str, Any], case: Case) -> dict[str, Any]:
    """Return what :func:`foedus.app.work.sensitivity` needs."""
    pairs = whole(body, "pairs", 100, 0, 1000)
    return {**runs_in(body, case), "question": question_in(body, case), "pairs": pairs}


def watch_in(body: dict[str, Any], case: Case) -> dict[str, Any]:
    """Return what :func:`foedus.app.work.watch` needs."""
    return {**runs_in(body, case), "question": question_in(body, case)}


def whatif_in(body: dict[str, Any], case: Case) -> dict[str, Any]:
    """Return what :func:`foedus.app.work.whatif` needs."""
    told = body.get("change")
    if not isinstance(told, dict):
        raise InputError("change: the assumptions to change")
    change = work.change_of(told)
    changed = change.apply(case)
    refuse_undeclared(changed, registry(changed))
    most = whole(body, "pairs", STEPS[-1], STEPS[0], 4000)
    steps = sorted({*(s for s in STEPS if s < most), most})
    return {**runs_in(body, case), "change": change.to_dict(), "steps": steps}


KINDS: dict[str, Kind] = {
    "forecast": Kind("foedus.app.work:forecast", "long", runs_in),
    "score": Kind("foedus.app.work:score", "quick", score_in),
    "street": Kind("foedus.app.work:street", "quick", street_in, binary=True),
    "explain": Kind("foedus.app.work:explain", "long", explain_in),
    "sensitivity": Kind("foedus.app.work:sensitivity", "long", sensitivity_in),
    "watch": Kind("foedus.app.work:watch", "long", watch_in),
    "whatif": Kind("foedus.app.work:whatif", "quick", whatif_in),
}


def routes(state: AppState) -> list[Route]:
    """Return the addresses of this feature."""

    def start(request: Request, body: dict[str, Any]) -> dict[str, Any]:
        kind = KINDS.get(str(body.get("kind")))
        if kind is None:
            raise InputError(f"kind: one of {', '.join(sorted(KINDS))}")
        key = str(body.get("case", ""))
        case, text = state.library.load(key), state.library.text(key)
        mine = kind.check(body, case)
        name = key_of(str(body["kind"]), {"case": key, "text": text, **mine})
        if state.jobs.path(name).exists():
            return {"id": None, "key": name, "state": "done", "done": 0, "total": 0, "note": "",
                    "error": "", "version": 1}  # fmt: skip
        params = {
            "case": key, "text": text, "name": state.library.name(key),
            "results": str(state.settings.results), **mine,
        }  # fmt: skip
        priority = whole(body, "priority", 0, 0, 9)
        lane: Lane = "quick" if mine["runs"] <= SMALL and not mine.get("pairs") else kind.lane
        job = state.jobs.submit(
            str(body["kind"]), kind.work, params, lane=lane, key=name, priority=priority
        )
        return job.to_dict()

    def best(request: Request, body: object) -> dict[str, Any]:
        key = key_in(request)
        case, text = state.library.load(key), state.library.text(key)
        asked = {"as_of": request.query_params.get("as_of", show_when(case.as_of))}
        steps = state.settings.steps
        for runs in reversed(steps):
            mine = runs_in({**asked, "runs": runs}, case)
            name = key_of("forecast", {"case": key, "text": text, **mine})
            if state.jobs.path(name).exists():
                return {"runs": runs, "key": name, "steps": steps}
        return {"runs": 0, "key": None, "steps": steps}

    def follow(request: Request, body: object) -> dict[str, Any]:
        job = state.jobs.get(request.query_params.get("id", ""))
        if job is None:
            raise NotThereError("no such job; it may have ended long ago")
        return job.to_dict()

    def stop(request: Request, body: dict[str, Any]) -> dict[str, Any]:
        job = state.jobs.stop(str(body.get("id", "")))
        if job is None:
            raise NotThereError("no such job; it may have ended long ago")
        return job.to_dict()

    def result(request: Request, body: object) -> Response:
        key = request.query_params.get("key", "")
        data = state.jobs.result(key) if _KEY.fullmatch(key) else None
        if data is None:
            raise NotThereError("no such result")
        kind = KINDS.get(key.split("-")[0])
        binary = kind is not None and kind.binary
        return Response(
            data, media_type="application/octet-stream" if binary else "application/json"
        )

    return [
        Route("/api/jobs", answers(start), methods=["POST"]),
        Route("/api/jobs", answers(follow)),
        Route("/api/best", answers(best)),
        Route("/api/jobs/stop", answers(stop), methods=["POST"]),
        Route("/api/result", answers(result)),
    ]
