"""The independent reader: plain confluent-kafka, every partition of the output and of the dead letters."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import Consumer, Message, TopicPartition
from kafka_support import unique
from ledger import FrameName, Ledger, Place
from worker_support import Topics, identity, input_of

_NAME = re.compile(r"[^/]+/[^/]+/[0-9]{1,19}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One record on the output or the dead-letter topic. Times: s since 1970.

    name: None for a dead letter whose original had no sound headers. at_s: when the broker took it, by its own clock.
    taken_s: when the worker took the frame in, 0 for a dead letter. failed_s, reason, stage, error: of dead letters.
    """

    name: FrameName | None
    source: Place
    at_s: float
    taken_s: float = 0.0
    failed_s: float = 0.0
    reason: str = ""
    stage: str = ""
    error: str = ""

    @property
    def is_letter(self) -> bool:
        """Whether it is a dead letter."""
        return bool(self.reason)


class Reader:
    """Reads in a thread of its own from the moment it is made; a context manager.

    The topics' timestamps have to be those of the broker (`message.timestamp.type=LogAppendTime`): a reader that the
    machine holds up measures no silence that there was not.
    """

    def __init__(self, bootstrap: str, topics: Topics, *, partitions: int) -> None:
        self._topics = topics
        self._arrivals: list[Arrival] = []
        self._answered: set[Place] = set()
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        client = {"bootstrap.servers": bootstrap, "group.id": unique("reader"), "enable.auto.commit": False}
        self._consumer = Consumer({**client, "auto.offset.reset": "error", "fetch.wait.max.ms": 50, "log_level": 0})
        names = (topics.processed, topics.dead_letter)
        self._consumer.assign([TopicPartition(name, n, 0) for name in names for n in range(partitions)])
        self._thread = threading.Thread(target=self._run, name="reader")

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def arrivals(self) -> list[Arrival]:
        """A copy of all that has arrived; of a partition in its order."""
        with self._changed:
            return list(self._arrivals)

    def wait_for(self, reached: Callable[[list[Arrival]], bool], *, timeout_s: float = 90.0) -> bool:
        """Wait until it says so of all that has arrived, asked after each batch; whether it did in time."""
        give_up = time.monotonic() + timeout_s
        with self._changed:
            while not reached(self._arrivals):
                if self._failure:
                    raise self._failure
                if not self._changed.wait(give_up - time.monotonic()) and time.monotonic() >= give_up:
                    return False
            return True

    def wait_for_count(self, count: int, *, timeout_s: float = 90.0) -> bool:
        """Wait until so many records have arrived."""
        return self.wait_for(lambda arrivals: len(arrivals) >= count, timeout_s=timeout_s)

    def wait_for_all(self, ledger: Ledger, *, timeout_s: float = 90.0) -> bool:
        """Wait until each frame that is in the ledger now has an answer, an output or a dead letter."""
        wanted = set(ledger.frames())
        return self.wait_for(lambda _: wanted <= self._answered, timeout_s=timeout_s)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                messages = self._consumer.consume(500, timeout=0.1)
                batch = [self._arrival(message) for message in messages if not _is_mark(message)]
                if batch:
                    with self._changed:
                        self._arrivals += batch
                        self._answered.update(arrival.source for arrival in batch)
                        self._changed.notify_all()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _arrival(self, message: Message) -> Arrival:
        assert message.error() is None, message.error()
        headers = {name: _text(value) for name, value in dict(message.headers() or []).items()}
        at_s = message.timestamp()[1] / 1000
        name = FrameName(*identity(message)) if _NAME.fullmatch(headers.get("ce_id", "")) else None
        source = Place(*input_of(message))
        if message.topic() == self._topics.processed:
            return Arrival(name=name, source=source, at_s=at_s, taken_s=int(headers["ce_receivedns"]) / 1e9)
        return Arrival(
            name=name,
            source=source,
            at_s=at_s,
            failed_s=int(headers["dl_failedns"]) / 1e9,
            reason=headers["dl_reason"],
            stage=headers["dl_stage"],
            error=headers["dl_error"],
        )


def _is_mark(message: Message) -> bool:
    """Whether it only says what became of a dead letter."""
    return "dl_mark" in dict(message.headers() or [])


def _text(value: str | bytes | None) -> str:
    return value if isinstance(value, str) else (value or b"").decode(errors="replace")
