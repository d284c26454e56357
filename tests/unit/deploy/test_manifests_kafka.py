"""Topics and rights in the manifests are those of the code: streams/contract/topics.py and framelane/acls.py."""

import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import pytest
import yaml
from kube_support import CHART, VARIANTS, Object, Values, committed, objects_of, of_kind, pods, rendered

from framelane.acls import Names, Right, rights_of
from streams.contract.topics import DEAD_LETTER, DEFAULTS, EVENTS, MIB, MINUTE_MS, PROCESSED, RAW, STATUS, TopicSpec

Rights = dict[tuple[str, str], set[str]]


def expected(values: Values) -> dict[str, TopicSpec]:
    """What `framelane topics create` would make with these values."""
    topics = values["topics"]
    given = {
        "partitions": topics["partitions"],
        "retention_ms": topics["retentionMinutes"] * MINUTE_MS,
        "retention_bytes": topics["retentionMiB"] * MIB,
        "max_bytes": topics["maxMiB"] * MIB,
    }
    frames = [replace(DEFAULTS[RAW], name=name, **given) for name in (RAW, PROCESSED, *topics["more"])]
    letters = replace(DEFAULTS[DEAD_LETTER], max_bytes=topics["maxMiB"] * MIB + 64 * 1024)
    specs = [*frames, DEFAULTS[EVENTS], letters, DEFAULTS[STATUS]]
    return {spec.name: replace(spec, replicas=topics["replicas"]) for spec in specs}


def values_of(name: str) -> Values:
    """The chart's own values with those of a target or of a variant on top, `topics` alone."""
    own = yaml.safe_load((CHART / "values.yaml").read_text())
    above = VARIANTS.get(name) or yaml.safe_load((CHART / f"values-{name}.yaml").read_text())
    return {"topics": own["topics"] | above.get("topics", {})}


@pytest.mark.parametrize("name", ["production", "strimzi-mtls"])
def test_topics_are_as_the_contract_wants_them(name: str) -> None:
    wanted = expected(values_of(name))
    found = {each["metadata"]["name"]: each["spec"] for each in of_kind(objects_of(name), "KafkaTopic")}
    assert sorted(found) == sorted(wanted)
    for topic, spec in wanted.items():
        config = {key: str(value) for key, value in found[topic]["config"].items()}
        assert config == spec.config(), topic
        assert (found[topic]["partitions"], found[topic]["replicas"]) == (spec.partitions, spec.replicas), topic


@pytest.mark.parametrize("large", [1, 40, 200])
def test_segments_fit_the_largest_frame(large: int) -> None:
    topics = {"manager": "strimzi", "replicas": 1, "maxMiB": large, "retentionMiB": 64, "retentionMinutes": 5}
    values = {**VARIANTS["strimzi-mtls"], "topics": topics}
    own = {"topics": {"partitions": 6, "more": [], **topics}}
    raw = next(each for each in of_kind(rendered(values), "KafkaTopic") if each["metadata"]["name"] == RAW)
    assert {key: str(value) for key, value in raw["spec"]["config"].items()} == expected(own)[RAW].config()


def test_the_job_makes_the_contracts_topics_and_those_beside_them() -> None:
    (job,) = of_kind(rendered(VARIANTS["plain"]), "Job")
    (first,), (second,) = (
        job["spec"]["template"]["spec"]["initContainers"],
        job["spec"]["template"]["spec"]["containers"],
    )
    options = ["--partitions=6", "--replicas=1", "--retention=60min", "--retention-bytes=2048MiB", "--max-bytes=4MiB"]
    assert first["args"] == ["topics", "create", *options, "--wait=5min"]
    assert second["args"] == ["topics", "create", "frames.other", *options, "--wait=5min"]


def test_a_job_that_does_something_else_has_another_name() -> None:
    names = {
        of_kind(rendered({**VARIANTS["plain"], "topics": topics}), "Job")[0]["metadata"]["name"]
        for topics in ({"partitions": 6}, {"partitions": 12}, {"partitions": 12, "more": ["frames.other"]})
    }
    assert len(names) == 3


def granted(user: Object) -> Rights:
    """What a KafkaUser may do, by kind and name."""
    found: Rights = {}
    for each in user["spec"]["authorization"]["acls"]:
        resource = each["resource"]
        assert resource["patternType"] == "literal"
        found[resource["type"], resource["name"]] = set(each["operations"])
    return found


def as_map(rights: Iterator[Right]) -> Rights:
    """What `framelane acls print` gives, by kind and name."""
    found: Rights = defaultdict(set)
    for right in rights:
        assert not right.prefixed
        found[right.kind, right.name].add(right.operation)
    return found


def needed(objects: list[Object]) -> dict[str, Rights]:
    """What the users of these pods need: the rights of their roles, on the topics and groups of their pipelines."""
    files = {file: text for each in of_kind(objects, "ConfigMap") for file, text in each["data"].items()}
    pipelines = {}
    for table in tomllib.loads(files["pipelines.toml"])["pipeline"]:
        topics = {key: table[key] for key in ("events", "dead_letter") if key in table}
        more = {"raw": table.get("input", RAW), "processed": table.get("output", PROCESSED)}
        more |= {"requests": more["raw"], "replies": more["processed"]}
        group = table.get("group", f"framelane.{table['name']}")
        pipelines[table["name"]] = Names(**topics, **more, groups=(group,))
    served: dict[str, list[str]] = defaultdict(list)
    for pod in pods(objects):
        for argument in pod.spec["containers"][0].get("args", []):
            if argument.startswith("--pipeline="):
                served[pod.metadata["labels"]["framelane.io/role"]].append(argument.partition("=")[2])
    return {
        "framelane-producer": as_map(iter(rights_of("producer"))),
        "framelane-view": as_map(iter(rights_of("view"))),
        "framelane-worker": as_map(
            right for name in served["worker"] for right in rights_of("worker", pipelines[name])
        ),
        "framelane-gateway": as_map(
            right for name in served["gateway"] for right in rights_of("gateway", pipelines[name])
        ),
        "framelane-recorder": as_map(iter(rights_of("subscriber", user="framelane-recorder"))),
    }


def test_each_user_may_do_what_its_role_needs_and_no_more() -> None:
    objects = committed("production")
    found = {each["metadata"]["name"]: granted(each) for each in of_kind(objects, "KafkaUser")}
    assert found == needed(objects)


def test_a_camera_on_a_topic_of_its_own_may_write_there() -> None:
    cameras = '[defaults]\ntopic = "frames.a"\n[[camera]]\nid = "a"\nsource = "synthetic:"\n'
    cameras += '[[camera]]\nid = "b"\nsource = "synthetic:"\ntopic = "frames.b"\n'
    objects = rendered({**VARIANTS["strimzi-mtls"], "producers": [{"name": "p", "cameras": cameras}]})
    user = next(each for each in of_kind(objects, "KafkaUser") if each["metadata"]["name"] == "framelane-producer")
    wanted = [right for topic in (RAW, "frames.a", "frames.b") for right in rights_of("producer", Names(raw=topic))]
    assert granted(user) == as_map(iter(wanted))


def test_a_pipeline_that_only_finds_has_no_output() -> None:
    pipelines = '[[pipeline]]\nname = "default"\noutput = ""\ngroup = "other"\noperators = [{ op = "motion" }]'
    objects = rendered({**VARIANTS["strimzi-mtls"], "pipelines": pipelines})
    user = next(each for each in of_kind(objects, "KafkaUser") if each["metadata"]["name"] == "framelane-worker")
    assert granted(user) == as_map(iter(rights_of("worker", Names(processed="", groups=("other",)))))
