"""Addresses without their secrets: what may be printed, logged and reported."""

import re

_START = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?/{2,}|[a-z][a-z0-9+.-]*:/?", re.IGNORECASE | re.ASCII)
_IPV6 = re.compile(r"\[[0-9a-f:.%]*\](:[0-9]*)?", re.IGNORECASE)
_QUERY = re.compile(r"(?<==)[^&#]*")
# Cameras also take these in the path: /user=admin_password=secret_channel=1.sdp
_SECRET = re.compile(
    r"((?:user|usr|login|pass|pwd|psw|token|secret|auth|api_?key)[a-z_]*=).*?(?=[&;]|_[a-z]+=|$)",
    re.IGNORECASE | re.DOTALL,
)


def redact(text: str) -> str:
    """An address without user, password, the values of its query, and what else is named as a secret in it.

    `rtsp://admin:1234@cam/stream?token=x` becomes `rtsp://***@cam/stream?token=***`. Users write passwords as they are,
    with "/" and "@" in them: rather too much is hidden than too little. A path stays as it is.
    """
    start = _START.match(text)
    if start is not None:
        text = start[0] + _without_user(text[start.end() :])
    text = _SECRET.sub(r"\1***", text)
    if start is None or "//" not in start[0]:
        return text
    address, mark, query = text.partition("?")
    return address + mark + _QUERY.sub("***", query)


def _without_user(rest: str) -> str:
    first = re.split(r"[/?#]", rest, maxsplit=1)[0]
    # `cam:80/x@y` is hidden, too: it may be the user cam with the password 80/x.
    if _IPV6.fullmatch(first) or not ("@" in first or ":" in first):
        return rest
    before_query = re.split(r"\?(?=[^=@/]+=)", rest, maxsplit=1)[0]
    last = before_query.rfind("@") if "@" in before_query else rest.rfind("@")
    return "***" + rest[last:] if last >= 0 else rest
