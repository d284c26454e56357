from collections.abc import Iterator

import numpy as np
import pytest
from frame_support import frame_of, picture

from streams.contract.frame import Event, Frame
from streams.contract.images import Image
from streams.operators.checks import ParameterError
from streams.operators.motion import Motion, MotionFound
from streams.operators.resize import Resize

WIDTH, HEIGHT, SIDE = 160, 120, 20
LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
RIGHT = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))


def noisy_scene(frames: int, *, gray: bool = False) -> Iterator[Image]:
    """The same picture again and again, with a sensor's noise."""
    scene, noise = picture(WIDTH, HEIGHT, gray=gray).astype(float), np.random.default_rng(1)
    for _ in range(frames):
        yield np.clip(scene + noise.normal(0, 3, scene.shape), 0, 255).astype(np.uint8)


def with_square(image: Image, x: int, y: int) -> Image:
    """A black and white square, for no part of the scene looks like that."""
    image[y : y + SIDE, x : x + SIDE] = 0
    image[y : y + SIDE // 2, x : x + SIDE] = 255
    return image


def watch(operator: Motion, images: Iterator[Image]) -> list[tuple[Event, ...]]:
    motion = operator.open()
    results = [motion(frame_of(image)) for image in images]
    return [result.events for result in results if result is not None]


@pytest.mark.parametrize("gray", [False, True])
def test_a_still_scene_with_noise_is_quiet(gray: bool) -> None:
    found = watch(Motion(zones=(LEFT, RIGHT)), noisy_scene(60, gray=gray))

    assert found == [()] * 60


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("downscale", [1, 2, 4])
def test_a_moving_square_is_found_in_its_zone_and_not_in_the_other(gray: bool, downscale: int) -> None:
    scene = list(noisy_scene(42, gray=gray))
    places = [(84 + 5 * step, 50) for step in range(12)]
    images = scene[:30] + [with_square(image, *place) for image, place in zip(scene[30:], places, strict=True)]

    found = watch(Motion(zones=(LEFT, RIGHT), downscale=downscale), iter(images))

    assert found[:30] == [()] * 30
    for events, (x, y) in zip(found[30:], places, strict=True):
        (event,) = events
        assert event.type == "motion" and isinstance(event.data, MotionFound) and event.data.zone == "1"
        (box,) = event.data.boxes
        slack = 1.5 * downscale
        assert box.x * WIDTH == pytest.approx(x, abs=slack)
        assert box.y * HEIGHT == pytest.approx(y, abs=slack)
        assert box.w * WIDTH == pytest.approx(SIDE, abs=2 * slack)
        assert box.h * HEIGHT == pytest.approx(SIDE, abs=2 * slack)


def test_boxes_are_fractions_of_the_raw_picture() -> None:
    motion, resize = Motion(downscale=1).open(), Resize(width=WIDTH // 2, height=HEIGHT // 2).open()
    scene = list(noisy_scene(31))
    with_square(scene[-1], 40, 60)

    result: Frame | None = None
    for image in scene:
        small = resize(frame_of(image))
        assert small is not None
        result = motion(small)

    assert result is not None
    (box,) = result.events[0].data.boxes
    assert (box.x * WIDTH, box.y * HEIGHT) == (pytest.approx(40, abs=3), pytest.approx(60, abs=3))
    assert (box.w * WIDTH, box.h * HEIGHT) == (pytest.approx(SIDE, abs=5), pytest.approx(SIDE, abs=5))


def test_what_is_smaller_than_min_area_does_not_count() -> None:
    def images() -> Iterator[Image]:
        scene = list(noisy_scene(31))
        with_square(scene[-1], 40, 60)
        return iter(scene)

    area = SIDE * SIDE / (WIDTH * HEIGHT)

    assert watch(Motion(min_area=area / 2, downscale=1), images())[-1]
    assert not watch(Motion(min_area=area * 2, downscale=1), images())[-1]


@pytest.mark.parametrize("downscale", [1, 2])
def test_area_is_what_moves_in_the_zone_as_a_fraction_of_the_picture(downscale: int) -> None:
    scene = list(noisy_scene(31))
    # Two thirds of the square lie in the left zone, and the boxes say no more than where it is.
    with_square(scene[-1], WIDTH // 2 - 2 * SIDE // 3, 60)

    left, right = watch(Motion(zones=(LEFT, RIGHT), downscale=downscale), iter(scene))[-1]

    whole = SIDE * SIDE / (WIDTH * HEIGHT)
    assert left.data.area == pytest.approx(whole * 2 / 3, rel=0.25)
    assert right.data.area == pytest.approx(whole / 3, rel=0.25)


def test_without_zones_the_whole_picture_is_zone_0() -> None:
    scene = list(noisy_scene(31))
    with_square(scene[-1], 40, 60)

    (event,) = watch(Motion(), iter(scene))[-1]

    assert event.data.zone == "0"


@pytest.mark.parametrize(
    ("width", "height", "looked_at"),
    [
        (1280, 720, (320, 180)),
        (1920, 1080, (480, 270)),
        (639, 480, (639, 480)),
        (640, 2, (320, 1)),
        (20_000, 8, (1250, 1)),
    ],
)
def test_by_itself_it_looks_at_a_picture_of_at_least_320_pixels(
    width: int, height: int, looked_at: tuple[int, int]
) -> None:
    assert Motion().reads_at(width, height) == looked_at


def test_a_new_size_starts_afresh() -> None:
    motion = Motion().open()
    for image in noisy_scene(20):
        motion(frame_of(image))

    results = [motion(frame_of(picture(80, 60, seed=seed))) for seed in range(10)]

    assert [result.events for result in results if result] == [()] * 10


def test_each_open_has_a_background_of_its_own() -> None:
    operator = Motion(warmup=1)
    first, second = operator.open(), operator.open()
    bright, dark = np.full((60, 80, 3), 220, np.uint8), np.full((60, 80, 3), 20, np.uint8)

    for _ in range(20):
        assert first(frame_of(bright)).events == second(frame_of(dark)).events == ()  # type: ignore[union-attr]

    assert operator.memory_frames == operator.history


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"zones": (((0, 0), (1, 1)),)}, r"motion: zones = \[\[\[0, 0\], \[1, 1\]\]\]: expected areas as lists of"),
        ({"zones": (((0, 0), (1, 1), (2, 0)),)}, "motion: zones = "),
        ({"min_area": 0.0}, "motion: min_area = 0.0: expected a fraction of the picture above 0"),
        ({"history": 1}, "motion: history = 1"),
        ({"var_threshold": -1.0}, "motion: var_threshold = "),
        ({"downscale": 0}, "motion: downscale = 0: expected a number from 1 to 16"),
        ({"warmup": 500}, "motion: warmup = 500: expected 1 to history, which is 200"),
    ],
)
def test_refuses(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Motion(**parameters)  # type: ignore[arg-type]
