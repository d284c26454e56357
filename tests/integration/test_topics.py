"""`framelane topics`, as a user runs it."""

import json
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from kafka_support import create_topic, run_cli, unique


def described(bootstrap: str, name: str) -> dict[str, Any]:
    result = run_cli(["topics", "describe", name, "--json", "--bootstrap", bootstrap])
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout)["topics"][0])


def test_topics_are_made_as_asked_and_made_again_in_vain(kafka_bootstrap: str) -> None:
    name = unique("raw")
    asked = ["topics", "create", name, "--partitions", "3", "--retention", "2h", "--max-bytes", "8MiB"]
    first = run_cli([*asked, "--bootstrap", kafka_bootstrap])
    assert (first.returncode, first.stdout) == (0, f"{name}  created  partitions 3, replicas 1\n"), first.stderr

    topic = described(kafka_bootstrap, name)
    assert topic["partitions"] == 3
    assert topic["config"]["max.message.bytes"] == str(8 * 1024 * 1024)
    assert topic["config"]["retention.ms"] == "7200000"
    assert topic["config"]["segment.ms"] == "1800000"
    assert topic["config"]["cleanup.policy"] == "delete"

    second = run_cli([*asked, "--bootstrap", kafka_bootstrap])
    assert (second.returncode, second.stdout) == (0, f"{name}  exists  partitions 3, replicas 1\n")
    unasked = run_cli(["topics", "create", name, "--bootstrap", kafka_bootstrap])
    assert unasked.returncode == 0, "nobody asked for six partitions"


def test_what_differs_is_told_with_the_mend_and_left_as_it_is(kafka_bootstrap: str) -> None:
    name = unique("raw")
    create_topic(kafka_bootstrap, name, partitions=2, config={"max.message.bytes": "1000", "cleanup.policy": "compact"})
    result = run_cli(["topics", "create", name, "--partitions", "4", "--bootstrap", kafka_bootstrap])
    assert result.returncode == 1
    assert "partitions is 2, wanted 4" in result.stderr
    assert "max.message.bytes is 1000, wanted 4194304" in result.stderr
    assert "cleanup.policy is compact, wanted delete" in result.stderr
    assert f"--entity-name {name} --add-config max.message.bytes=4194304" in result.stderr
    assert f"framelane: topic {name} exists, but" in result.stderr
    assert result.stdout == f"{name}  differs  partitions 2, replicas 1\n"
    assert described(kafka_bootstrap, name)["partitions"] == 2
    assert {found["setting"] for found in described(kafka_bootstrap, name)["differences"]} == {
        "max.message.bytes",
        "cleanup.policy",
    }


def test_the_five_topics_of_the_contract(kafka_bootstrap: str) -> None:
    result = run_cli(["topics", "create", "--bootstrap", kafka_bootstrap])
    assert result.returncode == 0, result.stderr
    names = {line.split()[0] for line in result.stdout.splitlines()}
    assert names == {"frames.raw", "frames.processed", "frames.events", "frames.dead-letter", "frames.status"}
    assert names <= AdminClient({"bootstrap.servers": kafka_bootstrap}).list_topics(timeout=10).topics.keys()
    table = run_cli(["topics", "describe", "--bootstrap", kafka_bootstrap])
    assert table.returncode == 0
    assert all(name in table.stdout for name in names)


def test_a_missing_topic_is_told(kafka_bootstrap: str) -> None:
    name = unique("missing")
    result = run_cli(["topics", "describe", name, "--bootstrap", kafka_bootstrap])
    assert result.returncode == 1
    assert "does not exist" in result.stdout
    assert f"framelane topics create {name}" in result.stderr


def test_bad_input_is_told_without_a_traceback(kafka_bootstrap: str) -> None:
    for arguments, code, message in (
        (["create", "a b"], 2, "topic 'a b': expected"),
        (["create", unique("x"), "--replicas", "3"], 2, "3 replicas need as many brokers, of 1"),
        (["create", unique("x"), "--retention", "soon"], 2, "--retention 'soon'"),
        (["create", unique("x"), "--max-bytes", "0"], 2, "--max-bytes 0: expected more than 0"),
    ):
        result = run_cli(["topics", *arguments, "--bootstrap", kafka_bootstrap])
        assert (result.returncode, result.stdout) == (code, ""), result
        assert message in result.stderr
        assert "Traceback" not in result.stderr


def test_the_plan_asks_no_broker_and_ends_with_the_command() -> None:
    arguments = ["topics", "plan", "--cameras", "4", "--fps", "25"]
    words = run_cli([*arguments, "--size", "1280x720"])
    assert words.returncode == 0
    assert words.stdout.splitlines()[-1].startswith("framelane topics create --partitions 6")
    plain = run_cli([*arguments, "--frame-bytes", "100kB", "--retention", "2h", "--json"])
    assert json.loads(plain.stdout)["retention_s"] == 7200
    neither = run_cli(arguments)
    assert (neither.returncode, neither.stdout) == (2, "")
    assert "--size or --frame-bytes: give one" in neither.stderr


@pytest.mark.parametrize("command", ["create", "describe"])
def test_a_name_that_no_topic_can_have_is_told_before_the_broker_is_asked(command: str) -> None:
    result = run_cli(["topics", command, "bad name", "--bootstrap", "127.0.0.1:1"])
    assert (result.returncode, result.stdout) == (2, "")
    assert "topic 'bad name': expected 1 to 249 of" in result.stderr


def test_a_topic_that_is_missing_is_told_with_the_whole_command(kafka_bootstrap: str) -> None:
    name = unique("none")
    result = run_cli(["topics", "describe", name, "--bootstrap", kafka_bootstrap])
    assert result.returncode == 1
    assert f"framelane topics create {name} --bootstrap {kafka_bootstrap}" in result.stderr
