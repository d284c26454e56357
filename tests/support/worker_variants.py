"""`framelane` with one of the worker's safeguards taken out: python worker_variants.py VARIANT ARGUMENTS...

What a test proves with a worker, it must not prove with the worker that lacks the safeguard.
"""

import itertools
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

from aiokafka.conn import AIOKafkaConnection
from faust.transport.drivers import aiokafka as driver

from framelane.__main__ import main
from streams import consumer, consumer_thread, pipeline
from streams.agents import FrameAgent
from streams.cameras import Run
from streams.consumer import FrameConsumer
from streams.contract import headers
from streams.contract.errors import FrameError
from streams.contract.images import ImageHeader, inspect
from streams.outbox import FrameEntry, FrameLane, Outbox
from streams.pipeline import Pipeline
from streams.pool import Task, ThreadPool
from streams.settings import WatchSettings
from streams.stalls import Stalls
from streams.watchdog import Watchdog

# What a worker without a gate has decoded, at most: the machine that the test runs on has to live.
UNGATED_PIXELS = 250_000_000
# After so long a worker that stands still is given up, where it is one that can be made to.
STALL_LIMIT = "6s"


def _replace(owner: type | ModuleType, name: str, method: Any) -> None:
    assert name in vars(owner), f"{owner.__name__} has no {name} of its own: this variant lacks no safeguard"
    setattr(owner, name, method)


def mended() -> None:
    """All safeguards."""


def no_drain() -> None:
    """A rebalance as Faust has it: nothing is finished or committed before the partitions are given up."""

    async def on_partitions_revoked(self: FrameConsumer, revoked: Any) -> None:
        self._frames.kill_all()
        await driver.Consumer.on_partitions_revoked(self, revoked)

    _replace(FrameConsumer, "on_partitions_revoked", on_partitions_revoked)


def no_wake() -> None:
    """A consumer that sleeps for a second when all its partitions are held, as Faust's does."""
    _replace(FrameConsumer, "_wait_next_records", driver.Consumer._wait_next_records)


def ack_at_once() -> None:
    """A worker that commits what it has read, whether it is processed or not."""

    def uncommitted(self: FrameAgent) -> list[FrameLane]:
        for lane in self._lanes.values():
            lane.position = lane.next_offset
        return list(self._lanes.values())

    _replace(FrameAgent, "uncommitted", uncommitted)


def drop_at_swap() -> None:
    """A worker that gives up what it has in hand when its pipeline changes, and begins anew with what comes next."""

    def swap(self: FrameAgent, pipeline: Pipeline, shared: Run) -> None:
        self.kill_all()
        self.assigned()
        self.pipeline, self.shared = pipeline, shared

    _replace(FrameAgent, "swap", swap)


def long_fetches() -> None:
    """A worker whose fetches of empty partitions last as long as aiokafka has them."""
    consumer_thread.FETCH_WAIT_MS = consumer.FETCH_WAIT_MS = consumer.HELD_FETCH_WAIT_MS = 500


def tells_closing() -> None:
    """A worker that says of each connection of its consumer whether the thread that uses it closes it."""
    connect, close = AIOKafkaConnection.connect, AIOKafkaConnection.close

    async def note(self: Any) -> Any:
        self.thread = threading.current_thread()
        return await connect(self)

    def tell(self: Any, *args: Any, **more: Any) -> Any:
        if self._reader is not None:
            own = self.thread is threading.current_thread()
            print(f"{self} closed in {'its own' if own else 'another'} thread", file=sys.stderr, flush=True)
        return close(self, *args, **more)

    _replace(AIOKafkaConnection, "connect", note)
    _replace(AIOKafkaConnection, "close", tell)


def closes_at_once() -> None:
    """The same, closing them in the worker's thread when a rebalance meets its stop, as Faust does."""
    tells_closing()
    _replace(consumer_thread.FrameConsumerThread, "close", driver.AIOKafkaConsumerThread.close)


def never_resumes() -> None:
    """A worker whose fetching never begins after an assignment, as when Faust waits for an answer that never comes."""

    async def on_partitions_assigned(self: FrameConsumer, assigned: Any, generation_id: int = 0) -> None:
        self._frames.assigned()

    _replace(FrameConsumer, "on_partitions_assigned", on_partitions_assigned)


