"""Times as people write them: `now`, `-10m`, or RFC 3339."""

import re
from datetime import UTC, datetime, timedelta

from streams.contract.errors import SettingError

_UNITS_NS = {
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60 * 1_000_000_000,
    "min": 60 * 1_000_000_000,
    "h": 3600 * 1_000_000_000,
    "d": 86400 * 1_000_000_000,
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|min|m|h|d)", re.ASCII)
_RELATIVE = re.compile(rf"([+-])((?:{_PART.pattern})+)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_NS = 2**63 - 1


def parse_time(text: str, *, now_ns: int) -> int:
    """A point in time, in ns since 1970.

    text: `now`, an offset from now such as `-10m`, `-1h30m` or `+500ms`, or RFC 3339 with its zone
    (`2026-05-09T07:30:00Z`). Raises SettingError for anything else, and for times that Kafka cannot hold.
    """
    words = text.strip()
    if words.lower() == "now":
        return now_ns
    if found := _RELATIVE.fullmatch(words.lower()):
        distance = sum(round(float(number) * _UNITS_NS[unit]) for number, unit in _PART.findall(found[2]))
        at_ns = now_ns - distance if found[1] == "-" else now_ns + distance
    else:
        at_ns = _absolute(words)
    if not 0 <= at_ns <= _MAX_NS:
        raise SettingError(f"time {text!r}: lies outside the years 1970 to 2262")
    return at_ns


def to_ns(at: datetime) -> int:
    """A datetime with a zone in ns since 1970; SettingError when it has none, for it could mean any."""
    if at.tzinfo is None:
        raise SettingError(f"time {at.isoformat()!r}: has no zone; write {at.isoformat()}Z, or use tzinfo=UTC")
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000


def _absolute(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingError(
            f"time {text!r}: expected now, -10m (ms, s, m, h, d) or RFC 3339 such as 2026-05-09T07:30:00Z"
        ) from error
    return to_ns(at)
