"""When a topic that exists will do, and what to do when it will not."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from streams.contract.errors import SettingError
from streams.contract.topics import MINUTE_MS, TopicSpec

_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}", re.ASCII)
# Anything else makes the broker unpack and pack every frame again, for nothing.
_FINE_COMPRESSION = ("producer", "uncompressed")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicState:
    """A topic as the broker describes it. config: by Kafka's names, defaults included."""

    name: str
    partitions: int
    replicas: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting of a topic that does not fit: by Kafka's name, what it should be, and what it is."""

    setting: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return f"{self.setting} is {self.found}, wanted {self.wanted}"


def check_topic_name(name: str) -> None:
    """Raise SettingError when Kafka would not take the name."""
    if not _NAME.fullmatch(name) or name in (".", ".."):
        raise SettingError(f"topic {name!r}: expected 1 to 249 of A-Z a-z 0-9 . _ -")


def differences(spec: TopicSpec, state: TopicState, *, asked: Collection[str] = ()) -> tuple[Difference, ...]:
    """What does not fit: the fields that were asked for (TopicSpec's names), and what frames cannot do without.

    Without being asked, more partitions, longer retention or larger records than the default are all fine.
    """
    wanted, found = spec.config(), state.config
    rules: list[tuple[str, str, str, Callable[[str], bool]]] = [
        ("partitions", "partitions", str(spec.partitions), lambda _: True),
        ("replicas", "replicas", str(spec.replicas), lambda _: True),
        ("max_bytes", "max.message.bytes", str(spec.max_bytes), lambda size: int(size) >= spec.max_bytes),
        ("", "cleanup.policy", wanted["cleanup.policy"], lambda policy: policy == wanted["cleanup.policy"]),
        ("", "compression.type", wanted["compression.type"], lambda kind: kind in _FINE_COMPRESSION),
        ("retention_ms", "retention.ms", str(spec.retention_ms), lambda _: True),
        ("retention_bytes", "retention.bytes", str(spec.retention_bytes), lambda _: True),
    ]
    have = {"partitions": str(state.partitions), "replicas": str(state.replicas), **found}
    return tuple(
        Difference(setting, want, have[setting])
        for field, setting, want, will_do in rules
        if setting in have and not (have[setting] == want if field in asked else will_do(have[setting]))
    )


def advice(state: TopicState) -> tuple[Difference, ...]:
    """What frames can do with, and should not: they flow all the same."""
    found, advised = state.config, []
    retention_ms = int(found.get("retention.ms", -1))
    longest_ms = max(MINUTE_MS, retention_ms // 4)
    # A segment goes as a whole: one that spans days keeps footage for days.
    if found.get("cleanup.policy") == "delete" and retention_ms >= 0 and int(found.get("segment.ms", 0)) > longest_ms:
        advised.append(Difference("segment.ms", str(longest_ms), found["segment.ms"]))
    # With one replica in sync, a frame that was confirmed may be lost with its broker.
    if state.replicas >= 3 and int(found.get("min.insync.replicas", 2)) < 2:
        advised.append(Difference("min.insync.replicas", "2", found["min.insync.replicas"]))
    return tuple(advised)


def mend(state: TopicState, difference: Difference, *, bootstrap: str) -> str:
    """The command that changes it, from Kafka's own tools: what it costs is for a person to decide."""
    if difference.setting == "partitions":
        if int(difference.wanted) < state.partitions:
            return f"partitions cannot be taken away: use the {state.partitions}, or a topic of another name"
        return (
            f"kafka-topics.sh --bootstrap-server {bootstrap} --alter --topic {state.name} "
            f"--partitions {difference.wanted}   (cameras move to other partitions)"
        )
    if difference.setting == "replicas":
        return "kafka-reassign-partitions.sh changes the replicas of a topic that exists"
    return (
        f"kafka-configs.sh --bootstrap-server {bootstrap} --alter --entity-type topics "
        f"--entity-name {state.name} --add-config {difference.setting}={difference.wanted}"
    )
