"""Before every request: is it meant for us, does it come from our own page, may this one look, and not too often?"""

import ipaddress
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consumers.view.security.headers import SECURITY_HEADERS
from consumers.view.security.rates import Rates
from consumers.view.security.tokens import COOKIE, KEPT_S, Token

# What the login page needs, and a probe: nothing that tells of cameras.
_FREE = ("/static/", "/login", "/healthz")
_LOGIN_PAGE = Path(__file__).parents[1] / "static" / "login.html"
_SAFE = ("GET", "HEAD")
MAX_BODY = 256 * 1024
MAX_LOGIN = 4096
# Guesses at the token from one address: a few at once, then one in twelve seconds.
_GUESSES_PER_S, _GUESSES = 1 / 12, 5
_ADVICE = "add it with --allow-host"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """token: None lets everybody in. hosts: further names that it is reached by. secure: it is served over TLS."""

    token: Token | None = None
    hosts: Collection[str] = ()
    secure: bool = False
    requests_per_s: float = 50.0


class Guard:
    """Decides on requests, and serves the login."""

    def __init__(self, settings: GuardSettings) -> None:
        self.settings = settings
        self._rates = Rates(settings.requests_per_s, settings.requests_per_s * 10)
        self._guesses = Rates(_GUESSES_PER_S, _GUESSES)

    def routes(self) -> Sequence[BaseRoute]:
        """The login, where there is a token."""
        if self.settings.token is None:
            return []
        return [Route("/login", self._login, methods=["GET", "POST"])]

    def refuses(self, connection: HTTPConnection) -> Response | None:
        """Why a request is not let through; None when it is."""
        headers = connection.headers
        if not self._is_ours(headers.get("host", "")):
            host = headers.get("host", "")[:100]
            return _error(421, f"this view is not reached as {host!r}; {_ADVICE}")
        if not self._same_origin(connection):
            return _error(403, "this request comes from a page of another site")
        wait_s = self._rates.wait_s(_address(connection))
        if wait_s:
            return _too_many(wait_s)
        if int(headers.get("content-length", "0") or 0) > MAX_BODY:
            return _error(413, f"a body may have {MAX_BODY} bytes")
        path = connection.scope["path"]
        if any(path == free or (free.endswith("/") and path.startswith(free)) for free in _FREE):
            return None
        return self._unknown(connection)

    def _unknown(self, connection: HTTPConnection) -> Response | None:
        token = self.settings.token
        if token is None or token.is_cookie(connection.cookies.get(COOKIE, "")):
            return None
        given = connection.headers.get("authorization", "")
        if given:
            # A guess is a guess, by whatever door; who has none left is not even told that he is right.
            wait_s = self._guesses.wait_s(_address(connection), take=False)
            if wait_s:
                return _too_many(wait_s)
            if token.authorizes(given):
                return None
            self._guesses.wait_s(_address(connection))
        path = connection.scope["path"]
        if connection.scope["type"] == "http" and "text/html" in connection.headers.get("accept", ""):
            query = f"?{connection.url.query}" if connection.url.query else ""
            return RedirectResponse(f"/login?next={quote(path + query)}", 303)
        # Players ask for a password only when they are told so; a browser would open a window of its own over our page.
        browser = connection.headers.get("user-agent", "").startswith("Mozilla/")
        asks = "Bearer" if browser else 'Basic realm="Framelane"'
        text = "this view needs its token: as a Bearer token, or as the password"
        return _error(401, text, {"www-authenticate": asks})

    async def _login(self, request: Request) -> Response:
        token = self.settings.token
        assert token is not None
        if request.method in _SAFE:
            return _login_page()
        wait_s = self._guesses.wait_s(_address(request))
        if wait_s:
            return _login_page(f"Too many tries. Try again in {math.ceil(wait_s)} seconds.", 429)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_LOGIN:
                return _login_page("That is not the token.", 413)
        given = parse_qs(body.decode(errors="replace")).get("token", [""])[0]
        if not token.is_it(given.strip()):
            return _login_page("That is not the token.", 403)
        response = RedirectResponse(_within(request.query_params.get("next", "/")), 303)
        response.set_cookie(
            COOKIE,
            token.cookie(),
            max_age=KEPT_S,
            httponly=True,
            # Not "strict": a link to a frame, followed from a chat, is to open. Nothing changes by a GET.
            samesite="lax",
            secure=self.settings.secure,
        )
        return response

    def _is_ours(self, host: str) -> bool:
        """A page of another site whose name was made to lead here (DNS rebinding) still bears its own name."""
        name = _name_of(host)
        if name in ("localhost", *self.settings.hosts):
            return True
        try:
            # An address is no name that anybody could make lead elsewhere.
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _same_origin(self, connection: HTTPConnection) -> bool:
        if connection.scope["type"] == "http" and connection.scope["method"] in _SAFE:
            return True
        origin = connection.headers.get("origin")
        # No browser leaves it out; a program may. A proxy may have given us another Host.
        if origin is None or urlsplit(origin).netloc == connection.headers.get("host", ""):
            return True
        return (urlsplit(origin).hostname or "") in self.settings.hosts


class Guarded:
    """The guard around an application: refuses, and puts the security headers on every answer."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app, self._guard = app, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                message["headers"] = [*message.get("headers", ()), *SECURITY_HEADERS]
            await send(message)

        refused = self._guard.refuses(HTTPConnection(scope))
        app: ASGIApp = self._app if refused is None else refused
        await app(scope, receive, with_headers)


def _login_page(problem: str = "", status: int = 200) -> Response:
    page = _LOGIN_PAGE.read_text(encoding="utf-8").replace("<!-- problem -->", problem)
    return HTMLResponse(page, status, headers={"cache-control": "no-store"})


def _within(path: str) -> str:
    """A path of our own, or the first page."""
    parts = urlsplit(path)
    sound = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc and "\\" not in path
    return path if sound else "/"


def _name_of(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else ""


def _too_many(wait_s: float) -> Response:
    return _error(429, "too many requests", {"retry-after": str(math.ceil(wait_s))})


def _error(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": text}, status, headers=headers)
