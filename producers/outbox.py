"""What waits for the broker, for one camera: bounded, in order, and full in the way that its policy says."""

import bisect
import itertools
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Literal, NoReturn, Protocol

from confluent_kafka import KafkaError as ClientError
from confluent_kafka import KafkaException

from producers.deliveries import Outgoing
from streams.contract.errors import KafkaError

Policy = Literal["block", "drop_oldest"]
MAX_BYTES = 32 * 1024 * 1024
# What the client has in hand it sends whatever happens; it is given little, so that the oldest can be dropped.
MAX_SENT_FRAMES = 32
# How long a record that came back rests before it is sent again.
RETRY_S = 1.0
_TICK_S = 0.1

Done = Callable[[ClientError | None], None]
Send = Callable[[Outgoing, Done], None]


class Fate(Protocol):
    """Hears what became of a record: once for each that was put in."""

    def delivered(self, record: Outgoing) -> None:
        """The broker has it."""

    def keeps(self, record: Outgoing, error: ClientError) -> bool:
        """Asked when the broker, or the client, gave it back: whether it is sent again; if not, `failed` comes next."""

    def failed(self, record: Outgoing, error: ClientError) -> None:
        """It was given back, and is dropped."""

    def given_up(self, record: Outgoing, reason: str) -> None:
        """It was dropped while it waited here."""


