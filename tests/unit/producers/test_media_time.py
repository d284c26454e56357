import numpy as np

from producers.sources.media_time import MediaTimes

MS = 1_000_000


def sorted_out(times_ms: list[float], *, window: int = 5, interval_ms: float = 10) -> list[tuple[int, float]]:
    """The frames' numbers and times in ms, as they come out."""
    times = MediaTimes(interval_ns=round(interval_ms * MS), window=window)
    out = []
    for number, time_ms in enumerate(times_ms):
        times.push(np.full((1, 1, 3), number, np.uint8), round(time_ms * MS))
        if times.full:
            out.append(times.pop())
    while not times.empty:
        out.append(times.pop())
    return [(int(image[0, 0, 0]), time_ns / MS) for image, time_ns in (held for held in out if held is not None)]


def test_times_in_packet_order_become_times_in_picture_order() -> None:
    assert sorted_out([0, 101, 67, 134, 34, 234, 201, 267, 167]) == list(
        enumerate([0, 34, 67, 101, 134, 167, 201, 234, 267])
    )


def test_uneven_times_are_kept() -> None:
    assert sorted_out([0, 733, 1133, 1600]) == list(enumerate([0, 733, 1133, 1600]))


def test_times_that_stand_still_go_on_by_the_interval() -> None:
    assert sorted_out([0, 0, 0, 0], interval_ms=40) == list(enumerate([0, 40, 80, 120]))


def test_no_time_is_before_the_beginning() -> None:
    assert sorted_out([-33, 0, 33]) == list(enumerate([0, 10, 33]))


def test_nothing_comes_out_of_nothing() -> None:
    assert MediaTimes(interval_ns=1).pop() is None
