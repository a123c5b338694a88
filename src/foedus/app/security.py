"""Which requests are answered: hosts, origins, sizes, and what our page may load.

- **Host.** Only names of this server are answered, so that another site's name that is made to
  point here (DNS rebinding) gets nothing. A numeric address cannot be rebound.
- **Origin.** A request from a page of another origin is refused.
- **Changes.** POST, PUT, PATCH and DELETE need ``X-Foedus: 1``, which no form and no foreign page
  can send without a preflight request, and a JSON body of bounded size.
- **Content.** No inline script; no foreign script, style, picture or connection; no framing.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foedus.app.settings import Settings

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: dict[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}
SAFE = ("GET", "HEAD")
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
COOKIE = "foedus"


class Guard:
    """Refuse requests that do not come from our page, and limit those that do."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return  # no websockets: the page does not use them
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {k.lower() for k, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (k.encode(), v.encode())
                        for k, v in HEADERS.items()
                        if k.encode() not in given
                    ),
                ]
            await send(message)

        refusal = self._refusal(scope, headers)
        if refusal is not None:
            status, text = refusal
            await JSONResponse({"error": text}, status)(scope, receive, guarded)
            return
        if self.settings.token is not None and not self._admitted(headers):
            await self._ask_token(scope, receive, guarded)
            return
        body = await self._body(headers, receive)
        if body is None:
            text = f"a request of at most {self.settings.largest_body:,} bytes"
            await JSONResponse({"error": text}, 413)(scope, receive, guarded)
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, guarded)

    def _refusal(self, scope: Scope, headers: dict[str, list[str]]) -> tuple[int, str] | None:
        """Return the status and the reason if a request is refused."""
        method = scope["method"]
        if method not in (*SAFE, *CHANGING):
            return 405, f"no such method here: {method}"
        hosts = headers.get("host", [])
        if len(hosts) != 1 or not self.ours(hosts[0]):
            return 421, "this server does not have that name"
        mine = f"{scope.get('scheme', 'http')}://{hosts[0].lower()}"
        origins = headers.get("origin", [])
        if any(o.lower() != mine for o in origins):
            return 403, "a request from another origin"
        site = headers.get("sec-fetch-site", ["none"])[0]
        if site not in ("same-origin", "none") and not _opens_page(scope, headers):
            return 403, "a request from another site"
        if method in SAFE:
            return None
        if headers.get("x-foedus") != ["1"]:
            return 403, "a change needs the header X-Foedus: 1"
        kind = headers.get("content-type", [""])[0].split(";")[0].strip().lower()
        if method != "DELETE" and kind != "application/json":
            return 415, "a body of type application/json"
        return None

    def ours(self, host: str) -> bool:
        """Return whether a Host header names this server."""
        name, _, port = host.lower().rpartition(":")
        if not port.isdigit() or (name.startswith("[") != name.endswith("]")):
            name, port = host.lower(), "80"  # no port: a browser leaves 80 out
        if int(port) != self.settings.port:
            return False
        name = name.strip("[]")
        if self.settings.loopback:
            return name in ("localhost", "127.0.0.1", "::1", self.settings.host)
        if name in ("localhost", self.settings.host.lower(), socket.gethostname().lower()):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _admitted(self, headers: dict[str, list[str]]) -> bool:
        cookie: SimpleCookie = SimpleCookie()
        try:
            for line in headers.get("cookie", []):
                cookie.load(line)
        except CookieError:
            return False
        found = cookie.get(COOKIE)
        return found is not None and self._right(found.value)

    def _right(self, token: str) -> bool:
        wanted = self.settings.token or ""
        return hmac.compare_digest(token.encode(), wanted.encode())

    async def _ask_token(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        token = query.get("token", [""])[0]
        if scope["method"] == "GET" and scope["path"] == "/" and self._right(token):
            response = RedirectResponse("/", 303)
            response.set_cookie(COOKIE, token, httponly=True, samesite="strict")
            await response(scope, receive, send)
            return
        text = "open the address that foedus serve printed, with its token"
        await JSONResponse({"error": text}, 401)(scope, receive, send)

    async def _body(self, headers: dict[str, list[str]], receive: Receive) -> bytes | None:
        """Return the whole body, or None if it is too large; never holds more than the limit."""
        most = self.settings.largest_body
        said = headers.get("content-length", ["0"])[0]
        if not said.isdigit() or int(said) > most:
            return None
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return b"".join(parts)
            part = message.get("body", b"")
            size += len(part)
            if size > most:
                return None
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)


def _opens_page(scope: Scope, headers: dict[str, list[str]]) -> bool:
    """Return whether a request only follows a link to the page, which changes nothing."""
    mode = headers.get("sec-fetch-mode", [""])[0]
    return bool(scope["method"] == "GET" and scope["path"] == "/" and mode == "navigate")
