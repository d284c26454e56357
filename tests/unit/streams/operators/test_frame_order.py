from track_support import frame_at

from streams.operators.frame_order import FrameOrder

LATER = "20260102T040000000-efgh"


def times(*frames: tuple[int, float, str]) -> list[int | None]:
    """In ms, for frames with these numbers, seconds and epochs."""
    order = FrameOrder()
    found = [order.see(frame_at(index, at_s=at_s, epoch=epoch)) for index, at_s, epoch in frames]
    return [None if at_ns is None else round(at_ns / 1e6) for at_ns in found]


def test_time_is_counted_from_the_first_frame() -> None:
    assert times((5, 10.0, "a"), (6, 10.1, "a"), (9, 10.4, "a")) == [0, 100, 400]


def test_two_frames_at_once_are_both_seen() -> None:
    assert times((0, 1.0, "a"), (1, 1.0, "a"), (2, 1.1, "a")) == [0, 0, 100]


def test_a_new_epoch_goes_on_in_time() -> None:
    assert times((7, 1.0, "a"), (0, 3.0, "b"), (1, 3.1, "b")) == [0, 2000, 2100]


def test_a_number_that_has_been_there_is_passed_over_whatever_its_time() -> None:
    assert times((5, 1.0, "a"), (5, 1.0, "a"), (3, 2.0, "a"), (4, 2.0, "a"), (6, 1.1, "a")) == [
        0,
        None,
        None,
        None,
        100,
    ]


def test_one_frame_of_the_past_is_passed_over_and_costs_no_time() -> None:
    assert times((5, 100.0, "b"), (900, 2.0, "a"), (6, 100.1, "b")) == [0, None, 100]


def test_a_clock_that_is_put_back_goes_on_with_the_second_frame() -> None:
    found = times((0, 100.0, "a"), (1, 50.0, "a"), (2, 50.1, "a"), (3, 50.2, "a"))

    assert found == [0, None, 0, 100]


def test_two_of_the_past_that_do_not_follow_one_another_are_both_passed_over() -> None:
    found = times((0, 100.0, "a"), (1, 50.0, "a"), (2, 100.2, "a"), (3, 50.1, "a"), (4, 100.4, "a"))

    assert found == [0, None, 200, None, 400]
