"""F8: a pipeline does a fifth of what its cameras offer: `every_frame` loses nothing, `freshest` stays on time.

Neither takes more memory for it: what a worker has not taken in stays with the broker.
"""

import time
from collections.abc import Collection

import cv2
import figures as fig
from feed import GOOD, Content, Contents, camera_on_each, good_only
from figures import Figure
from ledger import Ledger
from probe_support import counts
from producer_support import noise
from reader import Arrival
from scene import PARTITIONS, Scene, Setup
from worker_support import Worker

FPS, THREADS, SLOW_MS = 25.0, 2, 100
OFFERED_PER_S, DONE_PER_S = PARTITIONS * FPS, THREADS * 1000 / SLOW_MS
FEED_S, FEED_SHORT_S = 10.0, 4.0
# Of what is offered, what may be done by the time that its last frame is sent: a fifth, and the last ones in hand.
MOST_DONE = 0.3
# As `make bench BENCH=memory` wants it of a worker at full load. What is offered here would not fit.
CEILING_MB = 500.0
# `freshest` keeps one frame of each camera waiting, so it is begun within one turn of all cameras; then it is worked
# on; the rest is what a busy machine may take.
TURN_S, WORK_S, GRACE_S = PARTITIONS / DONE_PER_S, SLOW_MS / 1000, 0.5
_SLOW = (f'op = "trial_operators:Slow", ms = {SLOW_MS}',)
EVERY_FRAME_SETUP = Setup(operators=_SLOW, threads=THREADS, settle_s=240.0)
FRESHEST_SETUP = Setup(operators=_SLOW, threads=THREADS, pipeline=('freshness = "freshest"',))


def every_frame(scene: Scene, *, short: bool) -> list[Figure]:
    """Large frames, four fifths of which have to wait; all of them come out once the feed has ended."""
    picture = cv2.resize(noise(640, 360, seed=scene.seed), (1280, 720))
    large = Content(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
    scene.start_worker()
    done = _overload(scene, lambda *_: large, short=short)
    scene.settle()
    arrivals = scene.reader.arrivals()
    found = [
        *scene.figures(),
        fig.exactly("duplicates on the wire", fig.repeats(arrivals), 0),
        fig.at_most("share done while the feed ran", done, MOST_DONE),
        fig.shown("oldest output s", max(ages_s(scene.ledger, arrivals))),
        fig.shown("offered MB", len(scene.ledger) * len(large.value or b"") / 1e6),
        fig.at_most("memory under its ceiling MB", scene.memory.largest_mb, CEILING_MB),
        fig.exactly("agent restarts", scene.restarts(), 0),
        fig.exactly("rebalances", scene.rebalances(), 0),
    ]
    scene.stop_workers()
    return found


def freshest(scene: Scene, *, short: bool) -> list[Figure]:
    """What comes out is young; what is skipped is counted, and committed like all other frames."""
    worker = scene.start_worker()
    done = _overload(scene, good_only, short=short)
    ends: dict[int, int] = {}
    for place in scene.ledger.frames():
        ends[place.partition] = max(ends.get(place.partition, 0), place.offset + 1)
    scene.fleet.wait_for_commit(ends)
    sums = _sums(worker)
    # The broker has them before the worker counts them.
    scene.reader.wait_for_count(sums["processed"] + sums["dead_lettered"])
    arrivals = scene.reader.arrivals()
    cameras = camera_on_each(PARTITIONS)
    outputs = [arrival for arrival in fig.first_occurrences(arrivals) if arrival.name and arrival.name[0] in cameras]
    ages = sorted(ages_s(scene.ledger, outputs))
    found = [
        *scene.figures(skipped=sums["stale"]),
        fig.exactly("duplicates on the wire", fig.repeats(arrivals), 0),
        fig.at_most("share done while the feed ran", done, MOST_DONE),
        fig.shown("outputs", len(outputs)),
        fig.shown("skipped, by the worker's count", sums["stale"]),
        fig.exactly(
            "produced - outputs - skipped - dead letters", len(scene.ledger) - len(arrivals) - sums["stale"], 0
        ),
        fig.exactly("consumed, and not counted as anything", sums["consumed"] - _ended(sums), 0),
        fig.at_most("age of outputs s, p99", ages[len(ages) * 99 // 100], TURN_S + WORK_S + GRACE_S),
        fig.shown("age of outputs s, oldest", ages[-1]),
        fig.at_most("memory under its ceiling MB", scene.memory.largest_mb, CEILING_MB),
        fig.exactly("agent restarts", scene.restarts(), 0),
        fig.exactly("rebalances", scene.rebalances(), 0),
    ]
    scene.stop_workers()
    return found


def ages_s(ledger: Ledger, outputs: Collection[Arrival]) -> list[float]:
    """How long each output came after its frame was sent, in s."""
    frames = ledger.frames()
    return [each.at_s - frames[each.source].sent_s for each in outputs if each.source in frames]


def _overload(scene: Scene, contents: Contents, *, short: bool) -> float:
    """Offer five times what the worker does; which part of it was done when the feed ended."""
    scene.wait_for_workers(1)
    # Opened pools and codecs have their share of the first frames' time.
    first = scene.feed(camera_on_each(PARTITIONS, prefix="first"))
    for camera in first.cameras:
        first.send(camera, GOOD)
    first.flush()
    scene.settle()
    scene.begin()
    before = len(scene.reader.arrivals())
    with scene.feed(camera_on_each(PARTITIONS), fps=FPS, contents=contents):
        # That it lasts is the fault.
        time.sleep(FEED_SHORT_S if short else FEED_S)
        done = len(scene.reader.arrivals()) - before
    return done / (len(scene.ledger) - before)


def _sums(worker: Worker) -> dict[str, int]:
    return {outcome: int(count) for (outcome,), count in counts(worker, "framelane_frames_total", "outcome").items()}


def _ended(sums: dict[str, int]) -> int:
    return sum(count for outcome, count in sums.items() if outcome != "consumed")
