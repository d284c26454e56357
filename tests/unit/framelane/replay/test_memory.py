"""Which frames before a stretch its memories see."""

from collections.abc import Iterator, Sequence

from framelane.replay.memory import WarmUp, find_warm_up
from streams.contract.headers import Record


class Log:
    """A partition, with the camera of each record; and what was asked of it."""

    def __init__(self, cameras: Sequence[str]) -> None:
        self._cameras = cameras
        self.asked: list[tuple[int, int]] = []

    def scan(self, start: int, end: int) -> Iterator[Record]:
        self.asked.append((start, end))
        for offset in range(start, end):
            yield Record("raw", 0, offset, 0, self._cameras[offset].encode(), b"", ())


def find(log: Log, *, start: int, memory_frames: int, oldest: int = 0) -> WarmUp:
    return find_warm_up(
        log.scan, start=start, oldest=oldest, memory_frames=memory_frames, wants=lambda camera: camera != "other"
    )


def taken(log: Log, warm: WarmUp, cameras: Sequence[str], start: int) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for offset in range(warm.first, start):
        if cameras[offset] in warm.of and warm.takes(cameras[offset], offset):
            found.setdefault(cameras[offset], []).append(offset)
    return found


def test_the_last_frames_of_one_camera() -> None:
    log = Log(["a"] * 100)

    warm = find(log, start=50, memory_frames=10)

    assert taken(log, warm, ["a"] * 100, 50) == {"a": list(range(40, 50))}


def test_of_each_camera_as_many() -> None:
    cameras = ["a", "b", "c", "a"] * 25
    warm = find(Log(cameras), start=90, memory_frames=10)

    found = taken(Log(cameras), warm, cameras, 90)

    assert {camera: len(offsets) for camera, offsets in found.items()} == {"a": 10, "b": 10, "c": 10}
    assert found["b"] == [offset for offset in range(90) if cameras[offset] == "b"][-10:]


def test_a_camera_that_seldom_comes_is_not_looked_for_without_end() -> None:
    cameras = ["rare"] + ["a"] * 998 + ["rare"]
    log = Log(cameras)

    warm = find(log, start=1000, memory_frames=10)

    found = taken(log, warm, cameras, 1000)
    assert (len(found["a"]), found["rare"]) == (10, [999])
    assert min(start for start, _ in log.asked) >= 900


def test_no_further_back_than_what_is_retained() -> None:
    warm = find(Log(["a"] * 100), start=50, memory_frames=30, oldest=35)

    assert warm.first == 35


def test_no_record_is_read_twice() -> None:
    log = Log(["a", "b", "c", "a"] * 50)

    find(log, start=180, memory_frames=20)

    assert sorted(log.asked) == [(60, 140), (140, 180)]


def test_frames_that_are_not_meant_are_not_seen() -> None:
    cameras = ["other", "a"] * 50
    warm = find(Log(cameras), start=100, memory_frames=5)

    assert list(warm.of) == ["a"]


def test_nothing_lies_before() -> None:
    assert find(Log([]), start=0, memory_frames=10) == WarmUp(0)


def test_it_is_found_again_when_retention_has_deleted_what_lies_before_it() -> None:
    cameras = ["a", "b", "b"] * 50
    first = find(Log(cameras), start=140, memory_frames=10)

    assert find(Log(cameras), start=140, memory_frames=10, oldest=first.first) == first
