import logging
from pathlib import Path

import numpy as np
import pytest
from producer_support import ManualClock, leave_out_frames, scene_images, write_video

from producers.sources.base import Grab, SourceOptions
from producers.sources.video_file import VideoFile, open_video_file
from producers.stamp import read_stamp
from streams.contract.errors import SourceLost


def numbers(grabs: list[Grab]) -> list[int]:
    found = [read_stamp(grab.picture) for grab in grabs if isinstance(grab.picture, np.ndarray)]
    return [stamp.sequence for stamp in found if stamp is not None]


def grabs_of(source: VideoFile, most: int = 1000) -> list[Grab]:
    grabs: list[Grab] = []
    while len(grabs) < most and (grab := source.grab()) is not None:
        grabs.append(grab)
    return grabs


@pytest.mark.parametrize(("codec", "suffix"), [("mp4v", ".mp4"), ("MJPG", ".avi"), ("FFV1", ".avi")])
def test_every_frame_comes_out_once_in_order_with_its_time(codec: str, suffix: str, tmp_path: Path) -> None:
    path = write_video(tmp_path / f"video{suffix}", scene_images(40), fps=25, codec=codec)
    source = open_video_file(path, SourceOptions(camera_id="a", clock=ManualClock(77)))
    assert (source.fps, source.live, source.name) == (25, False, str(path))
    grabs = grabs_of(source)
    assert numbers(grabs) == list(range(40))
    assert [grab.media_time_ns for grab in grabs] == pytest.approx([index * 40_000_000 for index in range(40)])
    assert {grab.captured_at_ns for grab in grabs} == {77}
    assert source.grab() is None


def test_a_video_shorter_than_what_is_read_ahead(tmp_path: Path) -> None:
    path = write_video(tmp_path / "short.mp4", scene_images(2))
    assert numbers(grabs_of(open_video_file(path, SourceOptions(camera_id="a")))) == [0, 1]


def test_a_loop_begins_again_with_its_times(tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.mp4", scene_images(6), fps=10)
    source = open_video_file(path, SourceOptions(camera_id="a", loop=True))
    grabs = grabs_of(source, most=15)
    source.close()
    assert numbers(grabs) == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2]
    times = [round((grab.media_time_ns or 0) / 1e8) for grab in grabs]
    assert times == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2]


def test_a_loop_whose_file_is_gone_is_lost(tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.mp4", scene_images(3))
    source = open_video_file(path, SourceOptions(camera_id="a", loop=True))
    path.unlink()
    with pytest.raises(SourceLost, match=r"video.mp4"):
        grabs_of(source)


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: round(share * len(data))])
    return path


def test_a_video_that_breaks_off_is_warned_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = cut(write_video(tmp_path / "video.avi", scene_images(40), codec="MJPG"), 0.5)
    source = open_video_file(path, SourceOptions(camera_id="a", loop=True))
    with caplog.at_level(logging.WARNING):
        assert numbers(grabs_of(source, most=60)).count(0) == 3
    source.close()
    (message,) = [record.getMessage() for record in caplog.records]
    assert "video.avi: the video breaks off" in message
    assert "of 40 frames" in message


@pytest.mark.parametrize("every", [1, 6])
def test_a_whole_video_is_not_warned_of_however_sparse(
    every: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_video(tmp_path / "video.avi", scene_images(40), codec="MJPG")
    count = leave_out_frames(path, every=every)
    with caplog.at_level(logging.WARNING):
        assert len(grabs_of(open_video_file(path, SourceOptions(camera_id="a")))) == count
    assert not caplog.records
