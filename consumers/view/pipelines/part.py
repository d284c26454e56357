"""Where the page of the pipelines asks: what runs, which fields an operator has, what becomes of a frame."""

import asyncio
import re
from collections.abc import Callable, Sequence

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from consumers.received import ReceivedFrame
from consumers.reported import Reported
from consumers.view.answers import binary_answer, json_answer
from consumers.view.framing import framed
from consumers.view.hub import Live
from consumers.view.pipelines.overview import overview
from consumers.view.pipelines.tryout import Tried, TryOut, TryOutsBusy, TryRequest

MAX_REQUEST = 256 * 1024
# For so long a try waits for a frame, and then says that there is none.
FRAME_S = 3.0
_SESSION = re.compile(r"[A-Za-z0-9_-]{8,64}")


class PipelinesPart:
    """What `/pipelines` and `/pipelines/try` ask for. reports: the last of each instance."""

    def __init__(self, reports: Callable[[], Sequence[Reported]], live: Live, tryout: TryOut) -> None:
        self._reports, self._live, self._tryout = reports, live, tryout

    def routes(self) -> Sequence[BaseRoute]:
        """What the pages ask for."""
        return [
            Route("/api/pipelines", self._overview),
            Route("/api/try", self._forms, methods=["GET"]),
            Route("/api/try", self._try, methods=["POST"]),
            Route("/api/try/{session}", self._end, methods=["DELETE"]),
        ]

    async def start(self) -> None:
        """Begin to look after the try-outs."""
        await self._tryout.start()

    async def stop(self) -> None:
        """End the try-outs."""
        await self._tryout.stop()

    async def _overview(self, request: Request) -> Response:
        return json_answer(overview(self._reports()))

    async def _forms(self, request: Request) -> Response:
        return json_answer(self._tryout.forms())

    async def _try(self, request: Request) -> Response:
        try:
            asked = msgspec.json.decode(await _body(request), type=TryRequest)
        except ClientDisconnect:
            return Response(status_code=400)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            return _error(400, f"a try is JSON as the page sends it: {error}")
        if not _SESSION.fullmatch(asked.session):
            return _error(400, "session: expected 8 to 64 of A-Z a-z 0-9 _ -")
        try:
            return _framed(await self._tried(asked))
        except TryOutsBusy as error:
            return _error(503, str(error))

    async def _end(self, request: Request) -> Response:
        await self._tryout.end(request.path_params["session"])
        return Response(status_code=204)

    async def _tried(self, asked: TryRequest) -> Tried:
        checked = await self._tryout.check(asked)
        if checked.wrong or checked.halted or not asked.camera:
            return checked
        frame = await self._frame(asked)
        if frame is None:
            checked.notes.append(f"camera {asked.camera} gives no raw frame")
            return checked
        return await self._tryout.run(asked, frame)

    async def _frame(self, asked: TryRequest) -> ReceivedFrame | None:
        """The frame to try; None when none has come in time."""
        latest = self._live.latest(asked.camera, "raw")
        if latest is not None and not (asked.fresh and latest.name == asked.after):
            return latest
        try:
            async with asyncio.timeout(FRAME_S):
                return await self._live.next_after(asked.camera, "raw", latest)
        except TimeoutError:
            return None


async def _body(request: Request) -> bytes:
    """What was sent; cut where it is too long, so that it is refused as no JSON."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_REQUEST:
            return b""
    return body


def _error(status: int, message: str) -> Response:
    return json_answer({"error": message}, status)


def _framed(tried: Tried) -> Response:
    """Four bytes of the header's length, the header, and the bytes of its pictures, whose lengths are its `bytes`."""
    pictures = [picture for picture in (tried.before, tried.after) if picture is not None]
    data = [picture.data for picture in pictures]
    for picture in pictures:
        picture.data = b""
    header = msgspec.to_builtins(tried) | {"bytes": [len(each) for each in data]}
    return binary_answer(b"".join(framed(msgspec.json.encode(header), *data)))
