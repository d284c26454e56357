"""F4: a worker is paused for longer than its session (SIGSTOP), and woken once others have its partitions: a zombie.

What it had in hand it publishes when it wakes, and others have answered that meanwhile: those are the duplicates that
there may be. What it has not taken in by then is no longer its own.
"""

import signal
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import figures as fig
from feed import camera_on_each
from figures import Figure, Injury
from kafka_support import drain
from ledger import Ledger, Place
from probe_support import counts
from scene import PARTITIONS, Scene, Setup
from worker_support import Worker, input_of

PAUSES, PAUSES_SHORT = 3, 1
# The group gives the partitions of a silent worker away after its session; the rest is what a busy machine may take.
GRACE_S = 10.0
# It learns that it is out with its next heartbeat, after 1 s at the most, finishes what it has in hand, and joins.
REJOIN_S = 15.0
# They do the same, and the hash in what they put out tells who did it.
OPERATORS = ('op = "trial_operators:Slow", ms = 10', 'op = "trial_operators:Slow", ms = 11')
SETUP = Setup()


@dataclass(frozen=True, slots=True)
class Waking:
    """When a worker was paused and woken, and when it was a member again (s since 1970); inf where it never was.

    pipeline: `name@hash` of what it puts out. partitions: those that it had.
    """

    pipeline: str
    partitions: frozenset[int]
    paused_s: float
    woken_s: float
    joined_s: float


@dataclass(frozen=True, slots=True)
class Answer:
    """An output, by whom and of what; times in s since 1970: when it was taken in, and when the broker had it."""

    pipeline: str
    source: Place
    taken_s: float
    at_s: float


def woken(scene: Scene, *, short: bool) -> list[Figure]:
    """Pause one of two workers until the other has its partitions and goes on with them; then wake it."""
    workers = [scene.start_worker(operators=(each,)) for each in OPERATORS]
    scene.wait_for_workers(2)
    pipelines = {worker.name: _pipeline_of(worker) for worker in workers}
    scene.begin()
    wakings: list[Waking] = []
    with CommitWatch(scene.fleet.committed) as commits, scene.feed(camera_on_each(PARTITIONS)):
        for _ in range(PAUSES_SHORT if short else PAUSES):
            wakings.append(_pause_one(scene, pipelines))
    scene.settle()
    arrivals = scene.reader.arrivals()
    answers = _answers(scene)
    held = [late_answers(answers, waking, before_s=end_s) for waking, end_s in _with_ends(wakings)]
    beyond = [others_frames(scene.ledger, answers, each, before_s=end_s) for each, end_s in _with_ends(wakings)]
    found = [
        *scene.figures(),
        *fig.repeats_within(scene.ledger, arrivals, scene.injuries),
        fig.shown("pauses", len(wakings)),
        *(fig.shown("paused s", waking.woken_s - waking.paused_s) for waking in wakings),
        *(fig.shown("published by the woken one, though another has answered", len(each)) for each in held),
        fig.exactly("of them not in flight when it was paused", sum(map(len, beyond)), 0),
        fig.exactly("commits that went back", commits.went_back, 0),
        *(fig.at_most("recovery s", each, scene.setup.session_s + GRACE_S) for each in _recoveries(scene)),
        *(fig.at_most("member again after s", waking.joined_s - waking.woken_s, REJOIN_S) for waking in wakings),
        fig.exactly("workers ended", len(workers) - len(scene.running()), 0),
        fig.shown("rebalances", scene.rebalances()),
    ]
    scene.stop_workers()
    return found


def late_answers(answers: Collection[Answer], waking: Waking, *, before_s: float) -> list[Answer]:
    """What the woken one has published of frames that somebody else has answered, too.

    before_s: later ones do not count, for then somebody was paused again.
    """
    recent = [answer for answer in answers if answer.at_s < before_s]
    others = {answer.source for answer in recent if answer.pipeline != waking.pipeline}
    return [
        answer
        for answer in recent
        if answer.pipeline == waking.pipeline
        and answer.at_s >= waking.woken_s
        and answer.source.partition in waking.partitions
        and answer.source in others
    ]


