"""Sending dead letters through again: each to its old partition, for the pipeline that failed, and then marked."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from confluent_kafka import KafkaError as ClientError
from confluent_kafka import KafkaException, Message, Producer

from consumers.bounded import SingleRecords
from consumers.dead_letters import DeadLetterRecord
from streams.contract.client_log import ClientLog
from streams.contract.errors import SettingError
from streams.contract.frame import Headers
from streams.contract.headers import Record
from streams.contract.kafka_settings import PARTITIONER, KafkaSettings
from streams.contract.redrive import MAX_ATTEMPTS, PLACE, mark_headers, redriven_headers
from streams.contract.signals import signals_held_back

Fate = Literal["sent", "would_send", "refused"]
# On their way to the broker at once: the ceiling of what is held in memory.
_IN_FLIGHT_BYTES, _IN_FLIGHT = 32 * 1024 * 1024, 1000
_PRODUCER: dict[str, str | int | float | bool] = {
    "enable.idempotence": True,
    "acks": "all",
    "linger.ms": 0,
    # The broker refuses batches, not records: with one record in each, a bad one costs no good neighbour.
    "batch.num.messages": 1,
    "compression.type": "none",
    "partitioner": PARTITIONER,
    "message.max.bytes": 128 * 1024 * 1024,
    "message.timeout.ms": 60_000,
    "allow.auto.create.topics": False,
}


class Refused(Exception):
    """A letter that cannot be sent through again. kind: in two or three words, for the sums."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one letter. to: `topic/partition` that it goes to, "" where it was refused; why, kind: then."""

    letter: DeadLetterRecord
    fate: Fate
    to: str = ""
    why: str = ""
    kind: str = ""


@dataclass(slots=True)
class Sums:
    """How many were sent (or would be), and refused, by kind."""

    sent: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class Originals:
    """The pictures of dead letters, fetched from the input topic where the letter is without: it was too large."""

    def __init__(self, records: SingleRecords) -> None:
        self._records = records

    def of(self, letter: DeadLetterRecord, record: Record) -> Record:
        """The record with the frame's bytes: the letter itself, or where it came from.

        Raises Refused when they are nowhere any more, and BrokerUnavailable.
        """
        if record.value:
            return record
        if letter.reason == "empty":
            raise Refused("empty", "the frame came empty, so there is nothing to send")
        found = PLACE.fullmatch(letter.input)
        original = self._records.get(found[1], int(found[2]), int(found[3])) if found else None
        if original is None or not original.value or not _same(record, original):
            raise Refused(
                "picture gone", f"the picture was too large for a dead letter, and {letter.input} is not retained"
            )
        return original


