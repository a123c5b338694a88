"""The server of the page: Starlette, static files, and the routes of the features.

Conventions for a new feature:

- A feature is a module of this package with ``routes(state: AppState) -> list[Route]``, listed in
  :data:`FEATURES`. All its addresses are below ``/api/``. A case is named by its key in the query
  (``?case=kazakhstan-2022``, ``?case=my-case.yaml``) and read by ``state.library.load(key)``.
- Endpoints are made by :func:`foedus.app.web.answers` from plain functions ``function(request,
  body)``. They return plain values (strict JSON) or a Response, run in a thread, and raise
  ``InputError`` (422, with ``problems``) or ``NotThereError`` (404).
- GET changes nothing. Changes are POST, PUT or DELETE with a JSON body; the guard in
  :mod:`foedus.app.security` has already checked host, origin, custom header, type and size.
- Computations go to ``state.jobs.submit(kind, "module:function", params, lane=, key=)``. The
  function takes ``(params, tell)`` and returns bytes; it runs in another process. The page starts
  jobs by ``context.compute(kind, params)`` (see ``static/main.js``); the kinds are in
  :mod:`foedus.app.compute`.
- Files are read and written only below ``settings.cases`` (through ``Library.path``, which refuses
  names that lead elsewhere) and ``settings.results``.
- Front end: ``static/NAME.js`` is an ES module with ``mount(element, context)``; the conventions
  are at the top of ``static/main.js``. Text from cases goes into the page only by ``textContent``
  (``h()`` of ``static/dom.js``), and links by ``link()`` of the same file.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from foedus.app.jobs import Jobs, prune
from foedus.app.library import Library
from foedus.app.security import Guard
from foedus.app.settings import Settings
from foedus.app.web import AppState, NotThereError, Plain, answers

STATIC = Path(__file__).parent / "static"

#: Modules with ``routes``.
FEATURES: tuple[str, ...] = (
    "foedus.app.cases",
    "foedus.app.compute",
    "foedus.app.editor",
)


def create_app(settings: Settings, jobs: Jobs | None = None) -> Starlette:
    """Return the page's server.

    Parameters
    ----------
    settings : Settings
    jobs : Jobs, optional
        For tests; by default made here, and closed when the server ends.
    """
    queue = jobs if jobs is not None else Jobs(settings.kept, settings.queue)
    state = AppState(settings, Library(settings.cases), queue)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        prune(settings.kept)
        queue.start()
        try:
            yield
        finally:
            queue.close()

    routes = [route for name in FEATURES for route in importlib.import_module(name).routes(state)]
    return Starlette(
        routes=[
            Route("/", _index),
            *routes,
            Route("/api/{rest:path}", answers(_nothing)),
            Mount("/static", StaticFiles(directory=STATIC, follow_symlink=False)),
        ],
        middleware=[Middleware(Guard, settings=settings)],
        exception_handlers={404: _not_found, 405: _not_found},
        lifespan=lifespan,
    )


async def _index(request: Request) -> Response:
    return FileResponse(STATIC / "index.html", media_type="text/html; charset=utf-8")


def _nothing(request: Request, body: object) -> None:
    raise NotThereError("no such address")


async def _not_found(request: Request, error: Exception) -> Response:
    return Plain({"error": "no such address"}, getattr(error, "status_code", 404))
