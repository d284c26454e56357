"""`framelane produce`, as a user runs it, into a real Kafka."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from kafka_support import cli_environ, create_topic, drain, run_cli, start_cli
from producer_support import (
    frames_of,
    mjpeg_camera,
    noise,
    scene_images,
    write_images,
    write_video,
)

from framelane.embedded import EmbeddedKafka
from producers.stamp import read_stamp
from streams.contract.images import decode, encode

MakeTopic = Callable[..., str]
SECOND_NS = 1_000_000_000


def test_every_frame_of_a_video_comes_out_once_in_order(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic = make_topic()
    video = write_video(tmp_path / "video.mp4", scene_images(40))
    where = ["--topic", topic, "--bootstrap", kafka_bootstrap]
    done = run_cli(["produce", str(video), "--camera", "gate-1", *where, "--fast", "--no-status"])
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1].startswith("gate-1: captured 40, produced 40, dropped 0 in ")
    frames = frames_of(drain(kafka_bootstrap, topic))
    assert [frame.sequence for frame in frames] == list(range(40))
    stamps = [read_stamp(frame.image) for frame in frames]
    assert [stamp.sequence for stamp in stamps if stamp] == list(range(40))
    assert {(frame.width, frame.height, frame.content_type) for frame in frames} == {(320, 240, "image/jpeg")}
    times = [frame.media_time_ns or 0 for frame in frames]
    assert times == pytest.approx([index * SECOND_NS / 15 for index in range(40)], abs=1_000_000)


def test_a_video_in_realtime_takes_its_time(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    topic = make_topic()
    video = write_video(tmp_path / "video.mp4", scene_images(15), fps=10)
    arguments = ["produce", str(video), "--camera", "a", "--topic", topic, "--bootstrap", kafka_bootstrap]
    assert run_cli(arguments).returncode == 0
    captured = [frame.captured_at_ns for frame in frames_of(drain(kafka_bootstrap, topic))]
    assert (captured[-1] - captured[0]) / SECOND_NS == pytest.approx(1.4, abs=0.25)


def test_the_images_of_a_folder_are_identical(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    topic = make_topic()
    encoded = write_images(tmp_path, 12)
    (tmp_path / "notes.txt").write_text("no image")
    done = run_cli(
        ["produce", str(tmp_path), "--camera", "scan", "--topic", topic, "--fast", "--bootstrap", kafka_bootstrap]
    )
    assert done.returncode == 0
    assert "notes.txt" in done.stderr
    assert [message.value() for message in drain(kafka_bootstrap, topic)] == encoded


def test_size_quality_loop_and_count(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    topic = make_topic()
    write_images(tmp_path, 3)
    where = ["--topic", topic, "--bootstrap", kafka_bootstrap]
    shape = ["--size", "200x160", "--quality", "40", "--loop", "--count", "7", "--fast"]
    done = run_cli(["produce", str(tmp_path), "--camera", "a", *where, *shape])
    assert done.returncode == 0, done.stderr
    frames = frames_of(drain(kafka_bootstrap, topic))
    assert [(frame.sequence, frame.width, frame.height) for frame in frames] == [(n, 200, 160) for n in range(7)]
    assert len({frame.epoch for frame in frames}) == 1
    stamps = [read_stamp(decode(frame.data)) for frame in frames]
    assert [stamp.sequence for stamp in stamps if stamp] == [0, 1, 2, 0, 1, 2, 0]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_ends_the_run_with_closed_sums(
    number: signal.Signals, code: int, kafka_bootstrap: str, make_topic: MakeTopic
) -> None:
    topic = make_topic()
    arguments = ["produce", "synthetic:?size=320x240", "--camera", "a", "--topic", topic]
    with start_cli([*arguments, "--bootstrap", kafka_bootstrap]) as process:
        drain(kafka_bootstrap, topic, until=lambda messages: len(messages) >= 5)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=30)
    arrived = len(drain(kafka_bootstrap, topic))
    assert process.returncode == code
    assert f"a: captured {arrived}, produced {arrived}, dropped 0 in ".encode() in stderr
    assert b"Traceback" not in stderr


def test_a_signal_while_waiting_for_the_broker_ends_at_once() -> None:
    arguments = ["produce", "synthetic:", "--camera", "a", "--bootstrap", "127.0.0.1:1", "--wait", "5min"]
    with start_cli([*arguments, "--log-level", "debug"]) as process:
        assert process.stderr is not None
        # The first line of the log at debug is about the source, which is opened after the handlers are set.
        line = process.stderr.readline()
        assert json.loads(line)["event"].startswith("source")
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in rest


def test_an_image_above_the_topics_limit_fails_with_the_mend(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic = make_topic(max_bytes=600_000)
    (tmp_path / "large.png").write_bytes(encode(noise(1280, 720, seed=1), "image/png"))
    done = run_cli(["produce", str(tmp_path), "--camera", "a", "--topic", topic, "--bootstrap", kafka_bootstrap])
    assert done.returncode == 1
    assert "captured 1, produced 0, dropped 1 (too_large 1)" in done.stderr
    assert "--quality, --size" in done.stderr
    assert f"camera a: not every frame of {tmp_path} arrived: 1 (too_large 1) dropped" in done.stderr
    assert "Traceback" not in done.stderr


def sums_in(stderr: str) -> tuple[int, int, int]:
    """Captured, produced and dropped, as the closing line says."""
    found = re.search(r"captured (\d+), produced (\d+), dropped (\d+)", stderr)
    assert found is not None, stderr
    return int(found[1]), int(found[2]), int(found[3])


def wait_for(process: "subprocess.Popen[bytes]", words: str) -> None:
    """Read stderr up to a line with these words."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line.decode())
        if words in seen[-1]:
            return
    pytest.fail(f"it ended without {words!r}: {seen}")


