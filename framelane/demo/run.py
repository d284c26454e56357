"""The demo from its start to its closing sums."""

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from consumers.sinks.failed_write import failed_write
from consumers.status_board import CameraRow, StatusBoard
from framelane.admin import create_topics
from framelane.demo.children import Children
from framelane.demo.display import Display, closing_table
from framelane.demo.pictures import Pictures
from framelane.demo.surroundings import check_source, port_for_the_view, without_kafka
from framelane.embedded import EmbeddedKafka
from framelane.embedded.jars import to_be_fetched
from framelane.stopping import Stop, stop_on_signals
from framelane.waiting import wait_for_kafka
from streams.contract.errors import FramelaneError, KafkaError, SettingError
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.redact import redact
from streams.contract.topics import DEAD_LETTER, DEFAULTS, EVENTS, MIB, MINUTE_MS, PROCESSED, RAW, TopicSpec

GROUP = "framelane.demo"
MAX_CAMERAS = 16
SYNTHETIC = "synthetic:?size=640x480&fps=15&seed={number}"
# From here on something is wrong that waiting does not mend.
FIRST_FRAME_S = 60.0
SETTLE_S = 20.0
KEPT_MS = 10 * MINUTE_MS
KEPT_BYTES = 64 * MIB
_WORKER, _VIEW = "worker", "view"
VIEW_PORT = 8088


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """What to show.

    seconds: how long, from the first processed frame on; None: until Ctrl-C. source: in place of the synthetic cameras.
    cameras: how many; None: four synthetic ones, or one of the source. kafka: None starts the embedded one.
    config: the file that its settings came from, for the worker and the cameras. folder: for the picture and the logs.
    wait_s: how long a named Kafka is waited for.
    """

    seconds: float | None
    source: str | None
    cameras: int | None
    operators: tuple[str, ...]
    kafka: KafkaSettings | None
    folder: Path
    config: Path | None = None
    wait_s: float = 10.0

    def __post_init__(self) -> None:
        if self.cameras is not None and not 1 <= self.cameras <= MAX_CAMERAS:
            raise SettingError(f"--cameras {self.cameras}: expected 1 to {MAX_CAMERAS}")

    def camera_sources(self) -> dict[str, str]:
        """Sources by camera id."""
        count = self.cameras or (1 if self.source else 4)
        return {f"camera-{number}": self.source or SYNTHETIC.format(number=number) for number in range(1, count + 1)}

    def topics(self) -> dict[str, TopicSpec]:
        """The topics by the names of the contract; on a Kafka of others, topics of the demo's own beside theirs.

        They keep little: a demo that is left alone must not fill the disk.
        """
        prefix = "" if self.kafka is None else "demo."
        return {
            name: spec
            if spec.compacted
            else replace(spec, name=prefix + name, retention_ms=KEPT_MS, retention_bytes=KEPT_BYTES)
            for name, spec in DEFAULTS.items()
        }


def run_demo(settings: DemoSettings, *, out: Console, err: Console) -> bool:
    """Run the demo; whether it was ended by Ctrl-C. out: for what it shows. err: for what it is doing.

    Raises FramelaneError when a part fails, with the end of its log.
    """
    started = time.monotonic()
    if settings.source:
        check_source(settings.source)
    try:
        settings.folder.mkdir(parents=True, exist_ok=True)
        for log in settings.folder.glob("camera-*.log"):
            # Of a run before, with more cameras than this one.
            log.unlink()
    except OSError as error:
        raise failed_write(settings.folder, error) from error
    with ExitStack() as stack:
        if settings.kafka:
            wait_for_kafka(settings.kafka, [], wait_s=settings.wait_s)
        kafka = settings.kafka or _start_kafka(stack, err)
        _create_topics(kafka, list(settings.topics().values()))
        # Until here Ctrl-C ends it at once; from here on there is something to finish.
        stop = stack.enter_context(stop_on_signals())
        demo = _Demo(settings, kafka, stack, stop)
        err.print("starting a worker, cameras and the live view ...")
        demo.start()
        first = demo.wait_for_first_frame()
        if demo.address:
            err.print(f"\n[bold]live view: {demo.address}[/bold]\n", highlight=False, soft_wrap=True)
        if first:
            err.print(f"first processed frame after {time.monotonic() - started:.1f} s; Ctrl-C ends the demo")
            demo.show(out)
        err.print("stopping ...")
        demo.finish(out)
    return stop.interrupted


