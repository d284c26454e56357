"""The way back of a dead letter: what a redriven record says, and what a mark does."""

import cv2
import numpy as np
import pytest

from streams.contract.dead_letters import dead_letter
from streams.contract.errors import FrameError
from streams.contract.frame import Frame, Headers
from streams.contract.headers import MAX_HEADER_BYTES, MAX_HEADERS, Record, to_frame, to_headers
from streams.contract.identity import is_epoch
from streams.contract.redrive import (
    MARK_TYPE,
    MAX_ATTEMPTS,
    attempt_of,
    is_redriven,
    letter_of,
    mark_headers,
    redriven_for,
    redriven_headers,
)

JPEG = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()
ERROR = FrameError("it raised", reason="operator_error", stage="0:blur")


def record(headers: Headers = (), **more: object) -> Record:
    given: dict[str, object] = {"topic": "frames.raw", "partition": 3, "offset": 17, "timestamp_ms": 1234}
    given |= {"key": b"gate-1", "value": JPEG, "headers": headers}
    return Record(**given | more)  # type: ignore[arg-type]


def redriven(frame: Record, *, attempt: int = 2) -> Record:
    """What is sent through again after this frame has failed."""
    letter = dead_letter(frame, ERROR, pipeline="privacy@1f3a", operators="blur/1", failed_ns=99)
    lies = Record("dead", 1, 5, letter.timestamp_ms, letter.key, letter.value, letter.headers)
    headers = redriven_headers(
        lies, input=frame.place, captured_ms=lies.timestamp_ms, pipeline="privacy@1f3a", attempt=attempt
    )
    return Record("frames.raw", 3, 900, 9_999_999, lies.key, lies.value, headers)


def test_a_bare_record_keeps_the_name_and_the_time_that_it_had() -> None:
    before, after = to_frame(record()), to_frame(redriven(record()))
    assert is_epoch(after.epoch)
    assert after.name == before.name == "gate-1/@frames.raw-3/17"
    assert (after.source, after.captured_at_ns) == (before.source, before.captured_at_ns)


def test_a_frame_with_headers_keeps_them() -> None:
    frame = Frame(camera_id="gate-1", epoch="e", sequence=7, captured_at_ns=5, width=64, height=48)
    again = redriven(record([*to_headers(frame), ("mine", b"1")]))
    kept = [header for header in again.headers if not header[0].startswith("dl_")]
    assert kept == [*to_headers(frame), ("mine", b"1")]
    assert to_frame(again).name == "gate-1/e/7"


def test_a_name_without_a_time_gets_that_of_its_record() -> None:
    again = redriven(record([("ce_id", b"gate-1/e/7")]))
    assert to_frame(again).captured_at_ns == 1234_000_000


def test_what_has_no_name_keeps_what_does_not_contradict_the_one_it_gets() -> None:
    wrong = [("ce_source", b"/cameras/yard"), ("ce_epoch", b"e"), ("ce_frameseq", b"5"), ("ce_type", b"x")]
    again = redriven(record([("ce_mediatimens", b"40"), ("ce_custom", b"1"), *wrong]))
    assert to_frame(again).media_time_ns == 40
    assert to_frame(again).name == "gate-1/@frames.raw-3/17"
    assert dict(again.headers)["ce_custom"] == b"1"


@pytest.mark.parametrize("limit", ["count", "bytes"])
def test_a_frame_at_the_limits_can_be_redriven(limit: str) -> None:
    full = to_headers(Frame(camera_id="gate-1", epoch="e", sequence=7, captured_at_ns=5, width=64, height=48))
    if limit == "count":
        full += [("", b"")] * (MAX_HEADERS - len(full))
    else:
        full.append(("", b"x" * (MAX_HEADER_BYTES - sum(len(name) + len(value) for name, value in full))))
    again = redriven(record(full))
    assert len(again.headers) == len(full) + 3
    assert to_frame(again).name == "gate-1/e/7"
    with pytest.raises(FrameError, match="more than 100 headers"):
        to_frame(record([*again.headers, ("x", b"")]))


