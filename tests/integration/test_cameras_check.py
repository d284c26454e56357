"""`framelane cameras check`, as a user runs it: real cameras, no Kafka."""

import json
import signal
import time
from pathlib import Path

import cv2
import pytest
from camera_servers import WebCameras, silent_port
from kafka_support import run_cli, start_cli
from producer_support import scene_images, write_video


def test_what_each_camera_gives(tmp_path: Path) -> None:
    write_video(tmp_path / "film.mp4", scene_images(40))
    file, sheet = tmp_path / "cameras.toml", tmp_path / "sheet.png"
    with WebCameras() as web, silent_port() as port:
        sources = {
            "stream": web.address("good/stream?fps=20"),
            "snapshot": web.address("snapshot/snapshot"),
            "film": "film.mp4",
            "drawn": "synthetic:?size=640x480&fps=5",
            "away": "rtsp://admin:hunter2@127.0.0.1:1/live",
            "silent": f"http://127.0.0.1:{port}/",
            "wrong": "device:front",
        }
        tables = [f'[[camera]]\nid = "{name}"\nsource = "{source}"\n' for name, source in sources.items()]
        # What a camera is told to leave out is looked at all the same.
        file.write_text("[defaults]\nmax_fps = 1\nonly_motion = true\nsilence_s = 2\n" + "".join(tables))
        arguments = ["cameras", "check", str(file), "--sheet", str(sheet), "--seconds", "2"]
        done = run_cli([*arguments, "--json"])
        table = run_cli(arguments)
    assert done.returncode == table.returncode == 1, done.stderr
    found = {line["camera_id"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert list(found) == list(sources)
    right = [name for name, line in found.items() if not line["wrong"]]
    assert right == ["stream", "snapshot", "film", "drawn"]
    assert [(found[name]["width"], found[name]["height"]) for name in right] == [(320, 240)] * 3 + [(640, 480)]
    assert found["stream"]["fps"] == pytest.approx(20, rel=0.25)
    assert (found["film"]["nominal_fps"], found["film"]["codec"]) == (15, "mpeg4")
    assert found["film"]["decoder"].startswith("PyAV ")
    assert (found["stream"]["codec"], found["stream"]["decoder"]) == ("mjpeg", "byte for byte")
    assert "no stream can be opened there" in found["away"]["wrong"]
    assert "no answer in time" in found["silent"]["wrong"]
    assert "expected device:N" in found["wrong"]["wrong"]
    assert "hunter2" not in done.stdout + done.stderr + table.stdout
    assert all(name in table.stdout for name in sources)
    # Four in a row: 400 pixels each, and what is around them.
    image = cv2.imread(str(sheet))
    assert image.shape[1] == 4 * 400 + 3 * 20 + 2 * 32
    assert done.stderr.endswith(f"thumbnails: {sheet}\n")


def test_all_is_well(tmp_path: Path) -> None:
    file = tmp_path / "cameras.toml"
    file.write_text('[[camera]]\nid = "a"\nsource = "synthetic:"\n')
    done = run_cli(["cameras", "check", str(file), "--sheet", str(tmp_path / "sheet.png"), "--seconds", "0"])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "sheet", "message"),
    [
        (None, "sheet.png", "cannot read"),
        ("[[camera]]\nid = 'a'\nsource = 'synthetic:'\nfbs = 1", "sheet.png", "camera[0].fbs is unknown"),
        ("[[camera]]\nid = 'a'\nsource = 'synthetic:'", "nowhere/sheet.png", "--sheet"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str | None, sheet: str, message: str) -> None:
    file = tmp_path / "cameras.toml"
    if text is not None:
        file.write_text(text)
    done = run_cli(["cameras", "check", str(file), "--sheet", str(tmp_path / sheet), "--seconds", "0"])
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_nothing_is_put_into_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    file = tmp_path / "cameras.toml"
    file.write_text('[[camera]]\nid = "a"\nsource = "empty"\nwatch = true\nsilence_s = 1\n')
    done = run_cli(["cameras", "check", str(file), "--sheet", str(tmp_path / "sheet.png"), "--seconds", "1"])
    assert done.returncode == 1
    assert "it gave no picture" in " ".join(done.stdout.split())


def test_ctrl_c_ends_it_whatever_it_waits_for(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    file = tmp_path / "cameras.toml"
    file.write_text('[[camera]]\nid = "a"\nsource = "empty"\nwatch = true\nsilence_s = 600\n')
    with start_cli(
        ["cameras", "check", str(file), "--sheet", str(tmp_path / "s.png"), "--log-level", "debug"]
    ) as check:
        try:
            children = Path(f"/proc/{check.pid}/task")
            give_up = time.monotonic() + 30
            while len(list(children.iterdir())) < 3:
                assert time.monotonic() < give_up
                time.sleep(0.05)
            check.send_signal(signal.SIGINT)
            assert check.wait(10) == 130
        finally:
            check.kill()
            check.communicate()
