"""Which lines of a JSONL file are there already."""

from hashlib import blake2b

import msgspec

_MAX_KNOWN = 200_000


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What names a line: `ce_source` and `ce_id` of the frame or event.

    The capture time tells a topic that was deleted and made again: there the names "@topic-partition" begin anew.
    """

    source: str
    name: str
    captured_at_ns: int

    @property
    def key(self) -> bytes:
        """The same in 16 bytes."""
        return blake2b(f"{self.source}\n{self.name}\n{self.captured_at_ns}".encode(), digest_size=16).digest()


class KnownLines:
    """The identities of the lines that were read or written last, in bounded memory."""

    def __init__(self, *, max_known: int = _MAX_KNOWN) -> None:
        self._max_known = max_known
        # In the order in which they came.
        self._keys: dict[bytes, None] = {}
        self._decoder = msgspec.json.Decoder(Identity)

    def add(self, identity: Identity) -> bool:
        """Note an identity; False when it is known."""
        key = identity.key
        if key in self._keys:
            return False
        self._keys[key] = None
        if len(self._keys) > self._max_known:
            del self._keys[next(iter(self._keys))]
        return True

    def read(self, line: bytes) -> None:
        """Note what is in the file; a line of somebody else's, or of an older release, has no identity."""
        try:
            self.add(self._decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
