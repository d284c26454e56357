"""Dead letters as they lie in their topic: what each says, and whether it was redriven or mended."""

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import msgspec

from streams.contract.camera_globs import CameraGlobs
from streams.contract.errors import Reason, SettingError
from streams.contract.headers import Record
from streams.contract.identity import frame_name, is_camera_id
from streams.contract.redrive import MAX_ATTEMPTS, PLACE, Mark

# What became of a letter; the furthest counts. failed_again: its frame was redriven, and the letter of that attempt
# stands for it now; also where it was marked as mended, and the broker then refused the output.
State = Literal["open", "redriven", "mended", "failed_again"]
_RANK: dict[str, int] = {state: rank for rank, state in enumerate(get_args(State))}
# Whose frame failed where: camera id, and the pipeline's name.
_Subject = tuple[str, str]


class DeadLetterRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter without its picture.

    id: `partition/offset` in the dead-letter topic. camera_id: "" where the key is none. name: the frame's
    `<camera>/<epoch>/<sequence>`; "" where it has none. input: `topic/partition/offset` of the frame. pipeline:
    `name@hash`. operators: `name/version` of each. attempt: 1, or more where it was redriven before; letter is then the
    `topic/partition/offset` of the dead letter before. captured_at_ns, failed_at_ns: ns since 1970. bytes: size of the
    value.
    """

    id: str
    failed_at_ns: int
    camera_id: str
    name: str
    reason: str
    stage: str
    error: str
    pipeline: str
    operators: str
    attempt: int
    input: str
    letter: str
    captured_at_ns: int
    bytes: int
    state: State = "open"

    @property
    def pipeline_name(self) -> str:
        """The pipeline's name, without the hash."""
        return self.pipeline.partition("@")[0]


