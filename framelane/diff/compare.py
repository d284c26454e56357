"""The whole comparison, step by step."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

from framelane.admin_client import REQUEST_S, AdminConnection
from framelane.diff.asked import LETTERS, SIDES, Asked, Key
from framelane.diff.common import clip, common_times
from framelane.diff.found_events import EventIndex, read_events
from framelane.diff.frame_index import FrameIndex, Pair
from framelane.diff.judge import Events, judge_events, judge_frames
from framelane.diff.letters import letters_of
from framelane.diff.likeness import Likeness
from framelane.diff.outcome import Mark, Outcome, SideOutcome
from framelane.diff.pictures import compare_pictures
from framelane.diff.read_frames import Moved, read_frames
from framelane.diff.topics import dead_letter_topics, events_topics
from framelane.diff.worst import Worst
from framelane.lookup.reader import PlaceReader
from streams.contract.kafka_settings import KafkaSettings

# Gives what is to be called with how far a step is.
Bar = Callable[[str], AbstractContextManager[Moved]]


@dataclass(slots=True)
class Compared:
    """What came of it, and what the report needs besides.

    worst: the frames that differ most, of each kind the worst first. likenesses: of those.
    """

    outcome: Outcome
    index: FrameIndex
    events: Events
    worst: list[Key] = field(default_factory=list)
    likenesses: dict[Key, Likeness] = field(default_factory=dict)


def compare(kafka: KafkaSettings, asked: Asked, *, threads: int, bar: Bar) -> Compared:
    """Compare. Raises KafkaError, and SettingError for what a person has to say first."""
    known = AdminConnection(kafka).metadata(timeout_s=REQUEST_S).topics
    a, b = asked.sides
    outcome = Outcome((SideOutcome(a.topic), SideOutcome(b.topic)))
    index, events = FrameIndex(), (EventIndex(), EventIndex())
    with ExitStack() as stack:
        readers: tuple[PlaceReader, PlaceReader] | None = None
        if asked.frames:
            readers = (
                stack.enter_context(PlaceReader(kafka, a.topic)),
                stack.enter_context(PlaceReader(kafka, b.topic)),
            )
            for which in SIDES:
                with bar(f"frames of {LETTERS[which]}") as moved:
                    read_frames(readers[which], index, which, asked, moved=moved)
        if asked.events:
            events = _events(kafka, asked, known, index, outcome, bar)
        if asked.common:
            outcome.outside = clip(index, events, common_times(index, events, frames=asked.frames))
        _tell_sides(outcome, index, events)
        unlike = judge_frames(outcome, index)
        compared = Compared(outcome, index, events)
        worst_events = Worst[Key](asked.worst)
        for key, count in judge_events(outcome, index, events, asked):
            worst_events.add(count, key)
        worst_pictures = Worst[Key](asked.worst)
        if readers is not None and unlike and asked.psnr > 0:
            with bar("pictures") as moved:
                _pictures(readers, unlike, asked, compared, worst_pictures, threads=threads, moved=moved)
        compared.worst = list(dict.fromkeys([*worst_pictures.items(), *worst_events.items()]))
        compared.likenesses = {key: compared.likenesses[key] for key in compared.worst if key in compared.likenesses}
    _letters(kafka, asked, known, outcome, bar)
    for camera in outcome.cameras.values():
        for marks in camera.marks.values():
            marks.sort(key=lambda mark: (mark.at_ns, mark.key))
    return compared


def _events(
    kafka: KafkaSettings, asked: Asked, known: Mapping[str, object], index: FrameIndex, outcome: Outcome, bar: Bar
) -> Events:
    sources = [sums.source for sums in index.sums]
    raw = [letter for letter, source in zip(LETTERS, sources, strict=True) if source == "/cameras"]
    if raw:
        outcome.notes.append(
            f"events were not compared: raw frames have none, and such are those of {' and '.join(raw)}"
        )
        return EventIndex(), EventIndex()
    topics, why = events_topics(asked, known)
    if topics is None:
        outcome.notes.append(why)
        return EventIndex(), EventIndex()
    found = []
    for which in SIDES:
        outcome.sides[which].events = topics[which]
        with PlaceReader(kafka, topics[which]) as reader, bar(f"events of {LETTERS[which]}") as moved:
            found.append(read_events(reader, which, asked, source=sources[which], moved=moved))
    return found[0], found[1]


def _tell_sides(outcome: Outcome, index: FrameIndex, events: Events) -> None:
    for which in SIDES:
        side, sums, found = outcome.sides[which], index.sums[which], events[which]
        side.source = sums.source or ""
        side.repeats, side.unlike = sums.repeats + found.repeats, sums.unlike
        side.others, side.refused = sums.others + found.others, sums.refused + found.refused


def _pictures(
    readers: tuple[PlaceReader, PlaceReader],
    unlike: Mapping[Key, Pair],
    asked: Asked,
    compared: Compared,
    worst: Worst[Key],
    *,
    threads: int,
    moved: Moved,
) -> None:
    for done, (key, likeness) in enumerate(compare_pictures(readers, unlike, threads=threads), 1):
        moved(done, len(unlike))
        camera, enough = compared.outcome.camera(key[0]), likeness.enough(asked.psnr)
        camera.likenesses.add(likeness, enough=enough)
        compared.likenesses[key] = likeness
        if not enough:
            camera.marks["pictures"].append(Mark(unlike[key].captured_at_ns, key))
            # What cannot be told in decibels is worse than what can.
            worst.add(1.0 if likeness.psnr is None else -likeness.psnr, key)


def _letters(kafka: KafkaSettings, asked: Asked, known: Mapping[str, object], outcome: Outcome, bar: Bar) -> None:
    """Read only where a side lacks frames: it may be that they could not be processed there."""
    topics = dead_letter_topics(asked, known)
    for which, kind in ((0, "extra"), (1, "missing")):
        topic, source = topics[which], outcome.sides[which].source or asked.sides[which].source
        lacking = {mark.key for camera in outcome.cameras.values() for mark in camera.marks[kind]}
        if topic is None or not lacking or source == "/cameras":
            continue
        with PlaceReader(kafka, topic) as reader, bar(f"dead letters of {LETTERS[which]}") as moved:
            found = letters_of(reader, lacking, asked, source=source, moved=moved)
        for key, reason in found.items():
            outcome.camera(key[0]).letters[which][reason] += 1
