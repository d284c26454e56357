"""The last raw frames, by identity."""

from received_support import received

from consumers.view.raw_frames import RawFrames


def test_the_raw_frame_of_a_processed_one_is_found_by_its_name() -> None:
    frames = RawFrames()
    raw, other = received(sequence=1, pipeline=""), received("gate-2", 1, pipeline="")
    frames.add(raw)
    frames.add(other)
    assert frames.of(received(sequence=1)) is raw
    assert frames.of(received(sequence=2)) is None


def test_the_oldest_go_when_they_hold_too_much() -> None:
    frames = RawFrames(kept_bytes=250)
    for sequence in range(3):
        frames.add(received(sequence=sequence, data=b"x" * 100))
    assert frames.bytes == 200
    assert [frames.of(received(sequence=sequence)) is not None for sequence in range(3)] == [False, True, True]


def test_one_that_comes_twice_counts_once() -> None:
    frames = RawFrames()
    frames.add(received(data=b"x" * 100))
    frames.add(received(data=b"x" * 70))
    assert frames.bytes == 70
    frames.clear()
    assert frames.bytes == 0
    assert frames.of(received()) is None
