"""Records that stop other consumers: this one goes on, and says where they lie."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from kafka_support import drain
from worker_support import JPEG, SUPPORT, Fleet, identity, make_topics, send

MakeTopic = Callable[..., str]


def test_a_header_whose_name_is_not_utf8(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    topics = make_topics(make_topic, partitions=1)
    send(kafka_bootstrap, topics.raw, ["a"], 5)
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(JPEG)
    # In one batch with good ones on both sides, and two of them in a row.
    command = [sys.executable, str(SUPPORT / "odd_headers.py"), kafka_bootstrap, topics.raw, str(photo), ".xx.x."]
    subprocess.run(command, check=True, timeout=60, env={**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"})
    send(kafka_bootstrap, topics.raw, ["a"], 5, first=5)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", "flip")
        outputs = drain(kafka_bootstrap, topics.processed, count=13, timeout_s=60)
        letters = drain(kafka_bootstrap, topics.dead_letter, count=3, timeout_s=60)
        fleet.wait_for_commit({0: 16})
        assert worker.stop() == 0
    assert [identity(m)[2] for m in outputs if m.key() == b"a"] == list(range(10))
    assert {m.key() for m in outputs} == {b"a", b"b0", b"b3", b"b5"}
    headers = [dict(message.headers() or []) for message in letters]
    assert [each["dl_input"].decode() for each in headers] == [f"{topics.raw}/0/{offset}" for offset in (6, 7, 9)]
    assert {each["dl_reason"] for each in headers} == {b"bad_headers"}
    assert b"not UTF-8" in headers[0]["dl_error"]


def test_a_record_that_cannot_be_read_costs_none_of_the_other_partitions(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topics = make_topics(make_topic)
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(JPEG)
    pattern = "x.x.x.x.x.x."
    command = [sys.executable, str(SUPPORT / "odd_headers.py"), kafka_bootstrap, topics.raw, str(photo), pattern]
    subprocess.run(command, check=True, timeout=60, env={**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"})
    cameras = [f"camera-{n}" for n in range(8)]
    send(kafka_bootstrap, topics.raw, cameras, 3)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", "flip")
        outputs = drain(kafka_bootstrap, topics.processed, count=6 + 24, timeout_s=60)
        letters = drain(kafka_bootstrap, topics.dead_letter, count=6, timeout_s=60)
        assert worker.stop() == 0
    assert len({message.partition() for message in letters}) > 1, "the bad ones lie on several partitions"
    assert {message.key() for message in outputs if dict(message.headers() or [])["ce_source"]} == {
        *(f"b{n}".encode() for n in range(1, 12, 2)),
        *(camera.encode() for camera in cameras),
    }
    assert len(outputs) == 30


def test_a_time_that_the_output_topic_does_not_take(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topics = make_topics(make_topic, partitions=1)
    resource = ConfigResource(
        ResourceType.TOPIC,
        topics.raw,
        incremental_configs=[
            ConfigEntry("message.timestamp.after.max.ms", str(2**62), incremental_operation=AlterConfigOpType.SET)
        ],
    )
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    admin.incremental_alter_configs([resource])[resource].result()
    producer = Producer({"bootstrap.servers": kafka_bootstrap})
    in_a_week_ms = int((time.time() + 7 * 86400) * 1000)
    producer.produce(topics.raw, key="ahead", value=JPEG, timestamp=in_a_week_ms)
    producer.produce(topics.raw, key="on-time", value=JPEG)
    producer.flush()
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", "flip")
        outputs = drain(kafka_bootstrap, topics.processed, count=1, timeout_s=60)
        letters = drain(kafka_bootstrap, topics.dead_letter, count=1, timeout_s=60)
        fleet.wait_for_commit({0: 2})
        assert worker.stop() == 0
    assert [message.key() for message in outputs] == [b"on-time"]
    assert [message.key() for message in letters] == [b"ahead"]
    assert dict(letters[0].headers() or [])["dl_reason"] == b"undeliverable"
    assert letters[0].value() == JPEG


def test_a_record_whose_time_is_not_known(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    topics = make_topics(make_topic, partitions=1)
    producer = Producer({"bootstrap.servers": kafka_bootstrap})
    producer.produce(topics.raw, key="a", value=JPEG, timestamp=1)
    producer.flush()
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", "flip")
        message = drain(kafka_bootstrap, topics.processed, count=1, timeout_s=60)[0]
        assert worker.stop() == 0
    assert int(dict(message.headers() or [])["ce_capturedns"]) == 1_000_000
