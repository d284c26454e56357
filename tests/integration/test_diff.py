"""`framelane diff` on a real Kafka: differences that are known are told exactly, and what is the same is the same."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Producer
from diff_support import COUNT, KINDS, T0_NS, Wire, all_frames, changed, counts, frame_of, scene, side, topic
from kafka_support import create_topic, run_cli, unique

from framelane.diff.asked import Asked, Side
from framelane.diff.compare import compare
from framelane.diff.pictures import compare_pictures
from framelane.lookup.reader import PlaceReader
from framelane.progress_bar import progress_bar
from streams.contract.headers import to_headers
from streams.contract.images import encode
from streams.contract.kafka_settings import KafkaSettings


@pytest.fixture(scope="module")
def wire(kafka_bootstrap: str) -> Wire:
    return Wire(kafka_bootstrap)


@pytest.fixture(scope="module")
def whole(wire: Wire) -> str:
    return side(wire, all_frames())


@pytest.fixture(scope="module")
def other(wire: Wire) -> str:
    return side(wire, changed(all_frames()), hash_="77ab")


def test_a_topic_is_the_same_as_itself(wire: Wire, whole: str) -> None:
    done = wire.diff(whole, whole)

    assert done.returncode == 0, done.stderr + done.stdout
    assert f"the same: {3 * COUNT} and {3 * COUNT} frames of 3 cameras" in done.stdout


@pytest.mark.parametrize("partitions", [1, 4, 7])
def test_the_same_frames_are_the_same_in_any_order_and_as_often_as_they_come(
    wire: Wire, whole: str, partitions: int
) -> None:
    frames = sorted(all_frames(), key=lambda made: (made.camera, -made.sequence))
    twice = side(wire, [*frames, *frames[5:50], frames[0]], partitions=partitions, hash_="77ab")

    done = wire.diff(whole, twice, "--json")

    assert done.returncode == 0, done.stderr + done.stdout
    assert counts(done) == {"missing": 0, "extra": 0, "changed_pictures": 0, "changed_events": 0}
    found = json.loads(done.stdout)
    # Of frames and of events.
    assert (found["a"]["repeats"], found["b"]["repeats"]) == (0, 2 * 46)
    assert found["cameras"]["gate-1"]["frames"] == found["cameras"]["gate-1"]["events"] == [COUNT, COUNT]


def test_known_differences_are_counted_exactly(wire: Wire, whole: str, other: str) -> None:
    done = wire.diff(whole, other, "--json")

    assert done.returncode == 1, done.stderr
    assert counts(done) == {"missing": 3, "extra": 2, "changed_pictures": 3, "changed_events": 2}
    cameras = json.loads(done.stdout)["cameras"]
    assert [cameras["gate-1"][kind] for kind in KINDS] == [3, 0, 2, 0]
    assert [cameras["gate-2"][kind] for kind in KINDS] == [0, 0, 1, 2]
    assert [cameras["yard-1"][kind] for kind in KINDS] == [0, 2, 0, 0]
    assert cameras["yard-1"]["same_pixels"] == 1
    assert cameras["gate-2"]["no_psnr"] == 1
    assert cameras["gate-1"]["lowest_psnr"] < 20 < cameras["gate-1"]["mean_psnr"]


@pytest.mark.parametrize("partitions", [1, 7])
def test_so_they_are_in_topics_of_other_partitions(wire: Wire, whole: str, partitions: int) -> None:
    done = wire.diff(whole, side(wire, changed(all_frames()), partitions=partitions), "--json")

    assert counts(done) == {"missing": 3, "extra": 2, "changed_pictures": 3, "changed_events": 2}


def test_the_table_and_the_sentence(wire: Wire, whole: str, other: str) -> None:
    done = wire.diff(whole, other)

    assert done.returncode == 1
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line.split()}
    assert rows["gate-1"][1:6] == ["40", "37", "3", "0", "2"]
    assert rows["all"][1:6] == ["120", "119", "3", "2", "3"]
    assert "different: 120 and 119 frames of 3 cameras: 3 missing, 2 extra, 3 changed pictures, 2 with" in done.stdout


@pytest.mark.parametrize(
    ("options", "code", "expected"),
    [
        (["--psnr", "25"], 1, [3, 2, 2, 2]),
        (["--psnr", "0"], 1, [3, 2, 0, 2]),
        (["--ignore-events"], 1, [3, 2, 3, 0]),
        (["--camera", "yard-*", "--common"], 1, [0, 1, 0, 0]),
        (["--camera", "gate-2", "--psnr", "0", "--event-tolerance", "2"], 1, [0, 0, 0, 1]),
        (["--camera", "gate-2", "--psnr", "0", "--ignore-events"], 0, [0, 0, 0, 0]),
        (["--only-events"], 1, [0, 0, 0, 7]),
    ],
    ids=lambda given: " ".join(map(str, given)) if isinstance(given, list) else str(given),
)
def test_what_counts_as_the_same_can_be_said(
    wire: Wire, whole: str, other: str, options: list[str], code: int, expected: list[int]
) -> None:
    done = wire.diff(whole, other, "--json", *options)

    assert done.returncode == code, done.stderr + done.stdout
    assert list(counts(done).values()) == expected


def test_the_period_goes_by_the_time_of_capture(wire: Wire, whole: str, other: str) -> None:
    since, until = (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(T0_NS // 10**9 + at)) + "Z" for at in (4, 4 + 1))

    done = wire.diff(whole, other, "--json", "--since", since, "--until", until)

    # 20 to 24.
    assert counts(done) == {"missing": 0, "extra": 0, "changed_pictures": 2, "changed_events": 0}
    assert json.loads(done.stdout)["cameras"]["gate-1"]["frames"] == [5, 5]


def test_frames_that_are_dead_letters_are_told_as_such(wire: Wire, whole: str) -> None:
    lacking = [made for made in all_frames() if made.name not in (("gate-1", 3), ("gate-1", 4))]
    name = side(wire, lacking)
    create_topic(wire.bootstrap, f"{name}.dead-letter", partitions=1, config={"retention.ms": "-1"})
    wire.letter(f"{name}.dead-letter", next(made for made in all_frames() if made.name == ("gate-1", 3)))

    done = wire.diff(whole, name, "--json")

    assert counts(done) == {"missing": 2, "extra": 0, "changed_pictures": 0, "changed_events": 0}
    assert json.loads(done.stdout)["cameras"]["gate-1"]["dead_letters"] == {"a": {}, "b": {"operator_error": 1}}
    assert "2 (dead letters: operator_error 1)" in wire.diff(whole, name).stdout


def test_a_topic_of_several_pipelines_asks_which_is_meant(wire: Wire, whole: str) -> None:
    shared = side(wire, [each for made in all_frames() for each in (made, replace(made, pipeline="small"))])

    asking = wire.diff(whole, shared)
    done = wire.diff(whole, shared, "--pipeline-b", "night", "--json")

    assert asking.returncode == 2
    assert "holds what night and small have made: say which is meant with --pipeline-b" in asking.stderr
    assert done.returncode == 0, done.stderr + done.stdout
    assert json.loads(done.stdout)["b"]["others"] == 2 * 3 * COUNT


def test_what_is_no_frame_and_no_event_is_told(wire: Wire, whole: str) -> None:
    name = side(wire, all_frames())
    producer = Producer({"bootstrap.servers": wire.bootstrap})
    for where, value in ((name, b"no picture"), (f"{name}.events", b"{}"), (f"{name}.events", b'{"type": 1')):
        producer.produce(where, value, "gate-1")
    assert producer.flush(30) == 0

    done = wire.diff(whole, name, "--json")

    assert done.returncode == 0, done.stderr + done.stdout
    assert json.loads(done.stdout)["b"]["refused"] == {"bad_event": 2, "not_an_image": 1}


def test_nothing_to_compare_is_not_the_same(wire: Wire, whole: str) -> None:
    done = wire.diff(whole, whole, "--camera", "nobody")

    assert done.returncode == 1
    assert "nothing to compare" in done.stdout


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--psnr", "-3"], 2, "--psnr"),
        (["--only-events", "--ignore-events"], 2, "nothing is left to be compared"),
        (["--since", "yesterday"], 2, "time 'yesterday'"),
        (["--events-a", "no/topic"], 2, "no/topic"),
        (["--events-b", "missing-topic", "--wait", "0"], 1, "no topic missing-topic"),
    ],
)
def test_wrong_use_and_what_is_missing(wire: Wire, whole: str, options: list[str], code: int, told: str) -> None:
    done = wire.diff(whole, whole, *options)

    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_pictures_are_compared_in_bounded_memory_and_in_any_layout(wire: Wire, whole: str) -> None:
    coarse = side(
        wire, [replace(each, image=encode(scene(each.sequence), quality=60)) for each in all_frames()], partitions=7
    )
    kafka = KafkaSettings(bootstrap=wire.bootstrap)
    asked = Asked(sides=(Side(topic=whole), Side(topic=coarse)), events=False, worst=5)
    compared = compare(kafka, asked, threads=2, bar=progress_bar)
    held = [0]
    longest = 0
    a, b = PlaceReader(kafka, whole), PlaceReader(kafka, coarse)

    with a, b:
        budget = 5 * max(pair.a.size for pair in compared.index.pairs.values() if pair.a)
        for key, likeness in compare_pictures((a, b), compared.index.pairs, threads=2, budget_bytes=budget):
            held.append(key[2])
            longest = max(longest, abs(held[-1] - held[-2]))
            assert likeness.psnr is not None and 20 < likeness.psnr < 60

    # Each once, by the time of capture, chunk by chunk.
    assert len(held) - 1 == 3 * COUNT
    assert longest <= 5
    assert compared.outcome.count("pictures") == 3 * COUNT
    worst = [compared.likenesses[key].psnr or 0 for key in compared.worst]
    assert len(worst) == 5 and worst == sorted(worst)


def test_two_replays_of_the_same_are_the_same(wire: Wire, tmp_path: Path) -> None:
    raw = topic(wire.bootstrap, "raw")
    wire_frames = [replace(made, data=None) for made in all_frames()]
    producer = Producer({"bootstrap.servers": wire.bootstrap, "partitioner": "murmur2_random"})
    for made in wire_frames:
        frame = frame_of(made, "")
        producer.produce(
            raw, frame.data, made.camera, headers=to_headers(frame), timestamp=frame.captured_at_ns // 1_000_000
        )
    assert producer.flush(30) == 0
    pipelines = tmp_path / "pipelines.toml"
    outputs = []
    for blur in (3, 3, 9):
        pipelines.write_text(
            f'[[pipeline]]\nname = "night"\ninput = "{raw}"\n'
            f'operators = [{{ op = "motion", min_area = 0.001, history = 10 }}, {{ op = "blur", kernel = {blur} }}]\n'
        )
        outputs.append(unique("replay"))
        command = ["replay", "--pipelines", str(pipelines), "--output", outputs[-1], "--bootstrap", wire.bootstrap]
        done = run_cli(command, timeout_s=120)
        assert done.returncode == 0, done.stderr

    same, blurred = wire.diff(outputs[0], outputs[1], "--json"), wire.diff(outputs[0], outputs[2], "--json")

    assert same.returncode == 0, same.stderr + same.stdout
    assert json.loads(same.stdout)["cameras"]["gate-1"]["events"][0] > 0
    assert blurred.returncode == 1
    assert counts(blurred) == {"missing": 0, "extra": 0, "changed_pictures": 3 * COUNT, "changed_events": 0}
