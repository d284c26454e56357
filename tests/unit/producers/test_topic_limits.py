from concurrent.futures import Future

import pytest
from confluent_kafka import KafkaError as ClientError
from confluent_kafka import KafkaException

from producers.topic_limits import ASK_EVERY_S, TopicLimits


class Broker:
    """Writes down what it is asked, and answers when told."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.asked: list[Future[int]] = []
        self.limits = TopicLimits(self.ask, clock=lambda: self.now_s)

    def ask(self, topic: str) -> "Future[int]":
        self.asked.append(Future())
        return self.asked[-1]


@pytest.fixture
def broker() -> Broker:
    return Broker()


def test_it_is_asked_once_a_minute_at_the_most(broker: Broker) -> None:
    for _ in range(3):
        broker.limits.ask("t")
    broker.asked[0].set_result(1000)
    broker.limits.refused("t", 1001)
    assert len(broker.asked) == 1
    broker.now_s += ASK_EVERY_S
    broker.limits.refused("t", 1001)
    broker.limits.refused("t", 1001)
    assert len(broker.asked) == 2
    broker.limits.ask("other")
    assert len(broker.asked) == 3


def test_who_waits_gets_the_answer_or_none(broker: Broker) -> None:
    assert broker.limits.wait("t", timeout_s=0) is None
    broker.limits.ask("t")
    assert broker.limits.wait("t", timeout_s=0.001) is None
    broker.asked[0].set_result(1000)
    assert broker.limits.wait("t", timeout_s=10) == 1000
    assert broker.limits.bound("t") == 1000
    assert broker.limits.told("t", 1001) == ": 1000 bytes (max.message.bytes)"


def test_an_answer_takes_the_place_of_what_refusals_have_taught(broker: Broker) -> None:
    broker.limits.ask("t")
    assert broker.limits.bound("t") is None
    for size in (900, 1000, 800):
        broker.limits.refused("t", size)
    assert broker.limits.bound("t") == 600
    broker.asked[0].set_result(700)
    assert broker.limits.bound("t") == 700


def test_a_limit_that_was_lowered_is_learnt_from_a_refusal(broker: Broker) -> None:
    broker.limits.ask("t")
    broker.asked[0].set_result(1000)
    assert broker.limits.told("t", 800) == " (its max.message.bytes was 1000 bytes when it was last asked for)"
    broker.limits.refused("t", 800)
    assert broker.limits.bound("t") == 600


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KafkaException(ClientError(ClientError.TOPIC_AUTHORIZATION_FAILED)), "lacks the right DescribeConfigs"),
        (KafkaException(ClientError(ClientError._TIMED_OUT, "too late")), "too late"),
        (KeyError("max.message.bytes"), "the broker does not say its max.message.bytes"),
    ],
)
def test_why_it_is_not_known_is_said(broker: Broker, error: Exception, told: str) -> None:
    broker.limits.ask("t")
    broker.asked[0].set_exception(error)
    assert told in broker.limits.told("t", 5000)
    assert broker.limits.wait("t", timeout_s=10) is None
    assert broker.limits.bound("t") is None


def test_a_question_without_an_answer_leaves_what_was_known(broker: Broker) -> None:
    broker.limits.ask("t")
    broker.asked[0].set_result(1000)
    broker.now_s += ASK_EVERY_S
    broker.limits.ask("t")
    broker.asked[1].set_exception(KafkaException(ClientError(ClientError._TIMED_OUT)))
    assert broker.limits.bound("t") == 1000
