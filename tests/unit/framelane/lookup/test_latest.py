"""The latest frames of a partition that is a list."""

from collections.abc import Iterator, Mapping, Sequence

import cv2
import numpy as np
from confluent_kafka import Message

from consumers.lookup.places import Offsets
from framelane.lookup.latest import latest_frames
from streams.contract.camera_globs import CameraGlobs

JPEG = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()
BEGAN_MS = 1_778_311_800_000


class Partition:
    """Frames of gate-1. captured_s: when each was captured; sent_s: when it was sent."""

    topic = "t"

    def __init__(self, frames: Sequence[tuple[int, int]]) -> None:
        self.frames, self.read = frames, 0

    def offsets(self) -> dict[int, Offsets]:
        return {0: Offsets(0, len(self.frames))}

    def offsets_at(self, ends: Mapping[int, Offsets], at_ms: int) -> dict[int, int]:
        raise AssertionError("no time was named")

    def span(self, partition: int, start: int, end: int) -> Iterator[Message]:
        for at in range(start, end):
            captured_s, sent_s = self.frames[at]
            captured_ns = (BEGAN_MS + captured_s * 1000) * 1_000_000
            yield Message(
                topic="t",
                partition=partition,
                offset=at,
                key=b"gate-1",
                value=JPEG,
                headers=[("ce_id", b"gate-1/e/%d" % captured_s), ("ce_capturedns", b"%d" % captured_ns)],
                timestamp=(1, BEGAN_MS + sent_s * 1000),
            )


def latest(*frames: tuple[int, int]) -> tuple[str, int]:
    """The name of the latest frame of gate-1, and how many records were read for it."""
    found = latest_frames(Partition(frames), CameraGlobs(("gate-1",)))  # type: ignore[arg-type]
    return found.frames["gate-1"].name, found.read


def test_it_is_enough_to_see_a_camera_that_is_named() -> None:
    assert latest(*((at, at) for at in range(100))) == ("gate-1/e/99", 32)


def test_frames_that_were_redriven_are_no_reason_to_stop() -> None:
    redriven = ((at, 200) for at in range(40))
    assert latest(*((at, at) for at in range(100)), *redriven) == ("gate-1/e/99", 96)
