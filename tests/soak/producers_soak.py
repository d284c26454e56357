"""A soak of the producers: python producers_soak.py [--minutes 10] [--away 2] [--json FILE].

Sixteen cameras of all kinds in one process, from real servers into a real Kafka; the server of one of them is stopped
and started again and again, one hangs from the first on, and in the midst the broker is away. Looked at from outside:
memory, file descriptors and threads of the process and of its readers. One table at the end; exit code 1 where a figure
is not met.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil
from camera_servers import WebCameras
from kafka_support import cli_environ, count_of, create_topic
from producer_support import scene_images, write_images, write_video
from rtsp_support import has_rtsp_server, rtsp_server

from framelane.embedded import EmbeddedKafka

SAMPLE_S = 5.0
# Before the broker goes, and after it is back, until what has been kept is delivered.
START_S, SETTLING_S = 30.0, 60.0
MAX_GROWTH_MB = 20.0
TOPIC = "frames.raw"


@dataclass(frozen=True, slots=True)
class Sample:
    """at_s: since the start. own_mb, readers_mb: resident. readers: processes. away: whether the broker is."""

    at_s: float
    own_mb: float
    readers_mb: float
    descriptors: int
    threads: int
    readers: int
    away: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A figure and its limit; "" where there is none."""

    name: str
    value: str
    limit: str
    met: bool


def main() -> int:
    """Run it, and print what was found."""
    parser = argparse.ArgumentParser(description="A soak of the producers.")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the cameras run")
    parser.add_argument("--away", type=float, default=2.0, help="for how many of these the broker is away")
    parser.add_argument("--buffer-mb", type=float, default=2.0, help="of each camera")
    parser.add_argument("--json", type=Path, help="where samples and figures go")
    asked = parser.parse_args()
    needed = (START_S + SETTLING_S) / 60 + asked.away + 1
    if asked.minutes < needed:
        parser.error(f"--minutes {asked.minutes:g}: with --away {asked.away:g} at least {needed:g} are needed")
    with tempfile.TemporaryDirectory(prefix="framelane-soak-") as folder:
        samples, figures = _soak(asked, Path(folder))
    print(f"\n{'figure':<44}{'found':>34}  limit")
    for figure in figures:
        print(f"{figure.name:<44}{figure.value:>34}  {figure.limit}{'' if figure.met else '  NOT MET'}")
    if asked.json:
        found = {"samples": [asdict(each) for each in samples], "figures": [asdict(each) for each in figures]}
        asked.json.write_text(json.dumps(found, indent=1))
    return 0 if all(figure.met for figure in figures) else 1


def _soak(asked: argparse.Namespace, folder: Path) -> tuple[list[Sample], list[Found]]:
    length_s, away_s = asked.minutes * 60, asked.away * 60
    with EmbeddedKafka() as kafka, WebCameras() as web, WebCameras() as flaky:
        create_topic(kafka.bootstrap, TOPIC, partitions=8, config={"retention.bytes": str(2**31)})
        cameras = folder / "cameras.toml"
        rtsp = rtsp_server() if has_rtsp_server() else None
        try:
            address = rtsp.__enter__() if rtsp else None
            cameras.write_text(_cameras(folder, web.port, flaky.port, address, asked.buffer_mb))
            log = folder / "producer.log"
            samples: list[Sample] = []
            with log.open("wb") as out:
                command = [sys.executable, "-m", "framelane", "produce", "--cameras", str(cameras)]
                command += ["--bootstrap", kafka.bootstrap, "--metrics-port", "0"]
                producer = subprocess.Popen(command, stdout=out, stderr=out, env=cli_environ())
                try:
                    started = time.monotonic()
                    # Early: what is flat has to be so after that, too.
                    away_from = START_S
                    is_away, flips = False, 0
                    while (at := time.monotonic() - started) < length_s:
                        away = away_from <= at < away_from + away_s
                        if away != is_away:
                            kafka.nodes[0].kill() if away else kafka.nodes[0].start()
                            is_away = away
                            print(f"{at:5.0f} s: the broker is {'away' if away else 'back'}", flush=True)
                        if int(at / 30) > flips:
                            flips = int(at / 30)
                            flaky.stop()
                            flaky.start()
                        samples.append(_sample(producer.pid, at, away=away))
                        print(_line(samples[-1]), flush=True)
                        time.sleep(SAMPLE_S)
                    producer.send_signal(signal.SIGTERM)
                    code = producer.wait(60)
                finally:
                    producer.kill()
                    producer.wait()
            text = log.read_text()
            delivered = count_of(kafka.bootstrap, TOPIC)
        finally:
            if rtsp:
                rtsp.__exit__(None, None, None)
    sums = [line for line in text.splitlines() if ": captured " in line]
    print("\n".join(["", *sums]))
    return samples, _figures(samples, sums, delivered, code)