@pytest.mark.parametrize(
    "flood", [[("dl_letter", b"")] * 101, [("dl_letter", b"x" * 20_000)], [("dl_x", b""), *[("x", b"")] * 101]]
)
def test_a_flood_is_one_under_whatever_name(flood: Headers) -> None:
    with pytest.raises(FrameError, match="more than 100 headers"):
        to_frame(record(flood))


def test_it_says_for_whom_and_which_attempt_it_is() -> None:
    again = redriven(record())
    assert (redriven_for(again.headers), attempt_of(again), letter_of(again)) == ("privacy", 2, "dead/1/5")
    assert is_redriven(again)


def test_its_failure_makes_a_letter_of_that_attempt_that_names_the_one_before() -> None:
    headers = dict(
        dead_letter(redriven(record()), ERROR, pipeline="privacy@2", failed_ns=1, operators="blur/2").headers
    )
    assert (headers["dl_attempt"], headers["dl_letter"]) == (b"2", b"dead/1/5")
    assert (headers["dl_pipeline"], headers["dl_operators"]) == (b"privacy@2", b"blur/2")
    assert headers["ce_id"] == b"gate-1/@frames.raw-3/17"


@pytest.mark.parametrize("attempt", [b"", b"1", b"0", b"-2", b"two", b"101", b"9999999999", b"\xff"])
def test_nonsense_for_an_attempt_is_refused_and_counts_as_too_many(attempt: bytes) -> None:
    forged = record([("dl_pipeline", b"privacy"), ("dl_attempt", attempt), ("dl_letter", b"dead/1/5")])
    with pytest.raises(FrameError, match="dl_attempt") as caught:
        is_redriven(forged)
    assert caught.value.reason == "bad_headers"
    letter = dead_letter(forged, caught.value, pipeline="privacy@1", failed_ns=1)
    assert dict(letter.headers)["dl_attempt"] == str(MAX_ATTEMPTS).encode()


@pytest.mark.parametrize("headers", [[], [("dl_attempt", b"7")], [("dl_pipeline", None), ("dl_letter", b"dead/1/5")]])
def test_any_other_record_is_for_everybody_and_a_first_attempt(headers: Headers) -> None:
    frame = record(headers)
    assert (redriven_for(frame.headers), attempt_of(frame), letter_of(frame)) == (None, 1, "")
    assert not is_redriven(frame)


def test_a_dead_letter_is_no_redriven_record_so_a_pipeline_may_read_them() -> None:
    letter = dead_letter(redriven(record()), ERROR, pipeline="privacy@1f3a", failed_ns=99)
    assert redriven_for(letter.headers) is None


def test_frames_of_ours_never_say_for_whom_they_are() -> None:
    frame = Frame(camera_id="a", epoch="e", sequence=0, captured_at_ns=5, width=1, height=1, traceparent="x", input="y")
    assert not [name for name, _ in to_headers(frame) if name.startswith("dl_")]


@pytest.mark.parametrize("letter", [b"", b"dead/1", b"dead/1/5/6", b"../1/5\n", b"dead/x/5", b"\xff/1/5"])
def test_only_a_place_is_taken_for_one(letter: bytes) -> None:
    assert letter_of(record([("dl_pipeline", b"privacy"), ("dl_attempt", b"2"), ("dl_letter", letter)])) == ""


def test_a_mark_is_no_dead_letter_and_no_frame() -> None:
    headers = mark_headers("dead/1/5", mark="mended", pipeline="privacy@1f3a")
    texts = dict(headers)
    assert (texts["ce_type"], texts["ce_source"]) == (MARK_TYPE.encode(), b"/pipelines/privacy")
    assert (texts["dl_mark"], texts["dl_letter"], texts["ce_id"]) == (b"mended", b"dead/1/5", b"dead/1/5/mended")
    assert "dl_reason" not in texts
    with pytest.raises(FrameError):
        to_frame(record(headers, value=b""))
