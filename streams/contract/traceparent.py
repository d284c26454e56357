"""The header `traceparent` of W3C Trace Context (https://www.w3.org/TR/trace-context/#traceparent-header)."""

import re
from typing import NamedTuple

SAMPLED = 0x01
_FORMAT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)


class TraceParent(NamedTuple):
    """A trace and the span in it that what follows is a child of. flags: bit 0 is "sampled"."""

    trace_id: int
    span_id: int
    flags: int

    def __str__(self) -> str:
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{self.flags:02x}"


def parse_traceparent(text: str) -> TraceParent | None:
    """Read the header; None for what the standard calls invalid, which is to be treated as if it were not there."""
    found = _FORMAT.fullmatch(text)
    # Only versions after 00 may say more than is known here.
    if found is None or found[1] == "ff" or (found[1] == "00" and found[5]):
        return None
    parent = TraceParent(int(found[2], 16), int(found[3], 16), int(found[4], 16))
    return parent if parent.trace_id and parent.span_id else None


def sound_traceparent(text: str) -> str:
    """The header as it may be passed on; "" for what is invalid, and a later version as the one that is known here."""
    if not text:
        return ""
    parent = parse_traceparent(text)
    return str(parent) if parent else ""
