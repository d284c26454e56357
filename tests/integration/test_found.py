"""What `detect`, `faces`, `codes` and `health` find comes to `frames.events` as its types say, from a real worker."""

import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
from confluent_kafka import Producer
from kafka_support import drain
from networks import LABELS, yolo, yunet
from worker_support import Fleet, make_topics

from streams.contract.event_types import EVENT_DATA
from streams.contract.events import decode_event
from streams.contract.frame import Box
from streams.contract.images import Image, encode

WIDTH, HEIGHT, FRAMES = 288, 192, 6
RED_AT, RED_SIDE, CODE_AT = (48, 48), 48, (170, 60)


def scene(number: int) -> Image:
    """Gray, with a red square, which is what the networks know, and a QR code that says the number."""
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    (x, y), side = RED_AT, RED_SIDE
    image[y : y + side, x : x + side] = (0, 0, 255)
    code = np.kron(cv2.QRCodeEncoder.create().encode(f"frame {number}"), np.ones((4, 4), np.uint8))
    (x, y), side = CODE_AT, code.shape[0]
    image[y : y + side, x : x + side] = code[:, :, None]
    return image


def within(box: Box, x: int, y: int, side: int, *, slack: int) -> bool:
    """Whether the box lies in the square, in pixels, and no further beyond it than slack."""
    left, top, right, bottom = box.x * WIDTH, box.y * HEIGHT, (box.x + box.w) * WIDTH, (box.y + box.h) * HEIGHT
    return x - slack <= left and y - slack <= top and right <= x + side + slack and bottom <= y + side + slack


def test_what_is_found_is_published_with_its_type_and_can_be_hidden(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topics = make_topics(make_topic)
    for name, content in (("yolo", yolo("v8")), ("yunet", yunet(side=640))):
        (tmp_path / f"{name}.onnx").write_bytes(content)
    (tmp_path / "labels.txt").write_text("\n".join(LABELS))
    file = tmp_path / "pipelines.toml"
    file.write_text(f"""
[[pipeline]]
name = "finds"
group = "{topics.raw}-group"
input = "{topics.raw}"
output = "{topics.processed}"
events = "{topics.events}"
dead_letter = "{topics.dead_letter}"
operators = [
  {{ op = "detect", model = "{tmp_path}/yolo.onnx", labels = "{tmp_path}/labels.txt" }},
  {{ op = "faces", model = "{tmp_path}/yunet.onnx" }},
  {{ op = "codes" }},
  {{ op = "pixelate", kind = "events" }},
]
""")
    producer = Producer({"bootstrap.servers": kafka_bootstrap})
    for number in range(FRAMES):
        for camera in ("a", "b"):
            producer.produce(topics.raw, encode(scene(number), "image/jpeg", quality=95), camera)
    producer.flush(30)

    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start_file(file, "--threads", "2")
        outputs = drain(kafka_bootstrap, topics.processed, count=2 * FRAMES, timeout_s=60)
        assert worker.stop() == 0, worker.log.read_text()

    assert drain(kafka_bootstrap, topics.dead_letter) == []
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for message in drain(kafka_bootstrap, topics.events):
        record = decode_event(message.value() or b"")
        found[record.camera_id, record.type].append(msgspec.json.decode(record.data, type=EVENT_DATA[record.type]))
    assert set(found) == {(camera, kind) for camera in "ab" for kind in ("detection", "face", "code")}
    for camera in "ab":
        detections, faces, codes = (found[camera, kind] for kind in ("detection", "face", "code"))
        assert [len(each.boxes) for each in detections] == [4] * FRAMES
        assert {box.label for each in detections for box in each.boxes} == {"red"}
        assert all(within(box, *RED_AT, RED_SIDE, slack=1) for each in detections for box in each.boxes)
        assert len(faces) == FRAMES and all(each.boxes for each in faces)
        # A face is as large as two of the cells in which it is seen.
        assert all(within(face, *RED_AT, RED_SIDE, slack=9) for each in faces for face in each.boxes)
        assert [each.text for each in codes] == [f"frame {number}" for number in range(FRAMES)]
    for message in outputs:
        image = cv2.imdecode(np.frombuffer(message.value() or b"", np.uint8), cv2.IMREAD_COLOR)
        assert image.shape == (HEIGHT, WIDTH, 3)
        # Nobody reads the code any more.
        assert not any(cv2.QRCodeDetectorAruco().detectAndDecodeMulti(image)[1])


def test_a_camera_in_trouble_is_told_of_and_what_shows_no_change_is_dropped(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topics = make_topics(make_topic)
    light, dark = scene(0), np.full((HEIGHT, WIDTH, 3), 2, np.uint8)
    moved = light.copy()
    moved[120:180, 20:80] = 255
    # Two a second: light for a while, then dark, then light again with something new in it.
    pictures = [light] * 20 + [dark] * 20 + [moved] * 20
    producer = Producer({"bootstrap.servers": kafka_bootstrap})
    start_ms = time.time_ns() // 1_000_000
    for number, picture in enumerate(pictures):
        data = encode(picture, "image/jpeg", quality=90)
        producer.produce(topics.raw, data, "a", timestamp=start_ms + 500 * number)
    producer.flush(30)

    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start(
            "--op", "health", "--op", "dedupe:keep_every_s=1000", "--op", "timestamp", "--threads", "2"
        )
        drain(kafka_bootstrap, topics.processed, count=3, timeout_s=60)
        drain(kafka_bootstrap, topics.events, count=2, timeout_s=60)
        assert worker.stop() == 0, worker.log.read_text()

    events = [decode_event(message.value() or b"") for message in drain(kafka_bootstrap, topics.events)]
    told = [(event.sequence, msgspec.json.decode(event.data, type=EVENT_DATA[event.type])) for event in events]
    dark_told = [(at, each.state) for at, each in told if each.problem == "dark"]
    assert [state for _, state in dark_told] == ["begun", "ended"]
    # While it is dark, and once it is light again.
    assert 20 <= dark_told[0][0] < 40 <= dark_told[1][0]
    outputs = [
        cv2.imdecode(np.frombuffer(message.value() or b"", np.uint8), 1)
        for message in drain(kafka_bootstrap, topics.processed)
    ]
    assert [round(float(np.median(image))) for image in outputs] == [90, 2, 90]
    assert drain(kafka_bootstrap, topics.dead_letter) == []
