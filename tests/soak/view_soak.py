"""A soak of the live view: python view_soak.py [--minutes 10] [--json FILE].

Twenty WebSocket clients watch sixteen cameras at five frames a second, on a real Kafka; some do not acknowledge for a
while, some leave and come again. Looked at from outside: memory, file descriptors and threads of the server. One table
at the end; exit code 1 where a figure is not met.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import psutil
from kafka_support import create_topic
from view_support import View
from watch_support import Cameras, watcher
from websockets.exceptions import ConnectionClosed
from worker_support import PICTURE, Topics

from framelane.embedded import EmbeddedKafka

CLIENTS, CAMERAS, FPS = 20, 16, 5.0
SIZE = (1280, 720)
SAMPLE_S, WARM_UP_S = 10.0, 30.0
# Every fifth client reads nothing for a while; every seventh leaves and comes again.
PAUSE_S, STAY_S = 8.0, 20.0
MAX_GROWTH_MB = 20.0


@dataclass(frozen=True, slots=True)
class Sample:
    """at_s: since the start. mb: resident. frames: received by all clients so far."""

    at_s: float
    mb: float
    descriptors: int
    threads: int
    frames: int


class Count:
    """Frames that all clients have received, and connections that the server ended."""

    def __init__(self) -> None:
        self.frames = self.closed = 0


def main() -> int:
    """Run it, and print what was found."""
    parser = argparse.ArgumentParser(description="A soak of the live view.")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the clients watch")
    parser.add_argument("--json", type=Path, help="where samples go")
    asked = parser.parse_args()
    if asked.minutes < 1.5:
        parser.error(f"--minutes {asked.minutes:g}: at least 1.5 are needed")
    names = [f"camera-{number:02}" for number in range(CAMERAS)]
    topics = Topics("frames.raw", "frames.processed", "frames.events", "frames.dead-letter")
    picture = cv2.imencode(".jpg", cv2.resize(PICTURE, SIZE))[1].tobytes()
    with tempfile.TemporaryDirectory(prefix="framelane-soak-") as folder, EmbeddedKafka() as kafka:
        for topic in (topics.raw, topics.processed, topics.events, topics.dead_letter, "frames.status"):
            create_topic(kafka.bootstrap, topic, partitions=4, config={"retention.bytes": str(2**28)})
        with (
            Cameras(kafka.bootstrap, [topics.processed], names, fps=FPS, data=picture, size=SIZE),
            View(kafka.bootstrap, topics, Path(folder)) as view,
        ):
            samples, count = asyncio.run(_watch(view, names, asked.minutes * 60))
    if asked.json:
        asked.json.write_text(json.dumps([asdict(each) for each in samples], indent=1))
    return 0 if _tell(samples, count) else 1


async def _watch(view: View, names: Sequence[str], length_s: float) -> tuple[list[Sample], Count]:
    count, samples = Count(), list[Sample]()
    clients = [asyncio.create_task(_client(view.address, number, names, count)) for number in range(CLIENTS)]
    process, started = psutil.Process(view.process.pid), time.monotonic()
    while (at_s := time.monotonic() - started) < length_s:
        await asyncio.sleep(SAMPLE_S)
        mb = process.memory_info().rss / 2**20
        samples.append(Sample(at_s + SAMPLE_S, mb, process.num_fds(), process.num_threads(), count.frames))
        print(
            f"{samples[-1].at_s:5.0f} s  {mb:6.1f} MiB  descriptors {samples[-1].descriptors}  "
            f"threads {samples[-1].threads}  frames {count.frames}",
            flush=True,
        )
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    return samples, count


async def _client(address: str, number: int, names: Sequence[str], count: Count) -> None:
    while True:
        try:
            async with watcher(address) as client:
                # Two sizes, so that pictures are scaled, and shared.
                await client.watch(names, width=320 if number % 2 else 640)
                until = time.monotonic() + STAY_S if number % 7 == 0 else float("inf")
                pause_at = time.monotonic() + PAUSE_S
                while time.monotonic() < until:
                    await client.frame()
                    client.texts.clear()
                    count.frames += 1
                    if number % 5 == 0 and time.monotonic() > pause_at:
                        await asyncio.sleep(PAUSE_S)
                        pause_at = time.monotonic() + PAUSE_S
        except (ConnectionClosed, OSError):
            count.closed += 1
            await asyncio.sleep(1.0)


def _tell(samples: Sequence[Sample], count: Count) -> bool:
    settled = [sample for sample in samples if sample.at_s >= WARM_UP_S]
    resident = [sample.mb for sample in settled]
    quarter = max(1, len(settled) // 4)
    growth = float(np.median(resident[-quarter:]) - np.median(resident[:quarter]))
    slope = float(np.polyfit([sample.at_s / 3600 for sample in settled], resident, 1)[0])
    descriptors = [sample.descriptors for sample in settled]
    took_s = samples[-1].at_s - samples[0].at_s
    per_s = (samples[-1].frames - samples[0].frames) / took_s
    figures = [
        ("resident, last against first quarter", f"{growth:+.1f} MiB of {resident[-1]:.0f}", growth < MAX_GROWTH_MB),
        ("resident, slope", f"{slope:+.1f} MiB/h", True),
        ("descriptors, least to most", f"{min(descriptors)} to {max(descriptors)}", max(descriptors) < 200),
        ("connections that the server ended", str(count.closed), count.closed == 0),
        ("frames to all clients", f"{per_s:.0f}/s", count.frames > 0),
    ]
    print()
    for name, value, met in figures:
        print(f"{name:<44}{value:>28}{'' if met else '  NOT MET'}")
    return all(met for _, _, met in figures)


if __name__ == "__main__":
    sys.exit(main())
