"""What a source is, and what comes out of it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from producers.pictures import DEFAULT_QUALITY
from streams.contract.images import Image

# The pace of what does not say its own: a folder of images, a file without a frame rate.
DEFAULT_FPS = 10.0
# A live source that gives no picture for so long is lost: it is closed and opened again.
SILENCE_S = 10.0
# How soon a stop is seen by a source that waits for something to come.
LOOK_S = 0.2
# What decodes streams and videos: PyAV where it is installed, else OpenCV; or the one that is named.
Decoder = Literal["auto", "pyav", "opencv"]


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
class LeftOut:
    """A picture that came and is not published. reason: the word under which it is counted.

    detail: what was wrong with it, "" where it is left out on purpose. media_time_ns: as for Grab.
    """

    reason: str
    detail: str = ""
    media_time_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which pictures of a source are published, and in which form.

    fps: what live sources are thinned out to. max_fps: no more than that, of any source. only_motion: only where
    something moves, and one every keep_alive_s all the same (0: none). quality: of the JPEG that arrays become, 1 to
    100. size: (width, height) that every picture is brought to.
    """

    fps: float | None = None
    max_fps: float | None = None
    only_motion: bool = False
    keep_alive_s: float = 10.0
    quality: int = DEFAULT_QUALITY
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """What a source may be told when it is opened.

    camera_id: drawn in by the synthetic camera. fps, size (width, height): a wish, which sources that make or ask for
    their pictures fulfil; the others leave it to those behind them. loop: begin again at the end of a file.
    clock: ns since 1970. stop: once set, a live source need not be waited for: it may end.
    decoder: of streams and videos. silence_s: a live source that gives no picture for so long raises SourceLost.
    watch: a folder does not end with its last image: it is live, and gives those that are put into it.
    memory: what a source of this camera leaves for the one that is opened after it. apart: what FFmpeg and V4L2 read is
    read in a process that can be killed; it makes the selection there.
    """

    camera_id: str
    fps: float | None = None
    size: tuple[int, int] | None = None
    loop: bool = False
    clock: Callable[[], int] = time.time_ns
    stop: threading.Event = field(default_factory=threading.Event)
    decoder: Decoder = "auto"
    silence_s: float = SILENCE_S
    watch: bool = False
    memory: dict[str, object] = field(default_factory=dict)
    apart: bool = False
    selection: Selection = field(default_factory=Selection)


class Source(Protocol):
    """Pictures of one camera, from where they come.

    An instance is one run (one epoch): it is read by one thread, from its first picture to its end, and then closed.
    It may have `damaged` (int, 0 where it is missing): pictures up to now that came, and were none; and `codec`,
    `decoder` (str, "" where they are missing): what the pictures come as, such as "h264", and what reads them.
    A live source may have `waits` (bool, False where it is missing): whoever feeds it waits when it is not read, so
    that nothing of it need be dropped; `keeps` (the same): its pictures stay where they are, so that it can be paced
    as a file is; and `paced` (the same): it keeps to the options' fps by itself. Where `selected` is True (False where
    it is missing) the pictures are those that the options' selection wants; only then LeftOut comes.
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

    def grab(self) -> Grab | LeftOut | None:
        """The next picture; None at the end of a file, and when it is stopped. Waits for it, within a limit.

        Raises SourceLost when a source that gave pictures gives no more, or does not answer in time.
        """

    def close(self) -> None:
        """Let go of the file, device or connection; may be called twice."""


Opener = Callable[[str, SourceOptions], Source]
