"""Opening each camera of a file once, to see what it gives."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from framelane.thumbnail_sheet import Thumbnail
from producers.camera_opening import Opening, source_options
from producers.cameras_file import CameraSettings
from producers.pictures import PictureSettings, prepare
from producers.sources import Grab, Selection, Source, open_source
from streams.contract.errors import FrameError, FramelaneError
from streams.contract.images import Image, decode, inspect

# More at once would slow each other down until they look late.
_AT_ONCE = 8
_ENOUGH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraReport:
    """What a camera gives. wrong: why it gives nothing, "" when it does; the rest is empty then.

    source: without secrets. fps: measured; 0 where that was not long enough, or the source is none that is live.
    nominal_fps: what it says of itself, 0 when nothing. picture: an encoded one.
    """

    camera_id: str
    source: str
    wrong: str = ""
    codec: str = ""
    decoder: str = ""
    width: int = 0
    height: int = 0
    fps: float = 0.0
    nominal_fps: float = 0.0
    picture: bytes = b""

    @property
    def about(self) -> str:
        """A line for a person."""
        if self.wrong:
            return self.wrong
        rate = f", {self.fps or self.nominal_fps:.3g} fps" if self.fps or self.nominal_fps else ""
        return f"{self.width}x{self.height}{rate}, {self.codec or 'codec unknown'}"

    def thumbnail(self) -> Thumbnail:
        """It, for the sheet."""
        image: Image | None = decode(self.picture) if self.picture else None
        return Thumbnail(camera_id=self.camera_id, about=self.about, picture=image)


def check_cameras(
    cameras: Sequence[CameraSettings], *, seconds: float, opening: Opening = open_source
) -> list[CameraReport]:
    """Open each camera, look at it for so long, and close it; several at the same time. Nothing is published."""
    stops = [threading.Event() for _ in cameras]
    pool = ThreadPoolExecutor(min(_AT_ONCE, len(cameras)), thread_name_prefix="check")
    try:
        return list(pool.map(lambda camera, stop: _check(camera, seconds, opening, stop), cameras, stops))
    finally:
        # Ctrl-C does not wait for what waits for a camera.
        for stop in stops:
            stop.set()
        pool.shutdown(cancel_futures=True)


def _check(camera: CameraSettings, seconds: float, opening: Opening, stop: threading.Event) -> CameraReport:
    # As it comes: what would be left out, or made smaller, is part of what is to be seen.
    options = replace(
        source_options(camera, stop=stop, clock=time.time_ns),
        selection=Selection(quality=camera.keys.quality),
    )
    name = camera.address.name
    # A folder that is watched, or standard input, may wait for ever once it is open; opening has limits of its own.
    timer = threading.Timer(seconds + camera.keys.silence_s, stop.set)
    timer.daemon = True
    try:
        source = opening(camera.address.resolve(), options)
        timer.start()
        try:
            return _look(camera.id, source, seconds, clock=time.monotonic)
        finally:
            source.close()
    except FramelaneError as error:
        return CameraReport(camera_id=camera.id, source=name, wrong=str(error))
    finally:
        timer.cancel()


def _look(camera_id: str, source: Source, seconds: float, *, clock: Callable[[], float]) -> CameraReport:
    first: bytes | None = None
    came: list[float] = []
    wrong = "it gave no picture"
    end = clock() + seconds
    while len(came) < _ENOUGH and (first is None or (source.live and clock() < end)):
        grab = source.grab()
        if grab is None:
            break
        if not isinstance(grab, Grab):
            wrong = grab.detail or f"its pictures are {grab.reason}"
            if clock() > end:
                break
            continue
        came.append(clock())
        if first is None:
            try:
                first = prepare(grab.picture, PictureSettings()).data
            except FrameError as error:
                return CameraReport(camera_id=camera_id, source=source.name, wrong=str(error))
    if first is None:
        return CameraReport(camera_id=camera_id, source=source.name, wrong=f"source {source.name!r}: {wrong}")
    width, height = inspect(first).upright
    return CameraReport(
        camera_id=camera_id,
        source=source.name,
        codec=str(getattr(source, "codec", "")),
        decoder=str(getattr(source, "decoder", "")),
        width=width,
        height=height,
        fps=_rate(came),
        nominal_fps=source.fps,
        picture=first,
    )


def _rate(came: Sequence[float]) -> float:
    """Pictures a second. The first few may have waited in a buffer, and come at once."""
    settled = came[len(came) // 4 :]
    took = settled[-1] - settled[0] if len(settled) > 2 else 0.0
    return round((len(settled) - 1) / took, 2) if took > 0 else 0.0
