"""F3: brokers end, in order and by SIGKILL: the only one, one of three, the controller, all three; workers go on."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import figures as fig
from feed import camera_on_each
from figures import Figure, Injury
from scene import PARTITIONS, Scene, Setup

from framelane.embedded.node import KafkaNode

ROUNDS, ROUNDS_SHORT = 2, 1
START_S = 180.0
# Once the broker is back: as long as clients wait before they try again, the group's session, a busy machine. Mostly it
# is 3 to 6 s; in one run of four it was 22 s, in which the broker served nobody, and it is not known why.
BACK_S = 30.0
# One of three: the controller misses it after 9 s, and whoever leads the group has to be found anew.
MISSED_S = 30.0
OPERATORS = ('op = "trial_operators:Slow", ms = 10',)
SETUP = Setup(operators=OPERATORS, settle_s=START_S)
THREE_SETUP = Setup(operators=OPERATORS, settle_s=START_S, kafka="three")
_LEADS = re.compile(r"Becoming the active controller at epoch (\d+)")


@dataclass(frozen=True, slots=True)
class Ending:
    """What is done to whom. missed: nobody starts it before the workers have gone on without it.

    limit_s: by when they go on, from the end; or, where they need it, from when it is back.
    """

    what: str
    victims: Callable[[Sequence[KafkaNode]], Sequence[KafkaNode]]
    end: Callable[[KafkaNode], None] = KafkaNode.kill
    missed: bool = False
    limit_s: float = BACK_S


def restarted(scene: Scene, *, short: bool) -> list[Figure]:
    """The only node, in order and killed."""
    endings = [Ending("stop", list, KafkaNode.stop), Ending("kill", list)]
    return _run(scene, endings * (ROUNDS_SHORT if short else ROUNDS))


def of_three(scene: Scene, *, short: bool) -> list[Figure]:
    """Of three nodes one that does not lead the cluster, the one that does, and all at once."""

    def follower(nodes: Sequence[KafkaNode]) -> Sequence[KafkaNode]:
        return [scene.random.choice([node for node in nodes if node is not _leader(nodes)])]

    endings = [
        Ending("kill one", follower, missed=True, limit_s=MISSED_S),
        Ending("kill the controller", lambda nodes: [_leader(nodes)], missed=True, limit_s=MISSED_S),
        Ending("kill all", list),
    ]
    return _run(scene, endings)


def controller(logs: Sequence[Path]) -> int:
    """Whose log tells of the latest epoch in which it became the controller: 0 for the first."""

    def epoch(log: Path) -> int:
        return max(map(int, _LEADS.findall(log.read_text(errors="replace"))), default=-1)

    return max(range(len(logs)), key=lambda n: epoch(logs[n]))


def _leader(nodes: Sequence[KafkaNode]) -> KafkaNode:
    return nodes[controller([node.log_file for node in nodes])]


def _run(scene: Scene, endings: Sequence[Ending]) -> list[Figure]:
    for _ in range(2):
        scene.start_worker()
    scene.wait_for_workers(2)
    limits_s = []
    with scene.feed(camera_on_each(PARTITIONS)):
        for ending in endings:
            _injure(scene, ending)
            away_s = scene.injuries[-1].until_s - scene.injuries[-1].at_s
            limits_s.append(ending.limit_s + (0.0 if ending.missed else away_s))
    scene.settle()
    arrivals = scene.reader.arrivals()
    took_s = fig.recovery_s(arrivals, scene.injuries)
    found = [
        *scene.figures(),
        *fig.repeats_within(scene.ledger, arrivals, scene.injuries),
        *(fig.at_most("recovery s", each, limit_s) for each, limit_s in zip(took_s, limits_s, strict=True)),
        *(fig.shown("broker away s", injury.until_s - injury.at_s) for injury in scene.injuries),
        fig.exactly("workers ended", 2 - len(scene.running()), 0),
    ]
    scene.stop_workers()
    return found


def _injure(scene: Scene, ending: Ending) -> None:
    """End the nodes after a random number of further frames, start them, and wait until all partitions go on."""
    assert scene.cluster is not None, "this fault injures the brokers"
    scene.let_some_through()
    victims = ending.victims(scene.cluster.kafka.nodes)
    for node in victims:
        ending.end(node)
    # From when they have ended: one that stops in order serves for a while yet.
    injury = Injury(time.time(), frozenset(range(PARTITIONS)), ending.what)
    if ending.missed:
        _recovered(scene, injury)
    for node in victims:
        node.start(wait=False)
    for node in victims:
        node.wait_ready(timeout_s=START_S)
    scene.injuries.append(Injury(injury.at_s, injury.partitions, injury.what, time.time()))
    _recovered(scene, injury)


def _recovered(scene: Scene, injury: Injury) -> None:
    scene.wait_until_it_goes_on([injury], timeout_s=START_S)
