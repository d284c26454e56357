"""What a read of the dead-letter topic tells: the letters that are meant, and what became of each."""

import random

import pytest

from consumers.dead_letters import LetterBook, LetterFilter, to_dead_letter
from streams.contract.camera_globs import CameraGlobs
from streams.contract.dead_letters import dead_letter
from streams.contract.errors import FrameError, Reason, SettingError
from streams.contract.headers import Record
from streams.contract.redrive import MAX_ATTEMPTS, Mark, mark_headers


def letter(
    offset: int,
    *,
    camera: str = "gate-1",
    reason: Reason = "operator_error",
    pipeline: str = "privacy@1f3a",
    place: int | None = None,
    before: str = "",
    attempt: int = 2,
) -> Record:
    """A dead letter as it lies in the topic. place: the offset of its frame; before: the letter before attempt."""
    again = [("dl_pipeline", b"privacy"), ("dl_attempt", b"%d" % attempt), ("dl_letter", before.encode())]
    again = again if before else []
    at = offset if place is None else place
    frame = Record("raw", 0, at, 1000 + at, camera.encode(), b"frame", again)
    error = FrameError("it raised", reason=reason, stage="0:blur")
    made = dead_letter(frame, error, pipeline=pipeline, failed_ns=10_000 - offset)
    return Record("dead", 1, offset, made.timestamp_ms, made.key, made.value, made.headers)


def mark(of: int, state: Mark, *, topic: str = "dead", camera: str = "gate-1", pipeline: str = "privacy@77") -> Record:
    headers = mark_headers(f"{topic}/1/{of}", mark=state, pipeline=pipeline)
    return Record("dead", 0, 77, 99_999, camera.encode(), b"", headers)


def book(*records: Record, wanted: LetterFilter | None = None, keep: int = 0) -> LetterBook:
    made = LetterBook("dead", wanted or LetterFilter(), keep=keep)
    for record in records:
        made.add(record)
    return made


def test_a_letter_says_where_it_lies_and_what_failed() -> None:
    found = to_dead_letter(letter(5))
    assert found is not None
    assert (found.id, found.camera_id, found.name) == ("1/5", "gate-1", "gate-1/@raw-0/5")
    assert (found.pipeline, found.pipeline_name, found.attempt) == ("privacy@1f3a", "privacy", 1)
    assert (found.input, found.bytes, found.captured_at_ns) == ("raw/0/5", 5, 1005_000_000)


def test_marks_and_strangers_are_no_letters() -> None:
    assert to_dead_letter(mark(5, "mended")) is None
    assert to_dead_letter(Record("dead", 1, 5, 0, b"gate-1", b"frame", [("ce_id", b"gate-1/e/1")])) is None
    assert len(book(mark(5, "mended"), Record("dead", 1, 6, 0, None, None, ()))) == 0


def test_what_a_letter_does_not_say_is_not_made_up() -> None:
    found = to_dead_letter(Record("dead", 1, 5, 7, b"\xff", None, [("dl_reason", b"new"), ("dl_attempt", b"x")]))
    assert found is not None
    assert (found.camera_id, found.name, found.input, found.pipeline) == ("", "", "", "")
    assert (found.attempt, found.failed_at_ns) == (MAX_ATTEMPTS, 7_000_000)


def test_the_state_is_that_of_the_marks_in_whichever_order_they_are_read() -> None:
    records = [letter(1), letter(2), letter(3), letter(4), letter(5, before="dead/1/4")]
    records += [mark(2, "redriven"), mark(3, "redriven"), mark(3, "mended"), mark(4, "redriven")]
    records += [mark(1, "mended", topic="another")]
    for seed in range(20):
        mixed = random.Random(seed).sample(records, len(records))
        states = {each.id: each.state for each in book(*mixed).newest()}
        assert states == {"1/1": "open", "1/2": "redriven", "1/3": "mended", "1/4": "failed_again", "1/5": "open"}


