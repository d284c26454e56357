"""Topics: made as the contract wants them, and compared with it where they exist; nothing is changed unasked."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import confluent_kafka
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import ConfigResource, NewTopic, ResourceType

from framelane.admin_client import REQUEST_S, AdminConnection
from framelane.rights import no_right
from framelane.topic_rules import Difference, TopicState, check_topic_name, differences
from framelane.waiting import missing_topics
from streams.contract.errors import KafkaError, SettingError, TopicMissing
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.topics import TopicSpec, spec_for

_MOST_REPLICAS = 3
_USABLE_S = 15.0
_EXISTS = confluent_kafka.KafkaError.TOPIC_ALREADY_EXISTS
_UNKNOWN = confluent_kafka.KafkaError.UNKNOWN_TOPIC_OR_PART
_DENIED = confluent_kafka.KafkaError.TOPIC_AUTHORIZATION_FAILED
_BAD_REPLICAS = confluent_kafka.KafkaError.INVALID_REPLICATION_FACTOR


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicReport:
    """A topic as it is now. created: by this call. differences: what does not fit; empty when all is well."""

    state: TopicState
    created: bool = False
    differences: tuple[Difference, ...] = ()

    @property
    def name(self) -> str:
        """The topic's name."""
        return self.state.name


def create_topics(
    kafka: KafkaSettings,
    specs: Sequence[TopicSpec],
    *,
    asked: Mapping[str, Collection[str]] | None = None,
    wait_s: float = REQUEST_S,
) -> list[TopicReport]:
    """Create the topics that are missing, and compare those that exist; return when all can be used.

    asked: by topic, the fields of TopicSpec that somebody gave on purpose ("partitions", "replicas", "retention_ms",
    "retention_bytes", "max_bytes"): an existing topic must match these exactly, and of the rest only what frames
    cannot do without. Replicas that nobody asked for are three, or as many as there are brokers.
    Raises BrokerUnavailable, SettingError (a bad name), or KafkaError with the broker's reason.
    """
    for spec in specs:
        check_topic_name(spec.name)
    asked = asked or {}
    connection = AdminConnection(kafka)
    brokers = len(connection.metadata(timeout_s=wait_s).brokers)
    specs = [
        spec if "replicas" in asked.get(spec.name, ()) else replace(spec, replicas=min(_MOST_REPLICAS, brokers))
        for spec in specs
    ]
    before = topic_states(connection, [spec.name for spec in specs])
    absent = [spec for spec in specs if spec.name not in before]
    created = _create(connection, absent, brokers=brokers)
    states = before | _new_states(connection, [spec.name for spec in absent])
    return [
        TopicReport(
            state=states[spec.name],
            created=spec.name in created,
            differences=()
            if spec.name in created
            else differences(spec, states[spec.name], asked=asked.get(spec.name, ())),
        )
        for spec in specs
    ]


def describe_topics(
    kafka: KafkaSettings, names: Sequence[str], *, wait_s: float = REQUEST_S
) -> tuple[list[TopicReport], list[str]]:
    """The topics as they are, compared with the contract; and the names of those that do not exist.

    Raises BrokerUnavailable, SettingError (a bad name), or KafkaError with the broker's reason.
    """
    for name in names:
        check_topic_name(name)
    connection = AdminConnection(kafka)
    connection.metadata(timeout_s=wait_s)
    states = topic_states(connection, names)
    reports = [
        TopicReport(state=states[name], differences=differences(spec_for(name), states[name]))
        for name in names
        if name in states
    ]
    return reports, [name for name in names if name not in states]


def topic_states(connection: AdminConnection, names: Sequence[str]) -> dict[str, TopicState]:
    """The topics that exist, by name: partitions, replicas and settings."""
    if not names:
        return {}
    shapes: dict[str, tuple[int, int]] = {}
    answers = connection.client.describe_topics(TopicCollection(list(names)), request_timeout=REQUEST_S)
    for name, answer in answers.items():
        try:
            partitions = answer.result().partitions
        except KafkaException as error:
            if error.args[0].code() == _DENIED:
                raise no_right(connection, name, ["Describe"]) from error
            if error.args[0].code() != _UNKNOWN:
                raise KafkaError(f"topic {name}: cannot be described: {error.args[0].str()}") from error
        else:
            shapes[name] = len(partitions), min((len(p.replicas) for p in partitions), default=0)
    configs = _configs(connection, list(shapes))
    return {
        name: TopicState(name=name, partitions=partitions, replicas=replicas, config=configs[name])
        for name, (partitions, replicas) in shapes.items()
    }


def _configs(connection: AdminConnection, names: Sequence[str]) -> dict[str, Mapping[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    found: dict[str, Mapping[str, str]] = {}
    for resource, answer in connection.client.describe_configs(resources, request_timeout=REQUEST_S).items():
        try:
            entries = answer.result()
        except KafkaException as error:
            if error.args[0].code() == _DENIED:
                raise no_right(connection, resource.name, ["DescribeConfigs"]) from error
            raise KafkaError(f"topic {resource.name}: its settings cannot be read: {error.args[0].str()}") from error
        found[resource.name] = {key: str(entry.value) for key, entry in entries.items()}
    return found


def _new_states(connection: AdminConnection, names: Sequence[str]) -> dict[str, TopicState]:
    """The topics that were just made: not every broker has heard of them yet."""
    give_up = time.monotonic() + _USABLE_S
    while len(states := topic_states(connection, names)) < len(names):
        if time.monotonic() > give_up:
            unknown = ", ".join(name for name in names if name not in states)
            raise TopicMissing(f"topic {unknown}: created, but not every broker knows it after {_USABLE_S:g} s")
        time.sleep(0.05)
    return states


def _create(connection: AdminConnection, specs: Sequence[TopicSpec], *, brokers: int) -> list[str]:
    """Create the topics and wait until they can be used; the names of those that are ours."""
    if not specs:
        return []
    new = [NewTopic(spec.name, spec.partitions, spec.replicas, config=spec.config()) for spec in specs]
    answers = connection.client.create_topics(new, request_timeout=REQUEST_S)
    ours = []
    for spec in specs:
        try:
            answers[spec.name].result()
        except KafkaException as error:
            if error.args[0].code() == _DENIED:
                raise no_right(connection, spec.name, ["Create"]) from error
            _raise_unless_there(error, spec, brokers=brokers)
        else:
            ours.append(spec.name)
    names = [spec.name for spec in specs]
    give_up = time.monotonic() + _USABLE_S
    while missing := missing_topics(connection, names):
        if time.monotonic() > give_up:
            raise TopicMissing(f"topic {', '.join(missing)}: created, but without a leader after {_USABLE_S:g} s")
        time.sleep(0.05)
    return ours


def _raise_unless_there(error: KafkaException, spec: TopicSpec, *, brokers: int) -> None:
    cause = error.args[0]
    if cause.code() == _EXISTS:
        return
    if cause.code() == _BAD_REPLICAS:
        raise SettingError(f"topic {spec.name}: {spec.replicas} replicas need as many brokers, of {brokers}") from error
    raise KafkaError(f"topic {spec.name}: the broker refuses to create it: {cause.str()}") from error
