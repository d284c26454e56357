"""Where the partitions of topics begin and end."""

from collections.abc import Collection

import confluent_kafka
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from consumers.lookup.places import Offsets
from framelane.admin_client import REQUEST_S, AdminConnection
from streams.contract.errors import BrokerUnavailable

_DENIED = confluent_kafka.KafkaError.TOPIC_AUTHORIZATION_FAILED
_GONE = confluent_kafka.KafkaError.UNKNOWN_TOPIC_OR_PART


_NO_LEADER = Offsets(-1, -1)


def topic_offsets(connection: AdminConnection, topics: Collection[str]) -> dict[str, dict[int, Offsets]]:
    """The offsets of each topic's partitions; a topic that does not exist, or may not be described, is left out.

    Raises BrokerUnavailable when the broker does not tell.
    """
    # All topics are asked for: asking for one by name would create it, where the broker is set to do so.
    known = connection.metadata(timeout_s=REQUEST_S).topics
    shown = {topic: known[topic].partitions for topic in topics if topic in known}
    places = [TopicPartition(topic, n) for topic, each in shown.items() for n, at in each.items() if at.leader >= 0]
    ends = (OffsetSpec.earliest(), OffsetSpec.latest())  # type: ignore[no-untyped-call]
    first, last = (
        connection.client.list_offsets(dict.fromkeys(places, end), request_timeout=REQUEST_S) if places else {}
        for end in ends
    )
    found = {topic: dict.fromkeys(each, _NO_LEADER) for topic, each in shown.items()}
    for place in places:
        try:
            at = Offsets(first[place].result().offset, last[place].result().offset)
        except KafkaException as error:
            if error.args[0].code() in (_DENIED, _GONE):
                found.pop(place.topic, None)
            elif error.args[0].code() != confluent_kafka.KafkaError.NOT_LEADER_FOR_PARTITION:
                raise BrokerUnavailable(
                    f"the broker at {connection.settings.bootstrap} does not say where partition {place.partition} of "
                    f"topic {place.topic} ends: {error.args[0].str()}"
                ) from error
        else:
            if place.topic in found:
                found[place.topic][place.partition] = at
    return found