def never_commits() -> None:
    """A worker that does all its work, and whose commits come to nothing."""

    async def force_commit(self: FrameConsumer, *_: Any, **__: Any) -> bool:
        return False

    _replace(FrameConsumer, "force_commit", force_commit)


def blocks() -> None:
    """A worker whose event loop is blocked for good by its tenth frame; the time until it is given up is made short."""
    taken = itertools.count()
    take = FrameAgent.take

    def then_block(self: FrameAgent, *args: Any, **more: Any) -> None:
        if next(taken) == 10:
            threading.Event().wait()
        take(self, *args, **more)

    _replace(FrameAgent, "take", then_block)
    WatchSettings.__init__.__kwdefaults__.update(loop_s=3.0, end_s=6.0)


def no_gate() -> None:
    """A worker that has whatever comes decoded, whatever it is and however large it says that it is."""

    def look(data: bytes, *, max_pixels: int = 0) -> ImageHeader:
        try:
            return inspect(data, max_pixels=UNGATED_PIXELS)
        except FrameError as error:
            if error.reason != "not_an_image":
                raise
            # Of a kind that OpenCV is asked to decode, and finds out the size itself.
            return ImageHeader("image/png", 1, 1)

    for module in (headers, pipeline):
        _replace(module, "inspect", look)


def no_deadline() -> None:
    """A worker that waits for a frame for as long as that takes."""
    overdue = Stalls.overdue

    def never(self: Stalls, task: Task[Any], now: float, *, timeout_s: float) -> bool:
        return overdue(self, task, now, timeout_s=float("inf"))

    _replace(Stalls, "overdue", never)


def replies() -> None:
    """A worker that answers where a record's sender would have it, as an agent of Faust's does that yields."""
    publish = Outbox.publish

    def reply(self: Outbox, entry: FrameEntry) -> bool:
        assert entry.result is not None
        records = entry.result.records
        asked = {topic.decode() for name, topic in entry.work.record.headers if name == "Faust-Ag-ReplyTo" and topic}
        # Tried again where there was no room.
        for topic in asked - {record.topic for record in records}:
            entry.result = replace(entry.result, records=(*records, replace(records[0], topic=topic)))
        return publish(self, entry)

    _replace(Outbox, "publish", reply)


def stalls() -> None:
    """A worker that can be made to stand still: its agent by SIGUSR1, its event loop by SIGUSR2.

    The agent then goes on to be handed frames, and begins none of them, as when the task that takes them has died.
    """
    agent, loop = _told_by(signal.SIGUSR1), _told_by(signal.SIGUSR2)
    take = FrameAgent.take

    def take_or_stand(self: FrameAgent, *args: Any, **more: Any) -> None:
        if loop():
            threading.Event().wait()
        if not agent():
            take(self, *args, **more)

    _replace(FrameAgent, "take", take_or_stand)
    WatchSettings.__init__.__kwdefaults__.update(loop_s=3.0, end_s=6.0)
    sys.argv += ["--stall-limit", STALL_LIMIT]


def stalls_unwatched() -> None:
    """The same without the watchdog."""
    stalls()
    _replace(Watchdog, "start", lambda self: None)


def _told_by(number: signal.Signals) -> Callable[[], bool]:
    """Whether the signal has come."""
    told = threading.Event()
    signal.signal(number, lambda *_: told.set())
    return told.is_set


def no_relief() -> None:
    """A pool in which a task that runs for long keeps its thread, and those like it get the others."""
    _replace(ThreadPool, "relieve", lambda self, task: None)


def forgetful() -> None:
    """A worker that publishes nothing of one frame in fifty, and goes on as if it had."""
    publish = Outbox.publish

    def forget(self: Outbox, entry: FrameEntry) -> bool:
        assert entry.result is not None
        if entry.offset % 50 == 25:
            entry.result = replace(entry.result, records=())
        return publish(self, entry)

    _replace(Outbox, "publish", forget)


if __name__ == "__main__":
    variants = (mended, no_drain, no_wake, ack_at_once, drop_at_swap, never_resumes, never_commits, blocks)
    variants += (
        no_relief,
        forgetful,
        long_fetches,
        no_gate,
        no_deadline,
        replies,
        stalls,
        stalls_unwatched,
        tells_closing,
        closes_at_once,
    )
    {variant.__name__.replace("_", "-"): variant for variant in variants}[sys.argv.pop(1)]()
    main()
