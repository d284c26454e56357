"""Waiting at the start for the broker and the topics."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from kafka_support import create_topic, unique

from framelane.waiting import wait_for_kafka
from streams.contract.errors import BrokerUnavailable, KafkaError, SettingError, TopicMissing
from streams.contract.kafka_settings import KafkaSettings


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody listens, for it is bound and does not."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


def test_what_is_there_is_not_waited_for(kafka_bootstrap: str, make_topic: Callable[..., str]) -> None:
    wait_for_kafka(KafkaSettings(bootstrap=kafka_bootstrap), [make_topic("a"), make_topic("b")], wait_s=0)


def test_nobody_there_names_the_address_and_the_mend(nobody: str) -> None:
    told = rf"no broker answers at {nobody} \(.*refused\); .*`framelane broker --port 9092`.*--bootstrap"
    with pytest.raises(BrokerUnavailable, match=told):
        wait_for_kafka(KafkaSettings(bootstrap=nobody), [], wait_s=0.2)


def test_a_name_that_does_not_resolve_is_told() -> None:
    with pytest.raises(BrokerUnavailable, match="resolve"):
        wait_for_kafka(KafkaSettings(bootstrap="kafka.invalid:9092"), [], wait_s=0.2)


def test_missing_topics_are_named_with_the_mend(kafka_bootstrap: str, make_topic: Callable[..., str]) -> None:
    there, missing = make_topic(), unique("missing")
    with pytest.raises(TopicMissing, match=f"no topic {missing} .*framelane topics create {missing} --bootstrap") as e:
        wait_for_kafka(KafkaSettings(bootstrap=kafka_bootstrap), [there, missing], wait_s=0.3)
    assert there not in str(e.value)


def test_a_topic_that_comes_in_time_is_enough(kafka_bootstrap: str) -> None:
    topic = unique("late")
    maker = threading.Timer(0.5, create_topic, (kafka_bootstrap, topic), {"partitions": 1, "config": {}})
    maker.start()
    wait_for_kafka(KafkaSettings(bootstrap=kafka_bootstrap), [topic], wait_s=20)
    maker.join()


def test_tls_to_a_plain_listener_is_told_at_once(kafka_bootstrap: str) -> None:
    with pytest.raises(KafkaError, match='security = "tls"; it seems to want no TLS') as e:
        wait_for_kafka(KafkaSettings(bootstrap=kafka_bootstrap, security="tls"), [], wait_s=60)
    assert not e.value.retriable


def test_a_login_where_none_is_taken_is_told_at_once(kafka_bootstrap: str) -> None:
    settings = KafkaSettings(bootstrap=kafka_bootstrap, security="sasl_plaintext", username="ann", password="x")
    with pytest.raises(KafkaError, match="authentication failed as user 'ann'"):
        wait_for_kafka(settings, [], wait_s=60)


def test_a_setting_that_librdkafka_does_not_know_is_told(kafka_bootstrap: str) -> None:
    settings = KafkaSettings(bootstrap=kafka_bootstrap, librdkafka={"no.such.setting": 1})
    with pytest.raises(SettingError, match=r"no\.such\.setting"):
        wait_for_kafka(settings, [], wait_s=1)


def test_librdkafka_says_nothing_on_stderr(nobody: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BrokerUnavailable):
        wait_for_kafka(KafkaSettings(bootstrap=nobody), [], wait_s=0.2)
    assert capfd.readouterr() == ("", "")
