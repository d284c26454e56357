"""The topics: their names, and the settings that each needs."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

RAW = "frames.raw"
PROCESSED = "frames.processed"
EVENTS = "frames.events"
DEAD_LETTER = "frames.dead-letter"
STATUS = "frames.status"

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """What a topic has to be like.

    retention_ms, retention_bytes: the oldest frames go when either is passed; bytes are per partition, -1 is no limit.
    max_bytes: the largest record that the broker takes. compacted: keep the last record of each key instead.
    """

    name: str
    partitions: int = 6
    replicas: int = 1
    retention_ms: int = HOUR_MS
    retention_bytes: int = 2 * 1024 * MIB
    max_bytes: int = 4 * MIB
    compacted: bool = False

    def config(self) -> dict[str, str]:
        """The topic's settings by Kafka's names."""
        # A segment is deleted as a whole once its newest record is too old, so it may span a quarter of the retention.
        # Frames are JPEG, which does not compress; what its producer compressed stays as it is.
        config = {"compression.type": "producer", "max.message.bytes": str(self.max_bytes)}
        if self.compacted:
            config |= {"cleanup.policy": "compact", "segment.ms": str(10 * MINUTE_MS)}
        else:
            config |= {
                "cleanup.policy": "delete",
                "retention.ms": str(self.retention_ms),
                "retention.bytes": str(self.retention_bytes),
                "segment.ms": str(max(MINUTE_MS, self.retention_ms // 4)),
                "segment.bytes": str(self._segment_bytes()),
            }
        if self.replicas >= 3:
            config["min.insync.replicas"] = "2"
        return config

    def _segment_bytes(self) -> int:
        # Segments go as wholes, so they must be small beside what is kept; but the largest record has to fit into one.
        wanted = 128 * MIB if self.retention_bytes < 0 else min(128 * MIB, self.retention_bytes // 4)
        return max(wanted, self.max_bytes + MIB)


# A dead letter carries the frame as it came and more headers than it had.
DEFAULTS = {
    spec.name: spec
    for spec in (
        TopicSpec(name=RAW),
        TopicSpec(name=PROCESSED),
        TopicSpec(name=EVENTS, retention_ms=24 * HOUR_MS, max_bytes=MIB),
        TopicSpec(name=DEAD_LETTER, retention_ms=7 * 24 * HOUR_MS, max_bytes=4 * MIB + 64 * 1024),
        TopicSpec(name=STATUS, partitions=1, max_bytes=MIB, compacted=True),
    )
}


def spec_for(name: str) -> TopicSpec:
    """The settings of one of the five topics, or those of a topic of frames under another name."""
    return DEFAULTS.get(name) or replace(DEFAULTS[RAW], name=name)


def create_command(names: Iterable[str], *, reach: str) -> str:
    """What to type so that topics that are missing exist: the mend in every message about one.

    reach: `KafkaSettings.reach`.
    """
    return f"framelane topics create {' '.join(names)} {reach}"
