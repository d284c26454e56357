"""Dead letters."""

from streams.contract.dead_letters import dead_letter
from streams.contract.errors import FrameError
from streams.contract.headers import MAX_HEADER_BYTES, Headers, Record

ERROR = FrameError("cannot be decoded: truncated", reason="undecodable", stage="decode")


def letter_of(headers: Headers = (), value: bytes | None = b"frame", key: bytes | None = b"gate-1", **more: object):  # type: ignore[no-untyped-def]
    record = Record("frames.raw", 3, 17, 1234, key, value, headers)
    return dead_letter(record, ERROR, pipeline="quick@1f3a", failed_ns=99, **more)  # type: ignore[arg-type]


def test_it_carries_the_frame_and_says_why() -> None:
    letter = letter_of([("ce_id", b"gate-1/e/7")])
    assert (letter.key, letter.value, letter.timestamp_ms) == (b"gate-1", b"frame", 1234)
    assert dict(letter.headers) == {
        "ce_id": b"gate-1/e/7",
        "dl_reason": b"undecodable",
        "dl_stage": b"decode",
        "dl_error": b"cannot be decoded: truncated",
        "dl_input": b"frames.raw/3/17",
        "dl_pipeline": b"quick@1f3a",
        "dl_attempt": b"1",
        "dl_failedns": b"99",
    }


def test_above_the_limit_it_refers_to_the_frame() -> None:
    assert letter_of(value=b"x" * 11, max_bytes=10).value == b""


def test_a_missing_value_is_an_empty_one() -> None:
    assert letter_of(value=None).value == b""


def test_unsound_headers_are_left_out() -> None:
    headers = dict(letter_of([("ce_id", b"\xff"), ("dl_reason", b"forged"), ("x", b"fine"), ("none", None)]).headers)
    assert headers["dl_reason"] == b"undecodable"
    assert headers["x"] == b"fine"
    assert "ce_id" not in headers


def test_a_flood_of_headers_is_left_out() -> None:
    assert all(name.startswith("dl_") for name, _ in letter_of([("x", b"x" * MAX_HEADER_BYTES)]).headers)
