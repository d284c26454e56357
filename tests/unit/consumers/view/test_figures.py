"""How a camera is doing."""

import pytest
from received_support import received

from consumers.status_board import CameraRow
from consumers.view.figures import SPARK_S, CameraWatch
from streams.contract.status import CameraSums

S = 1_000_000_000
START = 1_778_312_000 * S


def watched(*, every_s: float, frames: int, age_ms: float = 50.0) -> tuple[CameraWatch, int]:
    """A watch after so many frames, the last of them just now."""
    watch, now = CameraWatch("gate-1"), START
    for sequence in range(frames):
        now = START + round(sequence * every_s * S)
        watch.note(received(sequence=sequence, captured_at_ns=now - round(age_ms * 1e6)), now)
    return watch, now


def test_a_camera_that_has_sent_nothing_is_silent() -> None:
    figures = CameraWatch("gate-1").figures(None, START)
    assert (figures.state, figures.age_ms, figures.last_captured_at_ns, figures.fps) == ("silent", None, "", 0)
    assert figures.ages == [None] * SPARK_S


@pytest.mark.parametrize(
    ("after_s", "state"), [(0, "live"), (2.9, "live"), (3.1, "stale"), (30, "stale"), (30.1, "silent")]
)
def test_a_camera_that_stops_is_stale_and_then_silent(after_s: float, state: str) -> None:
    watch, now = watched(every_s=0.1, frames=20)
    assert watch.figures(None, now + round(after_s * S)).state == state


def test_a_camera_that_sends_seldom_is_well() -> None:
    watch, now = watched(every_s=8, frames=40)
    assert watch.figures(None, now + 20 * S).state == "live"
    assert watch.figures(None, now + 25 * S).state == "stale"


def test_frames_that_come_late_are_stale() -> None:
    watch, now = watched(every_s=0.1, frames=5, age_ms=3001)
    assert watch.figures(None, now).state == "stale"
    watch, now = watched(every_s=0.1, frames=5, age_ms=2999)
    assert watch.figures(None, now).state == "live"


def test_the_newest_frame_and_its_age() -> None:
    watch, now = watched(every_s=0.1, frames=3, age_ms=120)
    figures = watch.figures(None, now)
    assert (figures.age_ms, figures.width, figures.height, figures.pipeline) == (120.0, 64, 48, "demo@1f3a")
    assert figures.last_captured_at_ns == str(now - 120_000_000)


def test_a_clock_that_is_ahead_makes_no_age_below_nothing() -> None:
    watch, now = watched(every_s=0.1, frames=3, age_ms=-500)
    assert watch.figures(None, now).age_ms == 0


def test_the_rate_counts_what_was_skipped_over_five_seconds() -> None:
    watch, now = watched(every_s=0.1, frames=1)
    for second in range(10):
        watch.tick(second * 15 if second < 5 else 60 + (second - 4) * 5, now + second * S)
    assert watch.figures(None, now).fps == 5.0


def test_the_sparkline_has_the_oldest_of_each_second() -> None:
    watch, now = CameraWatch("gate-1"), START
    for age_ms in (50, 300, 100):
        watch.note(received(captured_at_ns=now - age_ms * 1_000_000), now)
    watch.tick(3, now)
    watch.tick(3, now + S)
    assert watch.figures(None, now).ages[-3:] == [None, 300.0, None]
    assert len(watch.figures(None, now).ages) == SPARK_S


def test_what_a_producer_leaves_out_because_it_was_asked_to_is_not_dropped() -> None:
    watch, now = watched(every_s=0.1, frames=1)
    row = CameraRow("gate-1", produced=CameraSums(dropped={"paced": 50, "no_motion": 7, "buffer_full": 2}))
    assert watch.figures(row, now).dropped == 2
