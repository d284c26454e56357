"""A topic as it is searched: where its partitions begin and end, and what lies in between."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from confluent_kafka import Message


class Offsets(NamedTuple):
    """A partition's first record, and the offset after its last: the high watermark. -1: it has no leader to ask."""

    oldest: int
    end: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one fetch has given, in order. next_offset: the first one that it says nothing of."""

    messages: list[Message]
    next_offset: int


class Places(Protocol):
    """What is searched. asked: how many questions the broker has been asked so far."""

    topic: str
    asked: int

    def offsets(self) -> dict[int, Offsets]:
        """Where the partitions begin and end."""

    def offsets_at(self, ends: Mapping[int, Offsets], at_ms: int) -> dict[int, int]:
        """Where that time begins in each; its end where no record is that young."""

    def fetch(self, partition: int, start: int, end: int, *, wide: bool = False) -> Stretch:
        """Records from an offset on."""
