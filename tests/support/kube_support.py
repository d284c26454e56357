"""What tests of the Kubernetes manifests need: the committed ones, those of other values, and their pods."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "framelane"
MANIFESTS = ROOT / "deploy" / "kubernetes"
TARGETS = ("local", "production")
# Where `make kube-tools` puts them.
TOOLS = ROOT / "build" / "bin"
NAMESPACE = "framelane"

Object = dict[str, Any]
Values = Mapping[str, Any]

CAMERA = """
[[camera]]
id = "a"
source = "http://192.0.2.1/mjpeg"
username = "viewer"
password_file = "/run/secrets/cam/a"
"""
# Ways to run it that neither of the committed renderings shows, on top of the chart's own values.
KAFKA: Values = {"bootstrap": "kafka-1.example.com:9093,kafka-2.example.com:9094", "caSecret": "company-ca"}
SCALED: Values = {"workers": [{"name": "default", "pipeline": "default", "autoscale": {"min": 1, "max": 6}}]}
VARIANTS: Mapping[str, Values] = {
    "mtls": SCALED | {"kafka": {**KAFKA, "security": "mtls"}, "view": {"noAuth": True}},
    "oauth": SCALED
    | {
        "kafka": {**KAFKA, "security": "sasl", "mechanism": "OAUTHBEARER", "tokenUrl": "https://id.example.com/token"},
        "view": {"tokenSecret": "token", "tlsSecret": "tls"},
        "networkPolicy": {"kafkaTo": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]},
    },
    "strimzi-mtls": {
        "kafka": {"cluster": "strimzi", "security": "mtls"},
        "strimzi": {"cluster": "other", "users": True, "version": "4.3.0", "brokers": {"storageClass": "fast"}},
        "topics": {"manager": "strimzi", "replicas": 3},
        "view": {"enabled": False},
    },
    "plain": {
        "kafka": {"bootstrap": "kafka:9092"},
        "topics": {"manager": "job", "more": ["frames.other"]},
        "view": {"noAuth": True},
        "networkPolicy": {"enabled": False},
        "image": {"digest": "sha256:" + "0" * 64, "pullSecrets": ["registry"]},
        "observability": {"podMonitor": {"enabled": True, "labels": {"release": "prometheus"}}},
        "workers": [
            {
                "name": "default",
                "pipeline": "default",
                "replicas": 1,
                "args": ["--memory-cameras=8"],
                "env": [{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://collector.example.com:4318"}],
                "volumes": [{"name": "models", "persistentVolumeClaim": {"claimName": "models"}}],
                "volumeMounts": [{"name": "models", "mountPath": "/models", "readOnly": True}],
            }
        ],
        "producers": [{"name": "one", "cameras": CAMERA, "secretFiles": ["cam"]}],
    },
}
# All that is looked at.
ALL = (*TARGETS, *VARIANTS)


def tool(name: str) -> str:
    """The path of a tool that is built or installed; skips the test where it is not."""
    built = TOOLS / name
    found = str(built) if built.exists() else shutil.which(name)
    if not found:
        pytest.skip(f"there is no {name}: make kube-tools, which needs go")
    return found


def helm_template(*arguments: str, values: Values | None = None) -> "subprocess.CompletedProcess[str]":
    """`helm template` of the chart; values lie on top of its own. No check of the exit code."""
    command = [tool("helm"), "template", "framelane", str(CHART), "--namespace", NAMESPACE, *arguments]
    with tempfile.TemporaryDirectory() as folder:
        if values is not None:
            path = Path(folder, "values.json")
            path.write_text(json.dumps(values))
            command += ["--values", str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def rendered(values: Values) -> list[Object]:
    """The objects that the chart makes of these values."""
    return documents(_text_of(json.dumps(values)))


@cache
def _text_of(values: str) -> str:
    done = helm_template(values=json.loads(values))
    assert done.returncode == 0, done.stderr
    return done.stdout


def documents(text: str) -> list[Object]:
    """The objects in a text of several documents."""
    return [each for each in yaml.load_all(text, Loader=yaml.CSafeLoader) if each]


def committed(target: str) -> list[Object]:
    """The objects of a committed rendering, by its kustomization's list."""
    folder = MANIFESTS / target
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    return [each for name in listed for each in documents((folder / name).read_text())]


def objects_of(name: str) -> list[Object]:
    """A committed rendering, or one of other values, by its name."""
    return committed(name) if name in TARGETS else rendered(VARIANTS[name])


def of_kind(objects: Sequence[Object], *kinds: str) -> list[Object]:
    """Those of these kinds."""
    return [each for each in objects if each["kind"] in kinds]


def name_of(thing: Object) -> str:
    """Kind and name, as people say them."""
    return f"{thing['kind']}/{thing['metadata']['name']}"


@dataclass(frozen=True)
class Pod:
    """The template of a pod: of whom, its metadata, its spec."""

    owner: str
    metadata: Object
    spec: Object

    def containers(self) -> list[Object]:
        """All of them, those that run first included."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]


def pods(objects: Sequence[Object]) -> Iterator[Pod]:
    """The templates of all workloads."""
    for each in of_kind(objects, "Deployment", "StatefulSet", "Job"):
        template = each["spec"]["template"]
        yield Pod(name_of(each), template["metadata"], template["spec"])


def is_ours(container: Object) -> bool:
    """Whether it runs our image."""
    return "framelane" in container["image"]


def environ_of(container: Object) -> dict[str, str]:
    """What stands in its environment as it is, without what comes from Secrets and from the pod."""
    return {each["name"]: each["value"] for each in container.get("env", []) if "value" in each}
