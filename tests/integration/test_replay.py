"""A replay on a real Kafka: the same each time, each frame once, and what runs live is left alone."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from frame_support import picture
from kafka_support import cli_environ, create_topic, drain, run_cli, unique
from worker_support import SUPPORT

from streams.contract.frame import Frame
from streams.contract.headers import to_headers
from streams.contract.kafka_settings import PARTITIONER

MakeTopic = Callable[..., str]

PARTITIONS = 4
CAMERAS = [f"gate-{n}" for n in range(7)]
BEFORE, WITHIN, AFTER = 30, 120, 10
# The stretch lies an hour back, so that its times are those of the records and not of the test.
SINCE_S = time.time() - 3600
# What says when it was processed, and not what came of it.
TIMES = ("ce_receivedns", "ce_startedns", "ce_processedns", "dl_failedns")
OPERATORS = """
  {{ op = "resize", width = 32 }},
  {{ op = "trial_operators:Slow", ms = {ms} }},
  {{ op = "trial_operators:Misbehave", camera = "gate-6", how = "raise" }},
  {{ op = "motion", min_area = 0.001, history = 25 }},
  {{ op = "odd_operators:Counts", frames = 20 }},
  {{ op = "annotate" }},
"""


@dataclass(frozen=True)
class Past:
    """Frames of some cameras that lie on a topic, and the pipeline that is to be run over them."""

    bootstrap: str
    raw: str
    folder: Path

    def pipelines(self, *, ms: int = 2, **keys: str) -> Path:
        """A file with one pipeline."""
        path = self.folder / f"{unique('pipelines')}.toml"
        lines = {"name": '"night"', "input": f'"{self.raw}"', "max_fps": "20", "plan": "true"} | keys
        lines.setdefault("operators", f"[{OPERATORS.format(ms=ms)}]")
        path.write_text("\n".join(["[[pipeline]]", *(f"{key} = {value}" for key, value in lines.items()), ""]))
        return path

    def command(self, output: str, pipelines: Path, *more: str) -> list[str]:
        since, until = (_rfc3339(SINCE_S + at / 25) for at in (BEFORE - 0.5, BEFORE + WITHIN - 0.5))
        arguments = ["replay", "--pipelines", str(pipelines), "--output", output, "--bootstrap", self.bootstrap]
        return [*arguments, "--since", since, "--until", until, *more]


def _rfc3339(at_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_s)) + f".{int(at_s % 1 * 1e6):06d}Z"


def send(past: Past) -> None:
    """25 frames a second of each camera, now and then one that is no picture, and one of another camera."""
    producer = Producer({"bootstrap.servers": past.bootstrap, "partitioner": PARTITIONER, "linger.ms": 5})
    count = BEFORE + WITHIN + AFTER
    pictures = [_moving(n) for n in range(count)]
    for sequence in range(count):
        at_ms = round((SINCE_S + sequence / 25) * 1000)
        for camera in (*CAMERAS, "yard-1"):
            frame = Frame(
                camera_id=camera,
                epoch="e1",
                sequence=sequence,
                captured_at_ns=at_ms * 1_000_000,
                width=64,
                height=48,
                traceparent=f"00-{sequence + 1:032x}-00000000000000a1-01",
            )
            damaged = camera == "gate-3" and sequence % 17 == 5
            value = b"no picture" if damaged else pictures[sequence]
            producer.produce(past.raw, value, camera, headers=to_headers(frame), timestamp=at_ms)
        producer.poll(0)
    assert producer.flush(30) == 0


def _moving(sequence: int) -> bytes:
    image = picture(64, 48, seed=3).copy()
    image[10:20, sequence % 50 : sequence % 50 + 10] = 255 if sequence // 20 % 2 else 0
    return cv2.imencode(".jpg", image)[1].tobytes()


@pytest.fixture(scope="module")
def past(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Past:
    name = unique("raw")
    create_topic(kafka_bootstrap, name, partitions=PARTITIONS, config={"retention.ms": "-1"})
    made = Past(kafka_bootstrap, name, tmp_path_factory.mktemp("replay"))
    send(made)
    return made


@pytest.fixture(scope="module")
def first(past: Past) -> str:
    """The output of a replay that nobody has disturbed."""
    output = unique("replay")
    done = replay(past.command(output, past.pipelines()))
    assert done.returncode == 0, done.stderr
    return output


def replay(arguments: Sequence[str], **environ: str) -> "subprocess.CompletedProcess[str]":
    return run_cli(arguments, timeout_s=150, environ={"PYTHONPATH": str(SUPPORT)} | environ)


def start(arguments: Sequence[str], log: Path) -> "subprocess.Popen[bytes]":
    """Start a replay in a session of its own, with its stderr in a file."""
    with log.open("ab") as stderr:
        return subprocess.Popen(
            [sys.executable, "-m", "framelane", *arguments],
            stdin=subprocess.DEVNULL,
            stderr=stderr,
            env=cli_environ(PYTHONPATH=str(SUPPORT)),
            start_new_session=True,
        )


def committed(bootstrap: str, topic: str) -> list[Message]:
    """Every record that a reader of committed ones gets, in order within its partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": unique("reader"),
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
        consumer.assign([TopicPartition(topic, each, 0) for each in partitions])
        left, found, give_up = set(partitions), list[Message](), time.monotonic() + 60
        while left:
            assert time.monotonic() < give_up, f"{topic}: {left} have no end"
            for message in consumer.consume(500, timeout=0.5):
                if message.error() is None:
                    found.append(message)
                else:
                    left.discard(message.partition())
        return found
    finally:
        consumer.close()


