from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.errors import SettingError
from streams.contract.headers import rfc3339
from streams.contract.times import parse_time, to_ns

NOW_NS = 1_778_312_000_000_000_000
SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW_NS),
        (" NOW ", NOW_NS),
        ("-10m", NOW_NS - 600 * SECOND),
        ("-1h30m", NOW_NS - 5400 * SECOND),
        ("+500ms", NOW_NS + SECOND // 2),
        ("-1.5s", NOW_NS - 3 * SECOND // 2),
        ("-7d", NOW_NS - 7 * 86400 * SECOND),
        ("-5min", NOW_NS - 300 * SECOND),
        ("1970-01-01T00:00:01Z", SECOND),
        ("2026-05-09T07:30:00+02:00", 1_778_304_600 * SECOND),
        ("2026-05-09 05:30:00.250Z", 1_778_304_600 * SECOND + SECOND // 4),
    ],
)
def test_reads_times(text: str, expected: int) -> None:
    assert parse_time(text, now_ns=NOW_NS) == expected


@pytest.mark.parametrize(
    "text", ["", "yesterday", "10m", "-10", "-10 m", "-m", "-10x", "2026-13-01T00:00:00Z", "-99999d"]
)
def test_refuses_what_is_no_time_and_shows_it(text: str) -> None:
    with pytest.raises(SettingError, match="time") as raised:
        parse_time(text, now_ns=NOW_NS)
    assert repr(text) in str(raised.value)


def test_refuses_a_time_without_a_zone() -> None:
    with pytest.raises(SettingError, match="has no zone"):
        parse_time("2026-05-09T07:30:00", now_ns=NOW_NS)
    with pytest.raises(SettingError, match="has no zone"):
        to_ns(datetime(2026, 5, 9))  # noqa: DTZ001


@given(st.integers(0, 4_000_000_000_000_000))
def test_reads_what_headers_write(at_us: int) -> None:
    assert parse_time(rfc3339(at_us * 1000), now_ns=0) == at_us * 1000


def test_datetimes_are_exact_to_the_microsecond_in_any_zone() -> None:
    at = datetime(2026, 5, 9, 7, 30, 0, 123457, tzinfo=UTC)
    assert to_ns(at) == to_ns(at.astimezone(timezone(timedelta(hours=-9)))) == 1_778_311_800_123_457_000
