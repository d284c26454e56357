"""The agent without a broker: what is taken, counted, given back, and what may be committed."""

import asyncio
import gc
import json
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import trial_operators
from msgspec.structs import replace as changed

from streams.accounts import Accounts
from streams.agents import FrameAgent
from streams.contract.errors import FrameError, FramelaneError
from streams.contract.headers import Record
from streams.contract.status import CameraSums
from streams.history import Span
from streams.lanes import Partition
from streams.mailbox import Mailbox
from streams.outbox import Work
from streams.pipeline import Pipeline
from streams.pipeline_settings import quick_pipeline
from streams.pool import ThreadPool
from streams.progress import Progress
from streams.publisher import OutRecord, Receiver
from streams.settings import WorkerSettings

JPEG = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()
WAIT_S = 10


@dataclass
class Broker:
    """Takes what is published, and reports when it is told to; and notes which partitions are held."""

    full: bool = False
    sent: list[tuple[OutRecord, Receiver]] = field(default_factory=list)
    held: set[Partition] = field(default_factory=set)
    given_up: list[FrameError] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def publish(self, record: OutRecord, receiver: Receiver) -> None:
        self.sent.append((record, receiver))
        self.arrived.set()

    def give_up(self, error: FrameError) -> None:
        self.given_up.append(error)

    def hold(self, partition: Partition) -> None:
        self.held.add(partition)

    def release(self, partition: Partition) -> None:
        self.held.discard(partition)

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(WAIT_S):
            while len(self.sent) < count:
                self.arrived.clear()
                await self.arrived.wait()


def record(offset: int, *, camera: str = "a", value: bytes | None = JPEG) -> Record:
    return Record("raw", 0, offset, 1000, camera.encode(), value, [])


def worker(**more: object) -> WorkerSettings:
    return WorkerSettings(**{"threads": 2, "lane_frames": 4, **more})  # type: ignore[arg-type]


def with_agent(
    test: Callable[[FrameAgent, Broker], Awaitable[None]],
    *,
    op: str = "flip",
    cameras: tuple[str, ...] = (),
    settings: WorkerSettings | None = None,
    timeout_ms: int = 5000,
    **more: object,
) -> None:
    """Run a test on a loop with an agent of its own."""

    async def run() -> None:
        errors: list[Exception] = []
        settings_ = settings or worker()
        pipeline = Pipeline(
            quick_pipeline([op], input="raw", output="out", cameras=cameras, frame_timeout_ms=timeout_ms, **more)
        )
        mailbox = Mailbox(asyncio.get_running_loop(), on_error=errors.append)
        pool = ThreadPool(settings_.threads)
        agent = FrameAgent(pipeline, settings_, accounts=Accounts(), mailbox=mailbox, pool=pool)
        broker = Broker()
        agent.outbox.publisher = agent.fetching = broker  # type: ignore[assignment]
        await test(agent, broker)
        pool.close()
        assert errors == []

    asyncio.run(run())


def positions(agent: FrameAgent) -> dict[int, int]:
    return {lane.partition.partition: lane.position or 0 for lane in agent.uncommitted()}


async def delivered_up_to(position: int, agent: FrameAgent, broker: Broker) -> list[OutRecord]:
    """Deliver what is published until the position is reached; what that was."""
    sent = []
    async with asyncio.timeout(WAIT_S):
        while positions(agent) != {0: position}:
            await broker.wait_for(1)
            while broker.sent:
                record, receiver = broker.sent.pop(0)
                sent.append(record)
                receiver.delivered()
    return sent


def sums(agent: FrameAgent, camera: str = "a") -> CameraSums:
    found = agent.accounts.snapshot(0)[camera]
    ended = found.processed + found.filtered + found.stale + sum(found.dead_lettered.values()) + found.returned
    assert found.consumed == ended + agent.in_flight, "the sum does not close"
    return found


def test_the_position_follows_the_brokers_word_and_not_the_processing() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        for offset in range(3):
            agent.take(record(offset), generation=1)
        await broker.wait_for(3)
        assert positions(agent) == {}
        broker.sent[1][1].delivered()
        assert positions(agent) == {}
        broker.sent[0][1].delivered()
        assert positions(agent) == {0: 2}
        assert sums(agent).processed == 2

    with_agent(test)


