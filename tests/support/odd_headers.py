"""Sends frames, some with a header whose name is not UTF-8: python odd_headers.py BOOTSTRAP TOPIC JPEG PATTERN.

PATTERN: a character for each record, x for a bad one; the keys are b0, b1, ... All go into one batch. Neither
librdkafka nor aiokafka's extension can send such a name, so this is run with AIOKAFKA_NO_EXTENSIONS=1.
"""

import asyncio
import sys
from pathlib import Path

from aiokafka import AIOKafkaProducer


class NotUtf8(str):
    """A name that encodes to what is no UTF-8."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe"


async def main(bootstrap: str, topic: str, jpeg: bytes, pattern: str) -> None:
    """Send them."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=200)
    await producer.start()
    try:
        sent = [
            await producer.send(
                topic, key=f"b{n}".encode(), value=jpeg, headers=[(NotUtf8("name"), b"x")] if each == "x" else []
            )
            for n, each in enumerate(pattern)
        ]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]).read_bytes(), sys.argv[4]))
