"""Many cameras in one process: those that fail and those that hang disturb no other, and the file can be edited."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from camera_servers import WebCameras, silent_port
from confluent_kafka import Message
from kafka_support import cli_environ, drain, run_cli
from probe_support import fetch
from producer_support import frames_of, scene_images, write_images, write_video
from prometheus_client.parser import text_string_to_metric_families
from rtsp_support import has_rtsp_server, start_rtsp_server

from producers.stamp import read_stamp
from streams.contract.frame import Frame
from streams.contract.images import decode

MakeTopic = Callable[..., str]
SECOND_NS = 1_000_000_000


@pytest.fixture
def web() -> Iterator[WebCameras]:
    with WebCameras() as web:
        yield web


class Fleet:
    """`framelane produce --cameras`, running."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process, self._log = process, log

    @property
    def log(self) -> str:
        """What it has said."""
        return self._log.read_text()

    def wait_for_log(self, text: str, *, count: int = 1, timeout_s: float = 60.0) -> None:
        """Wait until it has said something so often."""
        give_up = time.monotonic() + timeout_s
        while self.log.count(text) < count:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < give_up, f"{text!r} was not said {count} times:\n{self.log}"
            time.sleep(0.05)

    def stop(self) -> dict[str, str]:
        """End it in order; the sums by camera."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self.log
        return sums_of(self.log)


def sums_of(log: str) -> dict[str, str]:
    return dict(re.findall(r"^(\S+): (captured .*)$", log, re.MULTILINE))


@contextmanager
def running(file: Path, bootstrap: str, topic: str, *more: str) -> Iterator[Fleet]:
    log = file.with_suffix(".log")
    command = [sys.executable, "-m", "framelane", "produce", "--cameras", str(file), "--topic", topic, "--bootstrap"]
    command += [bootstrap, "--no-status", *(more or ("--metrics-port", "0"))]
    with log.open("wb") as out, subprocess.Popen(command, stderr=out, env=cli_environ()) as process:
        try:
            yield Fleet(process, log)
        finally:
            process.kill()


def table(name: str, source: str, *more: str) -> str:
    return "\n".join(["[[camera]]", f'id = "{name}"', f'source = "{source}"', *more, ""])


def by_camera(messages: list[Message]) -> dict[str, list[Frame]]:
    found = defaultdict(list)
    for frame in frames_of(messages):
        found[frame.camera_id].append(frame)
    return found


def cameras_in(messages: list[Message]) -> set[str]:
    return {(message.key() or b"").decode() for message in messages}


def has(camera: str, count: int) -> Callable[[list[Message]], bool]:
    return lambda messages: sum(message.key() == camera.encode() for message in messages) >= count


def check_numbers(frames: list[Frame]) -> None:
    """Within each epoch frames are numbered from 0, in order, and so are the numbers in their pictures."""
    epochs: Mapping[str, list[Frame]] = defaultdict(list)
    for frame in frames:
        epochs[frame.epoch].append(frame)
    assert list(epochs) == sorted(epochs)
    for each in epochs.values():
        assert [frame.sequence for frame in each] == list(range(len(each)))
        stamps = [read_stamp(decode(frame.data)) for frame in each]
        burnt_in = [stamp.sequence for stamp in stamps if stamp is not None]
        assert burnt_in == list(range(burnt_in[0], burnt_in[0] + len(each)))
        times = [frame.captured_at_ns for frame in each]
        assert times == sorted(set(times))


@pytest.mark.skipif(not has_rtsp_server(), reason="no GStreamer RTSP server (Debian: see .ci/run)")
def test_of_twenty_cameras_five_hang_and_the_others_keep_their_rate(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path, web: WebCameras
) -> None:
    topic, file = make_topic(partitions=4), tmp_path / "cameras.toml"
    with ExitStack() as stack:
        port = stack.enter_context(silent_port())
        rtsp, rtsp_port = start_rtsp_server()
        stack.callback(rtsp.communicate)
        stack.callback(rtsp.kill)
        good = {f"good-{index:02}": web.address(f"good/good-{index:02}?fps=5") for index in range(14)}
        good["film"] = str(write_video(tmp_path / "film.mp4", scene_images(60, camera_id="film"), fps=5))
        bad = {
            # It takes the connection, and says nothing.
            "silent": f"rtsp://127.0.0.1:{port}/live",
            # It says nothing more after a hundred frames.
            "stops": web.address("good/stops?fps=50&hang=100"),
            # It always says something, and never a whole picture.
            "trickles": web.address("trickle/trickles"),
            # One answer never comes.
            "snapshot": web.address("snapshot/snapshot?hang=3"),
            # FFmpeg itself hangs (below).
            "frozen": f"rtsp://127.0.0.1:{rtsp_port}/camera",
        }
        defaults = "[defaults]\nsilence_s = 2\nloop = true\n"
        file.write_text(defaults + "".join(table(name, source) for name, source in {**good, **bad}.items()))
        fleet = stack.enter_context(running(file, kafka_bootstrap, topic))
        drain(kafka_bootstrap, topic, until=lambda ms: set(good) | {"frozen"} <= cameras_in(ms), timeout_s=60)
        os.kill(reader_of(fleet.process.pid, "frozen"), signal.SIGSTOP)
        from_ns = time.time_ns()
        for complaint in (
            "/live': no stream can be opened there",
            "/good/stops?fps=***&hang=***': the stream gave no whole picture for 2 s",
            "/trickle/trickles': the stream gave no whole picture for",
            "/snapshot/snapshot?hang=***': no answer in time",
            "/camera': no picture for 2 s; its reader is killed, as it may hang",
        ):
            fleet.wait_for_log(complaint)
        # Long enough for a rate.
        enough_ns = from_ns + 10 * SECOND_NS
        drain(kafka_bootstrap, topic, until=lambda ms: any(f.captured_at_ns > enough_ns for f in frames_of(ms[-1:])))
        until_ns = time.time_ns()
        sums = fleet.stop()
    found = by_camera(drain(kafka_bootstrap, topic))
    assert set(sums) == set(good) | set(bad)
    for name in good:
        check_numbers(found[name]) if name != "film" else None
        came = sum(from_ns <= frame.captured_at_ns < until_ns for frame in found[name])
        assert came / ((until_ns - from_ns) / SECOND_NS) == pytest.approx(5, rel=0.1), name
        assert "opened again" not in sums[name]
        assert "dropped 0" in sums[name]
    # What hung after it had given something was opened again, as a new epoch.
    assert len({frame.epoch for frame in found["stops"]}) > 1
    assert len({frame.epoch for frame in found["frozen"]}) > 1
    assert not found["trickles"]
    assert not found["silent"]


def reader_of(pid: int, camera: str) -> int:
    """The process that reads a camera; on a busy machine it may just have been killed for its silence."""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        # Whole lines: they are cut at 80 where there is no terminal.
        listing = ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(pid)]
        shown = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.splitlines()
        if found := [line for line in shown if line.endswith(f"producers.sources.reader {camera}")]:
            return int(found[0].split()[0])
        time.sleep(0.1)
    raise AssertionError(f"nothing reads camera {camera}")


def test_cameras_come_and_go_with_the_file(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path, web: WebCameras
) -> None:
    topic, file = make_topic(partitions=2), tmp_path / "cameras.toml"
    names = ("stays", "leaves", "changes", "comes")
    sources = {name: table(name, web.address(f"good/{name}?fps=20")) for name in names}
    file.write_text(sources["stays"] + sources["leaves"] + sources["changes"])
    with running(file, kafka_bootstrap, topic) as fleet:
        drain(kafka_bootstrap, topic, until=lambda ms: cameras_in(ms) == {"stays", "leaves", "changes"})
        # A mistake changes nothing.
        file.write_text(sources["stays"] + table("broken", "synthetic:", "fbs = 3"))
        fleet.process.send_signal(signal.SIGHUP)
        fleet.wait_for_log("camera[1].fbs is unknown; did you mean fps?")
        changed = sources["changes"] + 'size = "160x120"\n'
        file.write_text(sources["stays"] + changed + sources["comes"])
        fleet.process.send_signal(signal.SIGHUP)
        fleet.wait_for_log("added comes; changed changes; removed leaves")
        drain(kafka_bootstrap, topic, until=has("comes", 10))
        sums = fleet.stop()
    found = by_camera(drain(kafka_bootstrap, topic))
    # Those that are gone are summed up, too.
    for name in ("stays", "leaves", "changes", "comes"):
        assert sums[name].startswith(f"captured {len(found[name])}, produced {len(found[name])}, dropped 0"), sums
        check_numbers(found[name])
    assert len({frame.epoch for frame in found["stays"]}) == 1
    assert found["leaves"][-1].captured_at_ns < found["comes"][0].captured_at_ns + SECOND_NS
    sizes = {frame.epoch: (frame.width, frame.height) for frame in found["changes"]}
    assert list(sizes.values()) == [(320, 240), (160, 120)]


def test_changes_of_the_file_are_taken_up_by_themselves(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path, web: WebCameras
) -> None:
    topic, file = make_topic(partitions=2), tmp_path / "cameras.toml"
    file.write_text(table("first", web.address("good/first")))
    with running(file, kafka_bootstrap, topic, "--watch") as fleet:
        drain(kafka_bootstrap, topic, until=has("first", 3))
        file.write_text(table("second", web.address("good/second")))
        drain(kafka_bootstrap, topic, until=has("second", 3))
        sums = fleet.stop()
    assert list(sums) == ["first", "second"]


def test_a_server_that_is_away_and_comes_back(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path, web: WebCameras
) -> None:
    topic, file = make_topic(partitions=2), tmp_path / "cameras.toml"
    file.write_text(table("gate", web.address("good/gate?fps=20")))
    with running(file, kafka_bootstrap, topic) as fleet:
        drain(kafka_bootstrap, topic, until=has("gate", 10))
        web.stop()
        fleet.wait_for_log("opening it again")
        web.start()
        drain(
            kafka_bootstrap,
            topic,
            until=lambda ms: len({frame.epoch for frame in frames_of(ms)}) == 2 and frames_of(ms[-1:])[0].sequence > 9,
        )
        sums = fleet.stop()
    frames = by_camera(drain(kafka_bootstrap, topic))["gate"]
    check_numbers(frames)
    assert sums["gate"].startswith(f"captured {len(frames)}, produced {len(frames)}, dropped 0")
    assert sums["gate"].endswith("source opened again 1 times")


def test_half_a_picture_and_then_another_size(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path, web: WebCameras
) -> None:
    topic, file = make_topic(partitions=2), tmp_path / "cameras.toml"
    file.write_text(table("gate", web.address("half/gate")))
    with running(file, kafka_bootstrap, topic) as fleet:
        drain(kafka_bootstrap, topic, until=has("gate", 20))
        sums = fleet.stop()
    frames = by_camera(drain(kafka_bootstrap, topic))["gate"]
    # What could not be used has no number, and so leaves no gap; it is counted.
    check_numbers(frames)
    assert "dropped 1 (undecodable 1)" in sums["gate"]
    assert {(frame.width, frame.height) for frame in frames[:10]} == {(320, 240)}
    assert {(frame.width, frame.height) for frame in frames[10:]} == {(160, 120)}


def test_files_end_and_so_does_the_process(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    topic, file = make_topic(partitions=2), tmp_path / "cameras.toml"
    write_video(tmp_path / "film.mp4", scene_images(20))
    file.write_text(table("film", "film.mp4", "realtime = false") + table("again", "film.mp4", "realtime = false"))
    done = run_cli(["produce", "--cameras", str(file), "--topic", topic, "--bootstrap", kafka_bootstrap, "--no-status"])
    assert done.returncode == 0, done.stderr
    assert {name: text[:36] for name, text in sums_of(done.stderr).items()} == {
        "film": "captured 20, produced 20, dropped 0 ",
        "again": "captured 20, produced 20, dropped 0 ",
    }
    assert "metrics and probes on http://127.0.0.1:" in done.stderr


def test_what_a_setting_is_to_blame_for_ends_its_camera_alone(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic, file = make_topic(partitions=2), tmp_path / "cameras.toml"
    write_video(tmp_path / "film.mp4", scene_images(20))
    file.write_text(table("film", "film.mp4", "realtime = false") + table("wrong", "device:front"))
    done = run_cli(["produce", "--cameras", str(file), "--topic", topic, "--bootstrap", kafka_bootstrap, "--no-status"])
    assert done.returncode == 2, done.stderr
    assert "framelane: source 'device:front': expected device:N with the camera's number" in done.stderr
    assert sums_of(done.stderr)["film"].startswith("captured 20, produced 20, dropped 0 ")


def test_metrics_and_probes(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path, web: WebCameras) -> None:
    topic, file = make_topic(partitions=2), tmp_path / "cameras.toml"
    file.write_text(
        table("gate", web.address("good/gate?fps=20"), "max_fps = 5") + table("away", "rtsp://127.0.0.1:1/")
    )
    with running(file, kafka_bootstrap, topic, "--metrics-port", "9464") as fleet:
        drain(kafka_bootstrap, topic, until=has("gate", 10))
        fleet.wait_for_log("metrics and probes on ")
        status, text = fetch(fleet.log, "/metrics")
        assert status == 200
        assert fetch(fleet.log, "/readyz") == (200, "ok\n")
        fleet.stop()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def value(name: str, **labels: str) -> float:
        [found] = [sample.value for sample in samples if sample.name == name and sample.labels == labels]
        return found

    def frames(outcome: str, stage: str, reason: str = "") -> float:
        return value("framelane_frames_total", camera_id="gate", stage=stage, outcome=outcome, reason=reason)

    captured, produced = frames("captured", "capture"), frames("produced", "publish")
    paced = frames("dropped", "publish", "paced")
    assert captured == produced + paced + value("framelane_queue_frames", camera_id="gate")
    assert paced > produced
    assert value("framelane_source_open", camera_id="gate") == 1
    assert value("framelane_source_open", camera_id="away") == 0
    assert value("framelane_frame_age_seconds_count", camera_id="gate") == produced


@pytest.mark.skipif(not has_rtsp_server(), reason="no GStreamer RTSP server (Debian: see .ci/run)")
@pytest.mark.parametrize("decoder", ["pyav", "opencv"])
def test_an_rtsp_server_that_hangs_and_goes_on(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path, decoder: str
) -> None:
    topic, file = make_topic(partitions=2), tmp_path / "cameras.toml"
    server, port = start_rtsp_server()
    with ExitStack() as stack:
        stack.callback(server.communicate)
        stack.callback(server.kill)
        file.write_text(table("yard", f"rtsp://127.0.0.1:{port}/camera", f'decoder = "{decoder}"', "silence_s = 2"))
        fleet = stack.enter_context(running(file, kafka_bootstrap, topic))
        drain(kafka_bootstrap, topic, until=has("yard", 30), timeout_s=60)
        server.send_signal(signal.SIGSTOP)
        fleet.wait_for_log("opening it again")
        server.send_signal(signal.SIGCONT)
        before = len(drain(kafka_bootstrap, topic))
        drain(kafka_bootstrap, topic, count=before + 30, timeout_s=60)
        sums = fleet.stop()
    frames = by_camera(drain(kafka_bootstrap, topic))["yard"]
    assert len({frame.epoch for frame in frames}) >= 2
    assert sums["yard"].startswith(f"captured {len(frames)}, produced {len(frames)}, dropped 0")
    for epoch in {frame.epoch for frame in frames}:
        numbers = [frame.sequence for frame in frames if frame.epoch == epoch]
        assert numbers == list(range(len(numbers)))


def test_a_file_whose_reader_dies_is_not_published_twice(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path, web: WebCameras
) -> None:
    topic, file = make_topic(partitions=2), tmp_path / "cameras.toml"
    write_video(tmp_path / "film.mp4", scene_images(300), fps=20)
    file.write_text(table("film", "film.mp4") + table("gate", web.address("good/gate?frames=600&fps=20")))
    with running(file, kafka_bootstrap, topic) as fleet:
        drain(kafka_bootstrap, topic, until=has("film", 10), timeout_s=60)
        os.kill(reader_of(fleet.process.pid, "film"), signal.SIGKILL)
        fleet.wait_for_log("its reader ended unexpectedly, by SIGKILL")
        before = len(drain(kafka_bootstrap, topic))
        drain(kafka_bootstrap, topic, count=before + 40)
        # Another one, and a change: the file begins again, as somebody wants it so.
        file.write_text(file.read_text().replace('"film.mp4"', '"film.mp4"\nquality = 70'))
        fleet.process.send_signal(signal.SIGHUP)
        fleet.wait_for_log("changed film")
        drain(kafka_bootstrap, topic, until=lambda ms: len({f.epoch for f in by_camera(ms)["film"]}) == 2)
        fleet.stop()
    epochs = [frame.epoch for frame in by_camera(drain(kafka_bootstrap, topic))["film"]]
    assert len(set(epochs)) == 2


def test_a_broken_file_is_told_at_the_end(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    topic, file = make_topic(partitions=2), tmp_path / "cameras.toml"
    write_video(tmp_path / "film.mp4", scene_images(300), fps=20)
    file.write_text(table("film", "film.mp4"))
    with running(file, kafka_bootstrap, topic) as fleet:
        drain(kafka_bootstrap, topic, until=has("film", 10), timeout_s=60)
        os.kill(reader_of(fleet.process.pid, "film"), signal.SIGKILL)
        assert fleet.process.wait(60) == 1
        assert "framelane: source" in fleet.log.splitlines()[-1]


def test_a_watched_folder_loses_and_doubles_nothing_over_changes(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic, file = make_topic(partitions=1), tmp_path / "cameras.toml"
    write_images(tmp_path / "images", 24)
    file.write_text(table("scan", "images", "watch = true", "fps = 6", "quality = 80"))
    with running(file, kafka_bootstrap, topic) as fleet:
        for quality in (79, 78, 77):
            before = len(drain(kafka_bootstrap, topic))
            drain(kafka_bootstrap, topic, count=before + 3)
            file.write_text(re.sub(r"quality = \d+", f"quality = {quality}", file.read_text()))
            fleet.process.send_signal(signal.SIGHUP)
            fleet.wait_for_log("changed scan", count=80 - quality)
        frames = frames_of(drain(kafka_bootstrap, topic, count=24, timeout_s=60))
        sums = fleet.stop()
    numbers = [stamp.sequence for frame in frames if (stamp := read_stamp(decode(frame.data)))]
    assert numbers == list(range(24))
    assert sums["scan"].startswith("captured 24, produced 24, dropped 0")


def test_ctrl_c_twice_does_not_wait_for_the_broker(tmp_path: Path, web: WebCameras) -> None:
    file = tmp_path / "cameras.toml"
    file.write_text(table("gate", web.address("good/gate?fps=20")))
    with running(file, "127.0.0.1:1", "frames.raw") as fleet:
        fleet.wait_for_log("is open")
        fleet.process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            # It gives the broker the time that it may need.
            fleet.process.wait(3)
        fleet.process.send_signal(signal.SIGINT)
        assert fleet.process.wait(6) == 130


def test_a_change_while_the_broker_is_away_is_taken_up(tmp_path: Path, web: WebCameras) -> None:
    file = tmp_path / "cameras.toml"
    write_video(tmp_path / "film.mp4", scene_images(300, size=(640, 480)), fps=100)
    file.write_text(table("film", "film.mp4", "buffer_mb = 1", "loop = true"))
    with running(file, "127.0.0.1:1", "frames.raw", "--metrics-port", "9464") as fleet:
        fleet.wait_for_log("metrics and probes on")
        wait_for_full_buffer(fleet)
        file.write_text(table("film", web.address("good/film?fps=20"), "buffer_mb = 1"))
        fleet.process.send_signal(signal.SIGHUP)
        fleet.wait_for_log("/good/film?fps=*** is open")


def wait_for_full_buffer(fleet: Fleet) -> None:
    """Wait until a camera that blocks captures nothing more."""
    give_up, before = time.monotonic() + 60, ""
    while True:
        text = fetch(fleet.log, "/metrics")[1]
        captured = "".join(re.findall(r'^framelane_frames_total\{.*outcome="captured".*\} (\S+)$', text, re.MULTILINE))
        if captured == before and float(captured or 0) > 10:
            return
        assert time.monotonic() < give_up
        before = captured
        time.sleep(1.0)