def test_nothing_is_taken_behind_killed_lanes_until_partitions_are_assigned() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        for offset in range(3):
            agent.take(record(offset), generation=1)
        agent.kill_all()
        # It was queued already. Its camera is not wanted, so it would be settled at once.
        agent.take(record(3, camera="unwanted"), generation=1)
        assert positions(agent) == {}
        # The same generation: the member joined again, and nothing else had changed.
        agent.assigned()
        agent.take(record(0, camera="unwanted"), generation=1)
        assert positions(agent) == {0: 1}

    with_agent(test, cameras=("a",))


def test_nothing_is_taken_or_committed_once_the_worker_gives_up() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.take(record(0), generation=1)
        agent.kill_all(for_good=True)
        agent.assigned()
        agent.take(record(5, camera="unwanted"), generation=2)
        assert positions(agent) == {}

    with_agent(test, cameras=("a",))


def test_a_full_lane_holds_its_partition_until_there_is_room() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        for offset in range(4):
            agent.take(record(offset), generation=1)
        assert broker.held == {Partition("raw", 0)}
        await broker.wait_for(4)
        for _, receiver in broker.sent[:2]:
            receiver.delivered()
        assert broker.held == set()

    with_agent(test)


def test_many_lanes_share_what_a_few_may_hold() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        broker.full = True
        agent.assigned({Partition("raw", 0)})
        agent.take(record(0), generation=1)
        assert not broker.held
        agent.assigned({Partition("raw", number) for number in range(50)})
        agent.take(record(1), generation=1)
        assert broker.held == {Partition("raw", 0)}

    with_agent(test, settings=worker(lanes_bytes=50 * len(JPEG)))


def test_a_killed_lane_holds_nothing() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        for offset in range(4):
            agent.take(record(offset), generation=1)
        agent.kill_all()
        assert broker.held == set()

    with_agent(test)


def test_a_publisher_without_room_loses_nothing() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        broker.full = True
        for offset in range(3):
            agent.take(record(offset), generation=1)
        agent.take(record(3, camera="b"), generation=1)
        await asyncio.sleep(0)
        assert broker.sent == []
        broker.full = False
        agent.room()
        await broker.wait_for(4)
        assert [dict(out.headers)["ce_frameseq"] for out, _ in broker.sent] == [b"0", b"1", b"2", b"3"]

    with_agent(test)


def test_what_is_settled_behind_an_unsettled_frame_is_counted_once() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.take(record(0), generation=1)
        agent.take(record(1), generation=1)
        await broker.wait_for(2)
        broker.sent[1][1].delivered()
        agent.kill_all()
        broker.sent[0][1].delivered()
        found = sums(agent)
        assert (found.consumed, found.processed, found.returned) == (2, 1, 1)

    with_agent(test)


def test_a_refused_output_becomes_a_dead_letter_and_a_refused_letter_a_reference() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.take(record(0), generation=1)
        await broker.wait_for(1)
        broker.sent[0][1].refused(FrameError("too large", reason="output_too_large", stage="publish"))
        letter, receiver = broker.sent[1]
        assert (letter.topic, letter.value) == ("frames.dead-letter", JPEG)
        assert dict(letter.headers)["dl_reason"] == b"output_too_large"
        receiver.refused(FrameError("too large", reason="output_too_large", stage="publish"))
        reference, receiver = broker.sent[2]
        assert reference.value == b""
        receiver.delivered()
        assert positions(agent) == {0: 1}
        assert sums(agent).dead_lettered == {"output_too_large": 1}

    with_agent(test)


def test_a_dead_letter_that_cannot_be_delivered_at_all_ends_the_worker_unacked() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.take(record(0), generation=1)
        await broker.wait_for(1)
        for n in range(3):
            broker.sent[n][1].refused(FrameError("no", reason="undeliverable", stage="publish"))
        assert len(broker.given_up) == 1
        assert positions(agent) == {}

    with_agent(test)


def test_a_topic_that_was_made_again_is_read_from_its_beginning() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.take(record(10), generation=1)
        await broker.wait_for(1)
        broker.sent[0][1].delivered()
        for lane in agent.uncommitted():
            lane.committed = lane.position
        agent.take(record(0), generation=1)
        await broker.wait_for(2)
        broker.sent[1][1].delivered()
        assert positions(agent) == {0: 1}

    with_agent(test)


def test_what_faust_reads_again_is_taken_once() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        for offset in (10, 11, 10, 11, 12):
            agent.take(record(offset), generation=1)
        await broker.wait_for(3)
        assert agent.in_flight == 3

    with_agent(test)


