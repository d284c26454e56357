"""Every role through TLS: with a login, and with a certificate; each with just the rights of `framelane acls print`."""

import json
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from certificates import Authority
from confluent_kafka.admin import AdminClient
from kafka_support import drain_with, run_cli, start_cli
from producer_support import noise
from roles_support import add_acls, all_roles, remove_acls

from framelane.acls import ROLES, Names, Right, rights_of
from framelane.embedded import EmbeddedKafka
from framelane.embedded.users import granted
from producers import CameraProducer, FrameProducer
from streams.contract.errors import MessageTooLarge
from streams.contract.images import encode
from streams.contract.kafka_settings import load_kafka_settings


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    for name in ("admin", *ROLES, "intruder"):
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
        for role in ROLES:
            grant(kafka, role, granted(role))
        created = run_cli(["topics", "create", "--config", str(authority.settings("topics", kafka.bootstrap))])
        assert created.returncode == 0, created.stderr
        yield kafka


def grant(kafka: EmbeddedKafka, who: str, rights: Iterable[Right]) -> None:
    add_acls(AdminClient({"bootstrap.servers": kafka.nodes[0].internal}), f"CN={who}", rights)


def take_away(kafka: EmbeddedKafka, who: str, rights: Iterable[Right]) -> None:
    remove_acls(AdminClient({"bootstrap.servers": kafka.nodes[0].internal}), f"CN={who}", rights)


def test_every_role_with_a_login_over_tls(tmp_path: Path) -> None:
    with EmbeddedKafka(secure=True) as kafka:
        all_roles(kafka.config_of, tmp_path)


def test_every_role_with_its_certificate(mutual: EmbeddedKafka, authority: Authority, tmp_path: Path) -> None:
    all_roles(lambda role: authority.settings(role, mutual.bootstrap), tmp_path)


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


def test_a_worker_that_may_write_no_more_ends_and_commits_nothing(mutual: EmbeddedKafka, authority: Authority) -> None:
    group = "framelane.readonly"
    authority.sign("readonly")
    rights = rights_of("worker", Names(groups=(group,)))
    grant(mutual, "readonly", rights)
    config, bootstrap = authority.settings("readonly", mutual.bootstrap), mutual.bootstrap
    camera = [
        "produce",
        "synthetic:?size=320x240",
        "--fast",
        "--config",
        str(authority.settings("producer", bootstrap)),
    ]
    admin = load_kafka_settings(config=authority.settings("admin", bootstrap), environ={}).for_confluent()
    work = ["work", "--op", "flip", "--group", group, "--config", str(config)]
    output = [right for right in rights if right.name == "frames.processed"]
    with start_cli(work) as worker:
        try:
            assert run_cli([*camera, "--camera", "gate-2", "--count", "1"]).returncode == 0
            drain_with(admin, "frames.processed", until=lambda messages: any(m.key() == b"gate-2" for m in messages))
            take_away(mutual, "readonly", output)
            assert run_cli([*camera, "--camera", "gate-3", "--count", "5"]).returncode == 0
            _, log = worker.communicate(timeout=60)
        finally:
            worker.kill()
    assert worker.returncode == 1
    assert "cannot write to topic frames.processed" in log.decode()
    assert "Traceback" not in log.decode()
    # Nothing was acked: a worker that may write finds every frame.
    grant(mutual, "readonly", output)
    with start_cli(work) as worker:
        try:
            found = drain_with(admin, "frames.processed", until=lambda ms: sum(m.key() == b"gate-3" for m in ms) >= 5)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.communicate(timeout=60)
    names = [dict(m.headers() or [])["ce_frameseq"] for m in found if m.key() == b"gate-3"]
    assert names == [b"0", b"1", b"2", b"3", b"4"]


def test_without_the_right_to_see_a_topics_limit_a_frame_that_is_too_large_is_still_told_of(
    mutual: EmbeddedKafka, authority: Authority
) -> None:
    authority.sign("bare")
    grant(mutual, "bare", (right for right in rights_of("producer") if right.needed))
    settings = load_kafka_settings(config=authority.settings("bare", mutual.bootstrap))
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
