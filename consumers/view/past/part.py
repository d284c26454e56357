"""Where the page of one camera asks for the past.

| path | answer |
| --- | --- |
| `/api/cameras/{camera}/span` | the oldest and the newest frame that the topic holds: `{"oldest": …, "newest": …}` |
| `/api/cameras/{camera}/frames` | frames without their pictures: `{"frames": […]}` |
| `/api/cameras/{camera}/film` | the same with their pictures, binary: see `consumers.view.past.frames.film` |
| `/api/cameras/{camera}/raw?of=PLACE` | the raw frame that the processed one at PLACE was made of, as a film |
| `/api/cameras/{camera}/marks?from=&to=` | events and dead letters of a span, thinned: `Marks` |
| `/api/cameras/{camera}/events?from=&to=` | the events of at most 60 s, as they are on the topic |
| `/api/frames/{topic}/{partition}/{offset}` | a frame's bytes as they lie there; `?download` names a file |

`frames` and `film` take one of `at` (a time in ns since 1970, RFC 3339, or `<epoch>/<sequence>`), `after`, `before` (a
place, `topic/partition/offset`), and `count` (1 to 60). `at` gives the frame, or the first one of that time or later,
and the `count` - 1 that follow. PLACE is of the processed topic. Errors are `{"error": …}`: 400, 404 for a topic that
is not shown, 410 for what is not retained, 429 for too many at once, 503 for a broker that is away, 504 for what was
not found in 8 s.
"""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from consumers.lookup.name import FrameName
from consumers.view.answers import binary_answer, json_answer
from consumers.view.past.archive import MOST_FRAMES, Archive
from consumers.view.past.frames import Found, Kept, film
from consumers.view.past.marks import events_of, marks_of
from consumers.view.past.pool import Open, Pool
from consumers.view.past.problems import Busy, NotHere, OutOfTime
from consumers.view.settings import ViewSettings
from streams.contract.errors import FramelaneError, SettingError
from streams.contract.identity import is_camera_id, is_epoch
from streams.contract.images import EXTENSIONS
from streams.contract.times import parse_time

T = TypeVar("T")
_PLACE = re.compile(r"([A-Za-z0-9._-]{1,249})/([0-9]{1,9})/([0-9]{1,18})", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)
_EVENTS_NS = 60_000_000_000
_STATUS: tuple[tuple[type[FramelaneError], int], ...] = (
    (SettingError, 400),
    (NotHere, 410),
    (Busy, 429),
    (OutOfTime, 504),
    (FramelaneError, 503),
)


class PastPart:
    """Serves the past. hint: the partition of the processed topic that a camera's frames lie in, where it is known."""

    def __init__(self, settings: ViewSettings, *, hint: Callable[[str], int | None] = lambda _: None) -> None:
        self._settings = settings
        self._pool = Pool(settings.kafka)
        self._kept = Kept()
        self._archive = Archive(settings.processed, self._kept, hint=hint)

    def routes(self) -> Sequence[BaseRoute]:
        """What the page asks for."""
        camera = "/api/cameras/{camera}"
        return [
            Route(f"{camera}/span", self._span),
            Route(f"{camera}/frames", self._frames),
            Route(f"{camera}/film", self._film),
            Route(f"{camera}/raw", self._raw),
            Route(f"{camera}/marks", self._marks),
            Route(f"{camera}/events", self._events),
            Route("/api/frames/{topic}/{partition:int}/{offset:int}", self._frame),
        ]

    async def start(self) -> None:
        """Nothing runs until somebody asks."""

    async def stop(self) -> None:
        """End what is read, and leave the broker."""
        await asyncio.to_thread(self._pool.close)

    async def _span(self, request: Request) -> Response:
        camera = _camera(request)
        oldest, newest = await self._run(
            request, lambda open: self._archive.ends(open(self._settings.processed), camera)
        )
        return json_answer({"oldest": oldest.told("processed"), "newest": newest.told("processed")})

    async def _frames(self, request: Request) -> Response:
        return json_answer({"frames": [each.told("processed") for each in await self._some(request)]})

    async def _film(self, request: Request) -> Response:
        return binary_answer(film((each.told("processed"), each.frame.data) for each in await self._some(request)))

    async def _some(self, request: Request) -> list[Found]:
        camera, asked = _camera(request), request.query_params
        count = _number(asked.get("count", "1"), "count", 1, MOST_FRAMES)
        ways = [way for way in ("at", "after", "before") if way in asked]
        if len(ways) != 1:
            raise HTTPException(400, "give one of at, after and before")
        find = _finder(self._archive, camera, ways[0], asked[ways[0]], count, self._settings.processed)
        return await self._run(request, find)

    async def _raw(self, request: Request) -> Response:
        camera, raw = _camera(request), self._settings.raw
        partition, offset = _place(request.query_params.get("of", ""), self._settings.processed)

        def find(open: Open) -> Found:
            made = self._archive.place(open(self._settings.processed), partition, offset)
            match = _PLACE.fullmatch(made.frame.input)
            if match is None or match[1] != raw:
                raise NotHere(f"frame {made.frame.name} does not say which frame of topic {raw} it was made of")
            found = self._archive.place(open(raw), int(match[2]), int(match[3]))
            if found.frame.name != made.frame.name or found.frame.camera_id != camera:
                raise NotHere(f"the raw frame of {made.frame.name} is not in topic {raw} any more")
            return found

        found = await self._run(request, find)
        return binary_answer(film([(found.told("raw"), found.frame.data)]))

    async def _marks(self, request: Request) -> Response:
        camera, (from_ns, to_ns) = _camera(request), _times(request)
        settings = self._settings
        return json_answer(
            await self._run(
                request,
                lambda open: marks_of(open(settings.events), open(settings.dead_letter), camera, from_ns, to_ns),
            )
        )

    async def _events(self, request: Request) -> Response:
        camera, (from_ns, to_ns) = _camera(request), _times(request)
        if to_ns - from_ns > _EVENTS_NS:
            raise HTTPException(400, "from and to lie more than 60 s apart: see marks")
        found = await self._run(request, lambda open: events_of(open(self._settings.events), camera, from_ns, to_ns))
        return json_answer({"events": found})

    async def _frame(self, request: Request) -> Response:
        topic, partition, offset = (request.path_params[name] for name in ("topic", "partition", "offset"))
        if topic not in (self._settings.raw, self._settings.processed):
            raise HTTPException(
                404, f"topic {topic!r} is not shown; {self._settings.raw} and {self._settings.processed} are"
            )
        if partition >= 2**31 or offset >= 2**63:
            raise HTTPException(400, "a partition is below 2^31, an offset below 2^63")
        found = await self._run(request, lambda open: self._archive.place(open(topic), partition, offset))
        frame = found.frame
        headers = {"x-framelane-id": frame.name, "x-framelane-place": found.record.place, "cache-control": "no-cache"}
        if "download" in request.query_params:
            name = f"{frame.camera_id}_{frame.epoch}_{frame.sequence}{EXTENSIONS[frame.content_type]}"
            headers["content-disposition"] = f'attachment; filename="{name}"'
        return Response(frame.data, media_type=frame.content_type, headers=headers)

    async def _run(self, request: Request, call: Callable[[Open], T]) -> T:
        address = request.client.host if request.client else ""
        try:
            return await self._pool.run(address, call)
        except FramelaneError as error:
            status = next(status for kind, status in _STATUS if isinstance(error, kind))
            again = {"Retry-After": "1"} if status in (429, 503) else None
            raise HTTPException(status, str(error), headers=again) from error


