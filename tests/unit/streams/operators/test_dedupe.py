import numpy as np
import pytest
from frame_support import CAPTURED_AT_NS, frame_of, picture

from streams.contract.images import Image, decode, encode
from streams.operators.base import Opened
from streams.operators.checks import ParameterError
from streams.operators.dedupe import Dedupe

WIDTH, HEIGHT = 320, 240
SCENE = picture(WIDTH, HEIGHT)
noise = np.random.default_rng(1)


def noisy(image: Image = SCENE) -> Image:
    return np.clip(image + noise.normal(0, 4, image.shape), 0, 255).astype(np.uint8)


def with_dot(x: int) -> Image:
    image = noisy()
    image[100:106, x : x + 6] = 0
    return image


def passes(dedupe: Opened, image: Image, at_s: float = 0.0) -> bool:
    frame = frame_of(image).changed(captured_at_ns=CAPTURED_AT_NS + round(at_s * 1e9))
    result = dedupe(frame)
    assert result is None or result is frame
    return result is not None


def test_of_a_still_scene_with_noise_only_the_first_passes() -> None:
    dedupe = Dedupe().open()

    assert [passes(dedupe, noisy(), at_s=index / 10) for index in range(30)] == [True] + [False] * 29


def test_what_an_encoder_makes_of_it_is_no_change() -> None:
    dedupe = Dedupe().open()

    assert passes(dedupe, SCENE)
    assert not passes(dedupe, decode(encode(SCENE, quality=60)))


def test_something_small_that_moves_passes() -> None:
    dedupe = Dedupe().open()

    assert [passes(dedupe, with_dot(x)) for x in (40, 40, 60, 60, 80)] == [True, False, True, False, True]


def test_a_slow_change_passes_once_it_is_enough() -> None:
    dedupe = Dedupe(threshold=6).open()
    fading = [np.full((HEIGHT, WIDTH), 100 + step, np.uint8) for step in range(13)]

    assert [index for index, image in enumerate(fading) if passes(dedupe, image)] == [0, 6, 12]


def test_one_passes_at_least_so_often() -> None:
    dedupe = Dedupe(keep_every_s=2.5).open()

    assert [second for second in range(9) if passes(dedupe, SCENE, at_s=second)] == [0, 3, 6]


def test_a_clock_that_is_put_back_holds_nothing_up() -> None:
    dedupe = Dedupe().open()

    assert passes(dedupe, SCENE, at_s=100)
    assert passes(dedupe, SCENE, at_s=50)
    assert not passes(dedupe, SCENE, at_s=51)


def test_another_size_passes() -> None:
    dedupe = Dedupe().open()

    assert passes(dedupe, SCENE)
    assert passes(dedupe, picture(WIDTH, HEIGHT // 2))


def test_color_and_gray_are_alike() -> None:
    dedupe = Dedupe().open()

    assert passes(dedupe, np.full((HEIGHT, WIDTH), 90, np.uint8))
    assert not passes(dedupe, np.full((HEIGHT, WIDTH, 3), 90, np.uint8))


def test_each_camera_has_a_memory_of_its_own() -> None:
    operator = Dedupe()
    first, second = operator.open(), operator.open()

    assert operator.memory_frames > 0
    assert passes(first, SCENE) and passes(second, SCENE) and not passes(first, SCENE)


def test_it_reads_a_small_picture() -> None:
    assert Dedupe().reads_at(1280, 720) == (320, 180)
    reduced = picture(320, 180)
    # Of the whole picture there is nothing: whoever asks for it fails.
    frame = frame_of(picture(1280, 720)).changed(_image=None, _reduced=reduced)
    dedupe = Dedupe().open()

    assert dedupe(frame) is frame and dedupe(frame) is None


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"threshold": 0.0}, "dedupe: threshold = 0.0: expected steps of lightness above 0, up to 255"),
        ({"threshold": 256.0}, "dedupe: threshold = 256.0"),
        ({"keep_every_s": 0.0}, "dedupe: keep_every_s = 0.0: expected seconds above 0, up to 86400"),
    ],
)
def test_refuses(parameters: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Dedupe(**parameters)
