"""The broker is away for a minute: what is kept is bounded, drops are counted, and delivery goes on by itself."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from camera_servers import WebCameras
from kafka_support import cli_environ, create_topic, drain
from producer_support import frames_of, scene_images, write_video

from framelane.embedded import EmbeddedKafka
from producers.stamp import read_stamp
from streams.contract.images import decode

AWAY_S = 60.0
TOPIC = "frames.raw"
FILE_FRAMES = 900


@pytest.fixture
def kafka() -> Iterator[EmbeddedKafka]:
    """A broker of its own, to be stopped."""
    with EmbeddedKafka() as kafka:
        create_topic(kafka.bootstrap, TOPIC, partitions=2, config={})
        yield kafka


def test_a_minute_without_the_broker(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    log, file = tmp_path / "log", tmp_path / "cameras.toml"
    write_video(tmp_path / "film.mp4", scene_images(FILE_FRAMES), fps=10)
    with WebCameras() as web:
        file.write_text(
            f'[defaults]\nbuffer_mb = 1\n[[camera]]\nid = "live"\nsource = "{web.address("good/live?fps=30")}"\n'
            '[[camera]]\nid = "film"\nsource = "film.mp4"\n'
        )
        command = [sys.executable, "-m", "framelane", "produce", "--cameras", str(file), "--metrics-port", "0"]
        command += ["--bootstrap", kafka.bootstrap, "--no-status"]
        with log.open("wb") as out, subprocess.Popen(command, stderr=out, env=cli_environ()) as process:
            try:
                drain(kafka.bootstrap, TOPIC, count=50, timeout_s=60)
                kafka.nodes[0].stop()
                stopped_ns = time.time_ns()
                resident = watch(process, AWAY_S)
                kafka.nodes[0].start()
                back_ns = time.time_ns()
                drain(
                    kafka.bootstrap,
                    TOPIC,
                    until=lambda ms: any(f.captured_at_ns > back_ns + 5 * 10**9 for f in frames_of(ms[-50:])),
                    timeout_s=90,
                )
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0, log.read_text()
            finally:
                process.kill()
    sums = {
        name: (int(captured), int(produced), dropped)
        for name, captured, produced, dropped in re.findall(
            r"^(\S+): captured (\d+), produced (\d+), dropped (.*) in", log.read_text(), re.MULTILINE
        )
    }
    frames = frames_of(drain(kafka.bootstrap, TOPIC))
    live = [frame for frame in frames if frame.camera_id == "live"]
    film = [frame for frame in frames if frame.camera_id == "film"]
    # The live camera has lost the oldest, each of them counted, and none twice.
    captured, produced, dropped = sums["live"]
    [lost] = re.findall(r"^(\d+) \(buffer_full \1\)$", dropped)
    assert (captured, produced) == (len(live) + int(lost), len(live))
    sequences = [frame.sequence for frame in live]
    assert sequences == sorted(set(sequences))
    assert sequences[-1] + 1 - len(sequences) == int(lost)
    offset = stamp_of(live[0].data)
    assert all(stamp_of(frame.data) == frame.sequence + offset for frame in live)
    kept = [len(frame.data) for frame in live if stopped_ns < frame.captured_at_ns < back_ns]
    assert 0.5 * 2**20 < sum(kept) <= 1.1 * 2**20
    # The file has waited, and lost nothing.
    captured, produced, dropped = sums["film"]
    assert (produced, dropped) == (captured, "0")
    assert [frame.sequence for frame in film] == list(range(captured))
    assert [stamp_of(frame.data) for frame in film] == list(range(captured))
    # Once the buffers were full nothing grew.
    assert max(resident[len(resident) // 2 :]) - min(resident[len(resident) // 2 :]) < 8 * 2**20


def stamp_of(data: bytes) -> int:
    stamp = read_stamp(decode(data))
    assert stamp is not None
    return stamp.sequence


def watch(process: "subprocess.Popen[bytes]", seconds: float) -> list[int]:
    """The process' resident memory, in bytes, once a second for so long."""
    own = psutil.Process(process.pid)
    found = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found.append(own.memory_info().rss)
        time.sleep(1.0)
    return found
