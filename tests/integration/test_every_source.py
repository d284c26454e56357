"""Each kind of source through a real Kafka: what is burnt into its pictures against the numbers of its frames."""

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from camera_servers import WebCameras
from confluent_kafka import Message
from footage import box_video
from kafka_support import cli_environ, drain, run_cli
from producer_support import frames_of, scene_images, write_images, write_video
from rtsp_support import has_rtsp_server, rtsp_server

from producers.stamp import read_stamp
from streams.contract.frame import Frame
from streams.contract.images import decode, encode

MakeTopic = Callable[..., str]
COUNT = 60
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg (Debian: see .ci/run)")
needs_rtsp = pytest.mark.skipif(not has_rtsp_server(), reason="no GStreamer RTSP server (Debian: see .ci/run)")


@pytest.fixture
def web() -> Iterator[WebCameras]:
    with WebCameras() as web:
        yield web


def h264(folder: Path, *, count: int = COUNT) -> Path:
    """A real H.264 file with B-frames, of stamped pictures."""
    plain = write_video(folder / "plain.avi", scene_images(count), codec="MJPG")
    made = folder / "h264.mp4"
    encoder = ["-c:v", "libx264", "-crf", "18", "-bf", "2", "-g", "15", "-pix_fmt", "yuv420p"]
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(plain), *encoder, str(made)], check=True)
    return made


def burnt_in(frames: Sequence[Frame]) -> list[int]:
    stamps = [read_stamp(decode(frame.data)) for frame in frames]
    assert all(stamps), [frame.name for frame, stamp in zip(frames, stamps, strict=True) if stamp is None]
    return [stamp.sequence for stamp in stamps if stamp]


def check(messages: Sequence[Message], *, count: int = COUNT, step: int = 1) -> list[Frame]:
    """So many frames, numbered from 0 in one epoch, which show numbers that go on by a step; times that grow."""
    frames = frames_of(messages)
    assert len({frame.epoch for frame in frames}) == 1
    assert [frame.sequence for frame in frames] == list(range(count))
    numbers = burnt_in(frames)
    assert numbers == list(range(numbers[0], numbers[0] + count * step, step))
    times = [frame.captured_at_ns for frame in frames]
    assert times == sorted(set(times))
    return frames


def produce(bootstrap: str, topic: str, *arguments: str) -> list[Message]:
    """Run `framelane produce` to its end; what it has put into the topic."""
    where = ["--camera", "c", "--topic", topic, "--bootstrap", bootstrap, "--no-status"]
    done = run_cli(["produce", *arguments, *where])
    assert done.returncode == 0, done.stderr
    return drain(bootstrap, topic)


