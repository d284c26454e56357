"""Every frame of both sides: where it lies, and what its bytes come to, but not the bytes."""

import sys
from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b

import msgspec

from framelane.diff.asked import Key, Which
from streams.contract.frame import Frame
from streams.contract.headers import Record


class Sighting(msgspec.Struct, frozen=True, gc=False):
    """A frame on one side. size: of its bytes."""

    partition: int
    offset: int
    size: int
    digest: bytes


class Pair(msgspec.Struct, gc=False):
    """A frame as it is on either side; None where it is not. captured_at_ns: ns since 1970."""

    captured_at_ns: int
    a: Sighting | None = None
    b: Sighting | None = None

    def of(self, which: Which) -> Sighting | None:
        """How one of the sides has it."""
        return self.b if which else self.a

    @property
    def same_bytes(self) -> bool:
        """Whether both sides have it, byte for byte."""
        return self.a is not None and self.b is not None and self.a.digest == self.b.digest


@dataclass(slots=True)
class SideSums:
    """What a side's topic held besides frames that are compared.

    repeats: frames that were there already. unlike: of those, the ones that had other bytes than the first. others:
    those of other pipelines. refused: records that are no frames, by reason. source: `ce_source` of its frames.
    """

    repeats: int = 0
    unlike: int = 0
    others: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    source: str | None = None


@dataclass(slots=True)
class FrameIndex:
    """The frames of both sides by name. About 0.6 kB a frame, however large it is."""

    pairs: dict[Key, Pair] = field(default_factory=dict)
    sums: tuple[SideSums, SideSums] = field(default_factory=lambda: (SideSums(), SideSums()))

    def add(self, which: Which, frame: Frame, record: Record) -> None:
        """Take a frame in; the first of a name counts, for topics are at-least-once."""
        # Each frame comes with texts of its own that say the same.
        key = (sys.intern(frame.camera_id), sys.intern(frame.epoch), frame.sequence)
        digest = blake2b(frame.data, digest_size=16).digest()
        pair = self.pairs.get(key)
        if pair is None:
            pair = self.pairs[key] = Pair(frame.captured_at_ns)
        known = pair.of(which)
        if known is not None:
            self.sums[which].repeats += 1
            self.sums[which].unlike += known.digest != digest
            return
        sighting = Sighting(record.partition, record.offset, len(frame.data), digest)
        if which:
            pair.b = sighting
        else:
            pair.a = sighting
