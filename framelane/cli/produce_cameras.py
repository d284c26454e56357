"""Many cameras: `framelane produce --cameras FILE.toml`."""

import logging
import signal
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import typer

from framelane.cli.options import INTERRUPTED
from framelane.cli.producer_sums import by_reason, print_sums
from framelane.producer_metrics import MetricsPort, serve_producer_metrics
from framelane.stopping import Stop, stop_on_signals
from producers.cameras_file import read_cameras
from producers.client import Acks
from producers.fleet import CameraFleet
from producers.frame_producer import FLUSH_TIMEOUT_S, FrameProducer
from streams.contract.errors import FramelaneError, KafkaError, SettingError
from streams.contract.kafka_settings import KafkaSettings
from streams.file_watch import POLL_S, FileWatch

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetOptions:
    """What the command line says of the whole process. watch: take up changes of the file without being told."""

    file: Path
    watch: bool
    topic: str
    acks: Acks
    status_topic: str | None
    metrics: MetricsPort


def produce_cameras(options: FleetOptions, kafka: KafkaSettings) -> None:
    """Run the cameras of the file until a signal comes, or all of them have ended; print their sums.

    No broker need be there at the start: frames are kept from the first on. Raises SettingError for a file with a
    mistake, and the first failure of a camera, or what frames of files are missing, when all have ended.
    """
    watch = FileWatch(options.file) if options.watch else None
    cameras = read_cameras(options.file)
    started = time.monotonic()
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        reload = stack.enter_context(_Hangups())
        connection = FrameProducer(kafka, status_topic=options.status_topic, stop=stop.event, acks=options.acks)
        stack.push(lambda kind, *_: _close_after(connection, kind))
        fleet = CameraFleet(connection, topic=options.topic)
        serve_producer_metrics(connection, options.metrics, until=stack)
        fleet.apply(cameras)
        _watch_over(fleet, options.file, stop, reload, watch)
        fleet.close()
        failures = _close(connection)
        for name, sums in fleet.sums.items():
            print_sums(name, sums, took_s=time.monotonic() - started)
        _end(fleet, failures, stop)
    if stop.interrupted:
        raise typer.Exit(INTERRUPTED)


def _watch_over(fleet: CameraFleet, file: Path, stop: Stop, reload: "_Hangups", watch: FileWatch | None) -> None:
    """Return when it is time to end; until then take up what changes in the file."""
    while not stop.wait(POLL_S):
        if reload.come() or (watch is not None and watch.changed()):
            _reload(fleet, file)
        if fleet.client_failure is not None or (fleet.ended and watch is None):
            return


def _reload(fleet: CameraFleet, file: Path) -> None:
    try:
        cameras = read_cameras(file)
    except SettingError as error:
        logger.error("the cameras stay as they are: %s", error)  # noqa: TRY400 - it is no bug: no traceback
        return
    logger.info("%s was read again: %s", file, fleet.apply(cameras))


def _close(connection: FrameProducer, *, timeout_s: float = FLUSH_TIMEOUT_S) -> list[FramelaneError]:
    try:
        connection.close(timeout_s=timeout_s)
    except FramelaneError as error:
        return [error]
    return []


def _close_after(connection: FrameProducer, kind: type[BaseException] | None) -> None:
    """After something went wrong; else it is closed already. Who presses Ctrl-C twice does not want to wait."""
    at_once = kind is not None and not issubclass(kind, Exception)
    for error in _close(connection, timeout_s=0.0 if at_once else FLUSH_TIMEOUT_S):
        logger.warning("while closing: %s", error)


def _end(fleet: CameraFleet, failures: list[FramelaneError], stop: Stop) -> None:
    failures = [*([fleet.client_failure] if fleet.client_failure else []), *fleet.failures.values(), *failures]
    losses = [
        f"camera {name}: not every frame arrived: {by_reason(counts)} dropped"
        for name, counts in fleet.lost_of_files.items()
    ]
    errors = [*failures, *map(KafkaError, losses)]
    for error in errors if stop.requested else errors[1:]:
        print(f"framelane: {error}", file=sys.stderr)
    if errors and not stop.requested:
        raise errors[0]


class _Hangups:
    """SIGHUPs that have come, within a block."""

    def __init__(self) -> None:
        self._come = threading.Event()

    def __enter__(self) -> "_Hangups":
        signal.signal(signal.SIGHUP, self._take)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        return self

    def __exit__(self, *_: object) -> None:
        # One that comes while it ends must not end it otherwise.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def come(self) -> bool:
        """Whether one has come since the last time."""
        if not self._come.is_set():
            return False
        self._come.clear()
        return True

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        self._come.set()
