"""Batches: what one fetch brings of a partition goes through Faust as one message.

What Faust does to bring a message to its agent takes about as long as all else that the event loop does for a frame.
"""

import time
from collections.abc import Sequence
from typing import Any

from aiokafka import ConsumerRecord
from faust.types.tuples import TP, ConsumerMessage

from streams.contract.headers import Record


class Batch(ConsumerMessage):  # type: ignore[misc]
    """Consecutive records of one partition, at least one; to Faust a message at the offset of the first."""

    records: Sequence[ConsumerRecord]


def batch_of(tp: TP, records: Sequence[ConsumerRecord], *, generation: int) -> Batch:
    """Make it. generation: of the group, when the records were fetched."""
    first: Any = records[0]
    batch = Batch(
        tp.topic,
        tp.partition,
        first.offset,
        timestamp=None,
        timestamp_type=None,
        headers=(),
        key=None,
        value=None,
        checksum=None,
        tp=tp,
        generation_id=generation,
    )
    batch.records = records
    return batch


def record_of(read: ConsumerRecord) -> Record:
    """A record as aiokafka read it."""
    # -1, or none at all, in old formats of messages: then the time is when we got it.
    timestamp_ms = read.timestamp if read.timestamp and read.timestamp > 0 else int(time.time() * 1000)
    return Record(read.topic, read.partition, read.offset, timestamp_ms, read.key, read.value, read.headers)
