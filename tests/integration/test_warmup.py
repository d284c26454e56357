"""A worker takes over in the midst of real footage: its operators remember what they would have seen by then."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from confluent_kafka import Message, Producer
from footage import box_jpegs
from kafka_support import drain
from worker_support import Fleet, Topics, identity, make_topics

from streams.contract.frame import Frame
from streams.contract.headers import to_headers
from streams.contract.kafka_settings import PARTITIONER

MakeTopic = Callable[..., str]

CAMERA = "gate"
KILLED_AT = 250  # there the memory matters: without it, more than a quarter of the next 150 frames come out otherwise
COMPARED = 150
OPERATORS = ["--op", "motion:min_area=0.02", "--threads", "2"]


def moving(events: Sequence[Message]) -> set[int]:
    """The sequences of the frames in which something moved."""
    return {int(json.loads(message.value() or b"")["sequence"]) for message in events}


def send_footage(bootstrap: str, topics: Topics, jpegs: Sequence[bytes], *, first: int = 0) -> None:
    """Put the pictures on the topic, as frames of one camera, and return when the broker has them."""
    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": PARTITIONER})
    for sequence, jpeg in enumerate(jpegs, first):
        frame = Frame(camera_id=CAMERA, epoch="e1", sequence=sequence, captured_at_ns=1, width=640, height=480)
        producer.produce(topics.raw, key=CAMERA, value=jpeg, headers=to_headers(frame))
    assert producer.flush(30) == 0


def all_out(count: int) -> Callable[[list[Message]], bool]:
    return lambda messages: len({identity(message) for message in messages}) >= count


def uninterrupted(bootstrap: str, make_topic: MakeTopic, folder: Path, jpegs: Sequence[bytes]) -> set[int]:
    """In which frames something moves, as one worker finds that sees them all."""
    topics = make_topics(make_topic, partitions=1)
    with Fleet(bootstrap, folder, topics) as fleet:
        worker = fleet.start(*OPERATORS)
        send_footage(bootstrap, topics, jpegs)
        drain(bootstrap, topics.processed, until=all_out(len(jpegs)), timeout_s=90)
        assert worker.stop() == 0, worker.log.read_text()
    return moving(drain(bootstrap, topics.events))


def after_a_kill(
    bootstrap: str, make_topic: MakeTopic, folder: Path, jpegs: Sequence[bytes], *arguments: str
) -> tuple[int, set[int], str]:
    """Kill a worker in mid-footage and start another: its first frame, the frames with motion, and what it logged."""
    topics = make_topics(make_topic, partitions=1)
    with Fleet(bootstrap, folder, topics) as fleet:
        victim = fleet.start(*OPERATORS, *arguments)
        send_footage(bootstrap, topics, jpegs[:KILLED_AT])
        fleet.wait_for_commit({0: KILLED_AT}, timeout_s=90)
        # A few only, so that the kill hits near where it is aimed; the rest is sent when it is dead.
        send_footage(bootstrap, topics, jpegs[KILLED_AT : KILLED_AT + 10], first=KILLED_AT)
        drain(bootstrap, topics.processed, until=all_out(KILLED_AT + 1), timeout_s=60)
        victim.kill()
        send_footage(bootstrap, topics, jpegs[KILLED_AT + 10 :], first=KILLED_AT + 10)
        first = fleet.committed()[0]
        # What the victim said of the frames behind its position the other says again.
        said = len(drain(bootstrap, topics.events))
        heir = fleet.start(*OPERATORS, *arguments)
        drain(bootstrap, topics.processed, until=all_out(len(jpegs)), timeout_s=90)
        assert heir.stop() == 0, heir.log.read_text()
        log = heir.log.read_text()
    return first, moving(drain(bootstrap, topics.events)[said:]), log


def agreement(bootstrap: str, make_topic: MakeTopic, folder: Path, *arguments: str) -> tuple[float, str]:
    """The share of the first frames after a crash of which motion, yes or no, is as without the crash; and the log."""
    jpegs = box_jpegs()
    for name in ("whole", "killed"):
        (folder / name).mkdir()
    expected = uninterrupted(bootstrap, make_topic, folder / "whole", jpegs)
    first, found, log = after_a_kill(bootstrap, make_topic, folder / "killed", jpegs, *arguments)
    compared = range(first, first + COMPARED)
    assert first >= KILLED_AT and compared[-1] < len(jpegs), f"the kill came at {first}, where it does not matter"
    share = sum((n in expected) == (n in found) for n in compared) / COMPARED
    print(f"killed at {first}: {share:.1%} of {COMPARED} frames as in the uninterrupted run {arguments}")
    return share, log


def test_after_a_crash_motion_is_found_as_if_there_had_been_none(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    share, log = agreement(kafka_bootstrap, make_topic, tmp_path)
    assert share >= 0.9
    assert "memories are warm: cameras 1, frames" in log


def test_without_the_warm_up_the_same_crash_shows(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    share, log = agreement(kafka_bootstrap, make_topic, tmp_path, "--warmup-max", "0s")
    assert share < 0.9
    assert "are warm" not in log
