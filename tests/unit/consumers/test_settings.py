import subprocess
import sys
from typing import Any

import pytest

from consumers.settings import SubscriptionSettings, assigns_incrementally, client_config, first_protocol
from streams.contract.client_log import ClientLog
from streams.contract.errors import SettingError
from streams.contract.kafka_settings import KafkaSettings


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"topic": ""}, "topic"),
        ({"topic": "^frames"}, "topic"),
        ({"group": ""}, "group"),
        ({"since_ns": 5, "until_ns": 5}, "since"),
        ({"ack": "never"}, "ack 'never': expected next or manual"),
        ({"group_protocol": "new"}, "group_protocol 'new'"),
        ({"size": (0, 10)}, "decode"),
        ({"dedupe_window_s": -1.0}, "dedupe_window"),
    ],
)
def test_refuses(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        SubscriptionSettings(**given)


def test_a_watcher_never_commits_and_has_a_name_of_its_own() -> None:
    one, other = client_config(SubscriptionSettings()), client_config(SubscriptionSettings())
    assert one["enable.auto.commit"] is False
    assert one["group.id"] != other["group.id"]


def test_the_client_commits_nothing_by_itself() -> None:
    config = client_config(SubscriptionSettings(group="archive"))
    assert config["group.id"] == "archive"
    assert (config["enable.auto.commit"], config["enable.auto.offset.store"]) == (False, False)


@pytest.mark.parametrize(
    ("asked", "librdkafka", "protocol"),
    [
        ("auto", {}, "consumer"),
        ("auto", {"session.timeout.ms": 6000}, "classic"),
        ("auto", {"group.protocol": "classic"}, "classic"),
        ("classic", {}, "classic"),
        ("consumer", {"session.timeout.ms": 6000}, "consumer"),
    ],
)
def test_the_group_protocol_to_begin_with(asked: Any, librdkafka: dict[str, Any], protocol: str) -> None:
    kafka = KafkaSettings(librdkafka=librdkafka)
    settings = SubscriptionSettings(kafka=kafka, group="archive", group_protocol=asked)
    assert first_protocol(settings) == protocol
    assert assigns_incrementally(settings, protocol) == (protocol == "consumer")
    assert ("session.timeout.ms" in client_config(settings, protocol)) == (protocol == "classic" or bool(librdkafka))


def test_logs_through_logging_and_passes_librdkafka_settings_on() -> None:
    kafka = KafkaSettings(bootstrap="broker:1", librdkafka={"session.timeout.ms": 6000})
    config = client_config(SubscriptionSettings(kafka=kafka))
    assert isinstance(config["logger"], ClientLog)
    assert (config["bootstrap.servers"], config["session.timeout.ms"]) == ("broker:1", 6000)


def test_the_import_loads_neither_faust_nor_opencv() -> None:
    code = (
        "import consumers, consumers.sinks, sys; print([m for m in ('cv2', 'faust', 'producers') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