def _cameras(folder: Path, web: int, flaky: int, rtsp: int | None, buffer_mb: float) -> str:
    """Sixteen: eight MJPEG, two snapshots, two or no RTSP, a video, a folder, synthetic ones."""
    video = write_video(folder / "video.mp4", scene_images(150, size=(640, 480)))
    write_images(folder / "images", 20)
    sources = [f"http://127.0.0.1:{web}/good/m{index}?fps=15" for index in range(6)]
    sources += [f"http://127.0.0.1:{flaky}/good/flaky?fps=15", f"http://127.0.0.1:{web}/good/hangs?fps=15&hang=100"]
    sources += [f"http://127.0.0.1:{web}/snapshot/s{index}" for index in range(2)]
    sources += [f"rtsp://127.0.0.1:{rtsp}/camera"] * 2 if rtsp else [str(video)] * 2
    sources += [str(video), str(folder / "images"), "synthetic:?size=640x480&fps=10", "synthetic:?size=640x480&fps=10"]
    tables = [
        f'[[camera]]\nid = "camera-{index:02}"\nsource = "{source}"\nloop = true\n'
        for index, source in enumerate(sources)
    ]
    # Files, too, must not wait for the broker: their readers' buffers are looked at.
    return f'[defaults]\npolicy = "drop_oldest"\nbuffer_mb = {buffer_mb}\nsilence_s = 5\n' + "".join(tables)


def _sample(pid: int, at_s: float, *, away: bool) -> Sample:
    own = psutil.Process(pid)
    readers = own.children(recursive=True)
    mb = 1024 * 1024
    resident = 0.0
    for reader in readers:
        try:
            resident += reader.memory_info().rss / mb
        except psutil.Error:
            # It has just been closed.
            continue
    return Sample(at_s, own.memory_info().rss / mb, resident, own.num_fds(), own.num_threads(), len(readers), away)


def _line(sample: Sample) -> str:
    return (
        f"{sample.at_s:5.0f} s  own {sample.own_mb:6.1f} MiB  {sample.readers} readers {sample.readers_mb:6.1f} MiB  "
        f"descriptors {sample.descriptors}  threads {sample.threads}"
    )


def _figures(samples: Sequence[Sample], sums: Sequence[str], delivered: int, code: int) -> list[Found]:
    settled_from = max((sample.at_s for sample in samples if sample.away), default=0.0) + SETTLING_S
    settled = [sample for sample in samples if sample.at_s >= settled_from]
    away = [sample for sample in samples if sample.away]
    own = [sample.own_mb for sample in settled]
    slope = float(np.polyfit([sample.at_s / 3600 for sample in settled], own, 1)[0])
    produced = sum(int(line.partition("produced ")[2].split(",")[0]) for line in sums)
    descriptors = [sample.descriptors for sample in settled]
    threads = [sample.threads for sample in settled]
    quarter = max(1, len(settled) // 4)
    growth = float(np.median(own[-quarter:]) - np.median(own[:quarter]))
    found = [
        Found("exit code after SIGTERM", str(code), "0", code == 0),
        Found("cameras with sums", str(len(sums)), "16", len(sums) == 16),
        Found("delivered, by the sums / in the topic", f"{produced} / {delivered}", "equal", produced == delivered),
        Found(
            "resident, last against first quarter",
            f"{growth:+.1f} MiB of {own[-1]:.0f}",
            f"< {MAX_GROWTH_MB:g} MiB",
            growth < MAX_GROWTH_MB,
        ),
        Found("resident, slope", f"{slope:+.1f} MiB/h", "", True),
        Found("readers, resident each", f"{_each(settled):.0f} MiB", "", True),
        Found(
            "descriptors, least to most",
            f"{min(descriptors)} to {max(descriptors)}",
            "within 16",
            max(descriptors) - min(descriptors) <= 16,
        ),
        Found(
            "threads, least to most", f"{min(threads)} to {max(threads)}", "within 8", max(threads) - min(threads) <= 8
        ),
    ]
    if away:
        # By then every buffer is full that can be.
        filled = [sample.own_mb for sample in away[len(away) // 2 :]]
        grown = max(filled) - min(filled)
        found.append(
            Found(
                "resident while the broker is away, second half",
                f"{min(filled):.0f} to {max(filled):.0f} MiB",
                f"within {MAX_GROWTH_MB:g} MiB",
                grown <= MAX_GROWTH_MB,
            )
        )
    return found


def _each(samples: Sequence[Sample]) -> float:
    return float(np.median([sample.readers_mb / sample.readers for sample in samples if sample.readers] or [0.0]))


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())
