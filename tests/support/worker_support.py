"""What tests of workers need: frames on a topic, workers as processes, and what came out."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from confluent_kafka import ConsumerGroupTopicPartitions, Message, Producer
from confluent_kafka.admin import AdminClient
from kafka_support import cli_environ, count_of, drain, unique

from streams.contract.frame import Frame
from streams.contract.headers import to_headers
from streams.contract.kafka_settings import PARTITIONER

SUPPORT = Path(__file__).parent
SESSION_S = 3
PICTURE = cv2.resize(np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8), (320, 240))
JPEG = cv2.imencode(".jpg", PICTURE)[1].tobytes()


@dataclass(frozen=True)
class Topics:
    """The topics of one pipeline in one test."""

    raw: str
    processed: str
    events: str
    dead_letter: str


def make_topics(make_topic: Callable[..., str], *, partitions: int = 4, max_bytes: int = 4 * 1024 * 1024) -> Topics:
    """Topics of this test's own."""
    small = make_topic("processed", partitions=partitions, max_bytes=max_bytes)
    raw, events, dead = (make_topic(hint, partitions=partitions) for hint in ("raw", "events", "dead"))
    return Topics(raw, small, events, dead)


def send(bootstrap: str, topic: str, cameras: Sequence[str], count: int, *, first: int = 0, data: bytes = JPEG) -> None:
    """Put `count` frames of each camera on the topic, in order, and return when the broker has them."""
    client: dict[str, str | int] = {"bootstrap.servers": bootstrap, "partitioner": PARTITIONER, "linger.ms": 5}
    # Or a batch that has to be sent again is passed by the next.
    client["max.in.flight.requests.per.connection"] = 1
    producer = Producer(client)
    for sequence in range(first, first + count):
        for camera in cameras:
            frame = Frame(
                camera_id=camera, epoch="e1", sequence=sequence, captured_at_ns=time.time_ns(), width=320, height=240
            )
            producer.produce(topic, key=camera, value=data, headers=to_headers(frame))
        producer.poll(0)
    assert producer.flush(30) == 0


