"""One who watches: what it wants, what waits for it, and how much is on its way."""

import asyncio
from collections import deque
from collections.abc import Mapping

import msgspec

from consumers.received import ReceivedFrame

# Few events are worth more to a slow client than none; frames wait one of each camera.
_MAX_EVENTS = 200
# Frames on their way: as many as it watches cameras, so that the window is no limit to one that keeps up.
_LEAST_WINDOW = 8

Kind = str
Frames = tuple[tuple[Kind, ReceivedFrame], ...]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of a camera. width: of the place on the screen, in pixels. raw: the raw frame beside it, too."""

    width: int = 320
    raw: bool = False


class Gone(Exception):
    """The server ends: nothing comes any more."""


class Client:
    """Of each camera the newest frame replaces one that still waits, so a slow client skips and holds up nobody.

    All of it in the event loop's thread.
    """

    def __init__(self) -> None:
        self.wishes: Mapping[str, Wish] = {}
        self.rests = False
        self.skipped = self.sent = 0
        self._drawn = 0
        self._frames: dict[str, Frames] = {}
        self._events: deque[str] = deque(maxlen=_MAX_EVENTS)
        self._figures: str | None = None
        self._wake = asyncio.Event()
        self._gone = False

    def watch(self, wishes: Mapping[str, Wish], *, rests: bool = False) -> None:
        """Watch these cameras and no others. rests: nobody looks, so that figures are left out as well."""
        self.wishes, self.rests = wishes, rests
        self._frames = {camera: frames for camera, frames in self._frames.items() if camera in wishes}
        self._wake.set()

    def offer(self, camera: str, frames: Frames) -> None:
        """The newest of a camera: the processed one, or the raw one and what was made of it."""
        self.skipped += camera in self._frames
        # It keeps its place: the camera that waits longest goes first, not the one that comes most often.
        self._frames[camera] = frames
        self._wake.set()

    def tell(self, event: str) -> None:
        """An event of a camera that it watches."""
        self._events.append(event)
        self._wake.set()

    def show(self, figures: str) -> None:
        """How the cameras are doing; replaces what was not sent yet."""
        if not self.rests:
            self._figures = figures
            self._wake.set()

    def drawn(self, number: int) -> None:
        """Frames up to this number are drawn, or thrown away."""
        self._drawn = min(self.sent, max(self._drawn, number))
        self._wake.set()

    async def next(self) -> tuple[list[str], Frames]:
        """Texts that wait, and the frames of one camera; waits until there is something that may be sent.

        Raises Gone when the server ends.
        """
        while True:
            if self._gone:
                raise Gone
            self._wake.clear()
            texts = [*self._events]
            self._events.clear()
            if self._figures is not None:
                texts.append(self._figures)
                self._figures = None
            frames: Frames = ()
            if self._frames and self.sent - self._drawn < max(_LEAST_WINDOW, 2 * len(self.wishes)):
                frames = self._frames.pop(next(iter(self._frames)))
            if texts or frames:
                return texts, frames
            await self._wake.wait()

    def leave(self) -> None:
        """The server ends."""
        self._gone = True
        self._wake.set()

    def number(self) -> int:
        """The number of the next frame that is sent."""
        self.sent += 1
        return self.sent
