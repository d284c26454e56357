"""Fixtures of all tests: a real Kafka, and topics of one's own on it."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from kafka_support import create_topic, unique

from framelane.embedded import EmbeddedKafka

pytest_plugins = ["skip_policy"]

_INTEGRATION = Path(__file__).parent / "integration"


class MakeTopic(Protocol):
    """The type of the fixture `make_topic`."""

    def __call__(self, name_hint: str = "raw", *, partitions: int = 4, max_bytes: int = 4 * 1024 * 1024) -> str:
        """Create a topic under a name of its own, and return that when the topic can be used."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every integration test needs Kafka."""
    for item in items:
        if _INTEGRATION in item.path.parents:
            item.add_marker("kafka")


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    """The bootstrap address of a real Kafka: the one in FRAMELANE_TEST_BOOTSTRAP, or one for this session."""
    given = os.environ.get("FRAMELANE_TEST_BOOTSTRAP")
    if given:
        yield given
        return
    with EmbeddedKafka() as kafka:
        yield kafka.bootstrap


@pytest.fixture
def make_topic(kafka_bootstrap: str) -> MakeTopic:
    """Makes topics that no other test has."""

    def make(name_hint: str = "raw", *, partitions: int = 4, max_bytes: int = 4 * 1024 * 1024) -> str:
        name = unique(name_hint)
        # Kept, whatever the records' times say: those of 1970 would be gone before they are read.
        config = {"max.message.bytes": str(max_bytes), "compression.type": "producer", "retention.ms": "-1"}
        create_topic(kafka_bootstrap, name, partitions=partitions, config=config)
        return name

    return make


@pytest.fixture(autouse=True)
def no_log_lines_of_others(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A client of an earlier test may still wait for a broker that is gone, in a thread of its own, and say so."""

    def ours(record: logging.LogRecord) -> bool:
        return record.name != "librdkafka" or record.threadName == "MainThread"

    caplog.handler.addFilter(ours)
    yield
    caplog.handler.removeFilter(ours)
