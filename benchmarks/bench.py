"""What every benchmark needs: the broker, topics that go when they are not needed any more, folders, a word to say."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import psutil
from confluent_kafka.admin import NewTopic

from benchmarks.feed import Feed
from benchmarks.job import Job
from benchmarks.pictures import of_video, synthetic
from benchmarks.processes import cpu_s
from benchmarks.settings import BenchSettings
from framelane.admin import create_topics
from framelane.admin_client import AdminConnection
from framelane.embedded import EmbeddedKafka
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.topics import MIB, TopicSpec

_MAX_BYTES = 16 * MIB
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A topic full of frames. size: (width, height) of its pictures in pixels."""

    topic: str
    frames: int
    partitions: int
    size: tuple[int, int]


@dataclass(slots=True, kw_only=True)
class Bench:
    """A broker and what is needed around it.

    broker: its processes, or none where it is somebody else's. say: tells a person how far it is.
    """

    settings: BenchSettings
    kafka: KafkaSettings
    broker: list[psutil.Process]
    folder: Path
    say: Say
    numbers: Iterator[int] = field(default_factory=itertools.count)
    _scenes: dict[tuple[int, int], list[list[bytes]]] = field(default_factory=dict)
    _video: tuple[list[list[bytes]], tuple[int, int]] | None = None

    def broker_cpu_s(self) -> float | None:
        """Processor seconds that the broker has used; None where it is not ours to look at."""
        return cpu_s(self.broker) if self.broker else None

    def pictures(self, size: tuple[int, int] | None = None) -> tuple[list[list[bytes]], tuple[int, int]]:
        """The pictures to be fed, and their size; made once. size: None is that of the settings, or of the video."""
        if size is None and self.settings.video is not None:
            if self._video is None:
                self._video = of_video(self.settings.video)
            return self._video
        size = size or self.settings.size
        if size not in self._scenes:
            self.say(f"drawing pictures of {size[0]}x{size[1]} ...")
            self._scenes[size] = synthetic(size)
        return self._scenes[size], size

    def feed(self, *, cameras: int, partitions: int, size: tuple[int, int] | None = None) -> Feed:
        """Cameras that are ready to send."""
        pictures, size = self.pictures(size)
        return Feed(self.kafka.bootstrap, pictures=pictures, size=size, cameras=cameras, partitions=partitions)

    @contextmanager
    def topic(self, hint: str, *, partitions: int, retention_bytes: int = -1) -> Iterator[str]:
        """A new topic, for as long as the block lasts. retention_bytes: what a partition keeps; -1 is all."""
        name = f"bench.{hint}.{uuid4().hex[:8]}"
        admin = AdminConnection(self.kafka).client
        spec = TopicSpec(name=name, partitions=partitions, max_bytes=_MAX_BYTES, retention_bytes=retention_bytes)
        if retention_bytes < 0:
            create_topics(self.kafka, [spec])
        else:
            # What passes through goes soon, so that a long run needs little room.
            config = {**spec.config(), "file.delete.delay.ms": "1000"}
            admin.create_topics([NewTopic(name, partitions, 1, config=config)])[name].result(30)
        try:
            yield name
        finally:
            admin.delete_topics([name])[name].result(30)

    @contextmanager
    def preloaded(
        self,
        *,
        frames: int | None = None,
        cameras: int | None = None,
        partitions: int | None = None,
        size: tuple[int, int] | None = None,
    ) -> Iterator[Input]:
        """A topic full of frames, for as long as the block lasts; what is not said is as in the settings."""
        cameras, partitions = cameras or self.settings.cameras, partitions or self.settings.partitions
        frames = frames or self.settings.frames
        feed = self.feed(cameras=cameras, partitions=partitions, size=size)
        width, height = feed.size
        with self.topic("in", partitions=partitions) as topic:
            self.say(f"publishing {frames} frames of {width}x{height}, {cameras} cameras, {partitions} partitions ...")
            feed.preload(topic, frames)
            yield Input(topic=topic, frames=frames, partitions=partitions, size=feed.size)

    @contextmanager
    def job(self, model: Job, *, partitions: int, retention_bytes: int = -1) -> Iterator[Job]:
        """The job with output topics, a group and a folder of its own."""
        number = next(self.numbers)
        folder = self.folder / str(number)
        with (
            self.topic("out", partitions=partitions, retention_bytes=retention_bytes) as output,
            self.topic("events", partitions=partitions) as events,
            self.topic("dead", partitions=partitions) as dead,
        ):
            folder.mkdir()
            group = f"bench-{number}-{uuid4().hex[:8]}"
            yield replace(model, group=group, folder=str(folder), output=output, events=events, dead_letter=dead)

    def new_job(self, given: Input) -> Job:
        """A job on this input, with the settings that all share; `job` gives it the rest."""
        return Job(
            bootstrap=self.kafka.bootstrap,
            input=given.topic,
            frames=given.frames,
            width=given.size[0],
            threads=self.settings.threads,
        )


@contextmanager
def open_bench(settings: BenchSettings, say: Say) -> Iterator[Bench]:
    """A bench on the Kafka of the settings, or on an embedded one, which ends with the block."""
    folder = Path(tempfile.mkdtemp(prefix="framelane-bench-"))
    try:
        if settings.bootstrap:
            kafka = KafkaSettings(bootstrap=settings.bootstrap)
            yield Bench(settings=settings, kafka=kafka, broker=[], folder=folder, say=say)
        else:
            say("starting Kafka ...")
            before = set(psutil.Process(os.getpid()).children(recursive=True))
            with EmbeddedKafka() as embedded:
                broker = [each for each in psutil.Process(os.getpid()).children(recursive=True) if each not in before]
                kafka = KafkaSettings(bootstrap=embedded.bootstrap)
                yield Bench(settings=settings, kafka=kafka, broker=broker, folder=folder, say=say)
    except BaseException:
        say(f"the logs of what ran are in {folder}")
        raise
    shutil.rmtree(folder, ignore_errors=True)
