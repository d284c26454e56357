import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frame_support import encoded_frame, flat, frame_of
from networks import CELL, LABELS, OBJECTNESS, SECOND, yolo

from streams.contract.event_types import DetectionsFound
from streams.contract.frame import Box, Frame
from streams.contract.images import Image
from streams.operators import networks as file_of_networks
from streams.operators.base import Opened
from streams.operators.checks import ParameterError
from streams.operators.crop import Crop
from streams.operators.detect import Detect
from streams.operators.resize import Resize
from streams.pipeline import Pipeline
from streams.pipeline_settings import OperatorSettings, PipelineSettings

# A picture of 288x192 fits into the network's input of 96x64 three times smaller: a cell is 24 of its pixels.
WIDTH, HEIGHT, SIDE = 288, 192, 3 * CELL
RED, GREEN = (0, 0, 255), (0, 255, 0)
LAYOUTS = ["v5", "v8", "end2end"]

Made = Callable[..., Detect]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    def make(kind: str = "v8", *, content: bytes | None = None, **parameters: Any) -> Detect:
        path = tmp_path / "model.onnx"
        path.write_bytes(yolo(kind) if content is None else content)
        return Detect(**{"model": str(path), "labels": LABELS} | parameters)

    return make


def scene(*squares: tuple[int, int, tuple[int, int, int]], width: int = WIDTH, height: int = HEIGHT) -> Image:
    """Gray, with squares of one cell; x, y: of their upper left corners, in pixels."""
    image = flat(width, height, (90, 90, 90))
    for x, y, color in squares:
        image[y : y + SIDE, x : x + SIDE] = color
    return image


def boxes(operator: Detect | Opened, frame: Frame, *, zone: str = "0") -> list[Box]:
    found = (operator.open() if isinstance(operator, Detect) else operator)(frame)
    assert found is not None
    for event in found.events:
        assert event.type == "detection" and isinstance(event.data, DetectionsFound)
    return [box for event in found.events if event.data.zone == zone for box in event.data.boxes]


def pixels(box: Box, width: int = WIDTH, height: int = HEIGHT) -> tuple[float, ...]:
    return tuple(round(value, 3) for value in (box.x * width, box.y * height, box.w * width, box.h * height))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("said", [True, False])
def test_finds_each_square_once_with_its_label(made: Made, layout: str, said: bool) -> None:
    detect = made(layout, layout=layout if said else "auto")

    found = boxes(detect, frame_of(scene((72, 24, RED), (144, 120, GREEN))))

    assert [(box.label, pixels(box)) for box in sorted(found, key=lambda box: box.x)] == [
        ("red", (72, 24, SIDE, SIDE)),
        ("green", (144, 120, SIDE, SIDE)),
    ]
    sure = OBJECTNESS if layout == "v5" else 1.0
    assert [box.score for box in found] == pytest.approx([sure, sure], abs=1e-3)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_in_a_picture_of_nothing_there_is_nothing(made: Made, layout: str) -> None:
    frame = frame_of(scene())

    assert made(layout).open()(frame) is frame


@pytest.mark.parametrize("layout", ["v5", "v8"])
def test_nms_leaves_out_what_overlaps(made: Made, layout: str) -> None:
    frame = frame_of(scene((72, 24, RED)))

    alone, both = boxes(made(layout), frame), boxes(made(layout, nms=1.0), frame)

    assert len(alone) == 1 and len(both) == 2
    assert both[1].score == pytest.approx(both[0].score * SECOND, abs=1e-3)
    assert both[1].w < both[0].w


@pytest.mark.parametrize(
    ("width", "height", "x", "y"),
    [
        # With space left and right: 192x192 becomes 64x64 at 16.
        (192, 192, 24, 48),
        # Above and below: 288x96 becomes 96x32 at 16.
        (288, 96, 240, 24),
    ],
)
def test_a_picture_of_another_shape_keeps_it(made: Made, width: int, height: int, x: int, y: int) -> None:
    (box,) = boxes(made(), frame_of(scene((x, y, RED), width=width, height=height)))

    assert pixels(box, width, height) == (x, y, SIDE, SIDE)