def _finder(
    archive: Archive, camera: str, way: str, text: str, count: int, topic: str
) -> Callable[[Open], list[Found]]:
    if way != "at":
        partition, offset = _place(text, topic)

        def beside(open: Open) -> list[Found]:
            reader = open(topic)
            start = archive.place(reader, partition, offset)
            if start.frame.camera_id != camera:
                raise SettingError(f"{way} {text}: there lies a frame of camera {start.frame.camera_id}")
            return archive.after(reader, start, count) if way == "after" else archive.before(reader, start, count)

        return beside
    name, at_ns = _at(camera, text)

    def at(open: Open) -> list[Found]:
        reader = open(topic)
        start = archive.named(reader, name) if name is not None else archive.at_time(reader, camera, at_ns)
        return [start, *(archive.after(reader, start, count - 1) if count > 1 else ())]

    return at


def _at(camera: str, text: str) -> tuple[FrameName | None, int]:
    epoch, _, number = text.rpartition("/")
    if epoch:
        if not is_epoch(epoch) or not _NUMBER.fullmatch(number):
            raise HTTPException(400, f"at {text[:100]!r}: expected <epoch>/<sequence>")
        return FrameName(camera, epoch, int(number)), 0
    return None, _time(text, "at")


def _time(text: str, name: str) -> int:
    """ns since 1970, as digits or RFC 3339."""
    if _NUMBER.fullmatch(text) and int(text) < 2**63:
        return int(text)
    try:
        return parse_time(text, now_ns=time.time_ns())
    except SettingError as error:
        raise HTTPException(400, f"{name}: {error}; or ns since 1970, or <epoch>/<sequence>") from error


def _times(request: Request) -> tuple[int, int]:
    from_ns, to_ns = (_time(request.query_params.get(name, ""), name) for name in ("from", "to"))
    if from_ns > to_ns:
        raise HTTPException(400, "from lies after to")
    return from_ns, to_ns


def _camera(request: Request) -> str:
    camera: str = request.path_params["camera"]
    if not is_camera_id(camera):
        raise HTTPException(400, f"{camera[:40]!r} is no camera id (1 to 128 of A-Z a-z 0-9 . _ -)")
    return camera


def _place(text: str, topic: str) -> tuple[int, int]:
    match = _PLACE.fullmatch(text)
    if match is None or match[1] != topic or int(match[2]) >= 2**31:
        raise HTTPException(400, f"{text[:100]!r}: expected {topic}/<partition>/<offset>")
    return int(match[2]), int(match[3])


def _number(text: str, name: str, least: int, most: int) -> int:
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise HTTPException(400, f"{name} {text[:20]!r}: expected {least} to {most}")
    return int(text)
