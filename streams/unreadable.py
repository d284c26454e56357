"""Reading past records that aiokafka cannot read.

aiokafka decodes the names of headers as UTF-8 while it unpacks what it fetched. One name that is not makes every fetch
of that partition raise, for ever; what was unpacked before it, of this partition and of others, is thrown away with it.
What is done here stands on aiokafka 0.14's fetcher, in the consumer's own thread.
"""

import time
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord

# Stands for the headers of a record that cannot be read; known by identity.
UNREADABLE: tuple[tuple[str, bytes], ...] = (("unreadable", b""),)
WHY = "a header's name is not UTF-8, so the record cannot be read; it lies where dl_input says"


def positions(consumer: AIOKafkaConsumer) -> dict[Any, int]:
    """The offset that is fetched next, by partition, as far as it is known."""
    assignment = consumer._subscription.subscription and consumer._subscription.subscription.assignment
    if assignment is None:
        return {}
    states = {tp: assignment.state_value(tp) for tp in assignment.tps}
    return {tp: state.position for tp, state in states.items() if state is not None and state.has_valid_position}


async def go_back(consumer: AIOKafkaConsumer, offsets: Mapping[Any, int]) -> None:
    """Fetch these partitions again from there, where they are further by now and still ours."""
    for tp, position in positions(consumer).items():
        if position > offsets.get(tp, position):
            consumer.seek(tp, offsets[tp])


async def read_past(consumer: AIOKafkaConsumer, before: Mapping[Any, int]) -> dict[Any, list[ConsumerRecord]]:
    """The records before those that cannot be read, and a stand-in for each of the latter, by partition.

    before: the positions before the fetch that raised. The stand-in has no key and no value, and UNREADABLE as its
    headers.
    """
    await go_back(consumer, before)
    fetcher = consumer._fetcher
    found: dict[Any, list[ConsumerRecord]] = {}
    for tp, result in list(fetcher._records.items()):
        unpacked = getattr(result, "_partition_records", None)
        if unpacked is None or unpacked._records_iterator is None or unpacked._records_iterator.gi_frame is not None:
            continue  # not the one that raised
        # All before this offset can be read, and is fetched again, one by one, for the next one raises.
        offset = unpacked.next_fetch_offset
        del fetcher._records[tp]
        fetcher._notify(fetcher._wait_consume_future)
        records = found.setdefault(tp, [])
        while await consumer.position(tp) < offset:
            for more in (await fetcher.fetched_records([tp], timeout=1.0, max_records=1)).values():
                records += more
        consumer.seek(tp, offset + 1)
        now_ms = int(time.time() * 1000)
        records.append(ConsumerRecord(tp.topic, tp.partition, offset, now_ms, 0, None, None, None, 0, 0, UNREADABLE))
    return found