def test_a_drain_gives_back_what_is_not_begun_and_waits_for_what_is() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        for offset in range(4):
            agent.take(record(offset), generation=1)
        draining = asyncio.ensure_future(agent.drain(WAIT_S))
        await asyncio.sleep(0)
        begun = agent.in_flight
        await broker.wait_for(begun)
        for _, receiver in broker.sent:
            receiver.delivered()
        assert await draining
        found = sums(agent)
        assert found.processed + found.returned == 4
        assert positions(agent) == ({0: begun} if begun else {})

    with_agent(test, op="trial_operators:Slow:ms=50")


def test_a_drain_gives_up_after_its_limit() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.take(record(0), generation=1)
        await broker.wait_for(1)
        assert not await agent.drain(0.01)

    with_agent(test)


def test_an_operator_that_cannot_be_opened_costs_its_frames_and_not_the_partition() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        for offset in range(2):
            agent.take(record(offset), generation=1)
        await broker.wait_for(2)
        assert {dict(out.headers)["dl_reason"] for out, _ in broker.sent} == {b"operator_error"}
        assert b"no model" in dict(broker.sent[0][0].headers)["dl_error"]

    with_agent(test, op="trial_operators:NoModel")


def test_a_record_that_cannot_be_read_becomes_a_dead_letter_that_refers_to_it() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.take(Record("raw", 0, 7, 1000, None, None, []), generation=1, unreadable="a header's name is not UTF-8")
        await broker.wait_for(1)
        letter, _ = broker.sent[0]
        headers = dict(letter.headers)
        assert (headers["dl_reason"], headers["dl_input"]) == (b"bad_headers", b"raw/0/7")
        assert b"not UTF-8" in headers["dl_error"]

    with_agent(test)


@pytest.mark.parametrize("op", ["trial_operators:Slow:ms=20", "trial_operators:Rising:ms=20"])
def test_the_freshest_frame_takes_the_place_of_those_that_wait(op: str) -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        for offset in range(0, 40, 2):
            agent.take(record(offset), generation=1)
            agent.take(record(offset + 1, camera="b"), generation=1)
        # What waits is one frame of each camera, however many come.
        assert not broker.held
        # One frame of each at least was begun at once, or else its newest; the last ones are never skipped.
        await delivered_up_to(40, agent, broker)
        for camera in ("a", "b"):
            found = sums(agent, camera)
            assert (found.consumed, found.filtered, found.dead_lettered) == (20, 0, {})
            assert found.processed >= 1
            assert found.stale >= 17

    with_agent(test, op=op, freshness="freshest")


def test_what_is_freshest_is_published_and_in_order() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        for offset in range(30):
            agent.take(record(offset), generation=1)
            if offset % 7 == 0:
                await asyncio.sleep(0.03)
        sent = await delivered_up_to(30, agent, broker)
        offsets = [int(dict(out.headers)["ce_input"].split(b"/")[2]) for out in sent]
        assert offsets == sorted(offsets)
        assert offsets[-1] == 29

    with_agent(test, op="trial_operators:Slow:ms=10", freshness="freshest", settings=worker(threads=1))


def test_frames_past_their_age_and_above_the_rate_are_counted_and_not_processed() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        now_ms = time.time_ns() // 1_000_000
        for offset, age_ms in enumerate((60_000, 59_000, 0, 0, 0)):
            made = record(offset)
            agent.take(changed(made, timestamp_ms=now_ms - age_ms), generation=1)
        await broker.wait_for(1)
        broker.sent.pop()[1].delivered()
        found = sums(agent)
        assert (found.consumed, found.stale, found.filtered, found.processed) == (5, 2, 2, 1)
        assert positions(agent) == {0: 5}

    with_agent(test, max_age_ms=30_000, max_fps=1)


def test_too_many_hung_threads_end_the_worker() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        watching = asyncio.ensure_future(agent.watch_deadlines())
        for offset in range(4):
            agent.take(record(offset), generation=1)
        with pytest.raises(FramelaneError, match="threads hang"):
            await asyncio.wait_for(watching, WAIT_S)
        await broker.wait_for(2)
        assert dict(broker.sent[0][0].headers)["dl_reason"] == b"operator_timeout"

    try:
        with_agent(test, op="trial_operators:Misbehave:camera=a,how=hang", settings=worker(max_hung=1), timeout_ms=50)
    finally:
        trial_operators.HANG.set()


