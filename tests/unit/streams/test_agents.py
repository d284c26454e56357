"""The agent without a broker: what is taken, counted, given back, and what may be committed."""

import asyncio
import gc
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
import trial_operators

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
) -> None:
    """Run a test on a loop with an agent of its own."""

    async def run() -> None:
        errors: list[Exception] = []
        settings_ = settings or worker()
        pipeline = Pipeline(
            quick_pipeline([op], input="raw", output="out", cameras=cameras, frame_timeout_ms=timeout_ms)
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
        agent.warmup.history = past = Silence()
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
        agent.warmup.history = past = Silence()
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
        agent.warmup.history = past = Silence()
        agent.take(record(5), generation=1)
        agent.kill_all()
        assert past.spans[0].reader.over
        assert (agent.in_flight, broker.sent) == (0, [])

    with_agent(test, op=REMEMBERS)


def test_frames_wait_for_the_memories_no_longer_than_they_may() -> None:
    async def test(agent: FrameAgent, broker: Broker) -> None:
        agent.warmup.history = Silence()
        agent.take(record(5), generation=1)
        assert broker.sent == []
        await broker.wait_for(2)
        assert seen(broker) == [[5]]

    with_agent(test, op=REMEMBERS, settings=worker(warmup_max_s=0.05))
