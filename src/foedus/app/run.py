"""`foedus serve`: find a port, print the address, serve until Ctrl-C."""

from __future__ import annotations

import contextlib
import secrets
import socket
import sys
import threading
import time
import webbrowser
from pathlib import Path

from foedus.app.settings import Settings, is_loopback
from foedus.errors import InputError


def serve(*, host: str, port: int, cases: Path, results: Path, open_page: bool) -> int:
    """Serve the page until it is stopped.

    Parameters
    ----------
    host : str
        Address or name to listen on. If other machines can reach it, a visitor needs the address
        with the token that is printed.
    port : int
        0 takes a free one.
    cases, results : pathlib.Path
        Folders; they need not exist.
    open_page : bool
        Open the page in the browser.

    Returns
    -------
    int
        Exit status.

    Raises
    ------
    InputError
        If the address cannot be used, or a folder is a file.
    """
    import uvicorn

    from foedus.app.server import create_app

    for option, folder in (("--cases", cases), ("--results", results)):
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{option} {folder}: a folder (found a file)")
    with contextlib.closing(_listen(host, port)) as listening:
        port = listening.getsockname()[1]
        token = None if is_loopback(host) else secrets.token_urlsafe(24)
        settings = Settings(
            cases=cases.absolute(), results=results.absolute(), host=host, port=port, token=token
        )
        address = f"http://{_shown(host)}:{port}/" + (f"?token={token}" if token else "")
        print(f"foedus: {address}  (Ctrl-C stops it)", flush=True)
        if token:
            print("Other machines can reach this page. Share the address with its token only with "
                  "people you trust.", file=sys.stderr)  # fmt: skip
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(settings),
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=10,
                timeout_graceful_shutdown=2,
                limit_concurrency=200,
                ws="none",
            )
        )
        if open_page:
            threading.Thread(target=_open, args=(server, address), daemon=True).start()
        server.run(sockets=[listening])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM
        )[0]
        found = socket.socket(family, kind, protocol)
        if sys.platform != "win32":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(where)
    except OSError as error:
        raise InputError(
            f"--host {host} --port {port}: {error.strerror or error}. Give another --port; 0 picks "
            "a free one"
        ) from None
    return found


def _shown(host: str) -> str:
    return f"[{host.strip('[]')}]" if ":" in host else host


def _open(server: object, address: str) -> None:
    for _ in range(100):
        if getattr(server, "started", False):
            webbrowser.open(address)
            return
        time.sleep(0.1)
