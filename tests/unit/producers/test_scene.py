import cv2
import numpy as np
from producer_support import scene_images

from producers.scene import Scene
from producers.stamp import Stamp, camera_hash, read_stamp


def test_every_picture_says_which_it_is() -> None:
    scene = Scene("gate-1", size=(640, 480), fps=15, seed=0)
    for number in (0, 1, 99, 70_000):
        assert read_stamp(scene.draw(number)) == Stamp(camera_hash=camera_hash("gate-1"), sequence=number)


def test_the_same_seed_draws_the_same_picture() -> None:
    def draw(camera_id: str = "a", *, seed: int = 1, number: int = 5) -> bytes:
        return Scene(camera_id, size=(320, 240), fps=15, seed=seed).draw(number).tobytes()

    assert draw() == draw()
    assert len({draw(), draw(seed=2), draw(number=6), draw("b")}) == 4


def test_there_is_noise_and_movement() -> None:
    background = cv2.createBackgroundSubtractorMOG2(detectShadows=False)
    *_, last = [background.apply(image) for image in scene_images(60, size=(320, 240))]
    # The stamp changes too, but lies in the lower right: look at the left half.
    moving = np.count_nonzero(last[:, :160]) / last[:, :160].size
    assert 0.002 < moving < 0.4
    first, second = scene_images(2, size=(320, 240))
    still = (slice(0, 20), slice(0, 100))
    assert 1.0 < np.abs(first[still].astype(int) - second[still]).mean() < 12.0
