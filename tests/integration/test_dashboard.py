"""The dashboard and the alerts on what a real worker, producer and gateway show, read by a real Prometheus."""

import json
import math
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import Producer
from gateway_support import Gateway, PipelineFile, numbered
from kafka_support import cli_environ
from prometheus_client.parser import text_string_to_metric_families
from prometheus_support import DASHBOARD, OBSERVABILITY, Prometheus, alerts
from promql_support import Vocabulary, unknown
from worker_support import Fleet, Worker

# Prometheus' own: `up` has them as well.
ADDED = ("job", "instance")
# What Grafana puts in place of its variables.
FILLED_IN = {"$pipeline": ".+", "$camera_id": ".+", "$__rate_interval": "10s"}


@dataclass(frozen=True)
class Query:
    """One query of the dashboard, with the legend of its series."""

    panel: str
    expression: str
    legend: str

    @property
    def filled_in(self) -> str:
        """As Grafana asks it."""
        text = self.expression
        for name, value in FILLED_IN.items():
            text = text.replace(name, value)
        return text


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return found


def queries() -> list[Query]:
    return [
        Query(panel["title"], target["expr"], target["legendFormat"])
        for panel in dashboard()["panels"]
        for target in panel.get("targets", [])
        # Prometheus' own, and there only while an alert fires.
        if "ALERTS" not in target["expr"]
    ]


@dataclass(frozen=True)
class System:
    """What runs: where its metrics are, by role, and how to make something happen."""

    addresses: dict[str, str]
    stir: Callable[[], None]

    def known(self) -> Vocabulary:
        """All that it shows now."""
        known = Vocabulary()
        for address in self.addresses.values():
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
                families = text_string_to_metric_families(answer.read().decode())
            known.add(sample for family in families for sample in family.samples)
        return known


@pytest.fixture
def system(kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path) -> Iterator[System]:
    """A producer of two cameras that leave pictures out, a worker, and a gateway of the same pipeline."""
    file = PipelineFile(make_topic, tmp_path, '{ op = "flip" }')
    cameras = tmp_path / "cameras.toml"
    cameras.write_text(
        "[defaults]\nmax_fps = 5\n"
        + "".join(
            f'[[camera]]\nid = "gate-{n}"\nsource = "synthetic:?size=160x120&fps=20"\ntopic = "{file.topics.raw}"\n'
            for n in (1, 2)
        )
    )
    broken = Producer({"bootstrap.servers": kafka_bootstrap})
    with Fleet(kafka_bootstrap, tmp_path, file.topics) as fleet, Gateway(kafka_bootstrap, file, tmp_path) as gateway:
        worker = fleet.start_file(file.path)
        command = ["produce", "--cameras", str(cameras), "--bootstrap", kafka_bootstrap, "--no-status"]
        with running(command, tmp_path / "producer.log") as producer:

            def stir() -> None:
                broken.produce(file.topics.raw, key=b"gate-1", value=b"\xff\xd8 half a picture")
                broken.flush(10)
                asked = urllib.request.Request(f"http://127.0.0.1:{gateway.http_port}/process", data=numbered(1))
                with urllib.request.urlopen(asked, timeout=60) as answer:
                    assert answer.status == 200

            yield System(
                {
                    "worker": address_in(worker),
                    "producer": address_in(producer),
                    "gateway": f"127.0.0.1:{gateway.http_port}",
                },
                stir,
            )


class running:
    """A command of ours, as a worker of the tests' support is one."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "framelane", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                env=cli_environ(),
            )
        self._worker = Worker(process, arguments[0], log)

    def __enter__(self) -> Worker:
        return self._worker

    def __exit__(self, *_: object) -> None:
        self._worker.kill()
        print(f"{self._worker.name} said:\n{self._worker.log.read_text()[-4000:]}")


def address_in(worker: Worker) -> str:
    """Where it shows its metrics."""
    worker.wait_for_log("metrics and probes on")
    (address,) = re.findall(r"metrics and probes on http://([^\s/]+)/metrics", worker.log.read_text())
    return str(address)


def answered(found: list[dict[str, Any]], legend: str) -> bool:
    """Whether there is a number in it, and every label that the legend names."""
    numbers = [each for each in found if math.isfinite(float(each["value"][1]))]
    labels = set(re.findall(r"\{\{(\w+)\}\}", legend))
    return bool(numbers) and labels <= {label for each in numbers for label in each["metric"]}


def test_every_query_is_answered_and_names_only_what_exists(system: System, tmp_path: Path) -> None:
    jobs = {f"framelane-{role}": [address] for role, address in system.addresses.items()}
    with Prometheus(tmp_path, jobs) as prometheus:
        left, give_up = queries(), time.monotonic() + 90
        assert len(left) > 40
        while left:
            system.stir()
            left = [each for each in left if not answered(prometheus.query(each.filled_in), each.legend)]
            assert time.monotonic() < give_up, f"no answer to {left}"
        rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
        assert {rule["name"]: (rule["health"], rule.get("lastError")) for rule in rules} == {
            alert["alert"]: ("ok", None) for alert in alerts()
        }
        known = system.known()
        values = {each["name"]: each["query"] for each in dashboard()["templating"]["list"] if each["type"] == "query"}
        for name, asked in values.items():
            (metric, label) = re.fullmatch(r"label_values\((\w+), (\w+)\)", asked["query"]).groups()  # type: ignore[union-attr]
            assert label == name
            assert known.values[metric, label]
    for query in queries():
        assert unknown(query.expression, known, added=ADDED) == [], query
    for alert in alerts():
        # Which outcomes there are is for the unit test: not all of them happen here.
        assert unknown(alert["expr"], known, added=ADDED, values=False) == [], alert["alert"]
    assert unknown("sum by (camera) (framelane_lag_frames)", known) == ["label camera of framelane_lag_frames"]


def test_panels_are_told_apart_described_and_do_not_overlap() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    rows = [panel["title"] for panel in panels if panel["type"] == "row"]
    assert rows == ["Overview", "Cameras", "Stages", "Broker and lag", "Producers", "Gateway"]
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
        if panel["type"] != "row":
            assert panel["description"], panel["title"]
            assert panel["datasource"]["uid"] == "${datasource}"
            assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_grafana_finds_the_dashboard_and_the_server() -> None:
    folder = OBSERVABILITY / "grafana" / "provisioning"
    (source,) = yaml.safe_load((folder / "datasources" / "prometheus.yaml").read_text())["datasources"]
    (provider,) = yaml.safe_load((folder / "dashboards" / "framelane.yaml").read_text())["providers"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"
