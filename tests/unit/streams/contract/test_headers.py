"""Frames <-> records."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.errors import FrameError
from streams.contract.frame import Frame
from streams.contract.headers import MAX_HEADER_BYTES, Record, rfc3339, to_frame, to_headers
from streams.contract.identity import new_epoch

JPEG = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()


def record(
    headers: list[tuple[str, bytes | None]], *, key: bytes | None = b"gate-1", value: bytes | None = JPEG
) -> Record:
    return Record("frames.raw", 3, 90211, 1_700_000_000_123, key, value, headers)


def frame(**more: object) -> Frame:
    values = {
        "camera_id": "gate-1",
        "epoch": "20261124T020000000-ab12",
        "sequence": 7,
        "captured_at_ns": 1_700_000_000_123_456_789,
    }
    return Frame(**{**values, "width": 64, "height": 48, "data": JPEG, **more})  # type: ignore[arg-type]


def test_a_frame_survives_the_way_through_kafka() -> None:
    sent = frame(
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        media_time_ns=40_000_000,
        pipeline="quick@1f3a",
        source="/pipelines/quick",
        input="frames.raw/3/1",
        hops={"received": 1, "started": 2, "processed": 3},
    )
    came = to_frame(record(list(to_headers(sent))))
    for name in Frame.__struct_fields__:
        if name not in ("to_raw", "header", "_image"):
            assert getattr(came, name) == getattr(sent, name), name


def test_the_headers_are_those_of_the_contract() -> None:
    assert dict(to_headers(frame())) == {
        "content-type": b"image/jpeg",
        "ce_specversion": b"1.0",
        "ce_type": b"io.framelane.frame.v1",
        "ce_source": b"/cameras/gate-1",
        "ce_id": b"gate-1/20261124T020000000-ab12/7",
        "ce_time": b"2023-11-14T22:13:20.123456Z",
        "ce_epoch": b"20261124T020000000-ab12",
        "ce_frameseq": b"7",
        "ce_capturedns": b"1700000000123456789",
        "ce_width": b"64",
        "ce_height": b"48",
    }


def test_a_record_without_headers_is_a_good_frame() -> None:
    came = to_frame(record([("x-other", b"\xff")]))
    assert (came.camera_id, came.epoch, came.sequence) == ("gate-1", "@frames.raw-3", 90211)
    assert came.captured_at_ns == 1_700_000_000_123_000_000
    assert (came.width, came.height, came.content_type) == (64, 48, "image/jpeg")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ce_id", b"gate-2/e/7", "another camera"),
        ("ce_id", b"gate-1/e", "not <camera>/<epoch>/<sequence>"),
        ("ce_id", b"gate-1/e/-1", "not <camera>/<epoch>/<sequence>"),
        ("ce_id", b"gate-1/e/99999999999999999999999", "not <camera>/<epoch>/<sequence>"),
        ("ce_source", b"/cameras/gate-2", "another camera"),
        ("ce_frameseq", b"8", "ce_frameseq"),
        ("ce_epoch", b"other", "ce_epoch"),
        ("ce_capturedns", b"soon", "not a number"),
        ("ce_epoch", b"\xff\xfe", "not UTF-8"),
        ("x", b"x" * MAX_HEADER_BYTES, "bytes of them"),
    ],
)
def test_forged_headers_are_refused(name: str, value: bytes, says: str) -> None:
    headers = {**dict(to_headers(frame())), name: value}
    with pytest.raises(FrameError, match=says) as refused:
        to_frame(record(list(headers.items())))
    assert refused.value.reason == "bad_headers"


def test_a_flood_of_empty_headers_is_refused() -> None:
    with pytest.raises(FrameError, match="more than 100 headers"):
        to_frame(record([("", b"")] * 101))


def test_a_record_without_a_time_has_a_capture_time_that_can_be_read_again() -> None:
    bare = Record("frames.raw", 0, 0, -1, b"gate-1", JPEG, [])
    again = to_frame(record(list(to_headers(to_frame(bare)))))
    assert again.captured_at_ns == 0


@pytest.mark.parametrize("key", [None, b"", b"\xff", b"-gate", b"a" * 129, "tür".encode(), b"a/b"])
def test_a_key_that_is_no_camera_is_refused(key: bytes | None) -> None:
    with pytest.raises(FrameError, match="no camera id") as refused:
        to_frame(record([], key=key))
    assert refused.value.reason == "bad_headers"


@given(
    st.lists(
        st.tuples(st.sampled_from(["ce_id", "ce_epoch", "ce_frameseq", "ce_source", "traceparent", "x"]), st.binary())
    )
)
def test_no_headers_whatever_raise_anything_else(headers: list[tuple[str, bytes | None]]) -> None:
    try:
        to_frame(record(headers))
    except FrameError as error:
        assert error.reason == "bad_headers"


def test_epochs_are_findable_by_time() -> None:
    epoch = new_epoch(1_700_000_000_123_456_789)
    assert epoch.startswith("20231114T221320123-")
    assert new_epoch(1_700_000_000_123_456_789) != epoch


def test_times_are_rfc_3339() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000000Z"
