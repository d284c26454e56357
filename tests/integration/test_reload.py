"""Pipelines change while frames come in: none is lost or repeated, and each output says which one made it."""

import itertools
import signal
import socket
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from confluent_kafka import Message
from kafka_support import cli_environ, count_of, drain
from worker_support import (
    Backlog,
    Findings,
    Fleet,
    Topics,
    Worker,
    cameras_on_each_partition,
    findings,
    identity,
    make_topics,
    send,
)

from streams.pipeline_settings import load_pipelines

MakeTopic = Callable[..., str]
SLOW = '{ op = "trial_operators:Slow", ms = 3 }'


def table(topics: Topics, operators: Sequence[str], **more: object) -> str:
    """A [[pipeline]] on these topics."""
    given = {"name": "changing", "group": f"{topics.raw}-group", "input": topics.raw, "output": topics.processed}
    given |= {"events": topics.events, "dead_letter": topics.dead_letter} | more  # type: ignore[arg-type]
    lines = [f"{key} = {value!r}" for key, value in given.items()]
    return "\n".join(["[[pipeline]]", *lines, f"operators = [{', '.join(operators)}]", ""])


def put(path: Path, text: str) -> None:
    """Replace the file as a whole, as editors and deployments do."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)


def hang_up(worker: Worker, told: str) -> None:
    """Have the worker reload, and wait until it has said so once more."""
    before = worker.log.read_text().count(told)
    worker.process.send_signal(signal.SIGHUP)
    wait_for_count(worker, told, before + 1)


def wait_for_count(worker: Worker, text: str, count: int, *, timeout_s: float = 90) -> None:
    give_up = time.monotonic() + timeout_s
    while worker.log.read_text().count(text) < count:
        assert worker.process.poll() is None, worker.log.read_text()
        assert time.monotonic() < give_up, f"not {count} times {text!r} in {worker.log.read_text()}"
        time.sleep(0.05)


def label_of(message: Message) -> str:
    return dict(message.headers() or [])["ce_pipeline"].decode()


def labels_by_camera(messages: Sequence[Message]) -> dict[str, list[str]]:
    """The labels of each camera's outputs, in their order, each once for a run of frames."""
    found = defaultdict(list)
    for message in messages:
        found[identity(message)[0]].append(label_of(message))
    return {camera: [label for label, _ in itertools.groupby(labels)] for camera, labels in found.items()}


@pytest.fixture
def topics(make_topic: MakeTopic) -> Topics:
    return make_topics(make_topic)


class Changes:
    """A worker under a backlog, whose file is changed four times; what came out."""

    def __init__(self, bootstrap: str, topics: Topics, folder: Path, *, variant: str) -> None:
        path = folder / "pipelines.toml"
        cameras = cameras_on_each_partition(bootstrap, topics.raw, 4)
        memory = '{ op = "trial_operators:InOrder" }'
        versions = [
            table(topics, ['{ op = "resize", width = 160 }', SLOW]),
            table(topics, ['{ op = "resize", width = 80 }', SLOW]),
            table(topics, ['{ op = "resize", width = 80 }', SLOW], quality=40, frame_timeout_ms=4000),
            table(topics, ['{ op = "resize", width = 64 }', memory]),
            table(topics, ['{ op = "resize", width = 64 }', memory], quality=30),
        ]
        self.width: dict[str, int] = {}
        put(path, versions[0])
        with Fleet(bootstrap, folder, topics, variant=variant) as fleet:
            fleet.group = f"{topics.raw}-group"
            worker = fleet.start_file(path, "--threads", "3")
            with Backlog(bootstrap, topics, cameras) as backlog:
                for number, version in enumerate(versions):
                    put(path, version)
                    self.width[load_pipelines(path)[0].label] = (160, 80, 80, 64, 64)[number]
                    if number:
                        hang_up(worker, "goes on as")
                    # Every camera has outputs of this one before the next.
                    drain(bootstrap, topics.processed, until=self.is_in_use, timeout_s=120)
            ends = Counter(m.partition() or 0 for m in drain(bootstrap, topics.raw, count=44 + 4 * backlog.sent))
            fleet.wait_for_commit(dict(ends), timeout_s=120)
            assert worker.stop() == 0, worker.log.read_text()
            self.letters = drain(bootstrap, topics.dead_letter)
            self.outputs = drain(bootstrap, topics.processed)
            self.findings: Findings = findings(self.outputs, cameras, backlog.sent)
            self.cameras = cameras
        print(f"{variant}: {self.findings} among {len(self.outputs)} outputs of {len(self.width)} pipelines")

    def is_in_use(self, messages: list[Message]) -> bool:
        """Whether five frames of at least four cameras were made by the last version."""
        last = list(self.width)[-1]
        made = Counter(identity(message)[0] for message in messages if label_of(message) == last)
        return sum(count >= 5 for count in made.values()) >= 4


