"""Batches: what a fetch brings of a partition, as one message."""

import time
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from faust.types.tuples import TP

from streams.batches import batch_of, record_of


def read(offset: int, *, timestamp: Any = 1_700_000_000_123) -> ConsumerRecord:
    return ConsumerRecord("raw", 3, offset, timestamp, 0, b"gate", b"bytes", None, 4, 5, (("ce_id", b"x"),))


def test_a_batch_is_a_message_at_its_first_record() -> None:
    records = [read(7), read(9)]
    batch = batch_of(TP("raw", 3), records, generation=4)
    assert (batch.topic, batch.partition, batch.offset, batch.generation_id) == ("raw", 3, 7, 4)
    assert batch.tp == TP("raw", 3)
    assert batch.records is records


def test_a_record_is_what_was_read() -> None:
    record = record_of(read(7))
    assert (record.place, record.timestamp_ms, record.key, record.value) == (
        "raw/3/7",
        1_700_000_000_123,
        b"gate",
        b"bytes",
    )
    assert record.headers == (("ce_id", b"x"),)


@pytest.mark.parametrize("timestamp", [-1, None])
def test_a_record_without_a_time_is_of_now(timestamp: int | None) -> None:
    before = int(time.time() * 1000)
    assert before <= record_of(read(7, timestamp=timestamp)).timestamp_ms <= int(time.time() * 1000)
