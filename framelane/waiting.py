"""Waiting at the start: until the broker answers and the topics are there."""

import time
from collections.abc import Sequence

import confluent_kafka
from confluent_kafka import KafkaException, TopicCollection

from framelane.admin_client import REQUEST_S, AdminConnection
from framelane.topic_rules import check_topic_name
from streams.contract.errors import BrokerUnavailable, KafkaError, TopicMissing
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.topics import create_command

_ASK_S = 0.5
_PAUSE_S = 0.1
_DENIED = confluent_kafka.KafkaError.TOPIC_AUTHORIZATION_FAILED


def wait_for_kafka(settings: KafkaSettings, topics: Sequence[str], *, wait_s: float) -> None:
    """Return when the broker answers and each of the topics exists and has a leader.

    wait_s: give up after so long; 0 asks once. Raises BrokerUnavailable or TopicMissing then, with the mend, and at
    once what waiting would not mend: SettingError for a name that no topic can have, a plain KafkaError for
    credentials, TLS and rights.
    """
    for topic in topics:
        check_topic_name(topic)
    connection = AdminConnection(settings)
    give_up = time.monotonic() + wait_s
    _wait_for_broker(connection, give_up=give_up, wait_s=wait_s)
    while True:
        missing = missing_topics(connection, topics)
        if not missing:
            return
        if time.monotonic() >= give_up:
            raise TopicMissing(
                f"no topic {', '.join(missing)} on {settings.bootstrap} (waited {wait_s:g} s); "
                f"make {'it' if len(missing) == 1 else 'them'}: {create_command(missing, reach=settings.reach)}"
            )
        time.sleep(_PAUSE_S)


def missing_topics(connection: AdminConnection, topics: Sequence[str]) -> list[str]:
    """Those of the topics that do not exist, or have a partition without a leader.

    Unlike a client's request for metadata, this question never makes a broker create them.
    """
    if not topics:
        return []
    missing = []
    answers = connection.client.describe_topics(TopicCollection(list(topics)), request_timeout=REQUEST_S)
    for name, answer in answers.items():
        try:
            description = answer.result()
        except KafkaException as error:
            if error.args[0].code() == _DENIED:
                user = connection.settings.username or "an anonymous client"
                raise KafkaError(
                    f"topic {name}: {user} has no right to it on {connection.settings.bootstrap}; it needs "
                    "Describe, and Read or Write"
                ) from error
            missing.append(name)
        else:
            if not all(partition.leader for partition in description.partitions):
                missing.append(name)
    return missing


def _wait_for_broker(connection: AdminConnection, *, give_up: float, wait_s: float) -> None:
    while True:
        try:
            connection.metadata(timeout_s=_ASK_S)
        except BrokerUnavailable as error:
            if time.monotonic() >= give_up:
                raise BrokerUnavailable(
                    f"{error}; waited {wait_s:g} s. Start one with `framelane broker --port 9092`, "
                    "or name yours with --bootstrap"
                ) from error
        else:
            return
