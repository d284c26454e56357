"""The samples in other languages: made ready once, in build/languages, and run as a user runs them."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from confluent_kafka import Consumer, TopicPartition
from consumer_support import frame_of, picture
from kafka_support import cli_environ

from framelane.embedded.jars import KAFKA_VERSION, classpath
from streams.contract.frame import Frame

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "docs" / "subscribers"
BUILD = ROOT / "build" / "languages"
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A row of the README's table. command: makes the subscriber ready and returns how it is started, or skips.

    client: the client and its version. runtime: what runs it on this machine. keeps: whether it commits only what is
    written.
    """

    name: str
    command: Callable[[], list[str]]
    client: Callable[[], str]
    runtime: tuple[str, ...]
    samples: tuple[str, ...]
    keeps: bool = True


def javascript(script: str = "subscriber.mjs") -> list[str]:
    """`npm ci` on a copy of the sample, again when its lock file has changed."""
    return ["node", str(_packages() / script)]


@cache
def _packages() -> Path:
    _needs("node", "npm")
    folder, sample = BUILD / "javascript", SAMPLES / "javascript"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("subscriber.mjs", "producer.mjs", "package.json", "package-lock.json", ".npmrc"):
        shutil.copy(sample / name, folder / name)
    lock, made = (sample / "package-lock.json").read_text(), folder / "made-from"
    if not made.exists() or made.read_text() != lock:
        _run(["npm", "ci", "--no-audit", "--no-fund"], folder)
        made.write_text(lock)
    return folder


@cache
def go() -> list[str]:
    """`go build`, which keeps what it has built in a cache of its own."""
    _needs("go")
    program = BUILD / "subscriber-go"
    try:
        _run(["go", "build", "-buildvcs=false", "-o", str(program), "."], SAMPLES / "go")
    except AssertionError as error:
        if "go.mod requires go" in str(error) or "invalid go version" in str(error):
            pytest.skip(f"this Go is too old for the sample: {error}")
        raise
    return [str(program)]


@cache
def java() -> list[str]:
    """The source, run with the jars that the embedded Kafka has. The two flags: a short run starts sooner."""
    _needs("java", "javac")
    source = SAMPLES / "java" / "Subscriber.java"
    return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", classpath(), str(source)]


def kcat() -> list[str]:
    """The script as it is."""
    _needs("kcat", "bash")
    return [str(SAMPLES / "kcat" / "subscriber.sh")]


def _javascript_client() -> str:
    packages = json.loads((SAMPLES / "javascript" / "package-lock.json").read_text())["packages"]
    return f"`@platformatic/kafka` {packages['node_modules/@platformatic/kafka']['version']}"


def _go_client() -> str:
    found = re.search(r"github.com/twmb/franz-go v([0-9.]+)\n", (SAMPLES / "go" / "go.mod").read_text())
    assert found, "go.mod names no franz-go"
    return f"`franz-go` {found[1]}"


def _java_client() -> str:
    pom = (SAMPLES / "java" / "pom.xml").read_text()
    assert f"<version>{KAFKA_VERSION}</version>" in pom, f"pom.xml names another kafka-clients than {KAFKA_VERSION}"
    return f"`kafka-clients` {KAFKA_VERSION}"


def _kcat_client() -> str:
    found = re.search(r"Version ([0-9.]+)", _run(["kcat", "-V"]))
    assert found, "kcat does not say its version"
    return f"`kcat` {found[1]}"


LANGUAGES = (
    Language(
        name="JavaScript",
        command=javascript,
        client=_javascript_client,
        runtime=("node", "--version"),
        samples=("javascript/subscriber.mjs", "javascript/producer.mjs"),
    ),
    Language(name="Go", command=go, client=_go_client, runtime=("go", "version"), samples=("go/main.go",)),
    Language(
        name="Java", command=java, client=_java_client, runtime=("java", "--version"), samples=("java/Subscriber.java",)
    ),
    Language(
        name="Shell",
        command=kcat,
        client=_kcat_client,
        runtime=("bash", "--version"),
        samples=("kcat/subscriber.sh",),
        keeps=False,
    ),
)


def runtime_of(language: Language) -> str:
    """The first line that the language's runtime says of itself."""
    return _run(list(language.runtime)).splitlines()[0]


@contextmanager
def started(command: Sequence[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a sample in a process group of its own, as a terminal does; whatever is left of it is killed at the end."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=cli_environ(),
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                signal_all(process, signal.SIGKILL)


def signal_all(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    """Signal the sample and its children, as Ctrl-C in a terminal does."""
    os.killpg(process.pid, number)


def places_of(bootstrap: str, topic: str, group: str) -> dict[int, tuple[int, int]]:
    """For each partition of a topic: where the group goes on, and the end."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    try:
        partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
        committed = consumer.committed([TopicPartition(topic, each) for each in partitions], timeout=30)
        ends = {each: consumer.get_watermark_offsets(TopicPartition(topic, each), timeout=30)[1] for each in partitions}
        return {place.partition: (max(0, place.offset), ends[place.partition]) for place in committed}
    finally:
        consumer.close()


def frames_of(cameras: Iterable[str], numbers: Iterable[int]) -> list[Frame]:
    """Small frames whose gray level tells their number; the last of ten is a PNG."""
    frames = [frame_of(camera, number) for number in numbers for camera in cameras]
    return [_in_png(frame) if frame.sequence % 10 == 9 else frame for frame in frames]


def _in_png(frame: Frame) -> Frame:
    return frame.changed(data=picture(frame.sequence, content_type="image/png"), content_type="image/png")


def files_of(frames: Iterable[Frame]) -> dict[str, int]:
    """The files that frames become: path below the folder, and the frame's number."""
    return {f"{f.camera_id}/{f.epoch}-{f.sequence}{_SUFFIXES[f.content_type]}": f.sequence for f in frames}


def written(folder: Path) -> set[str]:
    """The files below a folder, without the script's unfinished one."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != ".part"}


def assert_written(folder: Path, files: dict[str, int]) -> None:
    """Just these files are there, and each opens as the picture that was published."""
    assert written(folder) == set(files)
    for name, number in files.items():
        image = cv2.imread(str(folder / name))
        assert image is not None, name
        assert np.abs(image.astype(int) - 10 * number % 250).max() <= 2, name


def _needs(*commands: str) -> None:
    for command in commands:
        if shutil.which(command) is None:
            pytest.skip(f"{command} is not installed")


def _run(command: list[str], folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr
