"""Which of librdkafka's errors a subscriber can only report, and which it waits out."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaError as ClientError
from confluent_kafka import KafkaException

from consumers.log_throttle import LogThrottle
from consumers.settings import SubscriptionSettings
from streams.contract.errors import KafkaError, TopicMissing
from streams.contract.topics import create_command

_log = logging.getLogger(__name__)
T = TypeVar("T")
# Short, because Ctrl-C is not heard within a call.
_CALL_S = 1.0
_CREDENTIALS = {ClientError._AUTHENTICATION, ClientError.SASL_AUTHENTICATION_FAILED}
_TOPIC_RIGHTS = {ClientError.TOPIC_AUTHORIZATION_FAILED}
_GROUP_RIGHTS = {ClientError.GROUP_AUTHORIZATION_FAILED}
_MISSING = {ClientError.UNKNOWN_TOPIC_OR_PART, ClientError._UNKNOWN_TOPIC}
_TOO_SLOW = (
    "longer than max.poll.interval.ms (5 minutes unless told) passed between one frame and asking for the next, so its "
    "partitions went to others; take less time, or set it higher in [kafka.librdkafka]"
)
# Said of each connection in turn (ALL_BROKERS_DOWN says it once), or of a leader that is being elected.
_ROUTINE = {
    ClientError._PARTITION_EOF,
    ClientError._TRANSPORT,
    ClientError._RESOLVE,
    ClientError.NOT_LEADER_FOR_PARTITION,
    ClientError.LEADER_NOT_AVAILABLE,
}


def permanent(error: ClientError, settings: SubscriptionSettings) -> KafkaError | None:
    """Ours for an error that waiting does not mend; None for the rest, such as a broker that is away.

    A topic that goes missing while it is read may exist again, so that is none; see `topic_missing` for the start.
    """
    code, where = error.code(), settings.kafka.bootstrap
    if code in _CREDENTIALS:
        return KafkaError(
            f"broker {where} refuses the credentials: {error.str()}; check [kafka] security, mechanism, username "
            "and password"
        )
    if code == ClientError._SSL and "verif" in error.str().lower():
        return KafkaError(f"broker {where}: its certificate is not trusted: {error.str()}; check [kafka] ca")
    if code in _TOPIC_RIGHTS:
        return KafkaError(f"topic {settings.topic!r}: no right to read it; grant Read and Describe on it at {where}")
    # Without a group nothing is ever committed, so librdkafka's wish to look its name up does not matter.
    if code in _GROUP_RIGHTS and settings.group is not None:
        return KafkaError(f"group {settings.group!r}: no right to use it; grant Read on it at {where}")
    # What is polled says so by its code alone.
    if error.fatal() or code == ClientError._FATAL:
        return KafkaError(f"topic {settings.topic!r} at {where}: {error.str()}")
    return None


def knows_no_new_groups(error: ClientError) -> bool:
    """Whether the error says that the broker has no groups of KIP-848."""
    text = error.str()
    unsupported = "version not supported" in text or "not supported by broker" in text
    return error.code() == ClientError._FATAL and "ConsumerGroupHeartbeat" in text and unsupported


def is_missing(error: ClientError) -> bool:
    """Whether the error says that the topic does not exist."""
    return error.code() in _MISSING


def topic_missing(settings: SubscriptionSettings) -> TopicMissing:
    """The topic does not exist at the start."""
    create = create_command([settings.topic], reach=settings.kafka.reach)
    return TopicMissing(f"no topic {settings.topic} on {settings.kafka.bootstrap}; make it: {create}")


class Failures:
    """Keeps the first permanent error until it is asked for, and logs the others at most once a second.

    librdkafka reports through a callback, from within its own calls, where nothing may be raised.
    """

    def __init__(self, settings: SubscriptionSettings, *, ended: threading.Event | None = None) -> None:
        self._settings = settings
        self._throttle = LogThrottle()
        self._found: KafkaError | None = None
        # Set when nobody waits for the broker any more.
        self.ended = ended or threading.Event()
        self._left = False

    def leave(self) -> None:
        """Log nothing more: the subscription is closed, even where its client still waits for a broker that is away."""
        self._left = True

    def note(self, error: ClientError) -> None:
        """Take an error in; also the client's `error_cb`."""
        self._found = self._found or permanent(error, self._settings)
        if self._found or self._left or error.code() in _ROUTINE or self._of_no_group(error):
            return
        held = self._throttle.admit()
        if held is not None:
            where = self._settings.kafka.bootstrap
            extra = {"topic": self._settings.topic, "bootstrap": where, "held_back": held}
            if error.code() == ClientError._MAX_POLL_EXCEEDED:
                _log.warning("group %s is joined again: %s", self._settings.group, _TOO_SLOW, extra=extra)
            else:
                _log.warning("waiting for the broker at %s: %s", where, error.str() or error.name(), extra=extra)

    def _of_no_group(self, error: ClientError) -> bool:
        # Whoever reads without a group needs no right to one, though librdkafka asks.
        return error.code() in _GROUP_RIGHTS and self._settings.group is None

    def check(self) -> None:
        """Raise the permanent error, if there was one."""
        if self._found:
            raise self._found

    def patiently(self, call: Callable[[float], T], *, serve: Callable[[], object]) -> T:
        """Call with a limit in seconds, again and again until the broker answers.

        serve: lets the client deliver its callbacks, for a refused password is told there only.
        Raises the permanent error, and whatever of ours the call raises.
        """
        while True:
            try:
                return call(_CALL_S)
            except KafkaException as error:
                self.note(error.args[0])
            serve()
            self.check()
            if self.ended.is_set():
                raise KafkaError(f"topic {self._settings.topic!r}: closed while it waited for the broker")
