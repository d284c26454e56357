"""F5: a worker is paused for less than its session (SIGSTOP, SIGCONT): the group does not notice."""

import signal
import time

import figures as fig
from feed import camera_on_each
from figures import Figure, Injury
from scene import PARTITIONS, Scene, Setup

PAUSES, PAUSES_SHORT = 5, 2
PAUSE_S = 3.0
# The pause comes up to a heartbeat (1 s) after the last sign of life, and the machine may be busy.
SETUP = Setup(operators=('op = "trial_operators:Slow", ms = 10',), session_s=12.0)
GRACE_S = 5.0


def paused(scene: Scene, *, short: bool) -> list[Figure]:
    """Pause one of two workers at a random moment, several times."""
    for _ in range(2):
        scene.start_worker()
    members = scene.wait_for_workers(2)
    scene.begin()
    with scene.feed(camera_on_each(PARTITIONS)):
        for _ in range(PAUSES_SHORT if short else PAUSES):
            _pause_one(scene, members)
    scene.settle()
    arrivals = scene.reader.arrivals()
    found = [
        *scene.figures(),
        fig.exactly("duplicates on the wire", fig.repeats(arrivals), 0),
        fig.exactly("rebalances", scene.rebalances(), 0),
        fig.shown("pauses", len(scene.injuries)),
        *(fig.at_most("recovery s", each, PAUSE_S + GRACE_S) for each in fig.recovery_s(arrivals, scene.injuries)),
    ]
    scene.stop_workers()
    return found


def _pause_one(scene: Scene, members: dict[str, set[int]]) -> None:
    worker = scene.random.choice(scene.running())
    scene.let_some_through()
    at_s = time.time()
    scene.injuries.append(Injury(at_s, frozenset(members[worker.name]), "pause", at_s + PAUSE_S))
    worker.process.send_signal(signal.SIGSTOP)
    time.sleep(PAUSE_S)
    worker.process.send_signal(signal.SIGCONT)
    scene.wait_until_it_goes_on(scene.injuries[-1:])
