"""How fast a subscriber reads, taken by itself: a whole topic is through before anybody else could look twice."""

import resource
import time
from collections.abc import Iterable

# The window leaves out the start: connecting, joining, the first fetches.
_FROM = 0.1
SAID = "read: "


def time_reading(values: Iterable[bytes], frames: int) -> None:
    """Read so many values, say the frames/s and the CPU ms a frame of the window, and wait to be ended."""
    first = round(_FROM * frames)
    started = cpu = 0.0
    for number, _ in enumerate(values, start=1):
        if number == first:
            started, cpu = time.perf_counter(), _cpu_s()
        if number == frames:
            break
    took_s, cpu_s = time.perf_counter() - started, _cpu_s() - cpu
    print(f"{SAID}{(frames - first) / took_s} {1000 * cpu_s / (frames - first)}", flush=True)  # noqa: T201
    while True:
        time.sleep(60)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
