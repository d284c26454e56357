"""One camera into Kafka: the API for scripts."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Self, get_args

from producers.fitting import Fitter
from producers.frame_producer import FLUSH_TIMEOUT_S, FrameProducer, close_after
from producers.framing import Framer, Given
from producers.outbox import MAX_BYTES, Policy
from producers.pictures import DEFAULT_QUALITY, PictureSettings
from streams.contract.errors import FrameError, FramelaneError, SettingError, TopicMissing
from streams.contract.frame import Frame
from streams.contract.identity import check_camera_id
from streams.contract.images import Image
from streams.contract.kafka_settings import load_kafka_settings
from streams.contract.status import CameraSums
from streams.contract.topics import MIB, RAW

# The largest frame that Kafka takes by default has to have room.
MIN_BUFFER_BYTES = MIB


class CameraProducer:
    """Publishes the frames of one camera, numbered from 0 in each epoch; a gap in the numbers is a loss.

    Used by one thread, but for `change`. As a context manager it waits at the end until the broker has every frame.
    """

    def __init__(
        self,
        camera_id: str,
        *,
        bootstrap: str | None = None,
        producer: FrameProducer | None = None,
        topic: str = RAW,
        quality: int = DEFAULT_QUALITY,
        size: tuple[int, int] | None = None,
        policy: Policy = "block",
        buffer_bytes: int = MAX_BYTES,
        fit: bool = False,
        stop: threading.Event | None = None,
    ) -> None:
        """bootstrap: HOST:PORT; default from the environment. producer: a connection shared with other cameras.

        quality: of the JPEG that arrays become, 1 to 100. size: (width, height) that every picture is brought to.
        buffer_bytes: how much may wait for the broker, 1 MiB at the least. policy: what happens once that is full:
        "block" waits, however long the broker or the topic is away; "drop_oldest" loses the oldest frames and counts
        them. fit: a frame that is larger than the topic takes is sent as a JPEG of a lower quality, and with fewer
        pixels where that is not enough; `sums.fitted` counts them. Where the broker does not tell the topic's limit,
        frames are lost until a refusal has told of it: they are counted (too_large) and warned of, not raised.
        stop: once set, `publish` waits for room no more; default: that of the connection.
        Raises SettingError, also for a camera that the shared connection has already. No broker need be there yet.
        """
        self.camera_id = check_camera_id(camera_id)
        self.topic = topic
        pictures = PictureSettings(quality=quality, size=size)
        _check_policy(policy)
        _check_buffer(buffer_bytes)
        if bootstrap is not None and producer is not None:
            raise SettingError(f"camera {camera_id}: give either bootstrap or producer, which has its own bootstrap")
        self._owns = producer is None
        self._producer = producer or FrameProducer(load_kafka_settings(bootstrap=bootstrap))
        self._clock = self._producer.clock
        self._framer = Framer(self.camera_id, pictures, now_ns=self._clock())
        self._state = self._producer.register(self.camera_id, policy=policy, buffer_bytes=buffer_bytes, stop=stop)
        self._sums = self._state.sums
        self._tolerant = False
        self._fit(fit)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        close_after(self.close, error)

    @property
    def epoch(self) -> str:
        """The name of the run that the next frame belongs to."""
        return self._framer.epoch

    @property
    def policy(self) -> Policy:
        """What happens when the buffer is full."""
        return self._state.outbox.policy

    @property
    def sums(self) -> CameraSums:
        """What became of the frames up to now."""
        return self._sums.snapshot()

    @property
    def lost(self) -> dict[str, int]:
        """Frames dropped without being asked to, by reason."""
        return self._sums.lost

    def describe(self, about: Mapping[str, object]) -> None:
        """Say what a person would want to see in the reports; nothing secret."""
        self._state.about = dict(about)

    def told(self, **about: object) -> None:
        """Add to what the reports say, or change it; nothing secret."""
        self._state.about = {**self._state.about, **about}

    def reconnected(self) -> None:
        """Count that the source was opened again."""
        self._sums.reconnected()

    def change(
        self,
        *,
        topic: str | None = None,
        policy: Policy | None = None,
        buffer_bytes: int | None = None,
        fit: bool | None = None,
    ) -> None:
        """Go on with other settings; None: as it is. From any thread, also while `publish` waits.

        Frames that are under way go to the topic that they were for; in a smaller buffer "drop_oldest" drops what it
        has too much. Raises SettingError, and nothing has changed then.
        """
        if policy is not None:
            _check_policy(policy)
        if buffer_bytes is not None:
            _check_buffer(buffer_bytes)
        self.topic = topic or self.topic
        if fit is not None:
            self._fit(fit)
        self._state.outbox.change(policy=policy, max_bytes=buffer_bytes)

    def begin_epoch(self) -> str:
        """Begin a new run, with numbers from 0: after the camera was away. Returns the epoch's name."""
        return self._framer.begin_epoch(self._clock())

    @property
    def begun(self) -> bool:
        """Whether a frame of this epoch has been published, or its number lost."""
        return self._framer.begun

    def tolerate_missing_topic(self) -> None:
        """From now on frames wait for a topic that is not there, as they do for a broker, in place of an error."""
        self._state.waits_for_topic = True

    def tolerate_too_large(self) -> None:
        """From now on a frame that the topic refuses for its size is dropped, counted and warned of, but not raised."""
        self._tolerant = True
        self._state.raises_too_large = False

    def skip(self, reason: str) -> None:
        """Count a picture that is left out on purpose; it has no number, so it leaves no gap."""
        self._sums.captured()
        self._sums.dropped(reason)

    def publish(
        self,
        picture: bytes | Image,
        *,
        captured_at_ns: int | None = None,
        media_time_ns: int | None = None,
        traceparent: str = "",
        called_at_ns: int | None = None,
    ) -> Frame:
        """Publish a picture: uint8 (H, W, 3) BGR or (H, W) gray, or the bytes of a JPEG, PNG or WebP, untouched.

        captured_at_ns: ns since 1970; default now. More than two seconds off, it is kept as the camera's own clock.
        media_time_ns: the position in a file. traceparent: the W3C header of the trace that the frame is part of; one
        that is not sound is left out. called_at_ns: when the picture was handed over, where that was before this call.
        Returns the frame under the name that it has from now on; the broker need not have it yet.
        Raises FrameError for what is no frame, and TopicMissing when the topic was not there at the start; this picture
        is counted as dropped then. Raises MessageTooLarge, or another KafkaError, for what the delivery of an *earlier*
        one met; then this one is on its way.
        """
        given = Given(
            now_ns=self._clock() if called_at_ns is None else called_at_ns,
            captured_at_ns=captured_at_ns,
            media_time_ns=media_time_ns,
            traceparent=traceparent,
        )
        topic, sequence = self.topic, self._framer.number()
        self._sums.captured()
        try:
            self._producer.check_topic(topic, needed=not self._state.waits_for_topic)
            frame, record = self._framer.frame(picture, given, sequence=sequence, topic=topic)
        except TopicMissing:
            self._sums.dropped("topic_missing")
            raise
        except FrameError as error:
            self._sums.dropped(error.reason)
            raise
        except Exception:
            self._sums.dropped("failed")
            raise
        self._state.outbox.put(record)
        self._state.raise_failure()
        return frame

    def flush(self, *, timeout_s: float = FLUSH_TIMEOUT_S) -> None:
        """Wait until the broker has every frame. Raises what a delivery met, or KafkaError when some are still out."""
        self._producer.finish_camera(self._state, timeout_s=timeout_s)

    def close(self, *, timeout_s: float = FLUSH_TIMEOUT_S) -> None:
        """Flush, and close the connection unless it is shared. Raises as `flush` does."""
        if self._owns:
            self._producer.close(timeout_s=timeout_s)
        else:
            self.flush(timeout_s=timeout_s)

    def flush_all(self, *, timeout_s: float, busy: Callable[[], int]) -> None:
        """As `flush`, for who publishes on another thread. busy: how many frames are still to be published."""
        self._producer.finish_camera(self._state, timeout_s=timeout_s, busy=busy)

    def close_all(self, *, timeout_s: float, busy: Callable[[], int]) -> None:
        """As `close`, for who publishes on another thread; what is still to be published then is refused."""
        try:
            self.flush_all(timeout_s=timeout_s, busy=busy)
        except FramelaneError:
            self._state.outbox.shut()
            if self._owns:
                # Said already, and waited for as well.
                with suppress(FramelaneError):
                    self._producer.close(timeout_s=0)
            raise
        self._state.outbox.shut()
        if self._owns:
            self._producer.close(timeout_s=timeout_s)

    def _fit(self, fit: bool) -> None:
        if fit != (self._framer.fitter is not None):
            self._framer.fitter = Fitter(self.camera_id, self._producer.limits, self._sums) if fit else None
        # Who has frames made smaller wants the others to go on where one was refused, too.
        self._state.raises_too_large = not (fit or self._tolerant)


def _check_policy(policy: str) -> None:
    if policy not in get_args(Policy):
        raise SettingError(f"policy {policy!r}: expected one of {', '.join(get_args(Policy))}")


def _check_buffer(buffer_bytes: int) -> None:
    if not isinstance(buffer_bytes, int) or isinstance(buffer_bytes, bool) or buffer_bytes < MIN_BUFFER_BYTES:
        raise SettingError(
            f"buffer_bytes {buffer_bytes!r}: expected a whole number, {MIN_BUFFER_BYTES} (1 MiB) or more"
        )
