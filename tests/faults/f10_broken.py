"""F10: frames that are truncated, empty, null, or begin with the wrong bytes: dead letters, all of them."""

import figures as fig
from broken_pictures import NOTHING, TRUNCATED, WRONG_MAGIC
from feed import GOOD, camera_on_each
from figures import Figure
from scene import PARTITIONS, Scene

ROUNDS, ROUNDS_SHORT = 20, 5


def broken(scene: Scene, *, short: bool) -> list[Figure]:
    """Send each kind to each partition, good frames in between."""
    scene.start_worker()
    scene.wait_for_workers(1)
    scene.begin()
    cameras = camera_on_each(PARTITIONS)
    feed = scene.feed(cameras)
    kinds = {**TRUNCATED, **NOTHING, **WRONG_MAGIC}
    for _ in range(ROUNDS_SHORT if short else ROUNDS):
        for content in scene.random.sample(list(kinds.values()), len(kinds)):
            for camera in cameras:
                feed.send(camera, content)
                feed.send(camera, GOOD)
    feed.flush()
    scene.settle()
    found = [
        *scene.figures(),
        fig.exactly("duplicates on the wire", fig.repeats(scene.reader.arrivals()), 0),
        fig.shown("kinds", len(kinds)),
        fig.exactly("agent restarts", scene.restarts(), 0),
        fig.exactly("rebalances", scene.rebalances(), 0),
    ]
    scene.stop_workers()
    return found
