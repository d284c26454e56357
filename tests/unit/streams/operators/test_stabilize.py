"""`stabilize`: a shaken scene, of which is known where each picture shows what."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from footage import box_jpegs
from frame_support import raw_point
from scene_support import edgy_scene
from track_support import frame_at

from streams.contract.frame import Frame
from streams.contract.images import Image, decode
from streams.operators.checks import ParameterError
from streams.operators.stabilize import Stabilize

WIDTH, HEIGHT = 320, 240
SCENE = edgy_scene(2 * WIDTH, 2 * HEIGHT)
LATER = "20260102T040000000-efgh"
Place = tuple[float, float, float]


def shaking(frames: int, *, shift: float = 4.0, turn: float = 0.5, seed: int = 3) -> list[Place]:
    """x, y in pixels and degrees by which each picture is off."""
    chance = np.random.default_rng(seed)
    return [(chance.normal(0, shift), chance.normal(0, shift), chance.normal(0, turn)) for _ in range(frames)]


def matrix_of(place: Place) -> np.ndarray[Any, np.dtype[np.float64]]:
    x, y, angle = place
    matrix = cv2.getRotationMatrix2D((WIDTH - 0.5, HEIGHT - 0.5), angle, 1.0)
    matrix[:, 2] += (x - WIDTH / 2, y - HEIGHT / 2)
    return np.asarray(matrix)


def shown(place: Place = (0.0, 0.0, 0.0)) -> Image:
    return cv2.warpAffine(SCENE, matrix_of(place), (WIDTH, HEIGHT))  # type: ignore[return-value]


def frames_of(images: Sequence[Image], *, first: int = 0, **fields: Any) -> list[Frame]:
    return [frame_with(image, first + index, **fields) for index, image in enumerate(images)]


def frame_with(image: Image, index: int, **fields: Any) -> Frame:
    height, width = image.shape[:2]
    image.flags.writeable = False
    return frame_at(index, **fields).changed(_image=image, width=width, height=height, raw_size=(width, height))


def run(stabilize: Stabilize, frames: Sequence[Frame]) -> list[Frame]:
    operate = stabilize.open()
    results = [operate(frame) for frame in frames]
    assert all(results)
    return [result for result in results if result is not None]


def place_in(frame: Frame, place: Place) -> tuple[float, float]:
    """Where the picture shows a point that lies a little beside the scene's middle."""
    x, y = matrix_of(place) @ (WIDTH + 40, HEIGHT + 30, 1) + 0.5
    linear, offset = frame.to_raw[:, :2], frame.to_raw[:, 2]
    x, y = np.linalg.inv(linear) @ ((x, y) - offset)
    return x, y


def unrest(points: Sequence[tuple[float, float]]) -> float:
    """By how much a point moves from picture to picture, in pixels (root of the mean square)."""
    return float(np.sqrt((np.diff(np.array(points), axis=0) ** 2).sum(axis=1).mean()))


def pixels(frames: Sequence[Frame]) -> list[bytes]:
    return [frame.image.tobytes() + frame.to_raw.tobytes() for frame in frames]


def test_a_shaken_camera_becomes_calm() -> None:
    places = shaking(60)

    results = run(Stabilize(), frames_of([shown(place) for place in places]))

    before = unrest([tuple(matrix_of(place) @ (WIDTH + 40, HEIGHT + 30, 1)) for place in places[30:]])
    after = unrest([place_in(frame, place) for frame, place in zip(results[30:], places[30:], strict=True)])
    assert before > 7 and after < before / 15


def test_the_pictures_are_what_to_raw_says() -> None:
    places = shaking(40)

    results = run(Stabilize(border="black"), frames_of([shown(place) for place in places]))

    still = results[30].image[40:-40, 40:-40]
    for result in results[31:]:
        # Edges are interpolated.
        assert np.abs(result.image[40:-40, 40:-40].astype(int) - still).mean() < 4
    # And not by themselves: without, they differ by far more.
    assert np.abs(shown(places[31])[40:-40, 40:-40].astype(int) - still).mean() > 10


def test_crop_keeps_what_is_beyond_the_edge_out() -> None:
    images = [shown(place) for place in shaking(40, shift=10, turn=0.0)]

    results = run(Stabilize(most=0.1), frames_of(images))

    for result in results:
        assert (result.width, result.height) == (256, 192)
        corners = [raw_point(result, x, y) for x in (0, 256) for y in (0, 192)]
        assert all(-0.5 <= x <= WIDTH + 0.5 and -0.5 <= y <= HEIGHT + 0.5 for x, y in corners)


def test_no_picture_is_shifted_by_more_than_most() -> None:
    places = [(0.0, 0.0, 0.0)] * 10 + [(30.0, -20.0, 0.0)]

    (*_, moved) = run(Stabilize(most=0.02, border="black"), frames_of([shown(place) for place in places]))

    assert moved.to_raw[:, 2] == pytest.approx([0.02 * WIDTH, -0.02 * HEIGHT], abs=0.3)


