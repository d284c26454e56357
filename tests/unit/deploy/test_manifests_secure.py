"""Pods have no right that they do not need, and no secret lies open; `make kube-test` asks a real API server."""

import re
from collections.abc import Mapping

import pytest
from kube_support import ALL, Object, committed, is_ours, name_of, objects_of, of_kind, pods

_SECRET = re.compile(r"password|token|secret|(?<!_)key", re.IGNORECASE)


def covers(selector: Mapping[str, object], labels: Mapping[str, str]) -> bool:
    """Whether a selector picks a pod with these labels."""
    wanted = dict(selector.get("matchLabels", {}))  # type: ignore[call-overload]
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    for each in selector.get("matchExpressions", []):  # type: ignore[attr-defined]
        value = labels.get(each["key"])
        if each["operator"] == "Exists":
            fits = value is not None
        else:
            assert each["operator"] == "In", each
            fits = value in each["values"]
        if not fits:
            return False
    return True


@pytest.mark.parametrize("name", ALL)
def test_pods_have_no_right_that_they_do_not_need(name: str) -> None:
    found = list(pods(objects_of(name)))
    assert found
    for pod in found:
        assert pod.spec["automountServiceAccountToken"] is False, pod.owner
        assert pod.spec["enableServiceLinks"] is False, pod.owner
        security = pod.spec["securityContext"]
        assert security["runAsNonRoot"] is True and security["runAsUser"] > 0, pod.owner
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, pod.owner
        for container in pod.containers():
            mine = container["securityContext"]
            assert mine["allowPrivilegeEscalation"] is False, pod.owner
            assert mine["capabilities"] == {"drop": ["ALL"]}, pod.owner
            if is_ours(container):
                assert mine["readOnlyRootFilesystem"] is True, pod.owner
                assert (security["runAsUser"], security["runAsGroup"]) == (10001, 10001), pod.owner
            assert set(container["resources"]) == {"requests", "limits"}, pod.owner
            assert "memory" in container["resources"]["limits"], pod.owner


@pytest.mark.parametrize("name", ALL)
def test_no_secret_lies_open(name: str) -> None:
    objects = objects_of(name)
    assert not of_kind(objects, "Secret")
    for pod in pods(objects):
        for container in pod.containers():
            for each in container.get("env", []):
                if _SECRET.search(each["name"]) and "value" in each:
                    # The path of a file, or where tokens are handed out; FRAMELANE_KAFKA__... are all settings.
                    assert each["value"].startswith(("/run/secrets/", "https://")), f"{pod.owner}: {each['name']}"
            for argument in container.get("args", []):
                option, _, value = argument.partition("=")
                assert not _SECRET.search(option) or value.startswith("/run/secrets/"), f"{pod.owner}: {option}"


@pytest.mark.parametrize("name", [each for each in ALL if each != "plain"])
def test_nothing_comes_in_or_goes_out_unless_it_is_named(name: str) -> None:
    objects = objects_of(name)
    policies = of_kind(objects, "NetworkPolicy")
    deny = [each["spec"] for each in policies if not each["spec"].get("ingress") and not each["spec"].get("egress")]
    for pod in pods(objects):
        labels = pod.metadata["labels"]
        assert any(
            covers(spec["podSelector"], labels) and spec["policyTypes"] == ["Ingress", "Egress"] for spec in deny
        ), pod.owner


@pytest.mark.parametrize("name", [each for each in ALL if each != "plain"])
def test_all_roles_reach_names_and_kafka(name: str) -> None:
    objects = objects_of(name)
    policies = [each["spec"] for each in of_kind(objects, "NetworkPolicy")]
    for pod in pods(objects):
        labels = pod.metadata["labels"]
        rules = [rule for spec in policies if covers(spec["podSelector"], labels) for rule in spec.get("egress", [])]
        ports = {port["port"] for rule in rules for port in rule["ports"]}
        wanted = {53, *kafka_ports(pod.spec["containers"][0])}
        assert wanted <= ports or not is_ours(pod.spec["containers"][0]), f"{pod.owner}: {ports}"


def kafka_ports(container: Object) -> set[int]:
    """The ports of its brokers."""
    given = {each["name"]: each.get("value", "") for each in container.get("env", [])}
    return {int(each.rpartition(":")[2]) for each in given.get("FRAMELANE_KAFKA__BOOTSTRAP", "").split(",") if each}


def test_production_opens_these_ports_to_these_and_no_others() -> None:
    opened = {
        (name_of(each), str(rule["from"]), port["port"])
        for each in of_kind(committed("production"), "NetworkPolicy")
        for rule in each["spec"].get("ingress", [])
        for port in rule["ports"]
    }
    monitoring = "[{'namespaceSelector': {'matchLabels': {'kubernetes.io/metadata.name': 'monitoring'}}}]"
    ingress = "[{'namespaceSelector': {'matchLabels': {'kubernetes.io/metadata.name': 'ingress-nginx'}}}]"
    clients = "[{'namespaceSelector': {'matchLabels': {'framelane.io/client': 'true'}}}]"
    assert opened == {
        ("NetworkPolicy/framelane-metrics", monitoring, 9464),
        ("NetworkPolicy/framelane-gateway", monitoring, 8080),
        ("NetworkPolicy/framelane-gateway", clients, 8000),
        ("NetworkPolicy/framelane-gateway", clients, 8080),
        ("NetworkPolicy/framelane-view", ingress, 8088),
    }


@pytest.mark.parametrize("name", ALL)
def test_policies_and_budgets_pick_our_pods_and_not_those_of_strimzi(name: str) -> None:
    strimzi = {"app.kubernetes.io/name": "kafka", "app.kubernetes.io/instance": "framelane"}
    strimzi |= {"strimzi.io/cluster": "framelane", "app.kubernetes.io/managed-by": "strimzi-cluster-operator"}
    objects = objects_of(name)
    ours = [pod.metadata["labels"] for pod in pods(objects)]
    for each in of_kind(objects, "NetworkPolicy", "PodDisruptionBudget"):
        selector = each["spec"].get("podSelector") or each["spec"]["selector"]
        assert any(covers(selector, labels) for labels in ours), name_of(each)
        assert not covers(selector, strimzi), name_of(each)
    # Strimzi hands the labels of these on to its pods.
    for each in of_kind(objects, "Kafka", "KafkaNodePool"):
        assert set(each["metadata"].get("labels", {})) <= {"strimzi.io/cluster"}, name_of(each)


@pytest.mark.parametrize("name", ALL)
def test_each_service_and_budget_is_of_one_workload(name: str) -> None:
    objects = objects_of(name)
    workloads = [(pod.owner, pod.metadata["labels"]) for pod in pods(objects) if not pod.owner.startswith("Job")]
    budgets = [each["spec"]["selector"] for each in of_kind(objects, "PodDisruptionBudget")]
    services = [{"matchLabels": each["spec"]["selector"]} for each in of_kind(objects, "Service")]
    for selector in [*budgets, *services]:
        assert sum(covers(selector, labels) for _, labels in workloads) == 1, selector
    for owner, labels in workloads:
        if "kafka" not in owner:
            assert sum(covers(selector, labels) for selector in budgets) == 1, owner