class _Demo:
    """The running demo."""

    def __init__(self, settings: DemoSettings, kafka: KafkaSettings, stack: ExitStack, stop: Stop) -> None:
        self._settings, self._kafka, self._stop = settings, kafka, stop
        self._sources = settings.camera_sources()
        self._board = StatusBoard(kafka, since_ns=time.time_ns())
        stack.callback(self._board.close)
        self._topics = {name: spec.name for name, spec in settings.topics().items()}
        raw, processed = self._topics[RAW], self._topics[PROCESSED]
        self._pictures = Pictures(kafka, raw=raw, processed=processed, cameras=list(self._sources))
        stack.callback(self._pictures.close)
        # Settings of another Kafka must not reach the commands that are to use ours.
        environ = without_kafka(os.environ) if settings.kafka is None else os.environ
        self._children = stack.enter_context(Children(settings.folder, environ=environ))
        # Where the live view is; "" until it can be opened.
        self.address = ""

    def start(self) -> None:
        """Start the worker and, when it has its partitions, the cameras: what came before it would look old.

        Then the live view, which reads what they make.
        """
        config = self._settings.config
        reach = ["--bootstrap", self._kafka.bootstrap, *(["--config", str(config)] if config else [])]
        ops = [word for op in self._settings.operators for word in ("--op", op)]
        topics = self._topics
        where = ["--input", topics[RAW], "--output", topics[PROCESSED]]
        where += ["--events", topics[EVENTS], "--dead-letter", topics[DEAD_LETTER]]
        self._children.start(_WORKER, ["work", *ops, "--group", GROUP, *where, *reach])
        give_up = time.monotonic() + FIRST_FRAME_S
        while not any(worker.partitions for worker in self._board.workers() if worker.group == GROUP):
            self._board.read(0.05)
            self._children.ended()
            if self._stop.requested or time.monotonic() > give_up:
                return
        for camera, source in self._sources.items():
            where = ["--camera", camera, "--topic", topics[RAW]]
            self._children.start(camera, ["produce", *where, "--loop", *reach], more={"FRAMELANE_SOURCE": source})
        where = ["--input", topics[RAW], "--output", topics[PROCESSED], "--events", topics[EVENTS]]
        self._children.start(_VIEW, ["view", "--port", str(port_for_the_view(VIEW_PORT)), *where, *reach])

    def wait_for_first_frame(self) -> bool:
        """Wait until a processed frame has come out and the view can be opened; False when Ctrl-C came first."""
        give_up = time.monotonic() + FIRST_FRAME_S
        while not (self._pictures.any_processed() and self.address):
            self._children.ended()
            if self._stop.wait(0.05):
                return False
            self.address = next((line for line in self._children.said(_VIEW) if line.startswith("http")), "")
            if time.monotonic() > give_up:
                missing = "live view" if self._pictures.any_processed() else "processed frame"
                raise FramelaneError(f"no {missing} after {FIRST_FRAME_S:g} s; the logs are in {self._settings.folder}")
        return True

    def show(self, out: Console) -> None:
        """Show the table until the time is over, Ctrl-C, or the last source has ended."""
        end = None if self._settings.seconds is None else time.monotonic() + self._settings.seconds
        title = f"{redact(self._settings.source or 'synthetic cameras')} -> {', '.join(self._settings.operators)}"
        with Display(out, title=title) as display:
            while not self._stop.requested and (end is None or time.monotonic() < end):
                self._board.read(0.25)
                display.show(self._rows(), note=self._note(end))
                if self._sources.keys() <= set(self._children.ended()):
                    return

    def finish(self, out: Console) -> None:
        """Stop the cameras, let the worker finish what they sent, and show the sums and the picture."""
        self._children.stop(list(self._sources))
        self._settle()
        self._children.stop([_WORKER, _VIEW])
        self._board.read(1.0)
        self._pictures.close()
        rows = self._rows()
        if not rows:
            return
        out.print(closing_table(rows))
        path = self._settings.folder / "contact-sheet.png"
        sheet = self._pictures.sheet(subtitle=" > ".join(self._settings.operators))
        try:
            path.write_bytes(sheet)
        except OSError as error:
            raise failed_write(path, error) from error
        out.print(f"contact sheet: {path}", highlight=False, soft_wrap=True)

    def _rows(self) -> list[CameraRow]:
        """Our cameras: others may report to the same Kafka."""
        return [row for row in self._board.rows() if row.camera in self._sources]

    def _settle(self) -> None:
        give_up = time.monotonic() + SETTLE_S
        while time.monotonic() < give_up and self._rows():
            self._board.read(0.2)
            rows = self._rows()
            if rows and all(row.finished >= row.produced.produced for row in rows):
                return

    def _note(self, end: float | None) -> str:
        lag = sum(sum(worker.lag.values()) for worker in self._board.workers())
        left = "Ctrl-C ends it" if end is None else f"{max(0.0, end - time.monotonic()):.0f} s left"
        return f"live view: {self.address}\nbroker {self._kafka.bootstrap}, {lag} frames behind, {left}"


def _start_kafka(stack: ExitStack, err: Console) -> KafkaSettings:
    err.print(to_be_fetched() or "starting the embedded Kafka ...", highlight=False, soft_wrap=True)
    broker = stack.enter_context(EmbeddedKafka())
    return KafkaSettings(bootstrap=broker.bootstrap)


def _create_topics(kafka: KafkaSettings, specs: list[TopicSpec]) -> None:
    for report in create_topics(kafka, specs):
        if report.differences:
            raise KafkaError(
                f"topic {report.name} on {kafka.bootstrap} is not as the contract wants it: "
                f"see framelane topics describe {report.name} --bootstrap {kafka.bootstrap}"
            )
