"""The demo, as `make demo` runs it where there is no terminal."""

import re
import signal
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest
from kafka_support import drain_with, read_lines, run_cli, start_cli

from framelane.embedded import EmbeddedKafka
from streams.contract.kafka_settings import load_kafka_settings


def test_the_demo_shows_cameras_and_saves_a_picture(tmp_path: Path) -> None:
    done = run_cli(["demo", "--seconds", "5", "--cameras", "2", "--to", str(tmp_path)], timeout_s=120)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^camera-1: captured [0-9.]+ fps, processed [0-9.]+ fps, age p50 ", done.stdout, re.MULTILINE)
    for camera in ("camera-1", "camera-2"):
        sums = re.search(rf"^ {camera} +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)", done.stdout, re.MULTILINE)
        assert sums, done.stdout
        captured, dropped, delivered, processed, dead, missing = (int(count) for count in sums.groups())
        assert captured == dropped + delivered
        assert delivered == processed + dead
        assert (dead, missing) == (0, 0)
        assert processed > 30
    path = re.search(r"^contact sheet: (.+)$", done.stdout, re.MULTILINE)
    assert path
    sheet = cv2.imread(path[1])
    assert sheet.shape[0] > 400
    # Two cameras beside each other, each with a picture in it and not a plain placeholder.
    for half in np.array_split(sheet, 2, axis=1):
        assert half.std() > 20


def test_ctrl_c_ends_it_with_the_sums_and_the_picture(tmp_path: Path) -> None:
    with start_cli(["demo", "--cameras", "1", "--to", str(tmp_path)]) as demo:
        try:
            read_lines(demo, 1, timeout_s=90)
            assert demo.stderr is not None
            said = next(line for line in demo.stderr if b"live view: " in line).decode()
            address = said.partition("live view: ")[2].strip()
            with urllib.request.urlopen(f"{address}cameras/camera-1/latest.jpg", timeout=30) as answer:
                assert answer.headers["x-framelane-pipeline"]
                assert cv2.imdecode(np.frombuffer(answer.read(), np.uint8), cv2.IMREAD_COLOR).shape == (360, 480, 3)
            demo.send_signal(signal.SIGINT)
            out, err = demo.communicate(timeout=60)
        finally:
            demo.kill()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address, timeout=5)
    assert demo.returncode == 130, err.decode()
    assert "Closing sums" in out.decode()
    assert (tmp_path / "contact-sheet.png").exists()


def test_ctrl_c_before_anything_runs_is_a_clean_end(tmp_path: Path) -> None:
    with start_cli(["demo", "--cameras", "1", "--to", str(tmp_path)]) as demo:
        try:
            assert demo.stderr is not None
            said = next(line for line in demo.stderr if b"starting a worker" in line)
            demo.send_signal(signal.SIGINT)
            out, err = demo.communicate(timeout=60)
        finally:
            demo.kill()
    assert (demo.returncode, out) == (130, b""), said + err
    assert b"Traceback" not in err


def test_a_source_in_place_of_the_synthetic_cameras(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for n in range(5):
        cv2.imwrite(str(folder / f"{n}.jpg"), np.full((120, 160, 3), n * 40, np.uint8))
    to = tmp_path / "out"
    done = run_cli(["demo", "--seconds", "3", "--source", str(folder), "--op", "flip", "--to", str(to)], timeout_s=120)
    assert done.returncode == 0, done.stderr
    assert "camera-1" in done.stdout
    assert (to / "contact-sheet.png").exists()


def test_a_source_that_is_not_there_is_said_with_its_name(tmp_path: Path) -> None:
    done = run_cli(["demo", "--source", str(tmp_path / "none.mp4"), "--to", str(tmp_path / "out")])
    assert done.returncode == 1
    assert not (tmp_path / "out").exists(), "nothing is started before"
    assert "none.mp4" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mistake_in_an_operator_is_told_before_anything_starts(tmp_path: Path) -> None:
    done = run_cli(["demo", "--op", "blur:kernel=4", "--to", str(tmp_path / "none")])
    assert done.returncode == 2
    assert "kernel" in done.stderr
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run_cli(["demo", "--to", str(tmp_path / "file")])
    assert done.returncode == 1
    assert f"cannot write {tmp_path / 'file'}" in done.stderr
    assert "Traceback" not in done.stderr


def test_sigterm_is_a_clean_end_with_the_sums(tmp_path: Path) -> None:
    # Settings of a Kafka that is named nowhere must not reach the worker and the cameras.
    environ = {"FRAMELANE_KAFKA__SECURITY": "tls"}
    with start_cli(["demo", "--cameras", "1", "--to", str(tmp_path)], environ=environ) as demo:
        try:
            read_lines(demo, 1, timeout_s=90)
            demo.send_signal(signal.SIGTERM)
            out, err = demo.communicate(timeout=60)
        finally:
            demo.kill()
    assert demo.returncode == 0, err.decode()
    assert "Closing sums" in out.decode()


@pytest.mark.parametrize("way", ["variable", "config"])
def test_a_kafka_that_is_named_is_used(tmp_path: Path, way: str) -> None:
    with EmbeddedKafka(secure=True, data=tmp_path / "kafka") as kafka:
        assert kafka.config_file is not None
        settings = load_kafka_settings(config=kafka.config_file, environ={})
        environ = {
            "FRAMELANE_KAFKA__SECURITY": "sasl",
            "FRAMELANE_KAFKA__CA": str(settings.ca),
            "FRAMELANE_KAFKA__USERNAME": settings.username,
            "FRAMELANE_KAFKA__PASSWORD_FILE": str(settings.password_file),
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
        }
        done = run_cli(
            [
                *["demo", "--seconds", "2", "--cameras", "1", "--to", str(tmp_path / "out")],
                *(["--config", str(kafka.config_file)] if way == "config" else []),
            ],
            environ=environ if way == "variable" else {},
            timeout_s=120,
        )
        assert done.returncode == 0, done.stderr
        assert "embedded" not in done.stderr
        assert drain_with(settings.for_confluent(), "demo.frames.processed")
