"""The chart: what is committed is what it makes, kubectl makes the same, and wrong values are refused."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from kube_support import (
    CHART,
    KAFKA,
    MANIFESTS,
    ROOT,
    TARGETS,
    VARIANTS,
    Values,
    committed,
    documents,
    helm_template,
    name_of,
    rendered,
    tool,
)

from framelane.embedded.jars import KAFKA_VERSION

OPEN: Values = {"kafka": KAFKA, "view": {"noAuth": True}}


def contents(folder: Path) -> dict[str, str]:
    """The files below a folder."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_what_is_committed_is_what_the_chart_makes(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "deploy" / "render.py"), "--helm", tool("helm"), "--to", str(tmp_path)]
    subprocess.run(command, check=True)
    made, there = contents(tmp_path), contents(MANIFESTS)
    assert sorted(made) == sorted(there)
    for name in made:
        assert made[name] == there[name], f"{name} is another: make render"


@pytest.mark.parametrize("target", TARGETS)
def test_kubectl_makes_the_same_of_the_committed_files(target: str) -> None:
    command = [tool("kubectl"), "kustomize", str(MANIFESTS / target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    by_kubectl = sorted(documents(done.stdout), key=name_of)
    by_helm = documents(helm_template("--values", str(CHART / f"values-{target}.yaml"), values={}).stdout)
    without_namespace = [each for each in by_kubectl if each["kind"] != "Namespace"]
    assert without_namespace == sorted(by_helm, key=name_of)
    assert len(by_kubectl) == len(without_namespace) + 1


@pytest.mark.parametrize(
    ("copy", "source"),
    [
        ("framelane.rules.yaml", "prometheus/framelane.rules.yaml"),
        ("framelane.json", "grafana/framelane.json"),
    ],
)
def test_the_chart_has_the_rules_and_the_dashboard(copy: str, source: str) -> None:
    original = (ROOT / "deploy" / "observability" / source).read_text()
    assert (CHART / "files" / copy).read_text() == original, "make render"
    maps = [each for each in committed("production") if each["kind"] == "ConfigMap" and copy in each["data"]]
    assert len(maps) == 1
    # YAML's block has one newline at its end.
    assert maps[0]["data"][copy].rstrip("\n") == original.rstrip("\n")


def test_versions_are_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (project["version"], project["version"])
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert values["single"]["image"].rpartition(":")[2] == KAFKA_VERSION


@pytest.mark.parametrize("name", VARIANTS)
def test_other_ways_to_run_it_are_rendered(name: str) -> None:
    assert rendered(VARIANTS[name])


SCALED = {"name": "w", "pipeline": "default"}
REFUSED: dict[str, tuple[Values, str]] = {
    "unknown key": ({"kafkaa": {}}, "kafkaa"),
    "unknown key within": ({"view": {"replica": 2}}, "replica"),
    "wrong type": ({"topics": {"partitions": "12"}}, "partitions"),
    "wrong word": ({"kafka": {"security": "ssl"}}, "security"),
    "too few": ({"topics": {"retentionMinutes": 1}}, "retentionMinutes"),
    "a session that brokers refuse": ({"workerDefaults": {"sessionSeconds": 2}}, "sessionSeconds"),
    "neither fixed nor scaled": ({"workers": [SCALED]}, "workers"),
    "fixed and scaled": ({"workers": [{**SCALED, "replicas": 1, "autoscale": {"min": 1, "max": 2}}]}, "workers"),
    "an amount that is none": ({"view": {"resources": {"requests": {"memory": "1 GB"}}}}, "memory"),
    "a variable with its value": (
        {"producers": [{"name": "p", "cameras": "a = 1", "env": [{"name": "PASSWORD", "value": "x"}]}]},
        "value",
    ),
    "more workers than partitions": (
        {"workers": [{**SCALED, "autoscale": {"min": 1, "max": 7}}]},
        "7 workers on the 6 partitions of frames.raw",
    ),
    "more fixed workers than partitions": ({"workers": [{**SCALED, "replicas": 7}]}, "7 workers on the 6 partitions"),
    "more than its own partitions": (
        {"workers": [{**SCALED, "partitions": 2, "autoscale": {"min": 1, "max": 3}}]},
        "3 workers on the 2 partitions",
    ),
    "least above most": ({"workers": [{**SCALED, "autoscale": {"min": 5, "max": 4}}]}, "autoscale.min 5 is above"),
    "a pipeline that is not there": (
        {"workers": [{"name": "w", "pipeline": "other", "replicas": 1}]},
        'no pipeline "other"; there are default',
    ),
    "pipelines that are not TOML": ({"pipelines": "[[pipeline"}, "pipelines: is not TOML"),
    "no Kafka": ({"kafka": {"bootstrap": ""}}, "kafka.bootstrap: say where Kafka is"),
    "a view for everybody": ({"view": {"noAuth": False}}, "view.tokenSecret: whoever reaches the view"),
    "a token for nobody": ({"view": {"tokenSecret": "t"}}, "contradiction"),
    "a gateway to nothing": ({"gateway": {"enabled": True}}, "gateway.pipelines"),
    "topics by nobody": ({"topics": {"manager": "strimzi"}}, "strimzi.cluster: topics.manager strimzi needs"),
    "users of nobody": ({"strimzi": {"users": True}}, "strimzi.cluster: strimzi.users needs"),
    "no login at Strimzi": ({"kafka": {"cluster": "strimzi"}, "strimzi": {"cluster": "c"}}, "kafka.security"),
    "a login at the single node": ({"kafka": {"cluster": "single", "security": "sasl"}}, "kafka.security"),
    "tokens from nowhere": ({"kafka": {"security": "sasl", "mechanism": "OAUTHBEARER"}}, "kafka.tokenUrl"),
    "a password in the open": (
        {"producers": [{"name": "p", "cameras": '[[camera]]\nid = "a"\nsource = "rtsp://a/"\npassword = "x"'}]},
        "a password lies open",
    ),
    "a password for all in the open": (
        {"producers": [{"name": "p", "cameras": '[defaults]\npassword = "x"'}]},
        "a password lies open",
    ),
    "a password in an address": (
        {"producers": [{"name": "p", "cameras": '[[camera]]\nid = "a"\nsource = "rtsp://u:x@a/"'}]},
        "the address of a has a password",
    ),
}


def merged(below: Values, above: Values) -> Values:
    """What Helm makes of two files of values."""
    both = {key: merged(below[key], above[key]) for key in below.keys() & above.keys() if isinstance(above[key], dict)}
    return {**below, **above, **both}


def test_the_values_below_those_that_are_refused_are_good() -> None:
    assert rendered(OPEN)


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_values_are_refused(case: str) -> None:
    wrong, why = REFUSED[case]
    done = helm_template(values=merged(OPEN, wrong))
    assert done.returncode != 0, f"{case}: was rendered: {json.dumps(wrong)}"
    assert why in done.stderr, done.stderr