def test_a_settled_frame_is_let_go_of_without_a_garbage_collection() -> None:
    offset = 987_654

    def alive() -> int:
        return sum(isinstance(each, Work) and each.record.offset == offset for each in gc.get_objects())

    async def test(agent: FrameAgent, broker: Broker) -> None:
        gc.disable()
        try:
            agent.take(record(offset), generation=1)
            await broker.wait_for(1)
            assert alive() == 1
            broker.sent.pop()[1].delivered()
            # Its thread lets go of it a moment after it has told of its end, which nothing tells of.
            async with asyncio.timeout(WAIT_S):
                while alive():  # noqa: ASYNC110 - there is no event of it
                    await asyncio.sleep(0.01)
        finally:
            gc.enable()

    with_agent(test)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """The gate of `trial_operators:Gate`, closed."""
    trial_operators.GATE.clear()
    while trial_operators.BEGUN.acquire(blocking=False):
        pass
    yield trial_operators.GATE
    trial_operators.GATE.set()


async def begun(count: int) -> None:
    """Wait until so many frames have come to the gate."""
    for _ in range(count):
        assert await asyncio.to_thread(trial_operators.BEGUN.acquire, timeout=WAIT_S)


def swap(agent: FrameAgent, *ops: str, **settings: object) -> str:
    """Another pipeline: with these operators, or those that it has, and these settings; its label."""
    made = quick_pipeline(list(ops)).operators if ops else agent.pipeline.settings.operators
    pipeline = Pipeline(replace(agent.pipeline.settings, operators=made, **settings))  # type: ignore[arg-type]
    agent.swap(pipeline, pipeline.open())
    return pipeline.label


def labels(broker: Broker) -> list[str]:
    return [dict(out.headers)["ce_pipeline"].decode() for out, _ in broker.sent]


def widths(broker: Broker) -> list[int]:
    return [int(dict(out.headers)["ce_width"]) for out, _ in broker.sent]


GATED = "trial_operators:Gate"
REMEMBERING = "trial_operators:Gate:memory_frames=1"


def test_frames_that_are_begun_finish_with_their_pipeline_and_the_others_get_the_new_one(gate: threading.Event) -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        old = agent.pipeline.label
        for offset in range(4):
            agent.take(record(offset), generation=1)
        await begun(2)
        new = swap(agent, GATED, "resize:width=4")
        agent.take(record(4), generation=1)
        gate.set()
        await broker.wait_for(5)
        assert labels(broker) == [old, old, new, new, new]
        assert widths(broker)[2:] == [4, 4, 4]
        assert 4 not in widths(broker)[:2]

    with_agent(test, op=GATED)


def test_memory_goes_on_where_the_operators_are_the_same(gate: threading.Event) -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        old = agent.pipeline.label
        for offset in range(3):
            agent.take(record(offset), generation=1)
        await begun(1)
        swap(agent, quality=50)
        new = swap(agent, quality=60)
        agent.take(record(3), generation=1)
        gate.set()
        await broker.wait_for(4)
        assert labels(broker) == [old, new, new, new]
        assert widths(broker) == [8, 16, 24, 32]

    with_agent(test, op=REMEMBERING)


def test_memory_begins_anew_where_the_operators_are_others(gate: threading.Event) -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        for offset in range(3):
            agent.take(record(offset), generation=1)
        await begun(1)
        swap(agent, REMEMBERING, "flip")
        gate.set()
        await broker.wait_for(3)
        assert widths(broker) == [8, 8, 16]

    with_agent(test, op=REMEMBERING)


def test_a_memory_is_had_by_one_frame_at_a_time_whatever_was_before(gate: threading.Event) -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        for offset in range(2):
            agent.take(record(offset), generation=1)
        await begun(2)
        swap(agent, REMEMBERING)
        for offset in range(2, 6):
            agent.take(record(offset), generation=1)
        await begun(1)
        swap(agent, GATED)
        last = swap(agent, REMEMBERING, "flip")
        gate.set()
        await broker.wait_for(6)
        assert labels(broker)[3:] == [last] * 3
        assert widths(broker)[2:] == [8, 8, 16, 24]

    with_agent(test, op=GATED, settings=worker(threads=3))


