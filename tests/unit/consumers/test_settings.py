import subprocess
import sys
from typing import Any

import pytest

from consumers.settings import SubscriptionSettings, client_config
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
    ],
)
def test_refuses(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        SubscriptionSettings(**given)


def test_a_watcher_never_commits_and_has_a_name_of_its_own() -> None:
    one, other = client_config(SubscriptionSettings()), client_config(SubscriptionSettings())
    assert one["enable.auto.commit"] is False
    assert one["group.id"] != other["group.id"]


def test_a_group_commits_only_what_was_acknowledged() -> None:
    config = client_config(SubscriptionSettings(group="archive"))
    assert (config["group.id"], config["enable.auto.commit"], config["enable.auto.offset.store"]) == (
        "archive",
        True,
        False,
    )
    assert client_config(SubscriptionSettings(group="archive", commit_interval_s=None))["enable.auto.commit"] is False


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
