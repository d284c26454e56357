"""Turns: one frame of a camera at a time where the pipeline remembers, all at once where it does not."""

from collections.abc import Callable, Sequence

import pytest

from streams.cameras import Turns
from streams.memories import Memories
from streams.pipeline import Run


class Pipeline:
    """Hands out numbered runs."""

    def __init__(self, *, has_memory: bool) -> None:
        self.has_memory = has_memory
        self.opened = 0

    def open(self) -> Run:
        self.opened += 1
        number = self.opened
        return lambda frame: number  # type: ignore[return-value]

    def continued(self, run: Run) -> Run:
        number = number_of(run)
        return lambda frame: -number  # type: ignore[return-value]


def number_of(run: Run) -> int:
    return run(None)  # type: ignore[arg-type, return-value]


def starts(log: list[tuple[str, int]], name: str, *, wanted: bool = True) -> Callable[[Run], bool]:
    def start(run: Run) -> bool:
        if wanted:
            log.append((name, number_of(run)))
        return wanted

    return start


def test_without_memory_everything_starts_at_once() -> None:
    pipeline, log = Pipeline(has_memory=False), []
    turns = Turns(pipeline, pipeline.open())
    turns.ask("a", starts(log, "a0"))
    turns.ask("a", starts(log, "a1"))
    assert log == [("a0", 1), ("a1", 1)]


def test_with_memory_a_camera_waits_for_itself_only() -> None:
    pipeline, log = Pipeline(has_memory=True), []
    turns = Turns(pipeline, pipeline.open())
    for name in ("a0", "a1", "b0", "a2"):
        turns.ask(name[0], starts(log, name))
    assert log == [("a0", 2), ("b0", 3)]
    turns.over("a")
    turns.over("a")
    assert log[2:] == [("a1", 2), ("a2", 2)]


def test_a_frame_that_nobody_wants_any_more_gives_its_turn_to_the_next() -> None:
    pipeline, log = Pipeline(has_memory=True), []
    turns = Turns(pipeline, pipeline.open())
    turns.ask("a", starts(log, "a0"))
    for name in ("a1", "a2"):
        turns.ask("a", starts(log, name, wanted=False))
    turns.ask("a", starts(log, "a3"))
    turns.over("a")
    assert log == [("a0", 2), ("a3", 2)]
    turns.over("a")
    turns.ask("a", starts(log, "a4", wanted=False))
    turns.ask("a", starts(log, "a5"))
    assert log[2:] == [("a5", 2)]


def test_a_memory_that_a_hung_thread_holds_is_replaced() -> None:
    pipeline, log = Pipeline(has_memory=True), []
    turns = Turns(pipeline, pipeline.open())
    turns.ask("a", starts(log, "a0"))
    turns.ask("a", starts(log, "a1"))
    turns.over("a", forget=True)
    assert log == [("a0", 2), ("a1", 3)]


def test_another_pipeline_goes_on_with_each_memory_from_the_cameras_next_frame_on() -> None:
    pipeline, log = Pipeline(has_memory=True), []
    turns = Turns(pipeline, pipeline.open())
    for name in ("a0", "a1", "b0"):
        turns.ask(name[0], starts(log, name))
    turns.over("b")
    for _ in range(2000):
        turns.continued(Pipeline(has_memory=True))
    turns.ask("a", starts(log, "a1"))
    turns.ask("b", starts(log, "b1"))
    turns.over("a")
    assert log == [("a0", 2), ("b0", 3), ("b1", -3), ("a1", -2)]


def test_a_memory_that_was_not_made_yet_is_made_by_the_one_that_goes_on() -> None:
    before, after, log = Pipeline(has_memory=True), Pipeline(has_memory=True), []
    turns = Turns(before, before.open())
    turns.ask("a", lambda run: None)
    turns.continued(before)
    turns.continued(after)
    turns.over("a")
    turns.ask("a", starts(log, "a1"))
    assert log == [("a1", 1)]


