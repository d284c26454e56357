"""The live view's WebSocket as a program watches it, and cameras that send at a pace."""

import json
import threading
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Producer
from websockets.asyncio.client import ClientConnection, connect

from streams.contract.frame import Frame
from streams.contract.headers import to_headers
from streams.contract.kafka_settings import PARTITIONER


@dataclass(frozen=True)
class Shown:
    """A frame that has come over the socket: its header, its picture, and its age in ms then."""

    header: Mapping[str, Any]
    data: bytes
    age_ms: float

    @property
    def name(self) -> tuple[str, str, int]:
        """The identity: camera, epoch, sequence."""
        return self.header["camera"], self.header["epoch"], self.header["sequence"]


class Cameras:
    """Cameras that send at a pace, evenly spread in time, in a thread; a context manager.

    topics: each frame goes to all of these, in their order. size: (width, height) that its headers say. sent: the
    sequence of the newest frame, by camera.
    """

    def __init__(
        self,
        bootstrap: str,
        topics: Sequence[str],
        names: Sequence[str],
        *,
        fps: float,
        data: bytes,
        size: tuple[int, int],
    ) -> None:
        self._producer = Producer({"bootstrap.servers": bootstrap, "partitioner": PARTITIONER, "linger.ms": 0})
        self._topics, self._names, self._fps, self._data, self._size = topics, names, fps, data, size
        self.sent = dict.fromkeys(names, -1)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cameras")

    def __enter__(self) -> "Cameras":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._producer.flush(10)

    def _run(self) -> None:
        pause_s = 1 / (self._fps * len(self._names))
        due, number = time.monotonic(), 0
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            camera = self._names[number % len(self._names)]
            sequence = number // len(self._names)
            width, height = self._size
            frame = Frame(
                camera_id=camera,
                epoch="e1",
                sequence=sequence,
                captured_at_ns=time.time_ns(),
                width=width,
                height=height,
            )
            for topic in self._topics:
                self._producer.produce(topic, key=camera, value=self._data, headers=to_headers(frame))
            self._producer.poll(0)
            self.sent[camera] = sequence
            number, due = number + 1, due + pause_s


class Watcher:
    """One that watches: frames are acknowledged as they come."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.texts: list[dict[str, Any]] = []

    async def watch(self, cameras: Sequence[str], *, width: int = 320, raw: bool = False) -> None:
        """Watch these, and no others."""
        wishes = {camera: {"width": width, "raw": raw} for camera in cameras}
        await self._socket.send(json.dumps({"type": "watch", "cameras": wishes}))

    async def frame(self) -> Shown:
        """The next frame; texts that come before it are kept."""
        while True:
            shown = await self.hear()
            if shown is not None:
                return shown

    async def hear(self) -> Shown | None:
        """The next message: a frame, or None for a text, which is kept."""
        message = await self._socket.recv()
        if isinstance(message, str):
            self.texts.append(json.loads(message))
            return None
        end = 4 + int.from_bytes(message[:4])
        header = json.loads(message[4:end])
        await self._socket.send(json.dumps({"type": "drawn", "n": header["n"]}))
        return Shown(header, message[end:], time.time() * 1000 - header["captured_ms"])


@asynccontextmanager
async def watcher(address: str) -> AsyncIterator[Watcher]:
    """Connect to the view. What it does not read waits in the server, not here."""
    url = f"{address.replace('http', 'ws', 1)}ws"
    async with connect(url, proxy=None, compression=None, max_size=None, max_queue=1) as socket:
        yield Watcher(socket)
