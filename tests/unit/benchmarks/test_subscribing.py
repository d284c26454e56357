"""How fast `subscribe()` reads beside a loop: its figures, and how a subscriber's time is taken."""

import subprocess
import sys

from benchmarks.figures import Sample
from benchmarks.suites.subscribing import section

WHERE = "1280x720"


def samples(*fps: float) -> list[Sample]:
    return [Sample(fps=each, cpu_ms=1000 / each, broker_cpu_ms=None) for each in fps]


def test_the_target_is_the_median_of_the_rounds_ratios() -> None:
    ours, theirs = samples(95, 40, 99), samples(100, 50, 100)
    found = section({(WHERE, "subscribe()"): ours, (WHERE, "hand-written loop"): theirs})
    (target,) = found.targets
    assert (target.value, target.met) == (0.95, True)
    slower = section({(WHERE, "subscribe()"): samples(80, 80, 99), (WHERE, "hand-written loop"): samples(*[100] * 3)})
    assert not slower.targets[0].met


def test_the_time_is_taken_from_a_tenth_to_the_end() -> None:
    program = (
        "import time\n"
        "from benchmarks.contenders import timed_reading\n"
        "timed_reading.time.sleep = lambda seconds: exit()\n"
        "wait = time.monotonic\n"
        "def values():\n"
        "    for number in range(100):\n"
        # The first tenth is slow, which does not count.
        "        until = wait() + (0.02 if number < 10 else 0.002)\n"
        "        while wait() < until: pass\n"
        "        yield b''\n"
        "timed_reading.time_reading(values(), 100)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    said, fps, cpu_ms = done.stdout.split()
    assert said == "read:"
    assert 50 < float(fps) <= 500
    assert float(cpu_ms) > 0
