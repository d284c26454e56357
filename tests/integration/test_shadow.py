"""New settings beside those that are live, on a real Kafka: what is compared, and what is told of it."""

import json
import re
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest
from confluent_kafka import Message, Producer
from kafka_support import drain, run_cli, unique
from shadow_support import process_of, put, runs, wait_for_both, wait_for_end, wait_for_shadow
from worker_support import JPEG, Fleet, Topics, cameras_on_each_partition, findings, identity, make_topics, send

from streams.contract.headers import Record, to_frame
from streams.contract.images import decode
from streams.pipeline import Pipeline
from streams.pipeline_settings import load_pipelines

MakeTopic = Callable[..., str]
CAMERAS = ["good", "bad"]


@pytest.fixture(autouse=True)
def reports(kafka_bootstrap: str) -> None:
    """Other tests may have made the topic that all report on."""
    assert run_cli(["topics", "create", "frames.status", "--bootstrap", kafka_bootstrap]).returncode == 0


@pytest.fixture
def topics(make_topic: MakeTopic) -> Topics:
    return make_topics(make_topic, partitions=2)


@pytest.fixture
def fleet(kafka_bootstrap: str, topics: Topics, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(kafka_bootstrap, tmp_path, topics, status=True) as fleet:
        yield fleet


def label_of(message: Message) -> str:
    return str(dict(message.headers() or [])["ce_pipeline"], "utf-8")  # type: ignore[arg-type]


def made_by(pipeline: Pipeline) -> bytes:
    """The picture that the pipeline makes of each frame, for all show the same."""
    outcome = pipeline.open()(to_frame(Record("raw", 0, 0, 0, b"good", JPEG, ())))
    assert outcome.frame is not None
    return outcome.frame.data


def test_a_shadow_tells_what_differs_and_what_is_live_is_as_without_it(
    fleet: Fleet, topics: Topics, tmp_path: Path
) -> None:
    bootstrap, name = fleet.bootstrap, unique("gate")
    path = put(tmp_path / "live.toml", name, topics, '{ op = "shadow_operators:Mark", every = 2 }', '{ op = "flip" }')
    without_bad = '{ op = "trial_operators:Misbehave", camera = "bad", how = "nothing" }'
    new = put(
        tmp_path / "new.toml",
        name,
        topics,
        '{ op = "shadow_operators:Mark", every = 4 }',
        '{ op = "flip" }',
        without_bad,
        quality=20,
    )
    (live,), (candidate,) = load_pipelines(path), load_pipelines(new)
    # A shadow begins with the newest frames.
    send(bootstrap, topics.raw, CAMERAS, 10)
    worker = fleet.start_file(path, "--shadow", str(new))
    wait_for_both(worker, name)
    send(bootstrap, topics.raw, CAMERAS, 40, first=10)
    figures = wait_for_shadow(bootstrap, name, lambda found: found["frames"] >= 80)
    addresses = re.findall(r"metrics and probes on (http://[^\s/]+)/metrics", worker.log.read_text())
    pages = [urllib.request.urlopen(f"{each}/metrics", timeout=10).read().decode() for each in addresses]
    outputs = drain(bootstrap, topics.processed, count=100, timeout_s=60)
    fleet.group = live.group
    ends = {m.partition() or 0: (m.offset() or 0) + 1 for m in drain(bootstrap, topics.raw)}
    fleet.wait_for_commit(ends)
    beside = process_of(worker, "shadow")
    assert worker.stop() == 0, worker.log.read_text()

    # Of 10 to 49 those that 2 divides and 4 does not, of both cameras; and all of the camera that is filtered out.
    assert (figures["frames"], figures["changed_frames"], figures["changed_events"]) == (80, 20, 20)
    assert (figures["only_live"], figures["only_shadow"], figures["resized"]) == (40, 0, 0)
    assert figures["changed_events_per_minute"] == pytest.approx(20 * 60 / figures["seconds"], rel=0.1)
    # Of the one camera, once a second at most; all show the same, so each pair is as much alike.
    assert 1 <= figures["pictures"] < 40
    assert figures["psnr_lowest_db"] == pytest.approx(figures["psnr_mean_db"], abs=0.01)
    one, other = (decode(made_by(Pipeline(settings))) for settings in (live, candidate))
    assert figures["psnr_mean_db"] == pytest.approx(cv2.PSNR(one, other), abs=0.01)
    assert (figures["live"], figures["shadow"]) == (live.label, f"{name}-shadow@{candidate.hash}")
    assert (figures["state"], figures["processes"]) == ("running", 1)

    # The side topics have its outputs, signed by it, with the hash that they will have.
    side = drain(bootstrap, f"frames.shadow.{name}")
    assert [identity(m) for m in side] == [("good", "e1", number) for number in range(10, 50)]
    assert {label_of(m) for m in side} == {f"{name}-shadow@{candidate.hash}"}
    assert {dict(m.headers() or [])["ce_source"] for m in side} == {f"/pipelines/{name}-shadow".encode()}
    assert {m.value() for m in side} == {made_by(Pipeline(candidate))}
    events = [json.loads(m.value() or b"") for m in drain(bootstrap, f"frames.shadow.{name}.events")]
    assert sorted((e["camera_id"], e["sequence"]) for e in events) == sorted(
        (camera, number) for camera in CAMERAS for number in range(12, 50, 4)
    )
    assert drain(bootstrap, f"frames.shadow.{name}.dead-letter") == []

    # What is live has every frame once, in order, byte for byte as without a shadow.
    found = findings(outputs, CAMERAS, 50)
    assert (found.lost, found.repeated, found.out_of_order) == (0, 0, 0)
    assert {label_of(m) for m in outputs} == {live.label}
    assert {m.value() for m in outputs} == {made_by(Pipeline(live))}
    assert len(drain(bootstrap, topics.processed)) == 100
    assert len(drain(bootstrap, topics.events)) == 2 * 25
    assert drain(bootstrap, topics.dead_letter) == []

    assert len(pages) == 2
    (own,) = [page for page in pages if "framelane_shadow_" in page]
    assert re.search(rf'^framelane_shadow_frames_total\{{pipeline="{name}"\}} 80\.0$', own, re.M), own
    assert "framelane_frames_total" not in own
    assert not runs(beside)


def test_each_time_it_begins_with_the_newest_frames_and_skips_what_is_old(
    fleet: Fleet, topics: Topics, tmp_path: Path
) -> None:
    bootstrap, name = fleet.bootstrap, unique("gate")
    path = put(tmp_path / "live.toml", name, topics, '{ op = "flip" }')
    worker = fleet.start_file(path, "--shadow", str(path))
    wait_for_both(worker, name)
    send(bootstrap, topics.raw, ["a"], 10)
    drain(bootstrap, f"frames.shadow.{name}", count=10, timeout_s=60)
    assert worker.stop() == 0, worker.log.read_text()
    # Of these nobody but the pipeline hears.
    send(bootstrap, topics.raw, ["a"], 10, first=10)

    worker = fleet.start_file(path, "--shadow", str(path))
    wait_for_both(worker, name)
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(topics.raw, key="a", value=JPEG, timestamp=int(1000 * (time.time() - 11)))
    assert producer.flush(30) == 0
    send(bootstrap, topics.raw, ["a"], 10, first=20)
    figures = wait_for_shadow(bootstrap, name, lambda found: found["frames"] >= 10)
    side = drain(bootstrap, f"frames.shadow.{name}")
    live = drain(bootstrap, topics.processed, count=31, timeout_s=60)
    assert worker.stop() == 0, worker.log.read_text()

    assert [identity(m)[2] for m in side] == [*range(10), *range(20, 30)]
    assert (figures["frames"], figures["skipped"]) == (10, 1)
    assert len(live) == 31


def test_workers_share_a_shadow_as_they_share_the_pipeline(fleet: Fleet, topics: Topics, tmp_path: Path) -> None:
    bootstrap, name = fleet.bootstrap, unique("gate")
    path = put(tmp_path / "live.toml", name, topics, '{ op = "flip" }')
    cameras = cameras_on_each_partition(bootstrap, topics.raw, 2)
    workers = [fleet.start_file(path, "--shadow", str(path))]
    wait_for_both(workers[0], name)
    fleet.group = f"framelane-shadow.{name}"
    fleet.wait_for_members(1)
    workers.append(fleet.start_file(path, "--shadow", str(path)))
    wait_for_both(workers[1], name)
    for fleet.group in (f"framelane.{name}", f"framelane-shadow.{name}"):
        fleet.wait_for_members(2)

    send(bootstrap, topics.raw, cameras, 20, first=1)
    figures = wait_for_shadow(bootstrap, name, lambda found: found["frames"] >= 40)
    side = drain(bootstrap, f"frames.shadow.{name}")
    assert [worker.stop() for worker in workers] == [0, 0]

    # The second may not move those that the first is at.
    assert f"group framelane-shadow.{name} goes on where it is" in workers[1].log.read_text()
    assert "goes on where it is" not in workers[0].log.read_text()
    assert (figures["frames"], figures["processes"], figures["only_live"]) == (40, 2, 0)
    assert sorted(identity(m) for m in side) == sorted((camera, "e1", n) for camera in cameras for n in range(1, 21))


def test_the_shadow_of_a_quick_pipeline_is_read_again_on_sighup(fleet: Fleet, topics: Topics, tmp_path: Path) -> None:
    bootstrap, name = fleet.bootstrap, fleet.group
    new = put(tmp_path / "new.toml", name, topics, '{ op = "flip" }')
    worker = fleet.start("--op", "flip", "--shadow", str(new))
    wait_for_both(worker, name)
    wait_for_shadow(bootstrap, name, lambda found: found["live"].partition("@")[2] == found["shadow"].partition("@")[2])
    live, beside = process_of(worker, "live"), process_of(worker, "shadow")

    put(new, name, topics, '{ op = "flip" }', '{ op = "grayscale" }')
    worker.process.send_signal(signal.SIGHUP)
    worker.wait_for_log(f"the shadow of pipeline {name} is stopped")
    (candidate,) = load_pipelines(new)
    figures = wait_for_shadow(bootstrap, name, lambda found: found["shadow"].endswith(candidate.hash))
    worker.wait_for_log(f"worker of pipeline {name}-shadow@{candidate.hash}")
    put(new, "another", topics)
    worker.process.send_signal(signal.SIGHUP)
    worker.wait_for_log("the shadows go on as they were")

    assert figures["processes"] == 1
    assert "is no pipeline that runs here" in worker.log.read_text()
    assert (runs(live), runs(beside), runs(process_of(worker, "shadow"))) == (True, False, True)
    assert worker.stop() == 0, worker.log.read_text()


def test_both_files_are_watched_where_that_is_asked_for(fleet: Fleet, topics: Topics, tmp_path: Path) -> None:
    name = unique("gate")
    path = put(tmp_path / "live.toml", name, topics, '{ op = "flip" }')
    new = put(tmp_path / "new.toml", name, topics, '{ op = "flip" }')
    worker = fleet.start_file(path, "--shadow", str(new), "--watch")
    wait_for_both(worker, name)

    put(new, name, topics, '{ op = "flip" }', quality=30)
    worker.wait_for_log(f"worker of pipeline {name}-shadow@{load_pipelines(new)[0].hash}")
    first = process_of(worker, "shadow")
    put(path, name, topics, '{ op = "flip" }', quality=90)
    (live,) = load_pipelines(path)
    # The one takes it up as it runs, the other is started anew, to compare with that.
    worker.wait_for_log(f"goes on as {live.label}")
    wait_for_shadow(fleet.bootstrap, name, lambda found: found["live"] == live.label)

    wait_for_end(first, timeout_s=60)
    assert worker.stop() == 0, worker.log.read_text()


def test_a_shadow_of_nothing_is_refused_before_anything_starts(tmp_path: Path, topics: Topics) -> None:
    path, new = (put(tmp_path / f"{name}.toml", name, topics) for name in ("gate", "yard"))

    done = run_cli(["work", "--pipelines", str(path), "--shadow", str(new), "--bootstrap", "127.0.0.1:1"])

    assert done.returncode == 2
    assert f'{new}:2: pipeline[0].name = "yard": is no pipeline that runs here: expected "gate"' in done.stderr