def test_synthetic(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    messages = produce(kafka_bootstrap, make_topic(), "synthetic:?size=320x240", "--fast", "--count", str(COUNT))
    assert burnt_in(check(messages)) == list(range(COUNT))


@needs_ffmpeg
@pytest.mark.parametrize("decoder", ["pyav", "opencv"])
def test_a_file_of_h264(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path, decoder: str) -> None:
    video = str(h264(tmp_path))
    frames = check(produce(kafka_bootstrap, make_topic(), video, "--fast", "--decoder", decoder))
    assert burnt_in(frames) == list(range(COUNT))
    media = [frame.media_time_ns or 0 for frame in frames]
    assert media == pytest.approx([number * 1e9 / 15 for number in range(COUNT)], abs=1_000_000)


def test_real_footage_is_the_same_by_both_decoders(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    video = tmp_path / "box.mp4"
    video.write_bytes(box_video())
    found = []
    for decoder in ("pyav", "opencv"):
        frames = frames_of(produce(kafka_bootstrap, make_topic(), str(video), "--fast", "--decoder", decoder))
        assert [frame.sequence for frame in frames] == list(range(455))
        assert {(frame.width, frame.height) for frame in frames} == {(640, 480)}
        found.append([(frame.data, frame.media_time_ns or 0) for frame in frames])
    by_pyav, by_opencv = found
    assert [data for data, _ in by_pyav] == [data for data, _ in by_opencv]
    times = [time for _, time in by_pyav]
    assert times == sorted(set(times))
    assert times == pytest.approx([time for _, time in by_opencv], abs=1_000_000)


def test_a_file_that_is_thinned_out(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    video = str(write_video(tmp_path / "video.mp4", scene_images(COUNT)))
    messages = produce(kafka_bootstrap, make_topic(), video, "--fast", "--max-fps", "5")
    assert len(messages) == COUNT // 3
    numbers = burnt_in(frames_of(messages))
    assert {after - before for before, after in pairwise(numbers[1:])} == {3}


def test_a_folder(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    written = write_images(tmp_path / "images", COUNT)
    messages = produce(kafka_bootstrap, make_topic(), str(tmp_path / "images"), "--fast")
    assert burnt_in(check(messages)) == list(range(COUNT))
    assert [message.value() for message in messages] == written


def test_a_folder_that_is_watched(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    topic, folder = make_topic(), tmp_path / "images"
    pictures = [encode(image) for image in scene_images(10)]
    folder.mkdir()
    for number in range(5):
        (folder / f"frame{number}.jpg").write_bytes(pictures[number])
    where = ["--camera", "c", "--topic", topic, "--bootstrap", kafka_bootstrap, "--no-status", "--watch"]
    command = [sys.executable, "-m", "framelane", "produce", str(folder), *where]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=cli_environ()) as process:
        try:
            drain(kafka_bootstrap, topic, count=5)
            # As a camera writes it: bit by bit; and as others do, by moving it in.
            with (folder / "frame5.jpg").open("wb") as slow:
                slow.write(pictures[5][:1000])
                slow.flush()
                (tmp_path / "next").write_bytes(pictures[6])
                (tmp_path / "next").rename(folder / "frame6.jpg")
                drain(kafka_bootstrap, topic, count=6)
                slow.write(pictures[5][1000:])
            drain(kafka_bootstrap, topic, count=7)
            for number in range(7, 10):
                (tmp_path / "next").write_bytes(pictures[number])
                (tmp_path / "next").rename(folder / f"frame{number}.jpg")
                drain(kafka_bootstrap, topic, count=number + 1)
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=60)
        finally:
            process.kill()
    assert b"captured 10, produced 10, dropped 0" in log
    messages = drain(kafka_bootstrap, topic)
    order = [*range(5), 6, 5, *range(7, 10)]
    assert [message.value() for message in messages] == [pictures[number] for number in order]
    assert [frame.sequence for frame in frames_of(messages)] == list(range(10))


def test_mjpeg(kafka_bootstrap: str, make_topic: MakeTopic, web: WebCameras) -> None:
    address = web.address("good/c?fps=50")
    frames = check(produce(kafka_bootstrap, make_topic(), address, "--count", str(COUNT)))
    assert {frame.content_type for frame in frames} == {"image/jpeg"}


@pytest.mark.parametrize("decoder", ["pyav", "opencv"])
def test_mjpeg_that_is_decoded(kafka_bootstrap: str, make_topic: MakeTopic, web: WebCameras, decoder: str) -> None:
    address = web.address("good/c?fps=50")
    check(produce(kafka_bootstrap, make_topic(), address, "--count", str(COUNT), "--decoder", decoder))


def test_snapshots(kafka_bootstrap: str, make_topic: MakeTopic, web: WebCameras) -> None:
    messages = produce(kafka_bootstrap, make_topic(), web.address("snapshot/c"), "--fps", "20", "--count", "20")
    check(messages, count=20)


@needs_rtsp
@needs_ffmpeg
@pytest.mark.parametrize("decoder", ["pyav", "opencv"])
def test_rtsp(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path, decoder: str) -> None:
    with rtsp_server(0, str(h264(tmp_path, count=150))) as port:
        address = f"rtsp://127.0.0.1:{port}/file"
        check(produce(kafka_bootstrap, make_topic(), address, "--count", str(COUNT), "--decoder", decoder))


@needs_ffmpeg
def test_ffmpeg_into_standard_input(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    topic = make_topic()
    convert = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        str(h264(tmp_path)),
        "-f",
        "image2pipe",
        "-c:v",
        "mjpeg",
        "-q:v",
        "3",
        "-",
    ]
    where = ["--camera", "c", "--topic", topic, "--bootstrap", kafka_bootstrap, "--no-status"]
    with subprocess.Popen(convert, stdout=subprocess.PIPE) as ffmpeg:
        done = subprocess.run(
            [sys.executable, "-m", "framelane", "produce", "stdin:", *where],
            stdin=ffmpeg.stdout,
            env=cli_environ(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert burnt_in(check(drain(kafka_bootstrap, topic))) == list(range(COUNT))


@pytest.mark.skipif(not list(Path("/dev").glob("video*")), reason="no camera at this machine")
def test_a_webcam(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    messages = produce(kafka_bootstrap, make_topic(), "device:0", "--count", "10")
    assert [frame.sequence for frame in frames_of(messages)] == list(range(10))


def test_only_motion(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    """An empty scene, then something that moves, then nothing again."""
    still = scene_images(1)[0]
    images = [still] * 40 + list(scene_images(15)) + [still] * 60
    video = str(write_video(tmp_path / "video.avi", images, codec="MJPG"))
    messages = produce(kafka_bootstrap, make_topic(), video, "--fast", "--only-motion", "--keep-alive", "1s")
    frames = frames_of(messages)
    # What is left out has no number.
    assert [frame.sequence for frame in frames] == list(range(len(frames)))
    published = {round((frame.media_time_ns or 0) * 15 / 1e9) for frame in frames}
    assert set(range(41, 55)) <= published
    # The keep-alive frames of the empty scene, one a second.
    assert sorted(number for number in published if number < 40) == [0, 15, 30]


def test_stopping_ends_what_waits(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    """Ctrl-C while nothing comes, for each kind that waits."""
    (tmp_path / "empty").mkdir()
    where = ["--camera", "c", "--topic", make_topic(), "--bootstrap", kafka_bootstrap, "--no-status"]
    command = [sys.executable, "-m", "framelane", "produce", str(tmp_path / "empty"), "--watch", *where]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=cli_environ()) as process:
        timer = threading.Timer(60, process.kill)
        timer.start()
        assert process.stderr is not None
        for line in process.stderr:
            if b"is open" in line:
                process.send_signal(signal.SIGINT)
                break
        code = process.wait(60)
        timer.cancel()
    assert code == 130
