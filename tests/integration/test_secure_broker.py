"""`EmbeddedKafka(secure=True)`: TLS and a login, with the settings file that it writes."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from kafka_support import drain_with, run_cli

from framelane.acls import ROLES
from framelane.embedded import EmbeddedKafka
from framelane.waiting import wait_for_kafka
from streams.contract.errors import BrokerUnavailable, KafkaError
from streams.contract.kafka_settings import KafkaSettings, load_kafka_settings


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka(secure=True, data=tmp_path_factory.mktemp("secure")) as kafka:
        yield kafka


@pytest.fixture
def settings(secure: EmbeddedKafka) -> KafkaSettings:
    return load_kafka_settings(config=secure.config_file, environ={})


def test_every_command_works_with_the_file_that_it_writes(secure: EmbeddedKafka, settings: KafkaSettings) -> None:
    config = str(secure.config_file)
    created = run_cli(["topics", "create", "--config", config])
    assert created.returncode == 0, created.stderr
    doctor = run_cli(["doctor", "--config", config])
    assert doctor.returncode == 0, doctor.stdout
    assert "the workers' client" in doctor.stdout

    producer = Producer(settings.for_confluent())
    producer.produce("frames.raw", key="gate-1", value=b"frame")
    assert producer.flush(10) == 0
    assert [m.value() for m in drain_with(settings.for_confluent(), "frames.raw")] == [b"frame"]


def test_a_wrong_password_is_told_at_once(settings: KafkaSettings) -> None:
    wrong = settings.model_copy(update={"password_file": None, "password": "wrong"})
    with pytest.raises(KafkaError, match=r"authentication failed as user 'framelane' by SCRAM-SHA-512") as e:
        wait_for_kafka(wrong, [], wait_s=60)
    assert not e.value.retriable


def test_an_authority_that_is_not_trusted_is_told_at_once(settings: KafkaSettings) -> None:
    with pytest.raises(KafkaError, match=r"TLS failed: .*certificate"):
        wait_for_kafka(settings.model_copy(update={"ca": None}), [], wait_s=60)


def test_speaking_plainly_is_hinted_at(settings: KafkaSettings) -> None:
    with pytest.raises(BrokerUnavailable, match=r"does it want TLS or a login\?"):
        wait_for_kafka(KafkaSettings(bootstrap=settings.bootstrap), [], wait_s=1)


def test_secrets_are_for_their_owner_only(secure: EmbeddedKafka) -> None:
    assert secure.config_file is not None
    folder = secure.config_file.parent
    secret = [folder / "password", folder / "server.p12", Path(secure.folder, "node-1", "server.properties")]
    secret += [folder / f"{role}.password" for role in ROLES]
    assert len({path.read_text() for path in secret if path.suffix == ".password"}) == len(ROLES)
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}
