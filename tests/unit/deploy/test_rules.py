"""The alerts: they can be loaded, fire when they should and only then, name what exists, and are in the runbook."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Sample
from prometheus_client.parser import text_string_to_metric_families
from prometheus_support import OBSERVABILITY, ROOT, RULES, alerts, promtool
from promql_support import Vocabulary, unknown

from framelane.gateway.answers import Failure
from framelane.gateway.service import GatewayMetrics
from framelane.producer_metrics import ProducerMetrics
from streams.accounts import Accounts
from streams.contract.errors import Reason
from streams.contract.histogram import AGE_BOUNDS_S, Histogram
from streams.contract.status import CameraSums, Status
from streams.lanes import Partition
from streams.metrics import WorkerMetrics
from streams.stage_times import StageTimes

RUNBOOK = ROOT / "docs" / "runbook.md"
TESTS = sorted(RULES.parent.glob("*.test.yaml"))
NAMES = [alert["alert"] for alert in alerts()]


def worker() -> CollectorRegistry:
    """What a worker shows that has had two cameras, of which one may have a label."""
    accounts, partition = Accounts(), Partition("frames.raw", 0)
    for camera in ("gate-1", "gate-2"):
        accounts.consumed(camera, size=1, missing=0)
    progress: Any = SimpleNamespace(
        frames=SimpleNamespace(
            pipeline=SimpleNamespace(settings=SimpleNamespace(name="privacy"), label="privacy@1f3a"),
            times=StageTimes(),
            in_flight=0,
            rebalances=0,
            outbox=SimpleNamespace(publisher=SimpleNamespace(connections_lost=0)),
        ),
        hung_threads=0,
        partitions=[partition],
        lag=lambda: {partition: 0},
        lag_s=lambda now_ns: {partition: 0.0},
        undelivered_s=0.0,
    )
    registry = CollectorRegistry()
    registry.register(WorkerMetrics(progress, accounts, cameras=1))
    return registry


def producer() -> CollectorRegistry:
    """What a producer of one camera shows."""
    status = Status(role="producer", instance="i", version="1", started_ns=0, reported_ns=0, state="running")
    connection: Any = SimpleNamespace(
        status=lambda: status,
        sums=lambda: {"gate-1": CameraSums()},
        ages=lambda: {"gate-1": Histogram(AGE_BOUNDS_S)},
    )
    registry = CollectorRegistry()
    registry.register(ProducerMetrics(connection, cameras=1))
    return registry


def gateway() -> CollectorRegistry:
    """What a gateway shows that has answered in every way there is."""
    registry = CollectorRegistry()
    metrics = GatewayMetrics(registry)
    for outcome in ("ok", "gone", *get_args(Reason), *get_args(Failure)):
        metrics.answered("http", "privacy", str(outcome), took_s=0.0)
    return registry


def samples(registry: CollectorRegistry) -> list[Sample]:
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return [sample for family in families for sample in family.samples]


def test_promtool_finds_no_fault() -> None:
    done = promtool("check", "rules", RULES.name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_they_fire_when_they_should() -> None:
    done = promtool("test", "rules", *(test.name for test in TESTS))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", alerts(), ids=NAMES)
@pytest.mark.parametrize("wrong", ["never", "always"])
def test_one_that_fires_never_or_always_would_be_noticed(alert: dict[str, Any], wrong: str, tmp_path: Path) -> None:
    alert["expr"] = "vector(0) > 0" if wrong == "never" else _always(alert)
    _write(tmp_path / RULES.name, {"groups": [{"name": "changed", "rules": [alert]}]})
    tests = _tests_of(alert["alert"])
    checks = [
        each for test in tests["tests"] for each in test["alert_rule_test"] if each["alertname"] == alert["alert"]
    ]
    assert {bool(each["exp_alerts"]) for each in checks} == {True, False}
    _write(tmp_path / "changed.test.yaml", tests)
    done = promtool("test", "rules", "changed.test.yaml", folder=tmp_path)
    assert done.returncode == 1
    assert f"alertname: {alert['alert']}" in done.stdout + done.stderr


def _tests_of(name: str) -> dict[str, Any]:
    """Those of one alert alone, for the others take their time."""
    files = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in TESTS]
    tests = [test for file in files for test in file["tests"]]
    of_it = [test for test in tests if any(each["alertname"] == name for each in test["alert_rule_test"])]
    return files[0] | {"tests": of_it}


def _write(path: Path, content: object) -> None:
    path.write_text(yaml.safe_dump(content), encoding="utf-8")


def _always(rule: dict[str, Any]) -> str:
    """With the labels that its texts name, so that these are not what gives it away."""
    labels = sorted(set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"]))))
    expression = "vector(100)"
    for label in labels:
        expression = f'label_replace({expression}, "{label}", "privacy", "", "")'
    return expression


def test_they_name_only_what_exists() -> None:
    known = [Vocabulary().add(samples(each)) for each in (worker(), producer(), gateway())]
    every = Vocabulary()
    for each in (worker(), producer(), gateway()):
        every.add(samples(each))
    for alert in alerts():
        assert unknown(alert["expr"], every) == [], alert["alert"]
        # And one role has all of it: `pipeline` is no label of what a producer counts.
        assert any(unknown(alert["expr"], one) == [] for one in known), alert["alert"]


def test_a_name_that_does_not_exist_would_be_noticed() -> None:
    known = Vocabulary().add(samples(worker()))
    for query, what in {
        "framelane_lag_frame > 0": "metric framelane_lag_frame",
        'sum(framelane_lag_frames{camera_id="a"})': "label camera_id of framelane_lag_frames",
        "sum by (camera_id) (rate(framelane_lag_frames[5m]))": "label camera_id of framelane_lag_frames",
        'framelane_frames_total{outcome="proccessed"}': "value proccessed of outcome of framelane_frames_total",
        'framelane_frames_total{outcome=~"stale|x"}': "value x of outcome of framelane_frames_total",
    }.items():
        assert unknown(query, known) == [what]


@pytest.mark.parametrize("alert", alerts(), ids=NAMES)
def test_each_says_what_is_wrong_and_where_to_look(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("page", "ticket")
    texts = alert["annotations"]
    assert set(texts) == {"summary", "description", "runbook_url"}
    assert texts["runbook_url"] == f"docs/runbook.md#{alert['alert'].lower()}"
    assert len(texts["summary"]) < 90 < len(texts["description"]) < 400


def test_the_runbook_has_a_section_for_each_alert_and_no_other() -> None:
    sections = re.findall(r"^## (Framelane\w+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    assert sections == NAMES
    assert len(set(NAMES)) == len(NAMES)


def test_promtool_finds_no_fault_in_the_settings_of_the_server(tmp_path: Path) -> None:
    settings = (OBSERVABILITY / "prometheus" / "prometheus.yaml").read_text(encoding="utf-8")
    (tmp_path / "prometheus.yaml").write_text(settings, encoding="utf-8")
    (rules,) = yaml.safe_load(settings)["rule_files"]
    (tmp_path / rules).write_bytes(RULES.read_bytes())
    done = promtool("check", "config", "prometheus.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
