"""Frames of the camera that were met on the way, and what they tell of where the wanted one lies."""

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from confluent_kafka import Message

from consumers.lookup.name import FrameName, epoch_ms
from streams.contract.errors import FrameError
from streams.contract.headers import Record, numbered
from streams.contract.identity import camera_source
from streams.contract.records import to_record

# Where the wanted frame lies, as seen from another one.
Side = Literal["after", "before", "unknown"]


@dataclass(frozen=True, slots=True, order=True)
class Sighting:
    """A frame of the camera. offset: its place in the partition; source: who published it."""

    sequence: int
    offset: int
    epoch: str = field(compare=False)
    source: str = field(compare=False)
    record: Record | None = field(compare=False, repr=False, default=None)


def sighting(message: Message, camera_id: str) -> Sighting | None:
    """The record as a frame of this camera; None when it is another's, or its headers are wrong."""
    if message.key() != camera_id.encode():
        return None
    try:
        record = to_record(message)
    except FrameError:
        return None
    headers = dict(record.headers)
    place = numbered(record, camera_id)
    if place is None and "ce_id" in headers:
        return None
    epoch, sequence = place or (f"@{record.topic}-{record.partition}", record.offset)
    source = (headers.get("ce_source") or camera_source(camera_id).encode()).decode(errors="replace")
    return Sighting(sequence, record.offset, epoch, source, record)


class Sightings:
    """What was met in one partition."""

    def __init__(self, wanted: FrameName) -> None:
        self._wanted = wanted
        self._guide: str | None = None
        self.same_epoch: list[Sighting] = []
        self.epochs: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self.epochs)

    def add(self, met: Sequence[Sighting]) -> list[tuple[int, Side]]:
        """Take in what one fetch has given; for each its offset, and on which side of it the wanted frame lies."""
        for each in met:
            self.epochs[each.epoch] = max(each.sequence, self.epochs.get(each.epoch, 0))
        # Pipelines run apart in time, so the places of one publisher only can be compared.
        self._guide = self._guide or next((each.source for each in met), None)
        guides = [each for each in met if each.source == self._guide]
        sides = _in_order([(each, self._side(each)) for each in guides])
        for each, _ in sides:
            if each.epoch == self._wanted.epoch:
                insort(self.same_epoch, Sighting(each.sequence, each.offset, each.epoch, each.source))
        return [(each.offset, side) for each, side in sides]

    @property
    def neighbours(self) -> tuple[Sighting | None, Sighting | None]:
        """Those of the same epoch that come closest before and after the wanted one."""
        below = [each for each in self.same_epoch if each.sequence < self._wanted.sequence]
        above = [each for each in self.same_epoch if each.sequence > self._wanted.sequence]
        return (below[-1] if below else None, above[0] if above else None)

    @property
    def estimate(self) -> int | None:
        """The offset at which the frame ought to lie; None while too little is known."""
        below, above = self.neighbours
        known = self.same_epoch
        # Between two, or else on from the two that lie furthest apart.
        one, two = (below, above) if below and above else (known[0], known[-1]) if len(known) > 1 else (None, None)
        if one is None or two is None or one.sequence == two.sequence:
            return None
        slope = (two.offset - one.offset) / (two.sequence - one.sequence)
        return max(0, round(one.offset + slope * (self._wanted.sequence - one.sequence)))

    def _side(self, met: Sighting) -> Side:
        wanted = self._wanted
        if met.epoch == wanted.epoch:
            return "after" if met.sequence < wanted.sequence else "before"
        one, two = epoch_ms(met.epoch), epoch_ms(wanted.epoch)
        if one is not None and two is not None:
            return "unknown" if one == two else "after" if one < two else "before"
        return "unknown"


def _in_order(sides: Sequence[tuple[Sighting, Side]]) -> list[tuple[Sighting, Side]]:
    """Without those that contradict the most: a frame that was sent again lies among later ones."""
    after = [each for each, side in sides if side == "after"]
    before = [each for each, side in sides if side == "before"]
    if not after or not before or _last(after) < min(each.offset for each in before):
        return list(sides)
    kept = "after" if len(after) > len(before) else "before"
    return [(each, side) for each, side in sides if side == kept]


def _last(met: Iterable[Sighting]) -> int:
    return max(each.offset for each in met)
