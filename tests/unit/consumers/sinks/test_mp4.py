import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from consumer_support import frame_of

from consumers.sinks import SinkOptions
from consumers.sinks.mp4 import Mp4Sink
from streams.contract.errors import FrameError, SettingError, SinkError
from streams.contract.frame import Frame
from streams.contract.images import Image

STEP_NS = 40_000_000


def record(path: Path, frames: list[Frame], *, fps: float | None = None) -> None:
    sink = Mp4Sink(path, SinkOptions(fps=fps))
    sink.setup()
    for frame in frames:
        sink.add(frame)
        assert not sink.flush(), "nothing of a video is safe before it is closed"
    sink.close()


def read(path: Path) -> tuple[float, list[Image]]:
    capture = cv2.VideoCapture(str(path))
    images = []
    while True:
        done, image = capture.read()
        if not done:
            return capture.get(cv2.CAP_PROP_FPS), images
        images.append(image)


def run(
    count: int, *, camera: str = "gate-1", step_ns: int = STEP_NS, width: int = 64, pipeline: str = "demo"
) -> list[Frame]:
    return [
        frame_of(camera, each, captured_at_ns=10**18 + each * step_ns, width=width, pipeline=pipeline)
        for each in range(count)
    ]


def test_every_frame_is_there_in_order_at_the_camera_s_rate(tmp_path: Path) -> None:
    record(tmp_path / "a.mp4", run(40))
    fps, images = read(tmp_path / "a.mp4")
    assert (fps, len(images), images[0].shape) == (25, 40, (48, 64, 3))
    levels = [float(image.mean()) for image in images[:25]]
    assert np.allclose(levels, [10 * each for each in range(25)], atol=6)


def test_several_cameras_get_a_file_each(tmp_path: Path) -> None:
    pairs = zip(run(5), run(5, camera="gate-2"), strict=True)
    record(tmp_path / "a.mp4", [frame for pair in pairs for frame in pair])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-gate-1.mp4", "a-gate-2.mp4"]
    assert [len(read(path)[1]) for path in tmp_path.iterdir()] == [5, 5]


def test_two_pipelines_of_a_camera_get_a_file_each(tmp_path: Path) -> None:
    record(tmp_path / "a.mp4", run(3) + run(3, pipeline="motion"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-gate-1-demo.mp4", "a-gate-1-motion.mp4"]


def test_what_exists_is_not_overwritten(tmp_path: Path) -> None:
    for _ in range(3):
        record(tmp_path / "a.mp4", run(2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.2.mp4", "a.3.mp4", "a.mp4"]


def test_a_given_rate_and_a_gap_keep_to_the_clock(tmp_path: Path) -> None:
    frames = run(50)
    record(tmp_path / "a.mp4", frames[:10] + frames[30:], fps=25)
    fps, images = read(tmp_path / "a.mp4")
    assert (fps, len(images)) == (25, 50)


def test_the_clock_of_a_file_goes_before_that_of_its_reading(tmp_path: Path) -> None:
    fast = [
        frame_of(sequence=each, captured_at_ns=10**18 + each, media_time_ns=each * 100_000_000) for each in range(20)
    ]
    record(tmp_path / "a.mp4", fast)
    fps, images = read(tmp_path / "a.mp4")
    assert (fps, len(images)) == (10, 20)


def test_odd_and_changing_sizes_are_fitted(tmp_path: Path) -> None:
    record(tmp_path / "a.mp4", run(5, width=65) + run(10, width=128)[5:])
    _, images = read(tmp_path / "a.mp4")
    assert {image.shape for image in images} == {(48, 64, 3)}
    assert len(images) == 10
    assert images[-1][0].mean() < 10 < images[-1][24].mean(), "a wider picture has bars above and below"


def test_a_damaged_picture_is_refused_and_the_next_goes_on(tmp_path: Path) -> None:
    sink = Mp4Sink(tmp_path / "a.mp4", SinkOptions())
    sink.setup()
    good = run(3)
    sink.add(good[0])
    with pytest.raises(FrameError):
        sink.add(frame_of(sequence=1, data=good[1].data[:200]))
    sink.add(good[2])
    sink.close()
    assert len(read(tmp_path / "a.mp4")[1]) >= 2


def damaged(camera: str) -> Frame:
    return frame_of(camera, data=run(1)[0].data[:200])


@pytest.mark.parametrize("fps", [None, 25.0])
def test_a_camera_of_damaged_pictures_alone_leaves_the_others_whole(tmp_path: Path, fps: float | None) -> None:
    sink = Mp4Sink(tmp_path / "a.mp4", SinkOptions(fps=fps))
    sink.setup()
    for frame, other in zip(run(3), run(3, camera="gate-3"), strict=True):
        with pytest.raises(FrameError):
            sink.add(damaged("gate-2"))
        sink.add(frame)
        sink.add(other)
    sink.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-gate-1.mp4", "a-gate-3.mp4"]
    assert [len(read(path)[1]) for path in tmp_path.iterdir()] == [3, 3]


def test_a_video_that_cannot_be_finished_leaves_the_others_whole(tmp_path: Path) -> None:
    sink = Mp4Sink(tmp_path / "a.mp4", SinkOptions(fps=25))
    sink.setup()
    for camera in ("gate-1", "gate-2"):
        sink.add(run(1, camera=camera)[0])
    next(tmp_path.glob(".a-*-0.part.mp4")).unlink()
    with pytest.raises(SinkError, match=r"a-gate-1\.mp4"):
        sink.close()
    assert [path.name for path in tmp_path.iterdir()] == ["a-gate-2.mp4"]


def test_two_that_write_the_same_file_and_end_together_keep_both(tmp_path: Path) -> None:
    sinks = [Mp4Sink(tmp_path / "a.mp4", SinkOptions(fps=25)) for _ in range(2)]
    for sink in sinks:
        sink.setup()
        sink.add(run(1)[0])
    assert len(list(tmp_path.glob(".a-*-0.part.mp4"))) == 2
    threads = [threading.Thread(target=sink.close) for sink in sinks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.2.mp4", "a.mp4"]


def test_no_frames_leave_no_file(tmp_path: Path) -> None:
    record(tmp_path / "a.mp4", [])
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_rate_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"expected 0\.1 to 120"):
        Mp4Sink(tmp_path / "a.mp4", SinkOptions(fps=0))
