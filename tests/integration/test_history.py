"""Reading what a partition held before a position, on a real Kafka."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from kafka_support import count_of

from streams.contract.headers import Record
from streams.contract.kafka_settings import KafkaSettings
from streams.history import HistoryReader, Span
from streams.lanes import Partition

MakeTopic = Callable[..., str]
WAIT_S = 60


@dataclass
class Reader:
    """Takes every frame of the cameras that it wants. slow_s: how long each takes it. times: when each came, in s."""

    wanted: tuple[str, ...] = ()
    slow_s: float = 0.0
    over: bool = False
    records: list[Record] = field(default_factory=list)
    coming: list[int] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    times: list[float] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def wants(self, camera: str) -> bool:
        return not self.wanted or camera in self.wanted

    def takes(self, camera: str, coming: int) -> bool:
        self.coming.append(coming)
        return True

    def read(self, record: Record, camera: str) -> None:
        time.sleep(self.slow_s)
        self.times.append(time.monotonic() - self.began)
        self.records.append(record)

    def ended(self) -> None:
        self.done.set()

    @property
    def offsets(self) -> list[int]:
        return [record.offset for record in self.records]


def fill(bootstrap: str, topic: str, cameras: list[str], count: int, *, size: int = 100, partition: int = 0) -> None:
    """`count` records, of the cameras in turn."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
    for number in range(count):
        camera = cameras[number % len(cameras)]
        producer.produce(topic, key=camera, value=bytes(size), partition=partition, headers=[("n", str(number))])
        producer.poll(0)
    assert producer.flush(30) == 0


def read(
    bootstrap: str, topic: str, end: int, *, memory: int, reader: Reader | None = None, seconds: float = WAIT_S
) -> Reader:
    """Read what there is before the offset, to its end."""
    reader = reader or Reader()
    history = HistoryReader(KafkaSettings(bootstrap=bootstrap), group="framelane.test")
    history.read(Span(reader, Partition(topic, 0), end, memory_frames=memory, deadline=time.monotonic() + seconds))
    assert reader.done.wait(WAIT_S)
    return reader


def test_redriven_frames_lie_out_of_order_and_are_left_out(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=1)
    fill(kafka_bootstrap, topic, ["a"], 5)
    producer = Producer({"bootstrap.servers": kafka_bootstrap})
    producer.produce(topic, key="a", value=b"late", partition=0, headers=[("dl_pipeline", b"quick")])
    producer.flush()
    fill(kafka_bootstrap, topic, ["a"], 4)
    assert read(kafka_bootstrap, topic, 10, memory=20).offsets == [0, 1, 2, 3, 4, 6, 7, 8, 9]


def test_as_much_as_the_memory_of_each_camera_takes_in_order(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=1)
    fill(kafka_bootstrap, topic, ["a", "b", "c"], 400)
    reader = read(kafka_bootstrap, topic, 350, memory=60)
    assert reader.offsets == sorted(set(reader.offsets))
    assert reader.offsets[-1] == 349
    counts = Counter(record.key for record in reader.records)
    assert all(60 <= count <= 70 for count in counts.values()), counts
    assert reader.coming[-1] == 1
    assert abs(reader.coming[0] - 180) <= 10
    assert reader.records[0].headers == [("n", str(reader.offsets[0]).encode())]


def test_of_a_camera_that_comes_more_often_no_more_than_its_memory_takes(
    kafka_bootstrap: str, make_topic: MakeTopic
) -> None:
    topic = make_topic(partitions=1)
    fill(kafka_bootstrap, topic, ["fast", "fast", "fast", "slow"], 800)
    counts = Counter(record.key for record in read(kafka_bootstrap, topic, 800, memory=100).records)
    assert 95 <= counts[b"fast"] <= 120
    assert 45 <= counts[b"slow"] <= 60


def test_only_of_cameras_that_are_wanted(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=1)
    fill(kafka_bootstrap, topic, ["a", "b"], 200)
    reader = read(kafka_bootstrap, topic, 200, memory=20, reader=Reader(wanted=("a",)))
    assert {record.key for record in reader.records} == {b"a"}
    assert 20 <= len(reader.records) <= 24
    assert read(kafka_bootstrap, topic, 200, memory=20, reader=Reader(wanted=("c",))).records == []


def test_what_retention_has_deleted_only_makes_it_shorter(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=1)
    fill(kafka_bootstrap, topic, ["a"], 100)
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    for future in admin.delete_records([TopicPartition(topic, 0, 90)]).values():
        future.result(timeout=30)
    assert read(kafka_bootstrap, topic, 100, memory=50).offsets == list(range(90, 100))
    # Everything before is gone: the first record that there is is the lane's own.
    assert read(kafka_bootstrap, topic, 90, memory=50).records == []


def test_the_topic_is_gone(kafka_bootstrap: str) -> None:
    assert read(kafka_bootstrap, "there-is-no-such-topic", 100, memory=50, seconds=1.0).records == []


def test_records_that_no_client_can_read_are_passed_over(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=1)
    producer = Producer({"bootstrap.servers": kafka_bootstrap})
    for key in (b"a", b"\xff\xfe", None, b"a", b"../a", b"a"):
        producer.produce(topic, key=key, value=b"x", partition=0)
    assert producer.flush(30) == 0
    assert read(kafka_bootstrap, topic, 6, memory=50).offsets == [0, 3, 5]


def test_several_partitions_at_once_and_one_of_them_not_to_the_end(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=3)
    history = HistoryReader(KafkaSettings(bootstrap=kafka_bootstrap), group="framelane.test")
    readers = [Reader(), Reader(), Reader(slow_s=0.05)]
    for partition, reader in enumerate(readers):
        fill(kafka_bootstrap, topic, ["a"], 300, partition=partition)
        span = Span(reader, Partition(topic, partition), 300, memory_frames=200, deadline=time.monotonic() + WAIT_S)
        history.read(span)
    readers[2].over = True
    for reader in readers:
        assert reader.done.wait(WAIT_S)
    for reader in readers[:2]:
        assert reader.offsets == list(range(80, 300))
    assert len(readers[2].records) < 220
    # The thread has ended; another request starts one.
    assert count_of(kafka_bootstrap, topic) == 900
    again = Reader()
    history.read(Span(again, Partition(topic, 0), 300, memory_frames=10, deadline=time.monotonic() + WAIT_S))
    assert again.done.wait(WAIT_S)
    assert again.offsets == list(range(289, 300))


def test_without_time_for_all_the_oldest_are_jumped_over_and_the_newest_read(
    kafka_bootstrap: str, make_topic: MakeTopic
) -> None:
    topic = make_topic(partitions=1)
    fill(kafka_bootstrap, topic, ["a"], 1000, size=300_000)
    whole = read(kafka_bootstrap, topic, 1000, memory=900)
    assert whole.offsets == list(range(10, 1000))
    # Enough to connect and to take the sample, and for a third of the rest.
    slow_s = 0.005
    seconds = whole.times[0] + 990 * slow_s / 3
    reader = read(kafka_bootstrap, topic, 1000, memory=900, reader=Reader(slow_s=slow_s), seconds=seconds)
    print(f"{len(reader.records)} records up to {reader.offsets[-1]} in {seconds:.1f} s")
    assert len(reader.records) < 900
    assert reader.offsets == sorted(set(reader.offsets))
    # Read from the first one on, it would have come to about 340.
    assert reader.offsets[-1] > 600
