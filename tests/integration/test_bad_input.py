"""What goes wrong at the start: a message that names the thing and the mend, an exit code, and never a traceback."""

import socket
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from kafka_support import run_cli, unique


def refused(arguments: list[str], *, code: int, says: list[str]) -> None:
    done = run_cli(arguments)
    assert done.returncode == code, done.stderr
    for text in says:
        assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "command",
    [
        ["produce", "synthetic:", "--camera", "a"],
        ["work", "--op", "flip"],
        ["tail"],
        ["record", "--to", "/tmp/none"],
        ["topics", "create"],
        ["demo", "--to", "/tmp/none"],
    ],
)
def test_no_broker_there(command: list[str]) -> None:
    wait = [] if command[0] == "topics" else ["--wait", "1s"]
    refused([*command, "--bootstrap", "127.0.0.1:1", *wait], code=1, says=["127.0.0.1:1", "framelane broker"])


def test_source_missing(kafka_bootstrap: str) -> None:
    command = ["produce", "none.mp4", "--camera", "a", "--bootstrap", kafka_bootstrap]
    refused(command, code=1, says=["none.mp4"])


def test_source_that_is_not_a_video(kafka_bootstrap: str, tmp_path: Path) -> None:
    path = tmp_path / "letter.mp4"
    path.write_text("Dear camera")
    refused(
        ["produce", str(path), "--camera", "a", "--bootstrap", kafka_bootstrap], code=1, says=["letter.mp4", "video"]
    )


def test_no_broker_there_for_several_pipelines(tmp_path: Path) -> None:
    path = tmp_path / "pipelines.toml"
    path.write_text('[kafka]\nbootstrap = "127.0.0.1:1"\n[[pipeline]]\nname = "a"\n[[pipeline]]\nname = "b"\n')
    refused(["work", "--pipelines", str(path), "--wait", "1s"], code=1, says=["127.0.0.1:1", "framelane broker"])


def test_settings_of_a_worker_that_cannot_be() -> None:
    reach = ["--bootstrap", "127.0.0.1:1"]
    refused(["work", "--op", "flip", "--threads", "0", *reach], code=2, says=["threads 0: expected 1 to 256"])
    refused(["work", "--op", "flip", "--pipeline", "a", *reach], code=2, says=["--pipeline 'a'", "--pipelines FILE"])


def test_a_topic_that_keeps_no_time() -> None:
    command = ["topics", "create", "frames.status", "--retention", "2h", "--bootstrap", "127.0.0.1:1"]
    refused(command, code=2, says=["--retention", "frames.status"])


def test_unknown_operator(kafka_bootstrap: str) -> None:
    refused(["work", "--op", "blurr", "--bootstrap", kafka_bootstrap], code=2, says=["'blurr'", "did you mean 'blur'"])


def test_wrong_parameter(kafka_bootstrap: str) -> None:
    command = ["work", "--op", "blur:kernel=4", "--bootstrap", kafka_bootstrap]
    refused(command, code=2, says=["kernel = 4", "expected an odd number"])


def test_wrong_parameter_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "pipelines.toml"
    path.write_text('[[pipeline]]\nname = "a"\noperators = [\n  { op = "flip" },\n  { op = "blur", kernel = 4 },\n]\n')
    for command in (["pipelines", "check", str(path)], ["work", "--pipelines", str(path)]):
        refused(command, code=2, says=[f"{path}:5", "pipeline[0].operators[1].kernel = 4", "expected an odd number"])


def test_topic_missing(kafka_bootstrap: str) -> None:
    topic = unique("nowhere")
    reach = ["--bootstrap", kafka_bootstrap, "--wait", "1s"]
    says = [topic, f"framelane topics create {topic}"]
    refused(["produce", "synthetic:", "--camera", "a", "--topic", topic, *reach], code=1, says=says)
    refused(["work", "--op", "flip", "--input", topic, *reach], code=1, says=says)
    refused(["tail", "--topic", topic, *reach], code=1, says=says)


def test_image_larger_than_the_topic_takes(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topic = make_topic("small", max_bytes=10_000)
    path = tmp_path / "noise.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8))
    command = ["produce", str(path), "--camera", "gate-1", "--topic", topic, "--bootstrap", kafka_bootstrap]
    refused(command, code=1, says=["gate-1", topic, "--size", "--max-bytes"])


def test_port_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused(["broker", "--port", str(port)], code=1, says=[str(port)])


def test_settings_that_contradict_each_other(tmp_path: Path) -> None:
    config = tmp_path / "framelane.toml"
    config.write_text('[kafka]\nsecurity = "mtls"\n')
    refused(["tail", "--config", str(config)], code=2, says=["framelane.toml", "cert and key"])
