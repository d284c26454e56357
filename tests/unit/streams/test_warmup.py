"""Warming memories without a broker: what is run, in which order, what waits for it, and what never does."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
import trial_operators

from streams.cameras import Turns
from streams.contract.frame import Frame
from streams.contract.headers import Record, to_frame, to_headers
from streams.history import Span
from streams.lanes import Partition
from streams.mailbox import Mailbox
from streams.memories import Memories
from streams.pipeline import Pipeline, Run
from streams.pipeline_settings import quick_pipeline
from streams.pool import ThreadPool
from streams.settings import WorkerSettings
from streams.warmup import Warmup

JPEG = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()
REMEMBERS = "trial_operators:Remembers"
WAIT_S = 10
LONG_S = 60.0


def record(camera: str, sequence: int, *, value: bytes = JPEG) -> Record:
    frame = Frame(camera_id=camera, epoch="e1", sequence=sequence, captured_at_ns=1, width=64, height=48)
    return Record("raw", 0, sequence, 1000, camera.encode(), value, to_headers(frame))


@dataclass
class Past:
    """The frames before a position, read by a thread. silent: it never says that there are no more."""

    records: Sequence[Record] = ()
    silent: bool = False
    spans: list[Span] = field(default_factory=list)

    def read(self, span: Span) -> None:
        self.spans.append(span)
        threading.Thread(target=self._read, args=[span], daemon=True).start()

    def _read(self, span: Span) -> None:
        for coming, each in zip(range(len(self.records), 0, -1), self.records, strict=True):
            camera = (each.key or b"").decode()
            if span.reader.wants(camera) and span.reader.takes(camera, coming):
                span.reader.read(each, camera)
        if not self.silent:
            span.reader.ended()


@dataclass
class Bench:
    """A warm-up and one lane's turns."""

    warmup: Warmup
    turns: Turns
    pipeline: Pipeline
    past: Past

    def begin(self, *, before: int = 100) -> None:
        self.warmup.begin(self.turns, self.pipeline, Partition("raw", 0), before=before)

    async def run(self, camera: str) -> Run:
        """Wait for a camera's turn."""
        turn: asyncio.Future[Run] = asyncio.get_running_loop().create_future()

        def start(run: Run) -> bool:
            turn.set_result(run)
            return True

        self.turns.ask(camera, start)
        return await asyncio.wait_for(turn, WAIT_S)

    async def seen(self, camera: str, sequence: int = 100) -> list[int]:
        """Process a frame of the camera; the sequences of those that its memory has seen, this one last."""
        run = await self.run(camera)
        outcome = run(to_frame(record(camera, sequence)))
        self.turns.over(camera)
        sequences: list[int] = outcome.events[0].event.data["sequences"]
        return sequences


def with_bench(
    test: Callable[[Bench], Awaitable[None]],
    past: Past,
    *,
    op: str = REMEMBERS,
    cameras: tuple[str, ...] = (),
    max_s: float = LONG_S,
    memory_cameras: int = 0,
) -> None:
    """Run a test on a loop with a warm-up of its own."""

    async def run() -> None:
        errors: list[Exception] = []
        mailbox, pool = Mailbox(asyncio.get_running_loop(), on_error=errors.append), ThreadPool(2)
        pipeline = Pipeline(quick_pipeline([op], cameras=cameras))
        warmup = Warmup(WorkerSettings(threads=2, warmup_max_s=max_s), mailbox=mailbox, pool=pool)
        warmup.history = past
        turns = Turns(pipeline, pipeline.open(), memories=Memories(memory_cameras))
        await test(Bench(warmup, turns, pipeline, past))
        pool.close()
        assert errors == []

    asyncio.run(run())


def test_a_memory_has_seen_the_frames_before_in_order() -> None:
    past = Past([record(camera, n) for n in range(50) for camera in ("a", "b")])

    async def test(bench: Bench) -> None:
        bench.begin()
        assert await bench.seen("a") == [*range(50), 100]
        assert await bench.seen("b") == [*range(50), 100]

    with_bench(test, past)
    span = past.spans[0]
    assert (span.partition, span.end, span.memory_frames) == (Partition("raw", 0), 100, 100)


def test_a_camera_that_turns_up_later_is_warm_as_well() -> None:
    async def test(bench: Bench) -> None:
        bench.begin()
        assert await bench.seen("a") == [1, 100]
        assert await bench.seen("late") == [2, 100]

    with_bench(test, Past([record("a", 1), record("late", 2)]))


def test_frames_keep_their_order_while_they_wait() -> None:
    async def test(bench: Bench) -> None:
        order: list[int] = []

        def start(number: int) -> Callable[[Run], bool]:
            def begun(_: Run) -> bool:
                order.append(number)
                return False

            return begun

        bench.begin()
        for number in range(5):
            bench.turns.ask("a", start(number))
        assert order == []
        await bench.run("a")
        assert order == [0, 1, 2, 3, 4]

    with_bench(test, Past([record("a", n) for n in range(9)]))


