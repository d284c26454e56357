"""One [kafka] table for confluent-kafka and for Faust."""

import ssl
import subprocess
from pathlib import Path

import pytest

from streams.contract.errors import SettingError
from streams.contract.kafka_settings import KafkaSettings, load_kafka_settings


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pem")
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout", "client.key"]
    command = ["openssl", "req", "-x509", *key, "-days", "2", "-subj", "/CN=test", "-out", "ca.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (folder / "client.pem").write_text((folder / "ca.pem").read_text())
    (folder / "password").write_text("s3cret\n")
    return folder


def write(folder: Path, text: str) -> Path:
    path = folder / "framelane.toml"
    path.write_text(text)
    return path


def test_flag_over_environment_over_file_over_default(tmp_path: Path) -> None:
    config = write(tmp_path, '[kafka]\nbootstrap = "file:1"\n')
    assert load_kafka_settings(environ={}).bootstrap == "localhost:9092"
    assert load_kafka_settings(config=config, environ={}).bootstrap == "file:1"
    both = {"KAFKA_BOOTSTRAP_SERVERS": "customary:1", "FRAMELANE_KAFKA__BOOTSTRAP": "ours:1"}
    assert (
        load_kafka_settings(config=config, environ={"KAFKA_BOOTSTRAP_SERVERS": "customary:1"}).bootstrap
        == "customary:1"
    )
    assert load_kafka_settings(config=config, environ=both).bootstrap == "ours:1"
    assert load_kafka_settings(bootstrap="flag:1", config=config, environ=both).bootstrap == "flag:1"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[kafka]\nbotstrap = "x"\n', "kafka.botstrap"),
        ('[kafka]\nsecurity = "ssl"\n', "kafka.security = 'ssl'"),
        ('[kafka]\nsecurity = "mtls"\n', "needs cert and key"),
        ('[kafka]\nsecurity = "sasl"\n', "needs username"),
        ('[kafka]\nusername = "me"\n', 'security must be "sasl"'),
        ('[kafka]\nsecurity = "sasl"\nmechanism = "OAUTHBEARER"\nusername = "a"\npassword = "b"\n', "token_url"),
        ("[kafka\n", "is not TOML"),
        ("kafka = 5\n", "expected one table"),
        ("[[kafka]]\n", "expected one table"),
        ('[kafka]\nusernam = "me"\n', "did you mean username?"),
    ],
)
def test_mistakes_name_the_key_and_what_was_expected(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingError) as refused:
        load_kafka_settings(config=write(tmp_path, text), environ={})
    assert says in str(refused.value)
    assert "framelane.toml" in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"nowhere\.toml: No such file"):
        load_kafka_settings(config=tmp_path / "nowhere.toml", environ={})


def test_plaintext_for_both() -> None:
    settings = KafkaSettings(bootstrap="a:1,b:2")
    assert settings.for_confluent() == {"bootstrap.servers": "a:1,b:2", "security.protocol": "plaintext"}
    assert settings.for_faust().url == "kafka://a:1;kafka://b:2"
    assert settings.for_faust().ssl_context is None


def test_sasl_over_tls_for_both(pem: Path) -> None:
    text = '[kafka]\nsecurity = "sasl"\nca = "ca.pem"\nusername = "worker"\npassword_file = "password"\n'
    settings = load_kafka_settings(config=write(pem, text), environ={})
    confluent, broker = settings.for_confluent(), settings.for_faust()
    assert confluent["security.protocol"] == "sasl_ssl"
    assert confluent["ssl.ca.location"] == str(pem / "ca.pem")
    assert (confluent["sasl.mechanism"], confluent["sasl.username"]) == ("SCRAM-SHA-512", "worker")
    assert confluent["sasl.password"] == "s3cret"
    assert (broker.sasl_mechanism, broker.username, broker.password) == ("SCRAM-SHA-512", "worker", "s3cret")
    assert isinstance(broker.ssl_context, ssl.SSLContext)


def test_mtls_for_both(pem: Path) -> None:
    text = '[kafka]\nsecurity = "mtls"\nca = "ca.pem"\ncert = "client.pem"\nkey = "client.key"\n'
    settings = load_kafka_settings(config=write(pem, text), environ={})
    confluent = settings.for_confluent()
    assert confluent["security.protocol"] == "ssl"
    assert confluent["ssl.certificate.location"] == str(pem / "client.pem")
    assert settings.for_faust().ssl_context is not None
    assert settings.for_faust().sasl_mechanism == ""


def test_sasl_without_tls_only_when_said_aloud() -> None:
    settings = KafkaSettings(security="sasl_plaintext", mechanism="PLAIN", username="a", password="b")
    assert settings.for_confluent()["security.protocol"] == "sasl_plaintext"
    assert settings.for_faust().ssl_context is None


