"""`make kube-test`: a real API server takes all that is committed, and Pod Security "restricted" admits the pods."""

import json
import time
from collections.abc import Iterator

import kube_crds
import pytest
from api_server import ApiServer
from kube_support import MANIFESTS, NAMESPACE, TARGETS, Object, committed, name_of, pods

APPLY = ("apply", "--server-side", "--validate=strict")


@pytest.fixture(scope="module", params=TARGETS)
def target(request: pytest.FixtureRequest) -> str:
    """The name of a committed rendering."""
    return str(request.param)


@pytest.fixture(scope="module")
def server(target: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An API server of its own for each rendering, which knows the custom resources."""
    with ApiServer(tmp_path_factory.mktemp("api-server")) as server:
        crds = sorted(str(path) for path in kube_crds.definitions().glob("*.yaml"))
        done = server.kubectl(*APPLY, *(word for path in crds for word in ("-f", path)))
        assert done.returncode == 0, done.stderr
        _wait_until_established(server)
        yield server


def _wait_until_established(server: ApiServer) -> None:
    # `kubectl wait` gives up at once on a definition that has no conditions yet, which is how each begins.
    give_up = time.monotonic() + 60
    while True:
        listed = json.loads(server.kubectl("get", "crd", "-o", "json").stdout)["items"]
        waiting = [each["metadata"]["name"] for each in listed if not _is_established(each)]
        if listed and not waiting:
            return
        assert time.monotonic() < give_up, f"not established: {waiting}"
        time.sleep(0.2)


def _is_established(definition: Object) -> bool:
    conditions = definition.get("status", {}).get("conditions") or []
    return any((each["type"], each["status"]) == ("Established", "True") for each in conditions)


@pytest.fixture(scope="module")
def applied(server: ApiServer, target: str) -> ApiServer:
    """The same, with the rendering applied as a user does it."""
    done = server.kubectl(*APPLY, "-k", str(MANIFESTS / target))
    assert done.returncode == 0, done.stderr
    # It warns of pods that "restricted" would refuse, and of what is out of date.
    assert "Warning" not in done.stderr, done.stderr
    assert done.stdout.count("serverside-applied") == len(committed(target)), done.stdout
    return server


def test_everything_is_there_as_it_was_given(applied: ApiServer, target: str) -> None:
    for each in committed(target):
        done = applied.kubectl("diff", "--server-side", "--filename=-", given=each)
        assert done.returncode == 0, f"{name_of(each)}: {done.stdout}{done.stderr}"


def test_it_can_be_applied_from_kubectls_side_too(applied: ApiServer, target: str) -> None:
    """As the README says it: then each object has to fit into an annotation of its own."""
    done = applied.kubectl("apply", "--dry-run=server", "-k", str(MANIFESTS / target))
    assert done.returncode == 0, done.stderr


def pod(name: str, metadata: Object, spec: Object) -> Object:
    """A pod as a controller would make it of a template."""
    own = {"name": name, "namespace": NAMESPACE, "labels": metadata["labels"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": own, "spec": spec}


def test_pods_are_admitted(applied: ApiServer, target: str) -> None:
    found = list(pods(committed(target)))
    assert found
    for number, each in enumerate(found):
        given = pod(f"pod-{number}", each.metadata, each.spec)
        done = applied.kubectl("create", "--dry-run=server", "--validate=strict", "--filename=-", given=given)
        assert done.returncode == 0, f"{each.owner}: {done.stderr}"
        assert "Warning" not in done.stderr, f"{each.owner}: {done.stderr}"


def test_a_pod_that_is_not_restricted_is_refused(applied: ApiServer, target: str) -> None:
    each = next(iter(pods(committed(target))))
    spec = {**each.spec, "securityContext": {}}
    done = applied.kubectl("create", "--dry-run=server", "--filename=-", given=pod("pod", each.metadata, spec))
    assert done.returncode != 0
    assert 'violates PodSecurity "restricted' in done.stderr, done.stderr


def test_a_field_that_nobody_knows_is_refused(applied: ApiServer, target: str) -> None:
    for each in committed(target):
        if "spec" in each:
            wrong = {**each, "spec": {**each["spec"], "unheardOf": 1}}
            done = applied.kubectl(*APPLY, "--dry-run=server", "--filename=-", given=wrong)
            assert done.returncode != 0 and "unheardOf" in done.stderr, f"{name_of(each)}: {done.stderr}"


def test_rules_of_strimzi_are_judged_by_the_server(server: ApiServer) -> None:
    user = next(each for each in committed("production") if each["kind"] == "KafkaUser")
    wrong = {**user, "spec": {**user["spec"], "authentication": {"type": "scram-sha-512", "validityDays": 3}}}
    done = server.kubectl("create", "--dry-run=server", "--filename=-", given=wrong)
    assert done.returncode != 0 and "type: tls" in done.stderr, done.stderr
