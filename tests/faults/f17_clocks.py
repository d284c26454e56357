"""F17: two cameras have clocks that are an hour off, ahead and behind: nothing is dropped, no age is negative."""

import time
from collections.abc import Callable

import figures as fig
from feed import GOOD, Content, Headers, camera_on_each
from figures import Figure
from probe_support import counts, wait_for_count
from scene import PARTITIONS, Scene

OFF_S = 3600
FRAMES, FRAMES_SHORT = 1000, 200  # of each of four cameras
AGE = "framelane_frame_age_seconds"


def off(scene: Scene, *, short: bool) -> list[Figure]:
    """One camera's clock is ahead, one's behind, two are right; the worker's own metrics tell of ages."""
    worker = scene.start_worker()
    scene.wait_for_workers(1)
    scene.begin()
    cameras = camera_on_each(PARTITIONS)
    ahead, behind, *right = cameras

    def content(camera: str, _sequence: int) -> Content:
        if camera in right:
            return GOOD
        return Content(forge=_captured(OFF_S if camera == ahead else -OFF_S))

    count = FRAMES_SHORT if short else FRAMES
    feed = scene.feed(cameras, contents=content)
    for _ in range(count):
        for camera in cameras:
            feed.send(camera)
    feed.flush()
    scene.settle()
    for camera in cameras:
        # The broker's word for a frame comes before the worker has counted it.
        wait_for_count(worker, count, f"{AGE}_count", camera_id=camera)
    sums, ages = (counts(worker, f"{AGE}_{part}", "camera_id") for part in ("sum", "count"))
    found = [
        *scene.figures(),
        fig.exactly("duplicates on the wire", fig.repeats(scene.reader.arrivals()), 0),
        fig.exactly("ages below zero", sum(seconds < 0 for seconds in sums.values()), 0),
        fig.at_most("age of those ahead s", sums[(ahead,)] / max(1, ages[(ahead,)]), 0.0),
        fig.shown("age of those behind s", sums[(behind,)] / max(1, ages[(behind,)])),
        fig.exactly("agent restarts", scene.restarts(), 0),
        fig.exactly("rebalances", scene.rebalances(), 0),
    ]
    scene.stop_workers()
    return found


def _captured(off_s: int) -> Callable[[Headers], Headers]:
    """Headers of a frame that was captured so many seconds from now, says its camera."""
    return lambda headers: headers | {"ce_capturedns": b"%d" % (time.time_ns() + off_s * 10**9)}
