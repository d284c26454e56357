"""For programs: the cameras as JSON, the newest picture of one, and a stream of them that any player opens."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from consumers.received import ReceivedFrame
from consumers.view.client import Client, Gone, Wish
from consumers.view.hub import Live
from consumers.view.openapi import openapi
from consumers.view.patient import Patient
from consumers.view.places import Places
from streams.contract.errors import FrameError

# How long the first frame of a camera is waited for.
FIRST_S, UNKNOWN_S = 5.0, 2.0
# A stream whose camera gives nothing is ended, so that players try again.
SILENT_S = 30.0
MAX_FPS = 60.0
MAX_WIDTH = 4096
BOUNDARY = "framelane-frame"
_MIXED = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
_KINDS = ("processed", "raw")


class Programs:
    """`/cameras`, `/cameras/{id}/latest.jpg`, `/cameras/{id}/mjpeg`, `/openapi.json`."""

    def __init__(self, live: Live, places: Places) -> None:
        self._live, self._places = live, places

    def routes(self) -> Sequence[BaseRoute]:
        """The four."""
        return [
            Route("/cameras", self.cameras),
            Route("/cameras/{camera}/latest.jpg", self.latest),
            Route("/cameras/{camera}/mjpeg", self.mjpeg),
            Route("/openapi.json", self.openapi),
        ]

    async def start(self) -> None:
        """Nothing has to run."""

    async def stop(self) -> None:
        """Nothing runs."""

    async def cameras(self, _: Request) -> Response:
        """How each camera is doing."""
        return Response(msgspec.json.encode(self._live.cameras()), media_type="application/json")

    async def openapi(self, _: Request) -> Response:
        """What there is to be asked for."""
        return JSONResponse(openapi())

    async def latest(self, request: Request) -> Response:
        """The newest picture."""
        camera, kind, width = request.path_params["camera"], _kind(request), _number(request, "width", 0, MAX_WIDTH)
        frame = await self._first(camera, kind)
        try:
            data, content_type = await self._fitted(frame, int(width))
        except FrameError as error:
            raise HTTPException(502, f"camera {camera}: its newest frame is damaged: {error}") from error
        return Response(data, media_type=content_type, headers=_told(frame))

    async def mjpeg(self, request: Request) -> Response:
        """Pictures, one after the other, for as long as the client takes them."""
        camera, kind, width = request.path_params["camera"], _kind(request), _number(request, "width", 0, MAX_WIDTH)
        fps = _number(request, "fps", MAX_FPS, MAX_FPS)
        if fps <= 0:
            raise HTTPException(400, f"fps {fps:g}: expected more than 0")
        if self._places.used >= self._places.most:
            raise HTTPException(503, f"{self._places.most} clients watch already", headers={"Retry-After": "10"})
        await self._first(camera, kind)
        headers = {"cache-control": "no-store"}
        if request.method == "HEAD":
            return Response(headers=headers, media_type=_MIXED)
        stream = self._stream(camera, kind, int(width), 1.0 / fps)
        return Patient(stream, media_type=_MIXED, headers=headers)

    async def _stream(self, camera: str, kind: str, width: int, interval_s: float) -> AsyncGenerator[bytes, None]:
        client = Client()
        with self._places.taken() as free:
            if not free:
                return
            client.watch({camera: Wish(raw=kind == "raw")})
            self._live.clients.add(client)
            try:
                self._live.watched()
                self._live.show_newest(client)
                while True:
                    async with asyncio.timeout(SILENT_S):
                        frame = await self._next(client, kind)
                    sent_at = time.monotonic()
                    try:
                        data, content_type = await self._fitted(frame, width)
                    except FrameError:
                        continue
                    head = f"--{BOUNDARY}\r\nContent-Type: {content_type}\r\nContent-Length: {len(data)}\r\n"
                    head += "".join(f"{name}: {value}\r\n" for name, value in _told(frame).items())
                    # Whoever takes it slowly holds up this loop, and skips what comes meanwhile.
                    yield head.encode() + b"\r\n" + data + b"\r\n"
                    await asyncio.sleep(max(0.0, interval_s - (time.monotonic() - sent_at)))
            except (TimeoutError, Gone):
                return
            finally:
                self._live.clients.discard(client)

    async def _next(self, client: Client, kind: str) -> ReceivedFrame:
        while True:
            _, frames = await client.next()
            for found, frame in frames:
                client.drawn(client.number())
                if found == kind:
                    return frame

    async def _first(self, camera: str, kind: str) -> ReceivedFrame:
        # A camera that is known is given more time than one that may not be there at all.
        for more_s in (UNKNOWN_S, FIRST_S - UNKNOWN_S):
            with suppress(TimeoutError):
                async with asyncio.timeout(more_s):
                    return await self._live.next_after(camera, kind, None)
            known = [figures.camera_id for figures in self._live.cameras()]
            if camera not in known:
                raise HTTPException(404, f"there is no camera {camera!r}; there are {', '.join(known) or 'none'}")
        raise HTTPException(503, f"camera {camera} has sent no {kind} frame since this view was started")

    async def _fitted(self, frame: ReceivedFrame, width: int) -> tuple[bytes, str]:
        return await self._live.scaler.fitted(frame, width or MAX_WIDTH)


def _told(frame: ReceivedFrame) -> dict[str, str]:
    """Which frame it is, as headers of HTTP."""
    told: dict[str, Any] = {
        "x-framelane-id": frame.name,
        "x-framelane-captured-ns": frame.captured_at_ns,
        "x-framelane-place": frame.place,
    }
    if frame.pipeline:
        told["x-framelane-pipeline"] = frame.pipeline
    return {name: str(value) for name, value in told.items()} | {"cache-control": "no-store"}


def _kind(request: Request) -> str:
    kind = request.query_params.get("kind", "processed")
    if kind not in _KINDS:
        raise HTTPException(400, f"kind {kind!r}: expected processed or raw")
    return kind


def _number(request: Request, name: str, default: float, most: float) -> float:
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= most:
        raise HTTPException(400, f"{name} {text!r}: expected a number up to {most:g}")
    return number
