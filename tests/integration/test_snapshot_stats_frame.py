"""`framelane snapshot`, `framelane stats` and `framelane frame` on a real Kafka."""

import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from confluent_kafka import Message, Producer
from consumer_support import frame_of, picture, publish, publish_bare
from kafka_support import run_cli, start_cli

from consumers.lookup.name import FrameName
from consumers.lookup.search import search
from framelane.lookup.by_name import frame_by_name
from framelane.lookup.latest import latest_frames
from framelane.lookup.reader import PlaceReader
from streams.contract.camera_globs import CameraGlobs
from streams.contract.errors import FrameError, KafkaError
from streams.contract.frame import Frame
from streams.contract.headers import to_headers
from streams.contract.identity import new_epoch
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.partitioner import partition_of

MakeTopic = Callable[..., str]
RECORDS, CAMERAS, PARTITIONS = 25_000, 23, 3
# A fetch gives some 80 of these records, as it does of pictures of 100 kB with the fetches of the command.
FETCH_BYTES, BATCH_BYTES = 64 * 1024, 16 * 1024
DATA = picture(3, width=8, height=8)


def fill(bootstrap: str, topic: str) -> list[FrameName]:
    """Frames of an hour by many cameras, some of which start again now and then; their names."""
    own = {"batch.size": BATCH_BYTES, "linger.ms": 20, "queue.buffering.max.messages": 2 * RECORDS}
    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", **own})
    rng = random.Random(5)
    began_ns, step_ns = time.time_ns() - 3600 * 10**9, 3600 * 10**9 // RECORDS
    epochs = {f"gate-{number}": new_epoch(began_ns) for number in range(CAMERAS)}
    sequences = dict.fromkeys(epochs, 0)
    names, wrong = [], []

    def told(_: object, message: Message) -> None:
        if message.partition() != partition_of(bytes(message.key() or b""), PARTITIONS):
            wrong.append(message.key())

    for number in range(RECORDS):
        at_ns = began_ns + number * step_ns
        camera = f"gate-{min(CAMERAS - 1, int(rng.expovariate(0.15)))}"
        if rng.random() < 0.001:
            epochs[camera], sequences[camera] = new_epoch(at_ns), 0
        names.append(FrameName(camera, epochs[camera], sequences[camera]))
        sequences[camera] += 1 if rng.random() < 0.99 else 9
        frame = Frame(
            camera_id=camera,
            epoch=names[-1].epoch,
            sequence=names[-1].sequence,
            captured_at_ns=at_ns,
            width=8,
            height=8,
        )
        headers = to_headers(frame)
        producer.produce(topic, DATA, camera, headers=headers, timestamp=at_ns // 1_000_000, on_delivery=told)
        if number % 1000 == 0:
            producer.poll(0)
    assert producer.flush(60) == 0
    assert wrong == []
    return names


@pytest.fixture(scope="module")
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=kafka_bootstrap)


def test_any_of_many_frames_is_found_with_few_questions(kafka: KafkaSettings, make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=PARTITIONS)
    names = fill(kafka.bootstrap, topic)
    asked = []
    with PlaceReader(kafka, topic, fetch_bytes=FETCH_BYTES) as reader:
        for name in [names[0], names[-1], *random.Random(6).sample(names, 20)]:
            reader.asked = 0
            found = search(reader, name)
            assert found.record is not None, name
            assert found.record.value == DATA
            assert (b"ce_id", str(name).encode()) in [(key.encode(), value) for key, value in found.record.headers]
            asked.append(found.asked)
        assert max(asked) <= 20, asked
        reader.asked = 0
        assert search(reader, FrameName("nobody", names[0].epoch, 1)).record is None
        assert reader.asked <= 40


