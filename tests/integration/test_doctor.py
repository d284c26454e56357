"""`framelane doctor`, against a good broker, a bad one and none."""

import json
import subprocess

import pytest
from kafka_support import create_topic, run_cli

from framelane.checks.cluster import check_worker_client
from framelane.embedded import EmbeddedKafka
from streams.contract.kafka_settings import KafkaSettings


def rows(result: "subprocess.CompletedProcess[str]") -> dict[str, dict[str, str]]:
    return {row["what"]: row for row in json.loads(result.stdout)}


def test_all_is_well_once_the_topics_are_made(kafka_bootstrap: str) -> None:
    assert run_cli(["topics", "create", "--bootstrap", kafka_bootstrap]).returncode == 0
    result = run_cli(["doctor", "--json", "--bootstrap", kafka_bootstrap])
    assert result.returncode == 0, result.stdout
    found = rows(result)
    assert {row["state"] for row in found.values()} == {"ok"}
    assert "1 node(s)" in found[f"broker {kafka_bootstrap}"]["found"]
    assert found["the workers' client"]["found"] == "connects"
    assert found["broker's version"]["found"] == "4.0 or newer"
    assert found["broker's clock"]["found"] == "within 1 s of this machine's"
    table = run_cli(["doctor", "--bootstrap", kafka_bootstrap])
    assert (table.returncode, table.stderr) == (0, "")
    assert "frames.dead-letter" in table.stdout


def test_what_is_missing_and_what_does_not_fit_is_a_fault_with_its_mend() -> None:
    with EmbeddedKafka() as kafka:
        fit = {"max.message.bytes": "8000000", "segment.ms": "900000"}
        create_topic(kafka.bootstrap, "frames.raw", partitions=1, config=fit)
        create_topic(kafka.bootstrap, "frames.processed", partitions=1, config={"max.message.bytes": "4194304"})
        create_topic(kafka.bootstrap, "frames.events", partitions=1, config={"compression.type": "gzip"})
        result = run_cli(["doctor", "--json", "--bootstrap", kafka.bootstrap])
    assert result.returncode == 1
    found = rows(result)
    assert found["topic frames.raw"]["state"] == "ok"
    create = f"framelane topics create frames.status --bootstrap {kafka.bootstrap}"
    assert found["topic frames.status"]["mend"] == create
    assert "compression.type is gzip" in found["topic frames.events"]["found"]
    sizes = found["sizes of frames.raw and frames.processed"]
    assert (sizes["state"], "max.message.bytes=8000000" in sizes["mend"]) == ("failed", True)


def test_without_waiting_and_with_a_server_that_is_down_it_is_found_all_the_same(kafka_bootstrap: str) -> None:
    servers = f"127.0.0.1:1,{kafka_bootstrap}"
    result = run_cli(["doctor", "--json", "--bootstrap", servers, "--wait", "0s"])
    found = rows(result)
    assert found[f"broker {servers}"]["state"] == "ok", result.stdout
    assert found["the workers' client"]["found"] == "connects"


def test_an_address_without_a_port_is_the_usual_one() -> None:
    settings = KafkaSettings(bootstrap="127.0.0.1")
    assert "9092" in check_worker_client(settings)[0].found
    assert "HOST:PORT" in check_worker_client(KafkaSettings(bootstrap="127.0.0.1:kafka"))[0].found


def test_no_broker_is_a_fault() -> None:
    result = run_cli(["doctor", "--json", "--bootstrap", "127.0.0.1:1", "--wait", "300ms"])
    assert result.returncode == 1
    assert rows(result)["broker 127.0.0.1:1"]["state"] == "failed"
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"FRAMELANE_KAFKA__SECURITY": "tls"}, "seems to want no TLS"),
        (
            {
                "FRAMELANE_KAFKA__SECURITY": "sasl_plaintext",
                "FRAMELANE_KAFKA__USERNAME": "ann",
                "FRAMELANE_KAFKA__PASSWORD": "x",
            },
            "authentication failed as user 'ann'",
        ),
    ],
)
def test_wrong_security_is_a_fault_that_says_so(kafka_bootstrap: str, environ: dict[str, str], told: str) -> None:
    result = run_cli(["doctor", "--json", "--bootstrap", kafka_bootstrap], environ=environ)
    assert result.returncode == 1
    assert told in rows(result)[f"broker {kafka_bootstrap}"]["found"]
