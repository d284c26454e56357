"""Fleets: static members that wait for their pods, and dynamic ones that KEDA scales by lag and frame age."""

import pytest
import yaml
from kube_support import CHART, TARGETS, VARIANTS, Object, committed, environ_of, objects_of, of_kind, pods, rendered
from prometheus_support import alerts
from promql_support import selectors

from framelane.topic_plan import FRAMES_PER_WORKER
from streams.contract.kafka_settings import load_kafka_settings

VARIABLE = "FRAMELANE_KAFKA__LIBRDKAFKA"
SCALED = ("production", "mtls", "oauth")


def workers(objects: list[Object], kind: str) -> list[Object]:
    """The workloads of workers of this kind."""
    return [each for each in of_kind(objects, kind) if "-worker-" in each["metadata"]["name"]]


@pytest.mark.parametrize("name", [*TARGETS, "plain", "strimzi-mtls"])
def test_fleets_of_fixed_size_are_static_members(name: str) -> None:
    found = workers(objects_of(name), "StatefulSet")
    assert found
    for each in found:
        (worker,) = each["spec"]["template"]["spec"]["containers"]
        names = [variable["name"] for variable in worker["env"]]
        assert {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}} in worker["env"]
        # Kubernetes fills in what is defined before.
        assert names.index("POD_NAME") < names.index(VARIABLE)
        settings = load_kafka_settings(
            environ={
                VARIABLE: environ_of(worker)[VARIABLE].replace("$(POD_NAME)", "framelane-worker-x-0"),
                "FRAMELANE_KAFKA__BOOTSTRAP": "kafka:9092",
            }
        )
        assert dict(settings.for_faust().settings) == {
            "consumer_group_instance_id": "framelane-worker-x-0",
            "broker_session_timeout": 45.0,
        }
        assert settings.bootstrap == "kafka:9092"


@pytest.mark.parametrize("name", SCALED)
def test_scaled_fleets_are_dynamic_members_of_a_size_that_is_kedas(name: str) -> None:
    objects = objects_of(name)
    found = workers(objects, "Deployment")
    assert found
    for each in found:
        assert "replicas" not in each["spec"]
        assert "instance.id" not in str(each)
    scaled = of_kind(objects, "ScaledObject")
    # KEDA refuses a second one on a workload.
    assert sorted(each["spec"]["scaleTargetRef"]["name"] for each in scaled) == sorted(
        each["metadata"]["name"] for each in found
    )


def test_lag_and_frame_age_scale_the_fleet() -> None:
    objects = committed("production")
    (scaled,) = of_kind(objects, "ScaledObject")
    lag, age = scaled["spec"]["triggers"]
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert values["workerDefaults"]["framesPerSecond"] == FRAMES_PER_WORKER
    assert lag["type"] == "kafka"
    metadata = lag["metadata"]
    assert metadata["lagThreshold"] == str(FRAMES_PER_WORKER * values["autoscaling"]["lagSeconds"])
    assert (metadata["consumerGroup"], metadata["topic"]) == ("framelane.privacy", "frames.raw")
    assert (metadata["limitToPartitionsWithLag"], metadata["excludePersistentLag"]) == ("true", "true")
    assert (metadata["tls"], metadata["sasl"]) == ("enable", "scram_sha512")
    # KEDA lives in another namespace, so the name has to say in which this is.
    assert metadata["bootstrapServers"] == "framelane-kafka-bootstrap.framelane.svc:9093"
    assert age["type"] == "prometheus" and age["metricType"] == "Value"
    behaviour = scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behaviour["scaleDown"]["stabilizationWindowSeconds"] == 300
    assert scaled["spec"]["fallback"]["replicas"] <= scaled["spec"]["maxReplicaCount"]


def test_there_are_never_more_workers_than_partitions() -> None:
    objects = committed("production")
    (scaled,) = of_kind(objects, "ScaledObject")
    partitions = {each["metadata"]["name"]: each["spec"]["partitions"] for each in of_kind(objects, "KafkaTopic")}
    topic = scaled["spec"]["triggers"][0]["metadata"]["topic"]
    assert scaled["spec"]["maxReplicaCount"] <= partitions[topic]


@pytest.mark.parametrize(
    ("frames_per_second", "lag_seconds", "threshold"), [(75, 2, "150"), (7.5, 0.5, "4"), (0.1, 1, "1")]
)
def test_the_threshold_follows_what_a_worker_does(frames_per_second: float, lag_seconds: float, threshold: str) -> None:
    fleet = VARIANTS["mtls"]["workers"][0] | {"framesPerSecond": frames_per_second}
    values = {**VARIANTS["mtls"], "workers": [fleet], "autoscaling": {"lagSeconds": lag_seconds}}
    (scaled,) = of_kind(rendered(values), "ScaledObject")
    assert scaled["spec"]["triggers"][0]["metadata"]["lagThreshold"] == threshold
    # Without Prometheus there is no second trigger.
    assert len(scaled["spec"]["triggers"]) == 1


@pytest.mark.parametrize("name", SCALED)
def test_keda_logs_in_as_the_worker_does(name: str) -> None:
    objects = objects_of(name)
    (login,) = of_kind(objects, "TriggerAuthentication")
    (scaled,) = of_kind(objects, "ScaledObject")
    assert scaled["spec"]["triggers"][0]["authenticationRef"] == {"name": login["metadata"]["name"]}
    pod = next(each for each in pods(objects) if each.owner == f"Deployment/{scaled['metadata']['name']}")
    worker = pod.spec["containers"][0]
    for each in login["spec"].get("env", []):
        assert each["containerName"] == worker["name"]
        assert each["name"] in environ_of(worker)
    secrets = {volume["secret"]["secretName"] for volume in pod.spec["volumes"] if "secret" in volume}
    assert {each["name"] for each in login["spec"]["secretTargetRef"]} == secrets
    parameters = {each["parameter"] for each in [*login["spec"]["secretTargetRef"], *login["spec"].get("env", [])]}
    wanted = {
        "production": {"username", "password", "ca"},
        "mtls": {"cert", "key", "ca"},
        "oauth": {"username", "password", "ca", "oauthTokenEndpointUri"},
    }
    assert parameters == wanted[name]


def test_the_age_is_asked_for_by_a_metric_that_workers_have() -> None:
    (scaled,) = of_kind(committed("production"), "ScaledObject")
    (asked,) = selectors(scaled["spec"]["triggers"][1]["metadata"]["query"])
    # The rules are held to what a worker really shows.
    known = {found.metric for alert in alerts() for found in selectors(alert["expr"])}
    assert asked.metric == "framelane_frame_age_seconds_bucket" and asked.metric in known
    assert asked.matchers == (("pipeline", "=", "privacy"),)
