import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from framelane.footage import around, footage

FRAMELANE = [sys.executable, "-c", "from framelane.cli import main; main()"]
PIPELINES = """
[[pipeline]]
name = "small"
operators = [{ op = "grayscale" }, { op = "resize", width = 160 }]
[[pipeline]]
name = "moving"
operators = [{ op = "motion" }]
"""


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve frames of 640x360, ten a second, each lighter than the one before."""
    path = tmp_path_factory.mktemp("footage") / "yard.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (640, 360))
    for number in range(12):
        writer.write(np.full((360, 640, 3), 20 * number, np.uint8))
    writer.release()
    return path


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "p.toml").write_text(PIPELINES)
    command = [*FRAMELANE, "bench-pipeline", str(folder / "p.toml"), "--seconds", "0.2", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_footage_comes_at_its_own_rate_and_begins_again_as_if_time_went_on(video: Path) -> None:
    frames = footage(str(video), most=5)
    assert [frame.sequence for frame in frames] == [0, 1, 2, 3, 4]
    assert (frames[0].width, frames[0].height) == (640, 360)
    again = around(frames, 7)
    assert (again.sequence, again.data) == (7, frames[2].data)
    assert again.captured_at_ns - frames[0].captured_at_ns == pytest.approx(0.7e9, rel=1e-3)


def test_what_each_stage_costs_and_how_fast_it_is(video: Path, tmp_path: Path) -> None:
    done = bench(tmp_path, "--footage", str(video), "--threads", "1,2", "--json", "--png", str(tmp_path / "cost.png"))
    assert done.returncode == 0, done.stderr
    small, moving = (json.loads(line) for line in done.stdout.splitlines())
    assert (small["size"], small["frames"], small["failure"]) == ([640, 360], 12, "")
    assert set(small["milliseconds"]["planned"]) == {"decode", "0:grayscale", "1:resize", "encode"}
    assert all(taken > 0 for taken in moving["milliseconds"]["unplanned"].values())
    ways = [(speed["threads"], speed["plan"]) for speed in moving["frames_per_second"]]
    assert ways == [(1, True), (1, False), (2, True), (2, False)]
    assert all(fps > 0 for speed in moving["frames_per_second"] for fps in speed["rounds"])
    assert cv2.imread(str(tmp_path / "cost.png")) is not None


def test_as_a_table_of_one_of_them(tmp_path: Path) -> None:
    done = bench(tmp_path, "--footage", "synthetic:?size=320x240", "--frames", "5", "--pipeline", "small")
    assert done.returncode == 0, done.stderr
    assert "small@" in done.stdout
    assert "moving@" not in done.stdout
    assert "1:resize" in done.stdout
    assert "2 threads, whole" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--footage", "nowhere.mp4"], "nowhere.mp4"),
        (["--footage", "synthetic:", "--threads", "0"], "expected numbers from 1 to 64"),
        (["--footage", "synthetic:", "--pipeline", "none"], "moving, small"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, arguments: list[str], told: str) -> None:
    done = bench(tmp_path, *arguments)
    assert done.returncode in (1, 2)
    assert told in done.stderr
    assert "Traceback" not in done.stderr
