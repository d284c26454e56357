"""What the commands of dead letters share: their options, and the reading of the topic."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from framelane.cli.options import kafka_settings, seconds

if TYPE_CHECKING:
    from consumers.bounded import BoundedRead
    from consumers.dead_letters import LetterBook, LetterFilter
    from streams.contract.headers import Record
    from streams.contract.kafka_settings import KafkaSettings

Topic = Annotated[str, typer.Option("--topic", help="Where the dead letters lie.")]
Reasons = Annotated[
    list[str] | None, typer.Option("--reason", metavar="REASON", help="Only these, such as operator_error. Repeatable.")
]
OfPipeline = Annotated[str, typer.Option("--pipeline", metavar="NAME", help="Only those of this pipeline.")]
Since = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="Frames from when on: -1h, or RFC 3339. Default: all.")
]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Frames up to when: -5m, or RFC 3339.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
_TOLD_S = 0.5


@dataclass(frozen=True, slots=True)
class Asked:
    """Where the letters lie. wait_s: how long to wait for that at the start."""

    kafka: "KafkaSettings"
    topic: str
    wait_s: float


def asked_for(bootstrap: str | None, config: Path | None, wait: str, log_level: str, topic: str) -> Asked:
    """What the common options say; also sets up the logging."""
    from framelane.logs import set_up_logging

    set_up_logging(log_level)
    return Asked(kafka_settings(bootstrap, config), topic, seconds(wait, option="--wait"))


def letter_filter(
    reasons: list[str] | None, cameras: list[str] | None, pipeline: str, since: str | None, until: str | None
) -> "LetterFilter":
    """Which letters are meant. Raises SettingError."""
    from consumers.dead_letters import LetterFilter
    from streams.contract.camera_globs import CameraGlobs
    from streams.contract.times import parse_time

    now_ns = time.time_ns()
    return LetterFilter(
        reasons=tuple(reasons or ()),
        cameras=CameraGlobs.of(cameras),
        pipeline=pipeline,
        since_ns=None if since is None else parse_time(since, now_ns=now_ns),
        until_ns=None if until is None else parse_time(until, now_ns=now_ns),
    )


@contextmanager
def reading(asked: Asked, *, since_ns: int | None = None, marks: bool = False) -> "Iterator[BoundedRead]":
    """The topic, once the broker answers and it is there, as it is then. since_ns: ns since 1970.

    marks: letters are to be marked, for which this user needs the right.
    """
    from consumers.bounded import BoundedRead
    from framelane.waiting import wait_for_kafka

    wait_for_kafka(asked.kafka, [asked.topic], wait_s=asked.wait_s, read=[asked.topic], write=[asked.topic] * marks)
    with BoundedRead(asked.kafka, asked.topic, since_ns=since_ns) as read:
        yield read


def book_of(asked: Asked, wanted: "LetterFilter", read: "BoundedRead") -> "LetterBook":
    """The letters that are meant; they are read again for their pictures, which are not to be in memory all at once."""
    from consumers.dead_letters import LetterBook

    book = LetterBook(asked.topic, wanted, keep=1)
    for record in told(read.records(), asked.topic):
        book.add(record)
    return book


def told(records: "Iterator[Record]", topic: str) -> "Iterator[Record]":
    """The same records; where stderr is a terminal, it is told there how many were read."""
    shown, due = sys.stderr.isatty(), time.monotonic() + _TOLD_S
    count = 0
    for count, record in enumerate(records, start=1):
        yield record
        if shown and time.monotonic() >= due:
            due = time.monotonic() + _TOLD_S
            print(f"\rreading {topic}: {count} records", end="", file=sys.stderr, flush=True)
    if shown and count:
        # The line is only for whoever waits.
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def count_text(letters: int) -> str:
    """So many dead letters, in words."""
    return f"{letters} dead letter{'s' * (letters != 1)}"


def say(command: str, text: str) -> None:
    """Say on stderr what was done."""
    print(f"framelane dead-letters {command}: {text}", file=sys.stderr, flush=True)
