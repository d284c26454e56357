"""What a soak injures: two workers of one group, one of them behind a proxy, one broker; and what goes in and out."""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from broken_pictures import POISON
from clusters import Cluster
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from feed import Content, camera_on_each
from gateway_support import PipelineFile, numbered
from kafka_support import cli_environ, unique
from ledger import Ledger
from proxy import HOST
from soak_processes import ProcessSamples
from topics import make_topic
from worker_support import SUPPORT, Fleet, Topics, Worker

PARTITIONS = 8
# Two on each partition.
CAMERAS = [*camera_on_each(PARTITIONS), *camera_on_each(PARTITIONS, prefix="yard")]
NUMBERS = {camera: number for number, camera in enumerate(CAMERAS)}
WORKERS = 2
# What workers have unless they are told otherwise.
SESSION_S = 12.0
# Slow enough for some to be in flight whenever something happens, and one worker is fast enough for all.
OPERATORS = ('{ op = "trial_operators:Slow", ms = 10 }', '{ op = "blur", kernel = 5 }')
WHOLE_S = 120.0


class Arena:
    """The workers, the broker and the way between them. workers[0] goes by way of the proxy.

    ended: workers that ended though nobody had told them to. codes: those of workers that were told to, and none is 0.
    """

    def __init__(self, cluster: Cluster, folder: Path, samples: ProcessSamples) -> None:
        self.cluster, self.samples = cluster, samples
        self.bootstrap = cluster.bootstrap
        self.file = PipelineFile(_topic_maker(self.bootstrap), folder, *OPERATORS)
        self.topics: Topics = self.file.topics
        make_topic(self.bootstrap, "frames.status", partitions=1)
        self.ledger = Ledger()
        self.fleet = Fleet(self.bootstrap, folder, self.topics, status=True, quiet=True)
        self.fleet.group = self.file.name
        self.workers: list[Worker] = []
        self.ended: list[str] = []
        self.codes: list[int] = []
        self._good = {camera: Content(numbered(number)) for camera, number in NUMBERS.items()}
        self._poison: list[Content] = []

    def start(self) -> None:
        """Start the workers, and wait until they share the partitions."""
        self.workers = [self._started(slot) for slot in range(WORKERS)]
        self.whole()

    def replace(self, slot: int) -> None:
        """Start a worker in the place of one that has ended."""
        self.workers[slot] = self._started(slot)

    def whole(self) -> dict[str, set[int]]:
        """Wait until all workers have partitions, those that have ended by themselves replaced; partitions by name."""
        give_up = time.monotonic() + WHOLE_S
        while True:
            self.mend()
            members = self._members()
            if set(members) == {worker.name for worker in self.workers} and all(members.values()):
                return members
            assert time.monotonic() < give_up, f"after {WHOLE_S:g} s the group is {members}"
            time.sleep(0.3)

    def stop(self, slot: int) -> None:
        """End a worker in order."""
        worker = self.workers[slot]
        # It is not among those that should run.
        worker.killed = True
        try:
            code = worker.stop(60)
        except subprocess.TimeoutExpired:
            worker.kill()
            code = -1
        if code:
            self.codes.append(code)
            print(f"{worker.name} ended with {code} and said:\n{worker.log.read_text()[-2000:]}", flush=True)

    def content(self, camera: str, _sequence: int) -> Content:
        """What a camera shows next: the picture with its number, or poison while there is some."""
        return self._poison.pop() if self._poison else self._good[camera]

    def poison(self, drawn: random.Random, count: int) -> None:
        """Have the next frames be poison, of whatever cameras; return when they are sent."""
        self._poison = drawn.choices(POISON, k=count)
        while self._poison:
            time.sleep(0.01)

    def _members(self) -> dict[str, set[int]]:
        # A new client each time: one from before a broker's restart may get no answer for minutes.
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        try:
            group = admin.describe_consumer_groups([self.fleet.group], request_timeout=10)[self.fleet.group].result()
        except KafkaException as error:
            # A broker that has just come back does not know yet who leads the group.
            return {str(error): set()}
        if group.state.name != "STABLE":
            return {group.state.name: set()}
        return {m.client_id: {tp.partition for tp in m.assignment.topic_partitions} for m in group.members}

    def mend(self) -> None:
        """Put a new worker in the place of each that has ended."""
        for slot, worker in enumerate(self.workers):
            if worker.process.poll() is not None and not worker.killed:
                worker.killed = True
                self.ended.append(f"{worker.name}: {worker.process.returncode}")
                print(f"{worker.name} has ended by itself and said:\n{worker.log.read_text()[-3000:]}", flush=True)
            if worker.process.poll() is not None:
                self.replace(slot)

    def _started(self, slot: int) -> Worker:
        proxy = self.cluster.proxy
        assert proxy is not None, "the soak needs the proxy"
        self.fleet.bootstrap = f"{HOST}:{proxy.port}" if slot == 0 else self.bootstrap
        client = {"session.timeout.ms": round(SESSION_S * 1000)}
        worker = self.fleet.start_file(self.file.path, "--threads", "2", client=client)
        self.samples.watch(worker.name, worker.process.pid)
        return worker


class Subscriber:
    """A program that subscribes to the output, and notes what it is handed; a context manager."""

    def __init__(self, arena: Arena, folder: Path) -> None:
        self._notes, self._log = folder / "notes", folder / "subscriber.log"
        self._command = [sys.executable, str(SUPPORT / "subscriber_program.py"), arena.bootstrap]
        self._command += [arena.topics.processed, unique("subscriber"), str(self._notes), "0"]

    def __enter__(self) -> "Subscriber":
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stderr=log, stdout=log, env=cli_environ()
            )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def names(self) -> list[tuple[str, int]]:
        """Camera and sequence of each frame that it was handed, in that order."""
        lines = self._notes.read_text().splitlines(keepends=True) if self._notes.exists() else []
        # The last one may be half there.
        fields = (line.split() for line in lines if line.endswith("\n"))
        return [(camera, int(sequence)) for camera, sequence, *_ in fields]

    def wait_for(self, wanted: set[tuple[str, int]], *, timeout_s: float) -> list[tuple[str, int]]:
        """Wait until it has been handed all these; what it was handed."""
        give_up = time.monotonic() + timeout_s
        while not wanted <= set(names := self.names()) and time.monotonic() < give_up:
            if self.process.poll() is not None:
                print(f"the subscriber has ended and said:\n{self._log.read_text()[-3000:]}", flush=True)
                break
            time.sleep(0.5)
        return names


def late(names: Sequence[tuple[str, int]]) -> int:
    """How many of these came after a later one of their camera."""
    newest: dict[str, int] = {}
    found = 0
    for camera, sequence in names:
        found += sequence < newest.get(camera, -1)
        newest[camera] = max(sequence, newest.get(camera, -1))
    return found


def _topic_maker(bootstrap: str) -> Callable[..., str]:
    def make(hint: str, **_: int) -> str:
        name = unique(hint)
        make_topic(bootstrap, name, partitions=PARTITIONS, answers=hint in ("processed", "dead"))
        return name

    return make
