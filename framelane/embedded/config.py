"""The texts of a node's two settings files: server.properties and log4j2.xml."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"
MAX_MESSAGE_BYTES = 32 * 1024 * 1024
_SMALL_TOPIC = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePorts:
    """A node's ports on 127.0.0.1: for clients, for the other nodes, and for the controllers' quorum."""

    client: int
    internal: int
    controller: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxiedListener:
    """One more listener of node 1, without a login, which clients reach by way of something that is in between.

    port: where the node listens; advertised: the port on 127.0.0.1 that clients are sent to.
    """

    port: int
    advertised: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSecurity:
    """How clients reach the nodes. protocol: Kafka's name for it; properties: what server.properties needs for it."""

    protocol: str = "PLAINTEXT"
    properties: Mapping[str, str] = field(default_factory=dict)
    proxied: ProxiedListener | None = None


def server_properties(
    node_id: int, *, ports: Sequence[NodePorts], folder: Path, security: ListenerSecurity | None = None
) -> str:
    """server.properties of one node, broker and controller in one; ports: those of all nodes, the first has id 1."""
    security = security or ListenerSecurity()
    own, replicas = ports[node_id - 1], min(3, len(ports))
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": node_id,
        "controller.quorum.voters": ",".join(f"{i}@{HOST}:{p.controller}" for i, p in enumerate(ports, start=1)),
        "listeners": f"CLIENT://{HOST}:{own.client},INTERNAL://{HOST}:{own.internal},"
        f"CONTROLLER://{HOST}:{own.controller}",
        "advertised.listeners": f"CLIENT://{HOST}:{own.client},INTERNAL://{HOST}:{own.internal}",
        "listener.security.protocol.map": f"CLIENT:{security.protocol},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "INTERNAL",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": folder,
        # Topics are made by `framelane topics create`, with settings that fit frames; never by a client's side effect.
        "auto.create.topics.enable": "false",
        "message.max.bytes": MAX_MESSAGE_BYTES,
        "replica.fetch.max.bytes": MAX_MESSAGE_BYTES,
        "default.replication.factor": replicas,
        "min.insync.replicas": 2 if replicas == 3 else 1,
        # Frames fill a disk quickly, so what is too old or too much goes soon.
        "log.retention.check.interval.ms": 30_000,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        # Groups form at once, and may be watched by short sessions.
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        # The members of newer groups (KIP-848) take these from the broker: a killed reader is missed after 12 s, and
        # partitions change hands within about a second.
        "group.consumer.min.session.timeout.ms": 1000,
        "group.consumer.min.heartbeat.interval.ms": 300,
        "group.consumer.session.timeout.ms": 12_000,
        "group.consumer.heartbeat.interval.ms": 1000,
        "num.network.threads": 2,
        "num.io.threads": 4,
        **_internal_topics(replicas),
        **security.properties,
    }
    if security.proxied and node_id == 1:
        settings["listeners"] = f"{settings['listeners']},PROXIED://{HOST}:{security.proxied.port}"
        settings["advertised.listeners"] = (
            f"{settings['advertised.listeners']},PROXIED://{HOST}:{security.proxied.advertised}"
        )
        settings["listener.security.protocol.map"] = f"{settings['listener.security.protocol.map']},PROXIED:PLAINTEXT"
    return "".join(f"{key}={_escaped(value)}\n" for key, value in settings.items())


def log4j2_xml(log_file: Path) -> str:
    """log4j2.xml: a log file of the node's own that is rolled at 10 MB, and nothing on stdout."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="ERROR">
  <Appenders>
    <RollingFile name="file" fileName="{_xml(log_file)}" filePattern="{_xml(log_file)}.%i">
      <PatternLayout pattern="[%d{{ISO8601}}] %p %m (%c)%n"/>
      <SizeBasedTriggeringPolicy size="10MB"/>
      <DefaultRolloverStrategy max="2"/>
    </RollingFile>
  </Appenders>
  <Loggers>
    <Root level="INFO"><AppenderRef ref="file"/></Root>
  </Loggers>
</Configuration>
"""


def _internal_topics(replicas: int) -> dict[str, object]:
    in_sync = 2 if replicas == 3 else 1
    return {
        "offsets.topic.num.partitions": _SMALL_TOPIC,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.num.partitions": _SMALL_TOPIC,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": _SMALL_TOPIC,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
    }


def _escaped(value: object) -> str:
    # In a Java properties file a backslash begins an escape, a line ends the value, and the letters are Latin-1.
    text = str(value).replace("\\", "\\\\").replace("\n", "\\n")
    units = text.encode("utf-16-be")
    pairs = (int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2))
    return "".join(chr(unit) if unit < 128 else f"\\u{unit:04x}" for unit in pairs)


def _xml(path: Path) -> str:
    return str(path).replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
