"""What a subscription is asked for, and the client settings that follow from it."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from streams.contract.camera_globs import CameraGlobs
from streams.contract.client_log import ClientLog
from streams.contract.errors import SettingError
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.topics import MIB, PROCESSED

# Fetched and not yet asked for, over all partitions: the ceiling of what a slow subscriber holds in memory.
QUEUE_BYTES = 64 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionSettings:
    """What to read, from where to where, and who remembers how far.

    group: None watches without leaving a trace; else the consumer group that resumes where it left off.
    since_ns, until_ns: ns since 1970, by the records' timestamps; since included, until not. With a group, since holds
    for partitions where the group has no place yet.
    commit_interval_s: how often a group's place is written; None: only when `Subscription.commit()` is called.
    """

    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    topic: str = PROCESSED
    cameras: CameraGlobs = field(default_factory=CameraGlobs)
    group: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    commit_interval_s: float | None = 1.0

    def __post_init__(self) -> None:
        if not self.topic or self.topic.startswith("^"):
            raise SettingError(f"topic {self.topic!r}: expected a topic's name, such as {PROCESSED}")
        if self.group == "":
            raise SettingError("group '': expected a name, or none at all to watch without one")
        if self.since_ns is not None and self.until_ns is not None and self.since_ns >= self.until_ns:
            raise SettingError("since lies at or after until, so there is nothing between them")


def client_config(settings: SubscriptionSettings) -> dict[str, Any]:
    """Settings of the confluent-kafka Consumer, its logger included: librdkafka prints nothing by itself."""
    commits = settings.group is not None and settings.commit_interval_s is not None
    role: dict[str, str | int | float | bool] = {
        # librdkafka needs a name even for assign(); the prefix is the one that the worker's rights cover.
        "group.id": settings.group or f"framelane.watch-{secrets.token_hex(4)}",
        "enable.auto.commit": commits,
        "auto.commit.interval.ms": round((settings.commit_interval_s or 1.0) * 1000),
        "enable.auto.offset.store": False,
        "enable.partition.eof": settings.until_ns is not None,
        "auto.offset.reset": "earliest",
        # A killed reader is missed after 12 s, as a worker is.
        "session.timeout.ms": 12_000,
        "heartbeat.interval.ms": 3_000,
        "fetch.message.max.bytes": 8 * MIB,
        "queued.max.messages.kbytes": QUEUE_BYTES // 1024,
        # By default a full queue stops fetching for a whole second, which frames fill easily.
        "fetch.queue.backoff.ms": 20,
        # That a partition's end is reached is told only when the broker has waited so long for more.
        "fetch.wait.max.ms": 100 if settings.until_ns is not None else 500,
        "reconnect.backoff.max.ms": 2_000,
        "topic.metadata.refresh.interval.ms": 30_000,
        "log.connection.close": False,
    }
    return settings.kafka.for_confluent(**role) | {"logger": ClientLog()}
