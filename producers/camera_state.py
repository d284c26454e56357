"""What a connection has to know of one camera: its sums, what it has under way, and what it met."""

import logging
import threading
from collections.abc import Mapping

from confluent_kafka import KafkaError as ClientError

from producers.deliveries import Outgoing, error_of, is_away, reason_of
from producers.outbox import MAX_BYTES, Outbox, Policy, Send
from producers.repeats import Repeats
from producers.sums import Sums
from producers.topic_limits import TopicLimits
from streams.contract.errors import FramelaneError, MessageTooLarge, TopicMissing

logger = logging.getLogger(__name__)


class CameraState:
    """Counts what becomes of a camera's records, and keeps the first error that somebody has to mend.

    raises_too_large: False for a live camera, which goes on after a frame that the topic refuses for its size.
    waits_for_topic: a topic that never was there is waited for, as one is that is away.
    about: what a person would want to see in a report; never with a password.
    """

    def __init__(
        self,
        camera_id: str,
        send: Send,
        *,
        sums: Sums,
        limits: TopicLimits,
        policy: Policy,
        stop: threading.Event,
        buffer_bytes: int = MAX_BYTES,
    ) -> None:
        """As for Outbox. limits: what the topics take, which a refusal tells of."""
        self.camera_id = camera_id
        self.sums = sums
        self._limits = limits
        self.about: Mapping[str, object] = {}
        self.raises_too_large = True
        self.waits_for_topic = False
        self.outbox = Outbox(send, self, policy=policy, stop=stop, max_bytes=buffer_bytes)
        self._failure: FramelaneError | None = None
        self._arrived = False
        self._away = Repeats(logger, camera_id=camera_id)
        self._too_large = Repeats(logger, camera_id=camera_id)
        self._dropped = Repeats(logger, camera_id=camera_id)

    def raise_failure(self) -> None:
        """Raise what a delivery met since the last time, once."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def delivered(self, record: Outgoing) -> None:
        """The broker has the record."""
        self._arrived = True
        self.sums.produced(record.captured_at_ns, size=record.size)

    def keeps(self, record: Outgoing, error: ClientError) -> bool:
        """What comes back because the topic is away is sent again; a topic that never was there is an error."""
        if not is_away(error):
            return False
        if not (self._arrived or self.waits_for_topic) and isinstance(error_of(error, record), TopicMissing):
            return False
        self._away.warn(
            f"camera {self.camera_id}: topic {record.topic} takes no frames, which are kept and sent again: "
            f"{error.str()}"
        )
        return True

    def failed(self, record: Outgoing, error: ClientError) -> None:
        """The record came back, and is dropped."""
        reason = reason_of(error)
        self.sums.dropped(reason)
        limit = ""
        if reason == "too_large":
            limit = self._limits.told(record.topic, record.batch_size)
            self._limits.refused(record.topic, record.batch_size)
        failure = error_of(error, record, limit=limit)
        if isinstance(failure, MessageTooLarge) and not self.raises_too_large:
            self._too_large.warn(f"a frame was dropped: {failure}")
        elif failure is None:
            self._dropped.warn(f"camera {self.camera_id}: frame {record.name} was dropped: {error.str()}")
        elif self._failure is None:
            self._failure = failure

    def given_up(self, record: Outgoing, reason: str) -> None:
        """The record was dropped before it was sent."""
        self.sums.dropped(reason)