def one_by_one(turns: Turns, log: list[tuple[str, int]], names: Sequence[str]) -> None:
    """A frame of each camera, the next when the one before is done."""
    for name in names:
        turns.ask(name[0], starts(log, name))
        turns.over(name[0])


def test_beyond_the_limit_the_camera_that_was_not_seen_for_longest_is_forgotten(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pipeline, log = Pipeline(has_memory=True), []
    turns = Turns(pipeline, pipeline.open(), memories=Memories(2))
    one_by_one(turns, log, ["a0", "b0", "a1", "c0", "a2", "b1", "c1"])
    assert [number for name, number in log if name[0] == "a"] == [2, 2, 2]
    # b was forgotten for c, c for b, and so on.
    assert [number for name, number in log if name[0] in "bc"] == [3, 4, 5, 6]
    assert sum("--memory-cameras" in record.message for record in caplog.records) == 1


def test_the_limit_holds_for_all_lanes_together_and_ends_with_them() -> None:
    pipeline, log, memories = Pipeline(has_memory=True), [], Memories(2)
    one, two = (Turns(pipeline, pipeline.open(), memories=memories) for _ in range(2))
    one_by_one(one, log, ["a0"])
    one_by_one(two, log, ["b0", "c0"])
    one_by_one(one, log, ["a1"])
    assert [number for name, number in log if name[0] == "a"] == [3, 6]
    two.clear()
    assert memories.room
    one_by_one(one, log, ["d0", "a2"])
    assert log[-1] == ("a2", 6)


def test_frames_that_wait_keep_no_memory_and_lose_no_turn() -> None:
    """Else a backlog of many cameras would keep as many memories as there are cameras in it."""
    pipeline, log = Pipeline(has_memory=True), []
    turns = Turns(pipeline, pipeline.open(), memories=Memories(1))
    for name in ("a0", "a1", "b0", "b1"):
        turns.ask(name[0], starts(log, name))
    for camera in "abab":
        turns.over(camera)
    assert log == [("a0", 2), ("b0", 3), ("a1", 4), ("b1", 5)]


def test_a_memory_in_use_is_not_dropped() -> None:
    pipeline, log, memories = Pipeline(has_memory=True), [], Memories(1)
    turns = Turns(pipeline, pipeline.open(), memories=memories)
    runs: list[Run] = []
    turns.ask("a", runs.append)
    number_of(runs[0])
    memories.use(runs[0])  # type: ignore[arg-type]
    one_by_one(turns, log, ["b0", "b1"])
    memories.rest(runs[0])  # type: ignore[arg-type]
    assert number_of(runs[0]) == 2
    assert log == [("b0", 3), ("b1", 4)]


def test_without_a_limit_nobody_is_forgotten() -> None:
    pipeline, log = Pipeline(has_memory=True), []
    turns = Turns(pipeline, pipeline.open(), memories=Memories(0))
    for name in [f"{n}" for n in range(300)] * 2:
        turns.ask(name, starts(log, name))
        turns.over(name)
    assert len({number for _, number in log}) == 300


def test_made_up_cameras_leave_nothing_behind() -> None:
    pipeline, log = Pipeline(has_memory=True), []
    turns = Turns(pipeline, pipeline.open(), memories=Memories(3))
    for n in range(5000):
        turns.ask(f"{n}", starts(log, "x"))
        turns.over(f"{n}")
    assert len(turns._cameras) < 600


def test_frames_that_are_held_come_after_those_asked_for_before_them() -> None:
    pipeline, log = Pipeline(has_memory=True), []
    turns = Turns(pipeline, pipeline.open())
    turns.hold()
    turns.ask("a", starts(log, "a2"))
    assert turns.ask_before("a", starts(log, "a0"))
    assert turns.ask_before("a", starts(log, "a1"))
    turns.release()
    assert log == [("a0", 2)]
    turns.over("a")
    turns.over("a")
    assert log == [("a0", 2), ("a1", 2), ("a2", 2)]
