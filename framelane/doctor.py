"""What is, and what is wrong: all checks, in the order in which one stands on the other."""

from framelane.admin_client import AdminConnection
from framelane.checks.cluster import check_broker, check_limits, check_worker_client
from framelane.checks.environment import check_environment
from framelane.checks.machine import check_machine
from framelane.checks.row import Row
from framelane.checks.topics import check_topics
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.topics import DEFAULTS, RAW


def examine(settings: KafkaSettings, *, wait_s: float) -> list[Row]:
    """Look at this machine, the broker and the topics; where the broker does not answer, the rest is left out.

    wait_s: how long to wait for the broker's first answer. Raises SettingError when the settings cannot be used.
    """
    rows = check_environment() + check_machine()
    connection = AdminConnection(settings)
    broker, metadata = check_broker(connection, wait_s=wait_s)
    rows.append(broker)
    if metadata is None:
        return rows
    rows += check_worker_client(settings)
    topics, max_bytes = check_topics(connection, brokers=len(metadata.brokers))
    return rows + topics + check_limits(connection, metadata, max_bytes=max_bytes or DEFAULTS[RAW].max_bytes)


def has_failed(rows: list[Row]) -> bool:
    """Whether anything is wrong enough that frames cannot flow."""
    return any(row.state == "failed" for row in rows)
