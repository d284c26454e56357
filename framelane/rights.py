"""Whether this user may do what it is about to do, as the broker says at the start, and what to tell where not."""

from collections.abc import Sequence

import confluent_kafka
from confluent_kafka import KafkaException
from confluent_kafka.admin import AclOperation, ConsumerGroupDescription, TopicDescription

from framelane.admin_client import REQUEST_S, AdminConnection
from streams.contract.errors import KafkaError

_GROUP_DENIED = confluent_kafka.KafkaError.GROUP_AUTHORIZATION_FAILED
_TABLE = "framelane acls print lists what each role needs"
# Most roles have it in another one, and no row of its own in the table.
_DESCRIBE = "Describe, which Read and Write have in them,"


def may(description: TopicDescription | ConsumerGroupDescription, right: str) -> bool:
    """Whether the broker says so; one that does not tell leaves it to the clients to find out."""
    allowed = description.authorized_operations
    return allowed is None or getattr(AclOperation, right.upper()) in allowed


def no_right(connection: AdminConnection, topic: str, needed: Sequence[str]) -> KafkaError:
    """What to raise where this user lacks rights on a topic; needed: which, as `framelane acls print` calls them."""
    words = [_DESCRIBE if each == "Describe" else each for each in needed]
    return KafkaError(
        f"topic {topic}: {who(connection)} has no right to it on {connection.settings.bootstrap}; it needs "
        f"{' and '.join(words)} ({_TABLE})"
    )


def check_groups(connection: AdminConnection, groups: Sequence[str]) -> None:
    """Raise KafkaError where this user may not read as one of these groups; what cannot be known is let pass."""
    if not groups:
        return
    answers = connection.client.describe_consumer_groups(
        list(dict.fromkeys(groups)), include_authorized_operations=True, request_timeout=REQUEST_S
    )
    for group, answer in answers.items():
        try:
            allowed = may(answer.result(), "Read")
        except KafkaException as error:
            # One that does not exist yet, or a coordinator that is not there yet, says nothing of rights.
            allowed = error.args[0].code() != _GROUP_DENIED
        if not allowed:
            raise KafkaError(
                f"group {group}: {who(connection)} has no right to it on {connection.settings.bootstrap}; it needs "
                f"Read ({_TABLE})"
            )


def who(connection: AdminConnection) -> str:
    """This user, as messages call it."""
    return connection.settings.username or "an anonymous client"