def outcome(bootstrap: str, output: str) -> dict[str, dict[int, list[tuple[object, ...]]]]:
    """What a replay has published, by topic and partition, without what says when."""
    found: dict[str, dict[int, list[tuple[object, ...]]]] = {}
    for kind in ("", ".events", ".dead-letter"):
        each = found.setdefault(kind, {})
        for message in committed(bootstrap, output + kind):
            headers = [(name, value) for name, value in message.headers() or [] if name not in TIMES]
            each.setdefault(message.partition() or 0, []).append((message.key(), message.value(), headers))
    return found


def names(messages: Sequence[Message]) -> list[str]:
    return [dict(message.headers() or [])["ce_id"].decode() for message in messages]


def positions(bootstrap: str, group: str) -> dict[int, int]:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    answer = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=30)[group]
    return {tp.partition: tp.offset for tp in answer.result().topic_partitions if tp.offset >= 0}


def wait_for_progress(past: Past, output: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a part of the run is committed; fails where it has ended by then."""
    group, give_up = f"framelane-replay.{output}", time.monotonic() + 60
    begun: dict[int, int] = {}
    while not begun or positions(past.bootstrap, group) == begun:
        begun = begun or positions(past.bootstrap, group)
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < give_up, log.read_text()
        time.sleep(0.05)


def test_every_frame_of_the_stretch_is_published_once_and_none_besides(past: Past, first: str) -> None:
    found, letters = committed(past.bootstrap, first), committed(past.bootstrap, f"{first}.dead-letter")

    of_gates = {int(name.rpartition("/")[2]) for name in names(found) if name.startswith("gate-0/")}
    assert len(names(found)) == len(set(names(found)))
    assert min(of_gates) == BEFORE and max(of_gates) < BEFORE + WITHIN
    # 25 frames a second, thinned to 20.
    assert len(of_gates) == pytest.approx(WITHIN * 20 / 25, abs=2)
    assert {dict(letter.headers() or [])["dl_reason"] for letter in letters} == {b"operator_error", b"not_an_image"}
    assert {(message.key() or b"").decode() for message in found} == {*CAMERAS, "yard-1"} - {"gate-6"}


def test_frames_lie_where_they_lay_and_say_of_what_they_were_made(past: Past, first: str) -> None:
    raw = {f"{past.raw}/{each.partition()}/{each.offset()}": each for each in drain(past.bootstrap, past.raw)}

    for message in committed(past.bootstrap, first):
        headers = dict(message.headers() or [])
        source = raw[headers["ce_input"].decode()]
        assert (message.key(), message.partition()) == (source.key(), source.partition())
        assert headers["ce_source"] == b"/pipelines/night"
        assert headers["ce_id"] == dict(source.headers() or [])["ce_id"]
        assert headers["traceparent"] == dict(source.headers() or [])["traceparent"]
        # Dated now: as old as the frame, it might be deleted before anybody has read it.
        assert message.timestamp()[1] > SINCE_S * 1000 + 1_800_000


def test_memories_have_seen_the_frames_before_the_stretch(past: Past, first: str) -> None:
    counted = [
        json.loads(message.value() or b"")
        for message in committed(past.bootstrap, f"{first}.events")
        if message.key() == b"gate-0"
    ]

    seen = [event["data"]["seen"] for event in counted if event["type"] == "count"]
    # As many as the pipeline looks back on, which is `history` of its motion.
    assert seen[0] == 26
    assert seen == list(range(26, 26 + len(seen)))
    assert any(event["type"] == "motion" for event in counted)


@pytest.mark.parametrize("environ", [{}, {"OPENCV_FOR_THREADS_NUM": "3", "OMP_NUM_THREADS": "3"}])
def test_it_is_the_same_each_time_whatever_threads_there_are(
    past: Past, first: str, environ: Mapping[str, str]
) -> None:
    output = unique("replay")

    done = replay(past.command(output, past.pipelines(plan="false"), "--threads", "3"), **environ)

    assert done.returncode == 0, done.stderr
    assert outcome(past.bootstrap, output) == outcome(past.bootstrap, first)


def test_it_is_the_same_by_three_processes_of_which_one_is_killed(past: Past, first: str, tmp_path: Path) -> None:
    output, log = unique("replay"), tmp_path / "log"
    pipelines = past.pipelines(ms=2)
    command = past.command(output, pipelines, "--threads", "1", "--run-id", output)
    parts = [start([*command, "--part"] if n else command, log) for n in range(3)]
    try:
        wait_for_progress(past, output, parts[0], log)
        os.kill(parts[1].pid, signal.SIGKILL)
        codes = [part.wait(120) for part in parts]
    finally:
        for part in parts:
            part.kill()

    assert codes == [0, -signal.SIGKILL, 0], log.read_text()
    assert outcome(past.bootstrap, output) == outcome(past.bootstrap, first)


def test_it_is_the_same_by_processes_that_one_command_starts(past: Past, first: str) -> None:
    output = unique("replay")

    done = replay(past.command(output, past.pipelines(), "--processes", "3", "--json"))

    assert done.returncode == 0, done.stderr
    assert outcome(past.bootstrap, output) == outcome(past.bootstrap, first)
    sums = json.loads(done.stdout)
    assert sums["done"] and sums["frames"] == sums["of"] == WITHIN * 8
    letters = sum(sums["dead_letters"].values())
    assert sums["processed"] + sums["filtered"] + letters == sums["frames"]
    assert sums["processed"] == len(committed(past.bootstrap, output))
    assert letters == len(committed(past.bootstrap, f"{output}.dead-letter"))
    assert sums["events"] == len(committed(past.bootstrap, f"{output}.events"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_it_goes_on_as_if_it_had_never_ended(
    past: Past, first: str, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    output, log = unique("replay"), tmp_path / "log"
    # The commit's interval is a second, and a run takes several.
    command = past.command(output, past.pipelines(ms=2), "--threads", "1")
    with start(command, log) as process:
        try:
            wait_for_progress(past, output, process, log)
            process.send_signal(number)
            assert process.wait(60) == code, log.read_text()
        finally:
            process.kill()
    # One that was killed leaves a transaction open, and this reads up to there.
    before = names(committed(past.bootstrap, output))

    done = replay([*command, "--json"])

    assert done.returncode == 0, done.stderr
    assert 0 < len(before) < len(committed(past.bootstrap, first))
    assert "of which" in done.stderr
    assert outcome(past.bootstrap, output) == outcome(past.bootstrap, first)
    assert json.loads(done.stdout)["frames"] == WITHIN * 8


def test_without_memory_too_the_same_frames_are_thinned_out(past: Past, first: str, tmp_path: Path) -> None:
    output, log = unique("replay"), tmp_path / "log"
    pipelines = past.pipelines(operators='[{ op = "trial_operators:Slow", ms = 4 }]')
    command = past.command(output, pipelines, "--threads", "1", "--cameras", "!gate-6")
    with start(command, log) as process:
        try:
            wait_for_progress(past, output, process, log)
        finally:
            process.kill()

    done = replay(command)

    assert done.returncode == 0, done.stderr
    assert sorted(names(committed(past.bootstrap, output))) == sorted(names(committed(past.bootstrap, first)))


@pytest.mark.parametrize(
    ("operators", "told"),
    [
        ('[{ op = "trial_operators:Slow", ms = 4 }]', "deleted by retention before they were read"),
        ('[{ op = "trial_operators:Slow", ms = 4 }, { op = "odd_operators:Counts" }]', "are not retained any more"),
    ],
)
def test_what_retention_has_deleted_is_told(kafka_bootstrap: str, tmp_path: Path, operators: str, told: str) -> None:
    name, output, log = unique("raw"), unique("replay"), tmp_path / "log"
    create_topic(kafka_bootstrap, name, partitions=PARTITIONS, config={"retention.ms": "-1"})
    past = Past(kafka_bootstrap, name, tmp_path)
    send(past)
    command = past.command(output, past.pipelines(operators=operators), "--threads", "1")
    with start(command, log) as process:
        try:
            wait_for_progress(past, output, process, log)
        finally:
            process.terminate()
    # Without a partition that has none of the cameras.
    places = positions(kafka_bootstrap, f"framelane-replay.{output}")
    reached = {partition: offset for partition, offset in places.items() if offset}
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    # Three frames further than the run has come.
    deleted = admin.delete_records([TopicPartition(name, each, offset + 3) for each, offset in reached.items()])
    for each in deleted.values():
        each.result(timeout=30)

    done = replay([*command, "--json"])

    assert done.returncode == 1, done.stderr
    assert told in done.stderr
    if "Counts" not in operators:
        sums = json.loads(done.stdout)
        assert sums["deleted"] == 3 * len(reached)
        assert (
            sums["processed"] + sums["filtered"] + sum(sums["dead_letters"].values()) + sums["deleted"]
            == sums["frames"]
        )


def test_one_that_was_paused_writes_nothing_that_another_has_done(past: Past, first: str, tmp_path: Path) -> None:
    output, log = unique("replay"), tmp_path / "log"
    command = past.command(output, past.pipelines(ms=2), "--threads", "1")
    with start(command, log) as paused:
        try:
            wait_for_progress(past, output, paused, log)
            paused.send_signal(signal.SIGSTOP)
            done = replay(command)
            paused.send_signal(signal.SIGCONT)
            assert paused.wait(60) == 0, log.read_text()
        finally:
            paused.kill()

    assert done.returncode == 0, done.stderr
    assert outcome(past.bootstrap, output) == outcome(past.bootstrap, first)


def test_what_is_done_is_not_done_again(past: Past, first: str) -> None:
    before = outcome(past.bootstrap, first)

    done = replay(past.command(first, past.pipelines()))

    assert done.returncode == 0
    assert "done" in done.stderr
    assert outcome(past.bootstrap, first) == before


def test_what_runs_live_is_left_alone(past: Past, make_topic: MakeTopic) -> None:
    live, events, dead, group = make_topic("processed"), make_topic("events"), make_topic("dead"), unique("group")
    keys = {"output": live, "events": events, "dead_letter": dead, "group": group}
    pipelines = past.pipelines(operators='[{ op = "flip" }]', **{key: f'"{value}"' for key, value in keys.items()})
    place = TopicPartition(past.raw, 0, 7)
    member = Consumer({"bootstrap.servers": past.bootstrap, "group.id": group})
    member.commit(offsets=[place], asynchronous=False)
    member.close()

    done = replay(past.command(unique("replay"), pipelines, "--cameras", "gate-*", "--cameras", "!gate-6"))

    assert done.returncode == 0, done.stderr
    assert f"{WITHIN * 2} of other cameras" in done.stderr
    assert positions(past.bootstrap, group) == {0: 7}
    assert [drain(past.bootstrap, topic) for topic in (live, events, dead)] == [[], [], []]


def test_an_output_that_the_topic_does_not_take_is_a_dead_letter(past: Past, make_topic: MakeTopic) -> None:
    output = make_topic("small", partitions=PARTITIONS, max_bytes=2000)
    pipelines = past.pipelines(operators='[{ op = "resize", width = 640, height = 480 }]', max_fps="1")

    done = replay(past.command(output, pipelines, "--cameras", "gate-0"))

    assert done.returncode == 0, done.stderr
    assert "output_too_large 5" in done.stderr
    letters = committed(past.bootstrap, f"{output}.dead-letter")
    assert [dict(letter.headers() or [])["dl_reason"] for letter in letters] == [b"output_too_large"] * len(letters)
    assert len(letters) == 5 and all(letter.value() for letter in letters)


def test_other_terms_are_no_way_to_go_on(past: Past, first: str) -> None:
    done = replay(past.command(first, past.pipelines(), "--cameras", "gate-1"))

    assert done.returncode == 2
    assert f"run {first}: was begun with --cameras '', and now 'gate-1'" in done.stderr


def test_a_topic_with_records_of_others_is_refused(past: Past, first: str) -> None:
    done = replay(past.command(first, past.pipelines(), "--run-id", unique("run")))

    assert done.returncode == 1
    assert f"topic {first} holds records that are not of run" in done.stderr


def test_a_topic_with_other_partitions_is_refused(past: Past, make_topic: MakeTopic) -> None:
    output = make_topic("three", partitions=3)

    done = replay(past.command(output, past.pipelines()))

    assert done.returncode == 1
    assert f"topic {output} has 3 partitions, and {past.raw} has {PARTITIONS}" in done.stderr


def test_a_run_whose_topic_is_gone_is_not_done(past: Past) -> None:
    output = unique("replay")
    command = past.command(output, past.pipelines(operators="[]"))
    assert replay(command).returncode == 0
    admin = AdminClient({"bootstrap.servers": past.bootstrap})
    admin.delete_topics([output])[output].result(timeout=30)

    done = replay(command)

    assert done.returncode == 1
    assert f"its topic {output} is gone" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--pipeline", "day"], 2, "--pipeline 'day': expected one of those in"),
        (["--until", "+1h"], 2, "lies ahead"),
        (["--since", "-1h", "--until", "-2h"], 2, "nothing lies between"),
        (["--since", "yesterday"], 2, "expected now, -10m"),
        (["--output", "frames.processed"], 2, "topic frames.processed: is the output of pipeline 'night'"),
        (["--events", "frames.events"], 2, "topic frames.events: is the events of pipeline 'night'"),
        (["--input", "no.such.topic", "--wait", "0s"], 1, "no topic no.such.topic"),
        (["--run-id", "a b"], 2, "--run-id 'a b'"),
        (["--cameras", "!"], 2, "camera '!'"),
    ],
)
def test_wrong_arguments(past: Past, arguments: list[str], code: int, told: str) -> None:
    done = replay([*past.command(unique("replay"), past.pipelines()), *arguments])

    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stage_that_waits_for_programs_elsewhere_is_refused(past: Past) -> None:
    pipelines = past.pipelines(operators='[{ op = "remote", listen = "127.0.0.1:0" }]')

    done = replay(past.command(unique("replay"), pipelines))

    assert done.returncode == 2
    assert "operator 0, remote: waits for programs elsewhere" in done.stderr
