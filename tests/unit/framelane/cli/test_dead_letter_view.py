"""Dead letters as they are shown."""

from collections import Counter
from io import StringIO
from pathlib import Path
from typing import get_args

import cv2
import msgspec
import numpy as np
import pytest
from rich.console import Console, RenderableType

from consumers.dead_letters import DeadLetterRecord, State
from framelane.cli.dead_letter_view import MENDS, bars, letter_text, letters_table, outcome_json, outcome_text
from framelane.redrive import Outcome
from streams.contract.errors import Reason
from streams.contract.headers import Record

JPEG = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()
LETTER = DeadLetterRecord(
    id="3/17",
    failed_at_ns=1_800_000_000_000_000_000,
    camera_id="gate-1",
    name="gate-1/e/7",
    reason="operator_error",
    stage="0:blur",
    error="ValueError: [kernel] is 4",
    pipeline="privacy@1f3a",
    operators="blur/1 motion/2",
    attempt=1,
    input="frames.raw/3/90211",
    letter="",
    captured_at_ns=1_799_999_999_000_000_000,
    bytes=len(JPEG),
)


def shown(what: RenderableType, *, width: int = 120) -> list[str]:
    console = Console(file=StringIO(), width=width)
    console.print(what)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def record(value: bytes = JPEG) -> Record:
    return Record("dead", 3, 17, 0, b"gate-1", value, [("ce_id", b"gate-1/e/7"), ("dl_reason", b"operator_error")])


def test_every_reason_has_its_mend_here_and_in_the_docs() -> None:
    assert set(MENDS) == set(get_args(Reason))
    docs = (Path(__file__).parents[4] / "docs" / "dead-letters.md").read_text()
    assert [reason for reason in MENDS if f"`{reason}`" not in docs] == []


def test_a_row_says_when_what_where_and_why() -> None:
    row = shown(letters_table([LETTER], Console(width=120)))[-1]
    assert row.split() == [
        *("3/17", "2027-01-15", "08:00:00Z", "gate-1/e/7", "operator_error", "0:blur", "privacy", "1", "open")
    ]


def test_a_row_keeps_its_state_on_a_narrow_terminal() -> None:
    long = msgspec.structs.replace(LETTER, name="gate-1/20260509T073000123-x7k2/812", state="failed_again")
    text = "\n".join(shown(letters_table([long], Console(width=80)), width=80))
    assert "operator_error" in text
    assert "failed" in text
    assert "again" in text


def test_bars_are_as_long_as_their_counts() -> None:
    counts: dict[str, Counter[State]] = {
        "operator_error": Counter({"open": 60, "failed_again": 20}),
        "undecodable": Counter({"mended": 40}),
        "empty": Counter({"open": 1}),
    }
    console = Console(file=StringIO(), width=100)
    lines = shown(bars(counts, console), width=100)
    lengths = [line.count("\u2588") + line.count("#") for line in lines]
    assert lengths == [40, 20, 1]
    assert lines[0].endswith("80  60 open, 20 failed again")


def test_one_letter_with_all_that_is_known() -> None:
    text = "\n".join(shown(letter_text(LETTER, record(), others=["1/2"])))
    for told in ("ValueError: [kernel] is 4", "blur/1 motion/2", "privacy@1f3a", "frames.raw/3/90211", "1/2", "ce_id"):
        assert told in text
    assert "image/jpeg, 64x48" in text
    assert "dl_reason" not in text
    assert "mend: mend the operator" in text


@pytest.mark.parametrize(
    ("value", "told"), [(b"GIF89a", "6 B; no sound picture: starts with 47 49 46"), (b"", "see frames.raw/3/90211")]
)
def test_a_picture_that_is_none(value: bytes, told: str) -> None:
    assert told in "\n".join(shown(letter_text(LETTER, record(value))))


def test_an_outcome_in_a_line() -> None:
    sent = Outcome(letter=LETTER, fate="sent", to="frames.raw/3")
    assert outcome_text(sent) == "3/17  sent to frames.raw/3: gate-1/e/7, attempt 2 by privacy"
    assert '"fate": "sent"' in outcome_json(sent)
    refused = Outcome(letter=LETTER, fate="refused", why="it is too late", kind="late")
    assert outcome_text(refused) == "3/17  refused: it is too late"


def test_what_a_terminal_would_obey_is_not_printed() -> None:
    evil = {
        name: "a\x1b[2Jb\x9bc\nd" for name in ("reason", "stage", "error", "pipeline", "operators", "input", "name")
    }
    letter = msgspec.structs.replace(LETTER, **evil)
    headers = Record("dead", 3, 17, 0, b"gate-1", JPEG, [("ce_\x1b[2J", b"\x1b[2J")])
    counts: dict[str, Counter[State]] = {letter.reason: Counter({"open": 1})}
    console = Console(file=StringIO(), width=200)
    for what in (letters_table([letter], console), letter_text(letter, headers), bars(counts, console)):
        assert all(line.isprintable() for line in shown(what, width=200))
    for outcome in (Outcome(letter=letter, fate="sent"), Outcome(letter=letter, fate="refused", why=letter.input)):
        assert "a?[2Jb?c d" in outcome_text(outcome)
        assert outcome_text(outcome).isprintable()