def others_frames(ledger: Ledger, answers: Collection[Answer], waking: Waking, *, before_s: float) -> list[Answer]:
    """Those of them that it cannot have had in hand when it was paused: it took them in afterwards."""
    frames = ledger.frames()
    return [
        answer
        for answer in late_answers(answers, waking, before_s=before_s)
        if answer.taken_s > waking.paused_s and frames[answer.source].sent_s > waking.paused_s
    ]


class CommitWatch:
    """Asks again and again for the group's positions; a context manager, which raises at its end what the asking met.

    went_back: how often a position was below what it had been.
    """

    def __init__(self, committed: Callable[[], Mapping[int, int]], *, every_s: float = 0.1) -> None:
        self._committed, self._every_s = committed, every_s
        self.went_back = 0
        self._failure: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="commits")

    def __enter__(self) -> "CommitWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        furthest: dict[int, int] = {}
        try:
            while not self._stop.wait(self._every_s):
                for partition, offset in self._committed().items():
                    self.went_back += offset < furthest.get(partition, 0)
                    furthest[partition] = max(offset, furthest.get(partition, 0))
        except Exception as error:  # noqa: BLE001 - raised where the watch ends
            self._failure = error


def _pause_one(scene: Scene, pipelines: Mapping[str, str]) -> Waking:
    members = scene.wait_for_workers(2)
    worker = scene.random.choice(scene.running())
    scene.let_some_through()
    partitions, paused_s = frozenset(members[worker.name]), time.time()
    worker.process.send_signal(signal.SIGSTOP)
    injury = Injury(paused_s, partitions, "pause")
    # Its session is over, and the other one has what it had.
    scene.wait_for_workers(1)
    scene.wait_until_it_goes_on([injury])
    woken_s = time.time()
    worker.process.send_signal(signal.SIGCONT)
    scene.injuries.append(Injury(paused_s, partitions, "pause", woken_s))
    joined_s = _joined(scene, worker)
    after = Injury(time.time(), frozenset(range(PARTITIONS)))
    scene.wait_until_it_goes_on([after])
    return Waking(pipelines[worker.name], partitions, paused_s, woken_s, joined_s)


def _joined(scene: Scene, worker: Worker) -> float:
    """When it had partitions again; infinite where it has ended instead, and another one takes its place."""
    while worker.process.poll() is None:
        if scene.fleet.members().get(worker.name):
            return time.time()
        time.sleep(0.05)
    # It is not among those that should run.
    worker.killed = True
    print(f"    {worker.name} ended with {worker.process.returncode}:\n{worker.log.read_text()[-2000:]}")
    return float("inf")


def _recoveries(scene: Scene) -> list[float]:
    return fig.recovery_s(scene.reader.arrivals(), scene.injuries)


def _with_ends(wakings: Sequence[Waking]) -> list[tuple[Waking, float]]:
    ends = [*(waking.paused_s for waking in wakings[1:]), float("inf")]
    return list(zip(wakings, ends, strict=True))


def _pipeline_of(worker: Worker) -> str:
    [(name, digest)] = counts(worker, "framelane_build_info", "pipeline", "pipeline_hash")
    return f"{name}@{digest}"


def _answers(scene: Scene) -> list[Answer]:
    found = []
    for message in drain(scene.bootstrap, scene.topics.processed):
        headers = {name: value for name, value in dict(message.headers() or []).items() if isinstance(value, bytes)}
        taken_s, at_s = int(headers["ce_receivedns"]) / 1e9, message.timestamp()[1] / 1000
        found.append(Answer(headers["ce_pipeline"].decode(), Place(*input_of(message)), taken_s, at_s))
    return found
