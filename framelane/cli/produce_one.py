"""One camera: `framelane produce SOURCE --camera ID`."""

import logging
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

import typer

from framelane.cli.options import INTERRUPTED
from framelane.cli.producer_sums import by_reason, print_sums
from framelane.producer_metrics import MetricsPort, serve_producer_metrics
from framelane.stopping import Stop, stop_on_signals
from framelane.waiting import wait_for_kafka
from producers import CameraProducer, FrameProducer
from producers.camera_opening import open_camera, run_settings
from producers.camera_run import CameraRun
from producers.cameras_file import CameraSettings
from producers.client import Acks
from producers.sources import Source, open_source
from streams.contract.errors import FramelaneError, KafkaError
from streams.contract.kafka_settings import KafkaSettings

logger = logging.getLogger(__name__)

# A live source that was opened this long before its first frame is fetched has old frames in its buffers.
_STALE_S = 1.0


def produce_one(
    settings: CameraSettings,
    kafka: KafkaSettings,
    *,
    count: int | None,
    acks: Acks,
    status_topic: str | None,
    wait_s: float,
    metrics: MetricsPort,
) -> None:
    """Publish until the source ends, the count is reached or a signal comes; print the sums.

    Raises what is wrong with the source, the broker or the topic, and KafkaError when a file's frame is missing at the
    end.
    """
    stop = Stop()
    job = _Job(settings=settings, kafka=kafka, count=count, stop=stop, status_topic=status_topic)
    # Until there is something to finish, a signal ends the command at once.
    source = job.open(wait_s=wait_s)
    with ExitStack() as stack:
        stack.enter_context(stop_on_signals(stop))
        connection = FrameProducer(kafka, status_topic=status_topic, stop=stop.event, acks=acks)
        serve_producer_metrics(connection, metrics, until=stack)
        job.run(source, connection)
    if stop.interrupted:
        raise typer.Exit(INTERRUPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What the command line asks for."""

    settings: CameraSettings
    kafka: KafkaSettings
    count: int | None
    stop: Stop
    status_topic: str | None
    memory: dict[str, object] = field(default_factory=dict)

    def run(self, source: Source, connection: FrameProducer) -> None:
        """Publish to the end, and print the sums."""
        keys = self.settings.keys
        camera = CameraProducer(
            keys.id,
            producer=connection,
            topic=keys.topic,
            buffer_bytes=self.settings.buffer_bytes,
            fit=keys.fit,
        )
        camera.told(topic=keys.topic)
        run = CameraRun(
            camera=camera,
            open_source=self._open_source,
            settings=run_settings(self.settings, count=self.count),
            stop=self.stop.event,
            source=source,
        )
        started = time.monotonic()
        failures: list[FramelaneError] = []
        for step in (run.run, connection.close):
            try:
                step()
            except FramelaneError as error:
                failures.append(error)
        print_sums(camera.camera_id, camera.sums, took_s=time.monotonic() - started)
        self._end(failures, "" if source.live else _loss(camera, source))

    def _end(self, failures: list[FramelaneError], loss: str) -> None:
        for failure in failures[1:] if not self.stop.interrupted else failures:
            print(f"framelane: {failure}", file=sys.stderr)
        if loss and (failures or self.stop.requested):
            print(f"framelane: {loss}", file=sys.stderr)
        if failures and not self.stop.interrupted:
            raise failures[0]
        if loss and not self.stop.requested:
            raise KafkaError(loss)

    def open(self, *, wait_s: float) -> Source:
        """The source first: what is wrong with it is known at once, while the broker may still be on its way."""
        source = self._open_source()
        logger.debug("source %s is open; waiting for the broker", source.name)
        if source.live and self.settings.keys.loop:
            logger.info("source %s is live and has no end, so --loop changes nothing", source.name)
        waited_from = time.monotonic()
        topic, report = self.settings.keys.topic, [self.status_topic] if self.status_topic else []
        try:
            wait_for_kafka(self.kafka, [topic], wait_s=wait_s, optional=report, write=[topic, *report])
        except BaseException:
            source.close()
            raise
        if source.live and time.monotonic() - waited_from > _STALE_S:
            source.close()
            source = self._open_source()
        return source

    def _open_source(self) -> Source:
        return open_camera(self.settings, open_source, stop=self.stop.event, clock=time.time_ns, memory=self.memory)


def _loss(camera: CameraProducer, source: Source) -> str:
    """What is missing of a source that has an end; "" when nothing is."""
    if not camera.lost:
        return ""
    return f"camera {camera.camera_id}: not every frame of {source.name} arrived: {by_reason(camera.lost)} dropped"
