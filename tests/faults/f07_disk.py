"""F7: the broker's disk is full, and Kafka ends; there is room again, and it is started: nothing confirmed is lost.

Workers and cameras wait meanwhile, and go on by themselves.
"""

import time

import figures as fig
from feed import camera_on_each
from figures import Figure, Injury
from own_camera import OwnCamera
from scene import PARTITIONS, Scene, Setup
from small_disk import MIB

from framelane.embedded.node import KafkaNode

# What the feed writes in a second or two.
LEFT_BYTES = 4 * MIB
START_S = 180.0
# A broker whose only disk fails ends by itself.
END_S = 60.0
AWAY_S = 5.0
# Once the broker is back: as long as clients wait before they try again, the group's session, a busy machine.
BACK_S = 15.0
SETUP = Setup(operators=('op = "trial_operators:Slow", ms = 10',), settle_s=START_S, kafka="small")


def full(scene: Scene, *, short: bool) -> list[Figure]:
    """Fill the disk under a broker that is written to; once it has ended make room, and start it."""
    assert scene.cluster is not None and scene.cluster.disk is not None, "this fault needs the small disk"
    scene.cluster.disk.check()
    for _ in range(2):
        scene.start_worker()
    scene.wait_for_workers(2)
    with OwnCamera(scene.bootstrap) as camera, scene.feed(camera_on_each(PARTITIONS)):
        took_s, words = _fill(scene)
    scene.settle()
    [injury], arrivals = scene.injuries, scene.reader.arrivals()
    away_s = injury.until_s - injury.at_s
    found = [
        *scene.figures(),
        *fig.repeats_within(scene.ledger, arrivals, [injury]),
        fig.at_most("broker ended after s", took_s, END_S),
        # Only shown: there may have been no room left to say it.
        fig.shown("its log says why", "the disk is full" in words),
        fig.shown("broker away s", away_s),
        fig.at_most("recovery s", max(fig.recovery_s(arrivals, [injury])), away_s + BACK_S),
        fig.exactly("workers ended", 2 - len(scene.running()), 0),
        *camera.figures(),
    ]
    scene.stop_workers()
    return found


def _fill(scene: Scene) -> tuple[float, str]:
    """Leave little room after a random number of frames, until the broker has ended.

    Returns how long that took, in s, and its last words.
    """
    assert scene.cluster is not None and scene.cluster.disk is not None
    disk, [node] = scene.cluster.disk, scene.cluster.kafka.nodes
    scene.let_some_through()
    began_s = time.time()
    try:
        disk.fill(leave=LEFT_BYTES)
        ended = _ended(node)
        at_s, words = time.time(), node.last_words()
        # One that has not ended is no good to anybody, either.
        node.kill()
        # That it lasts is what may harm.
        time.sleep(AWAY_S)
    finally:
        # It is that of the runs to come, too.
        disk.free()
    node.start(wait=False)
    node.wait_ready(timeout_s=START_S)
    injury = Injury(at_s, frozenset(range(PARTITIONS)), "disk full", time.time())
    scene.injuries.append(injury)
    scene.wait_until_it_goes_on([injury], timeout_s=START_S)
    return (at_s - began_s if ended else float("inf")), words


def _ended(node: KafkaNode) -> bool:
    give_up = time.monotonic() + END_S
    while node.running and time.monotonic() < give_up:
        time.sleep(0.05)
    return not node.running
