"""F19: a worker has no partition for long; then the one that has dies, and it takes over."""

import time

import figures as fig
from feed import camera_on_each
from figures import Figure, Injury
from scene import Scene, Setup

IDLE_S, IDLE_SHORT_S = 60.0, 10.0
# The group gives the partition away after the session of whoever died.
GRACE_S = 5.0
SETUP = Setup(operators=('op = "trial_operators:Slow", ms = 10',), partitions=1)


def idle(scene: Scene, *, short: bool) -> list[Figure]:
    """One partition and two workers: the one that has it is killed."""
    for _ in range(2):
        scene.start_worker()
    owner = _owner(scene)
    scene.begin()
    with scene.feed(camera_on_each(1)):
        # That it lasts is what may harm.
        time.sleep(IDLE_SHORT_S if short else IDLE_S)
        waited_for = scene.rebalances()
        injury = Injury(time.time(), frozenset({0}), "kill")
        next(worker for worker in scene.running() if worker.name == owner).kill()
        scene.injuries.append(injury)
        scene.wait_until_it_goes_on([injury])
    scene.settle()
    arrivals = scene.reader.arrivals()
    found = [
        *scene.figures(),
        *fig.repeats_within(scene.ledger, arrivals, [injury]),
        fig.at_most("recovery s", max(fig.recovery_s(arrivals, [injury])), scene.setup.session_s + GRACE_S),
        fig.exactly("rebalances while it waited", waited_for, 0),
    ]
    scene.stop_workers()
    return found


def _owner(scene: Scene) -> str:
    """Who has the partition, once both are members."""
    give_up = time.monotonic() + 60
    while True:
        members = scene.fleet.members()
        owners = [name for name, partitions in members.items() if partitions]
        if len(members) == 2 and owners:
            return owners[0]
        assert time.monotonic() < give_up, f"{members}: not two workers, one of them with the partition"
        time.sleep(0.05)
