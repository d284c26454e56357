import cv2
import numpy as np
import pytest
from frame_support import flat, picture
from scene_support import edgy_scene

from streams.contract.images import Image
from streams.operators.camera_view import Background, Sharpness, Stillness, sharpness_of

WIDTH, HEIGHT = 160, 120
noise = np.random.default_rng(4)


def scene(seed: int = 3) -> Image:
    return edgy_scene(WIDTH, HEIGHT, seed=seed)


def background_of(*images: Image) -> Background:
    background = Background((HEIGHT, WIDTH), learn_frames=len(images), tolerance=0.02)
    for image in images:
        background.learn(background.edges(image))
    return background


def fit(background: Background, image: Image) -> float:
    found = background.fit(background.edges(image))
    assert found is not None
    return found


def test_the_background_fits_at_its_place_and_not_beside_it() -> None:
    background = background_of(scene(), scene())

    # Three pixels are allowed.
    assert fit(background, scene()) > 2 and fit(background, np.roll(scene(), 2, axis=1)) > 2
    for moved in (np.roll(scene(), 8, axis=1), np.roll(scene(), -8, axis=0), scene(2)):
        assert fit(background, moved) < 1


@pytest.mark.parametrize("light", [0.1, 0.3, 1.0])
def test_it_has_as_many_edges_in_any_light(light: float) -> None:
    background = background_of(scene())
    dim = (scene() * light + 100 * (1 - light)).astype(np.uint8)

    usual, edges = np.count_nonzero(background.edges(scene())), np.count_nonzero(background.edges(dim))

    assert edges == pytest.approx(usual, rel=0.1) and fit(background, dim) > 2


def test_what_is_darker_than_its_ground_may_become_brighter() -> None:
    assert fit(background_of(scene()), 255 - scene()) > 2


def test_what_hides_most_of_it_is_no_move() -> None:
    hidden = scene()
    hidden[:, WIDTH // 3 :] = scene(2)[:, WIDTH // 3 :]

    assert fit(background_of(scene()), hidden) > 1


def test_without_edges_that_stay_there_is_nothing_to_tell_by() -> None:
    always_other = background_of(*[scene(seed) for seed in range(30)])
    smooth = background_of(picture(WIDTH, HEIGHT, gray=True)[:1].repeat(HEIGHT, axis=0), flat(WIDTH, HEIGHT, 9))

    assert always_other.fit(always_other.edges(scene(1))) is None
    assert smooth.fit(smooth.edges(scene())) is None


def test_of_a_picture_without_edges_nothing_can_be_told() -> None:
    background = background_of(scene())
    bare = flat(WIDTH, HEIGHT, 100)
    bare[:, 80:] = 180

    assert background.fit(background.edges(bare)) is None


def test_before_it_has_learnt_nothing_can_be_told() -> None:
    background = Background((HEIGHT, WIDTH), learn_frames=2, tolerance=0.02)
    background.learn(background.edges(scene()))
    tiny = Background((20, 30), learn_frames=1, tolerance=0.02)
    tiny.learn(tiny.edges(scene()[:20, :30]))

    assert background.fit(background.edges(scene())) is None
    assert tiny.fit(tiny.edges(scene()[:20, :30])) is None


def test_sharpness_falls_with_blur_and_not_with_light_or_noise() -> None:
    sharp = sharpness_of(scene())
    blurred: Image = cv2.GaussianBlur(scene(), (0, 0), 4)  # type: ignore[assignment]
    noisy = np.clip(blurred + noise.normal(0, 4, blurred.shape), 0, 255).astype(np.uint8)

    assert sharpness_of(noisy) < sharp / 8
    assert sharpness_of((scene() * 0.2).astype(np.uint8)) == pytest.approx(sharp, rel=0.05)
    assert sharpness_of(flat(WIDTH, HEIGHT, 7)) == 0


def test_sharpness_is_told_against_the_usual() -> None:
    sharpness = Sharpness(2, least=0.01)
    assert sharpness.relative(0.1) is None
    sharpness.learn(0.1)
    sharpness.learn(0.4)

    assert sharpness.relative(0.1) == pytest.approx(0.5)
    for _ in range(10):
        sharpness.learn(0.02)
    # Learnt slowly from then on.
    assert sharpness.relative(0.1) == pytest.approx(0.5, rel=0.6)
    dull = Sharpness(1, least=0.01)
    dull.learn(0.001)
    assert dull.relative(0.001) == pytest.approx(0.1)


def test_stillness_counts_from_the_last_change() -> None:
    stillness, other = Stillness(), scene()
    other[:2, :2] ^= 128

    seen = [stillness.see(image, at * 10**9) for at, image in enumerate([scene(), scene(), other, other, other])]

    assert seen == [0, 1, 0, 1, 2]


def test_what_changes_slowly_has_changed() -> None:
    stillness = Stillness()
    fading = [flat(WIDTH, HEIGHT, 100) for _ in range(10)]
    for step, image in enumerate(fading):
        # A tenth of the pixels more each time: in the mean a tenth of a step.
        image[: HEIGHT * step // 10] += 1

    assert [stillness.see(image, at * 10**9) for at, image in enumerate(fading)] == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
