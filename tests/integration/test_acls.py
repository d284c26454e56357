"""The rights of `framelane acls print` on the secured broker: each is needed, and whoever lacks one is told which."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from threading import Timer

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from kafka_support import run_cli, start_cli, unique
from roles_support import (
    CAMERA,
    Config,
    add_acls,
    dead_letter,
    diff_command,
    done,
    remove_acls,
    replay_command,
    replayed_and_compared,
    running,
    shadow_command,
    shadowed,
)

from framelane.acls import ROLES, Right, rights_of
from framelane.embedded import EmbeddedKafka
from streams.contract.kafka_settings import load_kafka_settings

WAIT = ["--wait", "5s"]
WORK = ["work", "--op", "flip", "--metrics-port", "0"]
# Whoever makes topics has the same three rights on each: one that nobody else uses here stands for all.
ONE = "frames.replies"
NEEDED = [
    (role, right)
    for role in ROLES
    for right in rights_of(role)
    if right.needed and (role != "topics" or right.name == ONE)
    # Beside a shadow there is a worker, with its rights.
    if role != "shadow" or right not in rights_of("worker")
]
REPLAYED = "frames.replay.compared"


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """With topics, frames of a camera, and a dead letter."""
    with EmbeddedKafka(secure=True) as kafka:
        done(["topics", "create"], kafka.config_of("topics"))
        done(["topics", "create", "frames.requests", ONE], kafka.config_of("topics"))
        done(CAMERA, kafka.config_of("producer"))
        with running(WORK, kafka.config_of("worker")):
            dead_letter(kafka.config_of)
        done(replay_command(tmp_path_factory.mktemp("replay"), REPLAYED), kafka.config_of("replay"))
        yield kafka


def said(command: list[str], *, code: int) -> str:
    """What a command has said of what is wrong; what became of each dead letter is on stdout."""
    if "--shadow" in command:
        return said_of_a_shadow(command)
    found = run_cli(command, timeout_s=90)
    assert found.returncode == code, found.stdout + found.stderr
    if command[0] == "status":
        return " ".join(f"{each['what']} {each['mend']}" for each in json.loads(found.stdout)["findings"])
    return found.stderr + found.stdout


def said_of_a_shadow(command: list[str]) -> str:
    """What is told of a shadow that cannot start, while its worker goes on."""
    told = ""
    with start_cli(command) as process:
        assert process.stderr is not None
        watchdog = Timer(60, process.kill)
        watchdog.start()
        try:
            for line in iter(process.stderr.readline, b""):
                told += line.decode()
                if "-shadow ended with 1; starting again" in told:
                    break
        finally:
            watchdog.cancel()
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
    assert process.returncode == 0, told
    return told


def read(consumer: Consumer) -> KafkaError:
    """What is wrong with the next thing that comes: nothing may come that is right."""
    message = consumer.poll(20)
    assert message is not None, "neither a record nor an error"
    error = message.error()
    assert error is not None
    return error


def admin_of(kafka: EmbeddedKafka) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka.nodes[0].internal})


def command_of(role: str, right: Right, folder: Path) -> list[str]:
    """What somebody with this role does for which this right is needed."""
    tail = ["tail", "--since", "-10m", "--count", "1", "--topic", right.name]
    record = ["record", "--to", str(folder / "out"), "--since", "-10m", "--count", "1", "--group", right.name]
    redrive = ["dead-letters", "redrive", "--again", "--yes"]
    return {
        "producer": CAMERA,
        "worker": WORK,
        "subscriber": tail if right.kind == "topic" else record,
        "view": ["view", "--port", "-1"],
        "gateway": ["gateway", "--port", "-1", "--http-port", "-1"],
        "status": ["status", "--json", "--group", "framelane.quick"],
        "dead-letters": redrive,
        "topics": ["topics", "create", ONE],
        "replay": replay_command(folder, f"frames.replay.{unique('night')}"),
        "diff": diff_command(REPLAYED),
        "shadow": shadow_command(folder, unique("trial")),
    }[role]


@pytest.mark.parametrize(
    ("role", "right"), NEEDED, ids=[f"{role}-{right.operation}-{right.name}" for role, right in NEEDED]
)
def test_whoever_lacks_one_is_told_which(secure: EmbeddedKafka, tmp_path: Path, role: str, right: Right) -> None:
    admin = admin_of(secure)
    makes_one = (role, right.operation) == ("topics", "Create")
    if makes_one:
        admin.delete_topics([ONE])[ONE].result()
    remove_acls(admin, role, [right])
    # Whoever is at work reports what it reads; that is what the status then has no right to.
    beside = running(WORK, secure.config_of("worker")) if role == "status" else nullcontext()
    command = [*command_of(role, right, tmp_path), "--config", str(secure.config_of(role)), *WAIT]
    try:
        with beside:
            told = said(command, code=0 if role == "status" else 1)
            give_up = time.monotonic() + 60
            while role == "status" and not (right.name in told and right.operation in told):
                assert time.monotonic() < give_up, told
                told = said(command, code=0)
    finally:
        add_acls(admin, role, [right])
        if makes_one:
            done(["topics", "create", ONE], secure.config_of("topics"))
    assert right.name in told
    # What else would do is no answer.
    told = told.replace("which Read and Write have in them", "")
    assert right.operation in told
    assert "Traceback" not in told


@pytest.mark.parametrize("what", [replayed_and_compared, shadowed])
def test_no_more_is_needed(secure: EmbeddedKafka, tmp_path: Path, what: Callable[[Config, Path], None]) -> None:
    # What the other roles do is in test_security.py.
    what(secure.config_of, tmp_path)


def test_nobody_may_do_more_than_the_table_says(secure: EmbeddedKafka) -> None:
    config = secure.config_of("producer")
    for arguments in (["tail", "--since", "-10m", "--count", "1"], ["topics", "create", "frames.mine"]):
        found = run_cli([*arguments, "--config", str(config), *WAIT])
        assert found.returncode == 1
        assert "producer has no right to it" in found.stderr


def test_a_cameras_user_can_neither_write_to_the_output_nor_read(secure: EmbeddedKafka) -> None:
    kafka = load_kafka_settings(config=secure.config_of("producer"), environ={})
    answers: list[KafkaError | None] = []
    producer = Producer(kafka.for_confluent(log_level=0))
    for topic in ("frames.processed", "frames.events", "frames.dead-letter", "frames.raw"):
        producer.produce(topic, key="gate-1", value=b"x", on_delivery=lambda error, _: answers.append(error))
        assert producer.flush(20) == 0
    denied = [each and each.code() for each in answers]
    assert denied == [*[KafkaError.TOPIC_AUTHORIZATION_FAILED] * 3, None]
    consumer = Consumer(kafka.for_confluent(log_level=0, **{"group.id": "producer"}))
    try:
        for topic in ("frames.raw", "frames.status"):
            consumer.assign([TopicPartition(topic, 0, 0)])
            # It may be told of the group first, to which it has no right either.
            while (code := read(consumer).code()) != KafkaError.TOPIC_AUTHORIZATION_FAILED:
                assert code == KafkaError.GROUP_AUTHORIZATION_FAILED, topic
        # Of what it cannot write either it does not even learn that it is there.
        with pytest.raises(KafkaException, match=r"Unknown partition|authorization failed"):
            consumer.get_watermark_offsets(TopicPartition("frames.processed", 0), timeout=20)
    finally:
        consumer.close()


def test_a_subscriber_cannot_take_a_pipelines_frames(secure: EmbeddedKafka, tmp_path: Path) -> None:
    record = ["record", "--to", str(tmp_path / "out"), "--group", "framelane.quick", "--count", "1", "--since", "-10m"]
    found = run_cli([*record, "--config", str(secure.config_of("subscriber")), *WAIT])
    assert found.returncode == 1
    assert "group 'framelane.quick': no right to use it; grant Read on it" in found.stderr
