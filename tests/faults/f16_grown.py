"""F16: partitions grow from 6 to 12 while workers run: they take the new ones without a restart, and nothing is lost.

A camera's frames go to another partition from one moment on. What lies on the old one and what lies on the new one has
no order between them: how many outputs came late for that is shown, and within a partition there is none.
"""

import time

import figures as fig
from confluent_kafka.admin import AdminClient, NewPartitions
from feed import Feed, camera_on_each
from figures import Figure, Injury
from scene import Scene, Setup

BEFORE, AFTER = 6, 12
FPS = 8.0
FRAMES, FRAMES_SHORT = 600, 300
# A client asks at least every 10 s what partitions there are; then the group shares them out; and a busy machine.
TAKEN_S = 30.0
SETUP = Setup(partitions=BEFORE)


def grown(scene: Scene, *, short: bool) -> list[Figure]:
    """Twelve cameras, two on each of six partitions, then each on its own; two workers."""
    for _ in range(2):
        scene.start_worker()
    scene.wait_for_workers(2)
    scene.begin()
    count = FRAMES_SHORT if short else FRAMES
    new = frozenset(range(BEFORE, AFTER))
    with scene.feed(camera_on_each(AFTER), fps=FPS) as feed:
        assert scene.reader.wait_for_count(count), "the workers stand still"
        injury = Injury(time.time(), new, f"{BEFORE} to {AFTER}")
        scene.injuries.append(injury)
        _grow(scene, feed)
        scene.wait_until_it_goes_on([injury])
        seen = len(scene.reader.arrivals())
        assert scene.reader.wait_for_count(seen + count), "the workers stand still"
    scene.settle()
    shares = scene.wait_for_workers(2)
    arrivals = scene.reader.arrivals()
    apart = [[a for a in arrivals if a.source.partition == number] for number in range(AFTER)]
    found = [
        # Across the change there is no order to be kept.
        *(figure for figure in scene.figures() if figure.name != "out of order"),
        fig.exactly("out of order", sum(map(fig.out_of_order, apart)), 0),
        fig.shown("out of order across the change", fig.out_of_order(arrivals)),
        fig.exactly("duplicates on the wire", fig.repeats(arrivals), 0),
        fig.exactly("partitions without a worker", len(set(range(AFTER)).difference(*shares.values())), 0),
        fig.exactly("workers ended", 2 - len(scene.running()), 0),
        fig.at_most("recovery s", max(fig.recovery_s(arrivals, [injury])), TAKEN_S),
        fig.shown("rebalances", scene.rebalances()),
    ]
    scene.stop_workers()
    return found


def _grow(scene: Scene, feed: Feed) -> None:
    """Make more partitions, and have the feed's client know of them; by itself it would ask after five minutes."""
    admin, topic = AdminClient({"bootstrap.servers": scene.bootstrap, "log_level": 0}), scene.topics.raw
    admin.create_partitions([NewPartitions(topic, AFTER)])[topic].result(30)
    give_up = time.monotonic() + 30
    while len(feed._producer.list_topics(topic, timeout=10).topics[topic].partitions) < AFTER:
        assert time.monotonic() < give_up, f"{topic} has not {AFTER} partitions"
        time.sleep(0.05)
