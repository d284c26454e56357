"""Why a frame was not found, and what is there instead, in words."""

from consumers.lookup.name import FrameName, epoch_ms
from consumers.lookup.search import MOST_ASKED, Search
from framelane.printable import printable
from streams.contract.headers import rfc3339

_MOST_SHOWN = 5
# A camera may take so long from the beginning of an epoch to its first frame.
_START_MS = 10_000


def absent(wanted: FrameName, found: Search, *, topic: str, oldest_ms: int | None, pipeline: str | None) -> str:
    """The message. oldest_ms: the time of the topic's oldest record, ms since 1970; None where it has none."""
    by = f" by pipeline {pipeline}" if pipeline else ""
    head = f"frame {wanted}{by} is not in topic {topic}"
    if found.asked >= MOST_ASKED:
        head = f"frame {wanted}{by} was not found in topic {topic} within {MOST_ASKED} reads"
    return printable(f"{head}: {_why(wanted, found, oldest_ms)}")


def _why(wanted: FrameName, found: Search, oldest_ms: int | None) -> str:
    if oldest_ms is None:
        return "it holds no frames; look in another with --topic"
    place = wanted.bare_place
    below, above = found.neighbours
    if below and above:
        return (
            f"sequences {below.sequence} and {above.sequence} of this epoch are there; what lies between was dropped, "
            "filtered out, or became a dead letter"
        )
    if below:
        return f"the last of this epoch that was met is sequence {below.sequence}"
    if above:
        return f"the first of this epoch that was met is sequence {above.sequence}; {_oldest(oldest_ms)}"
    if found.sources:
        names = sorted(source.rpartition("/")[2] for source in found.sources)
        return f"frames of {wanted.camera_id} come from {', '.join(names[:_MOST_SHOWN])}, as far as was seen"
    began_ms = epoch_ms(wanted.epoch)
    if began_ms is not None and began_ms < oldest_ms - _START_MS:
        return f"{_oldest(oldest_ms)}, and may have been deleted since; see --retention of `framelane topics create`"
    if found.epochs:
        shown = [f"{epoch} (up to {last} or more)" for epoch, last in sorted(found.epochs.items())[-_MOST_SHOWN:]]
        return f"no such epoch was met; of {wanted.camera_id} there are, among others, {', '.join(shown)}"
    if place is not None and place[1] in found.partitions:
        return f"at offset {wanted.sequence} of partition {place[1]} lies no such frame; {_oldest(oldest_ms)}"
    cameras = sorted(found.cameras)[:_MOST_SHOWN]
    others = f"; there are, among others, {', '.join(cameras)}" if cameras else ""
    return f"no frame of camera {wanted.camera_id} was met{others}"


def _oldest(oldest_ms: int) -> str:
    return f"what the topic holds goes back to {rfc3339(oldest_ms * 1_000_000)[:-8]}Z"
