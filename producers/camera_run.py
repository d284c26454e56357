"""One camera's run: source -> pacing -> producer, until the source ends or somebody stops it."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from producers.backoff import delays
from producers.camera_producer import CameraProducer
from producers.pacing import Pacer, pacer_for
from producers.sources.base import Grab, Source
from streams.contract.errors import FrameError, SourceError, SourceLost

logger = logging.getLogger(__name__)
# A source that was up for so long is waited for from the shortest wait again.
STEADY_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """realtime: play files at their own speed. fps: play, or limit a live source, to that. count: frames to publish."""

    realtime: bool = True
    fps: float | None = None
    count: int | None = None


@dataclass(slots=True)
class CameraRun:
    """Publishes what the source gives.

    A live source that is lost is opened again, each time as a new epoch, with growing waits in between; a file ends.
    reopen: opens the source anew. stop: ends the run before the next frame, whatever it waits for.
    published, reconnects: counts up to now.
    """

    camera: CameraProducer
    source: Source
    reopen: Callable[[], Source]
    settings: RunSettings
    stop: threading.Event
    rng: random.Random = field(default_factory=random.Random)
    published: int = 0
    reconnects: int = 0
    _failing: bool = False
    _damaged: int = 0

    def run(self) -> None:
        """Run to the end, and close the source.

        Raises SourceLost when a source that is not live fails: a folder or a video that is gone when it is to begin
        again, a video behind http that breaks off (a file that breaks off ends, with a warning). Raises what
        `CameraProducer.publish` raises of Kafka; a live source goes on after a frame that is too large for the topic.
        """
        if self.source.live:
            self.camera.tolerate_too_large()
        waits = self._waits()
        try:
            while True:
                opened, before = time.monotonic(), self.published
                try:
                    self._play()
                except SourceLost as error:
                    if not self.source.live:
                        raise
                    logger.warning("%s; opening it again", error, extra={"camera": self.camera.camera_id})
                else:
                    return
                # One that can be opened, and gives nothing, is as bad as one that cannot.
                if self.published > before and time.monotonic() - opened > STEADY_S:
                    waits = self._waits()
                if not self._open_again(waits):
                    return
        finally:
            self.source.close()

    def _play(self) -> None:
        pacer = self._pacer()
        while not self._finished():
            try:
                grab = self.source.grab()
            finally:
                self._count_damaged()
            if grab is None:
                return
            admitted = pacer.admit(grab)
            # The wait for a frame's turn ends early when it is stopped: what waited was never captured.
            if self._finished():
                return
            if not admitted:
                self.camera.skip("paced")
                continue
            self._publish(grab)

    def _count_damaged(self) -> None:
        damaged = getattr(self.source, "damaged", 0)
        for _ in range(damaged - self._damaged):
            self.camera.skip("undecodable")
        self._damaged = damaged

    def _finished(self) -> bool:
        return self.stop.is_set() or (self.settings.count is not None and self.published >= self.settings.count)

    def _publish(self, grab: Grab) -> None:
        # A frame of a file is captured when its turn comes, or its age would hold the wait for it.
        captured_at_ns = grab.captured_at_ns if self.source.live else None
        try:
            self.camera.publish(grab.picture, captured_at_ns=captured_at_ns, media_time_ns=grab.media_time_ns)
        except FrameError as error:
            if not self._failing:
                logger.warning("camera %s: a picture was left out: %s", self.camera.camera_id, error)
            self._failing = True
            return
        self._failing = False
        self.published += 1

    def _pacer(self) -> Pacer:
        return pacer_for(
            live=self.source.live,
            realtime=self.settings.realtime,
            fps=self.settings.fps,
            nominal_fps=self.source.fps,
            clock=time.monotonic_ns,
            sleep=self.stop.wait,
        )

    def _waits(self) -> Iterator[float]:
        return delays(rng=self.rng)

    def _open_again(self, waits: Iterator[float]) -> bool:
        """Open the source anew, however long that takes; False when it was stopped."""
        self.source.close()
        while not self.stop.wait(next(waits)):
            try:
                self.source = self.reopen()
            except SourceError as error:
                logger.warning("%s", error, extra={"camera": self.camera.camera_id})
                continue
            self.reconnects += 1
            self._damaged = 0
            epoch = self.camera.begin_epoch()
            logger.info("camera %s is back, as epoch %s", self.camera.camera_id, epoch)
            return True
        return False