class Outbox:
    """Hands records to the client in the order in which they came; those that come back go before all others.

    block: `put` waits for room. drop_oldest: `put` never waits; the oldest that the client has not got are dropped.
    What the client has got counts, too. One record always fits when there is no other, however large: the topic's limit
    decides about it, not this one.
    """

    def __init__(
        self,
        send: Send,
        fate: Fate,
        *,
        policy: Policy,
        stop: threading.Event,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """send: raises BufferError when the client is full. stop: once set, `put` waits no more.

        clock: seconds, monotonic.
        """
        self._send, self._fate, self._policy, self._stop = send, fate, policy, stop
        self._max_bytes, self._clock = max_bytes, clock
        # Returned: what came back while later ones are still under way; it waits until all of those are heard of.
        self._waiting: deque[Outgoing] = deque()
        # By when each was sent: what was on its way to the broker comes back later than what waited behind it.
        self._returned: list[tuple[int, Outgoing]] = []
        self._serials = itertools.count()
        self._held_bytes = self._sent_bytes = self._sent = 0
        self._rests_until = self._progress_at = -math.inf
        # Once a record came back, the oldest goes alone, until one arrives: while a topic is made again librdkafka may
        # fail one record and deliver the next.
        self._probing = False
        # Shut: no more is taken. Ended: nothing is sent any more, either.
        self._shut = self._ended = False
        self._changed = threading.Condition()

    @property
    def pending(self) -> int:
        """Records whose fate is open."""
        with self._changed:
            return self._open()

    @property
    def policy(self) -> Policy:
        """What it does when it is full."""
        return self._policy

    @property
    def progress_at(self) -> float:
        """When the last record arrived, by the clock; -inf before the first."""
        return self._progress_at

    def put(self, record: Outgoing) -> None:
        """Take a record. Raises KafkaError once it is shut or closed."""
        with self._changed:
            if self._shut:
                self._refuse(record)
            if self._policy == "block":
                self._put_with_room(record)
            else:
                self._put_or_drop(record)

    def change(self, *, policy: Policy | None = None, max_bytes: int | None = None) -> None:
        """Go on by another policy or with another size; None: as it is. Who waits in `put` goes on by it, too.

        In a smaller one drop_oldest drops what it now has too much; block waits until there is room again.
        """
        with self._changed:
            self._policy = policy or self._policy
            self._max_bytes = max_bytes or self._max_bytes
            if self._policy == "drop_oldest":
                self._make_room()
            self._changed.notify_all()

    def pump(self) -> None:
        """Send what waits and can be sent; to be called every now and then."""
        with self._changed:
            self._pump()

    def wait_empty(self, deadline: Callable[[], float]) -> int:
        """Wait until every record has met its fate, or the deadline, by the clock, is past; how many have not."""
        with self._changed:
            while True:
                self._pump()
                left = deadline() - self._clock()
                if not self._open() or left <= 0:
                    return self._open()
                self._changed.wait(min(left, _TICK_S))

    def shut(self) -> None:
        """Take no more, and send who waits in `put` away; what was taken still goes out."""
        with self._changed:
            self._shut = True
            self._changed.notify_all()

    def reopen(self, stop: threading.Event) -> None:
        """Take records again, unless it is closed. stop: as in the constructor."""
        with self._changed:
            self._stop = stop
            self._shut = self._ended

    def close(self, reason: str) -> None:
        """Drop what the client does not have; nothing is taken, sent, or sent again, from now on."""
        with self._changed:
            self._shut = self._ended = True
            while self._held():
                self._drop_oldest(reason)

    def _refuse(self, record: Outgoing) -> NoReturn:
        self._fate.given_up(record, "undelivered")
        raise KafkaError(f"camera {record.camera_id}: its producer is closed; frames go there no more")

    def _open(self) -> int:
        return self._sent + self._held()

    def _held(self) -> int:
        return len(self._returned) + len(self._waiting)

    def _put_with_room(self, record: Outgoing) -> None:
        # That of the camera that publishes: another one may have its place while it waits.
        stop = self._stop
        while not self._take(record):
            if stop.is_set():
                self._fate.given_up(record, "stopped")
                return
            self._changed.wait(_TICK_S)
            if self._shut:
                self._refuse(record)
            if self._policy != "block":
                self._put_or_drop(record)
                return

    def _take(self, record: Outgoing) -> bool:
        self._pump()
        if not self._room_for(record):
            return False
        if not self._held() and not (self._probing and self._sent):
            return self._try_send(record)
        self._hold(record)
        return True

    def _hold(self, record: Outgoing) -> None:
        self._waiting.append(record)
        self._held_bytes += record.size

    def _put_or_drop(self, record: Outgoing) -> None:
        self._hold(record)
        self._pump()
        self._make_room()

    def _make_room(self) -> None:
        # What the client has got cannot be dropped, so the newest may be the one to go.
        while self._sent_bytes + self._held_bytes > self._max_bytes and self._held() and self._open() > 1:
            self._drop_oldest("buffer_full")

    def _drop_oldest(self, reason: str) -> None:
        record = self._returned.pop(0)[1] if self._returned else self._waiting.popleft()
        self._held_bytes -= record.size
        self._fate.given_up(record, reason)
        self._changed.notify_all()

    def _pump(self) -> None:
        if self._returned and not self._sent:
            self._waiting.extendleft(record for _, record in reversed(self._returned))
            self._returned.clear()
        if self._clock() < self._rests_until:
            return
        while self._waiting and not self._returned:
            record = self._waiting[0]
            if self._sent >= (1 if self._probing else MAX_SENT_FRAMES) or not self._client_takes(record):
                return
            if not self._try_send(record):
                return
            self._waiting.popleft()
            self._held_bytes -= record.size

    def _room_for(self, record: Outgoing) -> bool:
        return not self._open() or self._sent_bytes + self._held_bytes + record.size <= self._max_bytes

    def _client_takes(self, record: Outgoing) -> bool:
        return not self._sent or self._sent_bytes + record.size <= self._max_bytes // 2

    def _try_send(self, record: Outgoing) -> bool:
        """Give a record to the client; False when that is full."""
        self._sent += 1
        self._sent_bytes += record.size
        serial = next(self._serials)
        try:
            self._send(record, lambda error: self._done(serial, record, error))
        except BufferError:
            self._sent -= 1
            self._sent_bytes -= record.size
            return False
        except KafkaException as error:
            self._done(serial, record, error.args[0])
        except BaseException:
            self._sent -= 1
            self._sent_bytes -= record.size
            raise
        return True

    def _done(self, serial: int, record: Outgoing, error: ClientError | None) -> None:
        with self._changed:
            self._sent -= 1
            self._sent_bytes -= record.size
            if error is None:
                self._progress_at = self._clock()
                self._probing = False
                self._fate.delivered(record)
                self._pump()
            elif not self._fate.keeps(record, error):
                self._fate.failed(record, error)
            elif self._ended:
                self._fate.given_up(record, "undelivered")
            else:
                self._probing = True
                bisect.insort(self._returned, (serial, record), key=itemgetter(0))
                self._held_bytes += record.size
                self._rests_until = self._clock() + RETRY_S
            self._changed.notify_all()


def wait_all_empty(
    boxes: Sequence[Outbox], *, timeout_s: float, clock: Callable[[], float] = time.monotonic
) -> list[int]:
    """Wait until every box is empty, or nothing arrived from any of them for so long; how many each still has."""
    started = clock()

    def deadline() -> float:
        return max([started, *(box.progress_at for box in boxes)]) + timeout_s

    return [box.wait_empty(deadline) for box in boxes]