def test_what_is_not_begun_goes_by_the_new_filter_of_cameras(gate: threading.Event) -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        for offset in range(4):
            agent.take(record(offset, camera="ab"[offset % 2]), generation=1)
        await begun(2)
        swap(agent, cameras=("b",))
        gate.set()
        await broker.wait_for(3)
        assert [out.key for out, _ in broker.sent] == [b"a", b"b", b"b"]
        for _, receiver in broker.sent:
            receiver.delivered()
        assert sums(agent).filtered == 1
        assert positions(agent) == {0: 4}

    for op in (GATED, REMEMBERING):
        gate.clear()
        with_agent(test, op=op)


def test_a_late_failure_names_the_pipeline_that_made_the_output() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        old = agent.pipeline.label
        agent.take(record(0), generation=1)
        await broker.wait_for(1)
        swap(agent, quality=50)
        broker.sent[0][1].refused(FrameError("too large", reason="output_too_large", stage="publish"))
        assert dict(broker.sent[1][0].headers)["dl_pipeline"].decode() == old


def test_numbers_that_are_missing_are_counted_apart_from_the_sum() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        for offset, sequence in enumerate((0, 1, 5)):
            agent.take(changed(record(offset), headers=[("ce_id", f"a/e1/{sequence}".encode())]), generation=1)
        await broker.wait_for(3)
        assert sums(agent).gaps == 3
        # Taken from the committed position on, in a lane of its own: no gap of the camera's.
        agent.kill_all()
        agent.assigned()
        agent.take(changed(record(9), headers=[("ce_id", b"a/e1/40")]), generation=2)
        assert sums(agent).gaps == 3

    with_agent(test)


def test_a_frame_has_the_deadline_of_the_pipeline_that_it_was_begun_with(gate: threading.Event) -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        old = agent.pipeline.label
        agent.take(record(0), generation=1)
        agent.take(record(1), generation=1)
        await begun(1)
        swap(agent, frame_timeout_ms=60_000)
        watching = asyncio.ensure_future(agent.watch_deadlines())
        await broker.wait_for(1)
        watching.cancel()
        letter = dict(broker.sent[0][0].headers)
        assert (letter["dl_reason"], letter["dl_pipeline"].decode()) == (b"operator_timeout", old)
        # The memory is in use by the thread that hangs: the next frame has one of its own.
        gate.set()
        await broker.wait_for(2)
        assert dict(broker.sent[1][0].headers)["ce_width"] == b"8"

    with_agent(test, op=REMEMBERING, timeout_ms=50)


def test_a_pipeline_that_wants_the_freshest_skips_what_waited_for_the_one_before(gate: threading.Event) -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        for offset in range(5):
            agent.take(record(offset), generation=1)
        await begun(2)
        swap(agent, freshness="freshest")
        swap(agent, quality=50)
        agent.take(record(5), generation=1)
        gate.set()
        await broker.wait_for(3)
        assert [dict(out.headers)["ce_frameseq"] for out, _ in broker.sent] == [b"0", b"1", b"5"]
        for _, receiver in broker.sent:
            receiver.delivered()
        assert sums(agent).stale == 3
        assert positions(agent) == {0: 6}

    with_agent(test, op=GATED)


@pytest.mark.parametrize("seed", range(6))
def test_each_camera_goes_from_pipeline_to_pipeline_once_and_loses_nothing(seed: int) -> None:
    rng = random.Random(seed)
    count = 400
    ways = ["trial_operators:Slow:ms=1", GATED, REMEMBERING]
    # The odd ones also skip, now and then.
    freshness = ["every_frame", "freshest"] if seed % 2 else ["every_frame"]

    async def test(agent: FrameAgent, broker: Broker) -> None:
        order, made, done = [agent.pipeline.label], dict[str, list[int]](), 0
        trial_operators.GATE.set()
        for offset in range(count):
            agent.take(record(offset, camera=rng.choice("abc")), generation=1)
            if rng.random() < 0.05:
                order.append(swap(agent, rng.choice(ways), quality=10 + len(order), freshness=rng.choice(freshness)))
            if rng.random() < 0.1:
                await asyncio.sleep(0.002)
        assert len(set(order)) > 10
        while agent.in_flight:
            await broker.wait_for(done + 1)
            for out, receiver in broker.sent[done:]:
                receiver.delivered()
                label = dict(out.headers)["ce_pipeline"].decode()
                made.setdefault((out.key or b"").decode(), []).append(order.index(label))
            done = len(broker.sent)
        assert all(turns == sorted(turns) for turns in made.values())
        assert positions(agent) == {0: count}
        found = [sums(agent, camera) for camera in "abc"]
        assert sum(each.processed for each in found) == done
        assert sum(each.processed + each.stale for each in found) == count
        assert any(each.stale for each in found) == (len(freshness) > 1)

    with_agent(test, op=ways[0], settings=worker(threads=4, lane_frames=2 * count))


