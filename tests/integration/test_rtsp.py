"""A camera that speaks RTSP, played by a real server: it is read, lost, and found again; and what it says of time."""

import itertools
import re
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import pytest
from kafka_support import drain, run_cli, start_cli
from producer_support import scene_images
from rtsp_support import has_rtsp_server, rtsp_server, start_rtsp_server
from video_support import grabs_of, numbers, write_with_pyav
from worker_support import identity

from producers.sources.base import Decoder, Grab, SourceOptions
from producers.sources.network import open_stream_here
from producers.sources.pyav_stream import open_pyav_stream
from streams.contract.errors import SourceLost

pytestmark = pytest.mark.skipif(not has_rtsp_server(), reason="no GStreamer RTSP server (Debian: see .ci/run)")


def test_frames_of_an_rtsp_camera(kafka_bootstrap: str, make_topic: Callable[..., str]) -> None:
    topic = make_topic("raw")
    with rtsp_server() as port:
        source = ["produce", f"rtsp://user:hunter2@127.0.0.1:{port}/camera", "--camera", "yard", "--count", "20"]
        done = run_cli([*source, "--topic", topic, "--bootstrap", kafka_bootstrap, "--no-status"])
    assert done.returncode == 0, done.stderr
    assert "hunter2" not in done.stderr
    messages = drain(kafka_bootstrap, topic, count=20)
    assert [identity(message)[2] for message in messages] == list(range(20))
    image = cv2.imdecode(np.frombuffer(messages[-1].value() or b"", np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (240, 320, 3)
    captured = [int(dict(message.headers() or [])["ce_capturedns"]) for message in messages]
    assert captured == sorted(captured)


def test_a_camera_that_is_lost_and_comes_back(kafka_bootstrap: str, make_topic: Callable[..., str]) -> None:
    topic = make_topic("raw")
    with ExitStack() as stack:
        first = stack.enter_context(ExitStack())
        port = first.enter_context(rtsp_server())
        source = ["produce", f"rtsp://127.0.0.1:{port}/camera", "--camera", "yard"]
        camera = stack.enter_context(
            start_cli([*source, "--topic", topic, "--bootstrap", kafka_bootstrap, "--no-status"])
        )
        stack.callback(camera.kill)
        drain(kafka_bootstrap, topic, count=10)
        first.close()
        stack.enter_context(rtsp_server(port))
        messages = drain(kafka_bootstrap, topic, until=lambda ms: len({identity(m)[1] for m in ms}) == 2, timeout_s=60)
        camera.send_signal(signal.SIGTERM)
        _, log = camera.communicate(timeout=60)
    assert camera.returncode == 0, log.decode()
    assert re.search(r"captured \d+, produced \d+, dropped 0", log.decode()), log.decode()
    # The new epoch begins at 0, after the old one.
    names = [identity(message) for message in messages]
    second = [sequence for _, epoch, sequence in names if epoch == names[-1][1]]
    assert names[-1][1] > names[0][1]
    assert second == list(range(len(second)))


@pytest.fixture(scope="module", params=["h264", "reordered", "mjpeg"])
def video(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds of stamped pictures at 15 fps."""
    folder, images = tmp_path_factory.mktemp("video"), scene_images(300)
    if request.param == "mjpeg":
        return write_with_pyav(folder / "mjpeg.avi", images, codec="mjpeg")
    settings = {"bf": "2"} if request.param == "reordered" else {}
    return write_with_pyav(folder / f"{request.param}.mp4", images, settings=settings)


@pytest.mark.parametrize("decoder", ["pyav", "opencv"])
def test_no_picture_of_a_stream_is_missing(video: Path, decoder: Decoder) -> None:
    with rtsp_server(0, str(video)) as port:
        source = open_stream_here(
            f"rtsp://user:hunter2@127.0.0.1:{port}/file", SourceOptions(camera_id="yard", decoder=decoder)
        )
        assert source.live
        assert source.fps == 15
        grabs = grabs_of(source, most=60)
        source.close()
    seen, times = numbers(grabs), [grab.captured_at_ns for grab in grabs]
    # Those before the one that it begins with have been shown before anybody looked.
    assert {number - place for place, number in enumerate(seen)} == {seen[0]}
    assert all(before < after for before, after in itertools.pairwise(times))
    # JPEGs are passed on as they are, which OpenCV does not do.
    untouched = video.suffix == ".avi" and decoder == "pyav"
    assert {isinstance(grab.picture, bytes) for grab in grabs} == {untouched}


def told_by_reports(port: int, *, most: int = 150) -> list[tuple[Grab, int]]:
    """Pictures from the first one on whose time is a second and more ahead, each with this host's time at its grab."""
    source = open_pyav_stream(f"rtsp://127.0.0.1:{port}/file", SourceOptions(camera_id="yard"))
    told: list[tuple[Grab, int]] = []
    for _ in range(most):
        grab, now = source.grab(), time.time_ns()
        assert isinstance(grab, Grab)
        if told or grab.captured_at_ns > now + 0.5e9:
            told.append((grab, now))
        if len(told) == 30:
            break
    source.close()
    return told


def test_times_are_those_of_the_sender_reports(video: Path) -> None:
    with rtsp_server(0, str(video), "1.5") as port:
        told = told_by_reports(port)
    assert len(told) == 30
    # A busy machine makes pictures late, never early. That one of H.264 is whole is known by the next one alone.
    early = 1.5e9 - (0 if video.suffix == ".avi" else 0.9e9 / 15)
    assert 0.8e9 < max(grab.captured_at_ns - now for grab, now in told) < early
    # Neither the network nor a busy machine is in these times: each picture has its own, a fifteenth of a second apart.
    pairs = zip(told, numbers([grab for grab, _ in told]), strict=True)
    begin = [grab.captured_at_ns - number * 1_000_000_000 // 15 for (grab, _), number in pairs]
    assert max(begin) - min(begin) < 1_000_000


def test_a_camera_whose_clock_is_far_off_is_told_of_as_it_is(tmp_path: Path) -> None:
    video = write_with_pyav(tmp_path / "video.mp4", scene_images(150))
    with rtsp_server(0, str(video), "3600") as port:
        told = told_by_reports(port, most=100)
    assert len(told) == 30
    assert all(3598e9 < grab.captured_at_ns - now < 3600e9 for grab, now in told)


def test_a_stream_that_falls_silent_is_lost_after_its_time() -> None:
    process, port = start_rtsp_server()
    try:
        source = open_pyav_stream(f"rtsp://127.0.0.1:{port}/camera", SourceOptions(camera_id="yard", silence_s=1))
        assert source.grab()
        process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(SourceLost, match="no picture for 1 s"):
            grabs_of(source)
        assert time.monotonic() - began < 20
        source.close()
    finally:
        process.kill()
        process.communicate()
