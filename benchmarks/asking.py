"""Clients that ask for images: each on a connection of its own, the next image when the answer is there.

`python -m benchmarks.asking PORT CLIENTS SECONDS FOLDER` prints one JSON object: how long the answers took, in ms, and
how long it measured, in seconds. A process of its own, so that it is one client program to every server.
"""

import asyncio
import itertools
import json
import struct
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_LENGTH = struct.Struct(">I")


async def _client(port: int, pictures: Sequence[bytes], first: int, *, start: float, end: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    took_ms = []
    for data in itertools.islice(itertools.cycle(pictures), first, None):
        asked = time.monotonic()
        if asked >= end:
            break
        writer.write(_LENGTH.pack(len(data)) + data)
        size = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))[0]
        answer = await reader.readexactly(size)
        if not answer:
            raise RuntimeError("an answer is empty")
        now = time.monotonic()
        # Whatever was answered within the window counts, be it asked before.
        if start <= now < end:
            took_ms.append(1000 * (now - asked))
    writer.close()
    return took_ms


async def _run(port: int, clients: int, seconds: float, pictures: Sequence[bytes]) -> dict[str, object]:
    # The first second is for the server to warm up.
    start = time.monotonic() + 1.0
    end = start + seconds
    found = await asyncio.gather(
        *(_client(port, pictures, 7 * number, start=start, end=end) for number in range(clients))
    )
    return {"took_ms": [each for one in found for each in one], "seconds": seconds}


if __name__ == "__main__":
    port, clients, seconds, folder = sys.argv[1:]
    images = [path.read_bytes() for path in sorted(Path(folder).iterdir())]
    sys.stdout.write(json.dumps(asyncio.run(_run(int(port), int(clients), float(seconds), images))))
