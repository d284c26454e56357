"""F6: the network between a worker, or a producer, and the broker: cut, black hole, reset, half open, slow."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import figures as fig
from feed import camera_on_each
from figures import Figure, Injury
from own_camera import OwnCamera
from proxy import HOST, Proxy
from reader import Arrival
from scene import PARTITIONS, Scene, Setup

OPERATORS = ('op = "trial_operators:Slow", ms = 10',)
SETUP = Setup(operators=OPERATORS, settle_s=120.0)
CUT_S, HOLE_S, SLOW_S = 5.0, 20.0, 10.0
# Where producers are hit a worker has to catch up with all that they send at once, which is no part of the recovery.
FPS, PRODUCERS_FPS = 25.0, 8.0
# Once the network is back: as long as clients wait before they try again, the group's session, a busy machine.
BACK_S = 15.0
# A peer that has vanished is missed when a request of the consumer has had no answer for its whole time, 40 s; and so
# is the one that is asked who leads the group, on another connection.
VANISHED_S = 2 * 40.0 + BACK_S
ROUNDS, ROUNDS_SHORT = 2, 1


@dataclass(frozen=True, slots=True)
class Trouble:
    """What the proxy does, for how long, and how long after its end all goes on at the latest."""

    what: str
    begin: Callable[[Proxy], None]
    lasts_s: float
    back_s: float = BACK_S


CUT = Trouble("cut", Proxy.cut, CUT_S)
OTHERS = (
    Trouble("black hole", Proxy.black_hole, HOLE_S),
    Trouble("reset", Proxy.reset, 0.0),
    Trouble("half open", Proxy.half_open, 0.0, VANISHED_S),
    Trouble("200 ms, jitter", lambda proxy: proxy.slow(delay_s=0.2, jitter_s=0.1), SLOW_S),
    Trouble("200 kB/s", lambda proxy: proxy.slow(bytes_per_s=200_000), SLOW_S),
)


def cut(scene: Scene, *, short: bool) -> list[Figure]:
    """A worker's network is cut for 5 s."""
    return _of_a_worker(scene, [CUT] * (ROUNDS_SHORT if short else ROUNDS))


def worse(scene: Scene, *, short: bool) -> list[Figure]:
    """A worker's network does all the rest."""
    return _of_a_worker(scene, OTHERS)


def of_a_producer(scene: Scene, *, short: bool) -> list[Figure]:
    """The network of the cameras' producers does all of it; what they could not send comes later.

    The feed is plain confluent-kafka; a camera of our own producer goes the same way, to a topic of its own.
    """
    scene.start_worker()
    scene.wait_for_workers(1)
    proxy = _proxy(scene)
    at = f"{HOST}:{proxy.port}"
    with OwnCamera(scene.bootstrap, at=at) as camera:
        found = _run(scene, proxy, [CUT, *OTHERS], feed_at=at)
    return [*found, *camera.figures()]


def _of_a_worker(scene: Scene, troubles: Sequence[Trouble]) -> list[Figure]:
    proxy = _proxy(scene)
    scene.workers_at = f"{HOST}:{proxy.port}"
    scene.start_worker()
    scene.wait_for_workers(1)
    assert proxy.connections, "the worker goes another way"
    return _run(scene, proxy, troubles)


def _run(scene: Scene, proxy: Proxy, troubles: Sequence[Trouble], *, feed_at: str = "") -> list[Figure]:
    def arrivals_of(found: list[Arrival]) -> list[Arrival]:
        return fig.by_sending(scene.ledger, found) if feed_at else found

    scene.begin()
    try:
        fps = PRODUCERS_FPS if feed_at else FPS
        with scene.feed(camera_on_each(PARTITIONS), fps=fps, at=feed_at):
            for trouble in troubles:
                _injure(scene, proxy, trouble, arrivals_of)
        scene.settle()
        arrivals = scene.reader.arrivals()
        took_s = fig.recovery_s(arrivals_of(arrivals), scene.injuries)
        limits_s = [trouble.lasts_s + trouble.back_s for trouble in troubles]
        found = [
            *scene.figures(),
            *fig.repeats_within(scene.ledger, arrivals, scene.injuries),
            *(fig.at_most("recovery s", each, limit_s) for each, limit_s in zip(took_s, limits_s, strict=True)),
            fig.exactly("workers ended", len(scene.fleet.workers) - len(scene.running()), 0),
            fig.shown("rebalances", scene.rebalances()),
        ]
        scene.stop_workers()
    finally:
        # It is that of the runs to come, too.
        proxy.heal()
    return found


def _injure(
    scene: Scene, proxy: Proxy, trouble: Trouble, arrivals_of: Callable[[list[Arrival]], list[Arrival]]
) -> None:
    """Trouble after a random number of further frames, until its time is over and all partitions go on."""
    scene.let_some_through()
    at_s = time.time()
    injury = Injury(at_s, frozenset(range(PARTITIONS)), trouble.what, at_s + trouble.lasts_s)
    scene.injuries.append(injury)
    trouble.begin(proxy)
    # The fault is that it lasts: there is nothing to be awaited.
    time.sleep(trouble.lasts_s)
    proxy.heal()
    # Taken in after all is well again, and not what came through while it was slow.
    well = Injury(time.time(), injury.partitions)
    scene.reader.wait_for(
        lambda arrivals: max(fig.recovery_s(arrivals_of(arrivals), [well])) < float("inf"), timeout_s=120
    )


def _proxy(scene: Scene) -> Proxy:
    assert scene.cluster is not None and scene.cluster.proxy is not None, "this fault needs the proxy"
    return scene.cluster.proxy
