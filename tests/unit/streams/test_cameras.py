"""Turns: one frame of a camera at a time where the pipeline remembers, all at once where it does not."""

from collections.abc import Callable

from streams.cameras import Run, Turns


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
