"""The contract's documents on the real thing: what producers and workers write keeps to them; AsyncAPI takes them."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import Message, Producer
from gateway_support import PipelineFile
from golden import ROOT, wrongs
from jsonschema import Draft7Validator
from kafka_support import drain, run_cli
from worker_support import JPEG, Fleet, make_topics

SPECS = "@asyncapi/specs@6.11.1"
CAMERA = "contract-gate"


def asyncapi() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text(encoding="utf-8"))
    return document


def wrong(told: dict[str, Any], instance: Any) -> list[str]:
    """What the schemas that a message's headers or payload refer to find wrong."""
    schemas = [Path(each["$ref"]).name for each in told.get("allOf", [told])]
    return [each for schema in schemas for each in wrongs(schema, instance)]


def having(header: str, records: Iterable[Message]) -> list[Message]:
    """Those that have this header."""
    return [record for record in records if header in dict(record.headers() or [])]


def assert_kept(name: str, records: list[Message]) -> None:
    """All of them keep to a message of the AsyncAPI document: key, headers, and value where that is JSON."""
    message = asyncapi()["components"]["messages"][name]
    key = Draft7Validator(message["bindings"]["kafka"]["key"])
    assert records
    for record in records:
        key.validate((record.key() or b"").decode())
        headers = {header: (value or b"").decode() for header, value in record.headers() or []}
        if "headers" in message:
            assert set(message["headers"].get("required", [])) <= headers.keys()
            assert wrong(message["headers"], headers) == [], headers
        if message["contentType"] == "application/json":
            value = json.loads(record.value() or b"")
            assert wrong(message["payload"], value) == [], value


def test_what_a_producer_and_a_worker_write_keeps_to_the_contract(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    # Other tests may have made the topic that all parts report on.
    assert run_cli(["topics", "create", "frames.status", "--bootstrap", kafka_bootstrap]).returncode == 0
    topics = make_topics(make_topic)
    with Fleet(kafka_bootstrap, tmp_path, topics, status=True) as fleet:
        worker = fleet.start("--op", "motion:warmup=2")
        source = ["produce", "synthetic:?size=320x240&fps=30", "--camera", CAMERA, "--count", "30"]
        produced = run_cli([*source, "--topic", topics.raw, "--bootstrap", kafka_bootstrap])
        assert produced.returncode == 0, produced.stderr
        producer = Producer({"bootstrap.servers": kafka_bootstrap, "partitioner": "murmur2_random"})
        producer.produce(topics.raw, key=CAMERA, value=JPEG)
        producer.produce(topics.raw, key=CAMERA, value=b"GIF89a")
        producer.produce(topics.raw, key=CAMERA, value=JPEG, headers=[("ce_id", b"other/e/1"), ("site", b"Kiel")])
        assert producer.flush(30) == 0
        drain(kafka_bootstrap, topics.dead_letter, count=2, timeout_s=60)
        redriven = run_cli(["dead-letters", "redrive", "--topic", topics.dead_letter, "--bootstrap", kafka_bootstrap])
        assert redriven.returncode == 0, redriven.stderr
        # Each letter, its mark, and the letter of the second attempt.
        letters = drain(kafka_bootstrap, topics.dead_letter, count=6, timeout_s=60)
        processed = drain(kafka_bootstrap, topics.processed, count=31, timeout_s=60)
        assert worker.stop() == 0

    raw = drain(kafka_bootstrap, topics.raw)
    assert_kept("frame", having("ce_source", raw) + [message for message in raw if not message.headers()])
    assert_kept("processedFrame", processed)
    assert_kept("event", drain(kafka_bootstrap, topics.events))
    assert_kept("deadLetter", having("dl_reason", letters))
    assert_kept("mark", having("dl_mark", letters))
    assert len(having("dl_reason", letters) + having("dl_mark", letters)) == 6
    assert_kept("redrivenFrame", having("dl_letter", raw))
    reports = [message for message in drain(kafka_bootstrap, "frames.status") if CAMERA in str(message.value())]
    assert {json.loads(message.value() or b"")["role"] for message in reports} == {"producer", "worker"}
    assert_kept("status", reports)


def test_what_is_asked_and_answered_keeps_to_the_contract(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    file = PipelineFile(make_topic, tmp_path, '{ op = "flip" }')
    source = tmp_path / "in"
    source.mkdir()
    (source / "sound.jpg").write_bytes(JPEG)
    (source / "broken.jpg").write_bytes(b"this is no image")
    command = ["process", str(source), str(tmp_path / "out"), "--pipelines", str(file.path), "--with-worker"]
    done = run_cli([*command, "--bootstrap", kafka_bootstrap])
    assert "2 images: 1 done, 0 were there, 1 failed" in done.stderr

    asked = drain(kafka_bootstrap, file.topics.raw)
    assert len(asked) == 2
    assert_kept("request", asked)
    assert_kept("processedFrame", drain(kafka_bootstrap, file.topics.processed))
    assert_kept("deadLetter", drain(kafka_bootstrap, file.topics.dead_letter))


def test_the_document_keeps_to_the_schema_of_asyncapi() -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm, which fetches AsyncAPI's own schemas, is not installed")
    folder = ROOT / "build" / "asyncapi"
    schema = folder / "node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json"
    if not schema.exists():
        quiet = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts"]
        done = subprocess.run(
            [npm, "install", "--prefix", str(folder), *quiet, SPECS], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    validator = Draft7Validator(json.loads(schema.read_text(encoding="utf-8")))

    assert [error.message for error in validator.iter_errors(asyncapi())] == []

    broken = asyncapi()
    broken["operations"]["publishFrame"]["action"] = "shout"
    assert not validator.is_valid(broken)
