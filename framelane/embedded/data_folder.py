"""The folder that a cluster lives in: told from others by a marker, and held by one cluster at a time."""

import base64
import fcntl
import json
import os
import shutil
import tempfile
import time
import uuid
from pathlib import Path

from framelane.embedded.jars import KAFKA_VERSION
from streams.contract.errors import EmbeddedBrokerError

_MARKER = "framelane-kafka.json"
_LOCK = ".framelane-lock"
_NEEDED_BYTES = 256 * 1024 * 1024
# A cluster whose starter was killed needs a moment to notice and to end.
_LOCK_WAIT_S = 5.0
_RETRY_S = 0.1


class DataFolder:
    """A cluster's folder: a given one that is kept, or a temporary one that goes with the cluster.

    lock: a file descriptor; while it is open, here or in a process that it was passed to, the folder is in use.
    """

    def __init__(self, given: Path | None, *, nodes: int) -> None:
        self.temporary = given is None
        self.path = _made(given)
        try:
            self.lock = _locked(self.path)
        except BaseException:
            self._remove()
            raise
        try:
            _check_room(self.path)
            self.cluster_id = _cluster_id(self.path, nodes)
        except BaseException:
            self.close()
            raise

    def node(self, node_id: int) -> Path:
        """The folder of one node."""
        return self.path / f"node-{node_id}"

    def close(self) -> None:
        """Let go of the folder; a temporary one is removed."""
        os.close(self.lock)
        self._remove()

    def _remove(self) -> None:
        if self.temporary:
            shutil.rmtree(self.path, ignore_errors=True)


def _made(given: Path | None) -> Path:
    if given is not None and "," in str(given):
        raise EmbeddedBrokerError(f"{given}: Kafka takes a comma for the end of a folder's name; name another folder")
    try:
        if given is None:
            return Path(tempfile.mkdtemp(prefix="framelane-kafka-"))
        given.mkdir(parents=True, exist_ok=True)
        found = {path.name for path in given.iterdir()}
    except OSError as error:
        where = given or error.filename or "the temporary folder"
        raise EmbeddedBrokerError(f"{where}: cannot keep Kafka's data there: {error.strerror}") from error
    if found - {_LOCK} and _MARKER not in found:
        raise EmbeddedBrokerError(
            f"{given}: is not empty, and not a folder of `framelane broker`; name a new or an empty one"
        )
    return given.resolve()


def _check_room(folder: Path) -> None:
    if shutil.disk_usage(folder).free < _NEEDED_BYTES:
        raise EmbeddedBrokerError(f"{folder}: the disk is full; the embedded Kafka needs 256 MB free to start")


def _locked(folder: Path) -> int:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise EmbeddedBrokerError(f"{folder}: cannot write there: {error.strerror}") from error
    give_up = time.monotonic() + _LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > give_up:
                os.close(lock)
                raise EmbeddedBrokerError(
                    f"{folder}: an embedded Kafka that runs is using it; stop that one, or name another folder"
                ) from error
            time.sleep(_RETRY_S)
        else:
            return lock


def _cluster_id(folder: Path, nodes: int) -> str:
    """The id of the cluster that lives there; a new one when nobody does."""
    marker = folder / _MARKER
    if not marker.exists():
        found = {"kafka": KAFKA_VERSION, "cluster_id": _new_id(), "nodes": nodes}
        try:
            marker.write_text(json.dumps(found) + "\n", encoding="utf-8")
        except OSError as error:
            raise EmbeddedBrokerError(f"{folder}: cannot write there: {error.strerror}") from error
    try:
        found = json.loads(marker.read_text(encoding="utf-8"))
        made_by, cluster_id, made_for = str(found["kafka"]), str(found["cluster_id"]), int(found["nodes"])
        newer = _version(made_by) > _version(KAFKA_VERSION)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EmbeddedBrokerError(f"{marker}: cannot be read ({error}); name another folder") from error
    if made_for != nodes:
        raise EmbeddedBrokerError(
            f"{folder}: was made for {made_for} node(s), not {nodes}; say --nodes {made_for}, or name another folder"
        )
    if newer:
        raise EmbeddedBrokerError(
            f"{folder}: was made by Kafka {made_by}, which is newer than {KAFKA_VERSION}; name another folder"
        )
    return cluster_id


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _new_id() -> str:
    """A Kafka uuid: 16 bytes as 22 characters of URL-safe base64; one that begins with "-" looks like an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes)[:22].decode()
        if not text.startswith("-"):
            return text