def test_history_that_never_ends_holds_nothing_up_beyond_the_deadline() -> None:
    async def test(bench: Bench) -> None:
        bench.begin()
        assert (await bench.seen("a"))[-1] == 100
        assert bench.past.spans[0].reader.over

    with_bench(test, Past([record("a", 1)], silent=True), max_s=0.05)


def test_lanes_that_come_together_share_one_deadline() -> None:
    async def test(bench: Bench) -> None:
        bench.begin()
        other = Turns(bench.pipeline, bench.pipeline.open())
        bench.warmup.begin(other, bench.pipeline, Partition("raw", 1), before=5)
        first, second = bench.past.spans
        assert first.deadline == second.deadline
        bench.warmup.stop_all()

    with_bench(test, Past(silent=True))


def test_a_lane_that_comes_when_the_others_are_done_has_its_own_deadline() -> None:
    async def test(bench: Bench) -> None:
        bench.begin()
        bench.warmup.stop_all()
        bench.begin()
        first, second = bench.past.spans
        assert first.deadline < second.deadline
        bench.warmup.stop_all()

    with_bench(test, Past(silent=True))


def test_a_lane_that_ends_stops_its_warm_up_and_starts_no_frame() -> None:
    async def test(bench: Bench) -> None:
        bench.begin()
        started: list[Run] = []
        bench.turns.ask("a", started.append)
        bench.turns.clear()
        bench.warmup.stop(bench.turns)
        assert bench.past.spans[0].reader.over
        assert started == []

    with_bench(test, Past(silent=True))


def test_a_frame_at_which_the_operator_raises_is_passed_over() -> None:
    async def test(bench: Bench) -> None:
        bench.begin()
        assert await bench.seen("a") == [0, 2, 100]

    with_bench(test, Past([record("a", n) for n in range(3)]), op=f"{REMEMBERS}:raise_at=1")


def test_a_frame_that_cannot_be_read_is_passed_over() -> None:
    async def test(bench: Bench) -> None:
        bench.begin()
        assert await bench.seen("a") == [0, 2, 100]

    with_bench(test, Past([record("a", 0), record("a", 1, value=JPEG[:-50]), record("a", 2)]))


def test_an_operator_that_hangs_costs_its_camera_the_memory_and_nobody_else_the_thread() -> None:
    past = Past([record("b", 5), record("a", 0), record("a", 1), record("a", 2)], silent=True)

    async def test(bench: Bench) -> None:
        bench.begin()
        waiting = asyncio.ensure_future(bench.seen("a"))
        async with asyncio.timeout(WAIT_S):
            while not waiting.done():
                # The clock is moved, instead of waiting for the time limit of frames.
                bench.warmup.end_hung(time.monotonic() + LONG_S)
                await asyncio.sleep(0.01)
        assert waiting.result() == [100]
        assert await bench.seen("b") in ([5, 100], [100])
        assert bench.past.spans[0].reader.over

    # Another test has let go of what hung in it.
    trial_operators.HANG.clear()
    try:
        with_bench(test, past, op=f"{REMEMBERS}:hang_at=1")
    finally:
        trial_operators.HANG.set()
        trial_operators.HANG.clear()


def test_cameras_that_are_not_wanted_are_not_run() -> None:
    past = Past([record("other", 1), record("a", 2)])

    async def test(bench: Bench) -> None:
        bench.begin()
        assert await bench.seen("a") == [2, 100]
        # Not the pipeline's, and so it has no memory to go on with.
        assert await bench.seen("other") == [100]

    with_bench(test, past, cameras=("a",))


def test_no_more_cameras_are_warmed_than_are_remembered() -> None:
    async def test(bench: Bench) -> None:
        bench.begin()
        assert await bench.seen("a") == [1, 3, 100]
        assert await bench.seen("b") == [100]

    with_bench(test, Past([record("a", 1), record("b", 2), record("a", 3)]), memory_cameras=1)


@pytest.mark.parametrize(
    ("op", "max_s", "before"), [("flip", LONG_S, 100), (REMEMBERS, 0.0, 100), (REMEMBERS, LONG_S, 0)]
)
def test_nothing_is_read_without_a_memory_without_time_or_without_a_past(op: str, max_s: float, before: int) -> None:
    past = Past([record("a", 1)])

    async def test(bench: Bench) -> None:
        bench.begin(before=before)
        started: list[Run] = []
        bench.turns.ask("a", started.append)
        assert len(started) == 1

    with_bench(test, past, op=op, max_s=max_s)
    assert past.spans == []
