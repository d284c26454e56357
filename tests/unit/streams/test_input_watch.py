"""An input topic that goes and comes back is told of once, with the mend."""

import logging
from types import SimpleNamespace

import pytest

from streams.input_watch import LOOKS, InputWatch


def told(caplog: pytest.LogCaptureFixture, partitions: list[int]) -> list[str]:
    """What is said of a topic that has so many partitions, look by look."""
    frames = SimpleNamespace(pipeline=SimpleNamespace(settings=SimpleNamespace(input="raw")))
    progress = SimpleNamespace(frames=frames, input_partitions=0)
    watch = InputWatch(progress, reach="--bootstrap kafka:9092")  # type: ignore[arg-type]
    with caplog.at_level(logging.INFO, "streams.input_watch"):
        for progress.input_partitions in partitions:
            watch.look()
    return [record.getMessage() for record in caplog.records if record.name == "streams.input_watch"]


def test_one_that_goes_and_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    gone, back, again = told(caplog, [4, *[0] * (LOOKS + 5), 4, 4, *[0] * LOOKS])
    assert "the input topic raw is gone" in gone
    assert "framelane topics create raw --bootstrap kafka:9092" in gone
    assert back == "the input topic raw is there again"
    assert again == gone


def test_one_that_is_not_known_yet_or_missed_for_a_moment(caplog: pytest.LogCaptureFixture) -> None:
    assert told(caplog, [*[0] * (LOOKS + 5), 4, *[0] * (LOOKS - 1), 4]) == []
