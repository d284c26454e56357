"""The token, and the cookie that stands for it."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable

from streams.contract.errors import SettingError

COOKIE = "framelane_view"
KEPT_S = 7 * 24 * 3600
SHORTEST = 16


class Token:
    """Compares in constant time, and makes cookies that do not show it. now_s: the clock, seconds since 1970."""

    def __init__(self, secret: str, *, now_s: Callable[[], float] = time.time) -> None:
        """SettingError for one that is soon guessed."""
        if len(secret) < SHORTEST:
            raise SettingError(
                f"the view's token has {len(secret)} characters; expected {SHORTEST} or more: openssl rand -hex 16"
            )
        self._digest = hashlib.sha256(secret.encode()).digest()
        self._key = hashlib.sha256(b"framelane view cookie\0" + secret.encode()).digest()
        self._now_s = now_s

    def is_it(self, given: str) -> bool:
        """Whether this is the token."""
        return hmac.compare_digest(hashlib.sha256(given.encode()).digest(), self._digest)

    def cookie(self) -> str:
        """A cookie that is good for a week."""
        until = str(int(self._now_s()) + KEPT_S)
        return f"{until}.{self._sign(until)}"

    def is_cookie(self, given: str) -> bool:
        """Whether this is a cookie of ours that is still good."""
        until, _, signature = given.partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(until).encode()):
            return False
        return until.isdigit() and int(until) > self._now_s()

    def authorizes(self, header: str) -> bool:
        """Whether an `Authorization` header has the token: Bearer, or Basic with it as the password."""
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "bearer":
            return self.is_it(value.strip())
        if scheme.lower() != "basic":
            return False
        try:
            _, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return self.is_it(password)

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
