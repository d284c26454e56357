"""The embedded Kafka: one node or three, in a folder that is kept or goes with it."""

import logging
import signal
from pathlib import Path
from types import TracebackType
from typing import Self

from framelane.embedded.config import ListenerSecurity, NodePorts
from framelane.embedded.data_folder import DataFolder
from framelane.embedded.node import READY_S, KafkaNode
from framelane.embedded.ports import check_port_free, free_ports
from framelane.embedded.security import SecureListener
from streams.contract.errors import EmbeddedBrokerError, SettingError

_TRIES = 3

logger = logging.getLogger(__name__)


class EmbeddedKafka:
    """A real Apache Kafka on 127.0.0.1, started by `with`, that ends with the process that started it.

    port: where node 1 listens, and the others on the ports after it; 0: wherever it is free.
    data: a folder that is kept between runs; None: a temporary one.
    nodes: 1, or 3 with every record on three nodes, so that one may die.
    secure: clients need TLS and a login; `config_file` then names a file with the settings for one who may do all, and
    `config_of` those for one who has just the rights of a role.
    listener: how clients reach it otherwise, such as by certificates of their own.
    `nodes` then holds the KafkaNode objects, each to be stopped, killed and started by itself.
    Raises EmbeddedBrokerError naming what is in the way.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        data: Path | None = None,
        nodes: int = 1,
        secure: bool = False,
        listener: ListenerSecurity | None = None,
    ) -> None:
        if nodes not in (1, 3):
            raise SettingError(f"nodes = {nodes}: expected 1, or 3 for a cluster that survives the loss of a node")
        if not 0 <= port <= 65_536 - nodes:
            raise SettingError(f"port {port}: expected 0 (any free one) to {65_536 - nodes}")
        self._port, self._given, self._count, self._wants_security = port, data, nodes, secure
        self._listener = listener or ListenerSecurity()
        self._data: DataFolder | None = None
        self._secure: SecureListener | None = None
        self.nodes: tuple[KafkaNode, ...] = ()

    @property
    def bootstrap(self) -> str:
        """Where clients find it: `host:port`, a comma between several."""
        return ",".join(node.bootstrap for node in self.nodes)

    @property
    def folder(self) -> Path:
        """Where its data and logs lie; only while it runs."""
        if self._data is None:
            raise EmbeddedBrokerError("the embedded Kafka is not running")
        return self._data.path

    @property
    def config_file(self) -> Path | None:
        """The TOML file with the settings of a secure one's user who may do everything."""
        return self._secure.users.config_file() if self._secure else None

    def config_of(self, role: str) -> Path:
        """The settings file of a secure one's user that has just what a role of `framelane acls print` needs."""
        if self._secure is None:
            raise EmbeddedBrokerError("the embedded Kafka is not a secure one, so it has no users")
        return self._secure.users.config_file(role)

    def start(self) -> None:
        """Start every node and wait until all of them serve."""
        wanted = [self._port + i for i in range(self._count)] if self._port else []
        for port in wanted:
            check_port_free(port)
        self._data = DataFolder(self._given, nodes=self._count)
        try:
            self._secure = SecureListener(self._data.path / "secure") if self._wants_security else None
            self._start_nodes(wanted)
            if self._secure:
                self._secure.admit_users(internal=self.nodes[0].internal, bootstrap=self.bootstrap)
        except OSError as error:
            folder = self._data.path
            self.stop()
            raise EmbeddedBrokerError(f"{folder}: cannot keep Kafka's data there: {error.strerror}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop every node, and remove a temporary folder; it may be called at any time, and twice."""
        data, self._data = self._data, None
        if data is None:
            return
        if not data.temporary:
            # All at once: the last ones alone would have no quorum to say goodbye to.
            for node in self.nodes:
                node.send_signal(signal.SIGTERM)
        for node in self.nodes:
            # What will be removed need not be written out in order.
            if data.temporary:
                node.kill()
            else:
                node.stop()
        data.close()

    def _start_nodes(self, wanted: list[int]) -> None:
        for tries_left in reversed(range(_TRIES)):
            self.nodes = self._new_nodes(wanted)
            try:
                for node in self.nodes:
                    node.start(wait=False)
                for node in self.nodes:
                    node.wait_ready(timeout_s=READY_S)
            except EmbeddedBrokerError as error:
                # A port that was free when we chose it may be taken by now: choose others.
                if not tries_left or "port was taken" not in str(error):
                    raise
                logger.info("starting Kafka again, on other ports: %s", error)
                for node in self.nodes:
                    node.kill()
            else:
                return

    def _new_nodes(self, wanted: list[int]) -> tuple[KafkaNode, ...]:
        assert self._data is not None
        security = self._secure.listener() if self._secure else self._listener
        free = free_ports(3 * self._count)
        clients = wanted or free[: self._count]
        ports = [
            NodePorts(client=client, internal=internal, controller=controller)
            for client, internal, controller in zip(
                clients, free[self._count : 2 * self._count], free[2 * self._count :], strict=True
            )
        ]
        return tuple(
            KafkaNode(
                i,
                data=self._data,
                ports=ports,
                security=security,
                heap_mb=512 if self._count == 1 else 320,
            )
            for i in range(1, self._count + 1)
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
