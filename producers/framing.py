"""From a camera's pictures to its frames: their numbers, their times, and their records."""

from dataclasses import dataclass

from producers.deliveries import Outgoing
from producers.fitting import Fitter
from producers.pictures import Picture, PictureSettings, check_time, prepare
from streams.contract.frame import Frame
from streams.contract.identity import new_epoch
from streams.contract.images import Image
from streams.contract.traceparent import sound_traceparent

# A camera's clock that is further off is kept beside the host's, not believed.
MAX_CLOCK_OFFSET_NS = 2 * 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What comes with a picture; as for `CameraProducer.publish`. now_ns: when it was handed over, ns since 1970."""

    now_ns: int
    captured_at_ns: int | None
    media_time_ns: int | None
    traceparent: str


class Framer:
    """Makes the frames of one camera, numbered from 0 in each epoch. fitter: None lets all pass as they are."""

    def __init__(self, camera_id: str, pictures: PictureSettings, *, now_ns: int) -> None:
        """now_ns: of the first epoch, ns since 1970."""
        self.camera_id, self._pictures = camera_id, pictures
        self.fitter: Fitter | None = None
        self._sequence = self._last_ns = 0
        self.epoch = new_epoch(now_ns)

    def begin_epoch(self, now_ns: int) -> str:
        """Number from 0 again, under the epoch's name that this returns. now_ns: ns since 1970."""
        self._sequence = self._last_ns = 0
        self.epoch = new_epoch(now_ns)
        return self.epoch

    @property
    def begun(self) -> bool:
        """Whether the epoch has a frame, or has lost one."""
        return self._sequence > 0

    def number(self) -> int:
        """The number of the next frame; one of which nothing comes is missing, as a loss has to be."""
        self._sequence += 1
        return self._sequence - 1

    def frame(self, picture: bytes | Image, given: Given, *, sequence: int, topic: str) -> tuple[Frame, Outgoing]:
        """The picture's frame, and its record for the topic. Raises FrameError for what is no frame."""
        captured_at_ns = check_time(given.captured_at_ns, name="captured_at_ns")
        media_time_ns = check_time(given.media_time_ns, name="media_time_ns")
        own_clock = captured_at_ns is not None and abs(captured_at_ns - given.now_ns) > MAX_CLOCK_OFFSET_NS
        time_ns = self._forwards(given.now_ns if own_clock or captured_at_ns is None else captured_at_ns)

        def frame_of(shown: Picture) -> Frame:
            return Frame(
                camera_id=self.camera_id,
                epoch=self.epoch,
                sequence=sequence,
                captured_at_ns=time_ns,
                width=shown.width,
                height=shown.height,
                content_type=shown.content_type,
                data=shown.data,
                media_time_ns=media_time_ns,
                camera_clock_ns=captured_at_ns if own_clock else None,
                traceparent=sound_traceparent(given.traceparent),
            )

        ready = prepare(picture, self._pictures)
        frame = frame_of(ready)
        record = Outgoing.of(frame, topic)
        # Another thread may take it away.
        fitter = self.fitter
        smaller = fitter.smaller(ready, record, below=self._pictures.quality) if fitter else None
        if smaller is not None:
            frame = frame_of(smaller)
            record = Outgoing.of(frame, topic)
        return frame, record

    def _forwards(self, time_ns: int) -> int:
        """The time, or one just after the last where a clock that is set has put it a little before that."""
        if self._last_ns - MAX_CLOCK_OFFSET_NS <= time_ns <= self._last_ns:
            time_ns = self._last_ns + 1
        self._last_ns = time_ns
        return time_ns
