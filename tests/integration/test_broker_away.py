"""The broker goes away and comes back: the worker waits, goes on by itself, and nothing is lost."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from kafka_support import create_topic, drain
from worker_support import Fleet, Topics, findings, identity, send

from framelane.embedded import EmbeddedKafka

CAMERAS = ["a", "b", "c", "d"]
TOPICS = Topics("raw", "processed", "events", "dead")


@pytest.fixture
def kafka() -> Iterator[EmbeddedKafka]:
    """A broker of its own, to be killed."""
    with EmbeddedKafka() as kafka:
        for name in ("raw", "processed", "events", "dead"):
            create_topic(kafka.bootstrap, name, partitions=4, config={})
        yield kafka


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_broker_is_restarted(kafka: EmbeddedKafka, tmp_path: Path, how: signal.Signals) -> None:
    with Fleet(kafka.bootstrap, tmp_path, TOPICS) as fleet:
        worker = fleet.start("--op", "trial_operators:Slow:ms=5")
        fleet.wait_for_members(1)
        send(kafka.bootstrap, TOPICS.raw, CAMERAS, 200)
        drain(kafka.bootstrap, TOPICS.processed, count=200)
        (kafka.nodes[0].kill if how == signal.SIGKILL else kafka.nodes[0].stop)()
        kafka.nodes[0].start()
        send(kafka.bootstrap, TOPICS.raw, CAMERAS, 50, first=200)
        drain(kafka.bootstrap, TOPICS.processed, until=lambda ms: len({identity(m) for m in ms}) == 1000, timeout_s=90)
        assert worker.process.poll() is None, worker.log.read_text()
        assert worker.stop() == 0, worker.log.read_text()
        found = findings(drain(kafka.bootstrap, TOPICS.processed), CAMERAS, 250)
    assert (found.lost, found.out_of_order) == (0, 0)


def test_the_output_topic_is_deleted_and_made_again(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    with Fleet(kafka.bootstrap, tmp_path, TOPICS) as fleet:
        worker = fleet.start("--op", "flip")
        send(kafka.bootstrap, TOPICS.raw, CAMERAS, 10)
        drain(kafka.bootstrap, TOPICS.processed, count=40)
        admin.delete_topics([TOPICS.processed])[TOPICS.processed].result()
        send(kafka.bootstrap, TOPICS.raw, CAMERAS, 10, first=10)
        worker.wait_for_log("cannot deliver to processed")
        # Frames keep coming while the topic comes back: none may overtake those that wait.
        sending = threading.Thread(target=_send_slowly, args=(kafka.bootstrap, 20, 80))
        sending.start()
        create_topic(kafka.bootstrap, TOPICS.processed, partitions=4, config={})
        sending.join()
        outputs = drain(kafka.bootstrap, TOPICS.processed, count=4 * 70, timeout_s=90)
        assert worker.stop() == 0, worker.log.read_text()
    assert {identity(message)[2] for message in outputs} == set(range(10, 80))
    assert findings(outputs, CAMERAS, 80).out_of_order == 0


def _send_slowly(bootstrap: str, first: int, end: int) -> None:
    for sequence in range(first, end):
        send(bootstrap, TOPICS.raw, CAMERAS, 1, first=sequence)


def test_the_input_topic_is_deleted_and_made_again(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    with Fleet(kafka.bootstrap, tmp_path, TOPICS) as fleet:
        worker = fleet.start("--op", "flip")
        send(kafka.bootstrap, TOPICS.raw, CAMERAS, 10)
        drain(kafka.bootstrap, TOPICS.processed, count=40)
        fleet.wait_for_members(1)
        admin.delete_topics([TOPICS.raw])[TOPICS.raw].result()
        # Made again before the group has noticed, the new topic would be taken for the old one, offsets and all.
        fleet.wait_for_members(1, with_partitions=False)
        create_topic(kafka.bootstrap, TOPICS.raw, partitions=4, config={})
        send(kafka.bootstrap, TOPICS.raw, CAMERAS, 20, first=10)
        outputs = drain(kafka.bootstrap, TOPICS.processed, count=40 + 80, timeout_s=120)
        assert worker.process.poll() is None
        assert worker.stop() == 0, worker.log.read_text()
    assert {identity(message)[2] for message in outputs} == set(range(30))
