"""The state shared by all features of the page, and their responses and errors."""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from foedus.app.jobs import BusyError, Jobs
from foedus.app.library import Library
from foedus.app.settings import Settings
from foedus.errors import FoedusError, InputError


@dataclass(frozen=True)
class AppState:
    """What a feature may use.

    Attributes
    ----------
    settings : Settings
    library : Library
        The cases, by key.
    jobs : Jobs
        For heavy work, which never belongs in a route.
    """

    settings: Settings
    library: Library
    jobs: Jobs


Endpoint = Callable[[Request], Awaitable[Response]]


class Plain(JSONResponse):
    """Strict JSON: no NaN, no infinity."""

    def render(self, content: Any) -> bytes:
        """Return the bytes."""
        return json.dumps(content, allow_nan=False, ensure_ascii=False).encode("utf-8")


def answers(function: Callable[..., Any]) -> Endpoint:
    """Make an endpoint of ``function(request, body)``; foedus's errors become a JSON answer.

    The function runs in a thread, so it may read files. ``body`` is the parsed JSON of a POST or
    PUT and an empty dict otherwise. It returns plain values, or a Response.
    """

    @functools.wraps(function)
    async def endpoint(request: Request) -> Response:
        try:
            body: Any = {}
            if request.method in ("POST", "PUT", "PATCH"):
                body = parsed(await request.body())
            result = await run_in_threadpool(function, request, body)
        except InputError as error:
            problems = [vars(p) for p in error.problems]
            return Plain({"error": str(error), "problems": problems}, 422)
        except BusyError as error:
            return Plain({"error": str(error)}, 503)
        except NotThereError as error:
            return Plain({"error": str(error)}, 404)
        except FoedusError as error:
            return Plain({"error": str(error)}, 409)
        return result if isinstance(result, Response) else Plain(result)

    return endpoint


class NotThereError(FoedusError):
    """The thing requested does not exist (404)."""


def parsed(body: bytes) -> dict[str, Any]:
    """Return a JSON object.

    Raises
    ------
    InputError
    """

    def refuse(text: str) -> Any:
        raise ValueError(text)

    try:
        found = json.loads(body, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise InputError("the body: a JSON object") from None
    if not isinstance(found, dict):
        raise InputError("the body: a JSON object")
    return found
