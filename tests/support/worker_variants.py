"""`framelane` with one of the worker's safeguards taken out: python worker_variants.py VARIANT ARGUMENTS...

What a test proves with a worker, it must not prove with the worker that lacks the safeguard.
"""

import itertools
import sys
import threading
from dataclasses import replace
from typing import Any

from faust.transport.drivers import aiokafka as driver

from framelane.__main__ import main
from streams import consumer
from streams.agents import FrameAgent
from streams.cameras import Run
from streams.consumer import FrameConsumer
from streams.outbox import FrameEntry, FrameLane, Outbox
from streams.pipeline import Pipeline
from streams.pool import ThreadPool
from streams.settings import WatchSettings


def _replace(owner: type, name: str, method: Any) -> None:
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
    consumer.FETCH_WAIT_MS = consumer.HELD_FETCH_WAIT_MS = 500


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
    variants += (no_relief, forgetful, long_fetches)
    {variant.__name__.replace("_", "-"): variant for variant in variants}[sys.argv.pop(1)]()
    main()