def test_frame_writes_the_picture_or_says_what_is_there(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic, reach = make_topic(), ["--bootstrap", kafka_bootstrap]
    frames = [frame_of("gate-1", each, pipeline="demo") for each in (0, 1, 2, 5)]
    publish(kafka_bootstrap, topic, frames)
    path = tmp_path / "f.jpg"
    arguments = ["frame", frames[2].name, "--topic", topic, *reach]
    done = run_cli([*arguments, "--pipeline", "demo", "-o", str(path), "--json"])
    assert done.returncode == 0, done.stderr
    known = json.loads(done.stdout)
    assert (known["name"], known["sequence"], known["pipeline"]) == (frames[2].name, 2, "demo@1f3a")
    assert known["place"].startswith(f"{topic}/")
    assert known["asked"] <= 4
    assert path.read_bytes() == frames[2].data
    assert cv2.imread(str(path)) is not None
    done = run_cli([*arguments, "--pipeline", "other"])
    assert (done.returncode, done.stdout) == (1, "")
    assert "frames of gate-1 come from demo" in done.stderr


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("gate-1/20260509T073000000-ab12/3", "sequences 1 and 5 of this epoch are there"),
        ("gate-1/20260509T073000000-ab12/9", "the last of this epoch that was met is sequence 5"),
        ("gate-1/29990101T000000000-zz99/1", "no such epoch was met; of gate-1 there are"),
        ("gate-1/20200101T000000000-ab12/1", "goes back to 20.*may have been deleted since"),
        ("gate-7/run-1/1", "no frame of camera gate-7 was met; there are, among others, gate-1"),
    ],
)
def test_what_is_not_there_is_told_of(kafka: KafkaSettings, make_topic: MakeTopic, name: str, told: str) -> None:
    topic = make_topic()
    publish(kafka.bootstrap, topic, [frame_of("gate-1", each, pipeline="") for each in (0, 1, 5)])
    with pytest.raises(KafkaError, match=told):
        frame_by_name(kafka, topic, FrameName.parse(name))


def test_bare_frames_have_names_as_well(kafka: KafkaSettings, make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=1)
    publish_bare(kafka.bootstrap, topic, [picture(1), picture(2), b"rubbish"], key="kitchen")
    found = frame_by_name(kafka, topic, FrameName.parse(f"kitchen/@{topic}-0/1"))
    assert (found.frame.data, found.place) == (picture(2), f"{topic}/0/1")
    with pytest.raises(FrameError, match=f"{topic}/0/2: starts with"):
        frame_by_name(kafka, topic, FrameName.parse(f"kitchen/@{topic}-0/2"))
    with pytest.raises(KafkaError, match="at offset 3 of partition 0 lies no such frame"):
        frame_by_name(kafka, topic, FrameName.parse(f"kitchen/@{topic}-0/3"))
    with pytest.raises(KafkaError, match="holds no frames"):
        frame_by_name(kafka, make_topic(), FrameName.parse(f"kitchen/@{topic}-0/1"))


def test_wrong_names_and_topics_are_refused(kafka_bootstrap: str) -> None:
    done = run_cli(["frame", "gate-1/812", "--bootstrap", kafka_bootstrap])
    assert (done.returncode, done.stdout) == (2, "")
    assert "expected CAMERA/EPOCH/SEQUENCE" in done.stderr
    done = run_cli(["frame", "g/e/1", "--topic", "no.such", "--wait", "0s", "--bootstrap", kafka_bootstrap])
    assert done.returncode == 1
    assert "framelane topics create no.such" in done.stderr


def test_a_snapshot_is_the_latest_frame_of_each_camera(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic, now_ns = make_topic(), time.time_ns()
    for camera in ("gate-1", "gate-2", "yard"):
        publish(kafka_bootstrap, topic, [frame_of(camera, n, captured_at_ns=now_ns + n) for n in range(5)])
    # An old one that was sent again.
    publish(kafka_bootstrap, topic, [frame_of("gate-1", 2, captured_at_ns=now_ns + 2)])
    publish_bare(kafka_bootstrap, topic, [picture(9, content_type="image/png")], key="kitchen")
    publish_bare(kafka_bootstrap, topic, [b"rubbish", None], key="gate-2")
    folder = tmp_path / "now"
    arguments = ["snapshot", "--topic", topic, "--to", str(folder), "--bootstrap", kafka_bootstrap]
    done = run_cli([*arguments, "--camera", "gate-*", "--camera", "kitchen", "--json"])
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["camera_id"], Path(line["path"]).name) for line in lines] == [
        ("gate-1", "gate-1.jpg"),
        ("gate-2", "gate-2.jpg"),
        ("kitchen", "kitchen.png"),
    ]
    assert sorted(each.name for each in folder.iterdir()) == ["gate-1.jpg", "gate-2.jpg", "kitchen.png"]
    assert (folder / "gate-1.jpg").read_bytes() == picture(4)
    assert all(0 <= line["age_s"] < 60 for line in lines)
    assert "2 records are no frames and were skipped (empty 1, not_an_image 1)" in done.stderr
    done = run_cli([*arguments, "--camera", "gate-1", "--camera", "gate-9"])
    assert done.returncode == 1
    assert "gate-1.jpg" in done.stdout
    assert "camera gate-9: no frame among the last" in done.stderr


