"""Every command and every program in the README does what it is shown for."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from consumer_support import frame_of, publish
from kafka_support import cli_environ, drain, read_lines, run_cli, start_cli
from worker_support import JPEG

from framelane.embedded import EmbeddedKafka

README = Path(__file__).parents[2] / "README.md"
TEXT = README.read_text()
# These run until they are told to stop.
ENDLESS = ("broker", "produce", "work", "gateway", "tail", "view", "record")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def commands() -> list[str]:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [line.partition(" # ")[0].strip() for line in lines if line.startswith("framelane ")]


@pytest.fixture(scope="module")
def bootstrap() -> Iterator[str]:
    """A broker of its own: the README's commands use the topics' default names."""
    with EmbeddedKafka() as kafka:
        yield kafka.bootstrap


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, bootstrap: str) -> Path:
    """Where the commands run: with the topics made, and with the files that they name."""
    folder = tmp_path_factory.mktemp("readme")
    pipelines = next(block for block in blocks("toml") if "[[pipeline]]" in block)
    for name in ("pipelines.toml", "tonight.toml"):
        (folder / name).write_text(pipelines)
    (folder / "photo.jpg").write_bytes(JPEG)
    sources = {"drawn": "synthetic:", "shown": "photo.jpg"}
    tables = [f'[[camera]]\nid = "{name}"\nsource = "{source}"\nloop = true\n' for name, source in sources.items()]
    (folder / "cameras.toml").write_text("".join(tables))
    (folder / "photos").mkdir()
    (folder / "photos" / "photo.jpg").write_bytes(JPEG)
    operator = next(block for block in blocks("python") if "class Invert" in block)
    (folder / "my_operators.py").write_text(operator)
    assert run_cli(["topics", "create", "--bootstrap", bootstrap]).returncode == 0
    # For the commands that tell of what is there already.
    hops = dict.fromkeys(("received", "started", "processed"), time.time_ns())
    publish(bootstrap, "frames.processed", [frame_of("earlier", captured_at_ns=time.time_ns()).changed(hops=hops)])
    return folder


def test_the_readme_shows_every_part() -> None:
    shown = {command.split()[1] for command in commands()}
    assert {"broker", "topics", "produce", "work", "tail", "view", "record", "doctor", "gateway"} <= shown


@pytest.mark.parametrize("command", commands())
def test_a_command_runs_as_written(command: str, bootstrap: str, folder: Path) -> None:
    words = shlex.split(command)[1:]
    if words[0] == "broker":
        # As written but for the port, which may be taken here.
        words[words.index("--port") + 1] = "0"
    if words[0] == "gateway":
        words += ["--port", "-1", "--http-port", "-1"]
    if words[0] == "view":
        words += ["--port", "-1"]
    environ = cli_environ(KAFKA_BOOTSTRAP_SERVERS=bootstrap)
    process = subprocess.Popen(
        [sys.executable, "-m", "framelane", *words],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        out, err = process.communicate(timeout=8 if words[0] in ENDLESS else 60)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert words[0] in ENDLESS
        assert process.returncode == 130, err.decode()
    else:
        assert words[0] not in ENDLESS, err.decode()
        # What was live while the tests ran need not be what the replay has found.
        expected = (0, 1) if words[0] == "diff" else (0,)
        assert process.returncode in expected, out.decode() + err.decode()
        assert words[0] != "diff" or re.search(r"^(the same|different): \d+ and \d+ frames of", out.decode(), re.M)
    assert b"Traceback" not in err


def test_the_producer_script_and_the_subscriber(bootstrap: str, folder: Path) -> None:
    producer, subscriber = (
        next(block for block in blocks("python") if name in block).replace("localhost:9092", bootstrap)
        for name in ("CameraProducer", "subscribe(")
    )
    with start_cli(["work", "--op", "flip", "--group", "readme", "--bootstrap", bootstrap]) as worker:
        try:
            done = subprocess.run(
                [sys.executable, "-c", producer], capture_output=True, text=True, timeout=60, check=False
            )
            assert (done.returncode, done.stderr) == (0, "")
            done = subprocess.run(
                [sys.executable, "-c", subscriber], capture_output=True, text=True, timeout=60, check=False
            )
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.communicate(timeout=60)
    assert done.returncode == 0, done.stderr
    assert re.match(r"gate-1 \d+ \(\d+, \d+, 3\)", done.stdout)


def test_the_operator_is_found_and_inverts(bootstrap: str, folder: Path, tmp_path: Path) -> None:
    for name in ("readme.raw", "readme.inverted"):
        assert run_cli(["topics", "create", name, "--bootstrap", bootstrap]).returncode == 0
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(JPEG)
    assert (
        run_cli(
            ["produce", str(photo), "--camera", "a", "--topic", "readme.raw", "--bootstrap", bootstrap, "--no-status"]
        ).returncode
        == 0
    )
    arguments = ["work", "--op", "my_operators:Invert:strength=1.0", "--group", "readme-operator"]
    arguments += ["--input", "readme.raw", "--output", "readme.inverted", "--bootstrap", bootstrap]
    with start_cli(
        arguments, environ={"PYTHONPATH": f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    ) as worker:
        try:
            message = drain(bootstrap, "readme.inverted", count=1)[0]
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.communicate(timeout=60)
    path = tmp_path / "out.jpg"
    path.write_bytes(message.value() or b"")
    difference = cv2.absdiff(cv2.imread(str(path)), 255 - cv2.imread(str(photo)))
    assert difference.mean() < 5


def test_the_broker_prints_its_address_alone() -> None:
    with start_cli(["broker"]) as broker:
        try:
            (line,) = read_lines(broker, 1, timeout_s=60)
        finally:
            broker.send_signal(signal.SIGTERM)
            broker.communicate(timeout=60)
    assert re.fullmatch(r"127\.0\.0\.1:\d+", line)
