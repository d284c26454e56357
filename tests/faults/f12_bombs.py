"""F12: image bombs: refused within a millisecond each, and the worker's memory does not grow for them."""

import time
from statistics import median

import figures as fig
from broken_pictures import BOMBS
from feed import GOOD, camera_on_each
from figures import Figure
from scene import PARTITIONS, Scene

from streams.contract.errors import FrameError
from streams.contract.images import decode

ROUNDS, ROUNDS_SHORT = 20, 5
WARM_UP = 100
TIMED = 50
GATE_MS = 1.0
GROWTH_MB = 10.0


def bombs(scene: Scene, *, short: bool) -> list[Figure]:
    """Time the gate by itself, then send the bombs to a worker that has had its fill of good and bad frames."""
    times = {name: _refusals_ms(content.value or b"") for name, content in BOMBS.items()}
    worker = scene.start_worker()
    scene.wait_for_workers(1)
    scene.begin()
    cameras = camera_on_each(PARTITIONS)
    feed = scene.feed(cameras)
    # Good frames and dead letters have taken their memory before it counts.
    for _ in range(WARM_UP):
        for camera in cameras:
            feed.send(camera, GOOD)
            feed.send(camera, BOMBS["GIF"])
    feed.flush()
    scene.settle()
    before_mb = scene.memory.of(worker.process.pid)[-1][1]
    began = time.monotonic()
    for _ in range(ROUNDS_SHORT if short else ROUNDS):
        for content in scene.random.sample(list(BOMBS.values()), len(BOMBS)):
            feed.send(scene.random.choice(cameras), content)
        for camera in cameras:
            feed.send(camera, GOOD)
        feed.flush()
        scene.settle()
    samples = [mb for at, mb in scene.memory.of(worker.process.pid) if at >= began]
    found = [
        *scene.figures(),
        fig.exactly("duplicates on the wire", fig.repeats(scene.reader.arrivals()), 0),
        fig.exactly("rebalances", scene.rebalances(), 0),
        fig.exactly("agent restarts", scene.restarts(), 0),
        fig.at_most("gate ms (median of the slowest kind)", max(median(each) for each in times.values()), GATE_MS),
        fig.shown("gate ms (max)", max(max(each) for each in times.values())),
        fig.at_most("memory grew by MB", max(samples) - before_mb, GROWTH_MB),
    ]
    scene.stop_workers()
    return found


def _refusals_ms(bomb: bytes) -> list[float]:
    """How long the gate and the decoder behind it take to refuse it, each time, in ms."""
    times = []
    for _ in range(TIMED):
        started = time.perf_counter()
        try:
            decode(bomb)
        except FrameError:
            times.append((time.perf_counter() - started) * 1000)
    # What is not refused has no time that would do.
    return times if len(times) == TIMED else [float("inf")]