def test_it_has_its_place_once_partitions_are_assigned_and_until_they_are_given_up() -> None:
    async def test(agent: FrameAgent, _: Broker) -> None:
        progress = Progress(SimpleNamespace(frames=agent))  # type: ignore[arg-type]
        assert not progress.joined
        agent.assigned()
        assert progress.joined
        agent.kill_all()
        assert not progress.joined
        agent.assigned()
        assert (progress.joined, agent.rebalances) == (True, 2)

    with_agent(test)


def test_each_stage_is_timed_once_for_each_frame() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.times.arrived([("raw", 0)])
        for offset in range(2):
            agent.take(record(offset), generation=1)
        await broker.wait_for(2)
        for _, receiver in broker.sent:
            receiver.delivered()
        stages = {stage: times.count for stage, times in agent.times.histograms().items()}
        assert stages == dict.fromkeys(["fetch", "queue", "decode", "0:flip", "encode", "order", "publish"], 2)

    with_agent(test)


@dataclass
class Silence:
    """A past that is never told."""

    spans: list[Span] = field(default_factory=list)

    def read(self, span: Span) -> None:
        self.spans.append(span)


REMEMBERS = "trial_operators:Remembers"


def seen(broker: Broker) -> list[list[int]]:
    """What the memory had seen at each frame that was published, that frame last."""
    return [json.loads(out.value)["data"]["sequences"] for out, _ in broker.sent if out.topic == "frames.events"]


def settle(broker: Broker) -> None:
    for _, receiver in broker.sent:
        receiver.delivered()


async def rebalance(agent: FrameAgent, *assigned: Partition) -> None:
    assert await agent.drain(WAIT_S)
    agent.kill_all()
    agent.assigned(assigned)


def test_a_partition_that_stays_through_a_rebalance_keeps_its_memories() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.take(record(0), generation=1)
        agent.take(record(1), generation=1)
        await broker.wait_for(4)
        settle(broker)
        agent.turns.warmup.history = past = Silence()
        await rebalance(agent, Partition("raw", 0))
        agent.take(record(2), generation=2)
        await broker.wait_for(6)
        assert seen(broker) == [[0], [0, 1], [0, 1, 2]]
        assert past.spans == []

    with_agent(test, op=REMEMBERS)


def test_one_that_was_elsewhere_meanwhile_or_is_read_again_does_not() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.take(record(0), generation=1)
        await broker.wait_for(2)
        settle(broker)
        await rebalance(agent)
        await rebalance(agent, Partition("raw", 0))
        agent.take(record(1), generation=3)
        await broker.wait_for(4)
        agent.kill_all()
        # The frame was in flight, so it comes again, and its memory has seen it.
        agent.assigned([Partition("raw", 0)])
        agent.take(record(1), generation=4)
        await broker.wait_for(6)
        assert seen(broker) == [[0], [1], [1]]

    with_agent(test, op=REMEMBERS)


def test_a_drain_does_not_wait_for_memories_to_be_warmed_and_starts_nothing() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.turns.warmup.history = past = Silence()
        for offset in range(5, 8):
            agent.take(record(offset), generation=1)
        assert await agent.drain(WAIT_S)
        assert past.spans[0].reader.over
        agent.kill_all()
        assert broker.sent == []
        assert sums(agent).returned == 3
        # The warming was broken off, so it begins again.
        agent.assigned([Partition("raw", 0)])
        agent.take(record(5), generation=2)
        assert [span.end for span in past.spans] == [5, 5]

    with_agent(test, op=REMEMBERS)


def test_lanes_that_are_killed_while_their_memories_are_warmed_start_nothing() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.turns.warmup.history = past = Silence()
        agent.take(record(5), generation=1)
        agent.kill_all()
        assert past.spans[0].reader.over
        assert (agent.in_flight, broker.sent) == (0, [])

    with_agent(test, op=REMEMBERS)


