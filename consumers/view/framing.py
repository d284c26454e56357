"""A header and what belongs to it, as they cross sockets and pipes: four bytes of length, the header, and the rest."""

import struct

# Most significant first; of the header, for that tells how long the rest is.
LENGTH = struct.Struct(">I")


def framed(header: bytes, *rest: bytes) -> tuple[bytes, ...]:
    """The parts, to be joined; pictures are not copied for it."""
    return LENGTH.pack(len(header)), header, *rest
