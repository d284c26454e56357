import json

from consumer_support import frame_of

from consumers.view.past.frames import Found, Kept, film, found
from streams.contract.headers import Record, to_headers


def _found(sequence: int, *, offset: int | None = None) -> Found:
    frame = frame_of(sequence=sequence, captured_at_ns=1_778_312_000_123_456_789 + sequence, pipeline="watch")
    at = sequence if offset is None else offset
    each = found(Record("processed", 0, at, 0, b"gate-1", frame.data, to_headers(frame)))
    assert each is not None
    return each


def test_a_film_has_each_frame_with_its_header() -> None:
    frames = [_found(3), _found(4)]
    data = film((each.told("processed"), each.frame.data) for each in frames)
    for each in frames:
        length = int.from_bytes(data[:4], "big")
        header = json.loads(data[4 : 4 + length])
        assert (header["sequence"], header["place"]) == (each.frame.sequence, each.record.place)
        assert header["captured_at_ns"] == str(each.frame.captured_at_ns)
        picture, data = data[4 + length : 4 + length + header["bytes"]], data[4 + length + header["bytes"] :]
        assert picture == each.frame.data
    assert data == b""


def test_what_is_no_picture_is_no_frame() -> None:
    assert found(Record("processed", 0, 0, 0, b"gate-1", b"no picture", [])) is None


def test_the_frames_asked_for_last_are_kept_within_so_many_bytes() -> None:
    frames = [_found(number) for number in range(3)]
    kept = Kept(sum(len(each.frame.data) for each in frames[:2]) + 10)
    kept.add(frames[0])
    kept.add(frames[1])
    assert kept.get("processed/0/0") is frames[0]
    kept.add(frames[2])
    assert kept.get("processed/0/1") is None
    assert kept.get("processed/0/0") is frames[0]
    assert kept.bytes == len(frames[0].frame.data) + len(frames[2].frame.data)
