"""Asking an address on the web, with one time limit for all that it takes, and no secret in what is said of it."""

import asyncio
import base64
import http
import string
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import quote, unquote

import aiohttp

from producers.sources.base import LOOK_S
from producers.sources.plain_socket import PlainSocket, Stopped, take_over
from streams.contract.errors import SourceError
from streams.contract.redact import redact

_MAX_REDIRECTS = 5
_LOGIN = (
    "write user and password into the address: http://user:password@host/..., with / ? # [ ] as %2F %3F %23 %5B %5D"
)
Result = TypeVar("Result")


class Web:
    """An address that can be asked again and again, in one thread; `close` it. name: the address without its secrets.

    A user and a password in the address are for Basic and Digest logins of that host alone.
    """

    def __init__(self, url: str, *, stop: threading.Event) -> None:
        """stop: ends every wait, which then raises Stopped. SourceError for what is no address."""
        self.name = redact(url)
        self._stop = stop
        scheme, _, rest = url.partition("://")
        login, rest = _parted(rest)
        self._user, _, self._password = login.partition(":")
        self._url = f"{scheme}://{quote(rest, safe=string.punctuation)}"
        self._runner = asyncio.Runner()
        self._session: aiohttp.ClientSession | None = None
        self._response: aiohttp.ClientResponse | None = None
        self._login: dict[str, Any] = {}
        self._plain: PlainSocket | None = None
        self._asked_for_plain = False

    def open(self, *, timeout_s: float) -> str:
        """Ask; the type of what comes, such as "image/jpeg". SourceError where nothing does, or not in time."""
        try:
            self._run(self._open(), timeout_s=timeout_s)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SourceError(
                f"source {self.name!r}: {why(error)}; check the address, and that it can be reached"
            ) from None
        assert self._response is not None
        if self._response.status != http.HTTPStatus.OK:
            raise SourceError(f"source {self.name!r}: {self._refusal(self._response.status)}")
        return self._response.content_type.lower()

    def read(self, *, timeout_s: float) -> bytes:
        """What comes next of an endless answer; empty at the end. Raises aiohttp.ClientError, OSError, TimeoutError."""
        assert self._response is not None
        if not self._asked_for_plain:
            self._plain, self._asked_for_plain = self._run(take_over(self._response), timeout_s=timeout_s), True
        if self._plain is not None:
            return self._plain.read(timeout_s=timeout_s, stop=self._stop)
        return self._run(self._response.content.readany(), timeout_s=timeout_s)

    def read_all(self, *, max_bytes: int, timeout_s: float) -> bytes:
        """The rest of it. Raises as `read`, and SourceError when there is more than that."""
        assert self._response is not None
        return self._run(self._all(self._response, max_bytes), timeout_s=timeout_s)

    def close(self) -> None:
        """Hang up; may be called twice."""
        self._let_go_of_plain()
        if self._response is not None:
            self._response.close()
            self._response = None
        if self._session is not None:
            self._runner.run(self._session.close())
            self._session = None
        self._runner.close()

    async def _open(self) -> None:
        self._let_go_of_plain()
        if self._session is None:
            # No limit of its own: ours is for all that it takes.
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None), trust_env=True)
        if self._response is not None:
            self._response.close()
        self._response = await self._ask(self._session)
        if self._response.status == http.HTTPStatus.UNAUTHORIZED and self._user and not self._login:
            wanted = " ".join(self._response.headers.getall("WWW-Authenticate", [])).lower()
            user, password = unquote(self._user), unquote(self._password)
            if "digest" in wanted:
                self._login = {"middlewares": (aiohttp.DigestAuthMiddleware(user, password),)}
            else:
                told = base64.b64encode(f"{user}:{password}".encode()).decode()
                # It is not told to another place that this one redirects to.
                self._login = {"headers": {"Authorization": f"Basic {told}"}}
            self._response.close()
            self._response = await self._ask(self._session)

    def _let_go_of_plain(self) -> None:
        if self._plain is not None:
            self._plain.close()
        self._plain, self._asked_for_plain = None, False

    async def _ask(self, session: aiohttp.ClientSession) -> aiohttp.ClientResponse:
        return await session.get(self._url, max_redirects=_MAX_REDIRECTS, **self._login)

    async def _all(self, response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
        data = bytearray()
        async for part in response.content.iter_any():
            data += part
            if len(data) > max_bytes:
                raise SourceError(f"source {self.name!r}: the picture has more than {max_bytes} bytes")
        return bytes(data)

    def _run(self, work: Coroutine[Any, Any, Result], *, timeout_s: float) -> Result:
        found: list[Result] = []

        # Nothing is returned: in the main thread the runner would make a text of the task with all that is in it.
        async def watched() -> None:
            task = asyncio.ensure_future(work)
            try:
                async with asyncio.timeout(timeout_s):
                    while not (await asyncio.wait([task], timeout=LOOK_S))[0]:
                        if self._stop.is_set():
                            raise Stopped
                found.append(task.result())
            finally:
                if not task.done():
                    task.cancel()
                    # Until it has let go of the connection, nothing else may take it up.
                    await asyncio.wait([task], timeout=1.0)

        self._runner.run(watched())
        return found[0]

    def _refusal(self, status: int) -> str:
        if status in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN):
            return f"it does not let this user in (HTTP {status}); {_LOGIN}"
        words = http.HTTPStatus(status).phrase if status in set(http.HTTPStatus) else ""
        return f"it answers HTTP {status} {words}".rstrip()


def why(error: BaseException) -> str:
    """What has happened, in words that hold nothing of an address, or of what the other side has said."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientSSLError):
        return "its certificate cannot be verified; SSL_CERT_FILE names a file with the authority to be trusted"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "no such host is known"
    if isinstance(error, OSError) and error.strerror:
        return f"no connection: {error.strerror}"
    if isinstance(error, (aiohttp.InvalidURL, ValueError)):
        return f"that is no address; {_LOGIN}"
    return f"what it answers cannot be understood ({type(error).__name__})"


def _parted(rest: str) -> tuple[str, str]:
    """User and password, and what is behind them. People write passwords as they are, with / and @ in them."""
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    authority = rest[:end]
    if "@" in authority:
        login, _, host = authority.rpartition("@")
        return login, host + rest[end:]
    _, _, port = authority.rpartition(":")
    if ":" in authority and not authority.startswith("[") and not port.isdecimal() and "@" in rest:
        login, _, behind = rest.rpartition("@")
        return login, behind
    return "", rest
