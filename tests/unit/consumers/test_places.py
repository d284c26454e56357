"""A group's places, with a broker that does not take a commit."""

from confluent_kafka import KafkaError, TopicPartition

from consumers.failures import Failures
from consumers.places import GroupPlaces
from consumers.settings import SubscriptionSettings


class Forgetful:
    """What is needed of the client; it loses the first commits without a word."""

    def __init__(self, *, loses: int) -> None:
        self.loses, self.commits = loses, 0
        self._has: TopicPartition | None = None

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> None:
        assert asynchronous
        self.commits += 1
        if self.commits > self.loses:
            (self._has,) = offsets

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        return [self._has or TopicPartition(partitions[0].topic, partitions[0].partition, -1001)]


def test_a_commit_that_was_lost_is_sent_again_before_anything_is_handed_out() -> None:
    settings = SubscriptionSettings(group="archive")
    places = GroupPlaces(settings, failures=Failures(settings))
    client = Forgetful(loses=1)
    places.consumer = client  # type: ignore[assignment]
    progress = places.of(0, 100)
    assert [places.reserve(progress, 100) for _ in range(3)] == [False, True, True]
    assert client.commits == 2
    assert progress.free_until > 100


def test_a_commit_that_the_broker_refuses_is_sent_again() -> None:
    settings = SubscriptionSettings(group="archive")
    places = GroupPlaces(settings, failures=Failures(settings))
    client = Forgetful(loses=0)
    places.consumer = client  # type: ignore[assignment]
    progress = places.of(0, 100)
    assert places.reserve(progress, 100)
    progress.hold(100, 5)
    progress.done(100)
    places.write()
    assert progress.written is not None
    offset, note = progress.written
    places.on_commit(KafkaError(KafkaError._TIMED_OUT), [TopicPartition("t", 0, offset, metadata=note)])
    places.write()
    places.write()
    assert client.commits == 3
