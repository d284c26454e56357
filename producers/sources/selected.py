"""From what a source gives to what is published: thinned out, only where something moves, in its size, encoded."""

import time

from producers.motion_gate import MotionGate
from producers.pacing import SECOND_NS, Limit
from producers.pictures import PictureSettings, prepare
from producers.sources.base import DEFAULT_FPS, Grab, LeftOut, Selection, Source
from streams.contract.errors import FrameError, SourceLost

_DAMAGED = LeftOut(reason="undecodable")


class Selected:
    """A source whose pictures are encoded, and of which those are left out that nobody wants."""

    selected = True

    def __init__(self, source: Source, selection: Selection) -> None:
        """Takes the source over, to be closed with this. Raises SettingError for what no picture can be made to be."""
        self._source = source
        self.name, self.live, self.fps = source.name, source.live, source.fps
        self.waits, self.keeps = bool(getattr(source, "waits", False)), bool(getattr(source, "keeps", False))
        self.codec, self.decoder = str(getattr(source, "codec", "")), str(getattr(source, "decoder", ""))
        self._pictures = PictureSettings(quality=selection.quality, size=selection.size)
        max_fps = _max_fps(source, selection)
        self._thinning = _Thinning(source, max_fps) if max_fps else None
        self._gate = MotionGate(keep_alive_s=selection.keep_alive_s) if selection.only_motion else None
        self._damaged = 0
        self._lost: SourceLost | None = None

    def grab(self) -> Grab | LeftOut | None:
        """The next picture, or the word that one was left out. Raises as the source does."""
        if self._more_damaged():
            return _DAMAGED
        grab = self._next()
        if not isinstance(grab, Grab):
            return _DAMAGED if grab is None and self._more_damaged() else grab
        reason = self._unwanted(grab)
        if reason:
            return LeftOut(reason=reason, media_time_ns=grab.media_time_ns)
        if isinstance(grab.picture, bytes) and self._pictures.size is None:
            # Whoever publishes it looks at it anyway.
            return grab
        try:
            picture = prepare(grab.picture, self._pictures)
        except FrameError as error:
            return LeftOut(reason=error.reason, detail=str(error), media_time_ns=grab.media_time_ns)
        return Grab(picture=picture.data, captured_at_ns=grab.captured_at_ns, media_time_ns=grab.media_time_ns)

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _next(self) -> Grab | LeftOut | None:
        if self._lost is not None:
            raise self._lost
        try:
            return self._source.grab()
        except SourceLost as error:
            if not self._more_damaged():
                raise
            # What it has given before is counted first.
            self._lost = error
            return _DAMAGED

    def _more_damaged(self) -> bool:
        more = int(getattr(self._source, "damaged", 0)) > self._damaged
        self._damaged += more
        return more

    def _unwanted(self, grab: Grab) -> str:
        if self._thinning is not None and not self._thinning.admits(grab):
            return "paced"
        if self._gate is not None and not self._gate.admits(grab.picture, self._time_of(grab)):
            return "no_motion"
        return ""

    def _time_of(self, grab: Grab) -> int:
        # A file is read ahead of its turn.
        return grab.captured_at_ns if self.live or grab.media_time_ns is None else grab.media_time_ns


class _Thinning:
    """Keeps so many pictures a second: of those of a file by their places in it, of live ones by when they came."""

    def __init__(self, source: Source, max_fps: float) -> None:
        self._live, self._at_ns = source.live, 0
        self._step_ns = round(SECOND_NS / (source.fps or DEFAULT_FPS))
        self._limit = Limit(fps=max_fps)

    def admits(self, grab: Grab) -> bool:
        if self._live:
            self._at_ns = time.monotonic_ns()
        elif grab.media_time_ns is not None and grab.media_time_ns > self._at_ns:
            self._at_ns = grab.media_time_ns
        else:
            # It has begun again, or has no times.
            self._at_ns += self._step_ns
        return self._limit.admits(self._at_ns)


def _max_fps(source: Source, selection: Selection) -> float | None:
    itself = getattr(source, "keeps", False) or getattr(source, "paced", False)
    thinned_out = source.live and not itself
    limits = [fps for fps in (selection.fps if thinned_out else None, selection.max_fps) if fps]
    return min(limits, default=None)


def select(source: Source, selection: Selection) -> Source:
    """The source with the selection made, unless it makes that itself."""
    return source if getattr(source, "selected", False) else Selected(source, selection)