class Redriver:
    """Sends letters through again; a mark follows each when the broker has it. report: is told of each, once.

    The mark comes second. Whoever is killed between the two leaves a letter that is sent again the next time; its
    output then comes twice under one name, which subscribers drop. The other way round it could be marked and lost.
    """

    def __init__(
        self, kafka: KafkaSettings, *, max_attempts: int, dry: bool = False, report: Callable[[Outcome], None]
    ) -> None:
        """Connect. max_attempts: letters of so many are refused. dry: nothing is sent."""
        self.sums = Sums()
        self._max_attempts, self._dry, self._report = max_attempts, dry, report
        self._records = SingleRecords(kafka)
        self._originals = Originals(self._records)
        self._partitions: dict[str, list[int]] = {}
        self._in_flight = self._bytes = 0
        self._failed: Exception | None = None
        try:
            with signals_held_back():
                self._producer = Producer(kafka.for_confluent(**_PRODUCER) | {"logger": ClientLog()})
        except KafkaException as error:
            raise SettingError(f"kafka: the settings cannot be used: {error.args[0].str()}") from error

    def send(self, letter: DeadLetterRecord, record: Record) -> bool:
        """Have one sent; waits while too much is on its way. Whether it was (or would be) sent, and not refused.

        Raises what `report` has raised before.
        """
        if self._failed is not None:
            raise self._failed
        try:
            self._send(letter, record)
        except Refused as refusal:
            self._refuse(letter, refusal.kind, str(refusal))
            return False
        while self._bytes > _IN_FLIGHT_BYTES or self._in_flight > _IN_FLIGHT:
            self._producer.poll(0.1)
        return True

    def finish(self) -> None:
        """Wait until what was sent is delivered and marked, or refused; at most some two minutes.

        Raises what `report` has raised first.
        """
        try:
            while self._in_flight:
                self._producer.poll(0.1)
        finally:
            self._records.close()
        if self._failed is not None:
            raise self._failed

    def _send(self, letter: DeadLetterRecord, record: Record) -> None:
        topic, partition = self._place(letter)
        original = self._originals.of(letter, record)
        if self._dry:
            self._sent(letter, fate="would_send")
            return
        headers = redriven_headers(
            record,
            input=letter.input,
            captured_ms=original.timestamp_ms,
            pipeline=letter.pipeline,
            attempt=letter.attempt + 1,
        )
        value = original.value or b""
        self._bytes += len(value)
        self._produce(
            topic, partition, record.key, value, headers, partial(self._delivered, letter, record, len(value))
        )

    def _place(self, letter: DeadLetterRecord) -> tuple[str, int]:
        """The topic and partition that the letter goes to; Refused when it should not, or cannot."""
        if letter.attempt >= min(self._max_attempts, MAX_ATTEMPTS):
            raise Refused(
                "too many attempts", f"attempt {letter.attempt} has failed, and --max-attempts is {self._max_attempts}"
            )
        if not letter.camera_id:
            raise Refused("no camera", "its key is no camera id, so no pipeline can take it")
        if not letter.pipeline_name:
            raise Refused("no pipeline", "it does not say which pipeline failed")
        found = PLACE.fullmatch(letter.input)
        if not found:
            raise Refused("no input", f"dl_input is {letter.input[:80]!r}, expected topic/partition/offset")
        topic, partition = found[1], int(found[2])
        if topic not in self._partitions:
            self._partitions[topic] = self._records.partitions(topic)
        if not self._partitions[topic]:
            raise Refused("topic gone", f"its topic {topic} does not exist any more")
        if partition not in self._partitions[topic]:
            raise Refused("partition gone", f"topic {topic} has no partition {partition} any more")
        return topic, partition

    def _produce(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes,
        headers: Headers,
        told: Callable[[str], None],
    ) -> None:
        """told: what is wrong, or "" when the broker has it; called once."""

        def on_delivery(error: ClientError | None, _: Message) -> None:
            self._in_flight -= 1
            told("" if error is None else _said(error))

        try:
            # Dated now: dated as the frame was, it might be deleted before anybody has read it.
            self._producer.produce(
                topic,
                value=value,
                key=key,
                headers=list(headers),
                partition=partition,
                timestamp=time.time_ns() // 1_000_000,
                on_delivery=on_delivery,
            )
        except (BufferError, KafkaException) as error:
            told(str(error))
        else:
            self._in_flight += 1

    def _delivered(self, letter: DeadLetterRecord, record: Record, size: int, wrong: str) -> None:
        self._bytes -= size
        if wrong:
            self._refuse(letter, "not delivered", f"{letter.input.rpartition('/')[0]} does not take it: {wrong}")
            return
        headers = mark_headers(record.place, mark="redriven", pipeline=letter.pipeline_name)
        marked = partial(self._marked, letter)
        # Where the letter lies, so that whoever reads on from it finds its mark.
        self._produce(record.topic, record.partition, record.key, b"", headers, marked)

    def _marked(self, letter: DeadLetterRecord, wrong: str) -> None:
        if wrong:
            self._refuse(letter, "not marked", f"it was sent, but could not be marked as redriven: {wrong}")
        else:
            self._sent(letter, fate="sent")

    def _sent(self, letter: DeadLetterRecord, *, fate: Fate) -> None:
        self.sums.sent += 1
        self._tell(Outcome(letter=letter, fate=fate, to=letter.input.rpartition("/")[0]))

    def _refuse(self, letter: DeadLetterRecord, kind: str, why: str) -> None:
        self.sums.refused[kind] += 1
        self._tell(Outcome(letter=letter, fate="refused", why=why, kind=kind))

    def _tell(self, outcome: Outcome) -> None:
        if self._failed is None:
            try:
                self._report(outcome)
            except Exception as error:  # noqa: BLE001 - raised again by `finish`
                # This is within the client's calls: raised here, it would keep others from being marked.
                self._failed = error


def _same(record: Record, original: Record) -> bool:
    """Whether this is the frame that failed, and not one of a topic that was made again under the same name."""
    ours, theirs = (next((v for n, v in each.headers if n == "ce_id"), None) for each in (record, original))
    # A letter has the time of its frame. That is no time of failure: the clocks are those of two hosts.
    same = theirs == ours if ours is not None else original.timestamp_ms == record.timestamp_ms
    return same and original.key == record.key


def _said(error: ClientError) -> str:
    return "no right to it; it needs Write" if error.code() == ClientError.TOPIC_AUTHORIZATION_FAILED else error.str()
