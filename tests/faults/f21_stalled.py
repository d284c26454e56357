"""F21: a worker stands still and does not know it: its agent takes nothing in any more, or its event loop is blocked.

Its group goes on to hear of it, so nobody else gets its partitions: only its own watchdog finds out.
"""

import signal
import time

import figures as fig
from feed import camera_on_each
from figures import Figure, Injury
from scene import PARTITIONS, Scene, Setup

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
        code = worker.end_by_itself(limit_s)
        scene.wait_until_it_goes_on([injury])
    scene.settle()
    arrivals = scene.reader.arrivals()
    found = [
        *scene.figures(),
        *fig.repeats_within(scene.ledger, arrivals, [injury]),
        fig.exactly("exit code of the one that stands still", code, 1),
        *(fig.at_most("recovery s", each, limit_s) for each in fig.recovery_s(arrivals, [injury])),
    ]
    scene.stop_workers()
    return found