class Backlog:
    """Frames of some cameras, sent so that a number of them always waits, however fast workers are; a context manager.

    From sequence 1 on; `sent` is the count of each camera when it has ended, those before it included.
    """

    def __init__(self, bootstrap: str, topics: Topics, cameras: Sequence[str], *, waiting: int = 400) -> None:
        self._bootstrap, self._topics, self._cameras, self._waiting = bootstrap, topics, cameras, waiting
        self.sent = 1
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="backlog")

    def __enter__(self) -> "Backlog":
        self._top_up()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            self._top_up()

    def _top_up(self) -> None:
        # Repeats in the output make it seem further than it is, which costs a few frames of the backlog.
        done = count_of(self._bootstrap, self._topics.processed)
        short = self._waiting - (count_of(self._bootstrap, self._topics.raw) - done)
        if short > 0:
            count = -(-short // len(self._cameras))
            send(self._bootstrap, self._topics.raw, self._cameras, count, first=self.sent)
            self.sent += count


def partition_of(bootstrap: str, topic: str, camera: str) -> int:
    """The partition of a camera's first frame on a topic."""
    return next(m.partition() or 0 for m in drain(bootstrap, topic) if m.key() == camera.encode())


def cameras_on_each_partition(bootstrap: str, topic: str, partitions: int) -> list[str]:
    """Names of cameras, one for each partition; sends a frame of each candidate, sequence 0."""
    names = [f"camera-{n}" for n in range(partitions * 12)]
    send(bootstrap, topic, names, 1)
    found: dict[int, str] = {}
    for message in drain(bootstrap, topic, count=len(names)):
        found.setdefault(message.partition() or 0, (message.key() or b"").decode())
    assert len(found) == partitions
    return [found[partition] for partition in range(partitions)]


@dataclass
class Worker:
    """A worker process."""

    process: "subprocess.Popen[bytes]"
    name: str
    log: Path
    killed: bool = field(default=False)

    def kill(self) -> None:
        """SIGKILL: no chance to finish anything."""
        self.process.kill()
        self.process.wait()
        self.killed = True

    def stop(self, timeout_s: float = 40) -> int:
        """SIGTERM, and its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)

    def end_by_itself(self, timeout_s: float) -> int:
        """Its exit code once it has ended; -1 where it does not in time, and is killed."""
        # It is not among those that should run.
        self.killed = True
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return -1

    def wait_for_log(self, text: str, *, timeout_s: float = 90) -> None:
        """Wait until the worker has logged this."""
        give_up = time.monotonic() + timeout_s
        while text not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < give_up, f"no {text!r} after {timeout_s} s in {self.log.read_text()}"
            time.sleep(0.1)


class Fleet:
    """Workers of one group. Use as a context manager: what still runs at the end is killed.

    status: whether they report on frames.status. environ: more of the environment for them.
    quiet: do not print what the workers said.
    """

    def __init__(
        self,
        bootstrap: str,
        folder: Path,
        topics: Topics,
        *,
        variant: str = "mended",
        status: bool = False,
        environ: Mapping[str, str] | None = None,
        quiet: bool = False,
    ) -> None:
        self.bootstrap, self.folder, self.topics, self.variant = bootstrap, folder, topics, variant
        self._status, self._environ = status, {"PYTHONPATH": str(SUPPORT), **(environ or {})}
        self._quiet = quiet
        self.group = unique("group")
        self.workers: list[Worker] = []
        # It may outlive the broker, and has nothing to say of that.
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.kill()
            # Shown where a test fails.
            if not self._quiet:
                print(f"{worker.name} said:\n{worker.log.read_text()[-4000:]}")

    def start(self, *arguments: str) -> Worker:
        """Start one more worker; the arguments are those of `framelane work`, its operators above all."""
        topics = self.topics
        more = ["--group", self.group, "--input", topics.raw, "--output", topics.processed]
        more += ["--events", topics.events, "--dead-letter", topics.dead_letter]
        return self._start([*arguments, *more])

    def start_file(self, pipelines: Path, *arguments: str, client: Mapping[str, str | float] | None = None) -> Worker:
        """Start a worker of a file's pipelines, which name their topics and groups themselves.

        client: more settings for its `[kafka.librdkafka]`.
        """
        return self._start(["--pipelines", str(pipelines), *arguments], client)

    def _start(self, arguments: Sequence[str], client: Mapping[str, str | float] | None = None) -> Worker:
        name = f"worker-{len(self.workers)}"
        settings = {"client.id": name, "session.timeout.ms": SESSION_S * 1000, **(client or {})}
        config = self.folder / f"{name}.toml"
        lines = [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in settings.items()]
        config.write_text("\n".join(["[kafka.librdkafka]", *lines, ""]))
        log = self.folder / f"{name}.log"
        command = [sys.executable, str(SUPPORT / "worker_variants.py"), self.variant, "work", *arguments]
        command += [
            "--bootstrap",
            self.bootstrap,
            "--config",
            str(config),
            "--status" if self._status else "--no-status",
        ]
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stderr=stderr, env=cli_environ(**self._environ)
            )
        worker = Worker(process, name, log)
        self.workers.append(worker)
        return worker

    def members(self) -> dict[str, set[int]]:
        """The partitions of each member, by its client id; empty while the group is not stable."""
        group = self._admin.describe_consumer_groups([self.group])[self.group].result()
        if group.state.name != "STABLE":
            return {}
        return {m.client_id: {tp.partition for tp in m.assignment.topic_partitions} for m in group.members}

    def wait_for_members(
        self, count: int, *, with_partitions: bool = True, timeout_s: float = 60
    ) -> dict[str, set[int]]:
        """Wait until so many members share the partitions, or are there without any."""
        give_up = time.monotonic() + timeout_s
        while True:
            members = self.members()
            if len(members) == count and all(bool(each) == with_partitions for each in members.values()):
                return members
            alive = [worker for worker in self.workers if not worker.killed]
            ended = next((worker for worker in alive if worker.process.poll() is not None), None)
            assert ended is None or ended.process.returncode == 0, ended.log.read_text()
            assert time.monotonic() < give_up, f"{members} after {timeout_s} s"
            time.sleep(0.05)

    def wait_for_member(self, name: str, *, timeout_s: float = 60) -> None:
        """Wait until this worker is a member that has partitions."""
        give_up = time.monotonic() + timeout_s
        while not self.members().get(name):
            assert time.monotonic() < give_up, f"{name} is no member after {timeout_s} s: {self.members()}"
            time.sleep(0.05)

    def committed(self) -> dict[int, int]:
        """The group's positions, by partition."""
        asked = ConsumerGroupTopicPartitions(self.group)
        answer = self._admin.list_consumer_group_offsets([asked])[self.group].result()
        return {tp.partition: tp.offset for tp in answer.topic_partitions if tp.offset >= 0}

    def wait_for_commit(self, wanted: dict[int, int], *, timeout_s: float = 40) -> None:
        """Wait until the group's positions are those."""
        give_up = time.monotonic() + timeout_s
        while self.committed() != wanted:
            assert time.monotonic() < give_up, f"{self.committed()} and not {wanted} after {timeout_s} s"
            time.sleep(0.05)


def identity(message: Message) -> tuple[str, str, int]:
    """(camera, epoch, sequence) of a record of the contract."""
    text = dict(message.headers() or [])["ce_id"].decode()
    camera, epoch, sequence = text.split("/")
    return camera, epoch, int(sequence)


def input_of(message: Message) -> tuple[int, int]:
    """(partition, offset) of what a record was made from."""
    headers = dict(message.headers() or [])
    _, partition, offset = (headers.get("ce_input") or headers["dl_input"]).decode().split("/")
    return int(partition), int(offset)


@dataclass
class Findings:
    """What a plain reader finds in an output: names lost, repeats on the wire, first occurrences out of order."""

    lost: int
    repeated: int
    out_of_order: int


def findings(messages: Sequence[Message], cameras: Sequence[str], count: int) -> Findings:
    """Compare an output with what was sent: `count` frames of each camera, from 0."""
    seen: dict[str, list[int]] = defaultdict(list)
    repeated = 0
    for message in messages:
        camera, _, sequence = identity(message)
        if sequence in set(seen[camera]):
            repeated += 1
        else:
            seen[camera].append(sequence)
    lost = sum(len(set(range(count)) - set(seen[camera])) for camera in cameras)
    return Findings(lost, repeated, sum(seen[camera] != sorted(seen[camera]) for camera in cameras))
