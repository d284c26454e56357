import itertools
import json
import threading
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from sink_support import is_done, received

from consumers.received import ReceivedFrame
from consumers.sinks import SinkOptions
from consumers.sinks.mp4 import IDLE_S, Mp4Sink
from streams.contract.errors import FrameError, SettingError, SinkError
from streams.contract.images import Image

STEP_NS = 40_000_000
START_NS = 1_778_312_000_000_000_000


@pytest.fixture(params=["pyav", "opencv"])
def writer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to write a video."""
    monkeypatch.setattr("consumers.sinks.video_segment.has_pyav", lambda: request.param == "pyav")
    return str(request.param)


def sink_at(path: Path, **options: object) -> Mp4Sink:
    sink = Mp4Sink(str(path), SinkOptions(**options))  # type: ignore[arg-type]
    sink.setup()
    return sink


def record(path: Path, frames: list[ReceivedFrame], *, fps: float | None = None) -> Mp4Sink:
    sink = sink_at(path, fps=fps)
    for frame in frames:
        sink.add(frame)
        sink.flush()
    sink.close()
    return sink


def read(path: Path) -> tuple[float, list[Image]]:
    capture = cv2.VideoCapture(str(path))
    images = []
    while True:
        done, image = capture.read()
        if not done:
            return capture.get(cv2.CAP_PROP_FPS), images
        images.append(image)


def times_ms(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return [round(frame.time * 1000) for frame in container.decode(video=0) if frame.time is not None]


def run(
    count: int,
    *,
    camera: str = "gate-1",
    step_ns: int = STEP_NS,
    width: int = 64,
    pipeline: str = "demo",
    start_ns: int = START_NS,
) -> list[ReceivedFrame]:
    return [
        received(camera, each, captured_at_ns=start_ns + each * step_ns, width=width, pipeline=pipeline)
        for each in range(count)
    ]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_every_frame_is_there_in_order_at_the_camera_s_rate(tmp_path: Path, writer: str) -> None:
    sink = record(tmp_path / "a.mp4", run(40))
    fps, images = read(tmp_path / "a.mp4")
    assert (fps, len(images), images[0].shape) == (25, 40, (48, 64, 3))
    levels = [float(image.mean()) for image in images[:25]]
    assert np.allclose(levels, [10 * each for each in range(25)], atol=6)
    assert (sink.written, sink.left_out) == (40, {})


def test_each_picture_has_its_capture_time_and_a_camera_that_gets_faster_loses_none(tmp_path: Path) -> None:
    steps = [200] * 10 + [33] * 30 + [7, 450, 1, 0] + [90] * 5
    at_ms = [0, *itertools.accumulate(steps)]
    frames = [received(sequence=each, captured_at_ns=START_NS + ms * 1_000_000) for each, ms in enumerate(at_ms)]
    sink = record(tmp_path / "a.mp4", frames)
    shown = times_ms(tmp_path / "a.mp4")
    # Two of the same ms are a ms apart.
    assert shown == [ms + (index == steps.index(0) + 1) for index, ms in enumerate(at_ms)]
    assert sink.written == len(frames)


def test_what_a_constant_rate_has_no_room_for_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumers.sinks.video_segment.has_pyav", lambda: False)
    slow = run(6, step_ns=200_000_000)
    fast = [
        received(sequence=6 + each, captured_at_ns=slow[-1].captured_at_ns + (each + 1) * 20_000_000)
        for each in range(50)
    ]
    sink = record(tmp_path / "a.mp4", slow + fast)
    shown = len(read(tmp_path / "a.mp4")[1])
    assert shown < 15
    assert sink.left_out == {"too fast for the video's rate": 56 - shown}
    assert sink.written == shown


def test_several_cameras_get_a_file_each(tmp_path: Path) -> None:
    pairs = zip(run(5), run(5, camera="gate-2"), strict=True)
    record(tmp_path / "a.mp4", [frame for pair in pairs for frame in pair])
    assert files(tmp_path) == ["a-gate-1.mp4", "a-gate-2.mp4"]
    assert [len(read(path)[1]) for path in tmp_path.iterdir()] == [5, 5]


def test_two_pipelines_of_a_camera_get_a_file_each(tmp_path: Path) -> None:
    record(tmp_path / "a.mp4", run(3) + run(3, pipeline="motion"))
    assert files(tmp_path) == ["a-gate-1-demo.mp4", "a-gate-1-motion.mp4"]


def test_what_exists_is_not_overwritten(tmp_path: Path) -> None:
    for _ in range(3):
        record(tmp_path / "a.mp4", run(2))
    assert files(tmp_path) == ["a.2.mp4", "a.3.mp4", "a.mp4"]


def test_a_given_rate_and_a_gap_keep_to_the_clock(tmp_path: Path) -> None:
    frames = run(50)
    record(tmp_path / "a.mp4", frames[:10] + frames[30:], fps=25)
    fps, images = read(tmp_path / "a.mp4")
    assert (fps, len(images)) == (25, 50)


def test_the_clock_of_a_file_goes_before_that_of_its_reading(tmp_path: Path, writer: str) -> None:
    fast = [
        received(sequence=each, captured_at_ns=START_NS + each, media_time_ns=each * 100_000_000) for each in range(20)
    ]
    record(tmp_path / "a.mp4", fast)
    fps, images = read(tmp_path / "a.mp4")
    assert (fps, len(images)) == (10, 20)


def test_odd_and_changing_sizes_are_fitted(tmp_path: Path, writer: str) -> None:
    record(tmp_path / "a.mp4", run(5, width=65) + run(10, width=128)[5:])
    _, images = read(tmp_path / "a.mp4")
    assert {image.shape for image in images} == {(48, 64, 3)}
    assert len(images) == 10
    assert images[-1][0].mean() < 10 < images[-1][24].mean(), "a wider picture has bars above and below"


def damaged(camera: str = "gate-1", sequence: int = 1) -> ReceivedFrame:
    return received(camera, sequence, data=run(1)[0].data[:200])


def test_a_damaged_picture_is_refused_and_the_next_goes_on(tmp_path: Path, writer: str) -> None:
    sink = sink_at(tmp_path / "a.mp4")
    good = run(3)
    sink.add(good[0])
    with pytest.raises(FrameError):
        sink.add(damaged())
    sink.add(good[2])
    sink.close()
    assert len(read(tmp_path / "a.mp4")[1]) >= 2


@pytest.mark.parametrize("fps", [None, 25.0])
def test_a_camera_of_damaged_pictures_alone_leaves_the_others_whole(tmp_path: Path, fps: float | None) -> None:
    sink = sink_at(tmp_path / "a.mp4", fps=fps)
    for frame, other in zip(run(3), run(3, camera="gate-3"), strict=True):
        with pytest.raises(FrameError):
            sink.add(damaged("gate-2"))
        sink.add(frame)
        sink.add(other)
    sink.close()
    assert files(tmp_path) == ["a-gate-1.mp4", "a-gate-3.mp4"]
    assert [len(read(path)[1]) for path in tmp_path.iterdir()] == [3, 3]


def test_a_video_that_cannot_be_finished_leaves_the_others_whole(tmp_path: Path) -> None:
    sink = sink_at(tmp_path / "a.mp4", fps=25, resumes=True)
    frames = [run(1, camera=camera)[0] for camera in ("gate-1", "gate-2")]
    for frame in frames:
        sink.add(frame)
    next(tmp_path.glob(".framelane-*-0.part.mp4")).unlink()
    with pytest.raises(SinkError, match=r"a-gate-1\.mp4"):
        sink.close()
    assert files(tmp_path) == [".a.segments.jsonl", "a-gate-2.mp4"]
    assert [is_done(frame) for frame in frames] == [False, True]


def test_two_that_write_the_same_file_and_end_together_keep_both(tmp_path: Path) -> None:
    sinks = [sink_at(tmp_path / "a.mp4") for _ in range(2)]
    for sink in sinks:
        sink.add(run(1)[0])
    assert len(list(tmp_path.glob(".framelane-*-0.part.mp4"))) == 2
    threads = [threading.Thread(target=sink.close) for sink in sinks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert files(tmp_path) == ["a.2.mp4", "a.mp4"]


def test_no_frames_leave_no_file(tmp_path: Path) -> None:
    record(tmp_path / "a.mp4", [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [{"fps": 0}, {"rotate_s": 0.5}, {"rotate_s": 1e6}])
def test_refuses_what_is_no_rate_and_no_window(tmp_path: Path, options: dict[str, float]) -> None:
    with pytest.raises(SettingError, match=r"expected 0\.1 to 120|expected 1 s to 24 h"):
        Mp4Sink(str(tmp_path / "a.mp4"), SinkOptions(**options))  # type: ignore[arg-type]


class Clock:
    """Both clocks of a sink: ns since 1970, and seconds."""

    def __init__(self) -> None:
        self.at_ns = START_NS

    def now_ns(self) -> int:
        return self.at_ns

    def now_s(self) -> float:
        return self.at_ns / 1e9


def rotating(path: Path, clock: Clock, **options: object) -> Mp4Sink:
    given = SinkOptions(rotate_s=60, resumes=True, **options)  # type: ignore[arg-type]
    sink = Mp4Sink(str(path), given, clock=clock.now_ns, monotonic=clock.now_s)
    sink.setup()
    return sink


def test_a_frame_of_the_next_window_ends_the_video_and_its_frames_are_done_then(tmp_path: Path) -> None:
    # From 07:33:20 on, a frame each five seconds: windows begin at 07:34:00 and 07:35:00.
    sink = rotating(tmp_path / "yard.mp4", Clock())
    frames = run(25, step_ns=5_000_000_000)
    for each, frame in enumerate(frames):
        sink.add(frame)
        assert is_done(*frames[: 0 if each < 8 else 8 if each < 20 else 20])
        assert not any(is_done(other) for other in frames[0 if each < 8 else 8 if each < 20 else 20 :])
    sink.close()
    names = [f"gate-1/2026-05-09T07-{at}.000Z-demo.mp4" for at in ("33-20", "34-00", "35-00")]
    assert files(tmp_path / "yard") == [*names, "segments.jsonl"]
    assert [times_ms(tmp_path / "yard" / name) for name in names] == [
        [5000 * each for each in range(count)] for count in (8, 12, 5)
    ]
    lines = [json.loads(line) for line in (tmp_path / "yard" / "segments.jsonl").read_text().splitlines()]
    assert [line["file"] for line in lines] == names
    assert [(run["first"], run["last"]) for line in lines for run in line["runs"]] == [(0, 7), (8, 19), (20, 24)]


def test_a_silent_camera_s_video_ends_once_its_window_is_over(tmp_path: Path) -> None:
    clock = Clock()
    sink = rotating(tmp_path / "yard.mp4", clock)
    frames = run(3)
    for frame in frames:
        sink.add(frame)
    # 07:33:20 + 40 s is the window's end.
    clock.at_ns += round((40 + IDLE_S) * 1e9) - 1
    sink.flush()
    assert not is_done(frames[0])
    clock.at_ns += 1
    sink.flush()
    assert is_done(*frames)
    assert len(files(tmp_path / "yard")) == 3, "the video, the list, and the lock"


def test_a_late_frame_gets_a_video_of_its_own_and_leaves_the_one_of_now_open(tmp_path: Path) -> None:
    sink = rotating(tmp_path / "yard.mp4", Clock())
    old, now = run(2), run(6, start_ns=START_NS + 60_000_000_000)[2:]
    late = received(sequence=9, captured_at_ns=START_NS + 500_000_000)
    for frame in (*old, *now[:2], late, *now[2:]):
        sink.add(frame)
    sink.close()
    names = [f"gate-1/2026-05-09T07-{at}Z-demo.mp4" for at in ("33-20.000", "33-20.500", "34-20.080")]
    assert files(tmp_path / "yard")[:-1] == names
    assert [len(times_ms(tmp_path / "yard" / name)) for name in names] == [2, 1, 4]


def test_a_silence_or_a_step_back_begins_another_so_that_positions_are_times(tmp_path: Path) -> None:
    sink = rotating(tmp_path / "yard.mp4", Clock())
    for each, second in enumerate((0, 1, 15, 16, 12, 13)):
        sink.add(received(sequence=each, captured_at_ns=START_NS + second * 1_000_000_000))
    sink.close()
    names = files(tmp_path / "yard")[:-1]
    assert [name[-16:-9] for name in names] == ["20.000Z", "32.000Z", "35.000Z"]
    assert [times_ms(tmp_path / "yard" / name) for name in names] == [[0, 1000]] * 3


def test_settle_makes_all_safe_and_goes_on_in_another_file(tmp_path: Path, writer: str) -> None:
    sink = rotating(tmp_path / "yard.mp4", Clock())
    frames = run(6)
    for frame in frames[:3]:
        sink.add(frame)
    sink.settle()
    assert is_done(*frames[:3])
    for frame in frames[3:]:
        sink.add(frame)
    sink.close()
    assert sink.written == 6
    names = files(tmp_path / "yard")[:-1]
    assert [len(read(tmp_path / "yard" / name)[1]) for name in names] == [3, 3]


class Killed(BaseException):
    """Stands for a kill at that very place."""


@pytest.mark.parametrize("rotate_s", [60, None])
@pytest.mark.parametrize(
    "at", ["os.link", "consumers.sinks.shared_lines.os.fsync", "consumers.sinks.mp4.Mp4Sink._publish"]
)
def test_a_kill_while_a_video_is_finished_leaves_no_hole_and_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, rotate_s: float | None
) -> None:
    """After its line is written and before it has its name; before the line; before it is closed."""

    def kill(*_: object) -> None:
        raise Killed

    first = sink_at(tmp_path / "a.mp4", rotate_s=rotate_s, resumes=True)
    for frame in run(4):
        first.add(frame)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(at, kill)
        first.settle()
    # What the system does for a process that is gone.
    first._claim.release()
    first._segments and first._segments.close()
    again = sink_at(tmp_path / "a.mp4", rotate_s=rotate_s, resumes=True)
    frames = run(6)
    for frame in frames:
        again.add(frame)
    again.close()
    assert is_done(*frames)
    videos = [path for path in tmp_path.rglob("*.mp4") if path.is_file()]
    assert not [path for path in tmp_path.rglob(".framelane-*")]
    levels = sorted(round(float(image.mean()) / 10) for path in videos for image in read(path)[1])
    assert levels == [0, 1, 2, 3, 4, 5]


def test_what_another_has_finished_meanwhile_is_not_written_again(tmp_path: Path) -> None:
    ours, other = (rotating(tmp_path / "yard.mp4", Clock()) for _ in range(2))
    for frame in run(4):
        other.add(frame)
    other.close()
    ours.flush()
    frames = run(6)
    for frame in frames:
        ours.add(frame)
    assert is_done(*frames[:4])
    assert not is_done(frames[4])
    ours.close()
    assert (ours.written, ours.left_out) == (2, {"there already": 4})


def test_a_video_that_was_removed_is_written_again_when_its_frames_come_again(tmp_path: Path) -> None:
    for _ in range(2):
        sink = rotating(tmp_path / "yard.mp4", Clock())
        for frame in run(4):
            sink.add(frame)
        sink.close()
        assert sink.written == 4
        next((tmp_path / "yard").rglob("*.mp4")).unlink()


def test_a_topic_that_was_made_again_is_not_taken_for_what_is_there(tmp_path: Path) -> None:
    counts = []
    for start_ns in (START_NS, START_NS, START_NS + 10**9):
        sink = rotating(tmp_path / "yard.mp4", Clock())
        for each in range(3):
            sink.add(received(sequence=each, epoch="@frames.raw-0", captured_at_ns=start_ns + each * STEP_NS))
        sink.close()
        counts.append(sink.written)
    assert counts == [3, 0, 3]


def test_a_disk_that_is_nearly_full_ends_the_video_while_it_can_still_be_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = sink_at(tmp_path / "a.mp4")
    for frame in run(3):
        sink.add(frame)
    monkeypatch.setattr("consumers.sinks.mp4.MIN_FREE_BYTES", 2**62)
    with pytest.raises(SinkError, match="nearly full"):
        sink.flush()
    sink.close()
    assert len(read(tmp_path / "a.mp4")[1]) == 3
