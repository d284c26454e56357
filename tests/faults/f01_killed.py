"""F1: a worker is killed in mid-frame (SIGKILL), again and again; another one takes its place."""

import time

import figures as fig
from feed import camera_on_each
from figures import Figure, Injury
from scene import PARTITIONS, Scene, Setup

KILLS, KILLS_SHORT = 20, 3
# The group gives the partitions of a silent worker away after its session; the rest is what a busy machine may take.
GRACE_S = 10.0
SETUP = Setup(operators=('op = "trial_operators:Slow", ms = 10',))


def killed(scene: Scene, *, short: bool) -> list[Figure]:
    """Kill one of two workers at a random moment, 20 times, while four cameras go on."""
    for _ in range(2):
        scene.start_worker()
    scene.wait_for_workers(2)
    scene.begin()
    with scene.feed(camera_on_each(PARTITIONS)):
        for _ in range(KILLS_SHORT if short else KILLS):
            _kill_one(scene)
    scene.settle()
    arrivals = scene.reader.arrivals()
    recoveries = fig.recovery_s(arrivals, scene.injuries)
    found = [
        *scene.figures(),
        *fig.repeats_within(scene.ledger, arrivals, scene.injuries),
        fig.shown("kills", len(scene.injuries)),
        *(fig.at_most("recovery s", each, scene.setup.session_s + GRACE_S) for each in recoveries),
        fig.shown("rebalances", scene.rebalances()),
    ]
    scene.stop_workers()
    return found


def _kill_one(scene: Scene) -> None:
    """Kill one after a random number of further frames, start another, and wait until all is as it was."""
    members = scene.wait_for_workers(2)
    victim = scene.random.choice([worker for worker in scene.running() if worker.name in members])
    scene.let_some_through()
    at_s = time.time()
    victim.kill()
    scene.injuries.append(Injury(at_s, frozenset(members[victim.name]), "kill"))
    scene.start_worker()
    # Not only that the members are there again: those that are dead stay members until their session is over.
    scene.wait_until_it_goes_on(scene.injuries[-1:])
