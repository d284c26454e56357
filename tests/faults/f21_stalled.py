"""F21: a worker stands still and does not know it: its agent takes nothing in any more, or its event loop is blocked.

Its group goes on to hear of it, so nobody else gets its partitions: only its own watchdog finds out.
"""

import signal
import subprocess
import time

import figures as fig
from feed import camera_on_each
from figures import Figure, Injury
from scene import PARTITIONS, Scene, Setup
from worker_support import Worker

# Of the variant `stalls`: given up after 6 s without a commit, or 9 s without a tick of the loop; looked for every
# second, and then it has 6 s to leave.
NOTICED_S = 6.0 + 1.0 + 6.0
# What a busy machine may take. Whoever does not leave is missed after its session.
GRACE_S = 10.0
SETUP = Setup(operators=('op = "trial_operators:Slow", ms = 10',), variant="stalls", frame_timeout_ms=1000)


def agent(scene: Scene, *, short: bool) -> list[Figure]:
    """The agent of one of two workers takes nothing in any more."""
    return _stalled(scene, signal.SIGUSR1, "agent stalls")


def loop(scene: Scene, *, short: bool) -> list[Figure]:
    """The event loop of one of two workers is blocked for good."""
    return _stalled(scene, signal.SIGUSR2, "loop blocked")


def _stalled(scene: Scene, how: signal.Signals, what: str) -> list[Figure]:
    for _ in range(2):
        scene.start_worker()
    members = scene.wait_for_workers(2)
    scene.begin()
    limit_s = NOTICED_S + scene.setup.session_s + GRACE_S
    with scene.feed(camera_on_each(PARTITIONS)):
        assert scene.reader.wait_for_count(scene.random.randint(40, 160)), "the workers stand still"
        worker = scene.random.choice(scene.running())
        injury = Injury(time.time(), frozenset(members[worker.name]), what)
        scene.injuries.append(injury)
        worker.process.send_signal(how)
        code = _ended(worker, limit_s)
        scene.reader.wait_for(lambda found: max(fig.recovery_s(found, [injury])) < float("inf"))
    scene.settle()
    arrivals = scene.reader.arrivals()
    allowed = fig.may_repeat(scene.ledger, arrivals, injury)
    found = [
        *scene.figures(),
        fig.at_most("duplicates on the wire", fig.repeats(arrivals), allowed),
        fig.shown("duplicates allowed", allowed),
        fig.exactly("exit code of the one that stands still", code, 1),
        *(fig.at_most("recovery s", each, limit_s) for each in fig.recovery_s(arrivals, [injury])),
    ]
    scene.stop_workers()
    return found


def _ended(worker: Worker, limit_s: float) -> int:
    """Its exit code once it has ended by itself; -1 where it does not, and is ended."""
    # It is not among those that should run.
    worker.killed = True
    try:
        return worker.process.wait(limit_s)
    except subprocess.TimeoutExpired:
        worker.kill()
        return -1
