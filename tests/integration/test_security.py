"""Every role through TLS: with a login, and with a certificate and just the rights that the README lists."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import Authority
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from kafka_support import drain_with, run_cli, start_cli
from producer_support import noise

from framelane.embedded import EmbeddedKafka
from producers import CameraProducer, FrameProducer
from streams.contract.errors import MessageTooLarge
from streams.contract.images import encode
from streams.contract.kafka_settings import load_kafka_settings

READ, WRITE, DESCRIBE = AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE
TOPIC, GROUP = ResourceType.TOPIC, ResourceType.GROUP
# The table of rights in the README.
RIGHTS = {
    "producer": [(TOPIC, name, right) for name in ("frames.raw", "frames.status") for right in (WRITE, DESCRIBE)],
    "worker": [
        (TOPIC, "frames.raw", READ),
        (TOPIC, "frames.raw", DESCRIBE),
        (GROUP, "framelane.quick", READ),
        *[
            (TOPIC, f"frames.{name}", right)
            for name in ("processed", "events", "dead-letter", "status")
            for right in (WRITE, DESCRIBE)
        ],
    ],
    "subscriber": [
        (TOPIC, "frames.processed", READ),
        (TOPIC, "frames.processed", DESCRIBE),
        (GROUP, "archive", READ),
    ],
    "status": [(GROUP, "framelane.quick", DESCRIBE), (TOPIC, "frames.raw", READ), (TOPIC, "frames.status", READ)],
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    for name in ("admin", *RIGHTS, "intruder"):
        authority.sign(name)
    return authority


@pytest.fixture(scope="module")
def mutual(authority: Authority) -> Iterator[EmbeddedKafka]:
    """A broker that knows clients by their certificates, and lets each do only what it may."""
    listener = authority.listener(
        authorizer__class__name="org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        super__users="User:ANONYMOUS;User:CN=admin",
    )
    with EmbeddedKafka(listener=listener) as kafka:
        created = run_cli(["topics", "create", "--config", str(authority.settings("admin", kafka.bootstrap))])
        assert created.returncode == 0, created.stderr
        grant(kafka, RIGHTS)
        yield kafka


def grant(kafka: EmbeddedKafka, rights: dict[str, list[tuple[ResourceType, str, AclOperation]]]) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.nodes[0].internal})
    bindings = [
        AclBinding(kind, name, ResourcePatternType.LITERAL, f"User:CN={who}", "*", right, AclPermissionType.ALLOW)
        for who, wanted in rights.items()
        for kind, name, right in wanted
    ]
    for answer in admin.create_acls(bindings).values():
        answer.result()


def all_roles(configs: dict[str, Path], folder: Path) -> None:
    """A camera, a worker and two subscribers, each with its own settings."""
    camera = ["produce", "synthetic:?size=320x240", "--camera", "gate-1", "--count", "20", "--fast"]
    done = run_cli([*camera, "--config", str(configs["producer"])])
    assert done.returncode == 0, done.stderr
    with start_cli(["work", "--op", "flip", "--config", str(configs["worker"])]) as worker:
        try:
            subscriber = ["--config", str(configs["subscriber"]), "--count", "20"]
            tail = run_cli(["tail", "--json", "--since", "-10m", *subscriber])
            record = run_cli(["record", "--to", str(folder / "frames"), "--group", "archive", *subscriber])
        finally:
            worker.send_signal(signal.SIGTERM)
            _, log = worker.communicate(timeout=60)
    assert worker.returncode == 0, log.decode()
    assert [json.loads(line)["sequence"] for line in tail.stdout.splitlines()] == list(range(20)), tail.stderr
    assert record.returncode == 0, record.stderr
    assert len(list((folder / "frames").rglob("*.jpg"))) == 20


def test_every_role_with_a_login_over_tls(tmp_path: Path) -> None:
    with EmbeddedKafka(secure=True) as kafka:
        assert kafka.config_file
        created = run_cli(["topics", "create", "--config", str(kafka.config_file)])
        assert created.returncode == 0, created.stderr
        all_roles(dict.fromkeys(RIGHTS, kafka.config_file), tmp_path)


def test_every_role_with_its_certificate_and_the_rights_of_the_readme(
    mutual: EmbeddedKafka, authority: Authority, tmp_path: Path
) -> None:
    all_roles({who: authority.settings(who, mutual.bootstrap) for who in RIGHTS}, tmp_path)
    done = run_cli(["status", "--json", "--config", str(authority.settings("status", mutual.bootstrap))])
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    quick = next(each for each in found["pipelines"] if each["group"] == "framelane.quick")
    assert (quick["trouble"], quick["state"], len(quick["partitions"])) == ("", "empty", 6)
    assert quick["lag_s"] is not None
    assert [each["state"] for each in found["workers"]] == ["stopped"]


@pytest.mark.parametrize(
    "command", [["produce", "synthetic:", "--camera", "a", "--count", "1"], ["work", "--op", "flip"], ["tail"]]
)
def test_whoever_has_no_rights_is_told_which(mutual: EmbeddedKafka, authority: Authority, command: list[str]) -> None:
    config = authority.settings("intruder", mutual.bootstrap)
    done = run_cli([*command, "--config", str(config), "--wait", "5s"])
    assert done.returncode == 1
    assert "no right to it" in done.stderr
    assert "frames." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_status_without_rights_says_which_are_missing(mutual: EmbeddedKafka, authority: Authority) -> None:
    config = authority.settings("intruder", mutual.bootstrap)
    done = run_cli(["status", "--json", "--group", "framelane.quick", "--config", str(config), "--wait", "5s"])
    assert (done.returncode, done.stderr) == (0, "")
    mends = " ".join(each["mend"] for each in json.loads(done.stdout)["findings"])
    assert "Describe on group framelane.quick" in mends
    assert "topic frames.status: an anonymous client has no right to it" in mends


def test_a_worker_that_may_not_write_ends_and_commits_nothing(mutual: EmbeddedKafka, authority: Authority) -> None:
    group = "framelane.readonly"
    authority.sign("readonly")
    may = [right for right in RIGHTS["worker"] if right != (TOPIC, "frames.processed", WRITE)]
    grant(mutual, {"readonly": [*may, (GROUP, group, READ)]})
    config = authority.settings("readonly", mutual.bootstrap)
    camera = ["produce", "synthetic:?size=320x240", "--camera", "gate-2", "--count", "5", "--fast"]
    assert run_cli([*camera, "--config", str(authority.settings("producer", mutual.bootstrap))]).returncode == 0
    done = run_cli(["work", "--op", "flip", "--group", group, "--config", str(config)])
    assert done.returncode == 1
    assert "cannot write to topic frames.processed" in done.stderr
    assert "Traceback" not in done.stderr
    # Nothing was acked: a worker that may write finds every frame.
    grant(mutual, {"readonly": [(TOPIC, "frames.processed", WRITE)]})
    admin = load_kafka_settings(config=authority.settings("admin", mutual.bootstrap), environ={}).for_confluent()
    with start_cli(["work", "--op", "flip", "--group", group, "--config", str(config)]) as worker:
        try:
            found = drain_with(admin, "frames.processed", until=lambda ms: sum(m.key() == b"gate-2" for m in ms) >= 5)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.communicate(timeout=60)
    names = [dict(m.headers() or [])["ce_frameseq"] for m in found if m.key() == b"gate-2"]
    assert names == [b"0", b"1", b"2", b"3", b"4"]


def test_without_the_right_to_see_a_topics_limit_a_frame_that_is_too_large_is_still_told_of(
    mutual: EmbeddedKafka, authority: Authority
) -> None:
    settings = load_kafka_settings(config=authority.settings("producer", mutual.bootstrap))
    large = encode(noise(1600, 1200, seed=1), "image/png")
    with FrameProducer(settings) as producer:
        camera = CameraProducer("gate-1", producer=producer)
        camera.publish(large)
        told = rf"camera gate-1: .* {len(large)} bytes .* frames.raw takes \(.* lacks the right DescribeConfigs on it\)"
        with pytest.raises(MessageTooLarge, match=told):
            camera.flush()
        camera.change(fit=True)
        frame = camera.publish(large)
    assert len(frame.data) < len(large) * 3 / 4
    assert (camera.sums.produced, camera.sums.fitted, camera.sums.dropped) == (1, 1, {"too_large": 1})
