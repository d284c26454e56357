"""Waiting at the start: until the broker answers and the topics are there."""

import time
from collections.abc import Collection, Sequence

import confluent_kafka
from confluent_kafka import KafkaException, TopicCollection

from framelane.admin_client import REQUEST_S, AdminConnection
from framelane.rights import check_groups, may, no_right
from framelane.topic_rules import check_topic_name
from streams.contract.errors import BrokerUnavailable, TopicMissing
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.topics import create_command

_ASK_S = 0.5
_PAUSE_S = 0.1
# Whoever does not want to wait must still get an answer from a broker that is there.
_LEAST_S = 2.0
_DENIED = confluent_kafka.KafkaError.TOPIC_AUTHORIZATION_FAILED
_UNKNOWN = confluent_kafka.KafkaError.UNKNOWN_TOPIC_OR_PART


def wait_for_kafka(
    settings: KafkaSettings,
    topics: Sequence[str],
    *,
    wait_s: float,
    optional: Sequence[str] = (),
    read: Collection[str] = (),
    write: Collection[str] = (),
    groups: Sequence[str] = (),
) -> list[str]:
    """Return when the broker answers and each of the topics exists and has a leader.

    wait_s: give up after so long; 0 asks once. optional: topics that are not waited for; those of them that are missing
    are returned. read, write: those for which this user needs the right; groups: as which it is to read. Raises
    BrokerUnavailable or TopicMissing when it gives up, with the mend, and at once what waiting would not mend:
    SettingError for a name that no topic can have, a plain KafkaError for credentials, TLS and rights.
    """
    for topic in (*topics, *optional):
        check_topic_name(topic)
    connection = AdminConnection(settings)
    give_up = time.monotonic() + wait_s
    _wait_for_broker(connection, give_up=give_up, wait_s=wait_s)
    while True:
        left = give_up - time.monotonic()
        try:
            timeout_s = min(REQUEST_S, max(_LEAST_S, left))
            every = list(dict.fromkeys((*topics, *optional)))
            missing = missing_topics(connection, every, timeout_s=timeout_s, read=read, write=write)
        except BrokerUnavailable:
            if left <= 0:
                raise
            continue
        needed = [topic for topic in missing if topic in topics]
        if not needed:
            check_groups(connection, groups)
            return missing
        if left <= 0:
            raise TopicMissing(
                f"no topic {', '.join(needed)} on {settings.bootstrap} (waited {wait_s:g} s); "
                f"make {'it' if len(needed) == 1 else 'them'}: {create_command(needed, reach=settings.reach)}"
            )
        time.sleep(_PAUSE_S)


def missing_topics(
    connection: AdminConnection,
    topics: Sequence[str],
    *,
    timeout_s: float = REQUEST_S,
    read: Collection[str] = (),
    write: Collection[str] = (),
) -> list[str]:
    """Those of the topics that do not exist, or have a partition without a leader.

    Unlike a client's request for metadata, this question never makes a broker create them. read, write: those that this
    user is to be allowed to read and write. Raises BrokerUnavailable when no answer comes in time, and KafkaError where
    a right is missing, be it that to ask.
    """
    if not topics:
        return []
    missing = []
    answers = connection.client.describe_topics(
        TopicCollection(list(topics)), include_authorized_operations=bool(read or write), request_timeout=timeout_s
    )
    for name, answer in answers.items():
        needed = ["Read"] * (name in read) + ["Write"] * (name in write)
        try:
            description = answer.result()
        except KafkaException as error:
            if error.args[0].code() == _DENIED:
                raise no_right(connection, name, needed or ["Describe, and Read or Write"]) from error
            if error.args[0].code() != _UNKNOWN:
                raise BrokerUnavailable(
                    f"the broker at {connection.settings.bootstrap} does not say whether topic {name} exists: "
                    f"{error.args[0].str()}"
                ) from error
            missing.append(name)
        else:
            if lacking := [right for right in needed if not may(description, right)]:
                raise no_right(connection, name, lacking)
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