def test_secrets_come_from_where_the_settings_say(tmp_path: Path) -> None:
    settings = KafkaSettings(security="sasl", username="a", password_env="KAFKA_PW")
    assert settings.secret({"KAFKA_PW": "x"}) == "x"
    with pytest.raises(SettingError, match="KAFKA_PW"):
        settings.secret({})
    with pytest.raises(SettingError, match="cannot read"):
        KafkaSettings(security="sasl", username="a", password_file=tmp_path / "none").secret({})


@pytest.mark.parametrize(
    "text",
    [
        '[kafka]\npasword = "hunter2"\n',
        "[kafka]\npassword = 2222222\n",
        '[kafka]\nlibrdkafka = "sasl.password=hunter2"\n',
        '[kafka]\n[kafka.librdkafka]\n"sasl.password" = ["hunter2"]\n',
    ],
)
def test_secrets_are_not_shown_by_mistakes(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingError) as refused:
        load_kafka_settings(config=write(tmp_path, text), environ={})
    assert "hunter2" not in str(refused.value)
    assert "2222222" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_another_command_reaches_the_same_broker_as_this_one(tmp_path: Path) -> None:
    config = write(tmp_path, '[kafka]\nbootstrap = "file:1"\n')
    assert load_kafka_settings(bootstrap="flag:1", environ={}).reach == "--bootstrap flag:1"
    assert load_kafka_settings(config=config, environ={}).reach == f"--config {config}"
    both = load_kafka_settings(bootstrap="flag:1", config=config, environ={})
    assert both.reach == f"--config {config} --bootstrap flag:1"


def test_a_password_of_the_environment_goes_before_a_file_that_the_settings_name(tmp_path: Path) -> None:
    config = write(tmp_path, '[kafka]\nsecurity = "sasl"\nusername = "a"\npassword_file = "none"\n')
    settings = load_kafka_settings(config=config, environ={"FRAMELANE_KAFKA__PASSWORD": "hunter2"})
    assert settings.secret({}) == "hunter2"


def test_a_file_that_does_not_say_how_to_reach_a_broker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"has no table \[kafka\]"):
        load_kafka_settings(config=write(tmp_path, "[Kafka]\n"), environ={})


def test_an_empty_variable_is_none() -> None:
    assert load_kafka_settings(environ={"KAFKA_BOOTSTRAP_SERVERS": ""}).bootstrap == "localhost:9092"


def test_a_text_where_faust_needs_a_number() -> None:
    with pytest.raises(SettingError, match="expected a number"):
        KafkaSettings(librdkafka={"session.timeout.ms": "soon"}).for_faust()


def test_secrets_are_not_shown() -> None:
    assert "hunter2" not in repr(KafkaSettings(security="sasl", username="a", password="hunter2"))


def test_an_identity_provider_is_trusted_as_the_system_does_or_as_is_said() -> None:
    table = {
        "security": "sasl",
        "username": "a",
        "password": "b",
        "mechanism": "OAUTHBEARER",
        "token_url": "https://id",
    }
    named = {"https.ca.location": "/id.pem"}
    for more in ({}, named):
        settings = KafkaSettings.model_validate({**table, "librdkafka": more})
        trusted = settings.for_confluent()["https.ca.location"]
        assert Path(trusted).exists() or trusted == "/id.pem"
        assert settings.for_faust().token_ca == more.get("https.ca.location", "")


def test_the_environment_may_hold_librdkafka_settings(tmp_path: Path) -> None:
    file = tmp_path / "framelane.toml"
    file.write_text('[kafka]\nlibrdkafka = {"client.id" = "file", "check.crcs" = true}\n')
    environ = {"FRAMELANE_KAFKA__LIBRDKAFKA": '{"client.id": "pod-1", "session.timeout.ms": 45000}'}
    settings = load_kafka_settings(config=file, environ=environ)
    assert settings.librdkafka == {"client.id": "pod-1", "check.crcs": True, "session.timeout.ms": 45000}


@pytest.mark.parametrize("text", ["s3cret", '["s3cret"]', '{"sasl.password": ["s3cret"]}'])
def test_librdkafka_settings_of_the_environment_that_are_none_are_told_and_not_shown(text: str) -> None:
    with pytest.raises(SettingError, match=r"LIBRDKAFKA|librdkafka") as caught:
        load_kafka_settings(environ={"FRAMELANE_KAFKA__LIBRDKAFKA": text})
    assert "s3cret" not in str(caught.value)


def test_librdkafka_settings_have_the_last_word_and_need_a_twin_in_faust() -> None:
    settings = KafkaSettings(librdkafka={"client.id": "gate", "session.timeout.ms": 20000})
    assert settings.for_confluent(**{"client.id": "ours"})["client.id"] == "gate"
    assert settings.for_faust().settings == {"broker_client_id": "gate", "broker_session_timeout": 20.0}
    for text, value in (("true", True), ("false", False)):
        assert KafkaSettings(librdkafka={"check.crcs": text}).for_faust().settings == {"broker_check_crcs": value}
    with pytest.raises(SettingError, match=r"'linger\.ms'"):
        KafkaSettings(librdkafka={"linger.ms": 5}).for_faust()