def test_a_pipeline_changes_and_no_frame_is_lost_repeated_or_mislabelled(
    kafka_bootstrap: str, topics: Topics, tmp_path: Path
) -> None:
    run = Changes(kafka_bootstrap, topics, tmp_path, variant="mended")
    assert (run.findings.lost, run.findings.repeated, run.findings.out_of_order) == (0, 0, 0)
    # An operator with memory refuses a frame that does not follow the one before.
    assert run.letters == []
    order = list(run.width)
    assert len(order) == 5
    for camera, labels in labels_by_camera(run.outputs).items():
        assert labels == [label for label in order if label in labels], camera
        assert labels == order or camera not in run.cameras
    for message in run.outputs:
        width = cv2.imdecode(np.frombuffer(message.value() or b"", np.uint8), cv2.IMREAD_UNCHANGED).shape[1]
        assert width == run.width[label_of(message)] == int(dict(message.headers() or [])["ce_width"])


def test_the_same_changes_are_caught_with_a_worker_that_drops_what_it_has_in_hand(
    kafka_bootstrap: str, topics: Topics, tmp_path: Path
) -> None:
    assert Changes(kafka_bootstrap, topics, tmp_path, variant="drop-at-swap").findings.lost > 0


def test_what_is_wrong_is_told_and_leaves_the_pipeline_as_it_was(
    kafka_bootstrap: str, topics: Topics, tmp_path: Path
) -> None:
    path = tmp_path / "pipelines.toml"
    good = table(topics, ['{ op = "resize", width = 160 }'])
    wrong = [
        (good.replace("-group", "-other"), ["pipelines.toml:3: pipeline[0].group", "while the pipeline runs"]),
        (good.replace("changing", "another"), ["pipelines.toml:2: pipeline[0].name", "cannot change its name"]),
        (good.replace(topics.dead_letter, topics.raw), ["pipelines.toml:7: pipeline[0].dead_letter"]),
        (good.replace("width", "wdith"), [":8: pipeline[0].operators[0].wdith is unknown; did you mean width?"]),
        (table(topics, ['{ op = "trial_operators:NoModel" }']), ["cannot be opened: OSError: no model there"]),
        (table(topics, ['{ op = "trial_operators:Exits" }']), ["cannot be opened: SystemExit: no licence"]),
        (table(topics, ['{ op = "trial_operators:Exits", when = "made" }']), ["not reloaded: SystemExit: no licence"]),
        ("[[pipeline", ["pipelines.toml:1: is not TOML"]),
    ]
    put(path, good)
    send(kafka_bootstrap, topics.raw, ["a", "b"], 10)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start_file(path)
        drain(kafka_bootstrap, topics.processed, count=20, timeout_s=60)
        for text, told in wrong:
            put(path, text)
            hang_up(worker, "goes on as it was")
            assert all(each in worker.log.read_text() for each in told), told
        path.unlink()
        hang_up(worker, "goes on as it was")
        assert "pipelines.toml: No such file" in worker.log.read_text()
        put(path, good)
        hang_up(worker, "is unchanged in")
        send(kafka_bootstrap, topics.raw, ["a", "b"], 10, first=10)
        outputs = drain(kafka_bootstrap, topics.processed, count=40, timeout_s=60)
        assert worker.stop() == 0, worker.log.read_text()
    assert {label_of(message) for message in outputs} == {load_pipelines(path)[0].label}
    assert findings(outputs, ["a", "b"], 20) == Findings(0, 0, 0)


def test_a_watched_file_is_taken_up_when_it_changes(kafka_bootstrap: str, topics: Topics, tmp_path: Path) -> None:
    """As Kubernetes changes a mounted ConfigMap: a folder behind a link is put in the place of another."""
    mount = tmp_path / "mount"
    mount.mkdir()
    (mount / "pipelines.toml").symlink_to("..data/pipelines.toml")

    def put_folder(number: int, text: str) -> None:
        (mount / f"..{number}").mkdir()
        (mount / f"..{number}" / "pipelines.toml").write_text(text)
        (mount / "..fresh").symlink_to(f"..{number}")
        (mount / "..fresh").replace(mount / "..data")

    text = table(topics, ['{ op = "resize", width = 160 }'])
    put_folder(1, text)
    send(kafka_bootstrap, topics.raw, ["a"], 5)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start_file(mount / "pipelines.toml", "--watch")
        drain(kafka_bootstrap, topics.processed, count=5, timeout_s=60)
        put_folder(2, text[:-20])
        wait_for_count(worker, "goes on as it was", 1)
        put_folder(3, text.replace("160", "80"))
        wait_for_count(worker, "goes on as changing@", 1)
        send(kafka_bootstrap, topics.raw, ["a"], 5, first=5)
        outputs = drain(kafka_bootstrap, topics.processed, count=10, timeout_s=60)
        assert worker.stop() == 0, worker.log.read_text()
        log = worker.log.read_text()
    # The file with the mistake was there for a while, and was told of once.
    assert log.count("not reloaded: ") == log.count("goes on as it was") == 1
    assert [int(dict(m.headers() or [])["ce_width"]) for m in outputs] == [160] * 5 + [80] * 5


