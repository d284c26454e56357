from collections.abc import Iterator
from typing import Any, cast

import pytest
from consumer_support import frame_of

from consumers.lookup.places import Offsets
from consumers.view.past.archive import Archive
from consumers.view.past.frames import Found, Kept
from consumers.view.past.problems import NotHere, OutOfTime
from consumers.view.past.reader import TopicReader
from streams.contract.headers import Record, to_headers

EPOCH_NS = 1_778_312_000_000_000_000


class Log:
    """One partition, as `TopicReader` shows it. slow: the offset that is never reached in time."""

    topic = "processed"
    asked = 0

    def __init__(self, *frames: tuple[str, int, str], slow: int = -1) -> None:
        """frames: camera, sequence, pipeline."""
        self.slow, self.records = slow, []
        for offset, (camera, sequence, pipeline) in enumerate(frames):
            frame = frame_of(camera, sequence, captured_at_ns=EPOCH_NS + sequence * 1_000_000, pipeline=pipeline)
            at_ms, headers = frame.captured_at_ns // 1_000_000, to_headers(frame)
            self.records.append(Record("processed", 0, offset, at_ms, camera.encode(), frame.data, headers))

    def offsets(self) -> dict[int, Offsets]:
        return {0: Offsets(0, len(self.records))}

    def offsets_at(self, ends: Any, at_ms: int) -> dict[int, int]:
        later = [record.offset for record in self.records if record.timestamp_ms >= at_ms]
        return {0: later[0] if later else len(self.records)}

    def forward(self, partition: int, start: int, end: int, key: bytes | None = None) -> Iterator[Record]:
        return self._of(self.records[start:end], key)

    def backward(self, partition: int, start: int, end: int, key: bytes) -> Iterator[Record]:
        return self._of(self.records[start:end][::-1], key)

    def _of(self, records: list[Record], key: bytes | None) -> Iterator[Record]:
        for record in records:
            if record.offset == self.slow:
                raise OutOfTime("slow")
            if key in (None, record.key):
                yield record


def _archive() -> Archive:
    return Archive("processed", Kept(), hint=lambda camera: None)


def _reader(log: Log) -> TopicReader:
    return cast(TopicReader, log)


def _numbers(frames: list[Found]) -> list[int]:
    return [each.frame.sequence for each in frames]


def test_steps_pass_over_other_cameras_other_pipelines_and_what_was_sent_again() -> None:
    log = Log(
        ("gate-1", 1, "a"),
        ("yard-2", 1, "a"),
        ("gate-1", 2, "a"),
        ("gate-1", 2, "b"),
        ("gate-1", 3, "a"),
        ("gate-1", 2, "a"),
        ("gate-1", 3, "a"),
        ("gate-1", 4, "a"),
    )
    archive, reader = _archive(), _reader(log)
    assert _numbers(archive.after(reader, archive.place(reader, 0, 0), 10)) == [2, 3, 4]
    assert _numbers(archive.before(reader, archive.place(reader, 0, 7), 10)) == [1, 2, 3]
    assert _numbers(archive.before(reader, archive.place(reader, 0, 7), 2)) == [2, 3]


def test_a_time_is_its_frame_or_the_next_one_or_else_the_newest() -> None:
    log = Log(*(("gate-1", number, "a") for number in (1, 5, 9)), ("yard-2", 20, "a"))
    archive, reader = _archive(), _reader(log)
    for at_ms, sequence in ((0, 1), (5, 5), (6, 9), (15, 9)):
        assert archive.at_time(reader, "gate-1", EPOCH_NS + at_ms * 1_000_000).frame.sequence == sequence


def test_some_frames_are_better_than_none_when_time_runs_out() -> None:
    log = Log(*(("gate-1", number, "a") for number in range(4)), slow=2)
    archive, reader = _archive(), _reader(log)
    start = archive.place(reader, 0, 0)
    assert _numbers(archive.after(reader, start, 10)) == [1]
    log.slow = 1
    with pytest.raises(OutOfTime):
        archive.after(reader, start, 10)


def test_what_is_not_there_is_told() -> None:
    archive, reader = _archive(), _reader(Log(("gate-1", 1, "a")))
    with pytest.raises(NotHere, match="holds no processed frames of camera 'nobody'"):
        archive.ends(reader, "nobody")
    with pytest.raises(NotHere, match="no frame at processed/0/7"):
        archive.place(reader, 0, 7)


def test_the_oldest_and_the_newest() -> None:
    log = Log(("yard-2", 0, "a"), ("gate-1", 1, "a"), ("gate-1", 2, "a"), ("yard-2", 3, "a"))
    ends = _archive().ends(_reader(log), "gate-1")
    assert _numbers(list(ends)) == [1, 2]
