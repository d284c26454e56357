"""One camera's run: source -> pacing -> producer, until the source ends or somebody stops it."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from producers.backoff import delays
from producers.camera_producer import CameraProducer
from producers.framing import MAX_CLOCK_OFFSET_NS
from producers.outbox import Policy
from producers.pacing import Pacer, pacer_for
from producers.repeats import Repeats
from producers.sources.base import Grab, LeftOut, Selection, Source
from producers.sources.selected import select
from streams.contract.errors import FrameError, SourceError, SourceLost

logger = logging.getLogger(__name__)
# A source that was up for so long is waited for from the shortest wait again.
STEADY_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """realtime: play files at their own speed. fps: the pace of files. count: frames to publish.

    selection: what is published of what comes. policy: what happens when the camera's buffer is full; None: a live
    source loses the oldest, all others wait.
    """

    realtime: bool = True
    fps: float | None = None
    count: int | None = None
    selection: Selection = field(default_factory=Selection)
    policy: Policy | None = None


@dataclass(slots=True)
class CameraRun:
    """Publishes what the source gives.

    A live source that is lost is opened again, each time as a new epoch, with growing waits in between; a file ends.
    open_source: opens it (anew). stop: ends the run before the next frame, whatever it waits for. source: the one that
    is open already; None: it is opened first, however often that has to be tried. clock: ns since 1970.
    published: frames up to now.
    """

    camera: CameraProducer
    open_source: Callable[[], Source]
    settings: RunSettings
    stop: threading.Event
    source: Source | None = None
    rng: random.Random = field(default_factory=random.Random)
    clock: Callable[[], int] = time.time_ns
    published: int = 0
    _opened_before: bool = False
    _failing: bool = False
    _last_ns: int = 0
    _lost: Repeats = field(init=False)

    def __post_init__(self) -> None:
        self._lost = Repeats(logger, camera_id=self.camera.camera_id)

    def run(self) -> None:
        """Run to the end, and close the source.

        Raises SourceLost when a source that is not live fails: a folder or a video that is gone when it is to begin
        again, a video behind http that breaks off (a file that breaks off ends, with a warning). Raises SettingError
        for a source that cannot be, and what `CameraProducer.publish` raises of Kafka; a live source goes on after a
        frame that is too large for the topic.
        """
        waits = self._waits()
        try:
            while not self.stop.is_set():
                source = self._open(waits)
                if source is None:
                    return
                opened, before = time.monotonic(), self.published
                try:
                    self._play(source)
                except SourceLost as error:
                    if not source.live:
                        raise
                    self._be_lost(error)
                else:
                    return
                # One that can be opened, and gives nothing, is as bad as one that cannot.
                if self.published > before and time.monotonic() - opened > STEADY_S:
                    waits = self._waits()
                if self.stop.wait(next(waits)):
                    return
        finally:
            self._close()

    def _open(self, waits: Iterator[float]) -> Source | None:
        """The open source; None when it was stopped before there was one."""
        while self.source is None:
            self.camera.told(state="opening")
            try:
                self.source = self.open_source()
            except SourceError as error:
                if self.stop.is_set():
                    return None
                self._be_lost(error)
                if self.stop.wait(next(waits)):
                    return None
        source = self.source
        if self._opened_before:
            self.camera.reconnected()
        if self.camera.begun:
            epoch = self.camera.begin_epoch()
            logger.info("camera %s is back, as epoch %s", self.camera.camera_id, epoch)
        self._opened_before = True
        self._tell_of(source)
        patient = not source.live or bool(getattr(source, "waits", False))
        self.camera.change(policy=self.settings.policy or ("block" if patient else "drop_oldest"))
        if source.live:
            self.camera.tolerate_too_large()
        return source

    def _play(self, source: Source) -> None:
        selected = select(source, self.settings.selection)
        pacer = self._pacer(source)
        while not self._finished():
            grab = selected.grab()
            if grab is None:
                return
            pacer.admit(grab.media_time_ns)
            # The wait for a frame's turn ends early when it is stopped: what waited was never captured; but of a source
            # that has let go of it, it goes out all the same.
            if self._finished() and not (isinstance(grab, Grab) and getattr(source, "keeps", False)):
                return
            if isinstance(grab, LeftOut):
                self._leave_out(grab)
            else:
                self._publish(source, grab)

    def _leave_out(self, left_out: LeftOut) -> None:
        self.camera.skip(left_out.reason)
        if left_out.detail and not self._failing:
            logger.warning("camera %s: a picture was left out: %s", self.camera.camera_id, left_out.detail)
        self._failing = self._failing or bool(left_out.detail)

    def _finished(self) -> bool:
        return self.stop.is_set() or (self.settings.count is not None and self.published >= self.settings.count)

    def _publish(self, source: Source, grab: Grab) -> None:
        # A frame of a file is captured when its turn comes, or its age would hold the wait for it.
        captured_at_ns = grab.captured_at_ns if source.live else None
        self._be_in_epoch(grab.captured_at_ns)
        try:
            self.camera.publish(grab.picture, captured_at_ns=captured_at_ns, media_time_ns=grab.media_time_ns)
        except FrameError as error:
            if not self._failing:
                logger.warning("camera %s: a picture was left out: %s", self.camera.camera_id, error)
            self._failing = True
            return
        self._failing = False
        self.published += 1

    def _be_in_epoch(self, at_ns: int) -> None:
        """Begin a new epoch where the clock was set back: within one, time does not run backwards."""
        now = self.clock()
        # A camera's clock that is further off is kept beside, and counts for nothing here.
        at_ns = at_ns if abs(at_ns - now) <= MAX_CLOCK_OFFSET_NS else now
        if at_ns < self._last_ns - MAX_CLOCK_OFFSET_NS:
            epoch = self.camera.begin_epoch()
            logger.warning("camera %s: its clock was set back; epoch %s begins", self.camera.camera_id, epoch)
        self._last_ns = at_ns

    def _pacer(self, source: Source) -> Pacer:
        return pacer_for(
            live=source.live and not (self.settings.fps and getattr(source, "keeps", False)),
            realtime=self.settings.realtime,
            fps=self.settings.fps,
            nominal_fps=source.fps,
            clock=time.monotonic_ns,
            sleep=self.stop.wait,
        )

    def _waits(self) -> Iterator[float]:
        return delays(rng=self.rng)

    def _tell_of(self, source: Source) -> None:
        codec, decoder = str(getattr(source, "codec", "")), str(getattr(source, "decoder", ""))
        self.camera.told(
            state="open", source=source.name, fps=self.settings.fps or source.fps, codec=codec, decoder=decoder
        )
        how = ", ".join(word for word in (codec, decoder) if word)
        logger.info(
            "camera %s: %s is open%s",
            self.camera.camera_id,
            source.name,
            f": {how}" if how else "",
            extra={"camera": self.camera.camera_id},
        )

    def _be_lost(self, error: SourceError) -> None:
        self._close()
        self.camera.told(state=f"lost: {error}")
        # A camera that is away for a week must not fill the log.
        self._lost.warn(f"{error}; opening it again")

    def _close(self) -> None:
        if self.source is not None:
            self.source.close()
            self.source = None
