"""What a partition's frames come to on their way through the threads, without Kafka."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from frame_support import encoded_frame, picture

from framelane.replay.flow import OTHER, REDRIVEN, Entry, Flow, Works
from streams.contract.errors import FrameError
from streams.contract.frame import Frame
from streams.contract.headers import Record, to_headers
from streams.operators.base import Opened
from streams.pipeline import Pipeline
from streams.pipeline_settings import PipelineSettings, quick_pipeline
from streams.pool import ThreadPool

THREADS = 4


def record(
    sequence: int, *, camera: str = "a", timestamp_ms: int = 0, more: Sequence[tuple[str, bytes]] = ()
) -> Record:
    frame: Frame = encoded_frame(picture(seed=sequence), camera_id=camera, sequence=sequence)
    headers = [*to_headers(frame), *more]
    return Record("raw", 0, sequence, timestamp_ms or 1000 + sequence, camera.encode(), frame.data, headers)


class Running:
    """Flows over the same threads, closed at the end."""

    def __init__(self) -> None:
        self.pool = ThreadPool(THREADS)
        self.flows: list[Flow] = []

    def flow(self, settings: PipelineSettings, *, wants: Callable[[str], bool] = bool, **more: Any) -> Flow:
        pipeline = Pipeline(settings)
        works = Works(pipeline=pipeline, shared=pipeline.open(), pool=self.pool, threads=THREADS, wants=wants)
        self.flows.append(Flow(works, **more))
        return self.flows[-1]


@pytest.fixture
def running() -> Iterator[Running]:
    made = Running()
    yield made
    for flow in made.flows:
        flow.close()
    made.pool.close()


def all_of(flow: Flow) -> list[Entry]:
    found: list[Entry] = []
    give_up = time.monotonic() + 20
    while len(flow):
        found += flow.finished(timeout_s=0.1)
        assert time.monotonic() < give_up
    return found


def seen(entries: Sequence[Entry]) -> list[int]:
    """What the operator that counts has counted, frame by frame."""
    records = [out for entry in entries if entry.result for out in entry.result.records if out.topic == "frames.events"]
    return [json.loads(out.value)["data"]["seen"] for out in records]


def fates(entries: Sequence[Entry]) -> list[str]:
    return [entry.result.fate for entry in entries if entry.result]


def test_frames_come_out_in_order_whichever_is_done_first(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    import odd_operators

    last_done, done = threading.Event(), list[int]()

    def open_(self: object) -> Opened:
        def operate(frame: Frame) -> Frame:
            if frame.sequence == 0:
                assert last_done.wait(10)
            done.append(frame.sequence)
            if frame.sequence == 9:
                last_done.set()
            return frame

        return operate

    monkeypatch.setattr(odd_operators.Raises, "open", open_)
    flow = running.flow(quick_pipeline(["odd_operators:Raises"]))
    for sequence in range(10):
        flow.take(record(sequence))

    found = all_of(flow)

    assert done[-1] == 0
    assert [entry.record.offset for entry in found] == list(range(10))
    assert fates(found) == ["processed"] * 10


def test_what_was_published_before_is_remembered_and_not_made_again(running: Running) -> None:
    flow = running.flow(quick_pipeline(["odd_operators:Counts"]))
    for sequence in range(2):
        flow.warm(record(sequence))
    for sequence in range(2, 5):
        flow.take(record(sequence), silent=True)
    for sequence in range(5, 8):
        flow.take(record(sequence))

    found = all_of(flow)

    assert [entry.silent for entry in found] == [True] * 5 + [False] * 3
    assert all(entry.result and not entry.result.records for entry in found[:5])
    assert seen(found) == [6, 7, 8]


def test_each_camera_has_a_memory_however_many_there_are(running: Running) -> None:
    flow = running.flow(quick_pipeline(["odd_operators:Counts"]))
    found: list[Entry] = []
    for sequence in range(2):
        for camera in range(100):
            flow.take(record(sequence, camera=f"c{camera}"))
            found += flow.finished(timeout_s=0)

    assert seen([*found, *all_of(flow)]) == [1] * 100 + [2] * 100


def test_without_memory_nothing_is_run_that_was_published_before(running: Running) -> None:
    flow = running.flow(quick_pipeline(["odd_operators:Raises"]))

    flow.take(record(0), silent=True)

    assert fates(all_of(flow)) == ["remembered"]


def test_cameras_that_are_not_meant_are_left_out(running: Running) -> None:
    flow = running.flow(quick_pipeline(["odd_operators:Counts"]), wants=lambda camera: camera == "a")
    flow.take(record(0, camera="b"))
    flow.take(record(1, camera="a"))

    found = all_of(flow)

    assert found[0].result is OTHER
    assert seen(found) == [1]


def test_what_was_redriven_is_a_repeat(running: Running) -> None:
    flow = running.flow(quick_pipeline(["odd_operators:Counts"]))
    flow.take(record(0))
    flow.take(record(1, more=[("dl_pipeline", b"quick"), ("dl_attempt", b"2"), ("dl_letter", b"dead/0/7")]))
    flow.take(record(2))

    found = all_of(flow)

    assert found[1].result is REDRIVEN
    assert seen(found) == [1, 2]


def test_cameras_are_thinned_by_the_times_of_their_records_resumed_or_not(running: Running) -> None:
    settings = quick_pipeline(["flip"], max_fps=10.0)
    records = [record(n, timestamp_ms=1000 + 40 * n) for n in range(20)]
    whole, resumed = running.flow(settings), running.flow(settings)
    for n, each in enumerate(records):
        whole.take(each)
        resumed.take(each, silent=n < 7)

    expected, found = fates(all_of(whole)), fates(all_of(resumed))

    assert 6 <= expected.count("processed") <= 9
    assert found[7:] == expected[7:]
    assert "processed" not in found[:7]


def test_a_key_that_is_no_camera_and_a_record_that_cannot_be_read_are_dead_letters(running: Running) -> None:
    flow = running.flow(quick_pipeline(["flip"]))
    flow.take(Record("raw", 0, 0, 1000, b"a/b", b"x", ()))
    flow.take(
        Record("raw", 0, 1, 1000, None, None, ()),
        unreadable=FrameError("a header's name is not UTF-8", reason="bad_headers", stage="headers"),
    )

    found = all_of(flow)

    assert fates(found) == ["bad_headers", "bad_headers"]
    assert [len(entry.result.records) for entry in found if entry.result] == [1, 1]


def test_an_operator_that_fails_makes_a_dead_letter_and_the_next_frame_goes_on(running: Running) -> None:
    flow = running.flow(quick_pipeline(["odd_operators:Raises"]))
    flow.take(record(0))
    flow.take(record(1))

    assert fates(all_of(flow)) == ["operator_error", "operator_error"]


def test_a_frame_that_hangs_is_given_up_and_its_camera_begins_anew(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    import odd_operators

    hang, opened = threading.Event(), odd_operators.Counts.open

    def open_(self: odd_operators.Counts) -> Opened:
        count = opened(self)

        def operate(frame: Frame) -> Frame | None:
            if frame.sequence == 1:
                hang.wait()
            return count(frame)

        return operate

    monkeypatch.setattr(odd_operators.Counts, "open", open_)
    flow = running.flow(quick_pipeline(["odd_operators:Counts"]), hang_s=0.2)
    for sequence in range(3):
        flow.take(record(sequence))

    found = all_of(flow)
    hang.set()

    assert fates(found) == ["processed", "operator_timeout", "processed"]
    assert seen(found) == [1, 1]


def test_no_more_is_taken_than_the_threads_have_use_for(running: Running) -> None:
    flow = running.flow(quick_pipeline(["flip"]))
    taken = 0
    while flow.room:
        flow.take(record(taken))
        taken += 1

    assert taken == 8 * THREADS
    assert len(all_of(flow)) == taken
    assert flow.room == taken
