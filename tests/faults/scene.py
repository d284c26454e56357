"""The scene of one run of a fault: topics of its own, workers, ledger, reader; and at its end the figures."""

import random
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import figures as fig
from clusters import Cluster, Kind
from feed import Contents, Feed, good_only
from figures import Figure, Injury
from kafka_support import unique
from ledger import FrameName, Ledger
from memory import MemorySamples
from reader import Arrival, Reader
from topics import make_topics
from worker_support import SESSION_S, Fleet, Worker

from consumers import subscribe

PARTITIONS = 4
# Faust's words for an agent that has died, or is started again.
_RESTARTS = ("Traceback", "Crashed reason", "estarting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How a run is set up. operators: as in a pipeline's file. variant: of the worker (worker_variants.py).

    pipeline: more lines of the pipeline's table, such as `freshness = "freshest"`. settle_s: how long a frame's answer
    may take before it counts as lost. kafka: on which kind of cluster.
    """

    operators: Sequence[str] = ('op = "flip"',)
    pipeline: Sequence[str] = ()
    threads: int = 2
    partitions: int = PARTITIONS
    session_s: float = SESSION_S
    frame_timeout_ms: int = 5000
    variant: str = "mended"
    settle_s: float = 90.0
    kafka: Kind = "one"


@dataclass
class Scene:
    """One run. A context manager; what it started is gone at its end.

    cluster: what it runs on: its logs tell of rebalances, its parts may be injured, and it may want workers to log in.
    workers_at: where those find Kafka, if not where all others do.
    """

    bootstrap: str
    folder: Path
    seed: int = 1
    setup: Setup = field(default_factory=Setup)
    cluster: Cluster | None = None
    workers_at: str = ""
    ledger: Ledger = field(default_factory=Ledger)
    injuries: list[Injury] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.topics = make_topics(self.bootstrap, partitions=self.setup.partitions)
        self.workers_at = self.workers_at or (self.cluster.workers_at if self.cluster else self.bootstrap)
        self._rebalances_at_start = 0

    def __enter__(self) -> "Scene":
        with ExitStack() as stack:
            self.reader = stack.enter_context(Reader(self.bootstrap, self.topics, partitions=self.setup.partitions))
            self.fleet = stack.enter_context(
                Fleet(
                    self.bootstrap,
                    self.folder,
                    self.topics,
                    variant=self.setup.variant,
                    environ=self.cluster.workers_environ if self.cluster else {},
                    quiet=True,
                )
            )
            self.memory = stack.enter_context(MemorySamples(lambda: [w.process.pid for w in self.running()]))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def feed(self, cameras: Sequence[str], *, fps: float = 25.0, contents: Contents = good_only, at: str = "") -> Feed:
        """A producer for these cameras; start it by `with`. at: where it finds Kafka, if not where others do."""
        where = at or self.bootstrap
        return Feed(where, self.topics.raw, cameras, ledger=self.ledger, fps=fps, contents=contents)

    def start_worker(self, *, operators: Sequence[str] = (), **client: str | float) -> Worker:
        """Start one more worker. client: settings for its `[kafka.librdkafka]`, with _ for the dots.

        operators: in place of the setup's.
        """
        given = {name.replace("_", "."): value for name, value in client.items()}
        session = {"session.timeout.ms": round(self.setup.session_s * 1000)}
        threads = ["--threads", str(self.setup.threads)]
        # Only the workers: whoever watches them goes another way.
        self.fleet.bootstrap = self.workers_at
        file = self._pipeline_file(operators or self.setup.operators)
        return self.fleet.start_file(file, *threads, client={**session, **given})

    def running(self) -> list[Worker]:
        """The workers that run."""
        return [worker for worker in self.fleet.workers if worker.process.poll() is None]

    def wait_for_workers(self, count: int) -> dict[str, set[int]]:
        """Wait until so many workers share the partitions; the partitions by the worker's name."""
        return self.fleet.wait_for_members(count)

    def begin(self) -> None:
        """From now on rebalances count: the workers have their partitions."""
        self._rebalances_at_start = self._rebalances()

    def let_some_through(self) -> None:
        """Wait for a random number of further outputs: what is done next may come at any moment."""
        seen = len(self.reader.arrivals())
        assert self.reader.wait_for_count(seen + self.random.randint(40, 160)), "the workers stand still"

    def wait_until_it_goes_on(self, injuries: Sequence[Injury], *, timeout_s: float = 90.0) -> bool:
        """Wait until each partition hit has a new output of a frame taken in after each injury; whether it has."""
        return self.reader.wait_for(
            lambda arrivals: max(fig.recovery_s(arrivals, injuries)) < float("inf"), timeout_s=timeout_s
        )

    def settle(self) -> None:
        """Wait until every frame in the ledger has an answer; what has none in time is lost."""
        self.reader.wait_for_all(self.ledger, timeout_s=self.setup.settle_s)

    def rebalances(self) -> int:
        """How often the group was rebalanced since `begin`, by the broker's own log."""
        return self._rebalances() - self._rebalances_at_start

    def figures(self, *, skipped: int = 0) -> list[Figure]:
        """What holds for every fault, to be asked before the workers are stopped; a fault adds its own.

        skipped: frames that the workers have left out on purpose, by their own count; they need no answer.
        """
        arrivals, bad = self.reader.arrivals(), self.ledger.bad()
        letters = [arrival for arrival in arrivals if arrival.is_letter]
        for text in fig.wrong_letters(self.ledger, arrivals)[:5]:
            print(f"    {text}")
        return [
            fig.shown("produced", len(self.ledger)),
            fig.exactly("lost", len(fig.lost(self.ledger, arrivals)) - skipped, 0),
            fig.exactly("strangers", len(fig.strangers(self.ledger, arrivals)), 0),
            fig.exactly("out of order", fig.out_of_order(arrivals), 0),
            fig.exactly("duplicates at the subscriber", *self._at_subscriber(arrivals)),
            fig.shown("darkest camera s", fig.dark_s(arrivals)),
            fig.exactly("dead letters", len({letter.source for letter in letters}), len(bad)),
            fig.exactly("wrong dead letters", len(fig.wrong_letters(self.ledger, arrivals)), 0),
            fig.shown("memory MB", self.memory.largest_mb),
            *(fig.shown("memory MB/min", each) for each in self.memory.slopes_mb_per_min()),
        ]

    def restarts(self) -> int:
        """In how many lines the workers tell of an agent that died or was started again, or of a crash."""
        lines = [line for worker in self.fleet.workers for line in worker.log.read_text().splitlines()]
        return sum(any(word in line for word in _RESTARTS) for line in lines)

    def stop_workers(self) -> None:
        """SIGTERM to all; each must end with 0."""
        for worker in self.running():
            code = worker.stop()
            assert code == 0, f"{worker.name} ended with {code}:\n{worker.log.read_text()[-4000:]}"

    def _at_subscriber(self, arrivals: Sequence[Arrival]) -> tuple[int, int]:
        """(duplicates and omissions in what our subscriber hands out, what they must be)."""
        wanted = {arrival.name for arrival in fig.first_occurrences(arrivals)}
        topic = self.topics.processed
        with subscribe(topic, bootstrap=self.bootstrap, group=unique("subscriber"), until="now") as frames:
            names = [FrameName(frame.camera_id, frame.epoch, frame.sequence) for frame in frames]
        return len(names) - len(set(names)) + len(wanted.symmetric_difference(names)), 0

    def _rebalances(self) -> int:
        logs = self.cluster.logs if self.cluster else []
        needle = f"Preparing to rebalance group {self.fleet.group} "
        return sum(path.read_text(errors="replace").count(needle) for path in logs)

    def _pipeline_file(self, operators: Sequence[str]) -> Path:
        # Each worker has a file of its own: whoever runs must not see another's.
        topics, path = self.topics, self.folder / f"pipelines-{len(self.fleet.workers)}.toml"
        table = {
            "name": "fault",
            "group": self.fleet.group,
            "input": topics.raw,
            "output": topics.processed,
            "events": topics.events,
            "dead_letter": topics.dead_letter,
        }
        lines = [f'{key} = "{value}"' for key, value in table.items()]
        listed = ", ".join(f"{{ {each} }}" for each in operators)
        lines += [f"frame_timeout_ms = {self.setup.frame_timeout_ms}", *self.setup.pipeline, f"operators = [{listed}]"]
        path.write_text("\n".join(["[[pipeline]]", *lines, ""]))
        return path
