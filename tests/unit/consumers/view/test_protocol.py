"""What crosses the WebSocket."""

import json
import struct

import msgspec
import pytest
from received_support import received

from consumers.view.client import Wish
from consumers.view.protocol import (
    Drawn,
    Ping,
    Watch,
    cameras_message,
    frame_message,
    hello_message,
    pong_message,
    read,
)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (
            '{"type":"watch","cameras":{"a":{"width":640,"raw":true},"b":{}}}',
            Watch(cameras={"a": Wish(width=640, raw=True), "b": Wish()}),
        ),
        ('{"type":"watch","cameras":{},"rests":true}', Watch(cameras={}, rests=True)),
        ('{"type":"drawn","n":12}', Drawn(n=12)),
        ('{"type":"ping","t":1.5}', Ping(t=1.5)),
        ('{"type":"ping","t":1,"new":"of a later page"}', Ping(t=1)),
    ],
)
def test_what_the_page_says(text: str, asked: object) -> None:
    assert read(text) == asked


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"type":"other"}', '{"type":"watch","cameras":[]}', '{"type":"drawn"}']
)
def test_what_is_not_understood(text: str) -> None:
    with pytest.raises((msgspec.DecodeError, msgspec.ValidationError)):
        read(text)


def test_a_frame_is_the_length_of_its_header_the_header_and_the_picture() -> None:
    captured = 1_778_312_000_123_456_789
    frame = received("gate-1", 7, captured_at_ns=captured)
    message = frame_message(frame, b"picture", number=3, kind="raw", content_type="image/png", paired=True)
    (length,) = struct.unpack(">I", message[:4])
    assert message[4 + length :] == b"picture"
    assert json.loads(message[4 : 4 + length]) == {
        "n": 3,
        "camera": "gate-1",
        "kind": "raw",
        "epoch": frame.epoch,
        "sequence": 7,
        "captured_ms": captured / 1e6,
        "captured_at_ns": str(captured),
        "width": 64,
        "height": 48,
        "place": "frames.processed/0/7",
        "content_type": "image/png",
        "pipeline": "demo@1f3a",
        "paired": True,
    }


def test_texts_say_what_they_are() -> None:
    assert json.loads(hello_message("1.2.3", 5.5)) == {"type": "hello", "version": "1.2.3", "now_ms": 5.5}
    assert json.loads(pong_message(Ping(t=2.25), 5.5)) == {"type": "pong", "t": 2.25, "now_ms": 5.5}
    assert json.loads(cameras_message([], ["no topic"])) == {"type": "cameras", "cameras": [], "problems": ["no topic"]}
