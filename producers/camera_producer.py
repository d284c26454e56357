"""One camera into Kafka: the API for scripts."""

from collections.abc import Mapping
from typing import Self, get_args

from producers.camera_state import CameraState
from producers.deliveries import Outgoing
from producers.frame_producer import FLUSH_TIMEOUT_S, FrameProducer, close_after
from producers.outbox import Policy
from producers.pictures import DEFAULT_QUALITY, PictureSettings, check_time, prepare
from producers.sums import Sums
from streams.contract.errors import FrameError, SettingError, TopicMissing
from streams.contract.frame import Frame
from streams.contract.headers import to_headers
from streams.contract.identity import check_camera_id, new_epoch
from streams.contract.images import Image
from streams.contract.kafka_settings import load_kafka_settings
from streams.contract.status import CameraSums
from streams.contract.topics import RAW
from streams.contract.traceparent import sound_traceparent

# A camera's clock that is further off is kept beside the host's, not believed.
MAX_CLOCK_OFFSET_NS = 2 * 1_000_000_000


class CameraProducer:
    """Publishes the frames of one camera, numbered from 0 in each epoch; a gap in the numbers is a loss.

    Used by one thread. As a context manager it waits at the end until the broker has every frame.
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
    ) -> None:
        """bootstrap: HOST:PORT; default from the environment. producer: a connection shared with other cameras.

        quality: of the JPEG that arrays become, 1 to 100. size: (width, height) that every picture is brought to.
        policy: what happens once 32 MiB wait for the broker: "block" waits, however long the broker or the topic is
        away; "drop_oldest" loses the oldest frames and counts them.
        Raises SettingError, also for a camera that the shared connection has already. No broker need be there yet.
        """
        self.camera_id = check_camera_id(camera_id)
        self.topic = topic
        self._pictures = PictureSettings(quality=quality, size=size)
        if policy not in get_args(Policy):
            raise SettingError(f"policy {policy!r}: expected one of {', '.join(get_args(Policy))}")
        if bootstrap is not None and producer is not None:
            raise SettingError(f"camera {camera_id}: give either bootstrap or producer, which has its own bootstrap")
        self._owns = producer is None
        self._producer = producer or FrameProducer(load_kafka_settings(bootstrap=bootstrap))
        self._clock = self._producer.clock
        self._sums = Sums(clock=self._clock)
        self._state = CameraState(
            self.camera_id,
            self._producer.send,
            sums=self._sums,
            policy=policy,
            stop=self._producer.stop,
        )
        self._producer.register(self._state)
        self._sequence = 0
        self.epoch = new_epoch(self._clock())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        close_after(self.close, error)

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

    def begin_epoch(self) -> str:
        """Begin a new run, with numbers from 0: after the camera was away. Returns the epoch's name."""
        self._sequence = 0
        self.epoch = new_epoch(self._clock())
        return self.epoch

    def tolerate_too_large(self) -> None:
        """From now on a frame that the topic refuses for its size is dropped, counted and warned of, but not raised."""
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
    ) -> Frame:
        """Publish a picture: uint8 (H, W, 3) BGR or (H, W) gray, or the bytes of a JPEG, PNG or WebP, untouched.

        captured_at_ns: ns since 1970; default now. More than two seconds off, it is kept as the camera's own clock.
        media_time_ns: the position in a file. traceparent: the W3C header of the trace that the frame is part of; one
        that is not sound is left out. Returns the frame under the name that it has from now on; the broker need
        not have it yet.
        Raises FrameError for what is no frame, and TopicMissing when the topic was not there at the start; this picture
        is counted as dropped then. Raises MessageTooLarge, or another KafkaError, for what the delivery of an *earlier*
        one met; then this one is on its way.
        """
        now = self._clock()
        sequence, self._sequence = self._sequence, self._sequence + 1
        self._sums.captured()
        try:
            self._producer.check_topic(self.topic)
            captured_at_ns = check_time(captured_at_ns, name="captured_at_ns")
            media_time_ns = check_time(media_time_ns, name="media_time_ns")
            ready = prepare(picture, self._pictures)
        except TopicMissing:
            self._sums.dropped("topic_missing")
            raise
        except FrameError as error:
            self._sums.dropped(error.reason)
            raise
        own_clock = captured_at_ns is not None and abs(captured_at_ns - now) > MAX_CLOCK_OFFSET_NS
        frame = Frame(
            camera_id=self.camera_id,
            epoch=self.epoch,
            sequence=sequence,
            captured_at_ns=now if own_clock or captured_at_ns is None else captured_at_ns,
            width=ready.width,
            height=ready.height,
            content_type=ready.content_type,
            data=ready.data,
            media_time_ns=media_time_ns,
            camera_clock_ns=captured_at_ns if own_clock else None,
            traceparent=sound_traceparent(traceparent),
        )
        self._state.outbox.put(
            Outgoing(
                topic=self.topic,
                camera_id=self.camera_id,
                name=frame.name,
                value=frame.data,
                headers=to_headers(frame),
                captured_at_ns=frame.captured_at_ns,
            )
        )
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
