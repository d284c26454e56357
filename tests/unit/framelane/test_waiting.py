"""What is not waited for."""

import pytest

from framelane.waiting import wait_for_kafka
from streams.contract.errors import SettingError
from streams.contract.kafka_settings import KafkaSettings


@pytest.mark.parametrize("topic", ["", "bad name", ".", "x" * 250])
def test_a_name_that_no_topic_can_have_is_told_before_any_broker_is_asked(topic: str) -> None:
    with pytest.raises(SettingError, match=r"topic '.*': expected 1 to 249 of"):
        wait_for_kafka(KafkaSettings(bootstrap="127.0.0.1:1"), ["good", topic], wait_s=60)
