"""`latency`: from capture to subscriber, at a quarter of what the machine can do."""

import threading
import time
from collections.abc import Mapping, Sequence

from benchmarks.ages import AgeReader
from benchmarks.bench import Bench
from benchmarks.figures import paired_ratio, percentile, spread, turns
from benchmarks.job import Job
from benchmarks.processes import Contender
from benchmarks.section import Bar, Section, Target

_FPS = 60.0
_SETTLE_S, _MEASURE_S, _LATEST_S = 2.0, 10.0, 60.0
_CONTENDERS = {"hand-written loop": "hand_written", "Framelane": "ours", "Quix Streams": "quix"}
# p50 and p99 of each round, in ms.
Found = Mapping[str, Sequence[tuple[float, float]]]


def run(bench: Bench) -> Section:
    """Each contender in turn gets live frames of 8 cameras; every round measures all of them."""
    found: dict[str, list[tuple[float, float]]] = {label: [] for label in _CONTENDERS}
    for number, label in turns(list(_CONTENDERS), bench.settings.rounds):
        ages = _ages(bench, _CONTENDERS[label])
        p50, p99 = percentile(ages, 50), percentile(ages, 99)
        found[label].append((p50, p99))
        bench.say(f"latency {number + 1}/{bench.settings.rounds}  {label}: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    return Section(
        name="latency",
        title=f"Latency: capture to subscriber, 8 cameras at {_FPS:.0f} frames/s together",
        header=("contender", "p50 ms", "p99 ms"),
        rows=[
            (label, *(f"{spread([each[index] for each in rounds]):.1f}" for index in (0, 1)))
            for label, rounds in found.items()
        ],
        targets=_targets(found),
        notes=(f"Each run measured {_MEASURE_S:g} s after the worker had caught up; linger 0 for all.",),
        unit="ms",
        bars=_bars(found),
        data={label: [{"p50_ms": p50, "p99_ms": p99} for p50, p99 in rounds] for label, rounds in found.items()},
    )


def _ages(bench: Bench, contender: str) -> list[float]:
    """Ages in ms of the frames that reached a subscriber once all had settled."""
    partitions, end = bench.settings.partitions, threading.Event()
    feed = bench.feed(cameras=8, partitions=partitions)
    with (
        bench.topic("live", partitions=partitions) as topic,
        bench.job(
            Job(bootstrap=bench.kafka.bootstrap, input=topic, threads=bench.settings.threads), partitions=partitions
        ) as job,
        Contender(contender, job) as running,
        AgeReader(job.bootstrap, job.output, partitions=partitions) as reader,
    ):
        # Live frames begin once it runs, so that nothing has piled up.
        feed.preload(topic, 8)
        reader.wait_until(0, worker=running, timeout_s=_LATEST_S)
        sender = threading.Thread(
            target=feed.paced, args=(topic,), kwargs={"fps": _FPS, "go_on": lambda: not end.is_set()}
        )
        sender.start()
        try:
            start_ns = time.time_ns() + int(_SETTLE_S * 1e9)
            end_ns = start_ns + int(_MEASURE_S * 1e9)
            # The last ones count, too, however late they are.
            time.sleep(_SETTLE_S + _MEASURE_S)
            reader.wait_until(end_ns, worker=running, timeout_s=_LATEST_S)
            return reader.between(start_ns, end_ns)
        finally:
            end.set()
            sender.join()


def _targets(found: Found) -> list[Target]:
    return [
        Target(
            f"{name}, Framelane by {theirs}",
            paired_ratio([each[index] for each in found["Framelane"]], [each[index] for each in found[theirs]]).median,
            "<=",
            1.0,
        )
        for theirs in ("hand-written loop", "Quix Streams")
        for index, name in enumerate(("p50", "p99"))
    ]


def _bars(found: Found) -> list[Bar]:
    return [
        Bar(f"{label}, {name}", across.median, across.low, across.high)
        for label, rounds in found.items()
        for index, name in enumerate(("p50", "p99"))
        for across in (spread([each[index] for each in rounds]),)
    ]
