from typing import Any

import pytest

import producers.client as client
from streams.contract.errors import SettingError
from streams.contract.kafka_settings import KafkaSettings


def config_of(settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch, *, acks: client.Acks = "all") -> dict[str, Any]:
    given: dict[str, Any] = {}
    monkeypatch.setattr(client, "Producer", lambda config, logger: given.update(config))
    client.connect(settings, on_error=lambda _: None, acks=acks)
    return given


def test_no_frame_is_given_up_for_its_age_unless_the_user_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert config_of(KafkaSettings(), monkeypatch)["message.timeout.ms"] == 0
    own = KafkaSettings(librdkafka={"message.timeout.ms": 5000})
    assert config_of(own, monkeypatch)["message.timeout.ms"] == 5000


def test_a_setting_that_the_client_does_not_know_is_named() -> None:
    with pytest.raises(SettingError, match=r"message\.timeout\.mz"):
        client.connect(KafkaSettings(librdkafka={"message.timeout.mz": 1}), on_error=lambda _: None)


def test_all_replicas_and_no_frame_twice_unless_asked_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of(KafkaSettings(), monkeypatch)
    assert (config["acks"], config["enable.idempotence"]) == ("all", True)
    assert "max.in.flight.requests.per.connection" not in config


def test_one_replica_keeps_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of(KafkaSettings(), monkeypatch, acks="1")
    assert (config["acks"], config["enable.idempotence"]) == ("1", False)
    assert config["max.in.flight.requests.per.connection"] == 1


def test_what_is_contradictory_is_refused() -> None:
    settings = KafkaSettings(librdkafka={"enable.idempotence": True})
    with pytest.raises(SettingError, match="the client refuses its settings"):
        client.connect(settings, on_error=lambda _: None, acks="1")