def test_a_topic_that_is_deleted_and_made_again_costs_no_frame_that_was_under_way(
    kafka_bootstrap: str, make_topic: MakeTopic
) -> None:
    topic = make_topic()
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    arguments = ["produce", "synthetic:?size=320x240&fps=20", "--camera", "a", "--topic", topic, "--no-status"]
    with start_cli([*arguments, "--bootstrap", kafka_bootstrap]) as process:
        drain(kafka_bootstrap, topic, until=lambda messages: len(messages) >= 5)
        admin.delete_topics([topic])[topic].result()
        wait_for(process, "which are kept and sent again")
        create_topic(kafka_bootstrap, topic, partitions=4, config={})
        drain(kafka_bootstrap, topic, until=lambda messages: len(messages) >= 30)
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=30)
    captured, produced, dropped = sums_in(rest.decode())
    assert (process.returncode, dropped, captured) == (130, 0, produced), rest.decode()
    numbers = [frame.sequence for frame in frames_of(drain(kafka_bootstrap, topic))]
    # What the old topic had is gone with it; from the first one that came back on nothing is missing, or out of order.
    assert list(dict.fromkeys(numbers)) == list(range(numbers[0], captured))


def test_what_a_camera_on_the_web_sends_goes_through_byte_for_byte(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic()
    pictures = [encode(image, quality=90) for image in scene_images(20)]
    with mjpeg_camera(pictures) as address:
        where = ["--topic", topic, "--bootstrap", kafka_bootstrap, "--no-status"]
        done = run_cli(["produce", address, "--camera", "yard", "--count", "50", *where])
    assert done.returncode == 0, done.stderr
    # It hangs up after its twenty pictures; each time it is back is an epoch.
    frames = frames_of(drain(kafka_bootstrap, topic))
    assert len(frames) == 50
    assert [frame.data for frame in frames] == [pictures[number % 20] for number in range(50)]
    for frame in frames:
        stamp = read_stamp(frame.image)
        assert stamp is not None
        assert stamp.sequence == frame.sequence


def test_pictures_on_standard_input_go_through_byte_for_byte_and_none_is_lost(
    kafka_bootstrap: str, make_topic: MakeTopic
) -> None:
    topic = make_topic()
    # More than may wait for the broker: whoever writes them waits.
    pictures = [encode(noise(640, 480, seed=seed), quality=90) for seed in range(200)]
    assert sum(map(len, pictures)) > 48 * 1024 * 1024
    command = [sys.executable, "-m", "framelane", "produce", "stdin:", "--camera", "tape", "--topic", topic]
    done = subprocess.run(
        [*command, "--bootstrap", kafka_bootstrap, "--no-status"],
        input=b"".join(pictures),
        capture_output=True,
        env=cli_environ(),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"tape: captured 200, produced 200, dropped 0 in " in done.stderr
    frames = frames_of(drain(kafka_bootstrap, topic))
    assert [frame.sequence for frame in frames] == list(range(200))
    assert [frame.data for frame in frames] == pictures


def test_a_live_camera_goes_on_after_frames_that_are_too_large(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic(max_bytes=600_000)
    images = [*scene_images(9, size=(1280, 720)), noise(1280, 720, seed=1)]
    with mjpeg_camera([encode(image, quality=90) for image in images]) as address:
        where = ["--topic", topic, "--bootstrap", kafka_bootstrap, "--no-status"]
        done = run_cli(["produce", address, "--camera", "yard", "--count", "45", *where])
    captured, produced, dropped = sums_in(done.stderr)
    assert (done.returncode, captured, produced) == (0, 45, 45 - dropped), done.stderr
    assert 1 <= dropped <= 5
    assert done.stderr.count("a frame was dropped: camera yard: ") == 1
    assert len(drain(kafka_bootstrap, topic)) == produced


def test_an_outage_makes_a_file_wait_and_an_interrupt_ends_it_with_closed_sums(tmp_path: Path) -> None:
    write_images(tmp_path, 3)
    with EmbeddedKafka() as kafka:
        create_topic(kafka.bootstrap, "raw", partitions=4, config={})
        arguments = ["produce", str(tmp_path), "--camera", "a", "--topic", "raw", "--loop", "--no-status"]
        with start_cli([*arguments, "--fast", "--bootstrap", kafka.bootstrap]) as process:
            drain(kafka.bootstrap, "raw", until=lambda messages: len(messages) >= 5)
            kafka.nodes[0].kill()
            wait_for(process, "trouble with the broker")
            process.send_signal(signal.SIGINT)
            started = time.monotonic()
            _, rest = process.communicate(timeout=60)
    assert time.monotonic() - started < 20
    captured, produced, dropped = sums_in(rest.decode())
    assert process.returncode == 130
    assert captured == produced + dropped
    assert f"not every frame of {tmp_path} arrived: " in rest.decode()
    assert re.search(r"undelivered [1-9]", rest.decode())


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["missing.mp4"], 1, "source 'missing.mp4': no such file or folder"),
        (["notes.txt"], 1, "source 'notes.txt': is not a video"),
        (["empty"], 1, "source 'empty': the folder is empty"),
        (["synthetic:", "--size", "large"], 2, "--size 'large': expected WIDTHxHEIGHT"),
        (["synthetic:", "--size", "0x0"], 2, "--size '0x0': expected WIDTHxHEIGHT"),
        (["synthetic:", "--quality", "101"], 2, "--quality"),
        (["synthetic:", "--camera", "a b"], 2, "camera id 'a b'"),
        (["synthetic:", "--size", "99999x99999"], 2, "--size 99999x99999: a picture has 25000000 pixels at the most"),
        (["synthetic:", "--size", "70000x10"], 2, "--size 70000x10"),
        (["synthetic:?size=99999x99999"], 2, "size 99999x99999"),
        (["x" * 300], 1, "no file or folder: File name too long"),
        (["FTP://admin:hun/ter2@cam/x"], 1, "source 'FTP://***@cam/x'"),
        (["synthetic:?fps=many"], 2, "fps='many'"),
        (["synthetic:", "--topic", "no-such-topic"], 1, "no-such-topic"),
        (["synthetic:", "--bootstrap", "127.0.0.1:1"], 1, "127.0.0.1:1"),
    ],
)
def test_bad_input_gets_one_clear_message(
    arguments: list[str], code: int, says: str, kafka_bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("not a video\n" * 100)
    (tmp_path / "empty").mkdir()
    done = run_cli(["produce", "--camera", "a", "--bootstrap", kafka_bootstrap, "--wait", "500ms", *arguments])
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "framelane: cannot read "),
        ("[[camera]", ":1: is not TOML"),
        ("[[camera]]\nid = 'a'", "camera[0].source is missing"),
        ("[kafka]\nbootstrap = 'a:1'\n", "camera is missing"),
    ],
)
def test_a_file_of_cameras_that_is_none_is_told(tmp_path: Path, text: str | None, message: str) -> None:
    file = tmp_path / "cameras.toml"
    if text is not None:
        file.write_text(text)
    done = run_cli(["produce", "--cameras", str(file)])
    assert done.returncode == 2
    assert message in done.stderr
    assert str(file) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", [["--fps", "3"], ["--camera", "a"], ["synthetic:"], ["--password-env", "P"]])
def test_what_belongs_to_one_camera_is_refused_beside_a_file(tmp_path: Path, option: list[str]) -> None:
    done = run_cli(["produce", *option, "--cameras", str(tmp_path / "cameras.toml")])
    assert done.returncode == 2
    assert "belongs to one camera: with --cameras write it into the file" in done.stderr


def test_a_size_is_read_as_every_option_of_that_name_is(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic()
    arguments = ["produce", "synthetic:", "--camera", "a", "--size", " 320X240", "--count", "1", "--no-status"]
    done = run_cli([*arguments, "--topic", topic, "--bootstrap", kafka_bootstrap])
    assert done.returncode == 0, done.stderr
    assert {(frame.width, frame.height) for frame in frames_of(drain(kafka_bootstrap, topic))} == {(320, 240)}
