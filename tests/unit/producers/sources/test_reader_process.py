"""Sources that are read in a process of their own: real processes, a second each."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from producer_support import scene_images, write_video

from producers.sources import open_source
from producers.sources.base import Grab, LeftOut, Selection, SourceOptions
from producers.sources.reader_messages import LENGTHS, Job
from producers.sources.reader_process import ReaderProcess
from producers.stamp import read_stamp
from streams.contract.errors import SettingError, SourceError, SourceLost
from streams.contract.images import decode, inspect


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "video.mp4", scene_images(40))


def options(**more: object) -> SourceOptions:
    return SourceOptions(camera_id="c", apart=True, **more)  # type: ignore[arg-type]


@pytest.fixture
def reader(video: Path) -> Iterator[ReaderProcess]:
    """A reader that is in the midst of an endless video."""
    reader = ReaderProcess("video", str(video), options(loop=True, silence_s=1.0))
    yield reader
    reader.close()


def ended(pid: int) -> bool:
    """Whether a process is no more, within a while."""
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        threading.Event().wait(0.02)
    return False


def lost_after(reader: ReaderProcess) -> str:
    """Read until it is lost; why."""
    with pytest.raises(SourceLost) as raised:
        while reader.grab() is not None:
            continue
    return str(raised.value)


def test_every_picture_comes_selected_and_encoded(video: Path) -> None:
    source = open_source(str(video), options(selection=Selection(size=(160, 120))))
    assert isinstance(source, ReaderProcess)
    assert (source.name, source.live, source.fps) == (str(video), False, 15.0)
    grabs: list[Grab] = []
    while (grab := source.grab()) is not None:
        assert isinstance(grab, Grab)
        grabs.append(grab)
    source.close()
    pictures = [bytes(grab.picture) for grab in grabs]
    stamps = [read_stamp(decode(picture)) for picture in pictures]
    assert [stamp.sequence for stamp in stamps if stamp] == list(range(40))
    assert {inspect(picture).upright for picture in pictures} == {(160, 120)}
    assert [grab.media_time_ns for grab in grabs] == pytest.approx([n * 1e9 / 15 for n in range(40)], abs=1_000_000)
    assert ended(source.pid)


def test_what_is_left_out_is_told(video: Path) -> None:
    source = ReaderProcess("video", str(video), options(selection=Selection(max_fps=5)))
    found = []
    while (grab := source.grab()) is not None:
        found.append(grab.reason if isinstance(grab, LeftOut) else "picture")
    source.close()
    assert (found.count("picture"), found.count("paced")) == (14, 26)


def test_one_that_hangs_is_lost_in_time_and_killed(reader: ReaderProcess) -> None:
    reader.grab()
    os.kill(reader.pid, signal.SIGSTOP)
    started = time.monotonic()
    assert "no picture for 1 s; its reader is killed, as it may hang" in lost_after(reader)
    reader.close()
    assert ended(reader.pid)
    assert time.monotonic() - started < 10


def test_one_that_crashes_is_lost_and_says_how(reader: ReaderProcess) -> None:
    os.kill(reader.pid, signal.SIGSEGV)
    assert "its reader ended unexpectedly, by SIGSEGV" in lost_after(reader)


def test_a_stop_ends_the_wait(video: Path) -> None:
    stop = threading.Event()
    reader = ReaderProcess("video", str(video), options(loop=True, silence_s=60.0, stop=stop))
    os.kill(reader.pid, signal.SIGSTOP)
    threading.Timer(0.2, stop.set).start()
    while reader.grab() is not None:
        continue
    os.kill(reader.pid, signal.SIGCONT)
    reader.close()
    assert ended(reader.pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_to_the_group_are_not_for_it(reader: ReaderProcess, number: signal.Signals) -> None:
    os.kill(reader.pid, number)
    assert all(isinstance(reader.grab(), Grab) for _ in range(100))


def test_what_cannot_be_opened_is_the_same_error_as_without(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("no video")
    with pytest.raises(SourceError, match="is not a video that can be read") as raised:
        open_source(str(text), options())
    assert type(raised.value) is SourceError
    with pytest.raises(SettingError, match="expected device:N"):
        open_source("device:front", options())


def test_warnings_of_the_reader_are_logged_here(tmp_path: Path, video: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = write_video(tmp_path / "whole.avi", scene_images(40), codec="MJPG").read_bytes()
    broken = tmp_path / "broken.avi"
    broken.write_bytes(data[: len(data) // 3])
    reader = ReaderProcess("video", str(broken), options())
    while reader.grab() is not None:
        continue
    reader.close()
    assert any("the video breaks off" in record.getMessage() for record in caplog.records)


def test_it_ends_when_whoever_listens_is_gone(video: Path) -> None:
    ours, theirs = socket.socketpair()
    process = subprocess.Popen([sys.executable, "-m", "producers.sources.reader", "c"], stdin=theirs.fileno())
    theirs.close()
    job = msgspec.msgpack.encode(Job.of("video", str(video), options(loop=True)))
    ours.sendall(LENGTHS.pack(len(job), 0) + job)
    assert ours.recv(8)
    # As the kernel does it when the other process is killed.
    ours.close()
    assert process.wait(10) is not None


def test_no_secret_is_in_its_arguments(tmp_path: Path) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    address = f"rtsp://admin:hunter2@127.0.0.1:{listening.getsockname()[1]}/live"
    stop = threading.Event()
    failed: list[SourceError] = []

    def open_it() -> None:
        try:
            ReaderProcess("stream", address, options(stop=stop))
        except SourceError as error:
            failed.append(error)

    opening = threading.Thread(target=open_it)
    opening.start()
    connection, _ = listening.accept()
    shown = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    stop.set()
    opening.join(20)
    connection.close()
    listening.close()
    assert "producers.sources.reader c" in shown
    assert "hunter2" not in shown
    assert "hunter2" not in str(failed[0])


def test_what_lies_in_the_working_directory_is_not_loaded(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("streams", "producers", "cv2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    reader = ReaderProcess("video", str(video), options())
    assert isinstance(reader.grab(), Grab)
    reader.close()


def test_where_no_process_can_be_started_that_is_said(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", none_left)
    with pytest.raises(SourceError, match="no process can be started to read it: Resource temporarily unavailable"):
        open_source(str(video), options())


def test_what_goes_wrong_in_the_reader_itself_is_said(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "cv2.py").write_text("import a_module_that_is_not_there")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    with pytest.raises(
        SourceError,
        match=r"its reader has failed: ModuleNotFoundError in cv2\.py, line 1: a_module_that_is_not_there cannot be",
    ):
        ReaderProcess("video", str(video), options())
