"""F9: poison frames, one in a hundred and then all: each becomes a dead letter, and the agent is never restarted."""

import figures as fig
from broken_pictures import POISON
from feed import GOOD, Content, camera_on_each
from figures import Figure
from scene import PARTITIONS, Scene

FRAMES, FRAMES_SHORT = 1000, 400  # of each of four cameras
AFTERWARDS = 20


def one_in_a_hundred(scene: Scene, *, short: bool) -> list[Figure]:
    """Poison one frame in a hundred, at random places."""
    return _poison(scene, share=0.01, short=short)


def all_of_them(scene: Scene, *, short: bool) -> list[Figure]:
    """Poison every frame; good ones come afterwards."""
    return _poison(scene, share=1.0, short=short)


def _poison(scene: Scene, *, share: float, short: bool) -> list[Figure]:
    count = FRAMES_SHORT if short else FRAMES

    def content(_camera: str, sequence: int) -> Content:
        poison = sequence < count and scene.random.random() < share
        return scene.random.choice(POISON) if poison else GOOD

    scene.start_worker()
    scene.wait_for_workers(1)
    scene.begin()
    cameras = camera_on_each(PARTITIONS)
    feed = scene.feed(cameras, contents=content)
    for _ in range(count + AFTERWARDS):
        for camera in cameras:
            feed.send(camera)
    feed.flush()
    scene.settle()
    found = [
        *scene.figures(),
        fig.exactly("duplicates on the wire", fig.repeats(scene.reader.arrivals()), 0),
        fig.shown("poisoned", len(scene.ledger.bad())),
        fig.exactly("agent restarts", scene.restarts(), 0),
        fig.exactly("rebalances", scene.rebalances(), 0),
    ]
    scene.stop_workers()
    return found
