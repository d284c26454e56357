"""Leaving a broker that is away."""

import threading
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError as ClientError

from consumers import client
from consumers.failures import Failures
from consumers.settings import SubscriptionSettings


class Stuck:
    """A client whose `close` waits for a broker that is away."""

    def __init__(self) -> None:
        self.come = threading.Event()

    def close(self) -> None:
        self.come.wait(10)


def test_a_client_that_was_left_says_nothing_more(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(client, "_CLOSE_S", 0.01)
    settings, stuck = SubscriptionSettings(), Stuck()
    failures = Failures(settings)
    client.leave(cast(Any, stuck), None, settings, failures)
    assert "left without a word" in caplog.text
    caplog.clear()
    failures.note(ClientError(ClientError._ALL_BROKERS_DOWN))
    stuck.come.set()
    assert not caplog.records
