"""`framelane record` on a real Kafka: each sink, killed again and again, and what it says when it cannot work."""

import json
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from consumer_support import frame_of, picture, publish
from http_receiver import HttpReceiver
from kafka_support import create_topic, run_cli, start_cli, unique
from sink_support import kill_again_and_again

from consumers import Subscription, SubscriptionSettings, subscribe
from consumers.received import ReceivedFrame
from consumers.recording import FLUSH_S, Recorder
from consumers.sinks import SinkOptions
from consumers.sinks.jsonl import JsonlSink
from framelane.embedded import EmbeddedKafka
from producers.stamp import read_stamp, stamp
from streams.contract.errors import KafkaError
from streams.contract.events import encode_event
from streams.contract.frame import Event, Frame
from streams.contract.images import Image, encode
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.times import to_ns

MakeTopic = Callable[..., str]
START_NS = 1_778_312_000_000_000_000
STEP_NS = 50_000_000
# In different halves of a topic of four partitions, so that two recorders get one each.
CAMERAS = ("gate-1", "gate-3")


@pytest.fixture
def topic(make_topic: MakeTopic) -> str:
    return make_topic("processed")


@pytest.fixture
def config(tmp_path: Path, kafka_bootstrap: str) -> list[str]:
    """Options with which a killed recorder is missed after a second."""
    path = tmp_path / "settings.toml"
    path.write_text(
        f'[kafka]\nbootstrap = "{kafka_bootstrap}"\n'
        '[kafka.librdkafka]\n"session.timeout.ms" = 1000\n"heartbeat.interval.ms" = 300\n'
    )
    return ["--config", str(path)]


def quick(bootstrap: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=bootstrap, librdkafka={"session.timeout.ms": 1000, "heartbeat.interval.ms": 300})


