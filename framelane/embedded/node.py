"""One node of the embedded Kafka: a Java process that can be started, stopped and killed by itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from framelane.embedded import launch
from framelane.embedded.config import HOST, ListenerSecurity, NodePorts, log4j2_xml, server_properties
from framelane.embedded.data_folder import DataFolder
from framelane.embedded.java import STORAGE_TOOL, server_command, tool_command
from framelane.embedded.log_lines import cause, tail, useful_lines
from streams.contract.errors import EmbeddedBrokerError
from streams.contract.signals import signals_held_back

READY_S = 60.0
_STOP_S = 20.0
_FORMAT_S = 60.0
_ASK_S = 0.5


class KafkaNode:
    """One node, broker and controller in one. After `stop()` or `kill()` it may be started again, on the same ports."""

    def __init__(
        self,
        node_id: int,
        *,
        data: DataFolder,
        ports: Sequence[NodePorts],
        security: ListenerSecurity,
        heap_mb: int = 512,
    ) -> None:
        self.node_id = node_id
        self.folder = data.node(node_id)
        self.log_file = self.folder / "server.log"
        self._data, self._ports, self._security, self._heap_mb = data, ports, security, heap_mb
        self._console = self.folder / "console.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """Where clients reach this node: `host:port`."""
        return f"{HOST}:{self._ports[self.node_id - 1].client}"

    @property
    def internal(self) -> str:
        """Where the other nodes reach it, without a login: `host:port`."""
        return f"{HOST}:{self._ports[self.node_id - 1].internal}"

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, wait: bool = True, timeout_s: float = READY_S) -> None:
        """Start it, unless it runs, and wait until it serves; EmbeddedBrokerError when it cannot.

        wait: of several nodes that start together none is ready before most are, so start them all, then wait.
        """
        if not self.running:
            self._write_settings()
            self._format()
            self._spawn()
        if wait:
            self.wait_ready(timeout_s=timeout_s)

    def wait_ready(self, *, timeout_s: float = READY_S) -> None:
        """Wait until the node answers clients; EmbeddedBrokerError when it dies or takes too long."""
        # The internal listener opens together with the clients', and needs no credentials.
        config: dict[str, Any] = {"bootstrap.servers": self.internal, "log_level": 0, "reconnect.backoff.max.ms": 200}
        with signals_held_back():
            admin = AdminClient(config)
        give_up = time.monotonic() + timeout_s
        while self.running:
            try:
                metadata = admin.list_topics(timeout=_ASK_S)
            except KafkaException:
                metadata = None
            # Somebody else's Kafka may answer at a port that ours could not get.
            if metadata and metadata.cluster_id == self._data.cluster_id and self.node_id in metadata.brokers:
                return
            if time.monotonic() > give_up:
                raise EmbeddedBrokerError(
                    f"Kafka node {self.node_id} does not answer after {timeout_s:.0f} s{self.last_words()}"
                )
        raise EmbeddedBrokerError(f"Kafka node {self.node_id} died at its start{self.last_words()}")

    def stop(self) -> None:
        """Let it finish in order (SIGTERM), and make it (SIGKILL) when that takes too long."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a power cut would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def send_signal(self, number: signal.Signals) -> None:
        """Send its process a signal: SIGSTOP makes it a node that hangs, SIGCONT wakes it."""
        if self._process is not None and self.running:
            # The launcher leads a process group that is Java's too.
            os.killpg(self._process.pid, number)

    def last_words(self) -> str:
        """Why it died, as far as its log tells: to be put behind a message; it begins with ": " or a new line."""
        text = tail(self.log_file) + tail(self._console)
        reason = cause(text)
        lines = useful_lines(text)
        shown = "".join(f"\n    {line}" for line in lines)
        return (f": {reason}" if reason else "") + (f"; its log {self.log_file} ends with{shown}" if lines else "")

    def _write_settings(self) -> None:
        try:
            self.folder.mkdir(exist_ok=True)
            properties = server_properties(
                self.node_id, ports=self._ports, folder=self.folder / "data", security=self._security
            )
            self._properties.touch(mode=0o600)
            self._properties.write_text(properties, encoding="utf-8")
            self._log_config.write_text(log4j2_xml(self.log_file), encoding="utf-8")
            # Only this run's words are its last ones.
            self.log_file.unlink(missing_ok=True)
        except OSError as error:
            raise EmbeddedBrokerError(f"{self.folder}: cannot write there: {error.strerror}") from error

    def _format(self) -> None:
        done = self.folder / "formatted"
        if done.exists():
            return
        arguments = ["format", "--cluster-id", self._data.cluster_id, "--config", str(self._properties)]
        command = tool_command(STORAGE_TOOL, *arguments, "--ignore-formatted")
        try:
            self._process = self._launch(command)
            code = self._process.wait(_FORMAT_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EmbeddedBrokerError(f"{self.folder}: cannot format it for Kafka: {error}") from error
        finally:
            self.kill()
        if code:
            text = tail(self._console)
            why = cause(text) or "; ".join(useful_lines(text))
            raise EmbeddedBrokerError(f"{self.folder}: cannot format it for Kafka: {why}")
        done.touch()

    def _spawn(self) -> None:
        try:
            self._process = self._launch(server_command(self._properties, self._log_config, heap_mb=self._heap_mb))
        except OSError as error:
            raise EmbeddedBrokerError(f"{self.folder}: cannot start Kafka there: {error.strerror}") from error

    def _launch(self, java: Sequence[str]) -> "subprocess.Popen[bytes]":
        """Run Java so that it ends, and a temporary folder goes, when we are no more."""
        remove = str(self.folder) if self._data.temporary else "-"
        with self._console.open("wb") as console:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", str(launch.__file__), remove, *java],
                stdin=subprocess.PIPE,
                stdout=console,
                stderr=subprocess.STDOUT,
                # Ctrl-C at the terminal is for us, who then stop it in order.
                start_new_session=True,
                # While the node lives, the folder is in use, even when we are no more.
                pass_fds=(self._data.lock,),
            )

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            os.killpg(process.pid, number)
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if process.stdin:
            process.stdin.close()

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    @property
    def _log_config(self) -> Path:
        return self.folder / "log4j2.xml"
