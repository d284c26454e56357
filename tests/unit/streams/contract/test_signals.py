"""Signals while a client is made."""

import asyncio
import signal
import threading
from collections.abc import Callable

import pytest
from confluent_kafka.admin import AdminClient

from consumers.plain_consumer import plain_consumer
from consumers.settings import SubscriptionSettings
from consumers.subscription import Subscription
from framelane.admin_client import AdminConnection
from producers.client import connect
from producers.topic_limits import Administrator
from streams.contract.client_log import ClientLog
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.signals import signals_held_back


class Interrupted(str):
    """A setting in whose reading Ctrl-C falls."""

    __slots__ = ()

    def __str__(self) -> str:
        signal.raise_signal(signal.SIGINT)
        return "127.0.0.1:1"


def test_the_client_takes_an_interrupt_for_a_wrong_setting() -> None:
    # What the mend is for: where this fails, confluent-kafka has mended it, and ours may go.
    with pytest.raises(TypeError, match="expected configuration property value"):
        AdminClient({"bootstrap.servers": Interrupted()})


def test_an_interrupt_comes_after_the_block() -> None:
    steps: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        with signals_held_back():
            AdminClient({"bootstrap.servers": Interrupted()})
            steps.append("made")
        steps.append("went on")
    assert steps == ["made"]


@pytest.mark.parametrize(
    "make",
    [
        AdminConnection,
        lambda kafka: connect(kafka, on_error=lambda _: None),
        lambda kafka: plain_consumer(kafka, "g", log=ClientLog(quiet=True)),
        lambda kafka: Subscription(SubscriptionSettings(kafka=kafka)),
        lambda kafka: Administrator(kafka).ask("t"),
    ],
    ids=["administrator", "producer", "plain consumer", "subscription", "topic limits"],
)
def test_an_interrupt_while_a_client_is_made_is_told_as_such(make: Callable[[KafkaSettings], object]) -> None:
    kafka = KafkaSettings.model_construct(bootstrap="127.0.0.1:1", librdkafka={"client.id": Interrupted()})
    with pytest.raises(KeyboardInterrupt):
        make(kafka)


def test_the_handlers_are_those_of_before() -> None:
    came: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    try:
        with pytest.raises(ValueError, match="wrong"), signals_held_back():
            signal.raise_signal(signal.SIGTERM)
            assert came == []
            raise ValueError("wrong")
        assert came == [signal.SIGTERM]
        signal.raise_signal(signal.SIGTERM)
        assert came == [signal.SIGTERM, signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_an_event_loop_hears_of_it_once() -> None:
    async def case() -> list[int]:
        came: list[int] = []
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, lambda: came.append(signal.SIGTERM))
        with signals_held_back():
            signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0.05)
        loop.remove_signal_handler(signal.SIGTERM)
        return came

    assert asyncio.run(case()) == [signal.SIGTERM]


def test_what_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with signals_held_back():
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_may_use_it() -> None:
    found: list[object] = []

    def look() -> None:
        with signals_held_back():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]
