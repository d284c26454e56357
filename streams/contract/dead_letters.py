"""Dead letters: frames that could not be processed, as they came, with the reason."""

from dataclasses import dataclass

from streams.contract.errors import FrameError
from streams.contract.headers import Record, flooded
from streams.contract.redrive import attempt_of, letter_of

MAX_BYTES = 4 * 1024 * 1024
_MAX_CHARACTERS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record for the dead-letter topic.

    key: the camera's id, or the original's key where that is no id. value: the original's bytes; empty above the limit,
    and then `dl_input` alone says where the frame lies.
    """

    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]
    timestamp_ms: int


def dead_letter(
    record: Record, error: FrameError, *, pipeline: str, failed_ns: int, operators: str = "", max_bytes: int = MAX_BYTES
) -> DeadLetter:
    """Build the dead letter of a record.

    pipeline: `name@hash`. failed_ns: ns since 1970. operators: `name/version` of each. max_bytes: the largest value
    that is copied.
    """
    value = record.value or b""
    texts = {
        "dl_reason": error.reason,
        "dl_stage": error.stage,
        "dl_error": str(error)[:_MAX_CHARACTERS],
        "dl_input": record.place,
        "dl_pipeline": pipeline,
        "dl_operators": operators[:_MAX_CHARACTERS],
        "dl_attempt": str(attempt_of(record)),
        # The letter before, where this record was redriven.
        "dl_letter": letter_of(record),
        "dl_failedns": str(failed_ns),
    }
    headers = _sound(record) + [(name, text.encode()) for name, text in texts.items() if text]
    return DeadLetter(
        key=record.key[:256] if record.key else None,
        value=value if len(value) <= max_bytes else b"",
        headers=headers,
        timestamp_ms=record.timestamp_ms,
    )


def _sound(record: Record) -> list[tuple[str, bytes]]:
    """The original's headers, unless they are what is wrong with it: too large, not UTF-8, or posing as ours."""
    if flooded(record.headers):
        return []
    kept = []
    for name, value in record.headers:
        if value is None or name.startswith("dl_"):
            continue
        try:
            value.decode()
        except UnicodeDecodeError:
            continue
        kept.append((name, value))
    return kept
