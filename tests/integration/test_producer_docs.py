"""What docs/producers.md says: its scripts run as they stand, and its tables are those of the code."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from kafka_support import drain, run_cli
from producer_support import frames_of, scene_images, write_video

from producers.cameras_file import CameraKeys, read_cameras
from producers.stamp import read_stamp
from streams.contract.images import decode, encode
from streams.contract.topics import RAW

TEXT = (Path(__file__).parents[2] / "docs" / "producers.md").read_text(encoding="utf-8")
MakeTopic = Callable[..., str]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def script(kafka_bootstrap: str) -> Callable[[int], dict[str, Any]]:
    """Runs a script of the page, with another broker; what it has defined."""
    assert run_cli(["topics", "create", RAW, "--bootstrap", kafka_bootstrap]).returncode == 0

    def run(number: int) -> dict[str, Any]:
        names: dict[str, Any] = {}
        exec(blocks("python")[number].replace("localhost:9092", kafka_bootstrap), names)
        return names

    return run


def published(bootstrap: str, camera: str) -> list[Any]:
    return [frame for frame in frames_of(drain(bootstrap, RAW)) if frame.camera_id == camera]


def test_a_webcam(
    kafka_bootstrap: str,
    script: Callable[[int], dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The machines that tests run on have no camera: a video takes its place."""
    video, real = write_video(tmp_path / "video.mp4", scene_images(20)), cv2.VideoCapture
    monkeypatch.setattr(cv2, "VideoCapture", lambda number: real(str(video)))
    script(0)
    frames = published(kafka_bootstrap, "desk")
    stamps = [read_stamp(decode(frame.data)) for frame in frames]
    assert [stamp.sequence for stamp in stamps if stamp] == list(range(20))


def test_a_microscope(kafka_bootstrap: str, script: Callable[[int], dict[str, Any]]) -> None:
    images = [np.full((120, 160), level, np.uint16) for level in (0, 1024, 4095)]
    script(1)["publish_run"](images)
    means = [round(float(decode(frame.data).mean())) for frame in published(kafka_bootstrap, "scope-1")]
    assert means == pytest.approx([0, 64, 255], abs=1)


def test_an_asyncio_loop(
    kafka_bootstrap: str, script: Callable[[int], dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    async def pictures() -> AsyncIterator[Any]:
        yield encode(scene_images(1)[0])
        yield scene_images(1)[0]

    asyncio.run(script(2)["watch"](pictures()))
    frames = published(kafka_bootstrap, "door-1")
    assert [frame.sequence for frame in frames] == [0, 1]
    assert capsys.readouterr().out.split() == [frame.name for frame in frames]


def test_the_file_of_cameras_is_one(tmp_path: Path) -> None:
    file = tmp_path / "cameras.toml"
    text = blocks("toml")[0]
    (tmp_path / "gate-1").write_text("secret")
    file.write_text(text.replace("/run/secrets/", ""))
    cameras = read_cameras(file, environ={"CAM_USER": "admin"})
    assert [camera.id for camera in cameras] == ["gate-1", "car-park", "archive"]


def test_every_key_is_in_the_table() -> None:
    table = TEXT.partition("| key | default |")[2].partition("\n\n")[0]
    told = set(re.findall(r"`([a-z_]+)`", table))
    assert {field.name for field in fields(CameraKeys)} <= told


def test_every_option_that_is_named_is_there() -> None:
    help_ = run_cli(["produce", "--help"]).stdout + run_cli(["cameras", "check", "--help"]).stdout
    for option in set(re.findall(r"(?<=[` ])--[a-z][a-z-]+", TEXT)) - {"--json"}:
        assert option in help_, option
