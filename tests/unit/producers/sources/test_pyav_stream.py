"""What the reader of PyAV does beyond that of OpenCV (test_network.py); RTSP is in tests/integration/test_rtsp.py."""

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from producer_support import ManualClock, mjpeg_camera, scene_images, serving_with, web_folder
from video_support import grabs_of, numbers, write_with_pyav

from producers.sources.base import SourceOptions
from producers.sources.pyav_stream import open_pyav_stream
from streams.contract.errors import SourceError, SourceLost
from streams.contract.images import encode

Handler = http.server.BaseHTTPRequestHandler
CANARY = "s3cret-canary"


@contextmanager
def answering(answer: Callable[[Handler], None], *, status: int = 200, kind: str = "video/mp2t") -> Iterator[str]:
    """A server that answers each GET like that; its address without http://."""

    class Handles(Handler):
        def do_GET(self) -> None:
            with suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.end_headers()
                answer(self)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with serving_with(Handles) as address:
        yield address.removeprefix("http://")


def options(**more: Any) -> SourceOptions:
    return SourceOptions(camera_id="a", **more)


def test_jpegs_pass_byte_for_byte_with_the_host_s_times() -> None:
    pictures = [encode(image) for image in scene_images(12)]
    with mjpeg_camera(pictures) as address:
        source = open_pyav_stream(address, options(clock=ManualClock(77)))
        assert (source.codec, source.decoder, source.damaged) == ("mjpeg", f"PyAV {av.__version__}", 0)
        grabs = []
        with pytest.raises(SourceLost, match="the stream broke off"):
            while grab := source.grab():
                grabs.append(grab)
        source.close()
        source.close()
    assert [grab.picture for grab in grabs] == pictures
    assert [grab.captured_at_ns for grab in grabs] == [77 + index for index in range(12)]
    assert {grab.media_time_ns for grab in grabs} == {None}


def test_a_video_of_known_length_has_positions_and_may_loop(tmp_path: Path) -> None:
    write_with_pyav(tmp_path / "video.mp4", scene_images(8), fps=10)
    with web_folder(tmp_path) as address:
        source = open_pyav_stream(f"{address}/video.mp4", options(loop=True, clock=ManualClock(77)))
        assert not source.live
        grabs = grabs_of(source, most=20)
        source.close()
    assert numbers(grabs) == [*range(8), *range(8), *range(4)]
    assert [grab.media_time_ns for grab in grabs] == [number * 100_000_000 for number in numbers(grabs)]
    assert {grab.captured_at_ns for grab in grabs} == {77}


VIDEOS = pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "libx264"), (".avi", "mjpeg")])


@VIDEOS
def test_a_video_of_whose_bytes_nobody_tells_the_number_ends(suffix: str, codec: str, tmp_path: Path) -> None:
    data = write_with_pyav(tmp_path / f"video{suffix}", scene_images(20), codec=codec).read_bytes()
    with answering(lambda handler: (handler.wfile.write(data), None)[1]) as address:
        source = open_pyav_stream(f"http://{address}/video{suffix}", options())
        assert not source.live
        assert numbers(grabs_of(source)) == [*range(20)]
        source.close()


@VIDEOS
def test_a_video_that_breaks_off_on_its_way_is_lost(suffix: str, codec: str, tmp_path: Path) -> None:
    data = write_with_pyav(tmp_path / f"video{suffix}", scene_images(60), codec=codec).read_bytes()
    with answering(lambda handler: (handler.wfile.write(data[: len(data) // 2]), None)[1]) as address:
        source = open_pyav_stream(f"http://{address}/video{suffix}", options())
        assert not source.live
        with pytest.raises(SourceLost, match="the stream broke off"):
            grabs_of(source)
        source.close()


def transport_stream(path: Path, *, video_s: int, sound_s: int) -> bytes:
    """MPEG-TS whose pictures end before its sound."""
    with av.open(str(path), "w", format="mpegts") as out:
        video = out.add_stream("libx264", rate=15, options={"threads": "1", "preset": "ultrafast", "g": "15"})
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        sound = out.add_stream("mp2", rate=32_000, layout="mono")
        images = scene_images(15 * video_s)
        for second in range(sound_s):
            for number, image in enumerate(images[15 * second : 15 * (second + 1)], 15 * second):
                frame = VideoFrame.from_ndarray(image, format="bgr24")
                frame.pts, frame.time_base = number, Fraction(1, 15)
                out.mux(video.encode(frame))
            samples = AudioFrame.from_ndarray(np.zeros((1, 32_000), np.int16), format="s16", layout="mono")
            samples.sample_rate, samples.pts = 32_000, second * 32_000
            out.mux(sound.encode(samples))
        out.mux(video.encode())
        out.mux(sound.encode())
    return path.read_bytes()


def test_a_camera_whose_sound_goes_on_without_its_picture_is_lost_after_its_time(tmp_path: Path) -> None:
    data = transport_stream(tmp_path / "stream.ts", video_s=8, sound_s=120)
    whole, ended = len(data) // 2, threading.Event()

    def answer(handler: Handler) -> None:
        handler.wfile.write(data[:whole])
        for at in range(whole, len(data), 188):
            handler.wfile.write(data[at : at + 188])
            if ended.wait(0.02):
                break

    with answering(answer) as address:
        source = open_pyav_stream(f"http://{address}/", options(silence_s=0.5))
        assert source.live
        began = time.monotonic()
        with pytest.raises(SourceLost, match=r"no picture for 0\.5 s"):
            grabs_of(source)
        assert time.monotonic() - began < 15
        source.close()
        ended.set()


@pytest.mark.parametrize(
    ("status", "says"), [(401, "does not let this user in"), (404, "nothing is there"), (503, "gives up")]
)
def test_what_cannot_be_opened_is_said_without_the_password(status: int, says: str) -> None:
    with answering(lambda handler: None, status=status) as address:
        with pytest.raises(SourceError, match=says) as caught:
            open_pyav_stream(f"http://admin:{CANARY}@{address}/?pwd={CANARY}", options())
        error: BaseException | None = caught.value
        while error is not None:
            assert CANARY not in str(error)
            error = error.__cause__
