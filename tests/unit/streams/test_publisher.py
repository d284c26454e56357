"""What a failed delivery means to the worker: wait, a dead letter, or the end."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError as ClientError

from streams.contract.errors import FrameError, KafkaError
from streams.contract.kafka_settings import KafkaSettings
from streams.mailbox import Mailbox
from streams.publisher import OutRecord, Publisher

RECORD = OutRecord("out", b"a", b"value", [], 0)


class Receiver:
    """Keeps what it is told."""

    wanted = True

    def __init__(self) -> None:
        self.refusals: list[FrameError] = []

    def delivered(self) -> None:
        pass

    def refused(self, error: FrameError) -> None:
        self.refusals.append(error)


def reported(monkeypatch: pytest.MonkeyPatch, error: ClientError) -> tuple[bool, list[FrameError], list[KafkaError]]:
    """What follows from this word of the broker's: whether it waits, what the receiver hears, what ends the worker."""

    async def run() -> tuple[bool, list[FrameError], list[KafkaError]]:
        fatal: list[KafkaError] = []
        mailbox = Mailbox(asyncio.get_running_loop(), on_error=lambda e: pytest.fail(str(e)))
        publisher = Publisher(
            KafkaSettings(bootstrap="127.0.0.1:1"), mailbox, on_room=lambda: None, on_fatal=fatal.append
        )
        answers: list[Callable[[ClientError, Any], None]] = []
        # The client hands the record to nobody: the test is the broker.
        monkeypatch.setattr(publisher, "_producer", _Client(answers))
        receiver = Receiver()
        publisher.publish(RECORD, receiver)
        answers[0](error, None)
        publisher._poll()
        full = publisher.full
        publisher.close(0.1)
        return full, receiver.refusals, fatal

    return asyncio.run(run())


class _Client:
    def __init__(self, answers: list[Callable[[ClientError, Any], None]]) -> None:
        self._answers = answers

    def produce(self, _topic: str, *, on_delivery: Callable[[ClientError, Any], None], **_: object) -> None:
        self._answers.append(on_delivery)

    def poll(self, _timeout_s: float) -> int:
        return 0

    def flush(self, _timeout_s: float) -> int:
        return 0


@pytest.mark.parametrize("code", [ClientError.UNKNOWN_TOPIC_OR_PART, ClientError._UNKNOWN_TOPIC, ClientError._DESTROY])
def test_a_topic_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    assert reported(monkeypatch, ClientError(code)) == (True, [], [])


def test_a_record_that_is_refused_becomes_the_receivers(monkeypatch: pytest.MonkeyPatch) -> None:
    waits, refusals, fatal = reported(monkeypatch, ClientError(ClientError.MSG_SIZE_TOO_LARGE))
    assert (waits, [error.reason for error in refusals], fatal) == (False, ["output_too_large"], [])


def test_what_waiting_does_not_mend_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    waits, refusals, fatal = reported(monkeypatch, ClientError(ClientError.TOPIC_AUTHORIZATION_FAILED))
    assert (waits, refusals) == (False, [])
    assert "cannot write to topic out" in str(fatal[0])


class Queue(_Client):
    """A client whose reports come when the test says so. sent: the values handed to it."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.reports: list[Callable[[ClientError | None, Any], None]] = []

    def produce(self, _topic: str, *, value: bytes, on_delivery: Any, **_: object) -> None:  # type: ignore[override]
        self.sent.append(value)
        self.reports.append(on_delivery)

    async def report(self, at: int, error: ClientError | None = None) -> None:
        self.reports.pop(at)(error, None)
        await asyncio.sleep(0.05)


def with_queue(monkeypatch: pytest.MonkeyPatch, test: Callable[[Publisher, Queue], Any]) -> None:
    async def run() -> None:
        monkeypatch.setattr("streams.publisher.RETRY_S", 0.01)
        mailbox = Mailbox(asyncio.get_running_loop(), on_error=lambda e: pytest.fail(str(e)))
        settings = KafkaSettings(bootstrap="127.0.0.1:1")
        publisher = Publisher(settings, mailbox, on_room=lambda: None, on_fatal=lambda e: pytest.fail(str(e)))
        queue = Queue()
        monkeypatch.setattr(publisher, "_producer", queue)
        await test(publisher, queue)
        publisher.close(0.1)

    asyncio.run(run())


AWAY = ClientError(ClientError._UNKNOWN_TOPIC)


def test_what_fails_late_keeps_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(publisher: Publisher, queue: Queue) -> None:
        for value in (b"1", b"2", b"3"):
            publisher.publish(OutRecord("out", b"a", value, [], 0), Receiver())
        await queue.report(1, AWAY)
        assert len(queue.sent) == 3, "nothing is sent again while older ones may still fail"
        await queue.report(1, AWAY)
        await queue.report(0, AWAY)
        assert queue.sent[3:] == [b"1"]
        await queue.report(0)
        assert queue.sent[3:] == [b"1", b"2", b"3"]

    with_queue(monkeypatch, test)


def test_what_arrives_on_another_topic_does_not_end_the_care(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(publisher: Publisher, queue: Queue) -> None:
        for topic, value in (("out", b"1"), ("out", b"2"), ("events", b"e")):
            publisher.publish(OutRecord(topic, b"a", value, [], 0), Receiver())
        await queue.report(0, AWAY)
        await queue.report(0, AWAY)
        await queue.report(0)
        assert queue.sent[3:] == [b"1"]
        await queue.report(0)
        assert queue.sent[3:] == [b"1", b"2"]

    with_queue(monkeypatch, test)