def test_a_snapshot_does_not_read_the_whole_topic(kafka: KafkaSettings, make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=1)
    publish(kafka.bootstrap, topic, [frame_of("rare", 0, data=DATA)])
    now_ns = time.time_ns()
    frames = (frame_of(f"gate-{n % 5}", n, captured_at_ns=now_ns + n, data=DATA) for n in range(3000))
    publish(kafka.bootstrap, topic, frames)
    with PlaceReader(kafka, topic) as reader:
        few = latest_frames(reader, CameraGlobs())
        named = latest_frames(reader, CameraGlobs(("gate-1", "gate-3")))
        everything = latest_frames(reader, CameraGlobs(), since_ms=now_ns // 1_000_000 - 60_000)
        none = latest_frames(reader, CameraGlobs(), since_ms=now_ns // 1_000_000 + 600_000)
    assert sorted(few.frames) == [f"gate-{n}" for n in range(5)]
    assert [few.frames[f"gate-{n}"].sequence for n in range(5)] == [2995, 2996, 2997, 2998, 2999]
    assert few.read == 532
    assert (sorted(named.frames), named.read) == (["gate-1", "gate-3"], 32)
    assert (len(everything.frames), everything.read) == (6, 3001)
    assert (none.frames, none.read) == ({}, 0)


def hopped(camera: str, sequence: int, *, began_ns: int, ms: tuple[float, float, float]) -> Frame:
    """A processed frame, with the times after its capture at which it passed the worker's hops."""
    at = [began_ns + round(each * 1e6) for each in ms]
    hops = dict(zip(("received", "started", "processed"), at, strict=True))
    return frame_of(camera, sequence, captured_at_ns=began_ns).changed(hops=hops)


def test_stats_tell_the_latency_of_each_hop(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    topic, now_ns = make_topic(), time.time_ns() - 10**9
    frames = [hopped("gate-1", n, began_ns=now_ns, ms=(4, 5, 25)) for n in range(99)]
    frames += [hopped("gate-2", n, began_ns=now_ns, ms=(-30, 5, 500)) for n in range(3)]
    publish(kafka_bootstrap, topic, frames)
    arguments = ["stats", "--topic", topic, "--since", "-10m", "--bootstrap", kafka_bootstrap]
    chart = tmp_path / "latency.png"
    done = run_cli([*arguments, "--json", "--png", str(chart)])
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    hops = {each["hop"]: each for each in told["hops"]}
    assert list(hops) == [
        "captured -> received",
        "received -> started",
        "started -> processed",
        "captured -> processed",
    ]
    received, whole = hops["captured -> received"], hops["captured -> processed"]
    assert (received["frames"], received["negative"], received["least_ms"]) == (99, 3, -30)
    assert (whole["frames"], whole["max_ms"]) == (102, 500)
    assert whole["p50_ms"] == pytest.approx(25, rel=0.02)
    assert whole["p99_ms"] == pytest.approx(500, rel=0.02)
    assert [(each["camera_id"], each["frames"]) for each in told["cameras"]] == [("gate-2", 3), ("gate-1", 99)]
    assert cv2.imread(str(chart)).shape[1] > 1000
    # It does not wait for more of them than there are.
    done = run_cli([*arguments, "--count", "1000"])
    assert done.returncode == 0, done.stderr
    assert "3 (to -30.0)" in done.stdout
    assert "a clock is ahead" in done.stdout
    done = run_cli([*arguments, "--camera", "gate-9"])
    assert (done.returncode, done.stdout) == (1, "")
    assert "no frame came" in done.stderr


def test_live_the_moment_of_reading_is_a_hop(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic()
    arguments = ["stats", "--topic", topic, "--count", "3", "--json", "--bootstrap", kafka_bootstrap]
    with start_cli(arguments) as command:
        assert command.stderr is not None
        assert b"reading" in command.stderr.readline()
        now_ns = time.time_ns()
        publish(kafka_bootstrap, topic, [hopped("gate-1", n, began_ns=now_ns, ms=(0, 0, 0)) for n in range(3)])
        out, err = command.communicate(timeout=30)
    assert command.returncode == 0, err.decode()
    read = {each["hop"]: each for each in json.loads(out)["hops"]}["processed -> read"]
    assert read["frames"] == 3
    assert 0 < read["p50_ms"] < 30_000
