"""Pictures no larger than a screen shows them, each made once however many clients want it."""

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from consumers.received import ReceivedFrame
from streams.contract.images import encode

# Widths in pixels. Few, so that clients share them.
STEPS = (160, 240, 320, 480, 640, 960, 1280, 1920)
# Up to here the browser scales: to send a somewhat larger picture is cheaper than to decode and encode it.
UNTOUCHED = 1.5
QUALITY = 80
_KEPT = 512
_MAX_BYTES = 32 * 1024 * 1024


def step_for(frame: ReceivedFrame, width: int) -> int | None:
    """The width that a picture is scaled to for one `width` pixels wide; None where it goes as it is."""
    step = next((step for step in STEPS if step >= width), None)
    return None if step is None or frame.width <= UNTOUCHED * step else step


class Scaler:
    """Scales on threads of its own, once per size and frame. `made`: how many pictures it has scaled."""

    def __init__(self, *, threads: int = 2) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="view scaling")
        self._pictures: OrderedDict[tuple[str, int], asyncio.Future[bytes]] = OrderedDict()
        self._bytes = 0
        self.made = 0

    async def fitted(self, frame: ReceivedFrame, width: int) -> tuple[bytes, str]:
        """The picture for a width in pixels, and its content type: untouched bytes, or a JPEG scaled down.

        Raises FrameError where it has to be scaled and cannot be decoded.
        """
        step = step_for(frame, width)
        if step is None:
            return frame.data, frame.content_type
        key = frame.place, step
        future = self._pictures.get(key)
        if future is None:
            future = self._pictures[key] = asyncio.get_running_loop().run_in_executor(self._pool, _scaled, frame, step)
            future.add_done_callback(self._done)
            while len(self._pictures) > _KEPT or self._bytes > _MAX_BYTES:
                _, oldest = self._pictures.popitem(last=False)
                self._bytes -= _size(oldest)
        # Shielded, for another client may wait for the same one.
        return await asyncio.shield(future), "image/jpeg"

    def close(self) -> None:
        """End the threads; what is scaled at the moment is finished."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _done(self, future: "asyncio.Future[bytes]") -> None:
        self.made += 1
        self._bytes += _size(future)


def _size(future: "asyncio.Future[bytes]") -> int:
    return len(future.result()) if future.done() and not future.cancelled() and future.exception() is None else 0


def _scaled(frame: ReceivedFrame, step: int) -> bytes:
    height = max(1, round(frame.height * step / frame.width))
    return encode(frame.fitted(step, height).image, quality=QUALITY)
