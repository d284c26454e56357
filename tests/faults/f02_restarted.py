"""F2: the workers are restarted one by one (SIGTERM), with and without static membership."""

import time

import figures as fig
from feed import camera_on_each
from figures import Figure, Injury
from scene import PARTITIONS, Scene, Setup
from worker_support import Worker

ROUNDS, ROUNDS_SHORT = 3, 1
WORKERS = 2
OPERATORS = ('op = "trial_operators:Slow", ms = 10',)
# Leaving takes as long as the frames in flight; the rest is what a busy machine may take.
DYNAMIC_S = 10.0
# A static worker's partitions wait for it, and starting Python takes its time.
STATIC_S = 20.0
SETUP = Setup(operators=OPERATORS)
# Each restart has to be done within the session, on a busy machine too.
STATIC_SETUP = Setup(operators=OPERATORS, session_s=30.0)


def restarted(scene: Scene, *, short: bool) -> list[Figure]:
    """Restart workers whose partitions go to the others meanwhile."""
    return [*_restart_all(scene, static=False, short=short), fig.shown("rebalances", scene.rebalances())]


def restarted_static(scene: Scene, *, short: bool) -> list[Figure]:
    """Restart workers with a `group.instance.id`, whose partitions wait for them: no rebalance at all."""
    return [*_restart_all(scene, static=True, short=short), fig.exactly("rebalances", scene.rebalances(), 0)]


def _restart_all(scene: Scene, *, static: bool, short: bool) -> list[Figure]:
    workers = [_start(scene, number, static=static) for number in range(WORKERS)]
    scene.wait_for_workers(WORKERS)
    scene.begin()
    with scene.feed(camera_on_each(PARTITIONS)):
        for _ in range(ROUNDS_SHORT if short else ROUNDS):
            for number in range(WORKERS):
                workers[number] = _restart(scene, workers[number], number, static=static)
    scene.settle()
    arrivals, limit_s = scene.reader.arrivals(), STATIC_S if static else DYNAMIC_S
    return [
        *scene.figures(),
        fig.exactly("duplicates on the wire", fig.repeats(arrivals), 0),
        fig.shown("restarts", len(scene.injuries)),
        *(fig.at_most("recovery s", each, limit_s) for each in fig.recovery_s(arrivals, scene.injuries)),
    ]


def _restart(scene: Scene, worker: Worker, number: int, *, static: bool) -> Worker:
    """Restart one after a random number of further frames, and wait until all is as it was."""
    members = scene.wait_for_workers(WORKERS)
    scene.let_some_through()
    partitions = members[_client_id(number) if static else worker.name]
    scene.injuries.append(Injury(time.time(), frozenset(partitions), "restart"))
    code = worker.stop()
    assert code == 0, f"{worker.name} ended with {code}"
    again = _start(scene, number, static=static)
    if not static:
        scene.fleet.wait_for_member(again.name)
    scene.wait_until_it_goes_on(scene.injuries[-1:])
    return again


def _start(scene: Scene, number: int, *, static: bool) -> Worker:
    if not static:
        return scene.start_worker()
    # The group goes on to know a static member by the client id that it had first.
    return scene.start_worker(group_instance_id=_client_id(number), client_id=_client_id(number))


def _client_id(number: int) -> str:
    return f"instance-{number}"
