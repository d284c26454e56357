"""The status topic's reader."""

import pytest

from consumers.status_board import StatusBoard
from streams.contract.errors import SettingError
from streams.contract.kafka_settings import KafkaSettings


def test_a_setting_that_the_client_does_not_know_is_told() -> None:
    with pytest.raises(SettingError, match=r"no\.such\.setting"):
        StatusBoard(KafkaSettings(librdkafka={"no.such.setting": 1}))
