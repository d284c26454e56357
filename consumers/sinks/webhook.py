"""Events to an HTTP receiver, each as one POST."""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import ClassVar
from urllib.parse import quote

import msgspec

from consumers.log_throttle import LogThrottle
from consumers.metadata import event_fields
from consumers.received import ReceivedEvent
from consumers.sinks.endpoint import Endpoint, Outcome
from consumers.sinks.sink import Kind, SinkOptions
from streams.contract.events import EVENT_TYPE, EventRecord
from streams.contract.headers import rfc3339

_log = logging.getLogger(__name__)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
MAX_RETRY_AFTER_S = 600.0
# All that can be seen and is no quotation mark or percent sign (CloudEvents, HTTP binding, 3.1.3.2).
_PLAIN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


class WebhookSink:
    """Posts each event as JSON with CloudEvents headers (HTTP binding, binary mode), in order, one at a time.

    2xx: done. 5xx, 408, 425, 429 (with Retry-After) and what happens to a connection: again, without end, with pauses
    that grow to 30 s. Another 4xx: refused, logged and skipped. Redirects, 401, 403, 404 and the like: an error.

    A receiver may get an event twice: where it took it and its answer, or the word that it is done, was lost. Such a
    one has the header `framelane-redelivered: true`, and the same `ce-id`.
    """

    takes: ClassVar[frozenset[Kind]] = frozenset({"events"})
    options: ClassVar[frozenset[str]] = frozenset({"headers", "resumes"})

    def __init__(self, to: str, options: SinkOptions, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._endpoint = Endpoint(to, headers=options.headers)
        self.name = self._endpoint.name
        self.written = 0
        self.left_out: Counter[str] = Counter()
        self._resumes, self._monotonic = options.resumes, monotonic
        self._queue: deque[ReceivedEvent] = deque()
        self._tried = False
        self._again_at = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._throttle = LogThrottle()

    @property
    def waiting(self) -> bool:
        """Whether the receiver has not taken what it was given."""
        return bool(self._queue)

    def setup(self) -> None:
        """Nothing: a receiver that is away is waited for."""

    def add(self, event: ReceivedEvent, /) -> None:
        """Post it."""
        self._queue.append(event)
        self.flush()

    def flush(self) -> None:
        """Post what waits, if it is time to try again."""
        while self._queue and self._monotonic() >= self._again_at:
            event = self._queue[0]
            outcome = self._endpoint.post(body_of(event), headers_of(event, again=self._tried))
            if outcome.taken or outcome.refused:
                self._settled(event, outcome)
            else:
                self._put_off(event, outcome)

    def settle(self) -> None:
        """As `flush`: what the receiver does not take now is not done."""
        self.flush()

    def close(self) -> None:
        """Try once more, and leave the rest."""
        try:
            self.flush()
        finally:
            self._endpoint.close()
        if self._queue:
            fate = "come again" if self._resumes else "are lost without a --group that resumes"
            _log.warning("%s: %d events were not taken; they %s", self.name, len(self._queue), fate)

    def _settled(self, event: ReceivedEvent, outcome: Outcome) -> None:
        self._queue.popleft()
        self._tried, self._again_at, self._pause_s = False, 0.0, FIRST_PAUSE_S
        if outcome.taken:
            self.written += 1
        else:
            self.left_out["refused"] += 1
            self._warn(event, f"{event.name} is skipped: the receiver refuses it: {outcome.reason}")
        event.done()

    def _put_off(self, event: ReceivedEvent, outcome: Outcome) -> None:
        self._tried = True
        if outcome.at_once:
            return
        pause_s = max(self._pause_s, min(outcome.after_s, MAX_RETRY_AFTER_S))
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self._again_at = self._monotonic() + pause_s
        self._warn(event, f"waiting for the receiver: {outcome.reason}; next try in {pause_s:g} s")

    def _warn(self, event: ReceivedEvent, text: str) -> None:
        held = self._throttle.admit()
        if held is not None:
            extra = {"camera_id": event.camera_id, "input": event.place, "held_back": held}
            _log.warning("%s: %s", self.name, text, extra=extra)


def body_of(event: ReceivedEvent) -> bytes:
    """The event's value, as it lies in Kafka."""
    return msgspec.json.encode(EventRecord(**event_fields(event)))


def headers_of(event: ReceivedEvent, *, again: bool) -> dict[str, str]:
    """The headers of a post. again: it has been tried before, and may have arrived."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "framelane",
        "ce-specversion": "1.0",
        "ce-type": EVENT_TYPE,
        "ce-source": quote(event.source, safe=_PLAIN),
        "ce-id": quote(event.name, safe=_PLAIN),
        "ce-time": rfc3339(event.captured_at_ns),
    }
    if again or event.redelivered:
        headers["framelane-redelivered"] = "true"
    return headers
