"""F15: the input topic is missing at the start, and deleted while the worker runs; it goes on once that is there.

The topic's second life has the offsets of the first, and so its frames have a ledger of their own. What was on the
first one and not answered when it was deleted went with it, and is shown.
"""

import time
from collections.abc import Sequence

import figures as fig
from confluent_kafka.admin import AdminClient
from feed import Feed, camera_on_each
from figures import Figure, Injury
from ledger import Ledger
from reader import Arrival
from scene import PARTITIONS, Scene, Setup
from topics import make_topic
from worker_support import Worker

FRAMES, FRAMES_SHORT = 300, 150
# `framelane work` waits for 10 s, unless told otherwise.
END_S = 60.0
# Long enough that a worker waits for it, and not so long that it gives up.
MISSING_S, AWAY_S = 5.0, 5.0
# A client asks at least every 10 s what topics there are; then the group shares them out; and a busy machine.
NOTICED_S, LATER_FPS = 30.0, 12.0
# Slower than the frames come, so that some are left when their topic goes.
SETUP = Setup(operators=('op = "trial_operators:Slow", ms = 30',))


def missing(scene: Scene, *, short: bool) -> list[Figure]:
    """One worker that finds no topic, one that waits for it, and the latter's topic deleted and made again."""
    count = FRAMES_SHORT if short else FRAMES
    first, second = camera_on_each(PARTITIONS), camera_on_each(PARTITIONS, prefix="later")
    _delete(scene)
    code, start_words = _ended(scene.start_worker())
    worker = scene.start_worker()
    # That it waits is what is tried, and it says nothing of it.
    time.sleep(MISSING_S)
    _make(scene)
    scene.wait_for_workers(1)
    with scene.feed(first):
        assert scene.reader.wait_for_count(count), "the worker stands still"
    deleted_s = time.time()
    _delete(scene)
    scene.fleet.wait_for_members(1, with_partitions=False)
    noticed_s = time.time() - deleted_s
    # So long it is gone; a worker that ends for it does so by then.
    time.sleep(AWAY_S)
    words = worker.log.read_text()
    _make(scene)
    injury = Injury(time.time(), frozenset(range(PARTITIONS)), "made again")
    scene.injuries += [Injury(deleted_s, injury.partitions, "deleted", injury.at_s), injury]
    later_ledger, later_names = Ledger(), set(second)

    def later_of(arrivals: Sequence[Arrival]) -> list[Arrival]:
        return [arrival for arrival in arrivals if arrival.name and arrival.name.camera_id in later_names]

    with Feed(scene.bootstrap, scene.topics.raw, second, ledger=later_ledger, fps=LATER_FPS):
        scene.reader.wait_for(lambda found: len(later_of(found)) >= count)
    scene.reader.wait_for(lambda found: not fig.lost(later_ledger, later_of(found)), timeout_s=scene.setup.settle_s)
    arrivals = scene.reader.arrivals()
    later = later_of(arrivals)
    former = [arrival for arrival in arrivals if not (arrival.name and arrival.name.camera_id in later_names)]
    found = [
        fig.shown("produced", len(scene.ledger) + len(later_ledger)),
        fig.exactly("lost", len(fig.lost(later_ledger, later)), 0),
        fig.shown("went with the topic", len(fig.lost(scene.ledger, former))),
        fig.exactly("strangers", len(fig.strangers(scene.ledger, former) + fig.strangers(later_ledger, later)), 0),
        fig.exactly("out of order", fig.out_of_order(arrivals), 0),
        fig.exactly("duplicates on the wire", fig.repeats(former) + fig.repeats(later), 0),
        fig.exactly("duplicates at the subscriber", *scene._at_subscriber(arrivals)),
        fig.exactly("dead letters", sum(arrival.is_letter for arrival in arrivals), 0),
        fig.at_most("recovery s", max(fig.recovery_s(later, [injury])), NOTICED_S),
        fig.at_most("noticed after s", noticed_s, NOTICED_S),
        fig.exactly("exit code without the topic", code, 1),
        fig.exactly("errors without topic and mend", sum(not _tells(each, scene) for each in (start_words, words)), 0),
        fig.exactly("workers ended", 1 - len(scene.running()), 0),
        fig.shown("memory MB", scene.memory.largest_mb),
    ]
    scene.stop_workers()
    return found


def _tells(words: str, scene: Scene) -> bool:
    """Whether an error names the topic, and what to type."""
    return f"framelane topics create {scene.topics.raw}" in words


def _delete(scene: Scene) -> None:
    """Delete the input topic, and return when the broker does not have it any more."""
    admin, topic = AdminClient({"bootstrap.servers": scene.bootstrap, "log_level": 0}), scene.topics.raw
    admin.delete_topics([topic])[topic].result(30)
    give_up = time.monotonic() + 30
    while topic in admin.list_topics(timeout=10).topics:
        assert time.monotonic() < give_up, f"{topic} is still there"
        time.sleep(0.05)


def _make(scene: Scene) -> None:
    make_topic(scene.bootstrap, scene.topics.raw, partitions=PARTITIONS)


def _ended(worker: Worker) -> tuple[int, str]:
    """(its exit code, what it said) once it has ended by itself."""
    return worker.end_by_itself(END_S), worker.log.read_text()
