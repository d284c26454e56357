"""The broker goes away and comes back: the worker waits, goes on by itself, and nothing is lost."""

import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from kafka_support import count_of, create_topic, drain, unique
from probe_support import counts, page, wait_for_page
from worker_support import Fleet, Topics, findings, identity, send

from framelane.embedded import EmbeddedKafka

CAMERAS = ["a", "b", "c", "d"]
AWAY_S = 180.0
BACK_S = 10.0


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedKafka]:
    """A broker of this file's own, to be killed."""
    with EmbeddedKafka() as kafka:
        yield kafka


@pytest.fixture
def kafka(broker: EmbeddedKafka) -> EmbeddedKafka:
    """That broker, which runs whatever the test before has left of it."""
    broker.nodes[0].start()
    return broker


@pytest.fixture
def topics(kafka: EmbeddedKafka) -> Topics:
    """Topics of this test's own."""
    topics = Topics(*(unique(hint) for hint in ("raw", "processed", "events", "dead")))
    for name in astuple(topics):
        create_topic(kafka.bootstrap, name, partitions=4, config={})
    return topics


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_broker_is_restarted(kafka: EmbeddedKafka, topics: Topics, tmp_path: Path, how: signal.Signals) -> None:
    with Fleet(kafka.bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", "trial_operators:Slow:ms=5")
        fleet.wait_for_members(1)
        send(kafka.bootstrap, topics.raw, CAMERAS, 200)
        drain(kafka.bootstrap, topics.processed, count=200)
        (kafka.nodes[0].kill if how == signal.SIGKILL else kafka.nodes[0].stop)()
        kafka.nodes[0].start()
        send(kafka.bootstrap, topics.raw, CAMERAS, 50, first=200)
        drain(kafka.bootstrap, topics.processed, until=lambda ms: len({identity(m) for m in ms}) == 1000, timeout_s=90)
        assert worker.process.poll() is None, worker.log.read_text()
        assert worker.stop() == 0, worker.log.read_text()
        found = findings(drain(kafka.bootstrap, topics.processed), CAMERAS, 250)
    assert (found.lost, found.out_of_order) == (0, 0)


def test_the_output_topic_is_deleted_and_made_again(kafka: EmbeddedKafka, topics: Topics, tmp_path: Path) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    with Fleet(kafka.bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", "flip")
        send(kafka.bootstrap, topics.raw, CAMERAS, 10)
        drain(kafka.bootstrap, topics.processed, count=40)
        admin.delete_topics([topics.processed])[topics.processed].result()
        send(kafka.bootstrap, topics.raw, CAMERAS, 10, first=10)
        worker.wait_for_log(f"cannot deliver to {topics.processed}")
        # Frames keep coming while the topic comes back: none may overtake those that wait.
        sending = threading.Thread(target=_send_slowly, args=(kafka.bootstrap, topics.raw, 20, 80))
        sending.start()
        create_topic(kafka.bootstrap, topics.processed, partitions=4, config={})
        sending.join()
        outputs = drain(kafka.bootstrap, topics.processed, count=4 * 70, timeout_s=90)
        assert worker.stop() == 0, worker.log.read_text()
    assert {identity(message)[2] for message in outputs} == set(range(10, 80))
    assert findings(outputs, CAMERAS, 80).out_of_order == 0


def _send_slowly(bootstrap: str, topic: str, first: int, end: int) -> None:
    for sequence in range(first, end):
        send(bootstrap, topic, CAMERAS, 1, first=sequence)


def test_the_input_topic_is_deleted_and_made_again(kafka: EmbeddedKafka, topics: Topics, tmp_path: Path) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    with Fleet(kafka.bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", "flip")
        send(kafka.bootstrap, topics.raw, CAMERAS, 10)
        drain(kafka.bootstrap, topics.processed, count=40)
        fleet.wait_for_members(1)
        admin.delete_topics([topics.raw])[topics.raw].result()
        # Made again before the group has noticed, the new topic would be taken for the old one, offsets and all.
        fleet.wait_for_members(1, with_partitions=False)
        create_topic(kafka.bootstrap, topics.raw, partitions=4, config={})
        send(kafka.bootstrap, topics.raw, CAMERAS, 20, first=10)
        outputs = drain(kafka.bootstrap, topics.processed, count=40 + 80, timeout_s=120)
        assert worker.process.poll() is None
        assert worker.stop() == 0, worker.log.read_text()
    assert {identity(message)[2] for message in outputs} == set(range(30))


@pytest.mark.timeout(700)
def test_a_broker_that_is_away_for_three_minutes_ends_nobody(
    kafka: EmbeddedKafka, topics: Topics, tmp_path: Path
) -> None:
    with Fleet(kafka.bootstrap, tmp_path, topics) as fleet:
        # With a limit far below the time for which the broker is away.
        worker = fleet.start("--op", "trial_operators:Slow:ms=20", "--stall-limit", "20s")
        wait_for_page(worker, "/readyz", 200)
        send(kafka.bootstrap, topics.raw, CAMERAS, 250)
        drain(kafka.bootstrap, topics.processed, count=200)
        kafka.nodes[0].kill()
        back = time.monotonic() + AWAY_S
        while time.monotonic() < back:
            assert page(worker, "/healthz") == (200, "ok\n")
            assert worker.process.poll() is None, worker.log.read_text()
            time.sleep(1)
        kafka.nodes[0].start(timeout_s=180)
        started, before = time.monotonic(), count_of(kafka.bootstrap, topics.processed)
        while count_of(kafka.bootstrap, topics.processed) == before:
            assert time.monotonic() - started < 60, worker.log.read_text()
            time.sleep(0.05)
        back_s = time.monotonic() - started
        print(f"first output {back_s:.1f} s after the broker's return")
        outputs = drain(kafka.bootstrap, topics.processed, count=1000, timeout_s=90)
        assert counts(worker, "framelane_broker_reconnects_total")[()] >= 1
        assert page(worker, "/healthz") == (200, "ok\n")
        assert worker.stop() == 0, worker.log.read_text()
    found = findings(outputs, CAMERAS, 250)
    assert (found.lost, found.out_of_order) == (0, 0)
    assert back_s < BACK_S
