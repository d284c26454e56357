"""The Kafkas that faults run on: one node with a listener behind a proxy, three nodes, one that wants a login.

And one whose data lies on a small disk of its own.
"""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from proxy import Proxy
from small_disk import SmallDisk

from framelane.embedded import EmbeddedKafka
from framelane.embedded.config import ListenerSecurity, ProxiedListener
from framelane.embedded.ports import free_ports

Kind = Literal["one", "three", "secure", "small"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A Kafka that runs. proxy: before its further listener, where it has one. disk: its data's, if that is small."""

    kafka: EmbeddedKafka
    proxy: Proxy | None = None
    disk: SmallDisk | None = None

    @property
    def bootstrap(self) -> str:
        """Where it is reached without a proxy and without a login, by who may do all."""
        return ",".join(node.internal for node in self.kafka.nodes)

    @property
    def workers_at(self) -> str:
        """Where workers are to find it: where a login is wanted, if any."""
        return self.kafka.bootstrap

    @property
    def workers_environ(self) -> dict[str, str]:
        """The environment of workers: as whom they log in, where that is wanted."""
        if self.kafka.config_file is None:
            return {}
        file = self.kafka.config_of("worker")
        settings = tomllib.loads(file.read_text(encoding="utf-8"))["kafka"]
        for name in ("ca", "password_file"):
            settings[name] = str(file.parent / settings[name])
        return {f"FRAMELANE_KAFKA__{name.upper()}": value for name, value in settings.items()}

    @property
    def logs(self) -> list[Path]:
        """The log files of its nodes."""
        return [node.log_file for node in self.kafka.nodes]


@contextmanager
def cluster_of(kind: Kind) -> Iterator[Cluster]:
    """Start one, and end it at the end of the block."""
    if kind == "one":
        [port] = free_ports(1)
        with Proxy(port) as proxy:
            behind = ListenerSecurity(proxied=ProxiedListener(port=port, advertised=proxy.port))
            with EmbeddedKafka(listener=behind) as kafka:
                yield Cluster(kafka=kafka, proxy=proxy)
    elif kind == "small":
        with SmallDisk() as disk, EmbeddedKafka(data=disk.folder) as kafka:
            yield Cluster(kafka=kafka, disk=disk)
    else:
        with EmbeddedKafka(nodes=3 if kind == "three" else 1, secure=kind == "secure") as kafka:
            yield Cluster(kafka=kafka)
