"""Watchers of the live view, in a thread of their own: they look whether each picture is the camera's, and newer."""

import asyncio
import threading
from collections.abc import Mapping, Sequence

from soak_gateway import is_picture_of
from soak_newest import Newest
from view_support import View
from watch_support import Shown, watcher
from websockets.exceptions import ConnectionClosed

# Reading a picture's number costs as much as all the rest.
LOOK_EACH = 5


class Watchers:
    """Clients that watch, each its cameras; a context manager.

    watched: the cameras of each. numbers: what is in a camera's pictures. newest: of each watcher and camera, when the
    newest picture was captured. ended: connections that the view has ended.
    """

    def __init__(self, view: View, watched: Sequence[Sequence[str]], numbers: Mapping[str, int]) -> None:
        self._address, self._watched, self._numbers = view.address, watched, numbers
        self.frames = self.wrong = self.late = self.ended = 0
        self.newest = Newest((number, camera) for number, cameras in enumerate(watched) for camera in cameras)
        self._loop = asyncio.new_event_loop()
        self._clients: list[asyncio.Task[None]] = []
        self._thread = threading.Thread(target=self._run, name="watchers")

    def __enter__(self) -> "Watchers":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        self._loop.run_until_complete(self._watch_all())

    async def _watch_all(self) -> None:
        self._clients = [asyncio.create_task(self._watch(*each)) for each in enumerate(self._watched)]
        await asyncio.gather(*self._clients, return_exceptions=True)

    def _end(self) -> None:
        for client in self._clients:
            client.cancel()

    async def _watch(self, number: int, cameras: Sequence[str]) -> None:
        while True:
            try:
                async with watcher(self._address) as client:
                    await client.watch(cameras)
                    newest: dict[str, int] = {}
                    while True:
                        self._look(number, await client.frame(), newest)
                        client.texts.clear()
            except (ConnectionClosed, OSError):
                self.ended += 1
                await asyncio.sleep(1.0)

    def _look(self, number: int, shown: Shown, newest: dict[str, int]) -> None:
        camera, _, sequence = shown.name
        self.frames += 1
        self.late += sequence <= newest.get(camera, -1)
        newest[camera] = max(sequence, newest.get(camera, -1))
        if self.frames % LOOK_EACH == 0:
            self.wrong += not is_picture_of(shown.data, self._numbers[camera])
        self.newest.tell((number, camera), shown.header["captured_ms"] / 1000)
