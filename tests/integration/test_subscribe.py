"""subscribe() on a real Kafka: acknowledging, restarts, the freshest, asyncio, groups of KIP-848."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError as ClientError
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from consumer_support import frame_of, publish
from kafka_support import create_topic, run_cli, unique

import framelane.embedded.node
from consumers import CameraSums, subscribe, subscribe_async, subscribe_events, subscribe_events_async
from framelane.embedded import EmbeddedKafka
from streams.contract.errors import SettingError, TopicMissing
from streams.contract.events import encode_event
from streams.contract.frame import Event

MakeTopic = Callable[..., str]


@pytest.fixture
def topic(make_topic: MakeTopic) -> str:
    return make_topic("processed")


def publish_events(bootstrap: str, topic: str, numbers: range) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for number in numbers:
        event = Event(type="motion", data={"zone": str(number)})
        value, headers = encode_event(event, frame_of(), pipeline="demo@1", operator_index=0, number=number)
        producer.produce(topic, value, "gate-1", headers=headers)
    assert producer.flush(20) == 0


def test_only_what_is_done_moves_the_place_when_so_asked(kafka_bootstrap: str, topic: str) -> None:
    group = unique("archive")
    publish(kafka_bootstrap, topic, [frame_of(sequence=each) for each in range(7)])
    with subscribe(topic, bootstrap=kafka_bootstrap, group=group, ack="manual") as first:
        frames = [next(first) for _ in range(5)]
        for each in (0, 2, 3):
            frames[each].done()
    again = list(subscribe(topic, bootstrap=kafka_bootstrap, group=group, until="now"))
    assert [(frame.sequence, frame.redelivered) for frame in again] == [
        (1, True),
        (2, True),
        (3, True),
        (4, True),
        (5, False),
        (6, False),
    ]


def test_what_was_seen_is_known_after_a_restart(kafka_bootstrap: str, topic: str) -> None:
    group, other = unique("archive"), unique("archive")
    publish(kafka_bootstrap, topic, [frame_of(sequence=each) for each in range(10)])
    for each in (group, other):
        assert len(list(subscribe(topic, bootstrap=kafka_bootstrap, group=each, until="now"))) == 10
    # As a worker that was killed does: it publishes again what it had published.
    publish(kafka_bootstrap, topic, [frame_of(sequence=each) for each in (6, 7, 8, 9, 10, 12)])
    resumed = subscribe(topic, bootstrap=kafka_bootstrap, group=group, until="now")
    frames = list(resumed)
    assert [(frame.sequence, frame.redelivered) for frame in frames] == [(10, False), (12, False)]
    assert frames[1].gap is not None
    assert (frames[1].gap.first, frames[1].gap.last, frames[1].gap.frames) == (11, 11, 1)
    assert resumed.sums["gate-1"] == CameraSums(frames=2, duplicates=4, missing=1)
    unknowing = subscribe(topic, bootstrap=kafka_bootstrap, group=other, until="now", dedupe_window=0)
    assert [frame.sequence for frame in unknowing] == [6, 7, 8, 9, 10, 12]


def test_the_window_is_bounded_in_records(
    kafka_bootstrap: str, make_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.places.WINDOW_RECORDS", 5)
    topic, group = make_topic("processed", partitions=1), unique("archive")
    publish(kafka_bootstrap, topic, [frame_of(sequence=each) for each in range(20)])
    assert len(list(subscribe(topic, bootstrap=kafka_bootstrap, group=group, until="now"))) == 20
    publish(kafka_bootstrap, topic, [frame_of(sequence=each) for each in (13, 14, 15, 19)])
    again = list(subscribe(topic, bootstrap=kafka_bootstrap, group=group, until="now"))
    assert [frame.sequence for frame in again] == [13, 14]


def test_only_the_freshest_of_each_camera(kafka_bootstrap: str, topic: str) -> None:
    publish(kafka_bootstrap, topic, [frame_of(camera, each) for each in range(300) for camera in ("a", "b", "c")])
    screen = subscribe(topic, bootstrap=kafka_bootstrap, since="-1m", until="now", freshest=True, decode=(32, 32))
    shown: dict[str, list[int]] = {"a": [], "b": [], "c": []}
    for frame in screen:
        shown[frame.camera_id].append(frame.sequence)
        assert frame.image.shape == (24, 32, 3)
        time.sleep(0.05)
    assert all(sequences == sorted(sequences) and sequences[-1] == 299 for sequences in shown.values())
    for camera, sequences in shown.items():
        assert screen.sums[camera] == CameraSums(frames=len(sequences), skipped=300 - len(sequences))
        assert len(sequences) < 100


def test_a_group_of_the_freshest_goes_on_behind_what_it_has_shown(kafka_bootstrap: str, topic: str) -> None:
    group = unique("wall")
    publish(kafka_bootstrap, topic, [frame_of(camera, each) for each in range(50) for camera in ("a", "b")])
    first = list(subscribe(topic, bootstrap=kafka_bootstrap, group=group, until="now", freshest=True))
    assert {(frame.camera_id, frame.sequence) for frame in first} >= {("a", 49), ("b", 49)}
    publish(kafka_bootstrap, topic, [frame_of("a", 50)])
    then = subscribe(topic, bootstrap=kafka_bootstrap, group=group, until="now", freshest=True)
    assert [(frame.camera_id, frame.sequence) for frame in then] == [("a", 50)]


def test_close_ends_it_from_any_thread(kafka_bootstrap: str, topic: str) -> None:
    subscription = subscribe(topic, bootstrap=kafka_bootstrap, group=unique("archive"))
    taken: list[int] = []
    reading = threading.Thread(target=lambda: taken.extend(frame.sequence for frame in subscription))
    reading.start()
    publish(kafka_bootstrap, topic, [frame_of(sequence=0)])
    give_up = time.monotonic() + 20
    while not taken and "gate-1" not in subscription.sums:
        assert time.monotonic() < give_up
        time.sleep(0.02)
    subscription.close()
    reading.join(5)
    assert not reading.is_alive()
    assert subscription.ended
    assert taken == [0]


def test_ctrl_c_writes_the_place_and_leaves(kafka_bootstrap: str, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    group = unique("archive")
    publish(kafka_bootstrap, topic, [frame_of(sequence=each) for each in range(3)])
    frames = subscribe(topic, bootstrap=kafka_bootstrap, group=group)
    assert [next(frames).sequence for _ in range(3)] == [0, 1, 2]

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(frames, "_find_ends", interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(frames)
    assert frames.ended
    assert list(subscribe(topic, bootstrap=kafka_bootstrap, group=group, until="now")) == []


def test_asyncio(kafka_bootstrap: str, topic: str) -> None:
    async def read() -> list[int]:
        sequences = []
        async with subscribe_async(topic, bootstrap=kafka_bootstrap, since="-1m") as frames:
            publish(kafka_bootstrap, topic, [frame_of(sequence=each) for each in range(5)])
            async for frame in frames:
                sequences.append(frame.sequence)
                if len(sequences) == 5:
                    break
            # Cancelled again and again while it waits; nothing that comes then is lost.
            waits = 0
            while len(sequences) < 10:
                try:
                    sequences.append((await asyncio.wait_for(anext(frames), 0.05)).sequence)
                except TimeoutError:
                    waits += 1
                    if waits == 3:
                        publish(kafka_bootstrap, topic, [frame_of(sequence=each) for each in range(5, 10)])
            assert waits >= 3
            assert frames.sums["gate-1"].frames == 10
        assert [frame async for frame in frames] == []
        return sequences

    assert asyncio.run(read()) == list(range(10))


def test_asyncio_that_is_closed_does_not_wait_for_a_broker_that_is_away() -> None:
    script = (
        "import asyncio; from consumers import subscribe_async\n"
        "async def read():\n"
        "    async with subscribe_async(bootstrap='127.0.0.1:1') as frames:\n"
        "        await asyncio.wait_for(anext(frames), 0.5)\n"
        "asyncio.run(read())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert "TimeoutError" in done.stderr


def test_close_from_a_handler_of_signals_hands_nothing_out_any_more(kafka_bootstrap: str, topic: str) -> None:
    group = unique("archive")
    publish(kafka_bootstrap, topic, [frame_of(sequence=each) for each in range(200)])
    frames = subscribe(topic, bootstrap=kafka_bootstrap, group=group)
    taken = [next(frames).sequence]
    before = signal.signal(signal.SIGUSR1, lambda *_: frames.close())
    try:
        threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        for frame in frames:
            taken.append(frame.sequence)
            time.sleep(0.001)
    finally:
        signal.signal(signal.SIGUSR1, before)
    rest = list(subscribe(topic, bootstrap=kafka_bootstrap, group=group, until="now"))
    unmarked = taken + [frame.sequence for frame in rest if not frame.redelivered]
    assert set(taken) | {frame.sequence for frame in rest} == set(range(200))
    assert len(unmarked) == len(set(unmarked))


def test_asyncio_ends_at_until_and_tells_what_is_wrong(kafka_bootstrap: str, topic: str) -> None:
    publish(kafka_bootstrap, topic, [frame_of(sequence=each) for each in range(4)])

    async def read() -> list[int]:
        frames = subscribe_async(topic, bootstrap=kafka_bootstrap, since="-1m", until="now", decode="gray")
        return [frame.sequence async for frame in frames if frame.image.ndim == 2]

    async def missing() -> None:
        async for _ in subscribe_async("nowhere", bootstrap=kafka_bootstrap):
            pass

    assert asyncio.run(read()) == [0, 1, 2, 3]
    with pytest.raises(TopicMissing, match="nowhere"):
        asyncio.run(missing())


def test_events_come_once_and_a_group_resumes(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic, group = make_topic("events"), unique("alarms")
    publish_events(kafka_bootstrap, topic, range(5))
    with subscribe_events(topic, bootstrap=kafka_bootstrap, group=group) as events:
        first = [next(events) for _ in range(3)]
    publish_events(kafka_bootstrap, topic, range(3, 7))

    async def rest() -> list[tuple[str, bool]]:
        events = subscribe_events_async(topic, bootstrap=kafka_bootstrap, group=group, until="now")
        return [(event.name.rpartition("/")[2], event.redelivered) async for event in events]

    assert [event.name.rpartition("/")[2] for event in first] == ["0", "1", "2"]
    assert asyncio.run(rest()) == [("2", True), ("3", False), ("4", False), ("5", False), ("6", False)]


def test_tail_prints_events(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic("events")
    publish_events(kafka_bootstrap, topic, range(2))
    tail = ["tail", "--events", "--bootstrap", kafka_bootstrap, "--topic", topic, "--since", "-1m", "--until", "now"]
    lines, objects = run_cli(tail), run_cli([*tail, "--json"])
    assert lines.returncode == objects.returncode == 0, lines.stderr + objects.stderr
    assert lines.stdout.splitlines()[1].split() == [
        "2026-05-09T07:33:20.000Z",
        "gate-1",
        "20260509T073000000-ab12",
        "0",
        "motion",
        '{"zone":"1"}',
        "demo@1",
    ]
    assert "2 events from 1 camera; 0 duplicates dropped" in lines.stderr
    found = [json.loads(line) for line in objects.stdout.splitlines()]
    assert [(each["type"], each["data"]["zone"], each["name"][-3:]) for each in found] == [
        ("motion", "0", "0/0"),
        ("motion", "1", "0/1"),
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decode": "half"}, "decode 'half'"),
        ({"camera": "gate"}, "no option 'camera'"),
        ({"ack": "maybe"}, "ack 'maybe'"),
    ],
)
def test_what_is_asked_for_wrongly_is_told(options: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        subscribe(**options)  # type: ignore[arg-type]


def group_type(bootstrap: str, group: str) -> str:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    described = admin.describe_consumer_groups([group])[group].result(10)
    return str(described.type).rpartition(".")[2]


@pytest.mark.parametrize("protocol", ["auto", "classic"])
def test_a_group_of_the_newer_kind_where_the_broker_has_them(kafka_bootstrap: str, topic: str, protocol: str) -> None:
    group = unique("archive")
    publish(kafka_bootstrap, topic, [frame_of(sequence=0)])
    with subscribe(topic, bootstrap=kafka_bootstrap, group=group, group_protocol=protocol) as frames:  # type: ignore[arg-type]
        next(frames)
        assert group_type(kafka_bootstrap, group) == {"auto": "CONSUMER", "classic": "CLASSIC"}[protocol]


def test_a_classic_group_where_the_broker_has_no_newer_ones(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tool_command = framelane.embedded.node.tool_command

    def without_new_groups(main_class: str, *arguments: str) -> list[str]:
        more = ("--feature", "group.version=0") if "format" in arguments else ()
        return tool_command(main_class, *arguments, *more)

    monkeypatch.setattr("framelane.embedded.node.tool_command", without_new_groups)
    with EmbeddedKafka() as kafka:
        create_topic(kafka.bootstrap, "processed", partitions=2, config={})
        publish(kafka.bootstrap, "processed", [frame_of(sequence=each) for each in range(3)])
        with subscribe("processed", bootstrap=kafka.bootstrap, group="archive") as frames:
            assert [next(frames).sequence for _ in range(3)] == [0, 1, 2]
            assert group_type(kafka.bootstrap, "archive") == "CLASSIC"
        with subscribe("processed", bootstrap=kafka.bootstrap, group="wall", freshest=True) as screen:
            assert next(screen).sequence == 2
        # The client that was left may take its time; what the one in its place has to say is said.
        monkeypatch.setattr("consumers.client._CLOSE_S", 0.0)
        with subscribe("processed", bootstrap=kafka.bootstrap, group="late") as frames:
            next(frames)
            assert "left without a word" in caplog.text
            frames._failures.note(ClientError(ClientError._ALL_BROKERS_DOWN))
            assert f"waiting for the broker at {kafka.bootstrap}" in caplog.text
        with (
            pytest.raises(SettingError, match="KIP-848"),
            subscribe("processed", bootstrap=kafka.bootstrap, group="b", group_protocol="consumer") as frames,
        ):
            next(frames)
