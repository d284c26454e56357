"""What time it is at the broker: the one answer of Kafka's protocol that tells it.

DescribeQuorum (KIP-595, KIP-836) says for each voter when it had last caught up; for the leader of the metadata quorum
that is the moment of the answer, by its own clock. aiokafka has no such request, so its bytes are described here.
"""

import time
from collections.abc import Mapping
from typing import Any

from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.api import RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields

API_KEY, VERSION = 55, 1
_METADATA = "__cluster_metadata"
_REPLICA = Schema(
    ("replica_id", Int32),
    ("log_end_offset", Int64),
    ("last_fetch_ms", Int64),
    ("last_caught_up_ms", Int64),
    ("tags", TaggedFields),
)
_PARTITION = Schema(
    ("partition", Int32),
    ("error_code", Int16),
    ("leader_id", Int32),
    ("leader_epoch", Int32),
    ("high_watermark", Int64),
    ("voters", CompactArray(_REPLICA)),
    ("observers", CompactArray(_REPLICA)),
    ("tags", TaggedFields),
)


class _Answer(Response):  # type: ignore[misc]
    API_KEY = API_KEY
    API_VERSION = VERSION
    SCHEMA = Schema(
        ("error_code", Int16),
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")), ("partitions", CompactArray(_PARTITION)), ("tags", TaggedFields)
            ),
        ),
        ("tags", TaggedFields),
    )


class _Question(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = API_KEY
    API_VERSION = VERSION
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")),
                ("partitions", CompactArray(("partition", Int32), ("tags", TaggedFields))),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )

    def prepare(self, _: Mapping[int, tuple[int, int]]) -> "_Question":
        """As aiokafka asks of what it sends: the version that the broker knows."""
        return self


async def ahead_s(connection: AIOKafkaConnection, versions: Mapping[int, tuple[int, int]]) -> float | None:
    """By how many seconds the broker's clock is ahead of this machine's, half the way there and back left out.

    None where the broker does not know the question, or does not answer this user (Describe on the cluster is needed).
    """
    low, high = versions.get(API_KEY, (0, -1))
    if not low <= VERSION <= high:
        return None
    asked_ns = time.time_ns()
    answer: Any = await connection.send(_Question([(_METADATA, [(0, {})], {})], {}))
    answered_ns = time.time_ns()
    leader_ms = _leader_ms(answer.topics) if answer.error_code == 0 else None
    return None if leader_ms is None else leader_ms / 1e3 - (asked_ns + answered_ns) / 2e9


def _leader_ms(topics: list[tuple[Any, ...]]) -> int | None:
    for _, partitions, _ in topics:
        for _, error_code, leader_id, _, _, voters, _, _ in partitions:
            found = [caught_up_ms for replica_id, _, _, caught_up_ms, _ in voters if replica_id == leader_id]
            if error_code == 0 and found and found[0] > 0:
                return int(found[0])
    return None
