"""The largest record that each topic takes, as its broker says and as refusals teach."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from dataclasses import dataclass, field

from confluent_kafka import KafkaError as ClientError
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from streams.contract.client_log import ClientLog
from streams.contract.errors import SettingError
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.signals import signals_held_back

# How long after one question the next is put, at the least: the limit can be changed while cameras run.
ASK_EVERY_S = 60.0
_REQUEST_S = 60.0
_CONFIG = "max.message.bytes"
_NO_RIGHT = (ClientError.TOPIC_AUTHORIZATION_FAILED, ClientError.CLUSTER_AUTHORIZATION_FAILED)

# Asks for a topic's limit, in bytes, and returns at once; the future may hold a KafkaException.
Ask = Callable[[str], "Future[int]"]


@dataclass(slots=True)
class _Known:
    """limit: as the broker said. refused: the smallest batch that was too large since then. why: there is no limit."""

    limit: int | None = None
    refused: int | None = None
    why: str = "the broker has not said it yet"
    asked_at: float = 0.0
    answer: "Future[int]" = field(default_factory=Future)


class TopicLimits:
    """What is known of topics' limits: asked for in the background, so that nothing here waits but `wait`.

    Sizes are those of a record batch, in bytes (`record_size`). Used by any thread.
    """

    def __init__(self, ask: Ask, *, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds, monotonic."""
        self._ask, self._clock = ask, clock
        self._topics: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def ask(self, topic: str) -> None:
        """Ask the broker, unless that was done within the last minute."""
        with self._lock:
            known, now = self._topics.get(topic), self._clock()
            if known is not None and now < known.asked_at + ASK_EVERY_S:
                return
            known = self._topics.setdefault(topic, _Known())
            known.asked_at = now
            known.answer = answer = self._ask(topic)
        # Not under the lock: an answer that is there already is heard at once, by this thread.
        answer.add_done_callback(lambda done: self._hear(topic, done))

    def wait(self, topic: str, *, timeout_s: float) -> int | None:
        """Wait for the answer to what was asked; the limit, or None when it is not known by then."""
        with self._lock:
            known = self._topics.get(topic)
        if known is None:
            return None
        try:
            known.answer.exception(timeout=timeout_s)
        except NoAnswer:
            return None
        with self._lock:
            return known.limit

    def refused(self, topic: str, size: int) -> None:
        """The broker took no batch of this size: what is known may be out of date, so it is asked again."""
        with self._lock:
            known = self._topics.get(topic)
            if known is not None and (known.limit is None or size <= known.limit):
                known.refused = min(size, known.refused or size)
        self.ask(topic)

    def bound(self, topic: str) -> int | None:
        """The size that a batch had better not pass; None when nothing is known.

        What is only known from a refusal is kept well below that, for each further try would cost a frame.
        """
        with self._lock:
            known = self._topics.get(topic)
            if known is None:
                return None
            return known.refused * 3 // 4 if known.refused else known.limit

    def told(self, topic: str, size: int) -> str:
        """The limit as the end of "a batch of this size is more than the topic takes"."""
        with self._lock:
            known = self._topics.get(topic) or _Known()
            if known.limit is None:
                return f" (how much that is, is not known: {known.why})"
            if size <= known.limit:
                return f" (its {_CONFIG} was {known.limit} bytes when it was last asked for)"
            return f": {known.limit} bytes ({_CONFIG})"

    def _hear(self, topic: str, answer: "Future[int]") -> None:
        # Runs on a thread of the client's, for which an exception would be the end.
        error = answer.exception()
        with self._lock:
            known = self._topics[topic]
            if known.answer is not answer:
                return
            if error is None:
                known.limit, known.refused = answer.result(), None
            else:
                known.why = _reason(error)


class Administrator:
    """Asks the broker for topics' limits, on a connection of its own that is made when it is first needed."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._client: AdminClient | None = None

    def ask(self, topic: str) -> "Future[int]":
        """As `Ask`. Raises SettingError for what the client refuses."""
        limit: Future[int] = Future()

        def hear(answer: "Future[dict[str, object]]") -> None:
            try:
                limit.set_result(int(getattr(answer.result()[_CONFIG], "value", "")))
            except (KafkaException, KeyError, ValueError) as error:
                limit.set_exception(error)

        resource = ConfigResource(ResourceType.TOPIC, topic)
        client = self._client = self._client or self._connect()
        client.describe_configs([resource], request_timeout=_REQUEST_S)[resource].add_done_callback(hear)
        return limit

    def poll(self) -> None:
        """Take what the client has to say, which would pile up in it; to be called every now and then."""
        if self._client is not None:
            self._client.poll(0)

    def close(self) -> None:
        """Let go of the connection."""
        self._client = None

    def _connect(self) -> AdminClient:
        # Quiet: the cameras' client says it when the broker is away.
        config = self._settings.for_confluent() | {"logger": ClientLog(quiet=True), "error_cb": lambda _: None}
        try:
            with signals_held_back():
                return AdminClient(config)
        except (KafkaException, TypeError, ValueError) as error:
            raise SettingError(f"kafka: the client refuses its settings: {error}") from error


def _reason(error: BaseException) -> str:
    found = error.args[0] if error.args else error
    if not isinstance(found, ClientError):
        return f"the broker does not say its {_CONFIG}"
    if found.code() in _NO_RIGHT:
        return "this user lacks the right DescribeConfigs on it"
    return found.str()
