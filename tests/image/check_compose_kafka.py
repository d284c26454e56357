"""The settings of Kafka in deploy/compose: Kafka's own image takes them from the environment, and its broker starts.

What the image runs at its start is in Kafka's jars, and so is here without the image.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from buildah import ROOT
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource
from kafka_support import run_cli

from framelane.embedded.config import log4j2_xml
from framelane.embedded.java import server_command, tool_command
from framelane.embedded.ports import free_ports

CLUSTER = "5L6g3nShT-eMCtK--X86sw"
# What reads the environment when a container of the image starts.
WRAPPER = "kafka.docker.KafkaDockerWrapper"
# In place of the image's own two files; here, Kafka logs as the embedded one does.
LOGGING = "Configuration: {Loggers: {Root: {level: INFO, AppenderRef: []}, Logger: []}}"


def environment(folder: Path, ports: Mapping[str, int]) -> dict[str, str]:
    """That of the service, with the ports and the name that it can have here."""
    services = yaml.safe_load((ROOT / "deploy" / "compose" / "compose.yaml").read_text(encoding="utf-8"))["services"]
    found = {name: str(value) for name, value in services["kafka"]["environment"].items()}
    for name, value in found.items():
        for port, free in ports.items():
            value = value.replace(f":{port}", f":{free}")
        found[name] = value.replace("//kafka:", "//localhost:")
    return found | {"KAFKA_LOG_DIRS": str(folder / "data"), "CLUSTER_ID": CLUSTER}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A broker started as the image starts it; its environment."""
    environ = environment(tmp_path, dict(zip(("9092", "9093", "29092"), free_ports(3), strict=True)))
    folders = {name: tmp_path / name for name in ("default", "mounted", "final")}
    for folder in folders.values():
        folder.mkdir()
    for name in ("log4j2.yaml", "tools-log4j2.yaml"):
        (folders["default"] / name).write_text(LOGGING)
    arguments = [f"--{name}-configs-dir={folder}" for name, folder in folders.items()]
    done = subprocess.run(
        tool_command(WRAPPER, "setup", *arguments),
        env=dict(os.environ) | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    (tmp_path / "log4j2.xml").write_text(log4j2_xml(tmp_path / "server.log"))
    command = server_command(folders["final"] / "server.properties", tmp_path / "log4j2.xml", heap_mb=512)
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield environ
    finally:
        server.kill()
        server.wait()
        print((tmp_path / "server.log").read_text()[-4000:])


def test_it_starts_as_it_is_told_and_takes_our_topics(broker: dict[str, str]) -> None:
    addresses = dict(each.split("://") for each in broker["KAFKA_ADVERTISED_LISTENERS"].split(","))
    created = run_cli(["topics", "create", "--bootstrap", addresses["CLIENT"], "--wait", "60s"], timeout_s=90)
    assert created.returncode == 0, created.stderr
    assert "frames.raw" in created.stdout
    settings = described(addresses["HOST"])
    for name, value in broker.items():
        key = name.removeprefix("KAFKA_").lower().replace("_", ".")
        if name.startswith("KAFKA_") and name != "KAFKA_HEAP_OPTS":
            assert settings.get(key) == value, f"{name}: the broker knows {key} as {settings.get(key)!r}"


def described(bootstrap: str) -> dict[str, str]:
    """The settings that the broker has."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    resource = ConfigResource(ConfigResource.Type.BROKER, "1")
    try:
        found = admin.describe_configs([resource])[resource].result(timeout=30)
    except KafkaException as error:
        pytest.fail(f"{bootstrap} does not tell its settings: {error}")
    return {name: entry.value for name, entry in found.items()}
