"""The broker: whether it answers both clients that we use, and how it is set up."""

import asyncio
import logging
import ssl
from collections.abc import Mapping

import confluent_kafka
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaError as AioKafkaError
from confluent_kafka import KafkaException
from confluent_kafka.admin import ClusterMetadata, ConfigResource, ResourceType

from framelane.admin_client import REQUEST_S, AdminConnection
from framelane.checks.quorum_clock import ahead_s
from framelane.checks.row import Row
from streams.contract.errors import BrokerUnavailable, FramelaneError, KafkaError, SettingError
from streams.contract.kafka_settings import KafkaSettings
from streams.tokens import ClientCredentials

_FETCH = 1
# Answers take a part of it; clocks that are kept by NTP differ by milliseconds.
_MOST_SKEW_S = 1.0
Versions = Mapping[int, tuple[int, int]]
# Whoever says `--wait 0s` wants an answer now, and connecting takes a moment all the same.
_LEAST_WAIT_S = 0.5
_PROTOCOLS = {
    "plaintext": "PLAINTEXT",
    "tls": "SSL",
    "mtls": "SSL",
    "sasl": "SASL_SSL",
    "sasl_plaintext": "SASL_PLAINTEXT",
}


def check_broker(connection: AdminConnection, *, wait_s: float) -> tuple[Row, ClusterMetadata | None]:
    """Whether the broker answers confluent-kafka, which the producers and subscribers use; and what it says."""
    what = f"broker {connection.settings.bootstrap}"
    try:
        metadata = connection.metadata(timeout_s=max(_LEAST_WAIT_S, wait_s))
    except KafkaError as error:
        away = isinstance(error, BrokerUnavailable)
        mend = "framelane broker --port 9092, or --bootstrap" if away else "see security, username, ca in [kafka]"
        return Row(what=what, found=str(error), state="failed", mend=mend), None
    nodes = ", ".join(f"{node.host}:{node.port}" for node in metadata.brokers.values())
    return Row(what=what, found=f"answers; {len(metadata.brokers)} node(s): {nodes}"), metadata


def check_worker_client(settings: KafkaSettings) -> list[Row]:
    """Whether the broker answers aiokafka, which the workers use: TLS and logins are Python's there, not librdkafka's.

    The protocol does not tell the broker's version; which requests it knows tells about which it is.
    """
    what = "the workers' client"
    # aiokafka logs a failed login, too; we tell it once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        versions, ahead = asyncio.run(_connect(settings))
    except SettingError as error:
        return [Row(what=what, found=str(error), state="failed", mend="see [kafka], and [kafka.librdkafka] in it")]
    except (FramelaneError, AioKafkaError, OSError, ssl.SSLError, TimeoutError) as error:
        told = str(error) or type(error).__name__
        return [Row(what=what, found=f"cannot connect: {told}", state="failed", mend="see [kafka]: ca, mechanism")]
    return [Row(what=what, found="connects"), _version(versions), clock_row(ahead)]


def clock_row(ahead: float | None) -> Row:
    """The broker's clock against this machine's. ahead: seconds; None where the broker does not tell."""
    what = "broker's clock"
    if ahead is None:
        return Row(what=what, found="not told to this user, or by this broker")
    if abs(ahead) <= _MOST_SKEW_S:
        return Row(what=what, found=f"within {_MOST_SKEW_S:g} s of this machine's")
    found = f"{abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
    mend = "set both by NTP: ages, --since and retention go by these clocks"
    return Row(what=what, found=found, state="warning", mend=mend)


def check_limits(connection: AdminConnection, metadata: ClusterMetadata, *, max_bytes: int) -> list[Row]:
    """The broker's own limits against the largest record that any of our topics takes (max_bytes)."""
    try:
        config = _broker_config(connection, next(iter(metadata.brokers)))
    except KafkaError as error:
        return [Row(what="broker's limits", found=str(error), state="warning", mend="ask again, or whoever runs it")]
    if config is None:
        return [Row(what="broker's limits", found="not told to this user", state="ok")]
    rows = []
    request = int(config.get("socket.request.max.bytes", 0))
    if request and request < 2 * max_bytes:
        rows.append(
            Row(
                what="socket.request.max.bytes",
                found=f"{request}, little for records of {max_bytes}",
                state="warning",
                mend="raise it in the broker's settings",
            )
        )
    if config.get("auto.create.topics.enable") == "true":
        rows.append(
            Row(
                what="auto.create.topics.enable",
                found="true: a mistyped topic is created, with settings that do not fit frames",
                state="warning",
                mend="set it to false in the broker's settings",
            )
        )
    return rows or [Row(what="broker's limits", found=f"fit records of {max_bytes} bytes")]


async def _connect(settings: KafkaSettings) -> tuple[Versions, float | None]:
    """What the first server that answers tells; one that is down does no harm while another is there."""
    try:
        servers = collect_hosts(settings.bootstrap, randomize=False)
    except ValueError as error:
        raise SettingError(f"bootstrap {settings.bootstrap!r}: expected HOST:PORT, a comma between several") from error
    failed: Exception = SettingError(f"bootstrap {settings.bootstrap!r}: names no server")
    for host, port, _ in servers:
        try:
            return await _connect_to(host, port, settings)
        except (AioKafkaError, OSError, TimeoutError) as error:
            failed = error
    raise failed


async def _connect_to(host: str, port: int, settings: KafkaSettings) -> tuple[Versions, float | None]:
    """Which requests it knows, and by how many seconds its clock is ahead."""
    broker = settings.for_faust()
    connection = await create_conn(
        host,
        port,
        request_timeout_ms=int(REQUEST_S * 1000),
        ssl_context=broker.ssl_context,
        security_protocol=_PROTOCOLS[settings.security],
        sasl_mechanism=broker.sasl_mechanism or None,
        sasl_plain_username=broker.username or None,
        sasl_plain_password=broker.password or None,
        sasl_oauth_token_provider=ClientCredentials(broker) if broker.sasl_mechanism == "OAUTHBEARER" else None,
    )
    versions: Versions = connection._versions
    try:
        return versions, await ahead_s(connection, versions)
    finally:
        connection.close()


def _version(versions: Versions) -> Row:
    low, high = versions.get(_FETCH, (0, 0))
    # Kafka 4.0 dropped Fetch before 4 (KIP-896); 3.1 brought Fetch 13 (topic ids).
    if low >= 4:
        return Row(what="broker's version", found="4.0 or newer")
    if high >= 13:
        return Row(what="broker's version", found="3.1 to 3.9")
    mend = "Framelane is tested on Kafka 4"
    return Row(what="broker's version", found="older than 3.1, or not Apache Kafka", state="warning", mend=mend)


def _broker_config(connection: AdminConnection, node_id: int) -> dict[str, str] | None:
    resource = ConfigResource(ResourceType.BROKER, str(node_id))
    try:
        entries = connection.client.describe_configs([resource], request_timeout=REQUEST_S)[resource].result()
    except KafkaException as error:
        if error.args[0].code() == confluent_kafka.KafkaError.CLUSTER_AUTHORIZATION_FAILED:
            return None
        raise KafkaError(f"broker {node_id}: its settings cannot be read: {error.args[0].str()}") from error
    return {key: str(entry.value) for key, entry in entries.items()}
