import numpy as np
import pytest
from frame_support import frame_of, run

from streams.contract.frame import Box, Event
from streams.operators.checks import ParameterError
from streams.operators.crop import Crop
from streams.operators.pixelate import Pixelate

BOX = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
TRIANGLE = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))


def noise(width: int = 160, height: int = 96) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def event(box: Box) -> Event:
    return Event(type="face", data={"boxes": [box]})


def test_the_zone_is_made_of_squares_of_their_mean_and_the_rest_stays() -> None:
    image = noise()

    result = run(Pixelate(zones=(BOX,), cells=5), image)

    inside = result[24:72, 40:120]
    for top in range(0, 48, 16):
        for left in range(0, 80, 16):
            cell = inside[top : top + 16, left : left + 16]
            assert (cell == cell[0, 0]).all()
            mean = image[24 + top : 40 + top, 40 + left : 56 + left].mean(axis=(0, 1))
            assert np.abs(cell[0, 0] - mean).max() <= 1
    outside = np.ones(image.shape[:2], bool)
    outside[24:72, 40:120] = False
    assert np.array_equal(result[outside], image[outside])


def test_a_zone_of_any_shape() -> None:
    image = noise(160, 160)

    result = run(Pixelate(zones=(TRIANGLE,)), image)

    changed = (result != image).any(axis=2)
    ys, xs = np.mgrid[0:160, 0:160]
    assert changed[xs + ys < 158].mean() > 0.99
    assert not changed[xs + ys > 161].any()


def test_without_zones_all_of_it() -> None:
    result = run(Pixelate(cells=1), noise(64, 64))

    assert (result == result[0, 0]).all()


def test_a_small_area_does_not_stay_readable() -> None:
    result = run(Pixelate(cells=1000), noise(64, 64))

    assert len(np.unique(result.reshape(-1, 3), axis=0)) <= 64


def test_boxes_that_others_have_found() -> None:
    image = noise()
    frame = frame_of(image, events=(event(Box(x=0.5, y=0.5, w=0.25, h=0.5)),))

    result = Pixelate(kind="events", cells=1).open()(frame)

    assert result is not None
    hidden = result.image[48:96, 80:120]
    assert (hidden == hidden[0, 0]).all(axis=2).all()
    assert np.array_equal(result.image[:48], image[:48]) and np.array_equal(result.image[:, :80], image[:, :80])


def test_boxes_are_found_again_after_a_crop() -> None:
    image = noise()
    frame = frame_of(image, events=(event(Box(x=0.5, y=0.5, w=0.25, h=0.5)),))
    cropped = Crop(x=0.5, w=0.5).open()(frame)
    assert cropped is not None

    result = Pixelate(kind="events", cells=1).open()(cropped)

    assert result is not None
    changed = (result.image != cropped.image).any(axis=2)
    assert changed[48:, :40].mean() > 0.99 and not changed[:48].any() and not changed[:, 40:].any()


@pytest.mark.parametrize("events", [(), (event(Box(x=0.9, y=0.9, w=0.05, h=0.05)),), (Event(type="count", data={}),)])
def test_nothing_to_hide_is_the_same_frame(events: tuple[Event, ...]) -> None:
    cropped = Crop(w=0.5, h=0.5).open()(frame_of(noise(), events=events))

    assert Pixelate(kind="events").open()(cropped) is cropped  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"kind": "faces"}, 'pixelate: kind = "faces"'),
        ({"kind": "events", "zones": (BOX,)}, 'pixelate: zones = .*: expected none when kind is "events"'),
        ({"zones": ((),)}, "pixelate: zones = "),
        ({"cells": 0}, "pixelate: cells = 0"),
    ],
)
def test_refuses(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Pixelate(**parameters)  # type: ignore[arg-type]


@pytest.mark.parametrize("side", [12, 15, 21, 23, 28, 31])
def test_squares_are_never_smaller_than_eight_pixels(side: int) -> None:
    image = noise()
    box = Box(x=0, y=0, w=side / image.shape[1], h=side / image.shape[0])

    result = Pixelate(kind="events", cells=255).open()(frame_of(image, events=(event(box),)))

    assert result is not None
    row = result.image[0, :side]
    edges = [0, *(np.flatnonzero((row[1:] != row[:-1]).any(axis=1)) + 1), side]
    assert min(np.diff(edges)) >= 8
