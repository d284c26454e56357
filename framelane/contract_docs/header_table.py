"""What each header holds: the names are those that the contract's code writes, and a test holds one to the other.

Values are UTF-8 text. A schema tells what is to be written; readers of ours take more than that (docs/contract.md).
"""

from collections.abc import Mapping
from typing import Any, get_args

from streams.contract.errors import Reason
from streams.contract.events import EVENT_TYPE
from streams.contract.headers import FRAME_TYPE
from streams.contract.identity import CAMERA_ID, EPOCH
from streams.contract.images import EXTENSIONS
from streams.contract.redrive import MARK_TYPE, Mark

Schema = dict[str, Any]

_WORD = "[a-z][a-z0-9_]*"
_TOPIC = "[A-Za-z0-9._-]{1,249}"
_FRAME_NAME = f"{CAMERA_ID.pattern}/{EPOCH.pattern}/[0-9]{{1,19}}"


def matching(pattern: str, description: str) -> Schema:
    """Text that the pattern matches as a whole."""
    return {"type": "string", "pattern": f"^{pattern}$", "description": description}


def one_of(known: list[str], pattern: str, description: str) -> Schema:
    """One of these, or one that a later version adds: it matches the pattern as a whole."""
    # A plain enum would have a reader of today refuse the records of tomorrow.
    other = {"type": "string", "pattern": f"^{pattern}$"}
    return {"anyOf": [{"enum": known}, other], "description": f"{description} More may come."}


def place(description: str) -> Schema:
    """`topic/partition/offset`."""
    return matching(f"{_TOPIC}/[0-9]+/[0-9]+", description)


def number(description: str) -> Schema:
    """A number in decimal digits."""
    return matching("[0-9]{1,19}", description)


def nanoseconds(description: str) -> Schema:
    """A time in ns since 1970, in decimal digits."""
    return number(f"{description} In ns since 1970: more than a double holds exactly.")


def text(description: str, **more: Any) -> Schema:
    """Any text."""
    return {"type": "string", **more, "description": description}


def _time(what: str) -> Schema:
    # Not every validator looks at a format.
    pattern = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z"
    return matching(pattern, f"{what} as RFC 3339 in UTC.") | {"format": "date-time"}


CAMERA = matching(CAMERA_ID.pattern, "The camera.")
_SPEC_VERSION = {"const": "1.0", "description": "The version of CloudEvents."}
_TRACEPARENT = text("W3C Trace Context. An invalid one is as good as none.")
_PIPELINE = "`name@hash` of the pipeline"

FRAME_HEADERS: Mapping[str, Schema] = {
    "content-type": one_of(list(EXTENSIONS), "image/.+", "What the value is; its first bytes decide."),
    "ce_specversion": _SPEC_VERSION,
    "ce_type": {"const": FRAME_TYPE, "description": "What the record is, and the contract's version."},
    "ce_source": text("`/cameras/<camera>` or `/pipelines/<name>`; with `ce_id` it names the record.", minLength=1),
    "ce_id": matching(_FRAME_NAME, "The frame's name, `<camera>/<epoch>/<sequence>`; the camera is the record's key."),
    "ce_time": _time("The capture time"),
    "ce_epoch": matching(EPOCH.pattern, "Which run of the camera's producer; as in `ce_id`."),
    "ce_frameseq": number("The frame's number in its epoch, from 0; as in `ce_id`."),
    "ce_capturedns": nanoseconds("The best known capture time."),
    "ce_width": number("Width in pixels after EXIF orientation."),
    "ce_height": number("Height in pixels after EXIF orientation."),
    "ce_pipeline": text(f"{_PIPELINE} that made it; on outputs."),
    "ce_input": place("`topic/partition/offset` of what it was made from; on outputs."),
    "ce_toraw": matching(
        r"[0-9]+ [0-9]+( [-+.0-9e]+){6}",
        "Where the picture lies in the raw one: the raw one's width and height in pixels, and the 2 x 3 affine, row by "
        "row, from this picture's pixels to the raw one's; left out where it shows the whole of it.",
    ),
    "traceparent": _TRACEPARENT,
    "ce_mediatimens": number("The position in a file, in ns from its beginning."),
    "ce_cameraclockns": nanoseconds("The camera's own clock, where it is off."),
    "ce_receivedns": nanoseconds("When the worker had received the input."),
    "ce_startedns": nanoseconds("When the worker began to process it."),
    "ce_processedns": nanoseconds("When the worker had the output."),
}

EVENT_HEADERS: Mapping[str, Schema] = {
    "content-type": {"const": "application/json", "description": "What the value is."},
    "ce_specversion": _SPEC_VERSION,
    "ce_type": {"const": EVENT_TYPE, "description": "What the record is, and the contract's version."},
    "ce_source": matching("/pipelines/.+", "`/pipelines/<name>`; with `ce_id` it names the event."),
    "ce_id": matching(f"{_FRAME_NAME}/[0-9]+/[0-9]+", "The event's name: its frame's, the operator, and a number."),
    "ce_time": _time("The frame's capture time"),
    "traceparent": _TRACEPARENT,
}

DEAD_LETTER_HEADERS: Mapping[str, Schema] = {
    "dl_reason": one_of(list(get_args(Reason)), _WORD, "Why it could not be processed."),
    "dl_stage": text('Where that was: "gate", "decode" ..., or an operator as "<index>:<name>".'),
    "dl_error": text("What went wrong, for people."),
    "dl_input": place("`topic/partition/offset` of the frame that failed."),
    "dl_pipeline": text(f"{_PIPELINE} that failed."),
    "dl_operators": text("`name/version` of each of its operators."),
    "dl_attempt": number("The how manieth attempt it was, from 1."),
    "dl_letter": place("Where the dead letter before lies; of a frame that was sent through again."),
    "dl_failedns": nanoseconds("When it failed."),
}

# Of a frame that is sent through again: beside those of a frame.
REDRIVEN_HEADERS: Mapping[str, Schema] = {
    "dl_pipeline": text("The name of the pipeline that failed: it alone answers.", minLength=1),
    "dl_attempt": matching("[0-9]{1,3}", "The how manieth attempt this is, from 2."),
    "dl_letter": place("Where its dead letter lies."),
}

MARK_HEADERS: Mapping[str, Schema] = {
    "ce_specversion": _SPEC_VERSION,
    "ce_type": {"const": MARK_TYPE, "description": "What the record is, and the contract's version."},
    "ce_source": matching("/pipelines/.+", "`/pipelines/<name>`; with `ce_id` it names the mark."),
    "ce_id": matching(f"{_TOPIC}/[0-9]+/[0-9]+/.+", "The mark's name: the letter's place, and what became of it."),
    "dl_mark": one_of(
        list(get_args(Mark)), _WORD, "What has become of the letter: sent through again, or mended by it."
    ),
    "dl_letter": place("Where the dead letter lies."),
    "dl_pipeline": text("`name@hash` of the pipeline that mended it, or the name of the one that is to."),
}
