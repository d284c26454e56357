"""The benchmarks, by the names that they have on the command line: one a file, those that matter most first."""

from collections.abc import Callable

from benchmarks.bench import Bench
from benchmarks.section import Section
from benchmarks.suites import (
    cameras,
    freshness,
    gateway,
    latency,
    memory,
    partitions,
    passing,
    plan,
    replay,
    sizes,
    subscribing,
    sweep,
    throughput,
    viewing,
)

Suite = Callable[[Bench], Section]
SUITES: dict[str, Suite] = {
    "throughput": throughput.run,
    "plan": plan.run,
    "latency": latency.run,
    "cameras": cameras.run,
    "sizes": sizes.run,
    "partitions": partitions.run,
    "freshness": freshness.run,
    "gateway": gateway.run,
    "passing": passing.run,
    "subscribing": subscribing.run,
    "replay": replay.run,
    "viewing": viewing.run,
    "memory": memory.run,
}
# Asked for by name only: it tunes the hand-written loop, and measures nothing of ours.
BY_NAME: dict[str, Suite] = {"sweep": sweep.run}
