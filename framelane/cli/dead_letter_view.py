"""How dead letters are shown: as a table, as bars by reason, and one with all that is known of it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from consumers.dead_letters import DeadLetterRecord, State
from framelane.cli.topic_table import bytes_text
from framelane.printable import printable
from framelane.redrive import Outcome
from streams.contract.errors import FrameError
from streams.contract.headers import Record, rfc3339
from streams.contract.images import inspect

MENDS: dict[str, str] = {
    "empty": "the producer sends records without a picture: mend it there; there is nothing to redrive",
    "too_large": "above 64 MiB: have the producer send less (--size, --quality)",
    "not_an_image": "the producer sends what is neither JPEG, PNG nor WebP: mend it there",
    "too_many_pixels": "raise max_pixels of the pipeline, then redrive; or have the producer send less (--size)",
    "undecodable": "the picture is damaged: look at the camera and its network; a redrive fails again",
    "bad_headers": "the headers contradict the key or each other: mend the producer; a redrive keeps them",
    "operator_error": "mend the operator that dl_stage names, restart the worker, then redrive",
    "operator_timeout": "make the operator faster, or raise frame_timeout_ms, then redrive",
    "bad_result": "mend the operator that dl_stage names, restart the worker, then redrive",
    "output_too_large": "lower quality, resize, or raise max.message.bytes of the output topic, then redrive",
    "undeliverable": "dl_error says what the output topic refuses: mend that, then redrive (it is dated anew)",
}
_STATES: dict[State, str] = {"open": "bold", "redriven": "yellow", "failed_again": "dim", "mended": "green"}
_MOST_BAR, _LEAST_BAR = 40, 10
_WIDE, _NARROW = 110, (10, 16, 8, 8)


def letters_table(letters: Iterable[DeadLetterRecord], console: Console) -> Table:
    """The letters, one in a row; the stage only where there is room for it."""
    stages = console.width >= _WIDE
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False, collapse_padding=True, show_edge=False)
    table.add_column("id", no_wrap=True)
    # Where it is narrow, rich alone would let the last column run off the screen.
    narrow = (None,) * 4 if stages else _NARROW
    table.add_column("failed", overflow="fold", width=narrow[0])
    table.add_column("frame", overflow="fold", width=narrow[1])
    table.add_column("reason", no_wrap=True)
    if stages:
        table.add_column("stage", overflow="fold")
    table.add_column("pipeline", overflow="fold", width=narrow[2])
    table.add_column("try", justify="right")
    table.add_column("state", overflow="fold", width=narrow[3])
    for each in letters:
        state = Text(each.state.replace("_", " "), style=_STATES[each.state])
        frame, stage, pipeline = (_plain(text) or "-" for text in (each.name, each.stage, each.pipeline_name))
        # With a space, where a narrow terminal breaks the line.
        failed = rfc3339(each.failed_at_ns)[:-8].replace("T", " ") + "Z"
        where = (stage, pipeline) if stages else (pipeline,)
        table.add_row(each.id, failed, frame, _plain(each.reason), *where, str(each.attempt), state)
    return table


def bars(counts: Mapping[str, Counter[State]], console: Console) -> RenderableType:
    """How many letters each reason has, as bars that need no colour."""
    most = max((each.total() for each in counts.values()), default=0)
    # The rest of the line is for the reason, the count and the states.
    width = max(_LEAST_BAR, min(_MOST_BAR, console.width - 60))
    block = "\u2588" if "utf" in console.encoding.lower() else "#"
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for reason, states in counts.items():
        total = states.total()
        told = ", ".join(f"{states[state]} {state.replace('_', ' ')}" for state in _STATES if states[state])
        table.add_row(_plain(reason), block * max(1, round(total / most * width)), str(total), told)
    return table


def letter_text(letter: DeadLetterRecord, record: Record, *, others: Sequence[str] = ()) -> RenderableType:
    """All that a letter says, its picture in words, and the mend. others: ids of more letters of the same frame."""
    facts = {
        "id": letter.id,
        "state": letter.state.replace("_", " "),
        "failed": rfc3339(letter.failed_at_ns),
        "reason": letter.reason,
        "stage": letter.stage,
        "error": letter.error,
        "pipeline": letter.pipeline,
        "operators": letter.operators,
        "attempt": str(letter.attempt),
        "letter before": letter.letter,
        "other letters": " ".join(others),
        "camera": letter.camera_id or f"none: the key is {(record.key or b'')[:40]!r}",
        "frame": letter.name,
        "captured": rfc3339(letter.captured_at_ns),
        "input": letter.input,
        "picture": picture_text(letter, record.value or b""),
    }
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in facts.items():
        if text:
            table.add_row(name, _plain(text))
    for name, value in record.headers:
        if not name.startswith("dl_"):
            table.add_row(_plain(name), _plain((value or b"").decode(errors="replace")))
    return Group(table, Text(), Text(f"mend: {MENDS.get(letter.reason, 'dl_error says what is wrong')}"))


def picture_text(letter: DeadLetterRecord, value: bytes) -> str:
    """What the letter's value is, in words."""
    if not value:
        empty = letter.reason == "empty"
        return "none: the frame came empty" if empty else f"not in the letter, as it is too large: see {letter.input}"
    size = bytes_text(len(value))
    try:
        header = inspect(value, max_pixels=2**62)
    except FrameError as error:
        return f"{size}; no sound picture: {error}"
    return f"{size}, {header.content_type}, {header.width}x{header.height}"


def _plain(text: str) -> str:
    return escape(printable(text))


def outcome_text(outcome: Outcome) -> str:
    """What became of a letter that was to be redriven, in a line."""
    letter = outcome.letter
    if outcome.fate == "refused":
        return printable(f"{letter.id}  refused: {outcome.why}")
    sent = "sent" if outcome.fate == "sent" else "would be sent"
    attempt = f"attempt {letter.attempt + 1} by {letter.pipeline_name}"
    return printable(f"{letter.id}  {sent} to {outcome.to}: {letter.name}, {attempt}")


def outcome_json(outcome: Outcome) -> str:
    """The same as one JSON object."""
    letter = outcome.letter
    told = {"id": letter.id, "fate": outcome.fate, "to": outcome.to, "why": outcome.why, "name": letter.name}
    return json.dumps(told | {"pipeline": letter.pipeline_name, "attempt": letter.attempt + 1})
