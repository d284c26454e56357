import logging

import pytest
from confluent_kafka import KafkaError as ClientError
from confluent_kafka import KafkaException

from consumers.failures import Failures
from consumers.settings import SubscriptionSettings
from streams.contract.errors import KafkaError

WATCHER, GROUP = SubscriptionSettings(), SubscriptionSettings(group="archive")


@pytest.mark.parametrize(
    ("code", "settings", "names"),
    [
        (ClientError._AUTHENTICATION, WATCHER, "credentials"),
        (ClientError.TOPIC_AUTHORIZATION_FAILED, WATCHER, "frames.processed"),
        (ClientError.GROUP_AUTHORIZATION_FAILED, GROUP, "archive"),
    ],
)
def test_what_waiting_does_not_mend_is_raised(code: int, settings: SubscriptionSettings, names: str) -> None:
    failures = Failures(settings)
    failures.note(ClientError(code))
    with pytest.raises(KafkaError, match=names):
        failures.check()


@pytest.mark.parametrize(
    "code",
    [
        ClientError._ALL_BROKERS_DOWN,
        ClientError._TRANSPORT,
        ClientError.UNKNOWN_TOPIC_OR_PART,
        ClientError.GROUP_AUTHORIZATION_FAILED,
    ],
)
def test_the_rest_is_waited_out(code: int) -> None:
    failures = Failures(WATCHER)
    failures.note(ClientError(code))
    failures.check()


def test_a_broker_that_is_away_is_logged_once_a_second(caplog: pytest.LogCaptureFixture) -> None:
    failures = Failures(WATCHER)
    with caplog.at_level(logging.WARNING):
        for _ in range(50):
            failures.note(ClientError(ClientError._ALL_BROKERS_DOWN))
    assert len(caplog.records) == 1
    assert "waiting for the broker at localhost:9092" in caplog.text


def test_calls_again_until_the_broker_answers() -> None:
    answers = iter([False, False, True])

    def call(timeout_s: float) -> str:
        if next(answers):
            return f"within {timeout_s:g}"
        raise KafkaException(ClientError(ClientError._TIMED_OUT))

    assert Failures(WATCHER).patiently(call, serve=lambda: None) == "within 1"


def test_gives_up_calling_when_the_client_was_refused_meanwhile() -> None:
    failures = Failures(WATCHER)

    def call(_: float) -> None:
        raise KafkaException(ClientError(ClientError._TRANSPORT))

    with pytest.raises(KafkaError, match="credentials"):
        failures.patiently(call, serve=lambda: failures.note(ClientError(ClientError._AUTHENTICATION)))


def test_nothing_is_logged_once_the_subscription_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    failures = Failures(WATCHER)
    failures.leave()
    failures.note(ClientError(ClientError._ALL_BROKERS_DOWN))
    assert not caplog.records
