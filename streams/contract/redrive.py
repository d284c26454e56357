"""The way back of a dead letter: its frame is sent through once more, and what became of it is marked.

A redriven record is the frame as it came, on its old partition, with `dl_pipeline` (the name of the pipeline that
failed, which alone answers it), `dl_attempt` (the how manieth attempt this is) and `dl_letter` (where its dead letter
lies). A mark is a record without a value in the dead-letter topic, with `dl_mark` and `dl_letter`. Neither has a
`dl_reason`, which is what makes a record a dead letter.
"""

import re
from typing import Literal

from streams.contract.errors import FrameError
from streams.contract.frame import Headers
from streams.contract.headers import FRAME_TYPE, Record
from streams.contract.identity import camera_source, frame_name, pipeline_source

MARK_TYPE = "io.framelane.deadletter.mark.v1"
# No letter goes so far: whoever redrives stops after three attempts or so. What says more is no sound record of ours.
MAX_ATTEMPTS = 100
PLACE = re.compile(r"([A-Za-z0-9._-]{1,249})/([0-9]{1,10})/([0-9]{1,19})", re.ASCII)
# What a frame without a name is given with one, and what would contradict it.
_OF_A_NAME = {"ce_specversion", "ce_type", "ce_source", "ce_epoch", "ce_frameseq"}

Mark = Literal["redriven", "mended"]


def redriven_for(headers: Headers) -> str | None:
    """The pipeline that a redriven record is for, by its name; None for any other record.

    Asked of every frame. A dead letter itself is none, so that a pipeline may read the dead-letter topic.
    """
    found = None
    for name, value in headers:
        if name == "dl_reason":
            return None
        if name == "dl_pipeline" and value is not None:
            found = value
    return None if found is None else found.decode(errors="replace").partition("@")[0]


def is_redriven(record: Record) -> bool:
    """Whether a record was redriven. Raises FrameError (bad_headers) when it cannot say which attempt it is."""
    if redriven_for(record.headers) is None:
        return False
    if _attempt(record) is None:
        text = _text(record, "dl_attempt")
        raise FrameError(
            f"dl_attempt is {text[:40]!r}, expected 2 to {MAX_ATTEMPTS}", reason="bad_headers", stage="headers"
        )
    return True


def attempt_of(record: Record) -> int:
    """Which attempt at its frame a record is: 1, or what it says where it is redriven; MAX_ATTEMPTS for nonsense."""
    if redriven_for(record.headers) is None:
        return 1
    return _attempt(record) or MAX_ATTEMPTS


def letter_of(record: Record) -> str:
    """Where the dead letter of a redriven record lies, `topic/partition/offset`; "" for any other record."""
    text = _text(record, "dl_letter") if redriven_for(record.headers) is not None else ""
    return text if PLACE.fullmatch(text) else ""


def redriven_headers(letter: Record, *, input: str, captured_ms: int, pipeline: str, attempt: int) -> Headers:
    """The headers with which the frame of a dead letter is sent through again.

    input: where the frame lay, `topic/partition/offset`: what had no name of its own keeps the one that this gave it.
    captured_ms: the frame's time in ms since 1970, where no header tells it. attempt: the one that it now makes.
    """
    headers = [(name, value) for name, value in letter.headers if not name.startswith("dl_")]
    names = {name for name, _ in headers}
    texts: dict[str, str] = {}
    if "ce_id" not in names:
        camera_id = (letter.key or b"").decode()
        topic, partition, offset = input.split("/")
        headers = [(name, value) for name, value in headers if name not in _OF_A_NAME]
        texts |= {"ce_specversion": "1.0", "ce_type": FRAME_TYPE, "ce_source": camera_source(camera_id)}
        texts["ce_id"] = frame_name(camera_id, f"@{topic}-{partition}", int(offset))
    if "ce_capturedns" not in names:
        texts["ce_capturedns"] = str(captured_ms * 1_000_000)
    texts |= {"dl_pipeline": pipeline.partition("@")[0], "dl_attempt": str(attempt), "dl_letter": letter.place}
    return headers + [(name, text.encode()) for name, text in texts.items()]


def mark_headers(letter: str, *, mark: Mark, pipeline: str) -> list[tuple[str, bytes]]:
    """The headers of a mark; its value is empty, and its key the letter's.

    letter: `topic/partition/offset`. pipeline: `name@hash` that mended it, or the name of the one that is to.
    """
    texts = {
        "ce_specversion": "1.0",
        "ce_type": MARK_TYPE,
        "ce_source": pipeline_source(pipeline),
        "ce_id": f"{letter}/{mark}",
        "dl_mark": mark,
        "dl_letter": letter,
        "dl_pipeline": pipeline,
    }
    return [(name, text.encode()) for name, text in texts.items()]


def _attempt(record: Record) -> int | None:
    text = _text(record, "dl_attempt")
    sound = text.isascii() and text.isdecimal() and len(text) <= 3 and 2 <= int(text) <= MAX_ATTEMPTS
    return int(text) if sound else None


def _text(record: Record, wanted: str) -> str:
    return next((value for name, value in record.headers if name == wanted and value is not None), b"").decode(
        errors="replace"
    )
