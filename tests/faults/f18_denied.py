"""F18: a worker may no longer write to its output, or its dead letters: it acks nothing of that, ends with an error.

Once the right is granted again and a worker started, nothing is lost.
"""

import time

import figures as fig
from broken_pictures import POISON
from confluent_kafka.admin import AdminClient
from feed import GOOD, Content, camera_on_each
from figures import Figure, Injury
from ledger import Place
from roles_support import add_acls, remove_acls
from scene import PARTITIONS, Scene, Setup
from topics import ends
from worker_support import Worker

from framelane.acls import Names, Right, rights_of

USER = "worker"
END_S = 30.0
# From the grant: Python's start, the session of whoever ended without a word, a busy machine.
BACK_S = 30.0
SETUP = Setup(operators=('op = "trial_operators:Slow", ms = 10',), kafka="secure")


def output(scene: Scene, *, short: bool) -> list[Figure]:
    """The right to write to the output is taken away."""
    return _denied(scene, scene.topics.processed)


def dead_letters(scene: Scene, *, short: bool) -> list[Figure]:
    """The right to write to the dead letters is taken away; one frame in twenty needs it."""
    return _denied(scene, scene.topics.dead_letter)


def _denied(scene: Scene, topic: str) -> list[Figure]:
    admin, rights = AdminClient({"bootstrap.servers": scene.bootstrap}), _rights(scene)
    [write] = [right for right in rights if right.name == topic and right.operation == "Write"]
    add_acls(admin, USER, rights)
    worker, every = scene.start_worker(), frozenset(range(PARTITIONS))
    scene.wait_for_workers(1)

    def content(_camera: str, _sequence: int) -> Content:
        return scene.random.choice(POISON) if scene.random.random() < 0.05 else GOOD

    with scene.feed(camera_on_each(PARTITIONS), contents=content):
        assert scene.reader.wait_for_count(scene.random.randint(100, 200)), "the worker stands still"
        taken_away = Injury(time.time(), every)
        remove_acls(admin, USER, [write])
        first, first_words = _ended(worker)
        ended_s = time.time()
        unanswered = _acked_unanswered(scene)
        committed = scene.fleet.committed()
        second, second_words = _ended(scene.start_worker())
        moved = sum(abs(offset - committed.get(n, 0)) for n, offset in scene.fleet.committed().items())
        add_acls(admin, USER, [write])
        scene.injuries.append(Injury(ended_s, every, "ended without the right", time.time()))
        scene.start_worker()
        scene.wait_until_it_goes_on(scene.injuries)
    scene.settle()
    [injury], arrivals = scene.injuries, scene.reader.arrivals()
    found = [
        *scene.figures(),
        *fig.repeats_within(scene.ledger, arrivals, [taken_away]),
        fig.exactly("acked without an answer", unanswered, 0),
        fig.exactly("acked by a worker without the right", moved, 0),
        fig.exactly("exit code while it runs", first, 1),
        fig.exactly("exit code at the start", second, 1),
        fig.exactly("logs without the topic's name", sum(topic not in each for each in (first_words, second_words)), 0),
        *(
            fig.at_most("recovery s", each, injury.until_s - ended_s + BACK_S)
            for each in fig.recovery_s(arrivals, [injury])
        ),
    ]
    scene.stop_workers()
    return found


def _rights(scene: Scene) -> tuple[Right, ...]:
    topics = scene.topics
    names = Names(
        raw=topics.raw,
        processed=topics.processed,
        events=topics.events,
        dead_letter=topics.dead_letter,
        status="",
        groups=(scene.fleet.group,),
    )
    return rights_of("worker", names)


def _ended(worker: Worker) -> tuple[int, str]:
    """(its exit code, what it said) once it has ended by itself."""
    return worker.end_by_itself(END_S), worker.log.read_text()


def _acked_unanswered(scene: Scene) -> int:
    """How many frames that the group has behind it have neither an output nor a dead letter, now that nobody works."""
    there = ends(scene.bootstrap)
    count = there[scene.topics.processed] + there[scene.topics.dead_letter]
    assert scene.reader.wait_for_count(count), "the reader does not see all that is there"
    committed = scene.fleet.committed()
    missing: set[Place] = fig.lost(scene.ledger, scene.reader.arrivals())
    return sum(place.offset < committed.get(place.partition, 0) for place in missing)
