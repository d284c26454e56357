from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frame_support import flat, frame_of
from networks import yolo, yunet

from streams.contract.event_types import Face, FacesFound
from streams.contract.frame import Frame
from streams.contract.images import Image
from streams.operators.base import Opened
from streams.operators.checks import ParameterError
from streams.operators.crop import Crop
from streams.operators.faces import Faces
from streams.operators.pixelate import Pixelate
from streams.pipeline_settings import OperatorSettings, PipelineSettings

WIDTH, HEIGHT, CELL = 160, 96, 16

Made = Callable[..., Faces]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    def make(*, content: bytes | None = None, **parameters: Any) -> Faces:
        path = tmp_path / "yunet.onnx"
        # The file of 2023 names 640x640 as its only size.
        path.write_bytes(yunet(side=640) if content is None else content)
        return Faces(**{"model": str(path)} | parameters)

    return make


def scene(*places: tuple[int, int], width: int = WIDTH, height: int = HEIGHT, scale: int = 1) -> Image:
    """Black, with red cells, which are what the network takes for faces; x, y: of their upper left corners."""
    image = flat(width, height, (0, 0, 0))
    for x, y in places:
        image[y : y + scale * CELL, x : x + scale * CELL] = (0, 0, 255)
    return image


def faces(operator: Faces | Opened, frame: Frame) -> list[Face]:
    found = (operator.open() if isinstance(operator, Faces) else operator)(frame)
    assert found is not None
    for event in found.events:
        assert event.type == "face" and isinstance(event.data, FacesFound)
    return [face for event in found.events for face in event.data.boxes]


def pixels(face: Face, width: int = WIDTH, height: int = HEIGHT) -> list[tuple[float, float]]:
    """The box's upper left corner, its size, and the five points."""
    pairs = [(face.x, face.y), (face.w, face.h), *face.landmarks]
    return [(round(x * width, 2), round(y * height, 2)) for x, y in pairs]


def expected(x: int, y: int, scale: int = 1) -> list[tuple[float, float]]:
    """What the network says of a red cell there."""
    points = [(0.25, 0.25), (0.75, 0.25), (0.5, 0.5), (0.25, 0.75), (0.75, 0.75)]
    half, side = scale * CELL / 2, scale * CELL
    return [
        (x - half, y - half),
        (2 * side, 2 * side),
        *((x + side * across, y + side * down) for across, down in points),
    ]


@pytest.mark.parametrize("content", [yunet(), yunet(side=640)], ids=["any size", "640x640"])
def test_finds_a_face_with_its_landmarks(made: Made, content: bytes) -> None:
    (face,) = faces(made(content=content), frame_of(scene((64, 32))))

    assert pixels(face) == expected(64, 32)
    assert face.score == pytest.approx(1.0)


def test_in_a_picture_of_nothing_there_is_nothing(made: Made) -> None:
    frame = frame_of(scene())

    assert made().open()(frame) is frame


def test_the_surest_comes_first_in_one_event(made: Made) -> None:
    image = scene((112, 48))
    image[16:32, 16:32] = (0, 0, 220)

    result = made().open()(frame_of(image))

    assert result is not None and len(result.events) == 1
    first, second = result.events[0].data.boxes
    assert pixels(first) == expected(112, 48) and first.score > second.score > 0.8


def test_a_large_picture_is_looked_at_smaller(made: Made) -> None:
    operator = made(size=160)

    (face,) = faces(operator, frame_of(scene((4 * 64, 4 * 32), width=4 * WIDTH, height=4 * HEIGHT, scale=4)))

    assert operator.reads_at(4 * WIDTH, 4 * HEIGHT) == (WIDTH, HEIGHT)
    assert operator.reads_at(100, 50) == (100, 50)
    assert pixels(face, 4 * WIDTH, 4 * HEIGHT) == expected(4 * 64, 4 * 32, scale=4)


def test_boxes_and_landmarks_are_fractions_of_the_raw_picture(made: Made) -> None:
    crop = Crop(x=0.5, y=0.5, w=0.5, h=0.5).open()
    part = crop(frame_of(scene((WIDTH + 64, HEIGHT + 32), width=2 * WIDTH, height=2 * HEIGHT)))
    assert part is not None

    (face,) = faces(made(), part)

    assert pixels(face, 2 * WIDTH, 2 * HEIGHT) == expected(WIDTH + 64, HEIGHT + 32)


def test_a_face_at_the_edge_does_not_reach_beyond_it(made: Made) -> None:
    (face,) = faces(made(), frame_of(scene((0, 0))))

    assert pixels(face)[:2] == [(0, 0), (1.5 * CELL, 1.5 * CELL)]


def test_only_what_is_sure_and_large_enough_counts(made: Made) -> None:
    image = scene()
    image[32:48, 64:80] = (0, 0, 150)

    assert faces(made(), frame_of(image)) == []
    assert len(faces(made(score=0.5), frame_of(image))) == 1
    # It is 32 pixels of 96.
    assert len(faces(made(score=0.5, min_size=0.33), frame_of(image))) == 1
    assert faces(made(score=0.5, min_size=0.34), frame_of(image)) == []


def test_of_two_that_overlap_one_is_left_out(made: Made) -> None:
    image = scene((64, 32))
    image[32:48, 80:96] = (0, 0, 240)

    assert [pixels(face) for face in faces(made(), frame_of(image))] == [expected(64, 32)]
    assert len(faces(made(nms=0.9), frame_of(image))) == 2


def test_what_it_finds_can_be_hidden(made: Made) -> None:
    image = scene((64, 32))
    image[32:48:2, 64:80] = (0, 0, 230)
    found = made().open()(frame_of(image))
    assert found is not None and found.events

    hidden = Pixelate(kind="events").open()(found)

    assert hidden is not None
    assert not np.array_equal(hidden.image, found.image)


def test_threads_disturb_one_another_in_nothing(made: Made) -> None:
    places = [(CELL * (n % 10), CELL * (n % 6)) for n in range(30)]
    # Of several sizes, for a detector is told the size before it looks.
    frames = [frame_of(scene(place, width=WIDTH + 32 * (n % 3))) for n, place in enumerate(places)]
    opened = made().open()
    alone = [faces(opened, frame) for frame in frames]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda frame: faces(opened, frame), frames * 3))

    assert all(alone) and together == alone * 3


def test_another_content_of_the_file_is_another_hash(made: Made) -> None:
    model = made().model
    settings = PipelineSettings(name="x", operators=(OperatorSettings("faces", {"model": model}),))
    before = settings.hash

    Path(model).write_bytes(yunet())

    assert settings.hash != before


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"model": "/nowhere.onnx"}, 'faces: model = "/nowhere.onnx": expected a file that can be read'),
        ({"content": b"no network"}, "faces: model = .*: expected an ONNX file of YuNet that OpenCV can run "),
        ({"content": yolo("v8")}, "faces: model = .*: expected an ONNX file of YuNet that OpenCV can run "),
        ({"score": 0.0}, "faces: score = 0.0: expected a number above 0"),
        ({"nms": 0.0}, "faces: nms = 0.0"),
        ({"min_size": 1.5}, "faces: min_size = 1.5"),
        ({"size": 8}, "faces: size = 8: expected 32 to 4096 pixels"),
    ],
)
def test_refuses(made: Made, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        made(**parameters)
