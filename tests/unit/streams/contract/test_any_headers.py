"""Whatever a record holds beside its image: a frame, or a FrameError of bad headers; and a dead letter of it."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.dead_letters import dead_letter
from streams.contract.errors import FrameError
from streams.contract.frame import Frame, Headers
from streams.contract.headers import HOPS, Record, camera_of, numbered, to_frame, to_headers
from streams.contract.redrive import is_redriven, letter_of, redriven_for

JPEG = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()
OURS = [
    name for name, _ in to_headers(Frame(camera_id="a", epoch="e", sequence=0, captured_at_ns=0, width=1, height=1))
]
NAMES = [*OURS, *HOPS.values(), "ce_pipeline", "ce_input", "ce_toraw", "ce_mediatimens", "ce_cameraclockns"]
NAMES += ["traceparent", "dl_reason", "dl_pipeline", "dl_attempt", "dl_letter", "Faust-Ag-ReplyTo", ""]
# What nearly makes sense, too.
VALUES = st.one_of(
    st.none(),
    st.binary(max_size=40),
    st.sampled_from(
        [
            *(b"gate-1/e/7", b"gate-1/e/", b"gate-1//7", b"/e/7", b"/cameras/gate-1", b"e", b"@raw-0", b"raw/0/1"),
            *(b"7", b"-1", b"1e9", b"9" * 19, b"9" * 20, "٣".encode(), b"nan", b"2", b"100", b"\xff", b"image/gif"),
            *(
                b"64 48 1 0 0 0 1 0",
                b"64 48 1e308 -1e308 1e308 1e-300 0 -0",
                b"64 48 nan inf 0 0 0 0",
                b"0 0 1 0 0 0 1 0",
            ),
            b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01",
        ]
    ),
)
HEADERS = st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), st.text(max_size=5)), VALUES), max_size=12)
# Kafka takes none that lies more than an hour ahead.
TIMES = st.integers(-1, 4_000_000_000_000)
KEYS = st.one_of(st.none(), st.just(b"gate-1"), st.binary(max_size=140))


def record(headers: Headers, key: bytes | None = b"gate-1", timestamp_ms: int = 0) -> Record:
    return Record("frames.raw", 3, 90211, timestamp_ms, key, JPEG, headers)


@settings(max_examples=500, deadline=None)
@given(HEADERS, KEYS, TIMES)
def test_any_headers_and_any_key(headers: Headers, key: bytes | None, timestamp_ms: int) -> None:
    bad = record(headers, key, timestamp_ms)
    try:
        frame = to_frame(bad)
        is_redriven(bad)
    except FrameError as error:
        assert error.reason == "bad_headers"
        letter = dead_letter(bad, error, pipeline="a@1", failed_ns=0)
        # It can be sent on: headers of UTF-8, none of them posing as ours.
        assert [value.decode() for name, value in letter.headers if name == "dl_reason"] == ["bad_headers"]
    else:
        # What has been read is read again as the same frame.
        again = to_frame(record(list(to_headers(frame)), key))
        assert (again.name, again.captured_at_ns, again.source) == (frame.name, frame.captured_at_ns, frame.source)


@settings(max_examples=200, deadline=None)
@given(HEADERS)
def test_what_is_asked_of_every_record_takes_any_headers(headers: Headers) -> None:
    asked = record(headers)
    numbered(asked, camera_of(asked))
    redriven_for(headers)
    letter_of(asked)
