"""`framelane status`, against groups that real workers serve, have left, or never had."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from kafka_support import run_cli, unique
from worker_support import Fleet, make_topics, send

from consumers.status_board import StatusBoard
from framelane.admin_client import AdminConnection
from framelane.group_report import read_groups
from framelane.status_report import read_status
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.status import Status, encode_status

CAMERAS = ["status-a", "status-b"]


@pytest.fixture(autouse=True)
def reports(kafka_bootstrap: str) -> None:
    """Other tests may have made the topic that all workers report on."""
    assert run_cli(["topics", "create", "frames.status", "--bootstrap", kafka_bootstrap]).returncode == 0


def status_of(fleet: Fleet) -> dict[str, Any]:
    """The status as JSON, with `pipeline`, `workers` and `cameras` of this fleet only."""
    done = run_cli(["status", "--json", "--bootstrap", fleet.bootstrap])
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    pipeline = next((each for each in found["pipelines"] if each["group"] == fleet.group), None)
    name = pipeline and pipeline["name"]
    return found | {
        "pipeline": pipeline,
        "workers": [each for each in found["workers"] if each["group"] == fleet.group],
        "cameras": [each for each in found["cameras"] if each["pipeline"] == name],
        "findings": [each for each in found["findings"] if fleet.group in each["what"]],
    }


def wait_for(fleet: Fleet, reached: Callable[[dict[str, Any]], bool], *, timeout_s: float = 60) -> dict[str, Any]:
    give_up = time.monotonic() + timeout_s
    while not reached(found := status_of(fleet)):
        assert time.monotonic() < give_up, json.dumps(found, indent=2)
    return found


@pytest.fixture
def fleet(kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(kafka_bootstrap, tmp_path, make_topics(make_topic), status=True) as fleet:
        yield fleet


def test_a_worker_that_keeps_up_and_then_stops_while_frames_wait(fleet: Fleet) -> None:
    worker = fleet.start("--op", "flip")
    fleet.wait_for_members(1)
    send(fleet.bootstrap, fleet.topics.raw, CAMERAS, 20)
    found = wait_for(fleet, lambda s: s["pipeline"]["processed"] == 40 and s["pipeline"]["lag"] == 0)
    assert found["pipeline"]["state"] == "stable"
    assert len(found["pipeline"]["members"]) == 1
    assert len(found["pipeline"]["partitions"]) == 4
    assert (found["pipeline"]["unowned"], found["pipeline"]["lag_s"]) == ([], 0)
    assert found["pipeline"]["age_p99_ms"] > 0
    assert [each["state"] for each in found["workers"]] == ["running"]
    assert [(each["camera"], each["processed"]) for each in found["cameras"]] == [(c, 20) for c in CAMERAS]
    assert found["findings"] == []

    assert worker.stop() == 0
    before = time.time()
    send(fleet.bootstrap, fleet.topics.raw, CAMERAS, 15)
    sent = time.time()
    found = status_of(fleet)
    pipeline = found["pipeline"]
    assert (pipeline["state"], pipeline["members"], pipeline["lag"]) == ("empty", [], 30)
    asked = found["at_ns"] / 1e9
    # Records carry their time in whole milliseconds.
    assert asked - sent - 0.002 <= pipeline["lag_s"] <= asked - before + 0.002
    assert len(pipeline["unowned"]) == 4
    assert [each["state"] for each in found["workers"]] == ["stopped"]
    assert [each["what"].partition(",")[0] for each in found["findings"]] == [f"group {fleet.group} has no worker"]

    table = run_cli(["status", "--bootstrap", fleet.bootstrap, "--partitions", "--cameras"])
    assert (table.returncode, table.stderr) == (0, "")
    assert f"group {fleet.group} has no worker, and 30 frames wait" in table.stdout


def test_a_worker_that_is_killed_is_silent_and_one_that_takes_over_is_not(fleet: Fleet) -> None:
    killed = fleet.start("--op", "flip")
    fleet.start("--op", "flip")
    fleet.wait_for_members(2)
    wait_for(fleet, lambda s: [each["state"] for each in s["workers"]] == ["running", "running"])
    killed.kill()
    found = wait_for(fleet, lambda s: sorted(each["state"] for each in s["workers"]) == ["running", "silent"])
    silent = next(each for each in found["workers"] if each["state"] == "silent")
    assert silent["instance"].endswith(f"-{killed.process.pid}")
    assert silent["seen_s"] > 6
    found = wait_for(fleet, lambda s: s["pipeline"]["state"] == "stable" and not s["pipeline"]["unowned"])
    assert len(found["pipeline"]["members"]) == 1
    silence = [each for each in found["findings"] if silent["instance"] in each["what"]]
    assert len(silence) == 1
    assert "others have its partitions now" in silence[0]["mend"]


def test_frames_that_were_deleted_before_they_were_read_are_counted(
    kafka_bootstrap: str, make_topic: Callable[..., str]
) -> None:
    topic, group, other = make_topic(partitions=1), unique("group"), unique("group")
    send(kafka_bootstrap, topic, ["a"], 8)
    for each, offset in ((group, 2), (other, 6)):
        consumer = Consumer({"bootstrap.servers": kafka_bootstrap, "group.id": each})
        consumer.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
        consumer.close()
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    for answer in admin.delete_records([TopicPartition(topic, 0, 5)]).values():
        answer.result(timeout=30)

    connection = AdminConnection(KafkaSettings(bootstrap=kafka_bootstrap))
    absent = unique("absent")
    found = read_groups(connection, {group: [], other: [topic, absent], absent: []}, now_ns=time.time_ns())

    first, second = found[group].partitions[0], found[other].partitions[0]
    assert (first.committed, first.end, first.lag, first.expired, first.member) == (2, 8, 3, 3, "")
    assert (second.committed, second.end, second.lag, second.expired) == (6, 8, 2, 0)
    assert first.lag_s is not None and second.lag_s is not None
    assert 0 < second.lag_s <= first.lag_s
    assert found[other].absent_topics == (absent,)
    assert (found[absent].state, found[absent].partitions) == ("absent", ())


def test_without_the_topic_of_reports_the_broker_is_asked_all_the_same(
    kafka_bootstrap: str, make_topic: Callable[..., str]
) -> None:
    topic, group = make_topic(partitions=1), unique("group")
    send(kafka_bootstrap, topic, ["a"], 3)
    consumer = Consumer({"bootstrap.servers": kafka_bootstrap, "group.id": group})
    consumer.commit(offsets=[TopicPartition(topic, 0, 1)], asynchronous=False)
    consumer.close()
    kafka = KafkaSettings(bootstrap=kafka_bootstrap)
    board = StatusBoard(kafka, topic=unique("no-status"))
    try:
        report = read_status(AdminConnection(kafka), board, groups=[group])
    finally:
        board.close()
    assert "framelane topics create" in report.no_reports
    assert [each.lag for each in report.pipelines if each.group == group] == [2]


def test_rates_are_not_taken_over_moments_nor_across_a_restart(
    kafka_bootstrap: str, make_topic: Callable[..., str]
) -> None:
    topic = make_topic("status", partitions=1)
    producer = Producer({"bootstrap.servers": kafka_bootstrap})

    def put(instance: str, started_s: int, *at_s: float) -> None:
        for each in at_s:
            report = Status(
                role="worker",
                instance=instance,
                version="1",
                started_ns=started_s * 10**9,
                reported_ns=int(each * 1e9),
                state="running",
            )
            producer.produce(topic, key=report.key, value=encode_status(report))

    # Reports come at once when partitions come or go; and a container's only process has the same name each time.
    put("steady", 1, 10, 12, 12.1, 12.2)
    put("again", 1, 10, 12)
    put("again", 13, 14)
    producer.produce(topic, key="worker/odd", value=b"no report")
    assert producer.flush(30) == 0
    board = StatusBoard(KafkaSettings(bootstrap=kafka_bootstrap), topic=topic)
    try:
        board.catch_up(30)
        found = {
            last.instance: (last.reported_ns / 1e9, before and before.reported_ns / 1e9)
            for last, before in board.last()
        }
        assert found == {"steady": (12.2, 10.0), "again": (14.0, None)}
        put("again", 13, 16)
        assert producer.flush(30) == 0
        board.catch_up(30)
        assert [before and before.reported_ns / 1e9 for last, before in board.last() if last.instance == "again"] == [
            14.0
        ]
    finally:
        board.close()


def test_the_wrong_thing_typed() -> None:
    away = run_cli(["status", "--bootstrap", "127.0.0.1:1", "--wait", "300ms"])
    assert (away.returncode, "no broker answers at 127.0.0.1:1" in away.stderr, away.stdout) == (1, True, "")
    often = run_cli(["status", "--watch", "0s"])
    assert (often.returncode, "--watch '0s'" in often.stderr) == (2, True)
