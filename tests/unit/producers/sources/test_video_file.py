"""What both readers of video files promise, the one of OpenCV and that of PyAV."""

import logging
from fractions import Fraction
from pathlib import Path

import pytest
from producer_support import ManualClock, leave_out_frames, scene_images, write_video
from video_support import grabs_of, numbers, write_sound, write_with_pyav

from producers.sources.base import Decoder, Source, SourceOptions
from producers.sources.video_file import open_video_here
from streams.contract.errors import SourceError, SourceLost


@pytest.fixture(params=["pyav", "opencv"])
def decoder(request: pytest.FixtureRequest) -> Decoder:
    return "pyav" if request.param == "pyav" else "opencv"


def opened(path: Path, decoder: Decoder, *, loop: bool = False) -> Source:
    return open_video_here(path, SourceOptions(camera_id="a", decoder=decoder, loop=loop, clock=ManualClock(77)))


@pytest.mark.parametrize(("codec", "suffix"), [("mp4v", ".mp4"), ("MJPG", ".avi"), ("FFV1", ".avi")])
def test_every_frame_comes_out_once_in_order_with_its_time(
    codec: str, suffix: str, decoder: Decoder, tmp_path: Path
) -> None:
    path = write_video(tmp_path / f"video{suffix}", scene_images(40), fps=25, codec=codec)
    source = opened(path, decoder)
    assert (source.fps, source.live, source.name) == (25, False, str(path))
    grabs = grabs_of(source)
    assert numbers(grabs) == list(range(40))
    assert [grab.media_time_ns for grab in grabs] == pytest.approx([index * 40_000_000 for index in range(40)])
    assert {grab.captured_at_ns for grab in grabs} == {77}
    assert source.grab() is None


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_frames_that_are_stored_out_of_order_come_in_order(suffix: str, decoder: Decoder, tmp_path: Path) -> None:
    settings = {"bf": "3", "preset": "medium"}
    path = write_with_pyav(tmp_path / f"video{suffix}", scene_images(40), settings=settings, fps=Fraction(25))
    grabs = grabs_of(opened(path, decoder))
    assert numbers(grabs) == list(range(40))
    times = [grab.media_time_ns for grab in grabs]
    assert times == pytest.approx([index * 40_000_000 for index in range(40)], abs=1_000_000)


def test_a_video_shorter_than_what_is_read_ahead(decoder: Decoder, tmp_path: Path) -> None:
    path = write_video(tmp_path / "short.mp4", scene_images(2))
    assert numbers(grabs_of(opened(path, decoder))) == [0, 1]


def test_a_loop_begins_again_with_its_times(decoder: Decoder, tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.mp4", scene_images(6), fps=10)
    source = opened(path, decoder, loop=True)
    grabs = grabs_of(source, most=15)
    source.close()
    assert numbers(grabs) == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2]
    times = [round((grab.media_time_ns or 0) / 1e8) for grab in grabs]
    assert times == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2]


def test_a_loop_whose_file_is_gone_is_lost(decoder: Decoder, tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.mp4", scene_images(3))
    source = opened(path, decoder, loop=True)
    path.unlink()
    with pytest.raises(SourceLost, match=r"video.mp4"):
        grabs_of(source)


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: round(share * len(data))])
    return path


def test_a_video_that_breaks_off_is_warned_of_once(
    decoder: Decoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = cut(write_video(tmp_path / "video.avi", scene_images(40), codec="MJPG"), 0.5)
    source = opened(path, decoder, loop=True)
    with caplog.at_level(logging.WARNING):
        # PyAV counts the picture that is cut as damaged, OpenCV gives what there is of it.
        assert numbers(grabs_of(source, most=60)).count(0) in (3, 4)
    source.close()
    (message,) = [record.getMessage() for record in caplog.records]
    assert "video.avi: the video breaks off" in message
    assert "of 40 frames" in message


def test_an_mp4_that_breaks_off_is_warned_of(
    decoder: Decoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = cut(write_with_pyav(tmp_path / "video.mp4", scene_images(60)), 0.5)
    with caplog.at_level(logging.WARNING):
        seen = numbers(grabs_of(opened(path, decoder)))
    # The last one may be cut, and then look as it likes.
    assert 15 < len(seen) < 45
    assert seen[:-1] == list(range(len(seen) - 1))
    (message,) = [record.getMessage() for record in caplog.records]
    assert "video.mp4: the video breaks off" in message


@pytest.mark.parametrize("every", [1, 6])
def test_a_whole_video_is_not_warned_of_however_sparse(
    every: int, decoder: Decoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_video(tmp_path / "video.avi", scene_images(40), codec="MJPG")
    count = leave_out_frames(path, every=every)
    with caplog.at_level(logging.WARNING):
        assert len(grabs_of(opened(path, decoder))) == count
    assert not caplog.records


def test_what_is_no_video_is_refused(decoder: Decoder, tmp_path: Path) -> None:
    sound, nothing = write_sound(tmp_path / "sound.wav"), tmp_path / "nothing.mp4"
    nothing.write_bytes(b"")
    for path in (sound, nothing):
        with pytest.raises(SourceError, match=f"{path.name}': is not a video that can be read"):
            opened(path, decoder)
