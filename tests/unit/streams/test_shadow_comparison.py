"""How two versions of a pipeline are compared, frame by frame."""

from typing import Any

import pytest
from frame_support import flat, picture

from streams.contract.frame import Box, Event
from streams.contract.images import encode
from streams.shadow_comparison import SAME_DB, Comparison, Counts, Seen, changed_events

PICTURE = encode(picture())
COARSE = encode(picture(), quality=10)


def event(kind: str = "motion", **data: Any) -> Event:
    return Event(type=kind, data=data)


class Clock:
    """Seconds, as the test wants them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def comparison(clock: Clock) -> Comparison:
    return Comparison(timeout_s=5, clock=clock)


def compare(comparison: Comparison, live: Seen, shadow: Seen, *, camera: str = "a") -> None:
    comparison.end(comparison.begin(live), shadow, camera=camera)


def last(comparison: Comparison) -> Counts:
    return comparison.last_minute()[1]


@pytest.mark.parametrize(
    ("live", "shadow", "changed"),
    [
        ([], [], 0),
        ([event(zone="0"), event("face")], [event("face"), event(zone="0")], 0),
        ([event(zone="0")], [], 1),
        ([], [event(zone="0"), event(zone="0")], 2),
        ([event(zone="0")], [event(zone="1")], 1),
        ([event(zone="0")], [event(zone="1"), event(zone="2")], 2),
        ([event("motion")], [event("face")], 2),
        ([event(a=1, b=2)], [event(b=2, a=1)], 0),
        ([event(box=Box(x=0.1, y=0, w=1, h=1))], [event(box=Box(x=0.2, y=0, w=1, h=1))], 1),
    ],
)
def test_events_are_the_same_whose_type_and_data_are(live: list[Event], shadow: list[Event], changed: int) -> None:
    assert changed_events(live, shadow) == changed_events(shadow, live) == changed


def test_what_only_one_makes_is_counted_by_which(comparison: Comparison) -> None:
    compare(comparison, Seen(made=True), Seen(made=True))
    compare(comparison, Seen(made=True, events=(event(),)), Seen())
    compare(comparison, Seen(), Seen(made=True))
    compare(comparison, Seen(), Seen(made=True))
    compare(comparison, Seen(), Seen())

    counts = last(comparison)

    assert (counts.frames, counts.only_live, counts.only_shadow) == (5, 1, 2)
    assert (counts.changed_frames, counts.changed_events) == (1, 1)


def test_the_same_picture_and_a_coarser_one(comparison: Comparison) -> None:
    compare(comparison, Seen(made=True, picture=PICTURE), Seen(made=True, picture=PICTURE), camera="a")
    compare(comparison, Seen(made=True, picture=PICTURE), Seen(made=True, picture=COARSE), camera="b")

    counts = last(comparison)

    assert counts.pictures == 2
    assert 15 < counts.lowest_db < 45
    assert counts.psnr_db == pytest.approx(SAME_DB + counts.lowest_db)


def test_a_known_difference_has_its_ratio(comparison: Comparison) -> None:
    # Every sample is 10 off: 20 log10(255 / 10).
    one, other = (encode(flat(64, 48, (v, v, v)), "image/png") for v in (100, 110))
    compare(comparison, Seen(made=True, picture=one), Seen(made=True, picture=other))

    assert last(comparison).lowest_db == pytest.approx(28.13, abs=0.01)


def test_pictures_of_another_size_are_not_measured(comparison: Comparison) -> None:
    compare(comparison, Seen(made=True, picture=PICTURE), Seen(made=True, picture=encode(picture(32, 24))))

    counts = last(comparison)

    assert (counts.frames, counts.pictures, counts.resized) == (1, 0, 1)


def test_a_picture_that_cannot_be_decoded_is_passed_over(comparison: Comparison) -> None:
    compare(comparison, Seen(made=True, picture=PICTURE[: len(PICTURE) // 2]), Seen(made=True, picture=PICTURE))

    counts = last(comparison)

    assert (counts.frames, counts.pictures, counts.resized) == (1, 0, 0)


def test_pictures_are_compared_once_a_second_for_each_camera(comparison: Comparison, clock: Clock) -> None:
    both = Seen(made=True, picture=PICTURE)
    for _ in range(30):
        for camera in ("a", "b"):
            compare(comparison, both, both, camera=camera)
        clock.now += 0.1

    counts = last(comparison)

    assert counts.frames == 60
    # Three seconds; sums of tenths may fall just short of a second.
    assert 4 <= counts.pictures <= 6


def test_what_is_older_than_a_minute_counts_no_more(comparison: Comparison, clock: Clock) -> None:
    compare(comparison, Seen(made=True), Seen())
    clock.now += 59
    compare(comparison, Seen(made=True), Seen())
    seconds, both = comparison.last_minute()
    clock.now += 2
    later, one = comparison.last_minute()

    assert (seconds, both.only_live) == (59, 2)
    assert (later, one.only_live, comparison.totals().only_live) == (60, 1, 2)


def test_a_frame_that_the_shadow_hangs_at_is_one_that_only_live_makes(comparison: Comparison, clock: Clock) -> None:
    hung = comparison.begin(Seen(made=True, events=(event(),)))
    clock.now += 4
    waiting = last(comparison)
    clock.now += 2
    given_up = last(comparison)
    # Its thread comes back after all, and is not counted again.
    comparison.end(hung, Seen(made=True), camera="a")

    assert waiting.frames == 0
    assert (given_up.frames, given_up.only_live, given_up.changed_events) == (1, 1, 1)
    assert last(comparison) == given_up
