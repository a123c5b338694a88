from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from foedus.app.jobs import Jobs
from foedus.app.server import create_app
from foedus.app.settings import Settings

SMALL = Path(__file__).with_name("small.yaml")
PORT = 8000
ADDRESS = f"http://127.0.0.1:{PORT}"
OURS = {"X-Foedus": "1", "Content-Type": "application/json"}


class Client:
    """Sends requests to a server of ours without a socket; keeps cookies."""

    def __init__(self, app: Any, home: str = ADDRESS) -> None:
        self.app, self.home = app, home
        self.cookies = httpx.Cookies()

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url=self.home, cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, **more)
                self.cookies = client.cookies
                return answer

        return asyncio.run(ask())

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)


def follow(client: Any, body: dict[str, Any], *, seconds: float = 120.0) -> dict[str, Any]:
    """Start a job and wait for its end."""
    job: dict[str, Any] = (
        client.post("/api/jobs", json=body, headers=OURS).raise_for_status().json()
    )
    until = time.monotonic() + seconds
    while job["state"] in ("queued", "running"):
        assert time.monotonic() < until, f"still {job}"
        time.sleep(0.05)
        job = client.get("/api/jobs", params={"id": job["id"]}).json()
    return job


def result(client: Any, body: dict[str, Any]) -> Any:
    """Return the result of a job."""
    job = follow(client, body)
    assert job["state"] == "done", job
    return client.get("/api/result", params={"key": job["key"]}).raise_for_status()


@pytest.fixture
def folders(tmp_path: Path) -> Settings:
    """A page without processes: routes that compute are not used."""
    cases = tmp_path / "cases"
    cases.mkdir()
    shutil.copy(SMALL, cases / "small.yaml")
    return Settings(cases=cases, results=tmp_path / "results", port=PORT)


@pytest.fixture
def client(folders: Settings) -> Client:
    return Client(create_app(folders, Jobs(folders.kept, folders.queue, lanes={})))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Settings]]:
    """A complete page on its own port, with its processes; its address and settings."""
    import socket

    import uvicorn

    folder = tmp_path_factory.mktemp("page")
    (folder / "cases").mkdir()
    shutil.copy(SMALL, folder / "cases" / "small.yaml")
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    settings = Settings(
        cases=folder / "cases",
        results=folder / "results",
        port=listening.getsockname()[1],
        steps=(120, 480),
    )
    config = uvicorn.Config(create_app(settings), log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.05)
    yield f"http://127.0.0.1:{settings.port}", settings
    server.should_exit = True
    thread.join(20)
    listening.close()
