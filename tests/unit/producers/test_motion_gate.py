from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from producers.motion_gate import POST_ROLL_S, MotionGate
from streams.contract.errors import SettingError
from streams.contract.images import Image, encode

WIDTH, HEIGHT = 640, 480
FPS = 10
STEP_NS = 1_000_000_000 // FPS
ROLL = round(POST_ROLL_S * FPS)
RNG = np.random.default_rng(7)
# Noise is made a little larger than the picture, and laid on at another place in each.
NOISE = RNG.standard_normal((HEIGHT + 64, WIDTH + 64, 3), dtype=np.float32) * 5


def scene() -> Image:
    """Edges, areas and a gradient, between 40 and 200."""
    image = np.repeat(np.linspace(40, 120, HEIGHT, dtype=np.float32)[:, None], WIDTH, axis=1)
    image[100:300, 80:160] = 200
    image[200:400, 400:560:16] = 160
    return np.repeat(image[:, :, None], 3, axis=2).astype(np.uint8)


SCENE = scene()


def seen(image: Image, *, lighter: float = 0.0) -> Image:
    """A camera's picture of it: with noise of 5 levels."""
    down, across = RNG.integers(0, 64, 2)
    noise = NOISE[down : down + HEIGHT, across : across + WIDTH]
    return np.clip(image + noise + lighter, 0, 255).astype(np.uint8)


def with_thing(x: int, *, side: int, contrast: int = 25) -> Image:
    image = SCENE.copy()
    image[430 : 430 + side, x : x + side] += np.uint8(contrast)
    return image


def admitted(
    pictures: Sequence[bytes | Image], *, keep_alive_s: float = 0.0, gate: MotionGate | None = None
) -> list[int]:
    """The numbers of those that are."""
    gate = gate or MotionGate(keep_alive_s=keep_alive_s)
    return [number for number, picture in enumerate(pictures) if gate.admits(picture, number * STEP_NS)]


@pytest.mark.parametrize("encoded", [True, False], ids=["jpeg", "array"])
def test_of_a_still_scene_only_the_first_and_those_that_keep_it_alive(encoded: bool) -> None:
    images = [seen(SCENE) for _ in range(200)]
    pictures = [encode(image) for image in images] if encoded else images
    assert admitted(pictures, keep_alive_s=5) == [0, 50, 100, 150]
    assert admitted(pictures) == [0]


@pytest.mark.parametrize("encoded", [True, False], ids=["jpeg", "array"])
@pytest.mark.parametrize(("width", "height"), [(WIDTH, HEIGHT), (1280, 720), (321, 243)])
def test_a_small_thing_that_moves_is_seen_within_two_pictures(encoded: bool, width: int, height: int) -> None:
    # 1.5 % of the width.
    side = 10
    shown = [SCENE] * 20 + [with_thing(300 + 5 * number, side=side) for number in range(10)]
    images: list[Image] = [np.asarray(cv2.resize(seen(image), (width, height)), np.uint8) for image in shown]
    found = admitted([encode(image) for image in images] if encoded else images)
    assert found[0] == 0 and found[1] in (20, 21)
    assert found[1:] == list(range(found[1], 30))


def test_what_follows_a_movement_is_admitted_for_two_seconds() -> None:
    shown = [SCENE] * 20 + [with_thing(300 + 20 * number, side=40, contrast=60) for number in range(5)] + [SCENE] * 40
    found = admitted([seen(image) for image in shown])
    assert found[:2] == [0, 20] and found[1:] == list(range(20, 20 + len(found) - 1))
    # For as long as it was there the place it has left has been learnt a little, too.
    assert 24 + ROLL <= found[-1] <= 24 + ROLL + 5


def test_what_has_stopped_is_learnt() -> None:
    shown = [SCENE] * 10 + [with_thing(300, side=60, contrast=100)] * 200
    found = admitted([seen(image) for image in shown])
    assert 10 in found
    assert max(found) < 10 + 15 * FPS


def test_slow_changes_of_the_light_are_no_movement() -> None:
    pictures = [seen(SCENE, lighter=number * 0.2) for number in range(200)]
    assert admitted(pictures) == [0]


def test_a_sudden_change_is_a_movement_once() -> None:
    pictures = [seen(SCENE, lighter=0 if number < 30 else 50) for number in range(100)]
    assert admitted(pictures) == [0, *range(30, 30 + ROLL + 1)]


def test_another_size_is_a_movement_and_begins_anew() -> None:
    small: list[Image] = [np.asarray(cv2.resize(seen(SCENE), (320, 240)), np.uint8) for _ in range(60)]
    found = admitted([*(seen(SCENE) for _ in range(20)), *small])
    assert found == [0, *range(20, 20 + ROLL + 1)]


def test_pictures_in_gray_and_in_other_formats() -> None:
    gray: list[Image] = [np.ascontiguousarray(seen(SCENE)[:, :, 1]) for _ in range(50)]
    assert admitted(gray) == [0]
    assert admitted([encode(image, "image/png") for image in gray[:20]]) == [0]


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (2000, 1), (1, 2000), (159, 5)])
def test_pictures_of_odd_sizes(size: tuple[int, int]) -> None:
    image: Image = np.full((size[1], size[0], 3), 90, np.uint8)
    assert admitted([image] * 5) == [0]
    assert admitted([encode(image)] * 5) == [0]


def test_what_cannot_be_decoded_is_admitted_and_changes_nothing() -> None:
    sound = encode(seen(SCENE))
    pictures = [sound, sound, b"", b"no picture", sound[:2000], sound, np.zeros((0, 5, 3), np.uint8), sound]
    assert admitted(pictures) == [0, 2, 3, 4, 6]


def test_times_that_run_backwards_or_stand_still() -> None:
    gate = MotionGate(keep_alive_s=3)
    times = [100, 101, 102, 50, 51, 52, 53, 53, 53, 10**6, 10**6]
    found = [gate.admits(seen(SCENE), second * 1_000_000_000) for second in times]
    # Two seconds before the clock was put back and one after it are three without a picture.
    assert found == [True, False, False, False, True, False, False, False, False, True, False]


def test_a_picture_is_left_as_it_is() -> None:
    image = seen(SCENE)
    before = image.copy()
    gate = MotionGate(keep_alive_s=0)
    for _ in range(3):
        gate.admits(image, 0)
    assert np.array_equal(image, before)


@pytest.mark.parametrize("keep_alive_s", [-1.0, float("nan"), float("inf")])
def test_a_wrong_setting_is_named(keep_alive_s: float) -> None:
    with pytest.raises(SettingError, match="keep_alive_s"):
        MotionGate(keep_alive_s=keep_alive_s)