def test_who_supervises_several_has_them_reload_and_starts_and_stops_what_comes_and_goes(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topics = make_topics(make_topic, partitions=1)
    outs = {name: make_topic(name, partitions=1) for name in ("first", "second", "third")}
    path = tmp_path / "pipelines.toml"

    def text(*names: str, width: int = 160) -> str:
        operators = [f'{{ op = "resize", width = {width} }}']
        more = {name: {"name": name, "group": f"{topics.raw}-{name}", "output": outs[name]} for name in names}
        return "".join(table(topics, operators, **more[name]) for name in names)

    def widths(name: str, count: int) -> list[int]:
        messages = drain(kafka_bootstrap, outs[name], count=count, timeout_s=90)
        return [int(dict(message.headers() or [])["ce_width"]) for message in messages]

    put(path, text("first", "second"))
    send(kafka_bootstrap, topics.raw, ["a"], 5)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start_file(path)
        assert widths("first", 5) == widths("second", 5) == [160] * 5
        # Nobody's pipeline changes for a mistake in one of them.
        put(path, text("first", "second", width=80).replace("second", "Second", 1))
        hang_up(worker, "all pipelines go on as they were")
        put(path, text("first", "third"))
        hang_up(worker, "all pipelines go on as they were")
        assert "cannot change its name while it runs" in worker.log.read_text()
        assert "goes on as" not in worker.log.read_text().replace("all pipelines go on as", "")

        put(path, text("first", "second", "third", width=80))
        hang_up(worker, "pipeline third is new in")
        wait_for_count(worker, "goes on as ", 2)
        assert widths("third", 5) == [80] * 5
        send(kafka_bootstrap, topics.raw, ["a"], 5, first=5)
        assert widths("first", 10) == widths("second", 10) == [160] * 5 + [80] * 5

        put(path, text("first", "third", width=80))
        hang_up(worker, "pipeline second is no longer in")
        wait_for_count(worker, "stopping: ", 1)
        send(kafka_bootstrap, topics.raw, ["a"], 5, first=10)
        assert (len(widths("first", 15)), len(widths("third", 15))) == (15, 15)
        assert worker.process.poll() is None
        assert worker.stop() == 0, worker.log.read_text()
    assert count_of(kafka_bootstrap, outs["second"]) == 10


def holds_back(pid: int, signum: signal.Signals) -> bool:
    """Whether the process's main thread has the signal blocked, or has a handler for it."""
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    bits = int(status["SigBlk"], 16) | int(status["SigCgt"], 16)
    return bool(bits & 1 << (signum - 1))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="what signals a process holds back is read in /proc")
def test_a_hangup_ends_no_worker_that_still_waits_for_kafka(tmp_path: Path) -> None:
    path = tmp_path / "pipelines.toml"
    path.write_text('[[pipeline]]\nname = "a"\n')
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        bootstrap = f"127.0.0.1:{nobody.getsockname()[1]}"
        command = [sys.executable, "-m", "framelane", "work", "--pipelines", str(path), "--wait", "3s"]
        with subprocess.Popen(
            [*command, "--bootstrap", bootstrap], stderr=subprocess.PIPE, env=cli_environ(), text=True
        ) as process:
            give_up = time.monotonic() + 60
            while not holds_back(process.pid, signal.SIGHUP):
                assert time.monotonic() < give_up
            while process.poll() is None:
                process.send_signal(signal.SIGHUP)
                time.sleep(0.01)
            assert process.stderr is not None
            assert "no broker answers" in process.stderr.read()
    assert process.returncode == 1


def test_a_quick_pipeline_says_that_there_is_nothing_to_reload_and_ends_when_it_is_told(
    kafka_bootstrap: str, topics: Topics, tmp_path: Path
) -> None:
    send(kafka_bootstrap, topics.raw, ["a"], 5)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", "flip")
        drain(kafka_bootstrap, topics.processed, count=5, timeout_s=60)
        hang_up(worker, "SIGHUP: there is nothing to reload")
        worker.process.send_signal(signal.SIGTERM)
        # Whatever it is at, and however near to its end.
        while worker.process.poll() is None:
            worker.process.send_signal(signal.SIGHUP)
            time.sleep(0.005)
        assert worker.process.returncode == 0, worker.log.read_text()
        assert "a: consumed 5, processed 5" in worker.log.read_text()
