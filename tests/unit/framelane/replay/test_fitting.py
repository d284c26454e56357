"""An output that a topic does not take becomes a dead letter, and that one is made to fit."""

import pytest

from framelane.replay.fitting import fitting
from streams.contract.headers import Record
from streams.pipeline import Pipeline
from streams.pipeline_settings import quick_pipeline
from streams.processing import FILTERED, Result
from streams.publisher import OutRecord

PIPELINE = Pipeline(quick_pipeline(["flip"]))
RECORD = Record("frames.raw", 2, 17, 1000, b"gate-1", b"x" * 3000, ())
HEADERS = [("ce_id", b"gate-1/e/1")]


def result(size: int, topic: str = "frames.processed") -> Result:
    return Result("processed", (OutRecord(topic, b"gate-1", b"y" * size, HEADERS, 1000),))


def limits(output: int, letter: int = 10_000) -> dict[str, int]:
    return {"frames.processed": output, "frames.events": output, "frames.dead-letter": letter}


def test_what_fits_stays_as_it_is() -> None:
    made = result(1000)

    assert fitting(made, RECORD, PIPELINE, limits(2000)) is made
    assert fitting(FILTERED, RECORD, PIPELINE, limits(1)) is FILTERED


@pytest.mark.parametrize("topic", ["frames.processed", "frames.events"])
def test_what_is_too_large_is_a_dead_letter_with_the_frame(topic: str) -> None:
    found = fitting(result(2000, topic), RECORD, PIPELINE, limits(2000))

    (letter,) = found.records
    assert (found.fate, letter.topic, letter.value) == ("output_too_large", "frames.dead-letter", RECORD.value)
    assert dict(letter.headers)["dl_input"] == b"frames.raw/2/17"
    assert b"the limit is 2000" in dict(letter.headers)["dl_error"]


def test_a_letter_that_is_too_large_goes_without_the_frame() -> None:
    found = fitting(result(2000), RECORD, PIPELINE, limits(2000, 3000))

    (letter,) = found.records
    assert (found.fate, letter.value) == ("output_too_large", b"")
