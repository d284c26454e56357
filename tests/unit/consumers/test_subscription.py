"""What a subscription refuses before it asks any broker."""

import pytest

from consumers import Subscription, SubscriptionSettings
from streams.contract.errors import SettingError
from streams.contract.kafka_settings import KafkaSettings


def test_a_setting_that_the_client_does_not_know_is_told() -> None:
    kafka = KafkaSettings(librdkafka={"no.such.setting": 1})
    with pytest.raises(SettingError, match=r"no\.such\.setting"):
        Subscription(SubscriptionSettings(kafka=kafka))