def to_dead_letter(record: Record) -> DeadLetterRecord | None:
    """A record of the dead-letter topic as a dead letter; None when it is none, such as a mark."""
    texts = {name: value.decode(errors="replace") for name, value in record.headers if value is not None}
    if "dl_reason" not in texts:
        return None
    camera_id, source = _camera(record), texts.get("dl_input", "")
    name = texts.get("ce_id", "")
    if not name and camera_id and PLACE.fullmatch(source):
        topic, partition, offset = source.split("/")
        name = frame_name(camera_id, f"@{topic}-{partition}", int(offset))
    return DeadLetterRecord(
        id=f"{record.partition}/{record.offset}",
        failed_at_ns=_number(texts, "dl_failedns", record.timestamp_ms * 1_000_000),
        camera_id=camera_id,
        name=name,
        reason=texts["dl_reason"],
        stage=texts.get("dl_stage", ""),
        error=texts.get("dl_error", ""),
        pipeline=texts.get("dl_pipeline", ""),
        operators=texts.get("dl_operators", ""),
        attempt=_number(texts, "dl_attempt", MAX_ATTEMPTS),
        input=source,
        letter=texts.get("dl_letter", ""),
        captured_at_ns=_number(texts, "ce_capturedns", record.timestamp_ms * 1_000_000),
        bytes=len(record.value or b""),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """Which dead letters are meant. since_ns, until_ns: ns since 1970, by the records' timestamps; until not included.

    reasons: any of these; none is all. pipeline: its name, or `name@hash`; "" is any. id: `partition/offset`, or a
    frame's name; "" is any.
    """

    reasons: tuple[str, ...] = ()
    cameras: CameraGlobs = field(default_factory=CameraGlobs)
    pipeline: str = ""
    since_ns: int | None = None
    until_ns: int | None = None
    id: str = ""

    def __post_init__(self) -> None:
        for reason in self.reasons:
            if reason not in get_args(Reason):
                raise SettingError(f"reason {reason!r}: expected one of {', '.join(get_args(Reason))}")
        if self.since_ns is not None and self.until_ns is not None and self.since_ns >= self.until_ns:
            raise SettingError("since lies at or after until, so there is nothing between them")

    def takes(self, letter: DeadLetterRecord, record: Record) -> bool:
        """Whether this one is meant; record: as which it lies in the topic."""
        at_ns = record.timestamp_ms * 1_000_000
        return (
            (self.since_ns is None or at_ns >= self.since_ns)
            and (self.until_ns is None or at_ns < self.until_ns)
            and (not self.reasons or letter.reason in self.reasons)
            and self.cameras.match(letter.camera_id)
            and (not self.pipeline or self.pipeline in (letter.pipeline, letter.pipeline_name))
            and (not self.id or self.id in (letter.id, letter.name))
        )


class LetterBook:
    """The states of all letters that a filter takes, after each record of the topic was shown to it once.

    No picture is kept, and of what the letters say only the newest `keep` (0: all); of the others some 500 bytes each.
    Repeats are told of once: a worker that was killed may have written a letter twice. Anybody who may write frames can
    forge what a record says of a letter: only what has its camera and pipeline, and its next attempt, is believed.
    """

    def __init__(self, topic: str, wanted: LetterFilter, *, keep: int = 0) -> None:
        self._topic, self._wanted, self._keep = topic, wanted, keep
        self._listed: dict[str, tuple[str, _Subject, int]] = {}
        # By whom a letter is of, and the attempt that says so; 0: a mark. It may be read before the letter itself.
        self._told: dict[tuple[str, _Subject, int], State] = {}
        self._known: dict[int, str] = {}
        self._subjects: dict[_Subject, _Subject] = {}
        self._newest: list[tuple[int, str, DeadLetterRecord]] = []
        self.repeats = 0

    def add(self, record: Record) -> None:
        """Take note of a record: a letter, a mark, or neither."""
        letter = to_dead_letter(record)
        if letter is None:
            self._add_mark(record)
            return
        subject = self._subject(letter.camera_id, letter.pipeline_name)
        if letter.letter:
            self._note(letter.letter, subject, letter.attempt, "failed_again")
        if not self._wanted.takes(letter, record):
            return
        # A topic that was made again has the same places for other frames, at other times.
        identity = hash((letter.input, letter.pipeline_name, letter.name, record.timestamp_ms))
        known = self._known.get(identity)
        # What was answered since and fails now is a failure of its own, as where a group is put back.
        if known is not None and self.state(known) == "open":
            self.repeats += 1
            return
        self._known[identity] = letter.id
        self._listed[letter.id] = (letter.reason, subject, letter.attempt)
        heapq.heappush(self._newest, (letter.failed_at_ns, letter.id, letter))
        if self._keep and len(self._newest) > self._keep:
            heapq.heappop(self._newest)

    def __len__(self) -> int:
        return len(self._listed)

    def __contains__(self, id: str) -> bool:
        return id in self._listed

    def state(self, id: str) -> State:
        """What became of the letter with this id, which is in this book."""
        _, subject, attempt = self._listed[id]
        told = (self._told.get((id, subject, by), "open") for by in (0, attempt + 1))
        return max(told, key=_RANK.__getitem__)

    def count(self, state: State) -> int:
        """How many letters are in this state."""
        return sum(self.state(id) == state for id in self._listed)

    def counts(self) -> Mapping[str, Counter[State]]:
        """How many letters there are, by reason and state; the most frequent reason first."""
        found: dict[str, Counter[State]] = {}
        for id, (reason, _, _) in self._listed.items():
            found.setdefault(reason, Counter())[self.state(id)] += 1
        return dict(sorted(found.items(), key=lambda item: -item[1].total()))

    def newest(self) -> list[DeadLetterRecord]:
        """The newest letters with their states, the last to fail at the end."""
        return [msgspec.structs.replace(each, state=self.state(each.id)) for _, _, each in sorted(self._newest)]

    def of(self, records: Iterator[Record]) -> Iterator[tuple[DeadLetterRecord, Record]]:
        """Those of the records that are letters in this book, with their states."""
        for record in records:
            if f"{record.partition}/{record.offset}" not in self._listed:
                continue
            letter = to_dead_letter(record)
            if letter is not None:
                yield msgspec.structs.replace(letter, state=self.state(letter.id)), record

    def _add_mark(self, record: Record) -> None:
        texts = {
            name: value.decode(errors="replace")
            for name, value in record.headers
            if name in ("dl_mark", "dl_letter", "dl_pipeline") and value
        }
        mark = texts.get("dl_mark", "")
        if mark in get_args(Mark):
            subject = self._subject(_camera(record), texts.get("dl_pipeline", "").partition("@")[0])
            self._note(texts.get("dl_letter", ""), subject, 0, mark)  # type: ignore[arg-type]

    def _subject(self, camera_id: str, pipeline_name: str) -> _Subject:
        # Few, and each for many letters.
        return self._subjects.setdefault((camera_id, pipeline_name), (camera_id, pipeline_name))

    def _note(self, place: str, subject: _Subject, by: int, state: State) -> None:
        topic, _, id = place.partition("/")
        # The last word is that of whatever is furthest from open, in whichever order they are read.
        if topic == self._topic and _RANK[state] > _RANK[self._told.get((id, subject, by), "open")]:
            self._told[id, subject, by] = state


def _camera(record: Record) -> str:
    key = (record.key or b"").decode(errors="replace")
    return key if is_camera_id(key) else ""


def _number(texts: Mapping[str, str], name: str, default: int) -> int:
    text = texts.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 19 else default
