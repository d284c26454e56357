import pytest
from producer_support import scene_images

from producers.framing import Framer, Given
from producers.pictures import PictureSettings
from streams.contract.images import encode

SECOND_NS = 1_000_000_000
NOW = 1_800_000_000 * SECOND_NS
JPEG = encode(scene_images(1)[0])


@pytest.fixture
def framer() -> Framer:
    return Framer("c", PictureSettings(), now_ns=NOW)


def captured_at(framer: Framer, *, now_ns: int, captured_at_ns: int | None = None) -> tuple[int, int | None]:
    """Capture time and camera's clock of the frame that is made."""
    given = Given(now_ns=now_ns, captured_at_ns=captured_at_ns, media_time_ns=None, traceparent="")
    frame, record = framer.frame(JPEG, given, sequence=framer.number(), topic="t")
    assert record.captured_at_ns == frame.captured_at_ns
    return frame.captured_at_ns, frame.camera_clock_ns


def test_a_capture_time_is_believed_within_two_seconds(framer: Framer) -> None:
    assert captured_at(framer, now_ns=NOW) == (NOW, None)
    assert captured_at(framer, now_ns=NOW, captured_at_ns=NOW + SECOND_NS) == (NOW + SECOND_NS, None)


def test_a_clock_that_is_off_is_kept_beside(framer: Framer) -> None:
    off = NOW - 3 * SECOND_NS
    assert captured_at(framer, now_ns=NOW, captured_at_ns=off) == (NOW, off)


def test_times_do_not_run_backwards_where_a_clock_is_put_right(framer: Framer) -> None:
    assert captured_at(framer, now_ns=NOW) == (NOW, None)
    assert captured_at(framer, now_ns=NOW - SECOND_NS) == (NOW + 1, None)
    assert captured_at(framer, now_ns=NOW, captured_at_ns=NOW) == (NOW + 2, None)
    assert captured_at(framer, now_ns=NOW + SECOND_NS) == (NOW + SECOND_NS, None)


def test_a_clock_that_was_set_is_not_held_up(framer: Framer) -> None:
    captured_at(framer, now_ns=NOW)
    hour_before = NOW - 3600 * SECOND_NS
    assert captured_at(framer, now_ns=hour_before) == (hour_before, None)


def test_a_new_epoch_has_times_of_its_own(framer: Framer) -> None:
    captured_at(framer, now_ns=NOW)
    assert framer.begun
    framer.begin_epoch(NOW - SECOND_NS)
    assert not framer.begun
    assert captured_at(framer, now_ns=NOW - SECOND_NS) == (NOW - SECOND_NS, None)
