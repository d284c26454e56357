"""`framelane produce`."""

import logging
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from framelane.cli.options import (
    DEFAULT_WAIT,
    INTERRUPTED,
    Bootstrap,
    Config,
    LogLevel,
    Wait,
    kafka_settings,
    picture_size,
    seconds,
)
from framelane.stopping import Stop, stop_on_signals
from streams.contract.errors import FramelaneError, KafkaError
from streams.contract.identity import check_camera_id
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.topics import RAW, STATUS

if TYPE_CHECKING:
    from producers import CameraProducer
    from producers.camera_run import RunSettings
    from producers.sources import Source, SourceOptions

logger = logging.getLogger(__name__)

# A live source that was opened this long before its first frame is fetched has old frames in its buffers.
_STALE_S = 1.0


def produce(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="synthetic:, a video file, an image or a folder of images, device:N, rtsp://..., http://... or stdin:",
            show_default=False,
        ),
    ],
    camera: Annotated[str, typer.Option("--camera", metavar="ID", help="The camera's name.", show_default=False)],
    topic: Annotated[str, typer.Option("--topic", help="Where the frames go.")] = RAW,
    fps: Annotated[
        float | None,
        typer.Option(
            "--fps", min=0.01, max=1000.0, help="Play at this pace; thins out a live source.", show_default=False
        ),
    ] = None,
    size: Annotated[
        str | None, typer.Option("--size", metavar="WxH", help="Bring every frame to this size.", show_default=False)
    ] = None,
    quality: Annotated[int, typer.Option("--quality", min=1, max=100, help="Of the JPEG; images pass untouched.")] = 80,
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end of a file or folder.")] = False,
    realtime: Annotated[
        bool, typer.Option("--realtime/--fast", help="Play files at their own speed, or as fast as it goes.")
    ] = True,
    count: Annotated[
        int | None, typer.Option("--count", min=1, help="Stop after so many frames.", show_default=False)
    ] = None,
    status: Annotated[bool, typer.Option("--status/--no-status", help=f"Report on {STATUS}.")] = True,
    bootstrap: Bootstrap = None,
    config: Config = None,
    wait: Wait = DEFAULT_WAIT,
    log_level: LogLevel = "info",
) -> None:
    """Publish the frames of one camera.

    What is JPEG, PNG or WebP already passes byte for byte: files, MJPEG cameras and snapshots over HTTP, and JPEGs one
    after the other on standard input. Everything else becomes JPEG. The sums are printed at the end.

    **Examples**

    framelane produce synthetic: --camera gate-1

    framelane produce "synthetic:?size=640x480&fps=10" --camera gate-1 --count 100

    framelane produce video.mp4 --camera gate-1 --loop

    framelane produce pictures/ --camera scan --fast

    framelane produce rtsp://user:secret@camera.example/stream --camera yard --fps 10 --size 1280x720

    ffmpeg -i video.mkv -f image2pipe -c:v mjpeg -q:v 3 - | framelane produce stdin: --camera tape
    """
    from framelane.logs import set_up_logging

    set_up_logging(log_level)
    check_camera_id(camera)
    wished = picture_size(size, option="--size") if size else None
    wait_s = seconds(wait, option="--wait")
    kafka = kafka_settings(bootstrap, config)

    from producers.camera_run import RunSettings
    from producers.sources import SourceOptions

    job = _Job(
        source=source,
        options=SourceOptions(camera_id=camera, fps=fps, size=wished, loop=loop),
        settings=RunSettings(realtime=realtime, fps=fps, count=count),
        topic=topic,
        quality=quality,
        status=status,
    )
    # Until there is something to finish, a signal ends the command at once.
    source_ = job.open(kafka, wait_s=wait_s)
    with stop_on_signals(job.options.stop) as stop:
        job.run(source_, kafka, stop)
    if stop.interrupted:
        raise typer.Exit(INTERRUPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What the command line asks for."""

    source: str
    options: "SourceOptions"
    settings: "RunSettings"
    topic: str
    quality: int
    status: bool

    def run(self, source: "Source", kafka: KafkaSettings, stop: Stop) -> None:
        """Publish until the source ends, `--count` is reached or a signal comes; print the sums."""
        from producers import CameraProducer, FrameProducer
        from producers.camera_run import CameraRun

        connection = FrameProducer(kafka, status_topic=STATUS if self.status else None, stop=stop.event)
        camera = CameraProducer(
            self.options.camera_id,
            producer=connection,
            topic=self.topic,
            quality=self.quality,
            size=self.options.size,
            policy="drop_oldest" if source.live and not getattr(source, "waits", False) else "block",
        )
        camera.describe({"source": source.name, "fps": self.options.fps or source.fps, "topic": self.topic})
        run = CameraRun(camera=camera, source=source, reopen=self._open_source, settings=self.settings, stop=stop.event)
        started = time.monotonic()
        failures: list[FramelaneError] = []
        for step in (run.run, connection.close):
            try:
                step()
            except FramelaneError as error:
                failures.append(error)
        _print_sums(camera, reconnects=run.reconnects, took_s=time.monotonic() - started)
        for failure in failures[1:] if not stop.interrupted else failures:
            print(f"framelane: {failure}", file=sys.stderr)
        loss = "" if source.live else _loss(camera, source)
        if loss and (failures or stop.requested):
            print(f"framelane: {loss}", file=sys.stderr)
        if failures and not stop.interrupted:
            raise failures[0]
        if loss and not stop.requested:
            raise KafkaError(loss)

    def open(self, kafka: KafkaSettings, *, wait_s: float) -> "Source":
        """The source first: what is wrong with it is known at once, while the broker may still be on its way."""
        import cv2

        from framelane.waiting import wait_for_kafka

        # The work is small and cameras are many: threads of OpenCV's own would only take turns.
        cv2.setNumThreads(1)
        source = self._open_source()
        logger.debug("source %s is open; waiting for the broker", source.name)
        if source.live and self.options.loop:
            logger.info("source %s is live and has no end, so --loop changes nothing", source.name)
        waited_from = time.monotonic()
        try:
            wait_for_kafka(kafka, [self.topic], wait_s=wait_s)
        except BaseException:
            source.close()
            raise
        if source.live and time.monotonic() - waited_from > _STALE_S:
            source.close()
            source = self._open_source()
        return source

    def _open_source(self) -> "Source":
        from producers.sources import open_source

        return open_source(self.source, self.options)


def _print_sums(camera: "CameraProducer", *, reconnects: int, took_s: float) -> None:
    """One line on stderr; captured = produced + dropped."""
    sums = camera.sums
    dropped = _by_reason(sums.dropped) if sums.dropped else "0"
    again = f", source opened again {reconnects} times" if reconnects else ""
    print(
        f"{camera.camera_id}: captured {sums.captured}, produced {sums.produced}, dropped {dropped}"
        f" in {took_s:.1f} s{again}",
        file=sys.stderr,
    )


def _loss(camera: "CameraProducer", source: "Source") -> str:
    """What is missing of a source that has an end; "" when nothing is."""
    if not camera.lost:
        return ""
    return f"camera {camera.camera_id}: not every frame of {source.name} arrived: {_by_reason(camera.lost)} dropped"


def _by_reason(counts: dict[str, int]) -> str:
    listed = ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items()))
    return f"{sum(counts.values())} ({listed})"