@contextmanager
def running(arguments: list[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """`framelane ARGUMENTS` within the block; killed at its end where it has not ended itself, so that none is left."""
    with start_cli(arguments) as process:
        try:
            yield process
        finally:
            process.kill()


def left_for(bootstrap: str, topic: str, group: str) -> list[int]:
    """The sequences that a group has not done with."""
    return [frame.sequence for frame in subscribe(topic, kafka=quick(bootstrap), group=group, until="now")]


def line_count(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


class Cameras:
    """Publishes frames of two cameras, a batch of each at a time, and remembers them."""

    def __init__(self, bootstrap: str, topic: str, *, batch: int, draw: Callable[[str, int], bytes]) -> None:
        self._bootstrap, self._topic, self._batch, self._draw = bootstrap, topic, batch, draw
        self.frames: list[Frame] = []

    def feed(self) -> None:
        """The next batch."""
        first = len(self.frames) // len(CAMERAS)
        batch = [
            frame_of(camera, each, captured_at_ns=START_NS + each * STEP_NS, data=self._draw(camera, each))
            for each in range(first, first + self._batch)
            for camera in CAMERAS
        ]
        publish(self._bootstrap, self._topic, batch)
        self.frames += batch


class Events:
    """Publishes events of a camera, a batch at a time, and remembers their names."""

    def __init__(self, bootstrap: str, topic: str, *, batch: int) -> None:
        self._bootstrap, self._topic, self._batch = bootstrap, topic, batch
        self.names: list[str] = []

    def feed(self) -> None:
        """The next batch."""
        producer = Producer({"bootstrap.servers": self._bootstrap})
        for sequence in range(len(self.names), len(self.names) + self._batch):
            frame = frame_of("gate-1", sequence)
            event = Event(type="motion", data={"zone": "0", "boxes": []})
            value, headers = encode_event(event, frame, pipeline="demo@1f3a", operator_index=1, number=0)
            producer.produce(self._topic, value, "gate-1", headers=list(headers))
            self.names.append(f"{frame.name}/1/0")
        assert producer.flush(20) == 0


def gray(_: str, sequence: int) -> bytes:
    return picture(sequence)


def stamped(camera: str, sequence: int) -> bytes:
    image: Image = np.full((120, 160, 3), 90, np.uint8)
    stamp(image, camera, sequence)
    return encode(image, quality=90)


def test_a_folder_is_whole_after_kills(kafka_bootstrap: str, topic: str, tmp_path: Path, config: list[str]) -> None:
    folder, cameras = tmp_path / "pictures", Cameras(kafka_bootstrap, topic, batch=20, draw=gray)
    done = kill_again_and_again(
        ["record", "--to", f"{folder}/", "--topic", topic, "--group", unique("archive"), *config],
        seed=1,
        feed=cameras.feed,
        progress=lambda: sum(1 for _ in folder.rglob("*.jpg")),
    )
    assert done.returncode == 0, done.stderr
    written = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    expected = {}
    for frame in cameras.frames:
        seconds, ms = divmod((frame.captured_at_ns - START_NS) // 1_000_000, 1000)
        clock = f"07{33 + (20 + seconds) // 60}{(20 + seconds) % 60:02d}.{ms:03d}"
        name = f"{frame.camera_id}/2026-05-09/07/{clock}-{frame.epoch}-{frame.sequence:09d}-demo.jpg"
        expected[name] = frame.data
    assert written == expected


@pytest.mark.parametrize("what", ["frames", "events"])
def test_lines_are_whole_and_there_once_after_kills(
    kafka_bootstrap: str, topic: str, tmp_path: Path, config: list[str], what: str
) -> None:
    path, cameras = tmp_path / "out.jsonl", Cameras(kafka_bootstrap, topic, batch=20, draw=gray)
    events = Events(kafka_bootstrap, topic, batch=40)
    arguments = ["record", "--to", str(path), "--topic", topic, "--group", unique("archive"), *config]
    done = kill_again_and_again(
        [*arguments, *(["--events"] if what == "events" else [])],
        seed=2,
        feed=events.feed if what == "events" else cameras.feed,
        progress=lambda: line_count(path),
    )
    assert done.returncode == 0, done.stderr
    names = Counter(json.loads(line)["name"] for line in path.read_text().splitlines())
    assert names == Counter(events.names if what == "events" else [frame.name for frame in cameras.frames])


def test_videos_show_each_frame_once_and_at_its_time_after_kills(
    kafka_bootstrap: str, topic: str, tmp_path: Path, config: list[str]
) -> None:
    folder, cameras = tmp_path / "yard", Cameras(kafka_bootstrap, topic, batch=4, draw=stamped)
    done = kill_again_and_again(
        ["record", "--to", f"{folder}.mp4", "--rotate", "1s", "--topic", topic, "--group", unique("archive"), *config],
        seed=3,
        feed=cameras.feed,
        progress=lambda: sum(1 for _ in folder.glob("gate-*/*.mp4")),
    )
    assert done.returncode == 0, done.stderr
    assert not list(folder.glob(".framelane-*")), "nothing is left unfinished"
    shown = Counter(each for path in folder.glob("gate-*/*.mp4") for each in frames_of(path))
    assert shown == Counter((frame.camera_id, frame.sequence, frame.captured_at_ns) for frame in cameras.frames)


def frames_of(path: Path) -> Iterator[tuple[str, int, int]]:
    """Camera, sequence and capture time (ns) of each picture of a video: its own time after that of the name."""
    named = re.fullmatch(r"(....-..-..)T(..)-(..)-(..\....)Z-demo(\.\d+)?\.mp4", path.name)
    assert named
    start_ns = to_ns(datetime.fromisoformat(f"{named[1]}T{named[2]}:{named[3]}:{named[4]}Z"))
    with av.open(str(path)) as video:
        for picture in video.decode(video=0):
            found = read_stamp(picture.to_ndarray(format="bgr24"))
            assert found is not None and picture.time is not None
            yield path.parent.name, found.sequence, start_ns + round(picture.time * 1000) * 1_000_000


def test_a_webhook_gets_every_event_and_none_twice_without_a_mark_after_kills(
    kafka_bootstrap: str, topic: str, tmp_path: Path, config: list[str]
) -> None:
    events = Events(kafka_bootstrap, topic, batch=1)
    with HttpReceiver() as receiver:
        done = kill_again_and_again(
            ["record", "--to", receiver.url, "--topic", topic, "--group", unique("hook"), *config],
            seed=4,
            feed=events.feed,
            progress=lambda: len(receiver.taken),
        )
    assert done.returncode == 0, done.stderr
    first_times = [name for index, (name, _) in enumerate(receiver.taken) if name not in dict(receiver.taken[:index])]
    assert first_times == events.names, "no hole, and in order"
    unmarked = Counter(name for name, redelivered in receiver.taken if not redelivered)
    assert max(unmarked.values()) == 1


def feed_until(cameras: Cameras, reached: Callable[[], bool], *processes: "subprocess.Popen[bytes]") -> None:
    """Publish on until it is so, while these processes run."""
    give_up = time.monotonic() + 40
    while not reached():
        assert time.monotonic() < give_up and all(process.poll() is None for process in processes)
        cameras.feed()
        time.sleep(0.05)


def parts(folder: Path) -> int:
    """How many videos are being written."""
    return sum(1 for path in folder.glob(".framelane-*.part.mp4") if path.stat().st_size)


def test_two_recorders_share_the_videos_and_one_that_comes_and_goes_costs_nothing(
    kafka_bootstrap: str, topic: str, tmp_path: Path
) -> None:
    folder, cameras = tmp_path / "yard", Cameras(kafka_bootstrap, topic, batch=4, draw=stamped)
    arguments = ["record", "--to", f"{folder}.mp4", "--rotate", "60s", "--group", unique("archive")]
    arguments += ["--topic", topic, "--bootstrap", kafka_bootstrap]

    with running(arguments) as first:
        feed_until(cameras, lambda: parts(folder) == 2, first)
        with running(arguments) as second:
            # One of the cameras moves over: what the first had of both is finished before.
            feed_until(cameras, lambda: len(tokens(folder)) == 2 and parts(folder) == 2, first, second)
            second.send_signal(signal.SIGINT)
            second.communicate(timeout=30)
            assert second.returncode == 130
        feed_until(cameras, lambda: parts(folder) == 2, first)
    done = run_cli([*arguments, "--until", "now"])
    assert done.returncode == 0, done.stderr
    shown = Counter(each for path in folder.glob("gate-*/*.mp4") for each in frames_of(path))
    assert shown == Counter((frame.camera_id, frame.sequence, frame.captured_at_ns) for frame in cameras.frames)


def test_partitions_that_were_lost_and_come_back_leave_no_hole_and_nothing_twice(
    kafka_bootstrap: str, topic: str, tmp_path: Path, config: list[str]
) -> None:
    """The group has given it up, as one that was asleep; it goes on, and is killed with its videos unfinished."""
    folder, cameras = tmp_path / "yard", Cameras(kafka_bootstrap, topic, batch=4, draw=stamped)
    group = unique("archive")
    arguments = ["record", "--to", f"{folder}.mp4", "--rotate", "60s", "--topic", topic, "--group", group, *config]
    with running(arguments) as process:
        feed_until(cameras, lambda: parts(folder) == 2, process)
        process.send_signal(signal.SIGSTOP)
        members_until(kafka_bootstrap, group, 0)
        process.send_signal(signal.SIGCONT)
        members_until(kafka_bootstrap, group, 1)
        feed_until(cameras, lambda: place_of(kafka_bootstrap, topic, group) > len(cameras.frames) // 2, process)
    done = run_cli([*arguments, "--until", "now"])
    assert done.returncode == 0, done.stderr
    shown = Counter(each for path in folder.glob("gate-*/*.mp4") for each in frames_of(path))
    assert shown == Counter((frame.camera_id, frame.sequence, frame.captured_at_ns) for frame in cameras.frames)


def members_until(bootstrap: str, group: str, count: int) -> None:
    """Return when the group has so many members."""
    admin, give_up = AdminClient({"bootstrap.servers": bootstrap}), time.monotonic() + 30
    while len(admin.describe_consumer_groups([group])[group].result(timeout=10).members) != count:
        assert time.monotonic() < give_up
        time.sleep(0.05)


def place_of(bootstrap: str, topic: str, group: str) -> int:
    """How many records the group has done with."""
    asker = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    try:
        found = asker.committed([TopicPartition(topic, each) for each in range(4)], timeout=10)
        return sum(max(0, each.offset) for each in found)
    finally:
        asker.close()


def tokens(folder: Path) -> set[str]:
    """Which recorders have a video under way."""
    return {path.name.split("-")[1] for path in folder.glob(".framelane-*.part.mp4")}


def test_every_sink_writes_what_came_and_says_so(kafka_bootstrap: str, topic: str, tmp_path: Path) -> None:
    cameras = Cameras(kafka_bootstrap, topic, batch=20, draw=gray)
    cameras.feed()
    for to in ("pictures/", "frames.jsonl", "yard.mp4"):
        common = ["--bootstrap", kafka_bootstrap, "--topic", topic, "--since", "-1m", "--until", "now"]
        done = run_cli(["record", "--to", f"{tmp_path}/{to}", *common])
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert f"40 frames from 2 cameras, 40 written to {tmp_path}/{to};" in done.stderr
    assert len(list(tmp_path.glob("pictures/gate-?/2026-05-09/07/*.jpg"))) == 40
    assert line_count(tmp_path / "frames.jsonl") == 40
    for camera in CAMERAS:
        capture = cv2.VideoCapture(str(tmp_path / f"yard-{camera}.mp4"))
        assert (capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)) == (20, 20)


def recorder_of(subscription: Subscription, path: Path, *, clock: list[float]) -> Recorder[ReceivedFrame]:
    sink = JsonlSink(str(path), SinkOptions())
    sink.setup()
    return Recorder(subscription, sink, clock=lambda: clock[0])


def settings_for(bootstrap: str, topic: str) -> SubscriptionSettings:
    group = unique("archive")
    return SubscriptionSettings(kafka=quick(bootstrap), topic=topic, group=group, commit_interval_s=None, ack="manual")


def test_the_place_is_written_after_the_flush_and_not_before(kafka_bootstrap: str, topic: str, tmp_path: Path) -> None:
    publish(kafka_bootstrap, topic, [frame_of("gate-1", each) for each in range(6)])
    settings = settings_for(kafka_bootstrap, topic)
    # No recorder is left in order, as if each were killed: what was not flushed by then must come again.
    for number, (first, at_s, written) in enumerate(((0, 0.0, 0), (0, FLUSH_S, 3), (3, 0.0, 0))):
        path, clock = tmp_path / f"{number}.jsonl", [0.0]
        with Subscription(settings) as subscription:
            recorder = recorder_of(subscription, path, clock=clock)
            taken: list[int] = []
            while len(taken) < 3:
                frame = subscription.poll(1.0)
                if frame is not None:
                    taken.append(frame.sequence)
                    clock[0] = at_s if len(taken) == 3 else 0.0
                    recorder.take(frame)
        assert taken == [first, first + 1, first + 2]
        assert line_count(path) == written


def test_a_place_that_cannot_be_written_is_told_and_not_waited_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.places._CONFIRM_S", 1.0)
    with EmbeddedKafka() as kafka:
        create_topic(kafka.bootstrap, "processed", partitions=1, config={})
        publish(kafka.bootstrap, "processed", [frame_of("gate-1", each) for each in range(3)])
        subscription = Subscription(settings_for(kafka.bootstrap, "processed"))
        recorder = recorder_of(subscription, tmp_path / "a.jsonl", clock=[0.0])
        while recorder.taken < 3:
            recorder.take(subscription.poll(1.0))
        kafka.nodes[0].kill()
        started = time.monotonic()
        with (
            pytest.raises(KafkaError, match=r"group 'archive.*': its place on topic 'processed' cannot be written"),
            recorder,
        ):
            pass
        subscription.close()
        assert time.monotonic() - started < 15
    assert line_count(tmp_path / "a.jsonl") == 3


def test_a_video_is_finished_on_ctrl_c_and_its_group_resumes(
    kafka_bootstrap: str, topic: str, tmp_path: Path, config: list[str]
) -> None:
    group, path = unique("archive"), tmp_path / "a.mp4"
    arguments = ["record", "--to", str(path), "--topic", topic, "--group", group, *config]
    publish(kafka_bootstrap, topic, [frame_of("gate-1", each, captured_at_ns=each * 10**8) for each in range(30)])
    with running([*arguments, "--seconds", "60"]) as process:
        give_up = time.monotonic() + 30
        while not any(part.stat().st_size for part in tmp_path.glob(".framelane-*-0.part.mp4")):
            assert process.poll() is None and time.monotonic() < give_up, "no video was begun"
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in stderr
    recorded = int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT))
    assert recorded > 0
    assert left_for(kafka_bootstrap, topic, group) == list(range(recorded, 30))


def wait_for_error(process: "subprocess.Popen[bytes]", text: bytes) -> None:
    """Return when a line of stderr has the text; the test's time limit is the only one."""
    assert process.stderr is not None
    assert any(text in line for line in process.stderr), f"{text!r} was not said"


def test_a_webhook_that_is_away_is_waited_for_and_ctrl_c_leaves_its_events_to_the_next_run(
    kafka_bootstrap: str, topic: str, config: list[str]
) -> None:
    events = Events(kafka_bootstrap, topic, batch=3)
    events.feed()
    group = ["--topic", topic, "--group", unique("hook"), *config]
    # Nobody listens on the port of a receiver that is gone.
    with HttpReceiver() as gone:
        url = gone.url
    with running(["record", "--to", url, *group]) as process:
        wait_for_error(process, b"waiting for the receiver")
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        said = process.stderr.read().decode()
        assert process.wait(timeout=30) == 130
    assert "1 events were not taken; they come again" in said
    assert re.search(r"1 event from 1 camera, 0 written to http://127\.0\.0\.1:\d+, 1 not written", said)
    with HttpReceiver() as receiver:
        done = run_cli(["record", "--to", receiver.url, *group, "--until", "now"])
    assert done.returncode == 0, done.stderr
    assert [name for name, _ in receiver.taken] == events.names


def test_sigterm_is_a_clean_end(kafka_bootstrap: str, topic: str, tmp_path: Path) -> None:
    arguments = ["record", "--group", unique("archive"), "--to", str(tmp_path / "a.jsonl")]
    with running([*arguments, "--bootstrap", kafka_bootstrap, "--topic", topic]) as process:
        wait_for_error(process, b"Ctrl-C ends")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert process.stderr is not None
        assert b"0 frames" in process.stderr.read()


def test_sigterm_while_it_waits_for_the_broker_is_a_clean_end(tmp_path: Path) -> None:
    waiting = ["--bootstrap", "127.0.0.1:1", "--wait", "60s", "--log-level", "debug"]
    with running(["record", "--to", str(tmp_path / "a.jsonl"), *waiting]) as process:
        wait_for_error(process, b"refused")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--topic", "bad name", "--to", "x.jsonl"], 2, "topic 'bad name'"),
        (["--to", "x.mp4", "--events"], 2, "takes frames only"),
        (["--to", "x.jsonl", "--rotate", "10m"], 2, "--rotate: has no meaning"),
        (["--to", "http://localhost", "--header-env", "Authorization=NOWHERE"], 2, "no variable of that name"),
        (["--to", "/dev/null/x/", "--count", "1"], 1, "/dev/null/x"),
    ],
)
def test_what_cannot_work_is_said_without_a_traceback(
    kafka_bootstrap: str, arguments: list[str], code: int, message: str
) -> None:
    done = run_cli(["record", *arguments], environ={"KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap})
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(Path().glob("x.*")), "nothing is made before all is known to be right"


def test_a_disk_that_is_full_ends_the_recording_and_the_group_keeps_its_place(
    kafka_bootstrap: str, topic: str, tmp_path: Path, config: list[str]
) -> None:
    (tmp_path / "full.jsonl").symlink_to("/dev/full")
    group = unique("archive")
    publish(kafka_bootstrap, topic, [frame_of("gate-1", each) for each in range(100)])
    done = run_cli(["record", "--to", str(tmp_path / "full.jsonl"), "--topic", topic, "--group", group, *config])
    assert done.returncode == 1
    assert "the disk is full" in done.stderr
    assert "0 written" in done.stderr and "100 not written" in done.stderr
    assert "Traceback" not in done.stderr
    assert left_for(kafka_bootstrap, topic, group) == list(range(100))
