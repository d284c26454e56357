"""What a source is, and what comes out of it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from streams.contract.images import Image

# The pace of what does not say its own: a folder of images, a file without a frame rate.
DEFAULT_FPS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grab:
    """One picture from a source.

    picture: encoded bytes, which are passed on untouched, or uint8 (H, W, 3) BGR, which belongs to the receiver.
    captured_at_ns: this host's clock at the grab, ns since 1970. media_time_ns: the position in a file; else None.
    """

    picture: bytes | Image
    captured_at_ns: int
    media_time_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """What a source may be told when it is opened.

    camera_id: drawn in by the synthetic camera. fps, size (width, height): a wish, which sources that make or ask for
    their pictures fulfil; the others leave it to those behind them. loop: begin again at the end of a file.
    clock: ns since 1970. stop: once set, a live source need not be waited for: it may end.
    """

    camera_id: str
    fps: float | None = None
    size: tuple[int, int] | None = None
    loop: bool = False
    clock: Callable[[], int] = time.time_ns
    stop: threading.Event = field(default_factory=threading.Event)


class Source(Protocol):
    """Pictures of one camera, from where they come.

    An instance is one run (one epoch): it is read by one thread, from its first picture to its end, and then closed.
    It may have `damaged` (int, 0 where it is missing): pictures up to now that came, and were none.
    A live source may have `waits` (ClassVar[bool], False where it is missing): whoever feeds it waits when it is not
    read, so that nothing of it need be dropped.
    """

    @property
    def name(self) -> str:
        """How it is shown: never with a password."""

    @property
    def live(self) -> bool:
        """Whether pictures come on their own, so that one that is not fetched is lost; a live source has no end."""

    @property
    def fps(self) -> float:
        """Its nominal pictures a second; 0 when unknown."""

    def grab(self) -> Grab | None:
        """The next picture, None at the end of a file. Waits for it, within a limit.

        Raises SourceLost when a source that gave pictures gives no more, or does not answer in time.
        """

    def close(self) -> None:
        """Let go of the file, device or connection; may be called twice."""


Opener = Callable[[str, SourceOptions], Source]