@pytest.mark.parametrize(("border", "edge"), [("black", 0), ("replicate", 200)])
def test_what_is_beyond_the_edge(border: Any, edge: int) -> None:
    images = []
    for place in [(0.0, 0.0, 0.0)] * 10 + [(12.0, 0.0, 0.0)]:
        image = shown(place)
        image[:, -3:] = 200
        images.append(image)

    (*_, moved) = run(Stabilize(border=border), frames_of(images))

    # It was moved to the left.
    assert (moved.image[:, -4:] == edge).all()


def test_a_camera_that_stands_still_is_left_as_it_is() -> None:
    noise = np.random.default_rng(1)
    images = [np.clip(shown() + noise.normal(0, 2, (HEIGHT, WIDTH)), 0, 255).astype(np.uint8) for _ in range(10)]

    frames = frames_of(images)
    whole, cut = run(Stabilize(border="black"), frames), run(Stabilize(), frames)

    assert all(result is frame for result, frame in zip(whole, frames, strict=True))
    assert all(np.array_equal(result.image, image[12:-12, 16:-16]) for result, image in zip(cut, images, strict=True))
    assert all(raw_point(result, 0, 0) == (16, 12) for result in cut)


def test_it_follows_a_camera_that_is_turned() -> None:
    places = [(max(0, min(40, index - 10)) * 1.0, 0.0, 0.0) for index in range(100)]

    results = run(Stabilize(smooth_frames=10, border="black"), frames_of([shown(place) for place in places]))

    # While it turns, half of ten frames behind; then where the camera is.
    assert results[40].to_raw[0, 2] == pytest.approx(4.5, abs=0.3)
    assert np.array_equal(results[-1].image, shown(places[-1]))


def test_where_memory_began_does_not_matter() -> None:
    images = [shown(place) for place in shaking(60)]
    operator = Stabilize(smooth_frames=20)

    whole, later = run(operator, frames_of(images)), run(operator, frames_of(images[25:], first=25))

    # To the last bit: that is what a replay in parts rests on.
    assert operator.memory_frames == 20
    assert pixels(whole)[45:] == pixels(later)[20:]
    assert pixels(whole)[30] != pixels(later)[5]


def test_threads_of_opencv_do_not_matter() -> None:
    images = [cv2.resize(shown(place), (4 * WIDTH, 4 * HEIGHT)) for place in shaking(8)]
    threads, found = cv2.getNumThreads(), []
    try:
        for number in (1, 4):
            cv2.setNumThreads(number)
            found.append(pixels(run(Stabilize(), frames_of(images))))  # type: ignore[arg-type]
    finally:
        cv2.setNumThreads(threads)

    assert found[0] == found[1] and len(set(found[0])) == 8


@pytest.mark.parametrize("other", ["epoch", "size"])
def test_another_epoch_or_size_starts_afresh(other: str) -> None:
    before = frames_of([shown(place) for place in shaking(10)])
    image = shown((10.0, 10.0, 0.0))
    if other == "epoch":
        after = frame_with(image, 0, epoch=LATER, at_s=2.0)
    else:
        after = frame_with(np.ascontiguousarray(image[:-2]), 10)

    *_, last, first = run(Stabilize(border="black"), [*before, after])

    assert not np.array_equal(last.to_raw, before[-1].to_raw)
    assert first is after


def test_a_redriven_frame_of_the_past_passes_untouched_and_is_forgotten() -> None:
    frames = frames_of([shown(place) for place in shaking(10)])
    old = frame_with(shown((15.0, 15.0, 0.0)), 2)

    results = run(Stabilize(border="black"), [*frames[:7], old, *frames[7:]])

    assert results[7] is old
    assert pixels(results[:7] + results[8:]) == pixels(run(Stabilize(border="black"), frames))


def test_footage_that_is_shaken_is_as_calm_as_it_was() -> None:
    footage = [decode(jpeg) for jpeg in box_jpegs()[:90]]
    chance = np.random.default_rng(5)
    moves = [np.array([[1.0, 0.0, chance.normal(0, 6)], [0.0, 1.0, chance.normal(0, 6)]]) for _ in footage]
    shaken: list[Image] = [
        cv2.warpAffine(image, move, (640, 480), borderMode=cv2.BORDER_REFLECT)  # type: ignore[misc]
        for image, move in zip(footage, moves, strict=True)
    ]

    results, untouched = run(Stabilize(), frames_of(shaken)), run(Stabilize(), frames_of(footage))

    def likeness(images: Sequence[Image]) -> float:
        cut = [image[24:-24, 32:-32] if image.shape[:2] == (480, 640) else image for image in images[30:]]
        return float(np.mean([cv2.PSNR(one, other) for one, other in pairwise(cut)]))

    # From one picture to the next, in dB.
    assert likeness(shaken) < likeness(footage) - 8
    assert likeness([result.image for result in results]) > likeness(footage) - 1
    # A hand moves the box before the camera, and the camera stands still.
    assert all(np.array_equal(result.to_raw, [[1, 0, 32], [0, 1, 24]]) for result in untouched)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"smooth_frames": 1}, "stabilize: smooth_frames = 1: expected a number of frames from 2 to 1000"),
        ({"most": 0.0}, "stabilize: most = 0.0"),
        ({"most": 0.3}, "stabilize: most = 0.3"),
        ({"border": "white"}, 'stabilize: border = "white": expected "crop" or "replicate" or "black"'),
    ],
)
def test_refuses(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Stabilize(**parameters)