def test_frames_wait_for_the_memories_no_longer_than_they_may() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.turns.warmup.history = Silence()
        agent.take(record(5), generation=1)
        assert broker.sent == []
        await broker.wait_for(2)
        assert seen(broker) == [[5]]

    with_agent(test, op=REMEMBERS, settings=worker(warmup_max_s=0.05))


def redriven(offset: int, pipeline: str, *, attempt: bytes = b"2", sequence: int = 0) -> Record:
    """A frame of camera a that was sent through again."""
    headers = [("ce_id", b"a/e/%d" % sequence), ("ce_capturedns", b"5")]
    headers += [("dl_pipeline", pipeline.encode()), ("dl_attempt", attempt), ("dl_letter", b"dead/1/5")]
    return changed(record(offset), headers=headers)


@pytest.mark.parametrize("freshness", ["every_frame", "freshest"])
def test_a_redriven_frame_is_answered_by_its_pipeline_alone_late_as_it_is(freshness: str) -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.take(redriven(0, "other"), generation=1)
        agent.take(redriven(1, "quick"), generation=1)
        agent.take(redriven(2, "quick", sequence=1), generation=1)
        sent = await delivered_up_to(3, agent, broker)
        assert [each.topic for each in sent] == ["out", "frames.dead-letter"] * 2
        marks = [dict(each.headers) for each in sent if each.topic == "frames.dead-letter"]
        assert {(mark["dl_mark"], mark["dl_letter"]) for mark in marks} == {(b"mended", b"dead/1/5")}
        assert {mark["dl_pipeline"].decode() for mark in marks} == {agent.pipeline.label}
        assert {(each.key, each.value) for each in sent[1::2]} == {(b"a", b"")}
        assert all(each.timestamp_ms > 1000 for each in sent[1::2])
        found = sums(agent)
        assert (found.processed, found.filtered, found.stale, found.gaps) == (2, 1, 0, 0)
        # Its age says nothing of how late the pipeline is.
        (account,) = (account for _, account in agent.accounts.accounts())
        assert (account.age.count, len(account.recent)) == (0, 0)

    with_agent(test, max_age_ms=1000, max_fps=1, freshness=freshness)


def test_a_redriven_frame_is_no_gap_and_leaves_none() -> None:
    def numbered(offset: int, sequence: int) -> Record:
        return changed(record(offset), headers=[("ce_id", b"a/e/%d" % sequence)])

    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.take(numbered(0, 10), generation=1)
        agent.take(redriven(1, "quick", sequence=900), generation=1)
        agent.take(redriven(2, "other", sequence=3), generation=1)
        agent.take(numbered(3, 11), generation=1)
        await delivered_up_to(4, agent, broker)
        assert sums(agent).gaps == 0

    with_agent(test)


@pytest.mark.parametrize(
    ("attempt", "counted", "reason"), [(b"2", b"2", "operator_error"), (b"x", b"100", "bad_headers")]
)
def test_a_redriven_frame_that_fails_again_is_a_letter_of_that_attempt(
    attempt: bytes, counted: bytes, reason: str
) -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.take(redriven(0, "quick", attempt=attempt), generation=1)
        (letter,) = await delivered_up_to(1, agent, broker)
        headers = dict(letter.headers)
        assert (headers["dl_attempt"], headers["dl_letter"]) == (counted, b"dead/1/5")
        assert headers["dl_operators"] == b"trial_operators:Misbehave/1"
        assert sums(agent).dead_lettered == {reason: 1}

    with_agent(test, op="trial_operators:Misbehave:camera=a")


def test_a_redriven_frame_that_is_left_out_is_mended_too() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.take(redriven(0, "quick"), generation=1)
        (mark,) = await delivered_up_to(1, agent, broker)
        assert dict(mark.headers)["dl_mark"] == b"mended"
        assert sums(agent).filtered == 1

    with_agent(test, op="trial_operators:Misbehave:camera=a,how=nothing")


def test_a_refused_letter_goes_without_the_frame_and_still_says_why_that_failed() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.take(record(0), generation=1)
        await broker.wait_for(1)
        broker.sent[0][1].refused(FrameError("too large", reason="output_too_large", stage="publish"))
        letter = broker.sent[1][0]
        assert (letter.value, dict(letter.headers)["dl_reason"]) == (b"", b"operator_error")

    with_agent(test, op="trial_operators:Misbehave:camera=a")
