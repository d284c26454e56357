import logging

import pytest

from producers.repeats import EVERY_S, Repeats


def test_it_is_said_at_once_and_then_counted(caplog: pytest.LogCaptureFixture) -> None:
    now = 5.0
    repeats = Repeats(logging.getLogger("test"), camera_id="a", clock=lambda: now)
    with caplog.at_level(logging.WARNING):
        for _ in range(4):
            repeats.warn("too large")
        now += EVERY_S
        repeats.warn("too large")
        now += EVERY_S
        repeats.warn("too large")
    assert [record.getMessage() for record in caplog.records] == [
        "too large",
        "too large (and 3 more since the last time)",
        "too large",
    ]
