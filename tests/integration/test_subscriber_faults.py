"""Subscribers that are killed, rebalanced, slow, or cut off from the broker: no frame lost, none twice unmarked."""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from consumer_support import frame_of, publish
from kafka_support import cli_environ, create_topic, unique

from consumers import subscribe
from framelane.embedded import EmbeddedKafka
from streams.contract.kafka_settings import KafkaSettings

MakeTopic = Callable[..., str]
PROGRAM = Path(__file__).parents[1] / "support" / "subscriber_program.py"
CAMERAS = [f"cam-{number}" for number in range(8)]
# Of each camera.
FRAMES = 60
CLASSIC = ("session.timeout.ms=2000", "heartbeat.interval.ms=300")
Note = tuple[str, int, bool]


def publish_all(bootstrap: str, topic: str, first: int = 0, last: int = FRAMES) -> None:
    publish(bootstrap, topic, [frame_of(camera, each) for each in range(first, last) for camera in CAMERAS])


@contextmanager
def subscriber(*arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """The program; killed at the end of the block where it lives."""
    command = [sys.executable, str(PROGRAM), *arguments]
    with subprocess.Popen(command, env=cli_environ(PYTHONPATH=str(PROGRAM.parents[2]))) as process:
        try:
            yield process
        finally:
            process.kill()


def notes_of(*files: Path) -> list[Note]:
    notes = []
    for file in files:
        # The last line may be cut off by a kill.
        for line in file.read_text().splitlines(keepends=True) if file.exists() else []:
            if line.endswith("\n"):
                camera, sequence, redelivered, _ = line.split()
                notes.append((camera, int(sequence), redelivered == "1"))
    return notes


def wait_for(files: list[Path], count: int, *, timeout_s: float = 40.0) -> list[Note]:
    """Return when so many different frames are noted."""
    give_up = time.monotonic() + timeout_s
    while True:
        notes = notes_of(*files)
        found = len({note[:2] for note in notes})
        if found >= count:
            return notes
        assert time.monotonic() < give_up, f"{len(notes)} notes of {found} frames, {count} were awaited"
        time.sleep(0.05)


def check(notes: list[Note], *, frames: int = FRAMES) -> int:
    """Nothing is lost, and nothing is there twice but what is marked; returns how many are marked."""
    assert {note[:2] for note in notes} == {(camera, each) for camera in CAMERAS for each in range(frames)}
    unmarked = Counter(note[:2] for note in notes if not note[2])
    assert [name for name, count in unmarked.items() if count > 1] == []
    return sum(note[2] for note in notes)


# A killed member of a newer group is missed when the broker's time is over, which is twelve seconds.
@pytest.mark.parametrize(("options", "kills"), [((), 1), (CLASSIC, 3)], ids=["consumer", "classic"])
def test_killed_at_any_moment(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path, options: list[str], kills: int
) -> None:
    topic, group, file = make_topic("processed"), unique("archive"), tmp_path / "notes"
    publish_all(kafka_bootstrap, topic)
    moments = random.Random(7)
    for _ in range(kills):
        before = len({note[:2] for note in notes_of(file)})
        with subscriber(kafka_bootstrap, topic, group, str(file), "0.005", *options) as process:
            wait_for([file], before + 1)
            time.sleep(moments.uniform(0.0, 0.5))
            process.kill()
    with subscriber(kafka_bootstrap, topic, group, str(file), "0", *options):
        notes = wait_for([file], FRAMES * len(CAMERAS))
    marked = check(notes)
    doubled = len(notes) - FRAMES * len(CAMERAS)
    # Each kill cuts off what was handed out since the last commit; no more than a few times that is marked.
    assert doubled <= marked <= kills * 700


@pytest.mark.parametrize("options", [(), CLASSIC], ids=["consumer", "classic"])
def test_members_come_and_go(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path, options: list[str]) -> None:
    topic, group = make_topic("processed"), unique("archive")
    files = [tmp_path / "one", tmp_path / "other"]
    publish_all(kafka_bootstrap, topic)
    with subscriber(kafka_bootstrap, topic, group, str(files[0]), "0.01", *options) as one:
        wait_for(files[:1], 20)
        with subscriber(kafka_bootstrap, topic, group, str(files[1]), "0.01", *options):
            wait_for(files[1:], 1)
            # As Ctrl-C does: it leaves with its places written.
            one.send_signal(2)
            one.wait(20)
            notes = wait_for(files, FRAMES * len(CAMERAS))
    check(notes)
    assert len(notes) <= FRAMES * len(CAMERAS) + 4, "more was read twice than what was in hand"
    for file in files:
        by_camera: dict[str, list[int]] = {}
        for camera, sequence, _ in notes_of(file):
            by_camera.setdefault(camera, []).append(sequence)
        assert all(earlier < later for each in by_camera.values() for earlier, later in pairwise(each))


def test_the_broker_is_restarted(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    with EmbeddedKafka() as kafka:
        create_topic(kafka.bootstrap, "processed", partitions=4, config={})
        publish_all(kafka.bootstrap, "processed", 0, 20)
        with subscriber(kafka.bootstrap, "processed", "archive", str(file), "0.005"):
            wait_for([file], 100)
            kafka.nodes[0].stop()
            kafka.nodes[0].start()
            publish_all(kafka.bootstrap, "processed", 20, FRAMES)
            notes = wait_for([file], FRAMES * len(CAMERAS))
    check(notes)


def test_one_that_is_too_slow_for_its_group(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic, group = make_topic("processed"), unique("archive")
    publish_all(kafka_bootstrap, topic, 0, 10)
    # After two seconds without a word it is put out of the group, and has to join again.
    librdkafka = {"session.timeout.ms": 2000, "heartbeat.interval.ms": 300, "max.poll.interval.ms": 2000}
    kafka = KafkaSettings(bootstrap=kafka_bootstrap, librdkafka=librdkafka)
    notes = []
    with subscribe(topic, kafka=kafka, group=group) as frames:
        for frame in frames:
            notes.append((frame.camera_id, frame.sequence, frame.redelivered))
            if len(notes) in (5, 40):
                time.sleep(3)
            if len(notes) == 10 * len(CAMERAS):
                break
    # It may have been somebody else's meanwhile; but no more is marked than what is reserved.
    assert 0 < check(notes, frames=10) <= 2 * 16 * 4
    (last,) = subscribe(topic, kafka=kafka, group=group, until="now")
    assert last.redelivered
