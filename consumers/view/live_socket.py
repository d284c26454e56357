"""`/ws`: frames, figures and events to one page."""

import asyncio
import importlib.metadata
from collections.abc import Sequence

import msgspec
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from consumers.view.client import Client, Gone
from consumers.view.hub import Live
from consumers.view.places import Places
from consumers.view.protocol import (
    Drawn,
    Ping,
    Watch,
    cameras_message,
    frame_message,
    hello_message,
    pong_message,
    read,
)
from streams.contract.errors import FrameError

# Of the protocol: the page comes again later by itself.
_GOING_AWAY, _TRY_LATER, _NOT_UNDERSTOOD = 1001, 1013, 1008
MAX_WATCHED = 1000


class LiveSockets:
    """Pages that watch."""

    def __init__(self, live: Live, places: Places) -> None:
        self._live, self._places = live, places
        self._version = importlib.metadata.version("framelane")

    def routes(self) -> Sequence[BaseRoute]:
        """The WebSocket."""
        return [WebSocketRoute("/ws", self.serve)]

    async def start(self) -> None:
        """Begin to read the topics."""
        await self._live.start()

    async def stop(self) -> None:
        """Leave the broker."""
        await self._live.stop()

    async def serve(self, socket: WebSocket) -> None:
        """One page, until it leaves."""
        await socket.accept()
        with self._places.taken() as free:
            if not free:
                await socket.close(_TRY_LATER, f"{self._places.most} clients watch already")
                return
            client = Client()
            self._live.clients.add(client)
            sending = asyncio.create_task(self._send(socket, client))
            try:
                await self._listen(socket, client)
            except WebSocketDisconnect:
                pass
            except (msgspec.DecodeError, msgspec.ValidationError, KeyError) as error:
                await socket.close(_NOT_UNDERSTOOD, str(error)[:100])
            finally:
                self._live.clients.discard(client)
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)

    async def _listen(self, socket: WebSocket, client: Client) -> None:
        while True:
            asked = read(await socket.receive_text())
            if isinstance(asked, Watch):
                wishes = dict(list(asked.cameras.items())[:MAX_WATCHED])
                more = wishes.keys() - client.wishes.keys()
                client.watch(wishes, rests=asked.rests)
                self._live.watched()
                if more:
                    self._live.show_newest(client)
            elif isinstance(asked, Drawn):
                client.drawn(asked.n)
            elif isinstance(asked, Ping):
                client.tell(pong_message(asked, self._live.now_ns() / 1e6))

    async def _send(self, socket: WebSocket, client: Client) -> None:
        live = self._live
        await socket.send_text(hello_message(self._version, live.now_ns() / 1e6))
        await socket.send_text(cameras_message(live.cameras(), live.problems()))
        while True:
            try:
                texts, frames = await client.next()
            except Gone:
                await socket.close(_GOING_AWAY)
                return
            for text in texts:
                await socket.send_text(text)
            for kind, frame in frames:
                wish = client.wishes.get(frame.camera_id)
                if wish is None:
                    break
                try:
                    data, content_type = await live.scaler.fitted(frame, wish.width)
                except FrameError:
                    # A dead picture in a live topic: the next one may be sound.
                    break
                message = frame_message(
                    frame,
                    data,
                    number=client.number(),
                    kind=kind,
                    content_type=content_type,
                    paired=len(frames) > 1,
                )
                await socket.send_bytes(message)
