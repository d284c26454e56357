"""`memory`: what a worker holds at full load with 1080p, and whether that grows."""

import threading
import time

from benchmarks.bench import Bench
from benchmarks.feed import Feed
from benchmarks.figures import slope
from benchmarks.job import Job
from benchmarks.processes import Contender
from benchmarks.reading import EndOffsets
from benchmarks.section import Section, Target
from streams.contract.errors import FramelaneError
from streams.contract.topics import MIB

_SIZE = (1920, 1080)
# A worker that is never short of frames, and topics that keep no more than they must.
_AHEAD_FRAMES = 400
_KEPT_BYTES = 256 * MIB
_STILL_S = 60.0


def run(bench: Bench) -> Section:
    """Keep a worker at full load, and look at its resident size every second."""
    partitions, minutes = bench.settings.partitions, bench.settings.minutes
    feed = bench.feed(cameras=bench.settings.cameras, partitions=partitions, size=_SIZE)
    with (
        bench.topic("endless", partitions=partitions, retention_bytes=_KEPT_BYTES) as topic,
        bench.job(
            Job(bootstrap=bench.kafka.bootstrap, input=topic, threads=bench.settings.threads, width=_SIZE[0]),
            partitions=partitions,
            retention_bytes=_KEPT_BYTES,
        ) as job,
        Contender("ours", job) as worker,
    ):
        points, frames = _watch(bench, feed, worker, job, partitions)
    # The first fifth is for caches and pools to fill.
    settled = [point for point in points if point[0] >= points[-1][0] / 5]
    most, growth = max(size for _, size in points), slope(settled)
    fps = frames / (60 * points[-1][0])
    return Section(
        name="memory",
        title=f"Memory: resident size at full load, {_SIZE[0]}x{_SIZE[1]}, {minutes:g} minutes",
        header=("contender", "most MiB", "growth MiB a minute", "frames/s"),
        rows=[("Framelane", f"{most:.0f}", f"{growth:+.2f}", f"{fps:.0f}")],
        targets=(
            Target("most", most * MIB / 1e6, "<=", 500, " MB"),
            Target("growth over ten minutes, by the slope after the first fifth", 10 * growth, "<=", 25, " MiB"),
        ),
        unit="MiB",
        lines={"Framelane": points},
        data={"minutes_mib": points, "frames": frames},
    )


def _watch(
    bench: Bench, feed: Feed, worker: Contender, job: Job, partitions: int
) -> tuple[list[tuple[float, float]], int]:
    """(minutes, MiB) each second from the first output on, and how many frames came out in that time."""
    count = EndOffsets(job.bootstrap, job.output, partitions=partitions).count
    done, end = 0, threading.Event()

    def send() -> None:
        while not end.is_set():
            if feed.delivered - done < _AHEAD_FRAMES:
                feed.send(job.input)
            else:
                feed.poll(0.01)

    sender = threading.Thread(target=send)
    sender.start()
    points: list[tuple[float, float]] = []
    start, first, since = 0.0, 0, time.monotonic()
    try:
        while not start or time.monotonic() < start + 60 * bench.settings.minutes:
            time.sleep(1.0)
            worker.check()
            now, before, done = time.monotonic(), done, count()
            if done > before:
                since = now
            elif now - since > _STILL_S:
                raise FramelaneError(f"ours: no output for {_STILL_S:g} s, after {done} frames")
            if done and not start:
                start, first = now, done
            if start:
                points.append(((now - start) / 60, worker.rss_bytes() / MIB))
                if len(points) % 60 == 0:
                    bench.say(f"memory {points[-1][0]:.0f} min: {points[-1][1]:.0f} MiB, {done} frames")
    finally:
        end.set()
        sender.join()
    return points, done - first
