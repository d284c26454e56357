"""What a Kafka that died left in its log, made short enough to be told."""

import re
from pathlib import Path

_SHOWN = 6
_READ_BYTES = 256 * 1024
_STAMP = re.compile(r"^\[[^\]]*\] (?P<level>[A-Z]+) (?P<text>.*)$")
# The console has them without a stamp: Java's own complaints, and causes inside a stack trace.
_BARE = re.compile(r"^(Exception in thread .*|Caused by: .*|Error: .*|Error occurred .*|[\w.]+(Exception|Error)\b.*)$")
_CAUSES = {
    "Address already in use": "its port was taken by another process in the meantime",
    "No space left on device": "the disk is full",
    "Failed to acquire lock on file": "another Kafka is using this data folder",
    "Permission denied": "it may not read or write its data folder",
    "OutOfMemoryError": "its memory was used up",
    "Could not reserve enough space": "this machine has too little free memory",
}


def useful_lines(text: str, *, count: int = _SHOWN) -> list[str]:
    """The last lines that say what went wrong: errors and causes, without stamps, repeats and stack frames.

    Where there is none, simply the last lines.
    """
    errors = [line for line in map(_error, text.splitlines()) if line]
    lines = errors or [line for line in text.splitlines() if line.strip() and not line.startswith("\tat ")]
    return list(dict.fromkeys(lines))[-count:]


def cause(text: str) -> str:
    """What it means in plain words, or "" when the log has nothing that we know."""
    return next((meaning for sign, meaning in _CAUSES.items() if sign in text), "")


def tail(path: Path) -> str:
    """The end of a log file; "" when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _READ_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _error(line: str) -> str:
    stamped = _STAMP.match(line)
    if stamped:
        return stamped["text"] if stamped["level"] in ("ERROR", "FATAL") else ""
    return line.strip() if _BARE.match(line.strip()) else ""
