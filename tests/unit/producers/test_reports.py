from collections.abc import Callable
from typing import cast

from confluent_kafka import KafkaError, Message, Producer

from producers.reports import MAX_UNDER_WAY, StatusSender

OnDelivery = Callable[[KafkaError | None, Message | None], None]


class Client:
    """Takes reports, and does not answer by itself."""

    def __init__(self) -> None:
        self.held: list[OnDelivery] = []

    def produce(self, topic: str, *, value: bytes, key: bytes, on_delivery: OnDelivery) -> None:
        self.held.append(on_delivery)


def test_reports_do_not_pile_up_while_the_broker_is_away() -> None:
    client = Client()
    sender = StatusSender(cast(Producer, client), topics=lambda _: {"status"})
    for _ in range(MAX_UNDER_WAY + 3):
        sender.produce("status", value=b"{}", key=b"producer/a")
    assert len(client.held) == MAX_UNDER_WAY
    client.held[0](None, None)
    sender.produce("status", value=b"{}", key=b"producer/a")
    assert len(client.held) == MAX_UNDER_WAY + 1