@pytest.mark.parametrize(
    "forged",
    [
        mark(1, "mended", camera="yard"),
        mark(1, "mended", pipeline="other@1f3a"),
        letter(9, before="dead/1/1", camera="yard"),
        letter(9, before="dead/1/1", pipeline="other@1f3a"),
        letter(9, before="dead/1/1", attempt=3),
    ],
)
def test_what_another_camera_pipeline_or_attempt_says_of_a_letter_is_not_believed(forged: Record) -> None:
    for records in ((letter(1), forged), (forged, letter(1))):
        assert book(*records).state("1/1") == "open"


def test_a_forged_mark_hides_no_sound_one() -> None:
    forged = [mark(1, "mended", camera="yard"), letter(9, before="dead/1/1", attempt=7)]
    assert book(*forged, mark(1, "redriven"), letter(1)).state("1/1") == "redriven"


def test_an_output_that_the_broker_refused_is_not_mended_by_its_mark() -> None:
    records = [letter(1), mark(1, "redriven"), mark(1, "mended"), letter(2, before="dead/1/1")]
    for seed in range(10):
        found = book(*random.Random(seed).sample(records, len(records)))
        assert (found.state("1/1"), found.state("1/2")) == ("failed_again", "open")


def test_what_fails_anew_after_it_was_mended_is_no_repeat() -> None:
    found = book(letter(1, place=7), mark(1, "mended"), letter(2, place=7), letter(3, place=7))
    assert (len(found), found.repeats) == (2, 1)
    assert (found.state("1/1"), found.state("1/2")) == ("mended", "open")


def test_counts_by_reason_and_state() -> None:
    found = book(letter(1), letter(2), letter(3, reason="empty"), mark(2, "mended"))
    assert list(found.counts().items()) == [("operator_error", {"open": 1, "mended": 1}), ("empty", {"open": 1})]
    assert (len(found), found.count("open"), found.count("redriven")) == (3, 2, 0)


def test_only_the_newest_are_kept_and_all_are_counted() -> None:
    # The later an offset, the earlier it failed.
    found = book(*map(letter, range(10)), keep=3)
    assert [each.id for each in found.newest()] == ["1/2", "1/1", "1/0"]
    assert len(found) == 10


def test_a_letter_that_was_written_twice_is_one() -> None:
    found = book(letter(1, place=7), letter(2, place=7), letter(3, place=7, pipeline="other@1"), mark(1, "redriven"))
    assert (len(found), found.repeats) == (2, 1)
    assert [each.state for each in found.newest()] == ["open", "redriven"]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (LetterFilter(), ["1/1", "1/2", "1/3"]),
        (LetterFilter(reasons=("empty", "bad_result")), ["1/2"]),
        (LetterFilter(cameras=CameraGlobs(("gate-*",))), ["1/1", "1/2"]),
        (LetterFilter(pipeline="other"), ["1/3"]),
        (LetterFilter(pipeline="privacy@1f3a"), ["1/1", "1/2"]),
        (LetterFilter(since_ns=1_002_000_000), ["1/2", "1/3"]),
        (LetterFilter(until_ns=1_002_000_000), ["1/1"]),
        (LetterFilter(id="1/3"), ["1/3"]),
        (LetterFilter(id="gate-1/@raw-0/2"), ["1/2"]),
    ],
)
def test_only_those_that_are_meant(wanted: LetterFilter, ids: list[str]) -> None:
    records = [letter(1), letter(2, reason="empty"), letter(3, camera="yard", pipeline="other@2")]
    found = book(*records, wanted=wanted)
    assert [each.id for each, _ in found.of(iter(records))] == ids


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(SettingError, match=r"reason 'broken': expected one of empty, "):
        LetterFilter(reasons=("broken",))
    with pytest.raises(SettingError, match="nothing between"):
        LetterFilter(since_ns=2, until_ns=2)
