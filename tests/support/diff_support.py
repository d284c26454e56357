"""Two topics that differ in what is known: for the tests of `framelane diff`."""

import json
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import msgspec
import numpy as np
from confluent_kafka import Producer
from kafka_support import create_topic, run_cli, unique

from streams.contract.dead_letters import dead_letter
from streams.contract.errors import FrameError
from streams.contract.events import encode_event
from streams.contract.frame import Event, Frame
from streams.contract.headers import Record, to_headers
from streams.contract.images import Image, encode

CAMERAS = ("gate-1", "gate-2", "yard-1")
COUNT = 40
T0_NS = (time.time_ns() // 10**9 - 3600) * 10**9
STEP_NS = 200_000_000


@dataclass(frozen=True)
class Made:
    """What a pipeline has published of one frame. data: of its event; None: there is none."""

    camera: str
    sequence: int
    image: bytes
    data: object = None
    epoch: str = "e1"
    pipeline: str = "night"

    @property
    def name(self) -> tuple[str, int]:
        return self.camera, self.sequence


def scene(sequence: int, *, width: int = 320, height: int = 180) -> Image:
    """A smooth picture with a bright square that moves."""
    coarse = np.random.default_rng(5).integers(40, 160, (6, 8, 3), np.uint8)
    image: Image = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    cv2.rectangle(image, (4 * sequence, 60), (4 * sequence + 40, 100), (240, 240, 240), cv2.FILLED)
    return image


def box_at(sequence: int) -> dict[str, object]:
    box = {
        "x": 4 * sequence / 320,
        "y": 60 / 180,
        "w": 41 / 320,
        "h": 41 / 180,
        "label": "",
        "score": 0.0,
        "track": None,
    }
    return {"zone": "0", "boxes": [box], "area": 0.03}


def all_frames() -> list[Made]:
    pictures = [encode(scene(n)) for n in range(COUNT)]
    return [Made(camera, n, pictures[n], box_at(n)) for n in range(COUNT) for camera in CAMERAS]


@dataclass(frozen=True)
class Wire:
    """Publishes as a worker does."""

    bootstrap: str

    def send(self, topic: str, frames: Iterable[Made], *, events: str | None = None, hash_: str = "1f3a") -> str:
        producer = Producer({"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random", "linger.ms": 5})
        for made in frames:
            frame = frame_of(made, f"{made.pipeline}@{hash_}")
            at_ms = frame.captured_at_ns // 1_000_000
            producer.produce(topic, frame.data, frame.camera_id, headers=to_headers(frame), timestamp=at_ms)
            if events is not None and made.data is not None:
                event = Event(type="motion", data=made.data)
                value, headers = encode_event(event, frame, pipeline=frame.pipeline, operator_index=0, number=0)
                producer.produce(events, value, frame.camera_id, headers=headers, timestamp=at_ms)
            producer.poll(0)
        assert producer.flush(30) == 0
        return topic

    def letter(self, topic: str, made: Made) -> None:
        frame = frame_of(made, "")
        record = Record("frames.raw", 0, made.sequence, 0, made.camera.encode(), frame.data, to_headers(frame))
        error = FrameError("it is broken", reason="operator_error", stage="0:blur")
        made_of_it = dead_letter(record, error, pipeline="night@1f3a", failed_ns=5)
        producer = Producer({"bootstrap.servers": self.bootstrap})
        producer.produce(topic, made_of_it.value, made_of_it.key, headers=made_of_it.headers)
        assert producer.flush(30) == 0

    def diff(self, a: str, b: str, *more: str) -> "subprocess.CompletedProcess[str]":
        return run_cli(["diff", a, b, "--bootstrap", self.bootstrap, *more], timeout_s=120)


def frame_of(made: Made, pipeline: str) -> Frame:
    return Frame(
        camera_id=made.camera,
        epoch=made.epoch,
        sequence=made.sequence,
        captured_at_ns=T0_NS + made.sequence * STEP_NS,
        width=320,
        height=180,
        data=made.image,
        source=f"/pipelines/{made.pipeline}" if pipeline else "",
        pipeline=pipeline,
        input=f"frames.raw/0/{made.sequence}" if pipeline else "",
    )


def changed(frames: Iterable[Made]) -> list[Made]:
    """The same frames but for what `test_known_differences_are_counted_exactly` says."""
    found = []
    for made in frames:
        match made.name:
            case ("gate-1", 10 | 11 | 12):
                continue
            case ("gate-1", 20):
                # Half of it is gone.
                image = scene(20)
                image[:, 160:] = 0
                found.append(replace(made, image=encode(image)))
            case ("gate-1", 21):
                found.append(replace(made, image=encode(scene(21), quality=70)))
            case ("gate-2", 5):
                found.append(replace(made, data=box_at(30)))
            case ("gate-2", 6):
                found.append(replace(made, data=None))
            case ("gate-2", 7):
                found.append(replace(made, image=encode(scene(7, width=160, height=90))))
            case ("yard-1", 8):
                # The same pixels, and numbers that differ by a rounding.
                data = msgspec.json.decode(msgspec.json.encode(made.data))
                data["area"] += 1e-9
                found.append(replace(made, image=made.image + b"\0", data=data))
            case _:
                found.append(made)
    return [*found, replace(found[-1], sequence=COUNT), replace(found[-1], epoch="e2", sequence=3)]


def topic(bootstrap: str, hint: str, *, partitions: int = 4) -> str:
    name = unique(hint)
    create_topic(bootstrap, name, partitions=partitions, config={"retention.ms": "-1"})
    return name


def side(wire: Wire, frames: Iterable[Made], *, partitions: int = 4, hash_: str = "1f3a") -> str:
    """Topics as those of a replay, with these frames and their events; the name of the first."""
    name = topic(wire.bootstrap, "side", partitions=partitions)
    create_topic(wire.bootstrap, f"{name}.events", partitions=2, config={"retention.ms": "-1"})
    return wire.send(name, frames, events=f"{name}.events", hash_=hash_)


KINDS = ("missing", "extra", "changed_pictures", "changed_events")


def counts(done: "subprocess.CompletedProcess[str]") -> dict[str, int]:
    found = json.loads(done.stdout)
    return {kind: found[kind] for kind in KINDS}
