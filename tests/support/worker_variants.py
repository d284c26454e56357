"""`framelane` with one of the worker's safeguards taken out: python worker_variants.py VARIANT ARGUMENTS...

What a test proves with a worker, it must not prove with the worker that lacks the safeguard.
"""

import sys
from typing import Any

from faust.transport.drivers import aiokafka as driver

from framelane.cli import main
from streams.agents import FrameAgent
from streams.consumer import FrameConsumer
from streams.outbox import FrameLane


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


if __name__ == "__main__":
    {"mended": mended, "no-drain": no_drain, "no-wake": no_wake, "ack-at-once": ack_at_once}[sys.argv.pop(1)]()
    main()
