"""An HTTP address that events are posted to, one at a time over a connection that is kept."""

import base64
import http.client
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, unquote, urlsplit

from streams.contract.errors import SettingError, SinkError

TIMEOUT_S = 10.0
_MAX_ANSWER_BYTES = 64 * 1024
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
# The receiver is there, and will not take anything that comes this way: not one event is to be skipped for that.
_WRONG_ADDRESS = {401, 403, 404, 405, 407, 410}
_LATER = {408, 425, 429}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a post: taken (2xx), refused (this one will never be taken), or neither: try again.

    after_s: not before so many seconds, where the receiver says so. at_once: a connection that had been kept was
    closed, most likely because it was idle.
    """

    taken: bool = False
    refused: bool = False
    reason: str = ""
    after_s: float = 0.0
    at_once: bool = False


class Endpoint:
    """Posts to an http or https address; a user and a password in it are sent as basic authentication.

    name: how it is shown: without user, path and query, for any of them may be a secret.
    """

    def __init__(self, url: str, *, headers: Mapping[str, str], timeout_s: float = TIMEOUT_S) -> None:
        """Raises SettingError for what is no such address, or no header."""
        parts, port = _split(url)
        host = parts.hostname or ""
        self.name = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{'' if port is None else f':{port}'}"
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = _checked(headers) | _authorization(parts)
        if parts.scheme == "https":
            context = ssl.create_default_context()
            self._connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=timeout_s, context=context
            )
        else:
            self._connection = http.client.HTTPConnection(host, port, timeout=timeout_s)

    def post(self, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Post once. Raises SinkError for what neither waiting nor the next event mends: credentials, a wrong path."""
        kept = self._connection.sock is not None
        try:
            return self._post(body, headers)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
            self._connection.close()
            return Outcome(reason=str(error) or type(error).__name__, at_once=kept)
        except ssl.SSLCertVerificationError as error:
            raise SinkError(
                f"{self.name}: its certificate is not trusted: {error.verify_message}; name its CA in SSL_CERT_FILE"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return Outcome(reason=str(error) or type(error).__name__)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post(self, body: bytes, headers: Mapping[str, str]) -> Outcome:
        self._connection.request("POST", self._target, body, {**headers, **self._headers})
        answer = self._connection.getresponse()
        answer.read(_MAX_ANSWER_BYTES)
        if not answer.isclosed():
            self._connection.close()
        status = answer.status
        if 200 <= status < 300:
            return Outcome(taken=True)
        reason = f"{status} {answer.reason}".strip()
        if status in _LATER or status >= 500:
            return Outcome(reason=reason, after_s=_retry_after(answer.getheader("Retry-After")))
        if 300 <= status < 400:
            raise SinkError(f"{self.name} answers {reason}: redirects are not followed; name the address that it means")
        if status in _WRONG_ADDRESS:
            raise SinkError(f"{self.name} answers {reason}: check the address and its credentials (--header-env)")
        return Outcome(refused=True, reason=reason)


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    wrong = not url.isascii() or re.search(r"[\x00-\x20\x7f]", url)
    if parts.scheme not in ("http", "https") or not parts.hostname or wrong:
        # The address may hold a password, so it is not shown.
        raise SettingError("--to: expected an address such as https://example.org/hook, without spaces")
    return parts, port


def _authorization(parts: SplitResult) -> dict[str, str]:
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def _checked(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise SettingError(f"header {name!r}: expected a name such as Authorization")
        if not value.isascii() or not value.isprintable():
            raise SettingError(f"header {name!r}: its value has characters that no header can hold")
    return dict(headers)


def _retry_after(text: str | None) -> float:
    """Seconds; 0 where nothing, or nothing that can be read, is said."""
    if text is None:
        return 0.0
    if text.strip().isdecimal():
        return float(text)
    with suppress(ValueError):
        at = parsedate_to_datetime(text)
        return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    return 0.0
