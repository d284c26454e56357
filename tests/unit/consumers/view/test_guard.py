"""Who is let through, before any server runs."""

import base64
from collections.abc import Sequence
from urllib.parse import urlencode

import pytest
from asgi_support import Answer, ask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from consumers.view.app import create_app
from consumers.view.security.guard import Guard, Guarded, GuardSettings
from consumers.view.security.headers import SECURITY_HEADERS
from consumers.view.security.tokens import COOKIE, Token

SECRET = "3f2a9c0d7be14455"
BEARER = {"authorization": f"Bearer {SECRET}"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


class Rooms:
    """A part with something to see, something to change, and something that fails."""

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/seen", self.seen),
            Route("/changed", self.seen, methods=["POST"]),
            Route("/fails", self.fails),
            WebSocketRoute("/ws", self.socket),
        ]

    async def seen(self, _: Request) -> Response:
        return Response("seen")

    async def fails(self, _: Request) -> Response:
        raise RuntimeError("a mistake")

    async def socket(self, socket: WebSocket) -> None:
        await socket.accept()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


def app_of(*, token: bool = False, hosts: Sequence[str] = (), secure: bool = False, per_s: float = 50.0) -> Guarded:
    settings = GuardSettings(token=Token(SECRET) if token else None, hosts=hosts, secure=secure, requests_per_s=per_s)
    return create_app([Rooms()], guard=Guard(settings))


def log_in(app: Guarded, given: str, *, to: str = "/login") -> Answer:
    return ask(app, to, "POST", FORM, body=urlencode({"token": given}).encode())


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8088", "localhost", "LOCALHOST:1", "[::1]:8088", "192.168.1.5", "view.example:8088"]
)
def test_hosts_that_are_ours(host: str) -> None:
    assert ask(app_of(hosts=["view.example"]), "/seen", headers={"host": host}).status == 200


@pytest.mark.parametrize("host", ["evil.example", "view.example.evil.example", "", "127.0.0.1.evil.example"])
def test_a_foreign_host_is_refused_with_the_mend(host: str) -> None:
    for scheme in ("http", "ws"):
        answer = ask(
            app_of(hosts=["view.example"]), "/ws" if scheme == "ws" else "/seen", headers={"host": host}, scheme=scheme
        )
        assert answer.status == 421
        assert b"--allow-host" in answer.body


@pytest.mark.parametrize(
    ("origin", "good"),
    [
        (None, True),
        ("http://127.0.0.1:8088", True),
        ("https://view.example", True),
        ("http://127.0.0.1:9999", False),
        ("http://evil.example", False),
        ("null", False),
    ],
)
def test_pages_of_other_sites_neither_change_anything_nor_watch(origin: str | None, good: bool) -> None:
    app, headers = app_of(hosts=["view.example"]), {"origin": origin} if origin else {}
    assert ask(app, "/changed", "POST", headers).status == (200 if good else 403)
    assert ask(app, "/ws", headers=headers, scheme="ws").status == (101 if good else 403)
    assert ask(app, "/seen", headers=headers).status == 200


def test_without_the_token_nothing_is_seen_but_the_login() -> None:
    app = app_of(token=True)
    for path in ("/seen", "/", "/none", "/static", "/staticx", "/loginx"):
        assert ask(app, path).status == 401, path
    assert ask(app, "/ws", scheme="ws").status == 401
    for path in ("/login", "/healthz", "/static/css/base.css"):
        assert ask(app, path).status == 200, path


def test_programs_say_the_token_in_a_header() -> None:
    app = app_of(token=True)
    basic = base64.b64encode(f"any:{SECRET}".encode()).decode()
    for header in (f"Bearer {SECRET}", f"Basic {basic}"):
        assert ask(app, "/seen", headers={"authorization": header}).status == 200
        assert ask(app, "/ws", headers={"authorization": header}, scheme="ws").status == 101
    assert ask(app, "/seen").headers["www-authenticate"].startswith("Basic")
    assert ask(app, "/seen", headers={"user-agent": "Mozilla/5.0"}).headers["www-authenticate"] == "Bearer"
    assert ask(app, f"/seen?token={SECRET}").status == 401


def test_a_browser_logs_in_and_gets_where_it_wanted() -> None:
    app = app_of(token=True, secure=True)
    sent = ask(app, "/seen?a=1", headers={"accept": "text/html"})
    assert (sent.status, sent.headers["location"]) == (303, "/login?next=/seen%3Fa%3D1")
    wrong = log_in(app, "wrong")
    assert (wrong.status, "set-cookie" in wrong.headers) == (403, False)
    done = log_in(app, SECRET, to=sent.headers["location"])
    assert (done.status, done.headers["location"]) == (303, "/seen?a=1")
    cookie, *marks = done.headers["set-cookie"].lower().split("; ")
    assert {"httponly", "secure", "path=/"} <= set(marks)
    assert {"samesite=lax", "samesite=strict"} & set(marks)
    assert SECRET not in cookie
    assert ask(app, "/seen", headers={"cookie": cookie}).status == 200
    assert ask(app, "/ws", headers={"cookie": cookie}, scheme="ws").status == 101
    assert ask(app, "/seen", headers={"cookie": f"{COOKIE}={SECRET}"}).status == 401


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example/", "/\\evil.example", "evil", ""])
def test_the_login_leads_to_no_other_site(to: str) -> None:
    app = app_of(token=True)
    assert log_in(app, SECRET, to=f"/login?{urlencode({'next': to})}").headers["location"] == "/"


def test_guesses_are_limited_by_whatever_door() -> None:
    app = app_of(token=True)
    for _ in range(3):
        assert ask(app, "/seen", headers={"authorization": "Bearer wrong-wrong-wrong"}).status == 401
    for _ in range(2):
        assert log_in(app, "wrong").status == 403
    limited = ask(app, "/seen", headers=BEARER)
    assert (limited.status, 0 < int(limited.headers["retry-after"]) <= 12) == (429, True)
    assert log_in(app, SECRET).status == 429
    assert ask(app, "/seen", headers=BEARER, client="10.0.0.9").status == 200, "another address"


def test_requests_are_limited() -> None:
    app = app_of(per_s=0.5)
    assert [ask(app, "/seen").status for _ in range(6)] == [200] * 5 + [429]
    assert ask(app, "/ws", scheme="ws").status == 429
    assert ask(app, "/seen", client="10.0.0.9").status == 200


def test_a_body_that_is_too_large_is_refused() -> None:
    assert ask(app_of(), "/changed", "POST", {"content-length": str(10**6)}).status == 413
    assert log_in(app_of(token=True), "x" * 10_000).status == 413


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/none", 404), ("/fails", 500), ("/static/none.js", 404)])
def test_every_answer_has_the_security_headers(path: str, status: int) -> None:
    answer = ask(app_of(), path)
    assert answer.status == status
    assert {name.decode(): value.decode() for name, value in SECURITY_HEADERS}.items() <= answer.headers.items()
    assert "unsafe" not in answer.headers["content-security-policy"]
