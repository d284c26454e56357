"""Workers are taken away while frames flow, as an autoscaler does it: how long is any camera dark?"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import TracebackType

from confluent_kafka import Consumer, TopicPartition
from kafka_support import drain, unique
from worker_support import Fleet, Topics, cameras_on_each_partition, findings, identity, make_topics, send

PARTITIONS = 6
LONGEST_GAP_S = 5.0
EVERY_S = 0.1
# That of workers that are told nothing else: one that did not leave its group would be waited for so long.
SESSION_MS = 12_000


class Cameras:
    """A frame of each camera ten times a second, from sequence 1 on, until the block ends; `sent`: up to which."""

    def __init__(self, bootstrap: str, topic: str, cameras: Sequence[str]) -> None:
        self._bootstrap, self._topic, self._cameras = bootstrap, topic, cameras
        self.sent = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cameras")

    def __enter__(self) -> "Cameras":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            send(self._bootstrap, self._topic, self._cameras, 1, first=self.sent + 1)
            self.sent += 1
            due += EVERY_S


class Arrivals:
    """When each frame of the cameras first came out, by time.monotonic(), as a subscriber sees it."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.at: dict[str, dict[int, float]] = defaultdict(dict)
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": unique("reader")})
        self._consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
        self._thread = threading.Thread(target=self._run, name="arrivals")

    def __enter__(self) -> "Arrivals":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def wait_for(self, cameras: Sequence[str], sequence: int, *, timeout_s: float = 60.0) -> None:
        """Wait until this frame of each camera has come out."""
        with self._changed:
            there = self._changed.wait_for(
                lambda: all(sequence in self.at[camera] for camera in cameras), timeout=timeout_s
            )
        assert there, {camera: max(self.at[camera], default=None) for camera in cameras}

    def gaps(self, cameras: Sequence[str], *, since: int) -> Mapping[str, float]:
        """The longest time between two frames of each camera, from this sequence on."""
        times = {camera: sorted(at for n, at in self.at[camera].items() if n >= since) for camera in cameras}
        return {camera: max(later - at for at, later in pairwise(each)) for camera, each in times.items()}

    def _run(self) -> None:
        while not self._stop.is_set():
            for message in self._consumer.consume(100, timeout=0.1):
                assert message.error() is None, message.error()
                camera, _, sequence = identity(message)
                with self._changed:
                    self.at[camera].setdefault(sequence, time.monotonic())
                    self._changed.notify_all()


def pipeline(folder: Path, topics: Topics, group: str) -> Path:
    """A file with one pipeline on these topics."""
    path = folder / "pipelines.toml"
    path.write_text(
        f"""
        [[pipeline]]
        name = "scaled"
        group = "{group}"
        input = "{topics.raw}"
        output = "{topics.processed}"
        events = "{topics.events}"
        dead_letter = "{topics.dead_letter}"
        operators = [{{ op = "blur", kernel = 5 }}]
        """
    )
    return path


def test_no_camera_is_dark_for_long_when_workers_are_taken_away(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topics = make_topics(make_topic, partitions=PARTITIONS)
    cameras = cameras_on_each_partition(kafka_bootstrap, topics.raw, PARTITIONS)
    with (
        Fleet(kafka_bootstrap, tmp_path, topics) as fleet,
        Arrivals(kafka_bootstrap, topics.processed) as arrivals,
    ):
        file = pipeline(tmp_path, topics, fleet.group)
        # Dynamic members: none has a group.instance.id.
        workers = [fleet.start_file(file, client={"session.timeout.ms": SESSION_MS}) for _ in range(3)]
        fleet.wait_for_members(3)
        with Cameras(kafka_bootstrap, topics.raw, cameras) as sending:
            steady = 20
            arrivals.wait_for(cameras, steady + 10)
            for left in (2, 1):
                worker = workers.pop(0)
                assert worker.stop() == 0, worker.log.read_text()
                fleet.wait_for_members(left)
                arrivals.wait_for(cameras, sending.sent + 20)
        arrivals.wait_for(cameras, sending.sent)
        gaps = arrivals.gaps(cameras, since=steady)
    print("longest gap of each camera:", {camera: f"{gap:.2f} s" for camera, gap in gaps.items()})
    assert max(gaps.values()) <= LONGEST_GAP_S, gaps
    found = findings(drain(kafka_bootstrap, topics.processed), cameras, sending.sent + 1)
    assert (found.lost, found.out_of_order) == (0, 0), found