def test_a_small_picture_is_enlarged(made: Made) -> None:
    image = flat(48, 32, (90, 90, 90))
    image[8:16, 16:32] = RED

    found = boxes(made(), frame_of(image))

    # A cell of the network's input is 4x4 pixels.
    assert {pixels(box, 48, 32) for box in found} == {(x, y, 4, 4) for x in (16, 20, 24, 28) for y in (8, 12)}


def test_a_gray_picture_has_no_colour_to_be_found(made: Made) -> None:
    assert boxes(made(), frame_of(np.full((HEIGHT, WIDTH), 200, np.uint8))) == []


def test_boxes_are_fractions_of_the_raw_picture(made: Made) -> None:
    raw = scene((WIDTH + 72, HEIGHT // 2 + 24, RED), width=2 * WIDTH, height=2 * HEIGHT)
    crop, resize = Crop(x=0.5, y=0.25, w=0.5, h=0.5).open(), Resize(width=96, height=64).open()
    part = crop(frame_of(raw))
    assert part is not None
    small = resize(part)
    assert small is not None and (small.width, small.height) == (96, 64)

    (box,) = boxes(made(), small)

    assert pixels(box, 2 * WIDTH, 2 * HEIGHT) == (WIDTH + 72, HEIGHT // 2 + 24, SIDE, SIDE)


def test_only_these_classes_count(made: Made) -> None:
    frame = frame_of(scene((72, 24, RED), (144, 120, GREEN)))

    assert [box.label for box in boxes(made(classes=("green",)), frame)] == ["green"]


def test_only_what_is_sure_enough_counts(made: Made) -> None:
    image = scene()
    image[24 : 24 + SIDE, 72 : 72 + SIDE // 2] = RED

    (box,) = boxes(made(score=0.2), frame_of(image))

    assert 0.2 < box.score < 0.5
    assert boxes(made(score=0.5), frame_of(image)) == []


def test_an_event_for_each_zone_in_which_there_is_something(made: Made) -> None:
    left = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    right = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))
    detect = made(zones=(left, right, left))

    found = detect.open()(frame_of(scene((72, 24, RED))))

    assert found is not None
    assert [event.data.zone for event in found.events] == ["0", "2"]
    assert boxes(detect, frame_of(scene((240, 24, GREEN))), zone="1")[0].label == "green"


def test_labels_from_a_file(made: Made, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("rød\n\n grün \n")

    detect = made(labels=str(tmp_path / "labels.txt"), classes=("grün",))

    assert detect.names == ("rød", "grün")
    assert [box.label for box in boxes(detect, frame_of(scene((72, 24, RED), (144, 120, GREEN))))] == ["grün"]


def test_a_network_that_takes_any_size_is_given_the_one_that_is_said(made: Made) -> None:
    content = yolo("v8", open_size=True)

    assert made(content=content, size=(96, 64)).network.size == (96, 64)
    # This one has as many boxes as 96x64 has cells.
    with pytest.raises(ParameterError, match=r"model = .*: expected a network that OpenCV can run at 640x640 "):
        made(content=content)


def test_of_a_large_jpeg_no_more_is_decoded_than_the_network_sees(made: Made) -> None:
    detect = made()
    pipeline = Pipeline(
        PipelineSettings(
            name="x", output="", operators=(OperatorSettings("detect", {"model": detect.model, "labels": LABELS}),)
        )
    )

    assert detect.reads_at(1920, 1080) == (96, 54)
    assert pipeline.plan.scale(1920, 1080) == 8
    outcome = pipeline.open()(encoded_frame(np.kron(scene((72, 24, RED)), np.ones((4, 4, 1), np.uint8))))
    (event,) = outcome.events
    (box,) = event.event.data.boxes
    assert pixels(box, 4 * WIDTH, 4 * HEIGHT) == (4 * 72, 4 * 24, 4 * SIDE, 4 * SIDE)


def test_threads_have_networks_of_their_own(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    nets: list[object] = []
    read = file_of_networks.ModelFile.net
    monkeypatch.setattr(file_of_networks.ModelFile, "net", lambda file: nets.append(file) or read(file))
    spots = [(SIDE * (n % 12), SIDE * (n % 8), RED if n % 3 else GREEN) for n in range(24)]
    frames = [frame_of(scene(spot)) for spot in spots]
    detect = made()
    opened = detect.open()
    nets.clear()
    together = threading.Barrier(4)

    def look(frame: Frame) -> list[Box]:
        return boxes(opened, frame)

    with ThreadPoolExecutor(4, initializer=together.wait) as pool:
        found = list(pool.map(look, frames * 4))

    for (x, y, color), (box,) in zip(spots * 4, found, strict=True):
        assert (box.label, pixels(box)) == ("red" if color == RED else "green", (x, y, SIDE, SIDE))
    assert len(nets) <= 3


def test_another_content_of_a_file_is_another_hash(made: Made, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("red\ngreen\n")
    detect = made(labels=str(labels))
    settings = PipelineSettings(
        name="x", operators=(OperatorSettings("detect", {"model": detect.model, "labels": str(labels)}),)
    )
    pipeline = Pipeline(settings)
    hashes = [pipeline.label]

    Path(detect.model).write_bytes(yolo("v5"))
    hashes.append(settings.label)
    labels.write_text("rouge\nvert\n")
    hashes.append(settings.label)

    assert len(set(hashes)) == 3
    # What is opened, or asked for its size, is what was read when the settings were.
    assert (detect.network.layout, [box.label for box in boxes(detect, frame_of(scene((72, 24, RED))))]) == (
        "v8",
        ["red"],
    )
    assert not Pipeline(replace(settings, quality=90)).has_operators_of(pipeline)
    Path(detect.model).write_bytes(yolo("v8"))
    labels.write_text("red\ngreen\n")
    assert settings.label == hashes[0]
    assert Pipeline(replace(settings, quality=90)).has_operators_of(pipeline)


@pytest.mark.parametrize(
    ("layout", "parameters", "message"),
    [
        (
            "v8",
            {"model": "/nowhere/x.onnx"},
            r'detect: model = "/nowhere/x.onnx": expected a file that can be read \(No',
        ),
        ("v8", {"model": "/"}, r'model = "/": expected a file that can be read \(Is a directory'),
        (
            "v8",
            {"content": b"no network"},
            "model = .*: expected an ONNX network that OpenCV can read .Failed to parse",
        ),
        ("v8", {"content": b""}, "model = .*: expected an ONNX network that OpenCV can read "),
        (
            "v8",
            {"labels": ("a", "b", "c")},
            r'labels = \["a", "b", "c"\]: expected a name for each .*, and it is 1 x 6 x 192',
        ),
        ("v8", {"labels": ()}, "labels = .*: expected at least one name"),
        ("v8", {"labels": "/nowhere.txt"}, 'labels = "/nowhere.txt": expected a file that can be read'),
        (
            "v8",
            {"layout": "v5"},
            r'layout = "v5": expected that of the network: .* 1 x N x 7 \(v5\), .* is 1 x 6 x 192',
        ),
        (
            "end2end",
            {"labels": ("red",)},
            'layout = "auto": expected "v5" or "end2end", for the output, 1 x 96 x 6, can',
        ),
        ("v8", {"classes": ("blue",)}, 'classes = .*: expected names that are among the labels, and "blue" is not'),
        ("v8", {"size": 640}, "size = 640: expected 96x64, the only one that the network takes, or none"),
        ("v8", {"size": 0}, "size = 0: expected 1 to 16384 pixels"),
        ("v8", {"score": 0.0}, "score = 0.0: expected a number above 0, up to 1"),
        ("v8", {"nms": 1.5}, "nms = 1.5: expected a number above 0, up to 1"),
        ("v8", {"zones": (((0, 0), (1, 1)),)}, "zones = "),
    ],
)
def test_refuses(made: Made, layout: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        made(layout, **parameters)


def test_a_class_without_a_label_fails_the_frame(made: Made) -> None:
    detect = made("end2end", labels=("red",), layout="end2end")

    assert boxes(detect, frame_of(scene((72, 24, RED))))
    with pytest.raises(ValueError, match="the network has found class 1, and there are 1 labels"):
        boxes(detect, frame_of(scene((72, 24, GREEN))))
