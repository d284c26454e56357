"""Every object fits its schema, with no field that the schema does not know; kube-score has nothing critical to say."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import kube_crds
import kubernetes_validate
import pytest
import yaml
from kube_support import TARGETS, VARIANTS, Object, committed, name_of, rendered, tool

# The oldest that the chart allows, and the newest that there are schemas for.
VERSIONS = ("1.30", "1.37")
OURS = ("kafka.strimzi.io/", "keda.sh/", "monitoring.coreos.com/")
# Not taken: its wishes, and why.
IGNORED = {
    # Nothing but a pull would tell whether the tag means another image; tags of ours are versions.
    "container-image-pull-policy",
    # Threads bound what a worker takes; a limit would have it wait in the midst of a frame.
    "container-cpu-limit",
    # View, gateway and Kafka have one page or port that tells; how often it may fail is another matter for each.
    "pod-probes-identical",
    # Spread over nodes and zones is asked for by topologySpreadConstraints.
    "deployment-has-host-podantiaffinity",
    "statefulset-has-host-podantiaffinity",
}


@pytest.fixture(scope="module")
def schemas() -> Any:
    """The strict schemas of custom resources."""
    return kube_crds.schemas(kube_crds.definitions())


def check(objects: Sequence[Object], schemas: Any) -> None:
    """Fail with all mistakes of these objects."""
    wrong = []
    for each in objects:
        if each["apiVersion"].startswith(OURS):
            wrong += kube_crds.mistakes(each, schemas[each["apiVersion"], each["kind"]])
            continue
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(each, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                wrong.append(f"{name_of(each)}: {'.'.join(map(str, error.path))}: {error.message}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_committed_is_valid(target: str, schemas: Any) -> None:
    check(committed(target), schemas)


@pytest.mark.parametrize("name", VARIANTS)
def test_other_ways_to_run_it_are_valid(name: str, schemas: Any) -> None:
    check(rendered(VARIANTS[name]), schemas)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Deployment", ("spec", "template", "spec")),
        ("NetworkPolicy", ("spec",)),
        ("ScaledObject", ("spec", "advanced")),
        ("ScaledObject", ("spec", "fallback")),
        ("TriggerAuthentication", ("spec",)),
        ("KafkaTopic", ("spec",)),
        ("KafkaUser", ("spec", "authorization")),
        ("KafkaNodePool", ("spec", "storage")),
        ("Kafka", ("spec", "kafka")),
    ],
)
def test_a_field_that_nobody_knows_is_found(kind: str, path: Sequence[str], schemas: Any) -> None:
    thing = next(each for each in committed("production") if each["kind"] == kind)
    inner = thing
    for name in path:
        inner = inner[name]
    inner["unheardOf"] = 1
    with pytest.raises(AssertionError, match="unheardOf"):
        check([thing], schemas)


@pytest.mark.parametrize("target", TARGETS)
def test_kube_score_finds_nothing_critical(target: str, tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump_all(committed(target)))
    ignored = [word for name in sorted(IGNORED) for word in ("--ignore-test", name)]
    command = [tool("kube-score"), "score", "--output-format", "ci", "--ignore-container-cpu-limit", *ignored]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    critical = [line for line in done.stdout.splitlines() if line.startswith("[CRITICAL]")]
    assert "[OK]" in done.stdout, done.stdout + done.stderr
    assert not critical, "\n".join(critical)
