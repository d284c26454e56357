"""A worker that stands still ends itself; that one whose broker is away never does is in test_broker_away."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from kafka_support import count_of, drain
from probe_support import counts, page, wait_for_page
from worker_support import Fleet, Worker, make_topics, send

CAMERAS = ["a", "b", "c", "d"]
LIMIT_S = 6


def ended(worker: Worker, *, timeout_s: float) -> str:
    """Wait for the worker to end with exit code 1; what it has said."""
    code = worker.process.wait(timeout_s)
    assert code == 1, worker.log.read_text()
    return worker.log.read_text()


@pytest.mark.parametrize("variant", ["never-resumes", "never-commits"])
def test_a_worker_that_stands_still_ends(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path, variant: str
) -> None:
    topics = make_topics(make_topic)
    with Fleet(kafka_bootstrap, tmp_path, topics, variant=variant) as fleet:
        worker = fleet.start("--op", "flip", "--stall-limit", f"{LIMIT_S}s")
        wait_for_page(worker, "/readyz", 200)
        send(kafka_bootstrap, topics.raw, CAMERAS, 10)
        said = ended(worker, timeout_s=120)
    assert "though frames wait: " in said
    assert "it ends, to be started again" in said


def test_without_the_watchdog_it_stands_for_ever(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topics = make_topics(make_topic)
    with Fleet(kafka_bootstrap, tmp_path, topics, variant="never-resumes") as fleet:
        worker = fleet.start("--op", "flip", "--stall-limit", "0")
        wait_for_page(worker, "/readyz", 200)
        send(kafka_bootstrap, topics.raw, CAMERAS, 10)
        time.sleep(4 * LIMIT_S)
        assert worker.process.poll() is None, worker.log.read_text()
        assert count_of(kafka_bootstrap, topics.processed) == 0


def test_a_worker_that_goes_on_or_is_idle_does_not_end(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topics = make_topics(make_topic)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", "trial_operators:Slow:ms=100", "--threads", "1", "--stall-limit", "3s")
        send(kafka_bootstrap, topics.raw, CAMERAS, 50)
        drain(kafka_bootstrap, topics.processed, count=200, timeout_s=90)
        time.sleep(8)
        assert page(worker, "/healthz") == (200, "ok\n")
        assert worker.stop() == 0, worker.log.read_text()


def test_a_blocked_loop_is_told_of_and_ended(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topics = make_topics(make_topic, partitions=1)
    with Fleet(kafka_bootstrap, tmp_path, topics, variant="blocks") as fleet:
        worker = fleet.start("--op", "flip")
        wait_for_page(worker, "/readyz", 200)
        assert page(worker, "/healthz") == (200, "ok\n")
        send(kafka_bootstrap, topics.raw, ["a"], 20)
        trouble = wait_for_page(worker, "/healthz", 503)
        # The pages answer though the loop does not.
        assert counts(worker, "framelane_assigned_partitions")[()] == 1
        said = ended(worker, timeout_s=60)
    assert "the event loop has not ticked for " in trouble
    assert "in wait" in trouble
    assert "the process ends, to be started again" in said
