"""What is logged of lines that come again and again."""

import logging
from collections.abc import Iterator

import pytest

from framelane.logs import FewerRepeats


class Lines(logging.Handler):
    """Keeps what gets through."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.addFilter(FewerRepeats("client", clock=lambda: self.now))
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.records.append(record)


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    for name in ("client", "ours"):
        logging.getLogger(name).addHandler(handler)
    yield handler
    for name in ("client", "ours"):
        logging.getLogger(name).removeHandler(handler)


def test_a_line_of_a_client_that_comes_again_is_held_back_and_counted(lines: Lines) -> None:
    log = logging.getLogger("client.cluster")
    for node in range(100):
        log.error("Unable to reach node %s", node)
    log.error("Another line")
    assert [record.getMessage() for record in lines.records] == ["Unable to reach node 0", "Another line"]
    lines.now = 10.0
    log.error("Unable to reach node %s", 100)
    assert (lines.records[-1].getMessage(), lines.records[-1].__dict__["held_back"]) == ("Unable to reach node 100", 99)


def test_lines_of_ours_all_get_through(lines: Lines) -> None:
    for _ in range(3):
        logging.getLogger("ours").warning("again")
    assert len(lines.records) == 3
