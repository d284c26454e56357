"""A thread that reads waits for those that process."""

import threading

from streams.in_flight import InFlight

WAIT_S = 10


def waits(in_flight: InFlight, size: int) -> bool:
    """Whether a frame of so many bytes has to wait."""
    checks = iter([False, True])
    return not in_flight.enter(size, unless=lambda: next(checks))


def test_frames_and_bytes_are_bounded() -> None:
    in_flight = InFlight(max_frames=3, max_bytes=100)
    for size in (40, 40):
        assert in_flight.enter(size, unless=lambda: False)
    assert waits(in_flight, 40)
    assert in_flight.enter(20, unless=lambda: False)
    assert waits(in_flight, 0)
    in_flight.leave(40)
    assert in_flight.enter(40, unless=lambda: False)


def test_a_frame_above_the_limit_goes_alone() -> None:
    in_flight = InFlight(max_frames=3, max_bytes=100)
    assert in_flight.enter(500, unless=lambda: False)
    assert waits(in_flight, 1)


def test_who_waits_goes_on_when_there_is_room() -> None:
    in_flight, entered = InFlight(max_frames=1, max_bytes=100), threading.Event()
    in_flight.enter(1, unless=lambda: False)

    def enter() -> None:
        in_flight.enter(1, unless=lambda: False)
        entered.set()

    threading.Thread(target=enter, daemon=True).start()
    assert not entered.is_set()
    in_flight.leave(1)
    assert entered.wait(WAIT_S)
