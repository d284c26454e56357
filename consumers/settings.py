"""What a subscription is asked for, and the client settings that follow from it."""

import secrets
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from streams.contract.camera_globs import CameraGlobs
from streams.contract.client_log import ClientLog
from streams.contract.errors import SettingError
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.topics import MIB, PROCESSED

Ack = Literal["next", "manual"]
GroupProtocol = Literal["auto", "consumer", "classic"]
MAX_WINDOW_S = 3600
# What the members of a group of KIP-848 leave to the broker: the client refuses it for them.
_CLASSIC_ONLY = {
    "session.timeout.ms",
    "heartbeat.interval.ms",
    "partition.assignment.strategy",
    "group.protocol.type",
}
# Fetched and not yet asked for, over all partitions: the ceiling of what a slow subscriber holds in memory.
QUEUE_BYTES = 64 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionSettings:
    """What to read, from where to where, and who remembers how far.

    group: None watches without leaving a trace; else the consumer group that resumes where it left off.
    since_ns, until_ns: ns since 1970, by the records' timestamps; since included, until not. With a group, since holds
    for partitions where the group has no place yet.
    commit_interval_s: how often a group's place is written; None: when `Subscription.commit()` is called, and where a
    frame must not be handed out before it is.
    ack: "next": asking for the next frame acknowledges the one before; "manual": only `frame.done()` does.
    freshest: only the newest frame of each camera that is there when the next one is asked for.
    size, gray: what `frame.image` is decoded to: no larger than (width, height) in pixels; (H, W).
    dedupe_window_s: how much of what a group had done with is read again to know what was seen, in seconds.
    group_protocol: "consumer" is that of KIP-848; "auto" takes it where the broker has it and `[kafka.librdkafka]`
    names nothing that belongs to the classic one.
    """

    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    topic: str = PROCESSED
    cameras: CameraGlobs = field(default_factory=CameraGlobs)
    group: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    commit_interval_s: float | None = 1.0
    ack: Ack = "next"
    freshest: bool = False
    size: tuple[int, int] | None = None
    gray: bool = False
    dedupe_window_s: float = 10.0
    group_protocol: GroupProtocol = "auto"

    def __post_init__(self) -> None:
        if self.ack not in get_args(Ack):
            raise SettingError(f"ack {self.ack!r}: expected next or manual")
        if self.group_protocol not in get_args(GroupProtocol):
            raise SettingError(f"group_protocol {self.group_protocol!r}: expected auto, consumer or classic")
        if self.size is not None and min(self.size) < 1:
            raise SettingError(f"decode {self.size}: expected a width and a height of at least one pixel")
        if not 0 <= self.dedupe_window_s <= MAX_WINDOW_S:
            raise SettingError(f"dedupe_window {self.dedupe_window_s}: expected 0 to {MAX_WINDOW_S} seconds")
        if not self.topic or self.topic.startswith("^"):
            raise SettingError(f"topic {self.topic!r}: expected a topic's name, such as {PROCESSED}")
        if self.group == "":
            raise SettingError("group '': expected a name, or none at all to watch without one")
        if self.since_ns is not None and self.until_ns is not None and self.since_ns >= self.until_ns:
            raise SettingError("since lies at or after until, so there is nothing between them")


def first_protocol(settings: SubscriptionSettings) -> str:
    """The group protocol to begin with, "consumer" or "classic"."""
    given = settings.kafka.librdkafka.get("group.protocol")
    if given is not None:
        return str(given)
    if settings.group is None or (settings.group_protocol == "auto" and _CLASSIC_ONLY & set(settings.kafka.librdkafka)):
        return "classic"
    return "consumer" if settings.group_protocol == "auto" else settings.group_protocol


def assigns_incrementally(settings: SubscriptionSettings, protocol: str) -> bool:
    """Whether a rebalance names only the partitions that come or go, and not all of them."""
    return protocol == "consumer" or "cooperative" in str(
        settings.kafka.librdkafka.get("partition.assignment.strategy", "")
    )


def client_config(settings: SubscriptionSettings, protocol: str = "classic") -> dict[str, Any]:
    """Settings of the confluent-kafka Consumer, its logger included: librdkafka prints nothing by itself."""
    role: dict[str, str | int | float | bool] = {
        # librdkafka needs a name even for assign(); the prefix is the one that the worker's rights cover.
        "group.id": settings.group or f"framelane.watch-{secrets.token_hex(4)}",
        "group.protocol": protocol,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": settings.until_ns is not None,
        "auto.offset.reset": "earliest",
        # The answer for several partitions stays below 32 MiB: glibc maps larger ones anew, page by page, each time.
        "fetch.message.max.bytes": 4 * MIB,
        "fetch.max.bytes": 16 * MIB,
        "queued.max.messages.kbytes": QUEUE_BYTES // 1024,
        # By default a full queue stops fetching for a whole second, which frames fill easily.
        "fetch.queue.backoff.ms": 20,
        # That a partition's end is reached is told only when the broker has waited so long for more.
        "fetch.wait.max.ms": 100 if settings.until_ns is not None else 500,
        "reconnect.backoff.max.ms": 2_000,
        "topic.metadata.refresh.interval.ms": 30_000,
        "log.connection.close": False,
    }
    if protocol == "classic":
        # A killed reader is missed after 12 s, as a worker is.
        role |= {"session.timeout.ms": 12_000, "heartbeat.interval.ms": 3_000}
    return settings.kafka.for_confluent(**role) | {"logger": ClientLog()}
